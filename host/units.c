/* The values of options: sizes, durations, pairs of paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/args.h"

/* Digits, and at most nine after a point, as a number of 10^-9. 0 or -errno. */
static int decimal_parse(const char **at, uint64_t max, uint64_t *ret_whole,
			 uint64_t *ret_nano)
{
	uint64_t whole = 0, nano = 0, unit = NSEC_PER_SEC;
	const char *p = *at;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		whole = whole * 10 + (*p - '0');
		if (whole > max)
			return -ERANGE;
	}
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++) {
			unit /= 10;
			nano += (*p - '0') * unit;
		}
		if (unit == NSEC_PER_SEC)
			return -EINVAL;
	}
	*at = p;
	*ret_whole = whole;
	*ret_nano = nano;
	return 0;
}

int size_parse(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	uint64_t whole, nano;
	unsigned shift = 0;
	int error = decimal_parse(&text, UINT64_MAX / 16, &whole, &nano);

	if (error < 0)
		return error;
	if (nano)
		return -EINVAL;
	if (*text) {
		const char *unit =
			strchr(units, *text >= 'a' ? *text - 'a' + 'A' : *text);

		if (!unit || !*unit)
			return -EINVAL;
		shift = 10 * (unit - units + 1);
		text++;
		/* "128M", "128MB" and "128MiB" are the same to us. */
		if (!strcmp(text, "B") || !strcmp(text, "iB"))
			text = "";
	}
	if (*text)
		return -EINVAL;
	if (whole > UINT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = whole << shift;
	return 0;
}

int duration_parse(const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", NSEC_PER_SEC },	      { "s", NSEC_PER_SEC },
		{ "ms", NSEC_PER_MSEC },      { "m", 60 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC }, { "d", 86400 * NSEC_PER_SEC },
	};
	uint64_t whole, nano;
	int error = decimal_parse(&text, UINT32_MAX, &whole, &nano);

	if (error < 0)
		return error;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcmp(text, units[i].name))
			continue;
		if (whole > INT64_MAX / 2 / units[i].ns)
			return -ERANGE;
		*ret_ns = whole * units[i].ns +
			  (uint64_t)((double)nano / NSEC_PER_SEC * units[i].ns);
		return 0;
	}
	return -EINVAL;
}

/* The last name of a path, without slashes at the end; "" of "/" and "". */
static char *path_name(const char *path)
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	return must_format("%.*s", (int)(end - start), path + start);
}

int mapping_parse(const char *text, struct mapping *ret_mapping)
{
	const char *colon = strrchr(text, ':');
	struct mapping mapping;

	if (colon && (colon == text || !colon[1]))
		return -EINVAL;
	if (colon) {
		mapping.from = must_format("%.*s", (int)(colon - text), text);
		mapping.to = must_format("%s", colon + 1);
	} else {
		mapping.from = must_format("%s", text);
		mapping.to = path_name(text);
	}
	if (!*mapping.to || !strcmp(mapping.to, ".") || !strcmp(mapping.to, "..")) {
		free(mapping.from);
		free(mapping.to);
		return -EINVAL;
	}
	*ret_mapping = mapping;
	return 0;
}

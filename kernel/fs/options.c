/* Mount options, taken apart for the file systems. */
#include "fs/options.h"

#include "lib/fmt.h"
#include "lib/string.h"

int options_parse(const char *text, int (*fn)(void *arg, const char *key, const char *v),
		  void *arg)
{
	if (!text || !*text)
		return 0;
	char *copy = heap_strdup(text, strlen(text));
	if (!copy)
		return -ENOMEM;
	int err = 0;
	for (char *p = copy, *next; p && !err; p = next) {
		next = strchr(p, ',');
		if (next)
			*next++ = '\0';
		if (!*p)
			continue;
		char *v = strchr(p, '=');
		if (v)
			*v++ = '\0';
		err = fn(arg, p, v ? v : "");
	}
	heap_free(copy);
	return err;
}

int option_size(const char *v, uint64_t *ret)
{
	const char *end;
	uint64_t n;
	unsigned shift = 0;

	int err = fmt_parse_u64(v, 0, &n, &end);
	if (err)
		return err;
	switch (*end | 0x20) {
	case 'k':
		shift = 10;
		break;
	case 'm':
		shift = 20;
		break;
	case 'g':
		shift = 30;
		break;
	}
	if (shift)
		end++;
	if (*end || n > UINT64_MAX >> shift)
		return -EINVAL;
	*ret = n << shift;
	return 0;
}

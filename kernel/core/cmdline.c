/* Options of the kernel command line. */
#include "core/cmdline.h"
#include "arch/arch.h"
#include "lib/fmt.h"
#include "lib/string.h"

static const char *word_end(const char *s)
{
	while (*s && *s != ' ')
		s++;
	return s;
}

/* The value if this word is `name` or `name=…`; NULL. */
static const char *match(const char *word, const char *end, const char *name)
{
	size_t n = strlen(name);
	if ((size_t)(end - word) < n || strncmp(word, name, n))
		return NULL;
	if (word + n == end)
		return end;
	return word[n] == '=' ? word + n + 1 : NULL;
}

bool cmdline_get(const char *name, char *buf, size_t n)
{
	bool found = false;
	for (const char *s = arch_cmdline(), *end; *s; s = *end ? end + 1 : end) {
		end = word_end(s);
		const char *value = match(s, end, name);
		if (!value)
			continue;
		size_t len = MIN((size_t)(end - value), n - 1);
		memcpy(buf, value, len);
		buf[len] = 0;
		found = true;
	}
	return found;
}

uint64_t cmdline_u64(const char *name, uint64_t otherwise)
{
	char text[24];
	uint64_t v;
	if (!cmdline_get(name, text, sizeof text) || fmt_parse_u64(text, 0, &v, NULL))
		return otherwise;
	return v;
}

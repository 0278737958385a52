/* Copying text into a buffer of a known size. */
#include "lib/string.h"

size_t str_copy(char *dst, const char *src, size_t n)
{
	size_t len = strlen(src);
	if (n) {
		size_t m = MIN(len, n - 1);
		memcpy(dst, src, m);
		dst[m] = 0;
	}
	return len;
}

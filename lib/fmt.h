/*
 * Text formatting without a libc: the printf subset of the kernel and the loader.
 * %d %i %u %x %X %o %c %s %p %% with flags - 0 + space #, width, precision, *, and the
 * lengths hh h l ll z t j. No floating point.
 */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include "lib/base.h"

/* As snprintf: returns what the whole text would take; always ends buf with NUL if n >
 * 0. */
size_t fmt_to(char *buf, size_t n, const char *fmt, ...) printf_like(3, 4);
size_t fmt_va(char *buf, size_t n, const char *fmt, va_list ap);
/* Decimal/hex/octal (base 0: by prefix) number. 0 or -EINVAL/-ERANGE; *ret_end: first
 * byte after it, NULL to insist that the text ends there. */
must_use int fmt_parse_u64(const char *s, unsigned base, uint64_t *ret,
			   const char **ret_end);

#endif

/* Text formatting: see fmt.h for the subset. */
#include "lib/fmt.h"

#include <asm/errno.h>

struct out {
	char *buf;
	size_t size, len; /* len counts what did not fit too */
};

struct spec {
	bool left, zero, plus, space, alt;
	int width, precision; /* precision -1: none */
	int size;	      /* bytes of an integer argument */
	unsigned base;
	bool upper;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct out *o, const char *s, const struct spec *f)
{
	int n = 0;
	if (!s)
		s = "(null)";
	while ((f->precision < 0 || n < f->precision) && s[n])
		n++;
	if (!f->left)
		pad(o, ' ', f->width - n);
	for (int i = 0; i < n; i++)
		put(o, s[i]);
	if (f->left)
		pad(o, ' ', f->width - n);
}

static int digits_of(char *tmp, uint64_t v, const struct spec *f)
{
	const char *set = f->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	int n = 0;
	while (v) {
		tmp[n++] = set[v % f->base];
		v /= f->base;
	}
	return n;
}

static void put_prefix(struct out *o, const char *prefix)
{
	while (*prefix)
		put(o, *prefix++);
}

static void put_number(struct out *o, uint64_t v, const char *sign, const struct spec *f)
{
	char tmp[24], prefix[4];
	int n = digits_of(tmp, v, f), p = 0;
	while (*sign)
		prefix[p++] = *sign++;
	if (f->alt && f->base == 16 && v) {
		prefix[p++] = '0';
		prefix[p++] = f->upper ? 'X' : 'x';
	}
	prefix[p] = 0;
	int zeros = (f->precision < 0 ? 1 : f->precision) - n;
	if (f->alt && f->base == 8 && zeros < 1)
		zeros = 1;
	if (zeros < 0)
		zeros = 0;
	if (f->zero && !f->left && f->precision < 0 && f->width > n + p + zeros)
		zeros = f->width - n - p;
	int fill = f->width - n - p - zeros;
	if (!f->left)
		pad(o, ' ', fill);
	put_prefix(o, prefix);
	pad(o, '0', zeros);
	while (n)
		put(o, tmp[--n]);
	if (f->left)
		pad(o, ' ', fill);
}

static void put_signed(struct out *o, int64_t v, const struct spec *f)
{
	const char *sign = v < 0 ? "-" : f->plus ? "+" : f->space ? " " : "";
	put_number(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, sign, f);
}

static const char *parse_flags(const char *s, struct spec *f)
{
	for (;; s++) {
		switch (*s) {
		case '-':
			f->left = true;
			break;
		case '0':
			f->zero = true;
			break;
		case '+':
			f->plus = true;
			break;
		case ' ':
			f->space = true;
			break;
		case '#':
			f->alt = true;
			break;
		default:
			return s;
		}
	}
}

static const char *parse_count(const char *s, int *ret)
{
	int n = 0;
	while (*s >= '0' && *s <= '9')
		n = n * 10 + (*s++ - '0');
	*ret = n;
	return s;
}

static const char *parse_size(const char *s, struct spec *f)
{
	f->size = sizeof(int);
	if (s[0] == 'h') {
		f->size = s[1] == 'h' ? 1 : 2;
		return s + (s[1] == 'h' ? 2 : 1);
	}
	if (*s == 'l' || *s == 'z' || *s == 't' || *s == 'j') {
		f->size = 8;
		return s + (s[0] == 'l' && s[1] == 'l' ? 2 : 1);
	}
	return s;
}

static int64_t narrow_signed(int64_t v, int size)
{
	return size == 1 ? (int8_t)v : size == 2 ? (int16_t)v : v;
}

static uint64_t narrow_unsigned(uint64_t v, int size)
{
	return size == 1 ? (uint8_t)v : size == 2 ? (uint16_t)v : v;
}

/* The argument list, boxed so that helpers advance the same one. */
struct args {
	va_list ap;
};

static void put_conversion(struct out *o, char c, struct spec *f, struct args *a)
{
	f->base = c == 'x' || c == 'X' || c == 'p' ? 16 : c == 'o' ? 8 : 10;
	f->upper = c == 'X';
	switch (c) {
	case 'd':
	case 'i':
		put_signed(o,
			   f->size == 8 ? va_arg(a->ap, int64_t)
					: narrow_signed(va_arg(a->ap, int), f->size),
			   f);
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		put_number(o,
			   f->size == 8
				   ? va_arg(a->ap, uint64_t)
				   : narrow_unsigned(va_arg(a->ap, unsigned), f->size),
			   "", f);
		break;
	case 'p':
		f->alt = true;
		put_number(o, (uintptr_t)va_arg(a->ap, void *), "", f);
		break;
	case 'c':
		put_text(o, (char[2]){ (char)va_arg(a->ap, int), 0 }, f);
		break;
	case 's':
		put_text(o, va_arg(a->ap, const char *), f);
		break;
	default: /* %% and what we do not know: as it stands */
		put(o, c);
	}
}

static const char *put_one(struct out *o, const char *s, struct args *a)
{
	struct spec f = { .precision = -1 };
	s = parse_flags(s, &f);
	if (*s == '*') {
		f.width = va_arg(a->ap, int);
		s++;
	} else {
		s = parse_count(s, &f.width);
	}
	if (f.width < 0) {
		f.left = true;
		f.width = -f.width;
	}
	if (*s == '.') {
		s++;
		if (*s == '*') {
			f.precision = va_arg(a->ap, int);
			s++;
		} else {
			s = parse_count(s, &f.precision);
		}
	}
	s = parse_size(s, &f);
	if (!*s)
		return s;
	put_conversion(o, *s, &f, a);
	return s + 1;
}

size_t fmt_va(char *buf, size_t n, const char *fmt, va_list ap)
{
	struct out o = { buf, n, 0 };
	struct args a;
	va_copy(a.ap, ap);
	while (*fmt) {
		if (*fmt == '%')
			fmt = put_one(&o, fmt + 1, &a);
		else
			put(&o, *fmt++);
	}
	va_end(a.ap);
	if (n)
		buf[MIN(o.len, n - 1)] = 0;
	return o.len;
}

size_t fmt_to(char *buf, size_t n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	size_t len = fmt_va(buf, n, fmt, ap);
	va_end(ap);
	return len;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static const char *skip_prefix(const char *s, unsigned *base)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit(s[2]) < 16;
	if (*base == 0)
		*base = hex ? 16 : s[0] == '0' ? 8 : 10;
	return hex && *base == 16 ? s + 2 : s;
}

int fmt_parse_u64(const char *s, unsigned base, uint64_t *ret, const char **ret_end)
{
	uint64_t v = 0;
	const char *first = s = skip_prefix(s, &base);
	for (; (unsigned)digit(*s) < base; s++) {
		uint64_t d = (uint64_t)digit(*s);
		if (v > (UINT64_MAX - d) / base)
			return -ERANGE;
		v = v * base + d;
	}
	if (s == first || (!ret_end && *s))
		return -EINVAL;
	*ret = v;
	if (ret_end)
		*ret_end = s;
	return 0;
}

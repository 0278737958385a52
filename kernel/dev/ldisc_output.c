/* The line discipline: output processing (OPOST) and the cursor's column. See ldisc.h. */
#include "dev/ldisc.h"

static size_t out_newline(struct ldisc *l, uint8_t *dst)
{
	if (l->t.c_oflag & ONLRET)
		l->column = 0;
	if (!(l->t.c_oflag & ONLCR)) {
		dst[0] = '\n';
		return 1;
	}
	l->column = 0;
	dst[0] = '\r';
	dst[1] = '\n';
	return 2;
}

static size_t out_return(struct ldisc *l, uint8_t *dst)
{
	if ((l->t.c_oflag & ONOCR) && !l->column)
		return 0;
	dst[0] = '\r';
	if (l->t.c_oflag & OCRNL) {
		dst[0] = '\n';
		if (!(l->t.c_oflag & ONLRET))
			return 1;
	}
	l->column = 0;
	return 1;
}

static size_t out_tab(struct ldisc *l, uint8_t *dst)
{
	size_t spaces = 8 - (l->column & 7);

	l->column += spaces;
	if ((l->t.c_oflag & TABDLY) != XTABS) {
		dst[0] = '\t';
		return 1;
	}
	for (size_t n = 0; n < spaces; n++)
		dst[n] = ' ';
	return spaces;
}

static size_t out_other(struct ldisc *l, uint8_t c, uint8_t *dst)
{
	bool continuation = (l->t.c_iflag & IUTF8) && (c & 0xc0) == 0x80;

	if (c == '\b') {
		if (l->column)
			l->column--;
	} else if (c >= 32 && c != 127 && !continuation) {
		if ((l->t.c_oflag & OLCUC) && c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		l->column++;
	}
	dst[0] = c;
	return 1;
}

static size_t out_byte(struct ldisc *l, uint8_t c, uint8_t *dst)
{
	switch (c) {
	case '\n':
		return out_newline(l, dst);
	case '\r':
		return out_return(l, dst);
	case '\t':
		return out_tab(l, dst);
	default:
		return out_other(l, c, dst);
	}
}

size_t ldisc_output(struct ldisc *l, const uint8_t *src, size_t n, uint8_t *dst,
		    size_t room, size_t *ret_used)
{
	size_t done = 0, filled = 0;

	for (; done < n && room - filled >= LDISC_EXPAND; done++) {
		if (l->t.c_oflag & OPOST)
			filled += out_byte(l, src[done], dst + filled);
		else
			dst[filled++] = src[done];
	}
	*ret_used = done;
	return filled;
}

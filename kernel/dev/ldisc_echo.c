/* The line discipline: echo and the editing of the line being typed. See ldisc.h. */
#include "dev/ldisc_internal.h"

static bool is_control(uint8_t c)
{
	return c < 32 || c == 127;
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_continuation(const struct ldisc *l, uint8_t c)
{
	return (l->t.c_iflag & IUTF8) && (c & 0xc0) == 0x80;
}

static uint8_t byte_at(const struct ldisc *l, uint32_t at)
{
	return l->buf[at % LDISC_SIZE];
}

/* ---- echo ---- */

void ldisc_echo_raw(struct ldisc *l, uint8_t c)
{
	uint8_t out[LDISC_EXPAND];
	size_t used, n = ldisc_output(l, &c, 1, out, sizeof out, &used);

	l->echo(l, out, n);
}

static void echo_text(struct ldisc *l, const char *s)
{
	while (*s)
		ldisc_echo_raw(l, *s++);
}

/* As it appears on the screen: ^X for control characters with ECHOCTL. */
static void echo_shown(struct ldisc *l, uint8_t c)
{
	if ((l->t.c_lflag & ECHOCTL) && is_control(c) && c != '\t') {
		ldisc_echo_raw(l, '^');
		c ^= 0100;
	}
	ldisc_echo_raw(l, c);
}

void ldisc_echo_typed(struct ldisc *l, uint8_t c)
{
	if (!(l->t.c_lflag & ECHO))
		return;
	ldisc_finish_erasing(l);
	if (c == '\n') {
		ldisc_echo_raw(l, c);
		return;
	}
	if (l->canon_head == l->head)
		l->canon_column = l->column;
	echo_shown(l, c);
}

void ldisc_echo_newline(struct ldisc *l)
{
	if (!(l->t.c_lflag & (ECHO | ECHONL)))
		return;
	ldisc_finish_erasing(l);
	ldisc_echo_raw(l, '\n');
}

/* ^ with the cursor on it, to show that something is awaited. */
void ldisc_echo_literal_mark(struct ldisc *l)
{
	if (!(l->t.c_lflag & ECHO))
		return;
	ldisc_finish_erasing(l);
	if (l->canon_head == l->head)
		l->canon_column = l->column;
	if (l->t.c_lflag & ECHOCTL)
		echo_text(l, "^\b");
}

void ldisc_finish_erasing(struct ldisc *l)
{
	if (!l->erasing)
		return;
	l->erasing = false;
	ldisc_echo_raw(l, '/');
}

void ldisc_reprint(struct ldisc *l, uint8_t c)
{
	ldisc_finish_erasing(l);
	echo_shown(l, c);
	ldisc_echo_raw(l, '\n');
	l->canon_column = l->column;
	for (uint32_t at = l->canon_head; at != l->head; at++)
		echo_shown(l, byte_at(l, at));
}

/* ---- erasing ---- */

/* Screen column after the bytes of the present line up to `end`. */
static uint32_t column_at(const struct ldisc *l, uint32_t end)
{
	uint32_t column = l->canon_column;

	for (uint32_t at = l->canon_head; at != end; at++) {
		uint8_t c = byte_at(l, at);

		if (c == '\t')
			column = (column | 7) + 1;
		else if (is_control(c))
			column += l->t.c_lflag & ECHOCTL ? 2 : 0;
		else if (!is_continuation(l, c))
			column++;
	}
	return column;
}

/* Makes the screen show that [l->head, old_head), one character, is gone. */
static void echo_erased(struct ldisc *l, uint32_t old_head, enum erase_what what)
{
	uint32_t columns;

	if (l->t.c_lflag & ECHOPRT) {
		if (!l->erasing)
			ldisc_echo_raw(l, '\\');
		l->erasing = true;
		for (uint32_t at = l->head; at != old_head; at++)
			echo_shown(l, byte_at(l, at));
		return;
	}
	if (what == ERASE_CHAR && !(l->t.c_lflag & ECHOE)) {
		echo_shown(l, l->t.c_cc[VERASE]);
		return;
	}
	columns = column_at(l, old_head) - column_at(l, l->head);
	while (columns--)
		echo_text(l, byte_at(l, l->head) == '\t' ? "\b" : "\b \b");
}

/* Takes the last character (with all its bytes in UTF-8) off the line. */
static void erase_one(struct ldisc *l, enum erase_what what)
{
	uint32_t old_head = l->head;

	do
		l->head--;
	while (l->head != l->canon_head && is_continuation(l, byte_at(l, l->head)));
	if (l->t.c_lflag & ECHO)
		echo_erased(l, old_head, what);
}

static void erase_word(struct ldisc *l)
{
	bool in_word = false;

	while (l->head != l->canon_head) {
		bool word = is_word(byte_at(l, l->head - 1));

		if (in_word && !word)
			return;
		in_word = word;
		erase_one(l, ERASE_WORD);
	}
}

static void erase_line(struct ldisc *l)
{
	uint32_t flags = l->t.c_lflag, visual = ECHOK | ECHOKE | ECHOE;

	if ((flags & ECHO) && (flags & visual) == visual) {
		while (l->head != l->canon_head)
			erase_one(l, ERASE_LINE);
		return;
	}
	l->head = l->canon_head;
	if (!(flags & ECHO))
		return;
	ldisc_finish_erasing(l);
	echo_shown(l, l->t.c_cc[VKILL]);
	if (flags & ECHOK)
		ldisc_echo_raw(l, '\n');
}

void ldisc_erase(struct ldisc *l, enum erase_what what)
{
	if (l->head == l->canon_head)
		return;
	if (what == ERASE_CHAR)
		erase_one(l, what);
	else if (what == ERASE_WORD)
		erase_word(l);
	else
		erase_line(l);
	if (l->head == l->canon_head && (l->t.c_lflag & ECHO))
		ldisc_finish_erasing(l);
}

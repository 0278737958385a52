/* The line discipline: input queue and processing of input. See ldisc.h; echo and erasing
 * are in ldisc_echo.c, output processing in ldisc_output.c. */
#include "dev/ldisc.h"

#include "dev/ldisc_internal.h"
#include "lib/string.h"

/* ---- settings ---- */

void ldisc_default_termios(struct ktermios *t)
{
	static const uint8_t cc[NCCS] = {
		[VINTR] = 'C' & 31,    [VQUIT] = '\\' & 31,   [VERASE] = 127,
		[VKILL] = 'U' & 31,    [VEOF] = 'D' & 31,     [VMIN] = 1,
		[VSTART] = 'Q' & 31,   [VSTOP] = 'S' & 31,    [VSUSP] = 'Z' & 31,
		[VREPRINT] = 'R' & 31, [VDISCARD] = 'O' & 31, [VWERASE] = 'W' & 31,
		[VLNEXT] = 'V' & 31,
	};

	*t = (struct ktermios){
		.c_iflag = ICRNL | IXON,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = B38400 | CS8 | CREAD,
		.c_lflag =
			ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		.c_ispeed = 38400,
		.c_ospeed = 38400,
	};
	memcpy(t->c_cc, cc, sizeof cc);
}

void ldisc_init(struct ldisc *l, uint8_t *buf)
{
	memset(l, 0, sizeof *l);
	l->buf = buf;
	ldisc_default_termios(&l->t);
}

void ldisc_set_termios(struct ldisc *l, const struct ktermios *t)
{
	bool was = ldisc_canonical(l);

	/* Without IXON nobody could start it again. */
	if ((l->t.c_iflag & ~t->c_iflag & IXON) && !l->off)
		l->stopped = false;
	l->t = *t;
	l->literal = false;
	l->erasing = false;
	if (was == ldisc_canonical(l))
		return;
	memset(l->marks, 0, sizeof l->marks);
	/* What was typed in the old mode is readable in the new one. */
	l->canon_head = l->head;
	if (!was && l->head != l->tail)
		ldisc_mark(l, l->head - 1);
}

/* ---- the queue ---- */

void ldisc_flush_input(struct ldisc *l)
{
	memset(l->marks, 0, sizeof l->marks);
	l->tail = l->canon_head = l->head;
	l->literal = false;
	l->erasing = false;
}

static uint32_t used(const struct ldisc *l)
{
	return l->head - l->tail;
}

size_t ldisc_room(const struct ldisc *l)
{
	/* One slot stays for the byte that ends a line. */
	uint32_t room = used(l) < LDISC_SIZE - 1 ? LDISC_SIZE - 1 - used(l) : 0;

	if (!room && ldisc_canonical(l) && l->canon_head == l->tail)
		return 1;
	return room;
}

/* Stores a byte, or rings the bell (IMAXBEL) and drops it. */
static void put(struct ldisc *l, uint8_t c, bool ends_line)
{
	if (used(l) >= LDISC_SIZE - !ends_line) {
		if (l->t.c_iflag & IMAXBEL)
			ldisc_echo_raw(l, '\a');
		return;
	}
	l->buf[l->head % LDISC_SIZE] = c;
	l->marks[l->head % LDISC_SIZE / 64] &= ~BIT(l->head % 64);
	if (ends_line)
		ldisc_mark(l, l->head);
	l->head++;
	if (ends_line)
		l->canon_head = l->head;
}

/* ---- special characters ---- */

/* A setting of 0 (_POSIX_VDISABLE) matches nothing. */
static bool is_cc(const struct ldisc *l, uint8_t c, int which)
{
	return c && c == l->t.c_cc[which];
}

/* ^S and ^Q. True: c was one and is used up. */
static bool input_flow(struct ldisc *l, uint8_t c, uint32_t *events)
{
	bool start = is_cc(l, c, VSTART), stop = is_cc(l, c, VSTOP);

	if (!(l->t.c_iflag & IXON))
		return false;
	if (l->stopped && !l->off && (start || (!stop && (l->t.c_iflag & IXANY)))) {
		l->stopped = false;
		*events |= LDISC_START;
		return start;
	}
	if (stop && !l->stopped) {
		l->stopped = true;
		*events |= LDISC_STOP;
	}
	return start || stop;
}

static bool input_signal(struct ldisc *l, uint8_t c, uint32_t *events)
{
	uint32_t ev = is_cc(l, c, VINTR)   ? LDISC_INTR
		      : is_cc(l, c, VQUIT) ? LDISC_QUIT
		      : is_cc(l, c, VSUSP) ? LDISC_SUSP
					   : 0;

	if (!ev || !(l->t.c_lflag & ISIG))
		return false;
	if (!(l->t.c_lflag & NOFLSH)) {
		ldisc_flush_input(l);
		l->drop_output(l);
	}
	if (l->stopped && !l->off && (l->t.c_iflag & IXON)) {
		l->stopped = false;
		ev |= LDISC_START;
	}
	*events |= ev;
	return true;
}

/* CR and NL translation. False: the byte is ignored. */
static bool input_newline(const struct ldisc *l, uint8_t *c)
{
	if (*c == '\r') {
		if (l->t.c_iflag & IGNCR)
			return false;
		if (l->t.c_iflag & ICRNL)
			*c = '\n';
	} else if (*c == '\n' && (l->t.c_iflag & INLCR)) {
		*c = '\r';
	}
	return true;
}

static bool input_edit(struct ldisc *l, uint8_t c)
{
	bool extended = l->t.c_lflag & IEXTEN;

	if (is_cc(l, c, VERASE) || is_cc(l, c, VKILL) ||
	    (extended && is_cc(l, c, VWERASE))) {
		ldisc_erase(l, is_cc(l, c, VERASE)  ? ERASE_CHAR
			       : is_cc(l, c, VKILL) ? ERASE_LINE
						    : ERASE_WORD);
		return true;
	}
	if (extended && is_cc(l, c, VLNEXT)) {
		l->literal = true;
		ldisc_echo_literal_mark(l);
		return true;
	}
	if (extended && is_cc(l, c, VREPRINT) && (l->t.c_lflag & ECHO)) {
		ldisc_reprint(l, c);
		return true;
	}
	return false;
}

/* Ends of lines. True: c was one. */
static bool input_line_end(struct ldisc *l, uint8_t c, uint32_t *events)
{
	bool extended = l->t.c_lflag & IEXTEN;

	if (c == '\n') {
		ldisc_echo_newline(l);
		put(l, c, true);
	} else if (is_cc(l, c, VEOF)) {
		ldisc_finish_erasing(l);
		put(l, 0, true);
	} else if (is_cc(l, c, VEOL) || (extended && is_cc(l, c, VEOL2))) {
		ldisc_echo_typed(l, c);
		put(l, c, true);
	} else {
		return false;
	}
	*events |= LDISC_INPUT;
	return true;
}

static void input_plain(struct ldisc *l, uint8_t c, uint32_t *events)
{
	ldisc_echo_typed(l, c);
	/* PARMRK: a real 0xff is told from a marker by being doubled. */
	if (c == 0xff && (l->t.c_iflag & PARMRK))
		put(l, c, false);
	put(l, c, false);
	if (!ldisc_canonical(l)) {
		l->canon_head = l->head;
		*events |= LDISC_INPUT;
	}
}

uint32_t ldisc_input(struct ldisc *l, uint8_t c)
{
	uint32_t events = 0;

	if (l->t.c_iflag & ISTRIP)
		c &= 0x7f;
	if (l->literal) {
		l->literal = false;
		input_plain(l, c, &events);
		return events;
	}
	if ((l->t.c_iflag & IUCLC) && (l->t.c_lflag & IEXTEN) && c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	if (l->t.c_lflag & EXTPROC) {
		input_plain(l, c, &events);
		return events;
	}
	if (input_flow(l, c, &events))
		return events;
	if (input_signal(l, c, &events)) {
		ldisc_echo_typed(l, c);
		return events;
	}
	if (!input_newline(l, &c))
		return events;
	if (ldisc_canonical(l) && (input_edit(l, c) || input_line_end(l, c, &events)))
		return events;
	input_plain(l, c, &events);
	return events;
}

/* ---- reading ---- */

bool ldisc_readable(const struct ldisc *l, uint32_t min)
{
	if (ldisc_canonical(l) && !(l->t.c_lflag & EXTPROC))
		return l->canon_head != l->tail;
	return used(l) >= min && used(l);
}

static bool is_eof_mark(const struct ldisc *l, uint32_t at)
{
	return ldisc_marked(l, at) && !l->buf[at % LDISC_SIZE];
}

static size_t read_line(struct ldisc *l, uint8_t *dst, size_t n, bool *ret_line_done)
{
	size_t done = 0;

	while (l->tail != l->canon_head) {
		uint32_t at = l->tail;

		if (is_eof_mark(l, at)) {
			l->tail++;
			*ret_line_done = true;
			break;
		}
		/* An end-of-file mark right behind a full buffer was taken above: it must
		 * not turn into a read of 0 bytes later. */
		if (done == n)
			break;
		dst[done++] = l->buf[at % LDISC_SIZE];
		l->tail++;
		if (ldisc_marked(l, at)) {
			*ret_line_done = true;
			break;
		}
	}
	return done;
}

size_t ldisc_read(struct ldisc *l, uint8_t *dst, size_t n, bool *ret_line_done)
{
	size_t done = 0;

	*ret_line_done = false;
	if (ldisc_canonical(l) && !(l->t.c_lflag & EXTPROC))
		return read_line(l, dst, n, ret_line_done);
	while (done < n && l->tail != l->head)
		dst[done++] = l->buf[l->tail++ % LDISC_SIZE];
	l->canon_head = l->head;
	return done;
}

size_t ldisc_pending(const struct ldisc *l)
{
	size_t n = 0;

	if (!ldisc_canonical(l))
		return used(l);
	for (uint32_t at = l->tail; at != l->canon_head; at++)
		n += !is_eof_mark(l, at);
	return n;
}

/*
 * The line discipline: what termios(3) says happens between a keyboard and a program.
 * Pure: no locks, no sleeping, no signals. Input goes in byte by byte; what is echoed,
 * and what is to be done about it (signal, flow), comes out.
 *
 * Always true:
 *  L1  tail <= canon_head <= head <= tail + LDISC_SIZE (as free-running counters);
 *  L2  in canonical mode [tail, canon_head) holds complete lines, each ended by a marked
 *      byte; a marked NUL stands for the end-of-file character and is never read;
 *  L3  a byte past canon_head can still be erased, one before it cannot.
 */
#ifndef DEV_LDISC_H
#define DEV_LDISC_H

#include <asm/termbits.h>

#include "lib/base.h"

#define LDISC_SIZE 4096u
#define LDISC_EXPAND 8 /* one byte of output becomes at most this many */

/* What an input byte asks for, beside being stored. */
enum ldisc_event {
	LDISC_INTR = 1,	  /* SIGINT to the foreground group */
	LDISC_QUIT = 2,	  /* SIGQUIT */
	LDISC_SUSP = 4,	  /* SIGTSTP */
	LDISC_STOP = 8,	  /* output stopped (^S) */
	LDISC_START = 16, /* output goes on */
	LDISC_INPUT = 32, /* there may be more to read */
};

struct ldisc {
	struct ktermios t;
	uint8_t *buf;			 /* [I] LDISC_SIZE bytes, the owner's */
	uint64_t marks[LDISC_SIZE / 64]; /* ends of lines */
	uint32_t tail, canon_head, head;
	uint32_t column;       /* of the cursor, for tabs and erasing */
	uint32_t canon_column; /* where the present line began */
	bool literal;	       /* the next byte is taken as it is (VLNEXT) */
	bool erasing;	       /* within \…/ of ECHOPRT */
	bool stopped;	       /* output, by VSTOP or TCOOFF */
	bool off;	       /* by TCOOFF: only TCOON undoes it. Then stopped, too */
	/* Takes echoed bytes, already processed for output; may drop them. */
	void (*echo)(struct ldisc *l, const uint8_t *s, size_t n);
	/* Drops output that is still on its way: a signal character without NOFLSH. */
	void (*drop_output)(struct ldisc *l);
};

/* The caller then sets ->echo and ->drop_output. */
void ldisc_init(struct ldisc *l, uint8_t *buf);
/* Linux's settings of a new terminal. */
void ldisc_default_termios(struct ktermios *t);
/* New settings; pending input stays readable when the mode changes. */
void ldisc_set_termios(struct ldisc *l, const struct ktermios *t);

/* One byte from the keyboard; enum ldisc_event bits. */
uint32_t ldisc_input(struct ldisc *l, uint8_t c);
/* Bytes that can be put in before some would be lost. In canonical mode an unfinished
 * line that is too long loses bytes and does not stop the sender: only its reader could
 * free room. */
size_t ldisc_room(const struct ldisc *l);
void ldisc_flush_input(struct ldisc *l);

/* Can a read that wants `min` bytes in raw mode, or a line in canonical mode, go on? */
bool ldisc_readable(const struct ldisc *l, uint32_t min);
/* Takes bytes out: raw what there is, canonical at most one line. *ret_line_done: a whole
 * line (or end-of-file mark) was taken, so the read is complete. */
size_t ldisc_read(struct ldisc *l, uint8_t *dst, size_t n, bool *ret_line_done);
/* FIONREAD: bytes that reads would return now. */
size_t ldisc_pending(const struct ldisc *l);

/* Output processing (OPOST). Bytes of dst filled; *ret_used: bytes of src done. Stops
 * when less than LDISC_EXPAND bytes of dst are left. */
size_t ldisc_output(struct ldisc *l, const uint8_t *src, size_t n, uint8_t *dst,
		    size_t room, size_t *ret_used);

static inline bool ldisc_canonical(const struct ldisc *l)
{
	return l->t.c_lflag & ICANON;
}

#endif

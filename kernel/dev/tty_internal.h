/*
 * Between the files of the terminal layer.
 *
 * Always true:
 *  Y1  t->lock guards the line discipline, the output ring and who the terminal belongs
 *      to; it is never held while signals are sent, queues are woken or user memory is
 *      touched;
 *  Y2  a handle whose generation is not the terminal's is dead: reads end, all else
 *      fails;
 *  Y3  out_tail <= out_end <= out_head <= out_tail + TTY_OUT_SIZE; programs leave the
 *      last TTY_ECHO_RESERVE bytes of the ring to echo;
 *  Y4  [out_end, out_head) is echo of what was typed while output was stopped. It goes
 *      out with what a program writes or somebody types once it is not.
 */
#ifndef DEV_TTY_INTERNAL_H
#define DEV_TTY_INTERNAL_H

#include <asm/termios.h>

#include "core/ref.h"
#include "dev/ldisc.h"
#include "dev/tty.h"
#include "mm/slab.h"

#define TTY_OUT_SIZE 8192u
#define TTY_ECHO_RESERVE 256u
#define TTY_CHUNK 256u

struct tty_driver {
	/* There are bytes in the output ring (or there may be). */
	void (*start)(struct tty *t);
	/* There is room for input again. */
	void (*unthrottle)(struct tty *t);
	/* Is it possible to open it now? 0 or -EIO. NULL: yes. */
	int (*may_open)(struct tty *t);
	/* Number of open handles went from 0 to 1 or back; NULL: not told. */
	void (*opened)(struct tty *t, bool open);
	/* Output flow or a flush, for packet mode: TIOCPKT_* bits. NULL: not told. */
	void (*status)(struct tty *t, uint32_t bits);
	void (*free)(struct tty *t); /* the last reference is gone */
	bool pty;
};

struct tty {
	struct ref refs;
	const struct tty_driver *driver; /* [I] */
	uint32_t dev;			 /* [I] device number, Linux's encoding */

	struct spinlock lock; /* RANK_OBJECT */
	/* guarded by lock */
	struct ldisc ld;
	struct termios kept; /* set bits, and characters not 0, cannot be changed */
	uint32_t out_head, out_end, out_tail;
	struct winsize winsize;
	int32_t pgrp, session; /* 0: none */
	uint32_t opens;
	bool exclusive, throttled; /* throttled: VSTOP was sent for IXOFF */
	_Atomic uint32_t gen;

	uint8_t *in, *out;	 /* [I] the rings' memory */
	struct mutex write_lock; /* RANK_TTY: one write(2) at a time */
	struct waitq read_wait, write_wait;
	struct async_set async; /* about input */
};

struct tty_handle {
	struct tty *tty; /* [I] referenced */
	uint32_t gen;	 /* [I] */
};

must_use int tty_init(struct tty *t, const struct tty_driver *d, uint32_t dev);
void tty_fini(struct tty *t); /* frees the rings */

static inline bool tty_dead(const struct tty_handle *h)
{
	return h->gen != h->tty->gen;
}

static inline uint32_t tty_out_used(const struct tty *t)
{
	return t->out_head - t->out_tail;
}

/* Bytes that the other side may have now. Lock held. */
static inline uint32_t tty_out_ready(const struct tty *t)
{
	return t->out_end - t->out_tail;
}

/* What was held may go. Lock held. */
static inline void tty_out_release(struct tty *t)
{
	if (!t->ld.stopped)
		t->out_end = t->out_head;
}

/* Drops what is on its way, but not what is held. Lock held. */
static inline void tty_out_drop(struct tty *t)
{
	t->out_tail = t->out_end;
}

/* Tells the other side to stop or go on, ahead of what is held. Lock held. */
void tty_send_flow(struct tty *t, uint8_t c);

/* ---- for drivers ---- */

/* Bytes from the keyboard, as many as there is room for; how many were taken. */
size_t tty_feed(struct tty *t, const uint8_t *s, size_t n);
/* Takes bytes out of the output ring and wakes writers. */
size_t tty_drain(struct tty *t, uint8_t *dst, size_t n);
size_t tty_feed_room(struct tty *t);
void tty_wake_writers(struct tty *t);

/* ---- tty_job.c ---- */

/* May the running process read (SIGTTIN) or change (SIGTTOU) its terminal now? 0, -EIO,
 * or
 * -ERESTARTSYS after its group was sent the signal. */
must_use int tty_job_check(struct tty *t, int sig);
bool tty_is_current(const struct tty *t);
void tty_signal_foreground(struct tty *t, int sig);
/* open(2) by a session leader without a terminal. */
void tty_acquire_if_free(struct tty *t);
must_use int64_t tty_job_ioctl(struct tty *t, uint32_t cmd, uaddr_t arg);
/* TIOCGPGRP and TIOCGSID as a pty's master may ask them: without having it as its own. */
must_use int64_t tty_owner_ioctl(struct tty *t, uint32_t cmd, uaddr_t arg);

/* ---- tty_termios.c, and what a pty's master shares: tty_ioctl.c ---- */

must_use int64_t tty_termios_ioctl(struct tty *t, uint32_t cmd, uaddr_t arg);
must_use int64_t tty_winsize_ioctl(struct tty *t, uint32_t cmd, uaddr_t arg);
must_use int64_t tty_flush_ioctl(struct tty *t, uint64_t which, bool from_master);

/* Packet mode's word for a flush or flow change. */
static inline void tty_status(struct tty *t, uint32_t bits)
{
	if (t->driver->status)
		t->driver->status(t, bits);
}

#endif

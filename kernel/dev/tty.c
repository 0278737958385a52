/* Terminals: lifetime, opening, hanging up, and the way of bytes through them. Reading
 * and writing by programs is in tty_io.c. See tty_internal.h. */
#include "dev/tty_internal.h"

#include <asm/poll.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/capability.h>

#include "lib/string.h"
#include "sec/cred.h"

struct tty_job_ops tty_job_ops;

/* ---- lifetime ---- */

static void echo_out(struct ldisc *l, const uint8_t *s, size_t n)
{
	struct tty *t = container_of(l, struct tty, ld);

	if (TTY_OUT_SIZE - tty_out_used(t) < n)
		return; /* nobody reads what is echoed: as good as a torn cable */
	while (n--)
		t->out[t->out_head++ % TTY_OUT_SIZE] = *s++;
	tty_out_release(t);
}

static void drop_out(struct ldisc *l)
{
	struct tty *t = container_of(l, struct tty, ld);

	t->out_tail = t->out_end = t->out_head;
}

void tty_send_flow(struct tty *t, uint8_t c)
{
	if (tty_out_used(t) == TTY_OUT_SIZE)
		return;
	for (uint32_t i = t->out_head++; i != t->out_end; i--)
		t->out[i % TTY_OUT_SIZE] = t->out[(i - 1) % TTY_OUT_SIZE];
	t->out[t->out_end++ % TTY_OUT_SIZE] = c;
}

int tty_init(struct tty *t, const struct tty_driver *d, uint32_t dev)
{
	memset(t, 0, sizeof *t);
	t->in = heap_alloc(LDISC_SIZE);
	t->out = heap_alloc(TTY_OUT_SIZE);
	if (!t->in || !t->out) {
		tty_fini(t);
		return -ENOMEM;
	}
	ref_init(&t->refs, 1);
	t->driver = d;
	t->dev = dev;
	spin_init(&t->lock, RANK_OBJECT);
	ldisc_init(&t->ld, t->in);
	t->ld.echo = echo_out;
	t->ld.drop_output = drop_out;
	mutex_init(&t->write_lock, RANK_TTY);
	waitq_init(&t->read_wait);
	async_init(&t->async);
	waitq_init(&t->write_wait);
	return 0;
}

void tty_fini(struct tty *t)
{
	heap_free(t->in);
	heap_free(t->out);
}

struct tty *tty_get(struct tty *t)
{
	ref_get(&t->refs);
	return t;
}

void tty_put(struct tty *t)
{
	if (ref_put(&t->refs))
		t->driver->free(t);
}

uint32_t tty_device_number(const struct tty *t)
{
	return t->dev;
}

/* ---- open and close ---- */

static int may_open(struct tty *t)
{
	if (t->exclusive && t->opens &&
	    !cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
		return -EBUSY;
	return t->driver->may_open ? t->driver->may_open(t) : 0;
}

int tty_open(struct tty *t, struct tty_open_how how, struct tty_handle **ret)
{
	struct tty_handle *h = heap_alloc(sizeof *h);
	bool first = false;
	int err;

	if (!h)
		return -ENOMEM;
	spin_lock(&t->lock);
	err = may_open(t);
	if (!err) {
		first = !t->opens++;
		*h = (struct tty_handle){ .tty = t, .gen = t->gen };
	}
	spin_unlock(&t->lock);
	if (err) {
		heap_free(h);
		return err;
	}
	if (first && t->driver->opened)
		t->driver->opened(t, true);
	if (!how.noctty && how.may_read)
		tty_acquire_if_free(t);
	*ret = h;
	return 0;
}

void tty_close(struct tty_handle *h)
{
	struct tty *t = h->tty;
	bool last;

	spin_lock(&t->lock);
	last = !--t->opens;
	if (last)
		t->exclusive = false;
	spin_unlock(&t->lock);
	if (last && t->driver->opened)
		t->driver->opened(t, false);
	heap_free(h);
	tty_put(t);
}

void tty_hangup(struct tty *t)
{
	int32_t session;

	spin_lock(&t->lock);
	t->gen++;
	session = t->session;
	t->session = t->pgrp = 0;
	t->exclusive = t->throttled = false;
	ldisc_flush_input(&t->ld);
	ldisc_default_termios(&t->ld.t);
	t->ld.stopped = t->ld.off = false;
	tty_out_release(t);
	spin_unlock(&t->lock);
	wake_poll(&t->read_wait, UINT32_MAX);
	wake_poll(&t->write_wait, UINT32_MAX);
	if (session)
		tty_job_ops.hangup_session(session);
}

/* ---- bytes from the keyboard ---- */

/* IXOFF: asks the sender to pause when the input queue is nearly full. Lock held. */
static void throttle(struct tty *t)
{
	if (!(t->ld.t.c_iflag & IXOFF) || t->throttled ||
	    ldisc_room(&t->ld) > LDISC_SIZE / 4)
		return;
	t->throttled = true;
	tty_send_flow(t, t->ld.t.c_cc[VSTOP]);
}

static void feed_events(struct tty *t, uint32_t events)
{
	static const struct {
		uint32_t event;
		int sig;
	} signals[] = { { LDISC_INTR, SIGINT },
			{ LDISC_QUIT, SIGQUIT },
			{ LDISC_SUSP, SIGTSTP } };

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		if (!(events & signals[i].event))
			continue;
		/* Without NOFLSH the queues are empty now. */
		tty_status(t, TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
		t->driver->unthrottle(t);
		tty_wake_writers(t);
		tty_signal_foreground(t, signals[i].sig);
	}
	if (events & LDISC_STOP)
		tty_status(t, TIOCPKT_STOP);
	if (events & LDISC_START) {
		tty_status(t, TIOCPKT_START);
		tty_wake_writers(t);
	}
	if (events & LDISC_INPUT) {
		wake_poll(&t->read_wait, POLLIN | POLLRDNORM);
		async_tell(&t->async, POLL_IN);
	}
}

size_t tty_feed(struct tty *t, const uint8_t *s, size_t n)
{
	uint32_t events = 0;
	size_t done = 0;
	bool output;

	spin_lock(&t->lock);
	while (done < n && ldisc_room(&t->ld))
		events |= ldisc_input(&t->ld, s[done++]);
	tty_out_release(t);
	throttle(t);
	output = tty_out_ready(t);
	spin_unlock(&t->lock);
	feed_events(t, events);
	if (output)
		t->driver->start(t);
	return done;
}

size_t tty_feed_room(struct tty *t)
{
	size_t room;

	spin_lock(&t->lock);
	room = ldisc_room(&t->ld);
	spin_unlock(&t->lock);
	return room;
}

/* ---- bytes to the screen ---- */

void tty_wake_writers(struct tty *t)
{
	wake_poll(&t->write_wait, POLLOUT | POLLWRNORM);
}

size_t tty_drain(struct tty *t, uint8_t *dst, size_t n)
{
	size_t done = 0;
	bool was_full;

	spin_lock(&t->lock);
	was_full = TTY_OUT_SIZE - tty_out_used(t) <= TTY_ECHO_RESERVE + LDISC_EXPAND;
	while (done < n && tty_out_ready(t))
		dst[done++] = t->out[t->out_tail++ % TTY_OUT_SIZE];
	spin_unlock(&t->lock);
	if (was_full && done)
		tty_wake_writers(t);
	return done;
}

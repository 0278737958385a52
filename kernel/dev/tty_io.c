/* Terminals: read(2), write(2) and poll(2) by programs. See tty_internal.h. */
#include <asm/poll.h>
#include <asm/signal.h>

#include "dev/tty_internal.h"

#define DECISECOND (NSEC_PER_SEC / 10)

/* ---- reading ---- */

/* How a read waits, by VMIN and VTIME (termios(3), the four cases). */
struct read_plan {
	uint32_t min;	  /* bytes that end the wait; a line counts as enough */
	uint64_t first;	  /* ns to wait for the first byte, NO_DEADLINE: forever */
	uint64_t between; /* ns to wait for a further one */
};

static struct read_plan plan_read(struct tty *t, size_t n)
{
	struct read_plan p = { .min = 1, .first = NO_DEADLINE, .between = NO_DEADLINE };
	uint64_t time;

	spin_lock(&t->lock);
	if (!ldisc_canonical(&t->ld)) {
		time = t->ld.t.c_cc[VTIME] * DECISECOND;
		p.min = MIN(n, t->ld.t.c_cc[VMIN]);
		if (!p.min)
			p.first = time;
		else if (time)
			p.between = time;
	}
	spin_unlock(&t->lock);
	return p;
}

static bool readable(struct tty *t)
{
	bool yes;

	spin_lock(&t->lock);
	yes = ldisc_readable(&t->ld, 1);
	spin_unlock(&t->lock);
	return yes;
}

/* IXOFF: there is room again. Lock held. True: VSTART is in the output ring. */
static bool resume_sender(struct tty *t)
{
	if (!t->throttled || ldisc_room(&t->ld) < LDISC_SIZE / 2)
		return false;
	t->throttled = false;
	tty_send_flow(t, t->ld.t.c_cc[VSTART]);
	return true;
}

/* Moves what can be read now. Bytes, or -EFAULT; *ret_line: a line ended. */
static int64_t take_input(struct tty *t, struct uio *u, bool *ret_line)
{
	uint8_t chunk[TTY_CHUNK];
	int64_t done = 0;
	size_t n;
	bool output;

	*ret_line = false;
	do {
		spin_lock(&t->lock);
		n = ldisc_read(&t->ld, chunk, MIN(u->left, sizeof chunk), ret_line);
		output = resume_sender(t);
		spin_unlock(&t->lock);
		if (output)
			t->driver->start(t);
		if (n && uio_write(u, chunk, n) != (int64_t)n)
			return done ? done : -EFAULT;
		done += n;
	} while (n && u->left && !*ret_line);
	if (done || *ret_line)
		t->driver->unthrottle(t);
	return done;
}

static uint64_t deadline_after(uint64_t ns)
{
	return ns == NO_DEADLINE ? NO_DEADLINE : clock_mono() + ns;
}

int64_t tty_read(struct tty_handle *h, struct uio *u, bool nonblock)
{
	struct tty *t = h->tty;
	struct read_plan plan;
	int64_t done = 0, got;
	uint64_t deadline;
	int err;

	if (!u->left || tty_dead(h))
		return 0;
	err = tty_job_check(t, SIGTTIN);
	if (err)
		return err;
	plan = plan_read(t, u->left);
	deadline = deadline_after(plan.first);
	for (;;) {
		bool line;

		got = take_input(t, u, &line);
		if (got < 0)
			return done ? done : got;
		done += got;
		if (line || (done && done >= plan.min) || !u->left || tty_dead(h))
			return done;
		if (nonblock && plan.first)
			return done ? done : -EAGAIN;
		if (got)
			deadline = deadline_after(plan.between);
		err = wait_event_intr_deadline(&t->read_wait, readable(t) || tty_dead(h),
					       deadline);
		if (err == -ETIMEDOUT)
			return done;
		if (err)
			return done ? done : err;
	}
}

/* ---- writing ---- */

static bool out_has_room(const struct tty *t)
{
	return !t->ld.stopped &&
	       TTY_OUT_SIZE - tty_out_used(t) > TTY_ECHO_RESERVE + LDISC_EXPAND;
}

static bool writable(struct tty *t)
{
	bool yes;

	spin_lock(&t->lock);
	yes = out_has_room(t);
	spin_unlock(&t->lock);
	return yes;
}

/* Processes bytes into the ring as far as there is room; how many. */
static size_t put_output(struct tty *t, const uint8_t *s, size_t n)
{
	uint8_t text[TTY_CHUNK];
	size_t done = 0;

	spin_lock(&t->lock);
	while (done < n && out_has_room(t)) {
		size_t room = TTY_OUT_SIZE - tty_out_used(t) - TTY_ECHO_RESERVE, used;
		size_t len = ldisc_output(&t->ld, s + done, n - done, text,
					  MIN(room, sizeof text), &used);

		for (size_t i = 0; i < len; i++)
			t->out[t->out_head++ % TTY_OUT_SIZE] = text[i];
		done += used;
	}
	tty_out_release(t);
	spin_unlock(&t->lock);
	return done;
}

/* All n bytes, sleeping for room. Count or -errno when none. */
static int64_t write_chunk(struct tty_handle *h, const uint8_t *s, size_t n,
			   bool nonblock)
{
	struct tty *t = h->tty;
	size_t done = 0;
	int err = 0;

	while (done < n && !err) {
		size_t put;

		if (tty_dead(h)) {
			err = -EIO;
			break;
		}
		put = put_output(t, s + done, n - done);
		done += put;
		if (put)
			t->driver->start(t);
		else if (nonblock)
			err = -EAGAIN;
		else
			err = wait_event_intr(&t->write_wait, writable(t) || tty_dead(h));
	}
	return done ? (int64_t)done : err;
}

static int64_t write_all(struct tty_handle *h, struct uio *u, bool nonblock)
{
	uint8_t chunk[TTY_CHUNK];
	int64_t done = 0;

	while (u->left) {
		size_t n = MIN(u->left, sizeof chunk);
		int64_t got;

		if (uio_read(u, chunk, n) != (int64_t)n)
			return done ? done : -EFAULT;
		got = write_chunk(h, chunk, n, nonblock);
		if (got < 0)
			return done ? done : got;
		done += got;
		if (got < (int64_t)n)
			break;
	}
	return done;
}

int64_t tty_write(struct tty_handle *h, struct uio *u, bool nonblock)
{
	struct tty *t = h->tty;
	int64_t done;
	int err;

	if (tty_dead(h))
		return -EIO;
	if (t->ld.t.c_lflag & TOSTOP) {
		err = tty_job_check(t, SIGTTOU);
		if (err)
			return err;
	}
	if (!mutex_trylock(&t->write_lock)) {
		if (nonblock)
			return -EAGAIN;
		err = mutex_lock_intr(&t->write_lock);
		if (err)
			return err;
	}
	done = write_all(h, u, nonblock);
	mutex_unlock(&t->write_lock);
	return done;
}

/* ---- polling ---- */

uint32_t tty_poll(struct tty_handle *h)
{
	struct tty *t = h->tty;
	uint32_t events = 0, min = 1;

	if (tty_dead(h))
		return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
	spin_lock(&t->lock);
	if (!ldisc_canonical(&t->ld) && !t->ld.t.c_cc[VTIME] && t->ld.t.c_cc[VMIN])
		min = t->ld.t.c_cc[VMIN];
	if (ldisc_readable(&t->ld, min))
		events |= POLLIN | POLLRDNORM;
	if (out_has_room(t))
		events |= POLLOUT | POLLWRNORM;
	spin_unlock(&t->lock);
	return events;
}

struct waitq *tty_read_queue(struct tty_handle *h)
{
	return &h->tty->read_wait;
}

struct async_set *tty_async(struct tty_handle *h, int32_t *ret_pgrp)
{
	*ret_pgrp = tty_dead(h) ? 0 : tty_foreground_pgrp(h->tty);
	return &h->tty->async;
}

struct waitq *tty_write_queue(struct tty_handle *h)
{
	return &h->tty->write_wait;
}

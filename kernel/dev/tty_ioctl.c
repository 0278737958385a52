/* Terminals: the other ioctls (ioctl_tty(2)). See tty_internal.h. */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/tty.h>

#include "dev/tty_internal.h"
#include "lib/string.h"

int64_t tty_winsize_ioctl(struct tty *t, uint32_t cmd, uaddr_t arg)
{
	struct winsize w;
	bool changed;

	if (cmd == TIOCGWINSZ) {
		spin_lock(&t->lock);
		w = t->winsize;
		spin_unlock(&t->lock);
		return put_user(arg, w);
	}
	if (get_user(w, arg))
		return -EFAULT;
	spin_lock(&t->lock);
	changed = memcmp(&t->winsize, &w, sizeof w);
	t->winsize = w;
	spin_unlock(&t->lock);
	if (changed)
		tty_signal_foreground(t, SIGWINCH);
	return 0;
}

/* What the program calls input is the master's output. */
int64_t tty_flush_ioctl(struct tty *t, uint64_t which, bool from_master)
{
	bool input = which == TCIFLUSH || which == TCIOFLUSH;
	bool output = which == TCOFLUSH || which == TCIOFLUSH;

	if (which > TCIOFLUSH)
		return -EINVAL;
	if (from_master) {
		bool swap = input;

		input = output;
		output = swap;
	}
	spin_lock(&t->lock);
	if (input)
		ldisc_flush_input(&t->ld);
	if (output)
		tty_out_drop(t);
	spin_unlock(&t->lock);
	if (input)
		t->driver->unthrottle(t);
	if (output)
		tty_wake_writers(t);
	tty_status(t,
		   (input ? TIOCPKT_FLUSHREAD : 0) | (output ? TIOCPKT_FLUSHWRITE : 0));
	return 0;
}

/* tcflow(3) of output: what ^S stopped only ^Q starts, and the other way round. */
static void flow_output(struct tty *t, bool off)
{
	bool was;

	spin_lock(&t->lock);
	was = t->ld.off;
	t->ld.off = off;
	if (was != off)
		t->ld.stopped = off;
	spin_unlock(&t->lock);
	if (was == off)
		return;
	tty_status(t, off ? TIOCPKT_STOP : TIOCPKT_START);
	if (!off)
		tty_wake_writers(t);
}

/* tcflow(3) of input, by telling the other side. */
static void flow_input(struct tty *t, int cc)
{
	spin_lock(&t->lock);
	if (t->ld.t.c_cc[cc])
		tty_send_flow(t, t->ld.t.c_cc[cc]);
	spin_unlock(&t->lock);
	t->driver->start(t);
}

static int64_t flow(struct tty *t, uint64_t what)
{
	if (what > TCION)
		return -EINVAL;
	if (what == TCOOFF || what == TCOON)
		flow_output(t, what == TCOOFF);
	else
		flow_input(t, what == TCIOFF ? VSTOP : VSTART);
	return 0;
}

static int64_t count_input(struct tty *t, uaddr_t arg)
{
	int32_t n;

	spin_lock(&t->lock);
	n = ldisc_pending(&t->ld);
	spin_unlock(&t->lock);
	return put_user(arg, n);
}

static int64_t set_exclusive(struct tty *t, bool on)
{
	spin_lock(&t->lock);
	t->exclusive = on;
	spin_unlock(&t->lock);
	return 0;
}

static int64_t set_discipline(uaddr_t arg)
{
	int32_t ldisc;

	if (get_user(ldisc, arg))
		return -EFAULT;
	return ldisc == N_TTY ? 0 : -EINVAL;
}

/* Those that change something a background process must leave alone. */
static int64_t guarded_ioctl(struct tty *t, uint32_t cmd, uaddr_t arg)
{
	int err = tty_job_check(t, SIGTTOU);

	if (err)
		return err;
	switch (cmd) {
	case TCFLSH:
		return tty_flush_ioctl(t, arg.va, false);
	case TCXONC:
		return flow(t, arg.va);
	default: /* a break is a pause on a wire that is not there; output is out */
		return 0;
	}
}

int64_t tty_ioctl(struct tty_handle *h, uint32_t cmd, uaddr_t arg)
{
	struct tty *t = h->tty;
	int64_t n;

	if (tty_dead(h))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	switch (cmd) {
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		return tty_winsize_ioctl(t, cmd, arg);
	case TCFLSH:
	case TCXONC:
	case TCSBRK:
	case TCSBRKP:
	case TIOCSBRK:
	case TIOCCBRK:
		return guarded_ioctl(t, cmd, arg);
	case FIONREAD:
		return count_input(t, arg);
	case TIOCOUTQ:
		return put_user(arg, (int32_t)0);
	case TIOCEXCL:
	case TIOCNXCL:
		return set_exclusive(t, cmd == TIOCEXCL);
	case (uint32_t)TIOCGEXCL:
		return put_user(arg, (int32_t)t->exclusive);
	case TIOCGETD:
		return put_user(arg, (int32_t)N_TTY);
	case TIOCSETD:
		return set_discipline(arg);
	case (uint32_t)TIOCGDEV:
		return put_user(arg, t->dev);
	/* typing for others: a way out of su and sandboxes, CVE-2017-5226 */
	case TIOCSTI:
		return -EIO;
	default:
		n = tty_job_ioctl(t, cmd, arg);
		return n == -ENOTTY ? tty_termios_ioctl(t, cmd, arg) : n;
	}
}

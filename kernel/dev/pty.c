/*
 * Pseudo-terminal pairs (pty(7)). The slave is an ordinary terminal; what it puts out is
 * what the master reads, what the master writes is its keyboard.
 *
 * Always true: the pair lives as long as its slave's struct tty has references; the
 * master's file is one of them.
 */
#include "dev/pty.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "dev/tty_internal.h"

struct pty {
	struct tty slave;
	uint32_t index;				   /* [I] */
	void (*gone)(void *owner, uint32_t index); /* [I] */
	void *owner;				   /* [I] */
	struct waitq read_wait, write_wait;	   /* the master's */
	struct async_set async;
	/* guarded by slave.lock */
	bool locked;	     /* until unlockpt(3) */
	bool slave_opened;   /* somebody has it open, or nobody ever had */
	bool packet;	     /* TIOCPKT */
	uint32_t status;     /* TIOCPKT_* bits not read yet */
	_Atomic bool closed; /* the master is */
};

static struct pty *pty_of(struct tty *t)
{
	return container_of(t, struct pty, slave);
}

/* ---- the slave's driver ---- */

static void slave_start(struct tty *t)
{
	wake_poll(&pty_of(t)->read_wait, POLLIN | POLLRDNORM);
	async_tell(&pty_of(t)->async, POLL_IN);
}

static void slave_unthrottle(struct tty *t)
{
	wake_poll(&pty_of(t)->write_wait, POLLOUT | POLLWRNORM);
}

/* Slave's lock held. */
static int slave_may_open(struct tty *t)
{
	struct pty *p = pty_of(t);

	return p->locked || p->closed ? -EIO : 0;
}

static void slave_opened(struct tty *t, bool open)
{
	struct pty *p = pty_of(t);

	spin_lock(&t->lock);
	p->slave_opened = t->opens;
	spin_unlock(&t->lock);
	if (!open)
		wake_poll(&p->read_wait, POLLIN | POLLRDNORM | POLLHUP);
}

static void slave_status(struct tty *t, uint32_t bits)
{
	struct pty *p = pty_of(t);
	bool told;

	spin_lock(&t->lock);
	told = p->packet;
	if (told) {
		if (bits & (TIOCPKT_STOP | TIOCPKT_START))
			p->status &= ~(uint32_t)(TIOCPKT_STOP | TIOCPKT_START);
		if (bits & (TIOCPKT_DOSTOP | TIOCPKT_NOSTOP))
			p->status &= ~(uint32_t)(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
		p->status |= bits;
	}
	spin_unlock(&t->lock);
	if (told)
		wake_poll(&p->read_wait, POLLIN | POLLRDNORM | POLLPRI);
}

static void slave_free(struct tty *t)
{
	struct pty *p = pty_of(t);

	p->gone(p->owner, p->index);
	tty_fini(t);
	heap_free(p);
}

static const struct tty_driver pty_driver = {
	.start = slave_start,
	.unthrottle = slave_unthrottle,
	.may_open = slave_may_open,
	.opened = slave_opened,
	.status = slave_status,
	.free = slave_free,
	.pty = true,
};

int pty_new(uint32_t index, void (*gone)(void *owner, uint32_t index), void *owner,
	    struct pty **ret)
{
	struct pty *p = heap_zalloc(sizeof *p);
	/* devices.txt: minors of major 136 on; Linux's encoding of a big minor. */
	uint32_t dev = TTY_PTS_MAJOR << 8 | (index & 0xff) | (index & 0xfff00) << 12;
	int err;

	if (!p)
		return -ENOMEM;
	err = tty_init(&p->slave, &pty_driver, dev);
	if (err) {
		heap_free(p);
		return err;
	}
	p->index = index;
	p->gone = gone;
	p->owner = owner;
	p->locked = true;
	p->slave_opened = true;
	waitq_init(&p->read_wait);
	async_init(&p->async);
	waitq_init(&p->write_wait);
	*ret = p;
	return 0;
}

uint32_t pty_index(const struct pty *p)
{
	return p->index;
}

struct tty *pty_slave(struct pty *p)
{
	return &p->slave;
}

/* ---- the master ---- */

void pty_master_close(struct pty *p)
{
	p->closed = true;
	tty_hangup(&p->slave);
	tty_put(&p->slave);
}

static bool master_readable(struct pty *p, bool *ret_hung_up)
{
	bool data;

	spin_lock(&p->slave.lock);
	data = tty_out_ready(&p->slave) || p->status;
	*ret_hung_up = !p->slave_opened;
	spin_unlock(&p->slave.lock);
	return data;
}

static bool master_ready(struct pty *p)
{
	bool hung_up;

	return master_readable(p, &hung_up) || hung_up;
}

/* Packet mode's status byte. True: it was the whole of this read. */
static bool take_status(struct pty *p, uint8_t *ret, bool *ret_packet)
{
	spin_lock(&p->slave.lock);
	*ret_packet = p->packet;
	*ret = p->status;
	p->status = 0;
	spin_unlock(&p->slave.lock);
	return *ret;
}

static int64_t drain_to(struct pty *p, struct uio *u)
{
	uint8_t chunk[TTY_CHUNK];
	int64_t done = 0;
	size_t n;

	while (u->left && (n = tty_drain(&p->slave, chunk, MIN(u->left, sizeof chunk)))) {
		if (uio_write(u, chunk, n) != (int64_t)n)
			return done ? done : -EFAULT;
		done += n;
	}
	return done;
}

int64_t pty_master_read(struct pty *p, struct uio *u, bool nonblock)
{
	bool hung_up, packet;
	uint8_t status;
	int64_t n;
	int err;

	if (!u->left)
		return 0;
	while (!master_readable(p, &hung_up)) {
		if (hung_up)
			return -EIO;
		if (nonblock)
			return -EAGAIN;
		err = wait_event_intr(&p->read_wait, master_ready(p));
		if (err)
			return err;
	}
	if (take_status(p, &status, &packet))
		return uio_write(u, &status, 1) == 1 ? 1 : -EFAULT;
	if (!packet)
		return drain_to(p, u);
	status = TIOCPKT_DATA;
	if (uio_write(u, &status, 1) != 1)
		return -EFAULT;
	n = drain_to(p, u);
	return n < 0 ? n : n + 1;
}

int64_t pty_master_write(struct pty *p, struct uio *u, bool nonblock)
{
	uint8_t chunk[TTY_CHUNK];
	int64_t done = 0;
	int err;

	while (u->left) {
		size_t room = tty_feed_room(&p->slave),
		       n = MIN(MIN(u->left, sizeof chunk), room);

		if (!room) {
			err = nonblock ? -EAGAIN
				       : wait_event_intr(&p->write_wait,
							 tty_feed_room(&p->slave));
			if (err)
				return done ? done : err;
			continue;
		}
		if (uio_read(u, chunk, n) != (int64_t)n)
			return done ? done : -EFAULT;
		/* Another writer may have been faster: then wait for the rest's room. */
		for (size_t fed = 0; fed < n;) {
			fed += tty_feed(&p->slave, chunk + fed, n - fed);
			if (fed == n)
				break;
			err = wait_event_intr(&p->write_wait, tty_feed_room(&p->slave));
			if (err)
				return done + fed ? (int64_t)(done + fed) : err;
		}
		done += n;
	}
	return done;
}

uint32_t pty_master_poll(struct pty *p)
{
	uint32_t events = 0;
	bool hung_up;

	if (master_readable(p, &hung_up))
		events |= POLLIN | POLLRDNORM;
	if (p->status)
		events |= POLLPRI;
	if (hung_up)
		events |= POLLHUP;
	if (tty_feed_room(&p->slave))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

struct waitq *pty_read_queue(struct pty *p)
{
	return &p->read_wait;
}

struct async_set *pty_async(struct pty *p)
{
	return &p->async;
}

struct waitq *pty_write_queue(struct pty *p)
{
	return &p->write_wait;
}

/* ---- the master's ioctls ---- */

static int64_t set_flag(struct pty *p, bool *flag, uaddr_t arg)
{
	int32_t on;

	if (get_user(on, arg))
		return -EFAULT;
	spin_lock(&p->slave.lock);
	*flag = on;
	if (flag == &p->packet && !on)
		p->status = 0;
	spin_unlock(&p->slave.lock);
	return 0;
}

static int64_t count_output(struct pty *p, uaddr_t arg)
{
	int32_t n;

	spin_lock(&p->slave.lock);
	n = tty_out_ready(&p->slave);
	spin_unlock(&p->slave.lock);
	return put_user(arg, n);
}

/* TIOCSIG: as if the character had been typed. */
static int64_t send_signal(struct pty *p, uint64_t sig)
{
	if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
		return -EINVAL;
	tty_signal_foreground(&p->slave, sig);
	return 0;
}

int64_t pty_master_ioctl(struct pty *p, uint32_t cmd, uaddr_t arg)
{
	struct tty *t = &p->slave;

	switch (cmd) {
	case (uint32_t)TIOCGPTN:
		return put_user(arg, p->index);
	case (uint32_t)TIOCSPTLCK:
		return set_flag(p, &p->locked, arg);
	case (uint32_t)TIOCGPTLCK:
		return put_user(arg, (int32_t)p->locked);
	case TIOCPKT:
		return set_flag(p, &p->packet, arg);
	case (uint32_t)TIOCGPKT:
		return put_user(arg, (int32_t)p->packet);
	case (uint32_t)TIOCSIG:
		return send_signal(p, arg.va);
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		return tty_winsize_ioctl(t, cmd, arg);
	case FIONREAD:
		return count_output(p, arg);
	case TIOCOUTQ:
		return put_user(arg, (int32_t)0);
	case TCFLSH:
		return tty_flush_ioctl(t, arg.va, true);
	case TCSBRK:
	case TCSBRKP:
		return 0;
	case TIOCSPGRP:
		return tty_job_ioctl(t, cmd, arg);
	case TIOCGPGRP:
	case TIOCGSID:
		return tty_owner_ioctl(t, cmd, arg);
	default:
		return tty_termios_ioctl(t, cmd, arg);
	}
}

/* Terminals: getting and setting termios in its three shapes, and what of it cannot be
 * set (TIOCSLCKTRMIOS(2const)). See tty_internal.h. */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/capability.h>

#include "dev/tty_internal.h"
#include "lib/string.h"
#include "sec/cred.h"

/* What is to be done beside setting. */
enum set_when { SET_NOW, SET_DRAINED, SET_FLUSHED };

static struct ktermios termios_of(struct tty *t)
{
	struct ktermios k;

	spin_lock(&t->lock);
	k = t->ld.t;
	spin_unlock(&t->lock);
	return k;
}

/* The speeds that go with the CBAUD bits (termios(3)). */
static uint32_t speed_of(uint32_t cflag)
{
	static const uint32_t low[] = { 0,   50,   75,	 110,  134,  150,  200,	  300,
					600, 1200, 1800, 2400, 4800, 9600, 19200, 38400 };
	static const uint32_t high[] = { 57600,	  115200,  230400,  460800,  500000,
					 576000,  921600,  1000000, 1152000, 1500000,
					 2000000, 2500000, 3000000, 3500000, 4000000 };
	uint32_t b = cflag & CBAUD;

	if (!(b & CBAUDEX))
		return low[b];
	b &= ~CBAUDEX;
	return b >= 1 && b <= ARRAY_LEN(high) ? high[b - 1] : 0;
}

static uint32_t merge(uint32_t new, uint32_t old, uint32_t kept)
{
	return (new & ~kept) | (old & kept);
}

/* Gives k back what is kept of what is there. t's lock held. */
static void keep_locked(const struct tty *t, struct ktermios *k)
{
	const struct ktermios *old = &t->ld.t;
	const struct termios *kept = &t->kept;

	k->c_iflag = merge(k->c_iflag, old->c_iflag, kept->c_iflag);
	k->c_oflag = merge(k->c_oflag, old->c_oflag, kept->c_oflag);
	k->c_cflag = merge(k->c_cflag, old->c_cflag, kept->c_cflag);
	k->c_lflag = merge(k->c_lflag, old->c_lflag, kept->c_lflag);
	k->c_line = kept->c_line ? old->c_line : k->c_line;
	for (size_t i = 0; i < ARRAY_LEN(kept->c_cc); i++)
		if (kept->c_cc[i])
			k->c_cc[i] = old->c_cc[i];
}

static int64_t set_termios(struct tty *t, struct ktermios *k, enum set_when when)
{
	struct ktermios old = termios_of(t);

	/* Output is never "on its way": a pty's reader takes it when it likes, the serial
	 * port's has gone out when write returns. So draining is done already. */
	if (when == SET_FLUSHED) {
		int64_t err = tty_flush_ioctl(t, TCIFLUSH, false);

		if (err)
			return err;
	}
	spin_lock(&t->lock);
	keep_locked(t, k);
	ldisc_set_termios(&t->ld, k);
	if (old.c_iflag & ~k->c_iflag & IXON)
		tty_out_release(t);
	spin_unlock(&t->lock);
	if ((old.c_iflag ^ k->c_iflag) & IXON)
		tty_status(t, k->c_iflag & IXON ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
	if ((old.c_lflag | k->c_lflag) & EXTPROC)
		tty_status(t, TIOCPKT_IOCTL);
	t->driver->unthrottle(t);
	wake_poll(&t->read_wait, UINT32_MAX); /* readable may mean something else now */
	tty_wake_writers(t);
	t->driver->start(t);
	return 0;
}

static int64_t set_long(struct tty *t, uaddr_t arg, enum set_when when)
{
	struct ktermios k = termios_of(t);
	struct termios u;

	if (get_user(u, arg))
		return -EFAULT;
	k.c_iflag = u.c_iflag;
	k.c_oflag = u.c_oflag;
	k.c_cflag = u.c_cflag;
	k.c_lflag = u.c_lflag;
	k.c_line = u.c_line;
	memcpy(k.c_cc, u.c_cc, sizeof k.c_cc);
	k.c_ispeed = k.c_ospeed = speed_of(k.c_cflag);
	return set_termios(t, &k, when);
}

static int64_t get_long(struct tty *t, uaddr_t arg)
{
	struct ktermios k = termios_of(t);
	struct termios u = { .c_iflag = k.c_iflag,
			     .c_oflag = k.c_oflag,
			     .c_cflag = k.c_cflag,
			     .c_lflag = k.c_lflag,
			     .c_line = k.c_line };

	memcpy(u.c_cc, k.c_cc, sizeof u.c_cc);
	return put_user(arg, u);
}

static int64_t set_two(struct tty *t, uaddr_t arg, enum set_when when)
{
	struct ktermios k;

	_Static_assert(sizeof(struct ktermios) == sizeof(struct termios2), "one layout");
	if (copy_in(&k, arg, sizeof k))
		return -EFAULT;
	if ((k.c_cflag & CBAUD) != BOTHER)
		k.c_ispeed = k.c_ospeed = speed_of(k.c_cflag);
	return set_termios(t, &k, when);
}

/* System V's termio: the low halves of the flags and the first eight characters. */
static int64_t set_short(struct tty *t, uaddr_t arg, enum set_when when)
{
	struct ktermios k = termios_of(t);
	struct termio u;

	if (get_user(u, arg))
		return -EFAULT;
	k.c_iflag = (k.c_iflag & 0xffff0000) | u.c_iflag;
	k.c_oflag = (k.c_oflag & 0xffff0000) | u.c_oflag;
	k.c_cflag = (k.c_cflag & 0xffff0000) | u.c_cflag;
	k.c_lflag = (k.c_lflag & 0xffff0000) | u.c_lflag;
	k.c_line = u.c_line;
	memcpy(k.c_cc, u.c_cc, NCC);
	return set_termios(t, &k, when);
}

static int64_t get_short(struct tty *t, uaddr_t arg)
{
	struct ktermios k = termios_of(t);
	struct termio u = { .c_iflag = (uint16_t)k.c_iflag,
			    .c_oflag = (uint16_t)k.c_oflag,
			    .c_cflag = (uint16_t)k.c_cflag,
			    .c_lflag = (uint16_t)k.c_lflag,
			    .c_line = k.c_line };

	memcpy(u.c_cc, k.c_cc, NCC);
	return put_user(arg, u);
}

static int64_t get_kept(struct tty *t, uaddr_t arg)
{
	struct termios u;

	spin_lock(&t->lock);
	u = t->kept;
	spin_unlock(&t->lock);
	return put_user(arg, u);
}

static int64_t set_kept(struct tty *t, uaddr_t arg)
{
	struct termios u;

	if (!cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(u, arg))
		return -EFAULT;
	spin_lock(&t->lock);
	t->kept = u;
	spin_unlock(&t->lock);
	return 0;
}

int64_t tty_termios_ioctl(struct tty *t, uint32_t cmd, uaddr_t arg)
{
	static const struct {
		uint32_t cmd;
		int64_t (*set)(struct tty *t, uaddr_t arg, enum set_when when);
		enum set_when when;
	} sets[] = {
		{ TCSETS, set_long, SET_NOW },
		{ TCSETSW, set_long, SET_DRAINED },
		{ TCSETSF, set_long, SET_FLUSHED },
		{ (uint32_t)TCSETS2, set_two, SET_NOW },
		{ (uint32_t)TCSETSW2, set_two, SET_DRAINED },
		{ (uint32_t)TCSETSF2, set_two, SET_FLUSHED },
		{ TCSETA, set_short, SET_NOW },
		{ TCSETAW, set_short, SET_DRAINED },
		{ TCSETAF, set_short, SET_FLUSHED },
	};
	struct ktermios k;

	if (cmd == TIOCGLCKTRMIOS)
		return get_kept(t, arg);
	if (cmd == TIOCSLCKTRMIOS)
		return set_kept(t, arg);
	if (cmd == TCGETS)
		return get_long(t, arg);
	if (cmd == TCGETA)
		return get_short(t, arg);
	if (cmd == (uint32_t)TCGETS2) {
		k = termios_of(t);
		return copy_out(arg, &k, sizeof k);
	}
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		int err;

		if (cmd != sets[i].cmd)
			continue;
		err = tty_job_check(t, SIGTTOU);
		return err ? err : sets[i].set(t, arg, sets[i].when);
	}
	return -ENOTTY;
}

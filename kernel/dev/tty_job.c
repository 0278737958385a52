/* Terminals: whose they are. Sessions, foreground groups, and what a background process
 * may do (POSIX.1-2017, 11.1.4). See tty_internal.h. */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/capability.h>

#include "dev/tty_internal.h"
#include "sec/cred.h"

bool tty_is_current(const struct tty *t)
{
	struct tty *mine = tty_job_ops.current_tty();
	bool same = mine == t;

	if (mine)
		tty_put(mine);
	return same;
}

int32_t tty_foreground_pgrp(struct tty *t)
{
	int32_t pgrp;

	spin_lock(&t->lock);
	pgrp = t->pgrp;
	spin_unlock(&t->lock);
	return pgrp;
}

static int32_t owner_session(struct tty *t)
{
	int32_t session;

	spin_lock(&t->lock);
	session = t->session;
	spin_unlock(&t->lock);
	return session;
}

void tty_signal_foreground(struct tty *t, int sig)
{
	int32_t pgrp = tty_foreground_pgrp(t);

	if (pgrp)
		(void)tty_job_ops.signal_pgrp(pgrp, sig);
}

int tty_job_check(struct tty *t, int sig)
{
	int32_t foreground = tty_foreground_pgrp(t), mine = tty_job_ops.current_pgrp();

	if (!foreground || mine == foreground || !tty_is_current(t))
		return 0;
	if (tty_job_ops.current_ignores(sig))
		return sig == SIGTTIN ? -EIO : 0;
	/* Nobody is left who could continue a stopped orphan. */
	if (tty_job_ops.pgrp_orphaned(mine))
		return -EIO;
	(void)tty_job_ops.signal_pgrp(mine, sig);
	return -ERESTARTSYS;
}

/* ---- getting and losing a terminal ---- */

/* Makes t the controlling terminal of the running session leader; `was`: the session that
 * may have it now. False: somebody else has it. */
static bool acquire(struct tty *t, int32_t was)
{
	bool got;

	spin_lock(&t->lock);
	got = t->session == was || !t->session;
	if (got) {
		t->session = tty_job_ops.current_session();
		t->pgrp = tty_job_ops.current_pgrp();
	}
	spin_unlock(&t->lock);
	if (got)
		tty_job_ops.set_current_tty(t);
	return got;
}

static bool has_terminal(void)
{
	struct tty *mine = tty_job_ops.current_tty();

	if (mine)
		tty_put(mine);
	return mine;
}

void tty_acquire_if_free(struct tty *t)
{
	if (tty_job_ops.current_is_leader && tty_job_ops.current_is_leader() &&
	    !has_terminal())
		(void)acquire(t, 0);
}

static int64_t set_controlling(struct tty *t, uint64_t steal)
{
	int32_t owner = owner_session(t);

	if (!tty_job_ops.current_is_leader())
		return -EPERM;
	if (owner == tty_job_ops.current_session())
		return 0;
	if (has_terminal())
		return -EPERM;
	if (owner) {
		if (steal != 1 || !cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
			return -EPERM;
		tty_job_ops.drop_tty(owner);
	}
	return acquire(t, owner) ? 0 : -EPERM;
}

/* The session has no terminal any more; the foreground group hears of it. A line is cut
 * with that, while the other side of a pty lives on. */
static int32_t part(struct tty *t)
{
	int32_t pgrp;

	if (!t->driver->pty) {
		pgrp = tty_foreground_pgrp(t);
		tty_hangup(t);
	} else {
		spin_lock(&t->lock);
		pgrp = t->pgrp;
		t->pgrp = t->session = 0;
		spin_unlock(&t->lock);
	}
	if (pgrp)
		(void)tty_job_ops.signal_pgrp(pgrp, SIGHUP);
	return pgrp;
}

void tty_leader_exited(struct tty *t)
{
	int32_t pgrp = part(t);

	/* A stopped member on a pty is woken if this made its group an orphan, and only
	 * then. */
	if (pgrp && !t->driver->pty)
		(void)tty_job_ops.signal_pgrp(pgrp, SIGCONT);
}

static int64_t give_up(struct tty *t)
{
	if (!tty_is_current(t))
		return -ENOTTY;
	if (tty_job_ops.current_is_leader()) {
		int32_t pgrp = part(t);
		if (pgrp)
			(void)tty_job_ops.signal_pgrp(pgrp, SIGCONT);
	}
	tty_job_ops.set_current_tty(NULL);
	return 0;
}

/* ---- ioctls ---- */

static int64_t get_pgrp(struct tty *t, uaddr_t arg)
{
	return put_user(arg, tty_foreground_pgrp(t));
}

static int64_t set_pgrp(struct tty *t, uaddr_t arg)
{
	int32_t pgrp, session = tty_job_ops.current_session();
	int err = tty_job_check(t, SIGTTOU);

	if (err)
		return err == -EIO ? -ENOTTY : err;
	if (!tty_is_current(t) || owner_session(t) != session)
		return -ENOTTY;
	if (get_user(pgrp, arg))
		return -EFAULT;
	if (pgrp < 0)
		return -EINVAL;
	if (!tty_job_ops.pgrp_in_session(pgrp, session))
		return -EPERM;
	spin_lock(&t->lock);
	t->pgrp = pgrp;
	spin_unlock(&t->lock);
	return 0;
}

static int64_t get_session(struct tty *t, uaddr_t arg)
{
	int32_t session = owner_session(t);

	return session ? put_user(arg, session) : -ENOTTY;
}

int64_t tty_owner_ioctl(struct tty *t, uint32_t cmd, uaddr_t arg)
{
	return cmd == TIOCGPGRP ? get_pgrp(t, arg) : get_session(t, arg);
}

int64_t tty_job_ioctl(struct tty *t, uint32_t cmd, uaddr_t arg)
{
	switch (cmd) {
	case TIOCSCTTY:
		return set_controlling(t, arg.va);
	case TIOCNOTTY:
		return give_up(t);
	case TIOCGPGRP:
	case TIOCGSID:
		return tty_is_current(t) ? tty_owner_ioctl(t, cmd, arg) : -ENOTTY;
	case TIOCSPGRP:
		return set_pgrp(t, arg);
	case TIOCVHANGUP:
		if (!cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
			return -EPERM;
		tty_hangup(t);
		return 0;
	default:
		return -ENOTTY;
	}
}

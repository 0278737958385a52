/* pidfd_open, pidfd_send_signal, pidfd_getfd, process_madvise, process_mrelease. */
#include <linux/mman.h>
#include <linux/pidfd.h>

#include "fs/files.h"
#include "proc/pidfd.h"
#include "proc/ptrace.h"
#include "sys/siginfo.h"
#include "sys/syscall.h"

int64_t sys_pidfd_open(int32_t pid, uint32_t flags)
{
	struct file *f;
	if ((flags & ~(uint32_t)PIDFD_NONBLOCK) || pid <= 0)
		return -EINVAL;
	struct process *p = process_find(pid);
	if (!p) {
		struct task *t = task_find(pid); /* a thread that leads no process */
		task_put(t);
		return t ? -EINVAL : -ESRCH;
	}
	int err = pidfd_file_new(p, flags, &f);
	process_put(p);
	return err ? err : fd_add(f, true);
}

/* 0, -EBADF. *ret is referenced. */
static int process_of(int32_t pidfd, bool folders, struct process **ret)
{
	struct file *f = fd_get(pidfd);
	if (!f)
		return -EBADF;
	*ret = pidfd_process(f, folders);
	file_put(f);
	return *ret ? 0 : -EBADF;
}

/* To others only what says truly that a process sent it. */
static int info_in(siginfo_t *si, uaddr_t info, int32_t sig, const struct process *to)
{
	if (!info.va) {
		signal_info_user(si, sig, SI_USER);
		return 0;
	}
	int err = signal_info_in(si, info, sig);
	if (err)
		return err;
	if (si->si_signo != sig)
		return -EINVAL;
	bool forged = si->si_code >= 0 || si->si_code == SI_TKILL;
	return forged && to != process_current() ? -EPERM : 0;
}

static int send(struct process *p, int32_t sig, uaddr_t info)
{
	siginfo_t si;
	int err = info_in(&si, info, sig, p);
	if (err)
		return err;
	struct task *leader = process_leader_get(p);
	if (!leader)
		return -ESRCH;
	task_put(leader);
	err = sig < 0 || sig > SIGNAL_MAX ? -EINVAL : signal_may_send(p, sig);
	return err ? err : signal_send_process(p, sig, &si);
}

int64_t sys_pidfd_send_signal(int32_t pidfd, int32_t sig, uaddr_t info, uint32_t flags)
{
	struct process *p;
	if (flags)
		return -EINVAL;
	int err = process_of(pidfd, true, &p);
	if (err)
		return err;
	err = send(p, sig, info);
	process_put(p);
	return err;
}

int64_t sys_pidfd_getfd(int32_t pidfd, int32_t fd, uint32_t flags)
{
	struct process *p;
	if (flags)
		return -EINVAL;
	int err = process_of(pidfd, false, &p);
	if (err)
		return err;
	struct task *t = process_leader_get(p);
	process_put(p);
	if (!t)
		return -ESRCH;
	/* First the file, then the verdict: an execve in between that gains privileges
	 * makes the verdict no. */
	struct file *f = task_file_get(t, (uint32_t)fd);
	if (t->process != process_current() &&
	    !task_may_trace(t, thread_current()->cred, TRACE_BY_REAL_IDS))
		err = -EPERM;
	else if (!f)
		err = t->exiting ? -ESRCH : -EBADF;
	task_put(t);
	if (!err)
		return fd_add(f, true);
	if (f)
		file_put(f);
	return err;
}

/* ---- the memory of the process ---- */

#define IOV_FAST 8

static bool is_hint(int32_t advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED;
}

/* The process's space, to say what it will need: 0, -ESRCH, -EACCES, -EPERM. */
static int space_to_advise(struct process *p, struct space **ret)
{
	struct task *t = process_leader_get(p);
	if (!t)
		return -ESRCH;
	int err = task_space_for_tracer(t, ret);
	task_put(t);
	if (err)
		return err == -EPERM ? -EACCES : err;
	if (cred_has_cap(thread_current()->cred, CAP_SYS_NICE))
		return 0;
	space_put(*ret);
	return -EPERM;
}

/* Bytes that the advice was given for, or why not even the first were. */
static int64_t advise_all(struct space *s, const struct uio *u, int32_t advice)
{
	int64_t done = 0;
	for (size_t i = 0; i < u->segs; i++) {
		const struct iovec *v = &u->iov[i];
		int err = space_advise(s, (uint64_t)v->iov_base, v->iov_len, advice);
		if (err)
			return done ? done : err;
		done += (int64_t)v->iov_len;
	}
	return done;
}

static int64_t advise(int32_t pidfd, const struct uio *u, int32_t advice)
{
	struct process *p;
	struct space *s = NULL;
	int err = process_of(pidfd, false, &p);
	if (err)
		return err;
	if (is_hint(advice))
		err = space_to_advise(p, &s);
	else
		err = -EINVAL;
	process_put(p);
	if (err)
		return err;
	int64_t ret = advise_all(s, u, advice);
	space_put(s);
	return ret;
}

int64_t sys_process_madvise(int32_t pidfd, uaddr_t vec, uint64_t n, int32_t advice,
			    uint32_t flags)
{
	struct iovec fast[IOV_FAST], *made = NULL;
	struct uio u;
	if (flags)
		return -EINVAL;
	int64_t ret = uio_init_vec(&u, vec, n, fast, IOV_FAST, &made);
	if (ret)
		return ret;
	ret = advise(pidfd, &u, advice);
	heap_free(made);
	return ret;
}

/* Nothing holds up for long who is dying: it gives its memory up itself. */
int64_t sys_process_mrelease(int32_t pidfd, uint32_t flags)
{
	struct process *p;
	if (flags)
		return -EINVAL;
	int err = process_of(pidfd, false, &p);
	if (err)
		return err;
	struct task *t = process_leader_get(p);
	struct space *s = t ? task_space_get(t) : NULL;
	if (!s)
		err = -ESRCH;
	else if (!__atomic_load_n(&p->exiting, __ATOMIC_RELAXED))
		err = -EINVAL;
	if (s)
		space_put(s);
	task_put(t);
	process_put(p);
	return err;
}

/* pidfd_open, pidfd_send_signal, pidfd_getfd. */
#include <linux/pidfd.h>

#include "fs/files.h"
#include "proc/pidfd.h"
#include "proc/ptrace.h"
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
	if (get_user(*si, info))
		return -EFAULT;
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

static struct file *file_of(struct task *t, int32_t fd)
{
	struct files *files = task_files_get(t);
	bool cloexec;
	int at = fd;
	struct file *f = files && fd >= 0 ? files_next(files, &at, &cloexec) : NULL;
	if (files)
		files_put(files);
	if (f && at != fd) {
		file_put(f);
		f = NULL;
	}
	return f;
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
	struct file *f = file_of(t, fd);
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

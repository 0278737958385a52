/* wait4, waitid, and what they share with getrusage and times. */
#include <linux/resource.h>
#include <linux/times.h>
#include <linux/wait.h>

#include "fs/files.h"
#include "proc/pidfd.h"
#include "proc/proc.h"
#include "sys/usage.h"
#include "sys/syscall.h"

#define USER_HZ 100

static struct __kernel_old_timeval timeval_of(uint64_t ns)
{
	return (struct __kernel_old_timeval){
		.tv_sec = (long)(ns / NSEC_PER_SEC),
		.tv_usec = (long)(ns % NSEC_PER_SEC / NSEC_PER_USEC),
	};
}

int usage_out(uaddr_t to, const struct rusage_acc *u)
{
	struct __kernel_old_timeval user = timeval_of(u->user_ns),
				    sys = timeval_of(u->sys_ns);
	struct rusage r = {
		.ru_utime = { user.tv_sec, user.tv_usec },
		.ru_stime = { sys.tv_sec, sys.tv_usec },
		.ru_maxrss = (long)(u->max_rss * (PAGE_SIZE / 1024)),
		.ru_minflt = (long)u->counts.min_flt,
		.ru_majflt = (long)u->counts.maj_flt,
		.ru_inblock = (long)(u->counts.read_bytes / 512),
		.ru_oublock = (long)(u->counts.write_bytes / 512),
		.ru_nvcsw = (long)u->nvcsw,
		.ru_nivcsw = (long)u->nivcsw,
	};
	return put_user(to, r);
}

#define WAIT4_OPTIONS (WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)

int64_t sys_wait4(int32_t pid, uaddr_t status, uint32_t options, uaddr_t rusage)
{
	struct wait_result res;
	if (options & ~WAIT4_OPTIONS)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	struct wait_request r = { .options = options | WEXITED };
	r.which = pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID;
	r.id = pid < 0 ? -pid : pid;
	int err = process_wait(&r, &res);
	if (err || !res.pid)
		return err;
	if (status.va)
		err = put_user(status, res.wstatus);
	if (!err && rusage.va)
		err = usage_out(rusage, &res.usage);
	return err ? err : res.pid;
}

static int check_waitid(int32_t which, int32_t id, uint32_t options)
{
	if (options & ~(uint32_t)(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED |
				  __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (which == P_PID)
		return id > 0 ? 0 : -EINVAL;
	if (which == P_PGID || which == P_PIDFD)
		return id >= 0 ? 0 : -EINVAL;
	return which == P_ALL ? 0 : -EINVAL;
}

/* P_PIDFD: whom the descriptor stands for, referenced, and whether it waits. */
static int process_of(int32_t fd, struct process **ret, bool *ret_nonblock)
{
	struct file *f = fd_get(fd);
	if (!f)
		return -EBADF;
	*ret = pidfd_process(f, false);
	*ret_nonblock = f->flags & O_NONBLOCK;
	file_put(f);
	return *ret ? 0 : -EBADF;
}

static int wait_by_id(struct wait_request *r, struct wait_result *res)
{
	bool nonblock = false;
	if (r->which == P_PIDFD) {
		int err = process_of(r->id, &r->process, &nonblock);
		if (err)
			return err;
	}
	bool polls = r->options & WNOHANG;
	if (nonblock)
		r->options |= WNOHANG;
	int err = process_wait(r, res);
	process_put(r->process);
	return !err && !res->pid && nonblock && !polls ? -EAGAIN : err;
}

int64_t sys_waitid(int32_t which, int32_t id, uaddr_t info, uint32_t options,
		   uaddr_t rusage)
{
	struct wait_result res = { 0 };
	struct wait_request r = { .which = which, .id = id, .options = options };
	int err = 0, waited = check_waitid(which, id, options);
	if (!waited)
		waited = wait_by_id(&r, &res);
	siginfo_t si = { 0 };
	if (!waited && res.pid) {
		si.si_signo = SIGCHLD;
		si.si_code = res.code;
		si.si_pid = res.pid;
		si.si_uid = res.uid;
		si.si_status = res.status;
		if (rusage.va)
			err = usage_out(rusage, &res.usage);
	}
	/* It says of nobody even when the call failed. */
	if (!err && info.va)
		err = user_range_ok(info, sizeof si)
			      ? copy_out(info, &si,
					 offsetof(siginfo_t, si_status) +
						 sizeof si.si_status)
			      : -EFAULT;
	return err ? err : waited;
}

int64_t sys_getrusage(int32_t who, uaddr_t usage)
{
	struct process *p = process_current();
	struct rusage_acc u;
	uint64_t flags;
	switch (who) {
	case RUSAGE_SELF:
		process_usage(p, &u);
		break;
	case RUSAGE_CHILDREN:
		flags = spin_lock_irq(&tasklist_lock);
		u = p->dead_children;
		spin_unlock_irq(&tasklist_lock, flags);
		break;
	case RUSAGE_THREAD:
		task_usage(task_current(), &u);
		u.max_rss = thread_current()->space->rss_peak;
		break;
	default:
		return -EINVAL;
	}
	return usage_out(usage, &u);
}

int64_t sys_times(uaddr_t buf)
{
	struct process *p = process_current();
	struct rusage_acc u;
	const uint64_t tick = NSEC_PER_SEC / USER_HZ;
	process_usage(p, &u);
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct rusage_acc c = p->dead_children;
	spin_unlock_irq(&tasklist_lock, flags);
	struct tms t = {
		.tms_utime = (long)(u.user_ns / tick),
		.tms_stime = (long)(u.sys_ns / tick),
		.tms_cutime = (long)(c.user_ns / tick),
		.tms_cstime = (long)(c.sys_ns / tick),
	};
	if (buf.va && put_user(buf, t))
		return -EFAULT;
	return (int64_t)(clock_mono() / tick);
}

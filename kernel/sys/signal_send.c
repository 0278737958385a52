/* kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo. */
#include "proc/proc.h"
#include "sys/siginfo.h"
#include "sys/syscall.h"

static bool valid(int32_t sig)
{
	return sig >= 0 && sig <= SIGNAL_MAX;
}

static int kill_one(struct process *p, int32_t sig, const siginfo_t *info)
{
	int err = valid(sig) ? signal_may_send(p, sig) : -EINVAL;
	return err ? err : signal_send_process(p, sig, info);
}

/* What kill(2) says for many: 0 if one could be sent, else the last refusal. */
struct tally {
	int sent, err;
};

static void kill_counted(struct process *p, int32_t sig, const siginfo_t *info,
			 struct tally *t)
{
	int err = kill_one(p, sig, info);
	if (err)
		t->err = err;
	else
		t->sent++;
}

static int kill_group(int32_t pgrp, int32_t sig, const siginfo_t *info)
{
	struct tally t = { .err = -ESRCH };
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct pid *pid = pid_find(pgrp);
	if (pid)
		list_for_each(p, &pid->group, struct process, group_link)
			kill_counted(p, sig, info, &t);
	spin_unlock_irq(&tasklist_lock, flags);
	return t.sent ? 0 : t.err;
}

/* Everybody but process 1 and the caller. */
static int kill_all(int32_t sig, const siginfo_t *info)
{
	struct tally t = { .err = -ESRCH };
	for (int32_t nr = process_next(2); nr; nr = process_next(nr + 1)) {
		struct process *p = process_find(nr);
		if (p && p != process_current())
			kill_counted(p, sig, info, &t);
		process_put(p);
	}
	return t.sent ? 0 : t.err;
}

int64_t sys_kill(int32_t pid, int32_t sig)
{
	siginfo_t info;
	if (pid == INT32_MIN)
		return -ESRCH;
	signal_info_user(&info, sig, SI_USER);
	if (pid == -1)
		return kill_all(sig, &info);
	if (pid <= 0)
		return kill_group(pid ? -pid : process_current()->pgrp, sig, &info);
	if (pid == process_current()->pid && valid(sig))
		return signal_send_process(process_current(), sig, &info);
	struct process *p = process_find(pid);
	if (!p)
		return -ESRCH;
	int err = kill_one(p, sig, &info);
	process_put(p);
	return err;
}

/* tgid 0: whatever process the thread belongs to. */
static int kill_thread(int32_t tgid, int32_t tid, int32_t sig, const siginfo_t *info)
{
	struct task *t = task_find(tid);
	if (!t)
		return -ESRCH;
	int err = tgid && t->process->pid != tgid ? -ESRCH
						  : signal_may_send(t->process, sig);
	if (!err)
		err = signal_send_task(t, sig, info);
	task_put(t);
	return err;
}

int64_t sys_tgkill(int32_t tgid, int32_t tid, int32_t sig)
{
	siginfo_t info;
	if (tgid <= 0 || tid <= 0 || !valid(sig))
		return -EINVAL;
	signal_info_user(&info, sig, SI_TKILL);
	return kill_thread(tgid, tid, sig, &info);
}

int64_t sys_tkill(int32_t tid, int32_t sig)
{
	siginfo_t info;
	if (tid <= 0 || !valid(sig))
		return -EINVAL;
	signal_info_user(&info, sig, SI_TKILL);
	return kill_thread(0, tid, sig, &info);
}

/* ---- with a siginfo ---- */

#define INFO_USED 48 /* bytes of a siginfo_t that any code gives a meaning */

/* Codes that only one signal has, up to the last of them. */
static const int8_t last_code[SIGNAL_MAX + 1] = {
	[SIGILL] = NSIGILL,   [SIGFPE] = NSIGFPE,   [SIGSEGV] = NSIGSEGV,
	[SIGBUS] = NSIGBUS,   [SIGTRAP] = NSIGTRAP, [SIGCHLD] = NSIGCHLD,
	[SIGPOLL] = NSIGPOLL, [SIGSYS] = NSIGSYS,
};

/* Whether it is known what comes with such a code. */
static bool is_known_code(int32_t sig, int32_t code)
{
	if (code <= SI_USER)
		return code >= SI_DETHREAD || code == SI_ASYNCNL;
	if (code == SI_KERNEL)
		return true;
	bool own = valid(sig) && last_code[sig];
	return code <= (own ? last_code[sig] : NSIGPOLL);
}

int signal_info_in(siginfo_t *ret, uaddr_t from, int32_t sig)
{
	if (get_user(*ret, from))
		return -EFAULT;
	/* What a code that is not known yet comes with must be nothing. */
	return is_known_code(sig, ret->si_code)
		       ? 0
		       : copy_in_struct(ret, INFO_USED, from, sizeof *ret);
}

/* To others only codes that say "a process sent this" may be made up. */
static int check_code(siginfo_t *si, int32_t sig, int32_t tid)
{
	si->si_signo = sig;
	if ((si->si_code >= 0 || si->si_code == SI_TKILL) && tid != task_current()->tid)
		return -EPERM;
	return valid(sig) ? 0 : -EINVAL;
}

int64_t sys_rt_sigqueueinfo(int32_t pid, int32_t sig, uaddr_t info)
{
	siginfo_t si;
	int err = signal_info_in(&si, info, sig);
	if (!err)
		err = check_code(&si, sig, pid);
	if (err)
		return err;
	struct process *p = process_find(pid);
	if (!p)
		return -ESRCH;
	err = kill_one(p, sig, &si);
	process_put(p);
	return err;
}

int64_t sys_rt_tgsigqueueinfo(int32_t tgid, int32_t tid, int32_t sig, uaddr_t info)
{
	siginfo_t si;
	int err = signal_info_in(&si, info, sig);
	if (!err && (tgid <= 0 || tid <= 0))
		err = -EINVAL;
	if (!err)
		err = check_code(&si, sig, tid);
	return err ? err : kill_thread(tgid, tid, sig, &si);
}

/* Masks, actions, the alternate stack, and waiting for signals. */
#include <linux/signal.h>
#include <linux/time.h>

#include "core/wait.h"
#include "proc/proc.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

static struct pt_regs *my_regs(void)
{
	return task_user_regs(task_current());
}

int64_t sys_rt_sigaction(int32_t sig, uaddr_t act, uaddr_t oldact, uint64_t sigsetsize)
{
	struct sigaction new, old;
	if (sigsetsize != sizeof(sigset64_t))
		return -EINVAL;
	if (act.va && get_user(new, act))
		return -EFAULT;
	int err = sighand_set(sig, act.va ? &new : NULL, &old);
	if (!err && oldact.va)
		err = put_user(oldact, old);
	return err;
}

int64_t sys_rt_sigprocmask(int32_t how, uaddr_t set, uaddr_t oldset, uint64_t sigsetsize)
{
	sigset64_t old = task_current()->blocked, mask;
	if (sigsetsize != sizeof mask)
		return -EINVAL;
	if (set.va) {
		if (get_user(mask, set))
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK:
			mask |= old;
			break;
		case SIG_UNBLOCK:
			mask = old & ~mask;
			break;
		case SIG_SETMASK:
			break;
		default:
			return -EINVAL;
		}
		if ((mask & ~SIGSET_NEVER_BLOCKED) != old)
			sigmask_set(mask);
	}
	return oldset.va ? put_user(oldset, old) : 0;
}

int64_t sys_rt_sigpending(uaddr_t set, uint64_t sigsetsize)
{
	struct task *t = task_current();
	sigset64_t pending = signal_pending_set(t) & t->blocked;
	if (sigsetsize > sizeof pending)
		return -EINVAL;
	return copy_out(set, &pending, sigsetsize);
}

int64_t sys_rt_sigreturn(void)
{
	return sigframe_pop(my_regs());
}

int64_t sys_sigaltstack(uaddr_t ss, uaddr_t oss)
{
	uint64_t sp = my_regs()->rsp;
	stack_t new, old;
	if (ss.va && get_user(new, ss))
		return -EFAULT;
	sigaltstack_get(&old, sp);
	int err = ss.va ? sigaltstack_set(&new, sp) : 0;
	if (!err && oss.va)
		err = put_user(oss, old);
	return err;
}

/* ---- waiting ---- */

static int64_t wait_for_signal(void)
{
	(void)!sleep_until_intr(NO_DEADLINE);
	return -ERESTARTNOHAND;
}

int64_t sys_pause(void)
{
	return wait_for_signal();
}

int64_t sys_rt_sigsuspend(uaddr_t set, uint64_t sigsetsize)
{
	sigset64_t mask;
	if (sigsetsize != sizeof mask)
		return -EINVAL;
	if (get_user(mask, set))
		return -EFAULT;
	sigmask_set_until_signal(mask);
	return wait_for_signal();
}

int64_t sys_rt_sigtimedwait(uaddr_t set, uaddr_t info, uaddr_t timeout,
			    uint64_t sigsetsize)
{
	sigset64_t mask;
	siginfo_t si;
	uint64_t ns, deadline = NO_DEADLINE;
	if (sigsetsize != sizeof mask)
		return -EINVAL;
	if (get_user(mask, set))
		return -EFAULT;
	if (timeout.va) {
		int err = timespec_in(timeout, &ns);
		if (err)
			return err;
		deadline = deadline_after(ns);
	}
	int64_t sig = signal_wait(mask, deadline, &si);
	if (sig > 0 && info.va && put_user(info, si))
		return -EFAULT;
	return sig;
}

int64_t sys_restart_syscall(void)
{
	struct restart_block *r = &task_current()->restart;
	return r->fn ? r->fn(r) : -EINTR;
}

/*
 * The receiving side: masks, waiting for signals, default actions.
 * See signal.h for what always holds.
 */
#include <asm/errno.h>

#include "core/panic.h"
#include "proc/calltrace.h"
#include "proc/ptrace.h"
#include "proc/stop.h"

/* ---- masks ---- */

/* What only threads that blocked it could take may have to go to another now. */
static void retarget(struct process *p, struct task *me, sigset64_t newly_blocked)
{
	if (!(p->pending.set & newly_blocked))
		return;
	list_for_each(t, &p->tasks, struct task,
		      link) if (t != me && !t->exiting &&
				(p->pending.set & newly_blocked & ~t->blocked))
		thread_set_work(&t->thread, WORK_SIGNAL);
}

static void mask_set_locked(struct task *t, sigset64_t mask)
{
	sigset64_t old = t->blocked;
	t->blocked = mask & ~SIGSET_NEVER_BLOCKED;
	if (t->process->n_live > 1)
		retarget(t->process, t, t->blocked & ~old);
	signal_recalc(t);
}

void sigmask_set(sigset64_t mask)
{
	struct task *t = task_current();
	uint64_t flags = spin_lock_irq(&t->process->lock);
	mask_set_locked(t, mask);
	spin_unlock_irq(&t->process->lock, flags);
}

void sigmask_set_until_signal(sigset64_t mask)
{
	struct task *t = task_current();
	uint64_t flags = spin_lock_irq(&t->process->lock);
	t->saved_blocked = t->blocked;
	mask_set_locked(t, mask);
	spin_unlock_irq(&t->process->lock, flags);
	thread_set_work(&t->thread, WORK_RESTORE_SIGMASK);
}

int sigmask_set_temporary(uaddr_t set, size_t size)
{
	sigset64_t mask;
	if (!set.va)
		return 0;
	if (size != sizeof mask)
		return -EINVAL;
	int err = get_user(mask, set);
	if (!err)
		sigmask_set_until_signal(mask);
	return err;
}

void sigmask_end_temporary(bool interrupted)
{
	struct task *t = task_current();
	if (interrupted || !(thread_work(&t->thread) & WORK_RESTORE_SIGMASK))
		return;
	thread_clear_work(&t->thread, WORK_RESTORE_SIGMASK);
	sigmask_set(t->saved_blocked);
}

bool signal_current_ignores(int sig)
{
	struct task *t = task_current();
	return (t->blocked & SIG_BIT(sig)) ||
	       t->process->sighand->action[sig - 1].sa_handler == SIG_IGN;
}

/* ---- sigtimedwait ---- */

static void wait_set_change(struct task *t, sigset64_t set, sigset64_t blocked)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	t->wait_set = set;
	t->blocked = blocked;
	signal_recalc(t);
	spin_unlock_irq(&t->process->lock, flags);
}

int64_t signal_wait(sigset64_t set, uint64_t deadline, siginfo_t *ret)
{
	struct task *t = task_current();
	set &= ~SIGSET_NEVER_BLOCKED;
	int sig = signal_dequeue(set, ret);
	if (sig || deadline <= clock_mono())
		return sig ? sig : -EAGAIN;
	/* Unblocked while asleep, so that senders choose and wake this thread. */
	sigset64_t blocked = t->blocked;
	wait_set_change(t, set & blocked, blocked & ~set);
	int err = sleep_until_intr(deadline);
	wait_set_change(t, 0, blocked);
	sig = signal_dequeue(set, ret);
	if (sig)
		return sig;
	return err ? -EINTR : -EAGAIN;
}

/* ---- default actions ---- */

/* p->lock held; *a is a copy of the action, reset if it is one-shot. */
static void take_action(struct process *p, int sig, struct sigaction *a)
{
	spin_lock(&p->sighand->lock);
	struct sigaction *act = &p->sighand->action[sig - 1];
	*a = *act;
	if ((a->sa_flags & SA_RESETHAND) && a->sa_handler != SIG_DFL &&
	    a->sa_handler != SIG_IGN)
		act->sa_handler = SIG_DFL;
	spin_unlock(&p->sighand->lock);
}

/* A signal that ends the group from afar stays queued: the first thread that comes here
 * tells of it. */
static bool took_fatal(struct process *p, siginfo_t *ret)
{
	int sig = p->exiting ? p->exit_status & 0x7f : 0;
	return sig && sig != SIGKILL &&
	       signal_dequeue_locked(task_current(), SIG_BIT(sig), ret);
}

/* `took`: the signal that this thread took itself; NULL: none. */
static noreturn_fn void end_here(struct process *p, const siginfo_t *took, uint64_t flags)
{
	int32_t status = p->exiting ? p->exit_status : 0;
	siginfo_t info;
	if (unlikely(task_current()->calltrace) && !took && took_fatal(p, &info))
		took = &info;
	spin_unlock_irq(&p->lock, flags);
	if (unlikely(task_current()->calltrace) && took && took->si_signo != SIGKILL)
		calltrace_signal(took);
	task_exit(status);
}

/* SIGTSTP, SIGTTIN and SIGTTOU do nothing in an orphaned group. The look at the group
 * needs tasklist_lock, so p->lock is dropped; a SIGCONT that comes then, or came while
 * the tracer was asked, takes the stop back: `conts` were there when the signal was
 * taken. The caller's next look at its duties parks it. */
static uint64_t default_stop(struct process *p, int sig, uint32_t conts, uint64_t flags)
{
	if (sig != SIGSTOP) {
		spin_unlock_irq(&p->lock, flags);
		flags = spin_lock_irq(&tasklist_lock);
		bool orphaned = group_is_orphaned(p->pgrp, NULL);
		spin_unlock_irq(&tasklist_lock, flags);
		flags = spin_lock_irq(&p->lock);
		if (orphaned)
			return flags;
	}
	if (p->cont_count == conts)
		stop_begin(sig);
	return flags;
}

static bool must_end(const struct process *p)
{
	return p->exiting || (p->exec_task && p->exec_task != task_current());
}

/* Duties that come before any signal. */
static uint64_t group_duties(struct process *p, uint64_t flags)
{
	for (;;) {
		if (must_end(p))
			end_here(p, NULL, flags);
		if (p->notify_code) {
			int code = p->notify_code;
			p->notify_code = 0;
			spin_unlock_irq(&p->lock, flags);
			stop_tell_parent(p, code);
			flags = spin_lock_irq(&p->lock);
		} else if (trace_must_trap(task_current())) {
			flags = trace_trap(flags);
		} else if (p->stop_state != STOP_NONE && !task_current()->trace.tracer) {
			flags = stop_park(flags);
		} else {
			thread_clear_work(thread_current(), WORK_STOP);
			return flags;
		}
	}
}

static int take_next(struct process *p, struct task *t, siginfo_t *info,
		     struct sigaction *a, uint64_t *flags)
{
	for (;;) {
		*flags = group_duties(p, *flags);
		int sig = signal_dequeue_locked(t, ~t->blocked, info);
		if (!sig)
			return 0;
		uint32_t conts = p->cont_count;
		if (unlikely(t->trace.tracer && sig != SIGKILL)) {
			sig = trace_signal(sig, info, flags);
			if (!sig)
				continue;
		}
		take_action(p, sig, a);
		if (a->sa_handler == SIG_IGN)
			continue;
		if (a->sa_handler != SIG_DFL)
			return sig;
		if ((SIG_BIT(sig) & SIGNALS_IGNORED_BY_DEFAULT) || p->unkillable)
			continue;
		if (SIG_BIT(sig) & SIGNALS_STOPPING) {
			*flags = default_stop(p, sig, conts, *flags);
			continue;
		}
		p->exiting = true;
		p->exit_status = sig;
		signal_kill_threads(p, t);
		end_here(p, info, *flags);
	}
}

int signal_get(siginfo_t *ret_info, struct sigaction *ret_action)
{
	struct task *t = task_current();
	struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&p->lock);
	int sig = take_next(p, t, ret_info, ret_action, &flags);
	signal_recalc(t);
	spin_unlock_irq(&p->lock, flags);
	return sig;
}

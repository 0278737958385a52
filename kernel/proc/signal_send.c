/*
 * Sending signals: who gets one, what it undoes, and what is dropped at the door.
 * See signal.h for what always holds.
 */
#include <asm/errno.h>

#include "core/panic.h"
#include "proc/ptrace.h"

/* Racy without sighand->lock, as POSIX allows: a concurrent sigaction is before or
 * after. */
static __sighandler_t handler_of(struct process *p, int sig)
{
	return __atomic_load_n(&p->sighand->action[sig - 1].sa_handler, __ATOMIC_RELAXED);
}

static bool is_ignored(struct process *p, int sig, bool force)
{
	__sighandler_t h = handler_of(p, sig);
	if (h == SIG_IGN)
		return true;
	if (h != SIG_DFL)
		return false;
	if (p->unkillable && !force)
		return true; /* G5 */
	return SIG_BIT(sig) & SIGNALS_IGNORED_BY_DEFAULT;
}

/* A blocked signal is kept even if it is ignored now: the action may change before it is
 * unblocked. t NULL: any thread. */
static bool is_dropped(struct process *p, struct task *t, int sig, bool force)
{
	if (!t)
		t = p->leader;
	/* A tracer sees what its tracee ignores. */
	if (t->trace.tracer && sig != SIGKILL)
		return false;
	sigset64_t held = t->blocked | t->wait_set;
	if ((held & SIG_BIT(sig)) &&
	    !(p->unkillable && (SIG_BIT(sig) & SIGSET_NEVER_BLOCKED)))
		return false;
	return is_ignored(p, sig, force);
}

static void flush_everywhere(struct process *p, sigset64_t set)
{
	sigpending_flush(&p->pending, set);
	list_for_each(t, &p->tasks, struct task, link) sigpending_flush(&t->pending, set);
}

/* SIGCONT's effect at generation: the threads run again, whatever its action is. */
static void stop_end(struct process *p)
{
	if (p->stop_state == STOP_NONE)
		return;
	p->notify_code = p->stop_state == STOP_DONE ? CLD_CONTINUED : CLD_STOPPED;
	p->continue_waitable = p->stop_state == STOP_DONE;
	p->stop_waitable = false;
	p->stop_state = STOP_NONE;
	p->stop_count = 0;
	list_for_each(t, &p->tasks, struct task, link)
	{
		t->stop_counted = false;
		if (t->exiting)
			continue;
		trace_group_changed(t);
		if (t->trace.stopped)
			continue; /* only its tracer lets it run */
		thread_set_work(&t->thread, WORK_SIGNAL);
		sched_wake_state(&t->thread, BIT(THREAD_STOPPED));
	}
}

/* False: nobody is left to get it. */
static bool prepare(struct process *p, int sig)
{
	if (!p->n_live || (p->exiting && sig != SIGKILL))
		return false;
	if (SIG_BIT(sig) & SIGNALS_STOPPING) {
		flush_everywhere(p, SIG_BIT(SIGCONT));
	} else if (sig == SIGCONT) {
		flush_everywhere(p, SIGNALS_STOPPING);
		p->cont_count++;
		stop_end(p);
	}
	return true;
}

static bool takes(const struct task *t, int sig)
{
	if (t->exiting || (t->blocked & SIG_BIT(sig)))
		return false;
	return sig == SIGKILL || !(t->stopped || t->trace.stopped);
}

static struct task *choose_thread(struct process *p, struct task *preferred, bool any,
				  int sig)
{
	if (takes(preferred, sig))
		return preferred;
	if (!any)
		return NULL;
	list_for_each(t, &p->tasks, struct task, link) if (takes(t, sig)) return t;
	return NULL;
}

static bool is_fatal(struct process *p, struct task *t, int sig)
{
	if (sig == SIGKILL)
		return true;
	if (t->trace.tracer) /* which has a say first */
		return false;
	if (t->wait_set & SIG_BIT(sig))
		return false;
	return handler_of(p, sig) == SIG_DFL && !p->unkillable &&
	       !(SIG_BIT(sig) & (SIGNALS_STOPPING | SIGNALS_IGNORED_BY_DEFAULT));
}

void signal_kill_threads(struct process *p, struct task *spare)
{
	must_hold(&p->lock);
	list_for_each(t, &p->tasks, struct task, link) if (t != spare && !t->exiting)
		thread_set_work(&t->thread, WORK_KILL | WORK_SIGNAL);
}

/* The signal is queued: wake who can take it, or end the process at once. */
static void complete(struct process *p, struct task *preferred, bool any, int sig)
{
	struct task *t = choose_thread(p, preferred, any, sig);
	if (!t)
		return;
	if (is_fatal(p, t, sig) && !p->exiting) {
		p->exiting = true;
		p->exit_status = sig;
		signal_kill_threads(p, NULL);
		return;
	}
	thread_set_work(&t->thread,
			sig == SIGKILL ? WORK_KILL | WORK_SIGNAL : WORK_SIGNAL);
}

/* Puts it on the queue. False: it is pending already (G4). */
static bool enqueue(struct sigpending *s, struct task *t, int sig, const siginfo_t *info,
		    bool force, int *ret_err)
{
	bool standard = sig < SIGRTMIN;
	if (standard && (s->set & SIG_BIT(sig)))
		return false;
	struct sigqueue *q = NULL;
	if (info || !standard)
		q = sigqueue_new(t, force || standard);
	if (q) {
		q->info = info ? *info : (siginfo_t){ .si_code = SI_KERNEL };
		q->info.si_signo = sig;
		list_push_back(&s->queue, &q->link);
	} else if (!standard && info && info->si_code != SI_USER) {
		*ret_err = -EAGAIN;
		return false;
	} else if (!info) {
		s->bare |= SIG_BIT(sig);
	}
	s->set |= SIG_BIT(sig);
	return true;
}

/* p->lock held. `t` names the thread, or the one to prefer when `any`. */
static int send_locked(struct process *p, struct task *t, bool any, int sig,
		       const siginfo_t *info, bool force)
{
	int err = 0;
	if (!prepare(p, sig) || is_dropped(p, any ? NULL : t, sig, force))
		return 0;
	if (enqueue(any ? &p->pending : &t->pending, t, sig, info, force, &err)) {
		if (p->has_watchers)
			wake_all(&signal_watchers);
		complete(p, t, any, sig);
	}
	return err;
}

void signal_requeue(struct task *t, int sig, const siginfo_t *info)
{
	must_hold(&t->process->lock);
	(void)send_locked(t->process, t, false, sig, info, true);
}

static struct task *preferred_thread(struct process *p)
{
	struct task *me = task_current();
	return thread_current()->task && me->process == p ? me : p->leader;
}

int signal_send_process(struct process *p, int sig, const siginfo_t *info)
{
	if (!sig)
		return 0;
	uint64_t flags = spin_lock_irq(&p->lock);
	int err = 0;
	if (p->leader)
		err = send_locked(p, preferred_thread(p), true, sig, info, false);
	spin_unlock_irq(&p->lock, flags);
	return err;
}

int signal_send_task(struct task *t, int sig, const siginfo_t *info)
{
	if (!sig)
		return 0;
	struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&p->lock);
	int err = 0;
	if (!t->exiting && p->leader)
		err = send_locked(p, t, false, sig, info, false);
	spin_unlock_irq(&p->lock, flags);
	return err;
}

int signal_send_group(int32_t pgrp, int sig, const siginfo_t *info)
{
	int err = -ESRCH;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct pid *pid = pid_find(pgrp);
	if (pid) {
		list_for_each(p, &pid->group, struct process, group_link)
		{
			(void)signal_send_process(p, sig, info);
			err = 0;
		}
	}
	spin_unlock_irq(&tasklist_lock, flags);
	return err;
}

/* Linux's rule for O_ASYNC; p->lock is taken. */
static bool owner_may_send(struct process *p, const struct file_owner *o)
{
	uint64_t flags = spin_lock_irq(&p->lock);
	const struct cred *c = p->leader ? p->leader->thread.cred : NULL;
	bool ok = c && (o->euid == 0 || o->euid == c->suid || o->euid == c->uid ||
			o->uid == c->suid || o->uid == c->uid);
	spin_unlock_irq(&p->lock, flags);
	return ok;
}

int signal_send_owned(const struct file_owner *o, int sig, const siginfo_t *info)
{
	int err = 0;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct pid *pid = pid_find(o->pid);
	if (pid && o->type == F_OWNER_PGRP) {
		list_for_each(p, &pid->group, struct process, group_link)
		{
			int one = owner_may_send(p, o) ? signal_send_process(p, sig, info)
						       : 0;
			err = one ? one : err;
		}
	} else if (pid && o->type == F_OWNER_TID) {
		if (pid->task && owner_may_send(pid->task->process, o))
			err = signal_send_task(pid->task, sig, info);
	} else if (pid && pid->process && owner_may_send(pid->process, o)) {
		err = signal_send_process(pid->process, sig, info);
	}
	spin_unlock_irq(&tasklist_lock, flags);
	return err;
}

void signal_send(int sig)
{
	(void)signal_send_process(process_current(), sig, NULL);
}

void signal_force(int sig, const siginfo_t *info)
{
	struct task *t = task_current();
	struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&p->lock);
	spin_lock(&p->sighand->lock);
	struct sigaction *a = &p->sighand->action[sig - 1];
	bool blocked = t->blocked & SIG_BIT(sig);
	if (blocked || a->sa_handler == SIG_IGN) {
		a->sa_handler = SIG_DFL;
		t->blocked &= ~SIG_BIT(sig);
	}
	if (a->sa_handler == SIG_DFL && !t->trace.tracer)
		p->unkillable = false;
	spin_unlock(&p->sighand->lock);
	(void)send_locked(p, t, false, sig, info, true);
	signal_recalc(t);
	spin_unlock_irq(&p->lock, flags);
}

bool signal_send_timer(struct task *t, bool whole_process, struct sigqueue *q)
{
	struct process *p = t->process;
	int sig = q->info.si_signo;
	must_hold(&p->lock);
	if (!list_empty(&q->link))
		return true;
	if (!p->leader || (!whole_process && t->exiting) || !prepare(p, sig) ||
	    is_dropped(p, whole_process ? NULL : t, sig, false))
		return false;
	struct sigpending *s = whole_process ? &p->pending : &t->pending;
	list_push_back(&s->queue, &q->link);
	s->set |= SIG_BIT(sig);
	complete(p, t, whole_process, sig);
	return true;
}

static bool queue_holds(const struct sigpending *s, int sig)
{
	list_for_each(q, &s->queue, struct sigqueue,
		      link) if (q->info.si_signo == sig) return true;
	return false;
}

static void set_update(struct sigpending *s, int sig)
{
	if (!queue_holds(s, sig) && !(s->bare & SIG_BIT(sig)))
		s->set &= ~SIG_BIT(sig);
}

void signal_cancel_timer(struct process *p, struct sigqueue *q)
{
	must_hold(&p->lock);
	if (list_empty(&q->link))
		return;
	list_del(&q->link);
	set_update(&p->pending, q->info.si_signo);
	list_for_each(t, &p->tasks, struct task, link)
		set_update(&t->pending, q->info.si_signo);
}

void signal_info_user(siginfo_t *info, int sig, int code)
{
	*info = (siginfo_t){ 0 };
	info->si_signo = sig;
	info->si_code = code;
	info->si_pid = process_current()->pid;
	info->si_uid = thread_current()->cred->uid;
}

int signal_may_send(struct process *to, int sig)
{
	struct process *me = process_current();
	if (to == me)
		return 0;
	const struct cred *mine = thread_current()->cred;
	uint64_t flags = spin_lock_irq(&to->lock);
	const struct cred *c = to->leader ? to->leader->thread.cred : mine;
	bool ok = mine->euid == c->suid || mine->euid == c->uid || mine->uid == c->suid ||
		  mine->uid == c->uid || cred_has_cap(mine, CAP_KILL);
	spin_unlock_irq(&to->lock, flags);
	if (sig == SIGCONT && to->session == me->session)
		ok = true;
	return ok ? 0 : -EPERM;
}

/*
 * Who traces whom: attaching, inheriting, letting go. See ptrace.h for what always holds.
 */
#include <asm/errno.h>

#include "core/panic.h"
#include "proc/audit.h"
#include "proc/policy.h"
#include "proc/ptrace.h"
#include "proc/reap.h"

/* ---- may it be ---- */

/* t's process->lock held. Process 1 is nobody's to see or to change, not even root's: it
 * holds the way out of the VM and makes the report. */
static bool may_trace_locked(const struct task *t, const struct cred *c,
			     enum trace_ids ids)
{
	const struct space *s = t->thread.space;
	if (t->process == init_process || !policy_may_trace(t, task_current()))
		return false;
	return sec_may_trace(c, t->thread.cred, !s || s->dumpable, ids);
}

bool task_may_trace(struct task *t, const struct cred *c, enum trace_ids ids)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	bool may = may_trace_locked(t, c, ids);
	spin_unlock_irq(&t->process->lock, flags);
	return may;
}

/* Verdict and space come from one look: an execve is before both or after both. */
int task_space_for_tracer(struct task *t, struct space **ret)
{
	struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&p->lock);
	bool may = p == process_current() ||
		   may_trace_locked(t, thread_current()->cred, TRACE_BY_REAL_IDS);
	struct space *s = may ? t->thread.space : NULL;
	if (s)
		space_get(s);
	spin_unlock_irq(&p->lock, flags);
	if (!s)
		return may ? -ESRCH : -EPERM;
	*ret = s;
	return 0;
}

/* ---- the link ---- */

void trace_link(struct task *t, struct task *tracer, bool capable)
{
	must_hold(&tasklist_lock);
	must_hold(&t->process->lock);
	insist(!t->trace.tracer);
	t->trace.tracer = tracer;
	t->trace.capable = capable;
	list_push_back(&tracer->process->tracees, &t->trace.link);
}

void trace_unlink(struct task *t)
{
	struct trace *tr = &t->trace;
	must_hold(&tasklist_lock);
	must_hold(&t->process->lock);
	if (!tr->tracer)
		return;
	if (tr->stopped)
		trace_step_off(t);
	list_del(&tr->link);
	tr->tracer = NULL;
	tr->options = 0;
	tr->seized = tr->capable = tr->trap_stop = tr->trap_notify = false;
	tr->stopped = tr->listening = tr->waitable = false;
	tr->sysemu = tr->calls = tr->step = false;
	thread_clear_work(&t->thread, WORK_TRACE);
	if (t->exiting)
		return;
	/* It takes part in a group stop again as everybody does. */
	if (t->process->stop_state != STOP_NONE)
		thread_set_work(&t->thread, WORK_STOP);
	sched_wake_state(&t->thread, BIT(THREAD_STOPPED));
}

void trace_inherit(struct task *child, const struct task *parent)
{
	trace_link(child, parent->trace.tracer, parent->trace.capable);
	child->trace.options = parent->trace.options;
	child->trace.seized = parent->trace.seized;
	if (child->trace.seized) {
		child->trace.trap_stop = true;
		thread_set_work(&child->thread, WORK_STOP);
	} else {
		child->pending.set |= SIG_BIT(SIGSTOP);
		thread_set_work(&child->thread, WORK_SIGNAL);
	}
}

void trace_group_changed(struct task *t)
{
	struct trace *tr = &t->trace;
	must_hold(&t->process->lock);
	if (!tr->tracer || !tr->seized)
		return;
	tr->trap_notify = true;
	thread_set_work(&t->thread, WORK_STOP);
	if (tr->stopped && tr->listening) {
		tr->stopped = false;
		sched_wake_state(&t->thread, BIT(THREAD_STOPPED));
	}
}

/* ---- the tracer's end ---- */

static void let_go(struct task *t, struct process *tracer, struct reaped *r)
{
	struct process *p = t->process;
	spin_lock(&p->lock);
	trace_unlink(t);
	spin_unlock(&p->lock);
	if (t != p->leader && t->gone)
		reap_thread(t, r);
	else if (t == p->leader && p->zombie)
		reap_untraced(p, tracer, r);
}

static struct task *first_tracee(const struct task *tracer)
{
	list_for_each(t, &tracer->process->tracees, struct task,
		      trace.link) if (t->trace.tracer == tracer) return t;
	return NULL;
}

void trace_tracer_exit(struct task *tracer, struct reaped *r)
{
	struct task *t;
	must_hold(&tasklist_lock);
	/* From the start each time: letting one go may let others go. */
	while ((t = first_tracee(tracer))) {
		if (t->trace.options & PTRACE_O_EXITKILL)
			(void)signal_send_process(t->process, SIGKILL, NULL);
		let_go(t, tracer->process, r);
	}
}

/* ---- attaching ---- */

/* The thread of the parent that made the running process, or another if it has ended. */
static struct task *parent_thread(const struct process *p)
{
	struct pid *pid = pid_find(p->forker);
	struct task *t = pid ? pid->task : NULL;
	if (t && t->process == p->parent && !t->exiting)
		return t;
	list_for_each(o, &p->parent->tasks, struct task, link) if (!o->exiting) return o;
	return NULL;
}

int trace_me(void)
{
	struct task *me = task_current(), *parent;
	struct process *p = me->process;
	struct cred *c = NULL;
	struct audit_draft told;
	int err = audit_begin(&told, AUDIT_EVENT_TRACE, AUDIT_CAUSE_ASKED);
	if (err)
		return err;
	audit_object(&told, me->tid);
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	parent = parent_thread(p);
	if (parent)
		c = task_cred_get(parent);
	spin_lock(&p->lock);
	if (me->trace.tracer || (parent && !policy_may_trace(me, parent)) ||
	    (c && !sec_may_be_traced(me->thread.cred, c)))
		err = -EPERM;
	if (!err && parent) {
		trace_link(me, parent, cred_holds_cap(me->thread.cred, CAP_SYS_PTRACE));
		audit_add(&told, me->thread.cred, me->thread.cred, 0);
	}
	spin_unlock(&p->lock);
	spin_unlock_irq(&tasklist_lock, flags);
	audit_cancel(&told);
	cred_put(c);
	return err;
}

/* Both locks held. */
static int attach_locked(struct task *t, bool seize, uint32_t options)
{
	struct task *me = task_current();
	const struct cred *c = me->thread.cred;
	if (!may_trace_locked(t, c, TRACE_BY_REAL_IDS) || t->exiting || t->trace.tracer)
		return -EPERM;
	trace_link(t, me, cred_holds_cap(c, CAP_SYS_PTRACE));
	t->trace.seized = seize;
	t->trace.options = options;
	if (t->stopped) { /* in a group stop: it makes that one of ours */
		t->trace.trap_stop = true;
		sched_wake_state(&t->thread, BIT(THREAD_STOPPED));
	}
	return 0;
}

static bool trap_answered(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	bool done = !t->trace.trap_stop || !t->trace.tracer || t->exiting;
	spin_unlock_irq(&t->process->lock, flags);
	return done;
}

int trace_attach(struct task *t, bool seize, uint32_t options)
{
	struct process *p = t->process;
	const struct cred *c = thread_current()->cred;
	struct audit_draft told;
	if (p == process_current())
		return -EPERM;
	int err = audit_begin(&told, AUDIT_EVENT_TRACE, AUDIT_CAUSE_ASKED);
	if (err)
		return err;
	audit_object(&told, t->tid);
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	spin_lock(&p->lock);
	bool was_stopped = t->stopped;
	err = attach_locked(t, seize, options);
	if (!err)
		audit_add(&told, c, c, 0);
	spin_unlock(&p->lock);
	if (!err && !seize)
		(void)signal_send_task(t, SIGSTOP, NULL);
	spin_unlock_irq(&tasklist_lock, flags);
	audit_cancel(&told);
	/* A wait right after this call finds it stopped, as it was before. */
	if (!err && was_stopped)
		(void)!wait_event_killable(&process_current()->child_wait,
					   trap_answered(t));
	return err;
}

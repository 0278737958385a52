/*
 * Waiting for children and tracees: wait4(2) and waitid(2) in one. A child is a process;
 * a tracee is a thread, and what it reports is its own. A child that the caller's process
 * traces is looked at as a tracee alone.
 */
#include <asm/errno.h>
#include <linux/wait.h>

#include "proc/ptrace.h"
#include "proc/reap.h"

/* `t` is a tracee, or a child's leader. */
static bool is_named(const struct task *t, const struct wait_request *r)
{
	const struct process *c = t->process;
	switch (r->which) {
	case P_PID:
		return t->tid == r->id;
	case P_PGID:
		return c->pgrp == (r->id ? r->id : process_current()->pgrp);
	case P_PIDFD:
		return c == r->process && t == c->leader;
	default:
		return true;
	}
}

static bool selected(const struct process *c, const struct wait_request *r)
{
	bool clone_child = c->exit_signal != SIGCHLD;
	if (!(r->options & __WALL) && clone_child != !!(r->options & __WCLONE))
		return false;
	return is_named(c->leader, r);
}

static void describe(const struct task *t, struct wait_result *ret, int32_t code,
		     int32_t status)
{
	struct process *c = t->process;
	*ret = (struct wait_result){
		.pid = t->tid,
		.uid = t->thread.cred->uid,
		.code = code,
		.status = status,
	};
	process_usage(c, &ret->usage);
	usage_add(&ret->usage, &c->dead_children);
}

static void report_exit(const struct task *t, struct wait_result *ret, int32_t wstatus)
{
	int32_t status, code = wstatus_code(wstatus, &status);
	describe(t, ret, code, status);
	ret->wstatus = wstatus;
}

/* A stop or continue that has not been reported yet. */
static bool report_change(struct process *c, const struct wait_request *r,
			  struct wait_result *ret)
{
	bool keep = r->options & WNOWAIT;
	int32_t code = 0, sig = 0, wstatus = 0;
	spin_lock(&c->lock);
	if ((r->options & WSTOPPED) && c->stop_state == STOP_DONE && c->stop_waitable) {
		code = CLD_STOPPED;
		sig = c->stop_signal;
		wstatus = sig << 8 | 0x7f;
		c->stop_waitable = keep;
	} else if ((r->options & WCONTINUED) && c->continue_waitable) {
		code = CLD_CONTINUED;
		sig = SIGCONT;
		wstatus = 0xffff;
		c->continue_waitable = keep;
	}
	spin_unlock(&c->lock);
	if (!code)
		return false;
	describe(c->leader, ret, code, sig);
	ret->wstatus = wstatus;
	return true;
}

/* What one look at the children found. */
struct found {
	bool any;	       /* one that could be waited for */
	struct reaped *reaped; /* zombies to free */
};

static bool is_mine(const struct task *tracee)
{
	return tracee->trace.tracer && tracee->trace.tracer->process == process_current();
}

/* Only who is waited for counts among the children's times (getrusage(2)). */
static void reap_waited(struct process *c, struct reaped *r)
{
	struct rusage_acc *to = &c->parent->dead_children;
	usage_add(to, &c->dead_threads);
	usage_add(to, &c->dead_children);
	reap_process(c, r);
}

/* True: c has something to report, and it is in *ret. */
static bool look_at(struct process *c, const struct wait_request *r,
		    struct wait_result *ret, struct found *f)
{
	if (!selected(c, r) || is_mine(c->leader))
		return false;
	f->any = true;
	if (!c->zombie)
		return report_change(c, r, ret);
	if (!(r->options & WEXITED) || c->leader->trace.tracer)
		return false; /* its tracer comes first */
	report_exit(c->leader, ret, c->exit_status);
	if (!(r->options & WNOWAIT))
		reap_waited(c, f->reaped);
	return true;
}

/* ---- tracees ---- */

/* A stop of its own that has not been reported yet. */
static bool report_trace_stop(struct task *t, const struct wait_request *r,
			      struct wait_result *ret)
{
	struct trace *tr = &t->trace;
	spin_lock(&t->process->lock);
	bool is = tr->stopped && tr->waitable && !tr->listening;
	if (is && !(r->options & WNOWAIT)) {
		tr->waitable = false;
		tr->inject = 0;
	}
	spin_unlock(&t->process->lock);
	if (!is)
		return false;
	describe(t, ret, CLD_TRAPPED, tr->code);
	ret->wstatus = tr->code << 8 | 0x7f;
	return true;
}

static bool report_tracee_end(struct task *t, const struct wait_request *r,
			      struct wait_result *ret, struct found *f)
{
	struct process *c = t->process;
	bool leads = t == c->leader;
	if (!(r->options & WEXITED) || !(leads ? c->zombie : t->gone))
		return false;
	report_exit(t, ret, leads ? c->exit_status : t->exit_status);
	if (r->options & WNOWAIT)
		return true;
	if (!leads) {
		reap_thread(t, f->reaped);
	} else if (c->parent == process_current()) {
		reap_waited(c, f->reaped);
	} else {
		spin_lock(&c->lock);
		trace_unlink(t);
		spin_unlock(&c->lock);
		reap_untraced(c, process_current(), f->reaped);
	}
	return true;
}

static bool look_at_tracee(struct task *t, const struct wait_request *r,
			   struct wait_result *ret, struct found *f)
{
	if ((r->options & __WNOTHREAD) && t->trace.tracer != task_current())
		return false;
	if (!is_named(t, r))
		return false;
	f->any = true;
	if (report_trace_stop(t, r, ret) || report_tracee_end(t, r, ret, f))
		return true;
	/* Job control's stops are told by the threads themselves. */
	struct wait_request continued = *r;
	continued.options &= ~(uint32_t)WSTOPPED;
	return t == t->process->leader && !t->process->zombie &&
	       report_change(t->process, &continued, ret);
}

static bool look_at_all(const struct wait_request *r, struct wait_result *ret,
			struct found *f)
{
	struct process *me = process_current();
	if (r->which == P_PID) {
		struct pid *pid = pid_find(r->id);
		struct process *c = pid ? pid->process : NULL;
		if (c && c->parent == me && look_at(c, r, ret, f))
			return true;
		return pid && pid->task && is_mine(pid->task) &&
		       look_at_tracee(pid->task, r, ret, f);
	}
	list_for_each(c, &me->children, struct process,
		      sibling) if (look_at(c, r, ret, f)) return true;
	list_for_each(t, &me->tracees, struct task,
		      trace.link) if (look_at_tracee(t, r, ret, f)) return true;
	return false;
}

/* True: the wait is over, with *ret_err; -EAGAIN: nothing yet, and none is to be waited
 * for. */
static bool look(const struct wait_request *r, struct wait_result *ret, int *ret_err,
		 struct reaped *reaped)
{
	struct found f = { .reaped = reaped };
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	bool done = look_at_all(r, ret, &f);
	spin_unlock_irq(&tasklist_lock, flags);
	*ret_err = done ? 0 : f.any ? -EAGAIN : -ECHILD;
	return done || !f.any || (r->options & WNOHANG);
}

int process_wait(const struct wait_request *r, struct wait_result *ret)
{
	struct reaped reaped = REAPED_INIT(reaped);
	int err;
	int interrupted = wait_event_intr(&process_current()->child_wait,
					  look(r, ret, &err, &reaped));
	/* The signal may well be the SIGCHLD of the child that is waited for. */
	if (interrupted && look(r, ret, &err, &reaped))
		interrupted = 0;
	reaped_free(&reaped);
	if (interrupted)
		return interrupted;
	if (err == -EAGAIN) {
		ret->pid = 0;
		return 0;
	}
	return err;
}

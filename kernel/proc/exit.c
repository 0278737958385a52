/*
 * The end of threads and processes: giving everything back, finding new parents, telling
 * the old one.
 *
 * A process is a zombie once its last thread has passed exit_notify; its struct process
 * and leader task stay until a wait (or an indifferent parent) reaps them.
 */
#include <asm/errno.h>
#include <linux/wait.h>

#include "core/log.h"
#include "core/panic.h"
#include "lib/vm_exit.h"
#include "proc/calltrace.h"
#include "proc/clone.h"
#include "proc/futex.h"
#include "proc/ptrace.h"
#include "proc/reap.h"
#include "proc/seccomp.h"
#include "proc/stop.h"

/* ---- reaping ---- */

void process_reap(struct process *p)
{
	must_hold(&tasklist_lock);
	list_del(&p->sibling);
	p->zombie = false;
	p->reaped = true;
	spin_lock(&p->lock);
	trace_unlink(p->leader);
	list_del(&p->leader->link);
	spin_unlock(&p->lock);
	wake_all(&p->end_wait);

	struct pid *pid = pid_find(p->pid);
	insist(pid && pid->process == p);
	pid->process = NULL;
	pid->task = NULL;
	group_leave(p);
	pid = pid_find(p->pid); /* gone if it was its own group's number */
	if (pid)
		pid_release_if_unused(pid);
}

void process_release(struct process *p)
{
	uint64_t flags = spin_lock_irq(&p->lock);
	struct task *leader = p->leader;
	p->leader = NULL;
	spin_unlock_irq(&p->lock, flags);
	if (p->tty)
		tty_put(p->tty);
	p->tty = NULL;
	task_put(leader);
	process_put(p);
}

/* True: the parent will not ask; it is for the caller to release. */
static bool become_zombie(struct process *p)
{
	const struct task *tracer = p->leader->trace.tracer;
	bool reap = false;
	p->zombie = true;
	wake_all(&p->end_wait);
	if (!tracer || tracer->process == p->parent) {
		reap = signal_notify_exit(p);
	} else if (signal_notify_tracer_exit(p->leader)) {
		spin_lock(&p->lock);
		trace_unlink(p->leader);
		spin_unlock(&p->lock);
		reap = signal_notify_exit(p);
	}
	if (reap)
		process_reap(p);
	return reap;
}

/* The last to pass exit_notify need not be the last that was alive; and traced ones are
 * there until their tracer has seen them. */
static bool all_gone(const struct process *p)
{
	return p->n_tasks == 1 && p->leader->gone && !p->zombie;
}

void reap_thread(struct task *t, struct reaped *r)
{
	struct process *p = t->process;
	must_hold(&tasklist_lock);
	spin_lock(&p->lock);
	trace_unlink(t);
	task_unlink(t);
	if (p->exec_task)
		wake_all(&p->exec_wait);
	bool last = all_gone(p);
	spin_unlock(&p->lock);
	list_push_back(&r->tasks, &t->link);
	if (last && become_zombie(p))
		list_push_back(&r->processes, &p->sibling);
}

void reap_process(struct process *p, struct reaped *r)
{
	process_reap(p);
	list_push_back(&r->processes, &p->sibling);
}

void reap_untraced(struct process *p, const struct process *tracer, struct reaped *r)
{
	/* A parent that was the tracer itself has heard of it. */
	bool reap = tracer == p->parent ? signal_parent_ignores_exit(p)
					: signal_notify_exit(p);
	if (reap)
		reap_process(p, r);
}

void reaped_free(struct reaped *r)
{
	list_for_each_safe(t, &r->tasks, struct task, link)
	{
		list_del(&t->link);
		task_put(t);
	}
	list_for_each_safe(p, &r->processes, struct process, sibling)
	{
		list_del(&p->sibling);
		process_release(p);
	}
}

/* ---- the children ---- */

static struct process *new_parent(struct process *p)
{
	for (struct process *a = p->parent; a; a = a->parent)
		if (a->is_subreaper && a->n_live)
			return a;
	return init_process;
}

/* Whether the link from child to parent keeps the child's group from being orphaned. */
static bool holds_group(const struct process *parent, const struct process *child)
{
	return parent && parent->pgrp != child->pgrp && parent->session == child->session;
}

/* A group that just lost such a link, is orphaned now and has a stopped member, is told
 * (POSIX, _exit()). */
static void group_maybe_orphaned(struct process *member, struct process *leaving)
{
	int32_t pgrp = member->pgrp;
	if (!group_is_orphaned(pgrp, leaving) || !group_has_stopped(pgrp))
		return;
	struct pid *pid = pid_find(pgrp);
	list_for_each(p, &pid->group, struct process, group_link)
	{
		(void)signal_send_process(p, SIGHUP, NULL);
		(void)signal_send_process(p, SIGCONT, NULL);
	}
}

static void parent_death_signals(struct process *child)
{
	list_for_each(t, &child->tasks, struct task, link)
	{
		if (!t->pdeath_signal)
			continue;
		siginfo_t info;
		signal_info_user(&info, t->pdeath_signal, SI_USER);
		(void)signal_send_task(t, t->pdeath_signal, &info);
	}
}

/* Zombies that the new parent ignores are reaped; those of a tracer are still its. */
static void forget_children(struct process *p, struct reaped *r)
{
	list_for_each_safe(c, &p->children, struct process, sibling)
	{
		struct process *to = new_parent(p);
		bool held = holds_group(p, c);
		parent_death_signals(c);
		c->parent = to;
		c->parent_pid = to->pid;
		c->exit_signal = SIGCHLD;
		list_del(&c->sibling);
		list_push_back(&to->children, &c->sibling);
		if (c->zombie && !c->leader->trace.tracer && signal_notify_exit(c))
			reap_process(c, r);
		if (held)
			group_maybe_orphaned(c, NULL);
	}
}

/* ---- the steps ---- */

/* True: this was the last thread. */
static bool exit_begin(struct task *t, int32_t status)
{
	struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&p->lock);
	t->exiting = true;
	t->exit_status = p->exiting ? p->exit_status : status;
	bool last = --p->n_live == 0;
	if (last && !p->exiting) { /* no group exit: the last thread's status counts */
		p->exiting = true;
		p->exit_status = status;
	}
	bool stopped = stop_count_out(t);
	/* What only this thread could take is somebody else's now. */
	list_for_each(o, &p->tasks, struct task,
		      link) if (!o->exiting && (p->pending.set & ~o->blocked))
		thread_set_work(&o->thread, WORK_SIGNAL);
	struct rusage_acc usage;
	task_usage(t, &usage);
	usage_add(&p->dead_threads, &usage);
	if (last && t->thread.space)
		usage_keep_space(p, t->thread.space);
	spin_unlock_irq(&p->lock, flags);
	if (stopped)
		stop_tell_parent(p, CLD_STOPPED);
	return last;
}

void task_clear_tid(struct task *t)
{
	static const int32_t zero;
	if (!t->clear_tid.va || ref_read(&t->thread.space->users) <= 1)
		return;
	if (!copy_out(t->clear_tid, &zero, sizeof zero))
		(void)!futex_wake(t->clear_tid, 1, FUTEX_BITSET_ANY, false);
}

static noreturn_fn void init_died(const struct process *p)
{
	int32_t value;
	if (wstatus_code(p->exit_status, &value) == CLD_EXITED)
		log_err("process 1 (%s) exited with status %d", p->leader->thread.name,
			value);
	else
		log_err("process 1 (%s) was killed by signal %d", p->leader->thread.name,
			value);
	arch_vm_exit(VM_EXIT_AGENT);
}

static void exit_notify(struct task *t, bool last)
{
	struct process *p = t->process;
	struct reaped r = REAPED_INIT(r);
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	if (last)
		forget_children(p, &r);
	trace_tracer_exit(t, &r);
	if (last && holds_group(p->parent, p))
		group_maybe_orphaned(p, p);
	spin_lock(&p->lock);
	t->gone = true;
	spin_unlock(&p->lock);
	/* The thread leaves the list, unless it leads or its tracer is yet to see it. */
	bool stays = t == p->leader;
	if (!stays && t->trace.tracer && !signal_notify_tracer_exit(t)) {
		task_get(t);
		stays = true;
	}
	spin_lock(&p->lock);
	if (!stays) {
		trace_unlink(t);
		task_unlink(t);
	}
	if (p->exec_task)
		wake_all(&p->exec_wait);
	bool ended = all_gone(p);
	spin_unlock(&p->lock);
	if (ended && become_zombie(p))
		list_push_back(&r.processes, &p->sibling);
	spin_unlock_irq(&tasklist_lock, flags);
	reaped_free(&r);
}

static void task_gone(void *arg)
{
	task_put(arg);
}

void task_exit(int32_t status)
{
	struct task *t = task_current();
	struct process *p = t->process;
	trace_exit(status);
	bool last = exit_begin(t, status);
	seccomp_exit();
	if (unlikely(t->calltrace))
		calltrace_exited(t->exit_status);
	if (last && p == init_process)
		init_died(p);
	if (last) {
		itimers_cancel(p);
		posix_timers_delete_all(p);
	}
	futex_exit_robust(t);
	futex_exit_pi(t, true);
	task_clear_tid(t);
	task_vfork_done(t);
	task_drop_space(t);
	proc_ipc_ops.exit(t);
	task_drop_files(t);
	if (last)
		session_leader_exit(p);
	exit_notify(t, last);
	thread_exit(task_gone, t);
}

void process_exit_group(int32_t status)
{
	struct task *t = task_current();
	struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&p->lock);
	if (!p->exiting && !(p->exec_task && p->exec_task != t)) {
		p->exiting = true;
		p->exit_status = status;
		signal_kill_threads(p, t);
	}
	spin_unlock_irq(&p->lock, flags);
	task_exit(status);
}

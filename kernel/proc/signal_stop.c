/*
 * Job control: group stops, and what parents are told of their children.
 *
 * A stop signal's default action sets STOP_PENDING and counts the live threads; each
 * parks on its way to user mode, and the last one to do so makes it STOP_DONE. SIGCONT
 * (signal_send.c) ends either. Threads that exit meanwhile are counted out. Traced
 * threads are counted too, but park in a stop of their own (ptrace_stop.c) and run on
 * when their tracer says so.
 */
#include "core/panic.h"
#include "proc/ptrace.h"
#include "proc/stop.h"

/* p->lock held. True: the stop is complete and the parent is to be told. */
bool stop_count_out(struct task *t)
{
	struct process *p = t->process;
	if (!t->stop_counted)
		return false;
	t->stop_counted = false;
	if (--p->stop_count || p->stop_state != STOP_PENDING)
		return false;
	p->stop_state = STOP_DONE;
	p->stop_waitable = true;
	p->continue_waitable = false;
	return true;
}

void stop_begin(int sig)
{
	struct task *me = task_current();
	struct process *p = me->process;
	must_hold(&p->lock);
	if (p->stop_state == STOP_NONE) {
		p->stop_state = STOP_PENDING;
		p->stop_count = 0;
		p->stop_signal = sig;
	}
	list_for_each(t, &p->tasks, struct task, link)
	{
		if (t->exiting || t->stop_counted || t->stopped)
			continue;
		t->stop_counted = true;
		p->stop_count++;
		if (t == me)
			continue;
		trace_group_changed(t);
		thread_set_work(&t->thread, WORK_STOP);
	}
}

void stop_tell_parent(struct process *p, int code)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	signal_notify_stop(p, code, code == CLD_CONTINUED ? SIGCONT : p->stop_signal);
	spin_unlock_irq(&tasklist_lock, flags);
}

static bool stays_stopped(const struct process *p, const struct task *t)
{
	if (p->exiting || (p->exec_task && p->exec_task != t))
		return false;
	if (t->trace.tracer && t->trace.trap_stop)
		return false; /* the stop becomes one of its tracer's */
	return p->stop_state != STOP_NONE;
}

uint64_t stop_park(uint64_t flags)
{
	struct task *t = task_current();
	struct process *p = t->process;
	must_hold(&p->lock);
	bool tell = stop_count_out(t);
	t->stopped = true;
	while (stays_stopped(p, t)) {
		__atomic_store_n((uint32_t *)&t->thread.state, THREAD_STOPPED,
				 __ATOMIC_SEQ_CST);
		spin_unlock_irq(&p->lock, flags);
		if (tell)
			stop_tell_parent(p, CLD_STOPPED);
		tell = false;
		sched_block();
		flags = spin_lock_irq(&p->lock);
	}
	__atomic_store_n((uint32_t *)&t->thread.state, THREAD_RUNNING, __ATOMIC_SEQ_CST);
	t->stopped = false;
	if (!trace_must_trap(t))
		thread_clear_work(&t->thread, WORK_STOP);
	return flags;
}

/* ---- SIGCHLD ---- */

static void child_info(siginfo_t *info, const struct task *t, int sig, int code,
		       int status)
{
	struct rusage_acc u;
	process_usage(t->process, &u);
	*info = (siginfo_t){ 0 };
	info->si_signo = sig;
	info->si_code = code;
	info->si_pid = t->tid;
	info->si_uid = t->thread.cred->uid;
	info->si_status = status;
	info->si_utime = (long)(u.user_ns / (NSEC_PER_SEC / 100));
	info->si_stime = (long)(u.sys_ns / (NSEC_PER_SEC / 100));
}

static struct sigaction chld_action(struct process *parent, int sig)
{
	struct sighand *h = parent->sighand;
	uint64_t flags = spin_lock_irq(&h->lock);
	struct sigaction a = h->action[sig - 1];
	spin_unlock_irq(&h->lock, flags);
	return a;
}

void signal_notify_stop(struct process *p, int code, int status)
{
	must_hold(&tasklist_lock);
	struct process *parent = p->parent;
	if (!parent)
		return;
	const struct task *tracer = p->leader->trace.tracer;
	if (tracer && tracer->process == parent)
		return; /* which is told of each thread's own stop */
	struct sigaction a = chld_action(parent, SIGCHLD);
	if (a.sa_handler != SIG_IGN && !(a.sa_flags & SA_NOCLDSTOP)) {
		siginfo_t info;
		child_info(&info, p->leader, SIGCHLD, code, status);
		(void)signal_send_process(parent, SIGCHLD, &info);
	}
	wake_all(&parent->child_wait);
}

int32_t wstatus_code(int32_t wstatus, int32_t *ret_status)
{
	int sig = wstatus & 0x7f;
	*ret_status = sig ? sig : (wstatus >> 8) & 0xff;
	if (!sig)
		return CLD_EXITED;
	return wstatus & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

static bool ignores_exits(struct process *parent, int sig, bool *ret_silent)
{
	if (sig != SIGCHLD)
		return false;
	struct sigaction a = chld_action(parent, SIGCHLD);
	*ret_silent = a.sa_handler == SIG_IGN;
	return *ret_silent || (a.sa_flags & SA_NOCLDWAIT);
}

/* What the parent's program of then wanted is not for the one it has become. */
static int exit_signal_of(const struct process *p)
{
	return p->parent_execs == p->parent->n_execs ? p->exit_signal : SIGCHLD;
}

bool signal_parent_ignores_exit(struct process *p)
{
	bool silent;
	return ignores_exits(p->parent, exit_signal_of(p), &silent);
}

bool signal_notify_exit(struct process *p)
{
	must_hold(&tasklist_lock);
	struct process *parent = p->parent;
	int sig = exit_signal_of(p), status;
	bool silent = false, reap = ignores_exits(parent, sig, &silent);
	int32_t code = wstatus_code(p->exit_status, &status);
	if (silent)
		sig = 0;
	if (sig) {
		siginfo_t info;
		child_info(&info, p->leader, sig, code, status);
		(void)signal_send_process(parent, sig, &info);
	}
	wake_all(&parent->child_wait);
	return reap;
}

/* ---- what tracers are told ---- */

static int stop_status(const struct task *t, int why)
{
	if (why == CLD_CONTINUED)
		return SIGCONT;
	return why == CLD_STOPPED ? t->process->stop_signal : t->trace.code & 0x7f;
}

void signal_notify_tracer(struct task *t, int why)
{
	must_hold(&tasklist_lock);
	if (!t->trace.tracer)
		return;
	struct process *to = t->trace.tracer->process;
	struct sigaction a = chld_action(to, SIGCHLD);
	if (a.sa_handler != SIG_IGN && !(a.sa_flags & SA_NOCLDSTOP)) {
		siginfo_t info;
		child_info(&info, t, SIGCHLD, why, stop_status(t, why));
		(void)signal_send_process(to, SIGCHLD, &info);
	}
	wake_all(&to->child_wait);
}

bool signal_notify_tracer_exit(struct task *t)
{
	must_hold(&tasklist_lock);
	struct process *to = t->trace.tracer->process;
	bool silent = false, reap = ignores_exits(to, SIGCHLD, &silent);
	int status;
	int32_t code = wstatus_code(t->exit_status, &status);
	if (!silent) {
		siginfo_t info;
		child_info(&info, t, SIGCHLD, code, status);
		(void)signal_send_process(to, SIGCHLD, &info);
	}
	wake_all(&to->child_wait);
	return reap;
}

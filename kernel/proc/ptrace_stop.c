/*
 * A tracee's stops, run by the tracee itself. See ptrace.h for what always holds.
 *
 * The FPU registers are given to the save area for the length of a stop, so that all
 * registers are in memory once the thread is off its CPU.
 */
#include <linux/wait.h>

#include "core/panic.h"
#include "proc/ptrace.h"
#include "proc/stop.h"

#define SYSCALL_GOOD 0x80 /* PTRACE_O_TRACESYSGOOD, ptrace(2) */

/* ---- stopping ---- */

struct stop {
	int32_t code; /* as wait shows it */
	int why;      /* CLD_TRAPPED, or CLD_STOPPED for group stops */
	uint64_t message;
	siginfo_t *info;
	int32_t inject; /* what happens if the tracer never says */
};

static bool stays(const struct task *t)
{
	if (!t->trace.stopped)
		return false;
	return t->trace.frozen || !(thread_work(&t->thread) & WORK_KILL);
}

static void stop_enter(struct task *t, const struct stop *s)
{
	struct trace *tr = &t->trace;
	tr->stopped = tr->waitable = true;
	tr->listening = false;
	tr->code = s->code;
	tr->message = s->message;
	tr->info = s->info;
	tr->inject = s->inject;
	arch_fpu_take(&t->thread.arch);
}

/* The signal it was resumed with. */
static int32_t stop_leave(struct task *t)
{
	struct trace *tr = &t->trace;
	int32_t inject = tr->stopped ? 0 : tr->inject; /* stopped still: killed */
	tr->stopped = tr->waitable = tr->listening = false;
	tr->info = NULL;
	tr->message = 0;
	arch_fpu_reload(&t->thread.arch);
	return inject;
}

static void tell(struct task *t, int why, bool group_done)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	signal_notify_tracer(t, why);
	spin_unlock_irq(&tasklist_lock, flags);
	if (group_done)
		stop_tell_parent(t->process, CLD_STOPPED);
}

static void state_set(struct task *t, uint32_t state)
{
	__atomic_store_n((uint32_t *)&t->thread.state, state, __ATOMIC_SEQ_CST);
}

/* process->lock held, dropped and taken again. False: no stop, since there is no tracer
 * or the thread is being killed. */
static bool stop(const struct stop *s, int32_t *ret_inject, uint64_t *flags)
{
	struct task *t = task_current();
	struct process *p = t->process;
	bool told = false;
	must_hold(&p->lock);
	if (!t->trace.tracer || (thread_work(&t->thread) & WORK_KILL))
		return false;
	bool group_done = s->why == CLD_STOPPED && stop_count_out(t);
	stop_enter(t, s);
	for (;;) {
		state_set(t, THREAD_STOPPED);
		if (!stays(t))
			break;
		spin_unlock_irq(&p->lock, *flags);
		if (!told)
			tell(t, s->why, group_done);
		told = true;
		sched_block();
		*flags = spin_lock_irq(&p->lock);
	}
	state_set(t, THREAD_RUNNING);
	*ret_inject = stop_leave(t);
	/* Senders pass over a thread in a stop: what came meanwhile is seen now. */
	signal_recalc(t);
	return true;
}

/* A stop with a siginfo of the kernel's. The signal to continue with, 0: none. */
static int32_t notify(int32_t code, uint64_t message)
{
	struct process *p = process_current();
	siginfo_t info = { 0 };
	struct stop s = { code, CLD_TRAPPED, message, &info, 0 };
	int32_t inject = 0;
	info.si_signo = SIGTRAP;
	info.si_code = code;
	info.si_pid = task_current()->tid;
	info.si_uid = thread_current()->cred->uid;
	uint64_t flags = spin_lock_irq(&p->lock);
	if (!stop(&s, &inject, &flags))
		inject = 0;
	spin_unlock_irq(&p->lock, flags);
	return inject;
}

/* ---- events ---- */

bool trace_event_wanted(int event)
{
	const struct task *t = task_current();
	return t->trace.tracer && (t->trace.options & BIT(event));
}

void trace_event(int event, uint64_t message)
{
	if (trace_event_wanted(event))
		(void)notify(SIGTRAP | event << 8, message);
}

void trace_exec(int32_t old_tid)
{
	struct task *t = task_current();
	if (trace_event_wanted(PTRACE_EVENT_EXEC)) {
		(void)notify(SIGTRAP | PTRACE_EVENT_EXEC << 8, (uint64_t)old_tid);
	} else if (t->trace.tracer && !t->trace.seized) {
		siginfo_t info;
		signal_info_user(&info, SIGTRAP, SI_USER);
		(void)signal_send_task(t, SIGTRAP, &info);
	}
}

/* A thread that is being killed stops here all the same; only a SIGKILL that comes later
 * ends the stop. */
void trace_exit(int32_t status)
{
	struct task *t = task_current();
	struct process *p = t->process;
	if (!trace_event_wanted(PTRACE_EVENT_EXIT))
		return;
	uint64_t flags = spin_lock_irq(&p->lock);
	sigpending_flush(&t->pending, SIG_BIT(SIGKILL));
	sigpending_flush(&p->pending, SIG_BIT(SIGKILL));
	thread_clear_work(&t->thread, WORK_KILL);
	spin_unlock_irq(&p->lock, flags);
	(void)notify(SIGTRAP | PTRACE_EVENT_EXIT << 8, (uint64_t)status);
}

/* ---- signals and group stops ---- */

int trace_signal(int sig, siginfo_t *info, uint64_t *flags)
{
	struct task *t = task_current();
	struct stop s = { sig, CLD_TRAPPED, 0, info, sig };
	int32_t inject;
	if (!stop(&s, &inject, flags))
		return sig;
	if (inject && (t->blocked & SIG_BIT(inject))) {
		signal_requeue(t, inject, info);
		return 0;
	}
	return inject;
}

uint64_t trace_trap(uint64_t flags)
{
	struct task *t = task_current();
	struct process *p = t->process;
	siginfo_t info = { 0 };
	struct stop s = { p->stop_signal, CLD_STOPPED, 0, NULL, 0 };
	int32_t inject;
	if (t->trace.seized) {
		info.si_signo = p->stop_state == STOP_NONE ? SIGTRAP : p->stop_signal;
		info.si_code = info.si_signo | PTRACE_EVENT_STOP << 8;
		info.si_pid = t->tid;
		info.si_uid = t->thread.cred->uid;
		s.code = info.si_code;
		s.info = &info;
	}
	t->trace.trap_stop = t->trace.trap_notify = false;
	(void)stop(&s, &inject, &flags);
	return flags;
}

/* ---- system calls ---- */

static void syscall_stop(uint64_t message)
{
	struct task *t = task_current();
	bool good = t->trace.options & PTRACE_O_TRACESYSGOOD;
	int32_t sig = notify(SIGTRAP | (good ? SYSCALL_GOOD : 0), message);
	if (sig)
		(void)signal_send_task(t, sig, NULL);
}

bool trace_syscall_enter(struct pt_regs *regs)
{
	struct task *t = task_current();
	bool emulated = t->trace.sysemu;
	if (!t->trace.calls && !emulated)
		return true;
	syscall_stop(PTRACE_EVENTMSG_SYSCALL_ENTRY);
	if (emulated || (thread_work(&t->thread) & WORK_KILL))
		return false;
	return (int32_t)regs->orig_rax != -1;
}

/* A step over the instruction ends behind it: the CPU itself would trap one later. */
void trace_syscall_exit(struct pt_regs *regs)
{
	struct task *t = task_current();
	if (t->trace.step && !t->trace.sysemu) {
		siginfo_t info = { 0 };
		info.si_signo = SIGTRAP;
		info.si_code = TRAP_BRKPT;
		info.si_addr = (void *)regs->rip;
		signal_force(SIGTRAP, &info);
	} else if (t->trace.calls) {
		syscall_stop(PTRACE_EVENTMSG_SYSCALL_EXIT);
	}
}

/* ---- single-stepping into a handler ---- */

bool trace_step_pause(struct pt_regs *regs)
{
	struct task *t = task_current();
	bool on = t->trace.step;
	if (on)
		trace_step_off(t);
	return on;
}

void trace_step_handler(void)
{
	(void)notify(SIGTRAP, 0);
}

/*
 * ptrace(2): one thread, the tracer, sees and steers the stops of another, the tracee.
 *
 * A tracee stops by itself, in trace_* below: before a signal is delivered, at entry and
 * exit of system calls, at events (fork, exec, exit), and for group stops and
 * PTRACE_INTERRUPT before it runs user code. It then sleeps in THREAD_STOPPED until the
 * tracer resumes it, the tracer is gone, or it is killed.
 *
 * Always true:
 *  R1  a tracee's registers, FPU area and siginfo are touched by another thread only
 *      while it is frozen: in its stop, off its CPU, and not to be moved by anything;
 *  R2  only its tracer freezes a tracee, for the length of one ptrace call;
 *  R3  what a tracer writes is what the program itself could have got into its registers:
 *      user segments, the arithmetic flags and TF, bases below USER_END, an XSAVE image
 *      that passes arch_fpu_sanitize;
 *  R4  who gains privileges by execve while an unprivileged tracer watches, does not
 *      (exec_cred.c); whose memory became private (dumpable) is not read any more;
 *  R5  a traced thread that is gone stays on its process's list, as a zombie of its own,
 *      until its tracer has waited for it or is gone.
 */
#ifndef PROC_PTRACE_H
#define PROC_PTRACE_H

#include <linux/ptrace.h>

#include "proc/proc.h"
#include "sec/trace.h"

/* May the running thread look into t's process? EPERM's question. */
must_use bool task_may_trace(struct task *t, const struct cred *c, enum trace_ids ids);
/* t's space, referenced, if the running thread may attach to t. 0, -EPERM, -ESRCH. */
must_use int task_space_for_tracer(struct task *t, struct space **ret);

/* ---- the tracee's stops: ptrace_stop.c; the running thread's ---- */

/* An event that PTRACE_SETOPTIONS may have asked for: PTRACE_EVENT_*. */
void trace_event(int event, uint64_t message);
bool trace_event_wanted(int event);
/* execve is done; `old_tid` is the thread's from before. */
void trace_exec(int32_t old_tid);
/* The thread is about to exit with a wait status. */
void trace_exit(int32_t status);
/* A signal was taken off the queue: the one to act upon instead, 0: none. process->lock
 * held, dropped and taken again. */
must_use int trace_signal(int sig, siginfo_t *info, uint64_t *flags);
/* A group stop or the tracer's wish is to be answered by a stop. process->lock held. */
static inline bool trace_must_trap(const struct task *t)
{
	return t->trace.tracer &&
	       (t->trace.trap_stop || t->trace.trap_notify || t->stop_counted);
}
must_use uint64_t trace_trap(uint64_t flags);
/* With WORK_TRACE set. False: the call is not carried out, regs->rax is its result. */
must_use bool trace_syscall_enter(struct pt_regs *regs);
void trace_syscall_exit(struct pt_regs *regs);
/* A handler is about to be set up: single-stepping pauses. True: it was on; then
 * trace_step_handler once the registers are the handler's. */
must_use bool trace_step_pause(struct pt_regs *regs);
void trace_step_handler(void);

/* ---- who traces whom: ptrace_link.c ---- */

/* tasklist_lock and t's process->lock held. */
void trace_link(struct task *t, struct task *tracer, bool capable);
void trace_unlink(struct task *t);
/* A new thread or process of a tracee: its tracer's too, if an event or CLONE_PTRACE says
 * so. Both locks held, of the child's process. */
void trace_inherit(struct task *child, const struct task *parent);
/* A group stop begins or ends (SIGCONT): seized tracees are to say so. process->lock
 * held. */
void trace_group_changed(struct task *t);
/* What a thread that ends lets go. tasklist_lock held. */
struct reaped;
void trace_tracer_exit(struct task *tracer, struct reaped *r);
/* PTRACE_TRACEME; PTRACE_ATTACH and PTRACE_SEIZE with their options. */
must_use int trace_me(void);
must_use int trace_attach(struct task *t, bool seize, uint32_t options);

/* ---- what the tracer does: ptrace.c, ptrace_regs.c ---- */

must_use int64_t ptrace_request(int64_t request, int32_t tid, uint64_t addr,
				uint64_t data);

/* A register by its offset in struct user; registers as a whole. The tracee is frozen.
 * 0, -EIO, -EFAULT, -EINVAL. */
must_use int trace_user_peek(struct task *t, uint64_t offset, uint64_t *ret);
must_use int trace_user_poke(struct task *t, uint64_t offset, uint64_t value);
must_use int trace_regset_get(struct task *t, uint32_t type, uaddr_t to, size_t *n);
must_use int trace_regset_set(struct task *t, uint32_t type, uaddr_t from, size_t *n);
/* The trap flag, for PTRACE_SINGLESTEP. */
void trace_step_on(struct task *t);
void trace_step_off(struct task *t);

#endif

/*
 * Signals: sending, masking, delivery. signal(7), sigaction(2) and sigqueue(3) are the
 * specification; frames are those of the x86-64 ABI (asm/ucontext.h, asm/sigcontext.h).
 *
 * Always true:
 *  G1  pending sets, queues and blocked masks change only under process->lock;
 *  G2  a thread with a deliverable signal has WORK_SIGNAL; only that thread clears it;
 *  G3  SIGKILL and SIGSTOP are never in a blocked mask, never caught, never ignored;
 *  G4  signal n < 32 is queued at most once per pending set; n >= 32 in order, all of
 *      them;
 *  G5  process 1 gets from inside the VM only what it has a handler for.
 *
 * The senders may be called from any context and with spinlocks of a rank below
 * RANK_TASK_LIST (those that take a group) or RANK_SIGNAL (those that take a task or
 * process).
 */
#ifndef PROC_SIGNAL_H
#define PROC_SIGNAL_H

#include <asm/ptrace.h>

#include "proc/task.h"

#define SIGNAL_MAX 64
#define SIGSET_NEVER_BLOCKED (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))
/* Whose positive codes mean something of their own: sigaction(2). */
#define SIGSET_OWN_CODES                                                                 \
	(SIG_BIT(SIGILL) | SIG_BIT(SIGFPE) | SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) |        \
	 SIG_BIT(SIGTRAP) | SIG_BIT(SIGCHLD) | SIG_BIT(SIGSYS))
#define SIGNALS_STOPPING                                                                 \
	(SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define SIGNALS_IGNORED_BY_DEFAULT                                                       \
	(SIG_BIT(SIGCONT) | SIG_BIT(SIGCHLD) | SIG_BIT(SIGWINCH) | SIG_BIT(SIGURG))
#define SA_FLAGS_KNOWN                                                                   \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |            \
	 SA_NODEFER | SA_RESETHAND | SA_RESTORER | SA_EXPOSE_TAGBITS)

/* What sigaction(2) sets. Guarded by ->lock, which nests inside process->lock. */
struct sighand {
	struct ref refs;      /* processes that share it */
	struct spinlock lock; /* RANK_OBJECT, interrupts off */
	/* [lock]; sa_handler alone may be read without */
	struct sigaction action[SIGNAL_MAX];
};

/* ---- sending ---- */

/* `info` NULL: from the kernel (SI_KERNEL). The signal number is set in it by the callee.
 * sig 0 sends nothing. 0, or -EAGAIN when a real-time signal finds the queue full. */
int signal_send_task(struct task *t, int sig, const siginfo_t *info);
int signal_send_process(struct process *p, int sig, const siginfo_t *info);
/* To every process of a group: 0 if one got it, -ESRCH when there is none. No permission
 * check. */
int signal_send_group(int32_t pgrp, int sig, const siginfo_t *info);
/* To a file's owner (fcntl(2), F_SETOWN_EX). Only to those whom somebody with its user
 * ids may send signals to. -EAGAIN: a queue was full. */
int signal_send_owned(const struct file_owner *o, int sig, const siginfo_t *info);
/* Kernel-made, to the running process: SIGPIPE, SIGXFSZ, SIGTTOU … */
void signal_send(int sig);
/* A synchronous fault of the running thread: cannot be blocked or ignored (the default
 * action is forced then). */
void signal_force(int sig, const siginfo_t *info);
/* Puts a signal that t has just taken back on its queue. process->lock held. */
void signal_requeue(struct task *t, int sig, const siginfo_t *info);
/* SI_USER (code), with the caller's pid and real uid. */
void signal_info_user(siginfo_t *info, int sig, int code);
/* 0 or -EPERM, as kill(2) says: by real and effective ids, CAP_KILL, SIGCONT in a
 * session. */
must_use int signal_may_send(struct process *to, int sig);
/* Woken at each signal queued for a process that has_watchers: signalfd.c. Rank above
 * process->lock. */
extern struct waitq signal_watchers;
/* Ends every thread of p but `spare` with SIGKILL's urgency; p->lock held. */
void signal_kill_threads(struct process *p, struct task *spare);

/* ---- masks ---- */

/* True when the running thread should leave its sleep: a signal, stop or kill. */
static inline bool signal_pending(void)
{
	return thread_interrupted();
}
/* Sets the running thread's mask (SIGKILL and SIGSTOP are left out). */
void sigmask_set(sigset64_t mask);
/* For ppoll, pselect6, epoll_pwait: puts the user's mask in force until the call returns
 * to user mode; a null `set` does nothing. 0, -EFAULT, -EINVAL (size is not 8). */
must_use int sigmask_set_temporary(uaddr_t set, size_t size);
/* To be called at the end of such a call. `interrupted`: it returns -EINTR or a restart
 * code, so the mask stays until the signal's handler has been set up; else it is put back
 * now. */
void sigmask_end_temporary(bool interrupted);
/* As sigmask_set_temporary, from kernel memory (sigsuspend). */
void sigmask_set_until_signal(sigset64_t mask);
/* Signal is ignored or blocked by the running thread (terminal access of background
 * jobs). */
bool signal_current_ignores(int sig);

/* ---- actions ---- */

must_use struct sighand *sighand_new(void); /* all default; NULL: no memory */
must_use struct sighand *sighand_copy(struct sighand *h);
void sighand_put(struct sighand *h);
/* sigaction(2) for the running process: 0 or -EINVAL. Either pointer may be NULL. */
must_use int sighand_set(int sig, const struct sigaction *act, struct sigaction *ret_old);
/* exec: caught signals become default. */
void sighand_reset_caught(struct process *p);
/* clone3's CLONE_CLEAR_SIGHAND: all but ignored ones become default. */
void sighand_clear(struct sighand *h);

/* ---- queues (process->lock held) ---- */

void sigpending_init(struct sigpending *s);
void sigpending_flush(struct sigpending *s, sigset64_t which);
/* Takes a signal of `set` out, own queue first: its number (0: none) and details.
 * Takes process->lock itself. */
int signal_dequeue(sigset64_t set, siginfo_t *ret);
/* The same with process->lock held; the caller recomputes WORK_SIGNAL. */
int signal_dequeue_locked(struct task *t, sigset64_t set, siginfo_t *ret);
/* The signals waiting for t, of both queues. */
sigset64_t signal_pending_set(struct task *t);
/* The n-th entry of t's queue, or of its process's; false: there are not so many. Takes
 * process->lock itself. */
must_use bool signal_peek(struct task *t, bool shared, uint64_t n, siginfo_t *ret);
/* Recomputes WORK_SIGNAL of t. */
void signal_recalc(struct task *t);
/* A queue entry charged to the account: NULL over RLIMIT_SIGPENDING (unless force) or
 * without memory. Any context. */
must_use struct sigqueue *sigqueue_new(struct task *charged, bool force);
void sigqueue_free(struct sigqueue *q);
/* Queues an entry owned by a POSIX timer, unless it is queued still. False: the signal is
 * ignored, or nobody is left to get it. process->lock held. */
must_use bool signal_send_timer(struct task *t, bool whole_process, struct sigqueue *q);
/* A timer's entry is being taken by its receiver: the overrun count goes in, the timer is
 * armed for its next period. process->lock held. */
void posix_timer_collected(struct sigqueue *q, siginfo_t *ret);
/* Takes a timer's entry out of whichever queue holds it. */
void signal_cancel_timer(struct process *p, struct sigqueue *q);

/* ---- delivery ---- */

/* Waits for a signal of `set` (sigtimedwait): its number, -EAGAIN at the deadline, or
 * -EINTR. */
must_use int64_t signal_wait(sigset64_t set, uint64_t deadline, siginfo_t *ret);
/* Takes the next signal that has a handler; runs default actions (may not return). 0:
 * none. */
int signal_get(siginfo_t *ret_info, struct sigaction *ret_action);
/* Builds the handler's frame; regs then start the handler. -EFAULT: no room on the
 * stack. */
must_use int sigframe_push(struct pt_regs *regs, int sig, const siginfo_t *info,
			   const struct sigaction *act);
/* rt_sigreturn(2): the value for rax. Kills with SIGSEGV on a bad frame. */
int64_t sigframe_pop(struct pt_regs *regs);
/* Bytes a handler's frame takes at most: AT_MINSIGSTKSZ. */
size_t sigframe_max_size(void);
/* sigaltstack(2) bodies; sp is the user's stack pointer. 0, -EPERM, -ENOMEM, -EINVAL. */
must_use int sigaltstack_set(const stack_t *ss, uint64_t sp);
void sigaltstack_get(stack_t *ret, uint64_t sp);

/* ---- job control ---- */

/* Tells p's parent of a stop or continue (CLD_*): SIGCHLD and a wake-up. tasklist_lock
 * held. */
void signal_notify_stop(struct process *p, int code, int status);
/* The exit's part: SIGCHLD, or whatever exit_signal says. True: p is to be reaped at once
 * since its parent ignores it. tasklist_lock held. */
bool signal_notify_exit(struct process *p);
/* Whether that parent would let p be reaped; tells nobody anything. */
bool signal_parent_ignores_exit(struct process *p);
/* Tells t's tracer, if there is one, of a stop (CLD_TRAPPED, CLD_STOPPED) or a continue
 * (CLD_CONTINUED). tasklist_lock held. */
void signal_notify_tracer(struct task *t, int why);
/* And of t's end, which is no end of a process that its parent is told of. True: the
 * tracer does not want to wait. tasklist_lock held. */
bool signal_notify_tracer_exit(struct task *t);

#endif

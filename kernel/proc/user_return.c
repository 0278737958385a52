/*
 * The way out to user mode: rescheduling, signals, restarted calls; and exceptions of
 * user programs, which become signals.
 */
#include <asm/errno.h>
#include <asm/mman.h>
#include <asm/unistd.h>

#include "arch/upcall.h"
#include "core/wait.h"
#include "proc/calltrace.h"
#include "proc/ptrace.h"

#define SYSCALL_INSTRUCTION_SIZE 2
#define NO_SYSCALL (~0ull) /* orig_rax after an exception, interrupt or sigreturn */

#define WORK_SIGNALS (WORK_SIGNAL | WORK_STOP | WORK_KILL | WORK_RESTORE_SIGMASK)

/* ---- restarting ---- */

static void call_again(struct pt_regs *regs, uint64_t nr)
{
	regs->rax = nr;
	regs->rip -= SYSCALL_INSTRUCTION_SIZE;
}

static void restart_before_handler(struct pt_regs *regs, const struct sigaction *act)
{
	if (regs->orig_rax == NO_SYSCALL)
		return;
	switch ((int64_t)regs->rax) {
	case -ERESTARTSYS:
		if (act->sa_flags & SA_RESTART) {
			call_again(regs, regs->orig_rax);
			return;
		}
		regs->rax = (uint64_t)-EINTR;
		return;
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		regs->rax = (uint64_t)-EINTR;
		return;
	case -ERESTARTNOINTR:
		call_again(regs, regs->orig_rax);
		return;
	default:
		return;
	}
}

static void restart_without_handler(struct pt_regs *regs)
{
	if (regs->orig_rax == NO_SYSCALL)
		return;
	switch ((int64_t)regs->rax) {
	case -ERESTARTSYS:
	case -ERESTARTNOHAND:
	case -ERESTARTNOINTR:
		call_again(regs, regs->orig_rax);
		return;
	case -ERESTART_RESTARTBLOCK:
		call_again(regs, __NR_restart_syscall);
		return;
	default:
		return;
	}
}

/* ---- delivery ---- */

static void handler_start(struct pt_regs *regs, int sig, const siginfo_t *info,
			  const struct sigaction *act)
{
	struct task *t = task_current();
	restart_before_handler(regs, act);
	bool stepping = trace_step_pause(regs);
	if (sigframe_push(regs, sig, info, act)) {
		/* No room for the frame: a handler for SIGSEGV would fare no better. */
		if (sig == SIGSEGV)
			process_exit_group(SIGSEGV);
		signal_force(SIGSEGV, NULL);
		return;
	}
	thread_clear_work(&t->thread, WORK_RESTORE_SIGMASK);
	sigset64_t mask = t->blocked | act->sa_mask;
	if (!(act->sa_flags & SA_NODEFER))
		mask |= SIG_BIT(sig);
	sigmask_set(mask);
	if (stepping)
		trace_step_handler();
}

static void deliver(struct pt_regs *regs)
{
	siginfo_t info;
	struct sigaction act;
	int sig = signal_get(&info, &act);
	if (sig) {
		if (unlikely(task_current()->calltrace))
			calltrace_signal(&info);
		handler_start(regs, sig, &info, &act);
		return;
	}
	restart_without_handler(regs);
	regs->orig_rax = NO_SYSCALL;
	sigmask_end_temporary(false);
}

void upcall_user_return(struct pt_regs *regs)
{
	struct thread *t = thread_current();
	uint32_t work;
	while ((work = thread_work(t) & ~(uint32_t)WORK_LASTING)) {
		irq_enable();
		if (work & WORK_RESCHED)
			sched_preempt();
		if (work & WORK_NOTIFY)
			thread_clear_work(t, WORK_NOTIFY);
		if (work & WORK_SIGNALS)
			deliver(regs);
		irq_disable();
	}
}

/* ---- exceptions ---- */

enum { PF_PRESENT = 1, PF_WRITE = 2, PF_FETCH = 16, VECTOR_PF = 14 };

static const struct {
	uint8_t sig;
	int code; /* SI_KERNEL: no address */
} exceptions[32] = {
	[0] = { SIGFPE, FPE_INTDIV },  [1] = { SIGTRAP, TRAP_TRACE },
	[3] = { SIGTRAP, SI_KERNEL },  [4] = { SIGSEGV, SI_KERNEL },
	[5] = { SIGSEGV, SI_KERNEL },  [6] = { SIGILL, ILL_ILLOPN },
	[7] = { SIGFPE, SI_KERNEL },   [9] = { SIGFPE, SI_KERNEL },
	[10] = { SIGSEGV, SI_KERNEL }, [11] = { SIGBUS, SI_KERNEL },
	[12] = { SIGBUS, SI_KERNEL },  [13] = { SIGSEGV, SI_KERNEL },
	[16] = { SIGFPE, FPE_FLTUNK }, [17] = { SIGBUS, BUS_ADRALN },
	[19] = { SIGFPE, FPE_FLTUNK }, [21] = { SIGSEGV, SI_KERNEL },
};

/* Why the access failed: no area there, one that forbids it, or one that cannot supply
 * the page (past the end of its file, or an I/O error). */
static void page_fault_reason(uint64_t va, uint32_t error, siginfo_t *info)
{
	uint32_t need = error & PF_FETCH   ? PROT_EXEC
			: error & PF_WRITE ? PROT_WRITE
					   : PROT_READ;
	struct space *s = thread_current()->space;
	info->si_signo = SIGSEGV;
	info->si_code = SEGV_MAPERR;
	if (va >= USER_END)
		return;
	read_lock(&s->lock);
	struct area *a = space_find(s, va);
	if (a && a->start <= va) {
		info->si_code = SEGV_ACCERR;
		if (need == PROT_READ ? a->prot != PROT_NONE : a->prot & need) {
			info->si_signo = SIGBUS;
			info->si_code = BUS_ADRERR;
		}
	}
	read_unlock(&s->lock);
}

/* Intel SDM 1, 8.1.3 and 10.2.3: the unmasked one of the exception flags, lowest
 * first. */
static int float_reason(uint32_t vector)
{
	struct arch_thread *a = &thread_current()->arch;
	arch_fpu_sync(a);
	const uint16_t *x87 = a->xsave;
	uint32_t mxcsr = *(const uint32_t *)((const char *)a->xsave + 24);
	uint32_t raised = vector == 16 ? x87[1] & ~x87[0] : mxcsr & ~(mxcsr >> 7);
	static const int reasons[] = { FPE_FLTINV, FPE_FLTUND, FPE_FLTDIV,
				       FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES };
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (raised & BIT(i))
			return reasons[i];
	return FPE_FLTUNK;
}

void upcall_user_exception(uint32_t vector, uint32_t error, uint64_t va,
			   struct pt_regs *regs)
{
	struct task *t = task_current();
	siginfo_t info = { 0 };
	if (thread_work(&t->thread) & WORK_KILL)
		return; /* out of memory: it is being killed */
	t->trap_vector = vector;
	t->trap_error = error;
	if (vector == VECTOR_PF) {
		t->trap_va = va;
		page_fault_reason(va, error, &info);
		info.si_addr = (void *)va;
	} else {
		info.si_signo = vector < 32 && exceptions[vector].sig
					? exceptions[vector].sig
					: SIGSEGV;
		info.si_code = vector < 32 ? exceptions[vector].code : SI_KERNEL;
		if (vector == 16 || vector == 19)
			info.si_code = float_reason(vector);
		if (info.si_code != SI_KERNEL)
			info.si_addr = (void *)regs->rip;
	}
	signal_force(info.si_signo, &info);
}

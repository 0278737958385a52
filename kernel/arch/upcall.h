/*
 * The few functions that arch/x86_64 calls and upper layers define.
 */
#ifndef ARCH_UPCALL_H
#define ARCH_UPCALL_H

#include "arch/arch.h"

/* A system call. regs->orig_rax is the number, regs->rax the result. IF=1. (sys) */
void upcall_syscall(struct pt_regs *regs);

/* Work on the way out to user mode: reschedule, signals. Called with interrupts off, may
 * enable them, returns with them off and nothing pending. (proc) */
void upcall_user_return(struct pt_regs *regs);
/* True when upcall_user_return has something to do; cheap, inlined as a flag test by
 * arch. */

enum fault_access { FAULT_READ, FAULT_WRITE, FAULT_EXEC };
/* Page fault at va. `user`: taken in user mode. True: resolved, go on. False: arch looks
 * for a fix-up, or for a user-mode fault calls upcall_user_exception. IF=1 when the
 * faulting context had it. `present`: a protection fault. (mm) */
bool upcall_page_fault(uint64_t va, enum fault_access access, bool present, bool user);

/* Any other exception in user mode, or an unresolved page fault; becomes a signal.
 * (proc) */
void upcall_user_exception(uint32_t vector, uint32_t error, uint64_t va,
			   struct pt_regs *regs);

/* This CPU's timer fired (`user`: in user mode); a reschedule IPI came. Interrupts off.
 * (core) */
void upcall_timer(bool user);
void upcall_resched(void);

/* First C code of a secondary CPU, on its idle stack, %gs set, interrupts off. (core) */
noreturn_fn void upcall_secondary(void);

/* A fault in kernel mode, or arch found itself to be wrong: ends the VM. (core) */
noreturn_fn cold void panic_regs(const struct pt_regs *regs, const char *fmt, ...)
	printf_like(2, 3);

/* The kernel proper, once arch has set the boot CPU up. (init) */
noreturn_fn void kernel_main(void);

#endif

/*
 * System calls that a program keeps for itself: prctl(2), PR_SET_SYSCALL_USER_DISPATCH,
 * and Linux's Documentation/admin-guide/syscall-user-dispatch.rst.
 *
 * U1  A call that is handed back is not carried out, nor seen by tracers: its number is
 *     not one of ours. One that is not handed back goes the way of every other: nothing
 *     here lets a call through that is refused further on.
 */
#ifndef SYS_USER_DISPATCH_H
#define SYS_USER_DISPATCH_H

#include "arch/arch.h"

/* 0, -EINVAL, -EFAULT: the selector cannot be in user memory. */
must_use int user_dispatch_set(uint64_t mode, uint64_t start, uint64_t size,
			       uaddr_t selector);
/* With WORK_DISPATCH set. True: the program gets a SIGSYS in place of the call. */
must_use bool user_dispatch(struct pt_regs *regs);

#endif

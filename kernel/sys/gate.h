/* What stands before the handlers: every call whose number is not simply allowed to the
 * thread is asked about here. Nothing else leads to a handler. */
#ifndef SYS_GATE_H
#define SYS_GATE_H

#include "arch/arch.h"

/* True: the call is to be carried out, as regs say now. False: regs->rax is its result,
 * or the thread is to get a signal. May not return. */
must_use cold bool gate_check(struct pt_regs *regs);

/* mayfly_policy(2): lib/policy.h. */
int64_t sys_mayfly_policy(uint32_t op, uaddr_t form, uint64_t size);

#endif

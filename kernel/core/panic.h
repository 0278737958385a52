/*
 * insist() states what must be true unless the kernel itself is wrong. Nothing that a
 * job, a disk or a device controls may reach one.
 */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include "arch/arch.h"

/* Stops all CPUs, prints reason, registers and a symbolised backtrace, ends the VM. */
noreturn_fn cold void panic(const char *fmt, ...) printf_like(1, 2);
/* The same for a fault in kernel mode, with the registers it happened with. */
noreturn_fn cold void panic_regs(const struct pt_regs *regs, const char *fmt, ...)
	printf_like(2, 3);

#define insist(cond)                                                                     \
	do {                                                                             \
		if (unlikely(!(cond)))                                                   \
			panic("%s:%d: %s: not true: %s", __FILE__, __LINE__, __func__,   \
			      #cond);                                                    \
	} while (0)

#endif

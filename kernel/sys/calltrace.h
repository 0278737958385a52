/* What a followed thread tells of its system calls: kernel/proc/calltrace.h. */
#ifndef SYS_CALLTRACE_H
#define SYS_CALLTRACE_H

#include "arch/arch.h"

/* With WORK_RECORD set. False: the thread was killed before the call could be told, so
 * it is not to be carried out. */
must_use bool calltrace_enter(const struct pt_regs *regs);
void calltrace_exit(uint64_t nr, const struct pt_regs *regs);

#endif

/* NR_read and the like: the numbers of lib/abi/syscalls.def. */
#ifndef POLICY_NUMBERS_H
#define POLICY_NUMBERS_H

#define SYSCALL0(nr, name, ...) NR_##name = (nr),
#define SYSCALL1 SYSCALL0
#define SYSCALL2 SYSCALL0
#define SYSCALL3 SYSCALL0
#define SYSCALL4 SYSCALL0
#define SYSCALL5 SYSCALL0
#define SYSCALL6 SYSCALL0
enum {
#include "lib/abi/syscalls.def"
};
#undef SYSCALL0
#undef SYSCALL1
#undef SYSCALL2
#undef SYSCALL3
#undef SYSCALL4
#undef SYSCALL5
#undef SYSCALL6

#endif

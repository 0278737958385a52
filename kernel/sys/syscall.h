/*
 * Handlers' prototypes, made from syscalls.def. A handler takes its arguments with the C
 * types of their kinds and returns what user space will see in %rax: a result or -errno.
 */
#ifndef SYS_SYSCALL_H
#define SYS_SYSCALL_H

#include <asm/errno.h>

#include "mm/usercopy.h"

#define ARG_fd int32_t
#define ARG_dirfd int32_t
#define ARG_pid int32_t
#define ARG_sig int32_t
#define ARG_i32 int32_t
#define ARG_u32 uint32_t
#define ARG_flags uint32_t
#define ARG_mode uint32_t
#define ARG_uid uint32_t
#define ARG_gid uint32_t
#define ARG_i64 int64_t
#define ARG_off int64_t
#define ARG_u64 uint64_t
#define ARG_flags64 uint64_t
#define ARG_size uint64_t
#define ARG_addr uint64_t
#define ARG_path uaddr_t
#define ARG_str uaddr_t
#define ARG_in uaddr_t
#define ARG_out uaddr_t
#define ARG_inout uaddr_t
#define ARG_iovin uaddr_t
#define ARG_iovout uaddr_t
#define ARG_msgin uaddr_t
#define ARG_msgout uaddr_t
#define ARG_strv uaddr_t
#define ARG_ptrv uaddr_t
#define ARG_ptr uint64_t

#define SYSCALL0(nr, name, ...) int64_t sys_##name(void);
#define SYSCALL1(nr, name, state, group, audit, t1, n1) int64_t sys_##name(ARG_##t1 n1);
#define SYSCALL2(nr, name, state, group, audit, t1, n1, t2, n2)                          \
	int64_t sys_##name(ARG_##t1 n1, ARG_##t2 n2);
#define SYSCALL3(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3)                  \
	int64_t sys_##name(ARG_##t1 n1, ARG_##t2 n2, ARG_##t3 n3);
#define SYSCALL4(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4)          \
	int64_t sys_##name(ARG_##t1 n1, ARG_##t2 n2, ARG_##t3 n3, ARG_##t4 n4);
#define SYSCALL5(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)  \
	int64_t sys_##name(ARG_##t1 n1, ARG_##t2 n2, ARG_##t3 n3, ARG_##t4 n4,           \
			   ARG_##t5 n5);
#define SYSCALL6(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5,  \
		 t6, n6)                                                                 \
	int64_t sys_##name(ARG_##t1 n1, ARG_##t2 n2, ARG_##t3 n3, ARG_##t4 n4,           \
			   ARG_##t5 n5, ARG_##t6 n6);
#include "lib/abi/syscalls.def"
#undef SYSCALL0
#undef SYSCALL1
#undef SYSCALL2
#undef SYSCALL3
#undef SYSCALL4
#undef SYSCALL5
#undef SYSCALL6

#endif

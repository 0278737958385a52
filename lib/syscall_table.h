/* lib/abi/syscalls.def as data, for those who look at calls that others make: the
 * kernel's recorder and the host's decoder of traces. */
#ifndef LIB_SYSCALL_TABLE_H
#define LIB_SYSCALL_TABLE_H

#include "lib/base.h"

#define SYSCALL_ARGS_MAX 6

enum syscall_kind {
	KIND_none, /* behind the last argument */
	KIND_fd,
	KIND_dirfd,
	KIND_pid,
	KIND_sig,
	KIND_uid,
	KIND_gid,
	KIND_mode,
	KIND_flags,
	KIND_flags64,
	KIND_i32,
	KIND_u32,
	KIND_i64,
	KIND_u64,
	KIND_size,
	KIND_off,
	KIND_addr,
	KIND_path,
	KIND_str,
	KIND_in,
	KIND_out,
	KIND_inout,
	KIND_iovin,
	KIND_iovout,
	KIND_msgin,
	KIND_msgout,
	KIND_strv,
	KIND_ptrv,
	KIND_ptr,
};

struct syscall_row {
	const char *name;
	uint8_t kinds[SYSCALL_ARGS_MAX]; /* enum syscall_kind */
};

/* NULL: not a number of Linux. */
const struct syscall_row *syscall_row(uint64_t nr);

#endif

/* lib/abi/syscalls.def as data. */
#include "lib/syscall_table.h"

#define SYSCALL0(nr, name, ...) [nr] = { #name, { KIND_none } },
#define SYSCALL1(nr, name, state, group, audit, t1, n1) [nr] = { #name, { KIND_##t1 } },
#define SYSCALL2(nr, name, state, group, audit, t1, n1, t2, n2)                          \
	[nr] = { #name, { KIND_##t1, KIND_##t2 } },
#define SYSCALL3(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3)                  \
	[nr] = { #name, { KIND_##t1, KIND_##t2, KIND_##t3 } },
#define SYSCALL4(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4)          \
	[nr] = { #name, { KIND_##t1, KIND_##t2, KIND_##t3, KIND_##t4 } },
#define SYSCALL5(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)  \
	[nr] = { #name, { KIND_##t1, KIND_##t2, KIND_##t3, KIND_##t4, KIND_##t5 } },
#define SYSCALL6(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5,  \
		 t6, n6)                                                                 \
	[nr] = { #name,                                                                  \
		 { KIND_##t1, KIND_##t2, KIND_##t3, KIND_##t4, KIND_##t5, KIND_##t6 } },

static const struct syscall_row rows[] = {
#include "lib/abi/syscalls.def"
};

const struct syscall_row *syscall_row(uint64_t nr)
{
	return nr < ARRAY_LEN(rows) && rows[nr].name ? &rows[nr] : NULL;
}

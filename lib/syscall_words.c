/* The words of lib/abi/syscalls.def and groups.def as data. */
#include "lib/syscall_words.h"

#define ROW(nr, state, group, ...)                                                       \
	[nr] = { { __VA_ARGS__ }, GROUP_##group, STATE_##state },
#define SYSCALL0(nr, name, state, group, audit) ROW(nr, state, group, NULL)
#define SYSCALL1(nr, name, state, group, audit, t1, n1) ROW(nr, state, group, #n1)
#define SYSCALL2(nr, name, state, group, audit, t1, n1, t2, n2)                          \
	ROW(nr, state, group, #n1, #n2)
#define SYSCALL3(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3)                  \
	ROW(nr, state, group, #n1, #n2, #n3)
#define SYSCALL4(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4)          \
	ROW(nr, state, group, #n1, #n2, #n3, #n4)
#define SYSCALL5(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)  \
	ROW(nr, state, group, #n1, #n2, #n3, #n4, #n5)
#define SYSCALL6(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5,  \
		 t6, n6)                                                                 \
	ROW(nr, state, group, #n1, #n2, #n3, #n4, #n5, #n6)

static const struct syscall_words rows[] = {
#include "lib/abi/syscalls.def"
};

const struct syscall_words *syscall_words(uint64_t nr)
{
	return nr < ARRAY_LEN(rows) && syscall_row(nr) ? &rows[nr] : NULL;
}

uint32_t syscall_numbers(void)
{
	return ARRAY_LEN(rows);
}

const struct syscall_group_row syscall_groups[SYSCALL_GROUPS] = {
#define GROUP(name, what) { #name, what },
#include "lib/abi/groups.def"
#undef GROUP
};

/* What lib/abi/syscalls.def calls the arguments of a call, and where it puts it: for
 * those who read and write policies. */
#ifndef LIB_SYSCALL_WORDS_H
#define LIB_SYSCALL_WORDS_H

#include "lib/syscall_table.h"

enum syscall_group {
#define GROUP(name, what) GROUP_##name,
#include "lib/abi/groups.def"
#undef GROUP
	SYSCALL_GROUPS,
};

enum syscall_state { STATE_full, STATE_partial, STATE_refused, STATE_none };

struct syscall_words {
	const char *args[SYSCALL_ARGS_MAX]; /* NULL: behind the last one */
	uint8_t group, state;
};

/* NULL: not a number of Linux. */
const struct syscall_words *syscall_words(uint64_t nr);
/* The number behind the last one. */
uint32_t syscall_numbers(void);

struct syscall_group_row {
	const char *name, *what;
};
extern const struct syscall_group_row syscall_groups[SYSCALL_GROUPS];

#endif

/*
 * The sweep: every system call with values that nobody chose for it, after the types of
 * its arguments. A case sweep_NAME goes through each value of each argument while the
 * others have one that works, then through values of several arguments at once (the same
 * ones every time), as root and again as an ordinary user. A line for each call:
 *
 *	read(file, buffer, 4096) = 10, 16 bytes written
 *
 * sweep.def says what a call needs besides: values of its own, a process of its own, or
 * why it is left out.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "diff.h"

/* A value of an argument, as it is given and as it is said. */
struct sweep_value {
	const char *label;
	uint64_t value;
};

/* The values of a type; the first is the one that works, where sweep.def says nothing
 * else. */
struct sweep_domain {
	const char *name;
	const struct sweep_value *values;
	int n;
};

enum {
	SWEEP_ARGS = 6,
	/* sweep_rule.flags: */
	SWEEP_ALONE = 1,	/* each call in a process of its own */
	SWEEP_NO_VALUE = 2,	/* what it gives means nothing outside the run */
	SWEEP_FD = 4,		/* gives a descriptor: closed again */
	SWEEP_OWN_FDS = 8,	/* changes descriptors: new ones for each call */
	SWEEP_ONLY_NOBODY = 16, /* would change what the machine is for others */
	SWEEP_ONLY_ROOT = 256,	/* an ordinary user is answered otherwise on purpose */
	SWEEP_SYSV = 32,	/* gives the id of something: removed again */
	SWEEP_SINGLE = 128,	/* one value at a time only */
	SWEEP_QUIET = 64,	/* how much it writes means nothing outside the run */
};

struct sweep_call {
	int nr;
	const char *name;
	const char *kinds[SWEEP_ARGS]; /* names of syscalls.def's types; NULL: no more */
};

void sweep(const struct sweep_call *c);

/* -- what the values are (sweep_values.c) ------------------------------------------- */

const struct sweep_domain *sweep_domain(const char *name);
/* The memory, descriptors and files that the values name. */
void sweep_prepare(void);
void sweep_open_fds(void);
/* What belongs to a process: its own pidfd, and a child when a call wants one. */
void sweep_prepare_process(bool with_child);
/* Memory, the working directory and, `with_names`, files as they were. */
void sweep_repair(bool with_names);
/* The number of bytes of the output buffer that were written, in eights. */
int sweep_written(void);

#endif

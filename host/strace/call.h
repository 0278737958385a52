/*
 * A system call as text: each argument by the function that its row in calls.def names,
 * or by the kind that lib/abi/syscalls.def gives it.
 */
#ifndef HOST_STRACE_CALL_H
#define HOST_STRACE_CALL_H

#include "host/strace/text.h"
#include "lib/calltrace.h"
#include "lib/syscall_table.h"

struct call {
	struct text *out;
	struct calltrace_enter enter;
	const struct calltrace_record *before; /* memory at entry; NULL: not known */
	const struct calltrace_record *after;  /* at exit; NULL: it has not returned */
	int64_t result;
	bool failed;
	unsigned next; /* the argument that is to be printed next */
	bool no_more;  /* a printer printed the last one, or there is none */
	bool later;    /* a printer wants to see the call return first */
};

struct argument {
	void (*print)(struct call *c, unsigned i, const struct names *set);
	const struct names *set;
	bool late; /* cannot be printed before the call has returned */
};

struct call_row {
	struct argument args[SYSCALL_ARGS_MAX];
	void (*result)(struct call *c); /* NULL: a decimal number */
};

/* The name; heap is not needed: `space` holds that of an unknown number. */
const char *call_name(uint64_t nr, char space[32]);
/* Prints arguments from c->next on, as many as can be now. */
void call_args(struct call *c);
/* Whether all are printed. */
bool call_complete(const struct call *c);
/* What stands behind "= ". */
void call_result(struct call *c);

/* name(arguments), of a call of which nothing is known but its registers, and the path
 * that argument path_arg names (-1: none does). */
void call_known(struct text *out, uint64_t nr, const uint64_t args[SYSCALL_ARGS_MAX],
		int64_t result, int path_arg, const char *path);
/* The first argument that is a path; -1. */
int call_path_argument(uint64_t nr);

/* ---- for printers ---- */

/* n bytes at `address`, as they were when the call was made, or when it returned. False:
 * not known. */
must_use bool memory_before(const struct call *c, uint64_t address, void *to, size_t n);
must_use bool memory_after(const struct call *c, uint64_t address, void *to, size_t n);
/* A printer's own record: `late` says which. */
must_use bool memory_get(const struct call *c, bool late, uint64_t address, void *to,
			 size_t n);
/* An argument's struct; false: it is not known, so the address was printed. The second:
 * what the call gave, if it succeeded. */
must_use bool struct_in(struct call *c, unsigned i, void *to, size_t n);
must_use bool struct_out(struct call *c, unsigned i, void *to, size_t n);
/* Up to `size` bytes that are data, or a string, or a path; else the address. */
void print_data(struct call *c, bool late, uint64_t address, uint64_t size, bool hex);
void print_string(struct call *c, bool late, uint64_t address);
void print_path(struct call *c, uint64_t address);

/* ---- host/strace/args_*.c: printers that calls.def names ---- */

#define PRINTER(name)                                                                    \
	void arg_##name(struct call *c, unsigned i, const struct names *set);
#include "host/strace/printers.def"
#undef PRINTER

/* What follows a result. */
void result_hex(struct call *c);
void result_octal(struct call *c);
void result_fcntl(struct call *c);
void result_poll(struct call *c);
void result_select(struct call *c);
void result_never(struct call *c);

#endif

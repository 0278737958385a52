/*
 * The records in which the kernel tells of a job's system calls (/proc/mayfly/trace): how
 * they are written and read. The kernel puts down bare facts, among them what lay at the
 * addresses that a call was given; whoever reads makes text of them.
 *
 * A stream of records, little endian, each a multiple of 8 bytes:
 *
 *	u32 size of the record | u32 type | i32 thread | u32 0 | u64 clock_mono, ns
 *	the body of its type
 *	ENTER, EXIT: memory, any number of
 *		u64 address | u32 size | u32 0 | that many bytes | zeroes up to 8
 *
 *	BEGIN	u64 what the wall clock adds to the monotonic one
 *	ENTER	u64 number | u64 arguments[6] | u64 stack pointer
 *	EXIT	u64 number | u64 result, or minus an error, also one that restarts
 *	SIGNAL	siginfo_t, 128 bytes: a signal is delivered
 *	EXITED	u32 wait status | i32 the thread whose execve takes its number over, or 0
 *
 * C1  The reader takes the writer for hostile: what calltrace_decode accepts, the other
 *     functions may be handed, and nothing they return leaves the record.
 * C2  A call that never returns has no EXIT; the execve of a thread that took its
 *     leader's number over has its EXIT under that one, after the leader's EXITED.
 */
#ifndef LIB_CALLTRACE_H
#define LIB_CALLTRACE_H

#include "lib/base.h"

#define CALLTRACE_RECORD_MAX 16384u
#define CALLTRACE_STRING_MAX 4096u  /* of a string that is kept, with its NUL */
#define CALLTRACE_DATA_MAX 256u	    /* of other data */
#define CALLTRACE_VECTOR_STRINGS 33 /* of a vector of strings: one more than is shown */
#define CALLTRACE_VECTOR_MAX 512    /* pointers of a vector that are counted */
#define CALLTRACE_IOVECS_MAX 16

enum calltrace_type {
	CALLTRACE_BEGIN = 1,
	CALLTRACE_ENTER,
	CALLTRACE_EXIT,
	CALLTRACE_SIGNAL,
	CALLTRACE_EXITED,
	CALLTRACE_TYPES,
};

struct calltrace_head {
	uint32_t size, type;
	int32_t tid;
	uint32_t zero;
	uint64_t ns;
};

struct calltrace_enter {
	uint64_t nr, args[6], sp;
};

struct calltrace_exit {
	uint64_t nr, result;
};

struct calltrace_exited {
	uint32_t status;
	int32_t successor;
};

struct calltrace_memory {
	uint64_t address;
	uint32_t size, zero;
};

struct calltrace_record {
	struct calltrace_head head;
	union {
		uint64_t wall_offset; /* BEGIN */
		struct calltrace_enter enter;
		struct calltrace_exit exit;
		uint8_t siginfo[128]; /* SIGNAL */
		struct calltrace_exited exited;
	};
	const uint8_t *memory; /* ENTER, EXIT: borrows the bytes that were decoded */
	size_t memory_size;
};

/* ---- reading ---- */

/* The first record of `have` bytes: the bytes it takes; 0: it is not complete yet;
 * -EPROTO: not a record. */
must_use int calltrace_decode(const void *bytes, size_t have,
			      struct calltrace_record *ret);
/* What lay at [address, address + *ret_size): as much as the record holds from there on.
 * NULL: nothing. */
const void *calltrace_at(const struct calltrace_record *r, uint64_t address,
			 size_t *ret_size);

/* ---- writing ---- */

struct calltrace_writer {
	uint8_t *at; /* CALLTRACE_RECORD_MAX bytes, aligned to 8 */
	size_t size;
};

/* Head and body: `body` has the size of its type. */
void calltrace_begin(struct calltrace_writer *w, enum calltrace_type type, int32_t tid,
		     uint64_t ns, const void *body);
/* Room for memory from `address` on: where it goes, and how much fits of `want`; then
 * calltrace_added says how much came. */
void *calltrace_room(struct calltrace_writer *w, size_t want, size_t *ret_fits);
void calltrace_added(struct calltrace_writer *w, uint64_t address, size_t size);
/* The record is complete: its size. */
size_t calltrace_end(struct calltrace_writer *w);

#endif

/*
 * The compiled form of a policy, and what it decides. The kernel takes it from an
 * untrusted program, `mayfly policy` makes and explains it: both decide by this code.
 *
 *	header | programs | rules | tests | values | paths | execs | limits | text
 *
 * little endian, in the order and sizes of the structs below, as many of each as the
 * header says, nothing between or behind them. The digest is of the whole form with the
 * digest's own bytes zero. What is unused is zero; what has a part of a table has it
 * behind the one before it, and all of the table is somebody's. `text` is NUL-ended
 * strings, the first of them empty; others refer to a string by the offset of its first
 * byte.
 *
 * The form's first program is the policy; the others are what processes get in addition
 * when they run certain programs (execs).
 *
 * A call: of the rules of its number those count whose tests all hold. The sternest that
 * refuses decides; if there is none, one that allows; if there is none either, the
 * default. Numbers that the kernel does not have never come this far unless a rule names
 * them.
 *
 * A path: the rules of the place and of all folders above count. What one denies is
 * denied, else what one allows is allowed, else it is denied. A folder on the way to what
 * a rule allows may be looked at (POLICY_LOOK), not listed.
 */
#ifndef LIB_POLICY_H
#define LIB_POLICY_H

#include "lib/base.h"

#define POLICY_MAGIC "MFPOLICY"
#define POLICY_VERSION 1
#define POLICY_DIGEST_SIZE 32
#define POLICY_SIZE_MAX MIB(1) /* of a form */
#define POLICY_PROGRAMS_MAX 64 /* in a form */
#define POLICY_LAYERS_MAX 16   /* that a process can be under */
#define POLICY_NUMBERS 512     /* system calls: numbers from here on do not exist */
#define POLICY_ARGS 6
#define POLICY_FIELDS 9 /* arguments and what stands behind them: POLICY_FIELD */
#define POLICY_PATH_MAX 4095

/*
 * mayfly_policy(op, form, size): installs a policy for the whole process and all that it
 * starts, in addition to what is in force: it can only narrow. A number that Linux does
 * not use. The result is 0 or
 *	EINVAL	op; the form is damaged or of another version
 *	E2BIG	the form is too large, or there are POLICY_LAYERS_MAX already
 *	EFAULT, ENOMEM
 */
#define POLICY_SYSCALL 1000
enum policy_op {
	POLICY_OP_VERSION,  /* nothing is installed; the result is POLICY_VERSION */
	POLICY_OP_NOW,	    /* in force when the call returns, for all threads */
	POLICY_OP_EXEC,	    /* from the next program on that this thread runs */
	POLICY_OP_FINDINGS, /* nothing either; how many /proc/mayfly/policy tells of */
};

enum policy_action {
#define POLICY_ACTION(name, number, word, text) POLICY_##name = (number),
#include "lib/abi/policy.def"
	POLICY_ACTIONS,
};
#define POLICY_ACTION_OF(kind, error) ((uint32_t)(kind) << 16 | (uint32_t)(error))
#define POLICY_ACTION_KIND(action) ((action) >> 16)
#define POLICY_ACTION_ERROR(action) ((action)&0xffffu)
#define POLICY_ERROR_MAX 511 /* from there on the kernel's own begin */

enum policy_test_op {
#define POLICY_OP(name, number, sign) POLICY_TEST_##name = (number),
#include "lib/abi/policy.def"
	POLICY_TEST_OPS,
};

#define POLICY_ACCESS(name, number, word, text) POLICY_##name = 1u << (number),
enum policy_access {
#include "lib/abi/policy.def"
	POLICY_ACCESS_ALL = 31,
	/* Never in a rule: attributes, a working directory. READ includes it. */
	POLICY_LOOK = 1u << 15,
	/* Nor this, in reports alone: memory that was written is to be executed. */
	POLICY_CODE = 1u << 14,
};

enum policy_flag {
#define POLICY_FLAG(name, bit, word, text) POLICY_FLAG_##name = 1u << (bit),
#include "lib/abi/policy.def"
	POLICY_FLAGS_ALL = 7,
};

enum policy_limit_kind {
#define POLICY_LIMIT(name, number, word, unit) POLICY_LIMIT_##name = (number),
#include "lib/abi/policy.def"
	POLICY_LIMITS,
};

struct policy_header {
	char magic[8];
	uint32_t version, size;		    /* of the whole form */
	uint8_t digest[POLICY_DIGEST_SIZE]; /* BLAKE2b-256 */
	uint32_t n_programs, n_rules, n_tests, n_values;
	uint32_t n_paths, n_execs, n_limits, text_size; /* all a multiple of 8 in bytes */
};

/* Each has a part of the tables, which follow one another without holes. */
struct policy_program {
	uint32_t name;		 /* text */
	uint32_t flags;		 /* POLICY_FLAG_* */
	uint32_t default_action; /* ERRNO or sterner; ASK with LEARN */
	uint32_t default_line;	 /* of the source; 0: it does not say */
	uint32_t first_rule, n_rules;
	uint32_t first_path, n_paths;
	uint32_t first_exec, n_execs;
	uint32_t first_limit, n_limits;
};

/* Ascending by number within a program. */
struct policy_rule {
	uint16_t number, n_tests;
	uint32_t first_test;
	uint32_t action; /* not ASK */
	uint32_t line;
};

/* (argument & mask) op value. The argument is as wide and as signed as its kind in
 * syscalls.def says: what the kernel does not look at no test sees. */
struct policy_test {
	uint8_t arg; /* 0..5, or POLICY_FIELD */
	uint8_t op;
	uint16_t zero;
	uint32_t n_values; /* of IN and NOT_IN, else 0: */
	uint64_t mask;
	uint64_t value; /* IN and NOT_IN: the first's index; ascending, as unsigned */
};

/*
 * Within a program those without PATTERN come first, and all are ascending by text. A
 * canonical absolute path: no empty component, no "." and "..", no slash at the end but
 * of "/". With PATTERN a `*` in a component stands for any characters, and one that is
 * "$self" for the number of the process.
 */
struct policy_path {
	uint32_t text;
	uint16_t flags;	      /* POLICY_PATH_* */
	uint16_t allow, deny; /* POLICY_READ ...; one of them is 0 */
	uint16_t zero;
	uint32_t line;
};
#define POLICY_PATH_EXACT 1u /* the place itself, nothing below */
#define POLICY_PATH_PATTERN 2u

/* A process that runs this program (a path as above) goes on under `program` as well. The
 * first that fits counts. */
struct policy_exec {
	uint32_t text;
	uint32_t flags; /* 0 or PATTERN */
	uint32_t program;
	uint32_t line;
};

/* Each kind once in a program, ascending. */
struct policy_limit {
	uint32_t kind, line;
	uint64_t value;
};

/* A form that was checked. Borrows it. */
struct policy {
	const struct policy_header *header;
	const struct policy_program *programs;
	const struct policy_rule *rules;
	const struct policy_test *tests;
	const uint64_t *values;
	const struct policy_path *paths;
	const struct policy_exec *execs;
	const struct policy_limit *limits;
	const char *text;
};

/* form is aligned to 8. 0; -E2BIG; -EINVAL with *ret_why: what was wrong. */
must_use int policy_parse(const void *form, size_t size, struct policy *ret,
			  const char **ret_why);
/* Writes the digest of a form that is whole otherwise. */
void policy_seal(void *form, size_t size);

struct policy_verdict {
	uint32_t action;
	uint32_t line; /* 0: none decided */
};

/*
 * What the program says to a call. fields NULL: what the call reads from memory is not
 * known yet: rules that look at it allow, and refuse nothing. Else fields[i] is
 * POLICY_FIELD number 6 + i.
 */
void policy_decide(const struct policy *p, uint32_t program, uint32_t number,
		   const uint64_t args[POLICY_ARGS], const uint64_t *fields,
		   struct policy_verdict *ret);
/* Is there a rule of that number? */
bool policy_names(const struct policy *p, uint32_t program, uint32_t number);
/* The numbers that it allows whatever their arguments: a bit each, and no others. */
void policy_passes(const struct policy *p, uint32_t program,
		   uint64_t ret[POLICY_NUMBERS / 64]);

/* A place: its canonical path (it starts with '/'), and the process that asks. */
struct policy_place {
	const char *path;
	size_t len;
	int32_t self;
};
/* What it allows there: POLICY_ACCESS bits and POLICY_LOOK. */
uint32_t policy_rights(const struct policy *p, uint32_t program,
		       const struct policy_place *at);
/* What it allows whatever the place, the same bits: what "/" allows and nothing
 * denies. */
uint32_t policy_everywhere(const struct policy *p, uint32_t program);
/* The line that decides whether `want` (one or more bits) is allowed there; 0: none. */
uint32_t policy_path_line(const struct policy *p, uint32_t program,
			  const struct policy_place *at, uint32_t want);
/* May a rule lie strictly below that folder? Then moving it would move what they say. */
bool policy_rules_below(const struct policy *p, uint32_t program,
			const struct policy_place *at);
/* What to go on under after running that program; -1: what there is. */
int32_t policy_exec_find(const struct policy *p, uint32_t program,
			 const struct policy_place *at);
/* The program's limit; UINT64_MAX: none. */
uint64_t policy_limit_of(const struct policy *p, uint32_t program,
			 enum policy_limit_kind kind);

#endif

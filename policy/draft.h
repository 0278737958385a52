/*
 * A policy as structures: what the parser and the importers make, what is compiled,
 * printed, and looked at by lint. All of it lives in an arena of others.
 */
#ifndef POLICY_DRAFT_H
#define POLICY_DRAFT_H

#include "lib/policy.h"
#include "policy/sources.h"

/* In place of an action: refused as by the program's default. */
#define DRAFT_REFUSE UINT32_MAX

/* As struct policy_test, but `values` are here. */
struct draft_test {
	uint8_t arg, op;
	uint32_t n_values;
	uint64_t mask, value;
	const uint64_t *values; /* ascending */
};

/* A line: what it says of every call that it names. */
struct draft_rule {
	uint32_t action;    /* POLICY_ACTION_OF, DRAFT_REFUSE */
	const char *reason; /* NULL: none is given */
	struct spot at;
};

struct draft_call {
	uint16_t number;
	bool by_group;
	uint32_t n_tests;
	const struct draft_test *tests;
	const struct draft_rule *rule;
};

struct draft_path {
	const char *text; /* as written, then canonical */
	size_t size;
	uint32_t allow, deny; /* POLICY_READ ...; one of them is 0 */
	uint16_t flags;	      /* POLICY_PATH_*: after the check */
	const char *reason;
	struct spot at;
};

struct draft_exec {
	const char *text; /* as written, then canonical */
	size_t size;
	uint16_t flags;
	const char *use;  /* a program's name */
	uint32_t program; /* its number: after the check */
	const char *reason;
	struct spot at, use_at;
};

struct draft_limit {
	enum policy_limit_kind kind;
	uint64_t value;
	struct spot at;
};

/* What can be said once. Of several that files say which include one another the
 * outermost counts. */
struct draft_choice {
	uint32_t value;
	uint32_t depth;
	const char *reason;
	struct spot at; /* line 0: it is not said */
};

struct draft_program {
	const char *name;
	struct spot at;
	struct draft_choice default_action;
	struct draft_choice gain;	/* value: POLICY_FLAG_GAIN_KILL or 0 */
	struct draft_choice exec_write; /* value: POLICY_FLAG_EXEC_WRITE */
	VEC(struct draft_call) calls;
	VEC(struct draft_path) paths;
	VEC(struct draft_exec) execs;
	VEC(struct draft_limit) limits;
};

struct draft_variable {
	const char *name, *value;
	uint32_t depth;
	struct spot at;
	bool busy; /* its value is being worked out */
	bool done; /* it is: no variable is left in it */
};

struct draft {
	struct sources *sources;	    /* the arena is theirs */
	uint32_t main;			    /* the outermost text */
	VEC(struct draft_program) programs; /* the first is the policy itself */
	VEC(struct draft_variable) variables;
	size_t size; /* of calls and tests, in bytes */
};

#define DRAFT_SIZE_MAX MIB(64)

/* With one program, that has no name yet. */
void draft_begin(struct draft *d, struct sources *sources);
void draft_call_add(struct draft *d, uint32_t program, const struct draft_call *call);
/* What default refuses with, if nothing is said. */
#define DRAFT_DEFAULT POLICY_ACTION_OF(POLICY_ERRNO, 1) /* EPERM */
uint32_t draft_default(const struct draft_program *program);

#endif

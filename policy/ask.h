/* What would happen to a call, and which line decides. */
#ifndef POLICY_ASK_H
#define POLICY_ASK_H

#include "lib/policy.h"
#include "policy/arena.h"

struct question {
	uint32_t number;
	uint64_t args[POLICY_ARGS];
	uint64_t fields[POLICY_FIELDS - POLICY_ARGS];
	bool has_fields;		/* some was said: the others are 0 */
	const char *paths[POLICY_ARGS]; /* canonical; NULL: not a path, or not known */
};

struct answer {
	uint32_t action; /* of all */
	int64_t rule; /* that decides about the call: its index; -1: none, the default */
	/* What a path rule refuses; 0: none does. */
	uint32_t refused; /* POLICY_READ ... */
	uint32_t path_arg;
	uint32_t path_line; /* of the form; 0: no line */
};

/*
 * "openat", "AT_FDCWD,/etc/passwd,O_RDONLY": values, names of values, paths, in the order
 * of the arguments or as NAME=VALUE. NULL: understood; else what is wrong, in the arena.
 */
const char *question_read(struct arena *a, const char *call, const char *args,
			  struct question *ret);
void ask(const struct policy *p, uint32_t program, const struct question *q,
	 struct answer *ret);

/* A path as the rules see it: canonical, /proc/self the number of who asks. NULL: it is
 * not absolute. */
const char *ask_path(struct arena *a, const char *text);

/* The rule that decides, or -1. */
int64_t ask_rule(const struct policy *p, uint32_t program, const struct question *q,
		 uint32_t action);
/* The path rule that decides whether `want` is allowed there: its index; -1: none. */
int64_t ask_path_rule(const struct policy *p, uint32_t program, const char *path,
		      uint32_t want);
/* What is allowed there. */
uint32_t ask_rights(const struct policy *p, uint32_t program, const char *path);

#endif

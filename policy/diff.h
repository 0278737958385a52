/*
 * What a policy allows that another does not. Calls are compared by what is decided for
 * arguments at and beside every value, and for the bits, that the rules of either name.
 */
#ifndef POLICY_DIFF_H
#define POLICY_DIFF_H

#include "lib/policy.h"
#include "policy/arena.h"

enum diff_kind {
	DIFF_WIDENED,
	DIFF_NARROWED,
	DIFF_CHANGED, /* refused, or told of, in another way */
	DIFF_KINDS,
};

struct difference {
	enum diff_kind kind;
	const char *program; /* "" : the policy itself */
	const char *what;
};

struct diff {
	struct arena arena;
	VEC(struct difference) found;
	unsigned count[DIFF_KINDS];
	VEC(uint32_t) compared; /* pairs of programs */
	bool sampled;		/* a call has too many arguments' values to try all */
};

/* diff starts zeroed. */
void diff_policies(struct diff *diff, const struct policy *before,
		   const struct policy *after);
void diff_free(struct diff *diff);

/* ---- diff_call.c ---- */

struct two {
	struct diff *diff;
	const struct policy *before, *after;
	uint32_t a, b; /* programs */
};

void diff_add(struct two *t, enum diff_kind kind, const char *what);
void diff_calls(struct two *t);

#endif

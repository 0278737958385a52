/* What is dangerous in a policy, useless, or wider than it looks: lint.def. */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include "policy/built.h"

/* Adds what it finds to b->sources' messages. The policy is right, and was a text. How
 * much it found. */
unsigned lint(struct built *b);

/* ---- what the parts share ---- */

enum lint {
#define LINT(name, kind, text) LINT_##name,
#include "policy/lint.def"
	LINTS,
};

struct linter {
	struct built *b;
	struct draft_program *d; /* and its form: */
	const struct policy_program *g;
	uint32_t program;
	unsigned found;
};

/* `more`: in front of the lint's text; NULL. `line`: what else is said there; its line 0:
 * nothing. */
void lint_found(struct linter *l, enum lint lint, struct spot at, const char *more,
		struct spot line);

/* ---- lint_call.c, lint_path.c ---- */

void lint_calls(struct linter *l);
void lint_paths(struct linter *l);

#endif

/* A checked draft becomes a form. The same draft gives the same bytes, in whatever order
 * its lines are. */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "policy/draft.h"

struct compiled {
	void *form; /* heap */
	size_t size;
	/* Whence the form's rules and paths, execs and limits are: by their index. Of a
	 * form that was no text: NULL. In the draft's arena. */
	const struct draft_call **rules;
	const struct draft_path **paths;
	const struct draft_exec **execs;
	const struct draft_limit **limits;
};

/* False: something is wrong; it was said. */
bool compile(struct draft *draft, struct compiled *ret);
/* The line of the outermost text that says this: for what is included, the include's. */
uint32_t compile_line(const struct draft *draft, struct spot at);

#endif

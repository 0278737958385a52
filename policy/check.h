/* What of a draft can be told only when all of it is there: variables, paths' canonical
 * forms, programs by name. Says in draft->sources what is wrong. */
#ifndef POLICY_CHECK_H
#define POLICY_CHECK_H

#include "policy/draft.h"

/* A value from outside: instead of what the text says. */
struct policy_define;

void check(struct draft *draft, const struct policy_define *defines, size_t n);

/* ---- check_path.c ---- */

/* A path as written: variables replaced, canonical. False: it was said what is wrong. */
bool check_path(struct draft *draft, struct spot at, const char **text, size_t *size,
		uint16_t *flags);
/* A path without variables that a user gives: canonical; NULL: it is no absolute one. */
const char *path_canonical(struct arena *a, const char *path);

#endif

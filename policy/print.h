/* A draft as a policy's text: what importers and learners end with. */
#ifndef POLICY_PRINT_H
#define POLICY_PRINT_H

#include <stdio.h>

#include "policy/draft.h"

/* Calls with the same rule are in a line; a group that is in it as a whole is named
 * so. */
void draft_print(const struct draft *d, FILE *out);

#endif

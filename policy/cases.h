/*
 * Expectations of a policy, a line each:
 *
 *	expect allow CALL [ARGUMENTS]	expect deny [HOW] CALL [ARGUMENTS]
 *	expect ACCESS... PATH		expect deny ACCESS... PATH
 */
#ifndef POLICY_CASES_H
#define POLICY_CASES_H

#include <stdio.h>

#include "policy/built.h"

struct tally_of_cases {
	unsigned passed, failed;
};

/* Tries those of a file, and tells of each in TAP. False: it is wrong; it was said in
 * b->sources. */
bool cases_run(struct built *b, uint32_t file, FILE *out, struct tally_of_cases *ret);

#endif

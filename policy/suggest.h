/* The line of a policy that would allow what was refused. */
#ifndef POLICY_SUGGEST_H
#define POLICY_SUGGEST_H

#include <stdio.h>

#include "lib/policy.h"

struct refusal_facts {
	uint32_t number;
	uint64_t args[POLICY_ARGS];
	uint32_t line;	   /* that refused it; 0: none did */
	uint32_t access;   /* POLICY_READ ... or POLICY_CODE; 0: the call itself */
	const char *place; /* of the access; NULL: it has none */
};

/* For want of a line that allows it, not by one that refuses. */
bool refused_by_default(const struct policy *p, uint32_t program,
			const struct refusal_facts *f);
/* Writes it, without a line end: true. False: none can: a line refuses it, or the place
 * has no name. p: what refused, NULL: not known. */
bool suggest(FILE *out, const struct policy *p, uint32_t program,
	     const struct refusal_facts *f);

#endif

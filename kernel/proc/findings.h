/*
 * What policies refused, and what they learned: each kind of it once, with a count, for
 * the report (/proc/mayfly/policy, lib/abi/wire.def).
 */
#ifndef PROC_FINDINGS_H
#define PROC_FINDINGS_H

#include "sec/policy.h"

struct finding {
	const struct policy_layer *by;
	uint32_t action;	       /* POLICY_ACTION_OF */
	uint32_t line;		       /* of the policy; 0: none decided */
	uint32_t access;	       /* POLICY_READ ...; 0: it is about the call */
	const struct policy_place *at; /* NULL: none */
};

/* The running thread's call. Takes a mutex, RANK_FINDINGS. */
void finding_add(const struct finding *f);

uint32_t finding_count(void); /* of different ones */

void findings_init(void);

#endif

/* A policy as structures. */
#include "policy/draft.h"

void draft_begin(struct draft *d, struct sources *sources)
{
	*d = (struct draft){ .sources = sources };
	*vec_push(&sources->arena, &d->programs) = (struct draft_program){ .name = "" };
}

void draft_call_add(struct draft *d, uint32_t program, const struct draft_call *call)
{
	struct draft_program *p = &d->programs.at[program];

	*vec_push(&d->sources->arena, &p->calls) = *call;
	d->size += sizeof(struct policy_rule);
	for (uint32_t i = 0; i < call->n_tests; i++)
		d->size += sizeof(struct policy_test) +
			   call->tests[i].n_values * sizeof(uint64_t);
}

uint32_t draft_default(const struct draft_program *program)
{
	return program->default_action.at.line ? program->default_action.value
					       : DRAFT_DEFAULT;
}

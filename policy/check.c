/* What of a draft can be told only when all of it is there. */
#include <stdlib.h>
#include <string.h>

#include "policy/check.h"
#include "policy/policy.h"
#include "policy/words.h"

/* ---- variables ---- */

static int variable_compare(const void *a, const void *b)
{
	const struct draft_variable *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	if (x->at.file != y->at.file)
		return x->at.file < y->at.file ? -1 : 1;
	return (x->at.line > y->at.line) - (x->at.line < y->at.line);
}

/* Of each name the outermost stays; those of one depth must agree. In order then, so that
 * they are found fast. */
static void check_variables(struct draft *d)
{
	struct draft_variable *v = d->variables.at, *kept = NULL;
	uint32_t n = 0;

	if (d->variables.n)
		qsort(v, d->variables.n, sizeof(*v), variable_compare);
	for (uint32_t i = 0; i < d->variables.n; i++) {
		if (!kept || strcmp(kept->name, v[i].name)) {
			kept = &v[n++];
			*kept = v[i];
		} else if (kept->depth == v[i].depth && strcmp(kept->value, v[i].value)) {
			source_fault(d->sources, v[i].at, NULL,
				     "'$%s' has another value in %s:%u", v[i].name,
				     d->sources->files.at[kept->at.file].name,
				     kept->at.line);
		}
	}
	d->variables.n = n;
}

static void define(struct draft *d, const struct policy_define *define)
{
	struct guess g;
	bool found = false;

	guess_begin(&g, define->name, strlen(define->name));
	for (uint32_t i = 0; i < d->variables.n; i++) {
		guess_offer(&g, d->variables.at[i].name);
		if (strcmp(d->variables.at[i].name, define->name))
			continue;
		d->variables.at[i].value = define->value;
		found = true;
	}
	if (!found)
		source_fault(d->sources, (struct spot){ 0 },
			     guess_hint(&g, &d->sources->arena),
			     "the policy has no variable '%s'", define->name);
}

/* ---- paths and programs ---- */

static int32_t program_find(const struct draft *d, const char *name)
{
	for (uint32_t i = 1; i < d->programs.n; i++)
		if (!strcmp(d->programs.at[i].name, name))
			return (int32_t)i;
	return -1;
}

static void check_exec(struct draft *d, struct draft_exec *e)
{
	int32_t program = program_find(d, e->use);
	struct guess g;

	(void)!check_path(d, e->at, &e->text, &e->size, &e->flags);
	if (e->flags & POLICY_PATH_EXACT)
		source_fault(d->sources, e->at, NULL,
			     "a program is a file: its path does not end in '/.'");
	e->program = program < 0 ? 0 : (uint32_t)program;
	if (program >= 0)
		return;
	guess_begin(&g, e->use, strlen(e->use));
	for (uint32_t i = 1; i < d->programs.n; i++)
		guess_offer(&g, d->programs.at[i].name);
	source_fault(d->sources, e->use_at, guess_hint(&g, &d->sources->arena),
		     "there is no program \"%s\" in this policy", e->use);
}

static void check_program(struct draft *d, struct draft_program *p)
{
	for (uint32_t i = 0; i < p->paths.n; i++) {
		struct draft_path *path = &p->paths.at[i];

		(void)!check_path(d, path->at, &path->text, &path->size, &path->flags);
	}
	for (uint32_t i = 0; i < p->execs.n; i++)
		check_exec(d, &p->execs.at[i]);
}

void check(struct draft *draft, const struct policy_define *defines, size_t n)
{
	check_variables(draft);
	for (size_t i = 0; i < n; i++)
		define(draft, &defines[i]);
	for (uint32_t i = 0; i < draft->programs.n; i++)
		check_program(draft, &draft->programs.at[i]);
}

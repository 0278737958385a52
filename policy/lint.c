/* What is dangerous in a policy, useless, or wider than it looks. */
#include <string.h>

#include "policy/lint.h"

static const struct {
	const char *kind, *text;
} lints[] = {
#define LINT(name, kind, text) { #kind, text },
#include "policy/lint.def"
};

void lint_found(struct linter *l, enum lint lint, struct spot at, const char *more,
		struct spot line)
{
	struct sources *s = &l->b->sources;
	const char *hint = NULL;

	if (line.line)
		hint = arena_format(&s->arena, "see %s:%u", s->files.at[line.file].name,
				    line.line);
	source_fault(s, at, hint, "%s: %s%s%s", lints[lint].kind, more ? more : "",
		     more ? ": " : "", lints[lint].text);
	l->found++;
}

static void lint_choices(struct linter *l)
{
	const struct draft_choice *exec_write = &l->d->exec_write, *gain = &l->d->gain;

	if (exec_write->value && !exec_write->reason)
		lint_found(l, LINT_EXEC_WRITE, exec_write->at, NULL, (struct spot){ 0 });
	if (gain->value && !gain->reason)
		lint_found(l, LINT_GAIN_KILL, gain->at, NULL, (struct spot){ 0 });
}

static void lint_limits(struct linter *l)
{
	for (uint32_t i = 0; i < l->d->limits.n; i++) {
		const struct draft_limit *limit = &l->d->limits.at[i];

		for (uint32_t k = 0; k < l->g->n_limits; k++) {
			const struct draft_limit *least =
				l->b->compiled.limits[l->g->first_limit + k];

			if (least->kind == limit->kind && least->value < limit->value)
				lint_found(l, LINT_LIMIT, limit->at, NULL, least->at);
		}
	}
}

static bool is_used(const struct draft *d, uint32_t program)
{
	for (uint32_t i = 0; i < d->programs.n; i++)
		for (uint32_t k = 0; k < d->programs.at[i].execs.n; k++)
			if (d->programs.at[i].execs.at[k].program == program)
				return true;
	return false;
}

static void lint_all(struct linter *l)
{
	struct draft *d = &l->b->draft;

	if (!d->programs.at[0].at.line)
		lint_found(l, LINT_NO_NAME, (struct spot){ 0 }, NULL, (struct spot){ 0 });
	for (uint32_t i = 1; i < d->programs.n; i++)
		if (!is_used(d, i))
			lint_found(l, LINT_PROGRAM, d->programs.at[i].at, NULL,
				   (struct spot){ 0 });
	for (uint32_t i = 0; i < d->variables.n; i++)
		if (!d->variables.at[i].done)
			lint_found(l, LINT_VARIABLE, d->variables.at[i].at, NULL,
				   (struct spot){ 0 });
}

unsigned lint(struct built *b)
{
	struct linter l = { .b = b };

	lint_all(&l);
	for (l.program = 0; l.program < b->draft.programs.n; l.program++) {
		l.d = &b->draft.programs.at[l.program];
		l.g = &b->policy.programs[l.program];
		lint_choices(&l);
		lint_limits(&l);
		lint_calls(&l);
		lint_paths(&l);
	}
	return l.found;
}

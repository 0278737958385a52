/* What the exporters share. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/export.h"

void export_note(struct export *e, const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		exit(ARENA_EXIT);
	va_end(list);
	for (uint32_t i = 0; i < e->notes.n; i++) {
		if (strcmp(e->notes.at[i], text))
			continue;
		free(text);
		return;
	}
	*vec_push(&e->arena, &e->notes) = arena_copy(&e->arena, text, strlen(text));
	free(text);
}

void export_note_rest(struct export *e)
{
	const struct policy_program *g = &e->policy->programs[0];

	export_note(e, "paths: which files may be used is not in it");
	if (g->n_limits)
		export_note(e, "limits are not in it");
	if (g->n_execs)
		export_note(e, "policies of programs that are run are not in it");
	if (!(g->flags & POLICY_FLAG_GAIN_KILL))
		export_note(e, "programs that gain privilege: load it with no_new_privs");
}

static int compare_rules(const void *a, const void *b)
{
	const struct policy_rule *x = *(const struct policy_rule *const *)a;
	const struct policy_rule *y = *(const struct policy_rule *const *)b;
	uint32_t kind_x = POLICY_ACTION_KIND(x->action);
	uint32_t kind_y = POLICY_ACTION_KIND(y->action);

	if (kind_x != kind_y)
		return kind_x > kind_y ? -1 : 1;
	return x < y ? -1 : x > y;
}

const struct policy_rule **export_rules(struct export *e, uint32_t number,
					uint32_t *ret_n)
{
	const struct policy_program *g = &e->policy->programs[0];
	VEC(const struct policy_rule *) found = { 0 };

	for (uint32_t i = g->first_rule; i < g->first_rule + g->n_rules; i++)
		if (e->policy->rules[i].number == number)
			*vec_push(&e->arena, &found) = &e->policy->rules[i];
	if (found.n)
		qsort(found.at, found.n, sizeof(*found.at), compare_rules);
	*ret_n = found.n;
	return found.at;
}

void export_free(struct export *e)
{
	arena_free(&e->arena);
	*e = (struct export){ 0 };
}

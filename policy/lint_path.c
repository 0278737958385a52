/* What lint says of paths. */
#include <string.h>

#include "policy/ask.h"
#include "policy/describe.h"
#include "policy/lint.h"
#include "policy/numbers.h"

#define WRITE (POLICY_MODIFY | POLICY_CREATE | POLICY_REMOVE)
#define COMPARED_MAX 1000 /* rules that are compared each with all others */

static const struct spot nowhere;

static void found(struct linter *l, enum lint lint, const struct draft_path *path)
{
	lint_found(l, lint, path->at,
		   arena_format(&l->b->sources.arena, "'%s'", path->text), nowhere);
}

/* ---- risky ---- */

static bool is_system(const char *path)
{
	static const char *const folders[] = {
#define SYSTEM(folder) folder,
#include "policy/lint.def"
	};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		size_t n = strlen(folders[i]);

		if (!strncmp(path, folders[i], n) && (!path[n] || path[n] == '/'))
			return true;
	}
	return !strcmp(path, "/");
}

static void lint_write(struct linter *l, const struct draft_path *path)
{
	uint32_t rights = ask_rights(&l->b->policy, l->program, path->text);

	if (!(path->allow & WRITE) || path->reason)
		return;
	if (is_system(path->text))
		found(l, LINT_WRITE_SYSTEM, path);
	else if ((path->allow & POLICY_CREATE) && (rights & POLICY_EXECUTE) &&
		 (rights & POLICY_CREATE))
		found(l, LINT_WRITE_EXECUTE, path);
}

static void lint_place(struct linter *l, const char *place, uint32_t access,
		       enum lint lint)
{
	int64_t rule;

	if (!(ask_rights(&l->b->policy, l->program, place) & access))
		return;
	rule = ask_path_rule(&l->b->policy, l->program, place, access);
	if (rule >= 0 && !l->b->compiled.paths[rule]->reason)
		found(l, lint, l->b->compiled.paths[rule]);
}

/* ---- useless ---- */

/* What it is without that one rule. `space` is for the others. */
static uint32_t rights_without(struct linter *l, uint32_t rule, struct policy_path *space,
			       const char *path)
{
	struct policy one = l->b->policy;
	struct policy_program g = *l->g;
	uint32_t at = rule - g.first_path;
	const struct policy_path *paths = &one.paths[g.first_path];

	memcpy(space, paths, at * sizeof(*paths));
	memcpy(space + at, paths + at + 1, (g.n_paths - at - 1) * sizeof(*paths));
	g.first_path = 0;
	g.n_paths--;
	one.paths = space;
	one.programs = &g;
	return ask_rights(&one, 0, path);
}

static void lint_useless(struct linter *l)
{
	struct arena *a = &l->b->sources.arena;
	const struct policy *p = &l->b->policy;
	struct policy_path *space = arena_new(a, (l->g->n_paths + 1) * sizeof(*space));

	for (uint32_t i = 0; i < l->g->n_paths && l->g->n_paths <= COMPARED_MAX; i++) {
		uint32_t rule = l->g->first_path + i;
		const char *text = p->text + p->paths[rule].text;
		const char *below = arena_format(a, "%s/ ", text[1] ? text : "");

		if (p->paths[rule].flags & POLICY_PATH_PATTERN)
			continue;
		if (rights_without(l, rule, space, text) !=
			    ask_rights(p, l->program, text) ||
		    rights_without(l, rule, space, below) !=
			    ask_rights(p, l->program, below))
			continue;
		found(l, LINT_PATH, l->b->compiled.paths[rule]);
	}
}

static bool is_allowed(struct linter *l, uint32_t number)
{
	const struct policy *p = &l->b->policy;

	for (uint32_t i = l->g->first_rule; i < l->g->first_rule + l->g->n_rules; i++)
		if (p->rules[i].number == number &&
		    POLICY_ACTION_KIND(p->rules[i].action) < POLICY_ERRNO)
			return true;
	return false;
}

static void lint_calls_needed(struct linter *l)
{
	bool opens = is_allowed(l, NR_open) || is_allowed(l, NR_openat) ||
		     is_allowed(l, NR_openat2) || is_allowed(l, NR_readlink);
	bool runs = is_allowed(l, NR_execve) || is_allowed(l, NR_execveat);
	bool runnable = false;

	for (uint32_t i = 0; i < l->d->paths.n; i++) {
		const struct draft_path *path = &l->d->paths.at[i];

		runnable |= path->allow & POLICY_EXECUTE;
		if (!opens && path->allow && !(path->allow & ~POLICY_READ))
			found(l, LINT_NO_OPEN, path);
		/* Libraries are mapped as code without being run. */
		if (!runs && !opens && path->allow == POLICY_EXECUTE)
			found(l, LINT_NO_EXEC, path);
	}
	for (uint32_t i = 0; i < l->d->calls.n && runs && !runnable; i++) {
		const struct draft_call *call = &l->d->calls.at[i];

		if (call->number == NR_execve)
			lint_found(l, LINT_NO_PROGRAM, call->rule->at, "'execve'",
				   nowhere);
	}
}

void lint_paths(struct linter *l)
{
	for (uint32_t i = 0; i < l->d->paths.n; i++)
		lint_write(l, &l->d->paths.at[i]);
	lint_place(l, "/proc/1/mem", POLICY_MODIFY, LINT_PROC_MEM);
	lint_place(l, "/etc/shadow", POLICY_READ, LINT_SECRETS);
	lint_useless(l);
	lint_calls_needed(l);
}

/* A checked draft becomes a form. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"

/* Tables that grow, and the text. */
struct output {
	struct draft *draft;
	struct arena *arena;
	struct compiled *compiled;
	VEC(struct policy_program) programs;
	VEC(struct policy_rule) rules;
	VEC(struct policy_test) tests;
	VEC(uint64_t) values;
	VEC(struct policy_path) paths;
	VEC(struct policy_exec) execs;
	VEC(struct policy_limit) limits;
	VEC(char) text;
	VEC(const struct draft_call *) rules_from;
	VEC(const struct draft_path *) paths_from;
	VEC(const struct draft_exec *) execs_from;
	VEC(const struct draft_limit *) limits_from;
};

uint32_t compile_line(const struct draft *draft, struct spot at)
{
	if (!at.line || at.file == draft->main)
		return at.line;
	return draft->sources->files.at[at.file].included_at;
}

/* Its offset; the same text twice in a row is put once. */
static uint32_t text_put(struct output *o, const char *text, size_t size)
{
	uint32_t at = o->text.n;

	if (at > size && !memcmp(o->text.at + at - size - 1, text, size + 1) &&
	    (at == size + 1 || !o->text.at[at - size - 2]))
		return at - (uint32_t)size - 1;
	for (size_t i = 0; i <= size; i++)
		*vec_push(o->arena, &o->text) = text[i];
	return at;
}

/* ---- calls ---- */

static int64_t compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_test(const struct draft_test *a, const struct draft_test *b)
{
	int64_t order = (int64_t)a->arg - b->arg;

	order = order ? order : (int64_t)a->op - b->op;
	order = order ? order : compare_u64(a->mask, b->mask);
	order = order ? order : compare_u64(a->value, b->value);
	order = order ? order : (int64_t)a->n_values - b->n_values;
	for (uint32_t i = 0; !order && i < a->n_values; i++)
		order = compare_u64(a->values[i], b->values[i]);
	return (int)order;
}

static int compare_tests(const struct draft_call *a, const struct draft_call *b)
{
	int order = (int)a->n_tests - (int)b->n_tests;

	for (uint32_t i = 0; !order && i < a->n_tests; i++)
		order = compare_test(&a->tests[i], &b->tests[i]);
	return order;
}

static int compare_spot(struct spot a, struct spot b)
{
	if (a.file != b.file)
		return a.file < b.file ? -1 : 1;
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return (a.column > b.column) - (a.column < b.column);
}

/* What a rule says; then, of equal ones, which is written first. */
static int compare_said(const struct draft_call *a, const struct draft_call *b)
{
	int order = (int)a->number - (int)b->number;

	order = order ? order : (int)compare_u64(a->rule->action, b->rule->action);
	return order ? order : compare_tests(a, b);
}

static int compare_calls(const void *a, const void *b)
{
	const struct draft_call *const *x = a, *const *y = b;
	int order = compare_said(*x, *y);

	return order ? order : compare_spot((*x)->rule->at, (*y)->rule->at);
}

static void put_test(struct output *o, const struct draft_test *test)
{
	struct policy_test t = { .arg = test->arg,
				 .op = test->op,
				 .n_values = test->n_values,
				 .mask = test->mask,
				 .value = test->n_values ? o->values.n : test->value };

	for (uint32_t i = 0; i < test->n_values; i++)
		*vec_push(o->arena, &o->values) = test->values[i];
	*vec_push(o->arena, &o->tests) = t;
}

static void put_call(struct output *o, const struct draft_program *p,
		     const struct draft_call *call)
{
	uint32_t action = call->rule->action;

	*vec_push(o->arena, &o->rules_from) = call;
	*vec_push(o->arena, &o->rules) = (struct policy_rule){
		.number = call->number,
		.n_tests = (uint16_t)call->n_tests,
		.first_test = o->tests.n,
		.action = action == DRAFT_REFUSE ? draft_default(p) : action,
		.line = compile_line(o->draft, call->rule->at),
	};
	for (uint32_t i = 0; i < call->n_tests; i++)
		put_test(o, &call->tests[i]);
}

static void put_calls(struct output *o, const struct draft_program *p)
{
	const struct draft_call **order =
		arena_new(o->arena, (p->calls.n + 1) * sizeof(*order));

	for (uint32_t i = 0; i < p->calls.n; i++)
		order[i] = &p->calls.at[i];
	qsort(order, p->calls.n, sizeof(*order), compare_calls);
	for (uint32_t i = 0; i < p->calls.n; i++)
		if (!i || compare_said(order[i - 1], order[i]))
			put_call(o, p, order[i]);
}

/* ---- paths, execs, limits ---- */

static int compare_text(uint16_t a_flags, const char *a, uint16_t b_flags, const char *b)
{
	int order = (a_flags & POLICY_PATH_PATTERN) - (b_flags & POLICY_PATH_PATTERN);

	return order ? order : strcmp(a, b);
}

static int compare_place(const struct draft_path *a, const struct draft_path *b)
{
	int order = compare_text(a->flags, a->text, b->flags, b->text);

	order = order ? order : (int)a->flags - (int)b->flags;
	return order ? order : !a->allow - !b->allow;
}

static int compare_paths(const void *a, const void *b)
{
	const struct draft_path *const *x = a, *const *y = b;
	int order = compare_place(*x, *y);

	return order ? order : compare_spot((*x)->at, (*y)->at);
}

/* What the lines before said of the same place is not said again. */
static void put_path(struct output *o, const struct draft_path *path, uint32_t *said)
{
	uint16_t allow = (uint16_t)(path->allow & ~*said);
	uint16_t deny = (uint16_t)(path->deny & ~*said);

	if (!allow && !deny)
		return;
	*said |= allow | deny;
	*vec_push(o->arena, &o->paths_from) = path;
	*vec_push(o->arena, &o->paths) = (struct policy_path){
		.text = text_put(o, path->text, path->size),
		.flags = path->flags,
		.allow = allow,
		.deny = deny,
		.line = compile_line(o->draft, path->at),
	};
}

static void put_paths(struct output *o, const struct draft_program *p)
{
	const struct draft_path **order =
		arena_new(o->arena, (p->paths.n + 1) * sizeof(*order));
	uint32_t said = 0;

	for (uint32_t i = 0; i < p->paths.n; i++)
		order[i] = &p->paths.at[i];
	qsort(order, p->paths.n, sizeof(*order), compare_paths);
	for (uint32_t i = 0; i < p->paths.n; i++) {
		if (!i || compare_place(order[i - 1], order[i]))
			said = 0;
		put_path(o, order[i], &said);
	}
}

static int compare_execs(const void *a, const void *b)
{
	const struct draft_exec *const *x = a, *const *y = b;
	int order = compare_text((*x)->flags, (*x)->text, (*y)->flags, (*y)->text);

	return order ? order : compare_spot((*x)->at, (*y)->at);
}

/* The first that fits counts: a name before patterns. */
static void put_execs(struct output *o, const struct draft_program *p)
{
	const struct draft_exec **order =
		arena_new(o->arena, (p->execs.n + 1) * sizeof(*order));

	for (uint32_t i = 0; i < p->execs.n; i++)
		order[i] = &p->execs.at[i];
	qsort(order, p->execs.n, sizeof(*order), compare_execs);
	for (uint32_t i = 0; i < p->execs.n; i++) {
		const struct draft_exec *e = order[i];

		if (i && !strcmp(order[i - 1]->text, e->text)) {
			if (order[i - 1]->program != e->program)
				source_fault(o->draft->sources, e->at, NULL,
					     "another line uses another program for it");
			continue;
		}
		*vec_push(o->arena, &o->execs_from) = e;
		*vec_push(o->arena, &o->execs) = (struct policy_exec){
			.text = text_put(o, e->text, e->size),
			.program = e->program,
			.line = compile_line(o->draft, e->at),
			.flags = e->flags,
		};
	}
}

/* Of several the smallest holds. */
static void put_limits(struct output *o, const struct draft_program *p)
{
	for (int kind = 0; kind < POLICY_LIMITS; kind++) {
		const struct draft_limit *least = NULL;

		for (uint32_t i = 0; i < p->limits.n; i++) {
			const struct draft_limit *l = &p->limits.at[i];

			if (l->kind == (enum policy_limit_kind)kind &&
			    (!least || l->value < least->value))
				least = l;
		}
		if (!least)
			continue;
		*vec_push(o->arena, &o->limits_from) = least;
		*vec_push(o->arena, &o->limits) = (struct policy_limit){
			.kind = (uint32_t)kind,
			.line = compile_line(o->draft, least->at),
			.value = least->value,
		};
	}
}

/* ---- the form ---- */

static void put_program(struct output *o, const struct draft_program *p)
{
	struct policy_program g = {
		.name = text_put(o, p->name, strlen(p->name)),
		.flags = p->gain.value | p->exec_write.value,
		.default_action = draft_default(p),
		.default_line = compile_line(o->draft, p->default_action.at),
		.first_rule = o->rules.n,
		.first_path = o->paths.n,
		.first_exec = o->execs.n,
		.first_limit = o->limits.n,
	};

	put_calls(o, p);
	put_paths(o, p);
	put_execs(o, p);
	put_limits(o, p);
	g.n_rules = o->rules.n - g.first_rule;
	g.n_paths = o->paths.n - g.first_path;
	g.n_execs = o->execs.n - g.first_exec;
	g.n_limits = o->limits.n - g.first_limit;
	*vec_push(o->arena, &o->programs) = g;
}

#define table_size(table) (sizeof(*(table)->at) * (table)->n)
#define table_put(at, table)                                                             \
	((table)->n ? (void)memcpy(at, (table)->at, table_size(table)) : (void)0,        \
	 (at) += table_size(table))

static size_t form_size(const struct output *o)
{
	return sizeof(struct policy_header) + table_size(&o->programs) +
	       table_size(&o->rules) + table_size(&o->tests) + table_size(&o->values) +
	       table_size(&o->paths) + table_size(&o->execs) + table_size(&o->limits) +
	       ALIGN_UP((size_t)o->text.n, 8);
}

static char *form_make(const struct output *o, size_t size)
{
	struct policy_header header = {
		.magic = POLICY_MAGIC,
		.version = POLICY_VERSION,
		.size = (uint32_t)size,
		.n_programs = o->programs.n,
		.n_rules = o->rules.n,
		.n_tests = o->tests.n,
		.n_values = o->values.n,
		.n_paths = o->paths.n,
		.n_execs = o->execs.n,
		.n_limits = o->limits.n,
		.text_size = ALIGN_UP(o->text.n, 8u),
	};
	char *form = calloc(1, size), *at = form;

	if (!form)
		exit(ARENA_EXIT);
	memcpy(at, &header, sizeof(header));
	at += sizeof(header);
	table_put(at, &o->programs);
	table_put(at, &o->rules);
	table_put(at, &o->tests);
	table_put(at, &o->values);
	table_put(at, &o->paths);
	table_put(at, &o->execs);
	table_put(at, &o->limits);
	table_put(at, &o->text);
	policy_seal(form, size);
	return form;
}

bool compile(struct draft *draft, struct compiled *ret)
{
	struct output o = { .draft = draft, .arena = &draft->sources->arena };
	size_t size;

	if (draft->sources->message_count)
		return false;
	*vec_push(o.arena, &o.text) = 0;
	for (uint32_t i = 0; i < draft->programs.n; i++)
		put_program(&o, &draft->programs.at[i]);
	size = form_size(&o);
	if (size > POLICY_SIZE_MAX)
		source_fault(draft->sources, (struct spot){ 0 }, NULL,
			     "the policy is too large: %zu bytes compiled, at most %llu",
			     size, (unsigned long long)POLICY_SIZE_MAX);
	if (draft->sources->message_count)
		return false;
	*ret = (struct compiled){
		.form = form_make(&o, size),
		.size = size,
		.rules = o.rules_from.at,
		.paths = o.paths_from.at,
		.execs = o.execs_from.at,
		.limits = o.limits_from.at,
	};
	return true;
}

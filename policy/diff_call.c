/* Where two policies decide differently about calls. */
#include <stdlib.h>
#include <string.h>

#include "lib/policy_internal.h"
#include "policy/ask.h"
#include "policy/describe.h"
#include "policy/diff.h"
#include "policy/explain.h"
#include "policy/words.h"

#define VALUES_MAX 4096	  /* of an argument that are tried */
#define POINTS_MAX 200000 /* of a call */
#define BITS_MAX 10	  /* whose combinations are tried */

/* The values of an argument at which a decision can change. */
struct values {
	uint64_t at[VALUES_MAX];
	uint32_t n;
	uint64_t bits; /* of masks */
	bool tested;
};

static void value_add(struct values *v, uint64_t value)
{
	if (v->n < VALUES_MAX)
		v->at[v->n++] = value;
}

static void test_gather(struct values *v, const struct policy *p,
			const struct policy_test *t)
{
	struct draft_test test = test_of(p, t);
	const uint64_t *at = test.n_values ? test.values : &test.value;

	v->tested = true;
	if (t->mask != UINT64_MAX)
		v->bits |= t->mask;
	for (uint32_t i = 0; i < MAX(test.n_values, 1u); i++) {
		value_add(v, at[i] - 1);
		value_add(v, at[i]);
		value_add(v, at[i] + 1);
		if (t->mask != UINT64_MAX)
			value_add(v, at[i] | ~t->mask);
	}
}

/* The rules of that number: the first, and how many. */
static const struct policy_rule *rules_of(const struct policy *p, uint32_t program,
					  uint32_t number, uint32_t *ret_n)
{
	const struct policy_program *g = &p->programs[program];
	const struct policy_rule *first = NULL;

	*ret_n = 0;
	for (uint32_t i = g->first_rule; i < g->first_rule + g->n_rules; i++) {
		if (p->rules[i].number != number)
			continue;
		first = first ? first : &p->rules[i];
		++*ret_n;
	}
	return first;
}

static void rules_gather(struct values *v, uint32_t arg, const struct policy *p,
			 uint32_t program, uint32_t number)
{
	uint32_t n;
	const struct policy_rule *r = rules_of(p, program, number, &n);

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < r[i].n_tests; k++)
			if (p->tests[r[i].first_test + k].arg == arg)
				test_gather(v, p, &p->tests[r[i].first_test + k]);
}

static void bits_gather(struct values *v)
{
	bool few = __builtin_popcountll(v->bits) <= BITS_MAX;
	uint64_t subset = 0;

	do {
		value_add(v, subset);
		subset = (subset - v->bits) & v->bits;
	} while (subset && few);
	for (uint64_t left = v->bits; left && !few; left &= left - 1) {
		value_add(v, left & -left);
		value_add(v, v->bits & ~(left & -left));
	}
	value_add(v, v->bits);
	value_add(v, ~v->bits);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void values_sort(struct values *v)
{
	uint32_t kept = 0;

	qsort(v->at, v->n, sizeof(*v->at), compare_u64);
	for (uint32_t i = 0; i < v->n; i++)
		if (!kept || v->at[kept - 1] != v->at[i])
			v->at[kept++] = v->at[i];
	v->n = kept;
}

/* ---- one call ---- */

struct comparison {
	struct two *two;
	uint32_t number;
	struct values values[POLICY_FIELDS];
	bool seen[DIFF_KINDS];
};

static uint32_t decide(const struct policy *p, uint32_t program, const struct question *q)
{
	struct policy_verdict v;

	policy_decide(p, program, q->number, q->args, q->fields, &v);
	return v.action;
}

static enum diff_kind kind_of(uint32_t before, uint32_t after)
{
	bool was = POLICY_ACTION_KIND(before) < POLICY_ERRNO;
	bool is = POLICY_ACTION_KIND(after) < POLICY_ERRNO;

	return was == is ? DIFF_CHANGED : is ? DIFF_WIDENED : DIFF_NARROWED;
}

/* "openat: refused with EPERM, now allowed; as openat(AT_FDCWD, ...)" */
static void report(struct comparison *c, const struct question *q, uint32_t before,
		   uint32_t after)
{
	struct arena *a = &c->two->diff->arena;
	char space[16], was[48], is[48], *text = NULL;
	bool any_tested = false;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (uint32_t i = 0; i < POLICY_FIELDS; i++)
		any_tested |= c->values[i].tested;
	if (!out)
		exit(ARENA_EXIT);
	fprintf(out, "%s: %s, now %s", syscall_name(c->number, space),
		action_text(before, was), action_text(after, is));
	if (any_tested) {
		fputs("; as ", out);
		explain_question(q, out);
	}
	fclose(out);
	diff_add(c->two, kind_of(before, after), arena_copy(a, text, size));
	free(text);
}

static void point_try(struct comparison *c, const uint64_t *values)
{
	struct question q = { .number = c->number };
	uint32_t before, after;

	memcpy(q.args, values, sizeof(q.args));
	memcpy(q.fields, values + POLICY_ARGS, sizeof(q.fields));
	for (uint32_t i = POLICY_ARGS; i < POLICY_FIELDS; i++)
		q.has_fields |= c->values[i].tested;
	before = decide(c->two->before, c->two->a, &q);
	after = decide(c->two->after, c->two->b, &q);
	if (before == after || c->seen[kind_of(before, after)])
		return;
	c->seen[kind_of(before, after)] = true;
	report(c, &q, before, after);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* Every combination of values, or, if they are too many, some. */
static void points_try(struct comparison *c)
{
	uint64_t count = 1, state = c->number, values[POLICY_FIELDS];
	bool sampled;

	for (uint32_t i = 0; i < POLICY_FIELDS; i++)
		count = MIN(count * c->values[i].n, (uint64_t)POINTS_MAX + 1);
	sampled = count > POINTS_MAX;
	c->two->diff->sampled |= sampled;
	for (uint64_t k = 0; k < MIN(count, (uint64_t)POINTS_MAX); k++) {
		uint64_t left = k;

		for (uint32_t i = 0; i < POLICY_FIELDS; i++) {
			const struct values *v = &c->values[i];

			values[i] = v->at[(sampled ? next_random(&state) : left) % v->n];
			left /= v->n;
		}
		point_try(c, values);
	}
}

static bool same_test(const struct two *t, const struct policy_test *x,
		      const struct policy_test *y)
{
	struct draft_test a = test_of(t->before, x), b = test_of(t->after, y);

	return a.arg == b.arg && a.op == b.op && a.mask == b.mask && a.value == b.value &&
	       a.n_values == b.n_values &&
	       (!a.n_values ||
		!memcmp(a.values, b.values, a.n_values * sizeof(uint64_t)));
}

static bool same_rules(const struct two *t, uint32_t number)
{
	uint32_t n, m;
	const struct policy_rule *x = rules_of(t->before, t->a, number, &n);
	const struct policy_rule *y = rules_of(t->after, t->b, number, &m);

	if (n != m)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (x[i].action != y[i].action || x[i].n_tests != y[i].n_tests)
			return false;
		for (uint32_t k = 0; k < x[i].n_tests; k++)
			if (!same_test(t, &t->before->tests[x[i].first_test + k],
				       &t->after->tests[y[i].first_test + k]))
				return false;
	}
	return true;
}

void diff_calls(struct two *t)
{
	struct comparison *c = malloc(sizeof(*c));

	if (!c)
		exit(ARENA_EXIT);
	for (uint32_t number = 0; number < POLICY_NUMBERS; number++) {
		if (same_rules(t, number))
			continue;
		memset(c, 0, sizeof(*c));
		c->two = t;
		c->number = number;
		for (uint32_t i = 0; i < POLICY_FIELDS; i++) {
			struct values *v = &c->values[i];

			rules_gather(v, i, t->before, t->a, number);
			rules_gather(v, i, t->after, t->b, number);
			bits_gather(v);
			values_sort(v);
			if (!v->tested)
				v->n = 1;
		}
		points_try(c);
	}
	free(c);
}

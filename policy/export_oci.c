/*
 * JSON for Docker, Podman and the OCI's runtimes. Their rules have no order and an
 * argument once, so what is allowed is written without what is refused; what they cannot
 * say is left out, which refuses it.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/policy_internal.h"
#include "policy/describe.h"
#include "policy/export.h"
#include "policy/words.h"

#define TESTS_MAX 24  /* of a rule */
#define TERMS_MAX 256 /* of a call */

/* Tests that must all hold, on different arguments. */
struct term {
	struct draft_test tests[TESTS_MAX];
	uint32_t n;
};

struct terms {
	struct term at[TERMS_MAX];
	uint32_t n;
	bool lost; /* one did not fit */
};

struct oci {
	struct export *e;
	json_t *rules;
	uint32_t number;
	struct terms *terms, *more;
};

/* ---- actions ---- */

static const char *action_name(uint32_t action)
{
	static const char *const names[POLICY_ACTIONS] = {
		[POLICY_ALLOW] = "SCMP_ACT_ALLOW",
		[POLICY_LOG] = "SCMP_ACT_LOG",
		[POLICY_ASK] = "SCMP_ACT_LOG",
		[POLICY_ERRNO] = "SCMP_ACT_ERRNO",
		[POLICY_TRAP] = "SCMP_ACT_TRAP",
		[POLICY_KILL_THREAD] = "SCMP_ACT_KILL_THREAD",
		[POLICY_KILL] = "SCMP_ACT_KILL_PROCESS",
	};

	return names[POLICY_ACTION_KIND(action)];
}

/* ---- terms ---- */

static struct draft_test *about(struct term *t, uint8_t arg)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->tests[i].arg == arg)
			return &t->tests[i];
	return NULL;
}

enum joined { JOINED, NEVER_BOTH, TWO_TESTS };

/* Two tests of an argument as one, in *a. */
static enum joined test_join(struct draft_test *a, const struct draft_test *b)
{
	bool same = a->value == b->value;

	if (a->mask != b->mask)
		return TWO_TESTS;
	if (a->op == b->op && same)
		return JOINED;
	if (a->op == POLICY_TEST_EQ && b->op == POLICY_TEST_EQ)
		return NEVER_BOTH;
	if (a->op == POLICY_TEST_EQ && b->op == POLICY_TEST_NE)
		return same ? NEVER_BOTH : JOINED;
	if (a->op != POLICY_TEST_NE || b->op != POLICY_TEST_EQ)
		return TWO_TESTS;
	if (same)
		return NEVER_BOTH;
	*a = *b;
	return JOINED;
}

static void term_add(struct terms *to, const struct term *term)
{
	if (to->n == TERMS_MAX)
		to->lost = true;
	else
		to->at[to->n++] = *term;
}

/* Every term of `from` with that test as well. */
static void terms_with(const struct terms *from, const struct draft_test *test,
		       struct terms *to)
{
	for (uint32_t i = 0; i < from->n; i++) {
		struct term t = from->at[i];
		struct draft_test *other = about(&t, test->arg);
		enum joined joined = other ? test_join(other, test) : JOINED;

		if (joined == NEVER_BOTH)
			continue;
		if (joined == TWO_TESTS || t.n == TESTS_MAX) {
			to->lost = true;
			continue;
		}
		if (!other)
			t.tests[t.n++] = *test;
		term_add(to, &t);
	}
}

/* A comparison that seccomp has: of all of a register, without a sign. */
static bool is_sayable(const struct oci *o, const struct draft_test *t)
{
	enum syscall_kind kind = policy_arg_kind(o->number, t->arg);
	bool whole = t->mask == UINT64_MAX;

	if (t->arg >= POLICY_ARGS || t->op == POLICY_TEST_NOT_IN)
		return false;
	/* Numbers in JSON have a sign here. */
	if (!policy_kind_is_narrow(kind) && t->value > INT64_MAX)
		return false;
	if (t->op == POLICY_TEST_EQ || t->op == POLICY_TEST_IN)
		return true;
	if (!whole)
		return false;
	return t->op == POLICY_TEST_NE || !policy_kind_is_signed(kind);
}

static void and_test(struct oci *o, const struct draft_test *test)
{
	struct terms *spare = o->more;

	spare->n = 0;
	spare->lost = o->terms->lost;
	if (!is_sayable(o, test)) {
		spare->lost = true;
	} else if (test->op == POLICY_TEST_IN) {
		for (uint32_t i = 0; i < test->n_values; i++) {
			struct draft_test one = *test;

			one.op = POLICY_TEST_EQ;
			one.value = test->values[i];
			one.n_values = 0;
			terms_with(o->terms, &one, spare);
		}
	} else {
		terms_with(o->terms, test, spare);
	}
	o->more = o->terms;
	o->terms = spare;
}

/* What holds where the test does not: one bit of a mask at a time. False: that cannot be
 * written as one test. */
static bool inverse(const struct draft_test *t, struct draft_test *ret)
{
	static const uint8_t ops[POLICY_TEST_OPS] = {
		[POLICY_TEST_EQ] = POLICY_TEST_NE,
		[POLICY_TEST_NE] = POLICY_TEST_EQ,
		[POLICY_TEST_LT] = POLICY_TEST_GE,
		[POLICY_TEST_GE] = POLICY_TEST_LT,
		[POLICY_TEST_LE] = POLICY_TEST_GT,
		[POLICY_TEST_GT] = POLICY_TEST_LE,
		[POLICY_TEST_IN] = POLICY_TEST_NOT_IN,
		[POLICY_TEST_NOT_IN] = POLICY_TEST_IN,
	};
	bool one_bit = t->mask && !(t->mask & (t->mask - 1));

	*ret = *t;
	if (one_bit && t->op == POLICY_TEST_EQ) {
		ret->value ^= t->mask;
		return true;
	}
	ret->op = ops[t->op];
	return t->mask == UINT64_MAX || t->op == POLICY_TEST_NE ||
	       t->op == POLICY_TEST_NOT_IN;
}

/* The terms, but not where the rule holds: of its tests one does not. */
static void but_not(struct oci *o, const struct policy_rule *r)
{
	struct terms *all = malloc(sizeof(*all)), *before = malloc(sizeof(*before));

	if (!all || !before)
		exit(ARENA_EXIT);
	memcpy(before, o->terms, sizeof(*before));
	all->n = 0;
	all->lost = before->lost;
	for (uint32_t i = 0; i < r->n_tests; i++) {
		struct draft_test test =
			test_of(o->e->policy, &o->e->policy->tests[r->first_test + i]);
		struct draft_test not ;

		if (!inverse(&test, &not )) {
			all->lost = true;
			continue;
		}
		memcpy(o->terms, before, sizeof(*before));
		and_test(o, &not );
		all->lost |= o->terms->lost;
		for (uint32_t k = 0; k < o->terms->n; k++)
			term_add(all, &o->terms->at[k]);
	}
	memcpy(o->terms, all, sizeof(*all));
	free(all);
	free(before);
}

/* ---- JSON ---- */

static json_t *test_json(const struct oci *o, const struct draft_test *t)
{
	static const char *const ops[POLICY_TEST_OPS] = {
		[POLICY_TEST_EQ] = "SCMP_CMP_EQ", [POLICY_TEST_NE] = "SCMP_CMP_NE",
		[POLICY_TEST_LT] = "SCMP_CMP_LT", [POLICY_TEST_LE] = "SCMP_CMP_LE",
		[POLICY_TEST_GT] = "SCMP_CMP_GT", [POLICY_TEST_GE] = "SCMP_CMP_GE",
	};
	bool narrow = policy_kind_is_narrow(policy_arg_kind(o->number, t->arg));
	uint64_t value = narrow ? (uint32_t)t->value : t->value;
	uint64_t mask = narrow ? (uint32_t)t->mask : t->mask;
	bool masked = t->op == POLICY_TEST_EQ && mask != UINT64_MAX;

	return json_pack("{s:i, s:I, s:I, s:s}", "index", (int)t->arg, "value",
			 (json_int_t)(masked ? mask : value), "valueTwo",
			 (json_int_t)(masked ? value : 0), "op",
			 masked ? "SCMP_CMP_MASKED_EQ" : ops[t->op]);
}

static void rule_json(struct oci *o, const struct term *t, uint32_t action)
{
	json_t *args = json_array(), *rule;
	char space[16];

	for (uint32_t i = 0; t && i < t->n; i++)
		json_array_append_new(args, test_json(o, &t->tests[i]));
	rule = json_pack("{s:[s], s:s, s:o}", "names", syscall_name(o->number, space),
			 "action", action_name(action), "args", args);
	if (POLICY_ACTION_KIND(action) == POLICY_ERRNO)
		json_object_set_new(rule, "errnoRet",
				    json_integer(POLICY_ACTION_ERROR(action)));
	json_array_append_new(o->rules, rule);
}

static void terms_json(struct oci *o, uint32_t action)
{
	char space[16];

	if (o->terms->lost)
		export_note(o->e,
			    "%s: a condition that such a list cannot say: what depends "
			    "on it is refused",
			    syscall_name(o->number, space));
	for (uint32_t i = 0; i < o->terms->n; i++)
		rule_json(o, &o->terms->at[i], action);
}

/* ---- calls ---- */

static void terms_of_rule(struct oci *o, const struct policy_rule *r)
{
	o->terms->n = 1;
	o->terms->at[0].n = 0;
	o->terms->lost = false;
	for (uint32_t i = 0; i < r->n_tests; i++) {
		struct draft_test test =
			test_of(o->e->policy, &o->e->policy->tests[r->first_test + i]);

		and_test(o, &test);
	}
}

static bool refuses(const struct policy_rule *r)
{
	return POLICY_ACTION_KIND(r->action) >= POLICY_ERRNO;
}

/* The rules, sternest first: what one allows is written but for what those before it
 * refuse. */
static void call_json(struct oci *o, const struct policy_rule **rules, uint32_t n)
{
	uint32_t default_action = o->e->policy->programs[0].default_action;

	for (uint32_t i = 0; i < n; i++) {
		terms_of_rule(o, rules[i]);
		for (uint32_t k = 0; k < i && !refuses(rules[i]); k++)
			if (refuses(rules[k]))
				but_not(o, rules[k]);
		if (rules[i]->action != default_action)
			terms_json(o, rules[i]->action);
		if (!rules[i]->n_tests)
			return;
	}
}

void export_oci(struct export *e, FILE *out)
{
	uint32_t default_action = e->policy->programs[0].default_action, n;
	struct oci o = { .e = e, .rules = json_array() };
	json_t *list;

	o.terms = malloc(sizeof(*o.terms));
	o.more = malloc(sizeof(*o.more));
	if (!o.terms || !o.more)
		exit(ARENA_EXIT);
	for (o.number = 0; o.number < POLICY_NUMBERS; o.number++) {
		const struct policy_rule **rules = export_rules(e, o.number, &n);

		if (syscall_row(o.number))
			call_json(&o, rules, n);
	}
	export_note_rest(e);
	if (!(e->policy->programs[0].flags & POLICY_FLAG_EXEC_WRITE))
		export_note(e, "memory that is writable and executable is not refused");
	list = json_pack("{s:s, s:[s], s:o}", "defaultAction",
			 action_name(default_action), "architectures", "SCMP_ARCH_X86_64",
			 "syscalls", o.rules);
	if (POLICY_ACTION_KIND(default_action) == POLICY_ERRNO)
		json_object_set_new(list, "defaultErrnoRet",
				    json_integer(POLICY_ACTION_ERROR(default_action)));
	json_dumpf(list, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(list);
	free(o.terms);
	free(o.more);
}

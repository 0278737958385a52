/* What importers share. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/policy_internal.h"
#include "policy/import.h"
#include "policy/words.h"

#define TESTS_MAX 32

void import_begin(struct import *i, const char *name)
{
	draft_begin(&i->draft, i->sources);
	i->draft.programs.at[0].name = name;
}

void import_note(struct import *i, const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		exit(ARENA_EXIT);
	va_end(list);
	for (uint32_t k = 0; k < i->notes.n; k++) {
		if (strcmp(i->notes.at[k], text))
			continue;
		free(text);
		return;
	}
	*vec_push(&i->sources->arena, &i->notes) =
		arena_copy(&i->sources->arena, text, strlen(text));
	free(text);
}

void import_call(struct import *i, uint32_t number, uint32_t action,
		 const struct draft_test *tests, uint32_t n)
{
	struct arena *a = &i->sources->arena;
	struct draft_rule *rule = arena_new(a, sizeof(*rule));
	struct draft_call call = { .number = (uint16_t)number,
				   .n_tests = n,
				   .rule = rule };

	rule->action = action;
	call.tests = n ? arena_grow(a, tests, n, n, sizeof(*tests)) : NULL;
	draft_call_add(&i->draft, 0, &call);
}

void import_default(struct import *i, uint32_t action, const uint64_t *named)
{
	struct draft_program *p = &i->draft.programs.at[0];

	if (POLICY_ACTION_KIND(action) >= POLICY_ERRNO) {
		p->default_action.value = action;
		p->default_action.at.line = 1;
		return;
	}
	for (uint32_t k = 0; k < syscall_numbers(); k++)
		if (syscall_row(k) && !(named[k / 64] & BIT(k % 64)))
			import_call(i, k, action, NULL, 0);
}

void import_rest(struct import *i)
{
	struct draft_program *p = &i->draft.programs.at[0];
	const char *why = "the list that was imported is of calls alone";

	p->exec_write = (struct draft_choice){ .value = POLICY_FLAG_EXEC_WRITE,
					       .reason = why,
					       .at.line = 1 };
	*vec_push(&i->sources->arena, &p->paths) = (struct draft_path){
		.text = "/", .size = 1, .allow = POLICY_ACCESS_ALL, .reason = why
	};
}

/* ---- comparisons ---- */

/* The tests of a rule in the making; and a second rule, where one cannot say it. */
struct making {
	struct import *i;
	uint32_t number, action;
	struct draft_test tests[TESTS_MAX];
	uint32_t n;
	bool never; /* a test never holds */
};

static void add(struct making *m, unsigned arg, enum policy_test_op op, uint64_t mask,
		uint64_t value)
{
	if (m->n < TESTS_MAX)
		m->tests[m->n++] = (struct draft_test){ .arg = (uint8_t)arg,
							.op = (uint8_t)op,
							.mask = mask,
							.value = value };
}

static enum policy_test_op op_of(enum import_op op)
{
	static const enum policy_test_op ops[] = {
		[IMPORT_NE] = POLICY_TEST_NE,	     [IMPORT_LT] = POLICY_TEST_LT,
		[IMPORT_LE] = POLICY_TEST_LE,	     [IMPORT_EQ] = POLICY_TEST_EQ,
		[IMPORT_GE] = POLICY_TEST_GE,	     [IMPORT_GT] = POLICY_TEST_GT,
		[IMPORT_MASKED_EQ] = POLICY_TEST_EQ, [IMPORT_MASKED_NE] = POLICY_TEST_NE,
	};

	return ops[op];
}

/* Of a narrow argument only the lower half is looked at. A value that does not fit is
 * larger than all. */
static void add_too_large(struct making *m, enum import_op op)
{
	m->never |= op == IMPORT_EQ || op == IMPORT_GE || op == IMPORT_GT;
}

static bool is_equality(enum import_op op)
{
	return op == IMPORT_EQ || op == IMPORT_NE;
}

static void add_masked(struct making *m, const struct import_test *t, bool narrow)
{
	uint64_t mask = narrow ? (uint32_t)t->mask : t->mask;

	if (t->value & ~mask)
		m->never |= t->op == IMPORT_MASKED_EQ;
	else if (mask)
		add(m, t->arg, op_of(t->op), mask, t->value);
	else
		m->never |= t->op == IMPORT_MASKED_NE;
}

static bool making_add(struct making *m, const struct import_test *t)
{
	enum syscall_kind kind = policy_arg_kind(m->number, t->arg);
	bool narrow = policy_kind_is_narrow(kind);
	uint64_t value = t->value;

	if (kind == KIND_none)
		return false;
	if (t->op == IMPORT_MASKED_EQ || t->op == IMPORT_MASKED_NE) {
		add_masked(m, t, narrow);
		return true;
	}
	/* -1 is written with 32 bits or with 64. */
	if (narrow && value > UINT32_MAX &&
	    !(is_equality(t->op) && value >= (uint64_t)INT32_MIN)) {
		add_too_large(m, t->op);
		return true;
	}
	if (narrow)
		value = policy_kind_is_signed(kind)
				? (uint64_t)(int64_t)(int32_t)(uint32_t)value
				: (uint32_t)value;
	add(m, t->arg, op_of(t->op), UINT64_MAX, value);
	return true;
}

/* A number with a sign that is compared without one: those below zero are the largest. */
static bool needs_sign(const struct making *m, const struct import_test *t)
{
	return policy_kind_is_signed(policy_arg_kind(m->number, t->arg)) &&
	       (t->op == IMPORT_LT || t->op == IMPORT_LE || t->op == IMPORT_GE ||
		t->op == IMPORT_GT);
}

static bool fits_sign(const struct making *m, const struct import_test *t)
{
	bool narrow = policy_kind_is_narrow(policy_arg_kind(m->number, t->arg));

	return t->value <= (narrow ? (uint64_t)INT32_MAX : (uint64_t)INT64_MAX);
}

static void rule_make(struct making m, const struct import_test *tests, uint32_t n)
{
	bool refuses = POLICY_ACTION_KIND(m.action) >= POLICY_ERRNO;
	char space[16];

	for (uint32_t k = 0; k < n; k++) {
		const struct import_test *t = &tests[k];
		bool below = t->op == IMPORT_LT || t->op == IMPORT_LE;
		struct making negative = m;

		if (needs_sign(&m, t) && !fits_sign(&m, t)) {
			import_note(m.i,
				    "%s: a number below zero is compared without its "
				    "sign: %s",
				    syscall_name(m.number, space),
				    refuses ? "its value was taken to fit"
					    : "the rule was left out");
			m.never |= !refuses;
			continue;
		}
		if (!making_add(&m, t)) {
			import_note(m.i, "%s has no argument %u: %s",
				    syscall_name(m.number, space), t->arg,
				    refuses ? "its value was taken to fit"
					    : "the rule was left out");
			m.never |= !refuses;
			continue;
		}
		if (!needs_sign(&m, t))
			continue;
		if (!below) {
			add(&negative, t->arg, POLICY_TEST_LT, UINT64_MAX, 0);
			rule_make(negative, t + 1, n - k - 1);
		}
		add(&m, t->arg, POLICY_TEST_GE, UINT64_MAX, 0);
	}
	if (!m.never)
		import_call(m.i, m.number, m.action, m.tests, m.n);
}

void import_rule(struct import *i, uint32_t number, uint32_t action,
		 const struct import_test *tests, uint32_t n)
{
	rule_make((struct making){ .i = i, .number = number, .action = action }, tests,
		  MIN(n, (uint32_t)TESTS_MAX / 2));
}

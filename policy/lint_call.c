/* What lint says of calls. */
#include <string.h>

#include "lib/policy_internal.h"
#include "policy/lint.h"
#include "policy/numbers.h"
#include "policy/words.h"

/* What the lines of a program say of each call: the first line of each sort. */
struct said {
	const struct draft_call *allow;	     /* whatever its arguments */
	const struct draft_call *allow_some; /* with a condition */
	const struct draft_call *deny, *deny_some;
};

struct calls {
	struct linter *l;
	struct said of[POLICY_NUMBERS];
	uint64_t outer[POLICY_NUMBERS / 64];  /* that the policy itself allows somehow */
	const struct draft_rule *told[LINTS]; /* the last rule each was said of */
};

static const struct spot nowhere;

static bool allows(const struct draft_call *call)
{
	uint32_t action = call->rule->action;

	return action != DRAFT_REFUSE && POLICY_ACTION_KIND(action) < POLICY_ERRNO;
}

/* Once a line is enough. */
static void found(struct calls *c, enum lint lint, const struct draft_call *call,
		  const char *more, struct spot line)
{
	if (c->told[lint] == call->rule)
		return;
	c->told[lint] = call->rule;
	lint_found(c->l, lint, call->rule->at, more, line);
}

static const char *name_of(const struct draft_call *call)
{
	return syscall_row(call->number)->name;
}

static const char *named(struct calls *c, const struct draft_call *call, const char *text)
{
	return arena_format(&c->l->b->sources.arena, "'%s'%s%s", name_of(call),
			    text ? " " : "", text ? text : "");
}

static void gather_outer(struct calls *c)
{
	const struct draft_program *outer = &c->l->b->draft.programs.at[0];

	for (uint32_t i = 0; i < outer->calls.n; i++) {
		const struct draft_call *call = &outer->calls.at[i];

		if (allows(call))
			c->outer[call->number / 64] |= BIT(call->number % 64);
	}
}

static void gather(struct calls *c)
{
	for (uint32_t i = 0; i < c->l->d->calls.n; i++) {
		const struct draft_call *call = &c->l->d->calls.at[i];
		struct said *s = &c->of[call->number];
		const struct draft_call **slot =
			allows(call) ? (call->n_tests ? &s->allow_some : &s->allow)
				     : (call->n_tests ? &s->deny_some : &s->deny);

		if (!*slot)
			*slot = call;
	}
}

/* ---- risky ---- */

static const char *risk_of(const struct draft_call *call)
{
	static const struct {
		enum syscall_group group;
		const char *text;
	} groups[] = {
#define RISK(group, text) { GROUP_##group, text },
#include "policy/lint.def"
	};
	static const struct {
		uint16_t number;
		const char *text;
	} calls[] = {
#define RISKY_CALL(call, text) { NR_##call, text },
#include "policy/lint.def"
	};

	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (syscall_words(call->number)->group == groups[i].group)
			return groups[i].text;
	for (size_t i = 0; i < ARRAY_LEN(calls) && !call->n_tests; i++)
		if (calls[i].number == call->number)
			return calls[i].text;
	return NULL;
}

static void lint_risk(struct calls *c, const struct draft_call *call)
{
	const char *risk = allows(call) && !call->rule->reason ? risk_of(call) : NULL;

	if (risk && !c->of[call->number].deny &&
	    syscall_words(call->number)->state <= STATE_partial)
		found(c, LINT_RISK, call, named(c, call, risk), nowhere);
}

/* ---- useless ---- */

/* No value makes both true. */
static bool contradict(const struct draft_test *a, const struct draft_test *b)
{
	uint64_t common = a->mask & b->mask;

	if (a->arg != b->arg)
		return false;
	if (a->op == POLICY_TEST_EQ && b->op == POLICY_TEST_EQ)
		return (a->value ^ b->value) & common;
	if (a->mask != b->mask)
		return false;
	if (a->op == POLICY_TEST_EQ && b->op == POLICY_TEST_NE)
		return a->value == b->value;
	return false;
}

static bool never_holds(const struct draft_call *call)
{
	for (uint32_t i = 0; i < call->n_tests; i++)
		for (uint32_t k = 0; k < call->n_tests; k++)
			if (contradict(&call->tests[i], &call->tests[k]))
				return true;
	return false;
}

static void lint_useless(struct calls *c, const struct draft_call *call)
{
	const struct said *s = &c->of[call->number];
	uint32_t action = call->rule->action;
	bool as_default = action == DRAFT_REFUSE || action == draft_default(c->l->d);

	if (never_holds(call)) {
		found(c, LINT_NEVER, call, NULL, nowhere);
		return;
	}
	if (call->by_group)
		return;
	if (allows(call) && s->deny)
		found(c, LINT_SHADOWED, call, named(c, call, NULL), s->deny->rule->at);
	else if (allows(call) && s->allow && s->allow != call &&
		 s->allow->rule->action == action)
		found(c, LINT_ANYWAY, call, named(c, call, NULL), s->allow->rule->at);
	else if (!allows(call) && as_default && !s->allow && !s->allow_some)
		found(c, LINT_DENIED_ANYWAY, call, named(c, call, NULL), nowhere);
	if (allows(call) && c->l->program &&
	    !(c->outer[call->number / 64] & BIT(call->number % 64)))
		found(c, LINT_INNER, call, named(c, call, NULL), nowhere);
	if (allows(call) && syscall_words(call->number)->state >= STATE_refused)
		found(c, LINT_ABSENT, call, named(c, call, NULL), nowhere);
}

/* ---- wider than it looks ---- */

static bool is_pointer(enum syscall_kind kind)
{
	return kind >= KIND_path && kind != KIND_ptr;
}

static void lint_tests(struct calls *c, const struct draft_call *call)
{
	for (uint32_t i = 0; i < call->n_tests; i++) {
		const struct draft_test *t = &call->tests[i];
		enum syscall_kind kind = policy_arg_kind(call->number, t->arg);

		if (is_pointer(kind) && (t->value || t->n_values))
			found(c, LINT_ADDRESS, call, named(c, call, NULL), nowhere);
		if (kind == KIND_dirfd && allows(call))
			found(c, LINT_DIRFD, call, named(c, call, NULL), nowhere);
	}
}

/* mmap and mprotect do the same as far as protections go. */
static bool is_about_memory(const struct draft_call *call)
{
	for (uint32_t i = 0; i < call->n_tests; i++)
		if (!strcmp(argument_name(call->number, call->tests[i].arg), "prot"))
			return true;
	return call->number != NR_mmap && call->number != NR_mprotect;
}

static void lint_same(struct calls *c)
{
	static const struct {
		uint16_t call, other;
	} pairs[] = {
#define SAME(call, other) { NR_##call, NR_##other },
#include "policy/lint.def"
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const struct said *a = &c->of[pairs[i].call], *b = &c->of[pairs[i].other];
		const struct draft_call *call = a->allow_some;

		if (!call || a->allow || a->deny || !b->allow || b->deny ||
		    b->deny_some || b->allow->rule->reason || call->rule->reason ||
		    !is_about_memory(call))
			continue;
		found(c, LINT_SAME, call,
		      arena_format(&c->l->b->sources.arena, "'%s', by '%s'",
				   name_of(call), name_of(b->allow)),
		      b->allow->rule->at);
	}
}

void lint_calls(struct linter *l)
{
	struct calls c = { .l = l };

	gather_outer(&c);
	gather(&c);
	for (uint32_t i = 0; i < l->d->calls.n; i++) {
		const struct draft_call *call = &l->d->calls.at[i];

		lint_risk(&c, call);
		lint_useless(&c, call);
		lint_tests(&c, call);
	}
	lint_same(&c);
}

/* A draft as a policy's text. */
#include <string.h>

#include "policy/describe.h"
#include "policy/print.h"
#include "policy/words.h"

#define COLUMNS 88

/* A line in the making, that goes on in the next when it is full. */
struct line {
	FILE *out;
	size_t column;
};

static void line_put(struct line *l, const char *word)
{
	size_t size = strlen(word);

	if (l->column && l->column + size + 1 > COLUMNS) {
		fputs(" \\\n     ", l->out);
		l->column = 5;
	}
	fprintf(l->out, "%s%s", l->column ? " " : "", word);
	l->column += size + (l->column != 0);
}

static void print_reason(FILE *out, const char *reason)
{
	if (!reason)
		return;
	fputc(' ', out);
	describe_string(out, reason);
}

static const char *verb_of(uint32_t action)
{
	if (action == DRAFT_REFUSE || POLICY_ACTION_KIND(action) >= POLICY_ERRNO)
		return "deny";
	return POLICY_ACTION_KIND(action) == POLICY_LOG ? "log" : "allow";
}

static bool same_tests(const struct draft_call *a, const struct draft_call *b)
{
	/* One condition means another thing for another call. */
	return !a->n_tests && !b->n_tests;
}

static bool same_rule(const struct draft_call *a, const struct draft_call *b)
{
	const char *x = a->rule->reason, *y = b->rule->reason;

	return a->rule->action == b->rule->action && same_tests(a, b) &&
	       (x == y || (x && y && !strcmp(x, y)));
}

/* ---- calls ---- */

static bool in_set(const uint64_t *set, uint32_t number)
{
	return set[number / 64] & BIT(number % 64);
}

/* Is all of the group in the set? Then it is taken out. */
static bool take_group(uint64_t *set, unsigned group)
{
	bool any = false;

	for (uint32_t i = 0; i < syscall_numbers(); i++) {
		if (!syscall_words(i) || syscall_words(i)->group != group)
			continue;
		if (!in_set(set, i))
			return false;
		any = true;
	}
	for (uint32_t i = 0; i < syscall_numbers() && any; i++)
		if (syscall_words(i) && syscall_words(i)->group == group)
			set[i / 64] &= ~BIT(i % 64);
	return any;
}

static void print_calls(const struct draft_rule *rule, uint64_t *set, FILE *out)
{
	struct line line = { .out = out };
	char name[40] = "@", space[24];

	line_put(&line, verb_of(rule->action));
	for (unsigned group = 0; group < SYSCALL_GROUPS; group++) {
		if (!take_group(set, group))
			continue;
		group_name(group, name + 1);
		line_put(&line, name);
	}
	for (uint32_t i = 0; i < syscall_numbers(); i++)
		if (syscall_row(i) && in_set(set, i))
			line_put(&line, syscall_row(i)->name);
	if (rule->action != DRAFT_REFUSE && !strcmp(verb_of(rule->action), "deny")) {
		line_put(&line, "with");
		line_put(&line, action_word(rule->action, space));
	}
	print_reason(out, rule->reason);
	fputc('\n', out);
}

static void print_conditional(const struct draft_call *call, FILE *out)
{
	const struct draft_rule *rule = call->rule;
	char space[24];

	fprintf(out, "%s %s where ", verb_of(rule->action),
		syscall_row(call->number)->name);
	describe_tests(out, call->number, call->tests, call->n_tests);
	if (rule->action != DRAFT_REFUSE && !strcmp(verb_of(rule->action), "deny"))
		fprintf(out, " with %s", action_word(rule->action, space));
	print_reason(out, rule->reason);
	fputc('\n', out);
}

static void print_program_calls(const struct draft_program *p, bool *done, FILE *out)
{
	for (uint32_t i = 0; i < p->calls.n; i++) {
		const struct draft_call *first = &p->calls.at[i];
		uint64_t set[POLICY_NUMBERS / 64] = { 0 };

		if (done[i])
			continue;
		if (first->n_tests) {
			print_conditional(first, out);
			continue;
		}
		for (uint32_t k = i; k < p->calls.n; k++) {
			if (done[k] || !same_rule(first, &p->calls.at[k]))
				continue;
			done[k] = true;
			set[p->calls.at[k].number / 64] |=
				BIT(p->calls.at[k].number % 64);
		}
		print_calls(first->rule, set, out);
	}
}

/* ---- the rest ---- */

static void print_paths(const struct draft_program *p, FILE *out)
{
	char space[48];

	for (uint32_t i = 0; i < p->paths.n; i++) {
		const struct draft_path *path = &p->paths.at[i];

		fprintf(out, "%s%s ", path->deny ? "deny " : "",
			access_text(path->allow | path->deny, space));
		describe_path(out, path->text, path->flags);
		print_reason(out, path->reason);
		fputc('\n', out);
	}
}

static void print_choices(const struct draft_program *p, FILE *out)
{
	char space[24];

	if (p->default_action.at.line)
		fprintf(out, "default deny with %s\n",
			action_word(p->default_action.value, space));
	if (p->exec_write.value) {
		fputs("allow exec-write", out);
		print_reason(out, p->exec_write.reason);
		fputc('\n', out);
	}
	if (p->gain.at.line) {
		fprintf(out, "gain %s", p->gain.value ? "kill" : "refuse");
		print_reason(out, p->gain.reason);
		fputc('\n', out);
	}
	for (uint32_t i = 0; i < p->limits.n; i++) {
		char amount[32];

		amount_text(p->limits.at[i].kind, p->limits.at[i].value, amount);
		fprintf(out, "limit %s %s\n", limit_name(p->limits.at[i].kind), amount);
	}
}

static void print_execs(const struct draft_program *p, FILE *out)
{
	for (uint32_t i = 0; i < p->execs.n; i++) {
		fputs("on exec ", out);
		describe_path(out, p->execs.at[i].text, p->execs.at[i].flags);
		fputs(" use ", out);
		describe_string(out, p->execs.at[i].use);
		fputc('\n', out);
	}
}

void draft_print(const struct draft *d, FILE *out)
{
	for (uint32_t i = 0; i < d->programs.n; i++) {
		const struct draft_program *p = &d->programs.at[i];
		bool *done = arena_new(&d->sources->arena, p->calls.n + 1);

		if (i || *p->name) {
			fputs(i ? "\nprogram " : "policy ", out);
			describe_string(out, p->name);
			fputs(i ? " {\n" : "\n\n", out);
		}
		print_choices(p, out);
		print_program_calls(p, done, out);
		print_paths(p, out);
		print_execs(p, out);
		fputs(i ? "}\n" : "", out);
	}
}

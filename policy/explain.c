/* A policy in words. */
#include <inttypes.h>
#include <string.h>

#include "lib/policy_internal.h"
#include "policy/describe.h"
#include "policy/explain.h"
#include "policy/words.h"

/* ---- lines ---- */

static void print_line(struct built *b, struct spot at, uint32_t line, FILE *out)
{
	const char *text;
	size_t size;

	if (!b->from_text) {
		fprintf(out, line ? "line %" PRIu32 "\n" : "no line\n", line);
		return;
	}
	text = source_line(&b->sources, at, &size);
	while (size && (*text == ' ' || *text == '\t'))
		text++, size--;
	fprintf(out, "%s:%" PRIu32 ": ", b->sources.files.at[at.file].name, at.line);
	print_masked(out, text, MIN(size, 200));
	fputc('\n', out);
}

static struct spot rule_spot(const struct built *b, int64_t rule)
{
	return b->from_text ? b->compiled.rules[rule]->rule->at : (struct spot){ 0 };
}

static struct spot path_spot(const struct built *b, int64_t path)
{
	return b->from_text ? b->compiled.paths[path]->at : (struct spot){ 0 };
}

static void print_rule_line(struct built *b, int64_t rule, FILE *out)
{
	fputs("  ", out);
	print_line(b, rule_spot(b, rule), b->policy.rules[rule].line, out);
}

static void print_default_line(struct built *b, uint32_t program, FILE *out)
{
	const struct policy_program *g = &b->policy.programs[program];
	struct spot at = { 0 };

	if (b->from_text)
		at = b->draft.programs.at[program].default_action.at;
	if (b->from_text ? at.line : g->default_line) {
		fputs("  not named; ", out);
		print_line(b, at, g->default_line, out);
	} else {
		fputs("  no line names it\n", out);
	}
}

/* ---- a call ---- */

void explain_question(const struct question *q, FILE *out)
{
	const char *between = "";
	char space[16];

	fprintf(out, "%s(", syscall_name(q->number, space));
	for (uint32_t i = 0; i < POLICY_ARGS && argument_name(q->number, i); i++) {
		fputs(between, out);
		between = ", ";
		if (q->paths[i])
			describe_path(out, q->paths[i], 0);
		else
			describe_value(out, q->number, i, q->args[i]);
	}
	for (uint32_t i = POLICY_ARGS; i < POLICY_FIELDS && q->has_fields; i++) {
		if (!argument_name(q->number, i))
			continue;
		fprintf(out, "%s%s=", between, argument_name(q->number, i));
		describe_value(out, q->number, i, q->fields[i - POLICY_ARGS]);
	}
	fputc(')', out);
}

static void explain_place(struct built *b, uint32_t program, const char *path,
			  uint32_t want, FILE *out)
{
	int64_t rule = ask_path_rule(&b->policy, program, path, want);

	if (rule < 0) {
		fputs("  no line names it or a folder above\n", out);
		return;
	}
	fputs("  ", out);
	print_line(b, path_spot(b, rule), b->policy.paths[rule].line, out);
}

void explain_call(struct built *b, uint32_t program, const struct question *q, FILE *out)
{
	struct answer answer;
	char space[48];

	ask(&b->policy, program, q, &answer);
	explain_question(q, out);
	fprintf(out, ": %s\n", action_text(answer.action, space));
	if (answer.refused) {
		const char *path = q->paths[answer.path_arg];

		fprintf(out, "  the call is allowed, but not to %s ",
			access_text(answer.refused, space));
		describe_path(out, path, 0);
		fputc('\n', out);
		explain_place(b, program, path, answer.refused, out);
	} else if (answer.rule >= 0) {
		print_rule_line(b, answer.rule, out);
	} else if (POLICY_ACTION_KIND(answer.action) < POLICY_ERRNO) {
		fputs("  if what it reads from memory is as a line says\n", out);
	} else {
		print_default_line(b, program, out);
	}
}

void explain_path(struct built *b, uint32_t program, const char *path, uint32_t want,
		  FILE *out)
{
	uint32_t rights = ask_rights(&b->policy, program, path);
	char space[48];

	if (!want) {
		describe_path(out, path, 0);
		fprintf(out, ": %s\n", rights ? access_text(rights, space) : "nothing");
		want = POLICY_ACCESS_ALL;
	}
	for (uint32_t bit = 1; bit <= POLICY_ACCESS_ALL; bit <<= 1) {
		if (!(want & bit))
			continue;
		fprintf(out, "%s ", access_text(bit, space));
		describe_path(out, path, 0);
		fprintf(out, ": %s\n", rights & bit ? "allowed" : "refused with EACCES");
		explain_place(b, program, path, bit, out);
	}
}

/* ---- all of it ---- */

/* Names, as many in a line as fit. */
struct list {
	FILE *out;
	unsigned column;
};

static void list_add(struct list *l, const char *name)
{
	unsigned size = (unsigned)strlen(name) + 1;

	if (!l->column || l->column + size > 88) {
		fputs(l->column ? "\n   " : "   ", l->out);
		l->column = 3;
	}
	fprintf(l->out, " %s", name);
	l->column += size;
}

static void list_end(struct list *l)
{
	if (l->column)
		fputc('\n', l->out);
	l->column = 0;
}

static bool in_set(const uint64_t *set, uint32_t number)
{
	return set[number / 64] & BIT(number % 64);
}

/* All that the kernel has of the group are in the set; *ret_n of them. */
static bool has_group(const uint64_t *set, unsigned group, unsigned *ret_n)
{
	*ret_n = 0;
	for (uint32_t i = 0; i < syscall_numbers(); i++) {
		if (!syscall_words(i) || syscall_words(i)->group != group)
			continue;
		if (!in_set(set, i))
			return false;
		++*ret_n;
	}
	return *ret_n;
}

static void explain_allowed(const uint64_t *passes, FILE *out)
{
	uint64_t left[POLICY_NUMBERS / 64];
	struct list list = { .out = out };
	unsigned n;

	memcpy(left, passes, sizeof(left));
	fputs("allowed:\n", out);
	for (unsigned group = 0; group < SYSCALL_GROUPS; group++) {
		char name[32];

		if (!has_group(passes, group, &n))
			continue;
		group_name(group, name);
		fprintf(out, "    @%-14s %s\n", name, syscall_groups[group].what);
		for (uint32_t i = 0; i < syscall_numbers(); i++)
			if (syscall_words(i) && syscall_words(i)->group == group)
				left[i / 64] &= ~BIT(i % 64);
	}
	for (uint32_t i = 0; i < syscall_numbers(); i++)
		if (syscall_row(i) && in_set(left, i))
			list_add(&list, syscall_row(i)->name);
	list_end(&list);
}

static void explain_rules(struct built *b, uint32_t program, const uint64_t *passes,
			  FILE *out)
{
	const struct policy_program *g = &b->policy.programs[program];
	bool any = false;

	for (uint32_t i = g->first_rule; i < g->first_rule + g->n_rules; i++) {
		const struct policy_rule *r = &b->policy.rules[i];
		char space[16], action[48];

		if (in_set(passes, r->number))
			continue;
		if (!any)
			fputs("with conditions, or refused:\n", out);
		any = true;
		fprintf(out, "    %s%s", syscall_name(r->number, space),
			r->n_tests ? " where " : "");
		describe_rule_tests(out, &b->policy, r);
		fprintf(out, ": %s\n", action_text(r->action, action));
	}
}

static void explain_paths(const struct policy *p, const struct policy_program *g,
			  FILE *out)
{
	char space[48];

	fputs(g->n_paths ? "files:\n" : "files: none\n", out);
	for (uint32_t i = g->first_path; i < g->first_path + g->n_paths; i++) {
		const struct policy_path *a = &p->paths[i];

		fprintf(out, "    %s%s ", a->deny ? "not " : "",
			access_text(a->allow | a->deny, space));
		describe_path(out, p->text + a->text, a->flags);
		fputc('\n', out);
	}
}

static void explain_rest(const struct policy *p, const struct policy_program *g,
			 FILE *out)
{
	char amount[32];

	for (uint32_t i = g->first_limit; i < g->first_limit + g->n_limits; i++) {
		enum policy_limit_kind kind = p->limits[i].kind;

		amount_text(kind, p->limits[i].value, amount);
		fprintf(out, "limit: %s %s\n", limit_name(kind), amount);
	}
	for (uint32_t i = g->first_exec; i < g->first_exec + g->n_execs; i++) {
		fputs("who runs ", out);
		describe_path(out, p->text + p->execs[i].text, 0);
		fputs(" is then also under ", out);
		describe_string(out, p->text + p->programs[p->execs[i].program].name);
		fputc('\n', out);
	}
	fprintf(out, "memory that is writable and executable: %s\n",
		g->flags & POLICY_FLAG_EXEC_WRITE ? "allowed" : "refused");
	fprintf(out, "a program that would gain privilege: %s\n",
		g->flags & POLICY_FLAG_GAIN_KILL ? "is run, and errors become kills"
						 : "is refused");
}

void explain_program(struct built *b, uint32_t program, FILE *out)
{
	const struct policy *p = &b->policy;
	const struct policy_program *g = &p->programs[program];
	uint64_t passes[POLICY_NUMBERS / 64];
	char space[48];

	fputs(program ? "program " : "policy ", out);
	describe_string(out, p->text + g->name);
	fprintf(out, "\nwhat is not named: %s\n", action_text(g->default_action, space));
	policy_passes(p, program, passes);
	explain_allowed(passes, out);
	explain_rules(b, program, passes, out);
	explain_paths(p, g, out);
	explain_rest(p, g, out);
}

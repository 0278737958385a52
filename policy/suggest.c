/* The line of a policy that would allow what was refused. */
#include <string.h>

#include "policy/describe.h"
#include "policy/suggest.h"
#include "policy/words.h"

/* The argument that says which call of many it is: -1 for those that are one. */
static int chooser(uint32_t number)
{
	static const struct {
		const char *call;
		int arg;
	} choosers[] = {
		{ "socket", 0 }, { "socketpair", 0 }, { "ioctl", 1 },  { "fcntl", 1 },
		{ "prctl", 0 },	 { "arch_prctl", 0 }, { "ptrace", 0 }, { "clone", 0 },
	};
	const struct syscall_row *row = syscall_row(number);

	for (size_t i = 0; row && i < ARRAY_LEN(choosers); i++)
		if (!strcmp(row->name, choosers[i].call))
			return choosers[i].arg;
	return -1;
}

static bool is_choice(enum syscall_kind kind)
{
	return kind == KIND_flags || kind == KIND_flags64 || kind == KIND_i32 ||
	       kind == KIND_u32;
}

static void condition(FILE *out, const struct refusal_facts *f, int arg, bool *first)
{
	fprintf(out, " %s %s == ", *first ? "where" : "and",
		argument_name(f->number, (uint32_t)arg));
	describe_value(out, f->number, (uint32_t)arg, f->args[arg]);
	*first = false;
}

/* A policy that looks at the arguments of the call hears of these and no others. */
static void suggest_call(FILE *out, const struct policy *p, uint32_t program,
			 const struct refusal_facts *f)
{
	const struct syscall_row *row = syscall_row(f->number);
	bool looks = p && policy_names(p, program, f->number), first = true;
	int chosen = chooser(f->number);
	char space[16];

	fprintf(out, "allow %s", syscall_name(f->number, space));
	if (chosen >= 0)
		condition(out, f, chosen, &first);
	for (int i = 0; looks && row && i < POLICY_ARGS; i++)
		if (i != chosen && is_choice(row->kinds[i]))
			condition(out, f, i, &first);
}

/* One word would not do for what is only looked at. */
static uint32_t access_to_name(uint32_t access)
{
	return access & POLICY_LOOK ? (access & ~POLICY_LOOK) | POLICY_READ : access;
}

bool refused_by_default(const struct policy *p, uint32_t program,
			const struct refusal_facts *f)
{
	return !f->line ||
	       (p && !f->access && f->line == p->programs[program].default_line);
}

bool suggest(FILE *out, const struct policy *p, uint32_t program,
	     const struct refusal_facts *f)
{
	char space[48];

	if (!refused_by_default(p, program, f))
		return false;
	if (f->access & POLICY_CODE) {
		fprintf(out, "allow exec-write");
		return true;
	}
	if (!f->access) {
		suggest_call(out, p, program, f);
		return true;
	}
	if (!f->place)
		return false;
	fprintf(out, "%s ", access_text(access_to_name(f->access), space));
	describe_path(out, f->place, 0);
	return true;
}

/* What would happen to a call. */
#include <fcntl.h>
#include <string.h>

#include "lib/policy_internal.h"
#include "policy/ask.h"
#include "policy/check.h"
#include "policy/numbers.h"
#include "policy/words.h"

#define SELF 1 /* the number of the process that asks */

/* ---- the question ---- */

static bool one_value(const char *text, size_t size, uint64_t *ret)
{
	bool inverted = size && *text == '~';

	text += inverted;
	size -= inverted;
	if (!word_number(text, size, ret) && !word_constant(text, size, ret))
		return false;
	if (inverted)
		*ret = ~*ret;
	return true;
}

/* A|B */
static bool value_read(const char *text, uint64_t *ret)
{
	*ret = 0;
	for (;;) {
		size_t n = strcspn(text, "|");
		uint64_t value;

		if (!one_value(text, n, &value))
			return false;
		*ret |= value;
		if (!text[n])
			return true;
		text += n + 1;
	}
}

/* As the kernel's rules see it: /proc/self is the process that asks. */
const char *ask_path(struct arena *a, const char *text)
{
	const char *path = path_canonical(a, text);
	size_t n = strlen("/proc/self");

	if (!path || strncmp(path, "/proc/self", n) || (path[n] && path[n] != '/'))
		return path;
	return arena_format(a, "/proc/%d%s", SELF, path + n);
}

static const char *argument_set(struct arena *a, struct question *q, uint32_t arg,
				const char *text)
{
	const char *name = argument_name(q->number, arg);
	uint64_t value = 0;

	if (*text == '/' && arg < POLICY_ARGS) {
		q->paths[arg] = ask_path(a, text);
		q->args[arg] = 1; /* an address */
		return NULL;
	}
	if (!value_read(text, &value))
		return arena_format(a,
				    "'%s' of %s: neither a number nor a name of a "
				    "value: '%s'",
				    name, syscall_row(q->number)->name, text);
	if (arg < POLICY_ARGS) {
		q->args[arg] = value;
		return NULL;
	}
	q->fields[arg - POLICY_ARGS] = value;
	q->has_fields = true;
	return NULL;
}

static const char *argument_read(struct arena *a, struct question *q, uint32_t *next,
				 const char *text)
{
	const char *equals = *text == '/' ? NULL : strchr(text, '=');
	int arg = (int)*next;

	if (equals) {
		arg = word_argument(q->number, text, (size_t)(equals - text));
		if (arg < 0)
			return arena_format(a, "%s has no argument '%.*s'; it has %s",
					    syscall_row(q->number)->name,
					    (int)(equals - text), text,
					    argument_list(a, q->number));
		return argument_set(a, q, (uint32_t)arg, equals + 1);
	}
	if (arg >= POLICY_ARGS || !argument_name(q->number, (uint32_t)arg))
		return arena_format(a, "more arguments than %s has",
				    syscall_row(q->number)->name);
	++*next;
	return argument_set(a, q, (uint32_t)arg, text);
}

const char *question_read(struct arena *a, const char *call, const char *args,
			  struct question *ret)
{
	int number = word_syscall(call, strlen(call));
	const char *hint, *why = NULL;
	uint32_t next = 0;

	if (number < 0) {
		hint = guess_syscall(a, call, strlen(call));
		return arena_format(a, "no such system call: '%s'%s%s", call,
				    hint ? "; " : "", hint ? hint : "");
	}
	*ret = (struct question){ .number = (uint32_t)number };
	while (*args && !why) {
		size_t skipped = strspn(args, ", \t");
		size_t n = strcspn(args + skipped, ", \t");

		args += skipped;
		if (n)
			why = argument_read(a, ret, &next, arena_copy(a, args, n));
		args += n;
	}
	return why;
}

/* ---- the answer ---- */

/* Does that rule match? It is asked alone, in a program that would say something else. */
static bool matches(const struct policy *p, uint32_t rule, const struct question *q)
{
	struct policy_program alone = {
		.default_action = POLICY_ACTION_OF(POLICY_ASK, 0),
		.first_rule = rule,
		.n_rules = 1,
	};
	struct policy one = *p;
	struct policy_verdict v;

	one.programs = &alone;
	policy_decide(&one, 0, q->number, q->args, q->has_fields ? q->fields : NULL, &v);
	return v.action != alone.default_action;
}

int64_t ask_rule(const struct policy *p, uint32_t program, const struct question *q,
		 uint32_t action)
{
	const struct policy_program *g = &p->programs[program];

	for (uint32_t i = g->first_rule; i < g->first_rule + g->n_rules; i++)
		if (p->rules[i].number == q->number && p->rules[i].action == action &&
		    matches(p, i, q))
			return i;
	return -1;
}

static struct policy_place place_of(const char *path)
{
	return (struct policy_place){ path, strlen(path), SELF };
}

uint32_t ask_rights(const struct policy *p, uint32_t program, const char *path)
{
	struct policy_place at = place_of(path);

	return policy_rights(p, program, &at);
}

/* As above: each rule is asked alone; of those that match what denies comes first. */
int64_t ask_path_rule(const struct policy *p, uint32_t program, const char *path,
		      uint32_t want)
{
	const struct policy_program *g = &p->programs[program];
	struct policy_place at = place_of(path);
	int64_t found = -1;

	for (uint32_t i = g->first_path; i < g->first_path + g->n_paths; i++) {
		const struct policy_path *rule = &p->paths[i];
		struct policy_program alone = { .first_path = i, .n_paths = 1 };
		struct policy one = *p;

		one.programs = &alone;
		if (!((rule->allow | rule->deny) & want) ||
		    !policy_path_line(&one, 0, &at, want))
			continue;
		if (rule->deny)
			return i;
		if (found < 0)
			found = i;
	}
	return found;
}

static uint32_t open_needs(uint64_t flags)
{
	uint32_t needs = 0;

	if (flags & O_PATH)
		return POLICY_LOOK;
	if ((flags & O_ACCMODE) != O_WRONLY)
		needs |= POLICY_READ;
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))
		needs |= POLICY_MODIFY;
	/* What may be there already needs no right to be made. */
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		needs |= POLICY_CREATE;
	return needs;
}

static uint32_t needs_of(const struct question *q, uint32_t arg)
{
	static const struct {
		uint16_t number;
		uint8_t arg;
		uint32_t access;
	} needs[] = {
#define NEED(call, arg, access) { NR_##call, arg, POLICY_##access },
#include "policy/needs.def"
#undef NEED
	};

	if (q->number == NR_open && arg == 0)
		return open_needs(q->args[1]);
	if (q->number == NR_openat && arg == 1)
		return open_needs(q->args[2]);
	if (q->number == NR_openat2 && arg == 1)
		return open_needs(q->fields[0]);
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (needs[i].number == q->number && needs[i].arg == arg)
			return needs[i].access;
	return 0;
}

void ask(const struct policy *p, uint32_t program, const struct question *q,
	 struct answer *ret)
{
	struct policy_verdict v;

	policy_decide(p, program, q->number, q->args, q->has_fields ? q->fields : NULL,
		      &v);
	*ret = (struct answer){ .action = v.action };
	ret->rule = ask_rule(p, program, q, v.action);
	if (POLICY_ACTION_KIND(v.action) >= POLICY_ERRNO)
		return;
	for (uint32_t i = 0; i < POLICY_ARGS; i++) {
		uint32_t needs = q->paths[i] ? needs_of(q, i) : 0;
		struct policy_place at = place_of(q->paths[i] ? q->paths[i] : "/");

		needs &= ~policy_rights(p, program, &at);
		if (!needs || ret->refused)
			continue;
		ret->refused = needs;
		ret->path_arg = i;
		ret->path_line = policy_path_line(p, program, &at, needs);
		ret->action = POLICY_ACTION_OF(POLICY_ERRNO, 13); /* EACCES */
	}
}

/* What a form says, in the words of the language. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "lib/policy_internal.h"
#include "policy/describe.h"
#include "policy/names.h"
#include "policy/numbers.h"
#include "policy/words.h"

/* ---- values ---- */

static const struct naming {
	uint16_t number;
	uint8_t arg;
	bool flags;
	const struct names *set, *more;
} namings[] = {
#define FLAGS(call, arg, set, more) { NR_##call, arg, true, &set_##set, &set_##more },
#define CHOICE(call, arg, set) { NR_##call, arg, false, &set_##set, &set_none },
#include "policy/arguments.def"
#undef FLAGS
#undef CHOICE
};

static struct naming naming_of(uint32_t number, uint32_t arg)
{
	enum syscall_kind kind = policy_arg_kind(number, arg);

	for (size_t i = 0; i < ARRAY_LEN(namings); i++)
		if (namings[i].number == number && namings[i].arg == arg)
			return namings[i];
	return (struct naming){
		.set = kind == KIND_dirfd ? &set_dirfd
		       : kind == KIND_sig ? &set_signal
					  : &set_none,
		.more = &set_none,
	};
}

static void print_number(FILE *out, enum syscall_kind kind, uint64_t value)
{
	int64_t number = (int64_t)value;

	if (policy_kind_is_signed(kind) && number < 0)
		fprintf(out, "%" PRId64, number);
	else if (value < 4096)
		fprintf(out, "%" PRIu64, value);
	else
		fprintf(out, "%#" PRIx64, value);
}

/* A name of the set whose bits are all in the value. */
static const struct name *part_of(const struct names *set, uint64_t value)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->at[i].value && (value & set->at[i].value) == set->at[i].value)
			return &set->at[i];
	return NULL;
}

/* The bits that are values of a field, such as O_ACCMODE: the second set's. */
static const struct {
	const struct names *set;
	uint64_t mask;
} fields_of_bits[] = {
	{ &set_open_access, 3 }, { &set_socket_type, 15 }, { &set_map_type, 15 },
	{ &set_futex, 127 },	 { &set_clone_more, 0 },
};

static uint64_t field_mask(const struct names *set)
{
	for (size_t i = 0; i < ARRAY_LEN(fields_of_bits); i++)
		if (fields_of_bits[i].set == set)
			return fields_of_bits[i].mask;
	return 0;
}

static void print_flags(FILE *out, const struct naming *n, enum syscall_kind kind,
			uint64_t value, bool with_field)
{
	uint64_t mask = with_field ? field_mask(n->more) : 0;
	const char *named = mask ? names_find(n->more, value & mask) : NULL;
	const char *between = "";
	const struct name *part;

	if (named) {
		fputs(named, out);
		value &= ~mask;
		between = "|";
	}
	while (value && ((part = part_of(n->set, value)) ||
			 (!mask && (part = part_of(n->more, value))))) {
		fprintf(out, "%s%s", between, part->name);
		value &= ~part->value;
		between = "|";
	}
	if (!value && *between)
		return;
	fputs(between, out);
	print_number(out, kind, value);
}

static void print_value(FILE *out, uint32_t number, uint32_t arg, uint64_t value,
			bool with_field)
{
	struct naming n = naming_of(number, arg);
	enum syscall_kind kind = policy_arg_kind(number, arg);
	const char *name = n.flags ? NULL : names_find(n.set, value);

	/* Names of negative numbers of 32 bits may be kept without their sign. */
	if (!n.flags && !name && policy_kind_is_narrow(kind) && n.set != &set_none)
		name = names_find(n.set, (uint32_t)value);
	if (n.set == &set_none)
		name = NULL;
	if (name)
		fputs(name, out);
	else if (n.flags)
		print_flags(out, &n, kind, value, with_field);
	else
		print_number(out, kind, value);
}

void describe_value(FILE *out, uint32_t number, uint32_t arg, uint64_t value)
{
	print_value(out, number, arg, value, true);
}

/* ---- tests ---- */

/* All bits that the kernel sees of the argument. */
static bool is_whole(uint32_t number, const struct draft_test *t)
{
	bool narrow = policy_kind_is_narrow(policy_arg_kind(number, t->arg));

	return t->mask == UINT64_MAX ||
	       (narrow && t->mask == UINT32_MAX && t->value <= INT32_MAX && !t->n_values);
}

static const char *sign_of(uint8_t op)
{
	static const char *const signs[] = {
#define POLICY_OP(name, number, sign) [number] = sign,
#include "lib/abi/policy.def"
	};

	return signs[op];
}

static void print_set(FILE *out, uint32_t number, const struct draft_test *t)
{
	fputc('{', out);
	for (uint32_t i = 0; i < t->n_values; i++) {
		fputs(i ? ", " : "", out);
		print_value(out, number, t->arg, t->values[i], true);
	}
	fputc('}', out);
}

/* `has` and `lacks` compare a field whole that a name of them is a value of. */
static bool is_has(uint32_t number, const struct draft_test *t, uint64_t field)
{
	uint64_t plain = t->mask & ~field;

	(void)number;
	return t->op == POLICY_TEST_EQ && t->mask && (t->value & ~field) == plain &&
	       (!(t->mask & field) || (t->mask & field) == field) &&
	       (t->value || (t->mask & field));
}

void describe_test(FILE *out, uint32_t number, const struct draft_test *t)
{
	struct naming n = naming_of(number, t->arg);
	uint64_t field = n.flags ? field_mask(n.more) : 0;
	bool whole = is_whole(number, t);
	bool named = !field || names_find(n.more, t->value & field);

	fprintf(out, "%s ", argument_name(number, t->arg));
	if (!whole && is_has(number, t, field) && named) {
		fputs("has ", out);
		print_value(out, number, t->arg, t->value, t->mask & field);
		return;
	}
	if (!whole && t->op == POLICY_TEST_EQ && !t->value && !(t->mask & field)) {
		fputs("lacks ", out);
		print_value(out, number, t->arg, t->mask, false);
		return;
	}
	if (!whole) {
		fputs("& ", out);
		print_number(out, KIND_u64, t->mask);
		fputc(' ', out);
	}
	fprintf(out, "%s ", sign_of(t->op));
	if (t->n_values)
		print_set(out, number, t);
	else
		print_value(out, number, t->arg, t->value,
			    whole || (t->mask & field) == field);
}

void describe_tests(FILE *out, uint32_t number, const struct draft_test *tests,
		    uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		fputs(i ? " and " : "", out);
		describe_test(out, number, &tests[i]);
	}
}

struct draft_test test_of(const struct policy *p, const struct policy_test *t)
{
	return (struct draft_test){
		.arg = t->arg,
		.op = t->op,
		.n_values = t->n_values,
		.mask = t->mask,
		.value = t->n_values ? 0 : t->value,
		.values = t->n_values ? &p->values[t->value] : NULL,
	};
}

void describe_rule_tests(FILE *out, const struct policy *p, const struct policy_rule *r)
{
	for (uint32_t i = 0; i < r->n_tests; i++) {
		struct draft_test test = test_of(p, &p->tests[r->first_test + i]);

		fputs(i ? " and " : "", out);
		describe_test(out, r->number, &test);
	}
}

/* ---- the rest ---- */

const char *action_word(uint32_t action, char space[24])
{
	static const char *const words[] = {
#define POLICY_ACTION(name, number, word, text) [number] = word,
#include "lib/abi/policy.def"
	};
	uint32_t kind = POLICY_ACTION_KIND(action);

	if (kind == POLICY_ERRNO) {
		char number[16];

		snprintf(space, 24, "%s",
			 error_name(POLICY_ACTION_ERROR(action), number));
		return space;
	}
	return words[kind];
}

const char *action_text(uint32_t action, char space[48])
{
	static const char *const texts[POLICY_ACTIONS] = {
		[POLICY_ALLOW] = "allowed",
		[POLICY_LOG] = "allowed, with a record",
		[POLICY_ASK] = "allowed, and noted",
		[POLICY_TRAP] = "refused: the thread gets SIGSYS",
		[POLICY_KILL_THREAD] = "refused: the thread is killed",
		[POLICY_KILL] = "refused: the process is killed",
	};
	char word[24];

	if (POLICY_ACTION_KIND(action) != POLICY_ERRNO)
		return texts[POLICY_ACTION_KIND(action)];
	snprintf(space, 48, "refused with %s", action_word(action, word));
	return space;
}

const char *access_text(uint32_t access, char space[48])
{
	static const struct {
		uint32_t bit;
		const char *word;
	} words[] = {
#define POLICY_ACCESS(name, number, word, text) { POLICY_##name, word },
#include "lib/abi/policy.def"
		{ POLICY_LOOK, "look" },
	};
	size_t n = 0;

	*space = 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (access & words[i].bit)
			n += (size_t)snprintf(space + n, 48 - n, "%s%s", n ? " " : "",
					      words[i].word);
	return space;
}

void describe_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

void describe_path(FILE *out, const char *text, uint16_t flags)
{
	const char *tail = flags & POLICY_PATH_EXACT ? text[1] ? "/." : "." : "";
	bool plain = true;

	for (const char *at = text; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '"')
			plain = false;
	if (plain) {
		fprintf(out, "%s%s", text, tail);
		return;
	}
	char quoted[POLICY_PATH_MAX + 8];

	snprintf(quoted, sizeof(quoted), "%s%s", text, tail);
	describe_string(out, quoted);
}

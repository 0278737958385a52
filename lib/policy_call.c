/* What a policy says to a system call. */
#include "lib/policy_internal.h"

#define SYSCALL(nr, name) NR_##name = (nr),
#define SYSCALL0(nr, name, ...) SYSCALL(nr, name)
#define SYSCALL1 SYSCALL0
#define SYSCALL2 SYSCALL0
#define SYSCALL3 SYSCALL0
#define SYSCALL4 SYSCALL0
#define SYSCALL5 SYSCALL0
#define SYSCALL6 SYSCALL0
enum {
#include "lib/abi/syscalls.def"
};

static const struct {
	uint16_t number;
	uint8_t field, kind;
} fields_of[] = {
#define POLICY_FIELD(syscall, number, kind, name) { NR_##syscall, number, KIND_##kind },
#include "lib/abi/policy.def"
};

enum syscall_kind policy_arg_kind(uint32_t number, uint32_t arg)
{
	const struct syscall_row *row = syscall_row(number);

	if (arg < POLICY_ARGS)
		return row ? row->kinds[arg] : KIND_none;
	for (size_t i = 0; i < ARRAY_LEN(fields_of); i++)
		if (fields_of[i].number == number && fields_of[i].field == arg)
			return fields_of[i].kind;
	return KIND_none;
}

bool policy_kind_is_signed(enum syscall_kind kind)
{
	return kind == KIND_fd || kind == KIND_dirfd || kind == KIND_pid ||
	       kind == KIND_sig || kind == KIND_i32 || kind == KIND_i64 ||
	       kind == KIND_off;
}

bool policy_kind_is_narrow(enum syscall_kind kind)
{
	return kind == KIND_fd || kind == KIND_dirfd || kind == KIND_pid ||
	       kind == KIND_sig || kind == KIND_i32 || kind == KIND_u32 ||
	       kind == KIND_uid || kind == KIND_gid || kind == KIND_mode ||
	       kind == KIND_flags;
}

/* As much of a register as the kernel looks at. */
static uint64_t seen_of(enum syscall_kind kind, uint64_t value)
{
	if (!policy_kind_is_narrow(kind))
		return value;
	return policy_kind_is_signed(kind) ? (uint64_t)(int32_t)value : (uint32_t)value;
}

static bool is_one_of(const uint64_t *v, uint32_t n, uint64_t value)
{
	while (n) {
		uint32_t half = n / 2;
		if (v[half] == value)
			return true;
		if (v[half] < value) {
			v += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return false;
}

static bool is_less(enum syscall_kind kind, uint64_t a, uint64_t b)
{
	return policy_kind_is_signed(kind) ? (int64_t)a < (int64_t)b : a < b;
}

static bool holds(const struct policy *p, const struct policy_test *t,
		  enum syscall_kind kind, uint64_t arg)
{
	uint64_t a = seen_of(kind, arg) & t->mask;

	switch ((enum policy_test_op)t->op) {
	case POLICY_TEST_EQ:
		return a == t->value;
	case POLICY_TEST_NE:
		return a != t->value;
	case POLICY_TEST_LT:
		return is_less(kind, a, t->value);
	case POLICY_TEST_LE:
		return !is_less(kind, t->value, a);
	case POLICY_TEST_GT:
		return is_less(kind, t->value, a);
	case POLICY_TEST_GE:
		return !is_less(kind, a, t->value);
	case POLICY_TEST_IN:
		return is_one_of(&p->values[t->value], t->n_values, a);
	case POLICY_TEST_NOT_IN:
		return !is_one_of(&p->values[t->value], t->n_values, a);
	case POLICY_TEST_OPS:
		break;
	}
	return false;
}

enum match { MATCH_NO, MATCH_PERHAPS, MATCH_YES };

static enum match match(const struct policy *p, const struct policy_rule *r,
			const uint64_t *args, const uint64_t *fields)
{
	enum match m = MATCH_YES;

	for (uint32_t i = 0; i < r->n_tests; i++) {
		const struct policy_test *t = &p->tests[r->first_test + i];
		bool is_field = t->arg >= POLICY_ARGS;
		if (is_field && !fields) {
			m = MATCH_PERHAPS;
			continue;
		}
		uint64_t arg = is_field ? fields[t->arg - POLICY_ARGS] : args[t->arg];
		if (!holds(p, t, policy_arg_kind(r->number, t->arg), arg))
			return MATCH_NO;
	}
	return m;
}

/* The first rule of that number, or where it would be. */
static uint32_t rule_first(const struct policy *p, const struct policy_program *g,
			   uint32_t number)
{
	uint32_t at = g->first_rule, n = g->n_rules;

	while (n) {
		uint32_t half = n / 2;
		if (p->rules[at + half].number < number) {
			at += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return at;
}

static bool refuses(uint32_t action)
{
	return POLICY_ACTION_KIND(action) >= POLICY_ERRNO;
}

/* Does this one decide rather than what was found before? What refuses comes first, the
 * sternest of it; of what allows, what leaves a record. */
static bool is_sterner(const struct policy_rule *r, const struct policy_rule *found)
{
	return !found ||
	       POLICY_ACTION_KIND(r->action) > POLICY_ACTION_KIND(found->action);
}

void policy_decide(const struct policy *p, uint32_t program, uint32_t number,
		   const uint64_t args[POLICY_ARGS], const uint64_t *fields,
		   struct policy_verdict *ret)
{
	const struct policy_program *g = &p->programs[program];
	const struct policy_rule *found = NULL;
	bool perhaps = false;

	for (uint32_t i = rule_first(p, g, number); i < g->first_rule + g->n_rules; i++) {
		const struct policy_rule *r = &p->rules[i];
		if (r->number != number)
			break;
		enum match m = match(p, r, args, fields);
		if (m == MATCH_YES && is_sterner(r, found))
			found = r;
		perhaps |= m == MATCH_PERHAPS && !refuses(r->action);
	}
	if (found)
		*ret = (struct policy_verdict){ found->action, found->line };
	else if (perhaps)
		*ret = (struct policy_verdict){ POLICY_ACTION_OF(POLICY_ALLOW, 0), 0 };
	else
		*ret = (struct policy_verdict){ g->default_action, g->default_line };
}

bool policy_names(const struct policy *p, uint32_t program, uint32_t number)
{
	const struct policy_program *g = &p->programs[program];
	uint32_t i = rule_first(p, g, number);

	return i < g->first_rule + g->n_rules && p->rules[i].number == number;
}

void policy_passes(const struct policy *p, uint32_t program,
		   uint64_t ret[POLICY_NUMBERS / 64])
{
	const struct policy_program *g = &p->programs[program];
	const struct policy_rule *r = &p->rules[g->first_rule];

	for (uint32_t i = 0; i < POLICY_NUMBERS / 64; i++)
		ret[i] = 0;
	for (uint32_t i = 0; i < g->n_rules; i++)
		if (r[i].action == POLICY_ACTION_OF(POLICY_ALLOW, 0) && !r[i].n_tests)
			ret[r[i].number / 64] |= BIT(r[i].number % 64);
	for (uint32_t i = 0; i < g->n_rules; i++)
		if (r[i].action != POLICY_ACTION_OF(POLICY_ALLOW, 0))
			ret[r[i].number / 64] &= ~BIT(r[i].number % 64);
}

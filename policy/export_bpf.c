/*
 * A filter of classic BPF that decides as policy_decide() does: a search for the number,
 * then the rules of that number, the sternest first, each a row of comparisons. It is
 * made here and not by libseccomp, which takes one comparison of an argument in a rule
 * and has no order of rules that overlap.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/policy_internal.h"
#include "policy/export.h"
#include "policy/numbers.h"
#include "policy/words.h"

#define X32 0x40000000u
#define EACCES_NUMBER 13

#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define JUMP(op) (BPF_JMP | (op) | BPF_K)

struct assembler {
	struct export *e;
	VEC(struct sock_filter) code;
	/* Jumps whose target is not known yet, by label; labels count up. */
	VEC(uint32_t) target; /* of a label: an instruction */
	uint32_t number;
};

static uint32_t label_new(struct assembler *a)
{
	*vec_push(&a->e->arena, &a->target) = UINT32_MAX;
	return a->target.n - 1;
}

static void label_here(struct assembler *a, uint32_t label)
{
	a->target.at[label] = a->code.n;
}

static void emit(struct assembler *a, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	*vec_push(&a->e->arena, &a->code) = (struct sock_filter){ code, jt, jf, k };
}

/* To the label; it becomes a distance when all is there. */
static void emit_goto(struct assembler *a, uint32_t label)
{
	emit(a, BPF_JMP | BPF_JA, label, 0, 0);
}

/* Goes to the label if the comparison holds, or if it does not. */
static void emit_if(struct assembler *a, uint16_t op, uint32_t k, bool holds,
		    uint32_t label)
{
	emit(a, JUMP(op), k, !holds, holds);
	emit_goto(a, label);
}

static uint32_t ret_of(uint32_t action)
{
	switch ((enum policy_action)POLICY_ACTION_KIND(action)) {
	case POLICY_ALLOW:
		return SECCOMP_RET_ALLOW;
	case POLICY_LOG:
	case POLICY_ASK:
		return SECCOMP_RET_LOG;
	case POLICY_ERRNO:
		return SECCOMP_RET_ERRNO | POLICY_ACTION_ERROR(action);
	case POLICY_TRAP:
		return SECCOMP_RET_TRAP;
	case POLICY_KILL_THREAD:
		return SECCOMP_RET_KILL_THREAD;
	default:
		return SECCOMP_RET_KILL_PROCESS;
	}
}

static void emit_ret(struct assembler *a, uint32_t action)
{
	emit(a, BPF_RET | BPF_K, ret_of(action), 0, 0);
}

/* ---- comparisons: to `fail` if they do not hold ---- */

static void load_half(struct assembler *a, uint32_t arg, bool high, uint64_t mask)
{
	uint32_t half = (uint32_t)(high ? mask >> 32 : mask);

	emit(a, LOAD,
	     (uint32_t)(offsetof(struct seccomp_data, args) + 8 * arg + (high ? 4 : 0)),
	     0, 0);
	if (half != UINT32_MAX)
		emit(a, BPF_ALU | BPF_AND | BPF_K, half, 0, 0);
}

/* Equal to the value? To `yes`, or on. A narrow argument has no upper half. */
static void emit_equal(struct assembler *a, uint32_t arg, bool narrow, uint64_t mask,
		       uint64_t value, uint32_t yes)
{
	uint32_t no = label_new(a);

	if (!narrow) {
		load_half(a, arg, true, mask);
		emit_if(a, BPF_JEQ, (uint32_t)(value >> 32), false, no);
	}
	load_half(a, arg, false, mask);
	emit_if(a, BPF_JEQ, (uint32_t)value, true, yes);
	label_here(a, no);
}

/* Less than the value? To `yes`, else to `no`. Flipping the sign puts what is below zero
 * first. */
static void emit_less(struct assembler *a, uint32_t arg, enum syscall_kind kind,
		      uint64_t mask, uint64_t value, uint32_t yes, uint32_t no)
{
	bool narrow = policy_kind_is_narrow(kind);
	bool flip = policy_kind_is_signed(kind) && mask == UINT64_MAX;
	uint32_t high = (uint32_t)(value >> 32), low = (uint32_t)value;
	uint32_t sign = flip ? 1u << 31 : 0;

	if (!narrow) {
		load_half(a, arg, true, mask);
		if (flip)
			emit(a, BPF_ALU | BPF_XOR | BPF_K, sign, 0, 0);
		emit_if(a, BPF_JGT, high ^ sign, true, no);
		emit_if(a, BPF_JEQ, high ^ sign, false, yes);
	}
	load_half(a, arg, false, mask);
	if (narrow && flip)
		emit(a, BPF_ALU | BPF_XOR | BPF_K, sign, 0, 0);
	emit_if(a, BPF_JGE, low ^ (narrow ? sign : 0), true, no);
	emit_goto(a, yes);
}

static void emit_set(struct assembler *a, const struct policy_test *t, bool narrow,
		     uint32_t yes)
{
	const uint64_t *values = &a->e->policy->values[t->value];

	for (uint32_t i = 0; i < t->n_values; i++)
		emit_equal(a, t->arg, narrow, t->mask, values[i], yes);
}

static void emit_compare(struct assembler *a, const struct policy_test *t,
			 enum syscall_kind kind, uint32_t hold, uint32_t fail)
{
	bool narrow = policy_kind_is_narrow(kind);
	bool more = t->op == POLICY_TEST_GT || t->op == POLICY_TEST_LE;
	bool less = t->op == POLICY_TEST_LT || t->op == POLICY_TEST_LE;

	switch ((enum policy_test_op)t->op) {
	case POLICY_TEST_EQ:
		emit_equal(a, t->arg, narrow, t->mask, t->value, hold);
		emit_goto(a, fail);
		break;
	case POLICY_TEST_NE:
		emit_equal(a, t->arg, narrow, t->mask, t->value, fail);
		break;
	case POLICY_TEST_IN:
		emit_set(a, t, narrow, hold);
		emit_goto(a, fail);
		break;
	case POLICY_TEST_NOT_IN:
		emit_set(a, t, narrow, fail);
		break;
	default:
		/* <= is < or ==, > is neither. */
		if (more)
			emit_equal(a, t->arg, narrow, t->mask, t->value,
				   less ? hold : fail);
		emit_less(a, t->arg, kind, t->mask, t->value, less ? hold : fail,
			  less ? fail : hold);
		break;
	}
}

/* A value that the argument cannot have; masks that look at a sign that was spread. */
static bool is_sayable(const struct policy_test *t, enum syscall_kind kind)
{
	bool narrow = policy_kind_is_narrow(kind);
	bool is_signed = policy_kind_is_signed(kind);

	if (!narrow)
		return t->mask == UINT64_MAX || !is_signed || !(t->mask >> 63) ||
		       t->op == POLICY_TEST_EQ || t->op == POLICY_TEST_NE ||
		       t->op == POLICY_TEST_IN || t->op == POLICY_TEST_NOT_IN;
	if (t->mask == UINT64_MAX)
		return t->n_values || !is_signed ? t->n_values || t->value <= UINT32_MAX
						 : (int64_t)t->value >= INT32_MIN &&
							   (int64_t)t->value <= INT32_MAX;
	return t->mask <= UINT32_MAX && (t->n_values || t->value <= UINT32_MAX);
}

/* False: it cannot be said, and what the rule allows must not be. */
static bool emit_test(struct assembler *a, const struct policy_test *t, bool refuses,
		      uint32_t fail)
{
	enum syscall_kind kind = policy_arg_kind(a->number, t->arg);
	uint32_t hold;
	char space[16];

	if (t->arg >= POLICY_ARGS || !is_sayable(t, kind)) {
		export_note(
			a->e, "%s: '%s' %s: what depends on it is refused",
			syscall_name(a->number, space), argument_name(a->number, t->arg),
			t->arg >= POLICY_ARGS ? "lies in memory"
					      : "is compared in a way that BPF has not");
		return refuses;
	}
	hold = label_new(a);
	emit_compare(a, t, kind, hold, fail);
	label_here(a, hold);
	return true;
}

/* ---- rules ---- */

/* What is writable and executable at once, where the policy does not allow that. */
static void emit_exec_write(struct assembler *a)
{
	struct policy_test both = { .arg = 2,
				    .op = POLICY_TEST_EQ,
				    .mask = PROT_WRITE | PROT_EXEC,
				    .value = PROT_WRITE | PROT_EXEC };
	uint32_t fail = label_new(a);

	(void)emit_test(a, &both, true, fail);
	emit_ret(a, POLICY_ACTION_OF(POLICY_ERRNO, EACCES_NUMBER));
	label_here(a, fail);
}

static void emit_rule(struct assembler *a, const struct policy_rule *r)
{
	bool refuses = POLICY_ACTION_KIND(r->action) >= POLICY_ERRNO;
	uint32_t fail = label_new(a);

	for (uint32_t i = 0; i < r->n_tests; i++)
		if (!emit_test(a, &a->e->policy->tests[r->first_test + i], refuses, fail))
			emit_goto(a, fail);
	emit_ret(a, r->action);
	label_here(a, fail);
}

static bool guards_memory(const struct assembler *a, uint32_t number)
{
	return !(a->e->policy->programs[0].flags & POLICY_FLAG_EXEC_WRITE) &&
	       (number == NR_mmap || number == NR_mprotect || number == NR_pkey_mprotect);
}

static void emit_number(struct assembler *a, uint32_t number)
{
	uint32_t n;
	const struct policy_rule **rules = export_rules(a->e, number, &n);
	uint32_t default_action = a->e->policy->programs[0].default_action;
	bool ended = false;

	a->number = number;
	for (uint32_t i = 0; i < n && !ended; i++) {
		bool allows = POLICY_ACTION_KIND(rules[i]->action) < POLICY_ERRNO;

		if (allows && guards_memory(a, number) &&
		    (!i || POLICY_ACTION_KIND(rules[i - 1]->action) >= POLICY_ERRNO))
			emit_exec_write(a);
		emit_rule(a, rules[i]);
		ended = !rules[i]->n_tests;
	}
	if (!ended)
		emit_ret(a, default_action);
}

/* Numbers from `from` on that the same is said of, whatever their arguments; else one. */
static uint32_t alike_end(struct assembler *a, uint32_t from)
{
	uint32_t n, m, end = from + 1;
	const struct policy_rule **x = export_rules(a->e, from, &n), **y;

	if ((n && x[0]->n_tests) || guards_memory(a, from))
		return end;
	for (; end < POLICY_NUMBERS; end++) {
		y = export_rules(a->e, end, &m);
		if (guards_memory(a, end) || !n != !m ||
		    (n && (y[0]->n_tests || y[0]->action != x[0]->action)))
			break;
	}
	return end;
}

/* A search in what begins at starts[from], ..., each up to the next. */
static void emit_search(struct assembler *a, const uint32_t *starts, uint32_t from,
			uint32_t n)
{
	uint32_t half = n / 2, upper;

	if (n == 1) {
		emit_number(a, starts[from]);
		return;
	}
	upper = label_new(a);
	emit_if(a, BPF_JGE, starts[from + half], true, upper);
	emit_search(a, starts, from, half);
	label_here(a, upper);
	emit_search(a, starts, from + half, n - half);
}

static void emit_all(struct assembler *a)
{
	uint32_t starts[POLICY_NUMBERS], n = 0, search = label_new(a);
	uint32_t kill = POLICY_ACTION_OF(POLICY_KILL, 0);

	emit(a, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	emit(a, JUMP(BPF_JEQ), AUDIT_ARCH_X86_64, 1, 0);
	emit_ret(a, kill);
	emit(a, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	emit_if(a, BPF_JGE, POLICY_NUMBERS, false, search);
	emit(a, JUMP(BPF_JGE), X32, 0, 1);
	emit_ret(a, kill);
	emit_ret(a, a->e->policy->programs[0].default_action);
	label_here(a, search);
	for (uint32_t at = 0; at < POLICY_NUMBERS; at = alike_end(a, at))
		starts[n++] = at;
	emit_search(a, starts, 0, n);
}

static void resolve(struct assembler *a)
{
	for (uint32_t i = 0; i < a->code.n; i++)
		if (a->code.at[i].code == (BPF_JMP | BPF_JA))
			a->code.at[i].k = a->target.at[a->code.at[i].k] - i - 1;
}

int export_bpf(struct export *e, struct sock_filter **ret)
{
	struct assembler a = { .e = e };

	emit_all(&a);
	resolve(&a);
	export_note_rest(e);
	export_note(e,
		    "calls that Mayfly's kernel does not have are refused as what is not "
		    "named");
	if (!(e->policy->programs[0].flags & POLICY_FLAG_EXEC_WRITE))
		export_note(e,
			    "memory: not writable and executable at once, but one after "
			    "the other");
	if (a.code.n > BPF_MAXINSNS)
		return -E2BIG;
	*ret = a.code.at;
	return (int)a.code.n;
}

/* Filters of system calls: what is one, and what it says. */
#include "lib/bpf.h"

#include "lib/string.h"

/* ---- what is a filter ---- */

/* What an instruction needs besides being known. */
enum form {
	FORM_NONE, /* not in a filter of calls */
	FORM_PLAIN,
	FORM_LOAD,  /* a word of the call */
	FORM_READ,  /* of scratch memory */
	FORM_WRITE, /* to it */
	FORM_DIVIDE,
	FORM_SHIFT,
	FORM_JUMP,   /* always */
	FORM_BRANCH, /* one way or the other */
	FORM_RETURN,
};

static const uint8_t forms[256] = {
	[BPF_LD | BPF_W | BPF_ABS] = FORM_LOAD,
	[BPF_LD | BPF_W | BPF_LEN] = FORM_PLAIN,
	[BPF_LDX | BPF_W | BPF_LEN] = FORM_PLAIN,
	[BPF_LD | BPF_IMM] = FORM_PLAIN,
	[BPF_LDX | BPF_IMM] = FORM_PLAIN,
	[BPF_LD | BPF_MEM] = FORM_READ,
	[BPF_LDX | BPF_MEM] = FORM_READ,
	[BPF_ST] = FORM_WRITE,
	[BPF_STX] = FORM_WRITE,
	[BPF_MISC | BPF_TAX] = FORM_PLAIN,
	[BPF_MISC | BPF_TXA] = FORM_PLAIN,
	[BPF_ALU | BPF_ADD | BPF_K] = FORM_PLAIN,
	[BPF_ALU | BPF_ADD | BPF_X] = FORM_PLAIN,
	[BPF_ALU | BPF_SUB | BPF_K] = FORM_PLAIN,
	[BPF_ALU | BPF_SUB | BPF_X] = FORM_PLAIN,
	[BPF_ALU | BPF_MUL | BPF_K] = FORM_PLAIN,
	[BPF_ALU | BPF_MUL | BPF_X] = FORM_PLAIN,
	[BPF_ALU | BPF_DIV | BPF_K] = FORM_DIVIDE,
	[BPF_ALU | BPF_DIV | BPF_X] = FORM_PLAIN,
	[BPF_ALU | BPF_AND | BPF_K] = FORM_PLAIN,
	[BPF_ALU | BPF_AND | BPF_X] = FORM_PLAIN,
	[BPF_ALU | BPF_OR | BPF_K] = FORM_PLAIN,
	[BPF_ALU | BPF_OR | BPF_X] = FORM_PLAIN,
	[BPF_ALU | BPF_XOR | BPF_K] = FORM_PLAIN,
	[BPF_ALU | BPF_XOR | BPF_X] = FORM_PLAIN,
	[BPF_ALU | BPF_LSH | BPF_K] = FORM_SHIFT,
	[BPF_ALU | BPF_LSH | BPF_X] = FORM_PLAIN,
	[BPF_ALU | BPF_RSH | BPF_K] = FORM_SHIFT,
	[BPF_ALU | BPF_RSH | BPF_X] = FORM_PLAIN,
	[BPF_ALU | BPF_NEG] = FORM_PLAIN,
	[BPF_JMP | BPF_JA] = FORM_JUMP,
	[BPF_JMP | BPF_JEQ | BPF_K] = FORM_BRANCH,
	[BPF_JMP | BPF_JEQ | BPF_X] = FORM_BRANCH,
	[BPF_JMP | BPF_JGT | BPF_K] = FORM_BRANCH,
	[BPF_JMP | BPF_JGT | BPF_X] = FORM_BRANCH,
	[BPF_JMP | BPF_JGE | BPF_K] = FORM_BRANCH,
	[BPF_JMP | BPF_JGE | BPF_X] = FORM_BRANCH,
	[BPF_JMP | BPF_JSET | BPF_K] = FORM_BRANCH,
	[BPF_JMP | BPF_JSET | BPF_X] = FORM_BRANCH,
	[BPF_RET | BPF_K] = FORM_RETURN,
	[BPF_RET | BPF_A] = FORM_RETURN,
};

static enum form form_of(const struct sock_filter *i)
{
	return i->code < ARRAY_LEN(forms) ? forms[i->code] : FORM_NONE;
}

/* Is the instruction fine by itself, with `left` more behind it? */
static bool is_valid(const struct sock_filter *i, size_t left)
{
	switch (form_of(i)) {
	case FORM_NONE:
		return false;
	case FORM_PLAIN:
		return true;
	case FORM_LOAD:
		return i->k < sizeof(struct seccomp_data) &&
		       IS_ALIGNED(i->k, sizeof(uint32_t));
	case FORM_READ:
	case FORM_WRITE:
		return i->k < BPF_MEMWORDS;
	case FORM_DIVIDE:
		return i->k;
	case FORM_SHIFT:
		return i->k < 32;
	case FORM_JUMP:
		return i->k < left;
	case FORM_BRANCH:
		return i->jt < left && i->jf < left;
	case FORM_RETURN:
		return true;
	}
	return false;
}

/* written[at]: the words of scratch memory that were written on all ways to there which
 * jump; what runs into it from above adds its own. */
static bool reads_what_it_wrote(const struct sock_filter *f, size_t n, uint16_t *written)
{
	uint16_t now = 0;

	memset(written, 0xff, n * sizeof(*written));
	for (size_t at = 0; at < n; at++) {
		const struct sock_filter *i = &f[at];
		uint16_t *next = &written[at + 1];

		now &= written[at];
		switch (form_of(i)) {
		case FORM_WRITE:
			now |= (uint16_t)BIT(i->k);
			break;
		case FORM_READ:
			if (!(now & BIT(i->k)))
				return false;
			break;
		case FORM_JUMP:
			next[i->k] &= now;
			now = UINT16_MAX;
			break;
		case FORM_BRANCH:
			next[i->jt] &= now;
			next[i->jf] &= now;
			now = UINT16_MAX;
			break;
		default:
			/* Behind a return as if it ran on: so does Linux. */
			break;
		}
	}
	return true;
}

int bpf_check(const struct sock_filter *f, size_t n, uint16_t *written)
{
	if (!n || n > BPF_MAXINSNS)
		return -EINVAL;
	for (size_t at = 0; at < n; at++)
		if (!is_valid(&f[at], n - at - 1))
			return -EINVAL;
	if (form_of(&f[n - 1]) != FORM_RETURN)
		return -EINVAL;
	return reads_what_it_wrote(f, n, written) ? 0 : -EINVAL;
}

/* ---- what it says ---- */

/* Dividing by zero is said to return 0: SECCOMP_RET_KILL_THREAD. */
static bool calculate(uint32_t op, uint32_t *a, uint32_t by)
{
	switch (op) {
	case BPF_ADD:
		*a += by;
		return true;
	case BPF_SUB:
		*a -= by;
		return true;
	case BPF_MUL:
		*a *= by;
		return true;
	case BPF_DIV:
		*a = by ? *a / by : 0;
		return by;
	case BPF_AND:
		*a &= by;
		return true;
	case BPF_OR:
		*a |= by;
		return true;
	case BPF_XOR:
		*a ^= by;
		return true;
	case BPF_LSH:
		*a <<= by & 31;
		return true;
	case BPF_RSH:
		*a >>= by & 31;
		return true;
	default:
		*a = -*a;
		return true;
	}
}

static bool compare(uint32_t op, uint32_t a, uint32_t with)
{
	switch (op) {
	case BPF_JEQ:
		return a == with;
	case BPF_JGT:
		return a > with;
	case BPF_JGE:
		return a >= with;
	default:
		return a & with;
	}
}

/* What filters consist of, by far the most: as plain branches, which an emulator follows
 * at once, unlike a jump by table. False: another instruction. */
static inline bool step_fast(const struct sock_filter **at, uint32_t a)
{
	const struct sock_filter *i = *at;

	if (likely(i->code == (BPF_JMP | BPF_JEQ | BPF_K)))
		*at = i + 1 + (a == i->k ? i->jt : i->jf);
	else if (i->code == (BPF_JMP | BPF_JGE | BPF_K))
		*at = i + 1 + (a >= i->k ? i->jt : i->jf);
	else if (i->code == (BPF_JMP | BPF_JGT | BPF_K))
		*at = i + 1 + (a > i->k ? i->jt : i->jf);
	else
		return false;
	return true;
}

/* False: it reads the call beyond its first `known` bytes. */
static bool run(const struct sock_filter *i, const struct seccomp_data *call,
		size_t known, uint32_t *ret)
{
	uint32_t a = 0, x = 0, m[BPF_MEMWORDS];

	for (;; i++) {
		while (step_fast(&i, a))
			;
		if (i->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (i->k >= known)
				return false;
			memcpy(&a, (const char *)call + i->k, sizeof(a));
			continue;
		}
		if (i->code == (BPF_RET | BPF_K)) {
			*ret = i->k;
			return true;
		}
		uint32_t operand = i->code & BPF_X ? x : i->k;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_LEN:
		case BPF_LD | BPF_IMM:
			a = i->code & BPF_LEN ? sizeof(*call) : i->k;
			break;
		case BPF_LDX | BPF_W | BPF_LEN:
		case BPF_LDX | BPF_IMM:
			x = i->code & BPF_LEN ? sizeof(*call) : i->k;
			break;
		case BPF_LD | BPF_MEM:
			a = m[i->k];
			break;
		case BPF_LDX | BPF_MEM:
			x = m[i->k];
			break;
		case BPF_ST:
			m[i->k] = a;
			break;
		case BPF_STX:
			m[i->k] = x;
			break;
		case BPF_MISC | BPF_TAX:
			x = a;
			break;
		case BPF_MISC | BPF_TXA:
			a = x;
			break;
		case BPF_JMP | BPF_JA:
			i += i->k;
			break;
		case BPF_RET | BPF_A:
			*ret = a;
			return true;
		default:
			if (BPF_CLASS(i->code) == BPF_JMP) {
				i += compare(BPF_OP(i->code), a, operand) ? i->jt : i->jf;
			} else if (!calculate(BPF_OP(i->code), &a, operand)) {
				*ret = SECCOMP_RET_KILL_THREAD;
				return true;
			}
		}
	}
}

uint32_t bpf_run(const struct sock_filter *f, const struct seccomp_data *call)
{
	uint32_t verdict = SECCOMP_RET_KILL_PROCESS;

	(void)run(f, call, sizeof(*call), &verdict);
	return verdict;
}

bool bpf_run_blind(const struct sock_filter *f, int nr, uint32_t arch, uint32_t *ret)
{
	const struct seccomp_data call = { .nr = nr, .arch = arch };

	return run(f, &call, offsetof(struct seccomp_data, instruction_pointer), ret);
}

/*
 * lib/bpf.c against this machine's Linux: the same filters are refused, and the same
 * calls get the same answers.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/audit.h>

#include "lib/bpf.h"

#define ARCH AUDIT_ARCH_X86_64
#define WORD(member) ((uint32_t)offsetof(struct seccomp_data, member))
#define RET(k) BPF_STMT(BPF_RET | BPF_K, (k))
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(member))
#define FILTER(...) ((const struct sock_filter[]){ __VA_ARGS__ })
#define LEN(...) (sizeof FILTER(__VA_ARGS__) / sizeof(struct sock_filter))

static int check(const struct sock_filter *f, size_t n)
{
	uint16_t *written = malloc(n * sizeof *written + 1);
	int err = bpf_check(f, n, written);

	free(written);
	return err;
}

/* ---- Linux ---- */

/* A number that is no call here: all that it does is pass the filter. */
#define ASKED 500

struct answer {
	int refused; /* errno of seccomp(2) */
	int error;   /* of the call */
};

static void ask(const struct sock_filter *f, size_t n, const __u64 *args,
		struct answer *ret)
{
	struct sock_fprog prog = { (unsigned short)n, (struct sock_filter *)f };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog)) {
		ret->refused = errno;
		return;
	}
	errno = 0;
	syscall(ASKED, args[0], args[1], args[2], args[3], args[4], args[5]);
	ret->error = errno;
}

/* False: the filter killed. */
static bool linux_says(const struct sock_filter *f, size_t n, const __u64 *args,
		       struct answer *ret)
{
	int p[2], status;
	struct answer a = { 0 };

	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	if (!pid) {
		ask(f, n, args, &a);
		_exit(write(p[1], &a, sizeof a) != sizeof a);
	}
	close(p[1]);
	bool lives = read(p[0], &a, sizeof a) == sizeof a;
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*ret = a;
	return lives;
}

static bool linux_refuses(const struct sock_filter *f, size_t n)
{
	static const __u64 none[6];
	struct answer a;

	return linux_says(f, n, none, &a) && a.refused;
}

/* ---- what is a filter ---- */

#define good(...)                                                                        \
	do {                                                                             \
		assert_int_equal(check(FILTER(__VA_ARGS__), LEN(__VA_ARGS__)), 0);       \
		assert_false(linux_refuses(FILTER(__VA_ARGS__), LEN(__VA_ARGS__)));      \
	} while (0)
#define bad(...)                                                                         \
	do {                                                                             \
		assert_int_equal(check(FILTER(__VA_ARGS__), LEN(__VA_ARGS__)), -EINVAL); \
		assert_true(linux_refuses(FILTER(__VA_ARGS__), LEN(__VA_ARGS__)));       \
	} while (0)

#define ALLOW RET(SECCOMP_RET_ALLOW)

static void every_way_ends_at_a_return(void **state)
{
	good(ALLOW);
	good(ALLOW, ALLOW);
	good(BPF_STMT(BPF_RET | BPF_A, 0));
	bad(BPF_STMT(BPF_RET | BPF_X, 0));
	bad(LOAD(nr));
	bad(ALLOW, LOAD(nr));
	assert_int_equal(check(NULL, 0), -EINVAL);
}

static void jumps_go_forward_and_stay_inside(void **state)
{
	good(BPF_STMT(BPF_JMP | BPF_JA, 0), ALLOW);
	good(BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW, ALLOW);
	bad(BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW);
	bad(BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), ALLOW);
	bad(ALLOW, BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)-2), ALLOW);
	good(BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 1, 0), ALLOW, ALLOW);
	bad(BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 1, 0), ALLOW);
	bad(BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1), ALLOW);
	bad(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_X, 0, 255, 0), ALLOW);
	bad(ALLOW, BPF_STMT(BPF_JMP | BPF_JA, 0));
}

static void only_whole_words_of_the_call_are_read(void **state)
{
	for (uint32_t k = 0; k < 72; k++) {
		const struct sock_filter f[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, k),
						 ALLOW };
		int err = check(f, 2);

		assert_int_equal(err, k < 64 && k % 4 == 0 ? 0 : -EINVAL);
		assert_int_equal(linux_refuses(f, 2), err != 0);
	}
	bad(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF), ALLOW);
	bad(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, UINT32_MAX), ALLOW);
}

/* Each of the codes there are, with operands that nothing else is wrong with. */
static void the_same_codes_are_known_as_to_linux(void **state)
{
	for (uint32_t code = 0; code < 0x110; code++) {
		const struct sock_filter f[] = {
			BPF_STMT(BPF_ST, 4),
			{ (uint16_t)code, 0, 0, 4 },
			ALLOW,
			ALLOW,
			ALLOW,
			ALLOW,
			ALLOW,
			ALLOW,
		};
		int err = check(f, ARRAY_LEN(f));

		if (linux_refuses(f, ARRAY_LEN(f)) != (err != 0))
			fail_msg("code %#x", code);
	}
	bad({ BPF_RET | 0x100, 0, 0, 0 }, ALLOW);
	bad({ 0xffff, 0, 0, 0 }, ALLOW);
}

static void scratch_memory_is_read_only_where_it_was_written(void **state)
{
	const struct sock_filter read0 = BPF_STMT(BPF_LD | BPF_MEM, 0);

	bad(read0, ALLOW);
	good(BPF_STMT(BPF_ST, 0), read0, ALLOW);
	good(BPF_STMT(BPF_STX, 0), BPF_STMT(BPF_LDX | BPF_MEM, 0), ALLOW);
	bad(BPF_STMT(BPF_ST, 1), read0, ALLOW);
	bad(BPF_STMT(BPF_ST, 16), ALLOW);
	bad(BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_LD | BPF_MEM, 16), ALLOW);
	good(BPF_STMT(BPF_ST, 15), BPF_STMT(BPF_LDX | BPF_MEM, 15), ALLOW);
	/* one of two ways writes it */
	bad(BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1), BPF_STMT(BPF_ST, 0), read0, ALLOW);
	good(BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 2), BPF_STMT(BPF_ST, 0), read0, ALLOW);
	bad(BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_ST, 0), read0, ALLOW);
	/* nobody comes here */
	good(BPF_STMT(BPF_JMP | BPF_JA, 1), read0, ALLOW);
	bad(ALLOW, read0, ALLOW);
}

static void constants_that_make_no_sense(void **state)
{
	bad(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW);
	good(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 1), ALLOW);
	bad(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ALLOW);
	good(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 31), ALLOW);
	bad(BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 32), ALLOW);
	good(BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0), ALLOW);
}

static void up_to_4096_instructions(void **state)
{
	struct sock_filter *f = calloc(BPF_MAXINSNS + 1, sizeof *f);

	for (size_t i = 0; i <= BPF_MAXINSNS; i++)
		f[i] = (struct sock_filter)ALLOW;
	assert_int_equal(check(f, BPF_MAXINSNS), 0);
	assert_false(linux_refuses(f, BPF_MAXINSNS));
	assert_int_equal(check(f, BPF_MAXINSNS + 1), -EINVAL);
	assert_true(linux_refuses(f, BPF_MAXINSNS + 1));
	free(f);
}

/* ---- what it says ---- */

static uint64_t seed = 88172645463325252;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

static uint32_t any_constant(void)
{
	static const uint32_t edges[] = { 0,  1,	  2,	      ASKED,	  31,
					  32, 0x7fffffff, 0x80000000, UINT32_MAX, ARCH };

	return rnd(3) ? edges[rnd(ARRAY_LEN(edges))] : rnd(UINT32_MAX);
}

static const uint16_t codes[] = {
	BPF_LD | BPF_ABS,
	BPF_LD | BPF_ABS,
	BPF_LD | BPF_LEN,
	BPF_LDX | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LDX | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_MEM,
	BPF_ST,
	BPF_STX,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
	BPF_ALU | BPF_ADD,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL,
	BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_AND,
	BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_ALU | BPF_NEG,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ,
	BPF_JMP | BPF_JEQ | BPF_X,
	BPF_JMP | BPF_JGT,
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JGE,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JSET,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_ALU | BPF_MOD | BPF_K,
	BPF_LD | BPF_H | BPF_ABS,
	BPF_LDX | BPF_MSH | BPF_B,
};

#define PROLOGUE 19
#define EPILOGUE 4

/* Its answer is an error: 12 bits of what it has found out. */
static size_t random_filter(struct sock_filter *f, size_t body)
{
	size_t n = 0;

	/* whatever else the process does is fine */
	f[n++] = (struct sock_filter)LOAD(nr);
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ, ASKED, 0,
					      (uint8_t)(PROLOGUE + body + 1));
	for (uint32_t i = 0; i < BPF_MEMWORDS; i++)
		f[n++] = (struct sock_filter)BPF_STMT(BPF_ST, i);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, any_constant());
	while (n < PROLOGUE + body) {
		uint32_t left = (uint32_t)(PROLOGUE + body - n);
		/* the last three are wrong: now and then */
		size_t which = rnd((uint32_t)ARRAY_LEN(codes) - (rnd(40) ? 3 : 0));
		struct sock_filter i = { .code = codes[which], .k = any_constant() };

		if (i.code == (BPF_LD | BPF_ABS))
			i.k = rnd(rnd(50) ? 16 : 20) * 4;
		else if (BPF_CLASS(i.code) == BPF_ST || BPF_CLASS(i.code) == BPF_STX ||
			 BPF_MODE(i.code) == BPF_MEM)
			i.k = rnd(rnd(50) ? 16 : 17);
		else if (i.code == (BPF_JMP | BPF_JA))
			i.k = rnd(left);
		if (BPF_CLASS(i.code) == BPF_JMP) {
			i.jt = (uint8_t)rnd(MIN(left, 255));
			i.jf = (uint8_t)rnd(MIN(left, 255));
		} else if (BPF_CLASS(i.code) == BPF_ALU && rnd(20) &&
			   (BPF_OP(i.code) == BPF_LSH || BPF_OP(i.code) == BPF_RSH)) {
			i.k &= 31;
		}
		f[n++] = i;
	}
	f[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND, 0xfff);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR, SECCOMP_RET_ERRNO);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	f[n++] = (struct sock_filter)ALLOW;
	return n;
}

/* The address of the call is not known here, and so not compared. */
static bool looks_at_address(const struct sock_filter *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (f[i].code == (BPF_LD | BPF_ABS) &&
		    (f[i].k == WORD(instruction_pointer) ||
		     f[i].k == WORD(instruction_pointer) + 4))
			return true;
	return false;
}

static void random_filters_say_what_they_say_to_linux(void **state)
{
	struct sock_filter f[PROLOGUE + 40 + EPILOGUE];
	uint32_t n_refused = 0, n_killed = 0, n_answers = 0;

	for (int round = 0; round < 600; round++) {
		struct seccomp_data call = { .nr = ASKED, .arch = ARCH };
		struct answer a;
		size_t n = random_filter(f, rnd(40));

		for (size_t i = 0; i < ARRAY_LEN(call.args); i++)
			call.args[i] = (uint64_t)any_constant() << 32 | any_constant();
		bool lives = linux_says(f, n, call.args, &a);
		int err = check(f, n);
		assert_int_equal(err, lives ? -a.refused : 0);
		if (err) {
			n_refused++;
			continue;
		}
		if (looks_at_address(f, n))
			continue;
		uint32_t verdict = bpf_run(f, &call);
		if (!lives) {
			assert_int_equal(verdict, SECCOMP_RET_KILL_THREAD);
			n_killed++;
			continue;
		}
		assert_int_equal(verdict & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
		assert_int_equal(MIN(verdict & SECCOMP_RET_DATA, 4095u), a.error);
		n_answers++;
	}
	assert_true(n_refused > 20 && n_killed > 5 && n_answers > 200);
}

static void a_division_by_zero_kills(void **state)
{
	const struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_IMM, 7),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
		ALLOW,
	};
	const struct seccomp_data call = { 0 };

	assert_int_equal(check(f, ARRAY_LEN(f)), 0);
	assert_int_equal(bpf_run(f, &call), SECCOMP_RET_KILL_THREAD);
}

static void all_of_the_call_can_be_read(void **state)
{
	union {
		struct seccomp_data call;
		uint32_t word[sizeof(struct seccomp_data) / 4];
	} u;

	for (uint32_t i = 0; i < ARRAY_LEN(u.word); i++)
		u.word[i] = 0x1000 + i;
	for (uint32_t i = 0; i < ARRAY_LEN(u.word); i++) {
		const struct sock_filter f[] = { BPF_STMT(BPF_LD | BPF_ABS, i * 4),
						 BPF_STMT(BPF_RET | BPF_A, 0) };
		uint32_t blind = 0;

		assert_int_equal(bpf_run(f, &u.call), 0x1000 + i);
		assert_int_equal(bpf_run_blind(f, u.call.nr, u.call.arch, &blind), i < 2);
		assert_int_equal(blind, i < 2 ? 0x1000 + i : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_ends_at_a_return),
		cmocka_unit_test(jumps_go_forward_and_stay_inside),
		cmocka_unit_test(only_whole_words_of_the_call_are_read),
		cmocka_unit_test(the_same_codes_are_known_as_to_linux),
		cmocka_unit_test(scratch_memory_is_read_only_where_it_was_written),
		cmocka_unit_test(constants_that_make_no_sense),
		cmocka_unit_test(up_to_4096_instructions),
		cmocka_unit_test(random_filters_say_what_they_say_to_linux),
		cmocka_unit_test(a_division_by_zero_kills),
		cmocka_unit_test(all_of_the_call_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

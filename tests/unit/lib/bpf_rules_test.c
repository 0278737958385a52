/* lib/bpf.c on what libseccomp makes of rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>
#include <linux/audit.h>
#include <seccomp.h>

#include "lib/bpf.h"

#define ARCH AUDIT_ARCH_X86_64

/* The filter that libseccomp makes of the rules, which are used up. */
static void export(scmp_filter_ctx ctx, struct sock_filter *f, size_t size)
{
	FILE *file = tmpfile();

	assert_int_equal(seccomp_export_bpf(ctx, fileno(file)), 0);
	rewind(file);
	size_t n = fread(f, sizeof *f, size, file);
	fclose(file);
	seccomp_release(ctx);
	uint16_t *written = malloc(n * sizeof *written + 1);
	assert_int_equal(bpf_check(f, n, written), 0);
	free(written);
}

static uint32_t say(const struct sock_filter *f, int nr, uint32_t arch, uint64_t arg0)
{
	const struct seccomp_data call = { .nr = nr, .arch = arch, .args = { arg0 } };

	return bpf_run(f, &call);
}

static bool is_blind(const struct sock_filter *f, int nr, uint32_t expected)
{
	uint32_t verdict;

	return bpf_run_blind(f, nr, ARCH, &verdict) && verdict == expected;
}

static void rules_of_libseccomp(void **state)
{
	struct sock_filter f[4096];

	for (int tree = 0; tree < 2; tree++) {
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
		if (tree) /* a binary tree */
			assert_int_equal(
				seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
		for (int nr = 0; nr < 60; nr++)
			if (nr != SYS_socket)
				assert_int_equal(
					seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0), 0);
		assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_socket, 1,
						  SCMP_A0(SCMP_CMP_EQ, 1, 0)),
				 0);
		assert_int_equal(
			seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SYS_ptrace, 0), 0);
		export(ctx, f, ARRAY_LEN(f));

		const uint32_t eperm = SECCOMP_RET_ERRNO | EPERM;
		for (int nr = 0; nr < 512; nr++) {
			bool allowed = nr < 60 && nr != SYS_socket;
			uint32_t other =
				nr == SYS_ptrace ? SECCOMP_RET_KILL_PROCESS : eperm;
			if (nr == SYS_socket)
				continue;
			assert_true(is_blind(f, nr, allowed ? SECCOMP_RET_ALLOW : other));
		}
		uint32_t verdict;
		assert_false(bpf_run_blind(f, SYS_socket, ARCH, &verdict));
		assert_int_equal(say(f, SYS_socket, ARCH, 1), SECCOMP_RET_ALLOW);
		assert_int_equal(say(f, SYS_socket, ARCH, 2), eperm);
		assert_int_equal(say(f, SYS_socket, ARCH, 1ull << 32 | 1), eperm);
		/* numbers of x32, and another way in */
		assert_int_not_equal(say(f, 0x40000000, ARCH, 0), SECCOMP_RET_ALLOW);
		assert_int_equal(say(f, 0, AUDIT_ARCH_I386, 0), SECCOMP_RET_KILL_THREAD);
	}
}

static void comparisons_of_libseccomp(void **state)
{
	static const struct {
		enum scmp_compare op;
		uint64_t than, mask;
	} rules[] = {
		{ SCMP_CMP_NE, 5, 0 },
		{ SCMP_CMP_LT, 1ull << 33, 0 },
		{ SCMP_CMP_LE, 1ull << 33, 0 },
		{ SCMP_CMP_EQ, UINT64_MAX, 0 },
		{ SCMP_CMP_GE, 0xffffffff, 0 },
		{ SCMP_CMP_GT, 0xffffffff, 0 },
		{ SCMP_CMP_MASKED_EQ, 0xf0000000f0, 0xa0000000a0 },
	};
	static const uint64_t values[] = {
		0,
		4,
		5,
		0x80000000,
		0xffffffff,
		0x100000000,
		0x1ffffffff,
		0x200000000,
		0x200000001,
		UINT64_MAX,
		UINT64_MAX - 1,
		0xa0000000a0,
		0xa0000000,
		0xa100000fa0ull,
		0xb0000000a0,
	};
	struct sock_filter f[64];

	for (size_t r = 0; r < ARRAY_LEN(rules); r++) {
		uint64_t than = rules[r].than, mask = rules[r].mask;
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL);

		assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, 1, 1,
						  SCMP_CMP64(0, rules[r].op, than, mask)),
				 0);
		export(ctx, f, ARRAY_LEN(f));
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			uint64_t v = values[i];
			const bool holds[] = {
				[SCMP_CMP_NE] = v != than,
				[SCMP_CMP_LT] =
					v<than, [SCMP_CMP_LE] = v <= than,
					  [SCMP_CMP_EQ] = v == than,
					  [SCMP_CMP_GE] = v >= than, [SCMP_CMP_GT] = v>
						than,
				[SCMP_CMP_MASKED_EQ] = (v & than) == mask,
			};
			assert_int_equal(say(f, 1, ARCH, v), holds[rules[r].op]
								     ? SECCOMP_RET_ALLOW
								     : SECCOMP_RET_KILL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_of_libseccomp),
		cmocka_unit_test(comparisons_of_libseccomp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

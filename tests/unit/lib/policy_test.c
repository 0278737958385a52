/* lib/policy*.c: what a form must be, and what it says to calls and places. */
#include <asm/unistd_64.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "policy_form.h"

#define ALLOW POLICY_ACTION_OF(POLICY_ALLOW, 0)
#define ERROR(e) POLICY_ACTION_OF(POLICY_ERRNO, e)

/* read; openat to read only; socket but of one family; ioctl of two commands. */
static const struct policy_rule rules[] = {
	{ __NR_read, 0, 0, ALLOW, 1 },	 { __NR_ioctl, 1, 0, ALLOW, 2 },
	{ __NR_socket, 0, 1, ALLOW, 3 }, { __NR_socket, 1, 1, ERROR(97), 4 },
	{ __NR_openat, 1, 2, ALLOW, 5 }, { __NR_clone3, 1, 3, ALLOW, 6 },
};
static const struct policy_test tests_of[] = {
	{ .arg = 1, .op = POLICY_TEST_IN, .n_values = 2, .mask = ~0ull },
	{ .arg = 0, .op = POLICY_TEST_EQ, .mask = ~0ull, .value = 2 },
	{ .arg = 2, .op = POLICY_TEST_EQ, .mask = 3, .value = 0 },
	{ .arg = 6, .op = POLICY_TEST_EQ, .mask = 1, .value = 1 },
};

static struct parts usual(void)
{
	struct parts p = {
		.n_rules = ARRAY_LEN(rules),
		.n_tests = ARRAY_LEN(tests_of),
		.values = { 0x5401, 0x5413 },
		.n_values = 2,
		.n_programs = 1,
	};
	const struct {
		const char *text;
		uint16_t flags, allow, deny;
	} paths[] = {
		{ "/data", POLICY_PATH_EXACT, POLICY_READ, 0 },
		{ "/etc", 0, POLICY_READ, 0 },
		{ "/etc/shadow", 0, 0, POLICY_READ },
		{ "/job/out", 0, POLICY_MODIFY | POLICY_CREATE, 0 },
		{ "/proc/$self", POLICY_PATH_PATTERN, POLICY_READ, 0 },
		{ "/tmp/*.c", POLICY_PATH_PATTERN, POLICY_MODIFY, 0 },
	};

	memcpy(p.rules, rules, sizeof(rules));
	memcpy(p.tests, tests_of, sizeof(tests_of));
	for (uint32_t i = 0; i < ARRAY_LEN(paths); i++)
		p.paths[p.n_paths++] = (struct policy_path){
			.text = part_text(&p, paths[i].text),
			.flags = paths[i].flags,
			.allow = paths[i].allow,
			.deny = paths[i].deny,
			.line = 10 + i,
		};
	p.execs[p.n_execs++] =
		(struct policy_exec){ .text = part_text(&p, "/bin/cc"), .line = 20 };
	p.limits[p.n_limits++] =
		(struct policy_limit){ .kind = POLICY_LIMIT_FILES, .value = 7 };
	p.programs[0] = (struct policy_program){
		.name = part_text(&p, "usual"),
		.default_action = ERROR(1),
		.default_line = 9,
		.n_rules = 6,
		.n_paths = p.n_paths,
		.n_execs = 1,
		.n_limits = 1,
	};
	return p;
}

static int parse(const struct parts *p)
{
	struct policy got;
	const char *why = NULL;
	size_t size;
	void *form = parts_form(p, &size);
	int err = policy_parse(form, size, &got, &why);

	assert_true(!err == !why);
	free(form);
	return err;
}

/* ---- the form ---- */

static void a_right_one_is_taken(void **state)
{
	const struct parts p = usual();

	assert_int_equal(parse(&p), 0);
}

/* Whatever byte is another, whatever is cut off or added. */
static void a_changed_one_is_not(void **state)
{
	const struct parts p = usual();
	struct policy got;
	const char *why;
	size_t size;
	uint8_t *form = parts_form(&p, &size);

	for (size_t i = 0; i < size * 8; i++) {
		form[i / 8] ^= 1u << i % 8;
		assert_int_equal(policy_parse(form, size, &got, &why), -EINVAL);
		form[i / 8] ^= 1u << i % 8;
	}
	for (size_t n = 0; n < size; n++)
		assert_int_equal(policy_parse(form, n, &got, &why), -EINVAL);
	assert_int_equal(policy_parse(form, size + 8, &got, &why), -EINVAL);
	assert_int_equal(policy_parse(form, POLICY_SIZE_MAX + 1, &got, &why), -E2BIG);
	assert_int_equal(policy_parse(form, size, &got, &why), 0);
	free(form);
}

/* What is wrong though its digest is right. */
#define REFUSED(change)                                                                  \
	do {                                                                             \
		struct parts p = usual();                                                \
		change;                                                                  \
		assert_int_equal(parse(&p), -EINVAL);                                    \
	} while (0)

static void a_wrong_one_is_not_though_sealed(void **state)
{
	REFUSED(p.n_programs = 0);
	REFUSED(p.programs[0].flags = 1u << 7);
	REFUSED(p.programs[0].name = 2);
	REFUSED(p.programs[0].default_action = ALLOW);
	REFUSED(p.programs[0].default_action = POLICY_ACTION_OF(POLICY_ASK, 0));
	REFUSED(p.programs[0].flags = POLICY_FLAG_LEARN);
	REFUSED(p.programs[0].n_rules = 5);
	REFUSED(p.programs[0].n_rules = 7);
	REFUSED(p.rules[0].number = POLICY_NUMBERS);
	REFUSED(p.rules[0].number = __NR_execve);
	REFUSED(p.rules[0].action = POLICY_ACTION_OF(POLICY_ASK, 0));
	REFUSED(p.rules[0].action = POLICY_ACTION_OF(POLICY_ACTIONS, 0));
	REFUSED(p.rules[0].action = ERROR(0));
	REFUSED(p.rules[0].action = ERROR(512));
	REFUSED(p.rules[0].action = ALLOW | 1);
	REFUSED(p.rules[3].first_test = 0);
	REFUSED(p.rules[4].n_tests = 9);
	REFUSED(p.tests[0].arg = 3);
	REFUSED(p.tests[0].arg = 6);
	REFUSED(p.tests[3].arg = 7);
	REFUSED(p.tests[0].op = POLICY_TEST_OPS);
	REFUSED(p.tests[0].n_values = 3);
	REFUSED(p.tests[0].value = 1);
	REFUSED(p.tests[1].n_values = 1);
	REFUSED(p.tests[1].zero = 1);
	REFUSED(p.values[1] = p.values[0]);
	REFUSED(p.paths[0].text = 2);
	REFUSED(p.paths[0].text = 4000);
	REFUSED(p.paths[0].text = p.programs[0].name);
	REFUSED(p.paths[0].flags = 4);
	REFUSED(p.paths[0].deny = POLICY_READ);
	REFUSED(p.paths[0].allow = 0);
	REFUSED(p.paths[0].allow = POLICY_LOOK);
	REFUSED(p.paths[0].zero = 1);
	REFUSED(p.paths[0].text = p.paths[3].text);
	REFUSED(p.paths[0].flags = POLICY_PATH_PATTERN);
	REFUSED(p.execs[0].program = 1);
	REFUSED(p.execs[0].flags = POLICY_PATH_EXACT);
	REFUSED(p.limits[0].kind = POLICY_LIMITS);
	REFUSED(p.n_values = 3);
	REFUSED(p.n_limits = 2);
}

static void paths_are_canonical(void **state)
{
	static const char *const wrong[] = { "data",  "/a/",  "/a//b", "/.",
					     "/a/..", "/./a", "//" };
	static const char *const right[] = { "/", "/a", "/a/b", "/...", "/a/.b" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		REFUSED(p.execs[0].text = part_text(&p, wrong[i]));
	for (size_t i = 0; i < ARRAY_LEN(right); i++) {
		struct parts p = usual();
		p.execs[0].text = part_text(&p, right[i]);
		assert_int_equal(parse(&p), 0);
	}
}

/* ---- calls ---- */

static struct policy policy;
static void *policy_bytes;

static int make_policy(void **state)
{
	const struct parts p = usual();
	const char *why;
	size_t size;

	policy_bytes = parts_form(&p, &size);
	return policy_parse(policy_bytes, size, &policy, &why);
}

static int free_policy(void **state)
{
	free(policy_bytes);
	return 0;
}

static void says(uint32_t action, uint32_t line, uint32_t number, uint64_t a, uint64_t b,
		 uint64_t c)
{
	const uint64_t args[POLICY_ARGS] = { a, b, c };
	struct policy_verdict v;

	policy_decide(&policy, 0, number, args, NULL, &v);
	assert_int_equal(v.action, action);
	assert_int_equal(v.line, line);
}

static void rules_decide(void **state)
{
	says(ALLOW, 1, __NR_read, 1, 2, 3);
	says(ERROR(1), 9, __NR_write, 1, 2, 3);
	says(ALLOW, 2, __NR_ioctl, 0, 0x5413, 0);
	says(ERROR(1), 9, __NR_ioctl, 0, 0x5412, 0);
	says(ALLOW, 5, __NR_openat, 0, 0, 0x80000);
	says(ERROR(1), 9, __NR_openat, 0, 0, 0x80001);
}

/* The one that refuses wins over the one that allows, in whatever order they stand. */
static void refusals_win(void **state)
{
	says(ALLOW, 3, __NR_socket, 1, 0, 0);
	says(ERROR(97), 4, __NR_socket, 2, 0, 0);
}

/* The kernel takes 32 bits of these: so do tests, whatever else the register holds. */
static void tests_see_what_the_kernel_sees(void **state)
{
	says(ERROR(97), 4, __NR_socket, 0xdeadbeef00000002, 0, 0);
	says(ALLOW, 2, __NR_ioctl, 0, 0xffffffff00005401, 0);
}

static void fields_are_decided_later(void **state)
{
	const uint64_t args[POLICY_ARGS] = { 0 };
	struct policy_verdict v;

	policy_decide(&policy, 0, __NR_clone3, args, NULL, &v);
	assert_int_equal(v.action, ALLOW);
	policy_decide(&policy, 0, __NR_clone3, args, (uint64_t[]){ 3, 0, 0 }, &v);
	assert_int_equal(v.action, ALLOW);
	policy_decide(&policy, 0, __NR_clone3, args, (uint64_t[]){ 2, 0, 0 }, &v);
	assert_int_equal(v.action, ERROR(1));
}

static void only_what_is_always_allowed_passes(void **state)
{
	uint64_t bits[POLICY_NUMBERS / 64];

	policy_passes(&policy, 0, bits);
	assert_int_equal(bits[0], BIT(__NR_read));
	for (size_t i = 1; i < ARRAY_LEN(bits); i++)
		assert_int_equal(bits[i], 0);
}

/* ---- places ---- */

static uint32_t rights(const char *path)
{
	const struct policy_place at = { path, strlen(path), 42 };

	return policy_rights(&policy, 0, &at);
}

static void places_have_rights(void **state)
{
	const uint32_t look = POLICY_LOOK, read = POLICY_READ | look;
	static const uint32_t out = POLICY_MODIFY | POLICY_CREATE | POLICY_LOOK;

	assert_int_equal(rights("/data"), read);
	assert_int_equal(rights("/data/x"), 0);
	assert_int_equal(rights("/etc"), read);
	assert_int_equal(rights("/etc/hosts"), read);
	assert_int_equal(rights("/etcetera"), 0);
	assert_int_equal(rights("/etc/shadow"), 0);
	assert_int_equal(rights("/etc/shadow/x"), 0);
	assert_int_equal(rights("/etc/shadow-"), read);
	assert_int_equal(rights("/job/out/a/b"), out);
	assert_int_equal(rights("/"), look);
	assert_int_equal(rights("/job"), look);
	assert_int_equal(rights("/jo"), 0);
	assert_int_equal(rights("/job/in"), 0);
	assert_int_equal(rights("/proc/42"), read);
	assert_int_equal(rights("/proc/42/fd/3"), read);
	assert_int_equal(rights("/proc/421"), 0);
	assert_int_equal(rights("/proc"), look);
	assert_int_equal(rights("/tmp/a.c"), POLICY_MODIFY | look);
	assert_int_equal(rights("/tmp/.c"), POLICY_MODIFY | look);
	assert_int_equal(rights("/tmp/a.c.o"), 0);
	assert_int_equal(rights("/tmp/a/b.c"), 0);
}

/* What the root allows, unless something is denied somewhere. */
static void everywhere_is_everywhere(void **state)
{
	struct parts p = usual();
	struct policy got;
	const char *why;
	size_t size;

	assert_int_equal(policy_everywhere(&policy, 0), 0);
	p.paths[0].text = part_text(&p, "/");
	p.paths[0].allow = POLICY_READ | POLICY_EXECUTE;
	void *exact = parts_form(&p, &size);
	assert_int_equal(policy_parse(exact, size, &got, &why), 0);
	assert_int_equal(policy_everywhere(&got, 0), 0);
	p.paths[0].flags = 0;
	void *all = parts_form(&p, &size);
	assert_int_equal(policy_parse(all, size, &got, &why), 0);
	assert_int_equal(policy_everywhere(&got, 0), POLICY_EXECUTE | POLICY_LOOK);
	free(exact);
	free(all);
}

static void moving_folders_moves_rules(void **state)
{
	const struct policy_place job = { "/job", 4, 1 }, out = { "/job/out", 8, 1 };
	const struct policy_place etc = { "/etc", 4, 1 }, tmp = { "/tmp", 4, 1 };

	assert_true(policy_rules_below(&policy, 0, &job));
	assert_true(policy_rules_below(&policy, 0, &etc));
	assert_true(policy_rules_below(&policy, 0, &tmp));
	assert_false(policy_rules_below(&policy, 0, &out));
}

static void lines_and_the_rest(void **state)
{
	const struct policy_place shadow = { "/etc/shadow", 11, 1 },
				  cc = { "/bin/cc", 7, 1 };
	const struct policy_place hosts = { "/etc/hosts", 10, 1 };

	assert_int_equal(policy_path_line(&policy, 0, &shadow, POLICY_READ), 12);
	assert_int_equal(policy_path_line(&policy, 0, &hosts, POLICY_READ), 11);
	assert_int_equal(policy_path_line(&policy, 0, &cc, POLICY_READ), 0);
	assert_int_equal(policy_exec_find(&policy, 0, &cc), 0);
	assert_int_equal(policy_exec_find(&policy, 0, &hosts), -1);
	assert_int_equal(policy_limit_of(&policy, 0, POLICY_LIMIT_FILES), 7);
	assert_true(policy_limit_of(&policy, 0, POLICY_LIMIT_CPU) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_one_is_taken),
		cmocka_unit_test(a_changed_one_is_not),
		cmocka_unit_test(a_wrong_one_is_not_though_sealed),
		cmocka_unit_test(paths_are_canonical),
		cmocka_unit_test(rules_decide),
		cmocka_unit_test(refusals_win),
		cmocka_unit_test(tests_see_what_the_kernel_sees),
		cmocka_unit_test(fields_are_decided_later),
		cmocka_unit_test(only_what_is_always_allowed_passes),
		cmocka_unit_test(places_have_rights),
		cmocka_unit_test(everywhere_is_everywhere),
		cmocka_unit_test(moving_folders_moves_rules),
		cmocka_unit_test(lines_and_the_rest),
	};

	return cmocka_run_group_tests(tests, make_policy, free_policy);
}

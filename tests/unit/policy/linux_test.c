/* policy/: what Linux and libseccomp make of the same lists, at thousands of points. */
/* link: policy/built.c policy/compile.c policy/check.c policy/check_path.c */
/* link: policy/parse.c policy/parse_call.c policy/parse_where.c policy/parse_path.c */
/* link: policy/parse_include.c policy/lex.c policy/sources.c policy/arena.c */
/* link: policy/words.c policy/guess.c policy/names.c policy/draft.c policy/profiles.c */
/* link: policy/print.c policy/describe.c policy/import.c policy/import_oci.c */
/* link: policy/import_minijail.c policy/import_systemd.c policy/export.c */
/* link: policy/export_bpf.c policy/export_oci.c lib/bpf.c */
#include <jansson.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/bpf.h"
#include "lib/policy_internal.h"
#include "policy/export.h"
#include "policy/import.h"
#include "policy/print.h"
#include "policy/profiles.h"
#include "tests/unit/policy/made.h"

#define POINTS 20000

/* ---- points ---- */

static uint64_t state;

static uint32_t dice(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

/* A register as the kernel's callers fill it: of 32 bits, or with its sign spread. */
static uint64_t as_passed(uint32_t number, uint32_t arg, uint64_t value)
{
	enum syscall_kind kind = policy_arg_kind(number, arg);

	return policy_kind_is_narrow(kind) ? (uint32_t)value : value;
}

/* Values that rules name, their neighbours, bits, anything. */
static uint64_t value_of(const struct policy *p)
{
	const struct policy_test *t;

	switch (dice(4)) {
	case 0:
		return dice(64);
	case 1:
		return BIT(dice(64)) | BIT(dice(32));
	case 2:
		return (uint64_t)dice(UINT32_MAX) << 32 | dice(UINT32_MAX);
	default:
		if (!p->header->n_tests)
			return 0;
		t = &p->tests[dice(p->header->n_tests)];
		if (t->n_values)
			return p->values[t->value + dice(t->n_values)] + dice(3) - 1;
		return dice(2) ? t->value + dice(3) - 1 : t->mask ^ BIT(dice(32));
	}
}

static void point_make(const struct policy *p, struct seccomp_data *ret)
{
	const struct policy_rule *r;

	*ret = (struct seccomp_data){ .arch = AUDIT_ARCH_X86_64 };
	/* Half of the points where there are conditions. */
	ret->nr = (int)dice(POLICY_NUMBERS);
	if (p->header->n_rules && dice(2)) {
		for (unsigned i = 0; i < 100; i++) {
			r = &p->rules[dice(p->header->n_rules)];
			ret->nr = r->number;
			if (r->n_tests)
				break;
		}
	}
	for (uint32_t i = 0; i < POLICY_ARGS; i++)
		ret->args[i] = as_passed((uint32_t)ret->nr, i, value_of(p));
}

static uint32_t ret_of(uint32_t action)
{
	static const uint32_t rets[] = {
		[POLICY_ALLOW] = SECCOMP_RET_ALLOW,
		[POLICY_LOG] = SECCOMP_RET_LOG,
		[POLICY_ASK] = SECCOMP_RET_LOG,
		[POLICY_ERRNO] = SECCOMP_RET_ERRNO,
		[POLICY_TRAP] = SECCOMP_RET_TRAP,
		[POLICY_KILL_THREAD] = SECCOMP_RET_KILL_THREAD,
		[POLICY_KILL] = SECCOMP_RET_KILL_PROCESS,
	};

	return rets[POLICY_ACTION_KIND(action)] | POLICY_ACTION_ERROR(action);
}

static uint32_t decided(const struct policy *p, const struct seccomp_data *at)
{
	struct policy_verdict v;
	uint64_t args[POLICY_ARGS];

	memcpy(args, at->args, sizeof(args));
	policy_decide(p, 0, (uint32_t)at->nr, args, NULL, &v);
	return ret_of(v.action);
}

/* ---- filters ---- */

static void must_pass(const struct sock_filter *f, size_t n)
{
	uint16_t *written = calloc(n, sizeof(*written));

	assert_int_equal(bpf_check(f, n, written), 0);
	free(written);
}

/* Where the policy keeps memory from being writable and executable a filter refuses more
 * than the call's own rule. */
static bool is_guarded(const struct policy *p, const struct seccomp_data *at)
{
	bool memory = at->nr == __NR_mmap || at->nr == __NR_mprotect ||
		      at->nr == __NR_pkey_mprotect;
	int both = PROT_WRITE | PROT_EXEC;

	return memory && !(p->programs[0].flags & POLICY_FLAG_EXEC_WRITE) &&
	       (at->args[2] & (uint64_t)both) == (uint64_t)both;
}

static bool looks_into_memory(const struct policy *p, int number)
{
	for (uint32_t i = 0; i < p->header->n_rules; i++)
		for (uint32_t k = 0; k < p->rules[i].n_tests; k++)
			if (p->rules[i].number == number &&
			    p->tests[p->rules[i].first_test + k].arg >= POLICY_ARGS)
				return true;
	return false;
}

static bool refuses(uint32_t ret)
{
	return ret != SECCOMP_RET_ALLOW && ret != SECCOMP_RET_LOG;
}

static void filter_is_policy(const struct policy *p)
{
	struct export e = { .policy = p };
	struct sock_filter *f;
	int n = export_bpf(&e, &f);

	assert_true(n > 0);
	must_pass(f, (size_t)n);
	for (unsigned i = 0; i < POINTS; i++) {
		struct seccomp_data at;
		uint32_t ret;

		point_make(p, &at);
		ret = bpf_run(f, &at);
		if (is_guarded(p, &at))
			assert_true(refuses(ret));
		else if (looks_into_memory(p, at.nr))
			assert_true(refuses(ret) || !refuses(decided(p, &at)));
		else if (ret != decided(p, &at))
			fail_msg("call %d: %#x, not %#x", at.nr, ret, decided(p, &at));
	}
	export_free(&e);
}

static void a_filter_decides_as_the_policy(void **state_of_test)
{
	static const char *const texts[] = {
		"allow read where fd < 3\nallow write where fd >= -1 and count > "
		"0x100000000\n"
		"deny write where buf == 0 with EIO\nlog close where fd in {1, 2, 5}\n"
		"allow lseek where offset < -5\nallow dup where fd not in {3, -1, 7}\n"
		"allow kill where pid > 1 and sig <= 15\ndeny kill where sig == 9 with "
		"kill\n"
		"allow fcntl where cmd != 4 and arg & 0xf0000000f == 3\nallow "
		"exec-write\n"
		"allow mmap where prot lacks PROT_EXEC and length <= 0x100000001\n"
		"allow openat where flags has O_RDONLY and dirfd == AT_FDCWD\n"
		"allow setuid where uid >= 0x80000000\nallow ioctl where cmd <= TCGETS\n"
		"allow pread64 where pos >= 0\nallow pwrite64 where pos <= -1\n"
		"deny chmod with trap\ndeny chown with kill-thread\ndefault deny with "
		"ENOSYS",
		("allow clone3 where flags lacks CLONE_NEWUSER\n"
		 "allow @socket\ndeny connect where family == AF_INET"),
		"",
		"allow @basic-io @memory @file",
	};
	struct built b;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		make(&b, texts[i]);
		filter_is_policy(&b.policy);
		built_free(&b);
	}
	for (size_t i = 0; i < profile_count; i++) {
		assert_int_equal(built_file(&b, profiles[i].name, NULL, 0), 0);
		filter_is_policy(&b.policy);
		built_free(&b);
	}
}

/* ---- Docker's list ---- */

static void imported(struct built *b, const char *text, size_t size)
{
	struct sources sources = { 0 };
	struct import i = { .sources = &sources };
	char *policy;
	size_t n;
	FILE *out;

	i.file = source_text(&sources, "list", text, size);
	if (!import_oci(&i)) {
		sources_print(&sources, stderr);
		fail();
	}
	out = open_memstream(&policy, &n);
	draft_print(&i.draft, out);
	fclose(out);
	make(b, policy);
	free(policy);
	sources_free(&sources);
}

static uint32_t scmp_action(const json_t *o, const char *action, const char *error)
{
	const char *name = json_string_value(json_object_get(o, action));
	const json_t *number = json_object_get(o, error);

	if (!strcmp(name, "SCMP_ACT_ALLOW"))
		return SCMP_ACT_ALLOW;
	assert_string_equal(name, "SCMP_ACT_ERRNO");
	return SCMP_ACT_ERRNO(number ? json_integer_value(number) : EPERM);
}

/* For a program without capabilities, on x86-64. */
static bool is_for_us(const json_t *rule)
{
	const json_t *in = json_object_get(rule, "includes"), *name;
	const json_t *arches = json_object_get(in, "arches");
	bool found = !json_array_size(arches);
	size_t i;

	json_array_foreach((json_t *)arches, i, name) found |=
		!strcmp(json_string_value(name), "amd64");
	return found && !json_array_size(json_object_get(in, "caps"));
}

static size_t tests_read(const json_t *rule, struct scmp_arg_cmp tests[6])
{
	const json_t *args = json_object_get(rule, "args"), *arg;
	size_t i;

	json_array_foreach((json_t *)args, i, arg)
	{
		const char *op = json_string_value(json_object_get(arg, "op"));

		assert_true(!strcmp(op, "SCMP_CMP_EQ") || !strcmp(op, "SCMP_CMP_NE"));
		tests[i] = (struct scmp_arg_cmp){
			.arg = (unsigned)json_integer_value(
				json_object_get(arg, "index")),
			.op = op[9] == 'E' ? SCMP_CMP_EQ : SCMP_CMP_NE,
			.datum_a = (uint64_t)json_integer_value(
				json_object_get(arg, "value")),
		};
	}
	return json_array_size(args);
}

static void rule_add(scmp_filter_ctx ctx, const json_t *rule, uint32_t otherwise)
{
	uint32_t action = scmp_action(rule, "action", "errnoRet");
	const json_t *names = json_object_get(rule, "names"), *name;
	struct scmp_arg_cmp tests[6];
	size_t n = tests_read(rule, tests), i;

	if (!is_for_us(rule) || action == otherwise)
		return;
	json_array_foreach((json_t *)names, i, name)
	{
		int number = seccomp_syscall_resolve_name(json_string_value(name));

		if (number >= 0)
			assert_int_equal(seccomp_rule_add_exact_array(ctx, action, number,
								      (unsigned)n, tests),
					 0);
	}
}

/* libseccomp's filter of the same list. */
static size_t libseccomp_filter(const json_t *list, struct sock_filter **ret)
{
	uint32_t otherwise = scmp_action(list, "defaultAction", "defaultErrnoRet");
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	const json_t *rules = json_object_get(list, "syscalls"), *rule;
	FILE *file = tmpfile();
	size_t i, n;

	json_array_foreach((json_t *)rules, i, rule) rule_add(ctx, rule, otherwise);
	assert_int_equal(seccomp_export_bpf(ctx, fileno(file)), 0);
	seccomp_release(ctx);
	n = (size_t)lseek(fileno(file), 0, SEEK_END) / sizeof(**ret);
	*ret = calloc(n, sizeof(**ret));
	assert_int_equal(pread(fileno(file), *ret, n * sizeof(**ret), 0),
			 n * sizeof(**ret));
	fclose(file);
	return n;
}

static void dockers_list_is_decided_as_libseccomp_does(void **state_of_test)
{
	json_error_t error;
	const char *deps = getenv("DEPS");
	struct sock_filter *theirs;
	struct built b;
	size_t n, allowed = 0;
	char *text, path[4096];
	json_t *list;

	snprintf(path, sizeof(path), "%s/seccomp.json", deps ? deps : "build/deps");
	list = json_load_file(path, 0, &error);
	assert_non_null(list);
	n = libseccomp_filter(list, &theirs);
	must_pass(theirs, n);
	text = json_dumps(list, 0);
	imported(&b, text, strlen(text));
	for (unsigned i = 0; i < POINTS; i++) {
		struct seccomp_data at;
		uint32_t ret;

		point_make(&b.policy, &at);
		ret = bpf_run(theirs, &at);
		allowed += !refuses(ret);
		if (ret != decided(&b.policy, &at))
			fail_msg("call %d (%#lx, %#lx, %#lx): libseccomp %#x, not %#x",
				 at.nr, (unsigned long)at.args[0],
				 (unsigned long)at.args[1], (unsigned long)at.args[2],
				 ret, decided(&b.policy, &at));
	}
	assert_true(allowed > POINTS / 10 && allowed < POINTS * 9 / 10);
	filter_is_policy(&b.policy);
	built_free(&b);
	free(theirs);
	free(text);
	json_decref(list);
}

/* ---- JSON and back ---- */

/* What cannot be said is refused; the rest is the same. */
static void back_and_forth(const struct policy *p, bool exact)
{
	struct export e = { .policy = p };
	struct built back;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	export_oci(&e, out);
	fclose(out);
	imported(&back, text, size);
	for (unsigned i = 0; i < POINTS; i++) {
		struct seccomp_data at;
		uint32_t before, after;

		point_make(p, &at);
		if (!syscall_row((uint64_t)at.nr))
			continue;
		before = decided(p, &at);
		after = decided(&back.policy, &at);
		if (exact ? before != after : refuses(before) && !refuses(after))
			fail_msg("call %d (%#lx, %#lx, %#lx): %#x, not %#x", at.nr,
				 (unsigned long)at.args[0], (unsigned long)at.args[1],
				 (unsigned long)at.args[2], after, before);
	}
	built_free(&back);
	export_free(&e);
	free(text);
}

static void a_list_of_docker_says_no_more_than_the_policy(void **state_of_test)
{
	struct built b;

	make(&b, "allow read where fd == 3 and count > 5\nallow write close\n"
		 "allow ioctl where cmd in {1, 2, 3} and arg & 7 == 2\n"
		 "allow open where flags has O_RDONLY\ndeny mkdir with kill\n"
		 "allow clone\ndeny clone where flags has CLONE_NEWUSER with ENOSYS\n"
		 "default deny with EACCES");
	back_and_forth(&b.policy, true);
	built_free(&b);
	make(&b, "allow read where fd not in {1, 2}\nallow write\n"
		 "deny write where fd & 6 == 2\nallow kill where pid < 5");
	back_and_forth(&b.policy, false);
	built_free(&b);
	for (size_t i = 0; i < profile_count; i++) {
		assert_int_equal(built_file(&b, profiles[i].name, NULL, 0), 0);
		back_and_forth(&b.policy, false);
		built_free(&b);
	}
}

/* ---- names ---- */

static void names_and_numbers_are_those_of_libseccomp(void **state_of_test)
{
	unsigned known = 0;

	for (uint32_t i = 0; i < syscall_numbers(); i++) {
		int theirs = __NR_SCMP_ERROR;

		if (syscall_row(i))
			theirs = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64,
								   syscall_row(i)->name);
		/* It may be older than a call, but not of another opinion. */
		if (theirs == __NR_SCMP_ERROR)
			continue;
		assert_int_equal(theirs, i);
		known++;
	}
	assert_true(known > 330);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_decides_as_the_policy),
		cmocka_unit_test(dockers_list_is_decided_as_libseccomp_does),
		cmocka_unit_test(a_list_of_docker_says_no_more_than_the_policy),
		cmocka_unit_test(names_and_numbers_are_those_of_libseccomp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

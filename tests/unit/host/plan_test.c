/* host/plan.c: where a program of the host lies in the guest. */
/* link: host/say.c host/util.c host/tty.c lib/wire.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/plan.h"

static void places(void **state)
{
	static const struct {
		const char *here, *there;
	} cases[] = {
		{ "./hello", "./hello" },
		{ "sub/x.sh", "sub/x.sh" },
		{ "/home/me/x.sh", "/home/me/x.sh" },
		{ "../x", "./x" },
		{ "a/../../x", "./x" },
		{ "/a/../x", "./x" },
		{ "/proc/self/exe", "./exe" },
		{ "/dev/fd/3", "./3" },
		{ "/device/x", "/device/x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *there = program_place(cases[i].here);

		assert_string_equal(there, cases[i].there);
		free(there);
	}
}

/* The strings of a plan: argv and then env. */
static bool has_string(const struct plan *plan, const char *wanted)
{
	for (const char *at = plan->strings; at < plan->strings + plan->strings_size;
	     at += strlen(at) + 1)
		if (!strcmp(at, wanted))
			return true;
	return false;
}

static void the_environment_is_the_job_s_own(void **state)
{
	char *argv[] = { "prog", "arg", NULL };
	char *env[] = { "A=1", "PATH=/x", "A=2" };
	struct options options = {
		.argv = argv, .argc = 2, .env = env, .env_count = 3, .cwd = "/job"
	};
	struct image_config config = { .folder = NULL };
	struct plan plan;

	setenv("SECRET", "x", 1);
	assert_int_equal(plan_make(&options, &config, &plan), 0);
	assert_int_equal(plan.job.argc, 2);
	assert_true(has_string(&plan, "arg"));
	assert_true(has_string(&plan, "A=2"));
	assert_false(has_string(&plan, "A=1"));
	assert_true(has_string(&plan, "PATH=/x"));
	assert_true(has_string(&plan, "HOME=/root"));
	assert_false(has_string(&plan, "SECRET=x"));
	assert_null(plan.program_here);
	free(plan.strings);
	free(plan.files);
	free(plan.program);
}

static void what_cannot_travel_is_refused(void **state)
{
	static const struct {
		char *program;
		int status;
	} cases[] = { { "/tmp", 126 }, { "/dev/null", 126 }, { "/etc/passwd", 126 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *argv[] = { cases[i].program, NULL };
		struct options options = { .argv = argv, .argc = 1, .cwd = "/job" };
		struct image_config config = { .folder = NULL };
		struct plan plan;

		assert_int_equal(plan_make(&options, &config, &plan), cases[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(the_environment_is_the_job_s_own),
		cmocka_unit_test(what_cannot_travel_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

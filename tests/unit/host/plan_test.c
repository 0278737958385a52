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
	assert_false(has_string(&plan, "SECRET=x"));
	assert_null(plan.program_here);
	free(plan.strings);
	free(plan.policy);
	free(plan.files);
	free(plan.program);
}

/* Root is who asks for it, or whose image does; by number, so that the guest need not
 * know them. */
static void a_job_is_not_root_unasked(void **state)
{
	static const struct {
		const char *given, *image, *user, *home, *name;
		unsigned id;
	} cases[] = {
		{ NULL, NULL, "", "HOME=/job", "USER=job", 1000 },
		{ "root", NULL, "", "HOME=/root", "USER=root", 0 },
		{ "0", "job", "", "HOME=/root", "LOGNAME=root", 0 },
		{ NULL, "root", "", "HOME=/root", "USER=root", 0 },
		{ NULL, "postgres:db", "postgres:db", NULL, NULL, 0 },
		{ "1000", "root", "1000", NULL, NULL, 0 },
	};
	char *argv[] = { "prog", NULL };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct options options = { .argv = argv,
					   .argc = 1,
					   .user = cases[i].given };
		struct image_config config = { .user = (char *)cases[i].image };
		struct plan plan;

		assert_int_equal(plan_make(&options, &config, &plan), 0);
		assert_string_equal(plan.job.user.at, cases[i].user);
		assert_int_equal(plan.job.uid, cases[i].id);
		assert_int_equal(plan.job.gid, cases[i].id);
		if (cases[i].home)
			assert_true(has_string(&plan, cases[i].home));
		if (cases[i].name)
			assert_true(has_string(&plan, cases[i].name));
		free(plan.strings);
		free(plan.policy);
		free(plan.files);
		free(plan.program);
	}
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
		cmocka_unit_test(a_job_is_not_root_unasked),
		cmocka_unit_test(what_cannot_travel_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

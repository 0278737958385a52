/* host/outcome.c: every way a run can end has its status. */
/* link: host/say.c host/util.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/outcome.h"

static void qemu_s_status_tells_what_happened(void **state)
{
	static const struct {
		int exit;
		enum outcome_kind kind;
	} cases[] = {
		{ 0, OUTCOME_TRIPLE_FAULT },	    /* -no-reboot */
		{ 1, OUTCOME_QEMU },		    /* its own errors */
		{ (0x10 << 1) | 1, OUTCOME_AGENT }, /* clean, but we never heard of it */
		{ (0x11 << 1) | 1, OUTCOME_PANIC },
		{ (0x12 << 1) | 1, OUTCOME_REFUSED },
		{ (0x13 << 1) | 1, OUTCOME_AGENT },
		{ (0x14 << 1) | 1, OUTCOME_NOMEM },
		{ (0x15 << 1) | 1, OUTCOME_ROOT },
		{ 2, OUTCOME_QEMU },
		{ 255, OUTCOME_QEMU },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct outcome outcome = outcome_of_vm(cases[i].exit << 8);

		assert_int_equal(outcome.kind, cases[i].kind);
		assert_int_equal(outcome_status(&outcome), MAYFLY_FAILED);
	}
	assert_int_equal(outcome_of_vm(11).kind, OUTCOME_QEMU);
	assert_string_equal(outcome_of_vm(11).what, "killed by signal 11");
}

static void the_job_s_end_is_the_command_s(void **state)
{
	struct outcome exited = { .kind = OUTCOME_EXITED, .status = 3 };
	struct outcome killed = { .kind = OUTCOME_KILLED, .signal = 9 };
	struct outcome interrupted = { .kind = OUTCOME_INTERRUPTED, .signal = 2 };
	struct outcome late = { .kind = OUTCOME_TIMED_OUT };
	struct outcome chatty = { .kind = OUTCOME_OUTPUT_LIMIT };

	assert_int_equal(outcome_status(&exited), 3);
	assert_int_equal(outcome_status(&killed), 137);
	assert_int_equal(outcome_status(&interrupted), 130);
	assert_int_equal(outcome_status(&late), 124);
	assert_int_equal(outcome_status(&chatty), 153);
	assert_null(outcome_text(&exited, 0, 0));
	assert_null(outcome_text(&killed, 0, 0));
}

static void a_job_that_did_not_start(void **state)
{
	static const struct {
		unsigned stage;
		int error, status;
	} cases[] = {
		{ WIRE_STAGE_LOOKUP, ENOENT, 127 },   { WIRE_STAGE_EXEC, ENOENT, 127 },
		{ WIRE_STAGE_EXEC, ENOTDIR, 127 },    { WIRE_STAGE_EXEC, EACCES, 126 },
		{ WIRE_STAGE_EXEC, ENOEXEC, 126 },    { WIRE_STAGE_EXEC, EISDIR, 126 },
		{ WIRE_STAGE_CWD, ENOENT, 125 },      { WIRE_STAGE_USER, ENOENT, 125 },
		{ WIRE_STAGE_PROTOCOL, EPROTO, 125 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct outcome outcome = { .kind = OUTCOME_NOT_STARTED,
					   .stage = cases[i].stage,
					   .error = cases[i].error };

		assert_int_equal(outcome_status(&outcome), cases[i].status);
	}
}

static void every_kind_but_plain_ends_has_a_line(void **state)
{
	static const char *const names[] = {
#define OUTCOME(name, text, status) text,
#include "host/outcome.def"
	};

	for (size_t kind = 0; kind < ARRAY_LEN(names); kind++) {
		struct outcome outcome = { .kind = (enum outcome_kind)kind, .oom = true };
		char *text = outcome_text(&outcome, NSEC_PER_SEC, 1);

		if (kind == OUTCOME_INTERRUPTED)
			assert_null(text);
		else
			assert_non_null(text);
		assert_string_equal(outcome_name(&outcome), names[kind]);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qemu_s_status_tells_what_happened),
		cmocka_unit_test(the_job_s_end_is_the_command_s),
		cmocka_unit_test(a_job_that_did_not_start),
		cmocka_unit_test(every_kind_but_plain_ends_has_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

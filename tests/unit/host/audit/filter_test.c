/* host/audit/filter.c: what options mean, and which records they let through. */
/* link: host/audit/names.c host/audit/words.c host/audit/who.c */
/* link: host/units.c host/util.c */
/* link: host/strace/text.c policy/names.c host/strace/known.c host/strace/call.c */
/* link: host/strace/args_plain.c host/strace/args_file.c host/strace/args_process.c */
/* link: host/strace/args_socket.c host/strace/args_ipc.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/audit/filter.h"

static unsigned said;

/* In place of host/say.c. */
void say(const char *format, ...)
{
	said++;
}

static void assert_since(const char *text, bool is_wall, uint64_t ns)
{
	struct since since;

	assert_int_equal(since_parse(text, &since), 0);
	assert_int_equal(since.is_wall, is_wall);
	assert_int_equal(since.ns, ns);
}

static void since_is_a_duration_or_a_moment(void **state)
{
	assert_since("1.5s", false, 1500000000);
	assert_since("20ms", false, 20000000);
	assert_since("1970-01-01T00:00:01Z", true, 1000000000);
	assert_since("2001-09-09T01:46:40.25Z", true, 1000000000250000000);
	assert_since("2001-09-09T03:46:40+02:00", true, 1000000000000000000);
	assert_since("2001-09-08T20:46:40.000000001-05:00", true, 1000000000000000001);
}

static void since_is_nothing_else(void **state)
{
	static const char *const wrong[] = {
		"",
		"x",
		"1y",
		"2001-09-09",
		"2001-09-09T01:46:40",
		"2001-09-09T01:46:40.Z",
		"2001-09-09T01:46:40Zz",
		"2001-09-31T25:46:40Z",
		"1960-01-01T00:00:00Z",
		"9999-01-01T00:00:00Z",
	};
	struct since since = { .ns = 7 };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_true(since_parse(wrong[i], &since) < 0);
		assert_int_equal(since.ns, 7);
	}
}

static void a_head_is_64_digits(void **state)
{
	static const char whole[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
	char longer[sizeof(whole) + 2], shorter[sizeof(whole)];
	uint8_t head[AUDIT_DIGEST_SIZE];

	assert_int_equal(head_parse(whole, head), 0);
	for (unsigned i = 0; i < sizeof(head); i++)
		assert_int_equal(head[i], i);
	strcpy(longer, whole);
	strcat(longer, "20");
	strcpy(shorter, whole);
	shorter[62] = 0;
	assert_true(head_parse(longer, head) < 0);
	assert_true(head_parse(shorter, head) < 0);
	shorter[62] = 'g';
	assert_true(head_parse(shorter, head) < 0);
}

static const struct audit_record became_root = {
	.event = AUDIT_EVENT_CRED,
	.pid = 7,
	.mono_ns = 500,
	.wall_ns = 1500,
	.before = { .uid = 1000, .euid = 1000, .suid = 1000, .fsuid = 1000 },
};

static bool lets(struct audit_options o, struct audit_record r)
{
	struct audit_names names = { 0 };
	struct filter f;

	assert_int_equal(filter_make(&f, &o, &names), 0);
	return filter_lets(&f, &r, r.wall_ns);
}

static void each_option_keeps_its_own(void **state)
{
	struct audit_record refused = became_root, boot = { .event = AUDIT_EVENT_BOOT };

	refused.result = -EPERM;
	assert_true(lets((struct audit_options){ 0 }, became_root));
	assert_true(lets((struct audit_options){ .user = "1000" }, became_root));
	assert_true(lets((struct audit_options){ .user = "root" }, became_root));
	assert_false(lets((struct audit_options){ .user = "1" }, became_root));
	assert_true(lets((struct audit_options){ .event = "credentials" }, became_root));
	assert_false(lets((struct audit_options){ .event = "exec" }, became_root));
	assert_true(lets((struct audit_options){ .failed = true }, refused));
	assert_false(lets((struct audit_options){ .failed = true }, became_root));
	assert_true(lets((struct audit_options){ .since = { false, 500 } }, became_root));
	assert_false(
		lets((struct audit_options){ .since = { false, 501 } }, became_root));
	assert_true(lets((struct audit_options){ .since = { true, 1500 } }, became_root));
	assert_false(
		lets((struct audit_options){ .since = { true, 1501 } }, became_root));
	/* The kernel's zeroes are not root's. */
	assert_false(lets((struct audit_options){ .user = "root" }, boot));
	assert_true(lets((struct audit_options){ 0 }, boot));
}

static void what_there_is_not_is_said(void **state)
{
	struct audit_names names = { 0 };
	struct audit_options user = { .user = "nobody" }, event = { .event = "login" };
	struct filter f;

	said = 0;
	assert_int_equal(filter_make(&f, &user, &names), MAYFLY_FAILED);
	assert_int_equal(filter_make(&f, &event, &names), MAYFLY_FAILED);
	assert_int_equal(said, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(since_is_a_duration_or_a_moment),
		cmocka_unit_test(since_is_nothing_else),
		cmocka_unit_test(a_head_is_64_digits),
		cmocka_unit_test(each_option_keeps_its_own),
		cmocka_unit_test(what_there_is_not_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

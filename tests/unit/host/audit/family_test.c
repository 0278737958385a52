/* host/audit/family.c: who is whose child, and when a number is another process. */
/* link: host/audit/names.c host/audit/words.c host/audit/who.c host/util.c */
/* link: host/strace/text.c policy/names.c host/strace/known.c host/strace/call.c */
/* link: host/strace/args_plain.c host/strace/args_file.c host/strace/args_process.c */
/* link: host/strace/args_socket.c host/strace/args_ipc.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "host/audit/family.h"

/* In place of host/say.c. */
void say(const char *format, ...)
{
}

static struct audit_names names;
static struct family *family;

static int begin(void **state)
{
	struct audit_record boot = { .event = AUDIT_EVENT_BOOT,
				     .syscall = UINT32_MAX,
				     .text = "1" };

	family = family_new(&names, false);
	family_take(family, &boot);
	return 0;
}

static int end(void **state)
{
	family_free(family);
	return 0;
}

static struct audit_record record(int32_t pid, int32_t ppid, int32_t session)
{
	struct audit_record r = { .event = AUDIT_EVENT_CRED,
				  .cause = AUDIT_CAUSE_ASKED,
				  .pid = pid,
				  .tid = pid,
				  .ppid = ppid,
				  .session = session,
				  .syscall = SYS_setuid };

	return r;
}

static void take(int32_t pid, int32_t ppid, int32_t session, uint64_t uid)
{
	struct audit_record r = record(pid, ppid, session);

	r.arg[0] = uid;
	family_take(family, &r);
}

static char *drawn(bool color)
{
	struct output o = { .color = color };

	while (family_draw(family, &o))
		;
	text_put(&o.text, "", 1);
	return o.text.at;
}

/* Without the first line and the last. */
static void assert_drawn(const char *expected)
{
	char *text = drawn(false), *start = strchr(text, '\n') + 1;

	strstr(start, "^ gained")[0] = 0;
	assert_string_equal(start, expected);
	free(text);
}

static void children_are_below_their_parents(void **state)
{
	take(2, 1, 2, 0);
	take(4, 3, 2, 0);
	take(5, 2, 2, 0);
	assert_drawn("|- 1\n"
		     "|  `- 2 root\n"
		     "|     |- . 0.000000 root: setuid(0)\n"
		     "|     `- 5 root\n"
		     "|        `- . 0.000000 root: setuid(0)\n"
		     "`- 3\n"
		     "   `- 4 root\n"
		     "      `- . 0.000000 root: setuid(0)\n");
}

static void a_parent_may_tell_of_itself_later(void **state)
{
	take(4, 3, 2, 0);
	take(3, 2, 2, 1);
	take(2, 0, 2, 2);
	assert_drawn("`- 2 root\n"
		     "   |- 3 root\n"
		     "   |  |- 4 root\n"
		     "   |  |  `- . 0.000000 root: setuid(0)\n"
		     "   |  `- . 0.000000 root: setuid(1)\n"
		     "   `- . 0.000000 root: setuid(2)\n");
}

static void a_number_is_used_again(void **state)
{
	take(5, 2, 2, 0);
	take(5, 2, 5, 1); /* setsid */
	take(5, 1, 5, 2); /* an orphan */
	take(5, 3, 5, 3); /* another's child: not the same */
	take(5, 3, 3, 4); /* in a session that it cannot have gone to */
	assert_drawn("|- 2\n"
		     "|  `- 5 root\n"
		     "|     |- . 0.000000 root: setuid(0)\n"
		     "|     |- . 0.000000 root: setuid(1)\n"
		     "|     `- . 0.000000 root: setuid(2)\n"
		     "`- 3\n"
		     "   |- 5 root\n"
		     "   |  `- . 0.000000 root: setuid(3)\n"
		     "   `- 5 root\n"
		     "      `- . 0.000000 root: setuid(4)\n");
}

static void nobody_is_below_itself(void **state)
{
	take(3, 3, 1, 0);
	take(5, 4, 1, 0);
	take(4, 5, 1, 0);
	free(drawn(false));
}

static void what_is_done_again_is_counted(void **state)
{
	for (int i = 0; i < 1000; i++)
		take(3, 0, 1, 0);
	take(3, 0, 1, 7);
	take(3, 0, 1, 0);
	assert_drawn("`- 3 root\n"
		     "   |- . 0.000000 root: setuid(0) (1000 times)\n"
		     "   |- . 0.000000 root: setuid(7)\n"
		     "   `- . 0.000000 root: setuid(0)\n");
}

static void a_mark_says_what_came_of_it(void **state)
{
	struct audit_record r = record(3, 0, 1);
	char *text;

	r.after.effective = 1;
	family_take(family, &r);
	r.result = -EPERM;
	family_take(family, &r);
	text = drawn(true);
	assert_non_null(strstr(text, "|- \033[33m^ 0.000000 root, "));
	assert_non_null(strstr(text, "`- \033[31mx 0.000000 root, "));
	assert_non_null(strstr(text, "^ gained capabilities: 1; x refused: 1; "
				     "other changes: 0\n"));
	free(text);
}

/* Each the child of the one before: what is drawn stays of the order of the log. */
static void depth_has_no_limit(void **state)
{
	enum { MANY = 20000 };
	char *text;

	for (int32_t pid = 2; pid < MANY; pid++)
		take(pid, pid - 1, 1, 0);
	text = drawn(false);
	assert_true(strlen(text) < MANY * 2 * 200);
	assert_non_null(strstr(text, "`- 19999 root\n"));
	free(text);
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		EACH(children_are_below_their_parents),
		EACH(a_parent_may_tell_of_itself_later),
		EACH(a_number_is_used_again),
		EACH(nobody_is_below_itself),
		EACH(what_is_done_again_is_counted),
		EACH(a_mark_says_what_came_of_it),
		EACH(depth_has_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

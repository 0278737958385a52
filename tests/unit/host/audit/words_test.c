/* host/audit/words.c: what a record says to people. */
/* link: host/audit/names.c host/audit/who.c host/util.c */
/* link: host/strace/text.c policy/names.c host/strace/known.c host/strace/call.c */
/* link: host/strace/args_plain.c host/strace/args_file.c host/strace/args_process.c */
/* link: host/strace/args_socket.c host/strace/args_ipc.c */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "host/audit/words.h"

/* In place of host/say.c. */
void say(const char *format, ...)
{
}

#define ALL (BIT(CAP_LAST_CAP + 1) - 1)
#define USER                                                                             \
	{                                                                                \
		.uid = 1000, .euid = 1000, .suid = 1000, .fsuid = 1000, .gid = 1000,     \
		.egid = 1000, .sgid = 1000, .fsgid = 1000, .bounding = ALL               \
	}

static void assert_words(struct audit_record r, const char *expected)
{
	struct audit_names names = { 0 };
	struct text t = { 0 };
	const struct words w = { &t, &names, false };

	words_record(&w, &r);
	text_put(&t, "", 1);
	assert_string_equal(t.at, expected);
	free(t.at);
}

static void who_became_whom(void **state)
{
	struct audit_record r = {
		.event = AUDIT_EVENT_CRED,
		.cause = AUDIT_CAUSE_ASKED,
		.pid = 3,
		.syscall = SYS_setuid,
		.before = { .bounding = ALL, .permitted = ALL, .effective = ALL },
		.after = USER
	};

	r.arg[0] = 1000;
	assert_words(r, "root -> uid 1000, gid 0 -> 1000: setuid(1000)");
	r.after.uid = 0;
	r.after.suid = 7;
	r.after.permitted = r.after.effective = BIT(CAP_SETUID);
	r.groups_after[0] = 1;
	r.after.no_new_privs = 1;
	assert_words(
		r, "root -> root as uid 1000, saved uid 7, gid 0 -> 1000, other groups, "
		   "its capabilities -all but cap_setuid, no new privileges from now on: "
		   "setuid(1000)");
}

static void what_was_refused(void **state)
{
	struct audit_record r = { .event = AUDIT_EVENT_CRED,
				  .cause = AUDIT_CAUSE_NOT_ALLOWED,
				  .result = -EPERM,
				  .pid = 3,
				  .syscall = SYS_setuid,
				  .before = USER,
				  .after = USER };

	assert_true(is_refusal(&r));
	r.after.euid = 0;
	assert_words(r, "uid 1000 -> uid 1000 as root refused: setuid(0) = EPERM, "
			"without the capability");
	r.event = AUDIT_EVENT_REFUSED;
	r.cause = AUDIT_CAUSE_BY_POLICY;
	r.syscall = SYS_getpid;
	r.rule_line = 12;
	assert_words(r, "uid 1000 refused: getpid() = EPERM, policy, line 12");
	r.cause = AUDIT_CAUSE_FILTER;
	r.result = 0;
	r.rule_line = 0;
	assert_true(is_refusal(&r));
	assert_words(r, "uid 1000 refused: getpid(), seccomp filter");
	r = (struct audit_record){ .event = AUDIT_EVENT_EXEC,
				   .cause = AUDIT_CAUSE_NOSUID,
				   .pid = 3,
				   .text = "/bin/su",
				   .before = USER,
				   .after = USER };
	assert_true(is_refusal(&r));
	assert_words(r, "uid 1000: runs /bin/su without what its file would give, "
			"nosuid mount");
	r.cause = AUDIT_CAUSE_SCRIPT;
	assert_true(is_refusal(&r));
	r.cause = AUDIT_CAUSE_SET_ID;
	r.after.euid = 0;
	assert_false(is_refusal(&r));
	assert_words(r, "uid 1000 -> uid 1000 as root: runs /bin/su, "
			"set-user-ID or set-group-ID program");
}

static void what_comes_into_force(void **state)
{
	struct audit_record r = { .event = AUDIT_EVENT_POLICY,
				  .cause = AUDIT_CAUSE_ASKED,
				  .pid = 3,
				  .text = "seccomp strict mode",
				  .syscall = SYS_getpid,
				  .before = USER,
				  .after = USER };

	assert_words(r, "uid 1000: getpid(), seccomp strict mode");
	memset(r.policy, 0xab, sizeof(r.policy));
	strcpy(r.text, "shell");
	assert_words(r, "uid 1000: getpid(), policy abababababab shell");
}

static void the_rest(void **state)
{
	struct audit_record r = { .event = AUDIT_EVENT_CAPABILITY,
				  .pid = 3,
				  .capabilities = BIT(CAP_CHOWN),
				  .syscall = SYS_chroot };

	r.arg[0] = 0x1000;
	strcpy(r.text, "/jail");
	assert_words(r, "root by cap_chown: chroot(\"/jail\")");
	r.capabilities |= BIT(63);
	assert_words(r, "root by cap_chown,cap_63: chroot(\"/jail\")");
	r.event = AUDIT_EVENT_ROOT;
	strcpy(r.text, "/jail\n\033[31m");
	assert_words(r, "root: chroot(\"/jail\\n\\33[31m\")");
	memset(r.text, 'x', sizeof(r.text) - 1);
	assert_words(
		r,
		"root: chroot(\"...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxx\")");
	r.syscall = SYS_rename;
	strcpy(r.text, "/etc/passwd");
	assert_words(r, "root: rename(\"/etc/passwd\", NULL)");
	r.event = AUDIT_EVENT_MOUNT;
	r.syscall = SYS_fsmount;
	assert_words(r, "root: fsmount(4096, 0, 0), at /etc/passwd");
	r = (struct audit_record){ .event = AUDIT_EVENT_DENIED,
				   .cause = AUDIT_CAUSE_PERMISSIONS,
				   .result = -EPERM,
				   .pid = 3,
				   .syscall = SYS_kill,
				   .arg = { 1, 9 },
				   .text = "/bin/sh" };
	assert_words(r, "root refused: kill(1, SIGKILL) = EPERM, not permitted");
	r = (struct audit_record){ .event = AUDIT_EVENT_DROPPED,
				   .cause = AUDIT_CAUSE_RING_FULL,
				   .syscall = UINT32_MAX,
				   .count = 5,
				   .arg = { 1, 4 } };
	assert_words(r, "5 records are lost (1 vital, 4 ordinary), the ring was full");
	r = (struct audit_record){ .event = 4711, .syscall = 100000, .pid = 1 };
	assert_words(r, "root: syscall_0x186a0(0, 0, 0, 0, 0, 0)");
}

static void assert_program(struct audit_names *names, const struct audit_record *r,
			   const char *expected)
{
	struct text t = { 0 };
	const struct words w = { &t, names, false };

	assert_int_equal(words_program(&w, r), *expected != 0);
	text_put(&t, "", 1);
	assert_string_equal(t.at, expected);
	free(t.at);
}

static void a_digest_gets_its_name_from_a_text(void **state)
{
	struct audit_names names = { 0 };
	struct audit_record r = { .event = AUDIT_EVENT_MOUNT }, names_it = { 0 };
	static const uint8_t path[] = "/bin/su";

	assert_program(&names, &r, "");
	crypto_generichash_blake2b(r.program, sizeof(r.program), path, sizeof(path) - 1,
				   NULL, 0);
	assert_program(&names, &r, "program fbf24ced68f8");
	strcpy(names_it.text, "/bin/sh");
	names_learn(&names, &names_it);
	assert_program(&names, &r, "program fbf24ced68f8");
	strcpy(names_it.text, "/bin/su");
	names_learn(&names, &names_it);
	names_learn(&names, &names_it);
	assert_int_equal(names.program_count, 2);
	assert_program(&names, &r, "/bin/su");
	r.program[0]++;
	r.event = AUDIT_EVENT_CRED;
	memset(r.text, 'x', sizeof(r.text) - 1);
	assert_program(&names, &r,
		       "...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	names_free(&names);
}

static void moments_are_of_rfc_3339(void **state)
{
	struct text t = { 0 };

	words_moment(&t, 1000000000000000001);
	text_put(&t, "", 1);
	assert_string_equal(t.at, "2001-09-09T01:46:40.000000001Z");
	free(t.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_became_whom),
		cmocka_unit_test(what_was_refused),
		cmocka_unit_test(what_comes_into_force),
		cmocka_unit_test(the_rest),
		cmocka_unit_test(a_digest_gets_its_name_from_a_text),
		cmocka_unit_test(moments_are_of_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

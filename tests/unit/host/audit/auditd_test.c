/* host/audit/auditd.c: which lines a record becomes; no name breaks out of one. */
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

#include "host/audit/export.h"

/* In place of host/say.c. */
void say(const char *format, ...)
{
}

#define AT "msg=audit(1000000000.042:7):"

static struct audit_record record(enum audit_event event, uint32_t syscall)
{
	struct audit_record r = { .event = event,
				  .sequence = 7,
				  .wall_ns = 1000000000042999999,
				  .pid = 5,
				  .tid = 5,
				  .ppid = 4,
				  .session = 3,
				  .syscall = syscall,
				  .arg = { 0, 0x10, 1, UINT64_MAX } };

	r.before.uid = 1000;
	return r;
}

static void assert_lines(struct audit_record r, const char *expected)
{
	struct audit_names names = { 0 };
	struct text t = { 0 };

	export_auditd(&t, &r, r.wall_ns, &names);
	text_put(&t, "", 1);
	assert_string_equal(t.at, expected);
	free(t.at);
}

static void a_call_is_one_event(void **state)
{
	struct audit_record r = record(AUDIT_EVENT_CRED, SYS_setuid);

	strcpy(r.text, "/bin/su");
	assert_lines(r,
		     "type=SYSCALL " AT " arch=c000003e syscall=105 success=yes exit=0 "
		     "a0=0 a1=10 a2=1 a3=ffffffffffffffff items=0 ppid=4 pid=5 "
		     "auid=4294967295 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 "
		     "fsgid=0 tty=(none) ses=3 comm=\"su\" exe=\"/bin/su\" "
		     "key=\"credentials\"\n");
	r.result = -EPERM;
	strcpy(r.text, "/a\nb\" type=X");
	/* It stays who it was. */
	assert_lines(r,
		     "type=SYSCALL " AT " arch=c000003e syscall=105 success=no exit=-1 "
		     "a0=0 a1=10 a2=1 a3=ffffffffffffffff items=0 ppid=4 pid=5 "
		     "auid=4294967295 uid=1000 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 "
		     "fsgid=0 tty=(none) ses=3 comm=610A622220747970653D58 "
		     "exe=2F610A622220747970653D58 key=\"credentials\"\n");
}

static void what_no_process_did(void **state)
{
	struct audit_record r = record(AUDIT_EVENT_DROPPED, UINT32_MAX);

	r.arg[AUDIT_VITAL] = 2;
	r.count = 18;
	assert_lines(r, "type=KERNEL_OTHER " AT
			" op=dropped lost=18 vital=2 ordinary=16 res=1\n");
	r.event = AUDIT_EVENT_FACT;
	strcpy(r.text, "root abc");
	assert_lines(r, "type=KERNEL_OTHER " AT " op=fact data=726F6F7420616263 res=1\n");
	r.event = AUDIT_EVENT_BOOT;
	assert_lines(r,
		     "type=SYSTEM_BOOT " AT
		     " pid=0 uid=0 auid=4294967295 ses=4294967295 msg='comm=\"kernel\" "
		     "exe=\"?\" hostname=? addr=? terminal=? res=success'\n");
}

static void a_refusal_of_the_policy_is_seccomp(void **state)
{
	struct audit_record r = record(AUDIT_EVENT_REFUSED, SYS_mount);

	strcpy(r.text, "/x");
	r.result = -EPERM;
	assert_lines(r, "type=SECCOMP " AT
			" auid=4294967295 uid=1000 gid=0 ses=3 pid=5 comm=\"x\" "
			"exe=\"/x\" sig=0 arch=c000003e syscall=165 compat=0 ip=0x0 "
			"code=0x50000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_one_event),
		cmocka_unit_test(what_no_process_did),
		cmocka_unit_test(a_refusal_of_the_policy_is_seccomp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

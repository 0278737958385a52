/* /proc/audit: what was denied, what a capability let pass, mounts, roots and tracing. */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/audit_log.h"

#define SECRET "/tmp/audit-secret"
#define PLACE "/tmp/audit-place"
#define CAP(cap) (1ull << (cap))

/* The only record of that process and event since then. */
static struct audit_record only_event(int fd, pid_t pid, enum audit_event event)
{
	struct audit_record r, found = { 0 };
	int n = 0;
	while (audit_next(fd, &r)) {
		if (r.pid != pid || r.event != event)
			continue;
		found = r;
		n++;
	}
	CHECK_EQ(n, 1);
	return found;
}

static void make_secret(void)
{
	int fd = open(SECRET, O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0);
	close(fd);
}

/* -- denied ----------------------------------------------------------------------- */

static void read_secret(void)
{
	char path[] = SECRET;
	(void)!syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	memset(path, 'x', sizeof path - 1);
}

static void read_public(void)
{
	(void)!open("/etc/passwd", O_RDONLY);
	(void)!open("/nosuch", O_RDONLY);
}

static void a_denied_open_is_told_with_its_path(void)
{
	int fd = audit_reader_at_end();
	make_secret();
	pid_t pid = audit_in_plain_child(fd, read_secret);
	struct audit_record r = audit_only(fd, pid);
	CHECK_EQ(r.event, AUDIT_EVENT_DENIED);
	CHECK_EQ(r.cause, AUDIT_CAUSE_PERMISSIONS);
	CHECK_EQ(r.result, -EACCES);
	CHECK_EQ(r.syscall, SYS_openat);
	CHECK(!strcmp(r.text, SECRET));
	CHECK(r.before.uid == 1000 && r.after.uid == 1000);
	audit_none(fd, audit_in_plain_child(fd, read_public));
}

static char deep[300];

static void open_deep(void)
{
	CHECK_ERR(open(deep, O_RDONLY), EACCES);
}

static void of_a_long_path_the_end_is_told(void)
{
	int fd = audit_reader_at_end();
	size_t n = 0;
	strcpy(deep, "/tmp/deep");
	CHECK(!mkdir(deep, 0755) || errno == EEXIST);
	for (n = strlen(deep); n < sizeof deep - 30; n += 20) {
		strcpy(deep + n, "/a-folder-of-20-char");
		CHECK(!mkdir(deep, 0755) || errno == EEXIST);
	}
	strcpy(deep + n, "/end");
	int file = open(deep, O_CREAT | O_WRONLY, 0600);
	CHECK(file >= 0);
	close(file);
	struct audit_record r = audit_only(fd, audit_in_plain_child(fd, open_deep));
	CHECK_EQ(strlen(r.text), sizeof r.text - 1);
	CHECK(!strcmp(r.text, deep + strlen(deep) - sizeof r.text + 1));
}

static void kill_parent(void)
{
	kill(getppid(), SIGTERM);
}

static void kill_nobody(void)
{
	kill(getppid(), 0);
}

static void a_denied_signal_names_the_process(void)
{
	int fd = audit_reader_at_end();
	struct audit_record r = audit_only(fd, audit_in_plain_child(fd, kill_parent));
	CHECK_EQ(r.event, AUDIT_EVENT_DENIED);
	CHECK_EQ(r.result, -EPERM);
	CHECK_EQ(r.object, getpid());
	CHECK(!r.capabilities);
	audit_none(fd, audit_in_child(kill_nobody, false));
}

/* -- capabilities ----------------------------------------------------------------- */

static void give_away(void)
{
	CHECK(!chown(SECRET, 1000, 1000));
}

static void keep(void)
{
	CHECK(!chown(SECRET, 0, 0));
}

static void a_capability_that_was_needed_is_told(void)
{
	int fd = audit_reader_at_end();
	make_secret();
	keep();
	pid_t pid = audit_in_child(give_away, false);
	struct audit_record r = only_event(fd, pid, AUDIT_EVENT_CAPABILITY);
	CHECK_EQ(r.capabilities, CAP(CAP_CHOWN));
	CHECK_EQ(r.syscall, SYS_chown);
	CHECK_EQ(r.result, 0);
	CHECK(!strcmp(r.text, SECRET));
	keep();
}

static void use_what_is_mine(void)
{
	int fd = open(SECRET, O_RDWR);
	CHECK(fd >= 0 && !fchmod(fd, 0600) && !fchown(fd, 0, 0));
	close(fd);
	CHECK(!setpriority(PRIO_PROCESS, 0, 5));
}

static void one_that_was_not_needed_is_not(void)
{
	int fd = audit_reader_at_end();
	make_secret();
	keep();
	audit_none(fd, audit_in_child(use_what_is_mine, false));
}

static void fail_for_another_reason(void)
{
	CHECK_ERR(syscall(SYS_reboot, 1, 2, 3, NULL), EINVAL);
}

static void nor_one_whose_call_failed(void)
{
	int fd = audit_reader_at_end();
	audit_none(fd, audit_in_child(fail_for_another_reason, false));
}

/* -- scripts ---------------------------------------------------------------------- */

#define SCRIPT "/tmp/audit-script"

static void run_script(void)
{
	execl(SCRIPT, SCRIPT, NULL);
	_exit(9);
}

static void make_script(mode_t mode)
{
	static const char text[] = "#!/bin/true\n";
	int fd = open(SCRIPT, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	CHECK(fd >= 0 && write(fd, text, sizeof text - 1) == sizeof text - 1);
	CHECK(!fchown(fd, 0, 0) && !fchmod(fd, mode));
	close(fd);
}

static void bits_of_a_script_are_told(void)
{
	int fd = audit_reader_at_end();
	make_script(04755);
	struct audit_record r = audit_only(fd, audit_in_plain_child(fd, run_script));
	CHECK_EQ(r.event, AUDIT_EVENT_EXEC);
	CHECK_EQ(r.cause, AUDIT_CAUSE_SCRIPT);
	CHECK_EQ(r.result, 0);
	CHECK(r.before.euid == 1000 && r.after.euid == 1000);
	CHECK(!strcmp(r.text, SCRIPT));
	make_script(0755);
	audit_none(fd, audit_in_plain_child(fd, run_script));
}

/* -- mounts and roots ------------------------------------------------------------- */

static void mount_there(void)
{
	CHECK(!mount("t", PLACE, "tmpfs", 0, ""));
	CHECK(!umount2(PLACE, 0));
	CHECK_ERR(umount2(PLACE, 0), EINVAL);
}

static void mount_refused(void)
{
	CHECK_ERR(mount("t", PLACE, "tmpfs", 0, ""), EPERM);
}

static void mounting_is_told(void)
{
	int fd = audit_reader_at_end();
	struct audit_record r;
	int mounts = 0;
	mkdir(PLACE, 0755);
	pid_t pid = audit_in_child(mount_there, false);
	while (audit_next(fd, &r)) {
		if (r.pid != pid)
			continue;
		CHECK_EQ(r.event, AUDIT_EVENT_MOUNT);
		CHECK_EQ(r.syscall, mounts ? SYS_umount2 : SYS_mount);
		CHECK(!strcmp(r.text, PLACE));
		CHECK_EQ(r.capabilities, CAP(CAP_SYS_ADMIN));
		mounts++;
	}
	CHECK_EQ(mounts, 2);
	r = audit_only(fd, audit_in_plain_child(fd, mount_refused));
	CHECK_EQ(r.event, AUDIT_EVENT_DENIED);
	CHECK(!strcmp(r.text, PLACE));
}

static void go_below(void)
{
	CHECK(!chroot(PLACE));
	CHECK(!chdir("/"));
	CHECK(!mkdir("/inner", 0755) || errno == EEXIST);
	CHECK(!chroot("/inner"));
	setresuid(5, 5, 5);
}

static void roots_are_told_from_the_root_of_all(void)
{
	int fd = audit_reader_at_end();
	struct audit_record r;
	uint8_t program[32] = { 0 };
	int roots = 0, others = 0;
	mkdir(PLACE, 0755);
	pid_t pid = audit_in_child(go_below, false);
	while (audit_next(fd, &r)) {
		if (r.pid != pid)
			continue;
		if (r.event == AUDIT_EVENT_ROOT) {
			CHECK(!strcmp(r.text, roots ? PLACE "/inner" : PLACE));
			memcpy(program, r.program, sizeof program);
			roots++;
		} else {
			/* Its root has changed, its program has not. */
			CHECK_EQ(r.event, AUDIT_EVENT_CRED);
			CHECK(!memcmp(r.program, program, sizeof program));
			CHECK(strstr(r.text, "audit_events"));
			others++;
		}
	}
	CHECK_EQ(roots, 2);
	CHECK_EQ(others, 1);
}

/* -- tracing ---------------------------------------------------------------------- */

static pid_t target;

static void attach(void)
{
	CHECK(!ptrace(PTRACE_SEIZE, target, 0, 0));
}

static void attach_refused(void)
{
	CHECK_ERR(ptrace(PTRACE_SEIZE, target, 0, 0), EPERM);
}

static void tracing_is_told(void)
{
	int fd = audit_reader_at_end();
	target = fork();
	if (!target) {
		pause();
		_exit(0);
	}
	struct audit_record r = audit_only(fd, audit_in_child(attach, false));
	CHECK_EQ(r.event, AUDIT_EVENT_TRACE);
	CHECK_EQ(r.object, target);
	CHECK(!r.capabilities); /* of its own user: it needed none */
	r = audit_only(fd, audit_in_plain_child(fd, attach_refused));
	CHECK_EQ(r.event, AUDIT_EVENT_DENIED);
	CHECK_EQ(r.syscall, SYS_ptrace);
	CHECK_EQ(r.object, target);
	kill(target, SIGKILL);
	CHECK_EQ(waitpid(target, NULL, 0), target);
}

/* -- who may read ----------------------------------------------------------------- */

static void read_by_group(void)
{
	int fd;
	CHECK(!syscall(SYS_setresgid, 4711, 4711, 4711));
	CHECK(!syscall(SYS_setresuid, 1000, 1000, 1000));
	fd = open(AUDIT_DATA, O_RDONLY);
	CHECK(fd >= 0);
	CHECK_ERR(open("/proc/audit/stats", O_RDONLY), EACCES);
	CHECK_ERR(write(fd, "end", 3), EBADF);
}

static void write_the_end(void)
{
	int fd = open(AUDIT_DATA, O_RDWR);
	CHECK(fd >= 0);
	CHECK_ERR(write(fd, "end", 3), EPERM);
}

static void its_mode_can_let_a_group_read(void)
{
	close(audit_reader());
	CHECK(!chown(AUDIT_DATA, 0, 4711) && !chmod(AUDIT_DATA, 0440));
	audit_in_child(read_by_group, false);
	CHECK(!chown(AUDIT_DATA, 0, 0) && !chmod(AUDIT_DATA, 0400));
}

static void only_the_keeper_ends_the_log(void)
{
	close(audit_reader());
	audit_in_child(write_the_end, false);
}

TEST_MAIN(CASE(a_denied_open_is_told_with_its_path), CASE(of_a_long_path_the_end_is_told),
	  CASE(a_denied_signal_names_the_process),
	  CASE(a_capability_that_was_needed_is_told),
	  CASE(one_that_was_not_needed_is_not), CASE(nor_one_whose_call_failed),
	  CASE(bits_of_a_script_are_told), CASE(mounting_is_told),
	  CASE(roots_are_told_from_the_root_of_all), CASE(tracing_is_told),
	  CASE(its_mode_can_let_a_group_read), CASE(only_the_keeper_ends_the_log))

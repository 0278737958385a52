/* /proc/audit: which changes of credentials it tells of, and how it is read. */
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/audit_log.h"

/* -- what is told ----------------------------------------------------------------- */

static void change(void)
{
	syscall(SYS_setresuid, 1, 2, 3);
}

static void a_change_is_told(void)
{
	int fd = audit_reader_at_end();
	pid_t pid = audit_in_child(change, false);
	struct audit_record r = audit_only(fd, pid);
	CHECK_EQ(r.event, AUDIT_EVENT_CRED);
	CHECK_EQ(r.cause, AUDIT_CAUSE_ASKED);
	CHECK_EQ(r.result, 0);
	CHECK_EQ(r.tid, pid);
	CHECK_EQ(r.ppid, getpid());
	CHECK_EQ(r.session, getsid(0));
	CHECK_EQ(r.syscall, SYS_setresuid);
	CHECK(r.arg[0] == 1 && r.arg[1] == 2 && r.arg[2] == 3);
	CHECK(r.before.uid == 0 && r.before.euid == 0 && r.before.fsuid == 0);
	CHECK(r.after.uid == 1 && r.after.euid == 2 && r.after.suid == 3);
	CHECK_EQ(r.after.fsuid, 2);
	CHECK(r.before.effective && !r.after.effective && !r.after.permitted);
	CHECK(r.mono_ns && r.wall_ns > r.mono_ns);
}

static void want_root(void)
{
	syscall(SYS_setresuid, 0, -1, -1);
}

static void a_refusal_is_told(void)
{
	int fd = audit_reader_at_end();
	struct audit_record r = audit_only(fd, audit_in_plain_child(fd, want_root));
	CHECK_EQ(r.event, AUDIT_EVENT_CRED);
	CHECK_EQ(r.cause, AUDIT_CAUSE_NOT_ALLOWED);
	CHECK_EQ(r.result, -EPERM);
	CHECK_EQ(r.before.uid, 1000);
	CHECK_EQ(r.after.uid, 0); /* whom it wanted to become */
}

static void want_roots_files(void)
{
	setfsuid(0);
}

static void what_is_refused_silently_is_told(void)
{
	int fd = audit_reader_at_end();
	struct audit_record r =
		audit_only(fd, audit_in_plain_child(fd, want_roots_files));
	CHECK_EQ(r.syscall, SYS_setfsuid);
	CHECK_EQ(r.result, -EPERM);
	CHECK_EQ(r.after.fsuid, 0);
}

static void ask_for_more(void)
{
	gid_t g = 0;
	uint32_t header[2] = { 0x20080522, 0 }, sets[6] = { 1, 1 };
	syscall(SYS_setgroups, 1, &g);
	syscall(SYS_capset, header, sets);
	prctl(PR_CAPBSET_DROP, 5);
	prctl(PR_SET_SECUREBITS, 1);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5, 0, 0);
	syscall(SYS_setregid, 0, 0);
	syscall(SYS_setgid, 0);
}

static void each_call_that_is_refused_is_told(void)
{
	static const long calls[] = { SYS_setgroups, SYS_capset,   SYS_prctl, SYS_prctl,
				      SYS_prctl,     SYS_setregid, SYS_setgid };
	const size_t n = sizeof calls / sizeof calls[0];
	int fd = audit_reader_at_end();
	pid_t pid = audit_in_plain_child(fd, ask_for_more);
	struct audit_record r;
	size_t k = 0;
	while (audit_next(fd, &r)) {
		/* The group 0 is the child's own still. */
		if (r.pid != pid || !r.result)
			continue;
		CHECK(k < n);
		CHECK_EQ(r.syscall, calls[k++]);
		CHECK_EQ(r.result, -EPERM);
	}
	CHECK_EQ(k, n - 2);
}

static void change_nothing(void)
{
	syscall(SYS_setresuid, 0, 0, 0);
	syscall(SYS_setuid, 0);
	setfsuid(0);
	getuid();
}

static void what_changes_nothing_is_not_told(void)
{
	int fd = audit_reader_at_end();
	audit_none(fd, audit_in_child(change_nothing, false));
}

static void change_groups(void)
{
	const gid_t g[2] = { 7, 8 }, same[2] = { 8, 7 };
	syscall(SYS_setgroups, 2, g);
	syscall(SYS_setgroups, 2, same);
}

static void groups_are_told_by_their_digest(void)
{
	/* b2sum -l 128 of 07 00 00 00 08 00 00 00 */
	static const uint8_t digest[16] = { 0x56, 0xc1, 0x91, 0x75, 0xd1, 0x71,
					    0x7b, 0x6c, 0x09, 0xc6, 0x84, 0x0e,
					    0xd8, 0xa8, 0xc4, 0x8b };
	int fd = audit_reader_at_end();
	struct audit_record r = audit_only(fd, audit_in_child(change_groups, false));
	CHECK(!memcmp(r.groups_after, digest, sizeof digest));
}

/* -- exec ------------------------------------------------------------------------- */

static void make_program(const char *path, mode_t mode, uid_t owner)
{
	struct stat st;
	int in = open("/bin/busybox", O_RDONLY),
	    out = open(path, O_WRONLY | O_CREAT, 0755);
	CHECK(in >= 0 && out >= 0 && !fstat(in, &st));
	CHECK_EQ(sendfile(out, in, NULL, (size_t)st.st_size), st.st_size);
	CHECK(!fchown(out, owner, 0) && !fchmod(out, mode));
	close(in);
	close(out);
}

static void exec_it(void)
{
	execl("./program", "true", NULL);
	_exit(1);
}

static void exec_it_without_new_privileges(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	exec_it();
}

static int with_program(mode_t mode)
{
	tap_needs_mayfly();
	tap_needs_root();
	CHECK(!chmod(tap_tmpdir(), 0755));
	make_program("program", mode, 0);
	return audit_reader_at_end();
}

static void a_setuid_program_is_told(void)
{
	int fd = with_program(04755);
	struct audit_record r;
	pid_t pid = audit_in_plain_child(fd, exec_it);
	/* What comes after it is busybox giving up the user. */
	CHECK(audit_next(fd, &r) && r.pid == pid);
	CHECK_EQ(r.event, AUDIT_EVENT_EXEC);
	CHECK_EQ(r.cause, AUDIT_CAUSE_SET_ID);
	CHECK_EQ(r.syscall, SYS_execve);
	CHECK(r.before.uid == 1000 && r.before.euid == 1000);
	CHECK(r.after.uid == 1000 && r.after.euid == 0 && r.after.suid == 0);
	CHECK(!r.before.effective && r.after.effective);
	CHECK(!strcmp(r.text, "./program"));
}

static void a_plain_program_is_not(void)
{
	int fd = with_program(0755);
	audit_none(fd, audit_in_plain_child(fd, exec_it));
}

static void what_no_new_privs_kept_is_told(void)
{
	int fd = with_program(04755);
	pid_t pid = audit_in_plain_child(fd, exec_it_without_new_privileges);
	struct audit_record r;
	do
		CHECK(audit_next(fd, &r));
	while (r.pid != pid);
	CHECK_EQ(r.event, AUDIT_EVENT_CRED);
	CHECK(!r.before.no_new_privs && r.after.no_new_privs);
	r = audit_only(fd, pid);
	CHECK_EQ(r.event, AUDIT_EVENT_EXEC);
	CHECK_EQ(r.cause, AUDIT_CAUSE_NO_NEW_PRIVS);
	CHECK_EQ(r.after.euid, 1000);
}

static void what_a_nosuid_mount_kept_is_told(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	CHECK(!chmod(tap_tmpdir(), 0755));
	CHECK(!mount("none", ".", "tmpfs", MS_NOSUID, NULL));
	CHECK(!chdir("."));
	char here[256];
	CHECK(getcwd(here, sizeof here) && !chdir(here));
	make_program("program", 04755, 0);
	int fd = audit_reader_at_end();
	struct audit_record r = audit_only(fd, audit_in_plain_child(fd, exec_it));
	CHECK_EQ(r.cause, AUDIT_CAUSE_NOSUID);
	CHECK_EQ(r.after.euid, 1000);
	CHECK(!chdir("/") && !umount2(here, MNT_DETACH));
}

/* -- reading ---------------------------------------------------------------------- */

static void numbers_have_no_gap(void)
{
	struct audit_record r;
	uint64_t expected = 0;
	int fd = audit_reader();
	for (int i = 0; i < 3; i++)
		audit_in_child(change, false);
	while (audit_next(fd, &r)) {
		if (expected)
			CHECK_EQ(r.sequence, expected);
		expected = r.sequence + 1;
	}
	CHECK(expected > 3);
}

static void each_reader_has_its_own_place(void)
{
	struct audit_record r;
	int a = audit_reader_at_end(), b = audit_reader_at_end();
	pid_t pid = audit_in_child(change, false);
	CHECK(audit_next(a, &r) && r.pid == pid && !audit_next(a, &r));
	CHECK(audit_next(b, &r) && r.pid == pid && !audit_next(b, &r));
}

static void two_records_come_in_one_read(void)
{
	struct audit_record r[3];
	int fd = audit_reader_at_end();
	audit_in_child(change, false);
	audit_in_child(change, false);
	CHECK_EQ(read(fd, r, sizeof r), 2 * (long)sizeof r[0]);
	CHECK_EQ(r[1].sequence, r[0].sequence + 1);
	CHECK(!memcmp(r[1].previous, r[0].digest, sizeof r[0].digest));
}

static void a_buffer_is_at_least_a_record(void)
{
	char b[AUDIT_RECORD_SIZE];
	int fd = audit_reader();
	CHECK_ERR(read(fd, b, sizeof b - 1), EINVAL);
	CHECK_EQ(read(fd, b, 0), 0);
	CHECK_EQ(read(fd, b, sizeof b), sizeof b);
}

static void change_later(void)
{
	usleep(100000);
	change();
}

static void reading_waits_for_a_record(void)
{
	struct audit_record r;
	int fd = audit_reader_at_end();
	CHECK(!fcntl(fd, F_SETFL, 0));
	pid_t pid = fork();
	if (!pid) {
		change_later();
		_exit(0);
	}
	CHECK_EQ(read(fd, &r, sizeof r), sizeof r);
	CHECK_EQ(r.pid, pid);
	CHECK_EQ(tap_wait(pid), 0);
}

static void poll_and_epoll_say_when(void)
{
	int fd = audit_reader_at_end(), ep = epoll_create1(0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct epoll_event e = { .events = EPOLLIN };
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
	pid_t pid = fork();
	if (!pid) {
		change_later();
		_exit(0);
	}
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EQ(epoll_wait(ep, &e, 1, 10000), 1);
	CHECK_EQ(tap_wait(pid), 0);
}

static void only_root_may_read(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	int fd = open(AUDIT_DATA, O_RDONLY);
	CHECK(fd >= 0);
	CHECK(!setresuid(1000, 1000, 1000));
	CHECK_ERR(open(AUDIT_DATA, O_RDONLY), EACCES);
	CHECK_ERR(open("/proc/audit/stats", O_RDONLY), EACCES);
	CHECK_ERR(open(AUDIT_DATA, O_WRONLY), EACCES);
}

/* -- many ------------------------------------------------------------------------- */

#define THREADS 4
#define CHANGES 1500

static void *change_often(void *arg)
{
	for (int i = 0; i < CHANGES; i++)
		syscall(SYS_setresuid, -1, i % 2 ? 0 : (int)(intptr_t)arg, -1);
	return NULL;
}

static uint64_t stat_of(const char *name)
{
	char line[64];
	unsigned long v = 0, found = 0;
	FILE *f = fopen("/proc/audit/stats", "r");
	CHECK(f);
	while (fgets(line, sizeof line, f)) {
		if (!strncmp(line, name, strlen(name)) &&
		    sscanf(line + strlen(name), " %lu", &v))
			found++;
	}
	fclose(f);
	CHECK_EQ(found, 1);
	return v;
}

/* Each starts from root's saved id, so each call is a change. */
static void every_change_of_many_threads_is_counted(void)
{
	pthread_t t[THREADS];
	close(audit_reader());
	uint64_t before = stat_of("records"), lost = stat_of("dropped_vital");
	for (intptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, change_often, (void *)(i + 1)));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	uint64_t told = stat_of("records") - before;
	lost = stat_of("dropped_vital") - lost;
	/* What was lost is one record more, or several. */
	CHECK(told + lost >= THREADS * CHANGES);
	CHECK(lost || told == THREADS * CHANGES);
}

static void who_is_too_late_is_told_so_once(void)
{
	struct audit_record r;
	int fd = audit_reader_at_end();
	uint64_t places = stat_of("places"), begin = stat_of("records");
	pthread_t t;
	while (stat_of("records") < begin + places + 10) {
		CHECK(!pthread_create(&t, NULL, change_often, (void *)1));
		CHECK(!pthread_join(t, NULL));
	}
	CHECK_ERR(read(fd, &r, sizeof r), EPIPE);
	CHECK_EQ(read(fd, &r, sizeof r), sizeof r);
	uint64_t first = r.sequence;
	CHECK(first > begin);
	while (audit_next(fd, &r))
		CHECK_EQ(r.sequence, ++first);
	CHECK_EQ(first + 1, stat_of("records"));
}

TEST_MAIN(CASE(a_change_is_told), CASE(a_refusal_is_told),
	  CASE(what_is_refused_silently_is_told), CASE(each_call_that_is_refused_is_told),
	  CASE(what_changes_nothing_is_not_told), CASE(groups_are_told_by_their_digest),
	  CASE(a_setuid_program_is_told), CASE(a_plain_program_is_not),
	  CASE(what_no_new_privs_kept_is_told), CASE(what_a_nosuid_mount_kept_is_told),
	  CASE(numbers_have_no_gap), CASE(each_reader_has_its_own_place),
	  CASE(two_records_come_in_one_read), CASE(a_buffer_is_at_least_a_record),
	  CASE(reading_waits_for_a_record), CASE(poll_and_epoll_say_when),
	  CASE(only_root_may_read), CASE(every_change_of_many_threads_is_counted),
	  CASE(who_is_too_late_is_told_so_once))

/* Who may do what to which file: permission bits, owners, sticky and set-id bits;
 * credentials(7). */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/tap.h"

enum { ALICE = 1001, BOB = 1002, STAFF = 2001 };

static void need_root(void)
{
	if (getuid())
		tap_skip("needs root");
}

/* Becomes another user for good. */
static void become(uid_t u, gid_t g)
{
	CHECK(!setgroups(0, NULL));
	CHECK(!setresgid(g, g, g));
	CHECK(!setresuid(u, u, u));
}

static void make(const char *name, mode_t mode, uid_t u, gid_t g)
{
	int fd = open(name, O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0);
	CHECK(!fchown(fd, u, g) && !fchmod(fd, mode));
	close(fd);
}

static const char *shared_dir(void)
{
	const char *d = tap_tmpdir();
	need_root();
	CHECK(!chmod(d, 0777));
	return d;
}

static void mode_bits_by_class(void)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		int flags, ok;
	} rows[] = {
		{ ALICE, ALICE, O_RDONLY, 1 }, { ALICE, ALICE, O_WRONLY, 1 },
		{ BOB, STAFF, O_RDONLY, 1 },   { BOB, STAFF, O_WRONLY, 0 },
		{ BOB, BOB, O_RDONLY, 0 },     { BOB, BOB, O_WRONLY, 0 },
		{ 0, 0, O_RDWR, 1 },
	};
	shared_dir();
	make("f", 0640, ALICE, STAFF);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		pid_t pid = fork();
		if (!pid) {
			become(rows[i].uid, rows[i].gid);
			_exit((open("f", rows[i].flags) >= 0) == rows[i].ok ? 0 : 1);
		}
		CHECK_EQ(tap_wait(pid), 0);
	}
}

static void owner_class_wins_over_others(void)
{
	shared_dir();
	make("f", 0077, ALICE, STAFF);
	become(ALICE, STAFF);
	CHECK_ERR(open("f", O_RDONLY), EACCES);
}

static void search_needs_x(void)
{
	struct stat st;
	shared_dir();
	CHECK(!mkdir("d", 0700));
	make("d/f", 0666, 0, 0);
	CHECK(!chmod("d", 0744));
	become(ALICE, ALICE);
	CHECK_ERR(stat("d/f", &st), EACCES);
	CHECK_ERR(open("d/f", O_RDONLY), EACCES);
	CHECK(open("d", O_RDONLY) >= 0); /* r: may list */
	CHECK_ERR(chdir("d"), EACCES);
}

static void directory_changes_need_w(void)
{
	shared_dir();
	CHECK(!mkdir("d", 0755));
	make("d/f", 0666, ALICE, ALICE);
	become(ALICE, ALICE);
	CHECK_ERR(open("d/new", O_CREAT | O_RDWR, 0600), EACCES);
	CHECK_ERR(unlink("d/f"), EACCES);
	CHECK_ERR(rename("d/f", "f"), EACCES);
	CHECK_ERR(mkdir("d/e", 0700), EACCES);
	CHECK(open("d/f", O_RDWR) >= 0);
}

static void sticky_directory_protects(void)
{
	shared_dir();
	CHECK(!mkdir("d", 0777) && !chmod("d", 01777));
	make("d/alice", 0666, ALICE, ALICE);
	make("d/bob", 0666, BOB, BOB);
	become(BOB, BOB);
	CHECK_ERR(unlink("d/alice"), EPERM);
	CHECK_ERR(rename("d/alice", "d/x"), EPERM);
	CHECK_ERR(rename("d/bob", "d/alice"), EPERM);
	CHECK(!unlink("d/bob"));
}

static void setgid_directory_hands_its_group_on(void)
{
	struct stat st;
	shared_dir();
	CHECK(!mkdir("d", 0777) && !chown("d", 0, STAFF) && !chmod("d", 02777));
	become(ALICE, ALICE);
	umask(0);
	CHECK(!mkdir("d/e", 0755));
	CHECK(!stat("d/e", &st));
	CHECK(st.st_gid == STAFF && (st.st_mode & 02000));
	int fd = open("d/f", O_CREAT | O_RDWR, 02770);
	CHECK(fd >= 0 && !fstat(fd, &st));
	CHECK(st.st_gid == STAFF && !(st.st_mode & 02000)); /* not a member */
}

static void only_owners_change_modes(void)
{
	struct stat st;
	shared_dir();
	make("f", 0666, ALICE, ALICE);
	pid_t pid = fork();
	if (!pid) {
		become(BOB, BOB);
		_exit(chmod("f", 0777) != -1 || errno != EPERM ||
		      chown("f", BOB, (gid_t)-1) != -1 || errno != EPERM);
	}
	CHECK_EQ(tap_wait(pid), 0);
	become(ALICE, ALICE);
	CHECK(!chmod("f", 04755));
	CHECK_ERR(chown("f", BOB, (gid_t)-1), EPERM);
	CHECK_ERR(chown("f", (uid_t)-1, STAFF), EPERM);
	CHECK(!chown("f", (uid_t)-1, ALICE));
	CHECK(!stat("f", &st));
	CHECK(!(st.st_mode & 04000)); /* chown takes set-user-ID away */
	CHECK(!chmod("f", 04755));
	int fd = open("f", O_WRONLY);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK(!stat("f", &st) && !(st.st_mode & 04000)); /* and so does a write */
}

static void access_uses_real_ids(void)
{
	shared_dir();
	make("f", 0600, 0, 0);
	CHECK(!setresuid(ALICE, 0, 0));
	CHECK_ERR(access("f", R_OK), EACCES);
	CHECK(!faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
	CHECK(open("f", O_RDONLY) >= 0);
}

static void root_needs_some_x_to_execute(void)
{
	char *argv[] = { "f", NULL };
	shared_dir();
	make("f", 0644, 0, 0);
	CHECK_ERR(access("f", X_OK), EACCES);
	CHECK_ERR(execv("f", argv), EACCES);
	CHECK(!chmod("f", 0645));
	CHECK(!access("f", X_OK));
}

static void set_id_calls(void)
{
	uid_t r, e, s;
	need_root();
	CHECK(!setresuid(ALICE, BOB, 0));
	CHECK(!getresuid(&r, &e, &s) && r == ALICE && e == BOB && s == 0);
	CHECK_ERR(setresuid(9, 9, 9), EPERM);
	CHECK(!seteuid(0)); /* from the saved id */
	CHECK_EQ(geteuid(), 0);
	CHECK(!setuid(ALICE)); /* privileged: all three */
	CHECK(!getresuid(&r, &e, &s) && r == ALICE && e == ALICE && s == ALICE);
	CHECK_ERR(seteuid(0), EPERM);
	CHECK_ERR(setgroups(0, NULL), EPERM);
	CHECK_ERR(setgid(STAFF), EPERM);
}

static void fsuid_returns_the_old_one(void)
{
	need_root();
	CHECK_EQ(setfsuid(ALICE), 0);
	CHECK_EQ(setfsuid((uid_t)-1), ALICE);
	CHECK_EQ(setfsuid(0), ALICE);
}

static void groups_are_a_set(void)
{
	gid_t in[3] = { 30, 10, 20 }, out[8];
	need_root();
	CHECK(!setgroups(3, in));
	CHECK_EQ(getgroups(0, NULL), 3);
	CHECK_EQ(getgroups(8, out), 3);
	CHECK_ERR(getgroups(1, out), EINVAL);
	CHECK_ERR(setgroups(65537, in), EINVAL);
	gid_t *many = calloc(65536, sizeof *many);
	CHECK(!setgroups(65536, many));
}

static void signals_need_the_same_user(void)
{
	need_root();
	pid_t pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	pid_t other = fork();
	if (!other) {
		become(ALICE, ALICE);
		_exit(kill(pid, SIGTERM) != -1 || errno != EPERM);
	}
	CHECK_EQ(tap_wait(other), 0);
	CHECK(!kill(pid, SIGKILL));
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGKILL);
}

static void nice_goes_one_way(void)
{
	need_root();
	become(ALICE, ALICE);
	CHECK(!setpriority(PRIO_PROCESS, 0, 5));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_ERR(setpriority(PRIO_PROCESS, 0, 0), EACCES);
	CHECK(!setpriority(PRIO_PROCESS, 0, 100));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
}

static void umask_applies(void)
{
	struct stat st;
	tap_tmpdir();
	CHECK_EQ(umask(027) & ~0777u, 0);
	int fd = open("f", O_CREAT | O_RDWR, 0666);
	CHECK(fd >= 0 && !fstat(fd, &st));
	CHECK_EQ(st.st_mode & 0777, 0640);
	CHECK_EQ(umask(0), 027);
}

TEST_MAIN(CASE(mode_bits_by_class), CASE(owner_class_wins_over_others),
	  CASE(search_needs_x), CASE(directory_changes_need_w),
	  CASE(sticky_directory_protects), CASE(setgid_directory_hands_its_group_on),
	  CASE(only_owners_change_modes), CASE(access_uses_real_ids),
	  CASE(root_needs_some_x_to_execute), CASE(set_id_calls),
	  CASE(fsuid_returns_the_old_one), CASE(groups_are_a_set),
	  CASE(signals_need_the_same_user), CASE(nice_goes_one_way), CASE(umask_applies))

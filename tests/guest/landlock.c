/* landlock(7): rulesets, what they allow below which folders, and who may be
 * restricted. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ALL ((LANDLOCK_ACCESS_FS_REFER << 1) - 1)

static int create(const void *attr, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

static int add(int ruleset, int type, const void *attr, unsigned flags)
{
	return (int)syscall(SYS_landlock_add_rule, ruleset, type, attr, flags);
}

static int restrict_self(int ruleset, unsigned flags)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, flags);
}

static int ruleset_of(uint64_t handled)
{
	struct landlock_ruleset_attr a = { .handled_access_fs = handled };

	return create(&a, sizeof a, 0);
}

static int allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr a = {
		.allowed_access = access,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	int r = add(ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
	int error = errno;

	close(a.parent_fd);
	errno = error;
	return r;
}

static int enforce(int ruleset)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return restrict_self(ruleset, 0);
}

static int rename2(const char *from, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags, 0600);
	int error = fd < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

/* A folder with in/file, out/file, and links from each to the other. */
static void folders(void)
{
	char folder[] = "/tmp/landlock.XXXXXX";

	CHECK(mkdtemp(folder) && !chdir(folder) && !chmod(folder, 0777));
	CHECK(!mkdir("in", 0777) && !mkdir("out", 0777));
	CHECK(!symlink("../out/file", "in/link") && !symlink("../in/file", "out/back"));
	CHECK(!opens("in/file", O_WRONLY | O_CREAT));
	int fd = open("out/file", O_WRONLY | O_CREAT, 0600);
	CHECK(write(fd, "x", 1) == 1);
	close(fd);
}

/* ---- what the calls themselves refuse ---- */

static void create_checks(void)
{
	struct landlock_ruleset_attr a = { .handled_access_fs = READ };
	char long_attr[64] = { 0 };

	CHECK(create(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 2);
	CHECK_ERR(create(&a, sizeof a, LANDLOCK_CREATE_RULESET_VERSION), EINVAL);
	CHECK_ERR(create(&a, sizeof a, 1u << 31), EINVAL);
	CHECK_ERR(create(NULL, sizeof a, 0), EFAULT);
	CHECK_ERR(create(&a, 4, 0), EINVAL);
	CHECK_ERR(create(&a, 8192, 0), E2BIG);
	memcpy(long_attr, &a, sizeof a);
	CHECK(create(long_attr, sizeof long_attr, 0) >= 0);
	CHECK_ERR(ruleset_of(0), ENOMSG);
	CHECK_ERR(ruleset_of(1ull << 60), EINVAL);
	int fd = ruleset_of(READ);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

static void add_checks(void)
{
	int null = open("/dev/null", O_RDONLY), fd = ruleset_of(READ);
	struct landlock_path_beneath_attr p = { .allowed_access = READ,
						.parent_fd = null };

	CHECK_ERR(add(fd, LANDLOCK_RULE_PATH_BENEATH, &p, 1), EINVAL);
	CHECK_ERR(add(-1, LANDLOCK_RULE_PATH_BENEATH, &p, 0), EBADF);
	CHECK_ERR(add(null, LANDLOCK_RULE_PATH_BENEATH, &p, 0), EBADFD);
	CHECK_ERR(add(fd, 99, &p, 0), EINVAL);
	CHECK_ERR(add(fd, LANDLOCK_RULE_PATH_BENEATH, NULL, 0), EFAULT);
	CHECK_ERR(add(fd, LANDLOCK_RULE_PATH_BENEATH, &p, 0), EINVAL);
	p.allowed_access = 0;
	CHECK_ERR(add(fd, LANDLOCK_RULE_PATH_BENEATH, &p, 0), ENOMSG);
	p.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE;
	CHECK_ERR(add(fd, LANDLOCK_RULE_PATH_BENEATH, &p, 0), EINVAL);
	p.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
	p.parent_fd = 999;
	CHECK_ERR(add(fd, LANDLOCK_RULE_PATH_BENEATH, &p, 0), EBADF);
	p.parent_fd = fd;
	CHECK_ERR(add(fd, LANDLOCK_RULE_PATH_BENEATH, &p, 0), EBADFD);
	p.parent_fd = null;
	CHECK(!add(fd, LANDLOCK_RULE_PATH_BENEATH, &p, 0));
}

static void restrict_checks(void)
{
	int null = open("/dev/null", O_RDONLY), fd = ruleset_of(READ);

	tap_needs_root();
	CHECK_ERR(restrict_self(fd, 1u << 31), EINVAL);
	CHECK_ERR(restrict_self(null, 0), EBADFD);
	CHECK_ERR(restrict_self(-1, 0), EBADF);
	CHECK(!setresuid(1000, 1000, 1000));
	CHECK_ERR(restrict_self(fd, 0), EPERM);
	CHECK(!enforce(fd));
}

/* ---- rules ---- */

static void reads_below_a_folder_by_any_name(void)
{
	folders();
	int fd = ruleset_of(READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
	CHECK(!allow(fd, "in", READ) && !enforce(fd));
	CHECK_EQ(opens("in/file", O_RDONLY), 0);
	CHECK_EQ(opens("in", O_RDONLY), 0);
	CHECK_EQ(opens("in/file", O_WRONLY), EACCES);
	CHECK_EQ(opens("out/file", O_RDONLY), EACCES);
	CHECK_EQ(opens("out", O_RDONLY), EACCES);
	CHECK_EQ(opens("out/file", O_PATH), 0);
	CHECK_EQ(opens("in/link", O_RDONLY), EACCES);
	CHECK_EQ(opens("out/back", O_RDONLY), 0);
	CHECK_EQ(opens("in/../out/file", O_RDONLY), EACCES);
	CHECK_EQ(opens("out/made", O_WRONLY | O_CREAT), EACCES);
}

static void makes_and_removes_below_a_folder(void)
{
	const uint64_t make =
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_WRITE_FILE |
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR;

	folders();
	int fd = ruleset_of(ALL & ~(uint64_t)READ);
	CHECK(!allow(fd, "in", make) && !enforce(fd));
	CHECK_EQ(opens("in/new", O_WRONLY | O_CREAT), 0);
	CHECK_EQ(opens("out/new", O_WRONLY | O_CREAT), EACCES);
	CHECK(!mkdir("in/dir", 0700));
	CHECK_ERR(mkdir("out/dir", 0700), EACCES);
	CHECK_ERR(rmdir("in/dir"), EACCES);
	CHECK_ERR(symlink("x", "in/sym"), EACCES);
	CHECK_ERR(mkfifo("in/fifo", 0600), EACCES);
	CHECK(!rename("in/new", "in/other"));
	CHECK_ERR(rename("in/other", "out/other"), EACCES);
	CHECK(!link("in/other", "in/second"));
	CHECK(!unlink("in/second"));
	CHECK_ERR(unlink("out/file"), EACCES);
}

/* With all rights, to move between folders or not among them. */
static int moves(uint64_t access)
{
	folders();
	int fd = ruleset_of(ALL);
	CHECK(!allow(fd, "in", access) && !allow(fd, "out", access) && !enforce(fd));
	return rename("in/file", "out/moved");
}

static void no_name_in_another_folder(void)
{
	CHECK_ERR(moves(ALL & ~(uint64_t)LANDLOCK_ACCESS_FS_REFER), EXDEV);
}

static void a_name_in_another_folder_with_the_right(void)
{
	CHECK(!moves(ALL));
}

static void a_move_gains_no_rights(void)
{
	const uint64_t change = LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_MAKE_REG |
				LANDLOCK_ACCESS_FS_REMOVE_FILE;

	folders();
	int fd = ruleset_of(change | READ);
	CHECK(!allow(fd, "in", change | READ) && !allow(fd, "out", change) &&
	      !enforce(fd));
	CHECK_ERR(rename("out/file", "in/stolen"), EXDEV);
	CHECK_ERR(link("out/file", "in/stolen"), EXDEV);
	CHECK_EQ(opens("out/file", O_RDONLY), EACCES);
	CHECK(!rename("in/file", "out/file2"));
	CHECK_ERR(rename("out/file2", "in/file"), EXDEV);
}

/* Whose own rule says as much wherever it is. */
static void a_rule_goes_with_its_file(void)
{
	const uint64_t change = LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_MAKE_REG |
				LANDLOCK_ACCESS_FS_REMOVE_FILE;

	folders();
	int fd = ruleset_of(change | READ);
	CHECK(!allow(fd, "in", change | READ) && !allow(fd, "out", change) &&
	      !allow(fd, "out/file", LANDLOCK_ACCESS_FS_READ_FILE) && !enforce(fd));
	CHECK(!rename("out/file", "in/moved"));
	CHECK(!rename("in/moved", "out/file"));
	CHECK_EQ(opens("out/file", O_RDONLY), 0);
}

static void exchange_gains_no_rights(void)
{
	const uint64_t change = LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_MAKE_REG |
				LANDLOCK_ACCESS_FS_REMOVE_FILE;

	folders();
	int fd = ruleset_of(change | READ);
	CHECK(!allow(fd, "in", change | READ) && !allow(fd, "out", change) &&
	      !enforce(fd));
	CHECK_ERR(rename2("in/file", "out/file", RENAME_EXCHANGE), EXDEV);
	CHECK(!link("in/file", "in/second"));
	CHECK(!rename2("in/file", "in/second", RENAME_EXCHANGE));
}

static void a_second_ruleset_narrows(void)
{
	folders();
	int first = ruleset_of(READ), second = ruleset_of(READ);
	CHECK(!allow(first, "in", READ) && !allow(second, "in", READ) &&
	      !allow(second, "out", READ) && !enforce(first) && !enforce(second));
	CHECK_EQ(opens("in/file", O_RDONLY), 0);
	CHECK_EQ(opens("out/file", O_RDONLY), EACCES);
}

static void sixteen_layers(void)
{
	int fd = ruleset_of(LANDLOCK_ACCESS_FS_EXECUTE);

	for (int i = 0; i < 16; i++)
		CHECK(!enforce(fd));
	CHECK_ERR(enforce(fd), E2BIG);
}

static void what_is_open_stays_but_not_its_name(void)
{
	char byte, name[32];

	folders();
	int fd = ruleset_of(READ), file = open("out/file", O_RDONLY);
	snprintf(name, sizeof name, "/proc/self/fd/%d", file);
	CHECK_EQ(opens(name, O_RDONLY), 0);
	CHECK(!enforce(fd));
	CHECK(read(file, &byte, 1) == 1);
	CHECK_EQ(opens(name, O_RDONLY), EACCES);
}

static void pipes_and_memory_files_are_free(void)
{
	int fd = ruleset_of(ALL), p[2];
	char name[32];

	CHECK(!enforce(fd) && !pipe(p));
	int mem = memfd_create("free", 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", mem);
	CHECK_EQ(opens("/dev/null", O_RDONLY), EACCES);
	CHECK_EQ(opens(name, O_RDWR), 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", p[0]);
	CHECK_EQ(opens(name, O_RDONLY), 0);
}

static void children_and_threads_inherit(void)
{
	int fd = ruleset_of(READ), status;

	CHECK(!enforce(fd));
	pid_t pid = fork();
	if (!pid)
		_exit(opens("/dev/null", O_RDONLY));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), EACCES);
}

static void no_mounts(void)
{
	tap_needs_root();
	folders();
	CHECK(!enforce(ruleset_of(LANDLOCK_ACCESS_FS_EXECUTE)));
	CHECK_ERR(mount("none", "in", "tmpfs", 0, NULL), EPERM);
}

static void execution(void)
{
	char *const argv[] = { "x", NULL };

	folders();
	int fd = ruleset_of(LANDLOCK_ACCESS_FS_EXECUTE);
	CHECK(!allow(fd, "in", LANDLOCK_ACCESS_FS_EXECUTE) && !enforce(fd));
	CHECK_ERR(execv("/proc/self/exe", argv), EACCES);
}

/* ---- others ---- */

static pid_t waiting(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void only_what_is_as_restricted_is_traced(void)
{
	int fd = ruleset_of(READ), status;
	pid_t wide = waiting();

	CHECK(!enforce(fd));
	pid_t narrow = waiting();
	CHECK_ERR(ptrace(PTRACE_ATTACH, wide, 0, 0), EPERM);
	CHECK(!ptrace(PTRACE_ATTACH, narrow, 0, 0));
	CHECK(!kill(wide, SIGKILL) && !kill(narrow, SIGKILL));
	CHECK(waitpid(wide, &status, 0) == wide);
}

TEST_MAIN(CASE(create_checks), CASE(add_checks), CASE(restrict_checks),
	  CASE(reads_below_a_folder_by_any_name), CASE(makes_and_removes_below_a_folder),
	  CASE(no_name_in_another_folder), CASE(a_name_in_another_folder_with_the_right),
	  CASE(a_move_gains_no_rights), CASE(a_rule_goes_with_its_file),
	  CASE(exchange_gains_no_rights), CASE(a_second_ruleset_narrows),
	  CASE(sixteen_layers), CASE(what_is_open_stays_but_not_its_name),
	  CASE(pipes_and_memory_files_are_free), CASE(children_and_threads_inherit),
	  CASE(no_mounts), CASE(execution), CASE(only_what_is_as_restricted_is_traced))

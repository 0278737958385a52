/* Directories, links and renames. mkdir(2), rename(2), link(2), symlink(2),
 * getdents64(2). */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/tap.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

static void touch(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, name, strlen(name)), strlen(name));
	close(fd);
}

static int rename2(const char *a, const char *b, unsigned flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

static void mkdir_and_rmdir(void)
{
	struct stat st;
	tap_tmpdir();
	umask(022);
	CHECK(!mkdir("d", 0777));
	CHECK(!stat("d", &st));
	CHECK_EQ(st.st_mode, S_IFDIR | 0755);
	CHECK_EQ(st.st_nlink, 2);
	CHECK(!mkdir("d/e", 0700));
	CHECK(!stat("d", &st));
	CHECK_EQ(st.st_nlink, 3);
	CHECK_ERR(mkdir("d", 0777), EEXIST);
	CHECK_ERR(mkdir("no/d", 0777), ENOENT);
	CHECK_ERR(rmdir("d"), ENOTEMPTY);
	CHECK_ERR(rmdir("d/e/."), EINVAL);
	CHECK_ERR(rmdir("d/e/.."), ENOTEMPTY);
	CHECK_ERR(unlink("d"), EISDIR);
	CHECK(!rmdir("d/e/"));
	CHECK(!rmdir("d"));
	CHECK_ERR(rmdir("/"), EBUSY);
	touch("f");
	CHECK_ERR(rmdir("f"), ENOTDIR);
	CHECK_ERR(mkdir("f/d", 0777), ENOTDIR);
}

static void removed_directory_is_dead(void)
{
	char buf[256];
	tap_tmpdir();
	CHECK(!mkdir("d", 0755));
	CHECK(!chdir("d"));
	CHECK(!rmdir("../d"));
	CHECK_ERR(open("x", O_CREAT | O_RDWR, 0600), ENOENT);
	CHECK_ERR(mkdir("y", 0700), ENOENT);
	CHECK(!getcwd(buf, sizeof buf) && errno == ENOENT);
}

static void rename_replaces(void)
{
	struct stat st;
	tap_tmpdir();
	touch("a");
	touch("bb");
	CHECK(!rename("a", "bb"));
	CHECK(!stat("bb", &st));
	CHECK_EQ(st.st_size, 1);
	CHECK_ERR(stat("a", &st), ENOENT);
	CHECK(!rename("bb", "bb"));
	CHECK(!link("bb", "same"));
	CHECK(!rename("bb", "same")); /* two names of one file: nothing happens */
	CHECK(!stat("bb", &st));
	CHECK_EQ(st.st_nlink, 2);
}

static void rename_errors(void)
{
	tap_tmpdir();
	touch("f");
	CHECK(!mkdir("d", 0755) && !mkdir("d/e", 0755) && !mkdir("empty", 0755));
	CHECK_ERR(rename("d", "d/e/x"), EINVAL);
	CHECK_ERR(rename("f", "d"), EISDIR);
	CHECK_ERR(rename("d", "f"), ENOTDIR);
	CHECK_ERR(rename("empty", "d"), ENOTEMPTY);
	CHECK_ERR(rename("absent", "x"), ENOENT);
	CHECK_ERR(rename("d/.", "x"), EBUSY);
	CHECK_ERR(rename("f", "x/"), ENOTDIR);
	CHECK_ERR(rename2("f", "d", RENAME_NOREPLACE), EEXIST);
	CHECK_ERR(rename2("f", "x", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
	CHECK_ERR(rename2("f", "absent", RENAME_EXCHANGE), ENOENT);
	CHECK(!rename("d/e", "empty"));
	CHECK_ERR(rmdir("d/e"), ENOENT);
}

static void rename_exchanges(void)
{
	struct stat st;
	tap_tmpdir();
	touch("f");
	CHECK(!mkdir("d", 0755));
	CHECK(!rename2("f", "d", RENAME_EXCHANGE));
	CHECK(!stat("f", &st) && S_ISDIR(st.st_mode));
	CHECK(!stat("d", &st) && S_ISREG(st.st_mode));
}

static void rename_moves_directories(void)
{
	char cwd[256], want[256];
	const char *top = tap_tmpdir();
	CHECK(!mkdir("a", 0755) && !mkdir("a/b", 0755) && !mkdir("c", 0755));
	CHECK(!chdir("a/b"));
	CHECK(!rename("../../a", "../../c/moved"));
	CHECK(getcwd(cwd, sizeof cwd));
	snprintf(want, sizeof want, "%s/c/moved/b", top);
	CHECK(!strcmp(cwd, want));
	struct stat st;
	CHECK(!stat("../../moved", &st));
}

static void hard_links(void)
{
	struct stat a, b;
	tap_tmpdir();
	touch("f");
	CHECK(!mkdir("d", 0755));
	CHECK(!link("f", "g"));
	CHECK(!stat("f", &a) && !stat("g", &b));
	CHECK(a.st_ino == b.st_ino && a.st_nlink == 2);
	CHECK_ERR(link("f", "g"), EEXIST);
	CHECK_ERR(link("d", "dd"), EPERM);
	CHECK_ERR(link("absent", "x"), ENOENT);
	CHECK(!symlink("f", "s"));
	CHECK(!link("s", "t"));
	CHECK(!lstat("t", &a) && S_ISLNK(a.st_mode));
	CHECK(!linkat(AT_FDCWD, "s", AT_FDCWD, "u", AT_SYMLINK_FOLLOW));
	CHECK(!lstat("u", &a) && S_ISREG(a.st_mode));
}

static void symbolic_links(void)
{
	char buf[64];
	struct stat st;
	tap_tmpdir();
	CHECK(!mkdir("d", 0755));
	touch("d/f");
	CHECK(!symlink("d", "l"));
	CHECK(!stat("l/f", &st));
	CHECK_EQ(readlink("l", buf, sizeof buf), 1);
	CHECK_EQ(buf[0], 'd');
	CHECK_EQ(readlink("l", buf, 0 + 1), 1);
	CHECK_ERR(readlink("d", buf, sizeof buf), EINVAL);
	CHECK_ERR(symlink("x", "l"), EEXIST);
	CHECK_ERR(symlink("", "e"), ENOENT);
	CHECK(!symlink("nowhere", "dangling"));
	CHECK_ERR(stat("dangling", &st), ENOENT);
	CHECK(!lstat("dangling", &st));
	CHECK_EQ(st.st_size, 7);
	int fd = open("dangling", O_CREAT | O_WRONLY, 0600); /* makes the target */
	CHECK(fd >= 0);
	CHECK(!stat("nowhere", &st));
	CHECK(!lstat("l/", &st) && S_ISDIR(st.st_mode));
	CHECK_ERR(rmdir("l"), ENOTDIR);
	CHECK(!unlink("l"));
}

static void forty_links_and_no_more(void)
{
	char from[16], to[16] = "f";
	struct stat st;
	tap_tmpdir();
	touch("f");
	for (int i = 1; i <= 41; i++) {
		snprintf(from, sizeof from, "l%d", i);
		CHECK(!symlink(to, from));
		strcpy(to, from);
	}
	CHECK(!stat("l40", &st));
	CHECK_ERR(stat("l41", &st), ELOOP);
}

static int count_entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;
	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void listing_is_complete(void)
{
	char name[32];
	tap_tmpdir();
	CHECK(!mkdir("d", 0755));
	CHECK_EQ(count_entries("d"), 2);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "d/entry-%d", i);
		touch(name);
	}
	CHECK_EQ(count_entries("d"), 1002);
}

static void listing_survives_removal(void)
{
	char name[64];
	struct dirent *e;
	int seen = 0;
	tap_tmpdir();
	CHECK(!mkdir("d", 0755));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "d/%d", i);
		touch(name);
	}
	DIR *d = opendir("d");
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		seen++;
		CHECK_EQ(e->d_type, DT_REG);
		CHECK(!unlinkat(dirfd(d), e->d_name, 0));
	}
	closedir(d);
	CHECK_EQ(seen, 300);
	CHECK(!rmdir("d"));
}

static void dot_dot_stops_at_root(void)
{
	struct stat a, b;
	CHECK(!stat("/", &a) && !stat("/../../..", &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

static void at_calls_are_relative(void)
{
	struct stat st;
	tap_tmpdir();
	CHECK(!mkdir("d", 0755));
	int d = open("d", O_RDONLY | O_DIRECTORY);
	CHECK(!mkdirat(d, "e", 0755));
	int fd = openat(d, "f", O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0);
	CHECK(!fstatat(d, "../d/f", &st, 0));
	CHECK(!renameat(d, "f", AT_FDCWD, "f"));
	CHECK(!unlinkat(d, "e", AT_REMOVEDIR));
	CHECK_ERR(unlinkat(d, "e", 0x4000), EINVAL);
	CHECK_ERR(fstatat(fd, "x", &st, 0), ENOTDIR);
	CHECK(!fstatat(fd, "", &st, AT_EMPTY_PATH));
}

TEST_MAIN(CASE(mkdir_and_rmdir), CASE(removed_directory_is_dead), CASE(rename_replaces),
	  CASE(rename_errors), CASE(rename_exchanges), CASE(rename_moves_directories),
	  CASE(hard_links), CASE(symbolic_links), CASE(forty_links_and_no_more),
	  CASE(listing_is_complete), CASE(listing_survives_removal),
	  CASE(dot_dot_stops_at_root), CASE(at_calls_are_relative))

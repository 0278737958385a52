/* Mounts, chroot and pivot_root. mount(2), umount2(2), pivot_root(2), chroot(2). They
 * change the whole machine, so they run on Mayfly alone. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/tap.h"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void expect(const char *path, const char *text)
{
	char buf[256] = "";
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	CHECK_EQ(read(fd, buf, sizeof buf - 1), strlen(text));
	CHECK(!strcmp(buf, text));
	close(fd);
}

static void begin(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	tap_tmpdir();
}

static void a_mount_covers_and_uncovers(void)
{
	begin();
	CHECK(!mkdir("m", 0755));
	put("m/below", "b");
	CHECK(!mount("none", "m", "tmpfs", 0, "size=64k,mode=700"));
	CHECK_ERR(access("m/below", F_OK), ENOENT);
	put("m/above", "a");
	struct stat st, up;
	CHECK(!stat("m", &st));
	CHECK_EQ(st.st_mode & 07777, 0700);
	CHECK(!stat("m/..", &up));
	CHECK(st.st_dev != up.st_dev);
	CHECK_ERR(rmdir("m"), EBUSY);
	CHECK_ERR(rename("m/above", "above"), EXDEV);
	int fd = open("m/above", O_RDONLY);
	CHECK_ERR(umount("m"), EBUSY);
	CHECK(!umount2("m", MNT_DETACH));
	char c;
	CHECK_EQ(read(fd, &c, 1), 1);
	close(fd);
	expect("m/below", "b");
	CHECK_ERR(umount("m"), EINVAL);
}

static void mount_errors(void)
{
	begin();
	CHECK(!mkdir("m", 0755));
	put("f", "f");
	CHECK_ERR(mount("none", "m", "nofs", 0, NULL), ENODEV);
	CHECK_ERR(mount("none", "none", "tmpfs", 0, NULL), ENOENT);
	CHECK_ERR(mount("none", "f", "tmpfs", 0, NULL), ENOTDIR);
	CHECK_ERR(mount("none", "m", "tmpfs", 0, "bogus=1"), EINVAL);
	CHECK_ERR(mount("m", "f", NULL, MS_BIND, NULL), ENOTDIR);
	CHECK_ERR(umount("f"), EINVAL);
	CHECK_ERR(umount2("m", 64), EINVAL);
	/* What is in no tree can be mounted nowhere, and nothing on it. */
	int p[2];
	CHECK(!pipe(p));
	char fd[32];
	snprintf(fd, sizeof fd, "/proc/self/fd/%d", p[0]);
	CHECK_ERR(mount(fd, "f", NULL, MS_BIND, NULL), EINVAL);
	CHECK(!mount("none", "m", "tmpfs", 0, NULL));
	CHECK(!chdir("m"));
	CHECK(!mkdir("sub", 0755));
	CHECK(!umount2("../m", MNT_DETACH));
	CHECK_ERR(mount("none", "sub", "tmpfs", 0, NULL), EINVAL);
	CHECK_ERR(mount("sub", "/tmp", NULL, MS_BIND, NULL), EINVAL);
	int pid = fork();
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		if (mount("none", "/tmp", "tmpfs", 0, NULL) != -1 || errno != EPERM)
			_exit(2);
		_exit(umount("/proc") == -1 && errno == EPERM ? 0 : 3);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void full_means_enospc(void)
{
	static char block[65536];
	struct statfs s;

	begin();
	CHECK(!mkdir("m", 0755));
	CHECK(!mount("none", "m", "tmpfs", 0, "size=128k,nr_inodes=4"));
	int fd = open("m/f", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(write(fd, block, sizeof block), sizeof block);
	CHECK_EQ(write(fd, block, sizeof block), sizeof block);
	CHECK_ERR(write(fd, block, 1), ENOSPC);
	CHECK(!statfs("m", &s));
	CHECK_EQ(s.f_blocks, 32);
	CHECK_EQ(s.f_bfree, 0);
	CHECK(!ftruncate(fd, 0));
	CHECK_EQ(write(fd, block, 1), 1);
	close(fd);
	put("m/2", "2");
	put("m/3", "3");
	CHECK_ERR(open("m/4", O_CREAT | O_WRONLY, 0600), ENOSPC);
	CHECK(!umount("m"));
}

static void flags_forbid(void)
{
	begin();
	CHECK(!mkdir("m", 0755));
	CHECK(!mount("none", "m", "tmpfs", MS_NOEXEC | MS_NODEV, NULL));
	put("m/prog", "#!/bin/sh\n");
	CHECK_ERR(execl("m/prog", "prog", NULL), EACCES);
	CHECK_ERR(access("m/prog", X_OK), EACCES);
	CHECK(!mknod("m/null", S_IFCHR | 0666, 0x103));
	CHECK_ERR(open("m/null", O_RDWR), EACCES);
	CHECK(!mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	CHECK_ERR(open("m/new", O_CREAT | O_WRONLY, 0600), EROFS);
	CHECK_ERR(unlink("m/prog"), EROFS);
	CHECK_ERR(chmod("m/prog", 0600), EROFS);
	CHECK_ERR(access("m/prog", W_OK), EROFS);
	CHECK(!mount(NULL, "m", NULL, MS_REMOUNT, NULL));
	put("m/new", "now");
	int fd = open("m/new", O_WRONLY);
	CHECK_ERR(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	CHECK(!umount("m"));
}

static void binds_show_the_same_files(void)
{
	begin();
	CHECK(!mkdir("a", 0755) && !mkdir("a/sub", 0755) && !mkdir("b", 0755));
	put("a/f", "one");
	CHECK(!mount("none", "a/sub", "tmpfs", 0, NULL));
	put("a/sub/s", "sub");
	CHECK(!mount("a", "b", NULL, MS_BIND, NULL));
	expect("b/f", "one");
	CHECK_ERR(access("b/sub/s", F_OK), ENOENT);
	CHECK(!umount("b"));
	CHECK(!mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
	expect("b/sub/s", "sub");
	CHECK(!mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	CHECK_ERR(open("b/f", O_WRONLY), EROFS);
	put("a/f", "two");
	expect("b/f", "two");
	CHECK(!umount2("b", MNT_DETACH));
	put("t", "file on file");
	put("u", "under");
	CHECK(!mount("t", "u", NULL, MS_BIND, NULL));
	expect("u", "file on file");
	CHECK(!umount("u"));
	expect("u", "under");
	CHECK(!umount("a/sub"));
}

static void mounts_move(void)
{
	begin();
	CHECK(!mkdir("a", 0755) && !mkdir("b", 0755));
	CHECK(!mount("none", "a", "tmpfs", 0, NULL));
	put("a/f", "x");
	CHECK(!mkdir("a/in", 0755));
	CHECK_ERR(mount("a", "a/in", NULL, MS_MOVE, NULL), ELOOP);
	CHECK(!mount("a", "b", NULL, MS_MOVE, NULL));
	expect("b/f", "x");
	CHECK_ERR(access("a/f", F_OK), ENOENT);
	CHECK_ERR(mount("a", "b", NULL, MS_MOVE, NULL), EINVAL);
	CHECK(!umount("b"));
}

static void overlays_merge(void)
{
	begin();
	CHECK(!mkdir("l", 0755) && !mkdir("u", 0755) && !mkdir("w", 0755) &&
	      !mkdir("o", 0755));
	put("l/f", "lower");
	put("l/g", "gone");
	CHECK(!mkdir("u/dir", 0755));
	/* The root is an overlay already, and so are these: layers must be something
	 * else. */
	CHECK_ERR(mount("o", "o", "overlay", 0, "lowerdir=l,upperdir=u,workdir=w"),
		  EINVAL);
	CHECK(!mkdir("t", 0755));
	CHECK(!mount("none", "t", "tmpfs", 0, NULL));
	CHECK(!mkdir("t/l", 0755) && !mkdir("t/u", 0755) && !mkdir("t/w", 0755));
	put("t/l/f", "lower");
	put("t/l/g", "gone");
	CHECK(!mount("o", "o", "overlay", 0, "lowerdir=t/l,upperdir=t/u,workdir=t/w"));
	expect("o/f", "lower");
	put("o/f", "upper");
	CHECK(!unlink("o/g"));
	struct stat st;
	CHECK(!stat("t/u/g", &st));
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	CHECK(!umount("o"));
	expect("t/l/f", "lower");
	expect("t/u/f", "upper");
	/* What was changed is there again. */
	CHECK(!mount("o", "o", "overlay", 0, "lowerdir=t/l,upperdir=t/u,workdir=t/w"));
	expect("o/f", "upper");
	CHECK_ERR(access("o/g", F_OK), ENOENT);
	CHECK(!umount("o"));
	CHECK(!umount("t"));
}

static void chroot_confines(void)
{
	char buf[256];

	begin();
	CHECK(!mkdir("jail", 0755));
	put("jail/f", "inside");
	CHECK(!symlink("/f", "jail/link"));
	CHECK(!chroot("jail"));
	/* Outside still, until chdir. */
	CHECK(syscall(SYS_getcwd, buf, sizeof buf) > 0);
	CHECK(!strncmp(buf, "(unreachable)", 13));
	CHECK(!chdir("/"));
	CHECK(getcwd(buf, sizeof buf));
	CHECK(!strcmp(buf, "/"));
	expect("/../../f", "inside");
	expect("/link", "inside");
}

static void pivot_root_swaps(void)
{
	begin();
	CHECK(!mkdir("new", 0755));
	CHECK_ERR(syscall(SYS_pivot_root, "new", "new"), EBUSY);
	CHECK(!mount("none", "new", "tmpfs", 0, NULL));
	CHECK(!mkdir("new/old", 0755));
	put("new/here", "new root");
	char cwd[256], old[300];
	CHECK(getcwd(cwd, sizeof cwd));
	CHECK(!syscall(SYS_pivot_root, "new", "new/old"));
	expect("/here", "new root");
	snprintf(old, sizeof old, "/old%s", cwd);
	CHECK(!access(old, F_OK));
	/* And back, so that the others still have their files. */
	snprintf(old, sizeof old, "/old%s/new", cwd);
	CHECK(!syscall(SYS_pivot_root, "/old", old));
	CHECK(!access(cwd, F_OK));
	CHECK(!chdir(cwd));
	expect("new/here", "new root");
	CHECK(!umount2("new", MNT_DETACH));
}

TEST_MAIN(CASE(a_mount_covers_and_uncovers), CASE(mount_errors), CASE(full_means_enospc),
	  CASE(flags_forbid), CASE(binds_show_the_same_files), CASE(mounts_move),
	  CASE(overlays_merge), CASE(chroot_confines), CASE(pivot_root_swaps))

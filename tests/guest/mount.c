/* mount(2), umount2(2), chroot(2), statfs(2), /proc/self/mounts. A case works in a mount
 * namespace of its own where there are such. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

static void begin(void)
{
	tap_needs_root();
	tap_tmpdir();
	if (!tap_on_mayfly()) {
		if (unshare(CLONE_NEWNS))
			tap_skip("no mount namespace");
		CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	}
	CHECK(!mkdir("m", 0755));
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void tmpfs_covers_and_uncovers(void)
{
	struct statfs fs;
	struct stat above, below;
	begin();
	put("m/under", "x");
	CHECK(!stat("m", &below));
	CHECK(!mount("t", "m", "tmpfs", 0, "size=64k,mode=0700"));
	CHECK(!stat("m", &above) && above.st_dev != below.st_dev);
	CHECK_EQ(above.st_mode & 07777, 0700);
	CHECK(!statfs("m", &fs));
	CHECK_EQ(fs.f_type, 0x01021994);
	CHECK_EQ(fs.f_blocks * fs.f_bsize, 65536);
	CHECK_ERR(open("m/under", O_RDONLY), ENOENT);
	put("m/f", "above");
	CHECK_ERR(rename("m/f", "f"), EXDEV);
	CHECK_ERR(link("m/f", "f"), EXDEV);
	CHECK_ERR(rmdir("m"), EBUSY);
	CHECK_ERR(rename("m", "n"), EBUSY);
	CHECK(!umount("m"));
	CHECK(open("m/under", O_RDONLY) >= 0);
	CHECK_ERR(umount("m"), EINVAL);
}

static void tmpfs_is_bounded(void)
{
	static char block[4096];
	begin();
	CHECK(!mount("t", "m", "tmpfs", 0, "size=64k,nr_inodes=10"));
	int fd = open("m/f", O_CREAT | O_WRONLY, 0600), n = 0;
	while (write(fd, block, sizeof block) == sizeof block)
		n++;
	CHECK(errno == ENOSPC && n <= 16 && n >= 12);
	close(fd);
	CHECK(!unlink("m/f"));
	put("m/f", "room again");
	char name[] = "m/g";
	for (n = 0; n < 20 && mknod(name, S_IFREG | 0600, 0) == 0; n++)
		name[2]++;
	CHECK(n < 10 && errno == ENOSPC);
	CHECK(!umount("m"));
}

static void busy_until_let_go(void)
{
	begin();
	CHECK(!mount("t", "m", "tmpfs", 0, NULL));
	put("m/f", "x");
	int fd = open("m/f", O_RDWR);
	CHECK_ERR(umount("m"), EBUSY);
	CHECK(!umount2("m", MNT_DETACH));
	CHECK_ERR(open("m/f", O_RDONLY), ENOENT);
	CHECK_EQ(write(fd, "y", 1), 1);
	close(fd);
	CHECK(!mount("t", "m", "tmpfs", 0, NULL));
	CHECK(!chdir("m"));
	CHECK_ERR(umount("../m"), EBUSY);
	CHECK(!chdir(".."));
	CHECK(!umount("m"));
}

static void read_only(void)
{
	begin();
	CHECK(!mount("t", "m", "tmpfs", 0, NULL));
	put("m/f", "x");
	CHECK(!mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	CHECK_ERR(open("m/f", O_RDWR), EROFS);
	CHECK_ERR(open("m/new", O_CREAT | O_WRONLY, 0600), EROFS);
	CHECK_ERR(unlink("m/f"), EROFS);
	CHECK_ERR(mkdir("m/d", 0700), EROFS);
	CHECK_ERR(chmod("m/f", 0600), EROFS);
	CHECK_ERR(truncate("m/f", 0), EROFS);
	CHECK_ERR(access("m/f", W_OK), EROFS);
	CHECK(open("m/f", O_RDONLY) >= 0);
	CHECK(!mount(NULL, "m", NULL, MS_REMOUNT, NULL));
	CHECK(open("m/f", O_RDWR) >= 0);
}

static void remount_refuses_while_written(void)
{
	begin();
	CHECK(!mount("t", "m", "tmpfs", 0, NULL));
	int fd = open("m/f", O_CREAT | O_WRONLY, 0600);
	CHECK_ERR(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	CHECK(!mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

static int exec_status(const char *path)
{
	pid_t pid = fork();
	if (!pid) {
		execl(path, path, NULL);
		_exit(errno == EACCES ? 77 : 78);
	}
	return WEXITSTATUS(tap_wait(pid));
}

static void copy_self(const char *to)
{
	static char buf[65536];
	int in = open("/proc/self/exe", O_RDONLY);
	int out = open(to, O_CREAT | O_WRONLY, 0755);
	ssize_t n;
	CHECK(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof buf)) > 0)
		CHECK_EQ(write(out, buf, (size_t)n), n);
	close(in);
	close(out);
}

static void noexec_and_nodev(void)
{
	begin();
	CHECK(!mount("t", "m", "tmpfs", MS_NOEXEC | MS_NODEV, NULL));
	put("m/script", "#!/bin/sh\nexit 0\n");
	CHECK_EQ(exec_status("m/script"), 77);
	CHECK_ERR(access("m/script", X_OK), EACCES);
	CHECK(!mknod("m/null", S_IFCHR | 0666, 0x103));
	CHECK_ERR(open("m/null", O_RDWR), EACCES);
	CHECK(!mount(NULL, "m", NULL, MS_REMOUNT, NULL));
	CHECK_EQ(exec_status("m/script"), 0);
	CHECK(open("m/null", O_RDWR) >= 0);
}

/* Run by itself as `mount --euid`: says who it is. */
static void nosuid(void)
{
	begin();
	CHECK(!mount("t", "m", "tmpfs", 0, NULL));
	CHECK(!chmod(".", 0755));
	copy_self("m/prog");
	CHECK(!chown("m/prog", 1234, 1234) && !chmod("m/prog", 06755));
	for (int no = 0; no < 2; no++) {
		if (no)
			CHECK(!mount(NULL, "m", NULL, MS_REMOUNT | MS_NOSUID, NULL));
		pid_t pid = fork();
		if (!pid) {
			if (setresuid(1000, 1000, 1000))
				_exit(99);
			execl("m/prog", "prog", "--euid", NULL);
			_exit(98);
		}
		CHECK_EQ(WEXITSTATUS(tap_wait(pid)), no ? 2 : 1);
	}
}

static void bind_mounts(void)
{
	struct stat a, b;
	begin();
	CHECK(!mkdir("src", 0755) && !mkdir("src/sub", 0755));
	put("src/f", "x");
	CHECK(!mount("src", "m", NULL, MS_BIND, NULL));
	CHECK(!stat("src/f", &a) && !stat("m/f", &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	/* another mount, though one file system */
	CHECK_ERR(rename("m/f", "src/g"), EXDEV);
	CHECK(!mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	CHECK_ERR(open("m/f", O_RDWR), EROFS);
	CHECK(open("src/f", O_RDWR) >= 0); /* only this mount is read-only */
	put("target", "");
	CHECK(!mount("src/f", "target", NULL, MS_BIND, NULL));
	CHECK(!stat("target", &b) && a.st_ino == b.st_ino);
	CHECK_ERR(mount("src", "target", NULL, MS_BIND, NULL), ENOTDIR);
	CHECK(!umount("target") && !umount("m"));
}

static void moved_mounts(void)
{
	begin();
	CHECK(!mkdir("n", 0755));
	CHECK(!mount("t", "m", "tmpfs", 0, NULL));
	put("m/f", "x");
	CHECK(!mount("m", "n", NULL, MS_MOVE, NULL));
	CHECK(!access("n/f", F_OK));
	CHECK_ERR(access("m/f", F_OK), ENOENT);
	CHECK_ERR(mount("m", "n", NULL, MS_MOVE, NULL), EINVAL);
	CHECK(!umount("n"));
}

static void mount_errors(void)
{
	begin();
	CHECK(!chmod(".", 0755));
	put("file", "x");
	CHECK_ERR(mount("t", "absent", "tmpfs", 0, NULL), ENOENT);
	CHECK_ERR(mount("t", "file", "tmpfs", 0, NULL), ENOTDIR);
	CHECK_ERR(mount("t", "m", "nosuchfs", 0, NULL), ENODEV);
	CHECK_ERR(mount("t", "m", (void *)8, 0, NULL), EFAULT);
	CHECK_ERR(umount2("m", 0x100), EINVAL);
	CHECK_ERR(umount("absent"), ENOENT);
	pid_t pid = fork();
	if (!pid) {
		if (setresuid(1000, 1000, 1000))
			_exit(1);
		CHECK_ERR(mount("t", "m", "tmpfs", 0, NULL), EPERM);
		CHECK_ERR(umount("/proc"), EPERM);
		CHECK_ERR(chroot("."), EPERM);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void listed_in_proc(void)
{
	char line[512], dir[128], want[256];
	int seen = 0;
	begin();
	CHECK(getcwd(dir, sizeof dir));
	snprintf(want, sizeof want, "name %s/m tmpfs rw,nosuid", dir);
	CHECK(!mount("name", "m", "tmpfs", MS_NOSUID, NULL));
	FILE *f = fopen("/proc/self/mounts", "r");
	CHECK(f);
	while (fgets(line, sizeof line, f))
		seen += !strncmp(line, want, strlen(want));
	fclose(f);
	CHECK_EQ(seen, 1);
}

static void chroot_confines(void)
{
	begin();
	CHECK(!mkdir("m/sub", 0755));
	put("m/f", "x");
	pid_t pid = fork();
	if (!pid) {
		char cwd[64];
		struct stat a, b;
		CHECK(!chroot("m") && !chdir("/"));
		CHECK(!access("/f", F_OK));
		CHECK_ERR(access("/etc", F_OK), ENOENT);
		CHECK(!stat("/", &a) && !stat("/../../..", &b));
		CHECK_EQ(a.st_ino, b.st_ino);
		CHECK(!symlink("/f", "abs") && !access("abs", F_OK));
		CHECK(getcwd(cwd, sizeof cwd) && !strcmp(cwd, "/"));
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	pid = fork();
	if (!pid) { /* a directory from outside stays outside */
		char cwd[256];
		CHECK(!chroot("m"));
		CHECK(syscall(79 /* getcwd */, cwd, sizeof cwd) > 0);
		CHECK(!strncmp(cwd, "(unreachable)", 13));
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static const struct tap_case cases[] = {
	CASE(tmpfs_covers_and_uncovers),
	CASE(tmpfs_is_bounded),
	CASE(busy_until_let_go),
	CASE(read_only),
	CASE(remount_refuses_while_written),
	CASE(noexec_and_nodev),
	CASE(nosuid),
	CASE(bind_mounts),
	CASE(moved_mounts),
	CASE(mount_errors),
	CASE(listed_in_proc),
	CASE(chroot_confines),
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--euid"))
		return geteuid() == 1234 && getegid() == 1234 ? 1 : 2;
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}

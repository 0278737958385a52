/*
 * chattr(1)'s flags through an overlay: kept by what is copied up, stored in the upper
 * layer, and shown as the image has them. What they forbid on a tmpfs is compared with
 * Linux by tests/guest/diff/iflags.c.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/tap.h"

#define GUARDS (FS_IMMUTABLE_FL | FS_APPEND_FL)

static int flag_get(const char *path)
{
	int fd = open(path, O_RDONLY), flags = -1;
	CHECK(fd >= 0);
	CHECK(!ioctl(fd, FS_IOC_GETFLAGS, &flags));
	close(fd);
	return flags;
}

static int flag_set(const char *path, int flags)
{
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	int r = ioctl(fd, FS_IOC_SETFLAGS, &flags), e = errno;
	close(fd);
	errno = e;
	return r;
}

/* stx_attributes and their mask; linux/stat.h: not every libc shows it. */
static void attributes(const char *path, uint64_t *ret, uint64_t *ret_mask)
{
	uint64_t x[32];
	CHECK(!syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0x7ff, x));
	*ret = x[1];
	*ret_mask = x[7];
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void mount_overlay(void)
{
	CHECK(!mount("o", "m", "overlay", 0, "lowerdir=t/l,upperdir=t/u,workdir=t/w"));
}

/* Layers on a tmpfs: t/l and t/u; the overlay is to be at m. */
static void begin(void)
{
	tap_needs_root();
	tap_tmpdir();
	if (!tap_on_mayfly()) {
		if (unshare(CLONE_NEWNS))
			tap_skip("no mount namespace");
		CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	}
	CHECK(!mkdir("t", 0755) && !mkdir("m", 0755));
	CHECK(!mount("t", "t", "tmpfs", 0, NULL));
	CHECK(!mkdir("t/l", 0755) && !mkdir("t/u", 0755) && !mkdir("t/w", 0755));
}

static void end(void)
{
	CHECK(!umount("m"));
	CHECK(!umount("t"));
}

static void flags_of_lower_hold(void)
{
	begin();
	put("t/l/f", "text");
	CHECK(!mkdir("t/l/d", 0755));
	put("t/l/d/in", "text");
	CHECK(!flag_set("t/l/f", FS_IMMUTABLE_FL | FS_NODUMP_FL));
	CHECK(!flag_set("t/l/d", FS_IMMUTABLE_FL));
	mount_overlay();
	CHECK_EQ(flag_get("m/f"), FS_IMMUTABLE_FL | FS_NODUMP_FL);
	CHECK_ERR(open("m/f", O_WRONLY), EPERM);
	CHECK_ERR(unlink("m/f"), EPERM);
	CHECK_ERR(chmod("m/f", 0600), EPERM);
	CHECK_ERR(unlink("m/d/in"), EPERM);
	CHECK_ERR(open("m/d/new", O_CREAT | O_WRONLY, 0600), EPERM);
	/* What is in the folder is not what the folder is. */
	put("m/d/in", "other");
	CHECK_EQ(flag_get("m/d"), FS_IMMUTABLE_FL);
	CHECK_ERR(unlink("m/d/in"), EPERM);
	CHECK_ERR(mkdir("m/d/new", 0755), EPERM);
	end();
}

static void copying_up_keeps_flags(void)
{
	begin();
	put("t/l/log", "a");
	CHECK(!flag_set("t/l/log", FS_APPEND_FL | FS_NOATIME_FL));
	mount_overlay();
	int fd = open("m/log", O_WRONLY | O_APPEND);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "b", 1), 1);
	CHECK_EQ(flag_get("m/log"), FS_APPEND_FL | FS_NOATIME_FL);
	CHECK_ERR(ftruncate(fd, 0), EPERM);
	CHECK_ERR(open("m/log", O_WRONLY), EPERM);
	CHECK_ERR(unlink("m/log"), EPERM);
	CHECK_ERR(rename("m/log", "m/log.1"), EPERM);
	close(fd);
	CHECK(!flag_set("m/log", 0));
	CHECK(!unlink("m/log"));
	CHECK_EQ(flag_get("t/l/log"), FS_APPEND_FL | FS_NOATIME_FL);
	end();
}

static void setting_copies_up(void)
{
	struct stat s;
	begin();
	put("t/l/f", "text");
	put("t/l/g", "text");
	CHECK(!flag_set("t/l/g", FS_IMMUTABLE_FL));
	mount_overlay();
	CHECK(!flag_set("m/f", FS_IMMUTABLE_FL));
	CHECK(!stat("t/u/f", &s));
	CHECK_EQ(s.st_size, 4);
	CHECK_EQ(flag_get("t/l/f"), 0);
	CHECK_ERR(open("m/f", O_WRONLY), EPERM);
	CHECK(!flag_set("m/g", FS_NODUMP_FL));
	CHECK_EQ(flag_get("m/g"), FS_NODUMP_FL);
	put("m/g", "new");
	CHECK_ERR(flag_set("m/g", FS_EXTENT_FL), EOPNOTSUPP);
	/* The flags are in the layer, not in memory alone. */
	CHECK(!umount("m"));
	mount_overlay();
	CHECK_EQ(flag_get("m/f"), FS_IMMUTABLE_FL);
	CHECK_EQ(flag_get("m/g"), FS_NODUMP_FL);
	CHECK_ERR(open("m/f", O_WRONLY), EPERM);
	end();
}

static void statx_tells_of_the_layer(void)
{
	uint64_t has, mask;
	begin();
	put("t/l/f", "text");
	CHECK(!flag_set("t/l/f", FS_APPEND_FL | FS_NODUMP_FL));
	mount_overlay();
	attributes("m/f", &has, &mask);
	CHECK_EQ(has & 0x974, FS_APPEND_FL | FS_NODUMP_FL);
	CHECK_EQ(mask & 0x974, GUARDS | FS_NODUMP_FL);
	attributes("m", &has, &mask);
	CHECK_EQ(has & 0x974, 0);
	CHECK_EQ(mask & 0x974, GUARDS | FS_NODUMP_FL);
	end();
}

/* Upper needs none of the flags that say how the image stores a file. */
static void files_of_the_image(void)
{
	uint64_t has, mask;
	tap_needs_mayfly();
	tap_needs_root();
	if (access("/etc/shells", F_OK) || access("/bin/busybox", F_OK))
		tap_skip("not the base image");
	int flags = flag_get("/etc/shells");
	CHECK(flags & FS_EXTENT_FL);
	CHECK(!(flags & GUARDS));
	attributes("/etc/shells", &has, &mask);
	CHECK_EQ(has & 0x100874, 0);
	CHECK_EQ(mask & 0x100874, 0x100874);
	CHECK(!flag_set("/etc/shells", flags | FS_IMMUTABLE_FL));
	CHECK_EQ(flag_get("/etc/shells"), FS_IMMUTABLE_FL);
	CHECK_ERR(open("/etc/shells", O_WRONLY), EPERM);
	CHECK_ERR(unlink("/etc/shells"), EPERM);
	CHECK(!flag_set("/etc/shells", 0));
	int fd = open("/etc/shells", O_WRONLY | O_APPEND);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "#\n", 2), 2);
}

TEST_MAIN(CASE(flags_of_lower_hold), CASE(copying_up_keeps_flags),
	  CASE(setting_copies_up), CASE(statx_tells_of_the_layer),
	  CASE(files_of_the_image))

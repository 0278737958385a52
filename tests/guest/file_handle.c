/*
 * File handles of what is mounted here: none of the root, which is an overlay; of an
 * ext4, by number and generation, folders whose names are not cached among them. Those of
 * a tmpfs are compared with Linux by tests/guest/diff/handle.c.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/tap.h"

struct handle {
	uint32_t bytes;
	int32_t type;
	uint8_t id[128];
};

static int give(const char *path, struct handle *h)
{
	int mount_id;
	h->bytes = sizeof h->id;
	return (int)syscall(SYS_name_to_handle_at, AT_FDCWD, path, h, &mount_id, 0);
}

static int open_at(int mount, const struct handle *h, int flags)
{
	return (int)syscall(SYS_open_by_handle_at, mount, h, flags);
}

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

static void none_of_an_overlay(void)
{
	struct handle h;
	tap_needs_mayfly();
	CHECK_ERR(give("/", &h), EOPNOTSUPP);
	CHECK_ERR(give("/etc/hosts", &h), EOPNOTSUPP);
	CHECK_ERR(give("/proc/version", &h), EOPNOTSUPP);
	memset(&h, 0, sizeof h);
	h.bytes = 12;
	h.type = 1;
	int fd = open("/", O_RDONLY);
	CHECK_ERR(open_at(fd, &h, O_RDONLY), ESTALE);
	CHECK_ERR(open_at(open("/proc", O_RDONLY), &h, O_RDONLY), ESTALE);
	CHECK_ERR(open_at(-1, &h, O_RDONLY), EBADF);
}

static void same_file(int fd, const char *path)
{
	struct stat a, b;
	CHECK(fd >= 0);
	CHECK(!fstat(fd, &a) && !stat(path, &b));
	CHECK(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* The image, once more and as it is. */
static void mount_image(void)
{
	begin();
	tap_needs_mayfly();
	if (mount("/dev/vda", "m", "ext4", MS_RDONLY, NULL))
		tap_skip("no image to mount");
}

static void files_of_ext4(void)
{
	struct handle file, dir, bad;
	mount_image();
	int fd = open("m", O_RDONLY);
	CHECK(!give("m/etc/hosts", &file));
	CHECK_EQ(file.bytes, 8);
	CHECK_EQ(file.type, 1);
	same_file(open_at(fd, &file, O_RDONLY), "m/etc/hosts");
	CHECK_ERR(open_at(fd, &file, O_RDWR), EROFS);
	CHECK(!give("m/etc", &dir));
	int etc = open_at(fd, &dir, O_RDONLY | O_DIRECTORY);
	same_file(etc, "m/etc");
	CHECK(openat(etc, "hosts", O_RDONLY) >= 0);
	bad = file;
	bad.id[4] ^= 1; /* the generation */
	CHECK_ERR(open_at(fd, &bad, O_RDONLY), ESTALE);
	for (uint32_t ino = 0; ino < 11; ino++) {
		memset(&bad.id, 0, 8);
		memcpy(bad.id, &ino, 4);
		if (ino != 2)
			CHECK_ERR(open_at(fd, &bad, O_RDONLY), ESTALE);
	}
	memset(&bad.id, 0xff, 8);
	CHECK_ERR(open_at(fd, &bad, O_RDONLY), ESTALE);
}

/* After a new mount nothing of the file system is cached but its root. */
static void folders_without_cached_names(void)
{
	struct handle deep, file;
	char at[300];
	mount_image();
	CHECK(!give("m/usr/share/udhcpc", &deep) || !give("m/etc", &deep));
	CHECK(!give("m/etc/hosts", &file));
	CHECK(!umount("m"));
	CHECK(!mount("/dev/vda", "m", "ext4", MS_RDONLY, NULL));
	int fd = open("m", O_RDONLY);
	int dir = open_at(fd, &deep, O_RDONLY | O_DIRECTORY);
	CHECK(dir >= 0);
	CHECK(!fchdir(dir));
	CHECK(getcwd(at, sizeof at));
	CHECK(strstr(at, "/m/"));
	struct stat up, named;
	CHECK(!stat("..", &up));
	*strrchr(at, '/') = '\0';
	CHECK(!stat(at, &named) && up.st_ino == named.st_ino);
	int hosts = open_at(fd, &file, O_RDONLY);
	CHECK(hosts >= 0 && read(hosts, at, 1) == 1);
}

static void part_of_a_file_system(void)
{
	struct handle in, out, outdir;
	begin();
	CHECK(!mount("t", "m", "tmpfs", 0, NULL));
	CHECK(!mkdir("m/part", 0755) && !mkdir("m/part/d", 0755) && !mkdir("b", 0755));
	CHECK(!close(creat("m/part/f", 0600)) && !close(creat("m/out", 0600)));
	CHECK(!give("m/part/f", &in) && !give("m/out", &out) && !give("m", &outdir));
	CHECK(!mount("m/part", "b", NULL, MS_BIND, NULL));
	int whole = open("m", O_RDONLY), part = open("b", O_RDONLY);
	same_file(open_at(part, &in, O_RDONLY), "m/part/f");
	CHECK(open_at(whole, &out, O_RDONLY) >= 0);
	CHECK(open_at(whole, &outdir, O_RDONLY) >= 0);
	/* Linux up to 6.12 opens these too: a bind mount is no wall to it. */
	if (!tap_on_mayfly())
		return;
	CHECK_ERR(open_at(part, &out, O_RDONLY), ESTALE);
	CHECK_ERR(open_at(part, &outdir, O_RDONLY), ESTALE);
	CHECK(!link("m/out", "m/part/l"));
	same_file(open_at(part, &out, O_RDONLY), "m/out");
}

static void unmounting_forgets(void)
{
	struct handle dir, file;
	begin();
	for (int k = 0; k < 3; k++) {
		CHECK(!mount("t", "m", "tmpfs", 0, NULL));
		CHECK(!mkdir("m/a", 0755) && !mkdir("m/a/b", 0755));
		CHECK(!close(creat("m/a/b/f", 0600)));
		if (k) {
			int fd = open("m", O_RDONLY);
			CHECK_ERR(open_at(fd, &dir, O_RDONLY), ESTALE);
			CHECK_ERR(open_at(fd, &file, O_RDONLY), ESTALE);
			close(fd);
		}
		CHECK(!give("m", &file) && !give("m/a/b", &dir));
		CHECK(!give("m/a/b/f", &file));
		CHECK(!umount("m"));
	}
}

TEST_MAIN(CASE(none_of_an_overlay), CASE(files_of_ext4),
	  CASE(folders_without_cached_names), CASE(part_of_a_file_system),
	  CASE(unmounting_forgets))

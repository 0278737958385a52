/* security.capability: which values may be set by whom, how they are shown, and what
 * takes them off (capabilities(7), "File capabilities"). */
#include "diff.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NAME "security.capability"

static const struct vfs_cap_data v2 = {
	.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
	.data = { { 1u << CAP_CHOWN, 1u << CAP_KILL } },
};
static const struct vfs_ns_cap_data v3 = {
	.magic_etc = VFS_CAP_REVISION_3,
	.data = { { 1u << CAP_CHOWN, 1u << CAP_KILL } },
};

static void show_caps(const char *path)
{
	uint8_t value[64];
	long n = getxattr(path, NAME, value, sizeof value);
	char shown[2 * sizeof value + 1] = "";
	for (long i = 0; i < n; i++)
		sprintf(shown + 2 * i, "%02x", value[i]);
	say("%s: %s", path, n < 0 ? err_name(errno) : shown);
}

static void give(const char *path)
{
	NEED(!setxattr(path, NAME, &v2, sizeof v2, 0));
}

DIFF_CASE(file_caps_values)
{
	struct vfs_ns_cap_data d = v3;
	make_file("f", "x");
	TRY(setxattr("f", NAME, &v2, sizeof v2, 0));
	show_caps("f");
	TRY(setxattr("f", NAME, &v2, sizeof v2, XATTR_CREATE));
	TRY(setxattr("f", NAME, &v3, sizeof v3, XATTR_REPLACE));
	show_caps("f");
	d.rootid = 1000;
	TRY(setxattr("f", NAME, &d, sizeof d, 0));
	show_caps("f");
	d.rootid = UINT32_MAX;
	TRY(setxattr("f", NAME, &d, sizeof d, 0));
	show_caps("f");
	TRY(setxattr("f", NAME, &v2, sizeof v2 - 1, 0));
	TRY(setxattr("f", NAME, &v3, sizeof v2, 0));
	TRY(setxattr("f", NAME, &v2, sizeof v3, 0));
	d = v3;
	d.magic_etc = VFS_CAP_REVISION_1;
	TRY(setxattr("f", NAME, &d, XATTR_CAPS_SZ_1, 0));
	d.magic_etc = VFS_CAP_REVISION_3 | 0xfe;
	d.data[1].permitted = ~0u;
	TRY(setxattr("f", NAME, &d, sizeof d, 0));
	show_caps("f");
	TRY(removexattr("f", NAME));
	TRY(removexattr("f", NAME));
	show_caps("f");
}

DIFF_CASE(file_caps_size)
{
	uint8_t value[XATTR_CAPS_SZ_3];
	make_file("f", "x");
	TRY(getxattr("f", NAME, NULL, 0));
	NEED(!setxattr("f", NAME, &v3, sizeof v3, 0));
	TRY(getxattr("f", NAME, NULL, 0));
	TRY(getxattr("f", NAME, value, XATTR_CAPS_SZ_2));
	TRY(getxattr("f", NAME, value, XATTR_CAPS_SZ_2 - 1));
	TRY(getxattr("f", NAME, (void *)8, sizeof value));
	NEED(!mkdir("d", 0755));
	TRY(setxattr("d", NAME, &v2, sizeof v2, 0));
	show_caps("d");
	NEED(!symlink("f", "l"));
	TRY(lsetxattr("l", NAME, &v2, sizeof v2, 0));
	TRY(lgetxattr("l", NAME, NULL, 0));
	NEED(!mkfifo("p", 0644));
	TRY(setxattr("p", NAME, &v2, sizeof v2, 0));
	show_caps("p");
}

static void nobody_sets(void)
{
	TRY(setxattr("f", NAME, &v2, sizeof v2, 0));
	TRY(setxattr("f", NAME, &v2, 3, 0));
	TRY(removexattr("f", NAME));
	TRY(setxattr("own", NAME, &v2, sizeof v2, 0));
	TRY(removexattr("own", NAME));
	show_caps("f");
	show_caps("own");
}

DIFF_CASE(file_caps_of_nobody)
{
	make_file("f", "x");
	make_file("own", "x");
	NEED(!chown("own", 1234, 1234));
	NEED(!chmod(".", 0755));
	give("f");
	give("own");
	as_nobody(nobody_sets);
	show_caps("f");
	show_caps("own");
}

static void nobody_empties(void)
{
	TRY(setxattr("f", NAME, "", 0, 0));
}

DIFF_CASE(file_caps_emptied)
{
	make_file("f", "x");
	NEED(!chmod(".", 0755));
	give("f");
	as_nobody(nobody_empties);
	show_caps("f");
}

/* -- what takes them off ------------------------------------------------------------ */

static int opened(const char *path)
{
	int fd = open(path, O_RDWR);
	NEED(fd >= 0);
	return fd;
}

DIFF_CASE(file_caps_after_writing)
{
	make_file("f", "0123456789");
	int fd = opened("f");
	give("f");
	TRY(write(fd, "x", 1));
	show_caps("f");
	give("f");
	TRY(write(fd, "x", 0));
	show_caps("f");
	TRY(pwrite(fd, "x", 1, 5));
	show_caps("f");
	give("f");
	TRY(ftruncate(fd, 4));
	show_caps("f");
	give("f");
	TRY(truncate("f", 4));
	show_caps("f");
	give("f");
	TRY(fallocate(fd, 0, 0, 100));
	show_caps("f");
	give("f");
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4));
	show_caps("f");
	give("f");
	close(opened("f"));
	show_caps("f");
	close(open("f", O_WRONLY | O_TRUNC));
	show_caps("f");
}

DIFF_CASE(file_caps_after_copying)
{
	int p[2];
	make_file("f", "0123456789");
	make_file("g", "0123456789");
	NEED(!pipe(p));
	int fd = opened("f"), from = opened("g");
	give("f");
	TRY(sendfile(fd, from, NULL, 3));
	show_caps("f");
	give("f");
	TRY(copy_file_range(from, NULL, fd, NULL, 3, 0));
	show_caps("f");
	give("f");
	NEED(write(p[1], "abc", 3) == 3);
	TRY(splice(p[0], NULL, fd, NULL, 3, 0));
	show_caps("f");
	give("f");
	char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(m != MAP_FAILED);
	m[0] = 'y';
	TRY(msync(m, 4096, MS_SYNC));
	show_caps("f");
}

DIFF_CASE(file_caps_after_changes)
{
	struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	make_file("f", "x");
	give("f");
	TRY(chmod("f", 04755));
	show_caps("f");
	TRY(utimensat(AT_FDCWD, "f", now, 0));
	TRY(rename("f", "g"));
	TRY(link("g", "f"));
	show_caps("f");
	TRY(chown("f", -1, -1));
	show_caps("f");
	give("f");
	TRY(chown("f", 1, -1));
	show_caps("f");
	give("f");
	TRY(chown("f", -1, 1));
	show_caps("f");
	NEED(!mkdir("d", 0755));
	give("d");
	TRY(chown("d", 5, 5));
	show_caps("d");
}

static void nobody_changes(void)
{
	int fd = open("f", O_WRONLY);
	TRY(chown("own", -1, -1));
	TRY(chown("f", -1, -1));
	TRY(chown("f", 1234, -1));
	show_caps("f");
	TRY(write(fd, "x", 1));
	close(fd);
}

DIFF_CASE(file_caps_changed_by_nobody)
{
	make_file("f", "x");
	make_file("own", "x");
	NEED(!chown("own", 1234, 1234));
	NEED(!chmod(".", 0755));
	NEED(!chmod("f", 0666));
	give("f");
	give("own");
	as_nobody(nobody_changes);
	show_caps("f");
	show_caps("own");
}

DIFF_CASE(file_caps_listed)
{
	char names[64] = "";
	make_file("f", "x");
	give("f");
	long n = TRY(listxattr("f", names, sizeof names));
	say_bytes("names", names, n);
}

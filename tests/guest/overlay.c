/* The root: a read-only image below, memory above. Files of the image can be changed,
 * renamed and removed like any other; the image itself never changes. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/tap.h"

/* A file of the image that a case may use up: hard links of busybox, and texts. */
#define APPLET_A "/bin/base64"
#define APPLET_B "/bin/cpio"

static void begin(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	if (access("/bin/busybox", F_OK) || access("/etc/shells", F_OK))
		tap_skip("not the base image");
}

static int count(const char *dir, const char *name)
{
	int n = 0;
	DIR *d = opendir(dir);
	CHECK(d);
	for (struct dirent *e; (e = readdir(d));)
		n += !strcmp(e->d_name, name);
	closedir(d);
	return n;
}

static void reading_changes_nothing(void)
{
	struct stat a, b;
	char c;
	begin();
	CHECK(!stat("/etc/hosts", &a));
	int fd = open("/etc/hosts", O_RDONLY);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK(!fstat(fd, &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_mtime == b.st_mtime);
}

static void changed_file_keeps_its_identity(void)
{
	struct stat a, b;
	char buf[64] = "";
	begin();
	CHECK(!stat("/etc/shells", &a));
	int before = open("/etc/shells", O_RDONLY);
	int fd = open("/etc/shells", O_WRONLY | O_APPEND);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "#added\n", 7), 7);
	CHECK(!stat("/etc/shells", &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	CHECK_EQ(b.st_size, a.st_size + 7);
	CHECK(a.st_mode == b.st_mode && a.st_uid == b.st_uid);
	/* What was opened before the copy sees the file grow, as on one file system. */
	CHECK_EQ(lseek(before, a.st_size, SEEK_SET), a.st_size);
	CHECK_EQ(read(before, buf, sizeof buf), 7);
	CHECK(!memcmp(buf, "#added\n", 7));
	CHECK(!ftruncate(fd, a.st_size));
}

static void attributes_can_change(void)
{
	struct stat a, b;
	struct timespec t[2] = { { 12345, 0 }, { 54321, 0 } };
	begin();
	CHECK(!stat("/etc/passwd", &a));
	CHECK(!chmod("/etc/passwd", 0600) && !chown("/etc/passwd", 5, 6));
	CHECK(!utimensat(AT_FDCWD, "/etc/passwd", t, 0));
	CHECK(!stat("/etc/passwd", &b));
	CHECK((b.st_mode & 07777) == 0600 && b.st_uid == 5 && b.st_gid == 6);
	CHECK(b.st_mtime == 54321 && b.st_ino == a.st_ino && b.st_size == a.st_size);
	CHECK(!chmod("/etc/passwd", a.st_mode & 07777) && !chown("/etc/passwd", 0, 0));
	char buf[512];
	int fd = open("/etc/passwd", O_RDONLY);
	CHECK_EQ(read(fd, buf, sizeof buf), a.st_size);
	CHECK(!memcmp(buf, "root:", 5));
}

static void removed_file_is_gone(void)
{
	begin();
	CHECK_EQ(count("/bin", "base64"), 1);
	CHECK(!unlink(APPLET_A));
	CHECK_ERR(access(APPLET_A, F_OK), ENOENT);
	CHECK_ERR(unlink(APPLET_A), ENOENT);
	CHECK_EQ(count("/bin", "base64"), 0);
	/* A new one of that name is empty, not the old one come back. */
	struct stat st;
	int fd = open(APPLET_A, O_CREAT | O_EXCL | O_RDWR, 0700);
	CHECK(fd >= 0 && !fstat(fd, &st) && st.st_size == 0);
	CHECK_EQ(count("/bin", "base64"), 1);
	CHECK(!unlink(APPLET_A));
	CHECK_EQ(count("/bin", "base64"), 0);
	CHECK(!mkdir(APPLET_A, 0700) && !rmdir(APPLET_A));
	/* The other links of the file live on. */
	CHECK(!access("/bin/busybox", X_OK));
}

static void renamed_file_moves(void)
{
	struct stat a, b;
	begin();
	CHECK(!stat(APPLET_B, &a));
	CHECK(!rename(APPLET_B, "/tmp/moved"));
	CHECK_ERR(access(APPLET_B, F_OK), ENOENT);
	CHECK(!stat("/tmp/moved", &b) && a.st_ino == b.st_ino && a.st_size == b.st_size);
	pid_t pid = fork();
	if (!pid) {
		execl("/tmp/moved", "true", NULL);
		_exit(99);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(!rename("/tmp/moved", APPLET_B));
	CHECK_EQ(count("/bin", "cpio"), 1);
}

static void renaming_over_a_file_of_the_image(void)
{
	char buf[8] = "";
	begin();
	int fd = open("/etc/new", O_CREAT | O_WRONLY, 0644);
	CHECK_EQ(write(fd, "newer", 5), 5);
	CHECK(!rename("/etc/new", "/etc/profile"));
	CHECK_EQ(read(open("/etc/profile", O_RDONLY), buf, 8), 5);
	CHECK(!strcmp(buf, "newer"));
	CHECK_EQ(count("/etc", "profile"), 1);
	CHECK_EQ(count("/etc", "new"), 0);
}

static void directories_merge(void)
{
	begin();
	int fd = open("/etc/mine", O_CREAT | O_WRONLY, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(count("/etc", "mine"), 1);
	CHECK_EQ(count("/etc", "group"), 1);
	CHECK_EQ(count("/etc", "."), 1);
	CHECK_EQ(count("/etc", ".."), 1);
	CHECK(!chmod("/etc/group", 0600));
	CHECK_EQ(count("/etc", "group"), 1); /* now in both layers */
	CHECK(!unlink("/etc/mine"));
	CHECK_EQ(count("/etc", "mine"), 0);
}

static void directory_of_the_image_can_go(void)
{
	struct stat st;
	begin();
	CHECK_ERR(rmdir("/var"), ENOTEMPTY);
	CHECK(!rmdir("/var/tmp"));
	CHECK_ERR(access("/var/tmp", F_OK), ENOENT);
	CHECK_EQ(count("/var", "tmp"), 0);
	CHECK(!rmdir("/var"));
	CHECK_EQ(count("/", "var"), 0);
	CHECK(!mkdir("/var", 0755));
	CHECK_EQ(count("/var", "tmp"), 0); /* opaque: the old content stays away */
	CHECK(!mkdir("/var/tmp", 01777) && !stat("/var/tmp", &st));
}

static void directory_of_the_image_is_renamed(void)
{
	begin();
	int err = rename("/usr/sbin", "/usr/sbin2");
	if (err) { /* overlayfs(7) may answer so; mv then copies */
		CHECK_EQ(errno, EXDEV);
		return;
	}
	CHECK_ERR(access("/usr/sbin", F_OK), ENOENT);
	CHECK(!rename("/usr/sbin2", "/usr/sbin"));
}

static void hard_links_to_the_image(void)
{
	struct stat a, b;
	begin();
	CHECK(!stat("/etc/hostname", &a));
	CHECK(!link("/etc/hostname", "/tmp/linked"));
	CHECK(!stat("/tmp/linked", &b) && a.st_ino == b.st_ino &&
	      b.st_nlink == a.st_nlink + 1);
	int fd = open("/tmp/linked", O_WRONLY | O_TRUNC);
	CHECK_EQ(write(fd, "other\n", 6), 6);
	CHECK(!stat("/etc/hostname", &b) && b.st_size == 6);
	CHECK(!unlink("/tmp/linked"));
}

static void private_mapping_stays_over_copy_up(void)
{
	begin();
	int fd = open("/etc/os-release", O_RDONLY);
	char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), first = p[0];
	int w = open("/etc/os-release", O_RDWR);
	CHECK(w >= 0);
	char *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, w, 0);
	CHECK(q != MAP_FAILED && q[0] == first);
	q[0] = '#';
	char c;
	CHECK_EQ(pread(w, &c, 1, 0), 1);
	CHECK_EQ(c, '#');
	CHECK(p[0] == first || p[0] == '#');
	q[0] = first;
}

static void running_program_can_be_replaced(void)
{
	struct stat st;
	begin();
	pid_t pid = fork();
	if (!pid) {
		execl("/bin/sleep", "sleep", "30", NULL);
		_exit(99);
	}
	usleep(200000);
	CHECK_ERR(open("/bin/sleep", O_WRONLY), ETXTBSY);
	CHECK(!unlink("/bin/sleep"));
	CHECK(!link("/bin/busybox", "/bin/sleep") && !stat("/bin/sleep", &st));
	CHECK(!kill(pid, 0));
	kill(pid, 9);
	CHECK_EQ(tap_wait(pid), 9);
}

/* The bytes of the image's largest file: their sum is the same by read and by mapping,
 * and again after the first pass filled the cache. */
static void image_reads_the_same_every_way(void)
{
	static unsigned char buf[10007];
	struct stat st;
	begin();
	unsigned long sums[3] = { 0, 0, 0 };
	int fd = open("/bin/busybox", O_RDONLY);
	CHECK(!fstat(fd, &st));
	for (int pass = 0; pass < 2; pass++) {
		ssize_t n;
		CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
		while ((n = read(fd, buf, sizeof buf)) > 0)
			for (ssize_t i = 0; i < n; i++)
				sums[pass] = sums[pass] * 31 + buf[i];
	}
	unsigned char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	for (off_t i = 0; i < st.st_size; i++)
		sums[2] = sums[2] * 31 + p[i];
	CHECK(sums[0] == sums[1] && sums[1] == sums[2]);
}

/* What a file has been written before must not make the next write forget to ask. */
static void writing_takes_file_capabilities_away(void)
{
	static const struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data = { { 1u << CAP_CHOWN, 0 } },
	};
	static const char name[] = "security.capability";
	char value[sizeof caps];
	begin();
	int fd = open("/etc/capable", O_CREAT | O_RDWR, 0755);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "text", 4), 4);
	for (int round = 0; round < 2; round++) {
		CHECK_EQ(setxattr("/etc/capable", name, &caps, sizeof caps, 0), 0);
		CHECK_EQ(pread(fd, value, 1, 0), 1);
		CHECK_EQ(getxattr("/etc/capable", name, value, sizeof value),
			 sizeof caps);
		CHECK_EQ(pwrite(fd, value, 1, 0), 1);
		CHECK_ERR(getxattr("/etc/capable", name, value, sizeof value), ENODATA);
	}
	close(fd);
	CHECK(!unlink("/etc/capable"));
}

TEST_MAIN(CASE(reading_changes_nothing), CASE(changed_file_keeps_its_identity),
	  CASE(attributes_can_change), CASE(removed_file_is_gone),
	  CASE(renamed_file_moves), CASE(renaming_over_a_file_of_the_image),
	  CASE(directories_merge), CASE(directory_of_the_image_can_go),
	  CASE(directory_of_the_image_is_renamed), CASE(hard_links_to_the_image),
	  CASE(private_mapping_stays_over_copy_up), CASE(running_program_can_be_replaced),
	  CASE(image_reads_the_same_every_way),
	  CASE(writing_takes_file_capabilities_away))

/* libc: musl glibc */
/* stat(2), statx(2), access(2), chmod(2), utimensat(2), O_PATH, openat2(2). */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

/* linux/stat.h: not every libc shows it. */
struct statx_time {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};
struct statx_result {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad1;
	uint64_t ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id;
	uint64_t spare[13];
};
#define BASIC 0x7ffu

static int statx_of(int dir, const char *path, int flags, unsigned mask,
		    struct statx_result *x)
{
	memset(x, 0xaa, sizeof *x);
	return (int)syscall(SYS_statx, dir, path, flags, mask, x);
}

static int make_file(const char *name, size_t n)
{
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0644);
	CHECK(fd >= 0);
	for (size_t i = 0; i < n; i++)
		CHECK_EQ(write(fd, "x", 1), 1);
	return fd;
}

static void stat_tells(void)
{
	struct stat st;
	tap_tmpdir();
	umask(022);
	int fd = make_file("f", 5);
	CHECK(!fstat(fd, &st));
	CHECK(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0644);
	CHECK(st.st_size == 5 && st.st_nlink == 1 && st.st_uid == geteuid());
	CHECK(st.st_blksize > 0 && st.st_ino > 0);
	CHECK(labs(st.st_mtime - time(NULL)) < 5);
	CHECK(!symlink("f", "l"));
	CHECK(!lstat("l", &st) && S_ISLNK(st.st_mode) && st.st_size == 1);
	CHECK(!stat("l", &st) && S_ISREG(st.st_mode));
	CHECK(!mkdir("d", 01777) && !stat("d", &st) && S_ISDIR(st.st_mode));
	CHECK(!stat("/dev/null", &st) && S_ISCHR(st.st_mode));
	CHECK(st.st_rdev == makedev(1, 3));
	CHECK(!mkfifo("p", 0600) && !stat("p", &st) && S_ISFIFO(st.st_mode));
	CHECK_ERR(stat("", &st), ENOENT);
	CHECK_ERR(fstat(-1, &st), EBADF);
	CHECK(!fstatat(fd, "", &st, AT_EMPTY_PATH) && st.st_size == 5);
	CHECK_ERR(fstatat(fd, "", &st, 0), ENOENT);
	CHECK_ERR(fstatat(AT_FDCWD, "f", &st, 0x40000000), EINVAL);
}

static void statx_agrees_with_stat(void)
{
	struct stat st;
	struct statx_result x;
	tap_tmpdir();
	int fd = make_file("f", 1000);
	CHECK(!fstat(fd, &st));
	CHECK(!statx_of(AT_FDCWD, "f", 0, BASIC, &x));
	CHECK_EQ(x.mask & BASIC, BASIC);
	CHECK(x.ino == st.st_ino && x.size == 1000 && x.mode == st.st_mode);
	CHECK(x.nlink == 1 && x.uid == st.st_uid && x.gid == st.st_gid);
	CHECK_EQ(makedev(x.dev_major, x.dev_minor), st.st_dev);
	CHECK(x.mtime.sec == st.st_mtim.tv_sec && x.mtime.nsec == st.st_mtim.tv_nsec);
	CHECK(x.blocks == (uint64_t)st.st_blocks && x.blksize == (uint64_t)st.st_blksize);
	CHECK(!x.pad1 && !x.mtime.pad && !x.atime.pad && !x.ctime.pad && !x.spare[12]);
	CHECK(!statx_of(fd, "", AT_EMPTY_PATH, BASIC, &x) && x.size == 1000);
	CHECK(!statx_of(AT_FDCWD, "/dev/zero", 0, BASIC, &x));
	CHECK(x.rdev_major == 1 && x.rdev_minor == 5);
	CHECK_ERR(statx_of(AT_FDCWD, "f", 0, 0x80000000u, &x), EINVAL);
	CHECK_ERR(statx_of(AT_FDCWD, "f", 0x6000, BASIC, &x), EINVAL);
	CHECK_ERR(statx_of(AT_FDCWD, "absent", 0, BASIC, &x), ENOENT);
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "f", 0, BASIC, 8), EFAULT);
}

static void times_are_kept(void)
{
	struct stat a, b;
	struct timespec pause_ns = { 0, 20000000 };
	tap_tmpdir();
	int fd = make_file("f", 1);
	CHECK(!fstat(fd, &a));
	nanosleep(&pause_ns, NULL);
	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK(!fstat(fd, &b));
	CHECK(b.st_mtim.tv_nsec != a.st_mtim.tv_nsec &&
	      b.st_ctim.tv_nsec == b.st_mtim.tv_nsec);
	nanosleep(&pause_ns, NULL);
	CHECK(!fchmod(fd, 0600) && !fstat(fd, &a));
	CHECK(a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
	      a.st_ctim.tv_nsec != b.st_ctim.tv_nsec);
	struct stat d1, d2;
	CHECK(!stat(".", &d1));
	nanosleep(&pause_ns, NULL);
	CHECK(!link("f", "g") && !stat(".", &d2));
	CHECK(d1.st_mtim.tv_nsec != d2.st_mtim.tv_nsec);
	CHECK(!fstat(fd, &b) && b.st_ctim.tv_nsec != a.st_ctim.tv_nsec &&
	      b.st_nlink == 2);
}

static void utimensat_sets(void)
{
	struct stat st;
	struct timespec t[2] = { { 1000, 5 }, { 2000, 6 } };
	tap_tmpdir();
	int fd = make_file("f", 1);
	CHECK(!utimensat(AT_FDCWD, "f", t, 0) && !fstat(fd, &st));
	CHECK(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 5);
	CHECK(st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 6);
	CHECK(labs(st.st_ctime - time(NULL)) < 5);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_nsec = UTIME_NOW;
	CHECK(!futimens(fd, t) && !fstat(fd, &st));
	CHECK(st.st_atim.tv_sec == 1000 && labs(st.st_mtime - time(NULL)) < 5);
	CHECK(!utimensat(AT_FDCWD, "f", NULL, 0) && !fstat(fd, &st));
	CHECK(labs(st.st_atime - time(NULL)) < 5);
	t[0].tv_nsec = 1000000000;
	CHECK_ERR(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
	CHECK(!symlink("f", "l"));
	t[0] = t[1] = (struct timespec){ 77, 0 };
	CHECK(!utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW));
	CHECK(!lstat("l", &st) && st.st_mtime == 77);
	CHECK(!stat("l", &st) && st.st_mtime != 77);
	t[0].tv_sec = t[1].tv_sec = -5;
	CHECK(!utimensat(AT_FDCWD, "f", t, 0) && !fstat(fd, &st) && st.st_mtime == -5);
}

static void access_modes(void)
{
	tap_tmpdir();
	close(make_file("f", 1));
	CHECK(!access("f", R_OK | W_OK) && !access("f", F_OK));
	CHECK_ERR(access("f", X_OK), EACCES);
	CHECK_ERR(access("absent", F_OK), ENOENT);
	CHECK_ERR(access("f", 8), EINVAL);
	CHECK(!symlink("absent", "l"));
	CHECK_ERR(access("l", F_OK), ENOENT);
	CHECK(!faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
	CHECK(!syscall(439 /* faccessat2 */, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
	CHECK_ERR(syscall(439, AT_FDCWD, "f", F_OK, 0x40000), EINVAL);
}

static void path_descriptors(void)
{
	char buf[64];
	struct stat st;
	tap_tmpdir();
	close(make_file("f", 3));
	CHECK(!mkdir("d", 0755) && !symlink("f", "l"));
	int f = open("f", O_PATH), d = open("d", O_PATH | O_DIRECTORY),
	    l = open("l", O_PATH | O_NOFOLLOW);
	CHECK(f >= 0 && d >= 0 && l >= 0);
	CHECK_ERR(read(f, buf, 1), EBADF);
	CHECK_ERR(write(f, buf, 1), EBADF);
	CHECK_ERR(ftruncate(f, 0), EBADF);
	CHECK_ERR(syscall(SYS_fchmod, f, 0600), EBADF);
	CHECK_ERR(lseek(f, 0, SEEK_SET), EBADF);
	CHECK_ERR(ioctl(f, 0x541b, buf), EBADF);
	CHECK(!fstat(f, &st) && st.st_size == 3);
	CHECK(fcntl(f, F_GETFL) & O_PATH);
	CHECK(!fstat(l, &st) && S_ISLNK(st.st_mode));
	CHECK_EQ(readlinkat(l, "", buf, sizeof buf), 1);
	int n = openat(d, "new", O_CREAT | O_RDWR, 0600);
	CHECK(n >= 0 && !access("d/new", F_OK));
	CHECK(!fchdir(d) && !access("new", F_OK));
	snprintf(buf, sizeof buf, "/proc/self/fd/%d", f);
	int again = open(buf, O_RDONLY);
	CHECK(again >= 0 && read(again, buf, 8) == 3);
	CHECK(dup(f) >= 0);
}

struct how {
	uint64_t flags, mode, resolve;
};
enum { NO_XDEV = 1, NO_MAGICLINKS = 2, NO_SYMLINKS = 4, BENEATH = 8, IN_ROOT = 16 };

static int open2(int dir, const char *path, uint64_t resolve)
{
	struct how how = { .flags = O_RDONLY, .resolve = resolve };
	return (int)syscall(437 /* openat2 */, dir, path, &how, sizeof how);
}

static void openat2_resolves(void)
{
	tap_tmpdir();
	close(make_file("f", 1));
	CHECK(!mkdir("d", 0755) && !mkdir("d/e", 0755));
	close(make_file("d/f", 1));
	CHECK(!symlink("../f", "d/up") && !symlink("/f", "d/abs") &&
	      !symlink("f", "d/l"));
	int d = open("d", O_RDONLY | O_DIRECTORY);
	if (open2(d, "f", 0) < 0 && errno == ENOSYS)
		tap_skip("no openat2");
	CHECK(open2(d, "f", BENEATH) >= 0);
	CHECK(open2(d, "l", BENEATH) >= 0);
	CHECK(open2(d, "e/../f", BENEATH) >= 0);
	CHECK_ERR(open2(d, "../f", BENEATH), EXDEV);
	CHECK_ERR(open2(d, "e/../../f", BENEATH), EXDEV);
	CHECK_ERR(open2(d, "up", BENEATH), EXDEV);
	CHECK_ERR(open2(d, "/f", BENEATH), EXDEV);
	CHECK_ERR(open2(d, "abs", BENEATH), EXDEV);
	CHECK(open2(d, "abs", IN_ROOT) >= 0);
	CHECK(open2(d, "up", IN_ROOT) >= 0);
	CHECK(open2(d, "/../../f", IN_ROOT) >= 0);
	CHECK_ERR(open2(d, "l", NO_SYMLINKS), ELOOP);
	CHECK(open2(d, "f", NO_SYMLINKS) >= 0);
	CHECK_ERR(open2(AT_FDCWD, "/proc/self/exe", NO_MAGICLINKS), ELOOP);
	CHECK(open2(AT_FDCWD, "/proc/self/exe", 0) >= 0);
	CHECK_ERR(open2(AT_FDCWD, "/proc/self/status", NO_XDEV), EXDEV);
	CHECK_ERR(open2(d, "f", BENEATH | IN_ROOT), EINVAL);
	CHECK_ERR(open2(d, "f", 1 << 20), EINVAL);
}

static void openat2_checks_its_struct(void)
{
	struct {
		struct how how;
		uint64_t more;
	} big = { { O_RDONLY, 0, 0 }, 0 };
	tap_tmpdir();
	close(make_file("f", 1));
	if (syscall(437, AT_FDCWD, "f", &big, sizeof big) < 0 && errno == ENOSYS)
		tap_skip("no openat2");
	CHECK(syscall(437, AT_FDCWD, "f", &big, sizeof big) >= 0);
	big.more = 1;
	CHECK_ERR(syscall(437, AT_FDCWD, "f", &big, sizeof big), E2BIG);
	CHECK_ERR(syscall(437, AT_FDCWD, "f", &big, 23), EINVAL);
	CHECK_ERR(syscall(437, AT_FDCWD, "f", &big, 5000), E2BIG);
	big.how.mode = 0600; /* without O_CREAT */
	CHECK_ERR(syscall(437, AT_FDCWD, "f", &big, 24), EINVAL);
	big.how = (struct how){ 1ull << 40, 0, 0 };
	CHECK_ERR(syscall(437, AT_FDCWD, "f", &big, 24), EINVAL);
}

static void directory_positions(void)
{
	char names[40][16];
	long at[40];
	int n = 0;
	tap_tmpdir();
	for (int i = 0; i < 30; i++) {
		char name[16];
		snprintf(name, sizeof name, "f%d", i);
		close(make_file(name, 0));
	}
	DIR *d = opendir(".");
	for (struct dirent *e; at[n] = telldir(d), (e = readdir(d)); n++)
		strcpy(names[n], e->d_name);
	CHECK_EQ(n, 32);
	for (int i = n - 1; i >= 0; i--) {
		seekdir(d, at[i]);
		struct dirent *e = readdir(d);
		CHECK(e && !strcmp(e->d_name, names[i]));
	}
	rewinddir(d);
	CHECK(!strcmp(readdir(d)->d_name, names[0]));
	int fd = dirfd(d);
	char buf[64];
	CHECK(!lseek(fd, 0, SEEK_SET));
	CHECK_ERR(syscall(SYS_getdents64, fd, buf, 8), EINVAL); /* too small for one */
	CHECK_ERR(read(fd, buf, 8), EISDIR);
}

static void sizes_of_truncated_files(void)
{
	struct stat st;
	tap_tmpdir();
	int fd = make_file("f", 10);
	CHECK(!truncate("f", 5) && !fstat(fd, &st) && st.st_size == 5);
	CHECK(!ftruncate(fd, 1l << 33) && !fstat(fd, &st) && st.st_size == 1l << 33);
	CHECK(st.st_blocks <= 16);
	CHECK_ERR(truncate("f", -1), EINVAL);
	CHECK_ERR(ftruncate(open("f", O_RDONLY), 0), EINVAL);
	CHECK_ERR(truncate(".", 0), EISDIR);
	CHECK_ERR(truncate("absent", 0), ENOENT);
}

TEST_MAIN(CASE(stat_tells), CASE(statx_agrees_with_stat), CASE(times_are_kept),
	  CASE(utimensat_sets), CASE(access_modes), CASE(path_descriptors),
	  CASE(openat2_resolves), CASE(openat2_checks_its_struct),
	  CASE(directory_positions), CASE(sizes_of_truncated_files))

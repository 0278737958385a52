/* chattr(1)'s flags on a tmpfs: ioctl_iflags(2), and what they forbid to root. */
#include "diff.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

static int flag_get(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK), flags = -1;
	NEED(fd >= 0);
	int r = ioctl(fd, FS_IOC_GETFLAGS, &flags);
	close(fd);
	return r ? r : flags;
}

static int flag_set(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	NEED(fd >= 0);
	int r = ioctl(fd, FS_IOC_SETFLAGS, &flags), e = errno;
	close(fd);
	errno = e;
	return r;
}

/* A file and a folder with that flag, each with descriptors from before. */
static int old_rw, old_append;

static void prepare(int flag)
{
	make_file("f", "0123456789");
	make_file("other", "abc");
	NEED(!mkdir("d", 0755) && !mkdir("d/sub", 0755));
	make_file("d/in", "x");
	old_rw = open("f", O_RDWR);
	old_append = open("f", O_RDWR | O_APPEND);
	NEED(old_rw >= 0 && old_append >= 0);
	NEED(!flag_set("f", flag) && !flag_set("d", flag));
}

DIFF_CASE(iflags_get_and_set)
{
	static const int one_by_one[] = {
		FS_IMMUTABLE_FL, FS_APPEND_FL,	FS_NODUMP_FL,	   FS_NOATIME_FL,
		FS_SYNC_FL,	 FS_DIRSYNC_FL, FS_EXTENT_FL,	   FS_COMPR_FL,
		FS_NOCOW_FL,	 FS_SECRM_FL,	FS_PROJINHERIT_FL, FS_TOPDIR_FL
	};
	make_file("f", "");
	NEED(!mkdir("d", 0755));
	TRY(flag_get("f"));
	TRY(flag_get("d"));
	for (unsigned k = 0; k < sizeof one_by_one / sizeof *one_by_one; k++) {
		say("flag %#x", one_by_one[k]);
		TRY(flag_set("f", one_by_one[k]));
		TRY(flag_get("f"));
		TRY(flag_set("d", one_by_one[k]));
		TRY(flag_get("d"));
		flag_set("f", 0);
		flag_set("d", 0);
	}
	TRY(flag_set("f", FS_NODUMP_FL | FS_APPEND_FL));
	TRY(flag_set("f", FS_NODUMP_FL | FS_EXTENT_FL));
	TRY(flag_get("f"));
	TRY(flag_set("f", FS_IMMUTABLE_FL | FS_NOATIME_FL));
	TRY(flag_get("f"));
	TRY(flag_set("f", 0));
	TRY(flag_get("f"));
}

DIFF_CASE(iflags_which_files)
{
	int flags = 0, pipes[2];
	make_file("f", "");
	NEED(!symlink("f", "l") && !mkfifo("p", 0600) && !pipe(pipes));
	TRY(flag_get("l"));
	TRY(flag_get("p"));
	TRY(flag_set("p", FS_NODUMP_FL));
	TRY(flag_get("/proc/self"));
	TRY(flag_get("/proc/self/stat"));
	TRY(flag_set("/proc/self/stat", 0));
	TRY(flag_get("/proc"));
	TRY(flag_get("/dev/null"));
	TRY(flag_set("/dev/null", FS_NODUMP_FL));
	TRY(ioctl(pipes[0], FS_IOC_GETFLAGS, &flags));
	TRY(ioctl(pipes[0], FS_IOC_SETFLAGS, &flags));
	TRY(ioctl(pipes[0], FS_IOC_SETFLAGS, 8));
	TRY(ioctl(open("f", O_PATH), FS_IOC_GETFLAGS, &flags));
	TRY(ioctl(open("l", O_PATH | O_NOFOLLOW), FS_IOC_GETFLAGS, &flags));
	int fd = open("f", O_RDONLY);
	TRY(ioctl(fd, FS_IOC_GETFLAGS, 8));
	TRY(ioctl(fd, FS_IOC_SETFLAGS, 8));
	TRY(ioctl(fd, FS_IOC_FSGETXATTR, 8));
	TRY(ioctl(fd, FS_IOC_FSSETXATTR, 8));
	int mem = memfd_create("m", 0);
	TRY(ioctl(mem, FS_IOC_GETFLAGS, &flags));
	flags = FS_APPEND_FL;
	TRY(ioctl(mem, FS_IOC_SETFLAGS, &flags));
	TRY(ftruncate(mem, 0));
	TRY(write(mem, "x", 1));
}

static void as_owner(void)
{
	TRY(flag_set("f", FS_NODUMP_FL));
	TRY(flag_get("f"));
	TRY(flag_set("f", FS_NODUMP_FL | FS_IMMUTABLE_FL));
	TRY(flag_set("f", FS_APPEND_FL | FS_EXTENT_FL));
	TRY(flag_set("f", FS_EXTENT_FL));
	TRY(flag_get("f"));
	TRY(flag_set("fixed", FS_IMMUTABLE_FL | FS_NODUMP_FL));
	TRY(flag_set("fixed", 0));
	TRY(flag_get("fixed"));
	TRY(flag_set("roots", 0));
	TRY(flag_set("roots", FS_NODUMP_FL));
	TRY(flag_get("roots"));
}

DIFF_CASE(iflags_whose)
{
	make_file("f", "");
	make_file("fixed", "");
	make_file("roots", "");
	NEED(!chown("f", 1234, 1234) && !chown("fixed", 1234, 1234));
	NEED(!flag_set("fixed", FS_IMMUTABLE_FL));
	as_nobody(as_owner);
}

static void say_fsx(int fd)
{
	struct fsxattr x;
	memset(&x, 0xee, sizeof x);
	TRY(ioctl(fd, FS_IOC_FSGETXATTR, &x));
	say("xflags %#x extsize %u nextents %u projid %u cow %u", x.fsx_xflags,
	    x.fsx_extsize, x.fsx_nextents, x.fsx_projid, x.fsx_cowextsize);
	say_bytes("pad", x.fsx_pad, sizeof x.fsx_pad);
}

static void fsx_file(const char *path)
{
	static const struct fsxattr some[] = {
		{ .fsx_xflags = FS_XFLAG_NODUMP },
		{ .fsx_xflags = FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND },
		{ .fsx_xflags = FS_XFLAG_NOATIME },
		{ .fsx_xflags = FS_XFLAG_SYNC },
		{ .fsx_xflags = FS_XFLAG_NODUMP | FS_XFLAG_PROJINHERIT },
		{ .fsx_xflags = FS_XFLAG_DAX },
		{ .fsx_xflags = FS_XFLAG_EXTSIZE },
		{ .fsx_xflags = FS_XFLAG_EXTSIZE, .fsx_extsize = 4096 },
		{ .fsx_xflags = FS_XFLAG_EXTSZINHERIT },
		{ .fsx_xflags = FS_XFLAG_EXTSZINHERIT, .fsx_extsize = 4096 },
		{ .fsx_xflags = FS_XFLAG_COWEXTSIZE },
		{ .fsx_xflags = FS_XFLAG_COWEXTSIZE, .fsx_cowextsize = 4096 },
		{ .fsx_extsize = 4096 },
		{ .fsx_projid = 1 },
		{ .fsx_nextents = 7 },
		{ .fsx_xflags = FS_XFLAG_NODEFRAG },
		{ 0 },
	};
	int fd = open(path, O_RDONLY);
	NEED(fd >= 0);
	say("%s", path);
	say_fsx(fd);
	for (unsigned k = 0; k < sizeof some / sizeof *some; k++) {
		struct fsxattr x = some[k];
		say("with %#x", x.fsx_xflags);
		TRY(ioctl(fd, FS_IOC_FSSETXATTR, &x));
		say_fsx(fd);
		TRY(flag_get(path));
	}
	close(fd);
}

static void fsx_as_nobody(void)
{
	struct fsxattr x = { .fsx_xflags = FS_XFLAG_APPEND, .fsx_projid = 1 };
	TRY(ioctl(open("f", O_RDONLY), FS_IOC_FSSETXATTR, &x));
}

DIFF_CASE(iflags_fsxattr)
{
	make_file("f", "");
	NEED(!mkdir("d", 0755));
	fsx_file("f");
	fsx_file("d");
	as_nobody(fsx_as_nobody);
	NEED(!chown("f", 1234, 1234));
	as_nobody(fsx_as_nobody);
}

DIFF_CASE(iflags_are_inherited)
{
	NEED(!mkdir("d", 0755));
	NEED(!flag_set("d", FS_NODUMP_FL | FS_NOATIME_FL | FS_APPEND_FL));
	NEED(!mkdir("d/sub", 0755) && !mkfifo("d/p", 0600));
	make_file("d/f", "");
	TRY(flag_get("d/sub"));
	TRY(flag_get("d/f"));
	int fd = open("d", O_TMPFILE | O_RDWR, 0600), flags = -1;
	TRY(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	SHOW(flags);
}

static void say_statx(const char *path)
{
	struct statx s;
	TRY(syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
		    &s));
	/* What every file system knows since Linux 6.1 has grown since. */
	say("%s: %#llx of %#llx", path, (long long)s.stx_attributes,
	    (long long)(s.stx_attributes_mask & 0x303874));
}

DIFF_CASE(iflags_statx)
{
	static const int all[] = { 0,
				   FS_IMMUTABLE_FL,
				   FS_APPEND_FL,
				   FS_NODUMP_FL,
				   FS_NOATIME_FL,
				   FS_NODUMP_FL | FS_APPEND_FL };
	make_file("f", "");
	NEED(!mkdir("d", 0755));
	for (unsigned k = 0; k < sizeof all / sizeof *all; k++) {
		NEED(!flag_set("f", all[k]) && !flag_set("d", all[k]));
		say_statx("f");
		say_statx("d");
	}
	say_statx("/proc");
	say_statx("/proc/self/stat");
}

DIFF_CASE(iflags_change_ctime)
{
	struct stat a, b;
	make_file("f", "");
	NEED(!stat("f", &a));
	nap(20);
	TRY(flag_set("f", FS_NODUMP_FL));
	NEED(!stat("f", &b));
	SHOW(a.st_ctim.tv_nsec != b.st_ctim.tv_nsec);
	SHOW(a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
}

DIFF_CASE(iflags_noatime)
{
	static const struct timeval past[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat s;
	char c;
	make_file("f", "x");
	NEED(!utimes("f", past));
	NEED(!flag_set("f", FS_NOATIME_FL));
	TRY(read(open("f", O_RDONLY), &c, 1));
	stat("f", &s);
	SHOW(s.st_atime);
	NEED(!flag_set("f", 0));
	TRY(read(open("f", O_RDONLY), &c, 1));
	stat("f", &s);
	SHOW(s.st_atime == 1000);
}

/* ---- immutable, append-only ---- */

#define TRY_OPEN(path, flags) MAY(open(path, flags, 0600))

static void opens(void)
{
	TRY_OPEN("f", O_RDONLY);
	TRY_OPEN("f", O_PATH);
	TRY_OPEN("f", O_WRONLY);
	TRY_OPEN("f", O_RDWR);
	TRY_OPEN("f", O_WRONLY | O_APPEND);
	TRY_OPEN("f", O_RDWR | O_APPEND);
	TRY_OPEN("f", O_RDONLY | O_APPEND);
	TRY_OPEN("f", O_RDONLY | O_TRUNC);
	TRY_OPEN("f", O_WRONLY | O_APPEND | O_TRUNC);
	TRY_OPEN("f", O_WRONLY | O_CREAT);
	TRY_OPEN("f", O_WRONLY | O_CREAT | O_EXCL);
	TRY_OPEN("f", 3);
	TRY_OPEN("d", O_WRONLY);
	TRY_OPEN("d/in", O_WRONLY);
	TRY_OPEN("d/in", O_WRONLY | O_CREAT | O_TRUNC);
	TRY_OPEN("d/new", O_WRONLY | O_CREAT);
	TRY_OPEN("d", O_WRONLY | O_TMPFILE);
	TRY(access("f", W_OK));
	TRY(access("f", R_OK));
	TRY(access("d", W_OK | X_OK));
}

static void attributes(void)
{
	const struct timespec when[2] = { { 5, 0 }, { 6, 0 } };
	const struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	const struct timespec half[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
	const struct timespec none[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
	static const char *const at[] = { "f", "d" };
	for (int k = 0; k < 2; k++) {
		const char *p = at[k];
		say("%s", p);
		TRY(chmod(p, 0700));
		TRY(chown(p, 0, 0));
		TRY(chown(p, -1, -1));
		TRY(chown(p, 7, -1));
		TRY(utimensat(AT_FDCWD, p, when, 0));
		TRY(utimensat(AT_FDCWD, p, now, 0));
		TRY(utimensat(AT_FDCWD, p, half, 0));
		TRY(utimensat(AT_FDCWD, p, none, 0));
		TRY(utimensat(AT_FDCWD, p, NULL, 0));
		TRY(setxattr(p, "trusted.a", "1", 1, 0));
		TRY(removexattr(p, "trusted.a"));
		TRY(setxattr(p, "none", "1", 1, 0));
		TRY(getxattr(p, "trusted.a", NULL, 0));
		TRY(truncate(p, 3));
	}
	TRY(fchmod(old_rw, 0700));
	TRY(fchown(old_rw, 0, 0));
	TRY(futimens(old_rw, when));
	TRY(futimens(old_rw, now));
	TRY(fsetxattr(old_rw, "trusted.a", "1", 1, 0));
}

static long rename_as(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void names(void)
{
	TRY(link("f", "l"));
	TRY(linkat(AT_FDCWD, "f", AT_FDCWD, "d/l", 0));
	TRY(link("other", "d/l"));
	TRY(rename("f", "g"));
	TRY(rename("other", "f"));
	TRY(rename_as("f", "other", RENAME_EXCHANGE));
	TRY(rename_as("other", "f", RENAME_EXCHANGE));
	TRY(rename_as("other", "f", RENAME_NOREPLACE));
	TRY(unlink("f"));
	TRY(rmdir("d"));
	TRY(rename("d", "e"));
	TRY(unlink("d/in"));
	TRY(rmdir("d/sub"));
	TRY(rename("d/in", "in"));
	TRY(rename("d/in", "d/out"));
	TRY(mkdir("d/new", 0755));
	TRY(symlink("x", "d/link"));
	TRY(mkfifo("d/fifo", 0600));
	TRY(rename("other", "d/other"));
	TRY(unlink("d/absent"));
	TRY(mkdir("d/sub", 0755));
}

/* What was opened before goes on. */
static void old_descriptors(void)
{
	off_t at = 0;
	char b[4] = "ab";
	struct iovec v = { b, 2 };
	int in = open("other", O_RDONLY), pipes[2];
	NEED(in >= 0 && !pipe(pipes));
	TRY(write(old_rw, "AB", 2));
	TRY(pwrite(old_rw, "C", 1, 5));
	TRY(syscall(SYS_pwritev2, old_rw, &v, 1, 0l, 0l, RWF_APPEND));
	TRY(write(old_append, "Z", 1));
	TRY(fcntl(old_rw, F_SETFL, O_APPEND));
	TRY(fcntl(old_rw, F_SETFL, 0));
	TRY(fcntl(old_append, F_SETFL, 0));
	TRY(fcntl(old_append, F_SETFL, O_APPEND | O_NONBLOCK));
	TRY(fallocate(old_rw, 0, 0, 20));
	TRY(fallocate(old_rw, FALLOC_FL_KEEP_SIZE, 0, 9000));
	TRY(fallocate(old_rw, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4));
	TRY(fallocate(old_append, 0, 0, 30));
	TRY(copy_file_range(in, NULL, old_rw, &at, 3, 0));
	TRY(copy_file_range(in, &at, old_append, NULL, 1, 0));
	TRY(sendfile(old_rw, in, NULL, 1));
	TRY(sendfile(old_append, in, NULL, 1));
	NEED(write(pipes[1], "pipe", 4) == 4);
	TRY(splice(pipes[0], NULL, old_rw, NULL, 2, 0));
	TRY(splice(pipes[0], NULL, old_append, NULL, 2, 0));
	TRY(ioctl(old_rw, FICLONE, in));
	TRY(ftruncate(old_rw, 12));
	TRY(ftruncate(old_append, 11));
	TRY(ftruncate(old_rw, 4096));
	say_file("f");
}

static void maps(void)
{
	int ro = open("f", O_RDONLY), end = open("f", O_RDWR | O_APPEND);
	NEED(ro >= 0);
	MAY((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0) > 0 ? 0 : -1);
	MAY((long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, ro, 0) > 0 ? 0 : -1);
	MAY((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0) > 0 ? 0
										   : -1);
	MAY((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, old_rw, 0) > 0 ? 0 : -1);
	MAY((long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, old_rw, 0) > 0 ? 0 : -1);
	MAY((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, old_rw, 0) > 0 ? 0 : -1);
	MAY((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, end, 0) > 0 ? 0 : -1);
	MAY((long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, end, 0) > 0 ? 0 : -1);
}

/* Each part on its own file: what one of them changes must not show in the next. */
#define GUARD_CASES(name, flag)                                                          \
	DIFF_CASE(iflags_##name##_opens)                                                 \
	{                                                                                \
		prepare(flag);                                                           \
		opens();                                                                 \
	}                                                                                \
	DIFF_CASE(iflags_##name##_attributes)                                            \
	{                                                                                \
		prepare(flag);                                                           \
		attributes();                                                            \
	}                                                                                \
	DIFF_CASE(iflags_##name##_names)                                                 \
	{                                                                                \
		prepare(flag);                                                           \
		names();                                                                 \
	}                                                                                \
	DIFF_CASE(iflags_##name##_old_descriptors)                                       \
	{                                                                                \
		prepare(flag);                                                           \
		old_descriptors();                                                       \
	}                                                                                \
	DIFF_CASE(iflags_##name##_maps)                                                  \
	{                                                                                \
		prepare(flag);                                                           \
		maps();                                                                  \
	}

GUARD_CASES(immutable, FS_IMMUTABLE_FL)
GUARD_CASES(append, FS_APPEND_FL)
GUARD_CASES(nodump, FS_NODUMP_FL) /* the twin that is allowed all of it */

/* A mapping from before can still be written, but not have holes punched. */
DIFF_CASE(iflags_old_mapping)
{
	static const int both[] = { FS_IMMUTABLE_FL, FS_APPEND_FL, 0 };
	make_file("f", "0123456789");
	int fd = open("f", O_RDWR);
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	for (int k = 0; k < 3; k++) {
		TRY(flag_set("f", both[k]));
		TRY(mprotect(p, 4096, PROT_READ | PROT_WRITE));
		p[k] = 'm';
		TRY(madvise(p, 4096, MADV_REMOVE));
		say_file("f");
	}
}

DIFF_CASE(iflags_setuid_of_guarded)
{
	struct stat s;
	make_file("f", "x");
	NEED(!chmod("f", 06755) && !flag_set("f", FS_IMMUTABLE_FL));
	TRY(chown("f", -1, -1));
	stat("f", &s);
	SHOW_OCTAL(s.st_mode);
}

DIFF_CASE(iflags_read_only_mount)
{
	make_file("f", "x");
	NEED(!mkdir("m", 0755) && !mount("none", "m", "tmpfs", MS_RDONLY, NULL));
	TRY(flag_get("m"));
	TRY(flag_set("m", FS_NODUMP_FL));
	TRY(ioctl(open("m", O_RDONLY), FS_IOC_SETFLAGS, 8));
}

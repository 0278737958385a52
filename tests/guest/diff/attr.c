/* What files carry: stat, statx, modes, owners, times, access, umask, statfs. */
#include "diff.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

static unsigned mode_of(const char *path)
{
	struct stat st;
	return lstat(path, &st) ? 0 : st.st_mode;
}

static void say_owner(const char *path)
{
	struct stat st;
	if (!lstat(path, &st))
		say("%s: %d:%d 0%o", path, (int)st.st_uid, (int)st.st_gid, st.st_mode);
}

DIFF_CASE(stat_fields)
{
	struct stat st, again;
	make_file("f", "0123456789");
	NEED(!mkdir("d", 0750) && !symlink("f", "l") && !link("f", "g"));
	stat("f", &st);
	say("f: mode 0%o links %ld uid %d gid %d size %ld blksize %ld blocks %ld",
	    st.st_mode, (long)st.st_nlink, (int)st.st_uid, (int)st.st_gid,
	    (long)st.st_size, (long)st.st_blksize, (long)st.st_blocks);
	stat("l", &again);
	SHOW(st.st_ino == again.st_ino && st.st_dev == again.st_dev);
	lstat("l", &again);
	say("l: mode 0%o size %ld blocks %ld", again.st_mode, (long)again.st_size,
	    (long)again.st_blocks);
	stat("d", &st);
	say("d: mode 0%o links %ld blocks %ld", st.st_mode, (long)st.st_nlink,
	    (long)st.st_blocks);
	stat("/dev/null", &st);
	say("null: mode 0%o rdev %lx", st.st_mode, (long)st.st_rdev);
}

DIFF_CASE(stat_errors)
{
	struct stat st;
	make_file("f", "");
	NEED(!mkdir("shut", 0700));
	TRY(stat("missing", &st));
	TRY(stat("f/", &st));
	TRY(stat("f/x", &st));
	TRY(stat("", &st));
	TRY(syscall(SYS_stat, "f", 8));
	TRY(syscall(SYS_stat, NULL, &st));
	TRY(fstat(99, &st));
	TRY(fstatat(AT_FDCWD, "", &st, 0));
	TRY(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
	TRY(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, 0x10));
	TRY(syscall(SYS_newfstatat, 99, "f", &st, 0));
	become_nobody();
	TRY(stat("shut/x", &st));
	TRY(stat("shut", &st));
}

DIFF_CASE(stat_of_descriptors)
{
	struct stat st;
	int p[2];
	NEED(!pipe(p));
	fstat(p[0], &st);
	say("pipe: mode 0%o size %ld links %ld blksize %ld", st.st_mode, (long)st.st_size,
	    (long)st.st_nlink, (long)st.st_blksize);
	fstat((int)syscall(SYS_eventfd2, 0, 0), &st);
	say("eventfd: mode 0%o links %ld", st.st_mode, (long)st.st_nlink);
	fstat((int)syscall(SYS_epoll_create1, 0), &st);
	say("epoll: mode 0%o links %ld", st.st_mode, (long)st.st_nlink);
	fstat((int)syscall(SYS_memfd_create, "x", 0), &st);
	say("memfd: mode 0%o links %ld", st.st_mode, (long)st.st_nlink);
}

DIFF_CASE(statx_fields)
{
	struct statx sx;
	make_file("f", "0123456789");
	memset(&sx, 0x55, sizeof sx);
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
	SHOW((sx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	say("mode 0%o links %u size %llu blocks %llu uid %u gid %u", sx.stx_mode,
	    sx.stx_nlink, (unsigned long long)sx.stx_size,
	    (unsigned long long)sx.stx_blocks, sx.stx_uid, sx.stx_gid);
	SHOW(sx.stx_rdev_major | sx.stx_rdev_minor);
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BTIME | STATX_CTIME, &sx));
	SHOW(sx.stx_mask & STATX_BTIME);
	SHOW(sx.stx_btime.tv_sec > 0 && sx.stx_btime.tv_sec <= sx.stx_ctime.tv_sec);
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_MNT_ID, &sx));
	SHOW(!!(sx.stx_mask & STATX_MNT_ID));
	TRY(syscall(SYS_statx, AT_FDCWD, "/tmp", 0, 0, &sx));
	SHOW(sx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

DIFF_CASE(statx_errors)
{
	struct statx sx;
	make_file("f", "");
	NEED(!symlink("f", "l"));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0x10, STATX_BASIC_STATS, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC,
		    STATX_BASIC_STATS, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX__RESERVED, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0, 0, 8));
	TRY(syscall(SYS_statx, AT_FDCWD, "missing", 0, 0, &sx));
	TRY(syscall(SYS_statx, 99, "f", 0, 0, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "", 0, 0, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "", AT_EMPTY_PATH, 0, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx));
	SHOW(S_ISLNK(sx.stx_mode));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", AT_STATX_FORCE_SYNC, STATX_TYPE, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", AT_NO_AUTOMOUNT, STATX_TYPE, &sx));
}

DIFF_CASE(chmod_corners)
{
	make_file("f", "");
	NEED(!symlink("f", "l") && !mkdir("d", 0755));
	TRY(chmod("f", 07777));
	SHOW_OCTAL(mode_of("f"));
	TRY(chmod("f", 0170640));
	SHOW_OCTAL(mode_of("f"));
	TRY(chmod("l", 0600));
	SHOW_OCTAL(mode_of("f"));
	SHOW_OCTAL(mode_of("l"));
	TRY(chmod("missing", 0));
	TRY(fchmod(99, 0));
	TRY(syscall(SYS_fchmodat, 99, "f", 0));
	TRY(chmod("/proc/self/status", 0777));
	NEED(!chown("f", 1234, 5) && !chown("d", 1234, 5));
	become_nobody();
	TRY(chmod("f", 06755));
	SHOW_OCTAL(mode_of("f"));
	TRY(chmod("d", 02755));
	SHOW_OCTAL(mode_of("d"));
	TRY(chmod("/tmp", 0777));
	TRY(chmod("l", 0644));
}

DIFF_CASE(chown_corners)
{
	make_file("f", "");
	NEED(!symlink("f", "l"));
	TRY(chown("f", 5, 6));
	TRY(lchown("l", 7, 8));
	say_owner("f");
	say_owner("l");
	TRY(chown("l", (uid_t)-1, 9));
	say_owner("f");
	TRY(chown("missing", 0, 0));
	TRY(fchown(99, 0, 0));
	TRY(fchownat(AT_FDCWD, "l", 1, 1, AT_SYMLINK_NOFOLLOW));
	say_owner("l");
	TRY(fchownat(AT_FDCWD, "f", 1, 1, 1));
	TRY(chown("f", (uid_t)-1, (gid_t)-1));
	say_owner("f");
}

DIFF_CASE(chown_clears_setid)
{
	static const mode_t modes[] = { 06777, 06755, 06745, 02744, 06711, 07777 };
	for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
		make_file("f", "");
		chmod("f", modes[i]);
		NEED(!chown("f", 5, 6));
		say("0%o becomes 0%o", modes[i], mode_of("f") & 07777);
		unlink("f");
	}
	NEED(!mkdir("d", 0755) && !chmod("d", 06777) && !chown("d", 5, 6));
	SHOW_OCTAL(mode_of("d"));
	make_file("g", "");
	chmod("g", 06777);
	NEED(!chown("g", (uid_t)-1, (gid_t)-1));
	SHOW_OCTAL(mode_of("g"));
}

DIFF_CASE(chown_by_owner)
{
	gid_t groups[] = { 77 };
	make_file("mine", "");
	make_file("theirs", "");
	NEED(!chown("mine", 1234, 1234) && !chmod("mine", 06755));
	NEED(!setgroups(1, groups) && !setresgid(1234, 1234, 1234));
	NEED(!setresuid(1234, 1234, 1234));
	TRY(chown("mine", 5, (gid_t)-1));
	TRY(chown("mine", (uid_t)-1, 5));
	TRY(chown("mine", (uid_t)-1, 77));
	say_owner("mine");
	TRY(chown("mine", 1234, 1234));
	TRY(chown("theirs", (uid_t)-1, 1234));
	TRY(chown("theirs", (uid_t)-1, (gid_t)-1));
}

DIFF_CASE(write_clears_setid)
{
	make_file("f", "");
	NEED(!chmod("f", 06777));
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		_exit(write(open("f", O_WRONLY), "x", 1) == 1 ? 0 : 1);
	}
	say_status("writer", reap(pid));
	SHOW_OCTAL(mode_of("f"));
	NEED(!chmod("f", 06777));
	pid = fork();
	if (!pid) {
		become_nobody();
		_exit(truncate("f", 0) ? 1 : 0);
	}
	say_status("truncater", reap(pid));
	SHOW_OCTAL(mode_of("f"));
	NEED(!chmod("f", 06777));
	NEED(write(open("f", O_WRONLY), "x", 1) == 1);
	SHOW_OCTAL(mode_of("f"));
}

DIFF_CASE(setgid_folder)
{
	NEED(!mkdir("d", 0755) && !chown("d", 0, 77) && !chmod("d", 02777));
	make_file("d/f", "");
	NEED(!mkdir("d/e", 0755) && !mkfifo("d/p", 0644) && !symlink("x", "d/l"));
	say_owner("d/f");
	say_owner("d/e");
	say_owner("d/p");
	say_owner("d/l");
	become_nobody();
	close(open("d/g", O_CREAT | O_WRONLY, 02775));
	say_owner("d/g");
}

DIFF_CASE(umask_corners)
{
	SHOW_OCTAL(umask(0777));
	SHOW_OCTAL(umask(07777));
	SHOW_OCTAL(umask(0));
	umask(0123);
	NEED(!mkdir("d", 0777) && !mkfifo("p", 0666));
	SHOW_OCTAL(mode_of("d"));
	SHOW_OCTAL(mode_of("p"));
	NEED(!symlink("x", "l"));
	SHOW_OCTAL(mode_of("l"));
}

DIFF_CASE(utimensat_values)
{
	struct stat st;
	make_file("f", "");
	struct timespec t[2] = { { 1000, 123456789 }, { 2000, 999999999 } };
	TRY(utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	say("atime %ld.%09ld mtime %ld.%09ld", (long)st.st_atim.tv_sec,
	    st.st_atim.tv_nsec, (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	t[0].tv_nsec = UTIME_OMIT, t[1] = (struct timespec){ -5, 7 };
	TRY(utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	say("atime %ld mtime %ld.%09ld", (long)st.st_atim.tv_sec, (long)st.st_mtim.tv_sec,
	    st.st_mtim.tv_nsec);
	t[0].tv_nsec = UTIME_NOW, t[1].tv_nsec = UTIME_OMIT;
	TRY(utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	SHOW(st.st_atim.tv_sec > 1000000000 && st.st_mtim.tv_sec == -5);
	TRY(utimensat(AT_FDCWD, "f", NULL, 0));
	stat("f", &st);
	SHOW(st.st_atim.tv_sec == st.st_mtim.tv_sec && st.st_mtim.tv_sec > 1000000000);
	struct utimbuf u = { 7, 8 };
	TRY(utime("f", &u));
	struct timeval tv[2] = { { 9, 5 }, { 10, 6 } };
	TRY(utimes("f", tv));
	stat("f", &st);
	say("atime %ld.%09ld mtime %ld.%09ld", (long)st.st_atim.tv_sec,
	    st.st_atim.tv_nsec, (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

DIFF_CASE(utimensat_errors)
{
	make_file("f", "");
	NEED(!symlink("missing", "l"));
	struct timespec t[2] = { { 1, 1000000000 }, { 1, 0 } };
	struct timespec omit[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
	struct timespec ok[2] = { { 1, 0 }, { 1, 0 } };
	TRY(utimensat(AT_FDCWD, "f", t, 0));
	t[0].tv_nsec = -1;
	TRY(utimensat(AT_FDCWD, "f", t, 0));
	TRY(utimensat(AT_FDCWD, "missing", ok, 0));
	TRY(utimensat(AT_FDCWD, "missing", omit, 0));
	TRY(utimensat(AT_FDCWD, "l", ok, 0));
	TRY(utimensat(AT_FDCWD, "l", ok, AT_SYMLINK_NOFOLLOW));
	TRY(utimensat(AT_FDCWD, "f", ok, 1));
	TRY(syscall(SYS_utimensat, AT_FDCWD, "f", 8, 0));
	TRY(syscall(SYS_utimensat, AT_FDCWD, NULL, ok, 0));
	TRY(syscall(SYS_utimensat, open("f", O_RDONLY), NULL, ok, 0));
	TRY(syscall(SYS_utimensat, open("f", O_RDONLY), NULL, ok, AT_SYMLINK_NOFOLLOW));
	TRY(syscall(SYS_utimensat, 99, NULL, NULL, 0));
	struct timeval tv[2] = { { 1, 1000000 }, { 1, 0 } };
	TRY(utimes("f", tv));
	chmod("f", 0666);
	become_nobody();
	TRY(utimensat(AT_FDCWD, "f", ok, 0));
	TRY(utimensat(AT_FDCWD, "f", NULL, 0));
	TRY(utimensat(AT_FDCWD, "f", omit, 0));
}

static bool newer(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static void what_changed(const char *what, const char *path, struct stat *before)
{
	struct stat st;
	lstat(path, &st);
	say("%s:%s%s%s", what, newer(st.st_atim, before->st_atim) ? " atime" : "",
	    newer(st.st_mtim, before->st_mtim) ? " mtime" : "",
	    newer(st.st_ctim, before->st_ctim) ? " ctime" : "");
	*before = st;
	nap(15);
}

DIFF_CASE(times_of_files)
{
	struct stat st;
	char b[4];
	make_file("f", "x");
	int fd = open("f", O_RDWR);
	fstat(fd, &st);
	nap(15);
	NEED(read(fd, b, 1) == 1);
	what_changed("read after write", "f", &st);
	NEED(write(fd, "y", 1) == 1);
	what_changed("write", "f", &st);
	NEED(write(fd, "", 0) == 0);
	what_changed("write of nothing", "f", &st);
	NEED(!fchmod(fd, 0600));
	what_changed("chmod", "f", &st);
	NEED(!link("f", "g"));
	what_changed("link", "f", &st);
	NEED(!rename("g", "h"));
	what_changed("rename", "f", &st);
	NEED(!ftruncate(fd, 2));
	what_changed("truncate to its size", "f", &st);
	NEED(!truncate("f", 2));
	what_changed("truncate by name to its size", "f", &st);
	NEED(!ftruncate(fd, 9));
	what_changed("truncate", "f", &st);
	close(open("f", O_RDWR | O_TRUNC));
	what_changed("open with O_TRUNC", "f", &st);
	close(open("f", O_RDWR | O_CREAT, 0644));
	what_changed("open with O_CREAT", "f", &st);
}

DIFF_CASE(times_of_folders)
{
	struct stat st;
	NEED(!mkdir("d", 0755) && !mkdir("e", 0755));
	lstat("d", &st);
	nap(15);
	make_file("d/f", "");
	what_changed("create", "d", &st);
	make_file("d/f", "more");
	what_changed("write to a file in it", "d", &st);
	NEED(!rename("d/f", "d/g"));
	what_changed("rename within", "d", &st);
	NEED(!rename("d/g", "e/g"));
	what_changed("rename away", "d", &st);
	NEED(!rename("d", "x") && !rename("x", "d"));
	what_changed("rename of it", "d", &st);
	NEED(!mkdir("d/s", 0755));
	what_changed("mkdir", "d", &st);
	NEED(!chmod("d/s", 0700));
	what_changed("chmod of one in it", "d", &st);
	NEED(!rmdir("d/s"));
	what_changed("rmdir", "d", &st);
	NEED(!symlink("x", "d/l"));
	what_changed("symlink", "d", &st);
}

DIFF_CASE(access_corners)
{
	make_file("f", "");
	NEED(!chmod("f", 0640) && !symlink("missing", "l"));
	make_file("x", "");
	chmod("x", 0010);
	TRY(access("f", R_OK | W_OK));
	TRY(access("f", X_OK));
	TRY(access("x", X_OK));
	TRY(access("f", 8));
	TRY(access("missing", F_OK));
	TRY(access("l", F_OK));
	TRY(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
	TRY(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 1));
	TRY(syscall(SYS_faccessat2, AT_FDCWD, "", F_OK, AT_EMPTY_PATH));
	TRY(syscall(SYS_faccessat2, open("f", O_PATH), "", W_OK, AT_EMPTY_PATH));
	TRY(syscall(SYS_faccessat, 99, "f", F_OK));
	become_nobody();
	TRY(access("f", F_OK));
	TRY(access("f", R_OK));
	TRY(access("f", W_OK));
	TRY(access(".", W_OK));
	TRY(access("f", R_OK | 8));
}

DIFF_CASE(access_uses_real_ids)
{
	make_file("f", "");
	NEED(!chmod("f", 0600) && !chown("f", 1234, 1234));
	NEED(!setresuid(1234, 0, 0));
	TRY(access("f", R_OK));
	NEED(!setresuid(77, 1234, 0));
	TRY(access("f", R_OK));
	TRY(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS));
	MAY(open("f", O_RDONLY));
}

DIFF_CASE(statfs_kinds)
{
	struct statfs s;
	int p[2];
	NEED(!pipe(p));
	TRY(statfs("/tmp", &s));
	say("type %lx bsize %ld namelen %ld frsize %ld", (long)s.f_type, (long)s.f_bsize,
	    (long)s.f_namelen, (long)s.f_frsize);
	SHOW(s.f_blocks * (unsigned long)s.f_bsize);
	TRY(statfs("/proc", &s));
	say("type %lx namelen %ld blocks %ld", (long)s.f_type, (long)s.f_namelen,
	    (long)s.f_blocks);
	TRY(fstatfs(p[0], &s));
	say("type %lx", (long)s.f_type);
	TRY(statfs("/dev/pts", &s));
	say("type %lx", (long)s.f_type);
	TRY(statfs("missing", &s));
	TRY(fstatfs(99, &s));
	TRY(syscall(SYS_statfs, "/tmp", 8));
}

DIFF_CASE(permission_classes)
{
	static const mode_t modes[] = { 0400, 0040, 0004, 0077, 0707, 0770 };
	for (unsigned i = 0; i < 6; i++) {
		make_file("f", "");
		NEED(!chmod("f", modes[i]) && !chown("f", 1234, 77));
		for (int who = 0; who < 3; who++) {
			pid_t pid = fork();
			if (!pid) {
				gid_t g[] = { 77 };
				setgroups(who == 1, g);
				setresgid(5, 5, 5);
				setresuid(who ? 6 : 1234, who ? 6 : 1234, who ? 6 : 1234);
				_exit(access("f", R_OK) ? errno == EACCES ? 2 : 3 : 0);
			}
			say("0%o, %s: %d", modes[i],
			    who == 2 ? "other"
			    : who    ? "group"
				     : "owner",
			    WEXITSTATUS(reap(pid)));
		}
		unlink("f");
	}
}

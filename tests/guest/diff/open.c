/* open(2), openat(2), openat2(2), O_TMPFILE: flags, errors, the order of the checks. */
#include "diff.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef O_PATH
#define O_PATH 010000000
#endif

DIFF_CASE(open_errors)
{
	make_file("f", "x");
	NEED(!mkdir("d", 0755));
	TRY(open("missing", O_RDONLY));
	TRY(open("", O_RDONLY));
	TRY(open(NULL, O_RDONLY));
	TRY(open("f/x", O_RDONLY));
	TRY(open("f/", O_RDONLY));
	TRY(open("d", O_WRONLY));
	TRY(open("d", O_RDWR));
	TRY(open("f", O_RDONLY | O_DIRECTORY));
	TRY(open("missing/x", O_CREAT | O_RDWR, 0644));
	TRY(open("new/", O_CREAT | O_RDWR, 0644));
	TRY(open("d", O_CREAT | O_RDONLY, 0644));
	TRY(open("d/", O_CREAT | O_RDONLY, 0644));
	TRY(open("d", O_RDONLY | O_TRUNC));
}

DIFF_CASE(open_exclusive)
{
	make_file("f", "x");
	NEED(!symlink("nowhere", "dangling") && !mkdir("d", 0755));
	TRY(open("f", O_CREAT | O_EXCL | O_RDWR, 0644));
	TRY(open("d", O_CREAT | O_EXCL | O_RDWR, 0644));
	TRY(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0644));
	MAY(open("new", O_CREAT | O_EXCL | O_RDWR, 0644));
	MAY(open("dangling", O_CREAT | O_RDWR, 0644));
	TRY(access("nowhere", F_OK));
	TRY(open(".", O_CREAT | O_EXCL | O_RDWR, 0644));
	TRY(open("..", O_CREAT | O_EXCL | O_RDWR, 0644));
	TRY(open("/", O_CREAT | O_EXCL | O_RDWR, 0644));
}

DIFF_CASE(open_lowest_descriptor)
{
	make_file("f", "x");
	TRY(open("f", O_RDONLY));
	TRY(open("f", O_RDONLY));
	TRY(close(3));
	TRY(open("f", O_RDONLY));
	TRY(close(0));
	TRY(open("f", O_RDONLY));
}

DIFF_CASE(open_names_too_long)
{
	static char name[5000];
	memset(name, 'a', sizeof name - 1);
	name[255] = 0;
	MAY(open(name, O_CREAT | O_RDWR, 0644));
	name[255] = 'a', name[256] = 0;
	TRY(open(name, O_CREAT | O_RDWR, 0644));
	for (int i = 0; i < 4999; i++)
		name[i] = i & 1 ? '/' : '.';
	name[4095] = 0;
	MAY(open(name, O_RDONLY));
	name[4095] = '/', name[4096] = 0;
	TRY(open(name, O_RDONLY));
}

DIFF_CASE(open_symlink_loops)
{
	NEED(!symlink("b", "a") && !symlink("a", "b") && !symlink("self", "self"));
	TRY(open("a", O_RDONLY));
	TRY(open("self/x", O_RDONLY));
	TRY(open("a", O_RDONLY | O_NOFOLLOW));
	make_file("l0", "deep");
	for (int i = 1; i <= 41; i++) {
		char to[16], from[16];
		sprintf(to, "l%d", i - 1);
		sprintf(from, "l%d", i);
		NEED(!symlink(to, from));
	}
	MAY(open("l40", O_RDONLY));
	TRY(open("l41", O_RDONLY));
}

DIFF_CASE(open_nofollow)
{
	make_file("f", "x");
	NEED(!mkdir("d", 0755) && !symlink("f", "lf") && !symlink("d", "ld"));
	make_file("d/g", "y");
	TRY(open("lf", O_RDONLY | O_NOFOLLOW));
	TRY(open("ld", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	MAY(open("ld/g", O_RDONLY | O_NOFOLLOW));
	MAY(open("ld/", O_RDONLY | O_NOFOLLOW));
	MAY(open("lf", O_PATH | O_NOFOLLOW));
	TRY(open("lf", O_CREAT | O_NOFOLLOW | O_RDWR, 0644));
}

DIFF_CASE(open_path_descriptor)
{
	char b[8];
	make_file("f", "x");
	int fd = open("f", O_PATH | O_RDWR | O_TRUNC);
	struct stat st;
	TRY(fd);
	say_file("f");
	TRY(read(fd, b, 1));
	TRY(write(fd, "y", 1));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(ftruncate(fd, 0));
	TRY(fchmod(fd, 0600));
	TRY(fchown(fd, 0, 0));
	TRY(fsync(fd));
	TRY(ioctl(fd, 0, 0));
	TRY(fstat(fd, &st));
	SHOW(fcntl(fd, F_GETFL) & (O_PATH | O_ACCMODE | O_TRUNC));
	TRY(fcntl(fd, F_SETFL, O_APPEND));
	TRY(fcntl(fd, F_GETFD));
	MAY(fcntl(fd, F_DUPFD, 0));
	TRY(openat(fd, "x", O_RDONLY));
}

DIFF_CASE(open_path_of_symlink)
{
	char b[16];
	NEED(!symlink("target", "l"));
	int fd = open("l", O_PATH | O_NOFOLLOW);
	struct stat st;
	TRY(fstat(fd, &st));
	SHOW(S_ISLNK(st.st_mode));
	say_bytes("readlinkat", b, readlinkat(fd, "", b, sizeof b));
	TRY(fchownat(fd, "", 0, 0, AT_EMPTY_PATH));
	TRY(faccessat(fd, "", F_OK, 0));
}

DIFF_CASE(open_reopen_through_proc)
{
	char path[64], b[8] = "";
	make_file("f", "content");
	int fd = open("f", O_RDONLY);
	sprintf(path, "/proc/self/fd/%d", fd);
	int again = open(path, O_RDWR);
	TRY(again >= 0);
	TRY(pwrite(again, "C", 1, 0));
	TRY(lseek(fd, 3, SEEK_SET));
	TRY(lseek(again, 0, SEEK_CUR));
	unlink("f");
	TRY(open(path, O_RDONLY) >= 0);
	TRY(pread(fd, b, 7, 0));
	say("%s", b);
	TRY(open("/proc/self/fd/99", O_RDONLY));
}

DIFF_CASE(open_flags_kept)
{
	make_file("f", "x");
	static const int flags[] = { O_RDONLY,	 O_WRONLY,    O_RDWR,  O_APPEND,
				     O_NONBLOCK, O_SYNC,      O_DSYNC, O_NOATIME,
				     O_CLOEXEC,	 O_CREAT,     O_TRUNC, O_NOCTTY,
				     O_ASYNC,	 O_LARGEFILE, O_DIRECT };
	for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
		int fd = open("f", flags[i], 0644);
		say("flag 0%o: getfl 0%o getfd %d", flags[i], fcntl(fd, F_GETFL),
		    fcntl(fd, F_GETFD));
		close(fd);
	}
}

DIFF_CASE(open_creation_mode)
{
	struct stat st;
	umask(027);
	close(open("a", O_CREAT | O_WRONLY, 0777));
	stat("a", &st);
	SHOW_OCTAL(st.st_mode);
	umask(0);
	close(open("b", O_CREAT | O_WRONLY, 07777));
	stat("b", &st);
	SHOW_OCTAL(st.st_mode);
	int fd = open("c", O_CREAT | O_RDWR, 0);
	TRY(write(fd, "x", 1));
	TRY(fchmod(fd, 0200));
	MAY(open("c", O_RDONLY));
	become_nobody();
	TRY(open("c", O_RDONLY));
}

DIFF_CASE(open_truncates)
{
	make_file("f", "content");
	MAY(open("f", O_RDONLY | O_TRUNC));
	say_file("f");
	make_file("f", "content");
	chmod("f", 0444);
	become_nobody();
	TRY(open("f", O_WRONLY | O_TRUNC));
	TRY(open("f", O_RDONLY | O_TRUNC));
	say_file("f");
}

DIFF_CASE(open_permissions)
{
	make_file("r", "");
	make_file("w", "");
	NEED(!chmod("r", 0444) && !chmod("w", 0222) && !mkdir("closed", 0700));
	make_file("closed/f", "");
	become_nobody();
	MAY(open("r", O_RDONLY));
	TRY(open("r", O_WRONLY));
	TRY(open("r", O_RDWR));
	TRY(open("w", O_RDONLY));
	MAY(open("w", O_WRONLY));
	TRY(open("closed/f", O_RDONLY));
	TRY(open("closed/missing", O_RDONLY));
	TRY(open("closed", O_RDONLY));
	MAY(open("closed", O_PATH));
	TRY(open("r", O_RDONLY | O_NOATIME));
}

DIFF_CASE(open_at_bases)
{
	NEED(!mkdir("d", 0755));
	make_file("d/f", "x");
	int d = open("d", O_RDONLY | O_DIRECTORY), f = open("d/f", O_RDONLY);
	MAY(openat(d, "f", O_RDONLY));
	TRY(openat(f, "f", O_RDONLY));
	TRY(openat(99, "f", O_RDONLY));
	MAY(openat(99, "/tmp", O_RDONLY));
	TRY(openat(AT_FDCWD, "f", O_RDONLY));
	TRY(openat(-1, "f", O_RDONLY));
	MAY(openat(d, "..", O_RDONLY));
	NEED(!unlink("d/f") && !rmdir("d"));
	TRY(openat(d, "f", O_RDONLY));
	TRY(openat(d, "f", O_CREAT | O_RDWR, 0644));
	MAY(openat(d, ".", O_RDONLY));
	MAY(openat(d, "..", O_RDONLY));
}

DIFF_CASE(open_limit_of_descriptors)
{
	int fd, n = 0;
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	say("%d more, then %s", n, err_name(errno));
	TRY(open("missing", O_RDONLY));
	close(10);
	TRY(open("missing", O_RDONLY));
	TRY(open("/dev/null", O_RDONLY));
}

DIFF_CASE(open_fifo)
{
	NEED(!mkfifo("p", 0644));
	TRY(open("p", O_WRONLY | O_NONBLOCK));
	int r = open("p", O_RDONLY | O_NONBLOCK);
	MAY(r);
	int w = open("p", O_WRONLY | O_NONBLOCK);
	MAY(w);
	MAY(open("p", O_RDWR));
	TRY(write(w, "abc", 3));
	char b[8];
	TRY(read(r, b, 8));
	TRY(read(r, b, 8));
}

static int reader_of_fifo(void)
{
	char b[8];
	int fd = open("p", O_RDONLY);
	return read(fd, b, sizeof b) == 5 ? 7 : 1;
}

DIFF_CASE(open_fifo_waits_for_other_end)
{
	NEED(!mkfifo("p", 0644));
	pid_t pid = child_of(reader_of_fifo);
	wait_asleep(pid);
	int fd = open("p", O_WRONLY | O_NONBLOCK);
	MAY(fd);
	TRY(write(fd, "hello", 5));
	say_status("reader", reap(pid));
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(open("p", O_WRONLY));
	ualarm(0, 0);
}

DIFF_CASE(open_devices)
{
	char b[4] = "abc";
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
	int full = open("/dev/full", O_RDWR);
	TRY(read(null, b, 4));
	TRY(write(null, b, 4));
	TRY(read(zero, b, 4));
	SHOW(b[0] | b[1] | b[2] | b[3]);
	TRY(write(full, b, 4));
	TRY(write(full, b, 0));
	TRY(read(full, b, 4));
	TRY(lseek(null, 10, SEEK_SET));
	TRY(lseek(zero, -1, SEEK_SET));
	TRY(open("/dev/tty", O_RDWR));
	TRY(ftruncate(null, 0));
	MAY(open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0644));
}

/* -- O_TMPFILE ----------------------------------------------------------------------- */

DIFF_CASE(tmpfile_link)
{
	struct stat st;
	char path[64];
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);
	MAY(fd);
	TRY(write(fd, "hidden", 6));
	TRY(fstat(fd, &st));
	SHOW(st.st_nlink);
	SHOW_OCTAL(st.st_mode);
	sprintf(path, "/proc/self/fd/%d", fd);
	TRY(linkat(AT_FDCWD, path, AT_FDCWD, "shown", AT_SYMLINK_FOLLOW));
	fstat(fd, &st);
	SHOW(st.st_nlink);
	say_file("shown");
	TRY(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH));
	TRY(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH));
}

DIFF_CASE(tmpfile_errors)
{
	char path[64];
	make_file("f", "");
	TRY(open(".", O_TMPFILE | O_RDONLY, 0600));
	TRY(open("f", O_TMPFILE | O_RDWR, 0600));
	TRY(open("missing", O_TMPFILE | O_RDWR, 0600));
	TRY(open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));
	int fd = open(".", O_TMPFILE | O_WRONLY | O_EXCL, 0600);
	MAY(fd);
	sprintf(path, "/proc/self/fd/%d", fd);
	TRY(linkat(AT_FDCWD, path, AT_FDCWD, "shown", AT_SYMLINK_FOLLOW));
	TRY(open("/proc", O_TMPFILE | O_RDWR, 0600));
	NEED(!mkdir("ro", 0555));
	become_nobody();
	TRY(open("ro", O_TMPFILE | O_RDWR, 0600));
}

/* -- openat2 ------------------------------------------------------------------------- */

static long open2(const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { flags, mode, resolve };
	return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

DIFF_CASE(openat2_is_strict)
{
	struct open_how how = { O_RDONLY, 0, 0 };
	struct {
		struct open_how how;
		uint64_t more[2];
	} big = { { O_RDONLY, 0, 0 }, { 0, 0 } };
	make_file("f", "x");
	MAY(open2("f", O_RDONLY, 0, 0));
	TRY(open2("f", O_RDONLY, 0644, 0));
	TRY(open2("f", O_RDONLY | (1ull << 40), 0, 0));
	TRY(open2("f", O_CREAT | O_RDWR, 010000, 0));
	MAY(open2("f", O_CREAT | O_RDWR, 07777, 0));
	TRY(open2("f", O_PATH | O_RDWR | O_TRUNC, 0, 0));
	TRY(open2("f", 3 | O_CREAT, 0644, 1ull << 20));
	TRY(open2("f", O_TMPFILE | O_RDONLY, 0600, 0));
	TRY(syscall(SYS_openat2, AT_FDCWD, "f", &how, 8));
	TRY(syscall(SYS_openat2, AT_FDCWD, "f", NULL, sizeof how));
	MAY(syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof big));
	big.more[1] = 1;
	TRY(syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof big));
	TRY(syscall(SYS_openat2, AT_FDCWD, "f", &how, 5000));
}

DIFF_CASE(openat2_beneath)
{
	NEED(!mkdir("d", 0755) && !mkdir("d/e", 0755) && !symlink("..", "d/up"));
	NEED(!symlink("/tmp", "d/abs") && !symlink("e", "d/in"));
	make_file("out", "o");
	make_file("d/e/f", "i");
	NEED(!chdir("d"));
	MAY(open2("e/f", O_RDONLY, 0, RESOLVE_BENEATH));
	MAY(open2("e/../e/f", O_RDONLY, 0, RESOLVE_BENEATH));
	MAY(open2("in/f", O_RDONLY, 0, RESOLVE_BENEATH));
	TRY(open2("../out", O_RDONLY, 0, RESOLVE_BENEATH));
	TRY(open2("e/../../out", O_RDONLY, 0, RESOLVE_BENEATH));
	TRY(open2("up/out", O_RDONLY, 0, RESOLVE_BENEATH));
	TRY(open2("abs", O_RDONLY, 0, RESOLVE_BENEATH));
	TRY(open2("/tmp", O_RDONLY, 0, RESOLVE_BENEATH));
	TRY(open2("e", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
}

DIFF_CASE(openat2_in_root)
{
	NEED(!mkdir("d", 0755) && !symlink("/f", "d/abs") && !symlink("../f", "d/up"));
	make_file("f", "outer");
	make_file("d/f", "inner");
	struct open_how how = { O_RDONLY, 0, RESOLVE_IN_ROOT };
	static const char *const paths[] = {
		"f", "/f", "../f", "abs", "up", "../../../f"
	};
	int d = open("d", O_PATH);
	for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
		char b[8];
		long fd = syscall(SYS_openat2, d, paths[i], &how, sizeof how);
		say_bytes(paths[i], b, fd < 0 ? -1 : read((int)fd, b, sizeof b));
	}
}

DIFF_CASE(openat2_no_links)
{
	make_file("f", "x");
	NEED(!symlink("f", "l") && !mkdir("d", 0755) && !symlink("d", "ld"));
	make_file("d/g", "x");
	TRY(open2("l", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
	TRY(open2("ld/g", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
	MAY(open2("l", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS));
	MAY(open2("l", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
	TRY(open2("/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
	TRY(open2("/proc/self/fd/0", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
	TRY(open2("/proc/self/fd/0", O_RDONLY, 0, RESOLVE_NO_XDEV));
	TRY(open2("/proc/version", O_RDONLY, 0, RESOLVE_NO_XDEV));
	MAY(open2("d/g", O_RDONLY, 0, RESOLVE_NO_XDEV));
	TRY(open2("d/../../..", O_RDONLY, 0, RESOLVE_NO_XDEV));
}

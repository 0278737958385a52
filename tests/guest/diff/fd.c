/* Descriptors: dup, fcntl, close, close_range, limits. */
#include "diff.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say_open(int from, int to)
{
	char text[64] = "";
	for (int fd = from; fd <= to; fd++)
		text[fd - from] = fcntl(fd, F_GETFD) < 0 ? '.'
				  : fcntl(fd, F_GETFD)	 ? 'c'
							 : 'o';
	say("%d..%d: %s", from, to, text);
}

DIFF_CASE(dup_corners)
{
	TRY(dup(0));
	TRY(dup(99));
	TRY(dup(-1));
	TRY(dup2(0, 10));
	TRY(dup2(10, 10));
	TRY(dup2(99, 99));
	TRY(dup2(99, 10));
	TRY(fcntl(10, F_GETFD));
	TRY(dup2(0, -1));
	TRY(dup2(0, 1024));
	TRY(dup2(0, 1023));
	TRY(dup3(0, 11, 0));
	TRY(dup3(0, 0, 0));
	TRY(dup3(99, 99, 0));
	TRY(dup3(0, 12, O_CLOEXEC));
	TRY(fcntl(12, F_GETFD));
	TRY(dup3(0, 12, O_APPEND));
	TRY(dup3(0, 1024, 0));
}

DIFF_CASE(dup_shares_status)
{
	make_file("f", "0123");
	int a = open("f", O_RDWR), b = dup(a), c = open("f", O_RDWR);
	NEED(!fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK));
	NEED(!fcntl(b, F_SETFD, FD_CLOEXEC));
	SHOW_OCTAL(fcntl(b, F_GETFL));
	SHOW_OCTAL(fcntl(c, F_GETFL));
	SHOW(fcntl(a, F_GETFD));
	lseek(b, 2, SEEK_SET);
	TRY(lseek(a, 0, SEEK_CUR));
	TRY(lseek(c, 0, SEEK_CUR));
}

DIFF_CASE(fcntl_dupfd)
{
	TRY(fcntl(0, F_DUPFD, 20));
	TRY(fcntl(0, F_DUPFD, 20));
	TRY(fcntl(0, F_DUPFD_CLOEXEC, 20));
	TRY(fcntl(22, F_GETFD));
	TRY(fcntl(0, F_DUPFD, -1));
	TRY(fcntl(0, F_DUPFD, 1024));
	TRY(fcntl(0, F_DUPFD, 1023));
	TRY(fcntl(0, F_DUPFD, 1023));
	TRY(fcntl(99, F_DUPFD, -1));
}

DIFF_CASE(fcntl_flags)
{
	make_file("f", "");
	int fd = open("f", O_RDONLY | O_NOCTTY | O_EXCL);
	TRY(syscall(SYS_fcntl, fd, F_SETFL,
		    O_RDWR | O_APPEND | O_NONBLOCK | O_SYNC | O_TRUNC));
	SHOW_OCTAL(fcntl(fd, F_GETFL));
	TRY(syscall(SYS_fcntl, fd, F_SETFL, ~(O_DIRECT | O_ASYNC)));
	SHOW_OCTAL(fcntl(fd, F_GETFL));
	TRY(syscall(SYS_fcntl, fd, F_SETFL, 0));
	SHOW_OCTAL(fcntl(fd, F_GETFL));
	TRY(fcntl(fd, F_SETFD, -1));
	TRY(fcntl(fd, F_GETFD));
	TRY(fcntl(fd, F_SETFD, 2));
	TRY(fcntl(fd, F_GETFD));
	TRY(syscall(SYS_fcntl, fd, 9999, 0));
	TRY(syscall(SYS_fcntl, 99, 9999, 0));
	TRY(fcntl(99, F_GETFL));
}

DIFF_CASE(fcntl_noatime_needs_owner)
{
	make_file("f", "");
	chmod("f", 0666);
	int fd = open("f", O_RDONLY);
	TRY(fcntl(fd, F_SETFL, O_NOATIME));
	NEED(!fcntl(fd, F_SETFL, 0));
	become_nobody();
	TRY(fcntl(fd, F_SETFL, O_NOATIME));
}

DIFF_CASE(fcntl_owner)
{
	struct {
		int type, pid;
	} own = { 0, 0 };
	int p[2];
	NEED(!pipe(p));
	TRY(fcntl(p[0], F_GETOWN));
	TRY(fcntl(p[0], F_SETOWN, getpid()));
	SHOW(fcntl(p[0], F_GETOWN) == getpid());
	TRY(fcntl(p[0], F_SETOWN, -getpgrp()));
	TRY(syscall(SYS_fcntl, p[0], F_GETOWN_EX, &own));
	say("type %d, %s", own.type, own.pid == getpgrp() ? "this group" : "other");
	own.type = 0, own.pid = (int)syscall(SYS_gettid);
	TRY(syscall(SYS_fcntl, p[0], F_SETOWN_EX, &own));
	own.type = 7;
	TRY(syscall(SYS_fcntl, p[0], F_SETOWN_EX, &own));
	own.type = 1, own.pid = 999999;
	TRY(syscall(SYS_fcntl, p[0], F_SETOWN_EX, &own));
	TRY(fcntl(p[0], F_SETOWN, 999999));
	TRY(fcntl(p[0], F_SETOWN, 0));
	TRY(fcntl(p[0], F_GETOWN));
	TRY(fcntl(p[0], 10 /* F_SETSIG */, 65));
	TRY(fcntl(p[0], 10, SIGUSR1));
	TRY(fcntl(p[0], 11 /* F_GETSIG */));
}

DIFF_CASE(fcntl_async_signal)
{
	int p[2];
	NEED(!pipe(p));
	catch (SIGIO, SA_SIGINFO);
	NEED(!fcntl(p[0], F_SETOWN, getpid()));
	TRY(fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	NEED(write(p[1], "x", 1) == 1);
	SHOW(caught[SIGIO]);
	SHOW(caught_info.si_code);
	catch (SIGRTMIN, SA_SIGINFO);
	NEED(!fcntl(p[0], 10, SIGRTMIN));
	NEED(write(p[1], "x", 1) == 1);
	SHOW(caught[SIGRTMIN]);
	SHOW(caught_info.si_code);
	SHOW(caught_info.si_fd == p[0]);
	SHOW(caught_info.si_band);
}

DIFF_CASE(fcntl_pipe_size)
{
	int p[2];
	NEED(!pipe(p));
	TRY(fcntl(p[0], F_GETPIPE_SZ));
	TRY(fcntl(p[0], F_SETPIPE_SZ, 1));
	TRY(fcntl(p[1], F_GETPIPE_SZ));
	TRY(fcntl(p[0], F_SETPIPE_SZ, 4097));
	TRY(fcntl(p[0], F_SETPIPE_SZ, 100000));
	TRY(fcntl(p[0], F_SETPIPE_SZ, 1 << 20));
	TRY(fcntl(p[0], F_SETPIPE_SZ, -1));
	TRY(fcntl(p[0], F_SETPIPE_SZ, 0));
	static char b[20000];
	TRY(fcntl(p[0], F_SETPIPE_SZ, 65536));
	NEED(write(p[1], b, sizeof b) == sizeof b);
	TRY(fcntl(p[0], F_SETPIPE_SZ, 4096));
	TRY(fcntl(0, F_GETPIPE_SZ));
	NEED(fcntl(p[0], F_SETPIPE_SZ, 65536) >= 0);
	become_nobody();
	TRY(fcntl(p[0], F_SETPIPE_SZ, 2 << 20));
	TRY(fcntl(p[0], F_SETPIPE_SZ, 1 << 20));
}

DIFF_CASE(close_corners)
{
	TRY(close(-1));
	TRY(close(3));
	TRY(close(0));
	TRY(close(0));
	TRY(close(0x7fffffff));
}

DIFF_CASE(close_range_corners)
{
	for (int fd = 3; fd < 20; fd++)
		dup2(1, fd);
	TRY(syscall(SYS_close_range, 5, 7, 0));
	say_open(3, 20);
	TRY(syscall(SYS_close_range, 10, 12, CLOSE_RANGE_CLOEXEC));
	say_open(3, 20);
	TRY(syscall(SYS_close_range, 9, 8, 0));
	TRY(syscall(SYS_close_range, 8, 9, 8));
	TRY(syscall(SYS_close_range, 500, 600, 0));
	TRY(syscall(SYS_close_range, 15, ~0u, 0));
	say_open(3, 20);
	TRY(syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_UNSHARE));
	say_open(0, 20);
}

DIFF_CASE(close_range_unshare)
{
	for (int fd = 3; fd < 8; fd++)
		dup2(1, fd);
	long pid = syscall(SYS_clone, 0x400 /* CLONE_FILES */ | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		TRY(syscall(SYS_close_range, 4, 5, CLOSE_RANGE_UNSHARE));
		say_open(3, 8);
		_exit(0);
	}
	say_status("child", reap((pid_t)pid));
	say_open(3, 8);
}

DIFF_CASE(descriptor_limit)
{
	dup2(1, 50);
	NEED(!setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 20, 4096 }));
	TRY(dup2(1, 20));
	TRY(dup2(1, 19));
	TRY(fcntl(1, F_DUPFD, 20));
	TRY(fcntl(50, F_GETFD));
	int last = 0, fd;
	while ((fd = dup(1)) >= 0)
		last = fd;
	say("last %d, then %s", last, err_name(errno));
	TRY(close(19));
	TRY(pipe((int[2]){ 0, 0 }));
	TRY(dup(1));
	NEED(!setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 4096, 4096 }));
	TRY(dup2(1, 4095));
	TRY(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 4096, 2000000 }));
}

DIFF_CASE(ioctl_generic)
{
	int p[2], n = 77, on = 1;
	make_file("f", "0123456789");
	int f = open("f", O_RDONLY);
	NEED(!pipe(p) && write(p[1], "abc", 3) == 3);
	TRY(ioctl(p[0], FIONREAD, &n));
	SHOW(n);
	lseek(f, 4, SEEK_SET);
	TRY(ioctl(f, FIONREAD, &n));
	SHOW(n);
	TRY(ioctl(f, FIONBIO, &on));
	SHOW_OCTAL(fcntl(f, F_GETFL));
	TRY(ioctl(f, FIOCLEX));
	TRY(fcntl(f, F_GETFD));
	TRY(ioctl(f, FIONCLEX));
	TRY(fcntl(f, F_GETFD));
	TRY(ioctl(f, 0x5401 /* TCGETS */, &n));
	TRY(ioctl(p[0], 0x12345678, &n));
	TRY(ioctl(99, FIONREAD, &n));
	TRY(ioctl(p[0], FIONREAD, (void *)8));
	TRY(ioctl(open(".", O_RDONLY), FIONREAD, &n));
	TRY(ioctl(open("/dev/null", O_RDONLY), FIONREAD, &n));
}

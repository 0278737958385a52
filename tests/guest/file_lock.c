/* libc: musl glibc */
/* File locks between processes. flock(2), fcntl(2): POSIX and OFD locks. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/tap.h"

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif

static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock l = { .l_type = (short)type, .l_start = start, .l_len = len };
	return fcntl(fd, cmd, &l);
}

static int fresh(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0);
	return fd;
}

static void posix_locks_are_a_process(void)
{
	int fd = fresh(), two = open("f", O_RDWR);
	struct flock l = { .l_type = F_WRLCK };

	CHECK(!lock(fd, F_SETLK, F_WRLCK, 10, 10));
	CHECK(!lock(two, F_SETLK, F_WRLCK, 15, 10));
	int pid = fork();
	if (!pid) {
		if (fcntl(fd, F_GETLK, &l) || l.l_type != F_WRLCK || l.l_start != 10 ||
		    l.l_len != 15 || l.l_pid != getppid())
			_exit(1);
		_exit(lock(fd, F_SETLK, F_RDLCK, 24, 1) == -1 && errno == EAGAIN ? 0 : 2);
	}
	CHECK_EQ(tap_wait(pid), 0);
	/* Closing any descriptor of the file drops them all. */
	close(two);
	pid = fork();
	if (!pid)
		_exit(lock(fd, F_SETLK, F_WRLCK, 0, 0) ? 1 : 0);
	CHECK_EQ(tap_wait(pid), 0);
}

static void waiting_ends_when_the_holder_does(void)
{
	int fd = fresh(), ready[2];
	char c;

	CHECK(!pipe(ready));
	int pid = fork();
	if (!pid) {
		if (lock(fd, F_SETLK, F_WRLCK, 0, 0) || write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(50000);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	CHECK_ERR(lock(fd, F_SETLK, F_WRLCK, 5, 1), EAGAIN);
	CHECK(!lock(fd, F_SETLKW, F_WRLCK, 5, 1));
	CHECK_EQ(tap_wait(pid), 0);
}

static void circles_are_refused(void)
{
	int fd = fresh(), go[2];
	char c;

	CHECK(!pipe(go));
	CHECK(!lock(fd, F_SETLK, F_WRLCK, 0, 1));
	int pid = fork();
	if (!pid) {
		if (lock(fd, F_SETLK, F_WRLCK, 1, 1) || write(go[1], "x", 1) != 1)
			_exit(1);
		_exit(lock(fd, F_SETLKW, F_WRLCK, 0, 1) ? 2 : 0);
	}
	CHECK_EQ(read(go[0], &c, 1), 1);
	usleep(50000); /* the child sleeps on byte 0 by now */
	CHECK_ERR(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK(!lock(fd, F_SETLK, F_UNLCK, 0, 1));
	CHECK_EQ(tap_wait(pid), 0);
}

static void on_alarm(int sig)
{
}

static void a_signal_ends_the_wait(void)
{
	int fd = fresh(), other = open("f", O_RDWR);
	struct sigaction sa = { .sa_handler = on_alarm };

	CHECK(!sigaction(SIGALRM, &sa, NULL));
	CHECK(!flock(fd, LOCK_EX));
	CHECK_ERR(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	alarm(1);
	CHECK_ERR(flock(other, LOCK_SH), EINTR);
	CHECK(!flock(fd, LOCK_UN));
	CHECK(!flock(other, LOCK_EX | LOCK_NB));
	/* Inherited by fork, dropped by the last close. */
	int pid = fork();
	if (!pid)
		_exit(0);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_ERR(flock(fd, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	close(other);
	CHECK(!flock(fd, LOCK_EX | LOCK_NB));
}

static void ofd_locks_are_an_open_file(void)
{
	int fd = fresh(), other = open("f", O_RDWR);
	struct flock l = { .l_type = F_WRLCK };

	CHECK(!lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10));
	CHECK_ERR(lock(other, F_OFD_SETLK, F_RDLCK, 9, 1), EAGAIN);
	CHECK(!lock(other, F_OFD_SETLK, F_RDLCK, 10, 1));
	CHECK(!fcntl(other, F_OFD_GETLK, &l));
	CHECK_EQ(l.l_type, F_WRLCK);
	CHECK_EQ(l.l_pid, -1);
	CHECK_EQ(l.l_len, 10);
	l.l_pid = 1;
	CHECK_ERR(fcntl(other, F_OFD_GETLK, &l), EINVAL);
	close(fd);
	CHECK(!lock(other, F_OFD_SETLK, F_WRLCK, 0, 0));
}

TEST_MAIN(CASE(posix_locks_are_a_process), CASE(waiting_ends_when_the_holder_does),
	  CASE(circles_are_refused), CASE(a_signal_ends_the_wait),
	  CASE(ofd_locks_are_an_open_file))

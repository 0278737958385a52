/* Locks on files: flock(2), fcntl(2)'s advisory and open-file-description locks. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/tap.h"

static struct flock range(int type, off_t start, off_t len)
{
	return (struct flock){ .l_type = (short)type,
			       .l_whence = SEEK_SET,
			       .l_start = start,
			       .l_len = len };
}

static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock l = range(type, start, len);
	return fcntl(fd, cmd, &l);
}

static int make_file(void)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0);
	return fd;
}

/* The status of fn in a child. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	if (!pid)
		_exit(fn());
	return tap_wait(pid) >> 8;
}

static int flock_nb_errno(void)
{
	int fd = open("f", O_RDWR);
	return flock(fd, LOCK_EX | LOCK_NB) ? errno : 0;
}

static void flock_belongs_to_the_open_file(void)
{
	tap_tmpdir();
	int a = make_file(), b = open("f", O_RDWR), c = dup(a);
	CHECK(!flock(a, LOCK_EX));
	CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK(!flock(c, LOCK_EX)); /* the same open file */
	CHECK_EQ(in_child(flock_nb_errno), EWOULDBLOCK);
	close(a);
	CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	close(c);
	CHECK(!flock(b, LOCK_SH | LOCK_NB));
	a = open("f", O_RDONLY);
	CHECK(!flock(a, LOCK_SH | LOCK_NB));
	CHECK_ERR(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK(!flock(b, LOCK_UN));
	CHECK(!flock(a, LOCK_EX | LOCK_NB));
	CHECK_ERR(flock(a, 77), EINVAL);
	CHECK_ERR(flock(99, LOCK_SH), EBADF);
}

static void flock_waits(void)
{
	tap_tmpdir();
	int fd = make_file(), p[2];
	char c = 0;
	CHECK(!pipe(p) && !flock(fd, LOCK_EX));
	pid_t pid = fork();
	if (!pid) {
		close(fd);
		fd = open("f", O_RDWR);
		int err = flock(fd, LOCK_EX);
		(void)!write(p[1], "k", 1);
		_exit(err ? 1 : 0);
	}
	usleep(50000);
	CHECK(!fcntl(p[0], F_SETFL, O_NONBLOCK));
	CHECK_ERR(read(p[0], &c, 1), EAGAIN);
	CHECK(!flock(fd, LOCK_UN));
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(read(p[0], &c, 1), 1);
}

static int child_write_lock_10_20(void)
{
	return lock(open("f", O_RDWR), F_SETLK, F_WRLCK, 10, 10) ? errno : 0;
}

static int child_get_lock_type(void)
{
	struct flock l = range(F_WRLCK, 0, 0);
	if (fcntl(open("f", O_RDWR), F_GETLK, &l))
		return 99;
	return l.l_type == F_UNLCK ? 1 : l.l_pid == getppid() ? 2 + l.l_type : 98;
}

static void posix_locks_belong_to_the_process(void)
{
	tap_tmpdir();
	int fd = make_file();
	CHECK(!lock(fd, F_SETLK, F_WRLCK, 15, 1));
	CHECK(!lock(open("f", O_RDWR), F_SETLK, F_WRLCK, 0, 0)); /* our own */
	CHECK_EQ(in_child(child_write_lock_10_20), EAGAIN);
	CHECK_EQ(in_child(child_get_lock_type), 2 + F_WRLCK);
	close(open("f", O_RDONLY)); /* any close of the file drops them all */
	CHECK_EQ(in_child(child_get_lock_type), 1);
	CHECK_EQ(in_child(child_write_lock_10_20), 0);
}

static void ranges_split_and_merge(void)
{
	tap_tmpdir();
	int fd = make_file();
	CHECK(!lock(fd, F_SETLK, F_WRLCK, 0, 100));
	CHECK(!lock(fd, F_SETLK, F_UNLCK, 10, 10));
	CHECK_EQ(in_child(child_write_lock_10_20), 0);
	CHECK(!lock(fd, F_SETLK, F_RDLCK, 19, 5));
	CHECK_EQ(in_child(child_write_lock_10_20), EAGAIN);
	CHECK(!lock(fd, F_SETLK, F_UNLCK, 0, 0));
	CHECK_EQ(in_child(child_write_lock_10_20), 0);
	CHECK(!lock(fd, F_SETLK, F_WRLCK, 1000, 0)); /* to the end, wherever */
	struct flock l = range(F_WRLCK, 20, -10);    /* 10 to 19 */
	CHECK(!fcntl(fd, F_SETLK, &l));
	CHECK_EQ(in_child(child_write_lock_10_20), EAGAIN);
}

static void lock_errors(void)
{
	tap_tmpdir();
	close(make_file());
	int r = open("f", O_RDONLY), w = open("f", O_WRONLY);
	CHECK_ERR(lock(r, F_SETLK, F_WRLCK, 0, 1), EBADF);
	CHECK_ERR(lock(w, F_SETLK, F_RDLCK, 0, 1), EBADF);
	CHECK(!lock(r, F_SETLK, F_RDLCK, 0, 1));
	CHECK_ERR(lock(r, F_SETLK, F_RDLCK, -1, 1), EINVAL);
	CHECK_ERR(lock(r, F_SETLK, 77, 0, 1), EINVAL);
	CHECK_ERR(lock(r, F_SETLK, F_RDLCK, 5, -10), EINVAL);
	CHECK_ERR(fcntl(r, F_SETLK, (void *)8), EFAULT);
}

static void circle_is_refused(void)
{
	tap_tmpdir();
	int fd = make_file(), p[2];
	char c;
	CHECK(!pipe(p) && !lock(fd, F_SETLK, F_WRLCK, 0, 1));
	pid_t pid = fork();
	if (!pid) {
		if (lock(fd, F_SETLK, F_WRLCK, 1, 1))
			_exit(1);
		(void)!write(p[1], "x", 1);
		_exit(lock(fd, F_SETLKW, F_WRLCK, 0, 1) ? 2 : 0); /* waits for us */
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	usleep(100000);
	CHECK_ERR(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK(!lock(fd, F_SETLK, F_UNLCK, 0, 1));
	CHECK_EQ(tap_wait(pid), 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void waiting_can_be_interrupted(void)
{
	tap_tmpdir();
	int fd = make_file(), p[2];
	char c;
	CHECK(!pipe(p));
	pid_t pid = fork();
	if (!pid) {
		CHECK(!lock(fd, F_SETLK, F_WRLCK, 0, 0));
		(void)!write(p[1], "x", 1);
		pause();
		_exit(0);
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	ualarm(100000, 0);
	CHECK_ERR(lock(fd, F_SETLKW, F_WRLCK, 0, 1), EINTR);
	kill(pid, SIGKILL);
	CHECK(!lock(fd, F_SETLKW, F_WRLCK, 0, 1)); /* the dead hold nothing */
	CHECK_EQ(tap_wait(pid), SIGKILL);
}

static void open_file_description_locks(void)
{
	tap_tmpdir();
	int a = make_file(), b = open("f", O_RDWR);
	CHECK(!lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
	CHECK_ERR(lock(b, F_OFD_SETLK, F_RDLCK, 5, 10), EAGAIN);
	CHECK(!lock(b, F_OFD_SETLK, F_WRLCK, 10, 10));
	/* a process is another owner */
	CHECK_ERR(lock(a, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
	struct flock l = range(F_WRLCK, 0, 5);
	CHECK(!fcntl(b, F_OFD_GETLK, &l));
	CHECK(l.l_type == F_WRLCK && l.l_pid == -1 && l.l_start == 0 && l.l_len == 10);
	l = range(F_WRLCK, 0, 5);
	l.l_pid = 1;
	CHECK_ERR(fcntl(b, F_OFD_SETLK, &l), EINVAL);
	close(open("f", O_RDWR)); /* unlike a process's, it stays */
	CHECK_ERR(lock(b, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
	close(a);
	CHECK(!lock(b, F_OFD_SETLK, F_RDLCK, 5, 1));
}

TEST_MAIN(CASE(flock_belongs_to_the_open_file), CASE(flock_waits),
	  CASE(posix_locks_belong_to_the_process), CASE(ranges_split_and_merge),
	  CASE(lock_errors), CASE(circle_is_refused), CASE(waiting_can_be_interrupted),
	  CASE(open_file_description_locks))

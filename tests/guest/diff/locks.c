/* Record locks (POSIX, open file description) and flock(2). */
#include "diff.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fd;

static void open_file(void)
{
	make_file("f", "0123456789");
	fd = open("f", O_RDWR);
	NEED(fd >= 0);
}

static struct flock range(short type, off_t from, off_t len)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = len
	};
}

static long lock(int on, int cmd, short type, off_t from, off_t len)
{
	struct flock l = range(type, from, len);
	return fcntl(on, cmd, &l);
}

/* What another process is told about a range. */
static void say_seen(short type, off_t from, off_t len)
{
	pid_t owner = getpid(), pid = fork();
	if (!pid) {
		struct flock l = range(type, from, len);
		if (fcntl(fd, F_GETLK, &l))
			say("getlk: %s", err_name(errno));
		else if (l.l_type == F_UNLCK)
			say("%ld+%ld free", (long)from, (long)len);
		else
			say("%ld+%ld %s %ld+%ld of %s", (long)from, (long)len,
			    l.l_type == F_RDLCK ? "read" : "write", (long)l.l_start,
			    (long)l.l_len, l.l_pid == owner ? "its parent" : "another");
		_exit(0);
	}
	reap(pid);
}

/* Whether another process gets it. */
static void say_other(const char *what, int cmd, short type, off_t from, off_t len)
{
	pid_t pid = fork();
	if (!pid) {
		int other = open("f", O_RDWR);
		say("%s: %s", what,
		    lock(other, cmd, type, from, len) ? err_name(errno) : "got");
		_exit(0);
	}
	reap(pid);
}

DIFF_CASE(lock_conflicts)
{
	open_file();
	TRY(lock(fd, F_SETLK, F_RDLCK, 0, 4));
	TRY(lock(fd, F_SETLK, F_WRLCK, 6, 2));
	say_other("read 0", F_SETLK, F_RDLCK, 0, 4);
	say_other("write 0", F_SETLK, F_WRLCK, 0, 4);
	say_other("write 4", F_SETLK, F_WRLCK, 4, 2);
	say_other("read 7", F_SETLK, F_RDLCK, 7, 1);
	say_other("unlock", F_SETLK, F_UNLCK, 0, 100);
	say_seen(F_WRLCK, 0, 100);
	say_seen(F_RDLCK, 0, 100);
	say_seen(F_WRLCK, 4, 2);
}

DIFF_CASE(lock_splits_and_merges)
{
	open_file();
	TRY(lock(fd, F_SETLK, F_WRLCK, 0, 100));
	TRY(lock(fd, F_SETLK, F_UNLCK, 40, 20));
	say_seen(F_WRLCK, 0, 100);
	say_seen(F_WRLCK, 40, 20);
	say_seen(F_WRLCK, 50, 20);
	TRY(lock(fd, F_SETLK, F_RDLCK, 10, 10));
	say_seen(F_WRLCK, 10, 1);
	say_seen(F_WRLCK, 20, 1);
	TRY(lock(fd, F_SETLK, F_WRLCK, 10, 50));
	say_seen(F_WRLCK, 10, 1);
	TRY(lock(fd, F_SETLK, F_UNLCK, 0, 0));
	say_seen(F_WRLCK, 0, 0);
}

DIFF_CASE(lock_ranges)
{
	open_file();
	lseek(fd, 5, SEEK_SET);
	struct flock l = {
		.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 1, .l_len = 2
	};
	TRY(fcntl(fd, F_SETLK, &l));
	say_seen(F_WRLCK, 0, 0);
	l = (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -1, .l_len = 1
	};
	TRY(fcntl(fd, F_SETLK, &l));
	say_seen(F_WRLCK, 8, 0);
	TRY(lock(fd, F_SETLK, F_UNLCK, 0, 0));
	TRY(lock(fd, F_SETLK, F_WRLCK, 8, -3));
	say_seen(F_WRLCK, 0, 0);
	TRY(lock(fd, F_SETLK, F_WRLCK, 2, -3));
	TRY(lock(fd, F_SETLK, F_WRLCK, -1, 3));
	TRY(lock(fd, F_SETLK, F_WRLCK, 0x7fffffffffffffff, 0));
	TRY(lock(fd, F_SETLK, F_WRLCK, 0x7fffffffffffffff, 2));
	TRY(lock(fd, F_SETLK, 7, 0, 0));
	l.l_whence = 9;
	TRY(fcntl(fd, F_SETLK, &l));
}

DIFF_CASE(lock_access_modes)
{
	open_file();
	int r = open("f", O_RDONLY), w = open("f", O_WRONLY), p[2];
	NEED(!pipe(p));
	TRY(lock(r, F_SETLK, F_WRLCK, 0, 1));
	TRY(lock(w, F_SETLK, F_RDLCK, 0, 1));
	TRY(lock(r, F_GETLK, F_WRLCK, 0, 1));
	TRY(lock(99, F_SETLK, F_WRLCK, 0, 1));
	TRY(lock(p[1], F_SETLK, F_WRLCK, 0, 1));
	TRY(lock(open("f", O_PATH), F_SETLK, F_WRLCK, 0, 1));
	TRY(fcntl(fd, F_SETLK, (struct flock *)8));
	TRY(lock(fd, F_GETLK, F_UNLCK, 0, 1));
}

DIFF_CASE(lock_lost_at_any_close)
{
	open_file();
	TRY(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	int other = open("f", O_RDONLY);
	say_seen(F_WRLCK, 0, 0);
	close(other);
	say_seen(F_WRLCK, 0, 0);
	TRY(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	close(dup(fd));
	say_seen(F_WRLCK, 0, 0);
}

static void *hold_on(void *arg)
{
	while (pause())
		;
	return arg;
}

DIFF_CASE(lock_between_threads)
{
	pthread_t t;
	open_file();
	NEED(!pthread_create(&t, NULL, hold_on, NULL));
	TRY(lock(fd, F_SETLK, F_WRLCK, 0, 5));
	pid_t pid = fork();
	if (!pid) {
		TRY(lock(fd, F_SETLK, F_WRLCK, 0, 5));
		_exit(0);
	}
	say_status("child", reap(pid));
}

static int waits_for_lock(void)
{
	return lock(fd, F_SETLKW, F_WRLCK, 0, 5) ? 1 : 3;
}

DIFF_CASE(lock_waits)
{
	open_file();
	TRY(lock(fd, F_SETLK, F_WRLCK, 0, 5));
	pid_t pid = child_of(waits_for_lock);
	wait_asleep(pid);
	TRY(lock(fd, F_SETLK, F_UNLCK, 0, 5));
	say_status("waiter", reap(pid));
	pid = fork();
	if (!pid) {
		catch (SIGALRM, 0);
		NEED(!lock(fd, F_SETLK, F_RDLCK, 8, 1));
		_exit(0);
	}
	reap(pid);
	TRY(lock(fd, F_SETLK, F_WRLCK, 0, 5));
	pid = fork();
	if (!pid) {
		catch (SIGALRM, 0);
		ualarm(20000, 20000);
		TRY(lock(fd, F_SETLKW, F_WRLCK, 0, 5));
		ualarm(0, 0);
		_exit(0);
	}
	say_status("interrupted", reap(pid));
}

static int deadlocker(void)
{
	NEED(!lock(fd, F_SETLK, F_WRLCK, 10, 1));
	kill(getppid(), SIGUSR1);
	return lock(fd, F_SETLKW, F_WRLCK, 0, 1) ? 1 : 7;
}

DIFF_CASE(lock_deadlock)
{
	open_file();
	catch (SIGUSR1, 0);
	TRY(lock(fd, F_SETLK, F_WRLCK, 0, 1));
	pid_t pid = child_of(deadlocker);
	while (!caught[SIGUSR1])
		nap(1);
	wait_asleep(pid);
	TRY(lock(fd, F_SETLKW, F_WRLCK, 10, 1));
	TRY(lock(fd, F_SETLK, F_UNLCK, 0, 1));
	say_status("other", reap(pid));
}

DIFF_CASE(lock_ofd)
{
	open_file();
	int same = dup(fd), other = open("f", O_RDWR);
	TRY(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 5));
	TRY(lock(same, F_OFD_SETLK, F_WRLCK, 0, 5));
	TRY(lock(other, F_OFD_SETLK, F_WRLCK, 0, 5));
	TRY(lock(other, F_SETLK, F_RDLCK, 0, 5));
	struct flock l = range(F_WRLCK, 0, 0);
	TRY(fcntl(other, F_OFD_GETLK, &l));
	say("type %d from %ld len %ld pid %d", l.l_type, (long)l.l_start, (long)l.l_len,
	    l.l_pid);
	close(open("f", O_RDONLY));
	TRY(lock(other, F_OFD_SETLK, F_WRLCK, 0, 5));
	close(fd);
	TRY(lock(other, F_OFD_SETLK, F_WRLCK, 0, 5));
	close(same);
	TRY(lock(other, F_OFD_SETLK, F_WRLCK, 0, 5));
	l = range(F_WRLCK, 0, 1);
	l.l_pid = 5;
	TRY(fcntl(other, F_OFD_SETLK, &l));
}

DIFF_CASE(flock_corners)
{
	open_file();
	int same = dup(fd), other = open("f", O_RDONLY);
	TRY(flock(fd, LOCK_EX));
	TRY(flock(same, LOCK_EX | LOCK_NB));
	TRY(flock(other, LOCK_SH | LOCK_NB));
	TRY(flock(fd, LOCK_SH));
	TRY(flock(other, LOCK_SH | LOCK_NB));
	TRY(flock(other, LOCK_EX | LOCK_NB));
	TRY(flock(same, LOCK_UN));
	TRY(flock(other, LOCK_EX | LOCK_NB));
	TRY(flock(fd, 0));
	TRY(flock(fd, LOCK_SH | LOCK_EX));
	TRY(flock(fd, LOCK_NB));
	TRY(flock(99, LOCK_SH));
	TRY(flock(open("f", O_PATH), LOCK_SH));
	int p[2];
	NEED(!pipe(p));
	TRY(flock(p[0], LOCK_SH));
}

DIFF_CASE(flock_and_fork)
{
	open_file();
	int other = open("f", O_RDWR);
	TRY(flock(fd, LOCK_EX));
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	reap(pid);
	TRY(flock(other, LOCK_EX | LOCK_NB));
	pid = fork();
	if (!pid)
		_exit(flock(fd, LOCK_UN));
	say_status("child unlocks", reap(pid));
	TRY(flock(other, LOCK_EX | LOCK_NB));
	TRY(lock(fd, F_SETLK, F_WRLCK, 0, 0));
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(flock(fd, LOCK_EX));
	ualarm(0, 0);
}

DIFF_CASE(lease_corners)
{
	open_file();
	TRY(fcntl(fd, 1025 /* F_GETLEASE */));
	TRY(fcntl(fd, 1024 /* F_SETLEASE */, F_WRLCK));
	TRY(fcntl(fd, 1025));
	TRY(fcntl(fd, 1024, F_RDLCK));
	TRY(fcntl(fd, 1024, 7));
	TRY(fcntl(fd, 1024, F_UNLCK));
	TRY(fcntl(fd, 1025));
}

DIFF_CASE(flock_share_modes)
{
	open_file();
	TRY(flock(fd, 32 /* LOCK_MAND */));
	TRY(flock(fd, 32 | 192 /* LOCK_RW */));
	TRY(flock(99, 32));
	TRY(flock(fd, 64 /* LOCK_READ */));
}

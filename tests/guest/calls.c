/*
 * Calls of many kinds, each with something to show: what tests/host/trace.py runs under
 * strace and under `mayfly run --trace`, whose lines are then compared. As a test it
 * shows that the calls succeed.
 */
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAME "/tmp/trace-calls"

static int failures;

/* A result that is not what it should be is counted; the exit status tells. */
static long want(bool right, long result)
{
	failures += !right;
	return result;
}

#define CALL(...) want(syscall(__VA_ARGS__) >= 0, 0)
#define FAILS(...) want(syscall(__VA_ARGS__) < 0, 0)

static void files(void)
{
	char buf[4096];
	struct iovec out[2] = { { "ab", 2 }, { "cde", 3 } };
	struct iovec in[2] = { { buf, 3 }, { buf + 8, 5 } };
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };
	long fd = syscall(SYS_openat, AT_FDCWD, NAME,
			  O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	CALL(SYS_write, fd,
	     "hello\n\t\"x\\\1\x7f\xff"
	     "1\n",
	     15);
	CALL(SYS_write, fd, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH", 44);
	CALL(SYS_pwrite64, fd, "z", 1, 100);
	CALL(SYS_lseek, fd, 0, SEEK_SET);
	CALL(SYS_read, fd, buf, sizeof(buf));
	CALL(SYS_read, fd, buf, 10);
	CALL(SYS_writev, fd, out, 2);
	CALL(SYS_lseek, fd, -5, SEEK_END);
	CALL(SYS_readv, fd, in, 2);
	CALL(SYS_fstat, fd, buf);
	CALL(SYS_newfstatat, AT_FDCWD, NAME, buf, AT_SYMLINK_NOFOLLOW);
	FAILS(SYS_stat, NAME "-none", buf);
	CALL(SYS_ftruncate, fd, 10);
	CALL(SYS_dup2, fd, 77);
	CALL(SYS_fcntl, fd, F_GETFD);
	CALL(SYS_fcntl, fd, F_SETFL, O_NONBLOCK | O_APPEND);
	CALL(SYS_fcntl, fd, F_GETFL);
	CALL(SYS_fcntl, fd, F_SETLK, &lock);
	CALL(SYS_fcntl, fd, F_GETLK, &lock);
	CALL(SYS_close, fd);
	FAILS(SYS_close, 999);
	CALL(SYS_access, NAME, R_OK | W_OK);
	CALL(SYS_chmod, NAME, 0600);
	CALL(SYS_rename, NAME, NAME "-2");
	CALL(SYS_unlink, NAME "-2");
	CALL(SYS_mkdir, NAME, 0755);
	CALL(SYS_rmdir, NAME);
	CALL(SYS_symlink, "target", NAME);
	CALL(SYS_readlink, NAME, buf, 100);
	CALL(SYS_unlinkat, AT_FDCWD, NAME, 0);
	CALL(SYS_chdir, "/tmp");
	CALL(SYS_getcwd, buf, sizeof(buf));
	FAILS(SYS_openat, AT_FDCWD, "/none/\x01zz\n\303\251", O_RDONLY | O_EXCL);
	FAILS(SYS_openat, AT_FDCWD, (char *)1, O_RDONLY);
	syscall(SYS_umask, 022);
}

static void waiting(void)
{
	int p[2];
	char byte;
	struct timespec tick = { 0, 1000 };
	struct epoll_event event = { EPOLLIN | EPOLLOUT, { .u64 = 5 } };
	struct itimerspec timer = { .it_value = { 1, 0 } };

	CALL(SYS_pipe2, p, O_CLOEXEC | O_NONBLOCK);
	FAILS(SYS_read, p[0], &byte, 1);
	struct pollfd fds[2] = { { p[0], POLLIN, 0 }, { p[1], POLLOUT | POLLIN, 0 } };

	CALL(SYS_poll, fds, 2, 10);
	CALL(SYS_poll, fds, 1, 1);
	CALL(SYS_ppoll, fds, 1, &tick, NULL, 8);
	fd_set set;

	FD_ZERO(&set);
	FD_SET(p[0], &set);
	CALL(SYS_pselect6, p[0] + 1, &set, NULL, NULL, &(struct timespec){ 0, 1000 },
	     NULL);
	long ep = syscall(SYS_epoll_create1, EPOLL_CLOEXEC);

	CALL(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[1], &event);
	CALL(SYS_epoll_wait, ep, &event, 1, 10);
	CALL(SYS_eventfd2, 3, EFD_NONBLOCK | EFD_CLOEXEC);
	long tfd = syscall(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC);

	CALL(SYS_timerfd_settime, tfd, 0, &timer, NULL);
	tick = (struct timespec){ 0, 1000 };
	CALL(SYS_nanosleep, &tick, NULL);
	CALL(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &tick, NULL);
}

static void memory_and_limits(void)
{
	int word = 1;
	char name[16];
	struct rlimit limit = { 0, RLIM_INFINITY };
	struct timespec tick = { 0, 1000 };
	long page = syscall(SYS_mmap, NULL, 8192, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CALL(SYS_mprotect, page, 4096, PROT_READ);
	CALL(SYS_madvise, page, 4096, MADV_DONTNEED);
	CALL(SYS_munmap, page, 8192);
	FAILS(SYS_mmap, NULL, 0, 0, MAP_SHARED, 3, 0);
	CALL(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
	CALL(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit);
	CALL(SYS_prctl, PR_SET_NAME, "newname");
	CALL(SYS_prctl, PR_GET_NAME, name);
	CALL(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
	FAILS(SYS_futex, &word, FUTEX_WAIT, 2, NULL);
	FAILS(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 1, &tick, NULL, ~0u);
	FAILS(SYS_ioctl, 77, 0x5401, name);
	FAILS(9999, 1, 2, 3, 4, 5, 6);
}

static void on_signal(int number)
{
}

static void signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t set, old;

	sigaddset(&action.sa_mask, SIGINT);
	sigaddset(&action.sa_mask, SIGUSR2);
	want(!sigaction(SIGUSR1, &action, NULL), 0);
	want(!sigaction(SIGUSR1, NULL, &action), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	want(!sigprocmask(SIG_BLOCK, &set, NULL), 0);
	want(!kill(getpid(), SIGUSR1), 0);
	want(!sigpending(&set), 0);
	want(!sigprocmask(SIG_UNBLOCK, &set, &old), 0);
	want(!raise(SIGUSR1), 0);
}

/* The child's wait status. Its SIGCHLD comes after the wait, always. */
static int ended(pid_t child)
{
	sigset_t set;
	int status = -1;

	want(waitpid(child, &status, 0) == child, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return status;
}

/* One child after the other. */
static void children(char *self)
{
	char *argv[] = { self, "again", NULL };
	sigset_t set;
	pid_t child;

	/* With a handler: what is ignored never comes. */
	signal(SIGCHLD, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child = fork();
	if (!child)
		_exit(3);
	want(WEXITSTATUS(ended(child)) == 3, 0);
	child = fork();
	if (!child) {
		raise(SIGKILL);
		_exit(1);
	}
	want(WTERMSIG(ended(child)) == SIGKILL, 0);
	child = fork();
	if (!child) {
		pause();
		_exit(1);
	}
	usleep(30000);
	kill(child, SIGTERM);
	want(WTERMSIG(ended(child)) == SIGTERM, 0);
	child = fork();
	if (!child) {
		execve("/none", argv, argv + 2);
		execve("/proc/self/exe", argv, argv + 2);
		_exit(1);
	}
	want(!ended(child), 0);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return 0;
	files();
	waiting();
	memory_and_limits();
	signals();
	children(argv[0]);
	return failures != 0;
}

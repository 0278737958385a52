/* What a signal does to a call that waits: EINTR, or the call goes on. */
#include "diff.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int fds[2];

static long by_read(void)
{
	char b;
	return read(fds[0], &b, 1);
}

static long by_poll(void)
{
	struct pollfd p = { fds[0], POLLIN, 0 };
	return poll(&p, 1, 2000);
}

static long by_select(void)
{
	fd_set set;
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	return select(fds[0] + 1, &set, NULL, NULL, &(struct timeval){ 2, 0 });
}

static long by_epoll(void)
{
	struct epoll_event e;
	return epoll_wait(epoll_create1(0), &e, 1, 2000);
}

static long by_nanosleep(void)
{
	struct timespec left, two = { 2, 0 };
	long r = syscall(SYS_nanosleep, &two, &left);
	if (r)
		say("left less than asked: %d", left.tv_sec < 2);
	return r;
}

static long by_clock_nanosleep(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += 2;
	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static long by_wait(void)
{
	pid_t pid = child_of(sleeper);
	alarm(0);
	ualarm(20000, 20000);
	long r = waitpid(pid, NULL, 0);
	int err = errno;
	ualarm(0, 0); /* what follows may take long */
	kill(pid, SIGKILL);
	errno = err;
	return r;
}

static long by_futex(void)
{
	static int word;
	return syscall(SYS_futex, &word, 0, 0, &(struct timespec){ 2, 0 }, NULL, 0);
}

static long by_sigtimedwait(void)
{
	uint64_t set = 1ull << (SIGUSR2 - 1);
	return syscall(SYS_rt_sigtimedwait, &set, NULL, &(struct timespec){ 2, 0 }, 8);
}

static long by_write(void)
{
	static char full[65536];
	NEED(write(fds[1], full, sizeof full) == sizeof full);
	return write(fds[1], full, 10);
}

static const struct {
	const char *name;
	long (*fn)(void);
} calls[] = { { "read", by_read },
	      { "write", by_write },
	      { "poll", by_poll },
	      { "select", by_select },
	      { "epoll_wait", by_epoll },
	      { "nanosleep", by_nanosleep },
	      { "clock_nanosleep", by_clock_nanosleep },
	      { "futex", by_futex },
	      { "rt_sigtimedwait", by_sigtimedwait },
	      { "wait", by_wait } };

static void give_up(int sig)
{
	if (++caught[sig] < 2)
		return;
	say("restarted");
	_exit(0);
}

/* The first SIGALRM comes while the call waits; a second one finds it restarted. */
static void interrupt_all(int flags)
{
	for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
		pid_t pid = fork();
		if (!pid) {
			struct sigaction sa = { .sa_handler = give_up,
						.sa_flags = flags };
			NEED(!pipe(fds));
			sigaction(SIGALRM, &sa, NULL);
			ualarm(20000, 20000);
			long r = calls[i].fn();
			ualarm(0, 0);
			say("%ld %s", r, r < 0 ? err_name(errno) : "");
			_exit(0);
		}
		say("%s:", calls[i].name);
		reap(pid);
	}
}

DIFF_CASE(restart_without_flag)
{
	interrupt_all(0);
}

DIFF_CASE(restart_with_flag)
{
	interrupt_all(SA_RESTART);
}

/* A stop and a continue without a handler: nothing returns early. */
DIFF_CASE(restart_after_stop)
{
	static const unsigned which[] = { 2, 4, 5, 6, 7, 8 };
	for (unsigned i = 0; i < sizeof which / sizeof *which; i++) {
		pid_t pid = fork();
		if (!pid) {
			NEED(!pipe(fds));
			int64_t began = now_ns();
			long r = calls[which[i]].fn();
			say("%ld %s, after two seconds: %d", r,
			    r < 0 ? err_name(errno) : "", now_ns() - began >= 2000000000);
			_exit(0);
		}
		wait_asleep(pid);
		kill(pid, SIGSTOP);
		wait_state(pid, 'T');
		kill(pid, SIGCONT);
		nap(20); /* for what returns, contrary to the man page or by it */
		say("%s:", calls[which[i]].name);
		kill(pid, SIGKILL);
		say_status("still waiting", reap(pid));
	}
}

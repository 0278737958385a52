/* Pipes, epoll, signalfd, timerfd and splice where several take part: races, order,
 * wake-ups. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#define WRITERS 4
#define ROUNDS 300

static int pair[2];

static void make_pipe(int flags)
{
	CHECK(!pipe2(pair, flags));
}

/* ---- pipes ---- */

static void *write_blocks(void *arg)
{
	char block[700];

	memset(block, (int)(intptr_t)arg, sizeof block);
	for (int i = 0; i < ROUNDS; i++)
		if (write(pair[1], block, sizeof block) != sizeof block)
			return (void *)1;
	return NULL;
}

static void small_writes_do_not_mix(void)
{
	pthread_t t[WRITERS];
	char block[700];
	int seen[WRITERS] = { 0 };

	make_pipe(0);
	for (intptr_t i = 0; i < WRITERS; i++)
		CHECK(!pthread_create(&t[i], NULL, write_blocks, (void *)('a' + i)));
	for (int n = 0; n < WRITERS * ROUNDS; n++) {
		size_t got = 0;
		while (got < sizeof block) {
			ssize_t r = read(pair[0], block + got, sizeof block - got);
			CHECK(r > 0);
			got += (size_t)r;
		}
		for (size_t k = 1; k < sizeof block; k++)
			if (block[k] != block[0])
				tap_fail(__FILE__, __LINE__, "block %d is mixed", n);
		CHECK(block[0] >= 'a' && block[0] < 'a' + WRITERS);
		seen[block[0] - 'a']++;
	}
	for (int i = 0; i < WRITERS; i++) {
		void *failed;
		CHECK(!pthread_join(t[i], &failed) && !failed);
		CHECK_EQ(seen[i], ROUNDS);
	}
}

static _Atomic int tokens_taken;

static void *take_tokens(void *arg)
{
	char c;

	while (read(pair[0], &c, 1) == 1)
		tokens_taken++;
	return arg;
}

/* One wake-up for many bytes must reach as many sleepers. */
static void every_sleeping_reader_gets_its_byte(void)
{
	pthread_t t[WRITERS];
	char bytes[ROUNDS];

	make_pipe(0);
	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < WRITERS; i++)
		CHECK(!pthread_create(&t[i], NULL, take_tokens, NULL));
	usleep(20000);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(write(pair[1], bytes, sizeof bytes), sizeof bytes);
	close(pair[1]);
	for (int i = 0; i < WRITERS; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK_EQ(tokens_taken, 10 * ROUNDS);
}

static void big_write_returns_what_was_taken(void)
{
	static char big[256 * 1024];
	pid_t pid;

	make_pipe(0);
	pid = fork();
	if (!pid) {
		close(pair[1]);
		usleep(20000);
		ssize_t n = read(pair[0], big, 1000);
		_exit(n == 1000 ? 0 : 1);
	}
	close(pair[0]);
	signal(SIGPIPE, SIG_IGN);
	ssize_t n = write(pair[1], big, sizeof big);
	CHECK(n >= 65536 && n < (ssize_t)sizeof big); /* the reader went away half way */
	CHECK_ERR(write(pair[1], big, 1), EPIPE);
	CHECK_EQ(tap_wait(pid), 0);
}

static void packets_keep_their_bounds(void)
{
	char buf[64];

	make_pipe(O_DIRECT);
	CHECK_EQ(write(pair[1], "abcdef", 6), 6);
	CHECK_EQ(write(pair[1], "gh", 2), 2);
	CHECK_EQ(read(pair[0], buf, 4), 4); /* the rest of the packet is gone */
	CHECK_EQ(read(pair[0], buf, sizeof buf), 2);
	CHECK(!memcmp(buf, "gh", 2));
}

static void pipes_reopened_through_proc(void)
{
	char path[64], c;
	int n, fd;

	make_pipe(0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", pair[0]);
	fd = open(path, O_WRONLY);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK(!ioctl(pair[0], FIONREAD, &n) && n == 1);
	CHECK_EQ(read(pair[0], &c, 1), 1);
	close(fd);
	close(pair[1]);
	CHECK_EQ(read(pair[0], &c, 1), 0);
}

static void splice_between_pipes(void)
{
	int a[2], b[2];
	char buf[8192];

	CHECK(!pipe(a) && !pipe2(b, O_NONBLOCK));
	CHECK_EQ(write(a[1], "0123456789", 10), 10);
	CHECK_EQ(tee(a[0], b[1], 4, 0), 4);
	CHECK_EQ(write(b[1], "xy", 2),
		 2); /* not behind the shared bytes, in their page */
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 6, 0), 6);
	CHECK_EQ(read(a[0], buf, sizeof buf), 4);
	CHECK(!memcmp(buf, "6789", 4));
	CHECK_EQ(read(b[0], buf, sizeof buf), 12);
	CHECK(!memcmp(buf, "0123xy012345", 12));
	CHECK_ERR(splice(a[0], NULL, a[1], NULL, 1, 0), EINVAL);
	CHECK_ERR(splice(b[0], NULL, a[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	struct iovec v = { "vm", 2 };
	CHECK_EQ(vmsplice(a[1], &v, 1, 0), 2);
	CHECK_EQ(read(a[0], buf, sizeof buf), 2);
	CHECK_ERR(vmsplice(0x7fff, &v, 1, 0), EBADF);
}

/* ---- poll and select ---- */

static volatile sig_atomic_t got_signal;

static void on_signal(int sig)
{
	got_signal = sig;
}

static void ppoll_takes_a_mask(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct timespec second = { 1, 0 }, none = { 0, 0 };
	sigset_t blocked, empty;
	struct pollfd fd;

	make_pipe(0);
	fd = (struct pollfd){ pair[0], POLLIN, 0 };
	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	sigemptyset(&empty);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	CHECK(!sigprocmask(SIG_BLOCK, &blocked, NULL));
	CHECK(!raise(SIGUSR1));
	CHECK_EQ(ppoll(&fd, 1, &none, NULL), 0);
	CHECK_EQ(got_signal, 0);
	CHECK_ERR(ppoll(&fd, 1, &second, &empty), EINTR);
	CHECK_EQ(got_signal, SIGUSR1);
	got_signal = 0;
	CHECK(!raise(SIGUSR1)); /* the old mask is back */
	CHECK_EQ(got_signal, 0);
	fd_set set;
	FD_ZERO(&set);
	FD_SET(pair[0], &set);
	CHECK_ERR(pselect(pair[0] + 1, &set, NULL, NULL, &second, &empty), EINTR);
	CHECK_EQ(got_signal, SIGUSR1);
}

static void many_descriptors(void)
{
	struct pollfd fds[100];
	int p[2];

	for (int i = 0; i < 100; i++) {
		fds[i] = (struct pollfd){ eventfd(0, 0), POLLIN, 0x7f };
		CHECK(fds[i].fd >= 0);
	}
	CHECK_EQ(poll(fds, 100, 0), 0);
	CHECK_EQ(fds[77].revents, 0);
	pid_t pid = fork();
	if (!pid) {
		usleep(20000);
		_exit(eventfd_write(fds[77].fd, 1) ? 1 : 0);
	}
	CHECK_EQ(poll(fds, 100, 5000), 1);
	CHECK_EQ(fds[77].revents, POLLIN);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(!pipe(p));
	fds[0] = (struct pollfd){ -1, POLLIN, 0x7f };
	fds[1] = (struct pollfd){ 4000, POLLIN, 0 };
	fds[2] = (struct pollfd){ p[1], POLLOUT, 0 };
	CHECK_EQ(poll(fds, 3, -1), 2);
	CHECK(!fds[0].revents && fds[1].revents == POLLNVAL && fds[2].revents == POLLOUT);
}

/* ---- epoll ---- */

static int epoll_of(int fd, uint32_t events)
{
	int e = epoll_create1(0);
	struct epoll_event ev = { .events = events, .data.fd = fd };

	CHECK(e >= 0 && !epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev));
	return e;
}

static void chains_of_epoll_are_bounded(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int e[7], fd = eventfd(0, 0), depth = 0;

	e[0] = epoll_of(fd, EPOLLIN);
	for (int i = 1; i < 7; i++) {
		e[i] = epoll_create1(0);
		if (epoll_ctl(e[i], EPOLL_CTL_ADD, e[i - 1], &ev)) {
			CHECK_EQ(errno, ELOOP);
			break;
		}
		depth = i;
	}
	CHECK_EQ(depth, 4);
	CHECK_ERR(epoll_ctl(e[0], EPOLL_CTL_ADD, e[2], &ev), ELOOP);
	CHECK_EQ(epoll_wait(e[depth], &ev, 1, 0), 0);
	CHECK(!eventfd_write(fd, 1));
	CHECK_EQ(epoll_wait(e[depth], &ev, 1, 1000), 1);
	close(e[1]);
	CHECK_EQ(epoll_wait(e[depth], &ev, 1, 0), 0);
}

static void descriptors_of_one_file_are_apart(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = 1 }, got[4];
	int fd = eventfd(1, 0), copy = dup(fd), e = epoll_of(fd, EPOLLIN);

	CHECK(!epoll_ctl(e, EPOLL_CTL_ADD, copy, &ev));
	CHECK_EQ(epoll_wait(e, got, 4, 0), 2);
	close(fd); /* the file stays open through the copy, and so in the set */
	CHECK_EQ(epoll_wait(e, got, 4, 0), 2);
	close(copy);
	CHECK_EQ(epoll_wait(e, got, 4, 0), 0);
}

static _Atomic int woken;

static void *wait_once(void *arg)
{
	struct epoll_event ev;

	if (epoll_wait((int)(intptr_t)arg, &ev, 1, 300) == 1)
		woken++;
	return NULL;
}

static int wait_in_threads(const int *e, int n, int fd)
{
	pthread_t t[8];

	woken = 0;
	for (int i = 0; i < n; i++)
		CHECK(!pthread_create(&t[i], NULL, wait_once, (void *)(intptr_t)e[i]));
	usleep(50000);
	CHECK(!eventfd_write(fd, 1));
	for (int i = 0; i < n; i++)
		CHECK(!pthread_join(t[i], NULL));
	return woken;
}

static void exclusive_wakes_fewer(void)
{
	int fd = eventfd(0, EFD_NONBLOCK), e[4];
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };

	for (int i = 0; i < 4; i++)
		e[i] = epoll_of(fd, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
	CHECK(wait_in_threads(e, 4, fd) < 4);
	CHECK_ERR(epoll_ctl(e[0], EPOLL_CTL_MOD, fd, &ev), EINVAL);
	ev.events |= EPOLLONESHOT;
	CHECK_ERR(epoll_ctl(e[0], EPOLL_CTL_ADD, fd, &ev), EINVAL);
	for (int i = 0; i < 4; i++)
		close(e[i]);
	for (int i = 0; i < 4; i++)
		e[i] = epoll_of(fd, EPOLLIN | EPOLLET);
	eventfd_t v;
	CHECK(!eventfd_read(fd, &v));
	CHECK_EQ(wait_in_threads(e, 4, fd), 4);
}

/* Files come and go while another thread waits: nothing may break, nothing be lost. */
static void *churn(void *arg)
{
	int e = (int)(intptr_t)arg;

	for (int i = 0; i < 2000; i++) {
		int fd = eventfd(1, 0);
		struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
		if (fd < 0 || epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev))
			return (void *)1;
		if (i % 3 && epoll_ctl(e, EPOLL_CTL_DEL, fd, NULL))
			return (void *)1;
		close(fd);
	}
	return NULL;
}

static void sets_change_while_waited_on(void)
{
	struct epoll_event ev[16];
	pthread_t t[3];
	int e = epoll_create1(0), quit = eventfd(0, 0);
	struct epoll_event q = { .events = EPOLLIN, .data.fd = quit };

	CHECK(!epoll_ctl(e, EPOLL_CTL_ADD, quit, &q));
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_create(&t[i], NULL, churn, (void *)(intptr_t)e));
	for (int i = 0; i < 3000; i++)
		CHECK(epoll_wait(e, ev, 16, 0) >= 0);
	for (int i = 0; i < 3; i++) {
		void *failed;
		CHECK(!pthread_join(t[i], &failed) && !failed);
	}
	CHECK(!eventfd_write(quit, 1));
	CHECK_EQ(epoll_wait(e, ev, 16, 1000), 1);
	CHECK_EQ(ev[0].data.fd, quit);
}

static void timeouts_of_pwait2(void)
{
	struct timespec ts = { 0, 30000000 }, bad = { 0, 1000000000 }, a, b;
	struct epoll_event ev;
	int e = epoll_create1(0);

	clock_gettime(CLOCK_MONOTONIC, &a);
	CHECK_EQ(syscall(SYS_epoll_pwait2, e, &ev, 1, &ts, NULL, 8), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec >= 30000000);
	CHECK_ERR(syscall(SYS_epoll_pwait2, e, &ev, 1, &bad, NULL, 8), EINVAL);
}

/* ---- eventfd, signalfd, timerfd ---- */

static void eventfd_blocks_at_both_ends(void)
{
	int fd = eventfd(0, 0);
	eventfd_t v;
	pid_t pid = fork();

	if (!pid) {
		usleep(20000);
		_exit(eventfd_write(fd, UINT64_MAX - 1) ? 1 : 0);
	}
	CHECK(!eventfd_read(fd, &v) && v == UINT64_MAX - 1);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(!eventfd_write(fd, UINT64_MAX - 1));
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	pid = fork();
	if (!pid)
		_exit(eventfd_write(fd, 5) ? 1 : 0);
	usleep(20000);
	CHECK(!eventfd_read(fd, &v) && v == UINT64_MAX - 1);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(!eventfd_read(fd, &v) && v == 5);
	fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	CHECK(!eventfd_read(fd, &v) && v == 1);
	CHECK(!eventfd_read(fd, &v) && v == 1);
	CHECK_ERR(eventfd_read(fd, &v), EAGAIN);
}

static void signals_are_read(void)
{
	struct signalfd_siginfo si;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = signalfd(-1, &set, SFD_NONBLOCK), e = epoll_of(fd, EPOLLIN);
	CHECK(fd >= 0);
	CHECK_ERR(read(fd, &si, sizeof si), EAGAIN);
	struct epoll_event ev;
	CHECK_EQ(epoll_wait(e, &ev, 1, 0), 0);
	pid_t parent = getpid(), pid = fork();
	if (!pid) {
		usleep(20000);
		kill(parent, SIGUSR1);
		_exit(3);
	}
	CHECK_EQ(epoll_wait(e, &ev, 1, 5000), 1);
	CHECK_EQ(read(fd, &si, sizeof si), sizeof si);
	CHECK(si.ssi_signo == SIGUSR1 && (pid_t)si.ssi_pid == pid);
	CHECK_EQ(epoll_wait(e, &ev, 1, 5000), 1);
	CHECK_EQ(read(fd, &si, sizeof si), sizeof si);
	CHECK(si.ssi_signo == SIGCHLD && si.ssi_status == 3);
	CHECK_EQ(tap_wait(pid), 3 << 8);
	sigdelset(&set, SIGUSR1);
	CHECK_EQ(signalfd(fd, &set, 0), fd);
	CHECK(!raise(SIGUSR1));
	CHECK_ERR(read(fd, &si, sizeof si), EAGAIN);
	CHECK_ERR(signalfd(0, &set, 0), EINVAL);
}

static void timers_repeat_and_count(void)
{
	struct itimerspec it = { { 0, 5000000 }, { 0, 5000000 } }, left;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	uint64_t n;

	CHECK(fd >= 0 && !timerfd_settime(fd, 0, &it, NULL));
	CHECK_ERR(read(fd, &n, 8), EAGAIN);
	usleep(52000);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK(n >= 10 && n < 1000);
	struct pollfd p = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 2000), 1);
	CHECK(!timerfd_gettime(fd, &left));
	CHECK_EQ(left.it_interval.tv_nsec, 5000000);
	CHECK(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 5000000);
	it = (struct itimerspec){ 0 };
	CHECK(!timerfd_settime(fd, 0, &it, NULL));
	CHECK_EQ(poll(&p, 1, 20), 0);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int wall = timerfd_create(CLOCK_REALTIME, 0);
	it.it_value = now; /* in the past at once */
	CHECK(!timerfd_settime(wall, TFD_TIMER_ABSTIME, &it, NULL));
	CHECK_EQ(read(wall, &n, 8), 8);
	CHECK_EQ(n, 1);
}

TEST_MAIN(CASE(small_writes_do_not_mix), CASE(every_sleeping_reader_gets_its_byte),
	  CASE(big_write_returns_what_was_taken), CASE(packets_keep_their_bounds),
	  CASE(pipes_reopened_through_proc), CASE(splice_between_pipes),
	  CASE(ppoll_takes_a_mask), CASE(many_descriptors),
	  CASE(chains_of_epoll_are_bounded), CASE(descriptors_of_one_file_are_apart),
	  CASE(exclusive_wakes_fewer), CASE(sets_change_while_waited_on),
	  CASE(timeouts_of_pwait2), CASE(eventfd_blocks_at_both_ends),
	  CASE(signals_are_read), CASE(timers_repeat_and_count))

/* libc: musl glibc */
/* pipe(7), poll(2), select(2), epoll(7), eventfd(2), timerfd_create(2), FIFOs. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif

static void pipe_carries_bytes(void)
{
	int p[2], n;
	char buf[8];
	CHECK(!pipe(p));
	CHECK_EQ(write(p[1], "abc", 3), 3);
	CHECK_EQ(write(p[1], "de", 2), 2);
	CHECK(!ioctl(p[0], FIONREAD, &n) && n == 5);
	CHECK_EQ(read(p[0], buf, 8), 5);
	CHECK(!memcmp(buf, "abcde", 5));
	CHECK_ERR(lseek(p[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERR(pread(p[0], buf, 1, 0), ESPIPE);
	CHECK_ERR(write(p[0], "x", 1), EBADF);
	CHECK_ERR(read(p[1], buf, 1), EBADF);
}

static void pipe_ends(void)
{
	int p[2];
	char c;
	CHECK(!pipe(p));
	CHECK_EQ(write(p[1], "z", 1), 1);
	close(p[1]);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(read(p[0], &c, 1), 0);
	CHECK(!pipe(p));
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	pid_t pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		if (write(p[1], "x", 1) < 0)
			_exit(1);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGPIPE);
}

static void non_blocking_pipe(void)
{
	int p[2];
	static char buf[70000];
	CHECK(!pipe2(p, O_NONBLOCK | O_CLOEXEC));
	CHECK_ERR(read(p[0], buf, 1), EAGAIN);
	CHECK_EQ(write(p[1], buf, sizeof buf), 65536);
	CHECK_ERR(write(p[1], buf, 1), EAGAIN);
	CHECK_EQ(read(p[0], buf, 100), 100);
	CHECK_ERR(write(p[1], buf, PIPE_BUF), EAGAIN); /* atomic or not at all */
	CHECK_ERR(pipe2(p, 0x1234567), EINVAL);
}

static void pipe_size_can_change(void)
{
	int p[2];
	CHECK(!pipe(p));
	CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
	CHECK_EQ(fcntl(p[0], F_SETPIPE_SZ, 100000), 131072);
	CHECK_EQ(write(p[1], "abc", 3), 3);
	CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 4096), 4096);
	char c[3];
	CHECK_EQ(read(p[0], c, 3), 3);
}

static void pipe_carries_much(void)
{
	int p[2];
	static unsigned char buf[10000];
	CHECK(!pipe(p));
	pid_t pid = fork();
	if (!pid) {
		unsigned char v = 0;
		close(p[0]);
		for (int i = 0; i < 300; i++) {
			for (size_t k = 0; k < sizeof buf; k++)
				buf[k] = v++;
			if (write(p[1], buf, sizeof buf) != sizeof buf)
				_exit(1);
		}
		_exit(0);
	}
	close(p[1]);
	unsigned char want = 0;
	long n, all = 0;
	while ((n = read(p[0], buf, 7777)) > 0) {
		for (long k = 0; k < n; k++)
			if (buf[k] != want++)
				CHECK(!"bytes in order");
		all += n;
	}
	CHECK_EQ(all, 3000000);
	CHECK_EQ(tap_wait(pid), 0);
}

static void fifo_open_waits_for_both(void)
{
	char c;
	tap_tmpdir();
	CHECK(!mkfifo("p", 0600));
	CHECK_ERR(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	pid_t pid = fork();
	if (!pid) {
		int w = open("p", O_WRONLY);
		_exit(write(w, "q", 1) != 1);
	}
	int r = open("p", O_RDONLY);
	CHECK_EQ(read(r, &c, 1), 1);
	CHECK_EQ(c, 'q');
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(read(r, &c, 1), 0);
	int nb = open("p", O_RDONLY | O_NONBLOCK);
	CHECK(nb >= 0);
	CHECK_EQ(read(nb, &c, 1), 0); /* no writer: end of file, not EAGAIN */
}

/* Found by bash's <(command): the command may have ended before its reader opens
 * /dev/fd/63. */
static void a_pipe_opened_again_waits_for_nobody(void)
{
	char path[32], c;
	int p[2], again;

	CHECK(!pipe(p));
	CHECK_EQ(write(p[1], "q", 1), 1);
	close(p[1]);
	snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
	again = open(path, O_RDONLY);
	CHECK(again >= 0 && read(again, &c, 1) == 1 && c == 'q' && !read(again, &c, 1));
	close(again);
	CHECK(!pipe(p));
	close(p[0]);
	snprintf(path, sizeof path, "/proc/self/fd/%d", p[1]);
	again = open(path, O_WRONLY);
	CHECK(again >= 0 && !close(again));
	again = open(path, O_WRONLY | O_NONBLOCK);
	CHECK(again >= 0 && !close(again));
}

static void poll_reports(void)
{
	int p[2];
	CHECK(!pipe(p));
	struct pollfd f[3] = { { p[0], POLLIN, 0 },
			       { p[1], POLLOUT, 0 },
			       { -1, POLLIN, 9 } };
	CHECK_EQ(poll(f, 3, 0), 1);
	CHECK(f[0].revents == 0 && f[1].revents == POLLOUT && f[2].revents == 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(poll(f, 2, -1), 2);
	CHECK_EQ(f[0].revents, POLLIN);
	close(p[1]);
	CHECK_EQ(poll(f, 1, -1), 1);
	CHECK_EQ(f[0].revents, POLLIN | POLLHUP);
	f[1].fd = 999;
	CHECK_EQ(poll(&f[1], 1, 0), 1);
	CHECK_EQ(f[1].revents, POLLNVAL);
	int q[2];
	CHECK(!pipe(q));
	close(q[0]);
	struct pollfd w = { q[1], POLLOUT, 0 };
	CHECK_EQ(poll(&w, 1, 0), 1);
	CHECK_EQ(w.revents, POLLOUT | POLLERR);
}

static void poll_waits(void)
{
	int p[2];
	CHECK(!pipe(p));
	pid_t pid = fork();
	if (!pid) {
		usleep(30000);
		_exit(write(p[1], "x", 1) != 1);
	}
	struct pollfd f = { p[0], POLLIN, 0 };
	CHECK_EQ(poll(&f, 1, 10000), 1);
	CHECK_EQ(tap_wait(pid), 0);
	struct timespec t = { 0, 1000000 };
	f.events = 0;
	CHECK_EQ(ppoll(&f, 1, &t, NULL), 0);
}

static void select_reports(void)
{
	int p[2];
	fd_set r, w;
	struct timeval t = { 0, 10000 };
	CHECK(!pipe(p));
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	CHECK_EQ(select(p[0] + 1, &r, NULL, NULL, &t), 0);
	CHECK(!FD_ISSET(p[0], &r));
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	CHECK_EQ(select(p[1] + 1, &r, &w, NULL, NULL), 1);
	CHECK(FD_ISSET(p[1], &w) && !FD_ISSET(p[0], &r));
	close(p[0]);
	FD_SET(p[0], &r);
	t.tv_usec = 0;
	CHECK_ERR(select(p[1] + 1, &r, NULL, NULL, &t), EBADF);
}

static int epoll_of(int fd, uint32_t events)
{
	int e = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = { .events = events, .data.u64 = 0x123456789abcull };
	CHECK(e >= 0);
	CHECK(!epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev));
	return e;
}

static void epoll_level_and_edge(void)
{
	int p[2];
	char c;
	struct epoll_event ev;
	CHECK(!pipe2(p, O_NONBLOCK));
	int lt = epoll_of(p[0], EPOLLIN), et = epoll_of(p[0], EPOLLIN | EPOLLET);
	CHECK_EQ(epoll_wait(lt, &ev, 1, 0), 0);
	CHECK_EQ(write(p[1], "ab", 2), 2);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(epoll_wait(lt, &ev, 1, 1000), 1);
		CHECK(ev.events == EPOLLIN && ev.data.u64 == 0x123456789abcull);
		CHECK_EQ(epoll_wait(et, &ev, 1, 0), i == 0);
	}
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(epoll_wait(et, &ev, 1, 0), 0);
	CHECK_EQ(write(p[1], "c", 1), 1);
	CHECK_EQ(epoll_wait(et, &ev, 1, 0), 1);
}

static void epoll_one_shot(void)
{
	int p[2];
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };
	CHECK(!pipe(p));
	int e = epoll_of(p[0], EPOLLIN | EPOLLONESHOT);
	CHECK_EQ(write(p[1], "a", 1), 1);
	CHECK_EQ(epoll_wait(e, &ev, 1, 0), 1);
	CHECK_EQ(epoll_wait(e, &ev, 1, 0), 0);
	ev.events = EPOLLIN | EPOLLONESHOT;
	CHECK(!epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev));
	CHECK_EQ(epoll_wait(e, &ev, 1, 0), 1);
}

static void epoll_errors(void)
{
	int p[2];
	struct epoll_event ev = { .events = EPOLLIN };
	CHECK(!pipe(p));
	int e = epoll_of(p[0], EPOLLIN);
	CHECK_ERR(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev), EEXIST);
	CHECK_ERR(epoll_ctl(e, EPOLL_CTL_DEL, p[1], &ev), ENOENT);
	CHECK_ERR(epoll_ctl(e, EPOLL_CTL_ADD, e, &ev), EINVAL);
	CHECK_ERR(epoll_ctl(e, EPOLL_CTL_ADD, 999, &ev), EBADF);
	CHECK_ERR(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &ev), EINVAL);
	CHECK_ERR(epoll_ctl(e, 42, p[1], &ev), EINVAL);
	CHECK_ERR(epoll_wait(e, &ev, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_epoll_create, 0), EINVAL);
	tap_tmpdir();
	int f = open("f", O_CREAT | O_RDWR, 0600);
	CHECK_ERR(epoll_ctl(e, EPOLL_CTL_ADD, f, &ev), EPERM);
	int e2 = epoll_of(e, EPOLLIN);
	CHECK_ERR(epoll_ctl(e, EPOLL_CTL_ADD, e2, &ev), ELOOP);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(e2, &ev, 1, 0), 1); /* nested */
}

static void closed_descriptors_leave_epoll(void)
{
	int p[2];
	struct epoll_event ev;
	CHECK(!pipe(p));
	int e = epoll_of(p[0], EPOLLIN), d = dup(p[0]);
	CHECK_EQ(write(p[1], "x", 1), 1);
	close(p[0]);
	CHECK_EQ(epoll_wait(e, &ev, 1, 0), 1); /* d keeps the open file */
	close(d);
	CHECK_EQ(epoll_wait(e, &ev, 1, 0), 0);
}

static void eventfd_counts(void)
{
	uint64_t v = 3;
	int e = eventfd(2, EFD_NONBLOCK);
	CHECK_EQ(write(e, &v, 8), 8);
	CHECK_EQ(read(e, &v, 8), 8);
	CHECK_EQ(v, 5);
	CHECK_ERR(read(e, &v, 8), EAGAIN);
	CHECK_ERR(read(e, &v, 4), EINVAL);
	v = UINT64_MAX;
	CHECK_ERR(write(e, &v, 8), EINVAL);
	v = UINT64_MAX - 1;
	CHECK_EQ(write(e, &v, 8), 8);
	v = 1;
	CHECK_ERR(write(e, &v, 8), EAGAIN);
	int s = eventfd(3, EFD_SEMAPHORE);
	CHECK_EQ(read(s, &v, 8), 8);
	CHECK_EQ(v, 1);
}

static void timerfd_fires(void)
{
	struct itimerspec it = { { 0, 5000000 }, { 0, 5000000 } }, now;
	uint64_t n = 0;
	int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	CHECK(t >= 0);
	CHECK_ERR(read(t, &n, 8), EAGAIN);
	CHECK(!timerfd_settime(t, 0, &it, NULL));
	usleep(40000);
	CHECK_EQ(read(t, &n, 8), 8);
	CHECK(n >= 2);
	CHECK(!timerfd_gettime(t, &now));
	CHECK(now.it_interval.tv_nsec == 5000000 && now.it_value.tv_nsec <= 5000000);
	struct pollfd f = { t, POLLIN, 0 };
	CHECK_EQ(poll(&f, 1, 1000), 1);
	memset(&it, 0, sizeof it);
	CHECK(!timerfd_settime(t, 0, &it, NULL));
	CHECK_EQ(poll(&f, 1, 20), 0);
	it.it_value.tv_nsec = 1000000000;
	CHECK_ERR(timerfd_settime(t, 0, &it, NULL), EINVAL);
	CHECK_ERR(timerfd_create(99, 0), EINVAL);
}

static void splice_moves(void)
{
	int p[2];
	char buf[16] = "";
	tap_tmpdir();
	int f = open("f", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(write(f, "spliced", 7), 7);
	CHECK(!pipe(p));
	CHECK_EQ(splice(f, &(loff_t){ 1 }, p[1], NULL, 4, 0), 4);
	CHECK_EQ(read(p[0], buf, 16), 4);
	CHECK(!strcmp(buf, "plic"));
	int q[2];
	CHECK(!pipe(q));
	CHECK_EQ(write(p[1], "tee", 3), 3);
	CHECK_EQ(tee(p[0], q[1], 10, 0), 3);
	CHECK_EQ(read(q[0], buf, 16), 3);
	CHECK_EQ(read(p[0], buf, 16), 3);
	CHECK_ERR(splice(f, NULL, f, NULL, 1, 0), EINVAL);
}

TEST_MAIN(CASE(pipe_carries_bytes), CASE(pipe_ends), CASE(non_blocking_pipe),
	  CASE(pipe_size_can_change), CASE(pipe_carries_much),
	  CASE(fifo_open_waits_for_both), CASE(a_pipe_opened_again_waits_for_nobody),
	  CASE(poll_reports), CASE(poll_waits), CASE(select_reports),
	  CASE(epoll_level_and_edge), CASE(epoll_one_shot), CASE(epoll_errors),
	  CASE(closed_descriptors_leave_epoll), CASE(eventfd_counts), CASE(timerfd_fires),
	  CASE(splice_moves))

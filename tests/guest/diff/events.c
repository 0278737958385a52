/* eventfd, poll, select, epoll. */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int p[2];

static struct epoll_event event(unsigned events, unsigned data)
{
	return (struct epoll_event){ .events = events, .data.u32 = data };
}

static long ctl(int ep, int op, int fd, unsigned events, unsigned data)
{
	struct epoll_event e = event(events, data);
	return epoll_ctl(ep, op, fd, &e);
}

static void say_ready(const char *label, int ep)
{
	struct epoll_event e[8];
	int n = epoll_wait(ep, e, 8, 0);
	say("%s: %d ready", label, n);
	for (int i = 0; i < n; i++)
		say("- data %u events 0x%x", e[i].data.u32, e[i].events);
}

/* -- eventfd ------------------------------------------------------------------------- */

DIFF_CASE(eventfd_counts)
{
	uint64_t v = 5;
	int fd = eventfd(3, EFD_NONBLOCK);
	TRY(write(fd, &v, 8));
	TRY(read(fd, &v, 8));
	SHOW(v);
	TRY(read(fd, &v, 8));
	v = ~0ull;
	TRY(write(fd, &v, 8));
	v = ~0ull - 1;
	TRY(write(fd, &v, 8));
	v = 1;
	TRY(write(fd, &v, 8));
	v = 0;
	TRY(write(fd, &v, 8));
	TRY(read(fd, &v, 4));
	TRY(write(fd, &v, 4));
	TRY(read(fd, &v, 16));
	SHOW(v == ~0ull - 1);
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(pread(fd, &v, 8, 0));
}

DIFF_CASE(eventfd_semaphore)
{
	uint64_t v;
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	TRY(fcntl(fd, F_GETFD));
	TRY(read(fd, &v, 8));
	SHOW(v);
	TRY(read(fd, &v, 8));
	TRY(read(fd, &v, 8));
	TRY(eventfd(0, 2));
	TRY(syscall(SYS_eventfd, 7));
}

DIFF_CASE(eventfd_poll)
{
	uint64_t v = ~0ull - 1;
	int fd = eventfd(0, EFD_NONBLOCK);
	struct pollfd pf = { fd, POLLIN | POLLOUT, 0 };
	TRY(poll(&pf, 1, 0));
	SHOW(pf.revents);
	NEED(write(fd, &v, 8) == 8);
	TRY(poll(&pf, 1, 0));
	SHOW(pf.revents);
	NEED(read(fd, &v, 8) == 8);
	v = 1;
	NEED(write(fd, &v, 8) == 8);
	TRY(poll(&pf, 1, 0));
	SHOW(pf.revents);
}

static int event_fd;

static int waits_for_event(void)
{
	uint64_t v = 0;
	return read(event_fd, &v, 8) == 8 ? (int)v : 99;
}

DIFF_CASE(eventfd_blocks)
{
	event_fd = eventfd(0, 0);
	pid_t pid = child_of(waits_for_event);
	wait_asleep(pid);
	uint64_t v = 42;
	TRY(write(event_fd, &v, 8));
	say_status("reader", reap(pid));
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(read(event_fd, &v, 8));
	ualarm(0, 0);
}

/* -- poll, select -------------------------------------------------------------------- */

DIFF_CASE(poll_corners)
{
	NEED(!pipe(p));
	struct pollfd f[] = { { p[0], POLLIN, 7 },
			      { p[1], POLLOUT, 7 },
			      { -1, POLLIN, 7 },
			      { 99, POLLIN, 7 },
			      { 0, POLLIN | POLLOUT, 7 } };
	TRY(poll(f, 5, 0));
	for (int i = 0; i < 5; i++)
		say("%d: 0x%x", i, f[i].revents);
	TRY(poll(f, 1, 0));
	TRY(poll(NULL, 0, 0));
	TRY(poll(NULL, 1, 0));
	TRY(syscall(SYS_poll, f, 5000, 0));
	int64_t began = now_ns();
	TRY(poll(f, 1, 20));
	SHOW(now_ns() - began >= 20000000);
	catch (SIGALRM, SA_RESTART);
	ualarm(20000, 20000);
	TRY(poll(f, 1, -1));
	ualarm(0, 0);
	make_file("f", "");
	struct pollfd r = { open("f", O_RDONLY), POLLIN | POLLOUT | POLLPRI, 0 };
	TRY(poll(&r, 1, 0));
	SHOW(r.revents);
	r.fd = open("f", O_PATH);
	TRY(poll(&r, 1, 0));
	SHOW(r.revents);
}

DIFF_CASE(ppoll_corners)
{
	NEED(!pipe(p));
	struct pollfd f = { p[0], POLLIN, 0 };
	struct timespec t = { 0, 1000000000 }, ok = { 0, 20000000 };
	uint64_t none = 0;
	TRY(syscall(SYS_ppoll, &f, 1, &t, NULL, 8));
	t.tv_nsec = -1;
	TRY(syscall(SYS_ppoll, &f, 1, &t, NULL, 8));
	TRY(syscall(SYS_ppoll, &f, 1, &ok, NULL, 0));
	say("time left %ld", (long)ok.tv_nsec);
	TRY(syscall(SYS_ppoll, &f, 1, &ok, &none, 4));
	TRY(syscall(SYS_ppoll, &f, 1, 8, NULL, 8));
	catch (SIGUSR1, 0);
	block_signal(SIGUSR1);
	raise(SIGUSR1);
	TRY(syscall(SYS_ppoll, &f, 1, NULL, &none, 8));
	SHOW(caught[SIGUSR1]);
	raise(SIGUSR1);
	NEED(write(p[1], "x", 1) == 1);
	TRY(syscall(SYS_ppoll, &f, 1, NULL, &none, 8));
	SHOW(caught[SIGUSR1]);
}

DIFF_CASE(select_corners)
{
	fd_set r, w;
	struct timeval t = { 0, 0 }, neg = { -1, 0 }, odd = { 0, 1500000 };
	NEED(!pipe(p));
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	TRY(select(p[1] + 1, &r, &w, NULL, &t));
	say("readable %d writable %d", !!FD_ISSET(p[0], &r), !!FD_ISSET(p[1], &w));
	TRY(syscall(SYS_select, -1, NULL, NULL, NULL, &t));
	TRY(syscall(SYS_select, 1, 8, NULL, NULL, &t));
	TRY(syscall(SYS_select, 0, NULL, NULL, NULL, &neg));
	TRY(syscall(SYS_select, 0, NULL, NULL, NULL, 8));
	FD_ZERO(&r);
	FD_SET(50, &r);
	TRY(select(51, &r, NULL, NULL, &t));
	t.tv_usec = 20000;
	TRY(select(0, NULL, NULL, NULL, &t));
	say("left %ld", (long)t.tv_usec);
	NEED(write(p[1], "x", 1) == 1);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	TRY(syscall(SYS_select, p[0] + 1, &r, NULL, NULL, &odd));
	say("more than a second left: %d", odd.tv_sec == 1);
	close(p[1]);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[0], &w);
	TRY(select(p[0] + 1, &r, NULL, &w, &t));
	say("read %d except %d", !!FD_ISSET(p[0], &r), !!FD_ISSET(p[0], &w));
}

DIFF_CASE(pselect_mask)
{
	fd_set r;
	uint64_t none = 0;
	struct {
		const void *mask;
		size_t size;
	} arg = { &none, 8 }, bad = { &none, 4 };
	struct timespec t = { 5, 0 };
	NEED(!pipe(p));
	catch (SIGUSR1, 0);
	block_signal(SIGUSR1);
	raise(SIGUSR1);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	TRY(syscall(SYS_pselect6, p[0] + 1, &r, NULL, NULL, &t, &bad));
	TRY(syscall(SYS_pselect6, p[0] + 1, &r, NULL, NULL, &t, &arg));
	SHOW(caught[SIGUSR1]);
	TRY(syscall(SYS_pselect6, p[0] + 1, &r, NULL, NULL, &t, 8ul));
}

/* -- epoll --------------------------------------------------------------------------- */

DIFF_CASE(epoll_ctl_errors)
{
	int ep = epoll_create1(0), other = epoll_create1(EPOLL_CLOEXEC);
	NEED(!pipe(p));
	make_file("f", "");
	TRY(fcntl(other, F_GETFD));
	TRY(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	TRY(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	TRY(ctl(ep, EPOLL_CTL_MOD, p[1], EPOLLIN, 1));
	TRY(ctl(ep, EPOLL_CTL_DEL, p[1], EPOLLIN, 1));
	TRY(ctl(ep, EPOLL_CTL_ADD, 99, EPOLLIN, 1));
	TRY(ctl(99, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	TRY(ctl(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN, 1));
	TRY(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 1));
	TRY(ctl(ep, EPOLL_CTL_ADD, open("f", O_RDONLY), EPOLLIN, 1));
	TRY(ctl(ep, EPOLL_CTL_ADD, open("/dev/null", O_RDONLY), EPOLLIN, 1));
	TRY(ctl(ep, 9, p[0], EPOLLIN, 1));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], (void *)8));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], (void *)8));
	TRY(epoll_create1(1));
	TRY(epoll_create(0));
	TRY(syscall(SYS_epoll_create, -1));
	TRY(ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLEXCLUSIVE, 1));
	TRY(ctl(ep, EPOLL_CTL_MOD, p[1], EPOLLOUT, 1));
	TRY(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
	TRY(ctl(ep, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE, 1));
}

DIFF_CASE(epoll_loops)
{
	int a = epoll_create1(0), b = epoll_create1(0);
	TRY(ctl(a, EPOLL_CTL_ADD, b, EPOLLIN, 1));
	TRY(ctl(b, EPOLL_CTL_ADD, a, EPOLLIN, 1));
	int chain[8];
	for (int i = 0; i < 8; i++)
		chain[i] = epoll_create1(0);
	for (int i = 0; i < 7; i++)
		say("depth %d: %s", i + 2,
		    ctl(chain[i + 1], EPOLL_CTL_ADD, chain[i], EPOLLIN, 1)
			    ? err_name(errno)
			    : "ok");
}

DIFF_CASE(epoll_wait_errors)
{
	struct epoll_event e;
	int ep = epoll_create1(0);
	TRY(epoll_wait(ep, &e, 0, 0));
	TRY(epoll_wait(ep, &e, -1, 0));
	TRY(epoll_wait(ep, (void *)8, 1, 0));
	TRY(epoll_wait(0, &e, 1, 0));
	TRY(epoll_wait(99, &e, 1, 0));
	TRY(epoll_wait(ep, &e, 1, 10));
	TRY(syscall(SYS_epoll_wait, ep, &e, 1 << 30, 0));
	NEED(!pipe(p) && write(p[1], "x", 1) == 1);
	NEED(!ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	TRY(epoll_wait(ep, (void *)8, 1, 0));
	say_ready("still there", ep);
	catch (SIGALRM, SA_RESTART);
	ualarm(20000, 20000);
	TRY(epoll_wait(epoll_create1(0), &e, 1, -1));
	ualarm(0, 0);
	TRY(read(ep, &e, 1));
	TRY(write(ep, &e, 1));
}

DIFF_CASE(epoll_level_and_edge)
{
	char b[8];
	int lt = epoll_create1(0), et = epoll_create1(0), one = epoll_create1(0);
	NEED(!pipe(p));
	NEED(!ctl(lt, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	NEED(!ctl(et, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 2));
	NEED(!ctl(one, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLONESHOT, 3));
	NEED(write(p[1], "ab", 2) == 2);
	for (int i = 0; i < 2; i++) {
		say_ready("level", lt);
		say_ready("edge", et);
		say_ready("once", one);
	}
	NEED(read(p[0], b, 1) == 1);
	say_ready("edge after a partial read", et);
	NEED(write(p[1], "c", 1) == 1);
	say_ready("edge after a write", et);
	NEED(!ctl(one, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 4));
	say_ready("once, armed again", one);
	NEED(!ctl(et, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 5));
	say_ready("edge, modified", et);
	NEED(read(p[0], b, 8) == 2);
	say_ready("level, empty", lt);
}

DIFF_CASE(epoll_closed_descriptors)
{
	int ep = epoll_create1(0);
	NEED(!pipe(p));
	int copy = dup(p[0]);
	NEED(!ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1) && write(p[1], "x", 1) == 1);
	close(p[0]);
	say_ready("closed, a copy is open", ep);
	TRY(ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0));
	close(copy);
	say_ready("all closed", ep);
	NEED(!pipe(p));
	NEED(!ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 2));
	close(p[1]);
	say_ready("hang-up without asking", ep);
	NEED(!ctl(ep, EPOLL_CTL_MOD, p[0], 0, 3));
	say_ready("asking for nothing", ep);
}

DIFF_CASE(epoll_nested_and_polled)
{
	int in = epoll_create1(0), out = epoll_create1(0);
	NEED(!pipe(p));
	NEED(!ctl(in, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	NEED(!ctl(out, EPOLL_CTL_ADD, in, EPOLLIN, 2));
	struct pollfd f = { in, POLLIN, 0 };
	TRY(poll(&f, 1, 0));
	say_ready("outer", out);
	NEED(write(p[1], "x", 1) == 1);
	TRY(poll(&f, 1, 0));
	say_ready("outer", out);
	say_ready("inner", in);
}

DIFF_CASE(epoll_order_and_batches)
{
	int ep = epoll_create1(0), fds[4];
	struct epoll_event e[2];
	for (unsigned i = 0; i < 4; i++) {
		fds[i] = eventfd(0, 0);
		NEED(!ctl(ep, EPOLL_CTL_ADD, fds[i], EPOLLIN, i));
	}
	uint64_t one = 1;
	for (int i = 3; i >= 0; i--)
		NEED(write(fds[i], &one, 8) == 8);
	for (int round = 0; round < 3; round++) {
		TRY(epoll_wait(ep, e, 2, 0));
		say("%u %u", e[0].data.u32, e[1].data.u32);
	}
}

DIFF_CASE(epoll_pwait2_times)
{
	struct epoll_event e;
	struct timespec t = { 0, 20000000 }, bad = { 0, 1000000000 };
	uint64_t none = 0;
	int ep = epoll_create1(0);
	int64_t began = now_ns();
	TRY(syscall(SYS_epoll_pwait2, ep, &e, 1, &t, NULL, 0ul));
	SHOW(now_ns() - began >= 20000000);
	TRY(syscall(SYS_epoll_pwait2, ep, &e, 1, &bad, NULL, 0ul));
	TRY(syscall(SYS_epoll_pwait2, ep, &e, 1, 8, NULL, 0ul));
	catch (SIGUSR1, 0);
	block_signal(SIGUSR1);
	raise(SIGUSR1);
	TRY(syscall(SYS_epoll_pwait, ep, &e, 1, -1, &none, 4ul));
	TRY(syscall(SYS_epoll_pwait, ep, &e, 1, -1, &none, 8ul));
	SHOW(caught[SIGUSR1]);
}

static int waits_in_epoll(void)
{
	struct epoll_event e;
	return epoll_wait(event_fd, &e, 1, 5000) == 1 ? (int)e.data.u32 : 99;
}

DIFF_CASE(epoll_added_while_waiting)
{
	event_fd = epoll_create1(0);
	NEED(!pipe(p) && write(p[1], "x", 1) == 1);
	pid_t pid = child_of(waits_in_epoll);
	wait_asleep(pid);
	TRY(ctl(event_fd, EPOLL_CTL_ADD, p[0], EPOLLIN, 7));
	say_status("waiter", reap(pid));
}

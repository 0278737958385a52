/* libc: musl glibc */
/* AF_UNIX datagrams and packets: borders, partners, flow control; vectors. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/tap.h"

/* ---- datagrams and packets ---- */

static void dgram_borders(void)
{
	struct sockaddr_un a;
	socklen_t n = sizeof a;
	char b[8];
	int r, s, left;
	tap_tmpdir();
	r = socket(AF_UNIX, SOCK_DGRAM, 0);
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(!sock_bind(r, "r"));
	CHECK_EQ(sock_sendto(s, "hello", 5, 0, "r"), 5);
	CHECK(!sock_bind(s, "s"));
	CHECK_EQ(sock_sendto(s, "", 0, 0, "r"), 0);
	CHECK_EQ(sock_sendto(s, "worlds", 6, 0, "r"), 6);
	CHECK(!ioctl(r, FIONREAD, &left) && left == 5);
	CHECK_EQ(recv(r, b, 2, MSG_PEEK), 2);
	CHECK_EQ(recv(r, b, 2, MSG_TRUNC), 5);
	CHECK_EQ(recvfrom(r, b, 8, 0, (struct sockaddr *)&a, &n), 0);
	CHECK_EQ(n, offsetof(struct sockaddr_un, sun_path) + 2);
	CHECK(!strcmp(a.sun_path, "s"));
	CHECK_EQ(read(r, b, 8), 6);
	CHECK_ERR(recv(r, b, 8, MSG_DONTWAIT), EAGAIN);
	CHECK_ERR(sock_sendto(s, "x", 1, 0, "absent"), ENOENT);
	/* Unnamed senders have no address. */
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_EQ(sock_sendto(s, "x", 1, 0, "r"), 1);
	n = sizeof a;
	CHECK_EQ(recvfrom(r, b, 8, 0, (struct sockaddr *)&a, &n), 1);
	CHECK_EQ(n, 0);
}

static void dgram_truncates(void)
{
	struct iovec v;
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };
	char b[4];
	int p[2];
	v = (struct iovec){ b, 4 };
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	CHECK_EQ(send(p[0], "abcdef", 6, 0), 6);
	CHECK_EQ(recvmsg(p[1], &h, 0), 4);
	CHECK_EQ(h.msg_flags, MSG_TRUNC);
	CHECK_EQ(send(p[0], "abcd", 4, 0), 4);
	CHECK_EQ(recvmsg(p[1], &h, MSG_TRUNC), 4);
	CHECK_EQ(h.msg_flags, 0);
}

static void dgram_too_long(void)
{
	char *b = malloc(300000);
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	CHECK_ERR(send(p[0], b, 300000, 0), EMSGSIZE);
	memset(b, 7, 150000);
	CHECK_EQ(send(p[0], b, 150000, 0), 150000);
	memset(b, 0, 150000);
	CHECK_EQ(recv(p[1], b, 300000, 0), 150000);
	for (int k = 0; k < 150000; k++)
		if (b[k] != 7)
			CHECK_EQ(k, -1);
}

static void dgram_filters(void)
{
	char b[4];
	int r, s, x;
	tap_tmpdir();
	r = socket(AF_UNIX, SOCK_DGRAM, 0);
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	x = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(!sock_bind(r, "r") && !sock_bind(s, "s"));
	CHECK(!sock_connect(r, "s"));
	CHECK_EQ(sock_sendto(s, "a", 1, 0, "r"), 1);
	CHECK_ERR(sock_sendto(x, "a", 1, 0, "r"), EPERM);
	CHECK_ERR(sock_connect(x, "r"), EPERM);
	CHECK(!sock_connect(s, "r"));
	CHECK_EQ(send(s, "b", 1, 0), 1);
	CHECK_EQ(recv(r, b, 4, 0), 1);
	CHECK_EQ(recv(r, b, 4, 0), 1);
	/* No partner any more: everybody is heard. */
	struct sockaddr_un a = { .sun_family = AF_UNSPEC };
	CHECK(!connect(r, (struct sockaddr *)&a, sizeof a.sun_family));
	CHECK_EQ(sock_sendto(x, "a", 1, 0, "r"), 1);
	CHECK_EQ(recv(r, b, 4, 0), 1);
	CHECK_ERR(send(r, "a", 1, 0), ENOTCONN);
	close(r);
	CHECK_ERR(send(s, "b", 1, 0), ECONNREFUSED);
	CHECK_ERR(send(s, "b", 1, 0), ENOTCONN);
}

static void dgram_flow(void)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	int r, s, e, n = 0;
	char b[4];
	tap_tmpdir();
	r = socket(AF_UNIX, SOCK_DGRAM, 0);
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(!sock_bind(r, "r"));
	CHECK(!sock_connect(s, "r"));
	e = epoll_create1(0);
	CHECK(!epoll_ctl(e, EPOLL_CTL_ADD, s, &ev));
	CHECK_EQ(epoll_wait(e, &ev, 1, 0), 1);
	while (send(s, "x", 1, MSG_DONTWAIT) == 1)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n >= 1);
	CHECK_EQ(sock_events(s), 0);
	CHECK_EQ(epoll_wait(e, &ev, 1, 0), 0);
	sock_set_timeout(s, SO_SNDTIMEO, 20);
	CHECK_ERR(send(s, "x", 1, 0), EAGAIN);
	CHECK_EQ(recv(r, b, 4, 0), 1);
	CHECK_EQ(epoll_wait(e, &ev, 1, 1000), 1);
	CHECK_EQ(sock_events(s), POLLOUT);
	CHECK_EQ(send(s, "x", 1, MSG_DONTWAIT), 1);
	while (recv(r, b, 4, MSG_DONTWAIT) == 1)
		n--;
	CHECK_EQ(n, 0);
}

static void *late_reader(void *arg)
{
	char b[4];
	usleep(10000);
	return recv(*(int *)arg, b, 4, 0) == 1 ? NULL : (void *)1;
}

static void dgram_waits(void)
{
	pthread_t t;
	void *v;
	int r, s;
	tap_tmpdir();
	r = socket(AF_UNIX, SOCK_DGRAM, 0);
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(!sock_bind(r, "r"));
	while (sock_sendto(s, "x", 1, MSG_DONTWAIT, "r") == 1)
		;
	CHECK_EQ(errno, EAGAIN);
	CHECK(!pthread_create(&t, NULL, late_reader, &r));
	CHECK_EQ(sock_sendto(s, "x", 1, 0, "r"), 1);
	CHECK(!pthread_join(t, &v));
	CHECK(!v);
}

static void dgram_shutdown(void)
{
	char b[4];
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	CHECK_EQ(send(p[0], "a", 1, 0), 1);
	CHECK(!shutdown(p[1], SHUT_RD));
	CHECK_ERR(send(p[0], "b", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(recv(p[1], b, 4, 0), 1);
	CHECK_EQ(recv(p[1], b, 4, 0), 0);
	CHECK_ERR(recv(p[1], b, 4, MSG_DONTWAIT), EAGAIN);
	CHECK(!shutdown(p[1], SHUT_WR));
	CHECK_ERR(send(p[1], "b", 1, MSG_NOSIGNAL), EPIPE);
}

static void packets(void)
{
	char b[8];
	int l, c, s;
	tap_tmpdir();
	l = sock_listener(SOCK_SEQPACKET, "sock", 5);
	c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	CHECK(!sock_connect(c, "sock"));
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	for (int k = 0; k < 30; k++)
		CHECK_EQ(write(c, "packet", k % 7), k % 7);
	for (int k = 0; k < 30; k++)
		CHECK_EQ(recv(s, b, 3, MSG_TRUNC), k % 7);
	CHECK_EQ(send(c, "end", 3, 0), 3);
	close(c);
	CHECK_EQ(recv(s, b, 8, 0), 3);
	CHECK_EQ(recv(s, b, 8, 0), 0);
	CHECK_EQ(recv(s, b, 8, MSG_DONTWAIT), 0);
	CHECK_ERR(send(s, b, 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(sock_events(s), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
}

/* ---- vectors and many ---- */

static void vectors(void)
{
	struct iovec v[3] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };
	struct msghdr h = { .msg_iov = v, .msg_iovlen = 3 };
	char x[2], y[8];
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_EQ(sendmsg(p[0], &h, 0), 5);
	CHECK_EQ(writev(p[0], v, 3), 5);
	v[0] = (struct iovec){ x, 2 };
	v[1] = (struct iovec){ y, 8 };
	h.msg_iovlen = 2;
	h.msg_flags = -1;
	CHECK_EQ(recvmsg(p[1], &h, 0), 10);
	CHECK(!memcmp(x, "ab", 2) && !memcmp(y, "cdeabcde", 8));
	CHECK_EQ(h.msg_flags, 0);
	h.msg_iovlen = 1025;
	CHECK_ERR(sendmsg(p[0], &h, 0), EMSGSIZE);
	CHECK_ERR(recvmsg(p[0], &h, 0), EMSGSIZE);
	CHECK_ERR(syscall(SYS_sendmsg, p[0], 8, 0), EFAULT);
}

static void many_messages(void)
{
	struct timespec ts = { 5, 0 };
	struct mmsghdr m[4];
	struct iovec v[4];
	char b[4][8];
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	memset(m, 0, sizeof m);
	for (int k = 0; k < 4; k++) {
		memset(b[k], 'a' + k, 8);
		v[k] = (struct iovec){ b[k], k + 1 };
		m[k].msg_hdr.msg_iov = &v[k];
		m[k].msg_hdr.msg_iovlen = 1;
	}
	CHECK_EQ(sendmmsg(p[0], m, 3, 0), 3);
	CHECK_EQ(m[2].msg_len, 3);
	memset(b, 0, sizeof b);
	for (int k = 0; k < 4; k++)
		v[k].iov_len = 8;
	CHECK_EQ(recvmmsg(p[1], m, 4, MSG_WAITFORONE, &ts), 3);
	CHECK_EQ(m[1].msg_len, 2);
	CHECK(!memcmp(b[2], "ccc", 4));
	CHECK(ts.tv_sec <= 5);
	CHECK_ERR(recvmmsg(p[1], m, 4, MSG_DONTWAIT, NULL), EAGAIN);
	CHECK_EQ(sendmmsg(p[0], m, 0, 0), 0);
	ts.tv_nsec = -1;
	CHECK_ERR(recvmmsg(p[1], m, 4, 0, &ts), EINVAL);
}

static void timeouts(void)
{
	struct timespec t0, t1;
	char b[4];
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	sock_set_timeout(p[0], SO_RCVTIMEO, 30);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	CHECK_ERR(recv(p[0], b, 4, 0), EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	CHECK((t1.tv_sec - t0.tv_sec) * 1000000000ll + t1.tv_nsec - t0.tv_nsec >=
	      29000000);
}

TEST_MAIN(CASE(dgram_borders), CASE(dgram_truncates), CASE(dgram_too_long),
	  CASE(dgram_filters), CASE(dgram_flow), CASE(dgram_waits), CASE(dgram_shutdown),
	  CASE(packets), CASE(vectors), CASE(many_messages), CASE(timeouts))

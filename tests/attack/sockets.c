/*
 * What a hostile job would try with sockets: descriptors that keep each other alive in
 * messages, nested ones, headers that lie, ids it does not have, signals to others by way
 * of O_ASYNC, floods, and all calls at once from several threads.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#define ANY -1

static ssize_t send_fds(int s, const int *fds, int n)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} u;
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &u };
	memset(&u, 0, sizeof u);
	u.h.cmsg_level = SOL_SOCKET;
	u.h.cmsg_type = SCM_RIGHTS;
	u.h.cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(&u.h), fds, n * sizeof(int));
	m.msg_controllen = CMSG_SPACE(n * sizeof(int));
	return sendmsg(s, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One descriptor, or -1. */
static int receive_fd(int s, int flags)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} u;
	char c;
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &u };
	int fd = -1;
	memset(&u, 0, sizeof u);
	m.msg_controllen = sizeof u;
	if (recvmsg(s, &m, flags | MSG_DONTWAIT) > 0 && m.msg_controllen >= sizeof u.h)
		memcpy(&fd, CMSG_DATA(&u.h), sizeof fd);
	return fd;
}

static long files_open(void)
{
	long n = -1;
	FILE *f = fopen("/proc/sys/fs/file-nr", "r");
	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* ---- descriptors in flight ---- */

static void cycles_exhaust_memory(void)
{
	long before;
	tap_needs_mayfly();
	before = files_open();
	CHECK(before > 0);
	for (int k = 0; k < 5000; k++) {
		int p[2];
		CHECK(!socketpair(AF_UNIX, k & 1 ? SOCK_STREAM : SOCK_DGRAM, 0, p));
		CHECK_EQ(send_fds(p[0], p, 2), 1);
		CHECK_EQ(send_fds(p[1], p, 2), 1);
		close(p[0]);
		close(p[1]);
	}
	CHECK(files_open() <= before + 4);
}

/* Rings that are left one after the other, but none at once. */
static void long_cycles(void)
{
	long before;
	enum { RING = 100 };
	tap_needs_mayfly();
	before = files_open();
	for (int round = 0; round < 20; round++) {
		int p[RING][2];
		for (int k = 0; k < RING; k++)
			CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p[k]));
		for (int k = 0; k < RING; k++)
			CHECK_EQ(send_fds(p[k][0], &p[(k + 1) % RING][1], 1), 1);
		for (int k = 0; k < RING; k++) {
			close(p[k][0]);
			close(p[k][1]);
		}
	}
	CHECK(files_open() <= before + 4);
}

/* A socket in the queue of a socket in the queue of a socket: freed by one close. */
static void deep_nesting(void)
{
	long before = files_open();
	int inner[2], p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, inner));
	close(inner[0]);
	inner[0] = inner[1];
	for (int k = 0; k < 1000; k++) {
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
		CHECK_EQ(send_fds(p[0], &inner[0], 1), 1);
		close(inner[0]);
		close(p[0]);
		inner[0] = p[1];
	}
	close(inner[0]);
	if (tap_on_mayfly())
		CHECK(files_open() <= before + 4);
}

/* Root, too, has only so many in flight. */
static void flights_are_bounded(void)
{
	struct rlimit lim;
	int p[2];
	unsigned long n = 0;
	tap_needs_mayfly();
	CHECK(!getrlimit(RLIMIT_NOFILE, &lim));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	while (send_fds(p[0], &p[0], 1) == 1)
		n++;
	CHECK(errno == ETOOMANYREFS || errno == EAGAIN);
	CHECK(n >= 100 && n <= lim.rlim_cur);
}

/* Peeking makes new references on what the collector is looking at. */
static _Atomic int stop;

static void *churn(void *arg)
{
	while (!stop) {
		int p[2];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, p))
			continue;
		(void)!send_fds(p[0], &p[1], 1);
		close(p[0]);
		close(p[1]);
	}
	return NULL;
}

static void peek_against_collector(void)
{
	pthread_t t;
	struct timespec t0, t1;
	CHECK(!pthread_create(&t, NULL, churn, NULL));
	clock_gettime(CLOCK_MONOTONIC, &t0);
	do {
		int a[2], b[2], fd;
		char c;
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, a));
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, b));
		/* b[1] is in a's queue, a[1] in b's: a cycle but for what is peeked. */
		CHECK_EQ(send_fds(a[0], &b[1], 1), 1);
		CHECK_EQ(send_fds(b[0], &a[1], 1), 1);
		CHECK_EQ(write(b[0], "alive", 5), 5);
		close(b[1]);
		fd = receive_fd(a[1], MSG_PEEK);
		CHECK(fd >= 0);
		close(a[1]);
		close(a[0]);
		/* By fd the rest can still be had. */
		int back = receive_fd(fd, 0);
		CHECK(back >= 0);
		CHECK_EQ(read(fd, &c, 1), 1);
		CHECK_EQ(c, 'a');
		close(receive_fd(back, 0));
		close(back);
		close(fd);
		close(b[0]);
		clock_gettime(CLOCK_MONOTONIC, &t1);
	} while (t1.tv_sec - t0.tv_sec < 2);
	stop = 1;
	pthread_join(t, NULL);
}

/* ---- headers that lie ---- */

/* The kernel's struct msghdr as words: what the libraries' types cannot say. */
enum { RAW_IOVLEN = 3, RAW_CONTROLLEN = 5 };

static int send_raw(int s, const struct msghdr *m, int word, uint64_t value)
{
	uint64_t raw[sizeof *m / 8];
	memcpy(raw, m, sizeof raw);
	raw[word] = value;
	return syscall(SYS_sendmsg, s, raw, MSG_DONTWAIT) < 0 ? errno : 0;
}

static void huge_vectors(void)
{
	static struct iovec v[1024];
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 1024 };
	char b[8];
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	for (int k = 0; k < 1024; k++)
		v[k] = (struct iovec){ (void *)0x100000, (size_t)1 << 62 };
	CHECK(syscall(SYS_sendmsg, p[0], &m, MSG_DONTWAIT) < 0);
	CHECK(syscall(SYS_recvmsg, p[0], &m, MSG_DONTWAIT) < 0);
	for (int k = 0; k < 1024; k++)
		v[k] = (struct iovec){ (void *)0xffff800000000000, 4096 };
	CHECK_ERR(syscall(SYS_sendmsg, p[0], &m, MSG_DONTWAIT), EFAULT);
	CHECK_ERR(syscall(SYS_recvmsg, p[0], &m, MSG_DONTWAIT), EFAULT);
	v[0] = (struct iovec){ b, (size_t)-1 };
	m.msg_iovlen = 1;
	CHECK_ERR(syscall(SYS_sendmsg, p[0], &m, MSG_DONTWAIT), EINVAL);
	CHECK_EQ(send_raw(p[0], &m, RAW_IOVLEN, 1ull << 60), EMSGSIZE);
	CHECK_ERR(send(p[0], (void *)0xffffffff80000000, 4096, MSG_DONTWAIT), EFAULT);
	CHECK_ERR(recv(p[0], (void *)0xffffffff80000000, 4096, MSG_DONTWAIT), EFAULT);
	v[0] = (struct iovec){ "fine", 4 };
	m.msg_iovlen = 1;
	CHECK_EQ(syscall(SYS_sendmsg, p[0], &m, MSG_DONTWAIT), 4);
	CHECK_EQ(recv(p[1], b, 8, 0), 4);
}

static void lying_headers(void)
{
	struct {
		struct cmsghdr h;
		int fd[2];
	} c = { { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS }, { 0, 0 } };
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c };
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	for (int k = 0; k < 64; k++) {
		m.msg_controllen = sizeof c;
		uint64_t len = sizeof c + (1ull << k);
		memcpy(&c, &len, sizeof len);
		CHECK_ERR(syscall(SYS_sendmsg, p[0], &m, 0), EINVAL);
	}
	memcpy(&c, &(uint64_t){ CMSG_LEN(sizeof(int)) }, 8);
	CHECK_EQ(send_raw(p[0], &m, RAW_CONTROLLEN, 1ull << 40), ENOBUFS);
	CHECK_EQ(send_raw(p[0], &m, RAW_CONTROLLEN, UINT64_MAX), ENOBUFS);
	m.msg_controllen = sizeof c;
	m.msg_name = &c;
	m.msg_namelen = 0x80000000;
	CHECK_ERR(syscall(SYS_sendmsg, p[0], &m, 0), EINVAL);
	m.msg_name = NULL;
	CHECK_EQ(syscall(SYS_sendmsg, p[0], &m, 0), 1);
	/* A receiver whose control buffer is not there gets no descriptor. */
	m.msg_control = (void *)0xffff800000000000;
	m.msg_controllen = 64;
	v.iov_base = &c;
	CHECK(syscall(SYS_recvmsg, p[1], &m, MSG_DONTWAIT) <= 1);
}

/* ---- who one is not ---- */

static int claim(int s, int pid, int uid, int gid)
{
	struct {
		struct cmsghdr h;
		int id[4];
	} c = { { 0 }, { pid, uid, gid, 0 } };
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c };
	c.h.cmsg_len = CMSG_LEN(12);
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SCM_CREDENTIALS;
	m.msg_controllen = sizeof c;
	return syscall(SYS_sendmsg, s, &m, 0) < 0 ? errno : 0;
}

static void forged_credentials(void)
{
	int p[2], pid, status;
	tap_needs_root();
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	pid = fork();
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		_exit(claim(p[0], getpid(), 1000, 1000)		  ? 2
		      : claim(p[0], getpid(), 0, 1000) != EPERM	  ? 3
		      : claim(p[0], getpid(), 1000, 0) != EPERM	  ? 4
		      : claim(p[0], 1, 1000, 1000) != EPERM	  ? 5
		      : claim(p[0], 0, 1000, 1000) != EPERM	  ? 6
		      : claim(p[0], -1, 1000, 1000) != EPERM	  ? 7
		      : claim(p[0], getpid(), ANY, ANY) != EINVAL ? 8
								  : 0);
	}
	status = tap_wait(pid);
	CHECK_EQ(status, 0);
}

/* ---- signals by way of O_ASYNC ---- */

static int victim(int uid)
{
	int pid = fork();
	if (!pid) {
		if (uid && setuid(uid))
			_exit(1);
		for (;;)
			pause();
	}
	return pid;
}

/* Whether a user's socket can end a process with the signal of its choice. */
static bool kills(int pid, int uid)
{
	int attacker = fork(), status;
	if (!attacker) {
		int p[2];
		if (setuid(uid) || socketpair(AF_UNIX, SOCK_STREAM, 0, p))
			_exit(1);
		fcntl(p[0], F_SETOWN, pid);
		fcntl(p[0], F_SETSIG, SIGKILL);
		fcntl(p[0], F_SETFL, O_RDWR | O_ASYNC);
		_exit(write(p[1], "x", 1) != 1);
	}
	status = tap_wait(attacker);
	CHECK_EQ(status, 0);
	usleep(50000);
	return waitpid(pid, &status, WNOHANG) == pid;
}

static void signals_to_others(void)
{
	int root, other, own;
	tap_needs_root();
	root = victim(0);
	other = victim(1001);
	own = victim(1000);
	usleep(20000);
	CHECK(!kills(root, 1000));
	CHECK(!kills(other, 1000));
	CHECK(kills(own, 1000));
	kill(root, SIGKILL);
	kill(other, SIGKILL);
}

/* ---- floods ---- */

/* More unread bytes than the VM has memory: the job is refused or killed, nobody else. */
static void flood(void)
{
	int pid, status, r[2];
	char c;
	tap_needs_mayfly();
	pid = fork();
	if (!pid) {
		static char b[65536];
		memset(b, 1, sizeof b);
		for (int k = 0; k < 500; k++) {
			int p[2];
			if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p))
				break;
			while (write(p[0], b, sizeof b) > 0)
				;
		}
		_exit(0);
	}
	status = tap_wait(pid);
	CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, r));
	CHECK_EQ(write(r[0], "y", 1), 1);
	CHECK_EQ(read(r[1], &c, 1), 1);
}

/* Many small ones cost what they cost, not what they carry. */
static void small_messages(void)
{
	int p[2];
	long n = 0;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p));
	while (write(p[0], "x", 1) == 1)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n >= 100 && n < 10000);
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p));
	for (n = 0; !write(p[0], "", 0); n++)
		;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n < 10000);
}

TEST_MAIN(CASE(cycles_exhaust_memory), CASE(long_cycles), CASE(deep_nesting),
	  CASE(flights_are_bounded), CASE(peek_against_collector), CASE(huge_vectors),
	  CASE(lying_headers), CASE(forged_credentials), CASE(signals_to_others),
	  CASE(flood), CASE(small_messages))

/* libc: musl glibc */
/* Sockets that only messages of each other hold: they go, and no others. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/tap.h"

/* A pipe whose reader sees the end when everything that holds the writer is gone. */
static int q[2];

static void witness(void)
{
	CHECK(!pipe(q));
	CHECK(!fcntl(q[0], F_SETFL, O_NONBLOCK));
}

static bool witness_gone(void)
{
	char c;
	/* Linux collects in a thread of its own, some time after a socket is closed. */
	for (int k = 0; k < 200; k++) {
		int p[2];
		if (read(q[0], &c, 1) == 0)
			return true;
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
		close(p[0]);
		close(p[1]);
		usleep(5000);
	}
	return false;
}

static bool witness_stays(void)
{
	char c;
	for (int k = 0; k < 3; k++) {
		int p[2];
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
		close(p[0]);
		close(p[1]);
		usleep(1000);
	}
	return read(q[0], &c, 1) < 0 && errno == EAGAIN;
}

static void collects_itself(void)
{
	int p[2], fds[2];
	witness();
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	fds[0] = p[1];
	fds[1] = q[1];
	CHECK_EQ(scm_send_fds(p[0], "x", fds, 2), 1);
	close(q[1]);
	close(p[0]);
	CHECK(witness_stays());
	close(p[1]);
	CHECK(witness_gone());
}

static void collects_a_pair(void)
{
	int p[2], fds[3];
	witness();
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	fds[0] = p[0];
	fds[1] = p[1];
	fds[2] = q[1];
	CHECK_EQ(scm_send_fds(p[0], "x", fds, 3), 1);
	CHECK_EQ(scm_send_fds(p[1], "x", fds, 2), 1);
	close(q[1]);
	close(p[0]);
	CHECK(witness_stays());
	close(p[1]);
	CHECK(witness_gone());
}

static void collects_a_ring(void)
{
	int p[8][2];
	witness();
	for (int k = 0; k < 8; k++)
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p[k]));
	for (int k = 0; k < 8; k++) {
		int fds[2] = { p[(k + 1) % 8][1], q[1] };
		CHECK_EQ(scm_send_fds(p[k][0], "x", fds, k == 5 ? 2 : 1), 1);
	}
	close(q[1]);
	for (int k = 0; k < 8; k++)
		close(p[k][0]);
	for (int k = 0; k < 7; k++)
		close(p[k][1]);
	/* One is in hand still: by it the whole ring can be received. */
	CHECK(witness_stays());
	for (int k = 7, fd = p[7][1]; k < 7 + 6; k++) {
		struct scm_received r = scm_receive(fd, 0);
		CHECK_EQ(r.n_fds, k % 8 == 5 ? 2 : 1);
		close(fd);
		fd = r.fd[0];
		if (k % 8 == 5)
			close(r.fd[1]);
		if (k == 12)
			close(fd);
	}
	CHECK(witness_gone());
}

static void keeps_what_can_be_reached(void)
{
	int outer[2], inner[2], fds[2];
	struct scm_received r;
	witness();
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, outer));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, inner));
	/* A cycle, but one that is in the queue of a socket in hand. */
	fds[0] = inner[1];
	fds[1] = q[1];
	CHECK_EQ(scm_send_fds(inner[0], "x", fds, 2), 1);
	CHECK_EQ(scm_send_fds(outer[0], "y", &inner[1], 1), 1);
	close(inner[0]);
	close(inner[1]);
	close(q[1]);
	CHECK(witness_stays());
	r = scm_receive(outer[1], 0);
	CHECK_EQ(r.n_fds, 1);
	CHECK(witness_stays());
	r = scm_receive(r.fd[0], 0);
	CHECK_EQ(r.n_fds, 2);
	close(r.fd[1]);
	CHECK(witness_gone());
}

static void collects_unaccepted(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	int fds[2];
	tap_tmpdir();
	witness();
	CHECK(!bind(l, (struct sockaddr *)&a, sizeof a));
	CHECK(!listen(l, 5));
	CHECK(!connect(c, (struct sockaddr *)&a, sizeof a));
	fds[0] = l;
	fds[1] = q[1];
	/* The listener is in the queue of a connection that only it could accept. */
	CHECK_EQ(scm_send_fds(c, "x", fds, 2), 1);
	close(q[1]);
	close(c);
	CHECK(witness_stays());
	close(l);
	CHECK(witness_gone());
}

static void flight_limit(void)
{
	struct rlimit lim = { 100, 100 };
	int p[2], fds[40], status, pid;
	tap_needs_root();
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	for (int k = 0; k < 40; k++)
		fds[k] = p[0];
	pid = fork();
	if (!pid) {
		int n = 0;
		if (setrlimit(RLIMIT_NOFILE, &lim) || setgid(4321) || setuid(4321))
			_exit(99);
		while (n < 50 && scm_send_fds(p[0], "x", fds, 40) == 1)
			n++;
		if (errno != ETOOMANYREFS || n > 3)
			_exit(98);
		while (n--)
			if (scm_receive(p[1], 0).n_fds < 1)
				_exit(97);
		_exit(scm_send_fds(p[0], "x", fds, 40) == 1 ? 0 : 96);
	}
	status = tap_wait(pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

TEST_MAIN(CASE(collects_itself), CASE(collects_a_pair), CASE(collects_a_ring),
	  CASE(keeps_what_can_be_reached), CASE(collects_unaccepted), CASE(flight_limit))

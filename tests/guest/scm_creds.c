/* libc: musl glibc */
/* SCM_CREDENTIALS, SO_PEERCRED and the like (unix(7)): who has sent it, and when. */
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/tap.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

/* ---- credentials ---- */

static void own_credentials(void)
{
	struct scm_creds c = { getpid(), getuid(), getgid() };
	struct scm_received r;
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	CHECK_EQ(scm_send(p[0], "x", 1, SOL_SOCKET, SCM_CREDENTIALS, &c, sizeof c), 1);
	r = scm_receive(p[1], 0);
	CHECK(!r.has_creds);
	sock_set_option(p[1], SO_PASSCRED, 1);
	CHECK_EQ(scm_send(p[0], "x", 1, SOL_SOCKET, SCM_CREDENTIALS, &c, sizeof c), 1);
	r = scm_receive(p[1], 0);
	CHECK(r.has_creds && !memcmp(&r.creds, &c, sizeof c));
	/* Filled in by the kernel when the sender says nothing. */
	CHECK_EQ(send(p[0], "x", 1, 0), 1);
	r = scm_receive(p[1], 0);
	CHECK(r.has_creds && !memcmp(&r.creds, &c, sizeof c));
	CHECK_EQ(r.controllen, CMSG_SPACE(sizeof c));
	CHECK_ERR(scm_send(p[0], "x", 1, SOL_SOCKET, SCM_CREDENTIALS, &c, 11), EINVAL);
	CHECK_EQ(send(p[0], "x", 1, 0), 1);
	r = scm_receive_into(p[1], 0, CMSG_LEN(4), 8);
	CHECK(r.flags & MSG_CTRUNC);
}

static int claim(int s, int pid, unsigned uid, unsigned gid)
{
	struct scm_creds c = { pid, uid, gid };
	return scm_send(s, "x", 1, SOL_SOCKET, SCM_CREDENTIALS, &c, sizeof c) == 1
		       ? 0
		       : errno;
}

static void forged_credentials(void)
{
	int p[2], status, pid;
	tap_needs_root();
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	/* Who may become anybody may claim to be. */
	CHECK_EQ(claim(p[0], getppid(), 5, 6), 0);
	CHECK_EQ(claim(p[0], 0x3fffffff, 5, 6), ESRCH);
	pid = fork();
	if (!pid) {
		if (setresgid(10, 11, 12) || setresuid(20, 21, 22))
			_exit(99);
		for (unsigned k = 0; k < 3; k++)
			if (claim(p[0], getpid(), 20 + k, 10 + k))
				_exit(10 + k);
		if (claim(p[0], getpid(), 0, 10) != EPERM)
			_exit(20);
		if (claim(p[0], getpid(), 20, 0) != EPERM)
			_exit(21);
		if (claim(p[0], getppid(), 20, 10) != EPERM)
			_exit(22);
		_exit(0);
	}
	status = tap_wait(pid);
	CHECK_EQ(status, 0);
}

static void peer_credentials(void)
{
	struct scm_creds c;
	socklen_t n = sizeof c;
	int p[2], s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!getsockopt(p[0], SOL_SOCKET, SO_PEERCRED, &c, &n));
	CHECK_EQ(n, sizeof c);
	CHECK(c.pid == getpid() && c.uid == geteuid() && c.gid == getegid());
	CHECK(!getsockopt(s, SOL_SOCKET, SO_PEERCRED, &c, &n));
	CHECK(c.pid == 0 && c.uid == -1u && c.gid == -1u);
}

/* The peer is who connected or listened, then; not who has the descriptor now. */
static void peer_of_connections(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
	struct scm_creds c;
	socklen_t n = sizeof c;
	int l, s, pid, status;
	tap_needs_root();
	CHECK(!chmod(tap_tmpdir(), 0777));
	umask(0);
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!bind(l, (struct sockaddr *)&a, sizeof a));
	CHECK(!listen(l, 5));
	pid = fork();
	if (!pid) {
		char b;
		s = socket(AF_UNIX, SOCK_STREAM, 0);
		if (setresgid(10, 11, 12) || setresuid(20, 21, 22) ||
		    connect(s, (struct sockaddr *)&a, sizeof a) ||
		    getsockopt(s, SOL_SOCKET, SO_PEERCRED, &c, &n))
			_exit(99);
		if (c.pid != getppid() || c.uid || c.gid)
			_exit(98);
		_exit(read(s, &b, 1) != 0);
	}
	s = accept(l, NULL, NULL);
	CHECK(s >= 0);
	CHECK(!getsockopt(s, SOL_SOCKET, SO_PEERCRED, &c, &n));
	CHECK(c.pid == pid && c.uid == 21 && c.gid == 11);
	close(s);
	status = tap_wait(pid);
	CHECK_EQ(status, 0);
}

static void peer_groups(void)
{
	gid_t want[3] = { 40, 50, 60 }, got[3] = { 0 };
	socklen_t n = 4;
	int p[2];
	tap_needs_root();
	CHECK(!setgroups(3, want));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!setgroups(0, NULL));
	CHECK_ERR(getsockopt(p[0], SOL_SOCKET, SO_PEERGROUPS, got, &n), ERANGE);
	CHECK_EQ(n, sizeof want);
	CHECK(!getsockopt(p[0], SOL_SOCKET, SO_PEERGROUPS, got, &n));
	CHECK(!memcmp(got, want, sizeof want));
	CHECK_ERR(getsockopt(socket(AF_UNIX, SOCK_STREAM, 0), SOL_SOCKET, SO_PEERGROUPS,
			     got, &n),
		  ENODATA);
}

static void writers_are_not_glued(void)
{
	struct scm_received r;
	int p[2], pid;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	sock_set_option(p[1], SO_PASSCRED, 1);
	CHECK_EQ(write(p[0], "ab", 2), 2);
	CHECK_EQ(write(p[0], "cd", 2), 2);
	pid = fork();
	if (!pid)
		_exit(write(p[0], "ef", 2) != 2);
	CHECK_EQ(tap_wait(pid), 0);
	r = scm_receive(p[1], 0);
	CHECK(r.n == 4 && r.creds.pid == getpid());
	r = scm_receive(p[1], 0);
	CHECK(r.n == 2 && r.creds.pid != getpid());
	/* Without that nobody can tell them apart. */
	sock_set_option(p[1], SO_PASSCRED, 0);
	CHECK_EQ(write(p[0], "ab", 2), 2);
	pid = fork();
	if (!pid)
		_exit(write(p[0], "ef", 2) != 2);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(scm_receive(p[1], 0).n, 4);
}

static void named_for_credentials(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "r" };
	socklen_t n = sizeof a;
	int r, s;
	char b;
	tap_tmpdir();
	r = socket(AF_UNIX, SOCK_DGRAM, 0);
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(!bind(r, (struct sockaddr *)&a, sizeof a));
	sock_set_option(s, SO_PASSCRED, 1);
	CHECK_EQ(sendto(s, "x", 1, 0, (struct sockaddr *)&a, sizeof a), 1);
	CHECK_EQ(recvfrom(r, &b, 1, 0, (struct sockaddr *)&a, &n), 1);
	CHECK_EQ(n, offsetof(struct sockaddr_un, sun_path) + 6);
}

static void stamps(void)
{
	struct timeval now;
	struct scm_received r;
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	CHECK_EQ(send(p[0], "x", 1, 0), 1);
	CHECK(!scm_receive(p[1], 0).has_stamp);
	sock_set_option(p[1], SO_TIMESTAMP, 1);
	CHECK_EQ(send(p[0], "x", 1, 0), 1);
	r = scm_receive(p[1], 0);
	CHECK(r.has_stamp);
	gettimeofday(&now, NULL);
	CHECK(now.tv_sec - r.stamp.tv_sec <= 5 && now.tv_sec >= r.stamp.tv_sec);
}

TEST_MAIN(CASE(own_credentials), CASE(forged_credentials), CASE(peer_credentials),
	  CASE(peer_of_connections), CASE(peer_groups), CASE(writers_are_not_glued),
	  CASE(named_for_credentials), CASE(stamps))

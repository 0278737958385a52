/* libc: musl glibc */
/* SCM_RIGHTS (unix(7)): descriptors in messages. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/tap.h"

static int count_fds(void)
{
	int n = 0;
	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* ---- descriptors ---- */

static void passes_files(void)
{
	struct stat a, b;
	struct scm_received r;
	int p[2], q[2], fds[2];
	char c;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!pipe(q));
	fds[0] = q[0];
	fds[1] = q[1];
	CHECK_EQ(scm_send_fds(p[0], "x", fds, 2), 1);
	CHECK(!fstat(q[0], &a));
	close(q[0]);
	close(q[1]);
	r = scm_receive(p[1], MSG_CMSG_CLOEXEC);
	CHECK_EQ(r.n, 1);
	CHECK_EQ(r.n_fds, 2);
	CHECK_EQ(r.flags, MSG_CMSG_CLOEXEC);
	CHECK(!fstat(r.fd[0], &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	CHECK_EQ(fcntl(r.fd[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(r.fd[1], "y", 1), 1);
	CHECK_EQ(read(r.fd[0], &c, 1), 1);
	CHECK_EQ(scm_send_fds(p[0], "x", r.fd, 1), 1);
	r = scm_receive(p[1], 0);
	CHECK_EQ(fcntl(r.fd[0], F_GETFD), 0);
	CHECK_EQ(r.flags, 0);
}

static void shares_the_position(void)
{
	struct scm_received r;
	int p[2], f;
	char b[4];
	tap_tmpdir();
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	f = open("file", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(write(f, "abcdef", 6), 6);
	CHECK_EQ(lseek(f, 2, SEEK_SET), 2);
	CHECK_EQ(scm_send_fds(p[0], "x", &f, 1), 1);
	r = scm_receive(p[1], 0);
	CHECK_EQ(read(r.fd[0], b, 2), 2);
	CHECK_EQ(b[0], 'c');
	CHECK_EQ(lseek(f, 0, SEEK_CUR), 4);
	/* Also one that can do nothing but name a file. */
	f = open("file", O_PATH);
	CHECK_EQ(scm_send_fds(p[0], "x", &f, 1), 1);
	r = scm_receive(p[1], 0);
	CHECK_EQ(r.n_fds, 1);
	CHECK_ERR(read(r.fd[0], b, 1), EBADF);
}

static void bad_rights(void)
{
	int p[2], fds[SCM_FDS_MAX + 1], before;
	struct scm_received r;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	for (int k = 0; k <= SCM_FDS_MAX; k++)
		fds[k] = p[0];
	CHECK_ERR(scm_send_fds(p[0], "x", fds, SCM_FDS_MAX + 1), EINVAL);
	CHECK_EQ(scm_send_fds(p[0], "x", fds, SCM_FDS_MAX), 1);
	before = count_fds();
	r = scm_receive(p[1], 0);
	CHECK_EQ(r.n_fds, SCM_FDS_MAX);
	CHECK_EQ(count_fds(), before + SCM_FDS_MAX);
	fds[1] = 777;
	CHECK_ERR(scm_send_fds(p[0], "x", fds, 2), EBADF);
	fds[1] = -1;
	CHECK_ERR(scm_send_fds(p[0], "x", fds, 2), EBADF);
	CHECK_ERR(scm_send(p[0], "x", 1, SOL_SOCKET, 77, fds, 4), EINVAL);
	/* Other levels are not for AF_UNIX to judge. */
	CHECK_EQ(scm_send(p[0], "x", 1, 77, 1, fds, 4), 1);
	CHECK_EQ(scm_send_fds(p[0], "x", fds, 0), 1);
	r = scm_receive(p[1], 0);
	CHECK(r.n == 2 && r.n_fds == 0);
}

static void bad_headers(void)
{
	struct cmsghdr h = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &h };
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	m.msg_controllen = sizeof h;
	h.cmsg_len = sizeof h - 1;
	CHECK_ERR(sendmsg(p[0], &m, 0), EINVAL);
	h.cmsg_len = sizeof h + 4;
	CHECK_ERR(sendmsg(p[0], &m, 0), EINVAL);
	h.cmsg_len = -1;
	CHECK_ERR(sendmsg(p[0], &m, 0), EINVAL);
	h.cmsg_len = sizeof h;
	CHECK_EQ(sendmsg(p[0], &m, 0), 1);
	/* Too short for any header: none. */
	m.msg_controllen = sizeof h - 1;
	CHECK_EQ(sendmsg(p[0], &m, 0), 1);
}

static void no_room_for_rights(void)
{
	int p[2], fds[4], before;
	struct scm_received r;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	for (int k = 0; k < 4; k++)
		fds[k] = p[0];
	before = count_fds();
	for (int k = 0; k < 4; k++)
		CHECK_EQ(scm_send_fds(p[0], "x", fds, 4), 1);
	r = scm_receive_into(p[1], 0, CMSG_LEN(3 * sizeof(int)), 1);
	CHECK_EQ(r.n_fds, 3);
	CHECK_EQ(r.flags, MSG_CTRUNC);
	CHECK_EQ(count_fds(), before + 3);
	r = scm_receive_into(p[1], 0, sizeof(struct cmsghdr) + 3, 1);
	CHECK_EQ(r.n_fds, 0);
	CHECK_EQ(r.flags, MSG_CTRUNC);
	r = scm_receive_into(p[1], 0, 0, 1);
	CHECK_EQ(r.flags, MSG_CTRUNC);
	CHECK_EQ(read(p[1], r.data, 1), 1);
	CHECK_EQ(count_fds(), before + 3);
}

static void no_descriptors_left(void)
{
	struct rlimit lim = { 64, 64 };
	struct scm_received r;
	int p[2], fds[4], last, next;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	for (int k = 0; k < 4; k++)
		fds[k] = p[0];
	CHECK_EQ(scm_send_fds(p[0], "x", fds, 4), 1);
	CHECK(!setrlimit(RLIMIT_NOFILE, &lim));
	for (last = dup(0); (next = dup(0)) >= 0; last = next)
		;
	CHECK_EQ(errno, EMFILE);
	close(last);
	r = scm_receive(p[1], 0);
	CHECK_EQ(r.n, 1);
	CHECK_EQ(r.n_fds, 1);
	CHECK_EQ(r.flags, MSG_CTRUNC);
}

static void rights_part_streams(void)
{
	struct scm_received r;
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_EQ(write(p[0], "ab", 2), 2);
	CHECK_EQ(scm_send_fds(p[0], "cd", &p[0], 1), 2);
	CHECK_EQ(write(p[0], "ef", 2), 2);
	CHECK_EQ(scm_send_fds(p[0], "gh", &p[0], 1), 2);
	/* With what was before, never with what comes after. */
	r = scm_receive(p[1], 0);
	CHECK(r.n == 4 && !memcmp(r.data, "abcd", 4) && r.n_fds == 1);
	/* They come with the message's first byte. */
	r = scm_receive_into(p[1], 0, 100, 3);
	CHECK(r.n == 3 && !memcmp(r.data, "efg", 3) && r.n_fds == 1);
	r = scm_receive(p[1], 0);
	CHECK(r.n == 1 && r.n_fds == 0);
}

static void peeked_rights(void)
{
	struct scm_received r;
	int p[2], q[2], fd;
	char c;
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		CHECK(!socketpair(AF_UNIX, type, 0, p));
		CHECK(!pipe(q));
		CHECK_EQ(scm_send_fds(p[0], "abc", &q[1], 1), 3);
		close(q[1]);
		r = scm_receive(p[1], MSG_PEEK);
		CHECK(r.n == 3 && r.n_fds == 1);
		fd = r.fd[0];
		r = scm_receive(p[1], 0);
		CHECK(r.n == 3 && r.n_fds == 1 && r.fd[0] != fd);
		CHECK_EQ(write(fd, "x", 1), 1);
		close(fd);
		close(r.fd[0]);
		CHECK_EQ(read(q[0], &c, 1), 1);
		CHECK_EQ(read(q[0], &c, 1), 0);
	}
}

static void unread_rights_are_closed(void)
{
	int p[2], q[2];
	char c;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!pipe(q));
	CHECK_EQ(scm_send_fds(p[0], "abc", &q[1], 1), 3);
	CHECK_EQ(scm_send_fds(p[0], "abc", &q[1], 1), 3);
	close(q[1]);
	close(p[1]);
	CHECK_EQ(read(q[0], &c, 1), 0);
	/* A sender that is gone leaves what it has sent. */
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!pipe(q));
	CHECK_EQ(scm_send_fds(p[0], "abc", &q[1], 1), 3);
	close(q[1]);
	close(p[0]);
	CHECK_ERR((fcntl(q[0], F_SETFL, O_NONBLOCK), read(q[0], &c, 1)), EAGAIN);
	CHECK_EQ(scm_receive(p[1], 0).n_fds, 1);
}

TEST_MAIN(CASE(passes_files), CASE(shares_the_position), CASE(bad_rights),
	  CASE(bad_headers), CASE(no_room_for_rights), CASE(no_descriptors_left),
	  CASE(rights_part_streams), CASE(peeked_rights), CASE(unread_rights_are_closed))

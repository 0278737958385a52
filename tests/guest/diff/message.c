/* AF_UNIX messages: sendmsg and recvmsg, rights, credentials, many at once. */
#include "diff.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int v[2];
static char control[512];

static void pair(int kind)
{
	NEED(!socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, v));
}

/* Sends data with n descriptors. */
static long send_fds(const char *data, const int *fds, int n)
{
	char c[CMSG_SPACE(300 * sizeof(int))] = "";
	struct iovec io = { (void *)data, strlen(data) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = c };
	m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
	memcpy(CMSG_DATA(h), fds, (size_t)n * sizeof(int));
	return sendmsg(v[0], &m, 0);
}

static struct msghdr receive(size_t room, size_t control_room, int flags)
{
	static char data[64];
	static struct iovec io;
	io = (struct iovec){ data, room };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control_room ? control : NULL,
			    .msg_controllen = control_room };
	ssize_t n = recvmsg(v[1], &m, flags);
	if (n < 0)
		say("recvmsg: %s", err_name(errno));
	else
		say_bytes("received", data, n);
	say("flags 0x%x controllen %zu", m.msg_flags & ~MSG_CMSG_CLOEXEC,
	    (size_t)m.msg_controllen);
	for (struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m); h;
	     h = CMSG_NXTHDR(&m, h))
		say("level %d type %d len %zu", h->cmsg_level, h->cmsg_type,
		    (size_t)h->cmsg_len);
	return m;
}

static int nth_fd(int n)
{
	int fd;
	memcpy(&fd, control + CMSG_LEN(0) + (size_t)n * sizeof fd, sizeof fd);
	return fd;
}

DIFF_CASE(message_passes_descriptors)
{
	char b[8] = "";
	pair(SOCK_STREAM);
	make_file("f", "0123456789");
	int fds[2] = { open("f", O_RDONLY), 0 };
	lseek(fds[0], 4, SEEK_SET);
	TRY(send_fds("x", fds, 2));
	close(fds[0]);
	receive(8, sizeof control, 0);
	TRY(read(nth_fd(0), b, 3));
	say("%s", b);
	SHOW(fcntl(nth_fd(0), F_GETFD));
	TRY(send_fds("y", fds + 1, 1));
	receive(8, sizeof control, MSG_CMSG_CLOEXEC);
	SHOW(fcntl(nth_fd(0), F_GETFD));
}

DIFF_CASE(message_descriptor_errors)
{
	int fds[300] = { 0 }, bad[1] = { 99 };
	pair(SOCK_STREAM);
	TRY(send_fds("x", bad, 1));
	TRY(send_fds("x", fds, 253));
	receive(8, 0, 0);
	TRY(send_fds("x", fds, 254));
	TRY(send_fds("x", fds, 0));
	bad[0] = open(".", O_PATH);
	TRY(send_fds("x", bad, 1));
}

DIFF_CASE(message_truncated_control)
{
	int fds[3] = { 0, 1, 2 };
	pair(SOCK_STREAM);
	int before = dup(0);
	close(before);
	TRY(send_fds("x", fds, 3));
	receive(8, CMSG_LEN(2 * sizeof(int)), 0);
	TRY(send_fds("y", fds, 3));
	receive(8, CMSG_LEN(0), 0);
	TRY(send_fds("z", fds, 3));
	receive(8, 0, 0);
	SHOW(dup(0) - before);
	TRY(send_fds("w", fds, 3));
	NEED(!setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 10, 10 }));
	receive(8, sizeof control, 0);
}

DIFF_CASE(message_rights_split_the_stream)
{
	int fds[1] = { 0 };
	pair(SOCK_STREAM);
	NEED(send(v[0], "before", 6, 0) == 6 && send_fds("with", fds, 1) == 4);
	NEED(send(v[0], "after", 5, 0) == 5);
	receive(32, sizeof control, 0);
	receive(2, sizeof control, 0);
	receive(32, sizeof control, 0);
	receive(32, sizeof control, 0);
}

DIFF_CASE(message_read_drops_rights)
{
	char b[8];
	int p[2], fds[1];
	pair(SOCK_STREAM);
	NEED(!pipe(p));
	fds[0] = p[1];
	NEED(send_fds("x", fds, 1) == 1);
	close(p[1]);
	NEED(!fcntl(p[0], F_SETFL, O_NONBLOCK));
	TRY(read(p[0], b, 8));
	TRY(read(v[1], b, 8));
	TRY(read(p[0], b, 8));
	NEED(!pipe(p));
	fds[0] = p[1];
	NEED(send_fds("x", fds, 1) == 1);
	close(p[1]);
	NEED(!fcntl(p[0], F_SETFL, O_NONBLOCK));
	close(v[0]), close(v[1]);
	TRY(read(p[0], b, 8));
}

DIFF_CASE(message_cycle_is_collected)
{
	char b[8];
	int p[2], fds[2];
	NEED(!pipe(p));
	pair(SOCK_STREAM);
	fds[0] = v[1], fds[1] = p[1];
	TRY(send_fds("x", fds, 2));
	close(v[0]), close(v[1]), close(p[1]);
	/* The pipe's writer lives only in a queue that only holds itself: made
	 * garbage. */
	pair(SOCK_STREAM);
	NEED(!fcntl(p[0], F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 100 && read(p[0], b, 8) < 0; i++) {
		int t[2];
		NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, t));
		close(t[0]), close(t[1]);
		nap(1);
	}
	TRY(read(p[0], b, 8));
}

DIFF_CASE(message_credentials)
{
	int on = 1;
	pair(SOCK_DGRAM);
	NEED(send(v[0], "no", 2, 0) == 2);
	receive(8, sizeof control, 0);
	TRY(setsockopt(v[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
	NEED(send(v[0], "yes", 3, 0) == 3);
	receive(8, sizeof control, 0);
	struct ucred u;
	memcpy(&u, CMSG_DATA((struct cmsghdr *)control), sizeof u);
	say("pid mine %d uid %d gid %d", u.pid == getpid(), (int)u.uid, (int)u.gid);
}

static long send_cred(pid_t pid, uid_t uid, gid_t gid)
{
	char c[CMSG_SPACE(sizeof(struct ucred))] = "";
	struct ucred u = { pid, uid, gid };
	struct iovec io = { "c", 1 };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = c,
			    .msg_controllen = sizeof c };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	h->cmsg_len = CMSG_LEN(sizeof u);
	memcpy(CMSG_DATA(h), &u, sizeof u);
	return sendmsg(v[0], &m, 0);
}

DIFF_CASE(message_credentials_forged)
{
	int on = 1;
	pair(SOCK_DGRAM);
	NEED(!setsockopt(v[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
	TRY(send_cred(getpid(), 0, 0));
	TRY(send_cred(1, 5, 6));
	receive(8, sizeof control, 0);
	receive(8, sizeof control, 0);
	struct ucred u;
	memcpy(&u, CMSG_DATA((struct cmsghdr *)control), sizeof u);
	say("pid %d uid %d gid %d", u.pid, (int)u.uid, (int)u.gid);
	become_nobody();
	TRY(send_cred(getpid(), 1234, 1234));
	TRY(send_cred(1, 1234, 1234));
	TRY(send_cred(getpid(), 0, 1234));
	TRY(send_cred(getpid(), 1234, 0));
}

DIFF_CASE(message_errors)
{
	struct iovec io = { "x", 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	pair(SOCK_STREAM);
	TRY(syscall(SYS_sendmsg, v[0], 8, 0));
	m.msg_iovlen = 1025;
	TRY(syscall(SYS_sendmsg, v[0], &m, 0));
	m.msg_iovlen = 1, m.msg_control = (void *)8, m.msg_controllen = 16;
	TRY(syscall(SYS_sendmsg, v[0], &m, 0));
	m.msg_control = control, m.msg_controllen = 16;
	memset(control, 0, sizeof control);
	TRY(syscall(SYS_sendmsg, v[0], &m, 0));
	m.msg_controllen = 0, m.msg_name = (void *)8, m.msg_namelen = 20;
	TRY(syscall(SYS_sendmsg, v[0], &m, 0));
	m.msg_name = NULL, m.msg_namelen = 0;
	TRY(syscall(SYS_sendmsg, 0, &m, 0));
	TRY(syscall(SYS_recvmsg, v[1], 8, 0));
}

DIFF_CASE(message_many_at_once)
{
	char a[4], b[4];
	struct iovec io[2] = { { "one", 3 }, { "two!", 4 } };
	struct mmsghdr m[3] = { { .msg_hdr = { .msg_iov = &io[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &io[1], .msg_iovlen = 1 } } };
	pair(SOCK_DGRAM);
	TRY(syscall(SYS_sendmmsg, v[0], m, 2, 0));
	say("%u %u", m[0].msg_len, m[1].msg_len);
	struct iovec in[2] = { { a, 4 }, { b, 4 } };
	m[0].msg_hdr.msg_iov = &in[0], m[1].msg_hdr.msg_iov = &in[1];
	TRY(syscall(SYS_recvmmsg, v[1], m, 2, 0, NULL));
	say("%u %u", m[0].msg_len, m[1].msg_len);
	TRY(syscall(SYS_recvmmsg, v[1], m, 2, 0, NULL));
	TRY(syscall(SYS_sendmmsg, v[0], 8, 2, 0));
	TRY(syscall(SYS_recvmmsg, v[1], m, 0, 0, NULL));
}

DIFF_CASE(message_peek_keeps_rights)
{
	int fds[1] = { 0 };
	pair(SOCK_STREAM);
	NEED(send_fds("x", fds, 1) == 1);
	receive(8, sizeof control, MSG_PEEK);
	receive(8, sizeof control, 0);
}

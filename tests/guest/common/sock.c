/* What the socket tests share. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sock.h"
#include "tap.h"

#ifndef SCM_CREDENTIALS
#define SCM_CREDENTIALS 2
#endif

socklen_t sock_address(struct sockaddr_un *a, const char *path)
{
	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	if (*path == '@') {
		memcpy(a->sun_path + 1, path + 1, strlen(path) - 1);
		return offsetof(struct sockaddr_un, sun_path) + strlen(path);
	}
	strcpy(a->sun_path, path);
	return sizeof *a;
}

int sock_bind(int s, const char *path)
{
	struct sockaddr_un a;
	socklen_t n = sock_address(&a, path);
	return bind(s, (struct sockaddr *)&a, n);
}

int sock_connect(int s, const char *path)
{
	struct sockaddr_un a;
	socklen_t n = sock_address(&a, path);
	return connect(s, (struct sockaddr *)&a, n);
}

ssize_t sock_sendto(int s, const void *b, size_t len, int flags, const char *path)
{
	struct sockaddr_un a;
	socklen_t n = sock_address(&a, path);
	return sendto(s, b, len, flags, (struct sockaddr *)&a, n);
}

int sock_listener(int type, const char *path, int backlog)
{
	int s = socket(AF_UNIX, type, 0);
	CHECK(s >= 0);
	CHECK(!sock_bind(s, path));
	CHECK(!listen(s, backlog));
	return s;
}

int sock_events(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };
	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

int sock_option(int s, int name)
{
	int v = -1;
	socklen_t n = sizeof v;
	CHECK(!getsockopt(s, SOL_SOCKET, name, &v, &n));
	CHECK_EQ(n, sizeof v);
	return v;
}

void sock_set_option(int s, int name, int v)
{
	CHECK(!setsockopt(s, SOL_SOCKET, name, &v, sizeof v));
}

void sock_nonblock(int fd)
{
	CHECK(!fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

void sock_set_timeout(int s, int name, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	CHECK(!setsockopt(s, SOL_SOCKET, name, &tv, sizeof tv));
}

/* ---- control messages ---- */

/* A message with n bytes of data and a control message of any length. */
ssize_t scm_send(int s, const char *data, size_t n, int level, int type, const void *c,
		 size_t clen)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(300 * sizeof(int))];
	} u;
	struct iovec v = { (void *)data, n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &u };
	memset(&u, 0, sizeof u);
	u.h.cmsg_level = level;
	u.h.cmsg_type = type;
	u.h.cmsg_len = CMSG_LEN(clen);
	memcpy(CMSG_DATA(&u.h), c, clen);
	m.msg_controllen = CMSG_SPACE(clen);
	/* Past the libraries, which have limits of their own. */
	return syscall(SYS_sendmsg, s, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t scm_send_fds(int s, const char *data, const int *fds, int n)
{
	return scm_send(s, data, strlen(data), SOL_SOCKET, SCM_RIGHTS, fds,
			n * sizeof(int));
}

struct scm_received scm_receive_into(int s, int flags, size_t room, size_t data)
{
	static union {
		struct cmsghdr h;
		char room[CMSG_SPACE(300 * sizeof(int))];
	} u;
	static struct scm_received r;
	struct iovec v = { r.data, data };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &u };
	memset(&r, 0, sizeof r);
	memset(&u, 0x55, sizeof u);
	m.msg_controllen = room;
	r.n = recvmsg(s, &m, flags | MSG_DONTWAIT);
	r.flags = m.msg_flags;
	r.controllen = m.msg_controllen;
	if (r.n < 0)
		return r;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);
		CHECK_EQ(c->cmsg_level, SOL_SOCKET);
		if (c->cmsg_type == SCM_RIGHTS) {
			r.n_fds = len / sizeof(int);
			memcpy(r.fd, CMSG_DATA(c), len);
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			r.has_creds = true;
			memcpy(&r.creds, CMSG_DATA(c), sizeof r.creds);
		} else {
			CHECK_EQ(c->cmsg_type, SO_TIMESTAMP);
			r.has_stamp = true;
			memcpy(&r.stamp, CMSG_DATA(c), sizeof r.stamp);
		}
	}
	return r;
}

struct scm_received scm_receive(int s, int flags)
{
	return scm_receive_into(s, flags, sizeof(int) * 310, 64);
}

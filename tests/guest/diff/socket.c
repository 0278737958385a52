/* AF_UNIX sockets: making, naming, connecting, their three kinds. */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un un(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	strcpy(a.sun_path, path);
	return a;
}

static long bind_to(int fd, const char *path)
{
	struct sockaddr_un a = un(path);
	return bind(fd, (void *)&a, sizeof a);
}

static long connect_to(int fd, const char *path)
{
	struct sockaddr_un a = un(path);
	return connect(fd, (void *)&a, sizeof a);
}

static void say_address(const char *label, int fd,
			int (*get)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_un a;
	socklen_t len = sizeof a;
	memset(&a, 'z', sizeof a);
	if (get(fd, (void *)&a, &len)) {
		say("%s: %s", label, err_name(errno));
		return;
	}
	say("%s: len %u family %d", label, len, a.sun_family);
	if (len > 2)
		say_bytes(label, a.sun_path, (long)len - 2);
}

static int revents(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };
	poll(&p, 1, 0);
	return p.revents;
}

static int kinds[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
static const char *const kind_names[] = { "stream", "dgram", "seqpacket" };

DIFF_CASE(socket_create)
{
	int v[2];
	MAY(socket(AF_UNIX, SOCK_STREAM, 0));
	MAY(socket(AF_UNIX, SOCK_STREAM, 1));
	MAY(socket(AF_UNIX, SOCK_RAW, 0));
	TRY(socket(AF_UNIX, SOCK_STREAM, 7));
	TRY(socket(AF_UNIX, 9, 0));
	TRY(socket(99, SOCK_STREAM, 0));
	TRY(socket(AF_UNIX, SOCK_STREAM | 0x100, 0));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW_OCTAL(fcntl(fd, F_GETFL));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, v));
	TRY(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 5, (int[2]){ 0, 0 }));
	struct stat st;
	fstat(v[0], &st);
	SHOW_OCTAL(st.st_mode);
	TRY(lseek(v[0], 0, SEEK_SET));
	TRY(open("/proc/self/fd/3", O_RDWR));
}

DIFF_CASE(socket_pair_kinds)
{
	char b[8];
	for (int i = 0; i < 3; i++) {
		int v[2];
		say("%s:", kind_names[i]);
		NEED(!socketpair(AF_UNIX, kinds[i] | SOCK_NONBLOCK, 0, v));
		TRY(send(v[0], "abc", 3, 0));
		TRY(send(v[0], "defg", 4, 0));
		TRY(recv(v[1], b, 2, 0));
		TRY(recv(v[1], b, 8, 0));
		TRY(recv(v[1], b, 8, 0));
		TRY(send(v[0], "", 0, 0));
		TRY(recv(v[1], b, 8, 0));
		close(v[0]);
		TRY(recv(v[1], b, 8, 0));
		TRY(send(v[1], "x", 1, MSG_NOSIGNAL));
		close(v[1]);
	}
}

DIFF_CASE(socket_bind_corners)
{
	struct sockaddr_un a = un("sock");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
	say_address("before", fd, getsockname);
	TRY(bind_to(fd, "sock"));
	say_address("after", fd, getsockname);
	TRY(bind_to(fd, "sock2"));
	TRY(bind_to(other, "sock"));
	TRY(bind_to(other, "no/sock"));
	TRY(bind(other, (void *)&a, 1));
	TRY(bind(other, (void *)&a, sizeof a + 1));
	a.sun_family = AF_INET;
	TRY(bind(other, (void *)&a, sizeof a));
	TRY(syscall(SYS_bind, other, 8, 20));
	TRY(bind(0, (void *)&a, sizeof a));
	TRY(bind(99, (void *)&a, sizeof a));
	struct stat st;
	NEED(!stat("sock", &st));
	SHOW_OCTAL(st.st_mode);
	TRY(open("sock", O_RDWR));
	close(fd);
	TRY(bind_to(other, "sock"));
	TRY(connect_to(other, "sock"));
	NEED(!unlink("sock"));
	TRY(connect_to(other, "sock"));
}

DIFF_CASE(socket_abstract_names)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0name" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 5;
	TRY(bind(fd, (void *)&a, len));
	say_address("named", fd, getsockname);
	TRY(bind(other, (void *)&a, len));
	TRY(bind(other, (void *)&a, len + 1));
	TRY(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, len));
	TRY(listen(fd, 1));
	TRY(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, len));
	close(fd);
	TRY(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, len));
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	TRY(bind(fd, (void *)&a, 2));
	len = sizeof a;
	TRY(getsockname(fd, (void *)&a, &len));
	say("autobound: len %u, first byte %d", len, a.sun_path[0]);
}

DIFF_CASE(socket_connect_errors)
{
	make_file("plain", "");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), l = socket(AF_UNIX, SOCK_STREAM, 0);
	TRY(connect_to(fd, "missing"));
	TRY(connect_to(fd, "plain"));
	NEED(!bind_to(l, "l"));
	TRY(connect_to(fd, "l"));
	NEED(!listen(l, 5));
	TRY(connect_to(socket(AF_UNIX, SOCK_DGRAM, 0), "l"));
	TRY(connect_to(socket(AF_UNIX, SOCK_SEQPACKET, 0), "l"));
	TRY(connect_to(fd, "l"));
	TRY(connect_to(fd, "l"));
	TRY(listen(fd, 5));
	TRY(connect_to(l, "l"));
	NEED(!chmod("l", 0600));
	become_nobody();
	TRY(connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "l"));
}

DIFF_CASE(socket_listen_and_accept)
{
	char b[8];
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	TRY(accept(l, NULL, NULL));
	NEED(!bind_to(l, "l"));
	TRY(accept(l, NULL, NULL));
	TRY(listen(l, 1));
	TRY(accept(l, NULL, NULL));
	say("listener 0x%x", revents(l));
	int c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	say("not connected 0x%x", revents(c));
	TRY(send(c, "x", 1, MSG_NOSIGNAL));
	TRY(recv(c, b, 8, 0));
	TRY(connect_to(c, "l"));
	TRY(send(c, "early", 5, 0));
	say("listener 0x%x", revents(l));
	int s = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	SHOW(fcntl(s, F_GETFD));
	SHOW(fcntl(s, F_GETFL) & O_NONBLOCK);
	TRY(recv(s, b, 8, 0));
	say_address("accepted", s, getsockname);
	say_address("its peer", s, getpeername);
	say_address("client's peer", c, getpeername);
	say_address("listener's peer", l, getpeername);
	TRY(accept4(l, NULL, NULL, 0x100));
	TRY(accept(c, NULL, NULL));
	TRY(send(l, "x", 1, MSG_NOSIGNAL));
	TRY(recv(l, b, 8, 0));
}

DIFF_CASE(socket_backlog)
{
	int l = socket(AF_UNIX, SOCK_STREAM, 0), n = 0;
	NEED(!bind_to(l, "l") && !listen(l, 2));
	while (n < 20 &&
	       !connect_to(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), "l"))
		n++;
	say("%d connections, then %s", n, err_name(errno));
	close(accept(l, NULL, NULL));
	TRY(connect_to(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), "l"));
	int c = socket(AF_UNIX, SOCK_STREAM, 0);
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(connect_to(c, "l"));
	ualarm(0, 0);
}

DIFF_CASE(socket_listener_closed)
{
	char b;
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	NEED(!bind_to(l, "l") && !listen(l, 2) && !connect_to(c, "l"));
	close(l);
	say("0x%x", revents(c));
	TRY(recv(c, &b, 1, 0));
	TRY(recv(c, &b, 1, 0));
	TRY(send(c, "x", 1, MSG_NOSIGNAL));
}

DIFF_CASE(socket_shutdown)
{
	char b[8];
	int v[2];
	for (int how = 0; how < 3; how++) {
		NEED(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, v));
		NEED(send(v[1], "in", 2, 0) == 2);
		say("shutdown %d:", how);
		TRY(shutdown(v[0], how));
		say("0x%x 0x%x", revents(v[0]), revents(v[1]));
		TRY(recv(v[0], b, 8, 0));
		TRY(recv(v[0], b, 8, 0));
		TRY(send(v[0], "x", 1, MSG_NOSIGNAL));
		TRY(recv(v[1], b, 8, 0));
		TRY(send(v[1], "x", 1, MSG_NOSIGNAL));
	}
	TRY(shutdown(v[0], 3));
	TRY(shutdown(0, 0));
	TRY(shutdown(99, 0));
	TRY(shutdown(socket(AF_UNIX, SOCK_STREAM, 0), 2));
}

DIFF_CASE(socket_datagrams)
{
	char b[16];
	struct sockaddr_un a;
	socklen_t len = sizeof a;
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int c = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_un to = un("s");
	TRY(send(c, "x", 1, 0));
	TRY(sendto(c, "x", 1, 0, (void *)&to, sizeof to));
	NEED(!bind_to(s, "s"));
	TRY(sendto(c, "anon", 4, 0, (void *)&to, sizeof to));
	TRY(recvfrom(s, b, 16, 0, (void *)&a, &len));
	SHOW(len);
	NEED(!bind_to(c, "c"));
	TRY(sendto(c, "named", 5, 0, (void *)&to, sizeof to));
	len = sizeof a;
	TRY(recvfrom(s, b, 3, 0, (void *)&a, &len));
	say("from %s, len %u", a.sun_path, len);
	TRY(recv(s, b, 16, 0));
	TRY(connect_to(c, "s"));
	TRY(send(c, "conn", 4, 0));
	TRY(recv(s, b, 2, MSG_TRUNC));
	TRY(send(c, "peek", 4, 0));
	TRY(recv(s, b, 16, MSG_PEEK));
	TRY(recv(s, b, 16, 0));
	close(s);
	TRY(send(c, "x", 1, MSG_NOSIGNAL));
	TRY(listen(c, 1));
	TRY(accept(c, NULL, NULL));
}

DIFF_CASE(socket_datagram_peer_filter)
{
	char b[8];
	int a = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int c = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int x = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	NEED(!bind_to(a, "a") && !bind_to(c, "c") && !connect_to(a, "c"));
	struct sockaddr_un to = un("a");
	TRY(sendto(x, "x", 1, 0, (void *)&to, sizeof to));
	TRY(sendto(c, "c", 1, 0, (void *)&to, sizeof to));
	TRY(recv(a, b, 8, 0));
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	TRY(connect(a, &none, sizeof none));
	TRY(sendto(x, "x", 1, 0, (void *)&to, sizeof to));
	TRY(recv(a, b, 8, 0));
	TRY(send(a, "x", 1, 0));
}

DIFF_CASE(socket_datagram_queue)
{
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), n = 0;
	int c = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	NEED(!bind_to(s, "s") && !connect_to(c, "s"));
	while (n < 1000 && send(c, "x", 1, 0) == 1)
		n++;
	say("%d, then %s", n, err_name(errno));
	say("0x%x", revents(c) & POLLOUT);
	char b;
	TRY(recv(s, &b, 1, 0));
	TRY(send(c, "x", 1, 0));
}

DIFF_CASE(socket_flags)
{
	char b[8];
	int v[2];
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, v));
	TRY(recv(v[1], b, 8, MSG_DONTWAIT));
	TRY(send(v[0], "abcdef", 6, MSG_DONTWAIT));
	TRY(recv(v[1], b, 3, MSG_PEEK));
	TRY(recv(v[1], b, 3, MSG_WAITALL));
	say_bytes("b", b, 3);
	int d[2];
	NEED(!socketpair(AF_UNIX, SOCK_DGRAM, 0, d));
	TRY(send(d[0], "x", 1, MSG_OOB));
	TRY(recv(d[1], b, 1, MSG_OOB));
	TRY(recv(0, b, 1, 0));
	TRY(recv(99, b, 1, 0));
	TRY(send(v[0], (void *)8, 4, 0));
	TRY(recv(v[1], (void *)8, 4, MSG_DONTWAIT));
	int n;
	NEED(send(v[0], "12345", 5, 0) == 5);
	TRY(ioctl(v[1], FIONREAD, &n));
	SHOW(n);
	TRY(recv(v[1], (void *)8, 4, 0));
	TRY(recv(v[1], b, 8, 0));
}

DIFF_CASE(socket_out_of_band)
{
	char b[8];
	int v[2];
	NEED(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, v));
	TRY(send(v[0], "!", 1, MSG_OOB));
	TRY(recv(v[1], b, 8, MSG_OOB));
}

DIFF_CASE(socket_seqpacket_records)
{
	char b[8];
	int l = socket(AF_UNIX, SOCK_SEQPACKET, 0),
	    c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	NEED(!bind_to(l, "l") && !listen(l, 1) && !connect_to(c, "l"));
	int s = accept(l, NULL, NULL);
	TRY(send(c, "one", 3, 0));
	TRY(send(c, "three", 5, 0));
	struct iovec v = { b, 2 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	TRY(recvmsg(s, &m, 0));
	SHOW(m.msg_flags & (MSG_TRUNC | MSG_EOR));
	v.iov_len = 8;
	TRY(recvmsg(s, &m, 0));
	SHOW(m.msg_flags & (MSG_TRUNC | MSG_EOR));
	TRY(write(c, "w", 1));
	TRY(read(s, b, 8));
	close(c);
	TRY(read(s, b, 8));
	TRY(write(s, "x", 1) < 0 && errno == EPIPE);
}

DIFF_CASE(socket_options)
{
	int v[2], n = 0;
	socklen_t len = sizeof n;
	NEED(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, v));
	TRY(getsockopt(v[0], SOL_SOCKET, SO_TYPE, &n, &len));
	say("%d len %u", n, len);
	TRY(getsockopt(v[0], SOL_SOCKET, SO_DOMAIN, &n, &len));
	SHOW(n);
	TRY(getsockopt(v[0], SOL_SOCKET, SO_PROTOCOL, &n, &len));
	SHOW(n);
	TRY(getsockopt(v[0], SOL_SOCKET, SO_ERROR, &n, &len));
	SHOW(n);
	TRY(getsockopt(v[0], SOL_SOCKET, SO_ACCEPTCONN, &n, &len));
	SHOW(n);
	TRY(getsockopt(v[0], SOL_SOCKET, SO_PASSCRED, &n, &len));
	SHOW(n);
	n = 1;
	TRY(setsockopt(v[0], SOL_SOCKET, SO_PASSCRED, &n, 4));
	TRY(setsockopt(v[0], SOL_SOCKET, SO_PASSCRED, &n, 2));
	TRY(getsockopt(v[0], SOL_SOCKET, SO_PASSCRED, &n, &len));
	SHOW(n);
	len = 2;
	TRY(getsockopt(v[0], SOL_SOCKET, SO_TYPE, &n, &len));
	SHOW(len);
	TRY(getsockopt(v[0], SOL_SOCKET, 9999, &n, &len));
	TRY(setsockopt(v[0], SOL_SOCKET, 9999, &n, 4));
	TRY(getsockopt(v[0], 77, 1, &n, &len));
	TRY(getsockopt(0, SOL_SOCKET, SO_TYPE, &n, &len));
	TRY(setsockopt(v[0], SOL_SOCKET, SO_TYPE, &n, 4));
	len = -1;
	TRY(getsockopt(v[0], SOL_SOCKET, SO_TYPE, &n, &len));
	TRY(setsockopt(v[0], SOL_SOCKET, SO_SNDBUF, (void *)8, 4));
}

DIFF_CASE(socket_peer_credentials)
{
	struct ucred u;
	socklen_t len = sizeof u;
	int v[2], l = socket(AF_UNIX, SOCK_STREAM, 0);
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, v));
	TRY(getsockopt(v[0], SOL_SOCKET, SO_PEERCRED, &u, &len));
	say("pid mine %d uid %d gid %d len %u", u.pid == getpid(), (int)u.uid, (int)u.gid,
	    len);
	NEED(!bind_to(l, "l") && !listen(l, 1) && !chmod("l", 0777));
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		int c = socket(AF_UNIX, SOCK_STREAM, 0);
		TRY(connect_to(c, "l"));
		len = sizeof u;
		TRY(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &len));
		say("listener's: parent %d uid %d", u.pid == getppid(), (int)u.uid);
		_exit(0);
	}
	reap(pid);
	int s = accept(l, NULL, NULL);
	len = sizeof u;
	TRY(getsockopt(s, SOL_SOCKET, SO_PEERCRED, &u, &len));
	say("pid of the child %d uid %d gid %d", u.pid == pid, (int)u.uid, (int)u.gid);
	len = sizeof u;
	TRY(getsockopt(socket(AF_UNIX, SOCK_STREAM, 0), SOL_SOCKET, SO_PEERCRED, &u,
		       &len));
	say("unconnected: pid %d uid %d", u.pid, (int)u.uid);
}

DIFF_CASE(socket_timeouts)
{
	char b;
	int v[2];
	struct timeval t = { 0, 20000 };
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, v));
	TRY(setsockopt(v[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
	int64_t began = now_ns();
	TRY(recv(v[0], &b, 1, 0));
	SHOW(now_ns() - began >= 19000000);
	t.tv_usec = 2000000;
	TRY(setsockopt(v[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
	catch (SIGALRM, SA_RESTART);
	t = (struct timeval){ 5, 0 };
	TRY(setsockopt(v[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
	ualarm(20000, 20000);
	TRY(recv(v[0], &b, 1, 0));
	ualarm(0, 0);
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(recv(v[1], &b, 1, 0));
	ualarm(0, 0);
}

static int accepts(void)
{
	return accept(3, NULL, NULL) >= 0 ? 4 : errno;
}

DIFF_CASE(socket_accept_blocks)
{
	int l = socket(AF_UNIX, SOCK_STREAM, 0);
	NEED(l == 3 && !bind_to(l, "l") && !listen(l, 1));
	pid_t pid = child_of(accepts);
	wait_asleep(pid);
	TRY(connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "l"));
	say_status("acceptor", reap(pid));
	pid = child_of(accepts);
	wait_asleep(pid);
	TRY(shutdown(l, SHUT_RDWR));
	say_status("after shutdown", WEXITSTATUS(reap(pid)) == EINVAL ? 0 : 1);
}

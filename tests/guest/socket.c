/* libc: musl glibc */
/* AF_UNIX sockets: making, connecting, names, options. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/tap.h"

/* ---- making ---- */

static void kinds(void)
{
	int s, p[2];
	CHECK_ERR(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERR(socket(46, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERR(socket(AF_UNIX, 77, 0), EINVAL);
	CHECK_ERR(socket(AF_UNIX, 4, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 6), EPROTONOSUPPORT);
	CHECK_ERR(socket(AF_UNIX, SOCK_STREAM | 0x100000, 0), EINVAL);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 1);
	CHECK(s >= 0);
	CHECK_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(s, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(sock_option(s, SO_TYPE), SOCK_STREAM);
	CHECK_EQ(sock_option(s, SO_DOMAIN), AF_UNIX);
	CHECK_EQ(sock_option(s, SO_PROTOCOL), 0);
	s = socket(AF_UNIX, SOCK_RAW, 0);
	CHECK_EQ(sock_option(s, SO_TYPE), SOCK_DGRAM);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
	CHECK_EQ(fcntl(p[0], F_GETFD), 0);
	CHECK_ERR(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8), EFAULT);
}

static void files(void)
{
	char path[64], text[64];
	struct stat st;
	int p[2];
	ssize_t n;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!fstat(p[0], &st));
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_ERR(lseek(p[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERR(ftruncate(p[0], 0), EINVAL);
	snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
	CHECK_ERR(open(path, O_RDWR), ENXIO);
	n = readlink(path, text, sizeof text - 1);
	CHECK(n > 8);
	text[n] = 0;
	snprintf(path, sizeof path, "socket:[%lu]", (unsigned long)st.st_ino);
	CHECK(!strcmp(text, path));
	CHECK_ERR(send(0x7777, "a", 1, 0), EBADF);
	CHECK(!pipe(p));
	CHECK_ERR(send(p[1], "a", 1, 0), ENOTSOCK);
	CHECK_ERR(listen(p[1], 1), ENOTSOCK);
}

static void fresh_sockets(void)
{
	char b[4];
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(sock_events(s), POLLOUT | POLLHUP);
	CHECK_ERR(read(s, b, 4), EINVAL);
	CHECK_ERR(send(s, b, 4, MSG_NOSIGNAL), ENOTCONN);
	CHECK_ERR(listen(s, 1), EINVAL);
	CHECK_ERR(accept(s, NULL, NULL), EINVAL);
	CHECK_ERR(getpeername(s, (void *)b, &(socklen_t){ 4 }), ENOTCONN);
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_EQ(sock_events(s), POLLOUT);
	CHECK_ERR(listen(s, 1), EOPNOTSUPP);
	CHECK_ERR(accept(s, NULL, NULL), EOPNOTSUPP);
	CHECK_ERR(send(s, b, 4, 0), ENOTCONN);
	CHECK_ERR(recv(s, b, 4, MSG_DONTWAIT), EAGAIN);
	s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	CHECK_ERR(send(s, b, 4, 0), ENOTCONN);
	CHECK_ERR(recv(s, b, 4, MSG_DONTWAIT), ENOTCONN);
}

/* ---- connecting ---- */

static void connect_and_accept(void)
{
	struct sockaddr_un a;
	socklen_t n = sizeof a;
	char b[8];
	int l, c, s;
	tap_tmpdir();
	l = sock_listener(SOCK_STREAM, "sock", 5);
	CHECK_EQ(sock_option(l, SO_ACCEPTCONN), 1);
	CHECK_EQ(sock_events(l), 0);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(sock_option(c, SO_ACCEPTCONN), 0);
	CHECK(!sock_connect(c, "sock"));
	CHECK_ERR(sock_connect(c, "sock"), EISCONN);
	CHECK_ERR(sock_connect(l, "sock"), EINVAL);
	CHECK_EQ(sock_events(l), POLLIN);
	/* Written before anybody has accepted. */
	CHECK_EQ(write(c, "early", 5), 5);
	s = accept4(l, (struct sockaddr *)&a, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
	CHECK(s >= 0);
	CHECK_EQ(n, sizeof a.sun_family);
	CHECK_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(s, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(read(s, b, 8), 5);
	CHECK_ERR(read(s, b, 8), EAGAIN);
	CHECK_EQ(write(s, "back", 4), 4);
	CHECK_EQ(read(c, b, 8), 4);
	n = sizeof a;
	CHECK(!getsockname(s, (struct sockaddr *)&a, &n));
	CHECK_EQ(n, offsetof(struct sockaddr_un, sun_path) + 5);
	CHECK(!strcmp(a.sun_path, "sock"));
	n = sizeof a;
	CHECK(!getpeername(c, (struct sockaddr *)&a, &n));
	CHECK(!strcmp(a.sun_path, "sock"));
	n = sizeof a;
	CHECK(!getsockname(c, (struct sockaddr *)&a, &n));
	CHECK_EQ(n, sizeof a.sun_family);
	sock_nonblock(l);
	CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
	/* The libraries have their own ideas of a bad flag. */
	CHECK_ERR(syscall(SYS_accept4, l, NULL, NULL, 1), EINVAL);
	close(l);
	CHECK_ERR(sock_connect(socket(AF_UNIX, SOCK_STREAM, 0), "sock"), ECONNREFUSED);
	CHECK(!unlink("sock"));
	CHECK_ERR(sock_connect(socket(AF_UNIX, SOCK_STREAM, 0), "sock"), ENOENT);
}

static void unaccepted(void)
{
	char b[4];
	int l, c;
	signal(SIGPIPE, SIG_IGN);
	tap_tmpdir();
	l = sock_listener(SOCK_STREAM, "sock", 5);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!sock_connect(c, "sock"));
	CHECK_EQ(write(c, "x", 1), 1);
	close(l);
	CHECK_ERR(read(c, b, 4), ECONNRESET);
	CHECK_ERR(write(c, "x", 1), EPIPE);
}

static void backlog(void)
{
	int l, c[3];
	tap_tmpdir();
	l = sock_listener(SOCK_STREAM, "sock", 1);
	for (int k = 0; k < 3; k++)
		c[k] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(!sock_connect(c[0], "sock"));
	CHECK(!sock_connect(c[1], "sock"));
	CHECK_ERR(sock_connect(c[2], "sock"), EAGAIN);
	CHECK(accept(l, NULL, NULL) >= 0);
	CHECK(!sock_connect(c[2], "sock"));
	c[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	sock_set_timeout(c[0], SO_SNDTIMEO, 20);
	CHECK_ERR(sock_connect(c[0], "sock"), EAGAIN);
	sock_set_timeout(l, SO_RCVTIMEO, 20);
	CHECK(accept(l, NULL, NULL) >= 0);
	CHECK(accept(l, NULL, NULL) >= 0);
	CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
}

static void *late_accepter(void *arg)
{
	usleep(10000);
	for (int k = 0; k < 2; k++)
		if (accept(*(int *)arg, NULL, NULL) < 0)
			return (void *)1;
	return NULL;
}

static void connect_waits(void)
{
	pthread_t t;
	void *r;
	int l;
	tap_tmpdir();
	l = sock_listener(SOCK_STREAM, "sock", 0);
	CHECK(!sock_connect(socket(AF_UNIX, SOCK_STREAM, 0), "sock"));
	CHECK(!pthread_create(&t, NULL, late_accepter, &l));
	CHECK(!sock_connect(socket(AF_UNIX, SOCK_STREAM, 0), "sock"));
	CHECK(!pthread_join(t, &r));
	CHECK(!r);
}

static void wrong_partners(void)
{
	struct sockaddr_un a;
	int l, d;
	tap_tmpdir();
	l = sock_listener(SOCK_STREAM, "stream", 5);
	CHECK(l >= 0);
	d = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_ERR(sock_connect(d, "stream"), EPROTOTYPE);
	CHECK_ERR(sock_sendto(d, "x", 1, 0, "stream"), EPROTOTYPE);
	CHECK(!sock_bind(d, "dgram"));
	CHECK_ERR(sock_connect(socket(AF_UNIX, SOCK_STREAM, 0), "dgram"), EPROTOTYPE);
	close(open("file", O_CREAT | O_RDWR, 0600));
	CHECK_ERR(sock_connect(d, "file"), ECONNREFUSED);
	CHECK_ERR(open("dgram", O_RDWR), ENXIO);
	d = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!sock_bind(d, "unheard"));
	CHECK_ERR(sock_connect(socket(AF_UNIX, SOCK_STREAM, 0), "unheard"), ECONNREFUSED);
	sock_address(&a, "stream");
	CHECK_ERR(connect(d, (struct sockaddr *)&a, 2), EINVAL);
	CHECK_ERR(connect(d, (struct sockaddr *)&a, 200), EINVAL);
	CHECK_ERR(connect(d, (struct sockaddr *)8, 20), EFAULT);
	a.sun_family = AF_INET;
	CHECK_ERR(connect(d, (struct sockaddr *)&a, sizeof a), EINVAL);
}

/* ---- names ---- */

static void path_names(void)
{
	struct sockaddr_un a;
	struct stat st;
	int s, t;
	tap_tmpdir();
	umask(027);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!sock_bind(s, "here"));
	CHECK(!stat("here", &st));
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0750);
	CHECK_ERR(sock_bind(s, "again"), EINVAL);
	t = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERR(sock_bind(t, "here"), EADDRINUSE);
	close(s);
	CHECK_ERR(sock_bind(t, "here"), EADDRINUSE);
	CHECK_ERR(sock_bind(t, "no/where"), ENOENT);
	CHECK(!unlink("here"));
	CHECK(!sock_bind(t, "here"));
	/* 108 bytes need no NUL behind them. */
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	a.sun_family = AF_UNIX;
	memset(a.sun_path, 'n', sizeof a.sun_path);
	CHECK(!bind(s, (struct sockaddr *)&a, sizeof a));
	CHECK(!listen(s, 1));
	CHECK(!connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a));
	/* The name moves with the file. */
	CHECK(!listen(t, 1));
	CHECK(!rename("here", "there"));
	CHECK(!sock_connect(socket(AF_UNIX, SOCK_STREAM, 0), "there"));
}

static void path_permissions(void)
{
	pid_t pid;
	int l;
	tap_needs_root();
	CHECK(!chmod(tap_tmpdir(), 0755));
	umask(0);
	l = sock_listener(SOCK_STREAM, "sock", 5);
	CHECK(l >= 0);
	CHECK(!mkdir("closed", 0700));
	close(sock_listener(SOCK_STREAM, "closed/sock", 5));
	for (int k = 0; k < 2; k++) {
		CHECK(!chmod("sock", k ? 0555 : 0777));
		pid = fork();
		if (!pid) {
			int s = socket(AF_UNIX, SOCK_STREAM, 0), e;
			if (setgid(1000) || setuid(1000))
				_exit(99);
			e = sock_connect(s, "sock") ? errno : 0;
			if (sock_connect(s, "closed/sock") == 0 || (k && errno != EACCES))
				_exit(98);
			_exit(e);
		}
		CHECK_EQ(WEXITSTATUS(tap_wait(pid)), k ? EACCES : 0);
	}
}

static void abstract_names(void)
{
	struct sockaddr_un a;
	socklen_t n = sizeof a;
	char name[40];
	int l, s;
	snprintf(name, sizeof name, "@mayfly-%d", getpid());
	l = sock_listener(SOCK_STREAM, name, 5);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERR(sock_bind(s, name), EADDRINUSE);
	CHECK(!sock_connect(s, name));
	CHECK(!getpeername(s, (struct sockaddr *)&a, &n));
	CHECK_EQ(n, offsetof(struct sockaddr_un, sun_path) + strlen(name));
	CHECK(!a.sun_path[0] && !memcmp(a.sun_path + 1, name + 1, strlen(name) - 1));
	/* A longer name is another. */
	strcat(name, "x");
	CHECK_ERR(sock_connect(socket(AF_UNIX, SOCK_STREAM, 0), name), ECONNREFUSED);
	name[strlen(name) - 1] = 0;
	close(l);
	CHECK_ERR(sock_connect(socket(AF_UNIX, SOCK_STREAM, 0), name), ECONNREFUSED);
	close(sock_listener(SOCK_STREAM, name, 5));
}

static void autobind(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t n = sizeof a;
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(!bind(s, (struct sockaddr *)&a, sizeof a.sun_family));
	CHECK(!getsockname(s, (struct sockaddr *)&a, &n));
	CHECK_EQ(n, offsetof(struct sockaddr_un, sun_path) + 6);
	CHECK_EQ(a.sun_path[0], 0);
	for (int k = 1; k < 6; k++)
		CHECK(strchr("0123456789abcdef", a.sun_path[k]));
	CHECK_EQ(sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&a,
			n),
		 1);
}

static void short_buffers(void)
{
	struct sockaddr_un a;
	socklen_t n = 4;
	int s;
	tap_tmpdir();
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!sock_bind(s, "long-name"));
	memset(&a, 'z', sizeof a);
	CHECK(!getsockname(s, (struct sockaddr *)&a, &n));
	CHECK_EQ(n, offsetof(struct sockaddr_un, sun_path) + 10);
	CHECK(!memcmp(a.sun_path, "lozz", 4));
	n = -1;
	CHECK_ERR(getsockname(s, (struct sockaddr *)&a, &n), EINVAL);
	n = sizeof a;
	CHECK_ERR(getsockname(s, (struct sockaddr *)8, &n), EFAULT);
}

static void proc_lists(void)
{
	char line[256], name[64];
	bool found = false;
	FILE *f;
	int l;
	snprintf(name, sizeof name, "@mayfly-list-%d", getpid());
	l = sock_listener(SOCK_SEQPACKET, name, 1);
	CHECK(l >= 0);
	f = fopen("/proc/net/unix", "r");
	CHECK(f);
	CHECK(fgets(line, sizeof line, f));
	CHECK(strstr(line, "RefCount"));
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		if (strlen(line) > strlen(name) &&
		    !strcmp(line + strlen(line) - strlen(name), name)) {
			found = true;
			CHECK(strstr(line, " 00000000 00010000 0005 01 "));
		}
	}
	CHECK(found);
	fclose(f);
}

/* ---- options ---- */

static void options(void)
{
	struct timeval tv = { 1, 500000 };
	struct linger l = { 1, 7 };
	socklen_t n;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), v;
	CHECK_EQ(sock_option(s, SO_ERROR), 0);
	CHECK_EQ(sock_option(s, SO_REUSEADDR), 0);
	sock_set_option(s, SO_REUSEADDR, 5);
	CHECK_EQ(sock_option(s, SO_REUSEADDR), 1);
	sock_set_option(s, SO_KEEPALIVE, 1);
	CHECK_EQ(sock_option(s, SO_KEEPALIVE), 1);
	CHECK(sock_option(s, SO_SNDBUF) >= 100000);
	sock_set_option(s, SO_SNDBUF, 20000);
	CHECK_EQ(sock_option(s, SO_SNDBUF), 40000);
	sock_set_option(s, SO_SNDBUF, 1);
	CHECK_EQ(sock_option(s, SO_SNDBUF), 4608);
	sock_set_option(s, SO_RCVBUF, 1);
	CHECK_EQ(sock_option(s, SO_RCVBUF), 2304);
	CHECK_EQ(sock_option(s, SO_RCVLOWAT), 1);
	n = sizeof tv;
	CHECK(!setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	memset(&tv, 0, sizeof tv);
	CHECK(!getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &n));
	CHECK(tv.tv_sec == 1 && tv.tv_usec == 500000 && n == sizeof tv);
	tv.tv_usec = 1000000;
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), EDOM);
	CHECK(!setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof l));
	memset(&l, 0, sizeof l);
	n = sizeof l;
	CHECK(!getsockopt(s, SOL_SOCKET, SO_LINGER, &l, &n));
	CHECK(l.l_onoff == 1 && l.l_linger == 7);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &s, 3), EINVAL);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, (void *)8, 4), EFAULT);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, 9999, &s, 4), ENOPROTOOPT);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_TYPE, &s, 4), ENOPROTOOPT);
	n = 4;
	CHECK_ERR(getsockopt(s, SOL_SOCKET, 9999, &v, &n), ENOPROTOOPT);
	CHECK_ERR(getsockopt(s, 6, 1, &v, &n), EOPNOTSUPP);
	CHECK_ERR(setsockopt(s, 6, 1, &v, n), EOPNOTSUPP);
	n = -1;
	CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &n), EINVAL);
	n = 2;
	v = 0;
	CHECK(!getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &n));
	CHECK(n == 2 && v == SOCK_STREAM);
}

static void forced_buffers(void)
{
	pid_t pid;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), v = 1 << 20;
	tap_needs_root();
	sock_set_option(s, SO_SNDBUFFORCE, v);
	CHECK_EQ(sock_option(s, SO_SNDBUF), 2 << 20);
	pid = fork();
	if (!pid) {
		if (setuid(1000))
			_exit(99);
		_exit(setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &v, sizeof v) ? errno
									      : 0);
	}
	CHECK_EQ(WEXITSTATUS(tap_wait(pid)), EPERM);
}

TEST_MAIN(CASE(kinds), CASE(files), CASE(fresh_sockets), CASE(connect_and_accept),
	  CASE(unaccepted), CASE(backlog), CASE(connect_waits), CASE(wrong_partners),
	  CASE(path_names), CASE(path_permissions), CASE(abstract_names), CASE(autobind),
	  CASE(short_buffers), CASE(proc_lists), CASE(options), CASE(forced_buffers))

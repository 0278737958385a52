/* libc: musl glibc */
/* AF_UNIX streams: bytes, ends, peeking, waiting, splicing. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/tap.h"

#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF 42
#endif

/* ---- streams ---- */

static void stream_bytes(void)
{
	int p[2], n;
	char b[16];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_EQ(write(p[0], "abc", 3), 3);
	CHECK_EQ(send(p[0], "defg", 4, 0), 4);
	CHECK(!ioctl(p[1], FIONREAD, &n) && n == 7);
	CHECK_EQ(recv(p[1], b, 2, MSG_PEEK), 2);
	CHECK_EQ(read(p[1], b, 5), 5);
	CHECK(!memcmp(b, "abcde", 5));
	CHECK(!ioctl(p[1], FIONREAD, &n) && n == 2);
	CHECK_EQ(read(p[1], b, 0), 0);
	CHECK_EQ(recv(p[1], b, 16, 0), 2);
	CHECK_ERR(recv(p[1], b, 16, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(p[0], b, 0, 0), 0);
	CHECK_ERR(recv(p[1], b, 16, MSG_DONTWAIT), EAGAIN);
	CHECK_ERR(send(p[0], (void *)8, 4, 0), EFAULT);
	CHECK_EQ(send(p[0], "xy", 2, 0), 2);
	CHECK_ERR(recv(p[1], (void *)8, 2, 0), EFAULT);
	CHECK_EQ(recv(p[1], b, 16, 0), 2);
	CHECK(!memcmp(b, "xy", 2));
}

#define BIG (3 << 20)

static unsigned char pattern(size_t k)
{
	return k * 31 + (k >> 11);
}

static void *big_writer(void *arg)
{
	int fd = *(int *)arg;
	unsigned char *b = malloc(BIG);
	for (size_t k = 0; k < BIG; k++)
		b[k] = pattern(k);
	for (size_t at = 0; at < BIG;) {
		ssize_t n = write(fd, b + at, BIG - at);
		if (n <= 0)
			break;
		at += n;
	}
	shutdown(fd, SHUT_WR);
	free(b);
	return NULL;
}

static void stream_large(void)
{
	static unsigned char b[100000];
	pthread_t t;
	size_t at = 0;
	int p[2];
	ssize_t n;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!pthread_create(&t, NULL, big_writer, &p[0]));
	while ((n = read(p[1], b, 1 + at % sizeof b)) > 0) {
		for (ssize_t k = 0; k < n; k++)
			if (b[k] != pattern(at + k))
				CHECK_EQ(at + k, -1);
		at += n;
	}
	CHECK_EQ(n, 0);
	CHECK_EQ(at, BIG);
	pthread_join(t, NULL);
}

static void *slow_writer(void *arg)
{
	int fd = *(int *)arg;
	for (int k = 0; k < 5; k++) {
		usleep(2000);
		if (write(fd, "12", 2) != 2)
			return NULL;
	}
	return NULL;
}

static void stream_waitall(void)
{
	struct timeval tv = { 0, 30000 };
	pthread_t t;
	char b[16];
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!pthread_create(&t, NULL, slow_writer, &p[0]));
	CHECK_EQ(recv(p[1], b, 10, MSG_WAITALL), 10);
	pthread_join(t, NULL);
	CHECK(!memcmp(b, "1212121212", 10));
	CHECK(!setsockopt(p[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	CHECK_EQ(write(p[0], "abc", 3), 3);
	CHECK_EQ(recv(p[1], b, 10, MSG_WAITALL), 3);
	CHECK_ERR(recv(p[1], b, 10, MSG_WAITALL), EAGAIN);
}

static void stream_fills(void)
{
	static char b[65536];
	size_t sent = 0;
	ssize_t n;
	int p[2], q;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	sock_nonblock(p[0]);
	CHECK_EQ(sock_events(p[0]), POLLOUT);
	while ((n = write(p[0], b, sizeof b)) > 0)
		sent += n;
	CHECK(n < 0 && errno == EAGAIN);
	CHECK(sent >= 100000 && sent < 1000000);
	CHECK_EQ(sock_events(p[0]), 0);
	CHECK_EQ(sock_events(p[1]), POLLIN | POLLOUT);
	CHECK(!ioctl(p[0], TIOCOUTQ, &q));
	CHECK(q >= (int)sent);
	while (sent) {
		n = read(p[1], b, sizeof b);
		CHECK(n > 0);
		sent -= n;
	}
	CHECK_EQ(sock_events(p[0]), POLLOUT);
	CHECK(!ioctl(p[0], TIOCOUTQ, &q));
	CHECK_EQ(q, 0);
	sock_set_timeout(p[0], SO_SNDTIMEO, 20);
	CHECK(!fcntl(p[0], F_SETFL, O_RDWR));
	while ((n = write(p[0], b, sizeof b)) == sizeof b)
		;
	CHECK(n > 0 || errno == EAGAIN);
	CHECK_ERR(write(p[0], b, sizeof b), EAGAIN);
}

static void stream_ends(void)
{
	char b[8];
	int p[2];
	signal(SIGPIPE, SIG_IGN);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_EQ(write(p[0], "last", 4), 4);
	close(p[0]);
	CHECK_EQ(sock_events(p[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	CHECK_EQ(read(p[1], b, 8), 4);
	CHECK_EQ(read(p[1], b, 8), 0);
	CHECK_ERR(write(p[1], "x", 1), EPIPE);
	/* What was not read: a reset. */
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_EQ(write(p[0], "lost", 4), 4);
	close(p[1]);
	CHECK_EQ(sock_events(p[0]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLERR);
	CHECK_ERR(write(p[0], "x", 1), EPIPE);
	CHECK_ERR(read(p[0], b, 8), ECONNRESET);
	CHECK_EQ(read(p[0], b, 8), 0);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_EQ(write(p[0], "lost", 4), 4);
	close(p[1]);
	CHECK_EQ(sock_option(p[0], SO_ERROR), ECONNRESET);
	CHECK_EQ(sock_option(p[0], SO_ERROR), 0);
	CHECK_EQ(read(p[0], b, 8), 0);
}

static int died_of(int type, int flags)
{
	int p[2], status;
	pid_t pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		if (socketpair(AF_UNIX, type, 0, p) || close(p[1]))
			_exit(9);
		_exit(send(p[0], "x", 1, flags) < 0 ? errno : 0);
	}
	status = tap_wait(pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void sigpipe(void)
{
	CHECK_EQ(died_of(SOCK_STREAM, 0), -SIGPIPE);
	CHECK_EQ(died_of(SOCK_STREAM, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(died_of(SOCK_SEQPACKET, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(died_of(SOCK_DGRAM, 0), ECONNREFUSED);
}

static void shutdown_halves(void)
{
	char b[8];
	int p[2];
	signal(SIGPIPE, SIG_IGN);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_ERR(shutdown(p[0], 3), EINVAL);
	CHECK_EQ(write(p[0], "ab", 2), 2);
	CHECK(!shutdown(p[0], SHUT_WR));
	CHECK_ERR(write(p[0], "c", 1), EPIPE);
	CHECK_EQ(sock_events(p[1]), POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(read(p[1], b, 8), 2);
	CHECK_EQ(read(p[1], b, 8), 0);
	CHECK_EQ(write(p[1], "de", 2), 2);
	CHECK_EQ(read(p[0], b, 8), 2);
	CHECK(!shutdown(p[0], SHUT_RD));
	CHECK_EQ(read(p[0], b, 8), 0);
	CHECK_ERR(write(p[1], "f", 1), EPIPE);
	CHECK_EQ(sock_events(p[0]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
}

static void peek_offsets(void)
{
	char b[8];
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_EQ(sock_option(p[1], SO_PEEK_OFF), -1);
	CHECK_EQ(write(p[0], "abc", 3), 3);
	CHECK_EQ(write(p[0], "defg", 4), 4);
	CHECK_EQ(recv(p[1], b, 8, MSG_PEEK), 7);
	sock_set_option(p[1], SO_PEEK_OFF, 2);
	CHECK_EQ(recv(p[1], b, 2, MSG_PEEK), 2);
	CHECK(!memcmp(b, "cd", 2));
	CHECK_EQ(recv(p[1], b, 2, MSG_PEEK), 2);
	CHECK(!memcmp(b, "ef", 2));
	CHECK_EQ(sock_option(p[1], SO_PEEK_OFF), 6);
	CHECK_EQ(recv(p[1], b, 2, 0), 2);
	CHECK_EQ(sock_option(p[1], SO_PEEK_OFF), 4);
	CHECK_EQ(recv(p[1], b, 8, MSG_PEEK), 1);
	CHECK_EQ(b[0], 'g');
	CHECK_ERR(recv(p[1], b, 8, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(recv(p[1], b, 8, 0), 5);
}

/* ---- waiting ---- */

static void on_signal(int sig)
{
}

static void *interrupter(void *arg)
{
	usleep(20000);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	usleep(20000);
	return NULL;
}

static void interrupted(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	pthread_t t, self = pthread_self();
	char b[4];
	int p[2];
	CHECK(!sigaction(SIGUSR1, &act, NULL));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!pthread_create(&t, NULL, interrupter, &self));
	CHECK_ERR(recv(p[0], b, 4, 0), EINTR);
	pthread_join(t, NULL);
	/* With a timeout it is not restarted, whatever SA_RESTART says. */
	act.sa_flags = SA_RESTART;
	CHECK(!sigaction(SIGUSR1, &act, NULL));
	sock_set_timeout(p[0], SO_RCVTIMEO, 5000);
	CHECK(!pthread_create(&t, NULL, interrupter, &self));
	CHECK_ERR(recv(p[0], b, 4, 0), EINTR);
	pthread_join(t, NULL);
}

static void *writer_after_signal(void *arg)
{
	int *a = arg;
	interrupter(*(void **)(a + 2));
	if (write(a[0], "ok", 2) != 2)
		return (void *)1;
	return NULL;
}

static void restarted(void)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pthread_t t, self = pthread_self();
	struct {
		int p[2];
		pthread_t *self;
	} a = { .self = &self };
	char b[4];
	CHECK(!sigaction(SIGUSR1, &act, NULL));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, a.p));
	CHECK(!pthread_create(&t, NULL, writer_after_signal, &a));
	CHECK_EQ(recv(a.p[1], b, 4, 0), 2);
	pthread_join(t, NULL);
}

static void *closer(void *arg)
{
	usleep(10000);
	close(*(int *)arg);
	return NULL;
}

static void epoll_hears(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP };
	pthread_t t;
	int p[2], e = epoll_create1(0);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev));
	CHECK_EQ(epoll_wait(e, &ev, 1, 0), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(e, &ev, 1, 1000), 1);
	CHECK_EQ(ev.events, EPOLLIN);
	CHECK_EQ(read(p[0], &ev, 1), 1);
	CHECK(!pthread_create(&t, NULL, closer, &p[1]));
	CHECK_EQ(epoll_wait(e, &ev, 1, 5000), 1);
	CHECK_EQ(ev.events, EPOLLIN | EPOLLRDHUP | EPOLLHUP);
	pthread_join(t, NULL);
}

static volatile sig_atomic_t ios;

static void on_io(int sig)
{
	ios++;
}

static void async_io(void)
{
	struct timespec ms = { 0, 1000000 };
	int p[2];
	signal(SIGIO, on_io);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!fcntl(p[0], F_SETOWN, getpid()));
	CHECK_EQ(fcntl(p[0], F_GETOWN), getpid());
	CHECK_EQ(write(p[1], "x", 1), 1);
	nanosleep(&ms, NULL);
	CHECK_EQ(ios, 0);
	CHECK(!fcntl(p[0], F_SETFL, O_RDWR | O_ASYNC));
	CHECK_EQ(write(p[1], "x", 1), 1);
	nanosleep(&ms, NULL);
	CHECK(ios > 0);
}

/* ---- moving data without user memory ---- */

static void spliced(void)
{
	char b[64];
	int p[2], q[2], f;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!pipe(q));
	CHECK_EQ(write(q[1], "through a pipe", 14), 14);
	CHECK_EQ(splice(q[0], NULL, p[0], NULL, 64, 0), 14);
	CHECK_EQ(splice(p[1], NULL, q[1], NULL, 64, 0), 14);
	CHECK_EQ(read(q[0], b, 64), 14);
	CHECK(!memcmp(b, "through a pipe", 14));
	tap_tmpdir();
	f = open("file", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(write(f, "from a file", 11), 11);
	CHECK_EQ(sendfile(p[0], f, &(off_t){ 5 }, 64), 6);
	CHECK_EQ(read(p[1], b, 64), 6);
	CHECK(!memcmp(b, "a file", 6));
}

TEST_MAIN(CASE(stream_bytes), CASE(stream_large), CASE(stream_waitall),
	  CASE(stream_fills), CASE(stream_ends), CASE(sigpipe), CASE(shutdown_halves),
	  CASE(peek_offsets), CASE(interrupted), CASE(restarted), CASE(epoll_hears),
	  CASE(async_io), CASE(spliced))

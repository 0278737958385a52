/*
 * All calls on the same few sockets at once: close against accept, send against connect,
 * descriptors of sockets that are dying. Nothing may be lost, freed twice or left over.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/tap.h"

#define SLOTS 6
#define THREADS 4
#define SECONDS 4

/* Descriptors that all threads use and close; racy on purpose. */
static volatile int shared[SLOTS];
static char where[40];

struct racer {
	unsigned random;
	int fd; /* the step's own choice */
	char bytes[256];
};

static unsigned next(struct racer *r)
{
	r->random = r->random * 1664525 + 1013904223;
	return r->random >> 8;
}

static volatile int *slot(struct racer *r)
{
	return &shared[next(r) % SLOTS];
}

static void put(struct racer *r, int fd)
{
	volatile int *s = slot(r);
	close(*s);
	*s = fd;
}

static void make_stream(struct racer *r)
{
	put(r, socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
}

static void make_dgram(struct racer *r)
{
	put(r, socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
}

static void make_pair(struct racer *r)
{
	int type = next(r) % 2 ? SOCK_STREAM : SOCK_DGRAM, p[2];
	if (socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, p))
		return;
	put(r, p[0]);
	put(r, p[1]);
}

static void bind_and_listen(struct racer *r)
{
	sock_bind(r->fd, where);
	listen(r->fd, next(r) % 3);
}

static void connect_one(struct racer *r)
{
	sock_connect(r->fd, where);
}

static void disconnect(struct racer *r)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };
	connect(r->fd, &a, sizeof a.sa_family);
}

static void accept_one(struct racer *r)
{
	put(r, accept4(r->fd, NULL, NULL, SOCK_NONBLOCK));
}

static void send_bytes(struct racer *r)
{
	(void)!send(r->fd, r->bytes, next(r) % sizeof r->bytes, MSG_NOSIGNAL);
}

static void send_named(struct racer *r)
{
	(void)!sock_sendto(r->fd, r->bytes, 1, MSG_NOSIGNAL, where);
}

static void send_descriptors(struct racer *r)
{
	int fds[2] = { *slot(r), *slot(r) };
	(void)!scm_send_fds(r->fd, "x", fds, 2);
}

static void receive_bytes(struct racer *r)
{
	(void)!recv(r->fd, r->bytes, next(r) % sizeof r->bytes, next(r) % 2 * MSG_PEEK);
}

static void receive_descriptors(struct racer *r)
{
	char room[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(8)));
	struct iovec v = { r->bytes, 8 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room };
	int fds[2] = { -1, -1 };
	m.msg_controllen = sizeof room;
	if (recvmsg(r->fd, &m, next(r) % 4 ? 0 : MSG_PEEK) < 0 || !CMSG_FIRSTHDR(&m))
		return;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&m)),
	       CMSG_FIRSTHDR(&m)->cmsg_len - CMSG_LEN(0));
	close(fds[0]);
	close(fds[1]);
}

/* A byte that marks a place in the queue, while others read, peek, close. */
static void urge(struct racer *r)
{
	send(*slot(r), "urgent", 1 + next(r) % 6, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void receive_urgent(struct racer *r)
{
	char c[8];
	int on = (int)(next(r) % 2), fd = *slot(r);
	recv(fd, c, sizeof c, MSG_OOB | MSG_DONTWAIT | (next(r) % 2 ? MSG_PEEK : 0));
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
	recv(fd, c, sizeof c, MSG_DONTWAIT | (next(r) % 2 ? MSG_PEEK : 0));
	ioctl(fd, SIOCATMARK, &on);
}

static void shut(struct racer *r)
{
	shutdown(r->fd, next(r) % 3);
}

static void ask(struct racer *r)
{
	struct sockaddr_un a;
	socklen_t n = sizeof a;
	getpeername(r->fd, (struct sockaddr *)&a, &n);
	sock_events(r->fd);
}

static void (*const steps[])(struct racer *r) = {
	make_stream,
	make_dgram,
	make_pair,
	bind_and_listen,
	connect_one,
	disconnect,
	accept_one,
	send_bytes,
	send_named,
	send_descriptors,
	receive_bytes,
	receive_descriptors,
	connect_one,
	shut,
	ask,
	urge,
	receive_urgent,
};

static void *race(void *arg)
{
	struct racer r = { .random = (uintptr_t)arg };
	struct timespec t0, t1;
	clock_gettime(CLOCK_MONOTONIC, &t0);
	do {
		for (int k = 0; k < 100; k++) {
			r.fd = *slot(&r);
			steps[next(&r) % (sizeof steps / sizeof steps[0])](&r);
		}
		clock_gettime(CLOCK_MONOTONIC, &t1);
	} while (t1.tv_sec - t0.tv_sec < SECONDS);
	return NULL;
}

static long files_open(void)
{
	long n = -1;
	FILE *f = fopen("/proc/sys/fs/file-nr", "r");
	CHECK(f);
	CHECK_EQ(fscanf(f, "%ld", &n), 1);
	fclose(f);
	return n;
}

/* Sends what it can never get back, so that everything lost is looked for. */
static void provoke_collection(void)
{
	int p[2];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK_EQ(scm_send_fds(p[0], "x", &p[1], 1), 1);
	close(p[0]);
	close(p[1]);
}

static void calls_race(void)
{
	pthread_t t[THREADS];
	long before = files_open();
	int pid = fork();
	if (!pid) {
		snprintf(where, sizeof where, "@race-%d", getpid());
		for (uintptr_t k = 0; k < THREADS; k++)
			if (pthread_create(&t[k], NULL, race, (void *)(k + 77)))
				_exit(1);
		for (int k = 0; k < THREADS; k++)
			pthread_join(t[k], NULL);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	provoke_collection();
	if (tap_on_mayfly()) /* elsewhere others open files, too */
		CHECK(files_open() <= before + 4);
}

/* One listener, several who connect and several who accept: all connections are good. */
static int the_listener;

static void *client(void *arg)
{
	for (int k = 0; k < 200; k++) {
		char c = k;
		int s = socket(AF_UNIX, SOCK_STREAM, 0);
		if (sock_connect(s, where) || write(s, &c, 1) != 1 ||
		    read(s, &c, 1) != 1 || c != (char)(k + 1))
			return (void *)1;
		close(s);
	}
	return NULL;
}

static void *server(void *arg)
{
	for (int k = 0; k < 200; k++) {
		char c;
		int s = accept(the_listener, NULL, NULL);
		if (s < 0 || read(s, &c, 1) != 1)
			return (void *)1;
		c++;
		if (write(s, &c, 1) != 1)
			return (void *)1;
		close(s);
	}
	return NULL;
}

static void connections_race(void)
{
	pthread_t t[THREADS];
	snprintf(where, sizeof where, "@serve-%d", getpid());
	the_listener = sock_listener(SOCK_STREAM, where, 1);
	for (int k = 0; k < THREADS; k++)
		CHECK(!pthread_create(&t[k], NULL, k % 2 ? client : server, NULL));
	for (int k = 0; k < THREADS; k++) {
		void *bad;
		CHECK(!pthread_join(t[k], &bad));
		CHECK(!bad);
	}
}

TEST_MAIN(CASE(calls_race), CASE(connections_race))

/*
 * The ring of io_setup(2) is memory of the job's own, and its contexts end in many ways:
 * whatever is written there or unmapped while events come, the kernel writes to no other
 * page, waits for nobody for ever, and lets go of what was asked of it.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/aio.h"
#include "common/tap.h"

#define ROUNDS 2000

static aio_context_t ctx;
static _Atomic bool over;

static void new_context(unsigned n)
{
	ctx = 0;
	CHECK(!io_setup(n, &ctx));
}

/* A poll of a pipe that stays quiet, or not. */
static struct iocb poll_of(int fd)
{
	return aio_of(IOCB_CMD_POLL, fd, (void *)POLLIN, 0, 0);
}

static void *scribbles(void *arg)
{
	volatile struct aio_ring *r = (void *)ctx;
	unsigned seed = 1;

	while (!over) {
		r->head = (unsigned)rand_r(&seed) << (seed & 15);
		r->tail = (unsigned)rand_r(&seed) << (seed & 15);
		r->nr = seed & 1 ? 0 : UINT32_MAX;
		r->header_length = seed;
		r->magic = ~seed;
	}
	return NULL;
}

/* Its id is the one thing that the calls need. */
static void hostile_head_and_tail(void)
{
	new_context(8);
	pthread_t t;
	int fd = open("/dev/null", O_RDWR), p[2];
	char b;
	CHECK(!pipe2(p, O_NONBLOCK) && !pthread_create(&t, NULL, scribbles, NULL));
	long took = 0, submitted = 0;
	for (int i = 0; i < ROUNDS; i++) {
		struct iocb cb = aio_of(IOCB_CMD_PWRITE, fd, "x", 1, 0);
		struct iocb in = poll_of(p[0]), *q[2] = { &cb, &in };
		struct io_event e[4];
		struct timespec now = { 0, i % 64 ? 0 : 1000 };
		long n = io_submit(ctx, 2, q);
		CHECK(n >= 0 || errno == EAGAIN);
		submitted += n > 0 ? n : 0;
		CHECK(write(p[1], "x", 1) == 1 || errno == EAGAIN);
		n = io_getevents(ctx, i % 3, 4, e, &now);
		CHECK(n >= 0 && n <= 4);
		took += n;
		while (read(p[0], &b, 1) == 1)
			;
		if (i % 7 == 0)
			(void)io_cancel(ctx, &in, e);
	}
	over = true;
	CHECK(!pthread_join(t, NULL));
	CHECK(submitted > 0 && took > 0);
	CHECK(!io_destroy(ctx));
}

/* Events of a ring that is gone go into no page that has taken its place. */
static void ring_unmapped_and_mapped_over(void)
{
	int p[2];
	char page[4096] = { 0 };
	CHECK(!pipe(p));
	for (int how = 0; how < 3; how++) {
		new_context(8);
		struct iocb in[2] = { poll_of(p[0]), poll_of(p[0]) };
		struct iocb *q[2] = { &in[0], &in[1] };
		CHECK_EQ(io_submit(ctx, 2, q), 2);
		unsigned id = ((struct aio_ring *)ctx)->id;
		size_t size = (((struct aio_ring *)ctx)->nr + 1) * 32;
		if (how == 0)
			CHECK(!munmap((void *)ctx, size));
		/* Linux has no way to take pages out of a ring. */
		bool out = how == 1 && !madvise((void *)ctx, size, MADV_REMOVE);
		if (!out)
			CHECK(mmap((void *)ctx, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				   0) == (void *)ctx);
		char b;
		CHECK(write(p[1], "x", 1) == 1);
		usleep(20000);
		CHECK(!memcmp((void *)ctx, page, size));
		CHECK(read(p[0], &b, 1) == 1);
		/* With its number in the new page it can be found again. */
		*(unsigned *)ctx = id;
		struct io_event e[4];
		struct timespec t = { 5, 0 };
		CHECK_EQ(io_getevents(ctx, 2, 4, e, &t), 2);
		CHECK(!io_destroy(ctx));
		CHECK_ERR(io_destroy(ctx), EINVAL);
	}
}

static void *waits(void *arg)
{
	struct io_event e[4];
	long n = io_getevents(ctx, 4, 4, e, NULL);
	return (void *)(n == -1 ? (long)errno : -n);
}

static void destroyed_while_others_wait(void)
{
	int p[2];
	CHECK(!pipe(p));
	for (int i = 0; i < 50; i++) {
		new_context(8);
		pthread_t t[2];
		struct iocb in = poll_of(p[0]), *q = &in;
		CHECK_EQ(io_submit(ctx, 1, &q), 1);
		for (int k = 0; k < 2; k++)
			CHECK(!pthread_create(&t[k], NULL, waits, NULL));
		if (i % 2)
			usleep(1000);
		CHECK(!io_destroy(ctx));
		for (int k = 0; k < 2; k++) {
			void *said;
			CHECK(!pthread_join(t[k], &said));
			/* One may have seen the event of the end. */
			CHECK((long)said == EINVAL || (long)said == -1);
		}
	}
}

static void *destroys(void *arg)
{
	while (!over)
		if (ctx)
			(void)io_destroy(ctx);
	return NULL;
}

static void destroyed_while_others_submit(void)
{
	pthread_t t[2];
	int p[2];
	over = false;
	CHECK(!pipe(p));
	for (int k = 0; k < 2; k++)
		CHECK(!pthread_create(&t[k], NULL, destroys, NULL));
	long took = 0;
	for (int i = 0; i < ROUNDS / 4; i++) {
		aio_context_t c = 0;
		CHECK(!io_setup(4, &c));
		ctx = c;
		struct iocb in = poll_of(p[0]), *q = &in;
		for (int k = 0; k < 8; k++)
			took += io_submit(c, 1, &q) == 1;
		(void)io_cancel(c, &in, NULL);
		(void)io_destroy(c);
	}
	over = true;
	for (int k = 0; k < 2; k++)
		CHECK(!pthread_join(t[k], NULL));
	CHECK(took > 0);
}

/* The pipe's reading end is the polls' alone: it is gone once they are. */
static void polls_end_with_the_process(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (int how = 0; how < 4; how++) {
		int p[2];
		CHECK(!pipe(p));
		pid_t pid = fork();
		if (!pid) {
			new_context(8);
			struct iocb in = poll_of(p[0]), *q = &in;
			struct io_event e;
			if (io_submit(ctx, 1, &q) != 1)
				_exit(1);
			close(p[0]);
			if (how == 1)
				kill(getpid(), SIGKILL);
			if (how == 2) {
				close(1); /* it would report */
				execl("/proc/self/exe", "aio_rings", "no case", NULL);
			}
			if (how == 3) {
				alarm(1);
				(void)io_getevents(ctx, 1, 1, &e, NULL);
			}
			_exit(0);
		}
		CHECK(!close(p[0]));
		tap_wait(pid);
		CHECK_ERR(write(p[1], "x", 1), EPIPE);
		CHECK(!close(p[1]));
	}
}

/* A descriptor that is closed, and whose last holder is the poll, while it is told. */
static void closed_while_polled(void)
{
	new_context(64);
	for (int i = 0; i < ROUNDS / 4; i++) {
		int p[2];
		CHECK(!pipe(p));
		struct iocb in = poll_of(p[0]), *q = &in;
		struct io_event e;
		CHECK_EQ(io_submit(ctx, 1, &q), 1);
		CHECK(!close(p[0]));
		if (i % 2)
			CHECK_EQ(write(p[1], "x", 1), 1);
		CHECK(!close(p[1]));
		CHECK_EQ(io_getevents(ctx, 1, 1, &e, NULL), 1);
		CHECK(e.res > 0);
	}
	CHECK(!io_destroy(ctx));
}

/* More than there is memory for: refused, and all of it comes back. */
static void contexts_without_end(void)
{
	static aio_context_t many[65536];
	int n = 0;
	while (n < 65536 && !io_setup(1024, &many[n]))
		n++;
	CHECK(n > 0 && n <= 64 && (errno == EAGAIN || errno == ENOMEM));
	while (n > 0)
		CHECK(!io_destroy(many[--n]));
	new_context(1024);
	CHECK(!io_destroy(ctx));
}

TEST_MAIN(CASE(hostile_head_and_tail), CASE(ring_unmapped_and_mapped_over),
	  CASE(destroyed_while_others_wait), CASE(destroyed_while_others_submit),
	  CASE(polls_end_with_the_process), CASE(closed_while_polled),
	  CASE(contexts_without_end))

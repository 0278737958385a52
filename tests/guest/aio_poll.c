/* IOCB_CMD_POLL of io_submit(2): now, later, with an eventfd, cancelled. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/aio.h"
#include "common/tap.h"

/* Linux tells more than was asked for where the waker said more. */
static bool is_input(const struct io_event *e)
{
	return (e->res & ~POLLRDNORM) == POLLIN;
}

static void poll_now_and_later(void)
{
	aio_context_t c = aio_new(8);
	int p[2];
	char b;
	CHECK(!pipe(p));
	struct iocb cb = aio_of(IOCB_CMD_POLL, p[1], (void *)(POLLOUT | POLLIN), 0, 0);
	CHECK_EQ(aio_done_by(c, &cb), POLLOUT);
	struct iocb in = aio_of(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0), *q = &in;
	struct io_event e = { 0 };
	struct timespec now = { 0, 0 };
	in.aio_data = 5;
	CHECK_EQ(io_submit(c, 1, &q), 1);
	CHECK_EQ(io_getevents(c, 1, 1, &e, &now), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(io_getevents(c, 1, 1, &e, NULL), 1);
	CHECK(e.data == 5 && e.obj == (uintptr_t)&in && is_input(&e) && !e.res2);
	/* Once. */
	CHECK_EQ(read(p[0], &b, 1), 1);
	CHECK_EQ(write(p[1], "x", 1), 1);
	struct timespec t = { 0, 20000000 };
	CHECK_EQ(io_getevents(c, 1, 1, &e, &t), 0);
	CHECK_EQ(read(p[0], &b, 1), 1);
	/* A hang-up is told unasked. */
	in.aio_buf = POLLPRI;
	CHECK(io_submit(c, 1, &q) == 1 && !close(p[1]));
	CHECK_EQ(io_getevents(c, 1, 1, &e, NULL), 1);
	CHECK_EQ(e.res, POLLHUP);
	int fd = open("/proc/self/exe", O_RDONLY);
	cb = aio_of(IOCB_CMD_POLL, fd, (void *)POLLIN, 0, 0);
	CHECK_EQ(aio_done_by(c, &cb), POLLIN);
}

static void poll_with_eventfd(void)
{
	aio_context_t c = aio_new(8);
	int p[2], ev = eventfd(0, 0);
	uint64_t count;
	CHECK(!pipe(p));
	struct iocb in = aio_of(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0), *q = &in;
	in.aio_flags = IOCB_FLAG_RESFD;
	in.aio_resfd = ev;
	CHECK_EQ(io_submit(c, 1, &q), 1);
	/* The request has its files. */
	int dup = fcntl(ev, F_DUPFD, 0);
	CHECK(!close(ev) && !close(p[0]));
	struct pollfd quiet = { dup, POLLIN, 0 };
	CHECK_EQ(poll(&quiet, 1, 20), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK(read(dup, &count, 8) == 8 && count == 1);
	struct io_event e;
	CHECK_EQ(io_getevents(c, 1, 1, &e, NULL), 1);
	/* And lets them go. */
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 1000 && write(p[1], "x", 1) == 1; i++)
		usleep(1000);
	CHECK_EQ(errno, EPIPE);
}

static void cancelling(void)
{
	aio_context_t c = aio_new(8);
	int p[2];
	CHECK(!pipe(p));
	struct iocb in = aio_of(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0), *q = &in;
	struct io_event e = { 0 };
	CHECK_EQ(io_submit(c, 1, &q), 1);
	CHECK_ERR(io_cancel(c, NULL, &e), EFAULT);
	in.aio_key = 1;
	CHECK_ERR(io_cancel(c, &in, &e), EINVAL);
	in.aio_key = 0;
	CHECK_ERR(io_cancel(c + 4096, &in, &e), EINVAL);
	struct iocb other = in;
	CHECK_ERR(io_cancel(c, &other, &e), EINVAL);
	CHECK_ERR(io_cancel(c, &in, &e), EINPROGRESS);
	CHECK_ERR(io_cancel(c, &in, &e), EINVAL);
	CHECK_EQ(io_getevents(c, 1, 1, &e, NULL), 1);
	CHECK(e.obj == (uintptr_t)&in && !e.res);
	CHECK_EQ(write(p[1], "x", 1), 1);
	struct timespec now = { 0, 0 };
	CHECK_EQ(io_getevents(c, 1, 1, &e, &now), 0);
}

static void many_polls(void)
{
	enum { N = 50 };
	aio_context_t c = aio_new(N);
	int p[N][2];
	static struct iocb cb[N];
	static struct io_event e[N];
	for (int i = 0; i < N; i++) {
		struct iocb *q = &cb[i];
		CHECK(!pipe(p[i]));
		cb[i] = aio_of(IOCB_CMD_POLL, p[i][0], (void *)POLLIN, 0, 0);
		cb[i].aio_data = (uint64_t)i;
		CHECK_EQ(io_submit(c, 1, &q), 1);
	}
	for (int i = 0; i < N; i += 2)
		CHECK_EQ(write(p[i][1], "x", 1), 1);
	CHECK_EQ(io_getevents(c, N / 2, N, e, NULL), N / 2);
	for (int i = 0; i < N / 2; i++)
		CHECK(e[i].data % 2 == 0 && is_input(&e[i]));
	/* The others go with the context. */
	CHECK(!io_destroy(c));
	signal(SIGPIPE, SIG_IGN);
	CHECK(!close(p[1][0]));
	CHECK_ERR(write(p[1][1], "x", 1), EPIPE);
}

TEST_MAIN(CASE(poll_now_and_later), CASE(poll_with_eventfd), CASE(cancelling),
	  CASE(many_polls))

/* io_setup and its relatives: what each of them refuses, and in which order. */
#include "common/aio.h"
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static aio_context_t context(unsigned n)
{
	aio_context_t c = 0;
	NEED(!io_setup(n, &c));
	return c;
}

/* Submits one, and says what its event says if it is taken. */
static void submit(const char *label, aio_context_t c, struct iocb cb)
{
	struct iocb *p = &cb;
	struct io_event e = { 0 };
	long n = (errno = 0, io_submit(c, 1, &p));
	if (n != 1) {
		say("%s: %ld %s", label, n, err_name(errno));
		return;
	}
	NEED(io_getevents(c, 1, 1, &e, NULL) == 1);
	say("%s: event %lld %lld", label, (long long)e.res, (long long)e.res2);
}

#define SUBMIT(...) submit(#__VA_ARGS__, c, aio_of(__VA_ARGS__))

DIFF_CASE(aio_setup)
{
	aio_context_t c = 0, d = 5;
	TRY(io_setup(0, &c));
	TRY(io_setup(0, NULL));
	TRY(io_setup(1, &d));
	TRY(io_setup(-1u, &c));
	TRY(io_setup(0x7fffffff, &c));
	TRY(io_setup(0x80000000, &c));
	TRY(io_setup(65537, &c));
	TRY(io_setup(5000000, &c));
	TRY(io_setup(1, &c));
	TRY(io_setup(1, &c));
	TRY(io_destroy(0));
	TRY(io_destroy(c + 1));
	TRY(io_destroy(c + 4096));
	TRY(munmap((void *)c, 4096));
	TRY(io_destroy(c));
	TRY(io_submit(c, 0, NULL));
	aio_context_t *ro =
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TRY(io_setup(1, ro));
}

DIFF_CASE(aio_submit_transfers)
{
	aio_context_t c = context(8);
	make_file("f", "0123456789");
	int fd = open("f", O_RDWR), r = open("f", O_RDONLY), w = open("f", O_WRONLY);
	int dir = open(".", O_RDONLY), path = open("f", O_PATH), p[2];
	char b[64];
	struct iovec v[2] = { { b, 2 }, { b, -1 } };
	void *low = (void *)8, *high = (void *)-4096;
	NEED(!pipe2(p, O_NONBLOCK));
	SUBMIT(IOCB_CMD_PREAD, fd, b, 64, 0);
	SUBMIT(IOCB_CMD_PREAD, fd, b, 64, 10);
	SUBMIT(IOCB_CMD_PREAD, fd, b, 0, 0);
	SUBMIT(IOCB_CMD_PREAD, fd, low, 1, 0);
	SUBMIT(IOCB_CMD_PREAD, fd, low, 0, 0);
	SUBMIT(IOCB_CMD_PREAD, fd, high, 1, 0);
	SUBMIT(IOCB_CMD_PREAD, fd, b, -1, 0);
	SUBMIT(IOCB_CMD_PREAD, fd, b, 1, -1);
	SUBMIT(IOCB_CMD_PREAD, fd, b, 2, INT64_MAX);
	SUBMIT(IOCB_CMD_PREAD, w, b, 1, 0);
	SUBMIT(IOCB_CMD_PREAD, dir, b, 1, 0);
	SUBMIT(IOCB_CMD_PREAD, path, b, 1, 0);
	SUBMIT(IOCB_CMD_PREAD, -1, b, 1, 0);
	SUBMIT(IOCB_CMD_PREAD, p[0], b, 1, 0);
	SUBMIT(IOCB_CMD_PWRITE, p[1], b, 1, 0);
	SUBMIT(IOCB_CMD_PREAD, p[0], b, 9, 5);
	SUBMIT(IOCB_CMD_PWRITE, p[0], b, 1, 0);
	SUBMIT(IOCB_CMD_PWRITE, r, b, 1, 0);
	SUBMIT(IOCB_CMD_PWRITE, fd, low, 1, 0);
	SUBMIT(IOCB_CMD_PWRITE, fd, b, 5, 20);
	SUBMIT(IOCB_CMD_PREADV, fd, v, 1, 0);
	SUBMIT(IOCB_CMD_PREADV, fd, v, 2, 0);
	SUBMIT(IOCB_CMD_PREADV, fd, v, 0, 0);
	SUBMIT(IOCB_CMD_PREADV, fd, low, 1, 0);
	SUBMIT(IOCB_CMD_PREADV, fd, v, 1025, 0);
	SUBMIT(IOCB_CMD_PWRITEV, fd, v, 1, 30);
	SUBMIT(IOCB_CMD_FSYNC, fd, 0, 0, 0);
	SUBMIT(IOCB_CMD_FSYNC, p[0], 0, 0, 0);
	SUBMIT(IOCB_CMD_FSYNC, fd, b, 0, 0);
	SUBMIT(IOCB_CMD_FDSYNC, fd, 0, 1, 0);
	SUBMIT(IOCB_CMD_FDSYNC, fd, 0, 0, 1);
	SUBMIT(IOCB_CMD_NOOP, fd, 0, 0, 0);
	SUBMIT(4, fd, 0, 0, 0);
	SUBMIT(9, fd, 0, 0, 0);
	SUBMIT(IOCB_CMD_POLL, fd, (void *)POLLIN, 0, 0);
	SUBMIT(IOCB_CMD_POLL, fd, (void *)POLLPRI, 0, 0);
	SUBMIT(IOCB_CMD_POLL, p[1], (void *)POLLOUT, 0, 0);
	SUBMIT(IOCB_CMD_POLL, fd, (void *)0x10000, 0, 0);
	SUBMIT(IOCB_CMD_POLL, fd, (void *)POLLIN, 1, 0);
	SUBMIT(IOCB_CMD_POLL, fd, (void *)POLLIN, 0, 1);
	SUBMIT(IOCB_CMD_POLL, path, (void *)POLLIN, 0, 0);
}

DIFF_CASE(aio_submit_fields)
{
	aio_context_t c = context(8);
	make_file("f", "0123456789");
	int fd = open("f", O_RDWR), ev = eventfd(0, 0);
	char b[8];
	const struct iocb good = aio_of(IOCB_CMD_PREAD, fd, b, 4, 0);
	struct iocb cb;
#define WITH(field, value)                                                               \
	(cb = good, cb.field = (value), submit(#field " " #value, c, cb))
	WITH(aio_key, 7);
	WITH(aio_reserved2, 1);
	WITH(aio_rw_flags, 0x40000000);
	WITH(aio_rw_flags, 1);
	WITH(aio_rw_flags, 2);
	WITH(aio_flags, 0x10);
	WITH(aio_flags, IOCB_FLAG_IOPRIO);
	WITH(aio_reqprio, -1);
	WITH(aio_flags, IOCB_FLAG_RESFD);
	for (int prio = 0; prio < 5; prio++) {
		cb = good;
		cb.aio_flags = IOCB_FLAG_IOPRIO;
		cb.aio_reqprio = (int16_t)(prio << 13 | 3);
		submit("class", c, cb);
	}
	int fds[] = { -1, fd, ev };
	for (int k = 0; k < 3; k++) {
		cb = good;
		cb.aio_flags = IOCB_FLAG_RESFD;
		cb.aio_resfd = (uint32_t)fds[k];
		submit("resfd", c, cb);
	}
	/* Which comes first. */
	cb = good;
	cb.aio_lio_opcode = 9;
	cb.aio_fildes = 99;
	submit("opcode, descriptor", c, cb);
	cb.aio_reserved2 = 1;
	submit("opcode, descriptor, reserved", c, cb);
	cb = good;
	cb.aio_lio_opcode = 9;
	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = 99;
	submit("opcode, resfd", c, cb);
	struct iocb *p[3] = { &cb, (void *)8, NULL };
	cb = good;
	TRY(io_submit(c, -1, p));
	TRY(io_submit(c, 0, (void *)8));
	TRY(io_submit(c, 1, (void *)8));
	TRY(io_submit(c, 3, p));
	TRY(io_submit(c, 1, p + 1));
	TRY(io_submit(0, 1, p));
}

DIFF_CASE(aio_events_and_cancel)
{
	aio_context_t c = context(8);
	struct io_event e[2];
	struct timespec now = { 0, 0 }, odd = { 0, 2000000000 }, soon = { 0, 1000000 };
	sigset_t none;
	sigemptyset(&none);
	struct {
		const void *set;
		size_t size;
	} good = { &none, 8 }, size = { &none, 7 }, null = { NULL, 7 },
	  bad = { (void *)8, 8 };
	TRY(io_getevents(c, 0, 0, NULL, NULL));
	TRY(io_getevents(c, 0, 1, e, NULL));
	TRY(io_getevents(c, 1, 1, e, &now));
	TRY(io_getevents(c, 1, 1, e, &soon));
	TRY(io_getevents(c, 0, 1, e, &odd));
	TRY(io_getevents(c, 2, 1, e, &now));
	TRY(io_getevents(c, -1, 1, e, &now));
	TRY(io_getevents(c, -1, -1, e, &now));
	TRY(io_getevents(c, 0, -1, e, &now));
	TRY(io_getevents(0, 0, 1, e, &now));
	TRY(io_getevents(0, 0, 1, e, (void *)8));
	TRY(io_getevents(c, 1, 1, (void *)8, &now));
	TRY(io_pgetevents(c, 1, 1, e, &now, NULL));
	TRY(io_pgetevents(c, 1, 1, e, &now, &good));
	TRY(io_pgetevents(c, 1, 1, e, &now, &size));
	TRY(io_pgetevents(c, 1, 1, e, &now, &null));
	TRY(io_pgetevents(c, 1, 1, e, &now, &bad));
	TRY(io_pgetevents(c, 2, 1, e, &now, &size));
	TRY(io_pgetevents(c, 1, 1, e, (void *)8, &size));
	TRY(io_pgetevents(c, 1, 1, e, &now, (void *)8));
	int p[2];
	NEED(!pipe(p));
	struct iocb in = aio_of(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0), *q = &in;
	TRY(io_cancel(c, &in, e));
	TRY(io_submit(c, 1, &q));
	TRY(io_cancel(c, NULL, e));
	TRY(io_cancel(0, &in, e));
	in.aio_key = 1;
	TRY(io_cancel(c, &in, e));
	in.aio_key = 0;
	TRY(io_cancel(c, &in, NULL));
	TRY(io_cancel(c, &in, e));
	TRY(io_getevents(c, 1, 1, e, NULL));
	SHOW(e[0].res);
	SHOW(e[0].obj == (uintptr_t)&in);
}

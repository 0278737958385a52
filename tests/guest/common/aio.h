/* The calls of io_setup(2), which no C library wraps, and the ring. */
#ifndef GUEST_AIO_H
#define GUEST_AIO_H

#include <linux/aio_abi.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

/* As libaio has it. */
struct aio_ring {
	unsigned id, nr, head, tail;
	unsigned magic, compat_features, incompat_features, header_length;
};

static inline long io_setup(unsigned n, aio_context_t *c)
{
	return syscall(SYS_io_setup, n, c);
}

static inline long io_destroy(aio_context_t c)
{
	return syscall(SYS_io_destroy, c);
}

static inline long io_submit(aio_context_t c, long n, struct iocb **p)
{
	return syscall(SYS_io_submit, c, n, p);
}

static inline long io_cancel(aio_context_t c, struct iocb *p, struct io_event *e)
{
	return syscall(SYS_io_cancel, c, p, e);
}

static inline long io_getevents(aio_context_t c, long min, long n, struct io_event *e,
				struct timespec *t)
{
	return syscall(SYS_io_getevents, c, min, n, e, t);
}

static inline long io_pgetevents(aio_context_t c, long min, long n, struct io_event *e,
				 struct timespec *t, const void *mask)
{
	return syscall(SYS_io_pgetevents, c, min, n, e, t, mask);
}

static inline struct iocb aio_of(unsigned op, int fd, const void *buf, uint64_t n,
				 int64_t offset)
{
	return (struct iocb){ .aio_lio_opcode = (uint16_t)op,
			      .aio_fildes = (uint32_t)fd,
			      .aio_buf = (uintptr_t)buf,
			      .aio_nbytes = n,
			      .aio_offset = offset };
}

static inline aio_context_t aio_new(unsigned n)
{
	aio_context_t c = 0;
	CHECK(!io_setup(n, &c));
	CHECK(c);
	return c;
}

/* Submits one and takes its event; what it says. */
static inline long long aio_done_by(aio_context_t c, struct iocb *cb)
{
	struct io_event e = { 0 };

	CHECK_EQ(io_submit(c, 1, &cb), 1);
	CHECK_EQ(io_getevents(c, 1, 1, &e, NULL), 1);
	CHECK(e.obj == (uintptr_t)cb && e.data == cb->aio_data && !e.res2);
	return e.res;
}

#endif

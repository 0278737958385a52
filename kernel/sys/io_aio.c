/*
 * io_setup and its relatives, over fs/aio.h. What a request asks of a file is done while
 * it is submitted, as Linux does for files in its page cache, and only polls wait; what
 * cannot be asked is refused here, what fails is told by the event.
 */
#include "fs/aio.h"

#include <linux/fs.h>
#include <linux/time_types.h>

#include "core/wait.h"
#include "fs/eventfd.h"
#include "proc/signal.h"
#include "sys/rw.h"
#include "sys/sched.h"
#include "sys/syscall.h"

#define IOV_FAST 8
#define IOCB_KEY 0u /* what the kernel writes into each iocb */

/* ---- contexts ---- */

int64_t sys_io_setup(uint32_t n, uaddr_t ctx)
{
	uint64_t id;

	if (get_user(id, ctx))
		return -EFAULT;
	if (id || !n)
		return -EINVAL;
	int err = aio_setup(n, &id);
	if (!err && put_user(ctx, id)) {
		err = aio_destroy(id);
		err = -EFAULT;
	}
	return err;
}

int64_t sys_io_destroy(uint64_t ctx)
{
	return aio_destroy(ctx);
}

/* ---- requests ---- */

/* One that is being submitted: it has a slot, and its references. */
struct submission {
	struct aio_context *ctx;
	struct iocb cb;
	struct file *file;
	struct aio_request req;
};

/* What is checked of a transfer before its buffers. */
static int check_transfer(const struct submission *s, bool write)
{
	const struct file *f = s->file;
	int err = 0;

	if (s->cb.aio_flags & IOCB_FLAG_IOPRIO)
		err = sched_check_ioprio((uint16_t)s->cb.aio_reqprio);
	if (err)
		return err;
	if (!rw_flags_ok(f, (uint32_t)s->cb.aio_rw_flags, write))
		return -EOPNOTSUPP;
	if (!(f->mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	return f->ops && (write ? f->ops->write : f->ops->read) ? 0 : -EINVAL;
}

/* The buffers; *ret_own is to be freed. */
static int buffers_of(const struct iocb *cb, bool vector, struct uio *u,
		      struct iovec *fast, struct iovec **ret_own)
{
	uaddr_t at = UADDR(cb->aio_buf);

	if (vector)
		return uio_init_vec(u, at, cb->aio_nbytes, fast, IOV_FAST, ret_own);
	if (!user_range_ok(at, cb->aio_nbytes))
		return -EFAULT;
	uio_init_user(u, at, cb->aio_nbytes);
	return 0;
}

/* A signal has come before anything was moved: there is no call to restart. */
static int64_t result_of(int64_t n)
{
	return n <= -ERESTARTSYS && n >= -ERESTART_RESTARTBLOCK ? -EINTR : n;
}

static int transfer(struct submission *s, bool write, bool vector)
{
	struct iovec fast[IOV_FAST], *own = NULL;
	struct uio u;
	int err = check_transfer(s, write);

	if (!err)
		err = buffers_of(&s->cb, vector, &u, fast, &own);
	if (err)
		return err;
	uint64_t pos = (uint64_t)s->cb.aio_offset;
	if (s->cb.aio_offset < 0 || pos + u.left > INT64_MAX) {
		heap_free(own);
		return -EINVAL;
	}
	const struct rw_way *way = rw_way_of((uint32_t)s->cb.aio_rw_flags, write);
	int64_t n = vector && !u.left ? 0 : way->fn(s->file, &u, &pos);
	heap_free(own);
	aio_complete(s->ctx, &s->req, result_of(n));
	return 0;
}

static int submit_pread(struct submission *s)
{
	return transfer(s, false, false);
}

static int submit_pwrite(struct submission *s)
{
	return transfer(s, true, false);
}

static int submit_preadv(struct submission *s)
{
	return transfer(s, false, true);
}

static int submit_pwritev(struct submission *s)
{
	return transfer(s, true, true);
}

static int submit_fsync(struct submission *s)
{
	const struct iocb *cb = &s->cb;
	struct file *f = s->file;

	if (cb->aio_buf || cb->aio_offset || cb->aio_nbytes || cb->aio_rw_flags ||
	    !f->ops || !f->ops->fsync)
		return -EINVAL;
	aio_complete(s->ctx, &s->req, f->ops->fsync(f));
	return 0;
}

static int submit_poll(struct submission *s)
{
	const struct iocb *cb = &s->cb;

	if (cb->aio_buf > UINT16_MAX || cb->aio_offset || cb->aio_nbytes ||
	    cb->aio_rw_flags)
		return -EINVAL;
	return aio_poll(s->ctx, &s->req, s->file, (uint32_t)cb->aio_buf);
}

/* IOCB_CMD_NOOP is one that Linux refuses too. */
static int (*const commands[])(struct submission *s) = {
	[IOCB_CMD_PREAD] = submit_pread,     [IOCB_CMD_PWRITE] = submit_pwrite,
	[IOCB_CMD_FSYNC] = submit_fsync,     [IOCB_CMD_FDSYNC] = submit_fsync,
	[IOCB_CMD_POLL] = submit_poll,	     [IOCB_CMD_PREADV] = submit_preadv,
	[IOCB_CMD_PWRITEV] = submit_pwritev,
};

/* With its files: 0, or -errno and s->req.resfd is still ours. */
static int submit_opened(struct submission *s)
{
	uint16_t op = s->cb.aio_lio_opcode;
	int err = 0;

	if (s->cb.aio_flags & IOCB_FLAG_RESFD)
		err = eventfd_get((int)s->cb.aio_resfd, &s->req.resfd);
	if (!err)
		err = put_user(UADDR(s->req.obj + offsetof(struct iocb, aio_key)),
			       IOCB_KEY);
	if (err)
		return err;
	return op < ARRAY_LEN(commands) && commands[op] ? commands[op](s) : -EINVAL;
}

static int submit_with_slot(struct submission *s)
{
	int err;

	s->file = fd_get((int)s->cb.aio_fildes);
	if (!s->file)
		return -EBADF;
	err = submit_opened(s);
	if (err && s->req.resfd)
		file_put(s->req.resfd);
	file_put(s->file);
	return err;
}

static int submit_one(struct aio_context *c, uint64_t at)
{
	struct submission s = { .ctx = c };

	if (get_user(s.cb, UADDR(at)))
		return -EFAULT;
	if (s.cb.aio_reserved2 || (int64_t)s.cb.aio_nbytes < 0)
		return -EINVAL;
	s.req.obj = at;
	s.req.data = s.cb.aio_data;
	int err = aio_slot_take(c);
	if (err)
		return err;
	err = submit_with_slot(&s);
	if (err)
		aio_slot_give(c);
	return err;
}

int64_t sys_io_submit(uint64_t ctx, int64_t n, uaddr_t iocbs)
{
	struct aio_context *c = n < 0 ? NULL : aio_find(ctx);
	int64_t done = 0;
	int err = 0;

	if (!c)
		return -EINVAL;
	n = MIN(n, (int64_t)aio_size(c));
	while (done < n && !err) {
		uint64_t at;

		err = get_user(at, uaddr_add(iocbs, (uint64_t)done * sizeof at));
		if (!err)
			err = submit_one(c, at);
		if (!err)
			done++;
	}
	aio_put(c);
	return done ? done : err;
}

/* The event comes through the ring; `result` is not used, as on Linux. */
int64_t sys_io_cancel(uint64_t ctx, uaddr_t iocb, uaddr_t result)
{
	uint32_t key;

	if (get_user(key, uaddr_add(iocb, offsetof(struct iocb, aio_key))))
		return -EFAULT;
	struct aio_context *c = key == IOCB_KEY ? aio_find(ctx) : NULL;
	if (!c)
		return -EINVAL;
	int err = aio_cancel(c, iocb.va);
	aio_put(c);
	return err;
}

/* ---- events ---- */

/* As Linux takes it: nobody minds nanoseconds that are none, and a time before now never
 * comes. */
static int deadline_of(uaddr_t timeout, uint64_t *ret)
{
	struct __kernel_timespec t;
	int64_t ns;

	*ret = NO_DEADLINE;
	if (!timeout.va)
		return 0;
	if (get_user(t, timeout))
		return -EFAULT;
	if (!__builtin_mul_overflow(t.tv_sec, (int64_t)NSEC_PER_SEC, &ns) &&
	    !__builtin_add_overflow(ns, t.tv_nsec, &ns) && ns >= 0)
		*ret = ns ? clock_mono() + (uint64_t)ns : 0;
	return 0;
}

static int64_t events_get(uint64_t ctx, int64_t min, int64_t n, uaddr_t events,
			  uint64_t deadline)
{
	struct aio_context *c = min < 0 || min > n ? NULL : aio_find(ctx);
	if (!c)
		return -EINVAL;
	int64_t got = aio_wait(c, min, n, events, deadline);
	aio_put(c);
	return got;
}

int64_t sys_io_getevents(uint64_t ctx, int64_t min, int64_t n, uaddr_t events,
			 uaddr_t timeout)
{
	uint64_t deadline;
	int64_t got = deadline_of(timeout, &deadline);

	if (!got)
		got = events_get(ctx, min, n, events, deadline);
	return got == -ERESTARTSYS ? -EINTR : got;
}

/* The sixth argument points at { const sigset_t *set; size_t size }, as pselect6's. */
int64_t sys_io_pgetevents(uint64_t ctx, int64_t min, int64_t n, uaddr_t events,
			  uaddr_t timeout, uaddr_t sigmask)
{
	struct {
		uint64_t set, size;
	} arg = { 0, 0 };
	uint64_t deadline;
	int err = deadline_of(timeout, &deadline);

	if (!err && sigmask.va)
		err = get_user(arg, sigmask);
	if (!err)
		err = sigmask_set_temporary(UADDR(arg.set), arg.size);
	if (err)
		return err;
	int64_t got = events_get(ctx, min, n, events, deadline);
	bool interrupted = got == -ERESTARTSYS;
	sigmask_end_temporary(interrupted);
	return interrupted ? -ERESTARTNOHAND : got;
}

/*
 * eventfd(2): a 64-bit counter behind a descriptor.
 *
 * Always true: 0 <= count <= UINT64_MAX - 1. Reading takes it all (or one, as a
 * semaphore) and waits while it is zero; writing adds and waits while the sum would pass
 * the maximum.
 */
#include "fs/eventfd.h"

#include <asm/poll.h>

#include "lib/fmt.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	struct spinlock lock;	/* RANK_OBJECT */
	_Atomic uint64_t count; /* [lock] to change */
	bool semaphore;		/* [I] */
	struct waitq read_wait, write_wait;
};

/* True: *ret was taken from the count. */
static bool eventfd_take(struct eventfd *e, uint64_t *ret)
{
	uint64_t n;

	spin_lock(&e->lock);
	n = e->semaphore && e->count ? 1 : e->count;
	e->count -= n;
	spin_unlock(&e->lock);
	*ret = n;
	return n;
}

static bool eventfd_give(struct eventfd *e, uint64_t n)
{
	bool fits;

	spin_lock(&e->lock);
	fits = n <= COUNT_MAX - e->count;
	if (fits)
		e->count += n;
	spin_unlock(&e->lock);
	return fits;
}

static int64_t eventfd_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct eventfd *e = f->priv;
	uint64_t n;
	int err;

	if (u->left < sizeof n)
		return -EINVAL;
	if (!eventfd_take(e, &n)) {
		if (file_nonblock(f, u))
			return -EAGAIN;
		err = wait_event_intr(&e->read_wait, eventfd_take(e, &n));
		if (err)
			return err;
	}
	if (waitq_active(&e->write_wait))
		wake_key(&e->write_wait, 1, POLLOUT | POLLWRNORM);
	return uio_write(u, &n, sizeof n) == sizeof n ? (int64_t)sizeof n : -EFAULT;
}

static int64_t eventfd_write(struct file *f, struct uio *u, uint64_t *pos)
{
	struct eventfd *e = f->priv;
	uint64_t n;
	int err;

	if (u->left < sizeof n)
		return -EINVAL;
	if (uio_read(u, &n, sizeof n) != sizeof n)
		return -EFAULT;
	if (n == UINT64_MAX)
		return -EINVAL;
	if (!eventfd_give(e, n)) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_intr(&e->write_wait, eventfd_give(e, n));
		if (err)
			return err;
	}
	if (waitq_active(&e->read_wait))
		wake_key(&e->read_wait, 1, POLLIN | POLLRDNORM);
	return sizeof n;
}

static uint32_t eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->priv;
	uint64_t count;

	poll_add_for(pt, f, &e->read_wait, POLLIN | POLLRDNORM);
	poll_add_for(pt, f, &e->write_wait, POLLOUT | POLLWRNORM);
	count = e->count;
	return (count ? POLLIN | POLLRDNORM : 0) |
	       (count < COUNT_MAX ? POLLOUT | POLLWRNORM : 0);
}

static size_t eventfd_show(struct file *f, char *buf, size_t n)
{
	struct eventfd *e = f->priv;

	return fmt_to(buf, n, "eventfd-count: %16lx\n", e->count);
}

static void eventfd_release(struct file *f)
{
	heap_free(f->priv);
}

static const struct file_ops eventfd_ops = {
	.release = eventfd_release,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.show_fdinfo = eventfd_show,
	.llseek = noop_llseek,
	.stream = true,
	.nowait_read = true,
};

int eventfd_open(uint64_t count, bool semaphore, uint32_t flags, struct file **ret)
{
	struct eventfd *e = heap_zalloc(sizeof *e);
	int err;

	if (!e)
		return -ENOMEM;
	spin_init(&e->lock, RANK_OBJECT);
	waitq_init(&e->read_wait);
	waitq_init(&e->write_wait);
	e->count = count;
	e->semaphore = semaphore;
	err = file_new_anon("[eventfd]", &eventfd_ops, e, O_RDWR | flags, ret);
	if (err)
		heap_free(e);
	return err;
}

int eventfd_get(int fd, struct file **ret)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	if (f->ops != &eventfd_ops) {
		file_put(f);
		return -EINVAL;
	}
	*ret = f;
	return 0;
}

void eventfd_signal(struct file *f)
{
	struct eventfd *e = f->priv;

	if (eventfd_give(e, 1) && waitq_active(&e->read_wait))
		wake_key(&e->read_wait, 1, POLLIN | POLLRDNORM);
}

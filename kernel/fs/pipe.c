/*
 * Pipes and FIFOs: a ring of pages between writers and readers. Bytes are copied once in
 * and once out; a page that was read empty is kept for the next write.
 *
 * Always true:
 *  I1  tail <= head <= tail + slots (as free-running counters); slots is a power of two;
 *  I2  every slot in [tail, head) holds a page reference and 0 < len <= PAGE_SIZE - off;
 *  I3  a write of at most PIPE_ATOMIC bytes lands in one buffer;
 *  I4  whoever sleeps re-checks after it queued itself, and wake-ups follow the change.
 *
 * An anonymous pipe is a FIFO inode without a name, so that opening /proc/self/fd/N again
 * works the same for both. inode->rdev_state points at the pipe while a file has it open.
 *
 * Locks: pipe->lock (RANK_PIPE) for the ring; inode->lock for rdev_state and `files`.
 */
#include "fs/pipe.h"

#include <asm/ioctls.h>

/* ---- file operations ---- */

static int64_t pipe_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct pipe *p = f->priv;
	bool was_full, slept, more;
	int64_t done;

	if (!u->left)
		return 0;
	mutex_lock(&p->lock);
	slept = !pipe_used(p);
	done = slept ? pipe_wait_readable(p, file_nonblock(f, u)) : 1;
	was_full = pipe_full(p);
	if (done > 0)
		done = pipe_drain(p, u);
	more = slept && pipe_used(p);
	mutex_unlock(&p->lock);
	if (was_full && done > 0)
		pipe_wake_writers(p);
	else
		async_tell(&p->async, POLL_OUT);
	/* The wake-up was for all that was written, and one sleeper at a time gets it. */
	if (more && done > 0)
		pipe_pass_on(&p->read_wait);
	return done;
}

/* What a write does when the ring is full, or nobody reads. */
static int64_t write_slow(struct pipe *p, struct file *f, struct uio *u, int64_t done)
{
	bool packet = f->flags & O_DIRECT, room;
	int64_t got = 0;

	while (u->left) {
		got = pipe_wait_writable(p, file_nonblock(f, u));
		if (!got)
			got = pipe_fill(p, u, packet);
		if (got < 0)
			break;
		done += got;
	}
	room = !pipe_full(p);
	mutex_unlock(&p->lock);
	if (done)
		pipe_wake_readers(p);
	else
		async_tell(&p->async, POLL_IN);
	if (done && room)
		pipe_pass_on(&p->write_wait);
	return done ? done : got;
}

static int64_t pipe_write(struct file *f, struct uio *u, uint64_t *pos)
{
	struct pipe *p = f->priv;
	int64_t done = 0;

	if (!u->left)
		return 0;
	mutex_lock(&p->lock);
	/* A full ring may still have room behind its newest byte. */
	if (p->readers)
		done = pipe_fill(p, u, f->flags & O_DIRECT);
	if (unlikely(u->left && done >= 0))
		return write_slow(p, f, u, done);
	mutex_unlock(&p->lock);
	if (done > 0)
		pipe_wake_readers(p);
	return done;
}

static uint32_t pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->priv;
	uint32_t events = 0;

	if (f->mode & FMODE_READ)
		poll_add(pt, f, &p->read_wait);
	if (f->mode & FMODE_WRITE)
		poll_add(pt, f, &p->write_wait);
	if (f->mode & FMODE_READ) {
		if (pipe_used(p))
			events |= PIPE_POLL_IN;
		/* A FIFO that no writer has opened yet is not hung up. */
		if (!p->writers && p->writer_opens)
			events |= POLLHUP;
	}
	if (f->mode & FMODE_WRITE) {
		if (!pipe_full(p))
			events |= PIPE_POLL_OUT;
		if (!p->readers)
			events |= POLLERR;
	}
	return events;
}

static int64_t pipe_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	struct pipe *p = f->priv;
	int32_t bytes = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->lock);
	for (uint32_t n = p->tail; n != p->head; n++)
		bytes += pipe_slot(p, n)->len;
	mutex_unlock(&p->lock);
	return put_user(arg, bytes);
}

/* ---- opening and closing ---- */

/* The inode's pipe with one more file counted; made when there is none. NULL: no
 * memory. */
static struct pipe *pipe_attach(struct inode *i)
{
	struct pipe *p;

	mutex_lock(&i->lock);
	p = i->rdev_state;
	if (!p) {
		p = pipe_new();
		i->rdev_state = p;
	}
	if (p)
		p->files++;
	mutex_unlock(&i->lock);
	return p;
}

static void pipe_detach(struct inode *i, struct pipe *p)
{
	bool last;

	mutex_lock(&i->lock);
	last = --p->files == 0;
	if (last)
		i->rdev_state = NULL;
	mutex_unlock(&i->lock);
	if (last)
		pipe_free(p);
}

static void pipe_count_open(struct pipe *p, uint32_t mode)
{
	if (mode & FMODE_READ) {
		p->readers++;
		p->reader_opens++;
	}
	if (mode & FMODE_WRITE) {
		p->writers++;
		p->writer_opens++;
	}
	wake_all(&p->read_wait);
	wake_all(&p->write_wait);
}

static void pipe_count_close(struct pipe *p, uint32_t mode)
{
	if (mode & FMODE_READ)
		p->readers--;
	if (mode & FMODE_WRITE)
		p->writers--;
	if (waitq_active(&p->read_wait))
		wake_key(&p->read_wait, 0, PIPE_POLL_IN | POLLHUP);
	if (waitq_active(&p->write_wait))
		wake_key(&p->write_wait, 0, PIPE_POLL_OUT | POLLERR);
	if (!p->readers != !p->writers) {
		async_tell(&p->async, POLL_IN);
		async_tell(&p->async, POLL_OUT);
	}
}

/* Who had opened the other end when a file was counted: taken in one step with that,
 * since the other may come and go before the opener looks again. */
struct peers {
	uint32_t readers, writers, reader_opens, writer_opens;
};

/* Opened again through /proc/self/fd: its ends came together, whoever is left of them. */
static bool is_anonymous(const struct file *f)
{
	return f->path.dentry->flags & DENTRY_ANON;
}

/* fifo(7): open for reading waits for a writer and the other way round. */
static int fifo_await_peer(struct pipe *p, const struct file *f, const struct peers *then)
{
	if (is_anonymous(f))
		return 0;
	switch (f->mode & (FMODE_READ | FMODE_WRITE)) {
	case FMODE_READ:
		if (then->writers || (f->flags & O_NONBLOCK))
			return 0;
		return wait_event_intr(&p->read_wait,
				       p->writer_opens != then->writer_opens);
	case FMODE_WRITE:
		if (then->readers)
			return 0;
		if (f->flags & O_NONBLOCK)
			return -ENXIO;
		return wait_event_intr(&p->write_wait,
				       p->reader_opens != then->reader_opens);
	}
	return 0;
}

static int fifo_open(struct inode *i, struct file *f)
{
	struct pipe *p = pipe_attach(i);
	struct peers then;
	int err;

	if (!p)
		return -ENOMEM;
	/* A non-blocking writer without readers must not be seen by them (ENXIO). */
	if ((f->mode & (FMODE_READ | FMODE_WRITE)) == FMODE_WRITE &&
	    (f->flags & O_NONBLOCK) && !p->readers && !is_anonymous(f)) {
		pipe_detach(i, p);
		return -ENXIO;
	}
	mutex_lock(&p->lock);
	then = (struct peers){ p->readers, p->writers, p->reader_opens, p->writer_opens };
	pipe_count_open(p, f->mode);
	mutex_unlock(&p->lock);
	err = fifo_await_peer(p, f, &then);
	if (err) {
		mutex_lock(&p->lock);
		pipe_count_close(p, f->mode);
		mutex_unlock(&p->lock);
		pipe_detach(i, p);
		return err;
	}
	f->priv = p;
	return 0;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->priv;

	mutex_lock(&p->lock);
	pipe_count_close(p, f->mode);
	mutex_unlock(&p->lock);
	pipe_detach(f->inode, p);
}

static struct async_set *pipe_async(struct file *f, bool on)
{
	struct pipe *p = f->priv;

	return &p->async;
}

const struct file_ops fifo_file_ops = {
	.open = fifo_open,
	.release = pipe_release,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.async = pipe_async,
	.stream = true,
	.nowait_read = true,
	.nowait_write = true,
};

struct pipe *pipe_of(const struct file *f)
{
	return f->ops == &fifo_file_ops ? f->priv : NULL;
}

/* ---- anonymous pipes ---- */

int pipe_open_pair(uint32_t flags, struct file **ret_read, struct file **ret_write)
{
	struct pipe *p = pipe_new();
	struct file *r, *w;
	int err;

	if (!p)
		return -ENOMEM;
	err = file_new_nameless("pipe", S_IFIFO | 0600, &fifo_file_ops, p,
				O_RDONLY | flags, &r);
	if (err) {
		pipe_free(p);
		return err;
	}
	r->inode->rdev_state = p;
	p->files = 1;
	pipe_count_open(p, FMODE_READ);
	err = file_open_path(&r->path, O_WRONLY | flags, &w);
	if (err) {
		file_put(r);
		return err;
	}
	*ret_read = r;
	*ret_write = w;
	return 0;
}

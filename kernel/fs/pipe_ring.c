/*
 * The ring of a pipe: buffers, sleeping and waking, size. kernel/fs/pipe.c has the rules
 * (I1 to
 * I4) and the file operations.
 */
#include "fs/pipe.h"

#include <asm/signal.h>

/* ---- the ring ---- */

static struct page *pipe_page_get(struct pipe *p)
{
	if (p->spares)
		return p->spare[--p->spares];
	return page_alloc(0, PAGE_USER);
}

static void pipe_page_put(struct pipe *p, struct page *page)
{
	if (p->spares < PIPE_SPARES && ref_read(&page->refs) == 1)
		p->spare[p->spares++] = page;
	else
		page_put(page);
}

void pipe_consume(struct pipe *p, uint32_t n)
{
	struct pipe_buf *b = pipe_slot(p, p->tail);

	b->off += n;
	b->len -= n;
	if (b->len)
		return;
	pipe_page_put(p, b->page);
	b->page = NULL;
	p->tail++;
}

/* Room behind the newest buffer for n more bytes, or NULL. */
static struct pipe_buf *pipe_appendable(struct pipe *p, size_t n)
{
	struct pipe_buf *b;

	if (!pipe_used(p))
		return NULL;
	b = pipe_slot(p, p->head - 1);
	if (b->packet || b->borrowed || b->off + b->len + n > PAGE_SIZE ||
	    ref_read(&b->page->refs) != 1)
		return NULL;
	return b;
}

/* Bytes into what the newest buffer has left. Count or -EFAULT. */
static int64_t pipe_append(struct pipe_buf *b, struct uio *u, size_t n)
{
	int64_t got = uio_read(u, (char *)page_va(b->page) + b->off + b->len, n);

	if (got != (int64_t)n)
		return -EFAULT;
	b->len += n;
	return got;
}

/* One more buffer with the next n bytes. Count, -ENOMEM or -EFAULT. */
static int64_t pipe_fill_slot(struct pipe *p, struct uio *u, size_t n, bool packet)
{
	struct page *page = pipe_page_get(p);

	if (!page)
		return -ENOMEM;
	if (uio_read(u, page_va(page), n) != (int64_t)n) {
		pipe_page_put(p, page);
		return -EFAULT;
	}
	pipe_push(p, (struct pipe_buf){ .page = page, .len = n, .packet = packet });
	return n;
}

/* As much as fits now. Count or, when nothing was moved, -errno; 0: no room. */
int64_t pipe_fill(struct pipe *p, struct uio *u, bool packet)
{
	if (!pipe_used(p) && u->left <= PAGE_SIZE)
		return pipe_fill_slot(p, u, u->left, packet);

	size_t n = u->left & (PAGE_SIZE - 1);
	struct pipe_buf *b = packet || !n ? NULL : pipe_appendable(p, n);
	int64_t done = 0, got;

	/* The odd bytes first, so that what follows is whole pages (I3: a small write is
	 * nothing but odd bytes). */
	if (b) {
		got = pipe_append(b, u, n);
		if (got < 0)
			return got;
		done += got;
	}
	while (u->left && !pipe_full(p)) {
		got = pipe_fill_slot(p, u, MIN(u->left, PAGE_SIZE), packet);
		if (got < 0)
			return done ? done : got;
		done += got;
	}
	return done;
}

/* What is there, up to the uio's size; one packet at most. Count or -EFAULT. */
int64_t pipe_drain(struct pipe *p, struct uio *u)
{
	int64_t done = 0;

	while (u->left && pipe_used(p)) {
		struct pipe_buf *b = pipe_slot(p, p->tail);
		bool packet = b->packet;
		uint32_t n = MIN(u->left, b->len);
		int64_t got = uio_write(u, (char *)page_va(b->page) + b->off, n);

		if (got <= 0)
			return done ? done : -EFAULT;
		done += got;
		pipe_consume(p, packet ? b->len : (uint32_t)got);
		if (packet || got < (int64_t)n)
			break;
	}
	return done;
}

/* ---- sleeping and waking ---- */

/* An event that no poll waits for: hooks look at it and stay quiet, threads wake. */
#define NO_EVENT 0x80000u

void pipe_pass_on(struct waitq *q)
{
	if (waitq_active(q))
		wake_key(q, 1, NO_EVENT);
}

int pipe_wait_readable(struct pipe *p, bool nonblock)
{
	while (!pipe_used(p)) {
		int err;

		if (!p->writers)
			return 0;
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&p->lock);
		err = wait_event_full(&p->read_wait, pipe_used(p) || !p->writers,
				      WAIT_INTR, NO_DEADLINE, true);
		if (err && pipe_used(p))
			pipe_wake_readers(
				p); /* a wake-up we may have taken from another */
		mutex_lock(&p->lock);
		if (err)
			return err;
	}
	return 1;
}

int pipe_wait_writable(struct pipe *p, bool nonblock)
{
	while (p->readers && pipe_full(p)) {
		int err;

		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&p->lock);
		pipe_wake_readers(p);
		err = wait_event_full(&p->write_wait, !pipe_full(p) || !p->readers,
				      WAIT_INTR, NO_DEADLINE, true);
		if (err && !pipe_full(p))
			pipe_pass_on(&p->write_wait);
		mutex_lock(&p->lock);
		if (err)
			return err;
	}
	if (p->readers)
		return 0;
	fs_upcalls.signal_current(SIGPIPE);
	return -EPIPE;
}

void pipe_lock_both(struct pipe *a, struct pipe *b)
{
	mutex_lock(a < b ? &a->lock : &b->lock);
	mutex_lock(a < b ? &b->lock : &a->lock);
}

void pipe_unlock_both(struct pipe *a, struct pipe *b)
{
	mutex_unlock(&a->lock);
	mutex_unlock(&b->lock);
}

/* ---- making and freeing ---- */

struct pipe *pipe_new(void)
{
	struct pipe *p = heap_zalloc(sizeof *p);

	if (!p)
		return NULL;
	p->ring = heap_zalloc(PIPE_DEFAULT_SLOTS * sizeof *p->ring);
	if (!p->ring) {
		heap_free(p);
		return NULL;
	}
	p->slots = PIPE_DEFAULT_SLOTS;
	mutex_init(&p->lock, RANK_PIPE);
	waitq_init(&p->read_wait);
	async_init(&p->async);
	waitq_init(&p->write_wait);
	return p;
}

void pipe_free(struct pipe *p)
{
	while (pipe_used(p))
		pipe_consume(p, pipe_slot(p, p->tail)->len);
	while (p->spares)
		page_put(p->spare[--p->spares]);
	heap_free(p->ring);
	heap_free(p);
}

/* ---- sizes ---- */

static _Atomic uint64_t max_size = MIB(1);

uint64_t pipe_max_size(void)
{
	return max_size;
}

int pipe_max_size_set(uint64_t bytes)
{
	if (bytes < PAGE_SIZE || bytes > MIB(64))
		return -EINVAL;
	max_size = bytes;
	return 0;
}

int64_t pipe_size_get(struct file *f)
{
	struct pipe *p = pipe_of(f);

	return p ? (int64_t)(p->slots * PAGE_SIZE) : -EBADF;
}

/* Moves the buffers to a ring of `slots`. 0 or -EBUSY. Consumes `ring`. */
static int pipe_replace_ring(struct pipe *p, struct pipe_buf *ring, uint32_t slots)
{
	struct pipe_buf *old;
	uint32_t used;

	mutex_lock(&p->lock);
	used = pipe_used(p);
	if (used > slots) {
		mutex_unlock(&p->lock);
		heap_free(ring);
		return -EBUSY;
	}
	for (uint32_t n = 0; n < used; n++)
		ring[n] = *pipe_slot(p, p->tail + n);
	old = p->ring;
	p->ring = ring;
	/* Order for those who look without the lock: never fuller than it is. */
	p->slots = MAX(slots, p->slots);
	p->tail = 0;
	p->head = used;
	p->slots = slots;
	mutex_unlock(&p->lock);
	heap_free(old);
	return 0;
}

int64_t pipe_size_set(struct file *f, uint64_t bytes)
{
	struct pipe *p = pipe_of(f);
	struct pipe_buf *ring;
	uint32_t slots = 1;
	int err;

	if (!p)
		return -EBADF;
	if (bytes > MIB(64))
		return -EINVAL;
	while (slots * PAGE_SIZE < bytes)
		slots <<= 1;
	if (slots > p->slots && slots * PAGE_SIZE > max_size &&
	    !cred_has_cap(thread_current()->cred, CAP_SYS_RESOURCE))
		return -EPERM;
	ring = heap_zalloc(slots * sizeof *ring);
	if (!ring)
		return -ENOMEM;
	err = pipe_replace_ring(p, ring, slots);
	if (err)
		return err;
	pipe_wake_writers(p);
	return slots * PAGE_SIZE;
}

/*
 * splice(2): bytes between pipes and files. Buffers move between pipes as they are;
 * towards and from files they are read and written in place, one copy less than through
 * user space.
 *
 * Locks: a pipe's lock is not held while a file is read or written: the file may sleep
 * for long, and be a pipe or terminal of its own.
 */
#include "fs/splice.h"

static bool wants_nonblock(const struct file *f, uint32_t flags)
{
	return (flags & SPLICE_F_NONBLOCK) || (f->flags & O_NONBLOCK);
}

/* ---- file to pipe ---- */

/* Reads one page's worth. Bytes, 0 at the end, -errno; *ret holds them when positive. */
static int64_t read_page(struct file *f, uint64_t *pos, size_t n, struct page **ret)
{
	struct page *page = page_alloc(0, PAGE_USER);
	struct uio u;
	int64_t got;

	if (!page)
		return -ENOMEM;
	uio_init_kernel(&u, page_va(page), MIN(n, PAGE_SIZE));
	got = file_read(f, &u, pos);
	if (got <= 0)
		page_put(page);
	else
		*ret = page;
	return got;
}

static int64_t splice_in(struct file *in, uint64_t *pos, struct file *out, size_t len,
			 uint32_t flags)
{
	struct pipe *p = pipe_of(out);
	int64_t done = 0, n = 0;

	while ((size_t)done < len) {
		struct page *page;

		/* Room first: what was read could not be given back. */
		mutex_lock(&p->lock);
		n = done && pipe_full(p)
			    ? -EAGAIN
			    : pipe_wait_writable(p, wants_nonblock(out, flags));
		mutex_unlock(&p->lock);
		if (n)
			break;
		n = read_page(in, pos, len - done, &page);
		if (n <= 0)
			break;
		mutex_lock(&p->lock);
		/* Another writer may have taken the room; these bytes have to wait for
		 * more. */
		while (p->readers && pipe_full(p) && !pipe_wait_writable(p, false))
			;
		if (p->readers && !pipe_full(p))
			pipe_push(p, (struct pipe_buf){ .page = page, .len = n });
		else
			page_put(page);
		mutex_unlock(&p->lock);
		done += n;
		pipe_wake_readers(p);
		if (n < (int64_t)PAGE_SIZE)
			break; /* the end, or all there was */
	}
	return done ? done : n;
}

/* ---- pipe to file ---- */

/* The oldest bytes, with a reference on their page. 1, 0 at the end, -errno. */
static int64_t borrow_oldest(struct pipe *p, bool nonblock, struct pipe_buf *ret)
{
	int64_t n;

	mutex_lock(&p->lock);
	n = pipe_wait_readable(p, nonblock);
	if (n > 0) {
		*ret = *pipe_slot(p, p->tail);
		page_get(ret->page);
	}
	mutex_unlock(&p->lock);
	return n;
}

/* Takes what was written out of the pipe, if nobody else has read it meanwhile. */
static void consume_borrowed(struct pipe *p, const struct pipe_buf *b, uint32_t n)
{
	struct pipe_buf *now;
	bool was_full;

	mutex_lock(&p->lock);
	was_full = pipe_full(p);
	now = pipe_used(p) ? pipe_slot(p, p->tail) : NULL;
	if (now && now->page == b->page && now->off == b->off)
		pipe_consume(p, MIN(n, now->len));
	mutex_unlock(&p->lock);
	page_put(b->page);
	if (was_full)
		pipe_wake_writers(p);
}

static int64_t splice_out(struct file *in, struct file *out, uint64_t *pos, size_t len,
			  uint32_t flags)
{
	struct pipe *p = pipe_of(in);
	int64_t done = 0, n = 0;

	while ((size_t)done < len) {
		struct pipe_buf b;
		struct uio u;

		n = borrow_oldest(p, done || wants_nonblock(in, flags), &b);
		if (n <= 0)
			break;
		uio_init_kernel(&u, (char *)page_va(b.page) + b.off,
				MIN((size_t)b.len, len - done));
		n = file_write(out, &u, pos);
		consume_borrowed(p, &b, n > 0 ? n : 0);
		if (n <= 0)
			break;
		done += n;
	}
	return done ? done : n;
}

/* ---- pipe to pipe ---- */

/* Both not ready: sleeps for one of them with neither lock held. 0: look again. */
static int64_t wait_both(struct pipe *in, struct pipe *out, bool nonblock)
{
	int64_t n;

	mutex_lock(&in->lock);
	n = pipe_wait_readable(in, nonblock);
	mutex_unlock(&in->lock);
	if (n <= 0)
		return n ? n : 1;
	mutex_lock(&out->lock);
	n = pipe_wait_writable(out, nonblock);
	mutex_unlock(&out->lock);
	return n;
}

/* Moves (or with `keep` shares) up to len bytes. Both locks held. */
static size_t move_buffers(struct pipe *in, struct pipe *out, size_t len, bool keep)
{
	uint32_t at = in->tail;
	size_t done = 0;

	while (done < len && at != in->head && !pipe_full(out)) {
		struct pipe_buf *from = pipe_slot(in, at);
		struct pipe_buf b = *from;

		b.len = MIN((size_t)b.len, len - done);
		/* Two pipes point at the page now: neither may write behind its bytes. */
		b.borrowed = from->borrowed = true;
		page_get(b.page);
		pipe_push(out, b);
		done += b.len;
		if (!keep)
			pipe_consume(in, b.len);
		at = keep ? at + 1 : in->tail;
	}
	return done;
}

static int64_t between_pipes(struct file *fin, struct file *fout, size_t len,
			     uint32_t flags, bool keep)
{
	struct pipe *in = pipe_of(fin), *out = pipe_of(fout);
	bool nonblock = wants_nonblock(fin, flags) || wants_nonblock(fout, flags);
	size_t done;
	int64_t n;

	if (!in || !out || in == out)
		return -EINVAL;
	do {
		n = wait_both(in, out, nonblock);
		if (n)
			return n > 0 ? 0 : n;
		pipe_lock_both(in, out);
		done = out->readers ? move_buffers(in, out, len, keep) : 0;
		pipe_unlock_both(in, out);
	} while (!done);
	pipe_wake_readers(out);
	if (!keep)
		pipe_wake_writers(in);
	return done;
}

/* ---- the calls ---- */

int64_t pipe_tee(struct file *in, struct file *out, size_t len, uint32_t flags)
{
	return between_pipes(in, out, len, flags, true);
}

int64_t file_splice(struct file *in, uint64_t *in_pos, struct file *out,
		    uint64_t *out_pos, size_t len, uint32_t flags)
{
	if (pipe_of(in) && pipe_of(out))
		return between_pipes(in, out, len, flags, false);
	if (pipe_of(in))
		return out->flags & O_APPEND ? -EINVAL
					     : splice_out(in, out, out_pos, len, flags);
	if (pipe_of(out) && !S_ISDIR(in->inode->mode))
		return splice_in(in, in_pos, out, len, flags);
	return -EINVAL;
}

int64_t pipe_vmsplice(struct file *f, struct uio *u, uint32_t flags)
{
	struct pipe *p = pipe_of(f);
	bool nonblock = wants_nonblock(f, flags);
	int64_t n;

	if (!p)
		return -EBADF;
	if (!u->left)
		return 0;
	mutex_lock(&p->lock);
	if (f->mode & FMODE_WRITE) {
		n = pipe_wait_writable(p, nonblock);
		if (!n)
			n = pipe_fill(p, u, false);
	} else {
		n = pipe_wait_readable(p, nonblock);
		if (n > 0)
			n = pipe_drain(p, u);
	}
	mutex_unlock(&p->lock);
	if (n > 0 && (f->mode & FMODE_WRITE))
		pipe_wake_readers(p);
	else if (n > 0)
		pipe_wake_writers(p);
	return n;
}

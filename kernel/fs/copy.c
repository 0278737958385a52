/* Copies between files: through a buffer, a chunk at a time, without touching user
 * memory. */
#include "fs/copy.h"

#include "fs/file.h"

#define CHUNK KIB(64)
#define CHUNK_ORDER 4

struct chunk {
	struct page *page;
	unsigned order;
	size_t size;
};

static int chunk_alloc(struct chunk *c, uint64_t n)
{
	c->order = n > PAGE_SIZE ? CHUNK_ORDER : 0;
	c->page = page_alloc(c->order, 0);
	if (!c->page && c->order) {
		c->order = 0;
		c->page = page_alloc(0, 0);
	}
	c->size = PAGE_SIZE << c->order;
	return c->page ? 0 : -ENOMEM;
}

/* Writes all of a chunk unless the file says no. Bytes written or -errno. */
static int64_t write_chunk(struct file *out, uint64_t *pos, void *buf, size_t n)
{
	struct uio u;
	size_t done = 0;

	while (done < n) {
		uio_init_kernel(&u, (char *)buf + done, n - done);
		int64_t w = file_write(out, &u, pos);
		if (w <= 0)
			return done ? (int64_t)done : w;
		done += (size_t)w;
	}
	return (int64_t)done;
}

static int64_t copy_loop(struct file *in, uint64_t *in_pos, struct file *out,
			 uint64_t *out_pos, uint64_t n, const struct chunk *c)
{
	void *buf = page_va(c->page);
	uint64_t done = 0;
	int64_t err = 0;

	while (done < n && !err) {
		struct uio u;
		uint64_t at = *in_pos;
		uio_init_kernel(&u, buf, MIN(n - done, (uint64_t)c->size));
		int64_t r = file_read(in, &u, &at);
		if (r <= 0) {
			err = r;
			break;
		}
		int64_t w = write_chunk(out, out_pos, buf, (size_t)r);
		if (w > 0) {
			*in_pos += (uint64_t)w;
			done += (uint64_t)w;
		}
		if (w < r)
			err = w < 0 ? w : -EAGAIN;
		else if (!sched_may_go_on())
			err = -EINTR;
	}
	return done ? (int64_t)done : err;
}

int64_t file_copy(struct file *in, uint64_t *in_pos, struct file *out, uint64_t *out_pos,
		  uint64_t n)
{
	uint64_t own = in->pos;
	struct chunk c;

	n = MIN(n, (uint64_t)RW_MAX);
	if (!n)
		return 0;
	int err = chunk_alloc(&c, n);
	if (err)
		return err;
	int64_t done = copy_loop(in, in_pos ? in_pos : &own, out, out_pos, n, &c);
	if (!in_pos)
		in->pos = own;
	page_free(c.page, c.order);
	return done;
}

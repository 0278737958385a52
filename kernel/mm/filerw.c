/*
 * read and write through the page cache: bytes go straight between cached pages and the
 * user's buffer. No lock is held meanwhile, since touching user memory may fault on this
 * very mapping; references keep the pages.
 */
#include "lib/string.h"
#include "mm/mapping_internal.h"

#define RUN 16
#define READAHEAD_DEFAULT 16

/* Bytes of the page at pos that a transfer of `left` bytes ending by `end` covers. */
static size_t page_part(uint64_t pos, uint64_t end, size_t left)
{
	return MIN(MIN(PAGE_SIZE - pos % PAGE_SIZE, left), end - pos);
}

/* Cached pages from pos on, with references: 1..RUN, 0 at the end of the file, -ENODATA
 * at a page that would exist in memory only, and does not; -errno. */
static int64_t run_get(struct mapping *m, uint64_t pos, uint64_t end, size_t left,
		       struct page **ret)
{
	uint64_t bytes = MIN(left, end - pos);
	size_t want = (pos % PAGE_SIZE + bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
	size_t n = mapping_find_run(m, pos >> PAGE_SHIFT, ret, MIN(want, (size_t)RUN));
	if (n)
		return (int64_t)n;
	if (!mapping_is_read(m))
		return -ENODATA;
	int err = mapping_get_within(m, pos >> PAGE_SHIFT,
				     MAX(want, (size_t)READAHEAD_DEFAULT), ret);
	return err == -ERANGE ? 0 : err ? err : 1;
}

/* Takes the references. Bytes or -EFAULT. */
static int64_t read_run(struct page **run, size_t n, uint64_t pos, uint64_t end,
			struct uio *u)
{
	int64_t done = 0;
	bool whole = true;

	for (size_t i = 0; i < n; i++) {
		size_t part = page_part(pos, end, u->left);
		if (part && whole) {
			char *at = (char *)page_va(run[i]) + pos % PAGE_SIZE;
			int64_t r = uio_write(u, at, part);
			whole = r == (int64_t)part;
			pos += r > 0 ? (uint64_t)r : 0;
			done += r > 0 ? r : 0;
		}
		page_put(run[i]);
	}
	return done ? done : -EFAULT;
}

/* Zeroes from pos to the end of its page. Bytes, 0 at the end of the file, -EFAULT. */
static int64_t read_hole(struct mapping *m, uint64_t pos, struct uio *u)
{
	uint64_t end = m->size;

	if (pos >= end)
		return 0;
	size_t n = page_part(pos, end, u->left);
	int64_t r = uio_write_zero(u, n);
	return r > 0 ? r : -EFAULT;
}

int64_t mapping_read(struct mapping *m, uint64_t pos, struct uio *u)
{
	struct page *run[RUN];
	uint64_t end = m->size;
	int64_t done = 0;

	while (u->left && pos < end) {
		int64_t n = run_get(m, pos, end, u->left, run);
		int64_t r = n;
		if (n > 0)
			r = read_run(run, (size_t)n, pos, end, u);
		else if (n == -ENODATA)
			r = read_hole(m, pos, u);
		if (r <= 0)
			return done ? done : r;
		pos += (uint64_t)r;
		done += r;
		if (u->left)
			sched_give_way();
	}
	return done;
}

/* Writes n bytes into a page that is not cached, and starts as zeroes. Bytes or
 * -errno. */
static int64_t write_fresh(struct mapping *m, uint64_t pos, struct uio *u, size_t n)
{
	bool whole = n == PAGE_SIZE;
	size_t off = pos % PAGE_SIZE;
	struct page *p =
		page_alloc_kind(0, PAGE_USER | (whole ? 0 : PAGE_ZERO), PAGE_KIND_CACHE);
	if (!p)
		return -ENOMEM;
	int64_t r = uio_read(u, (char *)page_va(p) + off, n);
	if (r < 0) {
		page_put(p);
		return r;
	}
	if (whole && r < (int64_t)n)
		memset((char *)page_va(p) + r, 0, n - (size_t)r);
	int err = mapping_add(m, pos >> PAGE_SHIFT, p);
	if (err == -EEXIST) {
		/* A fault on a mapping of the file was faster: it goes into that page. */
		struct page *there;
		err = mapping_get(m, pos >> PAGE_SHIFT, 1, &there);
		if (!err) {
			memcpy((char *)page_va(there) + off, (char *)page_va(p) + off,
			       (size_t)r);
			page_put(there);
		}
	}
	page_put(p);
	return err ? err : r;
}

static int64_t write_cached(struct page *p, uint64_t pos, struct uio *u, size_t n)
{
	int64_t r = uio_read(u, (char *)page_va(p) + pos % PAGE_SIZE, n);
	if (r > 0 && !page_flag_test(p, PF_DIRTY))
		page_flag_set(p, PF_DIRTY);
	return r;
}

/* One page's worth, or as many as are cached in a row. Bytes or -errno. */
static int64_t write_some(struct mapping *m, uint64_t pos, struct uio *u)
{
	struct page *run[RUN];
	size_t want = (pos % PAGE_SIZE + u->left + PAGE_SIZE - 1) >> PAGE_SHIFT;
	size_t n = mapping_find_run(m, pos >> PAGE_SHIFT, run, MIN(want, (size_t)RUN));
	int64_t done = 0, err = 0;

	if (!n) {
		size_t part = page_part(pos, UINT64_MAX, u->left);
		if (!mapping_is_read(m))
			return write_fresh(m, pos, u, part);
		err = mapping_get(m, pos >> PAGE_SHIFT, 1, &run[0]);
		if (err)
			return err;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		size_t part = page_part(pos, UINT64_MAX, u->left);
		if (part && !err) {
			int64_t r = write_cached(run[i], pos, u, part);
			err = r < (int64_t)part ? -EFAULT : 0;
			pos += r > 0 ? (uint64_t)r : 0;
			done += r > 0 ? r : 0;
		}
		page_put(run[i]);
	}
	return done ? done : err;
}

int64_t mapping_write(struct mapping *m, uint64_t pos, struct uio *u)
{
	int64_t done = 0;

	while (u->left) {
		int64_t r = write_some(m, pos, u);
		if (r <= 0)
			return done ? done : r;
		pos += (uint64_t)r;
		done += r;
		if (pos > m->size)
			m->size = pos;
		if (u->left)
			sched_give_way();
	}
	return done;
}

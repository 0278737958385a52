/* Block devices by name, and the page cache over their bytes. */
#include <asm/errno.h>

#include "dev/blk.h"
#include "lib/string.h"

#define DEVICES_MAX                                                                      \
	16 /* vda to vdp: there are not more virtio-mmio slots to put them in */
#define SECTORS_PER_PAGE (PAGE_SIZE / SECTOR_SIZE)
#define BATCH 32

static struct blk_device *devices[DEVICES_MAX]; /* [I] after boot */
static size_t n_devices;

int blk_transfer(struct blk_device *d, bool write, uint64_t sector,
		 const struct blk_segment *seg, size_t n)
{
	struct thread_counts *own = &thread_current()->counts;
	struct blk_stats *s = &d->stats[write];
	uint64_t bytes = 0, start = clock_mono();
	int err;

	for (size_t i = 0; i < n; i++)
		bytes += seg[i].len;
	d->in_flight++;
	err = d->transfer(d, write, sector, seg, n);
	d->in_flight--;
	s->requests++;
	s->sectors += bytes / SECTOR_SIZE;
	s->busy_ns += clock_mono() - start;
	*(write ? &own->write_bytes : &own->read_bytes) += bytes;
	return err;
}

/* ---- whole pages ---- */

int blk_read_pages(struct blk_device *d, uint64_t sector, struct page **pages, size_t n)
{
	struct blk_segment seg[BATCH];

	while (n) {
		size_t batch = MIN(n, MIN(ARRAY_LEN(seg), (size_t)d->max_segments));
		int err;

		for (size_t i = 0; i < batch; i++)
			seg[i] = (struct blk_segment){ page_pa(pages[i]), PAGE_SIZE };
		err = blk_transfer(d, false, sector, seg, batch);
		if (err)
			return err;
		pages += batch;
		n -= batch;
		sector += batch * SECTORS_PER_PAGE;
	}
	return 0;
}

/* The last page of a device whose size is no multiple of a page's. */
static int read_partial(struct blk_device *d, uint64_t sector, struct page *p)
{
	uint32_t bytes = sector < d->sectors ? (d->sectors - sector) * SECTOR_SIZE : 0;
	struct blk_segment seg = { page_pa(p), bytes };

	memset((char *)page_va(p) + bytes, 0, PAGE_SIZE - bytes);
	return bytes ? blk_transfer(d, false, sector, &seg, 1) : 0;
}

static int cache_read_pages(struct mapping *m, struct page **pages, size_t n)
{
	struct blk_device *d = m->host;
	uint64_t sector = pages[0]->index * SECTORS_PER_PAGE;
	uint64_t whole =
		sector < d->sectors ? (d->sectors - sector) / SECTORS_PER_PAGE : 0;
	size_t full = MIN(n, whole);
	int err = full ? blk_read_pages(d, sector, pages, full) : 0;

	for (size_t i = full; i < n && !err; i++)
		err = read_partial(d, sector + i * SECTORS_PER_PAGE, pages[i]);
	for (size_t i = 0; i < n; i++)
		page_flag_set(pages[i], err ? PF_ERROR : PF_UPTODATE);
	return err;
}

static const struct mapping_ops cache_ops = { .read_pages = cache_read_pages };

/* ---- devices ---- */

int blk_register(struct blk_device *d)
{
	if (n_devices == DEVICES_MAX)
		return -ENOSPC;
	mapping_init(&d->cache, &cache_ops, d, true);
	d->cache.size = d->sectors * SECTOR_SIZE;
	devices[n_devices++] = d;
	return 0;
}

struct blk_device *blk_find(const char *name)
{
	static const char prefix[] = "/dev/";

	if (!strncmp(name, prefix, sizeof(prefix) - 1))
		name += sizeof(prefix) - 1;
	for (size_t i = 0; i < n_devices; i++)
		if (!strcmp(devices[i]->name, name))
			return devices[i];
	return NULL;
}

struct blk_device *blk_nth(size_t i)
{
	return i < n_devices ? devices[i] : NULL;
}

int blk_page(struct blk_device *d, uint64_t off, size_t ahead, struct page **ret)
{
	if (off >= d->sectors * SECTOR_SIZE)
		return -EINVAL;
	return mapping_get(&d->cache, off >> PAGE_SHIFT, ahead, ret);
}

int blk_read(struct blk_device *d, uint64_t off, void *buf, size_t n)
{
	uint64_t size = d->sectors * SECTOR_SIZE;
	char *to = buf;

	if (off > size || n > size - off)
		return -EINVAL;
	while (n) {
		size_t part = MIN(n, PAGE_SIZE - off % PAGE_SIZE);
		struct page *p;
		int err = blk_page(d, off, (n + PAGE_SIZE - 1) / PAGE_SIZE, &p);

		if (err)
			return err;
		memcpy(to, (char *)page_va(p) + off % PAGE_SIZE, part);
		page_put(p);
		to += part;
		off += part;
		n -= part;
	}
	return 0;
}

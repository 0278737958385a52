/*
 * Filling page caches: file data straight from the device, in as few requests as its
 * layout allows; directories by way of the device's cache, where their blocks already
 * are, and checked before anybody looks at them.
 */
#include "fs/ext4/ext4_fs.h"
#include "lib/string.h"

#define SEGMENTS 64u

/* Where `logical` of the inode lies: a hole or data. */
static int map(struct inode *i, uint32_t logical, struct ext4_run *ret)
{
	struct ext4_fs *fs = ext4_of(i->sb);
	const struct ext4_inode *e = ext4_inode_of(i);
	struct ext4_run run;
	uint32_t depth;
	int err;

	if (!(e->flags & EXT4_INODE_EXTENTS)) {
		*ret = (struct ext4_run){ .kind = EXT4_RUN_HOLE, .end = BIT(32) };
		return 0;
	}
	err = ext4_extent_root(&fs->g, e, &depth);
	if (err)
		return ext4_complain(fs, "extents of inode", i->ino, err);
	run = ext4_extent_find(e->block, logical, BIT(32));
	while (run.kind == EXT4_RUN_CHILD) {
		struct page *p;
		const void *node;

		err = ext4_block(fs, run.block, &p, &node);
		if (err)
			return err;
		err = ext4_extent_check(&fs->g, e, node, --depth);
		if (!err)
			run = ext4_extent_find(node, logical, run.end);
		page_put(p);
		if (err)
			return ext4_complain(fs, "extents of inode", i->ino, err);
	}
	*ret = run;
	return 0;
}

/* ---- file data ---- */

/* A request in the making: segments of memory for one stretch of the disk. */
struct stretch {
	struct blk_device *dev;
	uint64_t sector, sectors;
	size_t n, max;
	struct blk_segment seg[SEGMENTS];
};

static int stretch_read(struct stretch *s)
{
	int err = s->n ? blk_transfer(s->dev, false, s->sector, s->seg, s->n) : 0;

	s->n = 0;
	s->sectors = 0;
	return err;
}

/* Appends len bytes of the disk, or reads what there is and starts anew. */
static int stretch_add(struct stretch *s, uint64_t sector, paddr_t pa, uint32_t len)
{
	struct blk_segment *last = s->n ? &s->seg[s->n - 1] : NULL;
	bool follows = last && sector == s->sector + s->sectors;
	int err = 0;

	if (follows && last->pa + last->len == pa) {
		last->len += len;
	} else {
		if (!follows || s->n == s->max)
			err = stretch_read(s);
		if (!s->n)
			s->sector = sector;
		s->seg[s->n++] = (struct blk_segment){ pa, len };
	}
	s->sectors += len / SECTOR_SIZE;
	return err;
}

/* One page: zeroes for holes and what lies past the end, stretches for the rest. `run` is
 * the last answer of map, still good up to run->end from *run_from on. */
static int page_read(struct inode *i, struct page *p, struct stretch *s,
		     struct ext4_run *run, uint64_t *run_from)
{
	const struct ext4_geometry *g = &ext4_of(i->sb)->g;
	uint64_t at = p->index << PAGE_SHIFT, size = i->size;
	int err = 0;

	for (uint32_t in = 0; in < PAGE_SIZE && !err; in += g->block_size) {
		uint64_t logical = (at + in) >> g->block_shift;

		if (at + in >= size) {
			memset((char *)page_va(p) + in, 0, PAGE_SIZE - in);
			break;
		}
		if (logical < *run_from || logical >= run->end) {
			err = map(i, (uint32_t)logical, run);
			if (err)
				break;
			*run_from = logical;
		}
		if (run->kind == EXT4_RUN_HOLE)
			memset((char *)page_va(p) + in, 0, g->block_size);
		else
			err = stretch_add(s,
					  (run->block + (logical - *run_from))
						  << (g->block_shift - 9),
					  page_pa(p) + in, g->block_size);
	}
	return err;
}

static int data_read(struct mapping *m, struct page **pages, size_t n)
{
	struct inode *i = m->host;
	struct blk_device *dev = ext4_of(i->sb)->dev;
	struct stretch s = { .dev = dev, .max = MIN(SEGMENTS, dev->max_segments) };
	struct ext4_run run = { .end = 0 };
	uint64_t run_from = 0;
	int err = 0;

	for (size_t k = 0; k < n && !err; k++)
		err = page_read(i, pages[k], &s, &run, &run_from);
	if (!err)
		err = stretch_read(&s);
	for (size_t k = 0; k < n && !err; k++) {
		uint64_t end = i->size - MIN(i->size, pages[k]->index << PAGE_SHIFT);

		/* What the disk holds past the end is nobody's business. */
		if (end && end < PAGE_SIZE)
			memset((char *)page_va(pages[k]) + end, 0, PAGE_SIZE - end);
		page_flag_set(pages[k], PF_UPTODATE);
	}
	return err;
}

/* A fault in what was read ahead must not spoil the page that was asked for. */
static int data_read_pages(struct mapping *m, struct page **pages, size_t n)
{
	int err = data_read(m, pages, n);

	for (size_t k = 0; err && n > 1 && k < n; k++)
		(void)data_read(m, &pages[k], 1);
	return err;
}

const struct mapping_ops ext4_data_ops = { .read_pages = data_read_pages };

/* ---- directories ---- */

static int dir_block_read(struct inode *i, uint32_t nr, void *to)
{
	struct ext4_fs *fs = ext4_of(i->sb);
	struct ext4_run run;
	const void *block;
	struct page *p;
	int err = map(i, nr, &run);

	if (err)
		return err;
	if (run.kind != EXT4_RUN_DATA)
		return ext4_complain(fs, "hole in directory", i->ino, -EUCLEAN);
	err = ext4_block(fs, run.block, &p, &block);
	if (err)
		return err;
	memcpy(to, block, fs->g.block_size);
	page_put(p);
	err = ext4_dir_check(&fs->g, ext4_inode_of(i), to, nr);
	return err ? ext4_complain(fs, "directory", i->ino, err) : 0;
}

static int dir_read_pages(struct mapping *m, struct page **pages, size_t n)
{
	struct inode *i = m->host;
	const struct ext4_geometry *g = &ext4_of(i->sb)->g;
	uint64_t blocks = i->size >> g->block_shift;
	int err = 0;

	for (size_t k = 0; k < n && !err; k++) {
		uint64_t nr = pages[k]->index << (PAGE_SHIFT - g->block_shift);
		char *to = page_va(pages[k]);

		memset(to, 0, PAGE_SIZE);
		for (uint32_t in = 0; in < PAGE_SIZE && nr < blocks && !err; nr++) {
			err = dir_block_read(i, (uint32_t)nr, to + in);
			in += g->block_size;
		}
		if (!err)
			page_flag_set(pages[k], PF_UPTODATE);
	}
	return err;
}

const struct mapping_ops ext4_dir_ops = { .read_pages = dir_read_pages };

/* ---- symbolic links ---- */

int64_t ext4_readlink(struct inode *i, char *buf, size_t n)
{
	const struct ext4_inode *e = ext4_inode_of(i);
	size_t len = MIN(n, (size_t)e->size);
	struct page *p;
	int err;

	if (ext4_link_is_short(e)) {
		memcpy(buf, e->block, len);
		return (int64_t)len;
	}
	err = mapping_get(&i->mapping, 0, 1, &p);
	if (err)
		return err;
	memcpy(buf, page_va(p), len);
	page_put(p);
	return (int64_t)len;
}

/*
 * ext4 extent trees. A node is a header and up to `max` entries sorted by logical
 * block: extents in a leaf, pointers to nodes elsewhere. The root is in the inode, the
 * others fill a block.
 */
#include "lib/crc32c.h"
#include "lib/ext4.h"
#include "lib/string.h"

#define HEAD sizeof(struct ext4_disk_extent_header)
#define ENTRY sizeof(struct ext4_disk_extent)

static uint32_t extent_len(const struct ext4_disk_extent *e)
{
	return e->len > EXT4_EXTENT_WRITTEN_MAX ? e->len - EXT4_EXTENT_WRITTEN_MAX
						: e->len;
}

static uint64_t extent_start(const struct ext4_disk_extent *e)
{
	return (uint64_t)e->start_hi << 32 | e->start_lo;
}

static uint64_t index_child(const struct ext4_disk_extent_index *x)
{
	return (uint64_t)x->child_hi << 32 | x->child_lo;
}

static int leaf_check(const struct ext4_geometry *g, const struct ext4_disk_extent *e,
		      uint32_t n)
{
	uint64_t from = 0;

	for (; n--; e++) {
		if (!extent_len(e) || e->logical < from ||
		    (uint64_t)e->logical + extent_len(e) > BIT(32) ||
		    !ext4_blocks_ok(g, extent_start(e), extent_len(e)))
			return -EUCLEAN;
		from = (uint64_t)e->logical + extent_len(e);
	}
	return 0;
}

static int index_check(const struct ext4_geometry *g,
		       const struct ext4_disk_extent_index *x, uint32_t n)
{
	uint64_t from = 0;

	if (!n)
		return -EUCLEAN;
	for (; n--; x++) {
		if (x->logical < from || !ext4_blocks_ok(g, index_child(x), 1))
			return -EUCLEAN;
		from = (uint64_t)x->logical + 1;
	}
	return 0;
}

/* `room`: entries that fit. */
static int node_check(const struct ext4_geometry *g, const void *node, uint32_t room)
{
	const struct ext4_disk_extent_header *h = node;
	const void *entries = h + 1;

	if (h->magic != EXT4_EXTENT_MAGIC || h->depth > EXT4_EXTENT_DEPTH_MAX ||
	    h->max > room || h->entries > h->max)
		return -EUCLEAN;
	return h->depth ? index_check(g, entries, h->entries)
			: leaf_check(g, entries, h->entries);
}

int ext4_extent_root(const struct ext4_geometry *g, const struct ext4_inode *i,
		     uint32_t *ret_depth)
{
	const struct ext4_disk_extent_header *h = (const void *)i->block;
	int err = node_check(g, h, (sizeof(i->block) - HEAD) / ENTRY);

	if (err)
		return err;
	*ret_depth = h->depth;
	return 0;
}

int ext4_extent_check(const struct ext4_geometry *g, const struct ext4_inode *i,
		      const void *node, uint32_t depth)
{
	const struct ext4_disk_extent_header *h = node;
	uint32_t room = (g->block_size - HEAD) / ENTRY, want;
	size_t tail = HEAD + (size_t)h->max * ENTRY;

	/* The checksum follows the last entry there is room for. */
	if (h->max > room || h->depth != depth)
		return -EUCLEAN;
	if (ext4_has_csum(g)) {
		if (tail + sizeof(want) > g->block_size)
			return -EUCLEAN;
		memcpy(&want, (const uint8_t *)node + tail, sizeof(want));
		if (crc32c(i->csum_seed, node, tail) != want)
			return -EBADMSG;
	}
	return node_check(g, node, room);
}

/* The last of n sorted entries whose logical block is not past `logical`; -1: none.
 * Extents and index entries both begin with their logical block. */
static int64_t entry_at(const struct ext4_disk_extent *e, uint32_t n, uint32_t logical)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (e[middle].logical <= logical)
			low = middle + 1;
		else
			high = middle;
	}
	return (int64_t)low - 1;
}

struct ext4_run ext4_extent_find(const void *node, uint32_t logical, uint64_t end)
{
	const struct ext4_disk_extent_header *h = node;
	const struct ext4_disk_extent *e = (const void *)(h + 1);
	struct ext4_run run = { .kind = EXT4_RUN_HOLE, .end = end };
	int64_t at = entry_at(e, h->entries, logical);
	uint32_t skipped;

	if (at + 1 < h->entries)
		run.end = MIN(end, e[at + 1].logical);
	if (at < 0)
		return run;
	e += at;
	if (h->depth) {
		run.kind = EXT4_RUN_CHILD;
		run.block = index_child((const void *)e);
		return run;
	}
	skipped = logical - e->logical;
	if (skipped >= extent_len(e))
		return run;
	run.end = (uint64_t)e->logical + extent_len(e);
	if (e->len <= EXT4_EXTENT_WRITTEN_MAX) {
		run.kind = EXT4_RUN_DATA;
		run.block = extent_start(e) + skipped;
	}
	return run;
}

/*
 * ext4 directories: blocks tiled by entries, some of which hold the index nodes of a
 * hash tree inside an unused entry, so that a linear reader passes over them.
 */
#include <linux/stat.h>

#include "lib/crc32c.h"
#include "lib/ext4.h"
#include "lib/string.h"

#define TAIL_LEN sizeof(struct ext4_disk_dir_tail)
#define DX_LEVELS_MAX 2u
#define DX_LEVELS_MAX_LARGE 3u

static const struct ext4_disk_dirent *dirent_at(const void *block, uint32_t at)
{
	return (const void *)((const uint8_t *)block + at);
}

/* ---- index nodes ---- */

struct dx_node {
	const struct ext4_disk_dx_entry *entry;
	uint32_t offset; /* of the entries in the block */
	uint32_t limit, count;
};

static int dx_node_get(const struct ext4_geometry *g, const void *block, uint32_t offset,
		       struct dx_node *ret)
{
	uint32_t tail = ext4_has_csum(g) ? sizeof(struct ext4_disk_dx_tail) : 0;
	uint32_t room = (g->block_size - offset - tail) / sizeof(*ret->entry);
	const struct ext4_disk_dx_entry *e =
		(const void *)((const uint8_t *)block + offset);

	if (e->limit > room || !e->count || e->count > e->limit)
		return -EUCLEAN;
	*ret = (struct dx_node){ e, offset, e->limit, e->count };
	return 0;
}

/* Where the entries of an index node begin in this block; 0: it is no index node. */
static uint32_t dx_offset(const struct ext4_geometry *g, const struct ext4_inode *i,
			  const void *block, uint32_t nr)
{
	const struct ext4_disk_dirent *first = block;

	if (!(i->flags & EXT4_INODE_INDEX) || !(g->compat & EXT4_COMPAT_DIR_INDEX))
		return 0;
	if (nr == 0)
		return EXT4_DX_ROOT_ENTRIES;
	return !first->ino && first->len == g->block_size ? EXT4_DX_NODE_ENTRIES : 0;
}

static int dx_check(const struct ext4_geometry *g, const struct ext4_inode *i,
		    const void *block, uint32_t offset)
{
	const struct ext4_disk_dx_tail *tail;
	const uint32_t zero = 0;
	struct dx_node n;
	uint32_t crc;
	int err = dx_node_get(g, block, offset, &n);

	if (err || !ext4_has_csum(g))
		return err;
	tail = (const void *)(n.entry + n.limit);
	crc = crc32c(i->csum_seed, block, offset + n.count * sizeof(*n.entry));
	crc = crc32c(crc, &tail->zero, sizeof(tail->zero));
	crc = crc32c(crc, &zero, sizeof(zero));
	return crc == tail->checksum ? 0 : -EBADMSG;
}

/* ---- blocks of entries ---- */

static int tail_check(const struct ext4_geometry *g, const struct ext4_inode *i,
		      const void *block)
{
	uint32_t at = g->block_size - TAIL_LEN;
	const struct ext4_disk_dir_tail *t = (const void *)((const uint8_t *)block + at);

	if (t->zero || t->len != TAIL_LEN || t->zero_len || t->type != EXT4_DIR_TAIL_TYPE)
		return -EUCLEAN;
	return crc32c(i->csum_seed, block, at) == t->checksum ? 0 : -EBADMSG;
}

static int entries_check(const struct ext4_geometry *g, const void *block)
{
	uint32_t at = 0;

	while (at < g->block_size) {
		uint32_t left = g->block_size - at;
		const struct ext4_disk_dirent *d = dirent_at(block, at);

		if (left < EXT4_DIRENT_HEAD || d->len < EXT4_DIRENT_HEAD || d->len & 3 ||
		    d->len > left || EXT4_DIRENT_HEAD + d->name_len > d->len ||
		    d->ino > g->inodes)
			return -EUCLEAN;
		at += d->len;
	}
	return 0;
}

int ext4_dir_check(const struct ext4_geometry *g, const struct ext4_inode *i,
		   const void *block, uint32_t nr)
{
	uint32_t offset = dx_offset(g, i, block, nr);
	int err = 0;

	if (offset)
		err = dx_check(g, i, block, offset);
	else if (ext4_has_csum(g))
		err = tail_check(g, i, block);
	return err ? err : entries_check(g, block);
}

static struct ext4_name name_of(const struct ext4_geometry *g,
				const struct ext4_disk_dirent *d)
{
	return (struct ext4_name){
		.s = d->name,
		.len = d->name_len,
		.ino = d->ino,
		.type = g->incompat & EXT4_INCOMPAT_FILETYPE ? d->type : 0,
	};
}

bool ext4_dir_next(const struct ext4_geometry *g, const void *block, uint32_t *at,
		   struct ext4_name *ret)
{
	while (*at < g->block_size) {
		const struct ext4_disk_dirent *d = dirent_at(block, *at);

		*at += d->len;
		if (d->ino) {
			*ret = name_of(g, d);
			return true;
		}
	}
	return false;
}

uint32_t ext4_dir_find(const struct ext4_geometry *g, const void *block, const char *name,
		       uint32_t len)
{
	const struct ext4_disk_dirent *d;

	for (uint32_t at = 0; at < g->block_size; at += d->len) {
		d = dirent_at(block, at);
		if (d->name_len == len && d->ino && !memcmp(d->name, name, len))
			return d->ino;
	}
	return 0;
}

bool ext4_name_ok(const struct ext4_name *n)
{
	return n->len && !memchr(n->s, '/', n->len) && !memchr(n->s, 0, n->len);
}

/* DT_* are the type bits of a mode, shifted (readdir(3)). */
uint8_t ext4_name_dt(uint8_t type)
{
	static const uint16_t mode[EXT4_FT_MAX] = {
		0, S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK, S_IFLNK,
	};

	return type < EXT4_FT_MAX ? mode[type] >> 12 : 0;
}

/* ---- searching the tree ---- */

/* The last entry whose hash is not past dx->hash; the first one's hash is 0. */
static uint32_t dx_find(const struct dx_node *n, struct ext4_dx *dx)
{
	uint32_t low = 1, high = n->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (n->entry[middle].hash <= dx->hash)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < n->count)
		dx->next = n->entry[low].hash;
	return n->entry[low - 1].block;
}

int ext4_dx_begin(const struct ext4_geometry *g, const void *root, const char *name,
		  uint32_t len, struct ext4_dx *dx, uint32_t *ret_block)
{
	const struct ext4_disk_dx_info *info =
		(const void *)((const uint8_t *)root + EXT4_DX_ROOT_INFO);
	uint32_t most = g->incompat & EXT4_INCOMPAT_LARGEDIR ? DX_LEVELS_MAX_LARGE
							     : DX_LEVELS_MAX;
	struct dx_node n;
	int err;

	if (info->hash_version >= EXT4_HASH_N)
		return -EOPNOTSUPP;
	if (info->info_len != sizeof(*info) || info->levels > most)
		return -EUCLEAN;
	err = dx_node_get(g, root, EXT4_DX_ROOT_ENTRIES, &n);
	if (err)
		return err;
	*dx = (struct ext4_dx){
		.hash = ext4_name_hash(g->hash_seed, g->hash_unsigned, info->hash_version,
				       name, len),
		.levels = info->levels,
	};
	*ret_block = dx_find(&n, dx);
	return 0;
}

int ext4_dx_descend(const struct ext4_geometry *g, const void *node, struct ext4_dx *dx,
		    uint32_t *ret_block)
{
	struct dx_node n;
	int err = dx_node_get(g, node, EXT4_DX_NODE_ENTRIES, &n);

	if (err)
		return err;
	dx->levels--;
	*ret_block = dx_find(&n, dx);
	return 0;
}

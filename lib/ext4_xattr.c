/*
 * ext4 extended attributes: a list of entries that ends with four zero bytes, values
 * towards the end of the same area. One area follows an inode's fields, another may
 * fill a block.
 */
#include "lib/crc32c.h"
#include "lib/ext4.h"
#include "lib/string.h"

#define ENTRY_HEAD sizeof(struct ext4_disk_xattr_entry)

int ext4_xattr_in_inode(const struct ext4_geometry *g, const struct ext4_inode *i,
			const void *raw, struct ext4_xattr_area *ret)
{
	uint32_t magic;

	*ret = (struct ext4_xattr_area){ .base = raw };
	if (!i->xattr_offset)
		return 0;
	memcpy(&magic, (const uint8_t *)raw + i->xattr_offset, sizeof(magic));
	if (magic != EXT4_XATTR_MAGIC)
		return 0;
	/* Value offsets count from the first entry. */
	ret->base = (const uint8_t *)raw + i->xattr_offset + sizeof(magic);
	ret->size = g->inode_size - i->xattr_offset - sizeof(magic);
	return 0;
}

static bool block_csum_ok(const struct ext4_geometry *g, const struct ext4_inode *i,
			  const struct ext4_disk_xattr_header *h)
{
	const uint32_t at = offsetof(struct ext4_disk_xattr_header, checksum), zero = 0;
	const uint8_t *raw = (const uint8_t *)h;
	uint32_t crc = crc32c(g->csum_seed, &i->xattr_block, sizeof(i->xattr_block));

	crc = crc32c(crc, raw, at);
	crc = crc32c(crc, &zero, sizeof(zero));
	crc = crc32c(crc, raw + at + 4, g->block_size - at - 4);
	return crc == h->checksum;
}

int ext4_xattr_in_block(const struct ext4_geometry *g, const struct ext4_inode *i,
			const void *block, struct ext4_xattr_area *ret)
{
	const struct ext4_disk_xattr_header *h = block;

	if (h->magic != EXT4_XATTR_MAGIC || h->blocks != 1)
		return -EUCLEAN;
	if (ext4_has_csum(g) && !block_csum_ok(g, i, h))
		return -EBADMSG;
	*ret = (struct ext4_xattr_area){ block, sizeof(*h), g->block_size };
	return 0;
}

int ext4_xattr_next(struct ext4_xattr_area *a, struct ext4_xattr *ret)
{
	const struct ext4_disk_xattr_entry *e;
	uint32_t left = a->size - a->at, end_mark;

	if (left < sizeof(end_mark))
		return 0;
	e = (const void *)(a->base + a->at);
	memcpy(&end_mark, e, sizeof(end_mark));
	if (!end_mark)
		return 0;
	if (left < ENTRY_HEAD || left - ENTRY_HEAD < e->name_len)
		return -EUCLEAN;
	if (e->value_ino)
		return -EOPNOTSUPP;
	if (e->value_size &&
	    (e->value_offset > a->size || e->value_size > a->size - e->value_offset))
		return -EUCLEAN;
	*ret = (struct ext4_xattr){
		.index = e->name_index,
		.name = e->name,
		.name_len = e->name_len,
		.value = a->base + (e->value_size ? e->value_offset : 0),
		.value_len = e->value_size,
	};
	a->at += MIN(left, ALIGN_UP((uint32_t)ENTRY_HEAD + e->name_len, 4u));
	return 1;
}

const char *ext4_xattr_prefix(uint8_t index)
{
	static const char *const prefix[] = {
		[1] = "user.",
		[2] = "system.posix_acl_access",
		[3] = "system.posix_acl_default",
		[4] = "trusted.",
		[6] = "security.",
		[7] = "system.",
	};

	return index < ARRAY_LEN(prefix) ? prefix[index] : NULL;
}

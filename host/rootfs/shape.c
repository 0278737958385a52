/* What inodes and folders look like in an image. */
#include <string.h>
#include <sys/stat.h>

#include "host/rootfs/shape.h"

/* ext4, 2.3: with metadata_csum a folder's block ends in a checksum of this size. */
#define FOLDER_TAIL sizeof(struct ext2_dir_entry_tail)
/* A target that is shorter lies in the inode. */
#define FAST_LINK_MAX sizeof(((struct ext2_inode *)0)->i_block)

/* -- folders -- */

static uint32_t record_size(size_t name_size)
{
	return ALIGN_UP(8 + name_size, 4);
}

static uint8_t file_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return EXT2_FT_REG_FILE;
	case S_IFDIR:
		return EXT2_FT_DIR;
	case S_IFCHR:
		return EXT2_FT_CHRDEV;
	case S_IFBLK:
		return EXT2_FT_BLKDEV;
	case S_IFIFO:
		return EXT2_FT_FIFO;
	case S_IFSOCK:
		return EXT2_FT_SOCK;
	default:
		return EXT2_FT_SYMLINK;
	}
}

/* A folder's blocks as they are filled, or, without bytes, counted. */
struct folder_blocks {
	uint8_t *bytes;
	size_t count;
	uint32_t used;		     /* of the last */
	struct ext2_dir_entry *last; /* its last record, which reaches to its end */
};

static void record_add(struct folder_blocks *blocks, const char *name, uint32_t number,
		       uint8_t type)
{
	const uint32_t room = BLOCK_SIZE - FOLDER_TAIL;
	uint32_t want = record_size(strlen(name));
	struct ext2_dir_entry *record;

	if (!blocks->count || blocks->used + want > room) {
		blocks->count++;
		blocks->used = 0;
		blocks->last = NULL;
	}
	if (blocks->bytes) {
		record = (struct ext2_dir_entry *)(blocks->bytes +
						   (blocks->count - 1) * BLOCK_SIZE +
						   blocks->used);
		if (blocks->last)
			blocks->last->rec_len =
				(uint8_t *)record - (uint8_t *)blocks->last;
		record->inode = number;
		record->rec_len = room - blocks->used;
		record->name_len = strlen(name) | type << 8;
		memcpy(record->name, name, strlen(name));
		blocks->last = record;
	}
	blocks->used += want;
}

static void folder_fill(const struct tree_inode *folder, struct folder_blocks *blocks)
{
	record_add(blocks, ".", folder->number, EXT2_FT_DIR);
	record_add(blocks, "..", folder->above->number, EXT2_FT_DIR);
	for (const struct tree_entry *entry = folder->first; entry; entry = entry->next)
		record_add(blocks, entry->name, entry->inode->number,
			   file_type(entry->inode->meta.mode));
}

void shape_folder(const struct tree_inode *folder, uint8_t *bytes)
{
	struct folder_blocks blocks = { .bytes = bytes };

	folder_fill(folder, &blocks);
}

uint64_t shape_blocks(const struct tree_inode *inode)
{
	struct folder_blocks blocks = { .bytes = NULL };

	if (S_ISREG(inode->meta.mode))
		return ALIGN_UP(inode->meta.size, BLOCK_SIZE) / BLOCK_SIZE;
	if (!S_ISDIR(inode->meta.mode))
		return shape_long_link(inode);
	folder_fill(inode, &blocks);
	return blocks.count;
}

bool shape_long_link(const struct tree_inode *inode)
{
	return S_ISLNK(inode->meta.mode) && strlen(inode->meta.target) >= FAST_LINK_MAX;
}

/* -- inodes -- */

uint32_t shape_links(const struct tree_inode *inode)
{
	uint32_t links = 2;

	if (!S_ISDIR(inode->meta.mode))
		return inode->links;
	for (const struct tree_entry *entry = inode->first; entry; entry = entry->next)
		links += S_ISDIR(entry->inode->meta.mode);
	return links;
}

/* ext4, 2.1: seconds past 32 bits and nanoseconds share a field. */
static void time_set(uint32_t *seconds, uint32_t *extra, const struct tree_meta *meta)
{
	int64_t high = meta->mtime_s - (int32_t)meta->mtime_s;

	*seconds = meta->mtime_s;
	*extra = ((high >> 32) & 3) | meta->mtime_ns << 2;
}

void shape_inode(const struct tree_inode *inode, struct ext2_inode_large *raw)
{
	const struct tree_meta *meta = &inode->meta;
	uint32_t kind = meta->mode & S_IFMT;

	*raw = (struct ext2_inode_large){
		.i_mode = meta->mode,
		.i_uid = meta->uid,
		.i_gid = meta->gid,
		.i_size = meta->size,
		.i_size_high = meta->size >> 32,
		.i_links_count = shape_links(inode),
		.i_extra_isize = sizeof(*raw) - EXT2_GOOD_OLD_INODE_SIZE,
	};
	raw->osd2.linux2.l_i_uid_high = meta->uid >> 16;
	raw->osd2.linux2.l_i_gid_high = meta->gid >> 16;
	time_set(&raw->i_mtime, &raw->i_mtime_extra, meta);
	time_set(&raw->i_ctime, &raw->i_ctime_extra, meta);
	time_set(&raw->i_atime, &raw->i_atime_extra, meta);
	time_set(&raw->i_crtime, &raw->i_crtime_extra, meta);
	if (kind == S_IFREG || kind == S_IFDIR || shape_long_link(inode))
		raw->i_flags = EXT4_EXTENTS_FL;
	/* As Linux encodes dev_t: 8 and 8 bits, or the wide form in the second word. */
	if (kind != S_IFCHR && kind != S_IFBLK)
		return;
	if (meta->major < 256 && meta->minor < 256)
		raw->i_block[0] = meta->major << 8 | meta->minor;
	else
		raw->i_block[1] = (meta->minor & 0xff) | meta->major << 8 |
				  (meta->minor & ~0xffu) << 12;
}

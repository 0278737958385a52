/*
 * Mounting ext4, read-only. Metadata is read through the device's page cache, a good
 * deal at a time: a small image's super block, descriptors, inodes and first
 * directories lie side by side, and one request for all of them is what a boot can
 * afford.
 */
#include <asm/statfs.h>

#include "core/log.h"
#include "core/panic.h"
#include "fs/ext4/ext4_fs.h"
#include "lib/string.h"

#define METADATA_AHEAD 16 /* pages */
#define COMPLAINTS_MAX 16 /* a damaged disk must not fill the log */

int ext4_complain(struct ext4_fs *fs, const char *what, uint64_t nr, int err)
{
	if (fs->complaints++ < COMPLAINTS_MAX)
		log_err("ext4: %s: %s %llu: error %d\n", fs->dev->name, what,
			(unsigned long long)nr, -err);
	return err;
}

int ext4_bytes(struct ext4_fs *fs, uint64_t off, struct page **ret_page, const void **ret)
{
	int err = blk_page(fs->dev, off, METADATA_AHEAD, ret_page);

	if (!err)
		*ret = (const char *)page_va(*ret_page) + off % PAGE_SIZE;
	return err;
}

int ext4_block(struct ext4_fs *fs, uint64_t block, struct page **ret_page,
	       const void **ret)
{
	return ext4_bytes(fs, block << fs->g.block_shift, ret_page, ret);
}

static void put_super(struct super_block *sb)
{
	heap_free(sb->priv);
}

static int statfs(struct super_block *sb, struct statfs *ret)
{
	const struct ext4_geometry *g = &ext4_of(sb)->g;
	uint64_t free = MIN(g->free_blocks, g->blocks);

	*ret = (struct statfs){
		.f_type = sb->type->magic,
		.f_bsize = g->block_size,
		.f_frsize = g->block_size,
		.f_blocks = g->blocks,
		.f_bfree = free,
		.f_bavail = free - MIN(g->reserved_blocks, free),
		.f_files = g->inodes,
		.f_ffree = MIN(g->free_inodes, g->inodes),
		.f_namelen = EXT4_NAME_MAX,
	};
	memcpy(&ret->f_fsid, g->uuid, sizeof(ret->f_fsid));
	return 0;
}

static const struct super_ops super_ops = {
	.evict = ext4_inode_free,
	.statfs = statfs,
	.put_super = put_super,
	.handles = &ext4_handle_ops,
};

static int super_read(struct ext4_fs *fs)
{
	const char *why = "cannot be read";
	const void *super;
	struct page *p;
	int err = ext4_bytes(fs, EXT4_SUPER_OFFSET, &p, &super);

	if (!err) {
		err = ext4_super_decode(super, &fs->g, &why);
		page_put(p);
	}
	if (!err && fs->g.blocks > fs->dev->sectors * SECTOR_SIZE >> fs->g.block_shift) {
		why = "the device is smaller than the file system";
		err = -EUCLEAN;
	}
	if (err)
		log_err("ext4: %s: not mounted: %s\n", fs->dev->name, why);
	return err;
}

static int root_get(struct super_block *sb)
{
	struct inode *root;
	int err = ext4_iget(sb, EXT4_ROOT_INO, &root);

	if (err)
		return err;
	if (!S_ISDIR(root->mode)) {
		inode_put(root);
		return ext4_complain(ext4_of(sb), "root inode", EXT4_ROOT_INO, -EUCLEAN);
	}
	sb->root = dentry_new_root(root);
	return sb->root ? 0 : -ENOMEM;
}

/* No option changes how a read-only file system is read. */
static int mount(struct super_block *sb, const char *source, const char *data)
{
	struct blk_device *dev = blk_find(source);
	struct ext4_fs *fs;
	int err;

	if (!dev)
		return -ENODEV;
	if (data && *data)
		return -EINVAL;
	fs = heap_zalloc(sizeof(*fs));
	if (!fs)
		return -ENOMEM;
	fs->dev = dev;
	sb->priv = fs;
	sb->ops = &super_ops;
	err = super_read(fs);
	if (err)
		return err;
	sb->flags |= SB_RDONLY | SB_POSIXACL;
	sb->block_size = fs->g.block_size;
	sb->file_flags = EXT4_INODE_SHOWN;
	sb->max_bytes = (uint64_t)UINT32_MAX << fs->g.block_shift;
	return root_get(sb);
}

void ext4_init(void)
{
	static struct fs_type type = {
		.name = "ext4",
		.needs_device = true,
		.magic = EXT4_MAGIC,
		.mount = mount,
	};

	insist(!ext4_inode_cache_init());
	fs_type_register(&type);
}

/* The ext4 file system: between its files. Structures and checks are lib/ext4.h's. */
#ifndef FS_EXT4_EXT4_FS_H
#define FS_EXT4_EXT4_FS_H

#include "dev/blk.h"
#include "fs/handle.h"
#include "lib/ext4.h"

/* sb->priv. */
struct ext4_fs {
	struct ext4_geometry g; /* [I] */
	struct blk_device *dev; /* [I] */
	_Atomic uint32_t complaints;
};

static inline struct ext4_fs *ext4_of(const struct super_block *sb)
{
	return sb->priv;
}

/* inode->priv: the decoded inode. */
static inline const struct ext4_inode *ext4_inode_of(const struct inode *i)
{
	return i->priv;
}

/* Says once in a while what is wrong with the disk, and gives err back. */
cold int ext4_complain(struct ext4_fs *fs, const char *what, uint64_t nr, int err);

/* Bytes of the device at `off`, to be used until page_put(*ret_page); they do not cross
 * a block. 0, -EIO, -EINVAL, -ENOMEM. */
must_use int ext4_bytes(struct ext4_fs *fs, uint64_t off, struct page **ret_page,
			const void **ret);
must_use int ext4_block(struct ext4_fs *fs, uint64_t block, struct page **ret_page,
			const void **ret);

/* inode.c */
must_use int ext4_iget(struct super_block *sb, uint32_t ino, struct inode **ret);
/* The inode as it lies on disk, and decoded. Until page_put. The first says nothing in
 * the log: the number may be anybody's guess. */
must_use int ext4_inode_probe(struct ext4_fs *fs, uint32_t ino, struct page **ret_page,
			      const void **ret_raw, struct ext4_inode *ret);
must_use int ext4_inode_read(struct ext4_fs *fs, uint32_t ino, struct page **ret_page,
			     const void **ret_raw, struct ext4_inode *ret);
void ext4_inode_free(struct inode *i);
must_use int ext4_inode_cache_init(void);

/* data.c */
extern const struct mapping_ops ext4_data_ops, ext4_dir_ops;
must_use int64_t ext4_readlink(struct inode *i, char *buf, size_t n);

/* dir.c */
must_use int ext4_lookup(struct inode *dir, struct dentry *d);
/* Inode number of the folder that a folder is in. */
must_use int ext4_parent(struct inode *dir, uint32_t *ret);
must_use int ext4_iterate(struct file *f, struct dir_ctx *c);

/* handle.c */
extern const struct handle_ops ext4_handle_ops;

/* xattr.c */
must_use int64_t ext4_getxattr(struct inode *i, const char *name, void *buf, size_t n);
must_use int64_t ext4_listxattr(struct inode *i, char *buf, size_t n);
/* Gives a new inode, of which `raw` is the disk's form, its access control lists. */
must_use int ext4_acls_load(struct inode *i, const void *raw);

/* super.c: once, while booting. */
void ext4_init(void);

#endif

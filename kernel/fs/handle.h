/*
 * File handles: inodes by number, for name_to_handle_at(2) and open_by_handle_at(2).
 *
 * Always true:
 *  H1  a handle opens nothing but an inode of the mount's own super block that has a name
 *      and the handle's generation;
 *  H2  through a mount of a part of a file system only what is below its root is opened;
 *  H3  a folder that is opened has a name in the cache that leads to it from the root:
 *      there is never a second dentry of one folder.
 */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include "fs/vfs.h"
#include "lib/file_handle.h"

/* Of a file system that gives handles. */
struct handle_ops {
	enum file_handle_form form;
	/* d's inode can be found from now on, as long as it has a name. 0 or -errno. */
	int (*give)(struct dentry *d, uint32_t *ret_generation);
	/* The inode, referenced. -ESTALE: there is none of that number and generation, or
	 * it has no name. The numbers may be any. */
	int (*find)(struct super_block *sb, const struct file_id *id, struct inode **ret);
	/* The folder that a folder is in; the root: itself. Absent: the name of a folder
	 * with a handle stays cached. */
	int (*parent)(struct inode *dir, struct inode **ret);
};

/* How many bytes a handle of p takes. -EOPNOTSUPP: there are none here. */
must_use int vfs_handle_size(const struct path *p, size_t *ret);
/* Writes that many. */
must_use int vfs_handle_give(const struct path *p, void *buf);
/* Opens what a handle of n bytes means on m, with open(2)'s flags. -ESTALE. */
must_use int vfs_handle_open(struct mount *m, int32_t type, const void *buf, size_t n,
			     uint32_t flags, struct file **ret);

#endif

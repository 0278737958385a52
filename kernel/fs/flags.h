/*
 * What chattr(1) sets on files and folders: FS_*_FL of <linux/fs.h>, which every inode
 * keeps in ->flags, and the two of them that bind even root.
 *
 * Always true:
 *  X1  an immutable inode keeps its content for whoever opens it, its attributes, its
 *      names and (a folder) its entries: every way to them asks inode_is_immutable, or
 *      for MAY_WRITE, which it never grants;
 *  X2  an append-only inode keeps all of these but what is added at its end;
 *  X3  only CAP_LINUX_IMMUTABLE changes either flag.
 *
 * As in Linux, a file that was opened before can still be written.
 */
#ifndef FS_FLAGS_H
#define FS_FLAGS_H

#include <linux/fs.h>

#include "fs/vfs.h"

static inline bool inode_is_immutable(const struct inode *i)
{
	return unlikely(i->flags & FS_IMMUTABLE_FL);
}

static inline bool inode_is_append(const struct inode *i)
{
	return unlikely(i->flags & FS_APPEND_FL);
}

/* Immutable or append-only: attributes and names stay as they are. */
static inline bool inode_is_guarded(const struct inode *i)
{
	return unlikely(i->flags & (FS_IMMUTABLE_FL | FS_APPEND_FL));
}

struct flags_change {
	uint32_t flags, mask; /* what the flags of `mask` become */
	/* What is said in the end to one who might change them: -errno when attributes
	 * were asked for that no file here has, else 0. */
	int refusal;
};

/* -ENOTTY: a file of a kind, or on a file system, that has none. */
must_use int vfs_flags_get(const struct inode *i, uint32_t *ret);
/* The same; -EROFS, -EPERM, -EOPNOTSUPP: flags that cannot be set here. Lock taken. */
must_use int vfs_flags_set(const struct path *p, const struct flags_change *c);
/* May fallocate(2) do this to i? 0 or -EPERM. */
must_use int flags_allow_fallocate(const struct inode *i, int mode);

#endif

/*
 * Changing directories: what the system calls of names do once their strings are copied
 * in. All take a dirfd as in openat(2) and return 0 or -errno as the man pages say.
 */
#ifndef FS_NAMEI_H
#define FS_NAMEI_H

#include "fs/vfs.h"

must_use int vfs_mkdir(int dirfd, const char *name, uint32_t mode);
must_use int vfs_mknod(int dirfd, const char *name, uint32_t mode, dev_id_t rdev);
/* The same; what was made, referenced. */
must_use int vfs_mknod_path(int dirfd, const char *name, uint32_t mode, dev_id_t rdev,
			    struct path *ret);
/* Of what type mknod may make something: 0, -EPERM (a directory), -EINVAL. */
must_use int mknod_check_type(uint32_t mode);
must_use int vfs_symlink(const char *target, int dirfd, const char *name);
must_use int vfs_link(const struct path *target, int dirfd, const char *name);
must_use int vfs_unlink(int dirfd, const char *name);
/* The same for a name in a directory at hand. */
must_use int vfs_unlink_child(const struct path *dir, const struct qname *name);
must_use int vfs_rmdir(int dirfd, const char *name);
/* 0 or -EINVAL */
must_use int rename_flags_check(uint32_t flags);
/* nname NULL: only looks for the folder of the old name. */
must_use int vfs_rename(int odirfd, const char *oname, int ndirfd, const char *nname,
			uint32_t flags);

/* The locks of a rename between two directories of one super block, which may be the
 * same. */
void rename_lock_dirs(struct dentry *a, struct dentry *b);
void rename_unlock_dirs(struct dentry *a, struct dentry *b);

/* May current make a name in this directory? dir's lock held. */
/* -EROFS on a read-only mount or file system; the directory's own checks come after. */
must_use int read_only_at(const struct path *dir);
must_use int may_create(const struct path *dir);
/* May current take away d, which is in this locked directory, as a directory or not? */
must_use int may_delete(const struct path *dir, struct dentry *d, bool as_dir);
/* The mode of a new object in dir (its lock held): without the umask's bits, unless a
 * default access control list is to limit it. */
uint32_t mode_masked(const struct inode *dir, uint32_t mode);

#endif

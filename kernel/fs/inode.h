/* Inodes, inside the VFS: what the files of kernel/fs share and file systems do not
 * need. */
#ifndef FS_INODE_H
#define FS_INODE_H

#include <linux/mount.h>

#include "core/panic.h"
#include "fs/vfs.h"

/* The cached inode with a reference; NULL: none. */
must_use struct inode *inode_find(struct super_block *sb, uint64_t ino);
uint64_t inode_count(void); /* in memory, for /proc/sys/fs/inode-nr */
void inode_cache_init(void);

#define TOUCH_MTIME 1u
#define TOUCH_CTIME 2u
static inline void inode_touch_at(struct inode *i, uint32_t which, int64_t now)
{
	if (which & TOUCH_MTIME)
		i->t.mtime = now;
	if (which & TOUCH_CTIME)
		i->t.ctime = now;
}

static inline void inode_touch(struct inode *i, uint32_t which)
{
	inode_touch_at(i, which, time_now_file());
}
/* Access times by the mount's rules: relatime unless strictatime or noatime. */
void inode_accessed(const struct mount *mnt, struct inode *i);
void file_accessed(struct file *f);

/* The check of inode_permission for given credentials. */
must_use int inode_permission_cred(const struct cred *c, struct inode *i, uint32_t may);
/* Owner of the inode, or CAP_FOWNER. */
bool inode_owner_or_capable(const struct inode *i);
/* Sets mode, owner, size or times after the checks of chmod(2) and friends. Lock
 * taken. */
must_use int vfs_setattr(const struct path *p, struct attr_change *a);
/* Truncates or extends, within RLIMIT_FSIZE; permission was checked. Lock taken. */
must_use int vfs_resize(const struct path *p, uint64_t size);
/* The file's own fallocate, as its flags allow; f is open for writing. Lock taken. */
must_use int64_t vfs_fallocate(struct file *f, int mode, uint64_t off, uint64_t len);
/* A write drops file capabilities, and by somebody unprivileged setuid and setgid bits;
 * lock held. */
must_use int inode_strip_privileges(struct inode *i);

/* inode->writers: +1 per file open for writing, -1 per execution. 0 or -ETXTBSY. */
must_use int inode_writer_get(struct inode *i);
void inode_writer_put(struct inode *i);
must_use int inode_deny_get(struct inode *i);
void inode_deny_put(struct inode *i);

/* ---- locks of fs/locks.c ---- */
void locks_inode_free(struct inode *i);

#endif

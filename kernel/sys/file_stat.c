/* stat and its relatives, access, readlink, statfs. */
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/magic.h>

#include "fs/access.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "lib/string.h"
#include "sys/syscall.h"

#define ST_VALID 0x20 /* statfs f_flags: the flags are filled in */

/* ---- stat ---- */

/* Times before 1970 round down: the nanoseconds count up. */
static inline void split_time(int64_t ns, uint64_t *ret_sec, uint64_t *ret_ns)
{
	if (likely(ns >= 0)) {
		*ret_sec = (uint64_t)ns / NSEC_PER_SEC;
		*ret_ns = (uint64_t)ns - *ret_sec * NSEC_PER_SEC;
		return;
	}
	uint64_t back = (uint64_t)-ns, sec = (back + NSEC_PER_SEC - 1) / NSEC_PER_SEC;
	*ret_sec = -sec;
	*ret_ns = sec * NSEC_PER_SEC - back;
}

static inline int64_t put_stat(uaddr_t to, const struct kstat *k)
{
	struct stat s;

	s.st_dev = k->dev;
	s.st_ino = k->ino;
	s.st_nlink = k->nlink;
	s.st_mode = k->mode;
	s.st_uid = k->uid;
	s.st_gid = k->gid;
	s.st_rdev = k->rdev;
	s.st_size = (int64_t)k->size;
	s.st_blksize = k->blksize;
	s.st_blocks = (int64_t)k->blocks;
	split_time(k->t.atime, &s.st_atime, &s.st_atime_nsec);
	split_time(k->t.mtime, &s.st_mtime, &s.st_mtime_nsec);
	split_time(k->t.ctime, &s.st_ctime, &s.st_ctime_nsec);
	/* Padding shows user space nothing of the stack. */
	s.__pad0 = 0;
	s.__unused[0] = s.__unused[1] = s.__unused[2] = 0;
	return copy_out(to, &s, sizeof s);
}

static int64_t stat_path(const struct path *p, uaddr_t to)
{
	struct inode *i = p->dentry->inode;
	struct kstat k;

	if (likely(!i->ops->getattr)) {
		inode_getattr_simple(i, &k);
		return put_stat(to, &k);
	}
	struct kstat own;
	int err = i->ops->getattr(i, &own);
	return err ? err : put_stat(to, &own);
}

int64_t sys_fstat(int32_t fd, uaddr_t statbuf)
{
	struct fd_ref r;

	if (!fd_borrow_any(fd, &r))
		return -EBADF;
	int64_t err = stat_path(&r.file->path, statbuf);
	fd_return(&r);
	return err;
}

static int64_t stat_at(int dirfd, uaddr_t path, uint32_t walk, uaddr_t statbuf)
{
	struct path p;

	int64_t err = path_at_user(dirfd, path, walk, &p);
	if (err)
		return err;
	err = stat_path(&p, statbuf);
	path_put(&p);
	return err;
}

int64_t sys_stat(uaddr_t path, uaddr_t statbuf)
{
	return stat_at(AT_FDCWD, path, WALK_FOLLOW, statbuf);
}

int64_t sys_lstat(uaddr_t path, uaddr_t statbuf)
{
	return stat_at(AT_FDCWD, path, 0, statbuf);
}

static uint32_t walk_of_at(uint32_t flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
	       (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

int64_t sys_newfstatat(int32_t dirfd, uaddr_t path, uaddr_t statbuf, uint32_t flags)
{
	char first;

	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
				AT_STATX_SYNC_TYPE))
		return -EINVAL;
	/* fstat(3) of today's libraries. */
	if ((flags & AT_EMPTY_PATH) && dirfd >= 0 && !get_user(first, path) && !first)
		return sys_fstat(dirfd, statbuf);
	return stat_at(dirfd, path, walk_of_at(flags), statbuf);
}

/* ---- statx ---- */

static struct statx_timestamp stamp(int64_t ns)
{
	uint64_t sec, rest;

	split_time(ns, &sec, &rest);
	return (struct statx_timestamp){ .tv_sec = (int64_t)sec,
					 .tv_nsec = (uint32_t)rest };
}

/* What is known of every file: it is no automount point, and not in DAX state. */
#define ATTRIBUTES_OF_ALL (STATX_ATTR_AUTOMOUNT | STATX_ATTR_MOUNT_ROOT | STATX_ATTR_DAX)

static void fill_statx(struct statx *s, const struct path *p, const struct kstat *k)
{
	*s = (struct statx){
		.stx_mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID,
		.stx_blksize = k->blksize,
		.stx_attributes = k->attributes,
		.stx_attributes_mask = k->attributes_mask | ATTRIBUTES_OF_ALL,
		.stx_nlink = k->nlink,
		.stx_uid = k->uid,
		.stx_gid = k->gid,
		.stx_mode = (uint16_t)k->mode,
		.stx_ino = k->ino,
		.stx_size = k->size,
		.stx_blocks = k->blocks,
		.stx_atime = stamp(k->t.atime),
		.stx_btime = stamp(k->t.btime),
		.stx_ctime = stamp(k->t.ctime),
		.stx_mtime = stamp(k->t.mtime),
		.stx_rdev_major = DEV_MAJOR(k->rdev),
		.stx_rdev_minor = DEV_MINOR(k->rdev),
		.stx_dev_major = DEV_MAJOR(k->dev),
		.stx_dev_minor = DEV_MINOR(k->dev),
		.stx_mnt_id = p->mnt->id,
	};
	if (p->dentry == p->mnt->root)
		s->stx_attributes |= STATX_ATTR_MOUNT_ROOT;
}

int64_t sys_statx(int32_t dirfd, uaddr_t path, uint32_t flags, uint32_t mask, uaddr_t buf)
{
	const uint32_t known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
			       AT_STATX_SYNC_TYPE;
	struct statx s;
	struct kstat k;
	struct path p;

	if ((mask & STATX__RESERVED) || (flags & ~known) ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	int err = path_at_user(dirfd, path, walk_of_at(flags), &p);
	if (err)
		return err;
	err = vfs_getattr(&p, &k);
	if (!err)
		fill_statx(&s, &p, &k);
	path_put(&p);
	return err ? err : copy_out(buf, &s, sizeof s);
}

/* ---- access ---- */

int64_t sys_faccessat2(int32_t dirfd, uaddr_t path, uint32_t mode, uint32_t flags)
{
	struct pathname n;
	uint32_t walk = walk_of_at(flags);

	if ((mode & ~(MAY_READ | MAY_WRITE | MAY_EXEC)) ||
	    (flags & ~(uint32_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	if (!(flags & AT_EACCESS))
		walk |= WALK_REAL_IDS;
	int err = name_get(path, walk, &n);
	if (err)
		return err;
	err = vfs_access(dirfd, n.s, mode, walk);
	name_put(&n);
	return err;
}

int64_t sys_faccessat(int32_t dirfd, uaddr_t path, uint32_t mode)
{
	return sys_faccessat2(dirfd, path, mode, 0);
}

int64_t sys_access(uaddr_t path, uint32_t mode)
{
	return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

/* ---- readlink ---- */

/* A magic link's text is the path of its target. */
static int64_t magic_text(struct inode *i, char *buf)
{
	struct path to;

	int err = i->ops->follow(i, &to);
	if (err)
		return err;
	char *s = path_text(&to, NULL, buf, PATH_MAX_LEN);
	path_put(&to);
	if (!s)
		return -ENAMETOOLONG;
	size_t n = strlen(s);
	memmove(buf, s, n);
	return (int64_t)n;
}

static int64_t link_text(const struct path *p, uaddr_t to, size_t size)
{
	struct inode *i = p->dentry->inode;

	if (!i->ops->readlink && !i->ops->follow)
		return -EINVAL;
	char *buf = heap_alloc(PATH_MAX_LEN);
	if (!buf)
		return -ENOMEM;
	int64_t n = i->ops->readlink ? i->ops->readlink(i, buf, PATH_MAX_LEN)
				     : magic_text(i, buf);
	if (n > 0) {
		inode_accessed(p->mnt, i);
		n = MIN(n, (int64_t)size);
		if (copy_out(to, buf, (size_t)n))
			n = -EFAULT;
	}
	heap_free(buf);
	return n;
}

int64_t sys_readlinkat(int32_t dirfd, uaddr_t path, uaddr_t buf, int32_t size)
{
	struct pathname n;
	struct path p;

	if (size <= 0)
		return -EINVAL;
	int err = name_get(path, WALK_EMPTY, &n);
	if (err)
		return err;
	bool empty = n.len == 0;
	err = path_at(dirfd, n.s, WALK_EMPTY, &p);
	name_put(&n);
	if (err)
		return err;
	/* An empty path is for an O_PATH descriptor of a link, nothing else. */
	int64_t r = -EINVAL;
	if (S_ISLNK(p.dentry->inode->mode))
		r = link_text(&p, buf, (size_t)size);
	else if (empty)
		r = -ENOENT;
	path_put(&p);
	return r;
}

int64_t sys_readlink(uaddr_t path, uaddr_t buf, int32_t size)
{
	return sys_readlinkat(AT_FDCWD, path, buf, size);
}

/* ---- statfs ---- */

/* Pipes and sockets have file systems of their own in Linux; programs know them by it. */
static long magic_of(const struct path *p)
{
	uint32_t mode = p->dentry->flags & DENTRY_ANON ? p->dentry->inode->mode : 0;

	return S_ISFIFO(mode)	? PIPEFS_MAGIC
	       : S_ISSOCK(mode) ? SOCKFS_MAGIC
				: (long)p->dentry->sb->type->magic;
}

static int64_t statfs_path(const struct path *p, uaddr_t buf)
{
	struct super_block *sb = p->dentry->sb;
	struct statfs s = {
		.f_type = magic_of(p),
		.f_bsize = sb->block_size,
		.f_namelen = NAME_MAX_LEN,
	};
	int err = sb->ops->statfs ? sb->ops->statfs(sb, &s) : 0;

	if (err)
		return err;
	if (!s.f_frsize)
		s.f_frsize = s.f_bsize;
	s.f_fsid.val[0] = (int)sb->dev;
	/* ST_RDONLY to ST_NOEXEC are MS_RDONLY to MS_NOEXEC; 0x400 and up follow in
	 * order. */
	s.f_flags = ST_VALID | (p->mnt->flags & (MS_RDONLY | MS_NOSUID | MS_NODEV |
						 MS_NOEXEC | MS_NOATIME | MS_NODIRATIME));
	if (sb->flags & SB_RDONLY)
		s.f_flags |= MS_RDONLY;
	if (p->mnt->flags & MS_RELATIME)
		s.f_flags |= 0x1000;
	return copy_out(buf, &s, sizeof s);
}

int64_t sys_statfs(uaddr_t path, uaddr_t buf)
{
	struct path p;

	int64_t err = path_at_user(AT_FDCWD, path, WALK_FOLLOW, &p);
	if (err)
		return err;
	err = statfs_path(&p, buf);
	path_put(&p);
	return err;
}

int64_t sys_fstatfs(int32_t fd, uaddr_t buf)
{
	struct file *f = fd_get_any(fd);

	if (!f)
		return -EBADF;
	int64_t err = statfs_path(&f->path, buf);
	file_put(f);
	return err;
}

/* chmod, chown, times, truncate, fallocate. */
#include <linux/falloc.h>
#include <linux/time_types.h>
#include <linux/utime.h>

#include "fs/confine.h"
#include "fs/flags.h"
#include "fs/inode.h"
#include "fs/lease.h"
#include "fs/notify.h"
#include "sys/syscall.h"

/* utimensat(2); the UAPI headers lack both. */
#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/* a NULL: there is something wrong with the change (-EINVAL), which is told once there is
 * a file to change. */
static int64_t setattr_at(int dirfd, uaddr_t path, uint32_t walk, struct attr_change *a)
{
	struct path p;

	int err = path_at_user(dirfd, path, walk, &p);
	if (err)
		return err;
	err = a ? vfs_setattr(&p, a) : -EINVAL;
	path_put(&p);
	return err;
}

/* Not for O_PATH, as fchmod(2) says. */
static int64_t setattr_fd(int fd, struct attr_change *a)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	int err = a ? vfs_setattr(&f->path, a) : -EINVAL;
	file_put(f);
	return err;
}

/* ---- mode ---- */

int64_t sys_fchmodat(int32_t dirfd, uaddr_t path, uint32_t mode)
{
	struct attr_change a = { .valid = ATTR_MODE, .mode = mode & 07777 };
	return setattr_at(dirfd, path, WALK_FOLLOW, &a);
}

int64_t sys_chmod(uaddr_t path, uint32_t mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

int64_t sys_fchmod(int32_t fd, uint32_t mode)
{
	struct attr_change a = { .valid = ATTR_MODE, .mode = mode & 07777 };
	return setattr_fd(fd, &a);
}

/* ---- owner ---- */

static struct attr_change owner_change(uint32_t uid, uint32_t gid)
{
	struct attr_change a = { .valid = ATTR_KILL, .uid = uid, .gid = gid };

	if (uid != ID_INVALID)
		a.valid |= ATTR_UID;
	if (gid != ID_INVALID)
		a.valid |= ATTR_GID;
	return a;
}

int64_t sys_fchownat(int32_t dirfd, uaddr_t path, uint32_t uid, uint32_t gid,
		     uint32_t flags)
{
	struct attr_change a = owner_change(uid, gid);
	uint32_t walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;

	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	return setattr_at(dirfd, path, walk, &a);
}

int64_t sys_chown(uaddr_t path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

int64_t sys_lchown(uaddr_t path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fchown(int32_t fd, uint32_t uid, uint32_t gid)
{
	struct attr_change a = owner_change(uid, gid);
	return setattr_fd(fd, &a);
}

/* ---- times ---- */

static bool valid_ns(int64_t ns)
{
	return ns == UTIME_NOW || ns == UTIME_OMIT ||
	       (ns >= 0 && ns < (int64_t)NSEC_PER_SEC);
}

/* Seconds beyond what ns in 64 bits can say stay at the edge. */
static int64_t ns_of(int64_t sec, int64_t ns)
{
	const int64_t edge = INT64_MAX / (int64_t)NSEC_PER_SEC - 1;

	sec = MIN(MAX(sec, -edge), edge);
	return sec * (int64_t)NSEC_PER_SEC + ns;
}

static int change_of_times(const struct __kernel_timespec t[2], struct attr_change *a)
{
	int64_t now = time_now_file();

	if (!valid_ns(t[0].tv_nsec) || !valid_ns(t[1].tv_nsec))
		return -EINVAL;
	*a = (struct attr_change){ 0 };
	if (t[0].tv_nsec != UTIME_OMIT) {
		a->valid |= ATTR_ATIME;
		a->atime = t[0].tv_nsec == UTIME_NOW ? now
						     : ns_of(t[0].tv_sec, t[0].tv_nsec);
	}
	if (t[1].tv_nsec != UTIME_OMIT) {
		a->valid |= ATTR_MTIME;
		a->mtime = t[1].tv_nsec == UTIME_NOW ? now
						     : ns_of(t[1].tv_sec, t[1].tv_nsec);
	}
	if (t[0].tv_nsec == UTIME_NOW && t[1].tv_nsec == UTIME_NOW)
		a->valid |= ATTR_NOW;
	return 0;
}

static const struct __kernel_timespec both_now[2] = { { 0, UTIME_NOW },
						      { 0, UTIME_NOW } };

static int64_t set_times(int dirfd, uaddr_t path, const struct __kernel_timespec t[2],
			 uint32_t flags)
{
	uint32_t walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct attr_change a;

	if (t[0].tv_nsec == UTIME_OMIT && t[1].tv_nsec == UTIME_OMIT)
		return 0;
	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	int wrong = change_of_times(t, &a);
	if (!path.va && dirfd != AT_FDCWD)
		return flags ? -EINVAL : setattr_fd(dirfd, wrong ? NULL : &a);
	return setattr_at(dirfd, path, walk, wrong ? NULL : &a);
}

int64_t sys_utimensat(int32_t dirfd, uaddr_t path, uaddr_t times, uint32_t flags)
{
	struct __kernel_timespec t[2];

	if (!times.va)
		return set_times(dirfd, path, both_now, flags);
	return copy_in(t, times, sizeof t) ? -EFAULT : set_times(dirfd, path, t, flags);
}

int64_t sys_futimesat(int32_t dirfd, uaddr_t path, uaddr_t times)
{
	struct __kernel_old_timeval v[2];
	struct __kernel_timespec t[2];

	if (!times.va)
		return set_times(dirfd, path, both_now, 0);
	if (copy_in(v, times, sizeof v))
		return -EFAULT;
	for (int k = 0; k < 2; k++) {
		if (v[k].tv_usec < 0 || v[k].tv_usec >= 1000000)
			return -EINVAL;
		t[k].tv_sec = v[k].tv_sec;
		t[k].tv_nsec = v[k].tv_usec * 1000;
	}
	return set_times(dirfd, path, t, 0);
}

int64_t sys_utimes(uaddr_t path, uaddr_t times)
{
	return sys_futimesat(AT_FDCWD, path, times);
}

int64_t sys_utime(uaddr_t path, uaddr_t times)
{
	struct utimbuf b;

	if (!times.va)
		return set_times(AT_FDCWD, path, both_now, 0);
	if (get_user(b, times))
		return -EFAULT;
	struct __kernel_timespec t[2] = { { b.actime, 0 }, { b.modtime, 0 } };
	return set_times(AT_FDCWD, path, t, 0);
}

/* ---- size ---- */

static int truncate_path(const struct path *p, uint64_t size)
{
	struct inode *i = p->dentry->inode;

	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode))
		return -EINVAL;
	int err = path_permission(p, MAY_WRITE);
	if (!err)
		err = confine_path(p, WANT_CHANGE);
	if (!err && inode_is_append(i))
		err = -EPERM;
	if (err)
		return err;
	/* As one who has it open for writing: not while it is executed. */
	err = inode_writer_get(i);
	if (err)
		return err;
	err = lease_break(i, true, false);
	if (!err)
		err = vfs_resize(p, size);
	inode_writer_put(i);
	return err;
}

int64_t sys_truncate(uaddr_t path, int64_t length)
{
	struct path p;

	if (length < 0)
		return -EINVAL;
	int err = path_at_user(AT_FDCWD, path, WALK_FOLLOW, &p);
	if (err)
		return err;
	err = truncate_path(&p, (uint64_t)length);
	path_put(&p);
	return err;
}

int64_t sys_ftruncate(int32_t fd, int64_t length)
{
	struct file *f;
	int err = -EINVAL;

	if (length < 0)
		return -EINVAL;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	if (S_ISREG(f->inode->mode) && (f->mode & FMODE_WRITE))
		err = inode_is_append(f->inode) ? -EPERM
						: vfs_resize(&f->path, (uint64_t)length);
	file_put(f);
	return err;
}

#define FALLOCATE_KNOWN                                                                  \
	((uint32_t)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE |  \
		    FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE |                  \
		    FALLOC_FL_UNSHARE_RANGE))

static int64_t do_fallocate(struct file *f, uint32_t mode, int64_t offset, int64_t length)
{
	uint32_t what = mode & ~(uint32_t)FALLOC_FL_KEEP_SIZE;

	if ((mode & ~FALLOCATE_KNOWN) || (what & (what - 1)) ||
	    mode == FALLOC_FL_PUNCH_HOLE)
		return -EOPNOTSUPP;
	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	int err = flags_allow_fallocate(f->inode, (int)mode);
	if (err)
		return err;
	if (S_ISFIFO(f->inode->mode))
		return -ESPIPE;
	if (S_ISDIR(f->inode->mode))
		return -EISDIR;
	if (!S_ISREG(f->inode->mode))
		return -ENODEV;
	if (offset > INT64_MAX - length)
		return -EFBIG;
	if (!f->ops)
		return -EOPNOTSUPP;
	int64_t r = vfs_fallocate(f, (int)mode, (uint64_t)offset, (uint64_t)length);
	if (!r)
		notify_file(f, IN_MODIFY);
	return r;
}

int64_t sys_fallocate(int32_t fd, uint32_t mode, int64_t offset, int64_t length)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	int64_t r = -EINVAL;
	if (offset >= 0 && length > 0)
		r = do_fallocate(f, mode, offset, length);
	file_put(f);
	return r;
}

/* Names made, moved and taken away. */
#include "fs/namei.h"
#include "sys/syscall.h"

#define UNLINK_FLAGS ((uint32_t)AT_REMOVEDIR)

/* Runs a one-name call on a user's path. */
struct name_call {
	int32_t dirfd;
	uint32_t mode, dev;
	int (*fn)(const struct name_call *c, const char *name);
};

static int64_t with_name(uaddr_t path, const struct name_call *c)
{
	struct pathname n;

	int err = name_get(path, 0, &n);
	if (err)
		return err;
	err = c->fn(c, n.s);
	name_put(&n);
	return err;
}

static int do_mkdir(const struct name_call *c, const char *name)
{
	return vfs_mkdir(c->dirfd, name, c->mode);
}

static int do_mknod(const struct name_call *c, const char *name)
{
	return vfs_mknod(c->dirfd, name, c->mode, c->dev);
}

static int do_unlink(const struct name_call *c, const char *name)
{
	return vfs_unlink(c->dirfd, name);
}

static int do_rmdir(const struct name_call *c, const char *name)
{
	return vfs_rmdir(c->dirfd, name);
}

int64_t sys_mkdirat(int32_t dirfd, uaddr_t path, uint32_t mode)
{
	return with_name(path, &(struct name_call){ dirfd, mode, 0, do_mkdir });
}

int64_t sys_mkdir(uaddr_t path, uint32_t mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

int64_t sys_mknodat(int32_t dirfd, uaddr_t path, uint32_t mode, uint32_t dev)
{
	int err = mknod_check_type(mode);
	if (err)
		return err;
	return with_name(path, &(struct name_call){ dirfd, mode, dev, do_mknod });
}

int64_t sys_mknod(uaddr_t path, uint32_t mode, uint32_t dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

int64_t sys_unlinkat(int32_t dirfd, uaddr_t path, uint32_t flags)
{
	if (flags & ~UNLINK_FLAGS)
		return -EINVAL;
	return with_name(
		path, &(struct name_call){ dirfd, 0, 0,
					   flags & AT_REMOVEDIR ? do_rmdir : do_unlink });
}

int64_t sys_unlink(uaddr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

int64_t sys_rmdir(uaddr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* ---- two names ---- */

int64_t sys_symlinkat(uaddr_t target, int32_t dirfd, uaddr_t path)
{
	struct pathname t, n;

	int err = name_get(target, 0, &t);
	if (err)
		return err;
	err = name_get(path, 0, &n);
	if (!err) {
		err = vfs_symlink(t.s, dirfd, n.s);
		name_put(&n);
	}
	name_put(&t);
	return err;
}

int64_t sys_symlink(uaddr_t target, uaddr_t path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

int64_t sys_renameat2(int32_t olddirfd, uaddr_t old, int32_t newdirfd, uaddr_t new,
		      uint32_t flags)
{
	struct pathname o, n;

	int err = rename_flags_check(flags);
	if (!err)
		err = name_get(old, 0, &o);
	if (err)
		return err;
	/* What is wrong with the old name is told first. */
	int wrong = name_get(new, 0, &n);
	err = vfs_rename(olddirfd, o.s, newdirfd, wrong ? NULL : n.s, flags);
	if (!wrong)
		name_put(&n);
	name_put(&o);
	return err ? err : wrong;
}

int64_t sys_renameat(int32_t olddirfd, uaddr_t old, int32_t newdirfd, uaddr_t new)
{
	return sys_renameat2(olddirfd, old, newdirfd, new, 0);
}

int64_t sys_rename(uaddr_t old, uaddr_t new)
{
	return sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int64_t sys_linkat(int32_t olddirfd, uaddr_t old, int32_t newdirfd, uaddr_t new,
		   uint32_t flags)
{
	struct path target;
	struct pathname n;
	uint32_t walk = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;

	if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		if (!cred_has_cap(thread_current()->cred, CAP_DAC_READ_SEARCH))
			return -ENOENT;
		walk |= WALK_EMPTY;
	}
	int err = path_at_user(olddirfd, old, walk, &target);
	if (err)
		return err;
	err = name_get(new, 0, &n);
	if (!err) {
		err = vfs_link(&target, newdirfd, n.s);
		name_put(&n);
	}
	path_put(&target);
	return err;
}

int64_t sys_link(uaddr_t old, uaddr_t new)
{
	return sys_linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

/* ioctl_iflags(2): the flags of chattr(1), alone or as a part of struct fsxattr. */
#include "fs/flags.h"

#include "sys/file_ioctl.h"
#include "sys/syscall.h"

/* The flags that struct fsxattr knows too, by other numbers. */
static const struct {
	uint32_t flag, xflag;
} common[] = {
	{ FS_SYNC_FL, FS_XFLAG_SYNC },
	{ FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE },
	{ FS_APPEND_FL, FS_XFLAG_APPEND },
	{ FS_NODUMP_FL, FS_XFLAG_NODUMP },
	{ FS_NOATIME_FL, FS_XFLAG_NOATIME },
	{ FS_DAX_FL, FS_XFLAG_DAX },
	{ FS_PROJINHERIT_FL, FS_XFLAG_PROJINHERIT },
};

static int64_t get_flags(struct file *f, uaddr_t arg)
{
	uint32_t flags;
	int err = vfs_flags_get(f->inode, &flags);

	return err ? err : put_user(arg, flags);
}

static int64_t set_flags(struct file *f, uaddr_t arg)
{
	struct flags_change c = { .mask = UINT32_MAX };

	/* The number of the call speaks of a long, but it has always been an int. */
	return get_user(c.flags, arg) ? -EFAULT : vfs_flags_set(&f->path, &c);
}

static int64_t get_xattr(struct file *f, uaddr_t arg)
{
	struct fsxattr x = { 0 };
	uint32_t flags;

	int err = vfs_flags_get(f->inode, &flags);
	if (err)
		return err;
	for (size_t k = 0; k < ARRAY_LEN(common); k++)
		if (flags & common[k].flag)
			x.fsx_xflags |= common[k].xflag;
	return put_user(arg, x);
}

/* What x asks for beyond flags. A hint of size 0 takes back its own flags. */
static int refusal_of(const struct inode *i, const struct fsxattr *x, uint32_t xflags)
{
	bool reg = S_ISREG(i->mode), dir = S_ISDIR(i->mode);

	if ((x->fsx_xflags & FS_XFLAG_EXTSIZE) && !reg)
		return -EINVAL;
	if ((x->fsx_xflags & FS_XFLAG_EXTSZINHERIT) && !dir)
		return -EINVAL;
	if (!x->fsx_extsize)
		xflags &= ~(uint32_t)(FS_XFLAG_EXTSIZE | FS_XFLAG_EXTSZINHERIT);
	if (!x->fsx_cowextsize)
		xflags &= ~(uint32_t)FS_XFLAG_COWEXTSIZE;
	return xflags || x->fsx_extsize || x->fsx_cowextsize || x->fsx_projid
		       ? -EOPNOTSUPP
		       : 0;
}

static int64_t set_xattr(struct file *f, uaddr_t arg)
{
	struct flags_change c = { 0 };
	struct fsxattr x;

	if (get_user(x, arg))
		return -EFAULT;
	uint32_t others = x.fsx_xflags;
	for (size_t k = 0; k < ARRAY_LEN(common); k++) {
		c.mask |= common[k].flag;
		if (others & common[k].xflag)
			c.flags |= common[k].flag;
		others &= ~common[k].xflag;
	}
	c.refusal = refusal_of(f->inode, &x, others);
	return vfs_flags_set(&f->path, &c);
}

int64_t flags_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	switch (cmd) {
	case FS_IOC_GETFLAGS:
		return get_flags(f, arg);
	case FS_IOC_SETFLAGS:
		return set_flags(f, arg);
	case FS_IOC_FSGETXATTR:
		return get_xattr(f, arg);
	case FS_IOC_FSSETXATTR:
		return set_xattr(f, arg);
	}
	return -ENOSYS;
}

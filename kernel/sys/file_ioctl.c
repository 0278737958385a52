/*
 * What ioctl(2) asks of any file that a file system keeps: ioctl_fideduperange(2),
 * ioctl_ficlone(2), FIBMAP and so on. No file system here maps blocks, shares them or can
 * be frozen: what is left are the checks, in Linux's order.
 */
#include "sys/file_ioctl.h"

#include <asm/ioctls.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#include "sys/syscall.h"

/* ---- where the bytes are ---- */

static int64_t block_of(struct file *f, uaddr_t arg)
{
	int32_t block;

	if (!S_ISREG(f->inode->mode))
		return -ENOSYS;
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_RAWIO))
		return -EPERM;
	return get_user(block, arg) ? -EFAULT : -EINVAL;
}

/* Bytes that the file takes. */
static int64_t size_of(struct file *f, uaddr_t arg)
{
	uint32_t type = f->inode->mode & S_IFMT;
	struct kstat st;

	if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK)
		return -ENOTTY;
	int err = vfs_getattr(&f->path, &st);
	if (err)
		return err;
	int64_t bytes = (int64_t)(st.blocks * 512);
	return put_user(arg, bytes);
}

/* ---- sharing ---- */

/* May bytes be shared between the two? They could not be, as it is. */
static int may_clone(const struct file *from, const struct file *to)
{
	const struct inode *in = from->inode, *out = to->inode;

	if (in->sb != out->sb)
		return -EXDEV;
	if (S_ISDIR(in->mode) || S_ISDIR(out->mode))
		return -EISDIR;
	if (!S_ISREG(in->mode) || !S_ISREG(out->mode))
		return -EINVAL;
	if (!(from->mode & FMODE_READ) || !(to->mode & FMODE_WRITE) ||
	    (to->flags & O_APPEND))
		return -EBADF;
	return -EOPNOTSUPP;
}

static int64_t clone_from(struct file *to, int fd)
{
	struct file *from = fd_get(fd);

	if (!from)
		return -EBADF;
	int err = may_clone(from, to);
	file_put(from);
	return err;
}

static int64_t clone_range(struct file *to, uaddr_t arg)
{
	struct file_clone_range r;

	return get_user(r, arg) ? -EFAULT : clone_from(to, (int)r.src_fd);
}

static int64_t dedupe(struct file *f, uaddr_t arg)
{
	struct file_dedupe_range r;

	if (get_user(r, arg))
		return -EFAULT;
	if (sizeof r + r.dest_count * sizeof r.info[0] > PAGE_SIZE)
		return -ENOMEM;
	if (!(f->mode & FMODE_READ) || r.reserved1 || r.reserved2)
		return -EINVAL;
	if (S_ISDIR(f->inode->mode))
		return -EISDIR;
	return S_ISREG(f->inode->mode) ? -EOPNOTSUPP : -EINVAL;
}

/* ---- freezing ---- */

static int64_t freeze(bool on)
{
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
		return -EPERM;
	return on ? -EOPNOTSUPP : -EINVAL;
}

int64_t fs_ioctl(struct file *f, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case FIBMAP:
		return block_of(f, UADDR(arg));
	case FIOQSIZE:
		return size_of(f, UADDR(arg));
	case FS_IOC_FIEMAP:
		return -EOPNOTSUPP;
	case FICLONE:
		return clone_from(f, (int)arg);
	case FICLONERANGE:
		return clone_range(f, UADDR(arg));
	case FIDEDUPERANGE:
		return dedupe(f, UADDR(arg));
	case FIFREEZE:
		return freeze(true);
	case FITHAW:
		return freeze(false);
	}
	return flags_ioctl(f, cmd, UADDR(arg));
}

/* fsync and its relatives, and advice. What is written goes to memory and dies there, so
 * the data is as safe as it will ever be; the calls check what they are given. */
#include <linux/fadvise.h>
#include <linux/fs.h>

#include "fs/vfs.h"
#include "sys/syscall.h"

int64_t sys_fsync(int32_t fd)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	int err = f->ops && f->ops->fsync ? f->ops->fsync(f) : -EINVAL;
	file_put(f);
	return err;
}

int64_t sys_fdatasync(int32_t fd)
{
	return sys_fsync(fd);
}

int64_t sys_sync(void)
{
	return 0;
}

int64_t sys_syncfs(int32_t fd)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	file_put(f);
	return 0;
}

int64_t sys_sync_file_range(int32_t fd, int64_t offset, int64_t n, uint32_t flags)
{
	const uint32_t known = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			       SYNC_FILE_RANGE_WAIT_AFTER;
	int64_t end;

	struct file *f = fd_get(fd);
	if (!f)
		return -EBADF;
	uint32_t type = f->inode->mode & S_IFMT;
	file_put(f);
	if ((flags & ~known) || offset < 0 || n < 0 ||
	    __builtin_add_overflow(offset, n, &end))
		return -EINVAL;
	return type == S_IFREG || type == S_IFDIR || type == S_IFBLK || type == S_IFLNK
		       ? 0
		       : -ESPIPE;
}

int64_t sys_fadvise64(int32_t fd, int64_t offset, int64_t length, int32_t advice)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	bool pipe = S_ISFIFO(f->inode->mode);
	file_put(f);
	if (pipe)
		return -ESPIPE;
	switch (advice) {
	case POSIX_FADV_NORMAL:
	case POSIX_FADV_RANDOM:
	case POSIX_FADV_SEQUENTIAL:
	case POSIX_FADV_WILLNEED:
	case POSIX_FADV_DONTNEED:
	case POSIX_FADV_NOREUSE:
		return length < 0 ? -EINVAL : 0;
	}
	return -EINVAL;
}

int64_t sys_readahead(int32_t fd, int64_t offset, uint64_t count)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	int64_t r = -EBADF;
	if (f->mode & FMODE_READ)
		r = S_ISREG(f->inode->mode) && count <= INT64_MAX ? 0 : -EINVAL;
	file_put(f);
	return r;
}

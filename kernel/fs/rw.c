/*
 * Reading, writing and seeking: what is the same for every file, and the forms that go
 * through the page cache.
 *
 * Locks: file->pos_lock while the file's own position is used; inode->lock around a
 * write, so that writes are atomic towards each other and O_APPEND finds the end.
 */
#include <asm/signal.h>
#include <linux/fs.h>
#include <linux/resource.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/notify.h"
#include "fs/dcache.h"

static int64_t transfer(struct file *f, struct uio *u, uint64_t *pos, bool write)
{
	return write ? f->ops->write(f, u, pos) : f->ops->read(f, u, pos);
}

static int64_t file_rw(struct file *f, struct uio *u, uint64_t *pos, bool write)
{
	uint64_t unused = 0;

	uio_truncate(u, RW_MAX);
	if (pos || f->ops->stream) {
		int64_t n = transfer(f, u, pos ? pos : &unused, write);
		notify_transfer(f, n, write);
		return n;
	}
	mutex_lock(&f->pos_lock);
	uint64_t at = f->pos;
	int64_t n = transfer(f, u, &at, write);
	f->pos = at;
	mutex_unlock(&f->pos_lock);
	notify_transfer(f, n, write);
	return n;
}

int64_t file_read(struct file *f, struct uio *u, uint64_t *pos)
{
	int err = file_may_read(f);
	return err ? err : file_rw(f, u, pos, false);
}

int64_t file_write(struct file *f, struct uio *u, uint64_t *pos)
{
	int err = file_may_write(f);
	return err ? err : file_rw(f, u, pos, true);
}

int64_t file_read_kernel(struct file *f, void *buf, size_t n, uint64_t pos)
{
	struct uio u;

	uio_init_kernel(&u, buf, n);
	/* The kernel reads what it executes, whatever the file was opened for. */
	if (!f->ops || !f->ops->read)
		return S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
	return f->ops->read(f, &u, &pos);
}

int64_t file_write_kernel(struct file *f, const void *buf, size_t n, uint64_t pos)
{
	struct uio u;

	uio_init_kernel(&u, (void *)buf, n);
	return file_write(f, &u, &pos);
}

/* ---- through the page cache ---- */

int64_t generic_read(struct file *f, struct uio *u, uint64_t *pos)
{
	int64_t n = mapping_read(&f->inode->mapping, *pos, u);

	if (n > 0)
		*pos += (uint64_t)n;
	file_accessed(f);
	return n;
}

int write_limit(struct inode *i, uint64_t pos, struct uio *u)
{
	uint64_t limit = fs_upcalls.rlimit(RLIMIT_FSIZE);

	if (unlikely(pos >= limit && u->left)) {
		fs_upcalls.signal_current(SIGXFSZ);
		return -EFBIG;
	}
	limit = MIN(limit, i->sb->max_bytes);
	if (unlikely(pos >= limit))
		return u->left ? -EFBIG : 0;
	uio_truncate(u, limit - pos);
	return 0;
}

int64_t inode_write_locked(struct inode *i, struct uio *u, uint64_t *pos)
{
	int64_t n = write_limit(i, *pos, u);

	if (n || !u->left)
		return n;
	n = inode_strip_privileges(i);
	if (n)
		return n;
	n = mapping_write(&i->mapping, *pos, u);
	if (n <= 0)
		return n;
	*pos += (uint64_t)n;
	if (*pos > i->size)
		i->size = *pos;
	inode_touch(i, TOUCH_MTIME | TOUCH_CTIME);
	return n;
}

int64_t generic_write(struct file *f, struct uio *u, uint64_t *pos)
{
	struct inode *i = f->inode;

	mutex_lock(&i->lock);
	if (f->flags & O_APPEND)
		*pos = i->size;
	int64_t n = inode_write_locked(i, u, pos);
	mutex_unlock(&i->lock);
	return n;
}

/* ---- seeking ---- */

/* The place an lseek means, in a file of `size` bytes without holes. */
static int64_t seek_target(uint64_t size, uint64_t pos, int64_t off, int whence)
{
	switch (whence) {
	case SEEK_SET:
		return off;
	case SEEK_CUR:
		return (int64_t)(pos + (uint64_t)off);
	case SEEK_END:
		return (int64_t)(size + (uint64_t)off);
	case SEEK_DATA:
		return off < 0 || (uint64_t)off >= size ? -ENXIO : off;
	case SEEK_HOLE:
		return off < 0 || (uint64_t)off >= size ? -ENXIO : (int64_t)size;
	}
	return -EINVAL;
}

int64_t generic_llseek(struct file *f, int64_t off, int whence)
{
	struct inode *i = f->inode;
	int64_t to = seek_target(i->size, f->pos, off, whence);

	if (to == -ENXIO && (whence == SEEK_DATA || whence == SEEK_HOLE))
		return to;
	if (to < 0 || (uint64_t)to > i->sb->max_bytes)
		return -EINVAL;
	f->pos = (uint64_t)to;
	return to;
}

int64_t noop_llseek(struct file *f, int64_t off, int whence)
{
	return (int64_t)f->pos;
}

int64_t dir_llseek(struct file *f, int64_t off, int whence)
{
	/* A cookie can be gone back to; there is no telling how many follow. */
	return whence == SEEK_SET || whence == SEEK_CUR ? generic_llseek(f, off, whence)
							: -EINVAL;
}

int64_t file_seek(struct file *f, int64_t off, int whence)
{
	if (whence < 0 || whence > SEEK_MAX)
		return -EINVAL;
	if (!f->ops || (f->ops->stream && !f->ops->llseek) || S_ISFIFO(f->inode->mode) ||
	    S_ISSOCK(f->inode->mode))
		return -ESPIPE;
	mutex_lock(&f->pos_lock);
	int64_t n = f->ops->llseek ? f->ops->llseek(f, off, whence)
				   : generic_llseek(f, off, whence);
	mutex_unlock(&f->pos_lock);
	return n;
}

/* ---- directories ---- */

int file_iterate(struct file *f, struct dir_ctx *c)
{
	if (!f->ops || !f->ops->iterate)
		return -ENOTDIR;
	mutex_lock(&f->pos_lock);
	int err =
		f->path.dentry->flags & DENTRY_UNHASHED ? -ENOENT : f->ops->iterate(f, c);
	mutex_unlock(&f->pos_lock);
	file_accessed(f);
	if (!err)
		notify_file(f, IN_ACCESS);
	return err;
}

bool dir_emit_dots(struct file *f, struct dir_ctx *c)
{
	struct dentry *d = f->path.dentry;

	if (f->pos == 0) {
		if (!c->emit(c, ".", 1, 1, d->inode->ino, S_IFDIR >> 12))
			return false;
		f->pos = 1;
	}
	if (f->pos == 1) {
		spin_lock(&dcache_lock);
		uint64_t ino = d->parent->inode->ino;
		spin_unlock(&dcache_lock);
		if (!c->emit(c, "..", 2, 2, ino, S_IFDIR >> 12))
			return false;
		f->pos = 2;
	}
	return true;
}

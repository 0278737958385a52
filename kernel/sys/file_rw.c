/* read, write and their relatives; lseek. */
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/notify.h"
#include "sys/rw.h"
#include "sys/syscall.h"

#define IOV_FAST 8

static const struct rw_way reading = { file_read, false };
static const struct rw_way writing = { file_write, true };

/* Enters a transfer of n bytes, or one that failed, into the thread's account. */
static inline int64_t rw_counted(int64_t n, bool write)
{
	struct thread_counts *c = &thread_current()->counts;

	*(write ? &c->syscw : &c->syscr) += 1;
	if (n > 0)
		*(write ? &c->wchar : &c->rchar) += (uint64_t)n;
	return n;
}

/* At the file's own position; without its lock when nobody else can reach it. */
static int64_t rw_current(const struct fd_ref *r, struct uio *u, const struct rw_way *way)
{
	struct file *f = r->file;

	uint64_t pos = f->pos;
	if ((int64_t)(pos + u->left) < 0)
		return -EINVAL;
	if (!fd_is_sole(r))
		return rw_counted(way->fn(f, u, NULL), way->write);
	int64_t n = rw_counted(way->fn(f, u, &pos), way->write);
	f->pos = pos;
	return n;
}

/* read(2) and write(2) are the calls made most: when the file is this call's alone,
 * nothing stands between it and the file's own operation. */
static __attribute__((always_inline)) inline int64_t rw_plain(int fd, uaddr_t buf,
							      uint64_t count, bool write)
{
	struct fd_ref r;
	struct uio u;

	if (unlikely(!fd_borrow(fd, &r)))
		return -EBADF;
	struct file *f = r.file;
	int64_t n = write ? file_may_write(f) : file_may_read(f);
	/* All of what was asked for must be user space, also what is cut off. */
	if (likely(!n && user_range_ok(buf, count))) {
		uint64_t pos = f->pos;
		uio_init_user(&u, buf, count);
		if (unlikely((int64_t)(pos + count) < 0)) {
			n = -EINVAL;
		} else if (unlikely(!fd_is_sole(&r))) {
			n = write ? file_write(f, &u, NULL) : file_read(f, &u, NULL);
		} else {
			n = write ? f->ops->write(f, &u, &pos)
				  : f->ops->read(f, &u, &pos);
			f->pos = pos;
			notify_transfer(f, n, write);
		}
		rw_counted(n, write);
	} else if (!n || (n == -EISDIR && !user_range_ok(buf, count))) {
		n = -EFAULT;
	}
	fd_return(&r);
	return n;
}

int64_t sys_read(int32_t fd, uaddr_t buf, uint64_t count)
{
	return rw_plain(fd, buf, count, false);
}

int64_t sys_write(int32_t fd, uaddr_t buf, uint64_t count)
{
	return rw_plain(fd, buf, count, true);
}

/* ---- at a given position ---- */

static bool is_seekable(const struct file *f)
{
	return !(f->ops && f->ops->stream) && !S_ISFIFO(f->inode->mode) &&
	       !S_ISSOCK(f->inode->mode);
}

static int may_move(const struct file *f, const struct rw_way *way)
{
	return way->write ? file_may_write(f) : file_may_read(f);
}

/* The file has positions. */
static int64_t rw_at(const struct fd_ref *r, struct uio *u, int64_t pos,
		     const struct rw_way *way)
{
	uint64_t at = (uint64_t)pos;

	if (pos < 0)
		return -EINVAL;
	if (at + u->left > INT64_MAX)
		return -EINVAL;
	return rw_counted(way->fn(r->file, u, &at), way->write);
}

static int64_t rw_positioned(int fd, uaddr_t buf, uint64_t count, int64_t pos,
			     const struct rw_way *way)
{
	struct fd_ref r;
	struct uio u;

	if (pos < 0)
		return -EINVAL;
	if (!fd_borrow(fd, &r))
		return -EBADF;
	int64_t n = is_seekable(r.file) ? may_move(r.file, way) : -ESPIPE;
	if ((!n || n == -EISDIR) && !user_range_ok(buf, count))
		n = -EFAULT;
	if (!n) {
		uio_init_user(&u, buf, count);
		n = rw_at(&r, &u, pos, way);
	}
	fd_return(&r);
	return n;
}

int64_t sys_pread64(int32_t fd, uaddr_t buf, uint64_t count, int64_t pos)
{
	return rw_positioned(fd, buf, count, pos, &reading);
}

int64_t sys_pwrite64(int32_t fd, uaddr_t buf, uint64_t count, int64_t pos)
{
	return rw_positioned(fd, buf, count, pos, &writing);
}

/* ---- vectors ---- */

struct vec_call {
	uaddr_t vec;
	uint64_t vlen;
	bool at; /* at `pos`, else at the file's position */
	int64_t pos;
	const struct rw_way *way;
};

static int64_t rw_vec(int fd, const struct vec_call *c)
{
	struct iovec fast[IOV_FAST], *own;
	struct fd_ref r;
	struct uio u;

	if (!fd_borrow(fd, &r))
		return -EBADF;
	/* Whether it has positions, the open mode, the vector, then the file, which is
	 * not asked for nothing. */
	int64_t n = c->at && !is_seekable(r.file) ? -ESPIPE : 0;
	if (!n && !(r.file->mode & (c->way->write ? FMODE_WRITE : FMODE_READ)))
		n = -EBADF;
	if (!n)
		n = uio_init_vec(&u, c->vec, c->vlen, fast, IOV_FAST, &own);
	if (!n && !u.left) {
		n = may_move(r.file, c->way);
		n = n == -EISDIR ? 0 : n;
		heap_free(own);
	} else if (!n) {
		n = c->at ? rw_at(&r, &u, c->pos, c->way) : rw_current(&r, &u, c->way);
		heap_free(own);
	}
	fd_return(&r);
	return n;
}

int64_t sys_readv(int32_t fd, uaddr_t vec, uint64_t vlen)
{
	return rw_vec(fd, &(struct vec_call){ vec, vlen, false, 0, &reading });
}

int64_t sys_writev(int32_t fd, uaddr_t vec, uint64_t vlen)
{
	return rw_vec(fd, &(struct vec_call){ vec, vlen, false, 0, &writing });
}

int64_t sys_preadv(int32_t fd, uaddr_t vec, uint64_t vlen, uint64_t pos_l, uint64_t pos_h)
{
	if ((int64_t)pos_l < 0)
		return -EINVAL;
	return rw_vec(fd,
		      &(struct vec_call){ vec, vlen, true, (int64_t)pos_l, &reading });
}

int64_t sys_pwritev(int32_t fd, uaddr_t vec, uint64_t vlen, uint64_t pos_l,
		    uint64_t pos_h)
{
	if ((int64_t)pos_l < 0)
		return -EINVAL;
	return rw_vec(fd,
		      &(struct vec_call){ vec, vlen, true, (int64_t)pos_l, &writing });
}

/* RWF_HIPRI and the sync flags ask for nothing that memory does not give anyway. */
#define RWF_FINE ((uint32_t)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))
#define RWF_KNOWN (RWF_FINE | (uint32_t)(RWF_APPEND | RWF_NOWAIT))

static int64_t write_append(struct file *f, struct uio *u, uint64_t *pos)
{
	uint64_t end = f->inode->size;
	int64_t n = file_write(f, u, &end);

	if (pos)
		*pos = end;
	return n;
}

static int64_t read_nowait(struct file *f, struct uio *u, uint64_t *pos)
{
	int err = file_may_read(f);

	if (err)
		return err == -EISDIR ? -EOPNOTSUPP : err;
	if (!f->ops->nowait_read)
		return -EOPNOTSUPP;
	u->nowait = true;
	return file_read(f, u, pos);
}

static int64_t write_nowait(struct file *f, struct uio *u, uint64_t *pos)
{
	int err = file_may_write(f);

	if (err)
		return err;
	if (!f->ops->nowait_write)
		return -EOPNOTSUPP;
	u->nowait = true;
	return file_write(f, u, pos);
}

/* Flags that nobody knows are looked at last. */
static int64_t refuse_read(struct file *f, struct uio *u, uint64_t *pos)
{
	int err = file_may_read(f);
	return err ? err : -EOPNOTSUPP;
}

static int64_t refuse_write(struct file *f, struct uio *u, uint64_t *pos)
{
	int err = file_may_write(f);
	return err ? err : -EOPNOTSUPP;
}

bool rw_flags_ok(const struct file *f, uint32_t flags, bool write)
{
	bool nowait = f->ops && (write ? f->ops->nowait_write : f->ops->nowait_read);

	return !(flags & ~RWF_KNOWN) && (nowait || !(flags & RWF_NOWAIT));
}

const struct rw_way *rw_way_of(uint32_t flags, bool write)
{
	static const struct rw_way unknown[] = { { refuse_read, false },
						 { refuse_write, true } };
	static const struct rw_way nowait[] = { { read_nowait, false },
						{ write_nowait, true } };
	static const struct rw_way appending = { write_append, true };

	if (flags & ~RWF_KNOWN)
		return &unknown[write];
	if (flags & RWF_NOWAIT)
		return &nowait[write];
	if (write)
		return flags & RWF_APPEND ? &appending : &writing;
	return &reading;
}

int64_t sys_preadv2(int32_t fd, uaddr_t vec, uint64_t vlen, uint64_t pos_l,
		    uint64_t pos_h, uint32_t flags)
{
	return rw_vec(fd, &(struct vec_call){ vec, vlen, pos_l != UINT64_MAX,
					      (int64_t)pos_l, rw_way_of(flags, false) });
}

int64_t sys_pwritev2(int32_t fd, uaddr_t vec, uint64_t vlen, uint64_t pos_l,
		     uint64_t pos_h, uint32_t flags)
{
	return rw_vec(fd, &(struct vec_call){ vec, vlen, pos_l != UINT64_MAX,
					      (int64_t)pos_l, rw_way_of(flags, true) });
}

int64_t sys_lseek(int32_t fd, int64_t offset, uint32_t whence)
{
	struct fd_ref r;

	if (!fd_borrow(fd, &r))
		return -EBADF;
	int64_t n = file_seek(r.file, offset, (int)whence);
	fd_return(&r);
	return n;
}

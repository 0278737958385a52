/* splice, tee, vmsplice. */
#include <linux/limits.h>

#include "fs/splice.h"
#include "sys/syscall.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)
#define LEN_MAX 0x7ffff000ull /* as read(2) */

/* A file of a descriptor that must be open in the ways of `mode`. 0 or -EBADF. */
static int get_file(int32_t fd, uint32_t mode, struct file **ret)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	if ((f->mode & mode) != mode) {
		file_put(f);
		return -EBADF;
	}
	*ret = f;
	return 0;
}

/* A position given by pointer. A pipe has none, nor has any other stream. 0, -ESPIPE,
 * -EFAULT, -EINVAL. */
static int get_position(struct file *f, uaddr_t at, uint64_t *value, uint64_t **ret)
{
	*ret = NULL;
	if (!at.va)
		return 0;
	if (pipe_of(f))
		return -ESPIPE;
	if (!f->ops || f->ops->stream)
		return -EINVAL;
	if (get_user(*value, at))
		return -EFAULT;
	if (*value > INT64_MAX)
		return -EINVAL;
	*ret = value;
	return 0;
}

static int64_t splice_files(struct file *in, uaddr_t in_at, struct file *out,
			    uaddr_t out_at, size_t len, uint32_t flags)
{
	uint64_t in_value, out_value, *in_pos, *out_pos;
	int err = get_position(in, in_at, &in_value, &in_pos);
	int64_t n;

	if (!err)
		err = get_position(out, out_at, &out_value, &out_pos);
	if (err)
		return err;
	n = file_splice(in, in_pos, out, out_pos, len, flags);
	if (n > 0 && in_pos && put_user(in_at, in_value))
		return -EFAULT;
	if (n > 0 && out_pos && put_user(out_at, out_value))
		return -EFAULT;
	return n;
}

/* Both ends of a transfer, to be given back with file_put(). 0 or -EBADF. */
static int get_files(int32_t fd_in, struct file **ret_in, int32_t fd_out,
		     struct file **ret_out)
{
	int err = get_file(fd_in, FMODE_READ, ret_in);

	if (err)
		return err;
	err = get_file(fd_out, FMODE_WRITE, ret_out);
	if (err)
		file_put(*ret_in);
	return err;
}

int64_t sys_splice(int32_t fd_in, uaddr_t off_in, int32_t fd_out, uaddr_t off_out,
		   uint64_t len, uint32_t flags)
{
	struct file *in, *out;
	int64_t n;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!len)
		return 0;
	n = get_files(fd_in, &in, fd_out, &out);
	if (n)
		return n;
	n = splice_files(in, off_in, out, off_out, MIN(len, LEN_MAX), flags);
	file_put(out);
	file_put(in);
	return n;
}

int64_t sys_tee(int32_t fd_in, int32_t fd_out, uint64_t len, uint32_t flags)
{
	struct file *in, *out;
	int64_t n;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!len)
		return 0;
	n = get_files(fd_in, &in, fd_out, &out);
	if (n)
		return n;
	n = pipe_tee(in, out, MIN(len, LEN_MAX), flags);
	file_put(out);
	file_put(in);
	return n;
}

/* Copies, where Linux may lend pages: a gift that the giver can still write to is no safe
 * one. */
int64_t sys_vmsplice(int32_t fd, uaddr_t iov, uint64_t n, uint32_t flags)
{
	struct iovec fast[8], *more = NULL;
	struct file *f;
	struct uio u;
	int64_t done;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	done = uio_init_vec(&u, iov, n, fast, ARRAY_LEN(fast), &more);
	if (!done)
		done = pipe_vmsplice(f, &u, flags);
	heap_free(more);
	file_put(f);
	return done;
}

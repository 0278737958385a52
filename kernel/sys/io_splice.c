/* splice, tee, vmsplice. */
#include <linux/limits.h>

#include "fs/splice.h"
#include "sys/syscall.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)
#define LEN_MAX 0x7ffff000ull /* as read(2) */

static int check_modes(const struct file *in, const struct file *out)
{
	return (in->mode & FMODE_READ) && (out->mode & FMODE_WRITE) ? 0 : -EBADF;
}

/* A position given by pointer: a pipe has none. 0, -ESPIPE, -EFAULT. */
static int get_position(struct file *f, uaddr_t at, uint64_t *ret)
{
	if (!at.va)
		return 0;
	return pipe_of(f) ? -ESPIPE : get_user(*ret, at);
}

/* Nor has any other stream one, but that is told later. What is to be moved must not
 * leave the file. */
static bool position_ok(struct file *f, const uint64_t *pos, uint64_t len)
{
	if (pos && (!f->ops || f->ops->stream))
		return false;
	uint64_t at = pos ? *pos : f->pos;
	return pipe_of(f) || (at <= INT64_MAX && len <= INT64_MAX - at);
}

static int64_t splice_files(struct file *in, uaddr_t in_at, struct file *out,
			    uaddr_t out_at, uint64_t len, uint32_t flags)
{
	uint64_t in_value = 0, out_value = 0;
	uint64_t *in_pos = in_at.va ? &in_value : NULL;
	uint64_t *out_pos = out_at.va ? &out_value : NULL;
	int err = get_position(in, in_at, &in_value);
	int64_t n;

	if (!err)
		err = get_position(out, out_at, &out_value);
	if (!err)
		err = check_modes(in, out);
	if (err)
		return err;
	if (!position_ok(in, in_pos, len) || !position_ok(out, out_pos, len))
		return -EINVAL;
	n = file_splice(in, in_pos, out, out_pos, MIN(len, LEN_MAX), flags);
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
	*ret_in = fd_get(fd_in);
	if (!*ret_in)
		return -EBADF;
	*ret_out = fd_get(fd_out);
	if (*ret_out)
		return 0;
	file_put(*ret_in);
	return -EBADF;
}

int64_t sys_splice(int32_t fd_in, uaddr_t off_in, int32_t fd_out, uaddr_t off_out,
		   uint64_t len, uint32_t flags)
{
	struct file *in, *out;
	int64_t n;

	if (!len)
		return 0;
	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	n = get_files(fd_in, &in, fd_out, &out);
	if (n)
		return n;
	n = splice_files(in, off_in, out, off_out, len, flags);
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
	n = check_modes(in, out);
	if (!n)
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
	if (!done && u.left)
		done = pipe_vmsplice(f, &u, flags);
	heap_free(more);
	file_put(f);
	return done;
}

/* sendfile and copy_file_range. */
#include "fs/copy.h"
#include "fs/file.h"
#include "fs/flags.h"
#include "sys/syscall.h"

static bool is_stream(const struct file *f)
{
	return (f->ops && f->ops->stream) || S_ISFIFO(f->inode->mode) ||
	       S_ISSOCK(f->inode->mode);
}

/* Reads an offset argument, if there is one. 0, -EFAULT. */
static int offset_in(uaddr_t arg, uint64_t *ret)
{
	return arg.va ? get_user(*ret, arg) : 0;
}

static int64_t offset_out(int64_t n, uaddr_t arg, uint64_t pos)
{
	return arg.va && n > 0 && put_user(arg, pos) ? -EFAULT : n;
}

/* Both calls count as a read and a write of what they moved. */
static int64_t copy_counted(int64_t n)
{
	struct thread_counts *c = &thread_current()->counts;

	c->syscr++;
	c->syscw++;
	if (n > 0) {
		c->rchar += (uint64_t)n;
		c->wchar += (uint64_t)n;
	}
	return n;
}

/* Where from is looked at before where to. pos NULL: the file's own. */
static int sendfile_check_in(const struct file *in, const uint64_t *pos, uint64_t count)
{
	if (!(in->mode & FMODE_READ))
		return -EBADF;
	if (pos && is_stream(in))
		return -ESPIPE;
	return (pos && (int64_t)*pos < 0) || (int64_t)count < 0 ? -EINVAL : 0;
}

static int sendfile_check_out(const struct file *out, const struct file *in)
{
	if (!(out->mode & FMODE_WRITE))
		return -EBADF;
	return is_stream(in) || S_ISDIR(in->inode->mode) || (out->flags & O_APPEND)
		       ? -EINVAL
		       : 0;
}

static int64_t do_sendfile(int32_t out_fd, struct file *in, uint64_t *pos, uint64_t count)
{
	int64_t n = sendfile_check_in(in, pos, count);

	if (n)
		return n;
	struct file *out = fd_get(out_fd);
	if (!out)
		return -EBADF;
	n = sendfile_check_out(out, in);
	if (!n)
		n = copy_counted(file_copy(in, pos, out, NULL, count));
	file_put(out);
	return n;
}

int64_t sys_sendfile(int32_t out_fd, int32_t in_fd, uaddr_t offset, uint64_t count)
{
	uint64_t pos = 0;

	if (offset.va && get_user(pos, offset))
		return -EFAULT;
	struct file *in = fd_get(in_fd);
	if (!in)
		return -EBADF;
	int64_t n = do_sendfile(out_fd, in, offset.va ? &pos : NULL, count);
	file_put(in);
	/* Given back whatever became of the call. */
	return offset.va && put_user(offset, pos) ? -EFAULT : n;
}

struct range_copy {
	struct file *in, *out;
	uaddr_t off_in, off_out;
	uint64_t len;
};

static int check_files(const struct range_copy *c)
{
	if (S_ISDIR(c->in->inode->mode) || S_ISDIR(c->out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(c->in->inode->mode) || !S_ISREG(c->out->inode->mode))
		return -EINVAL;
	if (!(c->in->mode & FMODE_READ) || !(c->out->mode & FMODE_WRITE) ||
	    (c->out->flags & O_APPEND))
		return -EBADF;
	return inode_is_immutable(c->out->inode) ? -EPERM : 0;
}

static bool overlap(const struct range_copy *c, uint64_t in, uint64_t out)
{
	return c->in->inode == c->out->inode && in < out + c->len && out < in + c->len;
}

static int64_t do_copy_range(struct range_copy *c, uint32_t flags)
{
	uint64_t in = c->in->pos, out = c->out->pos;

	int err = offset_in(c->off_in, &in);
	if (!err)
		err = offset_in(c->off_out, &out);
	if (!err && flags)
		err = -EINVAL;
	if (!err)
		err = check_files(c);
	if (err)
		return err;
	if (in + c->len < in || out + c->len < out)
		return -EOVERFLOW;
	if ((int64_t)in < 0 || (int64_t)out < 0)
		return -EINVAL;
	if (overlap(c, in, out))
		return -EINVAL;
	/* Even if there is nothing to copy. */
	struct uio one = { .left = 1 };
	err = write_limit(c->out->inode, out, &one);
	if (err)
		return err;
	int64_t n = copy_counted(file_copy(c->in, c->off_in.va ? &in : NULL, c->out,
					   c->off_out.va ? &out : NULL, c->len));
	n = offset_out(n, c->off_in, in);
	return offset_out(n, c->off_out, out);
}

int64_t sys_copy_file_range(int32_t fd_in, uaddr_t off_in, int32_t fd_out,
			    uaddr_t off_out, uint64_t len, uint32_t flags)
{
	struct range_copy c = { fd_get(fd_in), fd_get(fd_out), off_in, off_out, len };
	int64_t n = -EBADF;

	if (c.in && c.out)
		n = do_copy_range(&c, flags);
	if (c.in)
		file_put(c.in);
	if (c.out)
		file_put(c.out);
	return n;
}

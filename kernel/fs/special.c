/* Opening what is not data of a file system: devices, FIFOs, sockets; and symbolic
 * links. */
#include "fs/inode.h"
#include "lib/string.h"

static int special_open(struct inode *i, struct file *f)
{
	switch (i->mode & S_IFMT) {
	case S_IFCHR:
		return chrdev_open(i, f);
	case S_IFIFO:
		f->ops = &fifo_file_ops;
		return fifo_file_ops.open(i, f);
	}
	/* No block special file has a driver here; a socket is for connect(2). */
	return -ENXIO;
}

const struct file_ops special_file_ops = {
	.open = special_open,
};

static int64_t symlink_read(struct inode *i, char *buf, size_t n)
{
	size_t len = MIN(strlen(i->priv), n);

	memcpy(buf, i->priv, len);
	return (int64_t)len;
}

const struct inode_ops symlink_only_ops = {
	.readlink = symlink_read,
};

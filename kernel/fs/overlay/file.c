/*
 * Files of an overlay. What is read and mapped is the real inode's page cache, shared by
 * all who use the layer; opening for writing copies up, so a write always finds an upper.
 */
#include <linux/fs.h>

#include "fs/acl.h"
#include "fs/file.h"
#include "fs/file_caps.h"
#include "fs/overlay/overlay.h"
#include "lib/string.h"

static int ovl_open(struct inode *i, struct file *f)
{
	if (!(f->mode & FMODE_WRITE) && !(f->flags & O_TRUNC))
		return 0;
	/* What is cut off at once need not be copied. */
	return ovl_copy_up(i, !(f->flags & O_TRUNC));
}

static int64_t ovl_read(struct file *f, struct uio *u, uint64_t *pos)
{
	int64_t n = mapping_read(&ovl_real(f->inode)->mapping, *pos, u);

	if (n > 0)
		*pos += (uint64_t)n;
	file_accessed(f);
	return n;
}

static int64_t ovl_write(struct file *f, struct uio *u, uint64_t *pos)
{
	struct inode *i = f->inode, *upper = ovl_real(i);

	mutex_lock(&i->lock);
	mutex_lock(&upper->lock);
	if (f->flags & O_APPEND)
		*pos = upper->size;
	int64_t n = inode_write_locked(upper, u, pos);
	ovl_sync(i);
	mutex_unlock(&upper->lock);
	mutex_unlock(&i->lock);
	return n;
}

static int ovl_mmap(struct file *f, struct map_request *r)
{
	r->mapping = &ovl_real(f->inode)->mapping;
	r->ops = &file_area_ops;
	r->owner = f;
	file_accessed(f);
	return 0;
}

static int64_t ovl_fallocate(struct file *f, int mode, uint64_t off, uint64_t len)
{
	struct inode *i = f->inode, *upper = ovl_real(i);
	/* Upper's operation looks at the inode alone. */
	struct file real = { .inode = upper, .ops = upper->fops, .mode = f->mode };

	if (!upper->fops->fallocate)
		return -EOPNOTSUPP;
	mutex_lock(&i->lock);
	int64_t n = upper->fops->fallocate(&real, mode, off, len);
	ovl_sync(i);
	mutex_unlock(&i->lock);
	return n;
}

/* Holes are upper's affair; of lower's files none is known. */
static int64_t ovl_llseek(struct file *f, int64_t off, int whence)
{
	struct inode *real = ovl_real(f->inode);
	bool holes = whence == SEEK_DATA || whence == SEEK_HOLE;

	if (!holes || !ovl_of(f->inode)->upper || !real->fops->llseek)
		return generic_llseek(f, off, whence);
	struct file at = { .inode = real, .ops = real->fops, .mode = f->mode };
	int64_t to = real->fops->llseek(&at, off, whence);
	if (to >= 0)
		f->pos = (uint64_t)to;
	return to;
}

static int ovl_fsync(struct file *f)
{
	return 0;
}

const struct file_ops ovl_file_fops = {
	.open = ovl_open,
	.read = ovl_read,
	.write = ovl_write,
	.mmap = ovl_mmap,
	.llseek = ovl_llseek,
	.fallocate = ovl_fallocate,
	.fsync = ovl_fsync,
};

/* ---- attributes ---- */

int ovl_setattr(struct inode *i, const struct attr_change *a)
{
	bool emptied = (a->valid & ATTR_SIZE) && a->size == 0;

	int err = ovl_copy_up(i, !emptied);
	if (err)
		return err;
	struct inode *upper = ovl_real(i);
	mutex_lock(&upper->lock);
	err = upper->ops->setattr ? upper->ops->setattr(upper, a)
				  : inode_setattr_simple(upper, a);
	ovl_sync(i);
	if (a->valid & ATTR_ATIME)
		i->t.atime = upper->t.atime;
	if (a->valid & ATTR_MTIME)
		i->t.mtime = upper->t.mtime;
	mutex_unlock(&upper->lock);
	return err;
}

int ovl_getattr(struct inode *i, struct kstat *ret)
{
	struct inode *real = ovl_real(i);
	struct kstat k;
	int err = 0;

	inode_getattr_simple(i, ret);
	/* Each layer has its own flags; these two hold in all. */
	ret->attributes_mask = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND |
			       (real->sb->file_flags & FLAGS_OF_STATX);
	if (!S_ISREG(i->mode))
		return 0;
	if (real->ops->getattr)
		err = real->ops->getattr(real, &k);
	else
		inode_getattr_simple(real, &k);
	if (!err)
		ret->blocks = k.blocks;
	return err;
}

int ovl_setflags(struct inode *i, uint32_t flags)
{
	uint32_t had = i->flags;

	int err = ovl_copy_up(i, true);
	if (err)
		return err;
	struct inode *upper = ovl_real(i);
	if (!upper->ops->setflags)
		return -EOPNOTSUPP;
	/* chattr(1) gives back what lsattr(1) saw, so also how lower's file is stored:
	 * that says nothing about its copy. */
	flags &= ~(had & ~upper->sb->file_flags);
	mutex_lock(&upper->lock);
	err = upper->ops->setflags(upper, flags);
	ovl_sync(i);
	mutex_unlock(&upper->lock);
	return err;
}

/* ---- extended attributes: the overlay's own marks are not for others ---- */

static bool is_mark(const char *name)
{
	static const char prefix[] = "trusted.overlay.";
	return !strncmp(name, prefix, sizeof prefix - 1);
}

int64_t ovl_getxattr(struct inode *i, const char *name, void *buf, size_t n)
{
	struct inode *real = ovl_real(i);

	if (!real->ops->getxattr)
		return -EOPNOTSUPP;
	return is_mark(name) ? -ENODATA : real->ops->getxattr(real, name, buf, n);
}

int ovl_setxattr(struct inode *i, const char *name, const void *v, size_t n, int flags)
{
	int err = is_mark(name) ? -EPERM : ovl_copy_up(i, true);
	if (err)
		return err;
	struct inode *upper = ovl_real(i);
	if (!upper->ops->setxattr)
		return -EOPNOTSUPP;
	mutex_lock(&upper->lock);
	/* Writing goes to the upper inode and asks that one. */
	if (!strcmp(name, FILE_CAPS_NAME))
		inode_file_caps_changed(upper);
	err = upper->ops->setxattr(upper, name, v, n, flags);
	ovl_sync(i);
	mutex_unlock(&upper->lock);
	return err;
}

int ovl_removexattr(struct inode *i, const char *name)
{
	if (is_mark(name))
		return -ENODATA;
	int64_t there = ovl_getxattr(i, name, NULL, 0);
	if (there < 0)
		return (int)there;
	int err = ovl_copy_up(i, true);
	if (err)
		return err;
	struct inode *upper = ovl_real(i);
	if (!upper->ops->removexattr)
		return -EOPNOTSUPP;
	mutex_lock(&upper->lock);
	err = upper->ops->removexattr(upper, name);
	ovl_sync(i);
	mutex_unlock(&upper->lock);
	return err;
}

int64_t ovl_listxattr(struct inode *i, char *buf, size_t n)
{
	struct inode *real = ovl_real(i);

	if (!real->ops->listxattr)
		return 0;
	int64_t len = real->ops->listxattr(real, buf, n);
	if (len <= 0 || !n)
		return len;
	size_t out = 0;
	for (int64_t at = 0; at < len;) {
		size_t k = strlen(buf + at) + 1;
		if (!is_mark(buf + at)) {
			memmove(buf + out, buf + at, k);
			out += k;
		}
		at += (int64_t)k;
	}
	return (int64_t)out;
}

int ovl_set_acl(struct inode *i, const struct acl_change *c)
{
	const struct acl *old = c->kind == ACL_OF_ACCESS ? i->acl : i->default_acl;

	if (!c->acl && !old && !ovl_of(i)->upper)
		return -ENODATA;
	int err = ovl_copy_up(i, true);
	if (err)
		return err;
	struct inode *upper = ovl_real(i);
	if (!upper->ops->set_acl)
		return -EOPNOTSUPP;
	mutex_lock(&upper->lock);
	err = upper->ops->set_acl(upper, c);
	ovl_sync(i);
	mutex_unlock(&upper->lock);
	return err;
}

static int64_t ovl_readlink(struct inode *i, char *buf, size_t n)
{
	struct inode *real = ovl_real(i);
	return real->ops->readlink(real, buf, n);
}

const struct inode_ops ovl_file_ops = {
	.set_acl = ovl_set_acl,
	OVL_ATTR_OPS,
};

const struct inode_ops ovl_symlink_ops = {
	.readlink = ovl_readlink,
	OVL_ATTR_OPS,
};

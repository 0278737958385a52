/* memfd_create(2): files of a tmpfs that is mounted nowhere, and their seals. */
#include <linux/memfd.h>

#include "fs/dcache.h"
#include "fs/mount.h"
#include "fs/open.h"
#include "fs/tmpfs/tmpfs.h"

static struct mount *memfd_mount; /* [I] */

#define SEALS_ALL                                                                        \
	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

int memfd_new(const char *name, uint32_t flags, struct file **ret)
{
	struct super_block *sb = memfd_mount->sb;
	char text[NAME_MAX_LEN + 1];
	struct inode *i;

	int err = tmpfs_inode_new(sb, NULL, S_IFREG | S_IRWXU | S_IRWXG | S_IRWXO, 0, &i);
	if (err)
		return err;
	i->nlink = 0;
	tmpfs_of(i)->seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;
	fmt_to(text, sizeof text, "/memfd:%s (deleted)", name);
	struct dentry *d = dentry_new_lone(i, text);
	if (!d)
		return -ENOMEM;
	d->flags |= DENTRY_ANON;
	struct path p = { memfd_mount, d };
	err = file_open_created(&p, O_RDWR | O_LARGEFILE, ret);
	dentry_put(d);
	return err;
}

static bool is_memfd(const struct file *f)
{
	return f->inode->ops == &tmpfs_file_inode_ops && S_ISREG(f->inode->mode);
}

int memfd_seals_get(const struct file *f)
{
	if (!is_memfd(f))
		return -EINVAL;
	/* Files of other tmpfs mounts are born sealed against sealing, as in Linux. */
	return f->inode->sb == memfd_mount->sb ? (int)tmpfs_of(f->inode)->seals
					       : F_SEAL_SEAL;
}

int memfd_seals_add(struct file *f, uint32_t seals)
{
	struct inode *i = f->inode;
	int err = 0;

	if (!(f->mode & FMODE_WRITE))
		return -EPERM;
	if ((seals & ~(uint32_t)SEALS_ALL) || !is_memfd(f))
		return -EINVAL;
	mutex_lock(&i->lock);
	if (memfd_seals_get(f) & F_SEAL_SEAL)
		err = -EPERM;
	else if ((seals & F_SEAL_WRITE) && i->mapping.writable_maps)
		err = -EBUSY;
	else
		tmpfs_of(i)->seals |= seals;
	mutex_unlock(&i->lock);
	return err;
}

void memfd_init(void)
{
	int err = mount_internal("tmpfs", "memfd", NULL, MS_NODEV | MS_NOSUID,
				 &memfd_mount);
	insist(!err);
	tmpfs_unlimit(memfd_mount->sb);
}

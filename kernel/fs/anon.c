/*
 * Files without a name: those of eventfd and its like share one inode, pipes and sockets
 * have each their own. All belong to a file system that is mounted nowhere.
 */
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/mount.h"
#include "fs/name.h"
#include "fs/open.h"
#include "lib/string.h"

#define ANON_INODE_FS_MAGIC 0x09041934u

static struct mount *anon_mount; /* [I] */

/* It belongs to all of them: nobody changes it for the others. */
static int anon_setattr(struct inode *i, const struct attr_change *a)
{
	return -EOPNOTSUPP;
}

static int anon_fill(struct super_block *sb, const char *source, const char *data)
{
	static const struct super_ops ops;
	static const struct inode_ops shared_ops = { .setattr = anon_setattr };
	struct inode *i = inode_new(sb, sb->next_ino++);

	if (!i)
		return -ENOMEM;
	i->mode = S_IRUSR | S_IWUSR;
	i->ops = &shared_ops;
	sb->ops = &ops;
	sb->root = dentry_new_root(i);
	return sb->root ? 0 : -ENOMEM;
}

static const struct fs_type anon_type = {
	.name = "anon_inodefs",
	.magic = ANON_INODE_FS_MAGIC,
	.mount = anon_fill,
};

/* The dentries of the shared inode are children of its root, so that the cache finds
 * them. */
static int shared_dentry(const char *what, struct dentry **ret)
{
	struct dentry *root = anon_mount->root;
	char text[64];
	size_t n = fmt_to(text, sizeof text, "anon_inode:%s", what);
	struct qname name = { text, (uint32_t)n, name_hash(root, text, n) };
	int err = 0;

	struct dentry *d = dcache_find(root, &name);
	if (!d) {
		mutex_lock(&root->inode->lock);
		d = dcache_find(root, &name);
		if (!d) {
			d = dentry_new(root, &name);
			if (d) {
				d->flags |= DENTRY_ANON;
				dentry_instantiate(d, inode_get(root->inode));
				dentry_hash(d);
			}
		}
		mutex_unlock(&root->inode->lock);
	}
	if (!d)
		err = -ENOMEM;
	*ret = d;
	return err;
}

/* Consumes d. */
static int file_on(struct dentry *d, const struct file_ops *ops, void *priv,
		   uint32_t flags, struct file **ret)
{
	struct file *f = file_alloc(flags);
	if (!f) {
		dentry_put(d);
		return -ENOMEM;
	}
	mount_get(anon_mount);
	f->path = (struct path){ anon_mount, d };
	f->inode = d->inode;
	f->ops = ops;
	f->priv = priv;
	f->mode = mode_of_flags(flags);
	*ret = f;
	return 0;
}

int file_new_anon(const char *name, const struct file_ops *ops, void *priv,
		  uint32_t flags, struct file **ret)
{
	struct dentry *d;

	int err = shared_dentry(name, &d);
	return err ? err : file_on(d, ops, priv, flags, ret);
}

int file_new_nameless(const char *name, uint32_t mode, const struct file_ops *ops,
		      void *priv, uint32_t flags, struct file **ret)
{
	return file_new_numbered(name, anon_mount->sb->next_ino++, mode, ops, priv, flags,
				 ret);
}

int file_new_numbered(const char *name, uint64_t ino, uint32_t mode,
		      const struct file_ops *ops, void *priv, uint32_t flags,
		      struct file **ret)
{
	struct inode *i = inode_new(anon_mount->sb, ino);

	if (!i)
		return -ENOMEM;
	inode_init_owner(i, NULL, mode);
	i->fops = ops;
	struct dentry *d = dentry_new_lone(i, name);
	if (!d)
		return -ENOMEM;
	d->flags |= DENTRY_ANON | DENTRY_NUMBERED;
	return file_on(d, ops, priv, flags, ret);
}

void anon_init(void)
{
	struct super_block *sb;

	int err = super_mount_type(&anon_type, NULL, NULL, 0, &sb);
	insist(!err);
	anon_mount = mount_new(sb, sb->root, MS_NODEV | MS_NOEXEC | MS_NOSUID, "anon");
	insist(anon_mount);
	anon_mount->internal = true;
}

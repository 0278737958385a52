/*
 * Taking names away: unlink(2), rmdir(2).
 *
 * Locks: the directory's inode lock, then the victim's: nlink and "is a mount point" stay
 * true while the file system works. The inode's own end comes after both are dropped.
 */
#include "fs/confine.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "fs/walk.h"

/* Walks to the parent; the error for a last component that is no name, by kind. */
static int parent_walk(struct walk *w, int dirfd, const char *name,
		       const int wrong_kind[4])
{
	int err = walk_init(w, dirfd, name, 0, true, thread_current()->cred);
	if (err)
		return err;
	err = walk_run(w);
	if (!err)
		err = wrong_kind[w->kind];
	if (!err)
		err = read_only_at(&w->at);
	if (err)
		walk_end(w);
	return err;
}

static int remove_locked(const struct path *parent, struct dentry *d, bool as_dir)
{
	struct inode *dir = parent->dentry->inode, *victim = d->inode;
	int (*op)(struct inode *, struct dentry *) =
		as_dir ? dir->ops->rmdir : dir->ops->unlink;
	if (!op)
		return -EPERM;
	if (as_dir)
		dcache_prune_children(d);
	mutex_lock(&victim->lock);
	int err = d->flags & DENTRY_MOUNTPOINT ? -EBUSY : op(dir, d);
	if (!err && !as_dir)
		notify_inode(victim, IN_ATTRIB); /* st_nlink */
	if (!err)
		dentry_removed(d);
	mutex_unlock(&victim->lock);
	if (!err)
		notify_name(dir, &d->name, victim, IN_DELETE);
	return err;
}

/* `trailing`: a slash follows the name. */
static int remove_child(const struct path *parent, const struct qname *name,
			bool trailing, bool as_dir)
{
	struct inode *dir = parent->dentry->inode, *victim = NULL;
	struct dentry *d;

	mutex_lock(&dir->lock);
	int err = lookup_locked(parent->dentry, name, &d);
	if (err) {
		mutex_unlock(&dir->lock);
		return err;
	}
	if (trailing && !as_dir && d->inode)
		err = S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
	if (!err)
		err = may_delete(parent, d, as_dir);
	if (!err)
		err = confine_name(parent, name, want_to_remove(d->inode->mode));
	if (!err) {
		victim = inode_get(d->inode);
		err = remove_locked(parent, d, as_dir);
	}
	mutex_unlock(&dir->lock);
	dentry_put(d);
	inode_put(victim);
	return err;
}

int vfs_unlink_child(const struct path *dir, const struct qname *name)
{
	return remove_child(dir, name, false, false);
}

int vfs_unlink(int dirfd, const char *name)
{
	static const int wrong_kind[] = { 0, -EISDIR, -EISDIR, -EISDIR };
	struct walk w;

	int err = parent_walk(&w, dirfd, name, wrong_kind);
	if (err)
		return err;
	err = remove_child(&w.at, &w.last, w.trailing, false);
	walk_end(&w);
	return err;
}

int vfs_rmdir(int dirfd, const char *name)
{
	static const int wrong_kind[] = { 0, -EINVAL, -ENOTEMPTY, -EBUSY };
	struct walk w;

	int err = parent_walk(&w, dirfd, name, wrong_kind);
	if (err)
		return err;
	err = remove_child(&w.at, &w.last, w.trailing, true);
	walk_end(&w);
	return err;
}

/*
 * Making and removing names in an overlay. The VFS has checked everything against the
 * merged view and holds the overlay directory's lock.
 */
#include <linux/fs.h>

#include "fs/overlay/overlay.h"
#include "fs/walk.h"
#include "lib/fmt.h"
#include "lib/string.h"

/* ---- whiteouts; sb->change and the upper directory's lock are held ---- */

/* An unused name in an upper directory, for what is made before it is put in place.
 * Nobody lists the directory while its lock is held. */
static int temp_name(struct ovl_sb *s, struct dentry *udir, struct dentry **ret)
{
	char text[24];
	size_t n = fmt_to(text, sizeof text, "#%llx", (unsigned long long)s->next_temp++);
	struct qname name = { text, (uint32_t)n, name_hash(udir, text, n) };

	return lookup_locked(udir, &name, ret);
}

static int remove_upper(struct dentry *udir, struct dentry *ud)
{
	struct inode *dir = udir->inode, *victim = inode_get(ud->inode);

	mutex_lock(&victim->lock);
	int err = S_ISDIR(victim->mode) ? dir->ops->rmdir(dir, ud)
					: dir->ops->unlink(dir, ud);
	if (!err)
		dentry_removed(ud);
	mutex_unlock(&victim->lock);
	inode_put(victim);
	return err;
}

int ovl_cover(struct ovl_sb *s, struct dentry *udir, struct dentry *ud)
{
	struct inode *dir = udir->inode;
	struct dentry *white;

	if (!ud->inode)
		return dir->ops->mknod(dir, ud, S_IFCHR, 0);
	/* Two steps that cannot leave the lower name bare: cover first, remove then. */
	int err = temp_name(s, udir, &white);
	if (err)
		return err;
	err = dir->ops->mknod(dir, white, S_IFCHR, 0);
	if (!err) {
		err = dir->ops->rename(dir, white, dir, ud, RENAME_EXCHANGE);
		if (!err)
			dentry_exchange(white, ud);
		/* ud is under the temporary name now, or white still is. */
		int rest = remove_upper(udir, err ? white : ud);
		err = err ? err : rest;
	}
	dentry_put(white);
	return err;
}

/* ---- making ---- */

/* What is to be made, whatever its kind. */
struct making {
	uint32_t mode;
	dev_id_t rdev;
	const char *target; /* symbolic links */
	struct inode *link; /* hard links: the upper inode */
};

static int make_upper(struct inode *dir, struct dentry *ud, const struct making *m)
{
	if (m->link) {
		mutex_lock(&m->link->lock);
		int err = dir->ops->link(dir, ud, m->link);
		mutex_unlock(&m->link->lock);
		return err;
	}
	switch (m->mode & S_IFMT) {
	case S_IFREG:
		return dir->ops->create(dir, ud, m->mode);
	case S_IFDIR:
		return dir->ops->mkdir(dir, ud, m->mode);
	case S_IFLNK:
		return dir->ops->symlink(dir, ud, m->target);
	default:
		return dir->ops->mknod(dir, ud, m->mode, m->rdev);
	}
}

/* Where a whiteout is in the way: the new object is made aside and takes its place. */
static int make_over(struct ovl_sb *s, struct dentry *udir, struct dentry *white,
		     const struct making *m, struct dentry **ret)
{
	struct inode *dir = udir->inode;
	struct dentry *t;

	int err = temp_name(s, udir, &t);
	if (err)
		return err;
	err = make_upper(dir, t, m);
	if (!err && S_ISDIR(m->mode))
		err = ovl_mark_set(t->inode, OVL_OPAQUE, "y");
	if (!err)
		err = dir->ops->rename(dir, t, dir, white, RENAME_EXCHANGE);
	if (!err) {
		dentry_exchange(t, white);
		err = remove_upper(udir, white);
	} else if (t->inode) {
		int undone = remove_upper(udir, t);
		err = undone ? undone : err;
	}
	if (err)
		dentry_put(t);
	else
		*ret = t;
	return err;
}

/* In the upper directory: the name, made. *ret is its dentry, referenced. */
static int make_in(struct ovl_sb *s, struct dentry *udir, const struct qname *name,
		   const struct making *m, struct dentry **ret)
{
	struct qname n = ovl_name(udir, name);
	struct dentry *ud;

	int err = lookup_locked(udir, &n, &ud);
	if (err)
		return err;
	if (!ud->inode) {
		err = make_upper(udir->inode, ud, m);
		if (!err) {
			*ret = ud;
			return 0;
		}
	} else {
		err = ovl_is_whiteout(ud->inode) ? make_over(s, udir, ud, m, ret)
						 : -EEXIST;
	}
	dentry_put(ud);
	return err;
}

static int make(struct inode *dir, struct dentry *d, const struct making *m,
		struct inode *linked)
{
	struct ovl_sb *s = ovl_sb_of(dir->sb);
	struct dentry *ud = NULL;
	struct inode *i;

	mutex_lock(&s->change);
	int err = ovl_copy_up_locked(dir, true);
	if (!err) {
		struct dentry *udir = ovl_of(dir)->upper_dir;
		mutex_lock(&udir->inode->lock);
		err = make_in(s, udir, &d->name, m, &ud);
		mutex_unlock(&udir->inode->lock);
	}
	mutex_unlock(&s->change);
	if (err)
		return err;
	ovl_sync(dir);
	if (linked)
		i = inode_get(linked);
	else
		err = ovl_inode_get(dir->sb, ud, NULL, &i);
	dentry_put(ud);
	/* The name is there; a lookup will find it when there is memory. */
	if (err)
		dentry_drop(d);
	else
		dentry_instantiate(d, i);
	return err;
}

static int ovl_create(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return make(dir, d, &(struct making){ .mode = mode }, NULL);
}

static int ovl_mkdir(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return make(dir, d, &(struct making){ .mode = mode | S_IFDIR }, NULL);
}

static int ovl_mknod(struct inode *dir, struct dentry *d, uint32_t mode, dev_id_t rdev)
{
	/* A device 0:0 would be taken for a whiteout. */
	if (S_ISCHR(mode) && rdev == 0)
		return -EPERM;
	return make(dir, d, &(struct making){ .mode = mode, .rdev = rdev }, NULL);
}

static int ovl_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	return make(dir, d, &(struct making){ .mode = S_IFLNK, .target = target }, NULL);
}

static int ovl_link(struct inode *dir, struct dentry *d, struct inode *target)
{
	int err = ovl_copy_up(target, true);
	if (err)
		return err;
	err = make(dir, d,
		   &(struct making){ .mode = target->mode, .link = ovl_real(target) },
		   target);
	if (err)
		return err;
	target->nlink++;
	ovl_sync(target);
	return 0;
}

static int ovl_tmpfile(struct inode *dir, uint32_t mode, struct inode **ret)
{
	struct inode *upper;

	int err = ovl_copy_up(dir, true);
	if (err)
		return err;
	struct inode *udir = ovl_real(dir);
	if (!udir->ops->tmpfile)
		return -EOPNOTSUPP;
	mutex_lock(&udir->lock);
	err = udir->ops->tmpfile(udir, mode, &upper);
	mutex_unlock(&udir->lock);
	if (err)
		return err;
	err = ovl_inode_get_nameless(dir->sb, upper, ret);
	inode_put(upper);
	return err;
}

/* ---- removing ---- */

static int remove_name(struct inode *dir, struct dentry *d)
{
	struct ovl_sb *s = ovl_sb_of(dir->sb);

	int has = ovl_lower_has(dir, &d->name);
	if (has < 0)
		return has;
	int err = ovl_copy_up_locked(dir, true);
	if (err)
		return err;
	struct dentry *udir = ovl_of(dir)->upper_dir, *ud;
	mutex_lock(&udir->inode->lock);
	struct qname n = ovl_name(udir, &d->name);
	err = lookup_locked(udir, &n, &ud);
	if (!err) {
		if (has)
			err = ovl_cover(s, udir, ud);
		else
			err = ud->inode ? remove_upper(udir, ud) : -ENOENT;
		dentry_put(ud);
	}
	mutex_unlock(&udir->inode->lock);
	return err;
}

static int ovl_unlink(struct inode *dir, struct dentry *d)
{
	struct ovl_sb *s = ovl_sb_of(dir->sb);
	struct inode *i = d->inode;

	mutex_lock(&s->change);
	int err = remove_name(dir, d);
	mutex_unlock(&s->change);
	if (err)
		return err;
	ovl_sync(dir);
	i->nlink--;
	inode_touch(i, TOUCH_CTIME);
	if (i->nlink == 0)
		ovl_unpin(i);
	return 0;
}

static int ovl_rmdir(struct inode *dir, struct dentry *d)
{
	struct ovl_sb *s = ovl_sb_of(dir->sb);

	mutex_lock(&s->change);
	int err = ovl_dir_empty(d->inode, true);
	if (err >= 0)
		err = err ? remove_name(dir, d) : -ENOTEMPTY;
	mutex_unlock(&s->change);
	if (err)
		return err;
	ovl_sync(dir);
	d->inode->nlink = 0;
	return 0;
}

const struct inode_ops ovl_dir_ops = {
	.lookup = ovl_lookup,
	.create = ovl_create,
	.mkdir = ovl_mkdir,
	.mknod = ovl_mknod,
	.symlink = ovl_symlink,
	.link = ovl_link,
	.unlink = ovl_unlink,
	.rmdir = ovl_rmdir,
	.rename = ovl_rename,
	.tmpfile = ovl_tmpfile,
	.set_acl = ovl_set_acl,
	OVL_ATTR_OPS,
};

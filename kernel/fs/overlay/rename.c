/*
 * Renaming in an overlay: both directories and what is moved get an upper, then upper
 * renames. Where lower has the old name, a whiteout stays behind. A directory that must
 * not merge with what lower has under its new name is marked: opaque, or with a redirect
 * to its lower half.
 */
#include <linux/fs.h>

#include "fs/namei.h"
#include "fs/name.h"
#include "fs/overlay/overlay.h"
#include "fs/walk.h"
#include "lib/string.h"

/* Path of a lower dentry from the layer's root, "/a/b". */
static int lower_path(struct ovl_sb *s, struct dentry *d, char *buf, size_t n, char **ret)
{
	struct path p = { s->lower.mnt, d };
	char *text = path_text(&p, &s->lower, buf, n);

	if (!text)
		return -ENAMETOOLONG;
	*ret = text;
	return 0;
}

/* Makes a directory independent of the name it has. */
static int mark_moved(struct inode *i)
{
	struct ovl_inode *o = ovl_of(i);
	char *text;

	if (!S_ISDIR(i->mode))
		return 0;
	if (!o->lower)
		return ovl_mark_set(o->upper, OVL_OPAQUE, "y");
	char *buf = path_buf_alloc();
	if (!buf)
		return -ENOMEM;
	int err = lower_path(ovl_sb_of(i->sb), o->lower, buf, PATH_MAX_LEN, &text);
	if (!err)
		err = ovl_mark_set(o->upper, OVL_REDIRECT, text);
	path_buf_free(buf);
	return err;
}

struct upper_rename {
	struct dentry *odir, *ndir, *o, *n; /* upper's */
	bool cover;			    /* leave a whiteout */
	uint32_t flags;
};

/* Both directories of upper are locked. */
static int rename_upper(struct upper_rename *r)
{
	struct inode *dir = r->odir->inode;
	struct inode *victim = r->flags & RENAME_EXCHANGE ? NULL : r->n->inode;
	uint32_t flags = r->flags | (r->cover ? RENAME_WHITEOUT : 0);

	if (victim) {
		inode_get(victim);
		mutex_lock(&victim->lock);
	}
	int err = dir->ops->rename(dir, r->o, r->ndir->inode, r->n, flags);
	if (!err && (r->flags & RENAME_EXCHANGE))
		dentry_exchange(r->o, r->n);
	else if (!err)
		dentry_move(r->o, r->n);
	if (victim) {
		mutex_unlock(&victim->lock);
		inode_put(victim);
	}
	return err;
}

/* Of a file with several names in lower, copying up made only one in upper: gives it this
 * one too. The directory is locked. */
static int name_in_upper(struct dentry *udir, struct dentry *ud, struct inode *i)
{
	struct inode *upper = ovl_of(i)->upper, *dir = udir->inode;

	if (ud->inode)
		return 0;
	if (S_ISDIR(i->mode))
		return -ENOENT;
	mutex_lock(&upper->lock);
	int err = dir->ops->link(dir, ud, upper);
	mutex_unlock(&upper->lock);
	return err;
}

static int names_in_upper(struct upper_rename *r, const struct dentry *o,
			  const struct dentry *n)
{
	int err = name_in_upper(r->odir, r->o, o->inode);
	if (!err && (r->flags & RENAME_EXCHANGE))
		err = name_in_upper(r->ndir, r->n, n->inode);
	return err;
}

static int find_and_rename(struct upper_rename *r, const struct dentry *o,
			   const struct dentry *n)
{
	struct qname on = ovl_name(r->odir, &o->name), nn = ovl_name(r->ndir, &n->name);

	int err = lookup_locked(r->odir, &on, &r->o);
	if (err)
		return err;
	err = lookup_locked(r->ndir, &nn, &r->n);
	if (!err) {
		err = names_in_upper(r, o, n);
		if (!err)
			err = rename_upper(r);
		dentry_put(r->n);
	}
	dentry_put(r->o);
	return err;
}

static int prepare(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n,
		   uint32_t flags)
{
	int err = ovl_copy_up_locked(od, true);
	if (!err)
		err = ovl_copy_up_locked(nd, true);
	if (!err)
		err = ovl_copy_up_locked(o->inode, true);
	if (!err && (flags & RENAME_EXCHANGE))
		err = ovl_copy_up_locked(n->inode, true);
	if (err)
		return err;
	if (n->inode && S_ISDIR(n->inode->mode) && !(flags & RENAME_EXCHANGE)) {
		int empty = ovl_dir_empty(n->inode, true);
		if (empty <= 0)
			return empty ? empty : -ENOTEMPTY;
	}
	err = mark_moved(o->inode);
	if (!err && (flags & RENAME_EXCHANGE))
		err = mark_moved(n->inode);
	return err;
}

static int rename_locked(struct inode *od, struct dentry *o, struct inode *nd,
			 struct dentry *n, uint32_t flags)
{
	int err = prepare(od, o, nd, n, flags);
	if (err)
		return err;
	int has = ovl_lower_has(od, &o->name);
	if (has < 0)
		return has;
	struct upper_rename r = {
		.odir = ovl_of(od)->upper_dir,
		.ndir = ovl_of(nd)->upper_dir,
		.cover = has && !(flags & RENAME_EXCHANGE),
		.flags = flags & RENAME_EXCHANGE,
	};
	rename_lock_dirs(r.odir, r.ndir);
	err = find_and_rename(&r, o, n);
	rename_unlock_dirs(r.odir, r.ndir);
	return err;
}

static void victim_gone(struct inode *i)
{
	if (S_ISDIR(i->mode)) {
		i->nlink = 0;
		return;
	}
	i->nlink--;
	if (i->nlink == 0)
		ovl_unpin(i);
}

int ovl_rename(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n,
	       uint32_t flags)
{
	struct ovl_sb *s = ovl_sb_of(od->sb);

	if (flags & RENAME_WHITEOUT)
		return -EINVAL;
	mutex_lock(&s->change);
	int err = rename_locked(od, o, nd, n, flags);
	mutex_unlock(&s->change);
	if (err)
		return err;
	ovl_sync(od);
	ovl_sync(nd);
	ovl_sync(o->inode);
	if (n->inode && !(flags & RENAME_EXCHANGE))
		victim_gone(n->inode);
	return 0;
}

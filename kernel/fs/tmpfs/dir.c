/* Directories of tmpfs: making, finding, linking, removing and renaming entries. */
#include <linux/fs.h>

#include "fs/inode.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/string.h"

static void dir_changed(struct inode *dir, int64_t entries, int64_t now)
{
	dir->size += (uint64_t)(entries * TMPFS_ENTRY_SIZE);
	inode_touch_at(dir, TOUCH_MTIME | TOUCH_CTIME, now);
}

static int dir_lookup(struct inode *dir, struct dentry *d)
{
	struct tmpfs_entry *e = tmpfs_find(dir, &d->name);

	if (e)
		dentry_instantiate(d, inode_get(e->inode));
	return 0;
}

/* A new inode under d's name; nothing remains on failure. */
static int add_new(struct inode *dir, struct dentry *d, uint32_t mode, dev_id_t rdev,
		   char *target)
{
	struct tmpfs_entry *e;
	struct inode *i;

	int err = tmpfs_entry_new(dir, &d->name, &e);
	if (err)
		return err;
	err = tmpfs_inode_new(dir->sb, dir, mode, rdev, &i);
	if (err) {
		heap_free(e);
		return err;
	}
	/* Nothing below can fail. */
	tmpfs_of(i)->target = target;
	if (target)
		i->size = strlen(target);
	if (S_ISDIR(mode))
		dir->nlink++;
	tmpfs_entry_add(dir, e, inode_get(i));
	dir_changed(dir, 1, i->t.ctime);
	dentry_instantiate(d, i);
	return 0;
}

static int dir_create(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return add_new(dir, d, mode, 0, NULL);
}

static int dir_mknod(struct inode *dir, struct dentry *d, uint32_t mode, dev_id_t rdev)
{
	return add_new(dir, d, mode, rdev, NULL);
}

static int dir_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	char *copy = heap_strdup(target, strlen(target));
	if (!copy)
		return -ENOMEM;
	int err = add_new(dir, d, S_IFLNK | S_IRWXU | S_IRWXG | S_IRWXO, 0, copy);
	if (err)
		heap_free(copy);
	return err;
}

static int dir_tmpfile(struct inode *dir, uint32_t mode, struct inode **ret)
{
	int err = tmpfs_inode_new(dir->sb, dir, mode, 0, ret);
	if (!err)
		(*ret)->nlink = 0;
	return err;
}

static int dir_link(struct inode *dir, struct dentry *d, struct inode *target)
{
	struct tmpfs_entry *e;

	/* The first name of a file of O_TMPFILE is paid for. */
	bool counts = target->nlink;
	if (counts && !tmpfs_inode_count(dir->sb))
		return -ENOSPC;
	int err = tmpfs_entry_new(dir, &d->name, &e);
	if (err) {
		if (counts)
			tmpfs_inode_uncount(dir->sb);
		return err;
	}
	target->nlink++;
	inode_touch(target, TOUCH_CTIME);
	tmpfs_entry_add(dir, e, inode_get(target));
	dir_changed(dir, 1, target->t.ctime);
	dentry_instantiate(d, inode_get(target));
	return 0;
}

/* An inode has lost a name; consumes the entry's reference. The VFS holds another. */
static void drop_name(struct inode *i, int64_t now)
{
	if (!S_ISDIR(i->mode) && i->nlink > 1)
		tmpfs_inode_uncount(i->sb);
	i->nlink -= S_ISDIR(i->mode) ? 2 : 1;
	if (!i->nlink)
		tmpfs_handle_drop(i);
	inode_touch_at(i, TOUCH_CTIME, now);
	inode_put(i);
}

static int dir_unlink(struct inode *dir, struct dentry *d)
{
	struct tmpfs_entry *e = tmpfs_find(dir, &d->name);

	if (!e)
		return -ENOENT;
	int64_t now = time_now_file();
	drop_name(tmpfs_entry_remove(dir, e), now);
	dir_changed(dir, -1, now);
	return 0;
}

static bool is_empty_dir(const struct inode *i)
{
	return rb_is_empty(&tmpfs_of(i)->entries);
}

static int dir_rmdir(struct inode *dir, struct dentry *d)
{
	if (!is_empty_dir(d->inode))
		return -ENOTEMPTY;
	int err = dir_unlink(dir, d);
	if (!err)
		dir->nlink--;
	return err;
}

/* ---- rename ---- */

static void move_subdir_count(struct inode *from, struct inode *to, const struct inode *i)
{
	if (from == to || !S_ISDIR(i->mode))
		return;
	from->nlink--;
	to->nlink++;
}

static void exchange(struct inode *od, struct tmpfs_entry *a, struct inode *nd,
		     struct tmpfs_entry *b)
{
	struct inode *i = a->inode;
	int64_t now = time_now_file();

	move_subdir_count(od, nd, a->inode);
	move_subdir_count(nd, od, b->inode);
	a->inode = b->inode;
	b->inode = i;
	inode_touch_at(a->inode, TOUCH_CTIME, now);
	inode_touch_at(b->inode, TOUCH_CTIME, now);
	dir_changed(od, 0, now);
	dir_changed(nd, 0, now);
}

static int make_whiteout(struct inode *dir, uint32_t flags, struct inode **ret)
{
	*ret = NULL;
	if (!(flags & RENAME_WHITEOUT))
		return 0;
	return tmpfs_inode_new(dir->sb, dir, S_IFCHR, 0, ret);
}

/* The old name's entry goes, or stays as a whiteout; its inode. */
static struct inode *leave_old_place(struct inode *od, struct tmpfs_entry *from,
				     struct inode *whiteout, int64_t now)
{
	if (!whiteout) {
		dir_changed(od, -1, now);
		return tmpfs_entry_remove(od, from);
	}
	struct inode *i = from->inode;
	from->inode = whiteout;
	dir_changed(od, 0, now);
	return i;
}

static int replace(struct inode *od, struct tmpfs_entry *from, struct inode *nd,
		   struct dentry *n, uint32_t flags)
{
	struct tmpfs_entry *to = tmpfs_find(nd, &n->name), *fresh = NULL;
	struct inode *whiteout, *moved, *victim = NULL;
	bool is_dir = S_ISDIR(from->inode->mode);

	if (to && S_ISDIR(to->inode->mode) && !is_empty_dir(to->inode))
		return -ENOTEMPTY;
	int err = to ? 0 : tmpfs_entry_new(nd, &n->name, &fresh);
	if (err)
		return err;
	err = make_whiteout(od, flags, &whiteout);
	if (err) {
		heap_free(fresh);
		return err;
	}
	/* Nothing below can fail. */
	int64_t now = time_now_file();
	moved = leave_old_place(od, from, whiteout, now);
	if (to) {
		victim = to->inode;
		to->inode = moved;
	} else {
		tmpfs_entry_add(nd, fresh, moved);
	}
	dir_changed(nd, to ? 0 : 1, now);
	if (is_dir) {
		od->nlink--;
		nd->nlink += victim && S_ISDIR(victim->mode) ? 0 : 1;
	}
	inode_touch_at(moved, TOUCH_CTIME, now);
	if (victim)
		drop_name(victim, now);
	return 0;
}

static int dir_rename(struct inode *od, struct dentry *o, struct inode *nd,
		      struct dentry *n, uint32_t flags)
{
	struct tmpfs_entry *from = tmpfs_find(od, &o->name);

	if (!from)
		return -ENOENT;
	if (!(flags & RENAME_EXCHANGE))
		return replace(od, from, nd, n, flags);
	struct tmpfs_entry *to = tmpfs_find(nd, &n->name);
	if (!to)
		return -ENOENT;
	exchange(od, from, nd, to);
	return 0;
}

static int64_t link_read(struct inode *i, char *buf, size_t n)
{
	size_t len = MIN(i->size, n);

	memcpy(buf, tmpfs_of(i)->target, len);
	return (int64_t)len;
}

const struct inode_ops tmpfs_dir_ops = {
	.lookup = dir_lookup,
	.create = dir_create,
	.mkdir = dir_create,
	.mknod = dir_mknod,
	.symlink = dir_symlink,
	.link = dir_link,
	.unlink = dir_unlink,
	.rmdir = dir_rmdir,
	.rename = dir_rename,
	.tmpfile = dir_tmpfile,
	.setflags = tmpfs_setflags,
	.set_acl = tmpfs_set_acl,
	TMPFS_XATTR_OPS,
};

const struct inode_ops tmpfs_link_ops = {
	.readlink = link_read,
	TMPFS_XATTR_OPS,
};

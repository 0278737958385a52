/*
 * rename(2), renameat2(2).
 *
 * Locks: when the directories differ, sb->rename_lock keeps the shape of the tree still,
 * so that "is above" stays true; then both directories, the upper one first, else by
 * address; then the victim that is replaced.
 */
#include <linux/fs.h>

#include "fs/confine.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "fs/walk.h"

struct rename {
	struct walk from, to;
	struct dentry *old, *new; /* referenced */
	uint32_t flags;
};

void rename_lock_dirs(struct dentry *a, struct dentry *b)
{
	if (a == b) {
		mutex_lock(&a->inode->lock);
		return;
	}
	mutex_lock(&a->sb->rename_lock);
	bool b_first = dentry_is_ancestor(b, a) ||
		       (!dentry_is_ancestor(a, b) && b->inode < a->inode);
	mutex_lock(b_first ? &b->inode->lock : &a->inode->lock);
	mutex_lock(b_first ? &a->inode->lock : &b->inode->lock);
}

void rename_unlock_dirs(struct dentry *a, struct dentry *b)
{
	mutex_unlock(&a->inode->lock);
	if (a == b)
		return;
	mutex_unlock(&b->inode->lock);
	mutex_unlock(&a->sb->rename_lock);
}

static bool is_dir(const struct dentry *d)
{
	return S_ISDIR(d->inode->mode);
}

/* What the names themselves forbid. */
static int check_names(const struct rename *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;

	if (!r->old->inode)
		return -ENOENT;
	if ((r->flags & RENAME_NOREPLACE) && r->new->inode)
		return -EEXIST;
	if (exchange) {
		if (!r->new->inode)
			return -ENOENT;
		if (!is_dir(r->new) && r->to.trailing)
			return -ENOTDIR;
	}
	if (!is_dir(r->old) && (r->from.trailing || (!exchange && r->to.trailing)))
		return -ENOTDIR;
	if (dentry_is_ancestor(r->old, r->to.at.dentry))
		return -EINVAL;
	if (r->new->inode && dentry_is_ancestor(r->new, r->from.at.dentry))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* A directory that gets another parent has its ".." written. */
static int may_reparent(const struct rename *r, struct dentry *d)
{
	if (r->from.at.dentry == r->to.at.dentry || !is_dir(d))
		return 0;
	return inode_permission(d->inode, MAY_WRITE);
}

static int check_permission(const struct rename *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;

	int err = may_delete(&r->from.at, r->old, is_dir(r->old));
	if (err)
		return err;
	if (!r->new->inode)
		err = may_create(&r->to.at);
	else
		err = may_delete(&r->to.at, r->new, is_dir(exchange ? r->new : r->old));
	if (!err)
		err = may_reparent(r, r->old);
	if (!err && exchange)
		err = may_reparent(r, r->new);
	return err;
}

/* The old name goes and the new one comes, in place of what had it; in an exchange both
 * ways. */
static int check_confined(const struct rename *r)
{
	uint32_t mode = r->old->inode->mode;
	const struct path *from = &r->from.at, *to = &r->to.at;
	const struct qname *old = &r->from.last, *new = &r->to.last;

	if (!is_confined())
		return 0;
	int err = confine_name(from, old, want_to_remove(mode));
	if (!err)
		err = confine_name(to, new, want_to_make(mode));
	if (!err)
		err = confine_moved(from, old, to, new, r->old);
	if (err || !r->new->inode)
		return err;
	mode = r->new->inode->mode;
	err = confine_name(to, new, want_to_remove(mode));
	if (err || !(r->flags & RENAME_EXCHANGE))
		return err;
	err = confine_name(from, old, want_to_make(mode));
	return err ? err : confine_moved(to, new, from, old, r->new);
}

static void tell(const struct rename *r, struct inode *victim)
{
	struct inode *from = r->from.at.dentry->inode, *to = r->to.at.dentry->inode;

	notify_moved(from, &r->from.last, to, &r->to.last, r->old->inode);
	if (victim && !S_ISDIR(victim->mode))
		notify_inode(victim, IN_ATTRIB); /* st_nlink */
	notify_inode(r->old->inode, IN_MOVE_SELF);
	if (!(r->flags & RENAME_EXCHANGE))
		return;
	notify_moved(to, &r->to.last, from, &r->from.last, r->new->inode);
	notify_inode(r->new->inode, IN_MOVE_SELF);
}

static int call_fs(struct rename *r)
{
	struct inode *from = r->from.at.dentry->inode, *to = r->to.at.dentry->inode;
	struct inode *victim = r->flags & RENAME_EXCHANGE ? NULL : r->new->inode;

	if (!from->ops->rename)
		return -EPERM;
	if (victim) {
		if (is_dir(r->new))
			dcache_prune_children(r->new);
		mutex_lock(&victim->lock);
	}
	int err = 0;
	if ((r->old->flags | r->new->flags) & DENTRY_MOUNTPOINT)
		err = -EBUSY;
	else
		err = from->ops->rename(from, r->old, to, r->new, r->flags);
	if (!err) {
		if (r->flags & RENAME_EXCHANGE)
			dentry_exchange(r->old, r->new);
		else
			dentry_move(r->old, r->new);
	}
	if (victim)
		mutex_unlock(&victim->lock);
	if (!err)
		tell(r, victim);
	return err;
}

static int rename_found(struct rename *r)
{
	int err = check_names(r);
	if (err)
		return err;
	/* Two names of one file: POSIX wants nothing to happen. */
	if (r->old->inode == r->new->inode)
		return 0;
	err = check_permission(r);
	if (!err)
		err = check_confined(r);
	return err ? err : call_fs(r);
}

static int rename_locked(struct rename *r, struct inode **ret_victim)
{
	int err = lookup_locked(r->from.at.dentry, &r->from.last, &r->old);
	if (err)
		return err;
	err = lookup_locked(r->to.at.dentry, &r->to.last, &r->new);
	if (err) {
		dentry_put(r->old);
		return err;
	}
	if (r->new->inode)
		*ret_victim = inode_get(r->new->inode);
	err = rename_found(r);
	dentry_put(r->new);
	dentry_put(r->old);
	return err;
}

static int rename_walked(struct rename *r)
{
	struct dentry *from = r->from.at.dentry, *to = r->to.at.dentry;
	struct inode *victim = NULL;

	if (r->from.at.mnt != r->to.at.mnt)
		return -EXDEV;
	if (r->from.kind != LAST_NAME)
		return -EBUSY;
	if (r->to.kind != LAST_NAME)
		return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	int err = read_only_at(&r->from.at);
	if (err)
		return err;
	rename_lock_dirs(from, to);
	err = rename_locked(r, &victim);
	rename_unlock_dirs(from, to);
	inode_put(victim);
	return err;
}

static int walk_both(struct rename *r, int odirfd, const char *oname, int ndirfd,
		     const char *nname)
{
	const struct cred *c = thread_current()->cred;

	int err = walk_init(&r->from, odirfd, oname, 0, true, c);
	if (err)
		return err;
	err = walk_run(&r->from);
	if (!err && nname)
		err = walk_init(&r->to, ndirfd, nname, 0, true, c);
	if (err || !nname) {
		walk_end(&r->from);
		return err;
	}
	err = walk_run(&r->to);
	if (!err)
		err = rename_walked(r);
	walk_end(&r->to);
	walk_end(&r->from);
	return err;
}

int rename_flags_check(uint32_t flags)
{
	const uint32_t known = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;

	return (flags & ~known) || ((flags & RENAME_EXCHANGE) &&
				    (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
		       ? -EINVAL
		       : 0;
}

int vfs_rename(int odirfd, const char *oname, int ndirfd, const char *nname,
	       uint32_t flags)
{
	int err = rename_flags_check(flags);

	if (err)
		return err;
	/* Two walks are too much for a stack that a file system is still to use. */
	struct rename *r = heap_alloc(sizeof *r);
	if (!r)
		return -ENOMEM;
	r->flags = flags;
	err = walk_both(r, odirfd, oname, ndirfd, nname);
	heap_free(r);
	return err;
}

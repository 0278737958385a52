/* Overlay inodes: one per object however many layers have a part of it. */
#include "fs/acl.h"
#include "fs/overlay/overlay.h"

/* ---- copied-up files by upper number (O3) ---- */

static struct ovl_inode *entry_of(struct rb_node *n)
{
	return container_of(n, struct ovl_inode, by_upper);
}

static uint64_t upper_key(const struct ovl_inode *o)
{
	return o->upper->ino;
}

static struct ovl_inode *pinned_find_locked(struct ovl_sb *s, uint64_t ino)
{
	struct rb_node *n = s->by_upper.root;

	while (n && upper_key(entry_of(n)) != ino)
		n = ino < upper_key(entry_of(n)) ? n->left : n->right;
	return n ? entry_of(n) : NULL;
}

static struct inode *pinned_get(struct ovl_sb *s, uint64_t ino)
{
	spin_lock(&s->lock);
	struct ovl_inode *o = pinned_find_locked(s, ino);
	struct inode *i = o ? inode_get(o->inode) : NULL;
	spin_unlock(&s->lock);
	return i;
}

void ovl_pin(struct inode *i)
{
	struct ovl_sb *s = ovl_sb_of(i->sb);
	struct ovl_inode *o = ovl_of(i);
	struct rb_node **link = &s->by_upper.root, *parent = NULL;

	inode_get(i);
	spin_lock(&s->lock);
	while (*link) {
		parent = *link;
		link = upper_key(o) < upper_key(entry_of(parent)) ? &parent->left
								  : &parent->right;
	}
	rb_insert(&s->by_upper, &o->by_upper, parent, link);
	o->pinned = true;
	spin_unlock(&s->lock);
}

void ovl_unpin(struct inode *i)
{
	struct ovl_sb *s = ovl_sb_of(i->sb);
	struct ovl_inode *o = ovl_of(i);

	spin_lock(&s->lock);
	bool was = o->pinned;
	if (was)
		rb_erase(&s->by_upper, &o->by_upper);
	o->pinned = false;
	spin_unlock(&s->lock);
	if (was)
		inode_put(i);
}

uint64_t ovl_upper_ino(struct ovl_sb *s, uint64_t ino)
{
	spin_lock(&s->lock);
	struct ovl_inode *o = pinned_find_locked(s, ino);
	uint64_t r = o ? o->inode->ino : ino + OVL_UPPER_INO;
	spin_unlock(&s->lock);
	return r;
}

/* ---- birth ---- */

void ovl_sync(struct inode *i)
{
	const struct inode *r = ovl_real(i);

	if (unlikely(i->acl != r->acl || i->default_acl != r->default_acl))
		inode_acls_follow(i, r);
	else
		i->mode = r->mode;
	i->uid = r->uid;
	i->gid = r->gid;
	i->flags = r->flags;
	i->size = r->size;
	/* Reading and writing through maps tell the overlay's inode alone. */
	i->t.mtime = MAX(i->t.mtime, r->t.mtime);
	i->t.ctime = MAX(i->t.ctime, r->t.ctime);
	i->t.btime = r->t.btime;
	if (S_ISDIR(i->mode))
		i->nlink = ovl_of(i)->upper && ovl_of(i)->lower ? 1 : r->nlink;
}

static void set_ops(struct inode *i)
{
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		i->ops = &ovl_file_ops;
		i->fops = &ovl_file_fops;
		break;
	case S_IFDIR:
		i->ops = &ovl_dir_ops;
		i->fops = &ovl_dir_fops;
		break;
	case S_IFLNK:
		i->ops = &ovl_symlink_ops;
		break;
	default:
		i->ops = &ovl_file_ops;
		i->fops = &special_file_ops;
	}
}

static int fill(struct inode *i, struct inode *upper, struct dentry *upper_dir,
		struct dentry *lower)
{
	struct ovl_inode *o = heap_zalloc(sizeof *o);
	if (!o)
		return -ENOMEM;
	o->inode = i;
	o->lower = lower ? dentry_get(lower) : NULL;
	o->upper = upper ? inode_get(upper) : NULL;
	o->upper_dir = upper_dir ? dentry_get(upper_dir) : NULL;
	i->priv = o;
	const struct inode *r = ovl_real(i);
	i->nlink = r->nlink;
	i->rdev = r->rdev;
	i->t = r->t;
	ovl_sync(i);
	set_ops(i);
	return 0;
}

static int get(struct super_block *sb, uint64_t ino, struct inode *upper,
	       struct dentry *upper_dir, struct dentry *lower, struct inode **ret)
{
	bool fresh;

	struct inode *i = inode_get_cached(sb, ino, &fresh);
	if (!i)
		return -ENOMEM;
	int err = fresh ? fill(i, upper, upper_dir, lower) : 0;
	if (err) {
		inode_put(i);
		return err;
	}
	*ret = i;
	return 0;
}

int ovl_inode_get(struct super_block *sb, struct dentry *upper, struct dentry *lower,
		  struct inode **ret)
{
	struct inode *u = upper ? upper->inode : NULL;
	bool dir = u && S_ISDIR(u->mode);

	if (u && !dir) {
		*ret = pinned_get(ovl_sb_of(sb), u->ino);
		if (*ret)
			return 0;
	}
	uint64_t ino = lower ? lower->inode->ino : u->ino + OVL_UPPER_INO;
	return get(sb, ino, u, dir ? upper : NULL, lower, ret);
}

int ovl_inode_get_nameless(struct super_block *sb, struct inode *upper,
			   struct inode **ret)
{
	int err = get(sb, upper->ino + OVL_UPPER_INO, upper, NULL, NULL, ret);
	if (!err)
		inode_ready(*ret);
	return err;
}

void ovl_evict(struct inode *i)
{
	struct ovl_inode *o = ovl_of(i);

	if (!o)
		return;
	if (o->lower)
		dentry_put(o->lower);
	if (o->upper_dir)
		dentry_put(o->upper_dir);
	if (o->upper) {
		o->upper->t = i->t;
		inode_put(o->upper);
	}
	heap_free(o);
	i->priv = NULL;
}

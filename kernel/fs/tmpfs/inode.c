/* tmpfs inodes: birth, attributes, death, and the accounting of pages. */
#include "fs/acl.h"
#include "fs/inode.h"
#include "fs/tmpfs/tmpfs.h"

/* ---- pages (M3) ---- */

static int charge(struct mapping *m)
{
	struct inode *i = m->host;
	struct tmpfs_sb *t = tmpfs_sb_of(i->sb);

	if (__atomic_add_fetch((uint64_t *)&t->used_pages, 1, __ATOMIC_RELAXED) <=
	    t->max_pages)
		return 0;
	t->used_pages--;
	return -ENOSPC;
}

static void uncharge(struct mapping *m, size_t pages)
{
	struct inode *i = m->host;

	tmpfs_sb_of(i->sb)->used_pages -= pages;
}

static const struct mapping_ops mapping_ops = {
	.charge = charge,
	.uncharge = uncharge,
};

/* ---- birth ---- */

static void set_ops(struct inode *i)
{
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		i->ops = &tmpfs_file_inode_ops;
		i->fops = &tmpfs_file_fops;
		i->mapping.ops = &mapping_ops;
		break;
	case S_IFDIR:
		i->ops = &tmpfs_dir_ops;
		i->fops = &tmpfs_dir_fops;
		i->nlink = 2;
		i->size = 2 * TMPFS_ENTRY_SIZE;
		break;
	case S_IFLNK:
		i->ops = &tmpfs_link_ops;
		break;
	default:
		i->ops = &tmpfs_file_inode_ops;
		i->fops = &special_file_ops;
	}
}

bool tmpfs_inode_count(struct super_block *sb)
{
	struct tmpfs_sb *t = tmpfs_sb_of(sb);

	if (__atomic_add_fetch((uint64_t *)&t->used_inodes, 1, __ATOMIC_RELAXED) <=
	    t->max_inodes)
		return true;
	t->used_inodes--;
	return false;
}

void tmpfs_inode_uncount(struct super_block *sb)
{
	tmpfs_sb_of(sb)->used_inodes--;
}

int tmpfs_inode_new(struct super_block *sb, const struct inode *dir, uint32_t mode,
		    dev_id_t rdev, struct inode **ret)
{
	struct tmpfs_sb *s = tmpfs_sb_of(sb);

	if (!tmpfs_inode_count(sb))
		return -ENOSPC;
	struct tmpfs_inode *t = heap_zalloc(sizeof *t);
	struct inode *i = t ? inode_new(sb, sb->next_ino++) : NULL;
	if (!i) {
		heap_free(t);
		s->used_inodes--;
		return -ENOMEM;
	}
	rb_init(&t->entries, NULL);
	list_init(&t->xattrs);
	list_init(&t->dying);
	i->priv = t;
	i->rdev = rdev;
	i->flags = dir ? dir->flags & TMPFS_FLAGS_INHERITED : 0;
	inode_init_owner(i, dir, mode);
	set_ops(i);
	int err = dir ? inode_acl_inherit(i, dir) : 0;
	if (err)
		inode_put(i);
	else
		*ret = i;
	return err;
}

/* ---- death ---- */

static void tmpfs_inode_free(struct tmpfs_inode *t)
{
	tmpfs_xattrs_free(t);
	heap_free(t->target);
	heap_free(t);
}

static void drop_entries(struct tmpfs_inode *t)
{
	while (!rb_is_empty(&t->entries)) {
		struct tmpfs_entry *e =
			container_of(t->entries.root, struct tmpfs_entry, node);
		struct inode *i = e->inode;
		rb_erase(&t->entries, &e->node);
		heap_free(e);
		inode_put(i);
	}
}

/* A tree is taken down level by level: dropping an entry's inode comes back here, finds
 * somebody draining and only queues, so the depth of the tree is no depth of stack. */
static void drain(struct tmpfs_sb *s, struct tmpfs_inode *t)
{
	spin_lock(&s->lock);
	list_push_back(&s->dying, &t->dying);
	bool mine = !s->draining;
	s->draining = true;
	while (mine && !list_empty(&s->dying)) {
		t = list_first(&s->dying, struct tmpfs_inode, dying);
		list_del(&t->dying);
		spin_unlock(&s->lock);
		drop_entries(t);
		tmpfs_inode_free(t);
		spin_lock(&s->lock);
	}
	if (mine)
		s->draining = false;
	spin_unlock(&s->lock);
}

void tmpfs_evict(struct inode *i)
{
	struct tmpfs_sb *s = tmpfs_sb_of(i->sb);
	struct tmpfs_inode *t = tmpfs_of(i);

	if (!t)
		return;
	s->used_inodes--;
	i->priv = NULL;
	if (rb_is_empty(&t->entries))
		tmpfs_inode_free(t);
	else
		drain(s, t);
}

/* ---- attributes ---- */

int tmpfs_setattr(struct inode *i, const struct attr_change *a)
{
	uint32_t seals = tmpfs_of(i)->seals;

	if ((a->valid & ATTR_SIZE) && (((seals & F_SEAL_SHRINK) && a->size < i->size) ||
				       ((seals & F_SEAL_GROW) && a->size > i->size)))
		return -EPERM;
	return inode_setattr_simple(i, a);
}

int tmpfs_setflags(struct inode *i, uint32_t flags)
{
	if (flags & ~TMPFS_FLAGS)
		return -EOPNOTSUPP;
	i->flags = flags;
	inode_touch(i, TOUCH_CTIME);
	return 0;
}

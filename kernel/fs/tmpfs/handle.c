/*
 * Inodes of tmpfs by number: a tree of those that a handle was given for. What is in it
 * leaves it with its last name.
 *
 * Locks: the inode's own while it is put in or taken out, so that nlink and ->handled
 * agree; tmpfs_sb.lock over the tree.
 */
#include "fs/handle.h"

#include "fs/tmpfs/tmpfs.h"

struct handled {
	struct rb_node node;   /* [sb->lock] by number */
	struct inode *inode;   /* [I] referenced */
	struct dentry *folder; /* [I] its only name, referenced to stay cached (H3) */
};

static struct handled *entry_of(struct rb_node *n)
{
	return container_of(n, struct handled, node);
}

static struct handled *find_locked(const struct tmpfs_sb *s, uint64_t ino)
{
	struct rb_node *n = s->handled.root;

	while (n && entry_of(n)->inode->ino != ino)
		n = ino < entry_of(n)->inode->ino ? n->left : n->right;
	return n ? entry_of(n) : NULL;
}

/* Numbers are not used twice: this only tells one mount's handles from another's. */
static uint32_t generation_of(const struct tmpfs_sb *s, uint64_t ino)
{
	uint64_t x = (ino ^ s->handle_key) * 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15ull;
	return (uint32_t)(x >> 32);
}

static int remember(struct dentry *d)
{
	struct inode *i = d->inode;
	struct tmpfs_sb *s = tmpfs_sb_of(i->sb);
	struct rb_node **link = &s->handled.root, *parent = NULL;
	struct handled *h = heap_zalloc(sizeof *h);

	if (!h)
		return -ENOMEM;
	h->inode = inode_get(i);
	h->folder = S_ISDIR(i->mode) ? dentry_get(d) : NULL;
	spin_lock(&s->lock);
	while (*link) {
		parent = *link;
		link = i->ino < entry_of(parent)->inode->ino ? &parent->left
							     : &parent->right;
	}
	rb_insert(&s->handled, &h->node, parent, link);
	spin_unlock(&s->lock);
	tmpfs_of(i)->handled = true;
	return 0;
}

/* A file without a name can be told of too, but not found. */
static int give(struct dentry *d, uint32_t *ret_generation)
{
	struct inode *i = d->inode;
	int err = 0;

	mutex_lock(&i->lock);
	if (i->nlink && !tmpfs_of(i)->handled)
		err = remember(d);
	mutex_unlock(&i->lock);
	if (!err)
		*ret_generation = generation_of(tmpfs_sb_of(i->sb), i->ino);
	return err;
}

static int find(struct super_block *sb, const struct file_id *id, struct inode **ret)
{
	struct tmpfs_sb *s = tmpfs_sb_of(sb);

	if (id->generation != generation_of(s, id->ino))
		return -ESTALE;
	spin_lock(&s->lock);
	struct handled *h = find_locked(s, id->ino);
	if (h)
		*ret = inode_get(h->inode);
	spin_unlock(&s->lock);
	return h ? 0 : -ESTALE;
}

static void forget(struct tmpfs_sb *s, struct handled *h)
{
	spin_lock(&s->lock);
	rb_erase(&s->handled, &h->node);
	spin_unlock(&s->lock);
	if (h->folder)
		dentry_put(h->folder);
	inode_put(h->inode);
	heap_free(h);
}

void tmpfs_handle_drop(struct inode *i)
{
	struct tmpfs_sb *s = tmpfs_sb_of(i->sb);

	if (!tmpfs_of(i)->handled)
		return;
	spin_lock(&s->lock);
	struct handled *h = find_locked(s, i->ino);
	spin_unlock(&s->lock);
	tmpfs_of(i)->handled = false;
	forget(s, h);
}

void tmpfs_handles_free(struct tmpfs_sb *s)
{
	while (!rb_is_empty(&s->handled))
		forget(s, entry_of(s->handled.root));
}

const struct handle_ops tmpfs_handle_ops = {
	.form = FILE_HANDLE_INO64,
	.give = give,
	.find = find,
};

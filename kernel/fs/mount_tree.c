/*
 * The tree of mounts: which file system covers which directory.
 *
 * Always true:
 *  N1  an attached mount is in the hash, on its parent's children and on all_mounts, has
 *      one reference of the tree's own, and holds its parent and the dentry it covers;
 *  N2  a dentry covered by any mount has DENTRY_MOUNTPOINT; rename, rmdir and unlink
 *      refuse it;
 *  N3  mounts die only under dcache_lock, so its holder may use borrowed ones.
 *
 * Locks: mounts_mutex (sleeping) and within it dcache_lock for every change.
 */
#include <asm/poll.h>

#include "fs/mount.h"
#include "lib/string.h"

#define HASH_SIZE 64u

struct mutex mounts_mutex = MUTEX_INIT(mounts_mutex, RANK_MOUNTS);
struct mount *root_mount;

static struct list hash[HASH_SIZE];		       /* [mount lock] */
static struct list all_mounts = LIST_INIT(all_mounts); /* [mount lock] */
static _Atomic uint32_t next_id = 1;

static struct list *bucket(const struct mount *parent, const struct dentry *point)
{
	uint64_t h =
		((uintptr_t)parent ^ ((uintptr_t)point << 1)) * 0x9e3779b97f4a7c15ull;
	return &hash[(h >> 32) % HASH_SIZE];
}

struct mount *mount_find_locked(const struct mount *parent, const struct dentry *point)
{
	list_for_each(m, bucket(parent, point), struct mount, hash_link)
	{
		if (m->parent == parent && m->point == point)
			return m;
	}
	return NULL;
}

struct mount *mount_new(struct super_block *sb, struct dentry *root, uint32_t flags,
			const char *source)
{
	struct mount *m = heap_zalloc(sizeof *m);
	if (!m) {
		super_put(sb);
		return NULL;
	}
	ref_init(&m->refs, 1);
	m->sb = sb;
	m->root = dentry_get(root);
	m->flags = flags & MOUNT_FLAGS;
	m->id = next_id++;
	list_init(&m->children);
	list_init(&m->sibling);
	list_init(&m->hash_link);
	list_init(&m->link);
	str_copy(m->source, source ? source : "none", sizeof m->source);
	return m;
}

void mount_put_last(struct mount *m)
{
	spin_lock(&dcache_lock);
	bool last = ref_put(&m->refs);
	spin_unlock(&dcache_lock);
	if (!last)
		return;
	dentry_put(m->root);
	super_put(m->sb);
	heap_free(m);
}

static struct waitq change_wait = WAITQ_INIT(change_wait);
static _Atomic uint64_t n_changes;

uint64_t mount_changes(struct waitq **ret_wait)
{
	*ret_wait = &change_wait;
	return n_changes;
}

static void tell_change(void)
{
	n_changes++;
	wake_poll(&change_wait, POLLERR | POLLPRI);
}

int mount_attach(struct mount *m, const struct path *at)
{
	struct inode *place = at->dentry->inode;
	int err = 0;

	if (S_ISDIR(place->mode) != S_ISDIR(m->root->inode->mode))
		return -ENOTDIR;
	/* Removal of the place looks at N2's mark under the same lock. */
	mutex_lock(&place->lock);
	spin_lock(&dcache_lock);
	if (at->dentry->flags & DENTRY_UNHASHED) {
		err = -ENOENT;
	} else {
		m->parent = at->mnt;
		mount_get(at->mnt);
		m->point = dentry_get(at->dentry);
		m->point->flags |= DENTRY_MOUNTPOINT;
		list_push_front(bucket(m->parent, m->point), &m->hash_link);
		list_push_back(&m->parent->children, &m->sibling);
		list_push_back(&all_mounts, &m->link);
	}
	spin_unlock(&dcache_lock);
	mutex_unlock(&place->lock);
	if (!err)
		tell_change();
	return err;
}

static bool covered_elsewhere(const struct dentry *point)
{
	list_for_each(m, &all_mounts, struct mount, link)
	{
		if (m->point == point)
			return true;
	}
	return false;
}

void mount_detach(struct mount *m)
{
	struct mount *parent = m->parent;
	struct dentry *point = m->point;

	spin_lock(&dcache_lock);
	list_del(&m->hash_link);
	list_del(&m->sibling);
	list_del(&m->link);
	m->parent = NULL;
	m->point = NULL;
	if (point && !covered_elsewhere(point))
		point->flags &= ~DENTRY_MOUNTPOINT;
	spin_unlock(&dcache_lock);
	tell_change();
	if (point)
		dentry_put(point);
	if (parent)
		mount_put(parent);
}

struct mount *mount_next(struct mount *m, const struct mount *top)
{
	if (!list_empty(&m->children))
		return list_first(&m->children, struct mount, sibling);
	for (; m != top; m = m->parent) {
		if (m->sibling.next != &m->parent->children)
			return list_first(&m->sibling, struct mount, sibling);
	}
	return NULL;
}

bool mount_is_below(const struct mount *m, const struct mount *top)
{
	while (m && m != top)
		m = m->parent;
	return m;
}

/* True: (m, d) is at or below root, following mounts up. */
static bool path_is_below(struct mount *m, struct dentry *d, const struct path *root)
{
	while (m != root->mnt) {
		if (!m->parent)
			return false;
		d = m->point;
		m = m->parent;
	}
	return dentry_is_ancestor(root->dentry, d);
}

void mount_for_each(const struct path *root, void (*fn)(struct mount *m, void *arg),
		    void *arg)
{
	mutex_lock(&mounts_mutex);
	if (root_mount && path_is_below(root_mount, root_mount->root, root))
		fn(root_mount, arg);
	list_for_each(m, &all_mounts, struct mount, link)
	{
		if (path_is_below(m, m->root, root))
			fn(m, arg);
	}
	mutex_unlock(&mounts_mutex);
}

void mount_tree_init(void)
{
	for (uint32_t k = 0; k < HASH_SIZE; k++)
		list_init(&hash[k]);
}

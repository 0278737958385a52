/*
 * Mounting: what mount(2), umount2(2) and pivot_root(2) do to the tree, once their caller
 * was found privileged. One name space for the whole system: a VM runs one job.
 */
#include "fs/mount.h"

/* Ends a change, or what was to be one. */
static void mounts_unlock(int err)
{
	if (!err)
		fs_upcalls.tree_changed();
	mutex_unlock(&mounts_mutex);
}

static bool is_mount_root(const struct path *p)
{
	return p->dentry == p->mnt->root;
}

int mount_internal(const char *type, const char *source, const char *data, uint32_t flags,
		   struct mount **ret)
{
	struct super_block *sb;
	int err = super_mount(type, source, data, flags, &sb);
	if (err)
		return err;
	struct mount *m = mount_new(sb, sb->root, flags, source);
	if (!m)
		return -ENOMEM;
	*ret = m;
	return 0;
}

/* In the tree that everybody sees: not taken out with MNT_DETACH, nor a pipe's. */
static bool is_attached(const struct path *p)
{
	return p->mnt == root_mount || p->mnt->parent;
}

/* Attaches a mount nobody else knows, or drops it. */
static int attach_new(struct mount *m, const struct path *at)
{
	mutex_lock(&mounts_mutex);
	int err = is_attached(at) ? mount_attach(m, at) : -EINVAL;
	mounts_unlock(err);
	if (err)
		mount_put(m);
	return err;
}

int mount_fs(const char *type, const char *source, const char *data,
	     const struct path *at, uint32_t flags)
{
	struct mount *m;
	int err = mount_internal(type, source, data, flags, &m);
	return err ? err : attach_new(m, at);
}

int mount_root(const char *type, const char *source, const char *data)
{
	struct mount *m;
	int err = mount_internal(type, source, data, 0, &m);
	if (err)
		return err;
	mutex_lock(&mounts_mutex);
	spin_lock(&dcache_lock);
	insist(!root_mount);
	root_mount = m;
	spin_unlock(&dcache_lock);
	mutex_unlock(&mounts_mutex);

	struct thread *t = thread_current();
	return t->fs ? 0 : fs_ctx_copy(NULL, &t->fs);
}

/* ---- bind ---- */

static struct mount *mount_clone(struct mount *m, struct dentry *root)
{
	ref_get(&m->sb->refs);
	return mount_new(m->sb, root, m->flags, m->source);
}

/* Unmounts a subtree of which `top` may or may not be attached; mounts_mutex held. */
static void detach_tree(struct mount *top)
{
	for (struct mount *m = top, *parent;; m = parent) {
		while (!list_empty(&m->children))
			m = list_first(&m->children, struct mount, sibling);
		parent = m->parent;
		bool done = m == top;
		mount_detach(m);
		mount_put(m);
		if (done)
			return;
	}
}

/* Copies of the mounts below from->dentry, attached to the copy `top` of from->mnt. */
static int copy_children(const struct path *from, struct mount *top)
{
	struct mount *src = from->mnt;

	src->copy = top;
	for (struct mount *m = mount_next(src, src); m; m = mount_next(m, src)) {
		m->copy = NULL;
		struct mount *parent = m->parent->copy;
		if (!parent)
			continue;
		if (m->parent == src && !dentry_is_ancestor(from->dentry, m->point))
			continue;
		struct mount *c = mount_clone(m, m->root);
		if (!c)
			return -ENOMEM;
		struct path at = { parent, m->point };
		int err = mount_attach(c, &at);
		if (err) {
			mount_put(c);
			return err;
		}
		m->copy = c;
	}
	return 0;
}

int mount_bind(const struct path *from, const struct path *at, bool recursive,
	       uint32_t flags)
{
	struct mount *m = NULL;
	int err = 0;

	mutex_lock(&mounts_mutex);
	if (!is_attached(from) || !is_attached(at))
		err = -EINVAL;
	else
		m = mount_clone(from->mnt, from->dentry);
	if (!err && !m)
		err = -ENOMEM;
	else if (!err && recursive)
		err = copy_children(from, m);
	if (!err)
		err = mount_attach(m, at);
	if (err && m)
		detach_tree(m);
	mounts_unlock(err);
	return err;
}

int mount_move(const struct path *from, const struct path *at)
{
	int err;

	mutex_lock(&mounts_mutex);
	struct mount *m = from->mnt;
	if (!is_mount_root(from) || !m->parent || !is_attached(at)) {
		err = -EINVAL;
	} else if (mount_is_below(at->mnt, m)) {
		err = -ELOOP;
	} else if (S_ISDIR(at->dentry->inode->mode) != S_ISDIR(m->root->inode->mode)) {
		err = -ENOTDIR;
	} else {
		struct path old = { m->parent, m->point };
		path_get(&old);
		mount_detach(m);
		err = mount_attach(m, at);
		if (err) {
			int back = mount_attach(m, &old);
			if (back)
				mount_put(m);
		}
		path_put(&old);
	}
	mounts_unlock(err);
	return err;
}

int mount_remount(const struct path *at, uint32_t flags, const char *data)
{
	struct mount *m = at->mnt;
	struct super_block *sb = m->sb;
	int err = 0;

	if (!is_mount_root(at))
		return -EINVAL;
	mutex_lock(&mounts_mutex);
	if ((flags & MS_RDONLY) && m->writers)
		err = -EBUSY;
	if (!err && !(flags & MS_BIND) && sb->ops->remount)
		err = sb->ops->remount(sb, data);
	if (!err) {
		m->flags = flags & MOUNT_FLAGS;
		if (!(flags & (MS_BIND | MS_RDONLY)))
			sb->flags &= ~SB_RDONLY;
		else if (!(flags & MS_BIND))
			sb->flags |= SB_RDONLY;
	}
	mounts_unlock(err);
	return err;
}

/* ---- umount ---- */

/* The tree's reference and the caller's path are all there may be. */
static bool in_use(const struct mount *m)
{
	return !list_empty(&m->children) || ref_read(&m->refs) > 2;
}

int mount_umount(const struct path *at, uint32_t flags)
{
	struct mount *m = at->mnt;
	int err = 0;

	if (!is_mount_root(at))
		return -EINVAL;
	if ((flags & MNT_EXPIRE) &&
	    ((flags & (MNT_FORCE | MNT_DETACH)) || m == root_mount))
		return -EINVAL;
	mutex_lock(&mounts_mutex);
	if (m == root_mount || !m->parent)
		err = m == root_mount ? -EBUSY : -EINVAL;
	else if (!(flags & MNT_DETACH) && in_use(m))
		err = -EBUSY;
	else if ((flags & MNT_EXPIRE) && !m->expiring)
		err = -EAGAIN;
	else
		detach_tree(m);
	if (err == -EAGAIN)
		m->expiring = true;
	mounts_unlock(err);
	return err;
}

/* ---- pivot_root(2) ---- */

static int may_pivot(const struct path *root, const struct path *new_root,
		     const struct path *put_old)
{
	if (new_root->mnt == root->mnt || put_old->mnt == root->mnt)
		return -EBUSY;
	if (!is_mount_root(root) || !is_mount_root(new_root) || root->mnt != root_mount ||
	    !new_root->mnt->parent)
		return -EINVAL;
	if (!mount_is_below(put_old->mnt, new_root->mnt) ||
	    (put_old->mnt == new_root->mnt &&
	     !dentry_is_ancestor(new_root->dentry, put_old->dentry)))
		return -EINVAL;
	if (!S_ISDIR(new_root->dentry->inode->mode) ||
	    !S_ISDIR(put_old->dentry->inode->mode))
		return -ENOTDIR;
	return 0;
}

static int swap_roots(const struct path *new_root, const struct path *put_old)
{
	struct mount *old = root_mount, *new = new_root->mnt;
	struct path was = { new->parent, new->point };

	path_get(&was);
	mount_detach(new);
	int err = mount_attach(old, put_old);
	if (err) {
		int back = mount_attach(new, &was);
		if (back)
			mount_put(new);
	} else {
		spin_lock(&dcache_lock);
		root_mount = new;
		spin_unlock(&dcache_lock);
	}
	path_put(&was);
	return err;
}

int mount_pivot(const struct path *new_root, const struct path *put_old)
{
	struct path root;

	fs_root_get(&root);
	mutex_lock(&mounts_mutex);
	int err = may_pivot(&root, new_root, put_old);
	if (!err)
		err = swap_roots(new_root, put_old);
	mounts_unlock(err);
	if (!err)
		fs_ctx_replace_all(&root, new_root);
	path_put(&root);
	return err;
}

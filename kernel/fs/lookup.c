/* Looking names up: one at a time below a directory, and whole paths for everybody
 * else. */
#include "fs/access.h"
#include "fs/confine.h"
#include "fs/walk.h"
#include "lib/string.h"

struct dentry *lookup_cached(struct dentry *dir, const struct qname *name)
{
	struct dentry *d = dcache_find(dir, name);

	if (!d || !d->sb->ops->revalidate || d->sb->ops->revalidate(d))
		return d;
	dentry_drop(d);
	dentry_put(d);
	return NULL;
}

int lookup_locked(struct dentry *dir, const struct qname *name, struct dentry **ret)
{
	struct inode *i = dir->inode;

	if (name->len > NAME_MAX_LEN)
		return -ENAMETOOLONG;
	struct dentry *d = lookup_cached(dir, name);
	if (d) {
		*ret = d;
		return 0;
	}
	if (!i->ops->lookup)
		return -ENOTDIR;
	if (dir->flags & DENTRY_UNHASHED)
		return -ENOENT;
	d = dentry_new(dir, name);
	if (!d)
		return -ENOMEM;
	int err = i->ops->lookup(i, d);
	if (err) {
		dentry_put(d);
		return err;
	}
	dentry_hash(d);
	*ret = d;
	return 0;
}

int dentry_lookup(struct dentry *dir, struct qname name, struct dentry **ret)
{
	struct dentry *d = lookup_cached(dir, &name);
	if (d) {
		*ret = d;
		return 0;
	}
	mutex_lock(&dir->inode->lock);
	int err = lookup_locked(dir, &name, ret);
	mutex_unlock(&dir->inode->lock);
	return err;
}

/* access(2)'s walk. */
static int path_at_real(int dirfd, const char *name, uint32_t flags, struct path *ret)
{
	struct cred *c;

	int err = cred_real_ids(&c);
	if (err)
		return err;
	err = walk_path(dirfd, name, flags, c, ret);
	cred_put(c);
	return err;
}

static int path_at_any(int dirfd, const char *name, uint32_t flags, struct path *ret)
{
	if (unlikely(flags & WALK_REAL_IDS))
		return path_at_real(dirfd, name, flags, ret);
	return walk_path(dirfd, name, flags, thread_current()->cred, ret);
}

/* What an empty name leads to its caller has open. */
int path_at(int dirfd, const char *name, uint32_t flags, struct path *ret)
{
	int err = path_at_any(dirfd, name, flags, ret);
	if (err || !*name)
		return err;
	err = confine_path(ret, WANT_LOOK);
	if (unlikely(err))
		path_put(ret);
	return err;
}

int path_at_user(int dirfd, uaddr_t name, uint32_t flags, struct path *ret)
{
	struct pathname n;

	int err = name_get(name, flags, &n);
	if (err)
		return err;
	err = path_at(dirfd, n.s, flags, ret);
	name_put(&n);
	return err;
}

int path_parent_lock(int dirfd, const char *name, uint32_t flags,
		     struct parent_lookup *ret)
{
	struct walk w;

	int err = walk_init(&w, dirfd, name, flags, true, thread_current()->cred);
	if (err)
		return err;
	err = walk_run(&w);
	if (!err && w.kind != LAST_NAME)
		err = -EEXIST;
	if (!err) {
		struct dentry *d;
		mutex_lock(&w.at.dentry->inode->lock);
		err = lookup_locked(w.at.dentry, &w.last, &d);
		if (err)
			mutex_unlock(&w.at.dentry->inode->lock);
		else
			*ret = (struct parent_lookup){ w.at, d, w.trailing };
	}
	if (!err)
		w.at = (struct path){ 0 };
	walk_end(&w);
	return err;
}

void path_unlock_parent(struct parent_lookup *p)
{
	mutex_unlock(&p->parent.dentry->inode->lock);
	dentry_put(p->dentry);
	path_put(&p->parent);
}

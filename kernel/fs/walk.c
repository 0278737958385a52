/*
 * Path walks (path_resolution(7), openat2(2)). A walk goes over cached names under one
 * hold of dcache_lock, borrowing every dentry on the way, and takes references where it
 * stops: at the end, or in front of a component that needs the file system, a symbolic
 * link, or a folder of which more than the mode says who may search it. That one is taken
 * slowly, and on it goes.
 *
 * Always true:
 *  W1  every directory that a name is looked up in has been found searchable first;
 *  W2  ".." never leads above the process's root, nor above a scope of openat2.
 */
#include "fs/walk.h"

#include "fs/acl.h"

static const char *skip_slashes(const char *s)
{
	while (*s == '/')
		s++;
	return s;
}

/* ---- under dcache_lock, on borrowed paths ---- */

static struct path root_locked(const struct walk *w)
{
	struct fs_ctx *fs = thread_current()->fs;

	if (w->flags & WALK_IN_ROOT)
		return w->scope;
	spin_lock(&fs->lock);
	struct path root = fs->root;
	spin_unlock(&fs->lock);
	return root;
}

static int step_up_locked(const struct walk *w, struct path *at)
{
	struct path root = root_locked(w);

	if ((w->flags & WALK_BENEATH) && path_equal(at, &w->scope))
		return -EXDEV;
	while (!path_equal(at, &root)) {
		if (at->dentry != at->mnt->root) {
			at->dentry = at->dentry->parent;
			break;
		}
		if (!at->mnt->parent)
			break;
		if (w->flags & WALK_NO_XDEV)
			return -EXDEV;
		*at = (struct path){ at->mnt->parent, at->mnt->point };
	}
	mount_cross_locked(at);
	return 0;
}

enum step { STEP_ON, STEP_END, STEP_SLOW };

/* A component other than "." and "..", from the cache. */
static inline enum step step_name_locked(const struct walk *w, struct path *at,
					 const struct qname *name, bool last, int *err)
{
	struct dentry *d = dcache_find_locked(at->dentry, name);

	if (unlikely(!d || d->sb->ops->revalidate))
		return STEP_SLOW;
	if (unlikely(!d->inode)) {
		*err = -ENOENT;
		return STEP_END;
	}
	if (S_ISLNK(d->inode->mode) && (!last || (w->flags & WALK_FOLLOW)))
		return STEP_SLOW;
	struct mount *mnt = at->mnt;
	at->dentry = d;
	mount_cross_locked(at);
	if (unlikely((w->flags & WALK_NO_XDEV) && mnt != at->mnt)) {
		*err = -EXDEV;
		return STEP_END;
	}
	return STEP_ON;
}

static enum step step_dots_locked(const struct walk *w, struct path *at,
				  const struct qname *name, int *err)
{
	if (name->len == 2)
		*err = step_up_locked(w, at);
	return *err ? STEP_END : STEP_ON;
}

/* The end of the text of a walk to the parent: what its last component is. */
static void note_last(struct walk *w, const struct qname *name)
{
	w->last = *name;
	if (name_is_dot(name->s, name->len))
		w->kind = LAST_DOT;
	else if (name_is_dotdot(name->s, name->len))
		w->kind = LAST_DOTDOT;
	else
		w->kind = LAST_NAME;
}

/* The last component of all. A slash behind it means a directory, through links too. */
static void reached_last(struct walk *w, const struct qname *name, const char *rest)
{
	if (rest != name->s + name->len) {
		w->trailing = true;
		w->flags |= WALK_FOLLOW;
	}
	if (w->to_parent) {
		note_last(w, name);
		w->rest = rest;
	}
}

/* May names be looked up here? Says STEP_SLOW where the mode does not tell. */
static inline enum step check_dir(const struct walk *w, const struct inode *dir, int *err)
{
	uint32_t mode = inode_mode_now(dir);

	if (unlikely(!S_ISDIR(mode)))
		*err = -ENOTDIR;
	else if (unlikely(dir->acl || dir->ops->permission))
		return STEP_SLOW;
	else
		*err = sec_may_search(w->cred, mode, dir->uid, dir->gid);
	return *err ? STEP_END : STEP_ON;
}

/* Goes on from *at (borrowed) while the cache knows the way; leaves references in
 * w->at. */
static __attribute__((noinline)) int advance_locked(struct walk *w, struct path at)
{
	enum step go = STEP_ON;
	int err = 0;

	w->rest = skip_slashes(w->rest);
	while (*w->rest) {
		go = check_dir(w, at.dentry->inode, &err);
		if (go != STEP_ON)
			break;
		struct qname name = name_scan(at.dentry, w->rest);
		const char *rest = skip_slashes(name.s + name.len);
		bool last = !*rest && !w->depth;
		if (unlikely(name.len > NAME_MAX_LEN)) {
			err = -ENAMETOOLONG;
			break;
		}
		if (last) {
			reached_last(w, &name, rest);
			if (w->to_parent)
				break;
		}
		if (*name.s == '.' && (name.len == 1 || name_is_dotdot(name.s, name.len)))
			go = step_dots_locked(w, &at, &name, &err);
		else
			go = step_name_locked(w, &at, &name, last, &err);
		if (go != STEP_ON)
			break;
		w->rest = rest;
	}
	w->at = at;
	mount_get(at.mnt);
	dentry_get_locked(at.dentry);
	return err;
}

/* ---- with references ---- */

int walk_enter(struct walk *w, struct dentry *child)
{
	struct path old = w->at, next = { old.mnt, child };

	spin_lock(&dcache_lock);
	mount_cross_locked(&next);
	path_get(&next);
	spin_unlock(&dcache_lock);
	dentry_put(child);
	if ((w->flags & WALK_NO_XDEV) && next.mnt != old.mnt) {
		path_put(&next);
		return -EXDEV;
	}
	w->at = next;
	path_put(&old);
	return 0;
}

static int step_up(struct walk *w)
{
	struct path at = w->at, old = w->at;

	spin_lock(&dcache_lock);
	int err = step_up_locked(w, &at);
	path_get(&at);
	spin_unlock(&dcache_lock);
	w->at = at;
	path_put(&old);
	return err;
}

/* One component, with the file system's help. */
static int step_slow(struct walk *w)
{
	const char *s = skip_slashes(w->rest);
	struct dentry *dir = w->at.dentry, *d;

	if (!S_ISDIR(dir->inode->mode))
		return -ENOTDIR;
	int err = inode_permission_cred(w->cred, dir->inode, MAY_EXEC);
	if (err)
		return err;
	struct qname name = name_scan(dir, s);
	w->rest = skip_slashes(name.s + name.len);
	bool last = !*w->rest && !w->depth;
	if (last)
		reached_last(w, &name, w->rest);
	if (last && w->to_parent)
		return 0;
	if (name_is_dot(s, name.len))
		return 0;
	if (name_is_dotdot(s, name.len))
		return step_up(w);
	d = lookup_cached(dir, &name);
	if (!d && (w->flags & WALK_CACHED))
		return -EAGAIN;
	err = d ? 0 : dentry_lookup(dir, name, &d);
	if (err)
		return err;
	if (!d->inode) {
		dentry_put(d);
		return -ENOENT;
	}
	if (S_ISLNK(d->inode->mode) && (!last || (w->flags & WALK_FOLLOW)))
		return walk_follow(w, d);
	return walk_enter(w, d);
}

static bool walk_done(struct walk *w)
{
	while (!*skip_slashes(w->rest)) {
		if (!w->depth)
			return true;
		path_buf_free(w->text);
		w->depth--;
		w->text = w->stack[w->depth].text;
		w->rest = w->stack[w->depth].rest;
	}
	return false;
}

int walk_run(struct walk *w)
{
	while (!walk_done(w)) {
		int err = step_slow(w);
		if (err)
			return err;
		if (walk_done(w))
			break;
		struct path old = w->at;
		spin_lock(&dcache_lock);
		err = advance_locked(w, old);
		spin_unlock(&dcache_lock);
		path_put(&old);
		if (err)
			return err;
	}
	return 0;
}

/* ---- beginning and end ---- */

/* Borrowed; dcache_lock held. */
static struct path start_locked(const struct walk *w, const struct file *f)
{
	struct fs_ctx *fs = thread_current()->fs;

	if (f)
		return f->path;
	spin_lock(&fs->lock);
	struct path p =
		*w->rest == '/' && !(w->flags & WALK_IN_ROOT) ? fs->root : fs->cwd;
	spin_unlock(&fs->lock);
	return p;
}

static void take_scope(struct walk *w, const struct path *start)
{
	if (w->flags & (WALK_BENEATH | WALK_IN_ROOT)) {
		w->scope = *start;
		path_get(&w->scope);
	}
}

int walk_init(struct walk *w, int dirfd, const char *name, uint32_t flags, bool to_parent,
	      const struct cred *c)
{
	struct fd_ref r = { 0 };

	if (*name == '/' && (flags & WALK_BENEATH))
		return -EXDEV;
	if (dirfd != AT_FDCWD && (*name != '/' || (flags & WALK_IN_ROOT)) &&
	    !fd_borrow_any(dirfd, &r))
		return -EBADF;
	w->rest = name;
	w->text = NULL;
	w->scope = (struct path){ 0 };
	w->cred = c;
	w->flags = flags;
	w->to_parent = to_parent;
	w->trailing = false;
	w->kind = LAST_ROOT;
	w->links = w->depth = 0;

	spin_lock(&dcache_lock);
	struct path start = start_locked(w, r.file);
	take_scope(w, &start);
	int err = advance_locked(w, start);
	spin_unlock(&dcache_lock);
	if (r.file)
		fd_return(&r);
	if (unlikely(err))
		walk_end(w);
	return err;
}

void walk_end(struct walk *w)
{
	path_put(&w->at);
	path_put(&w->scope);
	if (w->text)
		path_buf_free(w->text);
	while (w->depth) {
		w->depth--;
		if (w->stack[w->depth].text)
			path_buf_free(w->stack[w->depth].text);
	}
}

/* What a finished walk holds beside its result. */
static inline void drop_rest(struct walk *w)
{
	if (unlikely(w->scope.mnt || w->text)) {
		w->at = (struct path){ 0 };
		walk_end(w);
	}
}

int walk_path(int dirfd, const char *name, uint32_t flags, const struct cred *c,
	      struct path *ret)
{
	struct walk w;

	int err = walk_init(&w, dirfd, name, flags, false, c);
	if (unlikely(err))
		return err;
	if (unlikely(*w.rest || w.depth))
		err = walk_run(&w);
	if (!err && (w.trailing || (flags & WALK_DIRECTORY)) &&
	    !S_ISDIR(w.at.dentry->inode->mode))
		err = -ENOTDIR;
	if (unlikely(err)) {
		walk_end(&w);
		return err;
	}
	*ret = w.at;
	drop_rest(&w);
	return 0;
}

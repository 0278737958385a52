/*
 * open(2): from a name to an open file, making the file on the way when asked to.
 *
 * Locks: with O_CREAT the parent's inode lock from the lookup to the creation, so that
 * O_EXCL decides between two who come at the same time.
 */
#include "fs/open.h"

#include "fs/confine.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "fs/walk.h"

/* All that O_PATH does not make meaningless. */
#define FLAGS_OF_PATH ((uint32_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))

static uint32_t walk_flags_of(uint32_t flags, uint32_t walk_flags)
{
	if (!(flags & O_NOFOLLOW))
		walk_flags |= WALK_FOLLOW;
	if (flags & O_DIRECTORY)
		walk_flags |= WALK_DIRECTORY;
	return walk_flags;
}

static int open_existing(int dirfd, const char *name, uint32_t flags, uint32_t walk_flags,
			 struct file **ret)
{
	struct path p;

	int err = walk_path(dirfd, name, walk_flags_of(flags, walk_flags),
			    thread_current()->cred, &p);
	if (err)
		return err;
	err = file_open_path(&p, flags, ret);
	path_put(&p);
	return err;
}

/* ---- O_TMPFILE ---- */

static int tmpfile_dentry(const struct path *dir, struct inode *i, struct dentry **ret)
{
	char text[24];
	size_t n = fmt_to(text, sizeof text, "#%llu", (unsigned long long)i->ino);
	struct qname name = { text, (uint32_t)n, 0 };
	struct dentry *d = dentry_new(dir->dentry, &name);

	if (!d) {
		inode_put(i);
		return -ENOMEM;
	}
	dentry_drop(d);
	dentry_instantiate(d, i);
	*ret = d;
	return 0;
}

static int make_tmpfile(const struct path *dir, uint32_t flags, uint32_t mode,
			struct dentry **ret)
{
	struct inode *d = dir->dentry->inode, *i;

	int err = may_create(dir);
	if (!err)
		err = confine_path(dir, WANT_MAKE_REG);
	if (err)
		return err;
	if (!d->ops->tmpfile)
		return -EOPNOTSUPP;
	mutex_lock(&d->lock);
	err = d->ops->tmpfile(d, mode_masked(d, mode & 07777) | S_IFREG, &i);
	mutex_unlock(&d->lock);
	if (err)
		return err;
	if (!(flags & O_EXCL))
		i->state |= INODE_LINKABLE;
	return tmpfile_dentry(dir, i, ret);
}

/* Who may make a file may not therefore read it. */
static int open_created(const struct path *p, uint32_t flags, struct file **ret)
{
	int err = confine_path(p, want_of_open(p->dentry->inode, flags));

	return err ? err : file_open_created(p, flags, ret);
}

static int open_tmpfile_in(const struct path *dir, uint32_t flags, uint32_t mode,
			   struct file **ret)
{
	struct path p = { .mnt = dir->mnt };

	int err = make_tmpfile(dir, flags, mode, &p.dentry);
	if (err)
		return err;
	err = open_created(&p, flags, ret);
	dentry_put(p.dentry);
	return err;
}

static int open_tmpfile(int dirfd, const char *name, uint32_t flags, uint32_t mode,
			uint32_t walk_flags, struct file **ret)
{
	struct path dir;

	int err =
		walk_path(dirfd, name, walk_flags_of(flags, walk_flags) | WALK_DIRECTORY,
			  thread_current()->cred, &dir);
	if (err)
		return err;
	err = open_tmpfile_in(&dir, flags, mode, ret);
	path_put(&dir);
	return err;
}

/* ---- O_CREAT ---- */

struct creation {
	struct walk w;
	uint32_t flags, mode;
	bool created;
};

static int create_here(struct creation *c, struct dentry *d)
{
	struct inode *dir = c->w.at.dentry->inode;

	int err = may_create(&c->w.at);
	if (!err)
		err = confine_name(&c->w.at, &c->w.last, WANT_MAKE_REG);
	if (err)
		return err;
	if (!dir->ops->create)
		return -EACCES;
	err = dir->ops->create(dir, d, mode_masked(dir, c->mode & 07777) | S_IFREG);
	c->created = !err;
	if (!err)
		notify_created(dir, d);
	return err;
}

/* A cached answer still holds once the directory is locked: names change under that
 * lock. */
static bool still_there(const struct dentry *d, const struct dentry *parent,
			const struct qname *name)
{
	return d->parent == parent && !(d->flags & DENTRY_UNHASHED) &&
	       name_equal(&d->name, name->s, name->len);
}

/* With the parent locked: d (consumed; NULL: not cached) or who has the name now. */
static int find_locked(struct creation *c, struct dentry *d, struct dentry **ret)
{
	struct dentry *parent = c->w.at.dentry;
	int err = 0;

	if (d && !still_there(d, parent, &c->w.last)) {
		dentry_put(d);
		d = NULL;
	}
	if (!d)
		err = lookup_locked(parent, &c->w.last, &d);
	if (!err && !d->inode) {
		err = create_here(c, d);
		if (err)
			dentry_put(d);
	}
	if (!err)
		*ret = d;
	return err;
}

/* The last component: found, or made. *ret is positive and referenced. */
static int find_or_create(struct creation *c, struct dentry **ret)
{
	struct dentry *parent = c->w.at.dentry;
	struct dentry *d = lookup_cached(parent, &c->w.last);

	if (d && d->inode) {
		*ret = d;
		return 0;
	}
	mutex_lock(&parent->inode->lock);
	int err = find_locked(c, d, ret);
	mutex_unlock(&parent->inode->lock);
	return err;
}

/* Handles the walk's last name. 1: it was a link, the walk has to go on. */
static int last_name(struct creation *c)
{
	struct dentry *d;

	if (c->w.trailing)
		return -EISDIR;
	int err = inode_permission(c->w.at.dentry->inode, MAY_EXEC);
	if (!err)
		err = find_or_create(c, &d);
	if (err)
		return err;
	if (!c->created && (c->flags & O_EXCL)) {
		dentry_put(d);
		return -EEXIST;
	}
	if (!S_ISLNK(d->inode->mode))
		return walk_enter(&c->w, d);
	if (c->flags & O_NOFOLLOW) {
		dentry_put(d);
		return -ELOOP;
	}
	err = walk_follow(&c->w, d);
	return err ? err : 1;
}

static int resolve_creating(struct creation *c)
{
	for (;;) {
		int err = walk_run(&c->w);
		if (err)
			return err;
		if (c->w.kind != LAST_NAME) {
			/* "/", ".", ".."; or a magic link's target, which may be a
			 * file. */
			if (c->flags & O_EXCL)
				return -EEXIST;
			return S_ISDIR(c->w.at.dentry->inode->mode) ? -EISDIR : 0;
		}
		err = last_name(c);
		if (err != 1)
			return err;
	}
}

static int open_creating(int dirfd, const char *name, uint32_t flags, uint32_t mode,
			 uint32_t walk_flags, struct file **ret)
{
	struct creation c;

	c.flags = flags;
	c.mode = mode;
	c.created = false;
	int err = walk_init(&c.w, dirfd, name, walk_flags, true, thread_current()->cred);
	if (err)
		return err;
	err = resolve_creating(&c);
	if (!err)
		err = c.created ? open_created(&c.w.at, flags, ret)
				: file_open_path(&c.w.at, flags, ret);
	walk_end(&c.w);
	return err;
}

int file_open_found(const struct path *p, uint32_t flags, struct file **ret)
{
	if (flags & O_PATH)
		flags &= FLAGS_OF_PATH;
	if ((flags & O_DIRECTORY) && !S_ISDIR(p->dentry->inode->mode))
		return -ENOTDIR;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return (flags & O_ACCMODE) == O_RDONLY || (flags & O_CREAT)
			       ? -EINVAL
			       : open_tmpfile_in(p, flags, 0, ret);
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	return file_open_path(p, flags, ret);
}

int file_open_at(int dirfd, const char *name, uint32_t flags, uint32_t mode,
		 uint32_t walk_flags, struct file **ret)
{
	if (flags & O_PATH)
		flags &= FLAGS_OF_PATH;
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_CREAT))
			return -EINVAL;
		return open_tmpfile(dirfd, name, flags, mode, walk_flags, ret);
	}
	if (!(flags & O_CREAT))
		return open_existing(dirfd, name, flags, walk_flags, ret);
	if (flags & O_DIRECTORY)
		return -EINVAL;
	return open_creating(dirfd, name, flags, mode, walk_flags, ret);
}

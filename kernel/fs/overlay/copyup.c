/*
 * Copying up: before anything of a lower object changes, upper gets one like it. Files
 * are made without a name and linked when they are complete, so nobody ever sees half of
 * one.
 */
#include "fs/acl.h"
#include "fs/file.h"
#include "fs/overlay/overlay.h"
#include "fs/walk.h"
#include "lib/string.h"

#define READ_AHEAD 32u

/* ---- content and attributes ---- */

static bool page_is_zero(const void *page)
{
	const uint64_t *w = page;

	for (size_t k = 0; k < PAGE_SIZE / sizeof *w; k++)
		if (w[k])
			return false;
	return true;
}

static int copy_page(struct inode *from, struct inode *to, uint64_t index, uint64_t size)
{
	struct page *p;
	struct uio u;
	int64_t n = 0;

	int err = mapping_get(&from->mapping, index, READ_AHEAD, &p);
	if (err)
		return err;
	uint64_t at = index << PAGE_SHIFT;
	/* Holes stay holes. */
	if (!page_is_zero(page_va(p))) {
		uio_init_kernel(&u, page_va(p), MIN(PAGE_SIZE, size - at));
		n = mapping_write(&to->mapping, at, &u);
	}
	page_put(p);
	return n < 0 ? (int)n : 0;
}

static int copy_data(struct inode *from, struct inode *to)
{
	uint64_t size = from->size;

	for (uint64_t k = 0; k << PAGE_SHIFT < size; k++) {
		int err = copy_page(from, to, k, size);
		if (err)
			return err;
		if (thread_work(thread_current()) & WORK_KILL)
			return -EINTR;
	}
	struct attr_change a = { .valid = ATTR_SIZE, .size = size };
	return to->ops->setattr ? to->ops->setattr(to, &a) : inode_setattr_simple(to, &a);
}

static int copy_xattr(struct inode *from, struct inode *to, const char *name)
{
	int64_t n = from->ops->getxattr(from, name, NULL, 0);
	if (n < 0)
		return (int)n;
	void *v = heap_alloc((size_t)n + 1);
	if (!v)
		return -ENOMEM;
	n = from->ops->getxattr(from, name, v, (size_t)n);
	int err = n < 0 ? (int)n : to->ops->setxattr(to, name, v, (size_t)n, 0);
	heap_free(v);
	return err;
}

static int copy_xattrs(struct inode *from, struct inode *to)
{
	int64_t n = from->ops->listxattr && from->ops->getxattr && to->ops->setxattr
			    ? from->ops->listxattr(from, NULL, 0)
			    : 0;
	if (n <= 0)
		return (int)n;
	char *names = heap_alloc((size_t)n);
	if (!names)
		return -ENOMEM;
	int err = 0;
	n = from->ops->listxattr(from, names, (size_t)n);
	for (int64_t at = 0; at < n && !err; at += (int64_t)strlen(names + at) + 1) {
		enum acl_kind kind;
		if (!acl_kind_of(names + at, &kind))
			err = copy_xattr(from, to, names + at);
	}
	heap_free(names);
	return n < 0 ? (int)n : err;
}

/* Names in a guarded folder of upper can still be made: nobody asks who makes them. */
static int copy_flags(struct inode *from, struct inode *to)
{
	uint32_t kept = from->flags & OVL_FLAGS_KEPT;

	if (!kept)
		return 0;
	return to->ops->setflags ? to->ops->setflags(to, to->flags | kept) : -EOPNOTSUPP;
}

/* What a fresh upper inode must take over; nobody else knows it yet, or its lock is
 * held. */
static int copy_attrs(struct inode *from, struct inode *to)
{
	struct attr_change a = {
		.valid = ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME,
		.mode = from->mode & 07777,
		.uid = from->uid,
		.gid = from->gid,
		.atime = from->t.atime,
		.mtime = from->t.mtime,
	};
	int err = copy_xattrs(from, to);
	if (err)
		return err;
	err = to->ops->setattr ? to->ops->setattr(to, &a) : inode_setattr_simple(to, &a);
	/* What it has inherited where it was made goes. */
	if (!err)
		err = inode_acls_copy(from, to);
	to->t.btime = from->t.btime;
	return err ? err : copy_flags(from, to);
}

/* ---- one object; the upper parent's inode is locked ---- */

static int up_regular(struct inode *i, struct dentry *udir, struct dentry *ud, bool data,
		      struct inode **ret)
{
	struct inode *from = ovl_of(i)->lower->inode, *dir = udir->inode, *to;

	int err = dir->ops->tmpfile ? dir->ops->tmpfile(dir, from->mode, &to) : -EROFS;
	if (err)
		return err;
	mutex_lock(&to->lock);
	if (data)
		err = copy_data(from, to);
	if (!err)
		err = copy_attrs(from, to);
	/* Without a dentry the name is gone already: the copy stays nameless. */
	if (!err && ud)
		err = dir->ops->link(dir, ud, to);
	mutex_unlock(&to->lock);
	if (err) {
		inode_put(to);
		return err;
	}
	*ret = to;
	return 0;
}

static int make_symlink(struct inode *from, struct inode *dir, struct dentry *ud)
{
	char *text = path_buf_alloc();
	if (!text)
		return -ENOMEM;
	int64_t n = from->ops->readlink(from, text, PATH_MAX_LEN - 1);
	int err = (int)n;
	if (n >= 0) {
		text[n] = '\0';
		err = dir->ops->symlink(dir, ud, text);
	}
	path_buf_free(text);
	return err;
}

/* Everything but regular files is made under its name at once. */
static int up_other(struct inode *i, struct dentry *udir, struct dentry *ud,
		    struct inode **ret)
{
	struct inode *from = ovl_of(i)->lower->inode, *dir = udir->inode;
	int err;

	if (!ud)
		return -ENOENT;
	if (S_ISDIR(from->mode))
		err = dir->ops->mkdir(dir, ud, from->mode);
	else if (S_ISLNK(from->mode))
		err = make_symlink(from, dir, ud);
	else
		err = dir->ops->mknod(dir, ud, from->mode, from->rdev);
	if (err)
		return err;
	*ret = inode_get(ud->inode);
	mutex_lock(&ud->inode->lock);
	err = copy_attrs(from, ud->inode);
	mutex_unlock(&ud->inode->lock);
	if (err)
		inode_put(*ret);
	return err;
}

static void publish(struct inode *i, struct inode *upper, struct dentry *ud)
{
	struct ovl_inode *o = ovl_of(i);

	if (S_ISDIR(i->mode)) {
		o->upper_dir = dentry_get(ud);
		o->upper = upper;
	} else {
		o->upper = upper;
		if (ud && i->nlink)
			ovl_pin(i);
	}
}

/* Where a thing is to be copied up: taken down under dcache_lock, since the dentry of
 * one that is being replaced by a rename changes its name at any time. */
struct place {
	struct dentry *udir;   /* upper's directory; borrowed from `parent` */
	struct dentry *parent; /* referenced; NULL: the thing has no name any more */
	struct qname name;
	char text[NAME_MAX_LEN];
};

static void place_get(struct inode *i, struct dentry *d, struct place *ret)
{
	ret->parent = NULL;
	ret->udir = ovl_sb_of(i->sb)->upper.dentry;
	if (!d)
		return;
	spin_lock(&dcache_lock);
	if (!list_empty(&d->hash_link)) {
		ret->parent = dentry_get(d->parent);
		ret->name = (struct qname){ ret->text, d->name.len, 0 };
		memcpy(ret->text, d->name.s, d->name.len);
	}
	spin_unlock(&dcache_lock);
	if (ret->parent)
		ret->udir = ovl_of(ret->parent->inode)->upper_dir;
}

static int up_at(struct inode *i, const struct place *at, bool data)
{
	struct dentry *udir = at->udir, *ud = NULL;
	struct inode *upper;
	int err = 0;

	mutex_lock(&udir->inode->lock);
	struct file_times before = udir->inode->t; /* no entry is new to anybody */
	if (at->parent) {
		struct qname name = ovl_name(udir, &at->name);
		err = lookup_locked(udir, &name, &ud);
	}
	/* Covered meanwhile: this name is on its way out. */
	if (!err && ud && ud->inode) {
		dentry_put(ud);
		ud = NULL;
	}
	if (!err)
		err = S_ISREG(i->mode) ? up_regular(i, udir, ud, data, &upper)
				       : up_other(i, udir, ud, &upper);
	udir->inode->t = before;
	mutex_unlock(&udir->inode->lock);
	if (!err)
		publish(i, upper, ud);
	if (ud)
		dentry_put(ud);
	return err;
}

/* Copies up the object of d, whose parent has an upper. d NULL: it has no name any
 * more. */
static int up_one(struct inode *i, struct dentry *d, bool data)
{
	struct place *at = heap_alloc(sizeof *at);

	if (!at)
		return -ENOMEM;
	place_get(i, d, at);
	int err = up_at(i, at, data);
	if (at->parent)
		dentry_put(at->parent);
	heap_free(at);
	return err;
}

/* ---- from the top down ---- */

/* A name that i still has; referenced, NULL: none. */
static struct dentry *name_of(struct inode *i)
{
	struct dentry *found = NULL;

	spin_lock(&dcache_lock);
	list_for_each(d, &i->dentries, struct dentry, alias)
	{
		if (!list_empty(&d->hash_link)) {
			dentry_get_locked(d);
			found = d;
			break;
		}
	}
	spin_unlock(&dcache_lock);
	return found;
}

/* The topmost of d and its ancestors that has no upper; referenced. */
static struct dentry *topmost_lower(struct dentry *d)
{
	struct dentry *top = d;

	spin_lock(&dcache_lock);
	for (struct dentry *p = d->parent; !ovl_of(p->inode)->upper; p = p->parent)
		top = p;
	dentry_get_locked(top);
	spin_unlock(&dcache_lock);
	return top;
}

int ovl_copy_up_locked(struct inode *i, bool data)
{
	if (!ovl_sb_of(i->sb)->upper.mnt)
		return -EROFS;
	while (!ovl_of(i)->upper) {
		struct dentry *d = name_of(i);
		if (!d)
			return up_one(i, NULL, data);
		struct dentry *top = topmost_lower(d);
		int err = up_one(top->inode, top, data || top != d);
		dentry_put(top);
		dentry_put(d);
		if (err)
			return err;
	}
	return 0;
}

int ovl_copy_up(struct inode *i, bool data)
{
	struct ovl_sb *s = ovl_sb_of(i->sb);

	if (ovl_of(i)->upper)
		return 0;
	mutex_lock(&s->change);
	int err = ovl_copy_up_locked(i, data);
	mutex_unlock(&s->change);
	return err;
}

/* Finding names in the layers, and the marks that upper's inodes carry. */
#include "fs/name.h"
#include "fs/overlay/overlay.h"
#include "fs/walk.h"
#include "lib/string.h"

/* A name as a layer's directory hashes it. */
struct qname ovl_name(const struct dentry *dir, const struct qname *name)
{
	return (struct qname){ name->s, name->len, name_hash(dir, name->s, name->len) };
}

int ovl_find(struct dentry *dir, const struct qname *name, struct dentry **ret)
{
	struct dentry *d;

	*ret = NULL;
	int err = dentry_lookup(dir, ovl_name(dir, name), &d);
	if (err)
		return err == -ENOENT ? 0 : err;
	if (d->inode)
		*ret = d;
	else
		dentry_put(d);
	return 0;
}

int ovl_find_path(struct dentry *root, const char *path, struct dentry **ret)
{
	struct dentry *at = dentry_get(root), *next;

	while (*path == '/')
		path++;
	while (*path) {
		struct qname name = name_scan(at, path);
		int err =
			S_ISDIR(at->inode->mode) ? ovl_find(at, &name, &next) : -ENOTDIR;
		dentry_put(at);
		if (err || !next) {
			*ret = NULL;
			return err;
		}
		at = next;
		path += name.len;
		while (*path == '/')
			path++;
	}
	*ret = at;
	return 0;
}

int ovl_lower_has(const struct inode *dir, const struct qname *name)
{
	struct dentry *lower = ovl_of(dir)->lower, *d;

	if (!lower)
		return 0;
	int err = ovl_find(lower, name, &d);
	if (err || !d)
		return err;
	bool has = !ovl_is_whiteout(d->inode);
	dentry_put(d);
	return has;
}

/* ---- marks ---- */

size_t ovl_mark_get(struct inode *upper, const char *mark, char *buf, size_t n)
{
	if (!upper->ops->getxattr)
		return 0;
	int64_t len = upper->ops->getxattr(upper, mark, buf, n - 1);
	if (len <= 0)
		return 0;
	buf[len] = '\0';
	return (size_t)len;
}

int ovl_mark_set(struct inode *upper, const char *mark, const char *text)
{
	if (!upper->ops->setxattr)
		return -EOPNOTSUPP;
	mutex_lock(&upper->lock);
	int err = upper->ops->setxattr(upper, mark, text, strlen(text), 0);
	mutex_unlock(&upper->lock);
	return err;
}

/* ---- the lookup itself ---- */

/* The lower half of an upper directory: by redirect, or its namesake. */
static int lower_half(struct inode *dir, const struct qname *name, struct inode *upper,
		      struct dentry **ret)
{
	struct dentry *lower = ovl_of(dir)->lower;
	int err = 0;

	*ret = NULL;
	char *buf = path_buf_alloc();
	if (!buf)
		return -ENOMEM;
	if (ovl_mark_get(upper, OVL_REDIRECT, buf, PATH_MAX_LEN))
		err = ovl_find_path(ovl_sb_of(dir->sb)->lower.dentry, buf, ret);
	else if (lower && !ovl_mark_get(upper, OVL_OPAQUE, buf, PATH_MAX_LEN))
		err = ovl_find(lower, name, ret);
	path_buf_free(buf);
	if (!err && *ret && !S_ISDIR((*ret)->inode->mode)) {
		dentry_put(*ret);
		*ret = NULL;
	}
	return err;
}

/* What the layers have under a name; both may come out NULL. */
static int find_layers(struct inode *dir, const struct qname *name,
		       struct dentry **ret_upper, struct dentry **ret_lower)
{
	struct ovl_inode *o = ovl_of(dir);
	int err = 0;

	*ret_upper = *ret_lower = NULL;
	if (o->upper_dir)
		err = ovl_find(o->upper_dir, name, ret_upper);
	if (err)
		return err;
	struct dentry *u = *ret_upper;
	if (u && ovl_is_whiteout(u->inode)) {
		dentry_put(u);
		*ret_upper = NULL;
		return 0;
	}
	if (u && S_ISDIR(u->inode->mode))
		err = lower_half(dir, name, u->inode, ret_lower);
	else if (!u && o->lower)
		err = ovl_find(o->lower, name, ret_lower);
	if (err && u)
		dentry_put(u);
	struct dentry *l = *ret_lower;
	if (!err && l && ovl_is_whiteout(l->inode)) {
		dentry_put(l);
		*ret_lower = NULL;
	}
	return err;
}

int ovl_lookup(struct inode *dir, struct dentry *d)
{
	struct dentry *upper, *lower;
	struct inode *i;

	int err = find_layers(dir, &d->name, &upper, &lower);
	if (err || (!upper && !lower))
		return err;
	err = ovl_inode_get(dir->sb, upper, lower, &i);
	if (!err)
		dentry_instantiate(d, i);
	if (upper)
		dentry_put(upper);
	if (lower)
		dentry_put(lower);
	return err;
}

/* Extended attributes of tmpfs: a short list per inode. The VFS has checked names and
 * rights. */
#include <linux/xattr.h>

#include "fs/acl.h"
#include "fs/inode.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/string.h"

#define BYTES_MAX KIB(128) /* names and values of one inode */

struct tmpfs_xattr {
	struct list link;
	size_t size;
	char *name;
	uint8_t value[];
};

static struct tmpfs_xattr *find(const struct tmpfs_inode *t, const char *name)
{
	list_for_each(x, &t->xattrs, struct tmpfs_xattr, link)
	{
		if (!strcmp(x->name, name))
			return x;
	}
	return NULL;
}

static size_t weight(const struct tmpfs_xattr *x)
{
	return x->size + strlen(x->name) + 1;
}

static void drop(struct tmpfs_inode *t, struct tmpfs_xattr *x)
{
	t->xattr_bytes -= weight(x);
	list_del(&x->link);
	heap_free(x->name);
	heap_free(x);
}

void tmpfs_xattrs_free(struct tmpfs_inode *t)
{
	while (!list_empty(&t->xattrs))
		drop(t, list_first(&t->xattrs, struct tmpfs_xattr, link));
}

int64_t tmpfs_getxattr(struct inode *i, const char *name, void *buf, size_t n)
{
	int64_t r = -ENODATA;

	mutex_lock(&i->lock);
	const struct tmpfs_xattr *x = find(tmpfs_of(i), name);
	if (x) {
		r = (int64_t)x->size;
		if (n && n < x->size)
			r = -ERANGE;
		else if (n)
			memcpy(buf, x->value, x->size);
	}
	mutex_unlock(&i->lock);
	return r;
}

int tmpfs_setxattr(struct inode *i, const char *name, const void *v, size_t n, int flags)
{
	struct tmpfs_inode *t = tmpfs_of(i);
	struct tmpfs_xattr *old = find(t, name);

	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	size_t used = t->xattr_bytes - (old ? weight(old) : 0);
	if (used + n + strlen(name) + 1 > BYTES_MAX)
		return -ENOSPC;
	struct tmpfs_xattr *x = heap_alloc(sizeof *x + n);
	char *copy = heap_strdup(name, strlen(name));
	if (!x || !copy) {
		heap_free(x);
		heap_free(copy);
		return -ENOMEM;
	}
	x->size = n;
	x->name = copy;
	memcpy(x->value, v, n);
	if (old)
		drop(t, old);
	list_push_back(&t->xattrs, &x->link);
	t->xattr_bytes += weight(x);
	inode_touch(i, TOUCH_CTIME);
	return 0;
}

struct listing {
	char *buf;
	size_t room, len;
};

static void list_add(struct listing *l, const char *name, size_t len)
{
	if (l->room && l->len + len <= l->room)
		memcpy(l->buf + l->len, name, len);
	l->len += len;
}

static void list_acl(struct listing *l, enum acl_kind kind, const struct acl *a)
{
	size_t len;
	const char *name = acl_name(kind, &len);

	if (a)
		list_add(l, name, len);
}

int64_t tmpfs_listxattr(struct inode *i, char *buf, size_t n)
{
	struct listing l = { buf, n, 0 };

	mutex_lock(&i->lock);
	list_acl(&l, ACL_OF_ACCESS, i->acl);
	list_acl(&l, ACL_OF_DEFAULT, i->default_acl);
	list_for_each(x, &tmpfs_of(i)->xattrs, struct tmpfs_xattr, link)
	{
		list_add(&l, x->name, strlen(x->name) + 1);
	}
	mutex_unlock(&i->lock);
	return n && l.len > n ? -ERANGE : (int64_t)l.len;
}

int tmpfs_removexattr(struct inode *i, const char *name)
{
	struct tmpfs_xattr *x = find(tmpfs_of(i), name);

	if (!x)
		return -ENODATA;
	drop(tmpfs_of(i), x);
	inode_touch(i, TOUCH_CTIME);
	return 0;
}

/* ---- access control lists: the inode has them, but they count like the others ---- */

static size_t acl_weight(enum acl_kind kind, const struct acl *a)
{
	size_t name;

	(void)acl_name(kind, &name);
	return a ? acl_xattr_size(a->n) + name : 0;
}

int tmpfs_set_acl(struct inode *i, const struct acl_change *c)
{
	struct tmpfs_inode *t = tmpfs_of(i);
	const struct acl *old = c->kind == ACL_OF_ACCESS ? i->acl : i->default_acl;
	size_t rest = t->xattr_bytes - acl_weight(c->kind, old);
	size_t all = rest + acl_weight(c->kind, c->acl);

	if (c->acl && all > BYTES_MAX)
		return -ENOSPC;
	t->xattr_bytes = all;
	inode_acl_set_simple(i, c);
	return 0;
}

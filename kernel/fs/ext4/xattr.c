/*
 * Extended attributes of ext4 inodes. Access control lists are among them on disk; in
 * memory they belong to the inode from its first moment on.
 */
#include "fs/acl.h"
#include "fs/ext4/ext4_fs.h"
#include "lib/string.h"

enum { INDEX_ACL_ACCESS = 2, INDEX_ACL_DEFAULT = 3, INDEX_TRUSTED = 4 };

struct search {
	/* Non-zero ends the walk and is its result. */
	int64_t (*fn)(struct search *s, const char *prefix, const struct ext4_xattr *x);
	const char *name; /* looked for */
	char *buf;
	size_t room, used;
	struct inode *inode; /* being loaded */
};

static int64_t walk_area(struct ext4_fs *fs, const struct inode *i,
			 struct ext4_xattr_area *a, struct search *s)
{
	struct ext4_xattr x;
	int more;

	while ((more = ext4_xattr_next(a, &x)) > 0) {
		const char *prefix = ext4_xattr_prefix(x.index);
		int64_t r = prefix ? s->fn(s, prefix, &x) : 0;

		if (r)
			return r;
	}
	return more ? ext4_complain(fs, "attributes of inode", i->ino, more) : 0;
}

static int64_t walk_raw(struct ext4_fs *fs, const struct inode *i, const void *raw,
			struct search *s)
{
	struct ext4_xattr_area a;
	int64_t r = ext4_xattr_in_inode(&fs->g, ext4_inode_of(i), raw, &a);

	return r ? r : walk_area(fs, i, &a, s);
}

static int64_t walk_inode(struct ext4_fs *fs, const struct inode *i, struct search *s)
{
	struct ext4_inode e;
	const void *raw;
	struct page *p;
	int64_t r = ext4_inode_read(fs, (uint32_t)i->ino, &p, &raw, &e);

	if (r)
		return r;
	r = walk_raw(fs, i, raw, s);
	page_put(p);
	return r;
}

static int64_t walk_block(struct ext4_fs *fs, const struct inode *i, struct search *s)
{
	const struct ext4_inode *e = ext4_inode_of(i);
	struct ext4_xattr_area a;
	const void *block;
	struct page *p;
	int64_t r = ext4_block(fs, e->xattr_block, &p, &block);

	if (r)
		return r;
	r = ext4_xattr_in_block(&fs->g, e, block, &a);
	if (r)
		r = ext4_complain(fs, "attributes of inode", i->ino, (int)r);
	else
		r = walk_area(fs, i, &a, s);
	page_put(p);
	return r;
}

static int64_t walk(const struct inode *i, struct search *s)
{
	struct ext4_fs *fs = ext4_of(i->sb);
	const struct ext4_inode *e = ext4_inode_of(i);
	int64_t r = e->xattr_offset ? walk_inode(fs, i, s) : 0;

	if (!r && e->xattr_block)
		r = walk_block(fs, i, s);
	return r;
}

/* 1 + the value's length, so that an empty value ends the walk too. */
static int64_t get_one(struct search *s, const char *prefix, const struct ext4_xattr *x)
{
	size_t n = strlen(prefix);

	if (strncmp(s->name, prefix, n) || strlen(s->name + n) != x->name_len ||
	    memcmp(s->name + n, x->name, x->name_len))
		return 0;
	if (s->room && s->room < x->value_len)
		return -ERANGE;
	if (s->room)
		memcpy(s->buf, x->value, x->value_len);
	return 1 + (int64_t)x->value_len;
}

int64_t ext4_getxattr(struct inode *i, const char *name, void *buf, size_t n)
{
	struct search s = { .fn = get_one, .name = name, .buf = buf, .room = n };
	int64_t r = walk(i, &s);

	return r > 0 ? r - 1 : r ? r : -ENODATA;
}

static int64_t list_one(struct search *s, const char *prefix, const struct ext4_xattr *x)
{
	size_t n = strlen(prefix), all = n + x->name_len + 1;

	if (x->index == INDEX_TRUSTED &&
	    !cred_holds_cap(thread_current()->cred, CAP_SYS_ADMIN))
		return 0;
	if (s->room) {
		if (all > s->room - s->used)
			return -ERANGE;
		memcpy(s->buf + s->used, prefix, n);
		memcpy(s->buf + s->used + n, x->name, x->name_len);
		s->buf[s->used + all - 1] = 0;
	}
	s->used += all;
	return 0;
}

int64_t ext4_listxattr(struct inode *i, char *buf, size_t n)
{
	struct search s = { .fn = list_one, .buf = buf, .room = n };
	int64_t r = walk(i, &s);

	return r ? r : (int64_t)s.used;
}

/* ---- access control lists ---- */

static int acl_read(const struct ext4_xattr *x, struct acl **ret)
{
	int64_t n = acl_ext4_decode(x->value, x->value_len, NULL);

	*ret = NULL;
	if (n <= 0)
		return (int)n;
	struct acl *a = acl_new((uint32_t)n);
	if (!a)
		return -ENOMEM;
	n = acl_ext4_decode(x->value, x->value_len, a->entry);
	if (n != a->n || acl_check(a->entry, a->n)) {
		acl_put(a);
		return -EUCLEAN;
	}
	*ret = a;
	return 0;
}

static int64_t load_one(struct search *s, const char *prefix, const struct ext4_xattr *x)
{
	bool access = x->index == INDEX_ACL_ACCESS;
	struct inode *i = s->inode;
	struct acl *a;

	if (x->name_len || (!access && x->index != INDEX_ACL_DEFAULT))
		return 0;
	int err = acl_read(x, &a);
	if (err)
		return ext4_complain(ext4_of(i->sb), "access list of inode", i->ino, err);
	inode_acl_load(i, access ? ACL_OF_ACCESS : ACL_OF_DEFAULT, a);
	return 0;
}

int ext4_acls_load(struct inode *i, const void *raw)
{
	struct search s = { .fn = load_one, .inode = i };
	struct ext4_fs *fs = ext4_of(i->sb);

	if (S_ISLNK(i->mode))
		return 0;
	int64_t r = walk_raw(fs, i, raw, &s);
	if (!r && ext4_inode_of(i)->xattr_block)
		r = walk_block(fs, i, &s);
	return (int)r;
}

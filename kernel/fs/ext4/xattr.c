/*
 * Extended attributes of ext4 inodes. ACLs are not among them: nothing here would keep
 * them, and a reader must not think so.
 */
#include "fs/ext4/ext4_fs.h"
#include "lib/string.h"

#define INDEX_TRUSTED 4

struct search {
	/* Non-zero ends the walk and is its result. */
	int64_t (*fn)(struct search *s, const char *prefix, const struct ext4_xattr *x);
	const char *name; /* looked for */
	char *buf;
	size_t room, used;
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

static int64_t walk_inode(struct ext4_fs *fs, const struct inode *i, struct search *s)
{
	struct ext4_xattr_area a;
	struct ext4_inode e;
	const void *raw;
	struct page *p;
	int64_t r = ext4_inode_read(fs, (uint32_t)i->ino, &p, &raw, &e);

	if (r)
		return r;
	r = ext4_xattr_in_inode(&fs->g, &e, raw, &a);
	if (!r)
		r = walk_area(fs, i, &a, s);
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
	    !cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
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

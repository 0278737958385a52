/* File handles, H1 to H3: from an inode's number to a place in the tree of names. */
#include "fs/handle.h"

#include "fs/dcache.h"
#include "fs/inode.h"
#include "fs/open.h"
#include "lib/string.h"

/* What a mount of a part looks at of a file's names, while the cache is locked. */
#define NAMES_LOOKED_AT 64u
/* A path of more names than this could not be written down. */
#define CLIMB_MAX (PATH_MAX_LEN / 2)

static const struct handle_ops *ops_of(const struct super_block *sb)
{
	return sb->ops->handles;
}

int vfs_handle_size(const struct path *p, size_t *ret)
{
	const struct handle_ops *ops = ops_of(p->dentry->sb);

	if (!ops)
		return -EOPNOTSUPP;
	*ret = (size_t)ops->form;
	return 0;
}

int vfs_handle_give(const struct path *p, void *buf)
{
	const struct handle_ops *ops = ops_of(p->dentry->sb);
	struct file_id id = { .ino = p->dentry->inode->ino };

	int err = ops->give(p->dentry, &id.generation);
	if (!err)
		file_handle_encode(ops->form, &id, buf);
	return err;
}

/* ---- names ---- */

static bool is_below_locked(const struct dentry *d, const struct dentry *top)
{
	while (d != top && d != d->parent)
		d = d->parent;
	return d == top;
}

/* A cached name of i at or below `top`, referenced. NULL: none. */
static struct dentry *name_below(struct inode *i, const struct dentry *top)
{
	const struct dentry *root = i->sb->root;
	struct dentry *found = NULL;
	uint32_t seen = 0;

	spin_lock(&dcache_lock);
	list_for_each(d, &i->dentries, struct dentry, alias)
	{
		if (list_empty(&d->hash_link) && d != root)
			continue;
		if (top == root || is_below_locked(d, top)) {
			dentry_get_locked(d);
			found = d;
			break;
		}
		if (++seen == NAMES_LOOKED_AT)
			break;
	}
	spin_unlock(&dcache_lock);
	return found;
}

struct name_search {
	struct dir_ctx c;
	uint64_t ino;
	size_t len; /* 0: not found */
	char name[NAME_MAX_LEN];
};

static bool search_emit(struct dir_ctx *c, const char *name, size_t len,
			uint64_t next_pos, uint64_t ino, uint8_t type)
{
	struct name_search *s = container_of(c, struct name_search, c);
	bool dots = *name == '.' && (len == 1 || (len == 2 && name[1] == '.'));

	if (ino != s->ino || dots || len > sizeof s->name)
		return true;
	memcpy(s->name, name, len);
	s->len = len;
	return false;
}

/* Looks up, by its name, the folder `i` in its parent: so it has a dentry. */
static int name_in(struct dentry *parent, const struct inode *i)
{
	struct inode *dir = parent->inode;
	struct file f = { .inode = dir, .ops = dir->fops, .path.dentry = parent };
	struct name_search *s = heap_zalloc(sizeof *s);
	struct dentry *d;

	if (!s)
		return -ENOMEM;
	s->c.emit = search_emit;
	s->ino = i->ino;
	int err = f.ops->iterate(&f, &s->c);
	if (!err && !s->len)
		err = -ESTALE;
	if (!err)
		err = dentry_lookup(parent,
				    (struct qname){ s->name, (uint32_t)s->len,
						    name_hash(parent, s->name, s->len) },
				    &d);
	if (!err) {
		if (d->inode != i)
			err = -ESTALE;
		dentry_put(d);
	}
	heap_free(s);
	return err;
}

/* One step down the way to dir: its topmost folder without a cached name gets one. */
static int connect_step(struct inode *dir)
{
	const struct handle_ops *ops = ops_of(dir->sb);
	struct inode *at = inode_get(dir), *up;
	struct dentry *parent = NULL;
	int err = 0;

	for (uint32_t n = 0; !err && !parent; n++) {
		err = n < CLIMB_MAX ? ops->parent(at, &up) : -ESTALE;
		if (err)
			break;
		parent = name_below(up, up->sb->root);
		if (parent)
			err = name_in(parent, at);
		inode_put(at);
		at = up;
	}
	if (parent)
		dentry_put(parent);
	inode_put(at);
	return err;
}

/* The name of a folder, making those on the way to it known. */
static int folder_name(struct inode *dir, const struct dentry *top, struct dentry **ret)
{
	struct dentry *d;

	for (uint32_t n = 0; !(d = name_below(dir, dir->sb->root)); n++) {
		int err = ops_of(dir->sb)->parent && n < CLIMB_MAX ? connect_step(dir)
								   : -ESTALE;
		if (!err && !sched_may_go_on())
			err = -EINTR;
		if (err)
			return err;
	}
	if (top != dir->sb->root && !dentry_is_ancestor(top, d)) {
		dentry_put(d);
		return -ESTALE;
	}
	*ret = d;
	return 0;
}

/* A file needs no place in the tree, unless it is to be shown that it has one. */
static int file_name(struct inode *i, const struct dentry *top, struct dentry **ret)
{
	*ret = name_below(i, top);
	if (*ret)
		return 0;
	if (top != i->sb->root)
		return -ESTALE;
	*ret = dentry_new_lone(inode_get(i), "/");
	return *ret ? 0 : -ENOMEM;
}

int vfs_handle_open(struct mount *m, int32_t type, const void *buf, size_t n,
		    uint32_t flags, struct file **ret)
{
	const struct handle_ops *ops = ops_of(m->sb);
	struct path p = { .mnt = m };
	struct file_id id;
	struct inode *i;

	if (!ops)
		return -ESTALE;
	int err = file_handle_decode(ops->form, type, buf, n, &id);
	if (!err)
		err = ops->find(m->sb, &id, &i);
	if (err)
		return err;
	err = S_ISDIR(i->mode) ? folder_name(i, m->root, &p.dentry)
			       : file_name(i, m->root, &p.dentry);
	inode_put(i);
	if (err)
		return err;
	err = file_open_found(&p, flags, ret);
	dentry_put(p.dentry);
	return err;
}

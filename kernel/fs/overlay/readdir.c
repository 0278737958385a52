/*
 * Listing a merged directory. The first read makes a list of all names, so that positions
 * stay good while others make and remove some; rewinding makes it anew.
 */
#include "fs/name.h"
#include "fs/open.h"
#include "fs/overlay/overlay.h"
#include "fs/walk.h"
#include "lib/string.h"

#define DT_CHR (S_IFCHR >> 12)
#define DT_DIR (S_IFDIR >> 12)
#define FIRST 2u /* positions 0 and 1 are the dots */

struct item {
	char *name;
	uint32_t len, hash;
	int32_t next; /* in its hash chain; -1: last */
	uint64_t ino;
	uint8_t type;
	bool white; /* a whiteout: hides, is not shown */
};

struct listing {
	struct item *item;
	uint32_t n, cap;
	int32_t *chain; /* heads, `chains` of them, a power of two */
	uint32_t chains;
};

static void listing_free(struct listing *l)
{
	if (!l)
		return;
	for (uint32_t k = 0; k < l->n; k++)
		heap_free(l->item[k].name);
	heap_free(l->item);
	heap_free(l->chain);
	heap_free(l);
}

static struct item *listing_find(const struct listing *l, const char *name, size_t len,
				 uint32_t hash)
{
	if (!l->chains)
		return NULL;
	for (int32_t k = l->chain[hash & (l->chains - 1)]; k >= 0; k = l->item[k].next) {
		struct item *i = &l->item[k];
		if (i->hash == hash && i->len == len && !memcmp(i->name, name, len))
			return i;
	}
	return NULL;
}

static void chain_all(struct listing *l)
{
	for (uint32_t k = 0; k < l->chains; k++)
		l->chain[k] = -1;
	for (uint32_t k = 0; k < l->n; k++) {
		int32_t *head = &l->chain[l->item[k].hash & (l->chains - 1)];
		l->item[k].next = *head;
		*head = (int32_t)k;
	}
}

static int listing_grow(struct listing *l)
{
	uint32_t cap = l->cap ? l->cap * 2 : 32;
	struct item *item = heap_alloc_array(cap, sizeof *item);
	int32_t *chain = heap_alloc_array(cap, sizeof *chain);

	if (!item || !chain) {
		heap_free(item);
		heap_free(chain);
		return -ENOMEM;
	}
	if (l->n)
		memcpy(item, l->item, l->n * sizeof *item);
	heap_free(l->item);
	heap_free(l->chain);
	l->item = item;
	l->chain = chain;
	l->cap = l->chains = cap;
	chain_all(l);
	return 0;
}

static int listing_add(struct listing *l, const char *name, size_t len, uint64_t ino,
		       uint8_t type)
{
	int err = l->n == l->cap ? listing_grow(l) : 0;
	if (err)
		return err;
	struct item *i = &l->item[l->n];
	*i = (struct item){
		.name = heap_strdup(name, len),
		.len = (uint32_t)len,
		.hash = name_hash(NULL, name, len),
		.ino = ino,
		.type = type,
	};
	if (!i->name)
		return -ENOMEM;
	int32_t *head = &l->chain[i->hash & (l->chains - 1)];
	i->next = *head;
	*head = (int32_t)l->n++;
	return 0;
}

/* ---- reading a layer ---- */

struct reader {
	struct dir_ctx ctx; /* first: emit gets at the rest */
	struct listing *l;
	bool again; /* some layer above was read before: leave out what it has */
	size_t got;
	int err;
};

static bool take(struct dir_ctx *c, const char *name, size_t len, uint64_t next_pos,
		 uint64_t ino, uint8_t type)
{
	struct reader *r = container_of(c, struct reader, ctx);

	r->got++;
	if (name_is_dot(name, len) || name_is_dotdot(name, len))
		return true;
	if (r->again && listing_find(r->l, name, len, name_hash(NULL, name, len)))
		return true;
	r->err = listing_add(r->l, name, len, ino, type);
	return !r->err;
}

static int read_layer(struct mount *mnt, struct dentry *dir, struct listing *l,
		      bool again)
{
	struct reader r = { .ctx = { take }, .l = l, .again = again };
	struct path p = { mnt, dir };
	struct file *f;

	int err = file_open_created(&p, O_RDONLY | O_DIRECTORY, &f);
	if (err)
		return err;
	do {
		r.got = 0;
		err = f->ops->iterate(f, &r.ctx);
	} while (!err && !r.err && r.got);
	file_put(f);
	return err ? err : r.err;
}

/* ---- after upper was read: what its numbers and whiteouts mean ---- */

static int look_closer(struct inode *dir, struct item *i)
{
	struct ovl_sb *s = ovl_sb_of(dir->sb);
	struct ovl_inode *o = ovl_of(dir);
	struct qname name = { i->name, i->len, 0 };
	struct dentry *d;

	if (i->type != DT_CHR && i->type != DT_DIR) {
		i->ino = ovl_upper_ino(s, i->ino);
		return 0;
	}
	int err = ovl_find(o->upper_dir, &name, &d);
	if (err || !d)
		return err;
	i->white = ovl_is_whiteout(d->inode);
	i->ino = ovl_upper_ino(s, i->ino);
	char mark[4];
	bool alone = i->type != DT_DIR ||
		     ovl_mark_get(d->inode, OVL_OPAQUE, mark, sizeof mark);
	dentry_put(d);
	if (alone || !o->lower)
		return 0;
	err = ovl_find(o->lower, &name, &d);
	if (err || !d)
		return err;
	if (S_ISDIR(d->inode->mode))
		i->ino = d->inode->ino;
	dentry_put(d);
	return 0;
}

static int list_upper(struct inode *dir, struct listing *l)
{
	struct ovl_sb *s = ovl_sb_of(dir->sb);

	int err = read_layer(s->upper.mnt, ovl_of(dir)->upper_dir, l, false);
	for (uint32_t k = 0; k < l->n && !err; k++)
		err = look_closer(dir, &l->item[k]);
	return err;
}

static int list_dir(struct inode *dir, struct listing **ret)
{
	struct ovl_sb *s = ovl_sb_of(dir->sb);
	struct ovl_inode *o = ovl_of(dir);
	struct listing *l = heap_zalloc(sizeof *l);
	bool upper = o->upper_dir;
	int err = 0;

	if (!l)
		return -ENOMEM;
	if (upper)
		err = list_upper(dir, l);
	if (!err && o->lower)
		err = read_layer(s->lower.mnt, o->lower, l, upper);
	if (err)
		listing_free(l);
	else
		*ret = l;
	return err;
}

/* ---- file operations ---- */

static int ovl_iterate(struct file *f, struct dir_ctx *c)
{
	struct listing *l = f->priv;

	if (f->pos == 0 || !l) {
		listing_free(l);
		f->priv = NULL;
		int err = list_dir(f->inode, &l);
		if (err)
			return err;
		f->priv = l;
	}
	if (!dir_emit_dots(f, c))
		return 0;
	for (uint64_t k = f->pos - FIRST; k < l->n; k++) {
		const struct item *i = &l->item[k];
		if (!i->white &&
		    !c->emit(c, i->name, i->len, k + FIRST + 1, i->ino, i->type))
			return 0;
		f->pos = k + FIRST + 1;
	}
	return 0;
}

static void ovl_dir_release(struct file *f)
{
	listing_free(f->priv);
}

static int ovl_dir_fsync(struct file *f)
{
	return 0;
}

const struct file_ops ovl_dir_fops = {
	.iterate = ovl_iterate,
	.llseek = dir_llseek,
	.release = ovl_dir_release,
	.fsync = ovl_dir_fsync,
};

/* ---- emptiness ---- */

static int clear_whiteout(struct dentry *udir, const struct item *i)
{
	struct qname name = { i->name, i->len, name_hash(udir, i->name, i->len) };
	struct inode *dir = udir->inode;
	struct dentry *d;

	mutex_lock(&dir->lock);
	int err = lookup_locked(udir, &name, &d);
	if (!err) {
		struct inode *w = d->inode ? inode_get(d->inode) : NULL;
		err = w ? dir->ops->unlink(dir, d) : 0;
		if (w && !err)
			dentry_removed(d);
		dentry_put(d);
		inode_put(w);
	}
	mutex_unlock(&dir->lock);
	return err;
}

int ovl_dir_empty(struct inode *dir, bool clear)
{
	struct dentry *udir = ovl_of(dir)->upper_dir;
	struct listing *l;
	int r = 1;

	int err = list_dir(dir, &l);
	if (err)
		return err;
	for (uint32_t k = 0; k < l->n && r == 1; k++)
		if (!l->item[k].white)
			r = 0;
	for (uint32_t k = 0; k < l->n && r == 1 && clear; k++) {
		err = clear_whiteout(udir, &l->item[k]);
		if (err)
			r = err;
	}
	if (r == 1 && udir)
		dcache_prune_children(udir);
	listing_free(l);
	return r;
}

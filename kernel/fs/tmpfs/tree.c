/* The entries of a tmpfs directory: one tree serves lookups and readdir. */
#include "fs/tmpfs/tmpfs.h"
#include "lib/string.h"

#define SEQ_BITS 20
#define KEY_FIRST 3 /* 0 to 2 are ".", ".." and what follows them */

static uint64_t key_of(const struct qname *name)
{
	/* The dentry's own hash depends on its parent's address; this one must last. */
	return ((uint64_t)name_hash(NULL, name->s, name->len) << SEQ_BITS) + KEY_FIRST;
}

static struct tmpfs_entry *entry_of(struct rb_node *n)
{
	return n ? container_of(n, struct tmpfs_entry, node) : NULL;
}

struct tmpfs_entry *tmpfs_entry_from(const struct inode *dir, uint64_t key)
{
	struct rb_node *n = tmpfs_of(dir)->entries.root, *best = NULL;

	while (n) {
		if (entry_of(n)->key >= key) {
			best = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return entry_of(best);
}

static bool has_name(const struct tmpfs_entry *e, const struct qname *name)
{
	return e->len == name->len && !memcmp(e->name, name->s, name->len);
}

/* The entries of one hash, in order. */
static struct tmpfs_entry *next_equal(struct tmpfs_entry *e, uint64_t base)
{
	struct tmpfs_entry *n = entry_of(rb_next(&e->node));
	return n && n->key < base + BIT(SEQ_BITS) ? n : NULL;
}

static struct tmpfs_entry *first_equal(const struct inode *dir, uint64_t base)
{
	struct tmpfs_entry *e = tmpfs_entry_from(dir, base);
	return e && e->key < base + BIT(SEQ_BITS) ? e : NULL;
}

struct tmpfs_entry *tmpfs_find(const struct inode *dir, const struct qname *name)
{
	uint64_t base = key_of(name);
	struct tmpfs_entry *e = first_equal(dir, base);

	while (e && !has_name(e, name))
		e = next_equal(e, base);
	return e;
}

int tmpfs_entry_new(const struct inode *dir, const struct qname *name,
		    struct tmpfs_entry **ret)
{
	uint64_t base = key_of(name), key = base;

	for (struct tmpfs_entry *e = first_equal(dir, base); e && e->key == key;
	     e = next_equal(e, base))
		key++;
	if (key >= base + BIT(SEQ_BITS))
		return -ENOSPC;
	struct tmpfs_entry *e = heap_alloc(sizeof *e + name->len);
	if (!e)
		return -ENOMEM;
	e->key = key;
	e->inode = NULL;
	e->len = name->len;
	memcpy(e->name, name->s, name->len);
	*ret = e;
	return 0;
}

void tmpfs_entry_add(struct inode *dir, struct tmpfs_entry *e, struct inode *i)
{
	struct rb_tree *t = &tmpfs_of(dir)->entries;
	struct rb_node **link = &t->root, *parent = NULL;

	e->inode = i;
	while (*link) {
		parent = *link;
		link = e->key < entry_of(parent)->key ? &parent->left : &parent->right;
	}
	rb_insert(t, &e->node, parent, link);
}

struct inode *tmpfs_entry_remove(struct inode *dir, struct tmpfs_entry *e)
{
	struct inode *i = e->inode;

	rb_erase(&tmpfs_of(dir)->entries, &e->node);
	heap_free(e);
	return i;
}

/* ---- readdir ---- */

static int iterate(struct file *f, struct dir_ctx *c)
{
	struct inode *dir = f->inode;

	if (!dir_emit_dots(f, c))
		return 0;
	mutex_lock(&dir->lock);
	for (struct tmpfs_entry *e = tmpfs_entry_from(dir, f->pos); e;
	     e = entry_of(rb_next(&e->node))) {
		if (!c->emit(c, e->name, e->len, e->key + 1, e->inode->ino,
			     (uint8_t)((e->inode->mode & S_IFMT) >> 12)))
			break;
		f->pos = e->key + 1;
	}
	mutex_unlock(&dir->lock);
	return 0;
}

static int dir_fsync(struct file *f)
{
	return 0;
}

const struct file_ops tmpfs_dir_fops = {
	.iterate = iterate,
	.llseek = dir_llseek,
	.fsync = dir_fsync,
};

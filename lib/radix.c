/*
 * Radix tree, 64-way. Always true: R1 a node below the root has at least one used slot;
 * R2 `used` counts the slots that are not NULL; R3 an empty tree has height 0 and no
 *    root.
 */
#include "lib/radix.h"

#include <asm/errno.h>

#define MASK (RADIX_FANOUT - 1)
#define HEIGHT_MAX 11 /* 64 bits, 6 a level */

void radix_init(struct radix *r, const struct radix_ops *ops)
{
	*r = (struct radix){ .ops = ops };
}

static unsigned slot_at(uint64_t key, uint32_t level)
{
	return (unsigned)(key >> (RADIX_BITS * level)) & MASK;
}

/* Largest key of a tree of that height. */
static uint64_t key_max(uint32_t height)
{
	return height >= HEIGHT_MAX ? UINT64_MAX : (1ull << (RADIX_BITS * height)) - 1;
}

static int grow(struct radix *r, uint64_t key)
{
	while (!r->height || key > key_max(r->height)) {
		struct radix_node *n = r->ops->alloc();
		if (!n)
			return -ENOMEM;
		if (r->root) {
			n->slot[0] = r->root;
			n->used = 1;
		}
		r->root = n;
		r->height++;
	}
	return 0;
}

/* Drops upper levels that only lead to slot 0, and an empty root. */
static void shrink(struct radix *r)
{
	while (r->root && (!r->root->used ||
			   (r->height > 1 && r->root->used == 1 && r->root->slot[0]))) {
		struct radix_node *n = r->root;
		r->root = n->used ? n->slot[0] : NULL;
		r->height = r->root ? r->height - 1 : 0;
		r->ops->free(n);
	}
}

void *radix_remove(struct radix *r, uint64_t key)
{
	struct radix_node *path[HEIGHT_MAX], *n = r->root;

	if (!n || key > key_max(r->height))
		return NULL;
	for (uint32_t l = r->height; l-- > 0;) {
		path[l] = n;
		n = n->slot[slot_at(key, l)];
		if (!n)
			return NULL;
	}
	void *val = n;
	for (uint32_t l = 0; l < r->height; l++) {
		path[l]->slot[slot_at(key, l)] = NULL;
		if (--path[l]->used || l + 1 == r->height)
			break;
		r->ops->free(path[l]);
	}
	shrink(r);
	return val;
}

/* Frees the nodes on key's path that hold nothing (an insertion that ran out of
 * memory). */
static void prune_path(struct radix *r, uint64_t key)
{
	struct radix_node *path[HEIGHT_MAX], *n = r->root;
	uint32_t low = r->height;

	while (low && n) {
		path[--low] = n;
		n = n->slot[slot_at(key, low)];
	}
	for (uint32_t l = low; l + 1 < r->height && !path[l]->used; l++) {
		path[l + 1]->slot[slot_at(key, l + 1)] = NULL;
		path[l + 1]->used--;
		r->ops->free(path[l]);
	}
	shrink(r);
}

int radix_insert(struct radix *r, uint64_t key, void *val)
{
	int err = grow(r, key);
	if (err) {
		shrink(r);
		return err;
	}
	struct radix_node *n = r->root;
	for (uint32_t l = r->height - 1; l > 0; l--) {
		void **slot = &n->slot[slot_at(key, l)];
		if (!*slot) {
			*slot = r->ops->alloc();
			if (!*slot) {
				prune_path(r, key);
				return -ENOMEM;
			}
			n->used++;
		}
		n = *slot;
	}
	if (n->slot[key & MASK])
		return -EEXIST;
	n->slot[key & MASK] = val;
	n->used++;
	return 0;
}

/* The leaf node that would hold key, or NULL. */
static struct radix_node *leaf_of(const struct radix *r, uint64_t key)
{
	struct radix_node *n = r->root;
	if (!n || key > key_max(r->height))
		return NULL;
	for (uint32_t l = r->height - 1; n && l > 0; l--)
		n = n->slot[slot_at(key, l)];
	return n;
}

void *radix_get(const struct radix *r, uint64_t key)
{
	struct radix_node *n = leaf_of(r, key);
	return n ? n->slot[key & MASK] : NULL;
}

size_t radix_get_run(const struct radix *r, uint64_t key, void **ret, size_t n)
{
	struct radix_node *leaf = leaf_of(r, key);
	size_t got = 0;

	if (!leaf)
		return 0;
	n = MIN(n, (size_t)(RADIX_FANOUT - (key & MASK)));
	void **slot = &leaf->slot[key & MASK];
	for (; got < n && slot[got]; got++)
		ret[got] = slot[got];
	return got;
}

void *radix_replace(struct radix *r, uint64_t key, void *val)
{
	struct radix_node *n = leaf_of(r, key);
	void *old = n ? n->slot[key & MASK] : NULL;
	if (old)
		n->slot[key & MASK] = val;
	return old;
}

/* The first key of the next subtree of `level`, or 0 after the last one. */
static uint64_t next_subtree(uint64_t key, uint32_t level)
{
	uint32_t shift = RADIX_BITS * level;
	uint64_t next = shift < 64 ? ((key >> shift) + 1) << shift : 0;
	return next > key ? next : 0;
}

void *radix_next(const struct radix *r, uint64_t from, uint64_t *ret_key)
{
	uint64_t key = from;

	while (r->root && key <= key_max(r->height)) {
		struct radix_node *n = r->root;
		uint32_t l = r->height - 1;
		while (l > 0 && n->slot[slot_at(key, l)])
			n = n->slot[slot_at(key, l--)];
		if (l == 0 && n->slot[key & MASK]) {
			*ret_key = key;
			return n->slot[key & MASK];
		}
		key = next_subtree(key, l);
		if (!key)
			break;
	}
	return NULL;
}

bool radix_first_absent(const struct radix *r, uint64_t from, uint64_t last,
			uint64_t *ret)
{
	for (uint64_t key = from; key <= last; key++) {
		struct radix_node *n = leaf_of(r, key);
		if (!n || !n->slot[key & MASK]) {
			*ret = key;
			return true;
		}
		if (n->used == RADIX_FANOUT)
			key |= MASK;
		if (key == UINT64_MAX)
			break;
	}
	return false;
}

/* Frees the nodes of a subtree; one pass per level keeps it free of recursion: the leaf
 * on the left edge is freed until the root is. */
void radix_fini(struct radix *r)
{
	while (r->root) {
		struct radix_node *path[HEIGHT_MAX], *n = r->root;
		unsigned at[HEIGHT_MAX];
		uint32_t l = r->height - 1;
		for (; l > 0 && n->used; l--) {
			unsigned s = 0;
			while (!n->slot[s])
				s++;
			path[l] = n;
			at[l] = s;
			n = n->slot[s];
		}
		if (l + 1 == r->height) {
			r->root = NULL;
			r->height = 0;
		} else {
			path[l + 1]->slot[at[l + 1]] = NULL;
			path[l + 1]->used--;
		}
		r->ops->free(n);
	}
}

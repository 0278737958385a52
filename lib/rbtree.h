/*
 * Intrusive red-black tree. The caller walks down to the place, links, and lets rb_insert
 * balance; an optional callback keeps per-subtree data (the areas' largest gap) right.
 */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include "lib/base.h"

struct rb_node {
	struct rb_node *parent, *left, *right;
	bool red;
};

struct rb_tree {
	struct rb_node *root;
	/* Recomputes n's subtree data from n and its children; NULL: none kept. */
	void (*update)(struct rb_node *n);
};

static inline void rb_init(struct rb_tree *t, void (*update)(struct rb_node *))
{
	t->root = NULL;
	t->update = update;
}

static inline bool rb_is_empty(const struct rb_tree *t)
{
	return !t->root;
}

/* Links n at *link below parent (link is &t->root when parent is NULL) and balances. */
void rb_insert(struct rb_tree *t, struct rb_node *n, struct rb_node *parent,
	       struct rb_node **link);
void rb_erase(struct rb_tree *t, struct rb_node *n);
/* Recomputes subtree data from n up to the root, after n's own key data changed. */
void rb_update_up(struct rb_tree *t, struct rb_node *n);

struct rb_node *rb_first(const struct rb_tree *t); /* NULL: empty */
struct rb_node *rb_last(const struct rb_tree *t);
struct rb_node *rb_next(const struct rb_node *n); /* NULL: was the last */
struct rb_node *rb_prev(const struct rb_node *n);

/* Checks colours, parents and black heights; the tests' and debug builds' invariant. */
bool rb_check(const struct rb_tree *t);

#endif

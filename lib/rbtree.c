/*
 * Red-black tree with parent pointers. Subtree data is recomputed along every path whose
 * subtree changed: after linking, before the first rotation, and within each rotation for
 * the two nodes whose children changed (their common ancestors keep the same set below).
 */
#include "lib/rbtree.h"

static void node_update(struct rb_tree *t, struct rb_node *n)
{
	if (t->update)
		t->update(n);
}

void rb_update_up(struct rb_tree *t, struct rb_node *n)
{
	if (!t->update)
		return;
	for (; n; n = n->parent)
		t->update(n);
}

static bool is_red(const struct rb_node *n)
{
	return n && n->red;
}

/* Makes the parent of `old` (or the root) point at `now` instead. */
static void child_replace(struct rb_tree *t, struct rb_node *old, struct rb_node *now)
{
	struct rb_node *p = old->parent;
	if (!p)
		t->root = now;
	else if (p->left == old)
		p->left = now;
	else
		p->right = now;
	if (now)
		now->parent = p;
}

static void rotate_left(struct rb_tree *t, struct rb_node *n)
{
	struct rb_node *r = n->right;
	child_replace(t, n, r);
	n->right = r->left;
	if (n->right)
		n->right->parent = n;
	r->left = n;
	n->parent = r;
	node_update(t, n);
	node_update(t, r);
}

static void rotate_right(struct rb_tree *t, struct rb_node *n)
{
	struct rb_node *l = n->left;
	child_replace(t, n, l);
	n->left = l->right;
	if (n->left)
		n->left->parent = n;
	l->right = n;
	n->parent = l;
	node_update(t, n);
	node_update(t, l);
}

/* n and its parent are red: recolours and rotates until no two reds follow each other. */
static void insert_balance(struct rb_tree *t, struct rb_node *n)
{
	while (is_red(n->parent)) {
		struct rb_node *p = n->parent, *g = p->parent;
		bool left = p == g->left;
		struct rb_node *uncle = left ? g->right : g->left;
		if (is_red(uncle)) {
			p->red = uncle->red = false;
			g->red = true;
			n = g;
			continue;
		}
		if (n == (left ? p->right : p->left)) {
			if (left)
				rotate_left(t, p);
			else
				rotate_right(t, p);
			p = n;
		}
		p->red = false;
		g->red = true;
		if (left)
			rotate_right(t, g);
		else
			rotate_left(t, g);
		break;
	}
	t->root->red = false;
}

void rb_insert(struct rb_tree *t, struct rb_node *n, struct rb_node *parent,
	       struct rb_node **link)
{
	n->parent = parent;
	n->left = n->right = NULL;
	n->red = true;
	*link = n;
	rb_update_up(t, n);
	insert_balance(t, n);
}

/* The sibling of the short side is black with a red child: one or two rotations end
 * it. */
static void erase_rotate(struct rb_tree *t, struct rb_node *p, struct rb_node *s,
			 bool left)
{
	struct rb_node *far = left ? s->right : s->left;
	if (!is_red(far)) {
		struct rb_node *near = left ? s->left : s->right;
		near->red = false;
		s->red = true;
		if (left)
			rotate_right(t, s);
		else
			rotate_left(t, s);
		far = s;
		s = near;
	}
	s->red = p->red;
	p->red = false;
	far->red = false;
	if (left)
		rotate_left(t, p);
	else
		rotate_right(t, p);
}

/* Paths through n (may be NULL), a child of p, are one black node short. */
static void erase_balance(struct rb_tree *t, struct rb_node *n, struct rb_node *p)
{
	while (p && !is_red(n)) {
		bool left = n == p->left;
		struct rb_node *s = left ? p->right : p->left;
		if (s->red) {
			s->red = false;
			p->red = true;
			if (left)
				rotate_left(t, p);
			else
				rotate_right(t, p);
			s = left ? p->right : p->left;
		}
		if (is_red(s->left) || is_red(s->right)) {
			erase_rotate(t, p, s, left);
			return;
		}
		s->red = true;
		n = p;
		p = n->parent;
	}
	if (n)
		n->red = false;
}

/* Puts `next`, the node after n and without a left child, in n's place. Returns the
 * lowest node whose subtree changed. */
static struct rb_node *successor_lift(struct rb_tree *t, struct rb_node *n,
				      struct rb_node *next)
{
	struct rb_node *p = next->parent;
	if (p == n) {
		p = next;
	} else {
		child_replace(t, next, next->right);
		next->right = n->right;
		next->right->parent = next;
	}
	child_replace(t, n, next);
	next->left = n->left;
	next->left->parent = next;
	return p;
}

void rb_erase(struct rb_tree *t, struct rb_node *n)
{
	struct rb_node *child, *p;
	bool lost_black;

	if (n->left && n->right) {
		struct rb_node *next = n->right;
		while (next->left)
			next = next->left;
		child = next->right;
		lost_black = !next->red;
		p = successor_lift(t, n, next);
		next->red = n->red;
	} else {
		child = n->left ? n->left : n->right;
		lost_black = !n->red;
		p = n->parent;
		child_replace(t, n, child);
	}
	rb_update_up(t, p);
	if (lost_black)
		erase_balance(t, child, p);
}

struct rb_node *rb_first(const struct rb_tree *t)
{
	struct rb_node *n = t->root;
	while (n && n->left)
		n = n->left;
	return n;
}

struct rb_node *rb_last(const struct rb_tree *t)
{
	struct rb_node *n = t->root;
	while (n && n->right)
		n = n->right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	if (n->right) {
		struct rb_node *r = n->right;
		while (r->left)
			r = r->left;
		return r;
	}
	while (n->parent && n == n->parent->right)
		n = n->parent;
	return n->parent;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	if (n->left) {
		struct rb_node *l = n->left;
		while (l->right)
			l = l->right;
		return l;
	}
	while (n->parent && n == n->parent->left)
		n = n->parent;
	return n->parent;
}

/* Black height of n's subtree, or -1 when a rule is broken in it. */
static int check_below(const struct rb_node *n)
{
	if (!n)
		return 0;
	if ((n->left && n->left->parent != n) || (n->right && n->right->parent != n))
		return -1;
	if (n->red && (is_red(n->left) || is_red(n->right)))
		return -1;
	int l = check_below(n->left), r = check_below(n->right);
	return l < 0 || l != r ? -1 : l + !n->red;
}

bool rb_check(const struct rb_tree *t)
{
	return !is_red(t->root) && (!t->root || !t->root->parent) &&
	       check_below(t->root) >= 0;
}

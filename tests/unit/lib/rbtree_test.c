/* lib/rbtree against a sorted array, with subtree data kept by the callback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after setjmp.h */
#include <cmocka.h>

#include "lib/rbtree.h"

#define KEYS 400
#define STEPS 20000

struct item {
	struct rb_node node;
	unsigned key, weight, heaviest; /* largest weight of the subtree */
	bool in;
};

static struct item items[KEYS];

static struct item *item_of(struct rb_node *n)
{
	return container_of(n, struct item, node);
}

static unsigned heaviest_of(struct rb_node *n)
{
	return n ? item_of(n)->heaviest : 0;
}

static void update(struct rb_node *n)
{
	struct item *i = item_of(n);
	i->heaviest = MAX(i->weight, MAX(heaviest_of(n->left), heaviest_of(n->right)));
}

static void insert(struct rb_tree *t, struct item *i)
{
	struct rb_node **link = &t->root, *parent = NULL;
	while (*link) {
		parent = *link;
		link = i->key < item_of(parent)->key ? &parent->left : &parent->right;
	}
	rb_insert(t, &i->node, parent, link);
	i->in = true;
}

static unsigned data_check(struct rb_node *n)
{
	if (!n)
		return 0;
	unsigned below = MAX(data_check(n->left), data_check(n->right));
	unsigned want = MAX(below, item_of(n)->weight);
	assert_int_equal(item_of(n)->heaviest, want);
	return want;
}

static void order_check(struct rb_tree *t)
{
	struct rb_node *n = rb_first(t), *last = NULL;
	for (unsigned k = 0; k < KEYS; k++) {
		if (!items[k].in)
			continue;
		assert_ptr_equal(n, &items[k].node);
		assert_ptr_equal(rb_prev(n), last);
		last = n;
		n = rb_next(n);
	}
	assert_null(n);
	assert_ptr_equal(rb_last(t), last);
}

static void keeps_order_balance_and_data(void **state)
{
	struct rb_tree t;
	rb_init(&t, update);
	srand(1);
	memset(items, 0, sizeof items);
	for (unsigned step = 0; step < STEPS; step++) {
		struct item *i = &items[rand() % KEYS];
		i->key = (unsigned)(i - items);
		if (i->in) {
			rb_erase(&t, &i->node);
			i->in = false;
		} else {
			i->weight = (unsigned)rand() % 1000;
			insert(&t, i);
		}
		if (step % 64 == 0) {
			assert_true(rb_check(&t));
			data_check(t.root);
			order_check(&t);
		}
	}
}

static void follows_changed_data(void **state)
{
	struct rb_tree t;
	rb_init(&t, update);
	memset(items, 0, sizeof items);
	for (unsigned k = 0; k < KEYS; k++) {
		items[k].key = k;
		insert(&t, &items[k]);
	}
	items[17].weight = 5;
	rb_update_up(&t, &items[17].node);
	assert_int_equal(item_of(t.root)->heaviest, 5);
	data_check(t.root);
}

static void empty_tree_is_fine(void **state)
{
	struct rb_tree t;
	rb_init(&t, NULL);
	assert_true(rb_is_empty(&t) && rb_check(&t));
	assert_null(rb_first(&t));
	assert_null(rb_last(&t));
}

static void check_sees_broken_trees(void **state)
{
	struct rb_tree t;
	rb_init(&t, NULL);
	memset(items, 0, sizeof items);
	for (unsigned k = 0; k < 16; k++) {
		items[k].key = k;
		insert(&t, &items[k]);
	}
	assert_true(rb_check(&t));
	t.root->left->red = !t.root->left->red;
	assert_false(rb_check(&t));
	t.root->left->red = !t.root->left->red;
	t.root->left->parent = NULL;
	assert_false(rb_check(&t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_order_balance_and_data),
		cmocka_unit_test(follows_changed_data),
		cmocka_unit_test(empty_tree_is_fine),
		cmocka_unit_test(check_sees_broken_trees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

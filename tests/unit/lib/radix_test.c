/* lib/radix against an array of keys, with an allocator that fails in turn. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after setjmp.h */
#include <cmocka.h>

#include "lib/radix.h"

#define KEYS 300

static long nodes, allowed;

static struct radix_node *node_alloc(void)
{
	if (allowed == 0)
		return NULL;
	allowed--;
	nodes++;
	return calloc(1, sizeof(struct radix_node));
}

static void node_free(struct radix_node *n)
{
	nodes--;
	free(n);
}

static const struct radix_ops ops = { node_alloc, node_free };

static int start(void **state)
{
	nodes = 0;
	allowed = -1;
	return 0;
}

static uint64_t keys[KEYS];
static bool in[KEYS];
static int values[KEYS];

/* Small, large and extreme keys, sorted and distinct. */
static void keys_make(void)
{
	for (unsigned i = 0; i < KEYS; i++)
		keys[i] = i < 100   ? i
			  : i < 200 ? 4090 + (i - 100) * 7
				    : (uint64_t)(i - 199) << (20 + (i % 40) / 40);
	keys[KEYS - 2] = UINT64_MAX - 1;
	keys[KEYS - 1] = UINT64_MAX;
	memset(in, 0, sizeof in);
}

static void compare(struct radix *r)
{
	uint64_t from = 0, key;
	for (unsigned i = 0; i < KEYS; i++) {
		assert_ptr_equal(radix_get(r, keys[i]), in[i] ? &values[i] : NULL);
		if (!in[i])
			continue;
		assert_ptr_equal(radix_next(r, from, &key), &values[i]);
		assert_true(key == keys[i]);
		from = keys[i] + 1;
	}
	if (from || !in[KEYS - 1])
		assert_null(radix_next(r, from, &key));
}

static void behaves_as_a_map(void **state)
{
	struct radix r;
	radix_init(&r, &ops);
	keys_make();
	srand(2);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rand() % KEYS;
		if (in[i]) {
			assert_int_equal(radix_insert(&r, keys[i], &values[0]), -EEXIST);
			assert_ptr_equal(radix_remove(&r, keys[i]), &values[i]);
		} else {
			assert_null(radix_remove(&r, keys[i]));
			assert_int_equal(radix_insert(&r, keys[i], &values[i]), 0);
		}
		in[i] = !in[i];
		if (step % 256 == 0)
			compare(&r);
	}
	for (unsigned i = 0; i < KEYS; i++)
		radix_remove(&r, keys[i]);
	assert_int_equal(nodes, 0);
	assert_null(r.root);
	assert_int_equal(r.height, 0);
}

static void failed_insertion_leaves_no_trace(void **state)
{
	for (long n = 0; n < 12; n++) {
		struct radix r;
		radix_init(&r, &ops);
		allowed = -1;
		assert_int_equal(radix_insert(&r, 5, &values[5]), 0);
		long before = nodes;
		allowed = n;
		int err = radix_insert(&r, UINT64_MAX, &values[1]);
		assert_true(err == 0 || err == -ENOMEM);
		if (err) {
			assert_int_equal(nodes, before);
			assert_int_equal(r.height, 1);
		}
		assert_ptr_equal(radix_get(&r, 5), &values[5]);
		assert_ptr_equal(radix_get(&r, UINT64_MAX), err ? NULL : &values[1]);
		radix_fini(&r);
		assert_int_equal(nodes, 0);
	}
}

static void replaces_only_what_is_there(void **state)
{
	struct radix r;
	radix_init(&r, &ops);
	assert_null(radix_replace(&r, 9, &values[1]));
	assert_int_equal(radix_insert(&r, 9, &values[1]), 0);
	assert_ptr_equal(radix_replace(&r, 9, &values[2]), &values[1]);
	assert_null(radix_replace(&r, 10, &values[2]));
	assert_ptr_equal(radix_get(&r, 9), &values[2]);
	radix_fini(&r);
}

static void runs_stop_at_gaps_and_nodes(void **state)
{
	struct radix r;
	void *run[80];
	radix_init(&r, &ops);
	for (uint64_t k = 0; k < 130; k++) {
		if (k != 20)
			assert_int_equal(radix_insert(&r, k, &values[k]), 0);
	}
	assert_int_equal(radix_get_run(&r, 3, run, 80), 17);
	assert_ptr_equal(run[16], &values[19]);
	assert_int_equal(radix_get_run(&r, 20, run, 80), 0);
	assert_int_equal(radix_get_run(&r, 21, run, 80), 43); /* up to key 63 */
	assert_int_equal(radix_get_run(&r, 64, run, 5), 5);
	assert_int_equal(radix_get_run(&r, 1000, run, 5), 0);
	radix_fini(&r);
	assert_int_equal(nodes, 0);
}

static void finds_absent_keys(void **state)
{
	struct radix r;
	uint64_t key;
	radix_init(&r, &ops);
	assert_true(radix_first_absent(&r, 7, 100, &key));
	assert_int_equal(key, 7);
	for (uint64_t k = 1; k <= 200; k++)
		assert_int_equal(radix_insert(&r, k, &values[0]), 0);
	assert_true(radix_first_absent(&r, 1, 300, &key));
	assert_int_equal(key, 201);
	assert_false(radix_first_absent(&r, 1, 200, &key));
	radix_remove(&r, 64);
	assert_true(radix_first_absent(&r, 1, 200, &key));
	assert_int_equal(key, 64);
	assert_int_equal(radix_insert(&r, UINT64_MAX, &values[0]), 0);
	assert_false(radix_first_absent(&r, UINT64_MAX, UINT64_MAX, &key));
	radix_fini(&r);
	assert_int_equal(nodes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(behaves_as_a_map, start),
		cmocka_unit_test_setup(failed_insertion_leaves_no_trace, start),
		cmocka_unit_test_setup(replaces_only_what_is_there, start),
		cmocka_unit_test_setup(runs_stop_at_gaps_and_nodes, start),
		cmocka_unit_test_setup(finds_absent_keys, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

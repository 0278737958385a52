/* What is cached can be dropped; and nothing is lost when memory is short. */
#include <linux/fs.h>

#include "fs/dcache.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "tests/unit/kernel/fs/harness.h"
/* after the kernel's headers: they want no libc */
#include <setjmp.h>
#include <cmocka.h>

static void fine(int err)
{
	assert_true(err >= 0 || err == -ENOMEM || err == -ENOENT);
}

static void names_that_are_not_used_are_dropped(void **state)
{
	uint64_t all, unused;
	char path[32];

	for (int k = 0; k < 200; k++) {
		fmt_to(path, sizeof path, "/d/absent%d", k);
		assert_false(exists(path));
	}
	dcache_counts(&all, &unused);
	assert_true(unused >= 200);
	dcache_prune(10000);
	dcache_counts(&all, &unused);
	assert_true(unused < 4);
	assert_string_equal(get("/d/f"), "text");
}

/* Every allocation of a sequence fails in turn: errors come back, and nothing leaks. */
static void allocation_failures_are_survived(void **state)
{
	for (long n = 1; n < 60; n++) {
		dcache_prune(10000);
		long before = heap_objects;
		heap_fail_in = n;
		int64_t made = put("/d/a_rather_long_name_that_is_not_kept_inline", "x");
		fine(vfs_mkdir(AT_FDCWD, "/d/sub", 0755));
		fine(vfs_symlink("target", AT_FDCWD, "/d/link"));
		fine(rename_to("/d/link", "/d/sub/link", 0));
		heap_fail_in = 0;
		fine((int)made);
		fine(vfs_unlink(AT_FDCWD,
				"/d/a_rather_long_name_that_is_not_kept_inline"));
		fine(vfs_unlink(AT_FDCWD, "/d/link"));
		fine(vfs_unlink(AT_FDCWD, "/d/sub/link"));
		fine(vfs_rmdir(AT_FDCWD, "/d/sub"));
		dcache_prune(10000);
		assert_int_equal(heap_objects, before);
	}
}

static void deep_trees_come_down_without_deep_stacks(void **state)
{
	struct path p;

	for (int k = 0; k < 5000; k++) {
		assert_int_equal(vfs_mkdir(AT_FDCWD, "x", 0755), 0);
		assert_int_equal(path_at(AT_FDCWD, "x", 0, &p), 0);
		fs_ctx_set_cwd(&p);
		path_put(&p);
	}
	fs_root_get(&p);
	fs_ctx_set_cwd(&p);
	path_put(&p);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, small_tree, small_tree_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_that_are_not_used_are_dropped),
		TEST(allocation_failures_are_survived),
		TEST(deep_trees_come_down_without_deep_stacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

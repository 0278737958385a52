/* Descriptors: lowest first, growing, reserved, replaced, copied. */
#include "core/panic.h"
#include "fs/file.h"
#include "tests/unit/kernel/fs/harness.h"
/* after the kernel's headers: they want no libc */
#include <setjmp.h>
#include <cmocka.h>

static int add(bool cloexec)
{
	return fd_add(must_open("/d/f", O_RDONLY), cloexec);
}

static void the_lowest_is_next(void **state)
{
	for (int k = 0; k < 5; k++)
		assert_int_equal(add(false), k);
	assert_int_equal(fd_close(1), 0);
	assert_int_equal(fd_close(3), 0);
	assert_int_equal(fd_close(3), -EBADF);
	assert_int_equal(add(false), 1);
	assert_int_equal(add(false), 3);
	assert_int_equal(add(false), 5);
	assert_int_equal(fd_close(-1), -EBADF);
	assert_int_equal(fd_close(100000), -EBADF);
}

static void tables_grow_up_to_the_limit(void **state)
{
	fake_limit = 1000;
	for (int k = 0; k < 1000; k++)
		assert_int_equal(add(k & 1), k);
	assert_int_equal(fd_reserve(0), -EMFILE);
	assert_int_equal(files_count(thread_current()->files), 1000);
	files_close_on_exec(thread_current()->files);
	assert_int_equal(files_count(thread_current()->files), 500);
	assert_int_equal(add(false), 1);
	assert_int_equal(fd_get_cloexec(1), 0);
	fake_limit = UINT64_MAX;
	int fd = fd_reserve(200000);
	assert_int_equal(fd, 200000);
	fd_release(fd);
}

static void reserved_ones_are_nobodys(void **state)
{
	int fd = fd_reserve(0);

	assert_int_equal(fd, 0);
	assert_null(fd_get(fd));
	assert_int_equal(fd_close(fd), -EBADF);
	assert_int_equal(fd_replace(fd, must_open("/d/f", O_RDONLY), false), -EBUSY);
	fd_release(fd);
	assert_int_equal(add(false), 0);
}

static void replacing_closes(void **state)
{
	struct fd_ref r;
	struct file *f = must_open("/d/f", O_RDONLY), *old = must_open("/d/f", O_RDONLY);

	assert_int_equal(fd_replace(7, old, false), 7);
	assert_int_equal(fd_replace(7, file_get(f), true), 7);
	assert_true(fd_borrow(7, &r));
	assert_ptr_equal(r.file, f);
	assert_int_equal(fd_get_cloexec(7), 1);
	fd_return(&r);
	fake_limit = 7;
	assert_int_equal(fd_replace(7, file_get(f), true), -EBADF);
	file_put(f);
}

static void copies_are_independent(void **state)
{
	struct files *copy, *mine = thread_current()->files;

	for (int k = 0; k < 100; k++)
		assert_int_equal(add(k == 3), k);
	assert_int_equal(files_copy(mine, &copy), 0);
	assert_int_equal(fd_close(50), 0);
	assert_int_equal(files_count(copy), 100);
	thread_current()->files = copy;
	assert_int_equal(fd_get_cloexec(3), 1);
	assert_int_equal(fd_close(50), 0);
	thread_current()->files = mine;
	files_put(copy);
	assert_int_equal(add(false), 50);
}

static void shared_tables_are_counted(void **state)
{
	struct fd_ref r;
	struct files *t = thread_current()->files;

	assert_int_equal(add(false), 0);
	assert_true(fd_borrow(0, &r));
	assert_false(r.counted);
	assert_true(fd_is_sole(&r));
	files_get(t);
	assert_true(fd_borrow(0, &r));
	assert_true(r.counted);
	assert_false(fd_is_sole(&r));
	fd_return(&r);
	files_put(t);
}

static void ranges_close(void **state)
{
	for (int k = 0; k < 70; k++)
		assert_int_equal(add(false), k);
	fd_close_range(3, 9, true);
	assert_int_equal(fd_get_cloexec(9), 1);
	assert_int_equal(fd_get_cloexec(10), 0);
	fd_close_range(3, UINT32_MAX, false);
	assert_int_equal(files_count(thread_current()->files), 3);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, small_tree, small_tree_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_lowest_is_next),
		TEST(tables_grow_up_to_the_limit),
		TEST(reserved_ones_are_nobodys),
		TEST(replacing_closes),
		TEST(copies_are_independent),
		TEST(shared_tables_are_counted),
		TEST(ranges_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

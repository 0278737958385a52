/* File locks: conflicts, splitting and merging, owners that go. */
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/locks.h"
#include "tests/unit/kernel/fs/harness.h"
/* after the kernel's headers: they want no libc */
#include <setjmp.h>
#include <cmocka.h>

static struct file *a, *b;

static int begin(void **state)
{
	small_tree(state);
	a = must_open("/d/f", O_RDWR);
	b = must_open("/d/f", O_RDWR);
	return 0;
}

static int end(void **state)
{
	file_put(a);
	file_put(b);
	return small_tree_end(state);
}

static int lock(struct file *f, int cmd, int type, int64_t start, int64_t len)
{
	struct flock l = { .l_type = (short)type, .l_start = start, .l_len = len };
	return locks_fcntl(f, cmd, &l);
}

/* The first lock that would stop an exclusive OFD lock by f, as "type start length". */
static void expect_next(struct file *f, int64_t from, int type, int64_t start,
			int64_t len)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = from };

	assert_int_equal(locks_fcntl(f, F_OFD_GETLK, &l), 0);
	assert_int_equal(l.l_type, type);
	if (type == F_UNLCK)
		return;
	assert_int_equal(l.l_start, start);
	assert_int_equal(l.l_len, len);
}

static void flock_excludes(void **state)
{
	assert_int_equal(locks_flock(a, LOCK_SH), 0);
	assert_int_equal(locks_flock(b, LOCK_SH | LOCK_NB), 0);
	assert_int_equal(locks_flock(b, LOCK_EX | LOCK_NB), -EAGAIN);
	assert_int_equal(locks_flock(a, LOCK_UN), 0);
	assert_int_equal(locks_flock(b, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(locks_flock(a, LOCK_SH | LOCK_NB), -EAGAIN);
	/* A sleeper is woken by its signal here. */
	assert_int_equal(locks_flock(a, LOCK_SH), -ERESTARTSYS);
	assert_int_equal(locks_flock(a, 77), -EINVAL);
}

static void ofd_locks_belong_to_the_open_file(void **state)
{
	assert_int_equal(lock(a, F_OFD_SETLK, F_WRLCK, 10, 10), 0);
	assert_int_equal(lock(b, F_OFD_SETLK, F_RDLCK, 19, 1), -EAGAIN);
	assert_int_equal(lock(b, F_OFD_SETLK, F_RDLCK, 20, 1), 0);
	assert_int_equal(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0), -EAGAIN);
	expect_next(b, 0, F_WRLCK, 10, 10);
	struct file *c = must_open("/d/f", O_RDWR);
	assert_int_equal(lock(c, F_OFD_SETLK, F_WRLCK, 100, 1), 0);
	expect_next(b, 50, F_WRLCK, 100, 1);
	file_put(c);
	expect_next(b, 50, F_UNLCK, 0, 0);
}

static void ranges_split_and_merge(void **state)
{
	assert_int_equal(lock(a, F_OFD_SETLK, F_WRLCK, 0, 100), 0);
	assert_int_equal(lock(a, F_OFD_SETLK, F_UNLCK, 40, 20), 0);
	expect_next(b, 0, F_WRLCK, 0, 40);
	expect_next(b, 40, F_WRLCK, 60, 40);
	assert_int_equal(lock(a, F_OFD_SETLK, F_WRLCK, 40, 20), 0);
	expect_next(b, 50, F_WRLCK, 0, 100);
	assert_int_equal(lock(a, F_OFD_SETLK, F_RDLCK, 90, 0), 0);
	expect_next(b, 95, F_RDLCK, 90, 0);
	expect_next(b, 0, F_WRLCK, 0, 90);
}

static void bad_ranges_are_refused(void **state)
{
	struct file *r = must_open("/d/f", O_RDONLY);

	assert_int_equal(lock(a, F_SETLK, F_WRLCK, -1, 1), -EINVAL);
	assert_int_equal(lock(a, F_SETLK, F_WRLCK, 5, -6), -EINVAL);
	assert_int_equal(lock(a, F_SETLK, F_WRLCK, INT64_MAX, 2), -EOVERFLOW);
	assert_int_equal(lock(a, F_SETLK, 9, 0, 1), -EINVAL);
	assert_int_equal(lock(r, F_SETLK, F_WRLCK, 0, 1), -EBADF);
	assert_int_equal(lock(r, F_SETLK, F_RDLCK, 0, 1), 0);
	file_put(r);
}

static void posix_locks_go_with_any_close(void **state)
{
	int fd = fd_add(must_open("/d/f", O_RDWR), false);

	assert_int_equal(lock(a, F_SETLK, F_WRLCK, 0, 10), 0);
	/* One process, two open files: no conflict. */
	assert_int_equal(lock(b, F_SETLK, F_WRLCK, 0, 10), 0);
	assert_int_equal(lock(b, F_OFD_SETLK, F_RDLCK, 0, 1), -EAGAIN);
	assert_int_equal(fd_close(fd), 0);
	assert_int_equal(lock(b, F_OFD_SETLK, F_RDLCK, 0, 1), 0);
}

static void waits_end_by_signal(void **state)
{
	struct files *mine = thread_current()->files, *other;

	assert_int_equal(files_new(&other), 0);
	struct file_lock m = { .family = FAMILY_POSIX,
			       .exclusive = true,
			       .owner = mine,
			       .start = 0,
			       .end = 9 };
	struct file_lock o = { .family = FAMILY_POSIX,
			       .exclusive = true,
			       .owner = other,
			       .start = 10,
			       .end = 19 };
	assert_int_equal(file_lock_set(a, &m, false), 0);
	assert_int_equal(file_lock_set(a, &o, false), 0);
	/* Nobody sleeps here, so no circle can close: a wait ends by its signal. */
	m.start = 10;
	m.end = 19;
	assert_int_equal(file_lock_set(a, &m, true), -ERESTARTSYS);
	locks_drop_posix(a, mine);
	locks_drop_posix(a, other);
	files_put(other);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flock_excludes),
		TEST(ofd_locks_belong_to_the_open_file),
		TEST(ranges_split_and_merge),
		TEST(bad_ranges_are_refused),
		TEST(posix_locks_go_with_any_close),
		TEST(waits_end_by_signal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

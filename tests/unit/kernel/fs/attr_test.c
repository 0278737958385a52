/* Who may do what to files, and the bits and limits that go with it. */
#include <linux/fs.h>

#include "fs/access.h"
#include "fs/inode.h"
#include "fs/namei.h"
#include "tests/unit/kernel/fs/harness.h"
/* after the kernel's headers: they want no libc */
#include <setjmp.h>
#include <cmocka.h>

static void permissions_are_asked(void **state)
{
	assert_int_equal(chmod_to("/d", 0700), 0);
	become(1000, 1000);
	assert_int_equal(open_err("/d/f", O_RDONLY), -EACCES);
	assert_int_equal(open_err("/d/none", O_RDONLY), -EACCES);
	assert_int_equal(put("/x", "x"), 1);
	become(0, 0);
	assert_int_equal(chmod_to("/d", 0711), 0);
	assert_int_equal(chmod_to("/d/f", 0644), 0);
	become(1000, 1000);
	assert_int_equal(open_err("/d/f", O_RDONLY), 0);
	assert_int_equal(open_err("/d/f", O_WRONLY), -EACCES);
	assert_int_equal(open_err("/d/f", O_RDONLY | O_TRUNC), -EACCES);
	assert_int_equal(open_err("/d", O_RDONLY), -EACCES);
	assert_int_equal(open_err("/d/new", O_WRONLY | O_CREAT), -EACCES);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/d/f"), -EACCES);
	assert_int_equal(vfs_rename(AT_FDCWD, "/d/f", AT_FDCWD, "/f", 0), -EACCES);
	assert_int_equal(open_err("/d/f", O_RDONLY | O_NOATIME), -EPERM);
	assert_int_equal(vfs_access(AT_FDCWD, "/d/f", MAY_READ, WALK_REAL_IDS), 0);
	assert_int_equal(vfs_access(AT_FDCWD, "/d/f", MAY_WRITE, WALK_REAL_IDS), -EACCES);
	assert_int_equal(chmod_to("/d/f", 0777), -EPERM);
	assert_string_equal(get("/d/f"), "text");
}

static void sticky_directories_protect_others(void **state)
{
	assert_int_equal(chmod_to("/", 01777), 0);
	become(1000, 1000);
	assert_int_equal(put("/mine", "m"), 1);
	assert_int_equal(vfs_symlink("/d/f", AT_FDCWD, "/lure"), 0);
	become(1001, 1001);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/mine"), -EPERM);
	assert_int_equal(vfs_rename(AT_FDCWD, "/mine", AT_FDCWD, "/yours", 0), -EPERM);
	/* Nor is anybody led astray by a planted link. */
	assert_int_equal(open_err("/lure", O_RDONLY), -EACCES);
	become(1000, 1000);
	assert_int_equal(open_err("/lure", O_RDONLY), 0);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/mine"), 0);
	become(0, 0);
	assert_int_equal(chmod_to("/", 0755), 0);
}

static void set_ids(void **state)
{
	struct kstat k;

	assert_int_equal(chmod_to("/d", 02777), 0);
	become(1000, 1000);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/sub", 0755), 0);
	assert_int_equal(stat_of("/d/sub", &k), 0);
	assert_int_equal(k.mode & 07777, 02755);
	assert_int_equal(k.gid, 0);
	assert_int_equal(put("/d/own", "x"), 1);
	assert_int_equal(chmod_to("/d/own", 06755), 0);
	assert_int_equal(stat_of("/d/own", &k), 0);
	/* Group 0 is not ours: no setgid. */
	assert_int_equal(k.mode & 07777, 04755);
	assert_int_equal(put("/d/own", "y"), 1);
	assert_int_equal(stat_of("/d/own", &k), 0);
	assert_int_equal(k.mode & 07777, 0755);
}

/* Anybody could take a program's setuid bit away by changing its owner to nobody. */
static void chown_to_nobody_strips_for_owners_alone(void **state)
{
	struct attr_change none = { .valid = ATTR_KILL };
	struct path p;
	struct kstat k;

	assert_int_equal(chmod_to("/d/f", 04755), 0);
	assert_int_equal(path_at(AT_FDCWD, "/d/f", 0, &p), 0);
	become(1000, 1000);
	assert_int_equal(vfs_setattr(&p, &none), -EPERM);
	assert_int_equal(stat_of("/d/f", &k), 0);
	assert_int_equal(k.mode & 07777, 04755);
	become(0, 0);
	assert_int_equal(vfs_setattr(&p, &none), 0);
	assert_int_equal(stat_of("/d/f", &k), 0);
	assert_int_equal(k.mode & 07777, 0755);
	/* With nothing to strip there is nothing to forbid. */
	become(1000, 1000);
	none = (struct attr_change){ .valid = ATTR_KILL };
	assert_int_equal(vfs_setattr(&p, &none), 0);
	path_put(&p);
}

static void limits_on_size(void **state)
{
	struct file *f = must_open("/d/f", O_RDWR);

	fake_limit = 6;
	fake_signal = 0;
	assert_int_equal(file_write_kernel(f, "0123456789", 10, 0), 6);
	assert_int_equal(fake_signal, 0);
	assert_int_equal(file_write_kernel(f, "x", 1, 6), -EFBIG);
	assert_int_equal(fake_signal, 25);
	assert_int_equal(truncate_to("/d/f", 7), -EFBIG);
	fake_limit = UINT64_MAX;
	assert_int_equal(truncate_to("/d/f", 3), 0);
	assert_string_equal(get("/d/f"), "012");
	file_put(f);
}

static void executed_files_are_not_written(void **state)
{
	struct file *x, *w;

	assert_int_equal(file_open_exec(AT_FDCWD, "/d/f", WALK_FOLLOW, &x), -EACCES);
	assert_int_equal(chmod_to("/d/f", 0755), 0);
	assert_int_equal(file_open_exec(AT_FDCWD, "/d/f", WALK_FOLLOW, &x), 0);
	assert_int_equal(open_err("/d/f", O_WRONLY), -ETXTBSY);
	assert_int_equal(open_err("/d/f", O_RDONLY), 0);
	file_put(x);
	w = must_open("/d/f", O_WRONLY);
	assert_int_equal(file_open_exec(AT_FDCWD, "/d/f", WALK_FOLLOW, &x), -ETXTBSY);
	file_put(w);
	assert_int_equal(file_open_exec(AT_FDCWD, "/d", WALK_FOLLOW, &x), -EACCES);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, small_tree, small_tree_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(permissions_are_asked),
		TEST(sticky_directories_protect_others),
		TEST(set_ids),
		TEST(chown_to_nobody_strips_for_owners_alone),
		TEST(limits_on_size),
		TEST(executed_files_are_not_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

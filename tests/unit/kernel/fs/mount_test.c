/* Mounts that cover, bind and come off; walks that must stay inside. */
#include <linux/fs.h>

#include "fs/mount.h"
#include "fs/namei.h"
#include "tests/unit/kernel/fs/harness.h"
/* after the kernel's headers: they want no libc */
#include <setjmp.h>
#include <cmocka.h>

static int open_how(const char *path, uint32_t walk)
{
	struct file *f, *dir = must_open("/d", O_RDONLY | O_DIRECTORY);
	int fd = fd_add(dir, false);
	int err = file_open_at(fd, path, O_RDONLY, 0, walk, &f);
	if (!err)
		file_put(f);
	assert_int_equal(fd_close(fd), 0);
	return err;
}

static void mounts_cover_and_uncover(void **state)
{
	struct path at;
	char buf[64];

	assert_int_equal(vfs_mkdir(AT_FDCWD, "/m", 0755), 0);
	assert_int_equal(put("/m/below", "b"), 1);
	assert_int_equal(path_at(AT_FDCWD, "/m", 0, &at), 0);
	assert_int_equal(mount_fs("tmpfs", "t", "size=64k", &at, 0), 0);
	path_put(&at);
	assert_string_equal(names("/m"), "");
	assert_int_equal(put("/m/above", "a"), 1);
	assert_string_equal(get("/m/../m/above"), "a");
	assert_int_equal(rename_to("/m/above", "/above", 0), -EXDEV);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/m"), -EBUSY);
	assert_int_equal(rename_to("/m", "/n", 0), -EBUSY);
	struct file *f = must_open("/m/above", O_RDONLY);
	assert_string_equal(path_text(&f->path, NULL, buf, sizeof buf), "/m/above");
	assert_int_equal(path_at(AT_FDCWD, "/m", 0, &at), 0);
	assert_int_equal(mount_umount(&at, 0), -EBUSY);
	file_put(f);
	assert_int_equal(mount_umount(&at, 0), 0);
	path_put(&at);
	assert_string_equal(names("/m"), "below");
	assert_int_equal(rename_to("/m", "/n", 0), 0);
}

static void binds_and_read_only(void **state)
{
	struct path from, at;

	assert_int_equal(vfs_mkdir(AT_FDCWD, "/b", 0755), 0);
	assert_int_equal(path_at(AT_FDCWD, "/d", 0, &from), 0);
	assert_int_equal(path_at(AT_FDCWD, "/b", 0, &at), 0);
	assert_int_equal(mount_bind(&from, &at, true, 0), 0);
	path_put(&at);
	assert_string_equal(get("/b/f"), "text");
	assert_int_equal(path_at(AT_FDCWD, "/b", 0, &at), 0);
	assert_int_equal(mount_remount(&at, MS_BIND | MS_RDONLY | MS_NOEXEC, NULL), 0);
	assert_int_equal(put("/b/f", "x"), -EROFS);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/b/x", 0755), -EROFS);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/b/f"), -EROFS);
	assert_int_equal(chmod_to("/b/f", 0777), -EROFS);
	assert_int_equal(put("/d/f", "still"), 5);
	assert_int_equal(mount_umount(&at, MNT_DETACH), 0);
	path_put(&at);
	path_put(&from);
}

static void recursive_binds_copy_the_tree(void **state)
{
	struct path from, at;

	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/m", 0755), 0);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/b", 0755), 0);
	assert_int_equal(path_at(AT_FDCWD, "/d/m", 0, &at), 0);
	assert_int_equal(mount_fs("tmpfs", "t", NULL, &at, 0), 0);
	path_put(&at);
	assert_int_equal(put("/d/m/in", "in"), 2);
	assert_int_equal(path_at(AT_FDCWD, "/d", 0, &from), 0);
	assert_int_equal(path_at(AT_FDCWD, "/b", 0, &at), 0);
	assert_int_equal(mount_bind(&from, &at, true, 0), 0);
	path_put(&at);
	path_put(&from);
	assert_string_equal(get("/b/m/in"), "in");
	assert_int_equal(path_at(AT_FDCWD, "/b", 0, &at), 0);
	assert_int_equal(mount_umount(&at, 0), -EBUSY);
	assert_int_equal(mount_umount(&at, MNT_DETACH), 0);
	path_put(&at);
	assert_string_equal(get("/d/m/in"), "in");
}

static void scoped_walks_stay_inside(void **state)
{
	assert_int_equal(put("/outside", "o"), 1);
	assert_int_equal(vfs_symlink("/outside", AT_FDCWD, "/d/abs"), 0);
	assert_int_equal(vfs_symlink("../outside", AT_FDCWD, "/d/up"), 0);
	assert_int_equal(vfs_symlink("f", AT_FDCWD, "/d/in"), 0);
	assert_int_equal(open_how("f", WALK_BENEATH), 0);
	assert_int_equal(open_how("in", WALK_BENEATH), 0);
	assert_int_equal(open_how("abs", WALK_BENEATH), -EXDEV);
	assert_int_equal(open_how("up", WALK_BENEATH), -EXDEV);
	assert_int_equal(open_how("../d/f", WALK_BENEATH), -EXDEV);
	assert_int_equal(open_how("/d/f", WALK_BENEATH), -EXDEV);
	assert_int_equal(open_how("in", WALK_NO_SYMLINKS), -ELOOP);
	assert_int_equal(open_how("/f", WALK_IN_ROOT), 0);
	assert_int_equal(open_how("../../f", WALK_IN_ROOT), 0);
	assert_int_equal(open_how("abs", WALK_IN_ROOT), -ENOENT);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, small_tree, small_tree_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mounts_cover_and_uncover),
		TEST(binds_and_read_only),
		TEST(recursive_binds_copy_the_tree),
		TEST(scoped_walks_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

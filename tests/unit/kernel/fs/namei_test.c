/* Names in a tmpfs: walks, making, removing, renaming, by what the man pages promise. */
/* link: kernel/core/async.c */
/* link: kernel/core/mutex.c */
/* link: kernel/mm/uio.c */
/* link: kernel/mm/usercopy.c */
/* link: kernel/fs/access.c */
/* link: kernel/fs/acl.c */
/* link: kernel/fs/anon.c */
/* link: kernel/fs/confine.c */
/* link: kernel/fs/landlock.c */
/* link: kernel/fs/attr.c */
/* link: kernel/fs/file_caps.c */
/* link: kernel/fs/dcache.c */
/* link: kernel/fs/dnotify.c */
/* link: kernel/fs/fdtable.c */
/* link: kernel/fs/file.c */
/* link: kernel/fs/flags.c */
/* link: kernel/fs/handle.c */
/* link: kernel/fs/fs_ctx.c */
/* link: kernel/fs/inode.c */
/* link: kernel/fs/lock_calls.c */
/* link: kernel/fs/holders.c */
/* link: kernel/fs/lease.c */
/* link: kernel/fs/locks.c */
/* link: kernel/fs/lookup.c */
/* link: kernel/fs/mmap.c */
/* link: kernel/fs/mount.c */
/* link: kernel/fs/mount_tree.c */
/* link: kernel/fs/name.c */
/* link: kernel/fs/open.c */
/* link: kernel/fs/options.c */
/* link: kernel/fs/path.c */
/* link: kernel/fs/remove.c */
/* link: kernel/fs/rename.c */
/* link: kernel/fs/rw.c */
/* link: kernel/fs/special.c */
/* link: kernel/fs/super.c */
/* link: kernel/fs/vfs.c */
/* link: kernel/fs/walk.c */
/* link: kernel/fs/walk_link.c */
/* link: kernel/fs/xattr.c */
/* link: kernel/fs/overlay/copyup.c */
/* link: kernel/fs/overlay/dir.c */
/* link: kernel/fs/overlay/file.c */
/* link: kernel/fs/overlay/inode.c */
/* link: kernel/fs/overlay/lookup.c */
/* link: kernel/fs/overlay/readdir.c */
/* link: kernel/fs/overlay/rename.c */
/* link: kernel/fs/overlay/super.c */
/* link: kernel/fs/tmpfs/dir.c */
/* link: kernel/fs/tmpfs/file.c */
/* link: kernel/fs/tmpfs/handle.c */
/* link: kernel/fs/tmpfs/inode.c */
/* link: kernel/fs/tmpfs/memfd.c */
/* link: kernel/fs/tmpfs/super.c */
/* link: kernel/fs/tmpfs/tree.c */
/* link: kernel/fs/tmpfs/xattr.c */
/* link: tests/unit/kernel/fs/calls.c */
/* link: tests/unit/kernel/fs/fake_kernel.c */
/* link: tests/unit/kernel/fs/fake_mapping.c */
#include <linux/fs.h>

#include "fs/mount.h"
#include "fs/namei.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "tests/unit/kernel/fs/harness.h"
/* after the kernel's headers: they want no libc */
#include <setjmp.h>
#include <cmocka.h>

static void walks_follow_dots_slashes_and_links(void **state)
{
	assert_string_equal(get("/d/f"), "text");
	assert_string_equal(get("//d///./../d/f"), "text");
	assert_string_equal(get("/../../d/f"), "text");
	assert_int_equal(open_err("/d/f/", O_RDONLY), -ENOTDIR);
	assert_int_equal(open_err("/d/f/x", O_RDONLY), -ENOTDIR);
	assert_int_equal(open_err("/d/none/x", O_RDONLY), -ENOENT);
	assert_int_equal(open_err("/d/", O_RDONLY), 0);
	assert_int_equal(vfs_symlink("d/f", AT_FDCWD, "/rel"), 0);
	assert_int_equal(vfs_symlink("/d", AT_FDCWD, "/abs"), 0);
	assert_int_equal(vfs_symlink("../rel", AT_FDCWD, "/d/up"), 0);
	assert_string_equal(get("/rel"), "text");
	assert_string_equal(get("/abs/f"), "text");
	assert_string_equal(get("/abs/up"), "text");
	assert_string_equal(get("/abs/../abs/./up"), "text");
	assert_int_equal(open_err("/abs/f/", O_RDONLY), -ENOTDIR);
	assert_int_equal(open_err("/rel/", O_RDONLY), -ENOTDIR);
	assert_int_equal(open_err("/rel", O_RDONLY | O_NOFOLLOW), -ELOOP);
	assert_int_equal(open_err("/rel", O_PATH | O_NOFOLLOW), 0);
	assert_int_equal(open_err("/abs", O_RDONLY | O_DIRECTORY), 0);
	assert_int_equal(open_err("/rel", O_RDONLY | O_DIRECTORY), -ENOTDIR);
}

static void loops_of_links_end(void **state)
{
	char from[16], to[16];

	assert_int_equal(vfs_symlink("/loop", AT_FDCWD, "/loop"), 0);
	assert_int_equal(open_err("/loop", O_RDONLY), -ELOOP);
	assert_int_equal(put("/l0", "end"), 3);
	for (int k = 1; k <= 41; k++) {
		fmt_to(from, sizeof from, "l%d", k - 1);
		fmt_to(to, sizeof to, "/l%d", k);
		assert_int_equal(vfs_symlink(from, AT_FDCWD, to), 0);
	}
	assert_string_equal(get("/l40"), "end");
	assert_int_equal(open_err("/l41", O_RDONLY), -ELOOP);
}

static void nested_link_texts_go_on_where_they_stopped(void **state)
{
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/e", 0755), 0);
	assert_int_equal(put("/d/e/g", "deep"), 4);
	assert_int_equal(vfs_symlink("/b/e", AT_FDCWD, "/a"), 0);
	assert_int_equal(vfs_symlink("/c/.", AT_FDCWD, "/b"), 0);
	assert_int_equal(vfs_symlink("d/", AT_FDCWD, "/c"), 0);
	assert_string_equal(get("/a/g"), "deep");
	assert_string_equal(get("/a/../e/g"), "deep");
}

static void long_names_are_refused(void **state)
{
	char name[300];

	memset(name, 'n', sizeof name);
	name[0] = '/';
	name[256] = '\0';
	assert_int_equal(put(name, "x"), 1);
	assert_string_equal(get(name), "x");
	name[256] = 'n';
	name[257] = '\0';
	assert_int_equal(put(name, "x"), -ENAMETOOLONG);
	assert_int_equal(open_err(name, O_RDONLY), -ENAMETOOLONG);
}

static void creation_flags(void **state)
{
	assert_int_equal(open_err("/d/f", O_CREAT | O_EXCL | O_WRONLY), -EEXIST);
	assert_int_equal(open_err("/d/new", O_CREAT | O_EXCL | O_WRONLY), 0);
	assert_int_equal(open_err("/d", O_CREAT | O_RDONLY), -EISDIR);
	assert_int_equal(open_err("/d", O_WRONLY), -EISDIR);
	assert_int_equal(open_err("/", O_CREAT | O_RDONLY), -EISDIR);
	assert_int_equal(open_err("/d/x/", O_CREAT | O_WRONLY), -EISDIR);
	assert_int_equal(open_err("/none/x", O_CREAT | O_WRONLY), -ENOENT);
	assert_int_equal(vfs_symlink("made", AT_FDCWD, "/d/dangling"), 0);
	assert_int_equal(open_err("/d/dangling", O_CREAT | O_EXCL | O_WRONLY), -EEXIST);
	assert_int_equal(open_err("/d/dangling", O_CREAT | O_WRONLY | O_NOFOLLOW),
			 -ELOOP);
	assert_int_equal(put("/d/dangling", "by link"), 7);
	assert_string_equal(get("/d/made"), "by link");
	assert_int_equal(put("/d/made", "b"), 1);
	assert_string_equal(get("/d/made"), "b");
}

static void making_what_exists(void **state)
{
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d", 0755), -EEXIST);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/", 0755), -EEXIST);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/.", 0755), -EEXIST);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/e/", 0755), 0);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/f/x", 0755), -ENOTDIR);
	assert_int_equal(vfs_symlink("x", AT_FDCWD, "/d/f"), -EEXIST);
	assert_int_equal(vfs_symlink("x", AT_FDCWD, "/d/l/"), -ENOENT);
	assert_int_equal(vfs_mknod(AT_FDCWD, "/d/dir", S_IFDIR, 0), -EPERM);
	assert_int_equal(vfs_mknod(AT_FDCWD, "/d/what", S_IFMT, 0), -EINVAL);
	assert_int_equal(vfs_mknod(AT_FDCWD, "/d/plain", 0644, 0), 0);
}

static void removal(void **state)
{
	assert_int_equal(vfs_unlink(AT_FDCWD, "/d"), -EISDIR);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/d"), -ENOTEMPTY);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/d/f"), -ENOTDIR);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/d/."), -EINVAL);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/d/.."), -ENOTEMPTY);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/"), -EBUSY);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/d/f/"), -ENOTDIR);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/d/f"), 0);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/d/f"), -ENOENT);
	assert_false(exists("/d/f"));
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/d"), 0);
	assert_false(exists("/d"));
	assert_int_equal(put("/d/f", "x"), -ENOENT);
}

static void an_open_file_outlives_its_name(void **state)
{
	struct file *f = must_open("/d/f", O_RDWR);
	char buf[64] = "";

	assert_int_equal(vfs_unlink(AT_FDCWD, "/d/f"), 0);
	assert_int_equal(put("/d/f", "another"), 7);
	assert_int_equal(file_read_kernel(f, buf, sizeof buf, 0), 4);
	assert_string_equal(buf, "text");
	assert_string_equal(path_text(&f->path, NULL, buf, sizeof buf), "/d/f (deleted)");
	assert_int_equal(f->inode->nlink, 0);
	file_put(f);
}

static void a_removed_directory_stays_empty(void **state)
{
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/gone", 0755), 0);
	assert_false(exists("/gone/negative"));
	struct path p;
	assert_int_equal(path_at(AT_FDCWD, "/gone", 0, &p), 0);
	fs_ctx_set_cwd(&p);
	path_put(&p);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/gone"), 0);
	assert_int_equal(put("x", "x"), -ENOENT);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "x", 0755), -ENOENT);
	assert_int_equal(open_err(".", O_RDONLY), 0);
	fs_root_get(&p);
	fs_ctx_set_cwd(&p);
	path_put(&p);
}

static void rename_moves_and_replaces(void **state)
{
	struct kstat a, b;

	assert_int_equal(stat_of("/d/f", &a), 0);
	assert_int_equal(rename_to("/d/f", "/g", 0), 0);
	assert_int_equal(stat_of("/g", &b), 0);
	assert_int_equal(a.ino, b.ino);
	assert_false(exists("/d/f"));
	assert_int_equal(put("/h", "victim"), 6);
	assert_int_equal(rename_to("/g", "/h", RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(rename_to("/g", "/h", 0), 0);
	assert_string_equal(get("/h"), "text");
	assert_false(exists("/g"));
	assert_int_equal(rename_to("/none", "/h", 0), -ENOENT);
	assert_int_equal(rename_to("/h", "/h", 0), 0);
	assert_int_equal(rename_to("/h", "/d", 0), -EISDIR);
	assert_int_equal(rename_to("/d", "/h", 0), -ENOTDIR);
	assert_int_equal(rename_to("/h", "/x/", 0), -ENOTDIR);
	assert_int_equal(rename_to("/d", "/x/", 0), 0);
	assert_int_equal(rename_to("/", "/y", 0), -EBUSY);
	assert_int_equal(rename_to("/x/.", "/y", 0), -EBUSY);
	assert_int_equal(rename_to("/h", "/y", 8), -EINVAL);
}

static void rename_of_directories(void **state)
{
	struct kstat k;

	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/e", 0755), 0);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/e/g", 0755), 0);
	assert_int_equal(rename_to("/d", "/d/e/g/in", 0), -EINVAL);
	assert_int_equal(rename_to("/d", "/d/e", 0), -EINVAL);
	assert_int_equal(rename_to("/d/e/g", "/d", 0), -ENOTEMPTY);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/empty", 0755), 0);
	assert_int_equal(rename_to("/d/e", "/empty", 0), 0);
	assert_int_equal(stat_of("/d", &k), 0);
	assert_int_equal(k.nlink, 2);
	assert_int_equal(stat_of("/", &k), 0);
	assert_int_equal(k.nlink, 4);
	assert_string_equal(names("/empty"), "g");
	assert_int_equal(rename_to("/empty", "/d/e", 0), 0);
	assert_int_equal(stat_of("/d", &k), 0);
	assert_int_equal(k.nlink, 3);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/full", 0755), 0);
	assert_int_equal(put("/full/x", "x"), 1);
	assert_int_equal(rename_to("/d/e", "/full", 0), -ENOTEMPTY);
}

static void rename_exchanges(void **state)
{
	assert_int_equal(rename_to("/d/f", "/none", RENAME_EXCHANGE), -ENOENT);
	assert_int_equal(put("/g", "other"), 5);
	assert_int_equal(rename_to("/d/f", "/g", RENAME_EXCHANGE), 0);
	assert_string_equal(get("/d/f"), "other");
	assert_string_equal(get("/g"), "text");
	assert_int_equal(rename_to("/d", "/g", RENAME_EXCHANGE), 0);
	assert_string_equal(get("/d"), "text");
	assert_string_equal(get("/g/f"), "other");
	assert_int_equal(rename_to("/g", "/g/f", RENAME_EXCHANGE), -EINVAL);
	assert_int_equal(rename_to("/g/f", "/g", RENAME_EXCHANGE), -EINVAL);
	assert_int_equal(rename_to("/d", "/g", RENAME_EXCHANGE | RENAME_NOREPLACE),
			 -EINVAL);
}

static void rename_leaves_a_whiteout(void **state)
{
	struct kstat k;

	assert_int_equal(rename_to("/d/f", "/g", RENAME_WHITEOUT), 0);
	assert_int_equal(stat_of("/d/f", &k), 0);
	assert_true(S_ISCHR(k.mode));
	assert_int_equal(k.rdev, 0);
	assert_string_equal(get("/g"), "text");
}

static void hard_links(void **state)
{
	struct kstat a, b;
	struct path p;

	assert_int_equal(path_at(AT_FDCWD, "/d/f", 0, &p), 0);
	assert_int_equal(vfs_link(&p, AT_FDCWD, "/two"), 0);
	assert_int_equal(vfs_link(&p, AT_FDCWD, "/two"), -EEXIST);
	path_put(&p);
	assert_int_equal(stat_of("/two", &a), 0);
	assert_int_equal(stat_of("/d/f", &b), 0);
	assert_int_equal(a.ino, b.ino);
	assert_int_equal(a.nlink, 2);
	/* Two names of one file: nothing happens. */
	assert_int_equal(rename_to("/two", "/d/f", 0), 0);
	assert_true(exists("/two"));
	assert_int_equal(vfs_unlink(AT_FDCWD, "/d/f"), 0);
	assert_int_equal(stat_of("/two", &a), 0);
	assert_int_equal(a.nlink, 1);
	assert_int_equal(path_at(AT_FDCWD, "/d", 0, &p), 0);
	assert_int_equal(vfs_link(&p, AT_FDCWD, "/dir"), -EPERM);
	path_put(&p);
}

static void tmpfile_gets_a_name_once(void **state)
{
	struct file *f = must_open("/d", O_TMPFILE | O_RDWR);

	assert_int_equal(file_write_kernel(f, "anon", 4, 0), 4);
	assert_string_equal(names("/d"), "f");
	assert_int_equal(vfs_link(&f->path, AT_FDCWD, "/d/named"), 0);
	assert_string_equal(get("/d/named"), "anon");
	assert_int_equal(f->inode->nlink, 1);
	file_put(f);
	f = must_open("/d", O_TMPFILE | O_RDWR | O_EXCL);
	assert_int_equal(vfs_link(&f->path, AT_FDCWD, "/d/not"), -ENOENT);
	file_put(f);
	assert_int_equal(open_err("/d", O_TMPFILE | O_RDONLY), -EINVAL);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, small_tree, small_tree_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(walks_follow_dots_slashes_and_links),
		TEST(loops_of_links_end),
		TEST(nested_link_texts_go_on_where_they_stopped),
		TEST(long_names_are_refused),
		TEST(creation_flags),
		TEST(making_what_exists),
		TEST(removal),
		TEST(an_open_file_outlives_its_name),
		TEST(a_removed_directory_stays_empty),
		TEST(rename_moves_and_replaces),
		TEST(rename_of_directories),
		TEST(rename_exchanges),
		TEST(rename_leaves_a_whiteout),
		TEST(hard_links),
		TEST(tmpfile_gets_a_name_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

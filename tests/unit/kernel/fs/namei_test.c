/* Names in a tmpfs: walks, making, removing, renaming, by what the man pages promise. */
/* link: kernel/core/mutex.c */
/* link: kernel/mm/uio.c */
/* link: kernel/fs/access.c */
/* link: kernel/fs/anon.c */
/* link: kernel/fs/attr.c */
/* link: kernel/fs/dcache.c */
/* link: kernel/fs/fdtable.c */
/* link: kernel/fs/file.c */
/* link: kernel/fs/fs_ctx.c */
/* link: kernel/fs/inode.c */
/* link: kernel/fs/lock_calls.c */
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
/* link: kernel/fs/tmpfs/inode.c */
/* link: kernel/fs/tmpfs/memfd.c */
/* link: kernel/fs/tmpfs/super.c */
/* link: kernel/fs/tmpfs/tree.c */
/* link: kernel/fs/tmpfs/xattr.c */
/* link: tests/unit/kernel/fs/calls.c */
/* link: tests/unit/kernel/fs/fake_kernel.c */
/* link: tests/unit/kernel/fs/fake_mapping.c */
#include <linux/fs.h>

#include "fs/access.h"
#include "fs/dcache.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "tests/unit/kernel/fs/harness.h"
/* after the kernel's headers: they want no libc */
#include <setjmp.h>
#include <cmocka.h>

static int begin(void **state)
{
	harness_begin();
	harness_mount_root("tmpfs", NULL);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d", 0755), 0);
	assert_int_equal(put("/d/f", "text"), 4);
	return 0;
}

static int end(void **state)
{
	harness_end();
	return 0;
}

static int open_err(const char *path, uint32_t flags)
{
	struct file *f;
	int err = file_open_at(AT_FDCWD, path, flags, 0666, 0, &f);
	if (!err)
		file_put(f);
	return err;
}

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

static int rename_to(const char *a, const char *b, uint32_t flags)
{
	return vfs_rename(AT_FDCWD, a, AT_FDCWD, b, flags);
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

static void fine(int err)
{
	assert_true(err >= 0 || err == -ENOMEM || err == -ENOENT);
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

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

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
		TEST(permissions_are_asked),
		TEST(sticky_directories_protect_others),
		TEST(set_ids),
		TEST(limits_on_size),
		TEST(executed_files_are_not_written),
		TEST(mounts_cover_and_uncover),
		TEST(binds_and_read_only),
		TEST(recursive_binds_copy_the_tree),
		TEST(scoped_walks_stay_inside),
		TEST(names_that_are_not_used_are_dropped),
		TEST(allocation_failures_are_survived),
		TEST(deep_trees_come_down_without_deep_stacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

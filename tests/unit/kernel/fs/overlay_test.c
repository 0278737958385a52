/* The overlay: a read-only tree below, changes above, one tree to see. */
#include <linux/fs.h>

#include "fs/dcache.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "tests/unit/kernel/fs/harness.h"
/* after the kernel's headers: they want no libc */
#include <setjmp.h>
#include <cmocka.h>

static void make_dir(const char *path)
{
	assert_int_equal(vfs_mkdir(AT_FDCWD, path, 0755), 0);
}

static void make_file(const char *path, const char *text)
{
	assert_int_equal(put(path, text), strlen(text));
}

static void link_to(const char *old, const char *new)
{
	struct path p;

	assert_int_equal(path_at(AT_FDCWD, old, 0, &p), 0);
	assert_int_equal(vfs_link(&p, AT_FDCWD, new), 0);
	path_put(&p);
}

static void mount_on(const char *type, const char *data, const char *where)
{
	struct path at;

	assert_int_equal(path_at(AT_FDCWD, where, 0, &at), 0);
	assert_int_equal(mount_fs(type, type, data, &at, 0), 0);
	path_put(&at);
}

/* /l: lower, /u: upper, /o: the overlay of the two. */
static int begin(void **state)
{
	harness_begin();
	harness_mount_root("tmpfs", NULL);
	make_dir("/l");
	make_dir("/u");
	make_dir("/o");
	mount_on("tmpfs", NULL, "/l");
	make_dir("/l/d");
	make_dir("/l/d/e");
	make_file("/l/d/f", "lower");
	make_file("/l/d/g", "second");
	make_file("/l/one", "linked");
	link_to("/l/one", "/l/two");
	assert_int_equal(vfs_symlink("d/f", AT_FDCWD, "/l/s"), 0);
	assert_int_equal(chmod_to("/l/d/f", 0640), 0);
	mount_on("overlay", "lowerdir=/l,upperdir=/u", "/o");
	return 0;
}

static int end(void **state)
{
	harness_end();
	return 0;
}

static void both_layers_are_seen(void **state)
{
	make_file("/o/new", "upper");
	assert_string_equal(names("/o"), "d new one s two");
	assert_string_equal(names("/o/d"), "e f g");
	assert_string_equal(get("/o/d/f"), "lower");
	assert_string_equal(get("/o/s"), "lower");
	assert_string_equal(get("/o/new"), "upper");
	assert_string_equal(names("/u"), "new");
	assert_string_equal(names("/l"), "d one s two");
}

static void writing_copies_up(void **state)
{
	struct kstat before, after;
	struct file *reader = must_open("/o/d/f", O_RDONLY), *w;
	char buf[16] = "";

	assert_int_equal(stat_of("/o/d/f", &before), 0);
	w = must_open("/o/d/f", O_WRONLY);
	assert_int_equal(file_write_kernel(w, "U", 1, 0), 1);
	file_put(w);
	assert_string_equal(get("/o/d/f"), "Uower");
	assert_string_equal(get("/l/d/f"), "lower");
	assert_string_equal(names("/u/d"), "f");
	assert_int_equal(stat_of("/o/d/f", &after), 0);
	assert_int_equal(before.ino, after.ino);
	assert_int_equal(before.dev, after.dev);
	assert_int_equal(after.mode & 07777, 0640);
	assert_int_equal(file_read_kernel(reader, buf, sizeof buf, 0), 5);
	assert_string_equal(buf, "Uower");
	file_put(reader);
	/* Also when nothing is cached any more. */
	dcache_prune(10000);
	dcache_prune(10000);
	assert_int_equal(stat_of("/o/d/f", &after), 0);
	assert_int_equal(before.ino, after.ino);
	assert_string_equal(get("/o/d/f"), "Uower");
}

static void truncation_and_append(void **state)
{
	assert_int_equal(put("/o/d/f", "x"), 1);
	assert_string_equal(get("/o/d/f"), "x");
	struct file *f = must_open("/o/d/g", O_WRONLY | O_APPEND);
	assert_int_equal(file_write_kernel(f, "!", 1, 0), 1);
	file_put(f);
	assert_string_equal(get("/o/d/g"), "second!");
	assert_int_equal(truncate_to("/o/one", 3), 0);
	assert_string_equal(get("/o/two"), "lin");
	assert_string_equal(get("/l/one"), "linked");
}

static void hard_links_stay_together(void **state)
{
	struct kstat a, b;

	assert_int_equal(put("/o/one", "changed"), 7);
	dcache_prune(10000);
	dcache_prune(10000);
	assert_string_equal(get("/o/two"), "changed");
	assert_int_equal(stat_of("/o/one", &a), 0);
	assert_int_equal(stat_of("/o/two", &b), 0);
	assert_int_equal(a.ino, b.ino);
	assert_int_equal(a.nlink, 2);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/one"), 0);
	dcache_prune(10000);
	dcache_prune(10000);
	assert_string_equal(get("/o/two"), "changed");
	assert_int_equal(stat_of("/o/two", &b), 0);
	assert_int_equal(b.nlink, 1);
	link_to("/o/two", "/o/d/three");
	assert_string_equal(get("/o/d/three"), "changed");
	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/two"), 0);
	assert_string_equal(get("/o/d/three"), "changed");
	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/d/three"), 0);
}

static void removed_names_are_covered(void **state)
{
	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/d/f"), 0);
	assert_false(exists("/o/d/f"));
	assert_string_equal(names("/o/d"), "e g");
	dcache_prune(10000);
	assert_false(exists("/o/d/f"));
	assert_true(exists("/l/d/f"));
	make_file("/o/d/f", "again");
	assert_string_equal(get("/o/d/f"), "again");
	assert_string_equal(names("/o/d"), "e f g");
	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/d/f"), 0);
	assert_false(exists("/o/d/f"));
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/o/d"), -ENOTEMPTY);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/d/g"), 0);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/o/d/e"), 0);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/o/d"), 0);
	assert_false(exists("/o/d"));
	assert_string_equal(names("/o"), "one s two");
	/* A new directory of that name is empty: opaque. */
	make_dir("/o/d");
	dcache_prune(10000);
	assert_string_equal(names("/o/d"), "");
	assert_false(exists("/o/d/f"));
	make_file("/o/d/f", "mine");
	assert_string_equal(get("/o/d/f"), "mine");
	assert_string_equal(names("/l/d"), "e f g");
}

static void files_move(void **state)
{
	assert_int_equal(rename_to("/o/d/f", "/o/moved", 0), 0);
	assert_false(exists("/o/d/f"));
	assert_string_equal(get("/o/moved"), "lower");
	assert_int_equal(rename_to("/o/moved", "/o/d/g", 0), 0);
	assert_string_equal(get("/o/d/g"), "lower");
	assert_string_equal(names("/o/d"), "e g");
	dcache_prune(10000);
	assert_string_equal(get("/o/d/g"), "lower");
	assert_false(exists("/o/d/f"));
	assert_string_equal(get("/l/d/g"), "second");
	assert_int_equal(rename_to("/o/d/g", "/o/one", RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(rename_to("/o/d/g", "/o/one", RENAME_EXCHANGE), 0);
	assert_string_equal(get("/o/one"), "lower");
	assert_string_equal(get("/o/d/g"), "linked");
	assert_string_equal(get("/o/two"), "linked");
}

static void directories_move_with_their_lower_half(void **state)
{
	struct kstat before, after;

	make_file("/o/d/extra", "above");
	assert_int_equal(stat_of("/o/d", &before), 0);
	assert_int_equal(rename_to("/o/d", "/o/r", 0), 0);
	assert_string_equal(names("/o/r"), "e extra f g");
	assert_false(exists("/o/d"));
	dcache_prune(10000);
	dcache_prune(10000);
	assert_string_equal(names("/o/r"), "e extra f g");
	assert_string_equal(get("/o/r/f"), "lower");
	assert_string_equal(get("/o/r/extra"), "above");
	assert_int_equal(stat_of("/o/r", &after), 0);
	assert_int_equal(before.ino, after.ino);
	/* A new one in the old place shows nothing of lower. */
	make_dir("/o/d");
	dcache_prune(10000);
	assert_string_equal(names("/o/d"), "");
	/* And once more, onto it, and changed in its new place. */
	assert_int_equal(rename_to("/o/r", "/o/d", 0), 0);
	assert_string_equal(names("/o/d"), "e extra f g");
	assert_int_equal(put("/o/d/f", "new"), 3);
	dcache_prune(10000);
	assert_string_equal(get("/o/d/f"), "new");
	assert_string_equal(get("/l/d/f"), "lower");
}

static void pure_directories_do_not_merge_where_they_land(void **state)
{
	make_dir("/o/p");
	make_file("/o/p/x", "x");
	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/d/f"), 0);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/d/g"), 0);
	assert_int_equal(vfs_rmdir(AT_FDCWD, "/o/d/e"), 0);
	assert_int_equal(rename_to("/o/p", "/o/d", 0), 0);
	dcache_prune(10000);
	assert_string_equal(names("/o/d"), "x");
	assert_false(exists("/o/p"));
}

static void attributes_copy_up(void **state)
{
	struct kstat k;

	assert_int_equal(chmod_to("/o/d", 0700), 0);
	assert_int_equal(stat_of("/o/d", &k), 0);
	assert_int_equal(k.mode & 07777, 0700);
	assert_int_equal(stat_of("/l/d", &k), 0);
	assert_int_equal(k.mode & 07777, 0755);
	assert_string_equal(names("/o/d"), "e f g");
	assert_int_equal(chmod_to("/o/d/f", 0600), 0);
	assert_string_equal(get("/o/d/f"), "lower");
	dcache_prune(10000);
	assert_int_equal(stat_of("/o/d/f", &k), 0);
	assert_int_equal(k.mode & 07777, 0600);
}

static void an_unlinked_open_file_can_still_be_changed(void **state)
{
	struct file *f = must_open("/o/d/f", O_RDONLY);
	struct attr_change a = { .valid = ATTR_MODE, .mode = 0600 };

	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/d/f"), 0);
	assert_int_equal(vfs_setattr(&f->path, &a), 0);
	assert_int_equal(f->inode->mode & 07777, 0600);
	assert_false(exists("/o/d/f"));
	file_put(f);
}

static void large_files_and_holes(void **state)
{
	struct file *f = must_open("/l/big", O_CREAT | O_WRONLY);
	struct kstat k;
	char buf[8] = "";

	assert_int_equal(file_write_kernel(f, "end", 3, MIB(1)), 3);
	file_put(f);
	dcache_prune(10000);
	assert_int_equal(chmod_to("/o/big", 0600), 0);
	assert_int_equal(stat_of("/o/big", &k), 0);
	assert_int_equal(k.size, MIB(1) + 3);
	assert_int_equal(k.blocks, 8);
	f = must_open("/o/big", O_RDONLY);
	assert_int_equal(file_read_kernel(f, buf, sizeof buf, MIB(1)), 3);
	assert_string_equal(buf, "end");
	file_put(f);
}

static void tmpfiles_and_links(void **state)
{
	struct file *f = must_open("/o/d", O_TMPFILE | O_RDWR);

	assert_int_equal(file_write_kernel(f, "anon", 4, 0), 4);
	assert_int_equal(vfs_link(&f->path, AT_FDCWD, "/o/d/named"), 0);
	file_put(f);
	dcache_prune(10000);
	assert_string_equal(get("/o/d/named"), "anon");
}

static void nothing_is_left_over(void **state)
{
	harness_end();
	long before = heap_objects;
	begin(NULL);
	assert_int_equal(put("/o/d/f", "x"), 1);
	assert_int_equal(put("/o/one", "y"), 1);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/o/d/g"), 0);
	assert_int_equal(rename_to("/o/d", "/o/z", 0), 0);
	harness_end();
	assert_int_equal(heap_objects, before);
	begin(NULL);
}

/* Every allocation fails in turn: what could not be done has not half happened. */
static void allocation_failures_leave_names_whole(void **state)
{
	for (long n = 1; n < 150; n++) {
		harness_end();
		begin(NULL);
		heap_fail_in = n;
		int64_t wrote = put("/o/d/f", "changed");
		heap_fail_in = n;
		int moved = rename_to("/o/d/g", "/o/moved", 0);
		heap_fail_in = n;
		int gone = vfs_unlink(AT_FDCWD, "/o/s");
		heap_fail_in = n;
		int made = vfs_mkdir(AT_FDCWD, "/o/dir", 0755);
		heap_fail_in = 0;
		dcache_prune(10000);
		if (wrote > 0)
			assert_string_equal(get("/o/d/f"), "changed");
		else
			assert_non_null(get("/o/d/f"));
		assert_true(exists("/o/d/g") != exists("/o/moved"));
		assert_int_equal(exists("/o/moved"), moved == 0);
		assert_int_equal(exists("/o/s"), gone != 0);
		if (made == 0)
			assert_string_equal(names("/o/dir"), "");
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_layers_are_seen),
		TEST(writing_copies_up),
		TEST(truncation_and_append),
		TEST(hard_links_stay_together),
		TEST(removed_names_are_covered),
		TEST(files_move),
		TEST(directories_move_with_their_lower_half),
		TEST(pure_directories_do_not_merge_where_they_land),
		TEST(attributes_copy_up),
		TEST(an_unlinked_open_file_can_still_be_changed),
		TEST(large_files_and_holes),
		TEST(tmpfiles_and_links),
		TEST(nothing_is_left_over),
		TEST(allocation_failures_leave_names_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

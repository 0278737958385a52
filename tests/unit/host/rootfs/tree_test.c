/* host/rootfs/tree.c: paths, links, and layers on layers. */
/* link: host/say.c host/util.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "host/rootfs/tree.h"

static struct tree *tree;

static int enter(void **state)
{
	tree = tree_new();
	return 0;
}

static int leave(void **state)
{
	tree_free(tree);
	return 0;
}

static int put(unsigned layer, const char *path, uint32_t mode, const char *target)
{
	struct tree_meta meta = { .mode = mode, .target = target };
	struct tree_inode *inode;

	return tree_put(tree, layer, path, &meta, &inode);
}

static int file(unsigned layer, const char *path)
{
	return put(layer, path, S_IFREG | 0644, NULL);
}

static int folder(unsigned layer, const char *path)
{
	return put(layer, path, S_IFDIR | 0700, NULL);
}

static int symbolic(const char *path, const char *target)
{
	return put(0, path, S_IFLNK | 0777, target);
}

static bool has(const char *path)
{
	return tree_find(tree, path);
}

static void folders_are_made(void **state)
{
	assert_int_equal(file(0, "./a//b/c"), 0);
	assert_true(has("a/b/c") && has("/a/b") && has("a/./b/"));
	assert_int_equal(tree_find(tree, "a/b")->meta.mode, S_IFDIR | 0755);
	assert_int_equal(folder(0, "a/b"), 0);
	assert_int_equal(tree_find(tree, "a/b")->meta.mode, S_IFDIR | 0700);
	assert_true(has("a/b/c"));
}

static void the_root_has_attributes(void **state)
{
	assert_int_equal(folder(0, "./"), 0);
	assert_int_equal(tree->root->meta.mode, S_IFDIR | 0700);
	assert_int_equal(file(0, "."), -EINVAL);
}

static void nothing_leaves(void **state)
{
	char *deep = must_alloc(9000), name[300] = "";

	assert_int_equal(file(0, "../x"), -EINVAL);
	assert_int_equal(file(0, "a/../../x"), -EINVAL);
	assert_int_equal(tree_hardlink(tree, 0, "../y", "x"), -EINVAL);
	assert_int_equal(tree_whiteout(tree, 0, "../.wh.x"), -EINVAL);
	memset(name, 'n', sizeof(name) - 1);
	assert_int_equal(file(0, name), -ENAMETOOLONG);
	memset(deep, '/', 8999);
	assert_int_equal(file(0, deep), -ENAMETOOLONG);
	free(deep);
	assert_null(tree->root->first);
}

static void depth_is_bounded_through_links(void **state)
{
	char path[2 * 900 + 2] = "";
	int error;

	for (int i = 0; i < 900; i++)
		strcat(path, "d/");
	assert_int_equal(folder(0, path), 0);
	assert_int_equal(symbolic("deep", path), 0);
	memmove(path + 5, path, 500);
	memcpy(path, "deep/", 5);
	path[505] = 0;
	error = folder(0, path);
	assert_int_equal(error, -ENAMETOOLONG);
}

static void links_are_followed_inside(void **state)
{
	assert_int_equal(symbolic("lib", "usr/lib"), 0);
	assert_int_equal(folder(0, "usr/lib"), 0);
	assert_int_equal(file(0, "lib/x"), 0);
	assert_true(has("usr/lib/x"));
	assert_int_equal(symbolic("out", "../../../etc"), 0);
	assert_int_equal(folder(0, "etc"), 0);
	assert_int_equal(file(0, "out/passwd"), 0);
	assert_true(has("etc/passwd"));
	assert_int_equal(symbolic("usr/abs", "/etc"), 0);
	assert_true(has("usr/abs/passwd"));
	/* The last name is not followed. */
	assert_int_equal(file(0, "lib"), 0);
	assert_true(S_ISREG(tree_find(tree, "lib")->meta.mode));
}

static void links_end(void **state)
{
	assert_int_equal(symbolic("a", "b"), 0);
	assert_int_equal(symbolic("b", "a"), 0);
	assert_int_equal(file(0, "a/x"), -ELOOP);
	assert_int_equal(file(0, "f"), 0);
	assert_int_equal(file(0, "f/x"), -ENOTDIR);
	assert_int_equal(symbolic("e", ""), -EINVAL);
}

static void hard_links_share(void **state)
{
	struct tree_inode *inode;

	assert_int_equal(tree_hardlink(tree, 0, "b", "a"), -ENOENT);
	assert_int_equal(file(0, "a"), 0);
	assert_int_equal(tree_hardlink(tree, 0, "b", "a"), 0);
	assert_int_equal(tree_hardlink(tree, 0, "b", "a"), 0);
	inode = tree_find(tree, "a");
	assert_ptr_equal(inode, tree_find(tree, "b"));
	assert_int_equal(inode->links, 2);
	assert_int_equal(file(1, "a"), 0);
	assert_int_equal(inode->links, 1);
	assert_int_equal(folder(0, "d"), 0);
	assert_int_equal(tree_hardlink(tree, 0, "c", "d"), -EPERM);
	assert_int_equal(tree_hardlink(tree, 0, "", "b"), -EINVAL);
	assert_int_equal(file(0, "d/x"), 0);
	assert_int_equal(tree_hardlink(tree, 0, "d", "d/x"), -ENOENT);
}

static void the_later_takes_the_place(void **state)
{
	assert_int_equal(file(0, "d/x"), 0);
	assert_int_equal(file(1, "d"), 0);
	assert_false(has("d/x"));
	assert_int_equal(file(2, "d/y"), -ENOTDIR);
	assert_int_equal(folder(2, "d"), 0);
	assert_int_equal(file(2, "d/y"), 0);
	assert_true(has("d/y"));
}

static void a_whiteout_hides_what_was_below(void **state)
{
	assert_int_equal(file(0, "d/x"), 0);
	assert_int_equal(file(0, "d/y"), 0);
	assert_int_equal(tree_whiteout(tree, 1, "d/y"), 0);
	assert_int_equal(tree_whiteout(tree, 1, "d/.wh.y"), 1);
	assert_true(has("d/x") && !has("d/y"));
	assert_int_equal(tree_whiteout(tree, 1, "no/.wh.y"), 1);
	assert_int_equal(tree_whiteout(tree, 1, ".wh.nothing"), 1);
	assert_int_equal(tree_whiteout(tree, 1, ".wh.d"), 1);
	assert_false(has("d"));
}

static void but_not_what_its_layer_brings(void **state)
{
	assert_int_equal(file(0, "d/x"), 0);
	assert_int_equal(file(1, "d/new"), 0);
	assert_int_equal(file(1, "f"), 0);
	assert_int_equal(tree_whiteout(tree, 1, ".wh.d"), 1);
	assert_int_equal(tree_whiteout(tree, 1, ".wh.f"), 1);
	assert_true(has("d/new") && !has("d/x") && has("f"));
}

static void an_opaque_folder_is_empty_below(void **state)
{
	assert_int_equal(file(0, "d/sub/x"), 0);
	assert_int_equal(file(0, "d/y"), 0);
	assert_int_equal(file(1, "d/sub/new"), 0);
	assert_int_equal(tree_whiteout(tree, 1, "d/.wh..wh..opq"), 1);
	assert_true(has("d/sub/new") && !has("d/sub/x") && !has("d/y"));
	/* AUFS's own names mean nothing. */
	assert_int_equal(file(1, "d/.wh.plnk"), 0);
	assert_int_equal(tree_whiteout(tree, 2, "d/.wh..wh.plnk"), 1);
	assert_true(has("d/.wh.plnk"));
}

static void attributes_are_replaced(void **state)
{
	struct tree_inode *inode;

	assert_int_equal(file(0, "f"), 0);
	inode = tree_find(tree, "f");
	tree_xattr_set(inode, "user.a", "1", 1);
	tree_xattr_set(inode, "user.b", "2", 1);
	tree_xattr_set(inode, "user.a", "33", 2);
	assert_string_equal(inode->xattrs->name, "user.a");
	assert_int_equal(inode->xattrs->size, 2);
	assert_null(inode->xattrs->next->next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(folders_are_made),
		TEST(the_root_has_attributes),
		TEST(nothing_leaves),
		TEST(depth_is_bounded_through_links),
		TEST(links_are_followed_inside),
		TEST(links_end),
		TEST(hard_links_share),
		TEST(the_later_takes_the_place),
		TEST(a_whiteout_hides_what_was_below),
		TEST(but_not_what_its_layer_brings),
		TEST(an_opaque_folder_is_empty_below),
		TEST(attributes_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

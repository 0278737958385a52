/* notify.c: what a watch is told, what its end gives back, and which names are marked. */
#include "fs/notify.h"

#include <asm/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after setjmp.h */
#include <cmocka.h>

#include "fs/dcache.h"
#include "fs/inode.h"
#include "fs/namei.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "tests/unit/kernel/fs/harness.h"

static char heard[256];
static bool is_content; /* with one event */

static bool on_event(struct watch *w, const struct notify_event *e)
{
	size_t at = strlen(heard);

	fmt_to(heard + at, sizeof heard - at, "%x%s%.*s ", e->mask, e->name ? ":" : "",
	       e->name ? (int)e->name->len : 0, e->name ? e->name->s : "");
	return is_content;
}

static void on_gone(struct watch *w)
{
	str_copy(heard + strlen(heard), "gone ", sizeof heard - strlen(heard));
}

static const struct watch_ops ops = { .event = on_event, .gone = on_gone };

static struct inode *inode_at(const char *path)
{
	struct path p;

	assert_int_equal(path_at(AT_FDCWD, path, WALK_FOLLOW, &p), 0);
	struct inode *i = inode_get(p.dentry->inode);
	path_put(&p);
	return i;
}

static void watch_path(struct watch *w, const char *path, uint32_t mask)
{
	struct inode *i = inode_at(path);

	*w = (struct watch){ .ops = &ops, .mask = mask };
	mutex_lock(&notify_mutex);
	watch_add(w, i);
	mutex_unlock(&notify_mutex);
	watch_names(i);
	inode_put(i);
	heard[0] = 0;
	is_content = false;
}

static void unwatch(struct watch *w)
{
	mutex_lock(&notify_mutex);
	watch_remove(w);
	mutex_unlock(&notify_mutex);
	inode_put(w->inode);
}

static void told_what_it_asked_for(void **state)
{
	struct watch w;

	watch_path(&w, "/d", IN_CREATE | IN_MOVED_TO | IN_OPEN);
	put("/d/new", "x"); /* not: modify, close */
	assert_string_equal(heard, "100:new 20:new ");
	heard[0] = 0;
	assert_int_equal(rename_to("/d/new", "/d/newer", 0), 0);
	assert_int_equal(chmod_to("/d/newer", 0600), 0);
	assert_string_equal(heard, "80:newer ");
	unwatch(&w);
	heard[0] = 0;
	put("/d/other", "x");
	assert_string_equal(heard, "");
}

/* O2: names that were there before the watch, and those that come later. */
static void names_carry_the_mark(void **state)
{
	struct watch w;
	struct file *f = must_open("/d/f", O_RDONLY);

	assert_false(f->path.dentry->flags & DENTRY_WATCHED);
	watch_path(&w, "/d", IN_ACCESS);
	assert_true(f->path.dentry->flags & DENTRY_WATCHED);
	put("/f2", "x");
	assert_int_equal(rename_to("/f2", "/d/f2", 0), 0);
	struct file *g = must_open("/d/f2", O_RDONLY);
	assert_true(g->path.dentry->flags & DENTRY_WATCHED);
	unwatch(&w);
	/* The next event takes it off. */
	notify_file(f, IN_ACCESS);
	assert_false(f->path.dentry->flags & DENTRY_WATCHED);
	assert_string_equal(heard, "");
	file_put(g);
	file_put(f);
}

static void deletion_ends_it(void **state)
{
	struct watch w;

	watch_path(&w, "/d/f", IN_DELETE_SELF | IN_ATTRIB);
	assert_int_equal(vfs_unlink(AT_FDCWD, "/d/f"), 0);
	assert_string_equal(heard, "4 400 gone ");
}

static void one_event_may_be_enough(void **state)
{
	struct watch w;

	watch_path(&w, "/d", IN_CREATE);
	is_content = true;
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/a", 0755), 0);
	assert_int_equal(vfs_mkdir(AT_FDCWD, "/d/b", 0755), 0);
	assert_string_equal(heard, "40000100:a gone ");
}

/* O1: the union, over all watches, also after one has gone. */
static void masks_are_united(void **state)
{
	struct watch a, b;
	struct inode *i = inode_at("/d");

	watch_path(&a, "/d", IN_CREATE);
	watch_path(&b, "/d", IN_DELETE);
	assert_int_equal(i->watch_mask, IN_CREATE | IN_DELETE);
	unwatch(&a);
	assert_int_equal(i->watch_mask, IN_DELETE);
	unwatch(&b);
	assert_int_equal(i->watch_mask, 0);
	inode_put(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, small_tree, small_tree_end)
		TEST(told_what_it_asked_for), TEST(names_carry_the_mark),
		TEST(deletion_ends_it),	      TEST(one_event_may_be_enough),
		TEST(masks_are_united),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* host/download.c: a hostile guest writes nowhere but where --out said. */
/* link: host/say.c host/util.c host/outfile.c host/units.c lib/wire.c */
#include <fcntl.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/download.h"

static char folder[64];

static int enter(void **state)
{
	strcpy(folder, "/tmp/download-test-XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	char *remove = must_format("rm -rf '%s'", folder);
	int result = system(remove);

	free(remove);
	return result;
}

static struct mapping tree = { "/job/tree", "tree" };

static struct wire_file entry(enum wire_file_kind kind, const char *path,
			      const char *target)
{
	return (struct wire_file){ .kind = kind,
				   .mode = 0755,
				   .path = wire_text_of(path),
				   .target = wire_text_of(target) };
}

/* Sends one entry with two bytes of content; the first error. */
static int send(struct download *d, enum wire_file_kind kind, const char *path,
		const char *target)
{
	struct wire_file file = entry(kind, path, target);
	struct wire_tail bytes = { "hi", 2 };
	int error = download_file(d, &file);

	if (error == 0 && kind == WIRE_FILE_REGULAR)
		error = download_data(d, &bytes);
	return error < 0 ? error : download_file_end(d, 0);
}

static void a_tree_comes_back(void **state)
{
	struct wire_out_done done = { 0 };
	struct download d;
	char text[8] = "";
	struct stat st;
	int fd;

	download_init(&d, &tree, 1, 100);
	assert_int_equal(send(&d, WIRE_FILE_FOLDER, "", ""), 0);
	assert_int_equal(send(&d, WIRE_FILE_FOLDER, "sub", ""), 0);
	assert_int_equal(send(&d, WIRE_FILE_REGULAR, "sub/file", ""), 0);
	assert_int_equal(send(&d, WIRE_FILE_LINK, "sub/link", "../sub/file"), 0);
	assert_int_equal(send(&d, WIRE_FILE_LINK, "link", "sub/file"), 0);
	assert_int_equal(download_done(&d, &done), 0);
	assert_int_equal(d.failures, 0);
	fd = open("tree/link", O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, 8), 2);
	assert_string_equal(text, "hi");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0700, 0700);
	close(fd);

	assert_int_equal(lstat("tree/sub/link", &st), 0);
	download_fini(&d);
}

static void paths_that_leave_are_refused(void **state)
{
	static const char *const paths[] = { "/etc/x", "../x", "sub/../../x",
					     "./x",    "a//b", "." };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct download d;

		download_init(&d, &tree, 1, 100);
		assert_int_equal(send(&d, WIRE_FILE_FOLDER, "", ""), 0);
		assert_int_equal(send(&d, WIRE_FILE_REGULAR, paths[i], ""), -EPROTO);
		download_fini(&d);
	}
}

static void links_that_leave_are_not_made(void **state)
{
	static const char *const targets[] = { "/etc", "..", "../..", "sub/../../..",
					       "../x" };

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct download d;
		struct stat st;

		download_init(&d, &tree, 1, 100);
		assert_int_equal(send(&d, WIRE_FILE_FOLDER, "", ""), 0);
		assert_int_equal(send(&d, WIRE_FILE_LINK, "bad", targets[i]), 0);
		assert_int_equal(d.skipped, 1);
		assert_int_equal(lstat("tree/bad", &st), -1);
		download_fini(&d);
	}
}

/* The folder held a link before: it is the user's, and is not followed either. */
static void links_are_not_followed(void **state)
{
	struct wire_out_done done = { 0 };
	struct download d;
	struct stat st;

	assert_int_equal(mkdir("tree", 0755), 0);
	assert_int_equal(mkdir("elsewhere", 0755), 0);
	assert_int_equal(symlink("../elsewhere", "tree/sub"), 0);
	assert_int_equal(symlink("../victim", "tree/file"), 0);
	download_init(&d, &tree, 1, 100);
	/* "tree" exists, so the tree goes into it by its name: ask for it as it is. */
	d.place = must_format("tree");
	d.top = open("tree", O_PATH | O_DIRECTORY);
	assert_int_equal(send(&d, WIRE_FILE_REGULAR, "sub/x", ""), 0);
	assert_int_equal(d.error, ELOOP);
	assert_int_equal(stat("elsewhere/x", &st), -1);
	assert_int_equal(send(&d, WIRE_FILE_REGULAR, "file", ""), 0);
	assert_int_equal(stat("victim", &st), -1);
	assert_int_equal(lstat("tree/file", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(download_done(&d, &done), 0);
	assert_int_equal(d.failures, 1);
}

static void a_single_file_appears_when_complete(void **state)
{
	static struct mapping one = { "/job/f", "f" };
	struct wire_file file = entry(WIRE_FILE_REGULAR, "", "");
	struct wire_tail bytes = { "hi", 2 };
	struct download d;
	struct stat st;

	download_init(&d, &one, 1, 100);
	assert_int_equal(download_file(&d, &file), 0);
	assert_int_equal(download_data(&d, &bytes), 0);
	assert_int_equal(stat("f", &st), -1);
	/* The guest could not read it to its end. */
	assert_int_equal(download_file_end(&d, EIO), 0);
	assert_int_equal(stat("f", &st), -1);
	download_fini(&d);

	download_init(&d, &one, 1, 100);
	assert_int_equal(send(&d, WIRE_FILE_REGULAR, "", ""), 0);
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_size, 2);
	download_fini(&d);
}

static void frames_out_of_turn_are_refused(void **state)
{
	struct wire_file file = entry(WIRE_FILE_FOLDER, "", "");
	struct wire_file child = entry(WIRE_FILE_FOLDER, "x", "");
	struct wire_tail bytes = { "hi", 2 };
	struct wire_out_done done = { 0 };
	struct download d;

	download_init(&d, &tree, 1, 100);
	assert_int_equal(download_data(&d, &bytes), -EPROTO);
	assert_int_equal(download_file_end(&d, 0), -EPROTO);
	assert_int_equal(download_file(&d, &child), -EPROTO);
	assert_int_equal(download_file(&d, &file), 0);
	assert_int_equal(download_file(&d, &child), -EPROTO);
	assert_int_equal(download_done(&d, &done), -EPROTO);
	assert_int_equal(download_file_end(&d, 0), 0);
	assert_int_equal(download_file(&d, &file), -EPROTO);
	assert_int_equal(download_done(&d, &done), 0);
	assert_int_equal(download_done(&d, &done), -EPROTO);
	assert_int_equal(download_file(&d, &file), -EPROTO);
	download_fini(&d);
}

static void no_more_comes_than_asked_for(void **state)
{
	struct download d;

	download_init(&d, &tree, 1, 3);
	assert_int_equal(send(&d, WIRE_FILE_FOLDER, "", ""), 0);
	assert_int_equal(send(&d, WIRE_FILE_REGULAR, "a", ""), 0);
	assert_int_equal(send(&d, WIRE_FILE_REGULAR, "b", ""), -EFBIG);
	download_fini(&d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tree_comes_back),
		TEST(paths_that_leave_are_refused),
		TEST(links_that_leave_are_not_made),
		TEST(links_are_not_followed),
		TEST(a_single_file_appears_when_complete),
		TEST(frames_out_of_turn_are_refused),
		TEST(no_more_comes_than_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* host/outfile.c on a file system without nameless files: asking for one gives what such
 * a file system, or an old kernel, answers. With them it is tested by download_test.c. */
/* link: host/say.c host/util.c */
#include <fcntl.h>
#undef O_TMPFILE
#define O_TMPFILE O_DIRECTORY

#include "host/outfile.c"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char folder[64];

static int enter(void **state)
{
	strcpy(folder, "/tmp/outfile-test-XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	char *remove_all = must_format("rm -rf '%s'", folder);
	int result = system(remove_all);

	free(remove_all);
	return result;
}

static int names(void)
{
	DIR *dir = opendir(folder);
	int count = -2; /* "." and ".." */

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void it_appears_when_complete(void **state)
{
	struct outfile file;
	char text[8] = "";
	int fd;

	fd = open("f", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write_all(fd, "older", 5), 0);
	close(fd);
	assert_int_equal(outfile_open(AT_FDCWD, "f", 0600, &file), 0);
	assert_non_null(file.stand_in);
	assert_int_equal(write_all(file.fd, "new", 3), 0);
	fd = open("f", O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	close(fd);
	assert_int_equal(outfile_commit(&file), 0);
	fd = open("f", O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	close(fd);
	assert_int_equal(names(), 1);
}

static void dropped_it_leaves_nothing(void **state)
{
	struct outfile file;

	assert_int_equal(outfile_open(AT_FDCWD, "f", 0600, &file), 0);
	assert_int_equal(names(), 1);
	outfile_drop(&file);
	assert_int_equal(names(), 0);
	outfile_drop(&file);
}

static void what_cannot_be_is_told(void **state)
{
	struct outfile file;

	assert_int_equal(outfile_open(AT_FDCWD, "no/such", 0600, &file), -ENOENT);
	assert_int_equal(outfile_open(AT_FDCWD, ".", 0600, &file), -EISDIR);
	assert_int_equal(outfile_open(AT_FDCWD, "new/", 0600, &file), -EISDIR);
	assert_int_equal(outfile_open(AT_FDCWD, "f", 0600, &file), 0);
	assert_int_equal(mkdir("f", 0700), 0);
	assert_int_equal(outfile_commit(&file), -EISDIR);
	assert_int_equal(names(), 1);
}

/* `--report /dev/stdout >f` as root: the link is in nobody's way. */
static void a_link_to_our_output_is_that_output(void **state)
{
	int out = open("f", O_WRONLY | O_CREAT, 0600), kept = dup(STDOUT_FILENO);
	struct stat st;
	struct outfile file;

	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	assert_int_equal(symlink("/proc/self/fd/1", "stdout"), 0);
	assert_int_equal(outfile_open(AT_FDCWD, "stdout", 0600, &file), 0);
	assert_int_equal(write_all(file.fd, "new", 3), 0);
	assert_int_equal(outfile_commit(&file), 0);
	dup2(kept, STDOUT_FILENO);
	assert_int_equal(lstat("stdout", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(fstat(out, &st), 0);
	assert_int_equal(st.st_size, 3);
	/* The twin: now it leads to another file, and is replaced. */
	assert_int_equal(unlink("stdout"), 0);
	assert_int_equal(symlink("f", "stdout"), 0);
	assert_int_equal(outfile_open(AT_FDCWD, "stdout", 0600, &file), 0);
	assert_int_equal(outfile_commit(&file), 0);
	assert_int_equal(lstat("stdout", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	close(kept);
	close(out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_appears_when_complete),
		TEST(dropped_it_leaves_nothing),
		TEST(what_cannot_be_is_told),
		TEST(a_link_to_our_output_is_that_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

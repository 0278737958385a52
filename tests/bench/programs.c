/*
 * Times Debian's programs as users run them: programs ROUNDS [NAME]... prints a line
 *
 *     NAME cold-ms [warm-ms]...
 *
 * per row, by the clock of the guest, from fork to wait. The first round finds the
 * program's files on the disk, those after it in memory. Input is made here and lies, as
 * the output, on a tmpfs of its own; every row is given the same on every kernel.
 */
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	C_FUNCTIONS = 90, /* of 22 lines and one between: 2,000 and some */
	TREE_FOLDERS = 40,
	TREE_FILES = 50,
	INSERTS = 10000,
};

static void run(char *const *argv)
{
	posix_spawn_file_actions_t actions;
	int status, error;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (error)
		errx(1, "%s: %s", argv[0], strerror(error));
	if (waitpid(pid, &status, 0) < 0 || status)
		errx(1, "%s: wait status %#x", argv[0], status);
	posix_spawn_file_actions_destroy(&actions);
}

static FILE *create(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		err(1, "%s", path);
	return file;
}

static void finish(FILE *file)
{
	if (ferror(file) || fclose(file))
		err(1, "writing");
}

/* A C file of loops, branches, calls and arithmetic. */
static void c_make(void)
{
	FILE *file = create("input.c");

	fprintf(file, "#include <stdio.h>\n#include <string.h>\n\n");
	for (int i = 0; i < C_FUNCTIONS; i++)
		fprintf(file,
			"struct record%d {\n\tlong key;\n\tdouble weight;\n\tchar "
			"name[%d];\n};\n\n"
			"long visit%d(struct record%d *at, long count)\n{\n\tlong sum = "
			"%d;\n\n"
			"\tfor (long i = 0; i < count; i++) {\n"
			"\t\tif (at[i].key %% %d == 0 && at[i].weight > %d)\n"
			"\t\t\tsum += at[i].key * %d;\n"
			"\t\telse if (strlen(at[i].name) > %d)\n"
			"\t\t\tsum ^= at[i].key << %d | (long)at[i].weight;\n"
			"\t\tif (sum < 0)\n\t\t\tprintf(\"%%ld\\n\", sum);\n"
			"\t}\n\treturn sum;\n}\n\n",
			i, 8 + i % 24, i, i, i, 3 + i % 7, i, 5 + i, i % 9, 1 + i % 13);
	finish(file);
}

static void tree_file(int folder, int number)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "tree/folder%02d/file%02d.txt", folder, number);
	file = create(path);
	for (int line = 0; line < 8 + number; line++)
		fprintf(file, "line %d of file %d: %d\n", line, number,
			line * 7919 % (folder + 31));
	finish(file);
}

/* A work tree of small files, all of them committed. */
static void tree_make(void)
{
	char *const init[] = { "git", "init", "-q", "tree", NULL };
	char *const add[] = { "git", "-C", "tree", "add", ".", NULL };
	char *const commit[] = { "git",
				 "-C",
				 "tree",
				 "-c",
				 "user.name=a",
				 "-c",
				 "user.email=a@example.org",
				 "commit",
				 "-qm",
				 "all",
				 NULL };
	char path[64];

	if (access("tree", F_OK) == 0)
		return;
	run(init);
	for (int folder = 0; folder < TREE_FOLDERS; folder++) {
		snprintf(path, sizeof(path), "tree/folder%02d", folder);
		if (mkdir(path, 0755) < 0)
			err(1, "%s", path);
		for (int number = 0; number < TREE_FILES; number++)
			tree_file(folder, number);
	}
	run(add);
	run(commit);
}

static void sql_make(void)
{
	FILE *file = create("input.sql");

	fprintf(file, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, value "
		      "REAL);\nBEGIN;\n");
	for (int i = 0; i < INSERTS; i++)
		fprintf(file, "INSERT INTO t VALUES (%d, 'row number %d', %d.5);\n", i,
			i * 7919 % INSERTS, i);
	fprintf(file, "COMMIT;\nSELECT count(*) FROM t;\n");
	finish(file);
}

static void nothing_make(void)
{
}

static const struct row {
	const char *name;
	void (*make)(void);
	char *argv[5];
} rows[] = {
	{ "python", nothing_make, { "python3", "-c", "pass" } },
	{ "node", nothing_make, { "node", "-e", "0" } },
	{ "gcc", c_make, { "gcc", "-O2", "-c", "input.c" } },
	{ "git_status", tree_make, { "git", "-C", "tree", "status" } },
	{ "tar_xz", tree_make, { "sh", "-c", "tar c tree | xz -1 | wc -c" } },
	{ "sqlite3", sql_make, { "sh", "-c", "rm -f db; exec sqlite3 db <input.sql" } },
	{ "fork_exec_200",
	  nothing_make,
	  { "sh", "-c", "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done" } },
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void measure(const struct row *row, int rounds)
{
	row->make();
	printf("%s", row->name);
	fflush(stdout);
	for (int i = 0; i < rounds; i++) {
		double began = now_ms();

		run(row->argv);
		printf(" %.1f", now_ms() - began);
		fflush(stdout);
	}
	printf("\n");
}

static int is_wanted(const char *name, char **names)
{
	if (!*names)
		return 1;
	for (; *names; names++)
		if (!strcmp(name, *names))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0;

	if (rounds < 1)
		errx(1, "usage: programs ROUNDS [NAME]...");
	if (mount("tmpfs", "/tmp", "tmpfs", 0, NULL) < 0 || chdir("/tmp") < 0)
		err(1, "/tmp");
	for (const struct row *row = rows; row < rows + sizeof(rows) / sizeof(*rows);
	     row++)
		if (is_wanted(row->name, argv + 2))
			measure(row, rounds);
	return 0;
}

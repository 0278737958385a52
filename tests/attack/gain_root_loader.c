/*
 * A plain user's ways to root by what the dynamic loader and the C library take from the
 * environment, and by a name that is not the program's: against `su`, Debian's own. What
 * is not to be opened is a pipe that nobody writes to, so who opens it stays there. Each
 * has a twin, a copy of the program that is not setuid.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/gain.h"

#define SU "/bin/su"
#define PROMPT "Password: "

static char dir[64];
static char own[96]; /* the copy that is not setuid */

static void copies_make(void)
{
	static char buf[65536];
	ssize_t n;
	tap_needs_root();
	snprintf(dir, sizeof dir, "%s", tap_tmpdir());
	CHECK_EQ(chmod(dir, 0755), 0);
	CHECK_EQ(chown(dir, PLAIN, PLAIN), 0);
	snprintf(own, sizeof own, "%s/su", dir);
	int from = open(SU, O_RDONLY | O_CLOEXEC),
	    to = open(own, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	CHECK(from >= 0 && to >= 0);
	while ((n = read(from, buf, sizeof buf)) > 0)
		CHECK_EQ(write(to, buf, (size_t)n), n);
	close(from);
	close(to);
}

/* A program that waits for a password, or for what it opens. */
struct started {
	int pid, said, typed;
	char text[4096]; /* what it has said so far */
};

static struct started start(const char *path, const char *name, const char *variable,
			    const char *value)
{
	struct started s = { .text = "" };
	const char *argv[] = { name, "-c", "id", NULL };
	int said[2], typed[2];
	CHECK_EQ(pipe2(said, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(typed, O_CLOEXEC), 0);
	s.pid = fork();
	if (!s.pid) {
		gain_become(PLAIN);
		CHECK_EQ(dup2(typed[0], 0), 0);
		CHECK_EQ(dup2(said[1], 1), 1);
		CHECK_EQ(dup2(said[1], 2), 2);
		if (variable)
			CHECK_EQ(setenv(variable, value, 1), 0);
		execv(path, (char *const *)argv);
		_exit(98);
	}
	close(said[1]);
	close(typed[0]);
	s.said = said[0];
	s.typed = typed[1];
	return s;
}

static void finish(struct started *s)
{
	kill(s->pid, SIGKILL);
	CHECK_EQ(gain_wait(s->pid), 128 + SIGKILL);
	close(s->said);
	close(s->typed);
}

/* Reads until it asks, or for that long: whether it has asked. */
static int asks(struct started *s, int ms)
{
	struct pollfd p = { .fd = s->said, .events = POLLIN };
	size_t size = strlen(s->text);
	while (!strstr(s->text, PROMPT) && poll(&p, 1, ms) == 1) {
		ssize_t n = read(s->said, s->text + size, sizeof s->text - 1 - size);
		if (n <= 0)
			break;
		size += (size_t)n;
		s->text[size] = 0;
	}
	return strstr(s->text, PROMPT) != NULL;
}

/* Whether somebody waits in open(2) of the pipe. */
static int is_opened(const char *fifo)
{
	int fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* With the variable set, `su` asks without a look at the pipe; a copy of it opens it. */
static void check_opens(const char *variable, const char *value, const char *fifo)
{
	CHECK_EQ(mkfifo(fifo, 0755), 0);
	CHECK_EQ(chmod(fifo, 0755), 0);
	struct started s = start(SU, "su", variable, value);
	CHECK(asks(&s, 10000));
	CHECK_EQ(is_opened(fifo), 0);
	finish(&s);

	s = start(own, "su", variable, value);
	for (int i = 0; i < 10000 && !is_opened(fifo); i++)
		usleep(1000);
	CHECK(!strstr(s.text, PROMPT));
	kill(s.pid, SIGKILL);
	gain_wait(s.pid); /* what it opened ended when is_opened() closed: an error */
	close(s.said);
	close(s.typed);
	CHECK_EQ(unlink(fifo), 0);
}

static void a_library_before_all_others_is_not_loaded(void)
{
	char fifo[128];
	copies_make();
	snprintf(fifo, sizeof fifo, "%s/evil.so", dir);
	check_opens("LD_PRELOAD", fifo, fifo);
}

static void a_folder_of_libraries_is_not_searched(void)
{
	char fifo[128];
	copies_make();
	snprintf(fifo, sizeof fifo, "%s/libpam.so.0", dir);
	check_opens("LD_LIBRARY_PATH", dir, fifo);
}

static void a_library_that_watches_is_not_loaded(void)
{
	char fifo[128];
	copies_make();
	snprintf(fifo, sizeof fifo, "%s/evil.so", dir);
	check_opens("LD_AUDIT", fifo, fifo);
}

/* -- what the loader says -- */

/* Whether a library's name or address is in what it says before it asks. */
static int tells(const char *path, const char *variable, const char *value,
		 const char *what)
{
	struct started s = start(path, "su", variable, value);
	CHECK(asks(&s, 10000));
	int told = strstr(s.text, what) != NULL;
	finish(&s);
	return told;
}

static void the_loader_does_not_tell_addresses(void)
{
	copies_make();
	CHECK_EQ(tells(SU, "LD_SHOW_AUXV", "1", "AT_RANDOM"), 0);
	CHECK_EQ(tells(own, "LD_SHOW_AUXV", "1", "AT_RANDOM"), 1);
}

/* Files of the folder whose names begin so. */
static int files_called(const char *start_of_name)
{
	DIR *d = opendir(dir);
	int n = 0;
	CHECK(d);
	for (struct dirent *e; (e = readdir(d));)
		n += !strncmp(e->d_name, start_of_name, strlen(start_of_name));
	closedir(d);
	return n;
}

/* It would write them as root, where a plain user says. */
static void the_loader_writes_no_files(void)
{
	char place[128];
	copies_make();
	snprintf(place, sizeof place, "%s/out", dir);
	CHECK_EQ(setenv("LD_DEBUG", "files", 1), 0);
	CHECK_EQ(tells(SU, "LD_DEBUG_OUTPUT", place, "calling init"), 0);
	CHECK_EQ(files_called("out"), 0);
	CHECK_EQ(tells(own, "LD_DEBUG_OUTPUT", place, "calling init"), 0);
	CHECK_EQ(files_called("out"), 1);
}

/* -- what the C library takes -- */

/* The size of its heap, once it has asked. */
static unsigned long heap_of(const char *path, const char *variable, const char *value)
{
	struct started s = start(path, "su", variable, value);
	char maps[64], line[512];
	unsigned long from, to, size = 0;
	CHECK(asks(&s, 10000));
	snprintf(maps, sizeof maps, "/proc/%d/maps", s.pid);
	FILE *f = fopen(maps, "r");
	CHECK(f);
	while (fgets(line, sizeof line, f))
		if (strstr(line, "[heap]") && sscanf(line, "%lx-%lx", &from, &to) == 2)
			size += to - from;
	fclose(f);
	finish(&s);
	CHECK(size > 0);
	return size;
}

static void tunables_do_not_count(void)
{
	static const char pad[] = "16777216";
	copies_make();
	CHECK(heap_of(SU, "GLIBC_TUNABLES", "glibc.malloc.top_pad=16777216") < 4 << 20);
	CHECK(heap_of(SU, "MALLOC_TOP_PAD_", pad) < 4 << 20);
	CHECK(heap_of(own, "GLIBC_TUNABLES", "glibc.malloc.top_pad=16777216") > 16 << 20);
	CHECK(heap_of(own, "MALLOC_TOP_PAD_", pad) > 16 << 20);
}

/* CVE-2023-4911: tunables that name themselves overran what the loader had for them. */
static void tunables_do_not_overrun(void)
{
	static char value[4096] = "glibc.malloc.mxfast=glibc.malloc.mxfast=";
	copies_make();
	memset(value + strlen(value), 'A', sizeof value - 1 - strlen(value));
	CHECK(heap_of(SU, "GLIBC_TUNABLES", value) > 0);
	CHECK(heap_of(own, "GLIBC_TUNABLES", value) > 0);
}

/* -- a name that is not its own -- */

/* A program that is many, as busybox is, would be another by that name, still root. */
static void a_name_makes_no_other_program(void)
{
	static const char *const names[] = { "sh",    "-sh", "ash",	"busybox",
					     "id",    "cat", "mount",	"runuser",
					     "login", "sg",  "sulogin", "" };
	copies_make();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct started s = start(SU, names[i], NULL, NULL);
		CHECK(asks(&s, 10000));
		CHECK(!strstr(s.text, "uid=0"));
		finish(&s);
	}
}

static void nor_does_a_link(void)
{
	char link[128];
	copies_make();
	snprintf(link, sizeof link, "%s/sh", dir);
	CHECK_EQ(symlink(SU, link), 0);
	struct started s = start(link, link, NULL, NULL);
	CHECK(asks(&s, 10000));
	CHECK(!strstr(s.text, "uid=0"));
	finish(&s);
}

/* The twin of both: who may, becomes root by it, whatever its name is. */
static void root_is_not_asked(void)
{
	copies_make();
	int said[2], pid;
	char text[256] = "";
	CHECK_EQ(pipe2(said, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		dup2(said[1], 1);
		execl(SU, "sh", "-c", "id", NULL);
		_exit(98);
	}
	close(said[1]);
	CHECK_EQ(gain_wait(pid), 0);
	CHECK(read(said[0], text, sizeof text - 1) > 0);
	CHECK(strstr(text, "uid=0"));
}

TEST_MAIN(CASE(a_library_before_all_others_is_not_loaded),
	  CASE(a_folder_of_libraries_is_not_searched),
	  CASE(a_library_that_watches_is_not_loaded),
	  CASE(the_loader_does_not_tell_addresses), CASE(the_loader_writes_no_files),
	  CASE(tunables_do_not_count), CASE(tunables_do_not_overrun),
	  CASE(a_name_makes_no_other_program), CASE(nor_does_a_link),
	  CASE(root_is_not_asked))

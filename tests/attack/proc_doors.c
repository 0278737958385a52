/*
 * Ways through /proc and terminals that go round a protection. Each is refused; the twin
 * is the ordinary use next to it, which works.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

/* Own code, rewritten through a file, would be a mapping both written and run. */
static int answer(void)
{
	return 42;
}

static void mem_does_not_write_code(void)
{
	static char data[] = "data";
	char first;
	off_t code = (off_t)(size_t)answer;

	tap_needs_mayfly(); /* Linux forces the write, as ptrace does */
	int fd = open("/proc/self/mem", O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, &first, 1, code), 1);
	CHECK_ERR(pwrite(fd, &first, 1, code), EIO);
	char *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_ERR(pwrite(fd, "x", 1, (off_t)(size_t)ro), EIO);
	CHECK_EQ(pwrite(fd, "DATA", 4, (off_t)(size_t)data), 4);
	CHECK(!strcmp(data, "DATA"));
	CHECK_EQ(answer(), 42);
}

/* A descriptor got with few rights must show nothing once the process has more: it would
 * be the set-user-ID program that reads its own secrets for whoever started it. */
static void descriptors_keep_their_openers_rights(void)
{
	char buf[64];

	tap_needs_mayfly(); /* Linux shows the memory there was at the open */
	tap_needs_root();
	CHECK(!seteuid(1000));
	int low = open("/proc/self/auxv", O_RDONLY);
	if (low < 0) /* not dumpable any more: root's, so refused at once */
		CHECK_EQ(errno, EACCES);
	CHECK(!seteuid(0));
	if (low >= 0)
		CHECK_ERR(read(low, buf, sizeof buf), EACCES);
	int high = open("/proc/self/auxv", O_RDONLY);
	CHECK(high >= 0);
	CHECK(read(high, buf, sizeof buf) > 0);
}

static pid_t other_process(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

static void others_are_closed(void)
{
	static const char *const names[] = { "mem",  "environ", "auxv",
					     "maps", "smaps",	"io" };
	char path[64];

	tap_needs_root();
	pid_t victim = other_process();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", victim, names[i]);
		int fd = open(path, O_RDONLY);
		CHECK(fd >= 0);
		close(fd);
	}
	CHECK(!setgid(1000) && !setuid(1000));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char c;
		snprintf(path, sizeof path, "/proc/%d/%s", victim, names[i]);
		int fd = open(path, O_RDONLY);
		if (fd >= 0) /* Linux lets some be opened and refuses to read */
			CHECK(read(fd, &c, 1) <= 0);
		else
			CHECK_EQ(errno, EACCES);
	}
	static const char *const links[] = { "exe", "cwd", "root", "fd/0" };
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", victim, links[i]);
		char to[64];
		CHECK_ERR(readlink(path, to, sizeof to), EACCES);
		CHECK_ERR(open(path, O_RDONLY), EACCES);
	}
	int fd = open("/proc/self/maps", O_RDONLY);
	CHECK(fd >= 0);
	snprintf(path, sizeof path, "/proc/%d/stat", victim);
	CHECK(open(path, O_RDONLY) >= 0); /* ps shows everybody */
}

/* The address fields of another's stat are no help against its ASLR. */
static void stat_hides_addresses(void)
{
	char path[64], line[1024];
	unsigned long start = 0, end = 0, stack = 9;

	tap_needs_root();
	pid_t victim = other_process();
	CHECK(!setgid(1000) && !setuid(1000));
	snprintf(path, sizeof path, "/proc/%d/stat", victim);
	FILE *f = fopen(path, "r");
	CHECK(f && fgets(line, sizeof line, f));
	CHECK_EQ(sscanf(strrchr(line, ')') + 2,
			"%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			"%*d "
			"%*d %*d %*u %*u %*d %*u %lu %lu %lu",
			&start, &end, &stack),
		 3);
	CHECK(start <= 1 && end <= 1 && stack == 0);
}

static void nobody_types_for_another(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	tap_needs_mayfly(); /* Linux has a switch for it */
	CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY), n;
	CHECK(slave >= 0);
	CHECK_ERR(ioctl(slave, TIOCSTI, "x"), EIO);
	CHECK_EQ(write(master, "x\n", 2), 2);
	CHECK(!ioctl(slave, FIONREAD, &n) && n == 2);
}

TEST_MAIN(CASE(mem_does_not_write_code), CASE(descriptors_keep_their_openers_rights),
	  CASE(others_are_closed), CASE(stat_hides_addresses),
	  CASE(nobody_types_for_another))

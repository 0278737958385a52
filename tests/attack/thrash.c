/*
 * Memory that runs out while there still are pages to drop: those that run. Whoever eats
 * it ends at once, and does not creep on a page of text at a time; whoever only needs all
 * of it does not end. And bombs, of which there are more than memory is for.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#define MIB (1ul << 20)
#define PAGE 4096ul

static const volatile char *text; /* a program's, which can be read again */
static size_t text_size;

static void map_text(void)
{
	struct stat st;
	int fd = open("/bin/busybox", O_RDONLY);
	CHECK(fd >= 0 && !fstat(fd, &st));
	text_size = (size_t)st.st_size;
	text = mmap(NULL, text_size, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(text != MAP_FAILED);
	close(fd);
}

static void read_text(void)
{
	for (size_t at = 0; at < text_size; at += PAGE)
		(void)text[at];
}

static long available(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/meminfo", "r");
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}

static char *eat(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

/* One instruction that needs two pages at a time, as one of a program often does: none
 * of them may go while the other one is read. */
static void compare_bytes(const volatile char *a, const volatile char *b)
{
	__asm__ volatile("cmpsb" : "+S"(a), "+D"(b) : : "cc", "memory");
}

static void compare_halves(void)
{
	for (size_t at = 0; at < text_size / 2; at += PAGE)
		compare_bytes(text + at, text + text_size / 2 + at);
}

static void a_hog_with_a_working_set_is_killed(void)
{
	tap_needs_mayfly();
	map_text();
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		for (;;) {
			*eat(PAGE) = 1;
			compare_halves();
		}
	}
	CHECK_EQ(tap_wait(pid), SIGKILL);
	read_text();
}

/* The twin: as little is left, but nobody wants more. */
static void nearly_all_memory_can_be_used(void)
{
	tap_needs_mayfly();
	map_text();
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		while (available() > (long)(2 * MIB))
			*eat(MIB / 4) = 1;
		for (int i = 0; i < 200; i++)
			read_text();
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

/* What a bomb was, its parent can end, and memory is free again. */
static void bomb(void (*part)(void))
{
	struct sysinfo before, now;
	CHECK(!sysinfo(&before));
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		setpgid(0, 0);
		for (;;) {
			(void)!fork();
			part();
		}
	}
	setpgid(pid, pid);
	usleep(1500000);
	CHECK(!kill(-pid, SIGKILL));
	CHECK_EQ(tap_wait(pid), SIGKILL);
	for (int i = 0; i < 200; i++, usleep(20000)) {
		CHECK(!sysinfo(&now));
		if (now.procs <= before.procs && now.freeram + 4 * MIB > before.freeram)
			return;
	}
	tap_fail(__FILE__, __LINE__, "%u processes left, %lu bytes less free", now.procs,
		 before.freeram - now.freeram);
}

static void nothing(void)
{
}

static void fork_bomb_without_limits(void)
{
	tap_needs_mayfly();
	bomb(nothing);
}

static void some_memory(void)
{
	*eat(MIB) = 1;
}

static void fork_bomb_that_eats(void)
{
	tap_needs_mayfly();
	bomb(some_memory);
}

TEST_MAIN(CASE(a_hog_with_a_working_set_is_killed), CASE(nearly_all_memory_can_be_used),
	  CASE(fork_bomb_without_limits), CASE(fork_bomb_that_eats))

/* /proc's figures of memory, and texts that are long, or read in pieces. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/slurp.h"
#include "common/tap.h"

#define PAGE 4096ul

/* ---- memory ---- */

static void touched_pages_are_resident(void)
{
	const long pages = 512;
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long before = slurp_field("/proc/self/status", "RssAnon"), size, after;
	long long faults = slurp_stat("/proc/self/stat", 10);

	CHECK(p != MAP_FAILED);
	for (long i = 0; i < pages; i++)
		p[i * PAGE] = 1;
	after = slurp_field("/proc/self/status", "RssAnon");
	CHECK(after - before >= pages * 4 && after - before < pages * 4 + 64);
	CHECK(slurp_stat("/proc/self/stat", 10) > faults);
	size = slurp_field("/proc/self/status", "VmSize");
	CHECK(!munmap(p, pages * PAGE));
	CHECK(slurp_field("/proc/self/status", "RssAnon") < before + 64);
	CHECK(size - slurp_field("/proc/self/status", "VmSize") == pages * 4);
	CHECK(slurp_field("/proc/self/status", "VmPeak") >= size);
	CHECK(slurp_field("/proc/self/status", "VmHWM") >= after);
	CHECK(slurp_field("/proc/self/status", "VmPTE") > 0);
}

/* The line of smaps that begins an area, then the number of a key below it. */
static long smap_field(const void *at, const char *key)
{
	char want[32];
	const char *s;

	snprintf(want, sizeof want, "%lx-", (unsigned long)at);
	s = strstr(slurp("/proc/self/smaps"), want);
	CHECK(s);
	s = strstr(s, key);
	CHECK(s);
	return strtol(s + strlen(key) + 1, NULL, 10);
}

static void shared_pages_count_by_shares(void)
{
	const long pages = 64;
	int p[2];
	char c;
	char *m = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *own = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED && own != MAP_FAILED && !pipe(p));
	memset(m, 1, pages * PAGE);
	memset(own, 1, pages * PAGE);
	CHECK_EQ(smap_field(m, "\nRss"), pages * 4);
	CHECK_EQ(smap_field(m, "\nPss"), pages * 4);
	pid_t pid = fork();
	if (!pid) {
		const volatile char *at = m;
		for (long i = 0; i < pages; i++)
			(void)at[i * PAGE];
		close(p[1]);
		pause();
	}
	close(p[1]);
	CHECK_EQ(read(p[0], &c, 1), 0);
	CHECK_EQ(smap_field(m, "\nRss"), pages * 4);
	CHECK_EQ(smap_field(m, "\nPss"), pages * 2);
	CHECK_EQ(smap_field(m, "\nShared_Dirty"), pages * 4);
	CHECK(!kill(pid, SIGKILL));
	tap_wait(pid);
	CHECK_EQ(smap_field(own, "\nPrivate_Dirty"), pages * 4);
	CHECK_EQ(smap_field(own, "\nAnonymous"), pages * 4);
	CHECK_EQ(smap_field(own, "\nPss"), pages * 4);
	CHECK(slurp_field("/proc/self/smaps_rollup", "Pss") >= pages * 4 * 2);
}

static void pagemap_tells_what_is_there(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t v[4];

	CHECK(p != MAP_FAILED && fd >= 0);
	p[PAGE] = p[3 * PAGE] = 1;
	off_t at = (off_t)((uintptr_t)p / PAGE * 8);
	CHECK_EQ(pread(fd, v, sizeof v, at), sizeof v);
	CHECK(!(v[0] >> 63) && v[1] >> 63 && !(v[2] >> 63) && v[3] >> 63);
	CHECK(v[1] >> 56 & 1);
	CHECK_ERR(pread(fd, v, 7, at), EINVAL);
	CHECK_ERR(pread(fd, v, 8, at + 1), EINVAL);
	CHECK_EQ(pread(fd, v, 8, (off_t)(1ull << 47) / 4096 * 8), 0);
}

static void peak_can_be_reset(void)
{
	char *p = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 1, 256 * PAGE);
	CHECK(!munmap(p, 256 * PAGE));
	long peak = slurp_field("/proc/self/status", "VmHWM");
	CHECK_EQ(spit("/proc/self/clear_refs", "5"), 0);
	CHECK(slurp_field("/proc/self/status", "VmHWM") <= peak - 512);
	CHECK_EQ(spit("/proc/self/clear_refs", "9"), EINVAL);
}

static void references_can_be_forgotten(void)
{
	char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 1, 8 * PAGE);
	CHECK_EQ(smap_field(p, "\nReferenced"), 32);
	CHECK_EQ(spit("/proc/self/clear_refs", "1"), 0);
	CHECK_EQ(smap_field(p, "\nReferenced"), 0);
	p[0] = 2; /* Linux flushes no TLB for this, and may miss it */
	if (tap_on_mayfly())
		CHECK_EQ(smap_field(p, "\nReferenced"), 4);
}

/* ---- text of any length ---- */

/* However it is cut, it is the same text. */
static void pieces_make_the_whole(void)
{
	static char whole[1 << 20], part[1 << 20];
	static const size_t sizes[] = { 1, 7, 100, 4095, 4096, 4097, 65536 };
	const int areas = 300;
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t n = 0, got;
	ssize_t r;

	CHECK(fd >= 0);
	for (int i = 0; i < areas; i++)
		CHECK(mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	while ((r = pread(fd, whole + n, sizeof whole - n, (off_t)n)) > 0)
		n += (size_t)r;
	CHECK(n > areas * 40);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
		got = 0;
		while ((r = read(fd, part + got, sizes[i])) > 0)
			got += (size_t)r;
		CHECK_EQ(got, n);
		CHECK(!memcmp(whole, part, n));
	}
	/* Backwards too. */
	for (off_t at = (off_t)n - 10; at > 0; at -= 1777) {
		CHECK_EQ(pread(fd, part, 10, at), 10);
		CHECK(!memcmp(whole + at, part, 10));
	}
	CHECK_EQ(pread(fd, part, 10, (off_t)n), 0);
	CHECK_EQ(pread(fd, part, 10, (off_t)n + 100000), 0);
}

static void many_areas_are_all_shown(void)
{
	const long areas = 20000;
	long lines = 0;
	char *base = mmap(NULL, (size_t)areas * 2 * PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	FILE *f;
	char line[512];

	CHECK(base != MAP_FAILED);
	for (long i = 0; i < areas; i++)
		CHECK(!mprotect(base + i * 2 * (long)PAGE, PAGE, PROT_READ));
	f = fopen("/proc/self/smaps", "r");
	CHECK(f);
	while (fgets(line, sizeof line, f))
		lines += !strncmp(line, "VmFlags:", 8);
	CHECK(lines >= 2 * areas - 1);
	fclose(f);
}

static void long_command_lines_are_whole(void)
{
	const size_t args = 400, each = 4000;
	char **argv = calloc(args + 1, sizeof *argv), c = 0;
	int p[2];

	for (size_t i = 0; i < args; i++) {
		argv[i] = malloc(each + 1);
		memset(argv[i], 'a' + (int)(i % 26), each);
		argv[i][each] = 0;
	}
	argv[0] = "cat";
	CHECK(!pipe(p));
	pid_t pid = fork();
	if (!pid) {
		dup2(p[0], 0);
		close(p[1]);
		setenv("PROC_MEMORY_SLEEP", "1", 1);
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	char path[64];
	size_t total = 0;
	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	for (int tries = 0; tries < 500 && total < args * each; tries++) {
		int fd = open(path, O_RDONLY);
		ssize_t r;
		CHECK(fd >= 0);
		total = 0;
		while ((r = read(fd, slurped, 3000)) > 0) {
			total += (size_t)r;
			c = slurped[r - 1];
		}
		close(fd);
		usleep(10000);
	}
	CHECK_EQ(total, (args - 1) * (each + 1) + 4);
	CHECK(!c);
	kill(pid, SIGKILL);
	tap_wait(pid);
}

static void a_title_replaces_arguments(void)
{
	slurp_size("/proc/self/cmdline");
	size_t n = strlen(slurped) + 1;
	CHECK(n > 1);
	const char *start = (const char *)(uintptr_t)slurp_stat("/proc/self/stat", 48);
	const char *end = (const char *)(uintptr_t)slurp_stat("/proc/self/stat", 49);
	CHECK(end > start && !strncmp(start, slurp("/proc/self/cmdline"), n));
	memset((char *)start, 'T', (size_t)(end - start));
	CHECK(!strncmp(slurp("/proc/self/cmdline"), "TTTT", 4));
	CHECK(slurp_size("/proc/self/cmdline") >= (size_t)(end - start));
}

static const struct tap_case cases[] = {
	CASE(touched_pages_are_resident),  CASE(shared_pages_count_by_shares),
	CASE(pagemap_tells_what_is_there), CASE(peak_can_be_reset),
	CASE(references_can_be_forgotten), CASE(pieces_make_the_whole),
	CASE(many_areas_are_all_shown),	   CASE(long_command_lines_are_whole),
	CASE(a_title_replaces_arguments),
};

int main(int argc, char **argv)
{
	if (getenv("PROC_MEMORY_SLEEP"))
		for (;;)
			pause();
	return tap_run(cases, sizeof cases / sizeof *cases, argc, argv);
}

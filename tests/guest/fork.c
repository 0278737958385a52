/* What fork(2) must keep apart, whether the kernel copies a page at once, when it is
 * written, or never: both sides are checked page by page against a model. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#define PAGE 4096ul
#define ROUNDS 6

static uint64_t *anon(size_t pages)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

/* The first and last word of each page. */
static uint64_t *word(uint64_t *mem, size_t page, int last)
{
	return mem + page * (PAGE / 8) + (last ? PAGE / 8 - 1 : 0);
}

static void page_set(uint64_t *mem, size_t page, uint64_t v)
{
	*word(mem, page, 0) = v;
	*word(mem, page, 1) = ~v;
}

static bool page_is(uint64_t *mem, size_t page, uint64_t v)
{
	return *word(mem, page, 0) == v && *word(mem, page, 1) == ~v;
}

static bool all_are(uint64_t *mem, const uint64_t *model, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!page_is(mem, i, model[i]))
			return false;
	return true;
}

/* Writes every `step`th page from `first` on, in memory and model. */
static void scatter(uint64_t *mem, uint64_t *model, size_t n, size_t first, size_t step,
		    uint64_t v)
{
	for (size_t i = first; i < n; i += step) {
		model[i] = v + i;
		page_set(mem, i, model[i]);
	}
}

/* In the child: what the parent had, then writes of its own, then a child of its own that
 * sees those. Exit status 0: right. */
static void child_main(uint64_t *mem, uint64_t *model, size_t n, int go)
{
	char c;
	/* The parent has written to its pages by then. */
	if (read(go, &c, 1) != 1 || !all_are(mem, model, n))
		_exit(1);
	scatter(mem, model, n, 0, 2, 1ull << 40);
	pid_t pid = fork();
	if (!pid) {
		bool right = all_are(mem, model, n);
		scatter(mem, model, n, 0, 3, 1ull << 41);
		_exit(right && all_are(mem, model, n) ? 0 : 1);
	}
	scatter(mem, model, n, 0, 5, 1ull << 42);
	if (tap_wait(pid) || !all_are(mem, model, n))
		_exit(2);
	_exit(0);
}

/* Forks again and again; every round another part of n pages has been written. */
static void rounds(size_t n)
{
	uint64_t *mem = anon(n), *model = calloc(n, sizeof *model);
	CHECK(model);
	scatter(mem, model, n, 0, 1, 1);
	for (size_t round = 0; round < ROUNDS; round++) {
		int go[2];
		CHECK(!pipe(go));
		pid_t pid = fork();
		if (!pid)
			child_main(mem, model, n, go[0]);
		scatter(mem, model, n, round, round + 1, (round + 1) << 20);
		CHECK(write(go[1], "", 1) == 1);
		CHECK_EQ(tap_wait(pid), 0);
		CHECK(all_are(mem, model, n));
		close(go[0]);
		close(go[1]);
	}
	CHECK(!munmap(mem, n * PAGE));
	free(model);
}

static void few_written_pages_stay_apart(void)
{
	for (size_t n = 1; n < 12; n++)
		rounds(n);
}

static void many_written_pages_stay_apart(void)
{
	static const size_t counts[] = { 31, 32, 33, 40, 41, 64, 600 };
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		rounds(counts[i]);
}

static void pages_that_may_not_be_written_stay_so(void)
{
	uint64_t *mem = anon(3);
	for (size_t i = 0; i < 3; i++)
		page_set(mem, i, i + 1);
	CHECK(!mprotect(mem, PAGE, PROT_READ));
	CHECK(!mprotect(word(mem, 1, 0), PAGE, PROT_NONE));
	for (int side = 0; side < 2; side++) {
		pid_t pid = fork();
		if (!pid) {
			signal(SIGSEGV, SIG_DFL);
			*(volatile uint64_t *)word(mem, (size_t)side, 0) = 9;
			_exit(0);
		}
		CHECK_EQ(tap_wait(pid), SIGSEGV);
		page_set(mem, 2, 3);
	}
	CHECK(!mprotect(mem, 2 * PAGE, PROT_READ | PROT_WRITE));
	for (size_t i = 0; i < 3; i++)
		CHECK(page_is(mem, i, i + 1));
}

/* RssAnon in kB. */
static long rss_anon(void)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		(void)sscanf(line, "RssAnon: %ld", &kb);
	if (f)
		fclose(f);
	return kb;
}

static void copies_are_counted_once(void)
{
	enum { PAGES = 100 };
	uint64_t *mem = anon(PAGES);
	for (size_t i = 0; i < PAGES; i++)
		page_set(mem, i, i);
	long before = rss_anon();
	CHECK(before >= PAGES * 4);
	pid_t pid = fork();
	if (!pid) {
		for (size_t i = 0; i < PAGES; i++)
			page_set(mem, i, i + 1);
		long inside = rss_anon();
		_exit(labs(inside - before) <= 64 ? 0 : 1);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(labs(rss_anon() - before) <= 64);
}

/* ---- threads ---- */

#define COUNTERS 4

static struct {
	uint64_t *mem; /* a counter at the start of each page */
	volatile bool stop;
	uint64_t written; /* by the thread, once it has ended */
} busy;

static void *count(void *arg)
{
	volatile uint64_t *mem = busy.mem;
	uint64_t n = 0;
	while (!busy.stop) {
		n++;
		for (size_t i = 0; i < COUNTERS; i++)
			mem[i * (PAGE / 8)]++;
	}
	busy.written = n;
	return arg;
}

static bool stands_still(const volatile uint64_t *mem)
{
	uint64_t seen[COUNTERS];
	for (size_t i = 0; i < COUNTERS; i++)
		seen[i] = mem[i * (PAGE / 8)];
	usleep(2000);
	for (size_t i = 0; i < COUNTERS; i++)
		if (mem[i * (PAGE / 8)] != seen[i])
			return false;
	return true;
}

/* No write of the thread may reach a child, nor be lost to the parent. */
static void a_thread_writes_during_fork(void)
{
	pthread_t t;
	busy.mem = anon(COUNTERS);
	CHECK(!pthread_create(&t, NULL, count, NULL));
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();
		if (!pid)
			_exit(stands_still(busy.mem) ? 0 : 1);
		CHECK_EQ(tap_wait(pid), 0);
	}
	busy.stop = true;
	CHECK(!pthread_join(t, NULL));
	for (size_t i = 0; i < COUNTERS; i++)
		CHECK_EQ(*word(busy.mem, i, 0), busy.written);
}

/* ---- page tables that go and come ---- */

#define SPAN (4ul << 20) /* has a last-level table of its own */

static struct {
	volatile uint64_t *volatile at;
	volatile uint64_t seen;
	volatile bool stop;
} looker;

static void *look(void *arg)
{
	while (!looker.stop) {
		volatile uint64_t *at = looker.at;
		if (at) {
			looker.seen = *at;
			looker.at = NULL;
		}
	}
	return arg;
}

/* Another CPU that has used a mapping finds what replaced it, not the old tables. */
static void a_new_mapping_shows_on_all_cpus(void)
{
	pthread_t t;
	char *place = mmap(NULL, 3 * SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(place != MAP_FAILED);
	CHECK(!munmap(place, 3 * SPAN));
	CHECK(!pthread_create(&t, NULL, look, NULL));
	for (uint64_t i = 1; i <= 50; i++) {
		uint64_t *mem = mmap(place + SPAN, SPAN, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		CHECK(mem != MAP_FAILED);
		mem[SPAN / 16] = i;
		looker.at = &mem[SPAN / 16];
		while (looker.at)
			usleep(50);
		CHECK_EQ(looker.seen, i);
		CHECK(!munmap(mem, SPAN));
	}
	looker.stop = true;
	CHECK(!pthread_join(t, NULL));
}

TEST_MAIN(CASE(few_written_pages_stay_apart), CASE(many_written_pages_stay_apart),
	  CASE(pages_that_may_not_be_written_stay_so), CASE(copies_are_counted_once),
	  CASE(a_thread_writes_during_fork), CASE(a_new_mapping_shows_on_all_cpus))

/* Address spaces, page faults, locks in shared memory. */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define PAGE 4096ul

static char *anon(struct stress *s, size_t n)
{
	char *p =
		mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(s, p != MAP_FAILED);
	return p;
}

void stress_mmap(struct stress *s)
{
	while (stress_on(s)) {
		char *p[16];
		for (int i = 0; i < 16; i++) {
			size_t n = (stress_random(s) % 32 + 2) * PAGE;
			p[i] = anon(s, 34 * PAGE);
			NEED(s, p[i][0] == 0 && p[i][n - 1] == 0);
			p[i][0] = p[i][n - 1] = (char)i;
			NEED(s, !mprotect(p[i] + PAGE, PAGE, PROT_NONE));
		}
		for (int i = 0; i < 16; i++) {
			NEED(s, p[i][0] == (char)i);
			NEED(s, !munmap(p[i] + PAGE, PAGE) && !munmap(p[i], 34 * PAGE));
		}
	}
}

void stress_mremap(struct stress *s)
{
	size_t n = 1;
	char *p = anon(s, PAGE);
	*p = 42;
	while (stress_on(s)) {
		size_t m = stress_random(s) % 200 + 1;
		p = mremap(p, n * PAGE, m * PAGE, MREMAP_MAYMOVE);
		NEED(s, p != MAP_FAILED && *p == 42);
		p[m * PAGE - 1] = 42;
		n = m;
	}
	munmap(p, n * PAGE);
}

struct shared_pages {
	struct stress *s;
	char *p;
};

static void *protect_loop(void *arg)
{
	struct shared_pages *a = arg;
	while (stress_on(a->s)) {
		mprotect(a->p, 16 * PAGE, PROT_READ);
		mprotect(a->p, 16 * PAGE, PROT_READ | PROT_WRITE);
		madvise(a->p + 16 * PAGE, 16 * PAGE, MADV_DONTNEED);
	}
	return NULL;
}

static void *touch_loop(void *arg)
{
	struct shared_pages *a = arg;
	while (stress_on(a->s))
		for (size_t i = 0; i < 64; i++) {
			volatile char *at = a->p + i * PAGE;
			(void)*at;
			if (i >= 16)
				*at = 1;
		}
	return NULL;
}

/* Threads change what others of them touch: faults against shoot-downs. */
void stress_mprotect_threads(struct stress *s)
{
	pthread_t t[4];
	struct shared_pages a = { s, anon(s, 64 * PAGE) };
	for (int i = 0; i < 4; i++)
		NEED(s,
		     !pthread_create(&t[i], NULL, i % 2 ? protect_loop : touch_loop, &a));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	munmap(a.p, 64 * PAGE);
}

void stress_copy_on_write(struct stress *s)
{
	uint32_t *p = (uint32_t *)anon(s, 64 * PAGE);
	while (stress_on(s)) {
		uint32_t mark = stress_random(s);
		for (size_t i = 0; i < 64; i++)
			p[i * PAGE / 4] = mark;
		pid_t pid = fork();
		if (!pid) {
			for (size_t i = 0; i < 64; i += 2)
				p[i * PAGE / 4] = ~mark;
			for (size_t i = 0; i < 64; i++)
				if (p[i * PAGE / 4] != (i % 2 ? mark : ~mark))
					_exit(1);
			_exit(0);
		}
		int status;
		for (size_t i = 1; i < 64; i += 2)
			p[i * PAGE / 4] = mark + 1;
		NEED(s, waitpid(pid, &status, 0) == pid && status == 0);
		for (size_t i = 0; i < 64; i++)
			NEED(s, p[i * PAGE / 4] == mark + (i % 2));
	}
	munmap(p, 64 * PAGE);
}

static int deep(volatile char *above, int levels)
{
	volatile char frame[4000];
	frame[0] = above[0];
	return levels ? deep(frame, levels - 1) + frame[0] : 0;
}

void stress_stack(struct stress *s)
{
	while (stress_on(s)) {
		pid_t pid = fork();
		if (!pid) {
			char c = 0;
			_exit(deep(&c, 500));
		}
		int status;
		NEED(s, waitpid(pid, &status, 0) == pid && status == 0);
	}
}

/* Nearly all memory taken, so that reading the root disk must take pages from its own
 * cache. */
void stress_pressure(struct stress *s)
{
	char buf[PAGE];
	int fd = open("/bin/busybox", O_RDONLY);
	size_t n = (size_t)stress_available_kib() * 1024 * 2 / 5 / PAGE * PAGE;
	NEED(s, fd >= 0);
	while (stress_on(s)) {
		uint64_t *p = (uint64_t *)anon(s, n);
		for (size_t i = 0; i < n / PAGE; i++) {
			p[i * PAGE / 8] = i;
			if (i % 16 == 0)
				NEED(s, pread(fd, buf, PAGE,
					      (off_t)(i * PAGE % (1 << 20))) == PAGE);
		}
		for (size_t i = 0; i < n / PAGE; i++)
			NEED(s, p[i * PAGE / 8] == i);
		munmap(p, n);
	}
	close(fd);
}

struct guarded {
	struct stress *s;
	pthread_mutex_t m;
	pthread_cond_t c;
	long a, b;
	int turn;
};

static void *mutex_loop(void *arg)
{
	struct guarded *g = arg;
	while (stress_on(g->s))
		for (int i = 0; i < 1000; i++) {
			pthread_mutex_lock(&g->m);
			g->a++;
			if (i % 100 == 0)
				sched_yield();
			g->b++;
			pthread_mutex_unlock(&g->m);
		}
	return NULL;
}

void stress_mutex(struct stress *s)
{
	struct guarded g = { .s = s, .m = PTHREAD_MUTEX_INITIALIZER };
	pthread_t t[6];
	for (int i = 0; i < 6; i++)
		NEED(s, !pthread_create(&t[i], NULL, mutex_loop, &g));
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
	NEED(s, g.a == g.b && g.a > 0);
}

static void *turn_loop(void *arg)
{
	struct guarded *g = arg;
	static atomic_int numbers;
	int mine = atomic_fetch_add(&numbers, 1) % 4;
	pthread_mutex_lock(&g->m);
	while (g->a < 1 || stress_on(g->s)) {
		if (g->turn != mine) {
			struct timespec soon;
			clock_gettime(CLOCK_REALTIME, &soon);
			soon.tv_sec += 1;
			pthread_cond_timedwait(&g->c, &g->m, &soon);
			continue;
		}
		g->turn = (mine + 1) % 4;
		g->a++;
		pthread_cond_broadcast(&g->c);
	}
	pthread_cond_broadcast(&g->c);
	pthread_mutex_unlock(&g->m);
	return NULL;
}

void stress_condition(struct stress *s)
{
	struct guarded g = { .s = s,
			     .m = PTHREAD_MUTEX_INITIALIZER,
			     .c = PTHREAD_COND_INITIALIZER };
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		NEED(s, !pthread_create(&t[i], NULL, turn_loop, &g));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	NEED(s, g.a > 10);
}

static long futex(uint32_t *word, int op, uint32_t value, void *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

/* Two processes hand a word back and forth through shared memory. */
void stress_futex(struct stress *s)
{
	uint32_t *word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(s, word != MAP_FAILED);
	pid_t pid = fork();
	uint32_t mine = pid ? 0 : 1;
	struct timespec soon = { 1, 0 };
	long turns = 0;
	while (stress_on(s)) {
		if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != mine) {
			futex(word, FUTEX_WAIT, !mine, &soon);
			continue;
		}
		__atomic_store_n(word, !mine, __ATOMIC_SEQ_CST);
		futex(word, FUTEX_WAKE, 1, NULL);
		turns++;
	}
	if (!pid)
		_exit(turns < 10);
	int status;
	NEED(s, waitpid(pid, &status, 0) == pid && status == 0);
	munmap(word, PAGE);
}

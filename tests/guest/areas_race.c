/* Threads that map, protect, move, drop and fork at once, each against a model of its own
 * memory; and files that shrink below their mappings. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define REMAP_DONTUNMAP 4

#define SLOTS 32

static volatile int stop;
static int shared_fd;

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 8;
}

struct model {
	unsigned char *base, value[SLOTS];
	bool writable[SLOTS];
};

/* One random change to pages of the thread's own, mirrored in the model. */
static void change(struct model *m, unsigned *seed)
{
	unsigned i = next(seed) % SLOTS;
	unsigned char *p = m->base + i * PAGE;
	switch (next(seed) % 6) {
	case 0:
		CHECK(mmap(p, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == p);
		m->writable[i] = true;
		m->value[i] = 0;
		break;
	case 1:
		CHECK(!mprotect(p, PAGE, m->writable[i] ? PROT_READ : RW));
		m->writable[i] = !m->writable[i];
		break;
	case 2:
		CHECK(!madvise(p, PAGE, MADV_DONTNEED));
		m->value[i] = 0;
		break;
	case 3: {
		void *q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | REMAP_DONTUNMAP, NULL);
		CHECK(q != MAP_FAILED && p[i] == 0);
		CHECK(mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
		break;
	}
	default:
		if (m->writable[i])
			p[i] = m->value[i] = (unsigned char)next(seed);
	}
	CHECK_EQ(p[i], m->value[i]);
}

static void child_sees_a_snapshot(struct model *m)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		for (unsigned i = 0; i < SLOTS; i++) {
			if (m->base[i * PAGE + i] != m->value[i])
				_exit(1);
			if (m->writable[i])
				m->base[i * PAGE + i] ^= 0xff;
		}
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void *change_own(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg * 77;
	struct model m = { .base = mmap(NULL, SLOTS * PAGE, RW, PRIVATE, -1, 0) };
	CHECK(m.base != MAP_FAILED);
	memset(m.writable, 1, sizeof m.writable);
	for (unsigned n = 0; !stop; n++) {
		change(&m, &seed);
		if (n % 256 == 0)
			child_sees_a_snapshot(&m);
	}
	return NULL;
}

/* A file that shrinks and grows below its mappings: its bytes are 'a' or 0, or SIGBUS. */
static void *change_file(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg * 177;
	char *p = mmap(NULL, SLOTS * PAGE, RW, MAP_SHARED, shared_fd, 0);
	char *q = mmap(NULL, SLOTS * PAGE, RW, MAP_PRIVATE, shared_fd, 0);
	char buf[64];
	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	memset(buf, 'a', sizeof buf);
	while (!stop) {
		unsigned i = next(&seed) % SLOTS;
		off_t at = (off_t)(i * PAGE);
		if (pread(shared_fd, p + at, 64, at) < 0)
			CHECK_EQ(errno, EFAULT);
		if (pwrite(shared_fd, q + at, 64, at) < 0)
			CHECK_EQ(errno, EFAULT);
		CHECK_EQ(pwrite(shared_fd, buf, 64, at), 64);
		CHECK(pread(shared_fd, buf, 1, at) <= 1);
		CHECK(buf[0] == 'a' || buf[0] == 0);
		buf[0] = 'a';
		if (next(&seed) % 8 == 0)
			CHECK(!ftruncate(shared_fd, at));
	}
	return NULL;
}

static void threads_change_memory_together(void)
{
	pthread_t t[6];
	tap_tmpdir();
	shared_fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(shared_fd >= 0);
	for (uintptr_t i = 0; i < 6; i++)
		CHECK(!pthread_create(&t[i], NULL, i % 2 ? change_file : change_own,
				      (void *)(i + 1)));
	nanosleep(&(struct timespec){ 1, 500000000 }, NULL);
	stop = 1;
	for (int i = 0; i < 6; i++)
		CHECK(!pthread_join(t[i], NULL));
}

TEST_MAIN(CASE(threads_change_memory_together))

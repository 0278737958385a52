/* Words of futexes with an owner are the job's to write: it forges owners, takes locks
 * over in the middle of a hand-over, and dies at any moment. */
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#define WORDS 4
#define WORKERS 8

static uint32_t *words;

/* Waits on one word to get another's lock, or makes those wait for it who do. */
static void requeue(unsigned *seed, uint32_t *word, struct timespec *soon)
{
	uint32_t *lock = &words[rand_r(seed) % WORDS];
	uint32_t now = __atomic_load_n(word, __ATOMIC_SEQ_CST);

	if (rand_r(seed) % 2)
		syscall(SYS_futex, word, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME,
			now, soon, lock, 0);
	else
		syscall(SYS_futex, word, FUTEX_CMP_REQUEUE_PI, 1, rand_r(seed) % WORKERS,
			lock, now);
}

static void act(unsigned *seed)
{
	static const int ops[] = { FUTEX_LOCK_PI,    FUTEX_LOCK_PI2, FUTEX_UNLOCK_PI,
				   FUTEX_TRYLOCK_PI, FUTEX_WAKE,     FUTEX_CMP_REQUEUE };
	uint32_t *word = &words[rand_r(seed) % WORDS];
	const uint32_t forged[] = { 0,
				    1, /* process 1 */
				    (uint32_t)getppid(),
				    FUTEX_OWNER_DIED | FUTEX_WAITERS,
				    (uint32_t)rand_r(seed),
				    (uint32_t)gettid() | FUTEX_WAITERS };
	struct timespec soon;

	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec = (soon.tv_nsec + rand_r(seed) % 3000000) % 1000000000;
	switch (rand_r(seed) % 10) {
	case 0:
		__atomic_store_n(word, forged[rand_r(seed) % 6], __ATOMIC_SEQ_CST);
		break;
	case 1: /* its page comes and goes */
		madvise(words, 4096, MADV_DONTNEED);
		break;
	case 2:
	case 3:
		requeue(seed, word, &soon);
		break;
	default:
		syscall(SYS_futex, word, ops[rand_r(seed) % 6], 1, &soon,
			&words[rand_r(seed) % WORDS], 0);
	}
}

static pid_t worker(unsigned seed)
{
	pid_t pid = fork();
	if (!pid)
		for (;;)
			act(&seed);
	return pid;
}

/* Whatever the words held, they still work as locks. */
static void honest_locks_still_work(void)
{
	for (int i = 0; i < WORDS; i++) {
		words[i] = 0;
		CHECK_EQ(syscall(SYS_futex, &words[i], FUTEX_LOCK_PI, 0, NULL), 0);
		CHECK_EQ(words[i], (uint32_t)gettid());
		CHECK_EQ(syscall(SYS_futex, &words[i], FUTEX_UNLOCK_PI), 0);
	}
}

static void forged_owners(void)
{
	pid_t pid[WORKERS];
	unsigned seed = 7;

	words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	for (unsigned i = 0; i < WORKERS; i++)
		pid[i] = worker(i + 1);
	for (int i = 0; i < 150; i++) {
		unsigned n = (unsigned)rand_r(&seed) % WORKERS;
		usleep(5000);
		kill(pid[n], SIGKILL);
		CHECK_EQ(waitpid(pid[n], NULL, 0), pid[n]);
		pid[n] = worker((unsigned)i + 100);
	}
	for (int i = 0; i < WORKERS; i++) {
		kill(pid[i], SIGKILL);
		CHECK_EQ(waitpid(pid[i], NULL, 0), pid[i]);
	}
	honest_locks_still_work();
}

TEST_MAIN(CASE(forged_owners))

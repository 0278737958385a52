/* libc: musl glibc */
/* Futexes with an owner: pthread mutexes with PTHREAD_PRIO_INHERIT, and the calls
 * themselves (futex(2)). */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

static long futex(uint32_t *word, int op, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, 0, timeout, NULL, 0);
}

static uint32_t load(uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static uint32_t *shared_words(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
}

static struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec t;
	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000l;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Until a waiter has told the word that it waits. */
static void wait_for_waiter(uint32_t *word)
{
	while (!(load(word) & FUTEX_WAITERS))
		sched_yield();
}

static void alone(void)
{
	static uint32_t word;
	uint32_t me = (uint32_t)gettid();

	CHECK_EQ(futex(&word, FUTEX_LOCK_PI, NULL), 0);
	CHECK_EQ(word, me);
	CHECK_ERR(futex(&word, FUTEX_LOCK_PI, NULL), EDEADLK);
	CHECK_ERR(futex(&word, FUTEX_TRYLOCK_PI, NULL), EDEADLK);
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI, NULL), 0);
	CHECK_EQ(word, 0);
	CHECK_ERR(futex(&word, FUTEX_UNLOCK_PI, NULL), EPERM);
	CHECK_EQ(futex(&word, FUTEX_TRYLOCK_PI, NULL), 0);
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI, NULL), 0);
	word = FUTEX_OWNER_DIED;
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI2, NULL), 0);
	CHECK_EQ(word, me | FUTEX_OWNER_DIED);
	word = 0x3ffffff0; /* no such thread */
	CHECK_ERR(futex(&word, FUTEX_LOCK_PI, NULL), ESRCH);
	CHECK_EQ(word & FUTEX_TID_MASK, 0x3ffffff0);
	CHECK_ERR(futex((uint32_t *)((char *)&word + 1), FUTEX_LOCK_PI, NULL), EINVAL);
	CHECK_ERR(futex((uint32_t *)8, FUTEX_LOCK_PI, NULL), EFAULT);
	CHECK_ERR(futex((uint32_t *)8, FUTEX_UNLOCK_PI, NULL), EFAULT);
	CHECK_ERR(futex(&word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, NULL), ENOSYS);
}

static void read_only_memory_is_refused(void)
{
	uint32_t *word = shared_words();
	CHECK(!mprotect(word, 4096, PROT_READ));
	CHECK_ERR(futex(word, FUTEX_LOCK_PI, NULL), EFAULT);
	CHECK(!mprotect(word, 4096, PROT_READ | PROT_WRITE));
	CHECK_EQ(futex(word, FUTEX_LOCK_PI, NULL), 0);
	munmap(word, 4096);
}

static void a_timeout_ends_the_wait(void)
{
	uint32_t *word = shared_words();
	const struct timespec past = { .tv_sec = 1 };
	int status;

	CHECK_EQ(futex(word, FUTEX_LOCK_PI, NULL), 0);
	pid_t pid = fork();
	if (!pid) {
		struct timespec real = in_ms(CLOCK_REALTIME, 30);
		if (futex(word, FUTEX_LOCK_PI, &past) != -1 || errno != ETIMEDOUT)
			_exit(1);
		if (futex(word, FUTEX_LOCK_PI, &real) != -1 || errno != ETIMEDOUT)
			_exit(2);
		struct timespec mono = in_ms(CLOCK_MONOTONIC, 30);
		if (futex(word, FUTEX_LOCK_PI2, &mono) != -1 || errno != ETIMEDOUT)
			_exit(3);
		if (futex(word, FUTEX_TRYLOCK_PI, NULL) != -1 || errno != EAGAIN)
			_exit(4);
		if (futex(word, FUTEX_UNLOCK_PI, NULL) != -1 || errno != EPERM)
			_exit(5);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	/* Nobody waits any more, whatever the word still says. */
	CHECK_EQ(futex(word, FUTEX_UNLOCK_PI, NULL), 0);
	CHECK_EQ(load(word), 0);
	munmap(word, 4096);
}

/* The one who lets go names the next, the oldest waiter first. */
static void the_lock_is_handed_over_in_order(void)
{
	enum { WAITERS = 4 };
	uint32_t *word = shared_words(), *order = word + 1, *queued = word + 2;
	pid_t pid[WAITERS];
	int status;

	CHECK_EQ(futex(word, FUTEX_LOCK_PI, NULL), 0);
	for (uint32_t i = 0; i < WAITERS; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			__atomic_store_n(queued, i + 1, __ATOMIC_SEQ_CST);
			if (futex(word, FUTEX_LOCK_PI, NULL))
				_exit(1);
			if ((load(word) & FUTEX_TID_MASK) != (uint32_t)gettid())
				_exit(2);
			uint32_t at = load(order);
			__atomic_store_n(order, at + 1, __ATOMIC_SEQ_CST);
			if (futex(word, FUTEX_UNLOCK_PI, NULL))
				_exit(3);
			_exit(at == i ? 0 : 4);
		}
		while (load(queued) != i + 1)
			sched_yield();
		wait_for_waiter(word);
		usleep(20000); /* it said so just before it queues itself */
	}
	CHECK_EQ(futex(word, FUTEX_UNLOCK_PI, NULL), 0);
	for (int i = 0; i < WAITERS; i++) {
		CHECK_EQ(waitpid(pid[i], &status, 0), pid[i]);
		CHECK_EQ(status, 0);
	}
	CHECK_EQ(load(order), WAITERS);
	CHECK_EQ(load(word) & FUTEX_TID_MASK, 0);
	munmap(word, 4096);
}

static void an_owner_that_dies_hands_over(void)
{
	uint32_t *word = shared_words();
	int status;
	pid_t owner = fork();

	if (!owner) {
		if (futex(word, FUTEX_LOCK_PI, NULL))
			_exit(1);
		pause();
	}
	while (!load(word))
		sched_yield();
	pid_t waiter = fork();
	if (!waiter) {
		if (futex(word, FUTEX_LOCK_PI, NULL))
			_exit(1);
		_exit((load(word) & ~FUTEX_WAITERS) ==
				      ((uint32_t)gettid() | FUTEX_OWNER_DIED)
			      ? 0
			      : 2);
	}
	wait_for_waiter(word);
	usleep(20000);
	kill(owner, SIGKILL);
	CHECK_EQ(waitpid(owner, NULL, 0), owner);
	CHECK_EQ(waitpid(waiter, &status, 0), waiter);
	CHECK_EQ(status, 0);
	munmap(word, 4096);
}

static void circles_are_found(void)
{
	uint32_t *words = shared_words();
	int status;

	CHECK_EQ(futex(&words[0], FUTEX_LOCK_PI, NULL), 0);
	pid_t pid = fork();
	if (!pid) {
		if (futex(&words[1], FUTEX_LOCK_PI, NULL) ||
		    futex(&words[0], FUTEX_LOCK_PI, NULL))
			_exit(1);
		_exit(0);
	}
	wait_for_waiter(&words[0]);
	usleep(20000);
	CHECK_ERR(futex(&words[1], FUTEX_LOCK_PI, NULL), EDEADLK);
	CHECK_EQ(futex(&words[0], FUTEX_UNLOCK_PI, NULL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	munmap(words, 4096);
}

static void on_signal(int number)
{
}

static void a_signal_does_not_end_the_wait(void)
{
	uint32_t *word = shared_words(), *waiting = word + 1;
	struct sigaction action = { .sa_handler = on_signal };
	int status;

	CHECK_EQ(futex(word, FUTEX_LOCK_PI, NULL), 0);
	pid_t pid = fork();
	if (!pid) {
		sigaction(SIGUSR1, &action, NULL);
		__atomic_store_n(waiting, 1, __ATOMIC_SEQ_CST);
		_exit(futex(word, FUTEX_LOCK_PI, NULL) ? 1 : 0);
	}
	while (!load(waiting))
		sched_yield();
	wait_for_waiter(word);
	for (int i = 0; i < 5; i++) {
		usleep(5000);
		kill(pid, SIGUSR1);
	}
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	CHECK_EQ(futex(word, FUTEX_UNLOCK_PI, NULL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	munmap(word, 4096);
}

/* ---- through the library ---- */

#define THREADS 6
#define ROUNDS 2000

static pthread_mutex_t mutex;
static unsigned counter;

static void *count(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		unsigned c = counter;
		if (i % 64 == 0)
			sched_yield();
		counter = c + 1;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void mutexes_exclude(void)
{
	pthread_mutexattr_t attr;
	pthread_t threads[THREADS];

	pthread_mutexattr_init(&attr);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT), 0);
	CHECK_EQ(pthread_mutex_init(&mutex, &attr), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(counter, THREADS * ROUNDS);
	CHECK_EQ(pthread_mutex_destroy(&mutex), 0);
}

static void *die_with_it(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

static void robust_mutexes_survive_their_owner(void)
{
	static pthread_mutex_t robust;
	pthread_mutexattr_t attr;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT), 0);
	CHECK_EQ(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST), 0);
	CHECK_EQ(pthread_mutex_init(&robust, &attr), 0);
	CHECK_EQ(pthread_create(&thread, NULL, die_with_it, &robust), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(&robust), 0);
	CHECK_EQ(pthread_mutex_unlock(&robust), 0);
	CHECK_EQ(pthread_mutex_lock(&robust), 0);
	CHECK_EQ(pthread_mutex_unlock(&robust), 0);
}

TEST_MAIN(CASE(alone), CASE(read_only_memory_is_refused), CASE(a_timeout_ends_the_wait),
	  CASE(the_lock_is_handed_over_in_order), CASE(an_owner_that_dies_hands_over),
	  CASE(circles_are_found), CASE(a_signal_does_not_end_the_wait),
	  CASE(mutexes_exclude), CASE(robust_mutexes_survive_their_owner))

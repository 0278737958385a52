/* futex(2): locks with an owner, and condition variables that end in one. */
#include "diff.h"

#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COND (words + 0)
#define LOCK (words + 1)
#define OTHER (words + 2)
#define ORDER (words + 8) /* who had the lock, one after the other */
#define COUNT (words + 7)

static uint32_t *words; /* shared by the case's processes */

static struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec t;
	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000l;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static long requeue(uint32_t wake, unsigned long more, uint32_t expected)
{
	return futex(COND, FUTEX_CMP_REQUEUE_PI, wake, (void *)more, LOCK, expected);
}

static int my_number;

/* Waits, has the lock, notes it, gives it back. */
static int waits(void)
{
	if (futex(COND, FUTEX_WAIT_REQUEUE_PI, 0, NULL, LOCK, 0))
		return errno;
	uint32_t tid = *LOCK & FUTEX_TID_MASK;
	ORDER[__atomic_fetch_add(COUNT, 1, __ATOMIC_SEQ_CST)] = (uint32_t)my_number;
	if (tid != (uint32_t)syscall(SYS_gettid))
		return 201;
	return futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) ? 202 : 0;
}

static pid_t waiter(int number)
{
	my_number = number;
	pid_t pid = child_of(waits);
	wait_asleep(pid);
	return pid;
}

static void say_order(uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		say("%u: number %u", k, ORDER[k]);
}

DIFF_CASE(futex_requeue_pi_errors)
{
	struct timespec past = { 1, 0 }, bad = { 0, 1000000000 };
	words = shared_words();
	TRY(futex(COND, FUTEX_WAIT_REQUEUE_PI, 1, NULL, LOCK, 0));
	TRY(futex(COND, FUTEX_WAIT_REQUEUE_PI, 0, NULL, COND, 0));
	TRY(futex(COND, FUTEX_WAIT_REQUEUE_PI, 0, &past, LOCK, 0));
	TRY(futex(COND, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 0, &past, LOCK, 0));
	TRY(futex(COND, FUTEX_WAIT_REQUEUE_PI, 0, &bad, LOCK, 0));
	TRY(futex(COND, FUTEX_WAIT_REQUEUE_PI, 0, NULL, (void *)8, 0));
	TRY(futex(COND, FUTEX_WAIT_REQUEUE_PI, 0, NULL, (void *)((char *)LOCK + 1), 0));
	TRY(futex((void *)8, FUTEX_WAIT_REQUEUE_PI, 0, NULL, LOCK, 0));
	TRY(requeue(1, 1, 0));
	TRY(requeue(1, 1, 7));
	TRY(requeue(0, 1, 0));
	TRY(requeue(2, 1, 0));
	TRY(requeue(1, -1ul, 0));
	TRY(futex(COND, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, COND, 0));
	TRY(futex(COND, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, (void *)8, 0));
	TRY(futex((void *)8, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, LOCK, 0));
	TRY(futex(COND, FUTEX_CMP_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 1, (void *)1, LOCK,
		  0));
}

DIFF_CASE(futex_requeue_pi_of_a_free_lock)
{
	pid_t pids[3];
	words = shared_words();
	for (int k = 0; k < 3; k++)
		pids[k] = waiter(k);
	TRY(requeue(1, 0, 0));
	say_status("first", reap(pids[0]));
	TRY(requeue(1, 5, 0));
	say_status("second", reap(pids[1]));
	say_status("third", reap(pids[2]));
	say_order(3);
	SHOW(*LOCK);
	TRY(requeue(1, 5, 0));
}

DIFF_CASE(futex_requeue_pi_of_a_held_lock)
{
	pid_t pids[3];
	words = shared_words();
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	for (int k = 0; k < 3; k++)
		pids[k] = waiter(k);
	TRY(requeue(1, 1, 0));
	TRY(requeue(1, 5, 0));
	SHOW(*COUNT);
	SHOW(*LOCK == ((uint32_t)getpid() | FUTEX_WAITERS));
	TRY(futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	for (int k = 0; k < 3; k++)
		say_status("one", reap(pids[k]));
	say_order(3);
	SHOW(*LOCK);
}

DIFF_CASE(futex_requeue_pi_mixed_up)
{
	words = shared_words();
	pid_t pid = waiter(0);
	TRY(futex(COND, FUTEX_WAKE, 1, NULL, NULL, 0));
	TRY(futex(COND, FUTEX_CMP_REQUEUE, 1, (void *)1, OTHER, 0));
	TRY(futex(COND, FUTEX_CMP_REQUEUE, 0, (void *)1, OTHER, 0));
	TRY(futex(COND, FUTEX_REQUEUE, 0, (void *)1, OTHER, 0));
	TRY(futex(COND, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, OTHER, 0));
	*LOCK = (uint32_t)pid;
	TRY(requeue(1, 1, 0));
	*LOCK = 999999;
	TRY(requeue(1, 1, 0));
	*LOCK = 0;
	TRY(requeue(1, 1, 0));
	say_status("waiter", reap(pid));
}

static int plain_waiter(void)
{
	return futex(COND, FUTEX_WAIT, 0, NULL, NULL, 0) ? errno : 0;
}

DIFF_CASE(futex_requeue_pi_of_plain_waiters)
{
	words = shared_words();
	pid_t pid = child_of(plain_waiter);
	wait_asleep(pid);
	TRY(requeue(1, 1, 0));
	TRY(futex(COND, FUTEX_WAKE, 1, NULL, NULL, 0));
	say_status("waiter", reap(pid));
}

static int waits_with_timeout(void)
{
	struct timespec t = in_ms(CLOCK_MONOTONIC, 100);
	int err = futex(COND, FUTEX_WAIT_REQUEUE_PI, 0, &t, LOCK, 0) ? errno : 0;
	return err == ETIMEDOUT ? 0 : err ? err : 200;
}

DIFF_CASE(futex_requeue_pi_times_out)
{
	words = shared_words();
	say_status("never requeued", reap(child_of(waits_with_timeout)));
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	pid_t pid = child_of(waits_with_timeout);
	wait_asleep(pid);
	TRY(requeue(1, 1, 0));
	say_status("requeued", reap(pid));
	TRY(futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	SHOW(*LOCK);
}

static int waits_through_a_signal(void)
{
	catch (SIGUSR1, 0);
	catch (SIGUSR2, 0);
	int err = futex(COND, FUTEX_WAIT_REQUEUE_PI, 0, NULL, LOCK, 0) ? errno : 0;
	say("%d and %d signals, %s", (int)caught[SIGUSR1], (int)caught[SIGUSR2],
	    err ? err_name(err) : "has the lock");
	return 0;
}

DIFF_CASE(futex_requeue_pi_and_signals)
{
	words = shared_words();
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	pid_t pid = child_of(waits_through_a_signal);
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	nap(50);
	wait_asleep(pid);
	TRY(requeue(1, 1, 0));
	kill(pid, SIGUSR2);
	say_status("waiter", reap(pid));
	TRY(futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	SHOW(*LOCK & FUTEX_TID_MASK);
}

DIFF_CASE(futex_requeue_pi_killed_waiter)
{
	pid_t pids[2];
	words = shared_words();
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	for (int k = 0; k < 2; k++)
		pids[k] = waiter(k);
	TRY(requeue(1, 5, 0));
	kill(pids[0], SIGKILL);
	say_status("killed", reap(pids[0]));
	TRY(futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	say_status("other", reap(pids[1]));
	SHOW(*LOCK);
}

static int dies_with_lock(void)
{
	return futex(LOCK, FUTEX_LOCK_PI, 0, NULL, NULL, 0) ? 1 : sleeper();
}

DIFF_CASE(futex_requeue_pi_owner_dies)
{
	words = shared_words();
	pid_t owner = child_of(dies_with_lock);
	wait_asleep(owner);
	pid_t pid = waiter(5);
	TRY(requeue(1, 1, 0));
	kill(owner, SIGKILL);
	reap(owner);
	say_status("waiter", reap(pid));
	say_order(1);
	SHOW(*LOCK & FUTEX_TID_MASK);
}

/* -- one word, two ways to wait ----------------------------------------------------- */

static int locks(void)
{
	return futex(LOCK, FUTEX_LOCK_PI, 0, NULL, NULL, 0) ? errno : 0;
}

DIFF_CASE(futex_wake_of_a_lock_with_an_owner)
{
	words = shared_words();
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	pid_t pid = child_of(locks);
	wait_asleep(pid);
	TRY(futex(LOCK, FUTEX_WAKE, 1, NULL, NULL, 0));
	TRY(futex(LOCK, FUTEX_WAKE_BITSET, 1, NULL, NULL, 1));
	TRY(futex(LOCK, FUTEX_REQUEUE, 1, (void *)1, OTHER, 0));
	TRY(futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	say_status("waiter", reap(pid));
}

static int waits_on_lock(void)
{
	return futex(LOCK, FUTEX_WAIT, *LOCK, NULL, NULL, 0) ? errno : 0;
}

DIFF_CASE(futex_lock_that_is_plainly_waited_for)
{
	words = shared_words();
	*LOCK = 1 << 29; /* somebody */
	*LOCK = (uint32_t)getppid();
	pid_t pid = child_of(waits_on_lock);
	wait_asleep(pid);
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	TRY(futex(LOCK, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
	*LOCK = (uint32_t)getpid();
	TRY(futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	SHOW(*LOCK == (uint32_t)getpid());
	TRY(futex(LOCK, FUTEX_WAKE, 1, NULL, NULL, 0));
	say_status("waiter", reap(pid));
}

DIFF_CASE(futex_pi_words_and_options)
{
	struct timespec past = { 1, 0 }, bad = { 0, -1 };
	words = shared_words();
	*LOCK = FUTEX_OWNER_DIED;
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	SHOW(*LOCK == (FUTEX_OWNER_DIED | (uint32_t)getpid()));
	TRY(futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	SHOW(*LOCK);
	*LOCK = FUTEX_WAITERS;
	TRY(futex(LOCK, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
	SHOW(*LOCK == (FUTEX_WAITERS | (uint32_t)getpid()));
	SHOW(*LOCK == (uint32_t)getpid());
	TRY(futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	*LOCK = (uint32_t)getppid();
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, &past, NULL, 0));
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, &bad, NULL, 0));
	TRY(futex(LOCK, 13, 0, &past, NULL, 0));
	TRY(futex(LOCK, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	*LOCK = 1;
	TRY(futex(LOCK, FUTEX_LOCK_PI, 0, &past, NULL, 0));
	TRY(futex(LOCK, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0));
	TRY(futex(LOCK, FUTEX_UNLOCK_PI | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0));
}

DIFF_CASE(futex_every_operation)
{
	words = shared_words();
	for (int op = 0; op < 20; op++) {
		*COND = *LOCK = 0;
		errno = 0;
		long r = futex(COND, op, 1, NULL, LOCK, 0);
		say("operation %d: %ld %s", op, r, r < 0 ? err_name(errno) : "");
	}
}

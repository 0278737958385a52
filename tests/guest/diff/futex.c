/* futex(2), threads, robust lists, membarrier. */
#include "diff.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint32_t *words; /* shared by the case's processes */

static int waiter(void)
{
	return futex(words, FUTEX_WAIT, 0, NULL, NULL, 0) ? errno : 200;
}

DIFF_CASE(futex_errors)
{
	struct timespec zero = { 0, 0 }, bad = { 0, 1000000000 }, neg = { -1, 0 };
	words = shared_words();
	TRY(futex(words, FUTEX_WAIT, 1, NULL, NULL, 0));
	TRY(futex(words, FUTEX_WAIT, 0, &zero, NULL, 0));
	TRY(futex(words, FUTEX_WAIT, 0, &bad, NULL, 0));
	TRY(futex(words, FUTEX_WAIT, 0, &neg, NULL, 0));
	TRY(futex((uint32_t *)((char *)words + 1), FUTEX_WAIT, 0, &zero, NULL, 0));
	TRY(futex((uint32_t *)8, FUTEX_WAIT, 0, &zero, NULL, 0));
	TRY(futex(words, FUTEX_WAIT, 0, (void *)8, NULL, 0));
	TRY(futex(words, FUTEX_WAKE, 1, NULL, NULL, 0));
	TRY(futex((uint32_t *)8, FUTEX_WAKE, 1, NULL, NULL, 0));
	TRY(futex((uint32_t *)((char *)words + 1), FUTEX_WAKE, 1, NULL, NULL, 0));
	TRY(futex(words, 77, 1, NULL, NULL, 0));
	TRY(futex(words, FUTEX_WAIT_BITSET, 0, &zero, NULL, 0));
	TRY(futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	TRY(futex(words, FUTEX_WAIT_BITSET, 0, &zero, NULL, ~0u));
	TRY(futex(words, FUTEX_FD, 0, NULL, NULL, 0));
	TRY(futex(words, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0));
	TRY(futex(words, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &zero, NULL, 0));
}

DIFF_CASE(futex_wake_counts)
{
	pid_t pids[3];
	words = shared_words();
	for (int i = 0; i < 3; i++) {
		pids[i] = child_of(waiter);
		wait_asleep(pids[i]);
	}
	TRY(futex(words, FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0));
	TRY(futex(words, FUTEX_WAKE, 1, NULL, NULL, 0));
	say_status("first to wait", reap(pids[0]));
	TRY(futex(words, FUTEX_WAKE, 0, NULL, NULL, 0));
	TRY(futex(words, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
	say_status("rest", reap(pids[1]) | reap(pids[2]));
}

DIFF_CASE(futex_requeue)
{
	pid_t pids[3];
	words = shared_words();
	for (int i = 0; i < 3; i++) {
		pids[i] = child_of(waiter);
		wait_asleep(pids[i]);
	}
	TRY(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, words + 1, 5));
	TRY(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, words + 1, 0));
	TRY(futex(words, FUTEX_WAKE, 10, NULL, NULL, 0));
	TRY(futex(words + 1, FUTEX_WAKE, 10, NULL, NULL, 0));
	for (int i = 0; i < 3; i++)
		say_status("waiter", reap(pids[i]));
	TRY(futex(words, FUTEX_REQUEUE, 1, (void *)1, words + 1, 0));
	TRY(futex(words, FUTEX_REQUEUE, (uint32_t)-1, (void *)1, words + 1, 0));
	TRY(futex(words, FUTEX_REQUEUE, 1, (void *)-1, words + 1, 0));
	TRY(futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, words, 0));
}

static int bitset_waiter(void)
{
	return futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, 6) ? errno : 200;
}

DIFF_CASE(futex_bitsets)
{
	words = shared_words();
	pid_t pid = child_of(bitset_waiter);
	wait_asleep(pid);
	TRY(futex(words, FUTEX_WAKE_BITSET, 5, NULL, NULL, 9));
	TRY(futex(words, FUTEX_WAKE_BITSET, 5, NULL, NULL, 4));
	say_status("waiter", reap(pid));
}

DIFF_CASE(futex_wake_op)
{
	words = shared_words();
	pid_t pid = child_of(waiter);
	wait_asleep(pid);
	words[1] = 5;
	/* words[1] += 3; wake words[1]'s too when it was > 4 */
	TRY(futex(words, FUTEX_WAKE_OP, 1, (void *)1, words + 1,
		  FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 4)));
	SHOW(words[1]);
	say_status("waiter", reap(pid));
	static const int ops[] = { FUTEX_OP_SET, FUTEX_OP_ADD, FUTEX_OP_OR, FUTEX_OP_ANDN,
				   FUTEX_OP_XOR };
	for (unsigned i = 0; i < 5; i++) {
		words[1] = 6;
		TRY(futex(words, FUTEX_WAKE_OP, 1, (void *)1, words + 1,
			  FUTEX_OP(ops[i], 3, FUTEX_OP_CMP_EQ, 4)));
		SHOW(words[1]);
	}
	words[1] = 0;
	TRY(futex(words, FUTEX_WAKE_OP, 1, (void *)1, words + 1,
		  FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 5, FUTEX_OP_CMP_EQ, 0)));
	SHOW(words[1]);
	TRY(futex(words, FUTEX_WAKE_OP, 1, (void *)1, words + 1, FUTEX_OP(7, 3, 0, 4)));
	TRY(futex(words, FUTEX_WAKE_OP, 1, (void *)1, (uint32_t *)8,
		  FUTEX_OP(0, 3, 0, 4)));
	TRY(futex(words, FUTEX_WAKE_OP, 1, (void *)1, words + 1, FUTEX_OP(0, 3, 9, 4)));
}

DIFF_CASE(futex_timeouts)
{
	struct timespec t = { 0, 20000000 };
	words = shared_words();
	int64_t began = now_ns();
	TRY(futex(words, FUTEX_WAIT, 0, &t, NULL, 0));
	SHOW(now_ns() - began >= 20000000);
	clock_gettime(CLOCK_MONOTONIC, &t);
	TRY(futex(words, FUTEX_WAIT_BITSET, 0, &t, NULL, ~0u));
	clock_gettime(CLOCK_REALTIME, &t);
	TRY(futex(words, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &t, NULL, ~0u));
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(futex(words, FUTEX_WAIT, 0, NULL, NULL, 0));
	ualarm(0, 0);
	catch (SIGALRM, SA_RESTART);
	ualarm(20000, 20000);
	t = (struct timespec){ 0, 60000000 };
	began = now_ns();
	TRY(futex(words, FUTEX_WAIT, 0, &t, NULL, 0));
	ualarm(0, 0);
	SHOW(now_ns() - began >= 60000000);
}

DIFF_CASE(futex_pi)
{
	words = shared_words();
	uint32_t me = (uint32_t)syscall(SYS_gettid);
	TRY(futex(words, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	SHOW(words[0] == me);
	TRY(futex(words, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	TRY(futex(words, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
	pid_t pid = fork();
	if (!pid) {
		TRY(futex(words, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
		TRY(futex(words, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
		_exit(0);
	}
	reap(pid);
	TRY(futex(words, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	SHOW(words[0]);
	words[0] = 999999;
	TRY(futex(words, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
}

DIFF_CASE(futex_waitv)
{
	struct {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} w[2];
	struct timespec t;
	words = shared_words();
	for (int i = 0; i < 2; i++) {
		memset(&w[i], 0, sizeof w[i]);
		w[i].uaddr = (uintptr_t)(words + i);
		w[i].flags = 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &t);
	TRY(syscall(449, w, 2, 0, &t, CLOCK_MONOTONIC));
	TRY(syscall(449, w, 0, 0, &t, CLOCK_MONOTONIC));
	TRY(syscall(449, w, 129, 0, &t, CLOCK_MONOTONIC));
	TRY(syscall(449, w, 2, 1, &t, CLOCK_MONOTONIC));
	TRY(syscall(449, w, 2, 0, &t, CLOCK_BOOTTIME));
	w[1].val = 5;
	TRY(syscall(449, w, 2, 0, &t, CLOCK_MONOTONIC));
	w[1].val = 0, w[1].flags = 0;
	TRY(syscall(449, w, 2, 0, &t, CLOCK_MONOTONIC));
	w[1].flags = 2, w[1].reserved = 1;
	TRY(syscall(449, w, 2, 0, &t, CLOCK_MONOTONIC));
}

static int waits_on_two(void)
{
	struct {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} w[2] = { { 0, (uintptr_t)words, 2, 0 }, { 0, (uintptr_t)(words + 1), 2, 0 } };
	return (int)syscall(449, w, 2, 0, NULL, CLOCK_MONOTONIC);
}

DIFF_CASE(futex_waitv_tells_which)
{
	words = shared_words();
	pid_t pid = child_of(waits_on_two);
	wait_asleep(pid);
	TRY(futex(words + 1, FUTEX_WAKE, 1, NULL, NULL, 0));
	say_status("waiter", reap(pid));
}

DIFF_CASE(futex_on_files)
{
	make_file("f", "\0\0\0\0\0\0\0\0");
	int fd = open("f", 2);
	NEED(fd >= 0 && !ftruncate(fd, 4096));
	words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uint32_t *again = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pid_t pid = child_of(waiter);
	wait_asleep(pid);
	TRY(futex(again, FUTEX_WAKE, 1, NULL, NULL, 0));
	say_status("waiter", reap(pid));
	uint32_t *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	pid = child_of(waiter);
	wait_asleep(pid);
	TRY(futex(private, FUTEX_WAKE, 1, NULL, NULL, 0));
	kill(pid, SIGKILL);
	reap(pid);
}

/* -- robust lists -------------------------------------------------------------------- */

struct robust {
	void *next;
	long offset;
	void *pending;
	void *entry;
	uint32_t word;
};

static int dies_holding(void)
{
	struct robust *r = (void *)(words + 16);
	r->next = &r->entry;
	r->entry = r;
	r->pending = NULL;
	r->offset = (char *)&r->word - (char *)&r->entry;
	r->word = (uint32_t)syscall(SYS_gettid) | FUTEX_WAITERS;
	syscall(SYS_set_robust_list, r, 24);
	return 0;
}

DIFF_CASE(futex_robust_list)
{
	void *head;
	size_t len;
	words = shared_words();
	struct robust *r = (void *)(words + 16);
	say_status("owner", reap(child_of(dies_holding)));
	say("word 0x%x", r->word & (FUTEX_OWNER_DIED | FUTEX_WAITERS));
	TRY(syscall(SYS_set_robust_list, r, 23));
	TRY(syscall(SYS_set_robust_list, 8, 24));
	TRY(syscall(SYS_get_robust_list, 0, &head, &len));
	say("len %zu, head %s", len, head == (void *)8 ? "as set" : "other");
	TRY(syscall(SYS_get_robust_list, 999999, &head, &len));
	TRY(syscall(SYS_get_robust_list, 0, 8, &len));
}

/* -- threads ------------------------------------------------------------------------- */

static int main_tid;

static void *say_ids(void *arg)
{
	SHOW(getpid() == main_tid);
	SHOW(syscall(SYS_gettid) != main_tid);
	SHOW(syscall(SYS_tgkill, getpid(), main_tid, 0));
	return arg;
}

DIFF_CASE(thread_identity)
{
	pthread_t t;
	void *ret;
	main_tid = (int)syscall(SYS_gettid);
	NEED(!pthread_create(&t, NULL, say_ids, &main_tid));
	TRY(pthread_join(t, &ret));
	SHOW(ret == &main_tid);
}

static void *exits_group(void *arg)
{
	syscall(SYS_exit_group, 33);
	return arg;
}

static void *exits_alone(void *arg)
{
	nap(30);
	syscall(SYS_exit_group, 44);
	return arg;
}

static int group_exit_by_thread(void)
{
	pthread_t t;
	pthread_create(&t, NULL, exits_group, NULL);
	sleeper();
	return 1;
}

static int leader_exits_first(void)
{
	pthread_t t;
	pthread_create(&t, NULL, exits_alone, NULL);
	syscall(SYS_exit, 5);
	return 1;
}

DIFF_CASE(thread_exits)
{
	say_status("exit_group in a thread", reap(child_of(group_exit_by_thread)));
	pid_t pid = child_of(leader_exits_first);
	wait_state(pid, 'Z');
	TRY(waitpid(pid, NULL, WNOHANG));
	say_status("exit of the leader, then exit_group", reap(pid));
}

static void *crashes(void *arg)
{
	*(volatile char *)arg = 0;
	return arg;
}

static int crash_in_thread(void)
{
	pthread_t t;
	pthread_create(&t, NULL, crashes, (void *)8);
	sleeper();
	return 0;
}

DIFF_CASE(thread_crash_ends_all)
{
	say_status("process", reap(child_of(crash_in_thread)));
}

static pthread_t main_thread;

static void *kills_main(void *arg)
{
	pthread_kill(main_thread, SIGUSR1);
	return arg;
}

DIFF_CASE(thread_directed_signal)
{
	pthread_t t;
	catch (SIGUSR1, SA_SIGINFO);
	main_thread = pthread_self();
	NEED(!pthread_create(&t, NULL, kills_main, NULL));
	while (!caught[SIGUSR1])
		nap(1);
	say("code %d, pid mine %d", caught_info.si_code, caught_info.si_pid == getpid());
	pthread_join(t, NULL);
}

DIFF_CASE(membarrier_commands)
{
	long cmds = syscall(SYS_membarrier, 0, 0, 0);
	SHOW(cmds & 0x1f);
	TRY(syscall(SYS_membarrier, 1, 0, 0));
	TRY(syscall(SYS_membarrier, 8, 0, 0));
	TRY(syscall(SYS_membarrier, 16, 0, 0));
	TRY(syscall(SYS_membarrier, 8, 0, 0));
	TRY(syscall(SYS_membarrier, 4, 0, 0));
	TRY(syscall(SYS_membarrier, 2, 0, 0));
	TRY(syscall(SYS_membarrier, 0, 1, 0));
	TRY(syscall(SYS_membarrier, 1 << 20, 0, 0));
}

/* libc: musl glibc */
/* sched(7): policies, real-time priorities, who may have them, and what they do. */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/slurp.h"
#include "common/tap.h"

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif
#define NOBODY 65534

/* The C libraries have these refuse, or not at all. */
static int set(int pid, int policy, int priority)
{
	struct sched_param p = { .sched_priority = priority };

	return (int)syscall(SYS_sched_setscheduler, pid, policy, &p);
}

static int set_param(int priority)
{
	struct sched_param p = { .sched_priority = priority };

	return (int)syscall(SYS_sched_setparam, 0, &p);
}

static int policy_of(int pid)
{
	return (int)syscall(SYS_sched_getscheduler, pid);
}

static int priority_of(int pid)
{
	struct sched_param p = { .sched_priority = -1 };

	return syscall(SYS_sched_getparam, pid, &p) ? -1 : p.sched_priority;
}

static void stay_on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK(!sched_setaffinity(0, sizeof one, &one));
}

/* Not every root may: a container's, say. */
static void needs_real_time(void)
{
	tap_needs_root();
	if (set(0, SCHED_FIFO, 1))
		tap_skip("no real-time priorities here");
	CHECK(!set(0, SCHED_OTHER, 0));
}

/* ---- what a thread is ---- */

static void a_policy_is_kept(void)
{
	needs_real_time();
	static const int policies[] = { SCHED_BATCH, SCHED_IDLE, SCHED_FIFO, SCHED_RR };

	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
		int rt = policies[i] == SCHED_FIFO || policies[i] == SCHED_RR;
		CHECK(!set(0, policies[i], rt ? 7 : 0));
		CHECK_EQ(policy_of(0), policies[i]);
		CHECK_EQ(priority_of(0), rt ? 7 : 0);
		CHECK_EQ(set_param(rt ? 8 : 0), 0);
		CHECK_EQ(policy_of(0), policies[i]);
		CHECK_EQ(priority_of(0), rt ? 8 : 0);
		CHECK_ERR(set_param(rt ? 0 : 1), EINVAL);
	}
	CHECK(!set(0, SCHED_OTHER, 0));
}

static void bad_values(void)
{
	needs_real_time();
	CHECK_ERR(set(0, SCHED_FIFO, 0), EINVAL);
	CHECK_ERR(set(0, SCHED_FIFO, 100), EINVAL);
	CHECK_ERR(set(0, SCHED_RR, -1), EINVAL);
	CHECK_ERR(set(0, SCHED_OTHER, 1), EINVAL);
	CHECK_ERR(set(0, SCHED_BATCH, 1), EINVAL);
	CHECK_ERR(set(0, 4, 0), EINVAL);
	CHECK_ERR(set(0, -1, 0), EINVAL);
	CHECK_ERR(set(-1, SCHED_OTHER, 0), EINVAL);
	CHECK_ERR(set(999999999, SCHED_OTHER, 0), ESRCH);
	CHECK_ERR((int)syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL), EINVAL);
	CHECK_ERR((int)syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, 8), EFAULT);
	CHECK_ERR((int)syscall(SYS_sched_getparam, 0, NULL), EINVAL);
	CHECK_EQ(set(0, SCHED_FIFO, 99), 0);
	CHECK_EQ(set(0, SCHED_OTHER, 0), 0);
}

static void proc_tells(void)
{
	int kernel, nice, priority, policy;
	const char *s;

	needs_real_time();
	CHECK(!set(0, SCHED_RR, 42));
	s = strrchr(slurp("/proc/self/stat"), ')');
	CHECK_EQ(sscanf(s,
			") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d"
			" %d %d",
			&kernel, &nice),
		 2);
	CHECK_EQ(kernel, -43);
	for (int field = 2; field < 40; field++)
		s = strchr(s + 1, ' ');
	CHECK_EQ(sscanf(s, " %d %d", &priority, &policy), 2);
	CHECK_EQ(priority, 42);
	CHECK_EQ(policy, SCHED_RR);
	CHECK(!set(0, SCHED_OTHER, 0));
}

static void intervals(void)
{
	struct timespec t;

	needs_real_time();
	CHECK(!set(0, SCHED_RR, 1) && !sched_rr_get_interval(0, &t));
	CHECK(t.tv_sec == 0 && t.tv_nsec == 100000000);
	CHECK(!set(0, SCHED_FIFO, 1) && !sched_rr_get_interval(0, &t));
	CHECK(t.tv_sec == 0 && t.tv_nsec == 0);
	CHECK(!set(0, SCHED_OTHER, 0) && !sched_rr_get_interval(0, &t));
	CHECK(t.tv_sec == 0 && t.tv_nsec < 100000000);
	CHECK_ERR(sched_rr_get_interval(-1, &t), EINVAL);
}

/* ---- children ---- */

static void in_child(void (*f)(void))
{
	pid_t pid = fork();

	if (!pid) {
		f();
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void is_fifo_9(void)
{
	CHECK_EQ(policy_of(0), SCHED_FIFO);
	CHECK_EQ(priority_of(0), 9);
}

static void is_ordinary(void)
{
	CHECK_EQ(policy_of(0), SCHED_OTHER);
	CHECK_EQ(priority_of(0), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 0);
}

static void children_inherit(void)
{
	needs_real_time();
	CHECK(!set(0, SCHED_FIFO, 9));
	in_child(is_fifo_9);
	CHECK(!set(0, SCHED_FIFO | SCHED_RESET_ON_FORK, 9));
	CHECK_EQ(policy_of(0), SCHED_FIFO | SCHED_RESET_ON_FORK);
	in_child(is_ordinary);
	CHECK(!set(0, SCHED_OTHER | SCHED_RESET_ON_FORK, 0));
	CHECK(!setpriority(PRIO_PROCESS, 0, -5));
	in_child(is_ordinary);
	CHECK(!set(0, SCHED_OTHER, 0) && !setpriority(PRIO_PROCESS, 0, 0));
}

/* ---- who may ---- */

static void limits_of_nobody(rlim_t rtprio, rlim_t nice)
{
	struct rlimit rt = { rtprio, rtprio }, n = { nice, nice };

	if (setrlimit(RLIMIT_RTPRIO, &rt) || setrlimit(RLIMIT_NICE, &n))
		tap_skip("limits cannot be raised here");
	CHECK(!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY));
}

static void become_nobody(rlim_t rtprio, rlim_t nice)
{
	needs_real_time();
	limits_of_nobody(rtprio, nice);
}

static void without_a_limit(void)
{
	become_nobody(0, 0);
	CHECK_ERR(set(0, SCHED_FIFO, 1), EPERM);
	CHECK_ERR(set(0, SCHED_RR, 1), EPERM);
	CHECK_ERR(set(getppid(), SCHED_OTHER, 0), EPERM);
	CHECK_EQ(set(0, SCHED_BATCH, 0), 0);
	CHECK_EQ(set(0, SCHED_IDLE, 0), 0);
	CHECK_ERR(set(0, SCHED_OTHER, 0), EPERM);
}

static void within_a_limit(void)
{
	become_nobody(10, 20);
	CHECK_EQ(set(0, SCHED_FIFO, 10), 0);
	CHECK_ERR(set(0, SCHED_FIFO, 11), EPERM);
	CHECK_ERR(set_param(11), EPERM);
	CHECK_EQ(set(0, SCHED_RR, 3), 0);
	CHECK_EQ(set(0, SCHED_IDLE, 0), 0);
	CHECK_EQ(set(0, SCHED_OTHER, 0), 0);
	CHECK_EQ(set(0, SCHED_OTHER | SCHED_RESET_ON_FORK, 0), 0);
	CHECK_ERR(set(0, SCHED_OTHER, 0), EPERM);
}

/* Who had a priority before it lost the right may keep or lower it. */
static void after_the_limit(void)
{
	needs_real_time();
	CHECK(!set(0, SCHED_FIFO, 20));
	limits_of_nobody(0, 0);
	CHECK_EQ(set_param(15), 0);
	CHECK_ERR(set_param(16), EPERM);
	CHECK_ERR(set(0, SCHED_RR, 1), EPERM);
	CHECK_EQ(set(0, SCHED_OTHER, 0), 0);
}

/* ---- what it does; all on one CPU ---- */

static char order[64];
static int said;

static void say(char c)
{
	order[__atomic_fetch_add(&said, 1, __ATOMIC_SEQ_CST)] = c;
}

static void work(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	long end = t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms;
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < end);
}

struct worker {
	char name;
	int policy, priority, ms;
	pthread_t thread;
};

static void *run_worker(void *arg)
{
	struct worker *w = arg;

	say(w->name);
	work(w->ms);
	say((char)(w->name - 'a' + 'A'));
	return NULL;
}

static void start(struct worker *w)
{
	struct sched_param p = { .sched_priority = w->priority };
	pthread_attr_t a;

	CHECK(!pthread_attr_init(&a) &&
	      !pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED) &&
	      !pthread_attr_setschedpolicy(&a, w->policy) &&
	      !pthread_attr_setschedparam(&a, &p));
	CHECK_EQ(pthread_create(&w->thread, &a, run_worker, w), 0);
	pthread_attr_destroy(&a);
}

/* The order in which they begin (a..) and end (A..). */
static const char *order_of(struct worker *w, int n)
{
	needs_real_time();
	stay_on_one_cpu();
	CHECK(!set(0, SCHED_FIFO, 90)); /* none runs before all are there */
	for (int i = 0; i < n; i++)
		start(w + i);
	for (int i = 0; i < n; i++)
		CHECK_EQ(pthread_join(w[i].thread, NULL), 0);
	CHECK(!set(0, SCHED_OTHER, 0));
	return order;
}

static void the_most_urgent_is_first(void)
{
	struct worker w[] = {
		{ .name = 'a', .policy = SCHED_OTHER, .ms = 5 },
		{ .name = 'b', .policy = SCHED_FIFO, .priority = 10, .ms = 50 },
		{ .name = 'c', .policy = SCHED_RR, .priority = 30, .ms = 50 },
		{ .name = 'd', .policy = SCHED_FIFO, .priority = 20, .ms = 50 },
	};
	CHECK(!strcmp(order_of(w, 4), "cCdDbBaA"));
}

/* Each begins with its maker's priority. Lowered, it goes in front of its equals. */
static void fifo_runs_to_its_end(void)
{
	struct worker w[] = {
		{ .name = 'a', .policy = SCHED_FIFO, .priority = 5, .ms = 250 },
		{ .name = 'b', .policy = SCHED_FIFO, .priority = 5, .ms = 250 },
	};
	CHECK(!strcmp(order_of(w, 2), "bBaA"));
}

static void rr_takes_turns(void)
{
	struct worker w[] = {
		{ .name = 'a', .policy = SCHED_RR, .priority = 5, .ms = 250 },
		{ .name = 'b', .policy = SCHED_RR, .priority = 5, .ms = 250 },
	};
	CHECK(!strcmp(order_of(w, 2), "baBA"));
}

static void *sleeps_and_says(void *arg)
{
	struct timespec t = { .tv_nsec = 20000000 };

	nanosleep(&t, NULL);
	say('!');
	return NULL;
}

static void a_waking_thread_preempts(void)
{
	struct sched_param p = { .sched_priority = 10 };
	pthread_t t;

	needs_real_time();
	stay_on_one_cpu();
	CHECK_EQ(pthread_create(&t, NULL, sleeps_and_says, NULL), 0);
	CHECK_EQ(pthread_setschedparam(t, SCHED_FIFO, &p), 0);
	CHECK(!set(0, SCHED_FIFO, 9));
	work(300);
	say('.');
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK(!strcmp(order, "!."));
}

/* Who only computes cannot keep the others out for good. */
static void the_rest_gets_its_share(void)
{
	struct timespec a, b;
	pid_t hog;

	needs_real_time();
	stay_on_one_cpu();
	hog = fork();
	if (!hog) {
		CHECK(!set(0, SCHED_FIFO, 50));
		for (;;)
			;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	work(60); /* 50 ms of each second are left */
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK(!kill(hog, SIGKILL));
	CHECK_EQ(tap_wait(hog), SIGKILL);
	CHECK(b.tv_sec - a.tv_sec < 20);
}

static void too_long_without_a_sleep(void)
{
	const struct rlimit l = { 100000, 400000 }, second = { 1000000, 1000000 };

	needs_real_time();
	pid_t pid = fork();
	if (!pid) {
		CHECK(!setrlimit(RLIMIT_RTTIME, &l));
		CHECK(!set(0, SCHED_FIFO, 5));
		for (;;)
			;
	}
	CHECK_EQ(tap_wait(pid), SIGXCPU);
	pid = fork();
	if (!pid) {
		CHECK(signal(SIGXCPU, SIG_IGN) != SIG_ERR);
		CHECK(!setrlimit(RLIMIT_RTTIME, &l));
		CHECK(!set(0, SCHED_FIFO, 5));
		for (;;)
			;
	}
	CHECK_EQ(tap_wait(pid), SIGKILL);
	/* The limit is not on others, nor on who sleeps now and then. */
	pid = fork();
	if (!pid) {
		CHECK(!setrlimit(RLIMIT_RTTIME, &second));
		work(1100);
		CHECK(!set(0, SCHED_FIFO, 5));
		for (int i = 0; i < 22; i++) {
			work(50);
			usleep(1000);
		}
		_exit(7);
	}
	CHECK_EQ(tap_wait(pid), 7 << 8);
}

/* ---- priority inheritance ---- */

static uint32_t word;
static int low_has_it, high_has_it, middle_done;

static void lock(void)
{
	uint32_t free = 0;

	if (!__atomic_compare_exchange_n(&word, &free, (uint32_t)syscall(SYS_gettid), 0,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		CHECK_EQ(syscall(SYS_futex, &word, FUTEX_LOCK_PI_PRIVATE, 0, NULL), 0);
}

static void unlock(void)
{
	uint32_t mine = (uint32_t)syscall(SYS_gettid);

	if (!__atomic_compare_exchange_n(&word, &mine, 0, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		CHECK_EQ(syscall(SYS_futex, &word, FUTEX_UNLOCK_PI_PRIVATE), 0);
}

static void *low(void *arg)
{
	CHECK(!set(0, SCHED_FIFO, 10));
	lock();
	__atomic_store_n(&low_has_it, 1, __ATOMIC_SEQ_CST);
	work(100);
	unlock();
	return NULL;
}

static void *middle(void *arg)
{
	CHECK(!set(0, SCHED_FIFO, 20));
	work(300);
	__atomic_store_n(&middle_done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *high(void *arg)
{
	CHECK(!set(0, SCHED_FIFO, 30));
	lock();
	CHECK(!__atomic_load_n(&middle_done, __ATOMIC_SEQ_CST));
	__atomic_store_n(&high_has_it, 1, __ATOMIC_SEQ_CST);
	unlock();
	return NULL;
}

static void an_owner_is_lent_priority(void)
{
	pthread_t t[3];

	needs_real_time();
	stay_on_one_cpu();
	CHECK(!set(0, SCHED_FIFO, 40));
	CHECK_EQ(pthread_create(&t[0], NULL, low, NULL), 0);
	while (!__atomic_load_n(&low_has_it, __ATOMIC_SEQ_CST))
		usleep(1000);
	CHECK_EQ(pthread_create(&t[1], NULL, high, NULL), 0);
	CHECK_EQ(pthread_create(&t[2], NULL, middle, NULL), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK(high_has_it && middle_done);
	CHECK(!set(0, SCHED_OTHER, 0));
}

TEST_MAIN(CASE(a_policy_is_kept), CASE(bad_values), CASE(proc_tells), CASE(intervals),
	  CASE(children_inherit), CASE(without_a_limit), CASE(within_a_limit),
	  CASE(after_the_limit), CASE(the_most_urgent_is_first),
	  CASE(fifo_runs_to_its_end), CASE(rr_takes_turns),
	  CASE(a_waking_thread_preempts), CASE(the_rest_gets_its_share),
	  CASE(too_long_without_a_sleep), CASE(an_owner_is_lent_priority))

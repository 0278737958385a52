/* libc: musl glibc */
/* Sharing the CPU: preemption, nice, limits that cannot be slept away. sched(7). */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

static int64_t now(clockid_t c)
{
	struct timespec t;
	clock_gettime(c, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CHECK(!sched_setaffinity(0, sizeof one, &one));
}

static void burn(int64_t ns)
{
	int64_t end = now(CLOCK_MONOTONIC) + ns;
	while (now(CLOCK_MONOTONIC) < end)
		;
}

static void a_spinner_does_not_keep_the_cpu(void)
{
	pin(0);
	pid_t pid = fork();
	if (!pid)
		for (;;)
			;
	for (int i = 0; i < 20; i++) {
		struct timespec t = { 0, 2000000 };
		CHECK(!nanosleep(&t, NULL));
	}
	CHECK(!kill(pid, SIGKILL));
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGKILL);
}

static void nice_decides_the_share(void)
{
	int64_t *ran = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[2];
	pin(0);
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			setpriority(PRIO_PROCESS, 0, i ? 10 : 0); /* about 1 : 9 */
			burn(600000000);
			ran[i] = now(CLOCK_PROCESS_CPUTIME_ID);
			_exit(0);
		}
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQ(tap_wait(pid[i]), 0);
	CHECK(ran[0] > 2 * ran[1]);
	CHECK(ran[1] > 0);
}

/* The signal that ends two processes with one second of CPU each, sharing CPU 0. */
static void cpu_limit_holds_when_shared(void)
{
	pid_t pid[2];
	pin(0);
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
			setrlimit(RLIMIT_CPU, &(struct rlimit){ 1, 2 });
			for (;;)
				;
		}
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQ(tap_wait(pid[i]) & 0x7f, SIGXCPU);
}

static void cpu_limit_cannot_be_slept_away(void)
{
	pid_t pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		setrlimit(RLIMIT_CPU, &(struct rlimit){ 1, 2 });
		for (;;) { /* always asleep before a tick of 10 ms could come */
			burn(4000000);
			struct timespec t = { 0, 100000 };
			nanosleep(&t, NULL);
		}
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGXCPU);
}

static volatile uint64_t cpus_seen;

/* Until every CPU has been seen by some thread. */
static void *spin(void *all)
{
	while (cpus_seen != *(uint64_t *)all)
		__atomic_fetch_or(&cpus_seen, 1ull << sched_getcpu(), __ATOMIC_RELAXED);
	return NULL;
}

static void every_cpu_is_used(void)
{
	cpu_set_t set;
	pthread_t t[64];
	uint64_t all = 0;
	int n = 0;
	CHECK(!sched_getaffinity(0, sizeof set, &set));
	for (int c = 0; c < 64; c++)
		all |= CPU_ISSET(c, &set) ? 1ull << c : 0;
	for (uint64_t rest = all; rest; rest &= rest - 1, n++)
		CHECK(!pthread_create(&t[n], NULL, spin, &all));
	while (n > 0)
		CHECK(!pthread_join(t[--n], NULL));
	CHECK(cpus_seen == all);
}

static void yield_lets_others_run(void)
{
	volatile int *turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pin(0);
	pid_t pid = fork();
	if (!pid) {
		while (!*turn)
			sched_yield();
		*turn = 2;
		_exit(0);
	}
	*turn = 1;
	while (*turn != 2)
		sched_yield();
	CHECK_EQ(tap_wait(pid), 0);
}

TEST_MAIN(CASE(a_spinner_does_not_keep_the_cpu), CASE(nice_decides_the_share),
	  CASE(cpu_limit_holds_when_shared), CASE(cpu_limit_cannot_be_slept_away),
	  CASE(every_cpu_is_used), CASE(yield_lets_others_run))

/* libc: musl glibc */
/* Clocks, sleeps and timers: clock_gettime(2), nanosleep(2), setitimer(2),
 * timer_create(2). */
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

static volatile sig_atomic_t count;
static void on_signal(int sig)
{
	(void)sig;
	count++;
}

static int64_t now(clockid_t c)
{
	struct timespec t;
	CHECK(!clock_gettime(c, &t));
	CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void clocks_go_forward(void)
{
	static const clockid_t clocks[] = {
		CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,	   CLOCK_MONOTONIC_COARSE,
		CLOCK_BOOTTIME,	 CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID
	};
	for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
		int64_t a = now(clocks[i]);
		for (int k = 0; k < 20000; k++) {
			int64_t b = now(clocks[i]);
			if (b < a)
				CHECK(!"time went back");
			a = b;
		}
	}
	struct timespec t;
	CHECK_ERR(clock_gettime(999, &t), EINVAL);
}

static void vdso_agrees_with_the_call(void)
{
	struct timespec t;
	for (int i = 0; i < 100; i++) {
		int64_t a = now(CLOCK_MONOTONIC);
		CHECK(!syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t));
		int64_t b = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
		int64_t c = now(CLOCK_MONOTONIC);
		CHECK(a <= b && b <= c);
	}
	struct timeval tv;
	int64_t r = now(CLOCK_REALTIME);
	CHECK(!gettimeofday(&tv, NULL));
	int64_t d = (int64_t)tv.tv_sec * 1000000000 + tv.tv_usec * 1000 - r;
	CHECK(d > -1000000 && d < 100000000);
	CHECK(time(NULL) - tv.tv_sec <= 1);
}

static void wall_clock_is_set(void)
{
	CHECK(time(NULL) > 1700000000);
}

static void sleeps_last(void)
{
	struct timespec t = { 0, 20000000 };
	int64_t a = now(CLOCK_MONOTONIC);
	CHECK(!nanosleep(&t, NULL));
	CHECK(now(CLOCK_MONOTONIC) - a >= 20000000);
	t.tv_nsec = 1000000000;
	CHECK_ERR(nanosleep(&t, NULL), EINVAL);
	a = now(CLOCK_MONOTONIC) + 10000000;
	struct timespec at = { a / 1000000000, a % 1000000000 };
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL), 0);
	CHECK(now(CLOCK_MONOTONIC) >= a);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL), 0);
}

static void interval_timer_repeats(void)
{
	struct itimerval it = { { 0, 10000 }, { 0, 10000 } }, old;
	signal(SIGALRM, on_signal);
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	while (count < 3)
		pause();
	CHECK(!getitimer(ITIMER_REAL, &old));
	CHECK(old.it_interval.tv_usec == 10000);
	it = (struct itimerval){ 0 };
	CHECK(!setitimer(ITIMER_REAL, &it, &old));
	CHECK_EQ(alarm(100), 0);
	CHECK_EQ(alarm(0), 100);
	CHECK_ERR(setitimer(9, &it, NULL), EINVAL);
}

static void cpu_timers_count_work(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 30000 } };
	signal(SIGVTALRM, on_signal);
	signal(SIGPROF, on_signal);
	CHECK(!setitimer(ITIMER_VIRTUAL, &it, NULL));
	while (!count)
		;
	CHECK(!setitimer(ITIMER_PROF, &it, NULL));
	while (count < 2)
		getppid();
	struct rusage ru;
	CHECK(!getrusage(RUSAGE_SELF, &ru));
	CHECK(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec >= 20000);
	struct tms tms;
	CHECK(times(&tms) != (clock_t)-1);
	CHECK(now(CLOCK_PROCESS_CPUTIME_ID) >= 50000000);
}

static void posix_timers(void)
{
	timer_t t;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec it = { { 0, 5000000 }, { 0, 5000000 } }, old;
	sigset_t s;
	siginfo_t si;
	ev.sigev_value.sival_int = 4711;
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &s, NULL);
	CHECK(!timer_create(CLOCK_MONOTONIC, &ev, &t));
	CHECK(!timer_settime(t, 0, &it, NULL));
	usleep(50000);
	CHECK_EQ(sigwaitinfo(&s, &si), SIGRTMIN);
	CHECK(si.si_code == SI_TIMER && si.si_value.sival_int == 4711);
	CHECK(si.si_overrun >= 1);
	CHECK(!timer_gettime(t, &old) && old.it_interval.tv_nsec == 5000000);
	CHECK(!timer_delete(t));
	CHECK_ERR(timer_create(999, &ev, &t), EINVAL);
}

static void cpu_limit_kills(void)
{
	pid_t pid = fork();
	if (!pid) {
		struct rlimit r = { 1, 2 };
		setrlimit(RLIMIT_CPU, &r);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		for (;;)
			;
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGXCPU);
}

TEST_MAIN(CASE(clocks_go_forward), CASE(vdso_agrees_with_the_call),
	  CASE(wall_clock_is_set), CASE(sleeps_last), CASE(interval_timer_repeats),
	  CASE(cpu_timers_count_work), CASE(posix_timers), CASE(cpu_limit_kills))

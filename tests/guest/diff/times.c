/* Clocks, sleeps, interval timers, POSIX timers, timerfd. */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ll

static struct timespec ms(long n)
{
	return (struct timespec){ n / 1000, n % 1000 * 1000000 };
}

DIFF_CASE(clock_ids)
{
	struct timespec ts, res;
	for (int id = -1; id < 17; id++) {
		if (id == CLOCK_REALTIME_ALARM || id == CLOCK_BOOTTIME_ALARM)
			continue; /* as there is an RTC or not */
		int got = (int)syscall(SYS_clock_gettime, id, &ts), err = errno;
		int has = (int)syscall(SYS_clock_getres, id, &res);
		say("clock %d: %s, res %ld", id, got ? err_name(err) : "ok",
		    has			    ? -1
		    : (long)res.tv_nsec > 1 ? 2
					    : (long)res.tv_nsec);
	}
	TRY(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8));
	TRY(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
	TRY(syscall(SYS_clock_getres, 99, NULL));
}

DIFF_CASE(clock_relations)
{
	struct timespec a, b;
	struct timeval tv;
	clock_gettime(CLOCK_REALTIME, &a);
	gettimeofday(&tv, NULL);
	SHOW(tv.tv_sec - a.tv_sec <= 1);
	SHOW(time(NULL) - a.tv_sec <= 1);
	clock_gettime(CLOCK_MONOTONIC, &a);
	clock_gettime(CLOCK_BOOTTIME, &b);
	SHOW(b.tv_sec >= a.tv_sec);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &a);
	clock_gettime(CLOCK_MONOTONIC, &b);
	SHOW((b.tv_sec - a.tv_sec) * 1000 * MS + b.tv_nsec - a.tv_nsec >= 0);
	clock_gettime(CLOCK_TAI, &a);
	clock_gettime(CLOCK_REALTIME, &b);
	SHOW(a.tv_sec - b.tv_sec <= 37);
	bool back = false;
	int64_t last = now_ns();
	for (int i = 0; i < 10000; i++) {
		int64_t now = now_ns();
		back |= now < last;
		last = now;
	}
	SHOW(back);
	struct timezone tz = { 9, 9 };
	TRY(syscall(SYS_gettimeofday, NULL, &tz));
	SHOW(tz.tz_minuteswest);
	TRY(syscall(SYS_gettimeofday, NULL, NULL));
}

DIFF_CASE(clock_of_cpu_time)
{
	struct timespec a, b;
	clockid_t mine, other;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	nap(30);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	SHOW((b.tv_sec - a.tv_sec) * 1000 * MS + b.tv_nsec - a.tv_nsec < 25 * MS);
	TRY(clock_getcpuclockid(getpid(), &mine));
	TRY(clock_gettime(mine, &a));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	SHOW(b.tv_sec > a.tv_sec || b.tv_nsec >= a.tv_nsec);
	pid_t pid = child_of(sleeper);
	TRY(clock_getcpuclockid(pid, &other));
	TRY(clock_gettime(other, &a));
	kill(pid, SIGKILL);
	reap(pid);
	TRY(clock_gettime(other, &a));
	TRY(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &a, NULL));
}

DIFF_CASE(clock_set_errors)
{
	struct timespec bad = { 0, 1000000000 }, neg = { -1, 0 };
	struct timeval tv = { 0, 1000000 };
	TRY(clock_settime(CLOCK_MONOTONIC, &neg));
	TRY(clock_settime(CLOCK_REALTIME, &bad));
	TRY(clock_settime(CLOCK_REALTIME, &neg));
	TRY(clock_settime(99, &neg));
	TRY(syscall(SYS_clock_settime, CLOCK_REALTIME, 8));
	TRY(syscall(SYS_settimeofday, &tv, NULL));
	become_nobody();
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	TRY(clock_settime(CLOCK_REALTIME, &now));
	TRY(syscall(SYS_settimeofday, &tv, NULL));
	struct timex tx = { .modes = ADJ_OFFSET };
	TRY(adjtimex(&tx));
}

DIFF_CASE(nanosleep_corners)
{
	struct timespec t = ms(20), bad = { 0, 1000000000 }, neg = { -1, 0 }, left;
	int64_t began = now_ns();
	TRY(syscall(SYS_nanosleep, &t, NULL));
	SHOW(now_ns() - began >= 20 * MS);
	TRY(syscall(SYS_nanosleep, &bad, NULL));
	TRY(syscall(SYS_nanosleep, &neg, NULL));
	TRY(syscall(SYS_nanosleep, 8, NULL));
	catch (SIGALRM, SA_RESTART);
	ualarm(20000, 20000);
	t = ms(60000);
	TRY(syscall(SYS_nanosleep, &t, &left));
	ualarm(0, 0);
	SHOW(left.tv_sec == 59);
	ualarm(20000, 20000);
	TRY(syscall(SYS_nanosleep, &t, 8));
	ualarm(0, 0);
	ualarm(20000, 20000);
	TRY(syscall(SYS_nanosleep, &t, NULL));
	ualarm(0, 0);
}

DIFF_CASE(clock_nanosleep_corners)
{
	struct timespec t, left = { 7, 7 }, bad = { 0, -1 };
	clock_gettime(CLOCK_MONOTONIC, &t);
	TRY(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	t = ms(0);
	TRY(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	TRY(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL));
	TRY(syscall(SYS_clock_nanosleep, 99, 0, &t, NULL));
	TRY(syscall(SYS_clock_nanosleep, CLOCK_REALTIME_COARSE, 0, &t, NULL));
	TRY(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL));
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 60;
	TRY(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &t, &left));
	ualarm(0, 0);
	say("left untouched: %d", left.tv_sec == 7);
	ualarm(20000, 20000);
	t = ms(60000);
	TRY(syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &t, &left));
	ualarm(0, 0);
	say("left written: %d", left.tv_sec == 59);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	t = ms(1);
	TRY(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 8, &t, NULL));
}

DIFF_CASE(alarm_corners)
{
	catch (SIGALRM, 0);
	TRY(alarm(100));
	TRY(alarm(50));
	struct itimerval it;
	TRY(getitimer(ITIMER_REAL, &it));
	SHOW(it.it_value.tv_sec == 49 || it.it_value.tv_sec == 50);
	TRY(alarm(0));
	TRY(alarm(0));
	ualarm(20000, 20000);
	TRY(pause());
	ualarm(0, 0);
	SHOW(caught[SIGALRM]);
}

DIFF_CASE(itimer_corners)
{
	struct itimerval it = { { 0, 0 }, { 0, 1000000 } }, old;
	TRY(setitimer(ITIMER_REAL, &it, NULL));
	it.it_value.tv_usec = -1;
	TRY(setitimer(ITIMER_REAL, &it, NULL));
	it = (struct itimerval){ { 0, 2000000 }, { 1, 0 } };
	TRY(setitimer(ITIMER_REAL, &it, NULL));
	TRY(syscall(SYS_setitimer, 3, &it, NULL));
	TRY(syscall(SYS_getitimer, 3, &it));
	TRY(syscall(SYS_getitimer, ITIMER_REAL, 8));
	it = (struct itimerval){ { 5, 6 }, { 100, 0 } };
	TRY(setitimer(ITIMER_REAL, &it, &old));
	SHOW(old.it_value.tv_sec + old.it_value.tv_usec);
	TRY(syscall(SYS_setitimer, ITIMER_REAL, NULL, &old));
	say("interval %ld.%06ld, value over 98: %d", (long)old.it_interval.tv_sec,
	    (long)old.it_interval.tv_usec, old.it_value.tv_sec > 98);
	TRY(getitimer(ITIMER_REAL, &it));
	SHOW(it.it_value.tv_sec);
}

DIFF_CASE(itimer_repeats)
{
	struct itimerval it = { { 0, 10000 }, { 0, 10000 } };
	catch (SIGALRM, 0);
	setitimer(ITIMER_REAL, &it, NULL);
	while (caught[SIGALRM] < 3)
		pause();
	say("three came");
}

DIFF_CASE(itimer_of_cpu_time)
{
	struct itimerval it = { { 0, 0 }, { 0, 20000 } };
	catch (SIGVTALRM, SA_SIGINFO);
	catch (SIGPROF, 0);
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	setitimer(ITIMER_PROF, &it, NULL);
	nap(50);
	SHOW(caught[SIGVTALRM] + caught[SIGPROF]);
	while (!caught[SIGVTALRM] || !caught[SIGPROF])
		;
	say("both came; code %d", caught_info.si_code);
}

static timer_t timer;

static long make_timer(int clock, int notify, int sig, int value)
{
	struct sigevent e = { .sigev_notify = notify, .sigev_signo = sig };
	int id = 0;
	e.sigev_value.sival_int = value;
	long r = syscall(SYS_timer_create, clock, &e, &id);
	timer = (timer_t)(long)id;
	return r;
}

static long arm_timer(int flags, long value_ms, long interval_ms)
{
	struct itimerspec it = { ms(interval_ms), ms(value_ms) };
	return syscall(SYS_timer_settime, (int)(long)timer, flags, &it, NULL);
}

DIFF_CASE(timer_create_corners)
{
	TRY(make_timer(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 1));
	TRY(make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 1));
	TRY(make_timer(CLOCK_BOOTTIME, SIGEV_SIGNAL, SIGUSR1, 1));
	TRY(make_timer(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 1));
	TRY(make_timer(CLOCK_MONOTONIC_COARSE, SIGEV_SIGNAL, SIGUSR1, 1));
	TRY(make_timer(99, SIGEV_SIGNAL, SIGUSR1, 1));
	TRY(make_timer(CLOCK_REALTIME, SIGEV_SIGNAL, 65, 1));
	TRY(make_timer(CLOCK_REALTIME, SIGEV_SIGNAL, 0, 1));
	TRY(make_timer(CLOCK_REALTIME, 77, SIGUSR1, 1));
	TRY(make_timer(CLOCK_REALTIME, SIGEV_THREAD, SIGUSR1, 1));
	TRY(syscall(SYS_timer_create, CLOCK_REALTIME, NULL, 8));
	TRY(syscall(SYS_timer_delete, 9999));
	TRY(syscall(SYS_timer_gettime, 9999, NULL));
	TRY(syscall(SYS_timer_getoverrun, 9999));
	struct itimerspec it = { ms(0), ms(1) };
	TRY(syscall(SYS_timer_settime, 9999, 0, &it, NULL));
}

DIFF_CASE(timer_fires)
{
	catch (SIGUSR1, SA_SIGINFO);
	NEED(!make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1234));
	TRY(arm_timer(0, 10, 0));
	while (!caught[SIGUSR1])
		pause();
	say("code %d value %d overrun %d", caught_info.si_code,
	    caught_info.si_value.sival_int, caught_info.si_overrun);
	struct itimerspec it;
	TRY(syscall(SYS_timer_gettime, (int)(long)timer, &it));
	say("value %ld interval %ld", (long)it.it_value.tv_nsec,
	    (long)it.it_interval.tv_nsec);
	TRY(arm_timer(TIMER_ABSTIME, 1, 0));
	while (caught[SIGUSR1] < 2)
		nap(1);
	TRY(syscall(SYS_timer_delete, (int)(long)timer));
	TRY(arm_timer(0, 10, 0));
}

DIFF_CASE(timer_overruns)
{
	block_signal(SIGUSR1);
	catch (SIGUSR1, SA_SIGINFO);
	NEED(!make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 5));
	TRY(arm_timer(0, 1, 1));
	nap(50);
	unblock_signal(SIGUSR1);
	SHOW(caught[SIGUSR1] >= 1);
	SHOW(syscall(SYS_timer_getoverrun, (int)(long)timer) >= 0);
	TRY(arm_timer(0, 0, 0));
	int n = caught[SIGUSR1];
	nap(20);
	SHOW(caught[SIGUSR1] - n <= 1);
}

DIFF_CASE(timer_settime_corners)
{
	struct itimerspec it = { ms(0), { 0, 1000000000 } }, old;
	NEED(!make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0));
	int id = (int)(long)timer;
	TRY(syscall(SYS_timer_settime, id, 0, &it, NULL));
	TRY(syscall(SYS_timer_settime, id, 0, NULL, NULL));
	TRY(syscall(SYS_timer_settime, id, 0, 8, NULL));
	it = (struct itimerspec){ ms(7000), ms(100000) };
	TRY(syscall(SYS_timer_settime, id, 0, &it, &old));
	SHOW(old.it_value.tv_sec);
	TRY(syscall(SYS_timer_settime, id, 0, &it, &old));
	say("interval %ld, value 99 or 100: %d", (long)old.it_interval.tv_sec,
	    old.it_value.tv_sec == 99 || old.it_value.tv_sec == 100);
	TRY(syscall(SYS_timer_gettime, id, 8));
	pid_t pid = fork();
	if (!pid) {
		TRY(syscall(SYS_timer_gettime, id, &it));
		_exit(0);
	}
	reap(pid);
}

DIFF_CASE(timerfd_corners)
{
	uint64_t n = 0;
	struct itimerspec it = { ms(0), ms(10) };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	TRY(fcntl(fd, F_GETFD));
	TRY(read(fd, &n, 8));
	TRY(timerfd_settime(fd, 0, &it, NULL));
	TRY(read(fd, &n, 4));
	struct pollfd p = { fd, POLLIN, 0 };
	TRY(poll(&p, 1, 2000));
	TRY(read(fd, &n, 8));
	SHOW(n);
	TRY(read(fd, &n, 8));
	TRY(write(fd, &n, 8));
	TRY(timerfd_create(99, 0));
	TRY(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	TRY(timerfd_create(CLOCK_MONOTONIC, 1));
	TRY(timerfd_settime(0, 0, &it, NULL));
	TRY(timerfd_settime(99, 0, &it, NULL));
	TRY(timerfd_settime(fd, 8, &it, NULL));
	it.it_value.tv_nsec = 1000000000;
	TRY(timerfd_settime(fd, 0, &it, NULL));
	TRY(timerfd_gettime(fd, &it));
	SHOW(it.it_value.tv_nsec);
	TRY(timerfd_gettime(0, &it));
	TRY(lseek(fd, 0, SEEK_SET));
}

DIFF_CASE(timerfd_expirations)
{
	uint64_t n = 0;
	struct itimerspec it = { ms(1), ms(1) }, old;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	TRY(timerfd_settime(fd, 0, &it, NULL));
	nap(40);
	TRY(read(fd, &n, 8));
	SHOW(n >= 30);
	it = (struct itimerspec){ ms(0), ms(0) };
	TRY(timerfd_settime(fd, 0, &it, &old));
	SHOW(old.it_interval.tv_nsec);
	clock_gettime(CLOCK_MONOTONIC, &it.it_value);
	it.it_value.tv_sec -= 1;
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL));
	TRY(read(fd, &n, 8));
	SHOW(n);
}

DIFF_CASE(timerfd_blocks)
{
	uint64_t n = 0;
	struct itimerspec it = { ms(0), ms(20) };
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	int64_t began = now_ns();
	timerfd_settime(fd, 0, &it, NULL);
	TRY(read(fd, &n, 8));
	SHOW(now_ns() - began >= 19 * MS);
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(read(fd, &n, 8));
	ualarm(0, 0);
}

DIFF_CASE(times_call)
{
	struct tms t;
	clock_t a = times(&t);
	nap(30);
	clock_t b = times(&t);
	SHOW(b - a >= 2);
	SHOW(t.tms_cutime + t.tms_cstime);
	TRY(syscall(SYS_times, 8));
	SHOW(syscall(SYS_times, NULL) > 0);
}

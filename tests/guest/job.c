/* Job control, and what went wrong once with processes, threads and their parents. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/guest/common/tap.h"

static volatile sig_atomic_t seen[65];

static void note(int sig)
{
	seen[sig]++;
}

static void catch (int sig, int flags)
{
	struct sigaction sa = { .sa_handler = note, .sa_flags = flags };
	CHECK(!sigaction(sig, &sa, NULL));
}

static pid_t start_sleeper(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* A group of its own, so that stop signals of terminals have an effect in it. */
static pid_t start_job(void)
{
	pid_t pid = start_sleeper();
	CHECK(!setpgid(pid, pid));
	return pid;
}

static void stop_and_continue_are_reported(void)
{
	int status;
	siginfo_t si;
	pid_t pid = start_job();
	CHECK(!kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	CHECK(!kill(pid, SIGCONT));
	CHECK(!waitid(P_PID, pid, &si, WCONTINUED));
	CHECK(si.si_code == CLD_CONTINUED && si.si_status == SIGCONT);
	CHECK(!kill(pid, SIGTSTP));
	CHECK(!waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT));
	CHECK(si.si_code == CLD_STOPPED && si.si_status == SIGTSTP);
	CHECK(!waitid(P_PID, pid, &si, WSTOPPED));
	CHECK(!kill(pid, SIGKILL));
	CHECK_EQ(tap_wait(pid), SIGKILL);
}

static void a_stopped_job_dies_of_sigkill_and_of_nothing_else(void)
{
	int status;
	pid_t pid = start_job();
	CHECK(!kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(!kill(pid, SIGTERM));
	usleep(20000);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK(!kill(pid, SIGKILL));
	CHECK_EQ(tap_wait(pid), SIGKILL);
}

static void stop_takes_continue_back_and_the_other_way_round(void)
{
	sigset_t set, pending;
	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGTSTP);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	catch (SIGCONT, 0);
	catch (SIGTSTP, 0);
	CHECK(!raise(SIGCONT) && !raise(SIGTSTP));
	CHECK(!sigpending(&pending));
	CHECK(!sigismember(&pending, SIGCONT) && sigismember(&pending, SIGTSTP));
	CHECK(!raise(SIGCONT));
	CHECK(!sigpending(&pending));
	CHECK(sigismember(&pending, SIGCONT) && !sigismember(&pending, SIGTSTP));
}

/* Stopped, and then its only link to the session's other groups goes. */
static void an_orphaned_group_is_hung_up(void)
{
	int fd[2], status;
	char c = 0;
	CHECK(!pipe(fd));
	pid_t middle = fork();
	if (!middle) {
		setpgid(0, 0);
		pid_t pid = fork();
		if (!pid) {
			catch (SIGHUP, 0);
			catch (SIGCONT, 0);
			raise(SIGSTOP);
			for (int i = 0; i < 500 && !(seen[SIGHUP] && seen[SIGCONT]); i++)
				usleep(1000);
			c = seen[SIGHUP] && seen[SIGCONT] ? 'y' : 'n';
			_exit(write(fd[1], &c, 1) != 1);
		}
		waitpid(pid, &status, WUNTRACED);
		_exit(0);
	}
	CHECK_EQ(tap_wait(middle), 0);
	CHECK_EQ(read(fd[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
}

/* The group was orphaned before; an exit in it changes nothing. */
static void an_exit_hangs_up_no_group_that_was_orphaned_before(void)
{
	pid_t leader = fork();
	if (!leader) {
		int status;
		setsid();
		pid_t stopped = start_sleeper();
		kill(stopped, SIGSTOP);
		waitpid(stopped, &status, WUNTRACED);
		pid_t other = fork();
		if (!other)
			_exit(0);
		waitpid(other, &status, 0);
		usleep(20000);
		kill(stopped, SIGKILL);
		waitpid(stopped, &status, 0);
		_exit(WTERMSIG(status) == SIGKILL ? 0 : 1);
	}
	CHECK_EQ(tap_wait(leader), 0);
}

/* The handler's SIGCHLD is the very child that is waited for: no EINTR. */
static void a_wait_sees_the_child_whose_sigchld_woke_it(void)
{
	catch (SIGCHLD, 0);
	for (int i = 0; i < 200; i++) {
		int status = -1;
		pid_t pid = fork();
		if (!pid)
			_exit(i & 7);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status, (i & 7) << 8);
	}
	CHECK(seen[SIGCHLD] > 0);
}

static void *exit_soon(void *arg)
{
	usleep((useconds_t)(long)arg);
	syscall(SYS_exit, 7);
	return NULL;
}

/* Threads race to the end; the parent reaps the moment it can. */
static void a_zombie_has_no_thread_left(void)
{
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();
		if (!pid) {
			pthread_t t;
			for (long k = 0; k < 4; k++)
				pthread_create(&t, NULL, exit_soon, (void *)(k * 50));
			usleep(100);
			if (i & 1)
				syscall(SYS_exit, 7);
			_exit(7);
		}
		int status = tap_wait(pid);
		CHECK_EQ(status, 7 << 8);
	}
}

/* And the last thread's status is the process's. */
static void a_leader_that_left_keeps_its_process(void)
{
	int status;
	pid_t pid = fork();
	if (!pid) {
		pthread_t t;
		pthread_create(&t, NULL, exit_soon, (void *)100000L);
		syscall(SYS_exit, 3);
	}
	usleep(30000);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK(!kill(pid, 0));
	CHECK_EQ(tap_wait(pid), 7 << 8);
}

static void alarms_tell_what_was_left(void)
{
	CHECK_EQ(alarm(100), 0);
	CHECK_EQ(alarm(0), 100);
	CHECK_EQ(alarm(0), 0);
	struct itimerval it = { .it_value = { 50, 0 } }, old;
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	memset(&it, 0, sizeof it);
	CHECK(!setitimer(ITIMER_REAL, &it, &old));
	CHECK(old.it_value.tv_sec == 49 || old.it_value.tv_sec == 50);
}

static void overruns_are_counted(void)
{
	sigset_t set;
	siginfo_t si;
	timer_t t;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGRTMIN,
			       .sigev_value.sival_int = 77 };
	struct itimerspec its = { { 0, 2000000 }, { 0, 2000000 } };
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK(!timer_create(CLOCK_MONOTONIC, &ev, &t));
	CHECK(!timer_settime(t, 0, &its, NULL));
	usleep(50000);
	CHECK_EQ(sigwaitinfo(&set, &si), SIGRTMIN);
	CHECK(si.si_code == SI_TIMER && si.si_value.sival_int == 77);
	CHECK(si.si_overrun >= 10);
	CHECK_EQ(timer_getoverrun(t), si.si_overrun);
	CHECK(!timer_delete(t));
	CHECK(timer_delete(t) != 0);
}

static void nobody_inside_kills_process_one(void)
{
	tap_needs_mayfly();
	CHECK(!kill(1, SIGSTOP));
	CHECK(!kill(1, SIGKILL));
	CHECK(!kill(1, 0));
	usleep(20000);
	CHECK(!kill(1, 0));
}

TEST_MAIN(CASE(stop_and_continue_are_reported),
	  CASE(a_stopped_job_dies_of_sigkill_and_of_nothing_else),
	  CASE(stop_takes_continue_back_and_the_other_way_round),
	  CASE(an_orphaned_group_is_hung_up),
	  CASE(an_exit_hangs_up_no_group_that_was_orphaned_before),
	  CASE(a_wait_sees_the_child_whose_sigchld_woke_it),
	  CASE(a_zombie_has_no_thread_left), CASE(a_leader_that_left_keeps_its_process),
	  CASE(alarms_tell_what_was_left), CASE(overruns_are_counted),
	  CASE(nobody_inside_kills_process_one))

/*
 * Ways out of a policy through others: threads, children, programs, tracers, policies on
 * top of it, and limits raised again by root. Each has the allowed twin beside it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "common/calls.h"

POLICY_FORM(limits)
POLICY_FORM(open)

static volatile int go;
static volatile long thread_got;

static void *waits_and_calls(void *unused)
{
	while (!go)
		sched_yield();
	thread_got = with_number(SYS_getppid, 0);
	return NULL;
}

static void a_thread_that_was_there_before(void)
{
	pthread_t t;

	tap_needs_mayfly();
	CHECK(with_number(SYS_getppid, 0) > 0);
	CHECK_EQ(pthread_create(&t, NULL, waits_and_calls, NULL), 0);
	POLICY_INSTALL(calls);
	go = 1;
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(thread_got, -REFUSED);
}

static volatile int installed, escaped, born;
static volatile bool over;

static void *calls_if_installed(void *unused)
{
	int was = installed;

	if (with_number(SYS_getppid, 0) >= 0 && was)
		escaped = 1;
	born++;
	return NULL;
}

static void *breeds(void *unused)
{
	pthread_t t;

	while (!over) {
		if (pthread_create(&t, NULL, calls_if_installed, NULL))
			continue;
		pthread_join(t, NULL);
	}
	return NULL;
}

static void a_thread_that_is_made_meanwhile(void)
{
	struct timespec ms = { 0, 3000000 };
	pthread_t t[3];

	tap_needs_mayfly();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, breeds, NULL), 0);
	nanosleep(&ms, NULL);
	CHECK(with_number(SYS_getppid, 0) > 0);
	POLICY_INSTALL(calls);
	installed = 1;
	for (int before = born, i = 0; born < before + 50 && i < 2000; i++)
		nanosleep(&ms, NULL);
	over = true;
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	CHECK_EQ(escaped, 0);
}

static void *installs(void *unused)
{
	return (void *)POLICY_USE(POLICY_OP_NOW, open);
}

/* Each puts its layer on the other's: none is lost. */
static void installs_that_race(void)
{
	pthread_t t[4];
	void *ret;

	tap_needs_mayfly();
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, installs, NULL), 0);
	CHECK(with_number(SYS_getppid, 0) > 0);
	POLICY_INSTALL(calls);
	CHECK_EQ(with_number(SYS_getppid, 0), -REFUSED);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i], &ret), 0);
		CHECK_EQ((long)ret, 0);
	}
	CHECK_EQ(with_number(SYS_getppid, 0), -REFUSED);
}

/* ---- processes and programs ---- */

static int child_calls(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(calls_getppid());
	return tap_wait(pid) >> 8;
}

static void a_child_is_no_way_out(void)
{
	CHECK_EQ(confined(child_calls), REFUSED << 8);
	CHECK_EQ(freely(child_calls), 0);
}

static int runs_itself(void)
{
	dup2(open("/dev/null", O_WRONLY), 1);
	execl("/proc/self/exe", "policy_calls", "the_call_itself", NULL);
	return 99;
}

static void the_call_itself(void)
{
	CHECK(with_number(SYS_getppid, 0) > 0);
}

static void another_program_is_no_way_out(void)
{
	CHECK_EQ(confined(runs_itself), 1 << 8);
	CHECK_EQ(freely(runs_itself), 0);
}

static int runs_under_a_wider_one(void)
{
	return POLICY_USE(POLICY_OP_EXEC, open) ? 98 : runs_itself();
}

static void a_wider_policy_at_exec_lifts_nothing(void)
{
	CHECK_EQ(confined(runs_under_a_wider_one), 1 << 8);
	CHECK_EQ(freely(runs_under_a_wider_one), 0);
}

static int runs_under_it(void)
{
	if (POLICY_USE(POLICY_OP_EXEC, calls) || calls_getppid())
		return 98; /* not before the program */
	return runs_itself();
}

static void at_exec_it_is_in_force(void)
{
	tap_needs_mayfly();
	CHECK_EQ(freely(runs_under_it), 1 << 8);
	CHECK_EQ(freely(runs_itself), 0);
}

/* Has the right to trace; the tracee's policy holds for what it makes it call. */
static int makes_tracee_call(void)
{
	struct user_regs_struct r;
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		with_number(500, 0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	do { /* to the entry of call 500 */
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			return 98;
		ptrace(PTRACE_GETREGS, pid, 0, &r);
	} while (r.orig_rax != 500);
	r.orig_rax = SYS_getpgrp;
	ptrace(PTRACE_SETREGS, pid, 0, &r);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_GETREGS, pid, 0, &r);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return (int64_t)r.rax < 0 ? (int)-r.rax : 0;
}

static void a_tracer_does_not_get_another_call_past_it(void)
{
	CHECK_EQ(confined(makes_tracee_call), REFUSED << 8);
	CHECK_EQ(freely(makes_tracee_call), 0);
}

/* ---- policies on top ---- */

static int installs_a_wider_one(void)
{
	return POLICY_USE(POLICY_OP_NOW, open) ? 98 : calls_getppid();
}

static void a_wider_policy_lifts_nothing(void)
{
	CHECK_EQ(confined(installs_a_wider_one), REFUSED << 8);
	CHECK_EQ(freely(installs_a_wider_one), 0);
}

static int installs_too_many(void)
{
	int n = 0;

	while (n <= POLICY_LAYERS_MAX && !POLICY_USE(POLICY_OP_NOW, open))
		n++;
	if (n < 2 || n > POLICY_LAYERS_MAX || errno != E2BIG)
		return 97;
	/* a program that is to run under one more does not run */
	if (POLICY_USE(POLICY_OP_EXEC, calls))
		return 96;
	execl("/proc/self/exe", "policy_calls", "the_call_itself", NULL);
	return errno == E2BIG ? calls_getppid() : 95;
}

static void layers_end(void)
{
	CHECK_EQ(confined(installs_too_many), REFUSED << 8);
	CHECK_EQ(freely(installs_too_many), 0);
}

static void a_damaged_form(void)
{
	size_t size = (size_t)(form_calls_end - form_calls);
	char *form = malloc(size + 8);

	tap_needs_mayfly();
	CHECK(form);
	for (size_t i = 0; i < size; i += i < 128 ? 1 : 97) {
		memcpy(form, form_calls, size);
		form[i] ^= 1 << i % 8;
		errno = 0;
		CHECK_EQ(syscall(POLICY_SYSCALL, POLICY_OP_NOW, form, size), -1);
		CHECK(errno == EINVAL || errno == E2BIG);
	}
	memcpy(form, form_calls, size);
	CHECK_ERR(syscall(POLICY_SYSCALL, POLICY_OP_NOW, form, size - 8), EINVAL);
	CHECK_ERR(syscall(POLICY_SYSCALL, POLICY_OP_NOW, form, size + 8), EINVAL);
	CHECK_ERR(syscall(POLICY_SYSCALL, POLICY_OP_NOW, form, 0), EINVAL);
	CHECK_ERR(syscall(POLICY_SYSCALL, POLICY_OP_NOW, form, 1UL << 40), E2BIG);
	CHECK_ERR(syscall(POLICY_SYSCALL, POLICY_OP_NOW, 8, size), EFAULT);
	CHECK_ERR(syscall(POLICY_SYSCALL, 99, form, size), EINVAL);
	CHECK(with_number(SYS_getppid, 0) > 0); /* nothing came of it */
	CHECK_EQ(syscall(POLICY_SYSCALL, POLICY_OP_NOW, form, size), 0);
	memset(form, 0, size); /* the kernel has its own */
	CHECK_EQ(with_number(SYS_getppid, 0), -REFUSED);
}

/* ---- limits ---- */

static void limits_are_not_raised_again(void)
{
	const struct rlimit high = { 1000, 1000 }, low = { 10, 10 };
	struct rlimit r;

	tap_needs_mayfly();
	tap_needs_root();
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &high), 0);
	POLICY_INSTALL(limits);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &r), 0);
	CHECK_EQ(r.rlim_cur, 20);
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &high), EPERM);
	CHECK_ERR(prlimit(0, RLIMIT_NOFILE, &high, NULL), EPERM);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
	pid_t pid = fork();
	if (!pid)
		for (;;)
			pause();
	CHECK_ERR(prlimit(pid, RLIMIT_NOFILE, &high, NULL), EPERM);
	CHECK_EQ(prlimit(pid, RLIMIT_NOFILE, &low, NULL), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
}

static int forks(void)
{
	int n = 0;
	pid_t pid;

	while (n < 40 && (pid = fork()) >= 0) {
		if (!pid) {
			pause();
			_exit(0);
		}
		n++;
	}
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		continue;
	return n;
}

static volatile int alive;

static void *forks_too(void *unused)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		if (!pid)
			for (;;)
				pause();
		if (pid > 0)
			__atomic_fetch_add(&alive, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Threads count as well: with the one that waits, eight in all. */
static void no_more_processes_than_the_limit(void)
{
	pthread_t t[3];
	int started = 0;

	tap_needs_mayfly();
	tap_needs_root();
	pid_t twin = fork();
	if (!twin) {
		setpgid(0, 0);
		_exit(forks());
	}
	CHECK_EQ(tap_wait(twin), 40 << 8);
	POLICY_INSTALL(limits);
	for (int i = 0; i < 3; i++)
		started += !pthread_create(&t[i], NULL, forks_too, NULL);
	CHECK_EQ(started, 3);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	while (alive < 40) {
		pid_t pid = fork();
		if (!pid)
			for (;;)
				pause();
		if (pid < 0)
			break;
		alive++;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK(alive >= 4 && alive <= 7);
}

static void a_file_no_longer_than_the_limit(void)
{
	char page[4096] = "";

	tap_needs_mayfly();
	tap_needs_root();
	tap_tmpdir();
	signal(SIGXFSZ, SIG_IGN);
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(write(fd, page, sizeof page), sizeof page);
	CHECK_EQ(write(fd, page, sizeof page), sizeof page);
	POLICY_INSTALL(limits);
	CHECK_ERR(write(fd, page, 1), EFBIG);
	CHECK_ERR(ftruncate(fd, 1 << 20), EFBIG);
	CHECK_EQ(pwrite(fd, page, sizeof page, 0), sizeof page);
}

TEST_MAIN(CASE(a_thread_that_was_there_before), CASE(a_thread_that_is_made_meanwhile),
	  CASE(installs_that_race), CASE(a_child_is_no_way_out), CASE(the_call_itself),
	  CASE(another_program_is_no_way_out), CASE(a_wider_policy_at_exec_lifts_nothing),
	  CASE(at_exec_it_is_in_force), CASE(a_tracer_does_not_get_another_call_past_it),
	  CASE(a_wider_policy_lifts_nothing), CASE(layers_end), CASE(a_damaged_form),
	  CASE(limits_are_not_raised_again), CASE(no_more_processes_than_the_limit),
	  CASE(a_file_no_longer_than_the_limit))

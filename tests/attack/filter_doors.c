/*
 * Ways round a filter of seccomp(2): other numbers, other ways in, other programs, other
 * processes, and what Linux restarts by itself. Each has the allowed twin beside it.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "common/filter.h"
#include "common/tap.h"

#define REFUSED 77 /* an error that nothing else gives */

/* A process under a filter that refuses `nr` runs fn: its exit status. */
static int confined(long nr, int (*fn)(void))
{
	pid_t pid = fork();

	if (!pid) {
		no_new_privs();
		if (filter_call(0, nr, SECCOMP_RET_ERRNO | REFUSED))
			_exit(111);
		_exit(fn());
	}
	return tap_wait(pid);
}

static int freely(int (*fn)(void))
{
	pid_t pid = fork();

	if (!pid)
		_exit(fn());
	return tap_wait(pid);
}

/* ---- numbers ---- */

static long with_number(uint64_t rax)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(rax) : "rcx", "r11", "memory");
	return ret;
}

static int makes_x32_call(void)
{
	return with_number(0x40000000u | SYS_getppid) == -ENOSYS ? 0 : 1;
}

static void x32_numbers_are_no_calls(void)
{
	tap_needs_mayfly(); /* Linux may have them */
	CHECK_EQ(confined(SYS_getppid, makes_x32_call), 0);
	CHECK_EQ(freely(makes_x32_call), 0);
}

static int sets_upper_half(void)
{
	return (int)-with_number(0xdeadbeef00000000u | SYS_getppid);
}

static void the_upper_half_of_the_number_does_not_count(void)
{
	CHECK_EQ(confined(SYS_getppid, sets_upper_half), REFUSED << 8);
	CHECK(freely(sets_upper_half) != REFUSED << 8);
}

static int calls_unknown(void)
{
	static const uint64_t numbers[] = { 511,	512,	    1000,
					    0x7fffffff, 0x80000000, 0xffffffff };
	no_new_privs();
	/* all but what ends the process */
	if (FILTER(0, LOAD(nr), IF_EQ(SYS_exit_group, 1, 0),
		   RET(SECCOMP_RET_ERRNO | REFUSED), ALLOW))
		return 111;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (with_number(numbers[i]) != -REFUSED)
			return 1;
	return 0;
}

static void numbers_beyond_the_table_are_asked_about(void)
{
	CHECK_EQ(freely(calls_unknown), 0);
	CHECK_EQ(with_number(511), -ENOSYS);
	CHECK_EQ(with_number(0x7fffffff), -ENOSYS);
}

/* ---- other ways in ---- */

static int int_0x80(void)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(64) : "memory"); /* getppid */
	return ret > 0 ? 1 : 0;
}

static int sysenter(void)
{
	__asm__ volatile("push %%rcx; push %%rdx; mov %%rsp, %%rbp; sysenter" ::"a"(64)
			 : "memory");
	return 1;
}

static int vsyscall(void)
{
	time_t (*fn)(time_t *) = (time_t(*)(time_t *))0xffffffffff600400;

	return fn(NULL) ? 1 : 0;
}

static int compat_segment(void)
{
	/* far return to the segment of 32-bit code, at an address below 4 GB */
	uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	memcpy(code, "\xb8\x40\x00\x00\x00\xcd\x80\xeb\xfe", 9);
	__asm__ volatile("push $0x23; push %0; lretq" ::"r"((uint64_t)code) : "memory");
	return 1;
}

static void other_ways_in_lead_nowhere(void)
{
	tap_needs_mayfly();
	static int (*const doors[])(void) = { int_0x80, sysenter, vsyscall,
					      compat_segment };
	for (size_t i = 0; i < sizeof doors / sizeof doors[0]; i++) {
		int status = confined(SYS_getppid, doors[i]);
		CHECK(WIFSIGNALED(status));
		CHECK(WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGILL);
	}
	CHECK(syscall(SYS_getppid) > 0);
}

/* ---- signals ---- */

static volatile int handled;

static void change_number(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	handled++;
	/* back to the instruction, with another number */
	c->uc_mcontext.gregs[REG_RAX] = SYS_getppid;
	c->uc_mcontext.gregs[REG_RIP] -= 2;
}

static int returns_into_a_call(void)
{
	struct sigaction act = { .sa_sigaction = change_number, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &act, NULL);
	if (filter_call(0, 500, SECCOMP_RET_TRAP))
		return 111;
	long ret = with_number(500);
	return handled == 1 ? (int)-ret : 1;
}

static void a_frame_that_makes_another_call_is_asked_again(void)
{
	CHECK_EQ(confined(SYS_getppid, returns_into_a_call), REFUSED << 8);
	no_new_privs();
	CHECK(freely(returns_into_a_call) != REFUSED << 8);
}

static int is_restarted(void)
{
	struct timespec ts = { 0, 200000000 };
	pid_t me = getpid(), helper;

	/* a stop and SIGCONT: poll goes on as restart_syscall, by itself */
	helper = fork();
	if (!helper) {
		nanosleep(&ts, NULL);
		kill(me, SIGSTOP);
		nanosleep(&ts, NULL);
		kill(me, SIGCONT);
		_exit(0);
	}
	errno = 0;
	int r = poll(NULL, 0, 1000);
	return r ? errno : 0;
}

static void what_is_restarted_is_asked_about_by_its_number(void)
{
	CHECK_EQ(confined(SYS_restart_syscall, is_restarted), REFUSED << 8);
	CHECK_EQ(freely(is_restarted), 0);
}

/* ---- programs and processes ---- */

static int runs_itself(void)
{
	dup2(open("/dev/null", O_WRONLY), 1);
	execl("/proc/self/exe", "filter_doors", "calls_getppid", NULL);
	return 99;
}

static void calls_getppid(void)
{
	CHECK(syscall(SYS_getppid) > 0);
}

static void another_program_is_no_way_out(void)
{
	CHECK_EQ(confined(SYS_getppid, runs_itself), 1 << 8);
	CHECK_EQ(freely(runs_itself), 0);
}

static int child_calls(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	int status;

	if (!pid)
		_exit(syscall(SYS_getppid) < 0 ? errno : 0);
	waitpid(pid, &status, 0);
	return status >> 8;
}

static void a_child_is_no_way_out(void)
{
	CHECK_EQ(confined(SYS_getppid, child_calls), REFUSED << 8);
	CHECK_EQ(freely(child_calls), 0);
}

/* Has the right to trace; the tracee's filter holds for what it makes it call. */
static int makes_tracee_call(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		with_number(500);
		_exit(0);
	}
	struct user_regs_struct r;
	waitpid(pid, &status, 0);
	/* to the entry of call 500 */
	do {
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
	CHECK_EQ(confined(SYS_getpgrp, makes_tracee_call), REFUSED << 8);
	CHECK_EQ(freely(makes_tracee_call), 0);
}

static void no_tracer_suspends_it(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	/* PTRACE_O_SUSPEND_SECCOMP; Linux lets the privileged */
	if (tap_on_mayfly())
		CHECK_ERR(ptrace(PTRACE_SETOPTIONS, pid, 0, 1 << 21), EINVAL);
	CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(tap_wait(pid), SIGKILL);
}

/* ---- lifting it ---- */

static int installs_a_mild_one(void)
{
	if (FILTER(0, ALLOW) || FILTER(SECCOMP_FILTER_FLAG_TSYNC, ALLOW) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
		  &(struct sock_fprog){ 1, &(struct sock_filter)ALLOW }))
		return 111;
	return syscall(SYS_getppid) < 0 ? errno : 0;
}

static void a_mild_filter_on_top_lifts_nothing(void)
{
	CHECK_EQ(confined(SYS_getppid, installs_a_mild_one), REFUSED << 8);
	no_new_privs();
	CHECK_EQ(freely(installs_a_mild_one), 0);
}

static int turns_it_off(void)
{
	return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_DISABLED, 0) ||
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0) ||
	       !prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) || prctl(PR_GET_SECCOMP) != 2;
}

static void it_cannot_be_turned_off(void)
{
	CHECK_EQ(confined(SYS_getppid, turns_it_off), 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
}

/* The instructions are copied: what the program does to its own later is nothing. */
static void the_instructions_are_the_kernels(void)
{
	struct sock_filter f[] = { LOAD(nr), IF_EQ(SYS_getppid, 0, 1),
				   RET(SECCOMP_RET_ERRNO | REFUSED), ALLOW };

	no_new_privs();
	CHECK_EQ(filter_install(0, f, 4), 0);
	f[2] = (struct sock_filter)ALLOW;
	f[0] = (struct sock_filter)ALLOW;
	CHECK_ERR(syscall(SYS_getppid), REFUSED);
	CHECK(syscall(SYS_getpid) > 0);
}

TEST_MAIN(CASE(x32_numbers_are_no_calls),
	  CASE(the_upper_half_of_the_number_does_not_count),
	  CASE(numbers_beyond_the_table_are_asked_about),
	  CASE(other_ways_in_lead_nowhere),
	  CASE(a_frame_that_makes_another_call_is_asked_again),
	  CASE(what_is_restarted_is_asked_about_by_its_number),
	  CASE(another_program_is_no_way_out), CASE(calls_getppid),
	  CASE(a_child_is_no_way_out), CASE(a_tracer_does_not_get_another_call_past_it),
	  CASE(no_tracer_suspends_it), CASE(a_mild_filter_on_top_lifts_nothing),
	  CASE(it_cannot_be_turned_off), CASE(the_instructions_are_the_kernels))

/* ptrace(2): signals that come while the tracee is in a stop. It takes them as soon as it
 * goes on, whatever the stop was for. */
/* libc: musl glibc */
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/trace.h"

#define ENTRY_OR_EXIT (SIGTRAP | 0x80)

enum { NOTHING_CAME = 7, HANDLED = 8 };

static void to_process(int pid, int sig)
{
	CHECK_EQ(kill(pid, sig), 0);
}

static void to_thread(int pid, int sig)
{
	CHECK_EQ(syscall(SYS_tgkill, pid, pid, sig), 0);
}

static void call_and_exit(void)
{
	syscall(SYS_getppid);
	_exit(NOTHING_CAME);
}

/* In the stop before the call of call_and_exit, or behind it. */
static int stopped_at_call(void (*fn)(void), bool behind)
{
	int pid = tracee(fn);
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	for (int i = 0; i <= behind; i++) {
		CHECK_EQ(pt(PTRACE_SYSCALL, pid, 0, 0), 0);
		expect_stop(pid, ENTRY_OR_EXIT);
	}
	return pid;
}

static void comes_at(bool behind, void (*send)(int, int))
{
	int pid = stopped_at_call(call_and_exit, behind);
	/* One that the tracer lets pass, and one that does nothing but stop. */
	send(pid, SIGUSR1);
	send(pid, SIGCHLD);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_stop(pid, SIGUSR1);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_stop(pid, SIGCHLD);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, NOTHING_CAME);
}

static void before_a_call(void)
{
	comes_at(false, to_process);
	comes_at(false, to_thread);
}

static void behind_a_call(void)
{
	comes_at(true, to_process);
	comes_at(true, to_thread);
}

static void sleep_and_exit(void)
{
	syscall(SYS_nanosleep, &(struct timespec){ .tv_sec = 2 }, NULL);
	_exit(NOTHING_CAME);
}

/* The call that is about to begin does not sleep. */
static void before_a_call_that_sleeps(void)
{
	int pid = stopped_at_call(sleep_and_exit, false);
	to_process(pid, SIGTERM);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_stop(pid, SIGTERM);
	CHECK_EQ((long)regs_of(pid).orig_rax, SYS_nanosleep);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, SIGTERM), 0);
	expect_killed(pid, SIGTERM);
}

static void on_signal(int sig)
{
	_exit(HANDLED);
}

static void handle_and_call(void)
{
	signal(SIGUSR1, on_signal);
	syscall(SYS_getppid);
	_exit(NOTHING_CAME);
}

static void and_the_tracer_leaves(void)
{
	int pid = tracee(handle_and_call);
	expect_stop(pid, SIGSTOP);
	do {
		CHECK_EQ(pt(PTRACE_SYSCALL, pid, 0, 0), 0);
		expect_stop(pid, SIGTRAP);
	} while (regs_of(pid).orig_rax != SYS_getppid);
	to_process(pid, SIGUSR1);
	CHECK_EQ(pt(PTRACE_DETACH, pid, 0, 0), 0);
	expect_exit(pid, HANDLED);
}

static void fork_and_exit(void)
{
	if (!syscall(SYS_fork))
		_exit(4);
	_exit(NOTHING_CAME);
}

/* The real parent hears of its child's end when the tracer has. */
static void a_child_ends_at_its_parents_event(void)
{
	int parent = tracee(fork_and_exit);
	expect_stop(parent, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, parent, 0, PTRACE_O_TRACEFORK), 0);
	CHECK_EQ(pt(PTRACE_CONT, parent, 0, 0), 0);
	expect_stop(parent, SIGTRAP | PTRACE_EVENT_FORK << 8);
	int child = (int)event_message(parent);
	expect_stop(child, SIGSTOP);
	CHECK_EQ(pt(PTRACE_CONT, child, 0, 0), 0);
	expect_exit(child, 4);
	CHECK_EQ(pt(PTRACE_CONT, parent, 0, 0), 0);
	expect_stop(parent, SIGCHLD);
	CHECK_EQ(pt(PTRACE_CONT, parent, 0, 0), 0);
	expect_exit(parent, NOTHING_CAME);
}

static void blocked_and_call(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	syscall(SYS_getppid);
	_exit(NOTHING_CAME);
}

/* The twin: what is blocked is not seen. */
static void a_blocked_one_waits(void)
{
	int pid = tracee(blocked_and_call);
	expect_stop(pid, SIGSTOP);
	do {
		CHECK_EQ(pt(PTRACE_SYSCALL, pid, 0, 0), 0);
		expect_stop(pid, SIGTRAP);
	} while (regs_of(pid).orig_rax != SYS_getppid);
	to_process(pid, SIGUSR1);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, NOTHING_CAME);
}

TEST_MAIN(CASE(before_a_call), CASE(behind_a_call), CASE(before_a_call_that_sleeps),
	  CASE(and_the_tracer_leaves), CASE(a_child_ends_at_its_parents_event),
	  CASE(a_blocked_one_waits))

/* ptrace(2): system calls, single steps, and what a tracee tells of itself. */
/* libc: musl glibc */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/trace.h"

/* ---- system calls ---- */

static void one_getppid(void)
{
	_exit(syscall(SYS_getppid) == 12345 ? 0 : 1);
}

static void calls_stop_twice(void)
{
	int pid = tracee(one_getppid);
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	for (;;) {
		CHECK_EQ(pt(PTRACE_SYSCALL, pid, 0, 0), 0);
		expect_stop(pid, SIGTRAP | 0x80);
		struct user_regs_struct r = regs_of(pid);
		if (r.orig_rax == SYS_getppid)
			break;
	}
	struct ptrace_syscall_info i;
	unsigned long message;
	CHECK_EQ((long)regs_of(pid).rax, -ENOSYS);
	message = event_message(pid);
	CHECK_EQ(message, PTRACE_EVENTMSG_SYSCALL_ENTRY);
	CHECK_EQ(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof i, (unsigned long)&i), 80);
	CHECK_EQ(i.op, PTRACE_SYSCALL_INFO_ENTRY);
	CHECK_EQ(i.arch, 0xc000003e);
	CHECK_EQ(i.entry.nr, SYS_getppid);
	CHECK_EQ(pt(PTRACE_SYSCALL, pid, 0, 0), 0);
	expect_stop(pid, SIGTRAP | 0x80);
	CHECK_EQ(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof i, (unsigned long)&i), 33);
	CHECK_EQ(i.op, PTRACE_SYSCALL_INFO_EXIT);
	CHECK_EQ(i.exit.rval, getpid());
	CHECK_EQ(i.exit.is_error, 0);
	CHECK_EQ(pt(PTRACE_POKEUSR, pid, offsetof(struct user, regs.rax), 12345), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 0);
}

static void a_call_can_be_skipped(void)
{
	int pid = tracee(one_getppid);
	expect_stop(pid, SIGSTOP);
	do {
		CHECK_EQ(pt(PTRACE_SYSCALL, pid, 0, 0), 0);
		expect_stop(pid, SIGTRAP);
	} while (regs_of(pid).orig_rax != SYS_getppid);
	CHECK_EQ(pt(PTRACE_POKEUSR, pid, offsetof(struct user, regs.orig_rax), -1ul), 0);
	CHECK_EQ(pt(PTRACE_POKEUSR, pid, offsetof(struct user, regs.rax), 12345), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 0);
}

static void a_call_can_be_emulated(void)
{
	int pid = tracee(one_getppid);
	expect_stop(pid, SIGSTOP);
	do {
		CHECK_EQ(pt(PTRACE_SYSEMU, pid, 0, 0), 0);
		expect_stop(pid, SIGTRAP);
	} while (regs_of(pid).orig_rax != SYS_getppid);
	CHECK_EQ(pt(PTRACE_POKEUSR, pid, offsetof(struct user, regs.rax), 12345), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 0);
}

/* ---- single steps ---- */

static __attribute__((noinline)) void stepped(void)
{
	/* A call, a repeated instruction, a flag test. */
	__asm__ volatile("mov %0, %%eax\n\t"
			 "syscall\n\t"
			 "xor %%eax, %%eax\n\t"
			 "nop\n\t"
			 "ud2"
			 :
			 : "i"(SYS_getppid)
			 : "rax", "rcx", "r11", "memory");
}

static void steps_count_instructions(void)
{
	int pid = tracee(stepped);
	unsigned long at = (unsigned long)&stepped, last = 0;
	int after_call = 0, in = 0;
	siginfo_t si;
	expect_stop(pid, SIGSTOP);
	for (int i = 0; i < 2000; i++) {
		CHECK_EQ(pt(PTRACE_SINGLESTEP, pid, 0, 0), 0);
		int status = wait_for(pid);
		CHECK(WIFSTOPPED(status));
		struct user_regs_struct r = regs_of(pid);
		CHECK_EQ(r.eflags & 0x100, 0);
		if (WSTOPSIG(status) == SIGILL)
			break;
		CHECK_EQ(WSTOPSIG(status), SIGTRAP);
		if (r.rip < at || r.rip > at + 64)
			continue;
		in++;
		/* Right behind the call: it has stopped there, not one further. */
		unsigned long code = peek(pid, (void *)(r.rip - 2));
		if ((code & 0xffff) == 0x050f && last == r.rip - 2) {
			after_call++;
			CHECK_EQ(r.rax, getpid());
			CHECK_EQ(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si), 0);
			CHECK_EQ(si.si_code, TRAP_BRKPT);
		}
		last = r.rip;
	}
	CHECK_EQ(after_call, 1);
	CHECK(in >= 5);
	end(pid);
}

static volatile int in_handler;

static void on_alarm(int sig)
{
	in_handler = 1;
}

static void raise_handled(void)
{
	signal(SIGUSR1, on_alarm);
	raise(SIGUSR1);
	_exit(in_handler);
}

static void a_step_goes_into_the_handler(void)
{
	int pid = tracee(raise_handled);
	expect_stop(pid, SIGSTOP);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGUSR1);
	CHECK_EQ(pt(PTRACE_SINGLESTEP, pid, 0, SIGUSR1), 0);
	expect_stop(pid, SIGTRAP);
	CHECK_EQ(regs_of(pid).rip, (unsigned long)on_alarm);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 1);
}

/* ---- events ---- */

static void fork_once(void)
{
	int child = fork();
	if (!child)
		_exit(5);
	int status;
	waitpid(child, &status, 0);
	_exit(WEXITSTATUS(status));
}

static void fork_is_followed(void)
{
	int pid = tracee(fork_once);
	unsigned long child;
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK), 0);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_FORK << 8);
	child = event_message(pid);
	expect_stop((int)child, SIGSTOP);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(pt(PTRACE_CONT, (int)child, 0, 0), 0);
	/* The tracer hears of the end first, then the parent. */
	expect_exit((int)child, 5);
	expect_stop(pid, SIGCHLD);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, SIGCHLD), 0);
	expect_exit(pid, 5);
}

static void vfork_once(void)
{
	int child = vfork();
	if (!child)
		_exit(5);
	int status;
	waitpid(child, &status, 0);
	_exit(WEXITSTATUS(status));
}

static void vfork_and_its_end_are_events(void)
{
	int pid = tracee(vfork_once);
	unsigned long child, again;
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0,
		    PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE),
		 0);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_VFORK << 8);
	child = event_message(pid);
	expect_stop((int)child, SIGSTOP);
	CHECK_EQ(pt(PTRACE_DETACH, (int)child, 0, 0), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8);
	again = event_message(pid);
	CHECK_EQ(child, again);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	int status = wait_for(pid);
	if (WIFSTOPPED(status)) {
		CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
		status = wait_for(pid);
	}
	CHECK_EQ(status, 5 << 8);
}

static void *thread_main(void *arg)
{
	return arg;
}

static void thread_once(void)
{
	pthread_t t;
	pthread_create(&t, NULL, thread_main, NULL);
	pthread_join(t, NULL);
	_exit(6);
}

static void threads_are_followed(void)
{
	int pid = tracee(thread_once);
	unsigned long tid;
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0,
		    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL),
		 0);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_CLONE << 8);
	tid = event_message(pid);
	CHECK((int)tid != pid);
	expect_stop((int)tid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(pt(PTRACE_CONT, (int)tid, 0, 0), 0);
	expect_stop((int)tid, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	unsigned long status;
	status = event_message((int)tid);
	CHECK_EQ(status, 0);
	CHECK_EQ(pt(PTRACE_CONT, (int)tid, 0, 0), 0);
	expect_exit((int)tid, 0);
	CHECK_ERR(waitpid((int)tid, NULL, __WALL), ECHILD);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	status = event_message(pid);
	CHECK_EQ(status, 6 << 8);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 6);
}

static void exec_self(void)
{
	char *argv[] = { "ptrace", "--exec-target", NULL };
	execv("/proc/self/exe", argv);
	_exit(1);
}

static void exec_traps_without_options(void)
{
	int pid = tracee(exec_self);
	expect_stop(pid, SIGSTOP);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGTRAP);
	end(pid);
}

static void exec_is_an_event(void)
{
	int pid = tracee(exec_self);
	unsigned long old;
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC), 0);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	old = event_message(pid);
	CHECK_EQ(old, pid);
	end(pid);
}

static void *exec_from_thread(void *arg)
{
	exec_self();
	return arg;
}

static void thread_execs(void)
{
	pthread_t t;
	pthread_create(&t, NULL, exec_from_thread, NULL);
	for (;;)
		pause();
}

/* The thread takes the leader's number; the leader's end is not told. */
static void exec_by_a_thread_keeps_the_number(void)
{
	int pid = tracee(thread_execs);
	unsigned long tid, old;
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE),
		 0);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_CLONE << 8);
	tid = event_message(pid);
	expect_stop((int)tid, SIGSTOP);
	pt(PTRACE_CONT, pid, 0, 0);
	pt(PTRACE_CONT, (int)tid, 0, 0);
	int status, got = waitpid(-1, &status, __WALL);
	CHECK_EQ(got, pid);
	CHECK_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	old = event_message(pid);
	CHECK_EQ(old, tid);
	CHECK_ERR(waitpid((int)tid, &status, __WALL), ECHILD);
	end(pid);
}

static void exit_seven(void)
{
	_exit(7);
}

static void the_exit_of_a_process_is_an_event(void)
{
	int pid = tracee(exit_seven);
	unsigned long status;
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT), 0);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	status = event_message(pid);
	CHECK_EQ(status, 7 << 8);
	CHECK(regs_of(pid).rip);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 7);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		CASE(calls_stop_twice),
		CASE(a_call_can_be_skipped),
		CASE(a_call_can_be_emulated),
		CASE(steps_count_instructions),
		CASE(a_step_goes_into_the_handler),
		CASE(fork_is_followed),
		CASE(vfork_and_its_end_are_events),
		CASE(threads_are_followed),
		CASE(exec_traps_without_options),
		CASE(exec_is_an_event),
		CASE(exec_by_a_thread_keeps_the_number),
		CASE(the_exit_of_a_process_is_an_event),
	};
	if (argc == 2 && !strcmp(argv[1], "--exec-target"))
		return 0;
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}

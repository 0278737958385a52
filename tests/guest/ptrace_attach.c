/* ptrace(2): attaching, group stops, and the end of either side. */
/* libc: musl glibc */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/trace.h"

/* ---- attaching ---- */

static void attach_stops_and_detach_lets_go(void)
{
	int pid = running_child(pause_forever);
	CHECK_EQ(tracer_pid(pid), 0);
	CHECK_EQ(pt(PTRACE_ATTACH, pid, 0, 0), 0);
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(tracer_pid(pid), getpid());
	CHECK_EQ(state_of(pid), 't');
	CHECK_ERR(pt(PTRACE_ATTACH, pid, 0, 0), EPERM);
	CHECK_EQ((long)regs_of(pid).orig_rax, SYS_pause);
	CHECK_ERR(pt(PTRACE_DETACH, pid, 0, 65), EIO);
	CHECK_EQ(pt(PTRACE_DETACH, pid, 0, 0), 0);
	CHECK_EQ(tracer_pid(pid), 0);
	CHECK_ERR(pt(PTRACE_CONT, pid, 0, 0), ESRCH);
	usleep(20000);
	CHECK_EQ(state_of(pid), 'S');
	end(pid);
}

static void detach_can_deliver_a_signal(void)
{
	int pid = running_child(pause_forever);
	CHECK_EQ(pt(PTRACE_ATTACH, pid, 0, 0), 0);
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_DETACH, pid, 0, SIGTERM), 0);
	expect_killed(pid, SIGTERM);
}

static void one_does_not_attach_to_oneself(void)
{
	CHECK_ERR(pt(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	CHECK_ERR(pt(PTRACE_SEIZE, getpid(), 0, 0), EPERM);
	CHECK_ERR(pt(PTRACE_ATTACH, 999999, 0, 0), ESRCH);
}

static void a_seized_child_runs_until_interrupted(void)
{
	int pid = running_child(pause_forever), status;
	siginfo_t si;
	CHECK_ERR(pt(PTRACE_SEIZE, pid, 1, 0), EIO);
	CHECK_ERR(pt(PTRACE_SEIZE, pid, 0, 1ul << 40), EIO);
	CHECK_EQ(pt(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	usleep(10000);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_ERR(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si), ESRCH);
	CHECK_EQ(pt(PTRACE_INTERRUPT, pid, 0, 0), 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_STOP << 8);
	CHECK_EQ(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si), 0);
	CHECK_EQ(si.si_code, SIGTRAP | PTRACE_EVENT_STOP << 8);
	/* The call that was interrupted goes on. */
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	usleep(10000);
	CHECK_EQ(state_of(pid), 'S');
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	end(pid);
}

static void exit_seven(void)
{
	_exit(7);
}

static void interrupt_and_listen_are_for_the_seized(void)
{
	int pid = tracee(exit_seven);
	expect_stop(pid, SIGSTOP);
	CHECK_ERR(pt(PTRACE_INTERRUPT, pid, 0, 0), EIO);
	CHECK_ERR(pt(PTRACE_LISTEN, pid, 0, 0), EIO);
	end(pid);
}

static void group_stop_under_seize(void)
{
	int pid = running_child(pause_forever), status;
	CHECK_EQ(pt(PTRACE_SEIZE, pid, 0, 0), 0);
	kill(pid, SIGSTOP);
	expect_stop(pid, SIGSTOP); /* the signal */
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, SIGSTOP), 0);
	expect_stop(pid, SIGSTOP | PTRACE_EVENT_STOP << 8); /* the group stop */
	CHECK_EQ(pt(PTRACE_LISTEN, pid, 0, 0), 0);
	usleep(10000);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(state_of(pid), tap_on_mayfly() ? 'T' : state_of(pid));
	kill(pid, SIGCONT);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_STOP << 8); /* it ended */
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_stop(pid, SIGCONT); /* and its signal */
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, SIGCONT), 0);
	usleep(10000);
	CHECK_EQ(state_of(pid), 'S');
	end(pid);
}

static void group_stop_of_the_old_kind(void)
{
	int pid = running_child(pause_forever);
	siginfo_t si;
	CHECK_EQ(pt(PTRACE_ATTACH, pid, 0, 0), 0);
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, SIGSTOP), 0);
	expect_stop(pid, SIGSTOP);
	CHECK_ERR(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si), EINVAL);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	usleep(10000);
	CHECK_EQ(state_of(pid), 'S');
	end(pid);
}

static void a_stopped_child_is_taken_over(void)
{
	int pid = running_child(pause_forever), status;
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(pt(PTRACE_SEIZE, pid, 0, 0), 0);
	expect_stop(pid, SIGSTOP | PTRACE_EVENT_STOP << 8);
	CHECK_EQ(pt(PTRACE_DETACH, pid, 0, 0), 0);
	usleep(10000);
	CHECK_EQ(state_of(pid), 'T');
	kill(pid, SIGCONT);
	usleep(10000);
	CHECK_EQ(state_of(pid), 'S');
	end(pid);
}

/* ---- the tracer's end ---- */

static int tracer_that_dies(int target, unsigned long options)
{
	int pid = fork();
	if (pid)
		return pid;
	if (pt(PTRACE_SEIZE, target, 0, options))
		_exit(1);
	_exit(0);
}

static void tracees_outlive_their_tracer(void)
{
	int target = running_child(pause_forever);
	expect_exit(tracer_that_dies(target, 0), 0);
	usleep(10000);
	CHECK_EQ(tracer_pid(target), 0);
	CHECK_EQ(state_of(target), 'S');
	end(target);
}

static void exitkill_ends_them(void)
{
	int target = running_child(pause_forever);
	expect_exit(tracer_that_dies(target, PTRACE_O_EXITKILL), 0);
	expect_killed(target, SIGKILL);
}

static void the_parent_waits_behind_the_tracer(void)
{
	int target = running_child(pause_forever), sync[2], status;
	CHECK_EQ(pipe(sync), 0);
	int tracer = fork();
	if (!tracer) {
		char c = 'x';
		if (pt(PTRACE_SEIZE, target, 0, 0))
			_exit(1);
		kill(target, SIGKILL);
		siginfo_t si;
		if (waitid(P_PID, target, &si, WEXITED | WNOWAIT))
			_exit(2);
		write(sync[1], &c, 1);
		usleep(50000);
		if (waitpid(target, &status, __WALL) != target)
			_exit(3);
		_exit(0);
	}
	char c;
	CHECK_EQ(read(sync[0], &c, 1), 1);
	CHECK_EQ(waitpid(target, &status, WNOHANG), 0);
	expect_exit(tracer, 0);
	expect_killed(target, SIGKILL);
}

static void kill_ends_any_stop(void)
{
	int pid = tracee(exit_seven);
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_KILL, pid, 0, 0), 0);
	expect_killed(pid, SIGKILL);
}

static void no_wait_signals_say_what_happened(void)
{
	int pid;
	siginfo_t si = { 0 };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = tracee(exit_seven);
	CHECK_EQ(sigwaitinfo(&set, &si), SIGCHLD);
	CHECK_EQ(si.si_code, CLD_TRAPPED);
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(si.si_status, SIGSTOP);
	expect_stop(pid, SIGSTOP);
	end(pid);
}

static void options_that_are_unknown_are_refused(void)
{
	int pid = tracee(exit_seven);
	expect_stop(pid, SIGSTOP);
	CHECK_ERR(pt(PTRACE_SETOPTIONS, pid, 0, 1u << 30), EINVAL);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	end(pid);
}

static void a_traced_thread_can_be_waited_for_only_by_its_tracer(void)
{
	int pid = tracee(exit_seven), status;
	expect_stop(pid, SIGSTOP);
	int other = fork();
	if (!other) {
		errno = 0;
		_exit(waitpid(pid, &status, __WALL) == -1 && errno == ECHILD ? 0 : 1);
	}
	expect_exit(other, 0);
	end(pid);
}

TEST_MAIN(CASE(attach_stops_and_detach_lets_go), CASE(detach_can_deliver_a_signal),
	  CASE(one_does_not_attach_to_oneself),
	  CASE(a_seized_child_runs_until_interrupted),
	  CASE(interrupt_and_listen_are_for_the_seized), CASE(group_stop_under_seize),
	  CASE(group_stop_of_the_old_kind), CASE(a_stopped_child_is_taken_over),
	  CASE(tracees_outlive_their_tracer), CASE(exitkill_ends_them),
	  CASE(the_parent_waits_behind_the_tracer), CASE(kill_ends_any_stop),
	  CASE(no_wait_signals_say_what_happened),
	  CASE(options_that_are_unknown_are_refused),
	  CASE(a_traced_thread_can_be_waited_for_only_by_its_tracer))

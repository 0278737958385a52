/* ptrace(2): requests, what the tracer hears and in which order, what it may change. */
#include "diff.h"

#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child; /* the tracee */

static long trace(int request, void *addr, void *data)
{
	return syscall(SYS_ptrace, request, child, addr, data);
}

/* A number in a pointer's place. */
static void *n(unsigned long v)
{
	return (void *)v;
}

static bool say_wait(const char *what, int options)
{
	int status = 0;
	pid_t pid = waitpid(-1, &status, __WALL | options);
	if (pid <= 0) {
		say("%s: %s", what, pid ? err_name(errno) : "nothing");
		return false;
	}
	const char *who = pid == child ? "" : "other, ";
	if (WIFSTOPPED(status))
		say("%s: %sstopped by %s%s, event %d", what, who,
		    sig_name(WSTOPSIG(status) & 0x7f),
		    WSTOPSIG(status) & 0x80 ? "|80" : "", status >> 16);
	else if (WIFCONTINUED(status))
		say("%s: %scontinued", what, who);
	else if (WIFSIGNALED(status))
		say("%s: %skilled by %s", what, who, sig_name(WTERMSIG(status)));
	else
		say("%s: %sexited %d", what, who, WEXITSTATUS(status));
	return WIFSTOPPED(status);
}

static void say_info(void)
{
	siginfo_t si;
	memset(&si, 0, sizeof si);
	errno = 0;
	if (trace(PTRACE_GETSIGINFO, NULL, &si))
		say("no siginfo: %s", err_name(errno));
	else
		say("siginfo %s code %d", sig_name(si.si_signo), si.si_code);
}

/* The tracee stops itself once it is traced. */
static void start(int (*fn)(void), unsigned long options)
{
	child = fork();
	NEED(child >= 0);
	if (!child) {
		syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(fn());
	}
	say_wait("start", 0);
	if (options)
		NEED(!trace(PTRACE_SETOPTIONS, NULL, n(options)));
}

/* -- who may, and when ------------------------------------------------------------ */

DIFF_CASE(trace_errors)
{
	child = getpid();
	TRY(trace(PTRACE_ATTACH, NULL, NULL));
	TRY(trace(PTRACE_SEIZE, NULL, NULL));
	TRY(trace(PTRACE_CONT, NULL, NULL));
	TRY(trace(PTRACE_PEEKTEXT, NULL, NULL));
	child = 99999;
	TRY(trace(PTRACE_ATTACH, NULL, NULL));
	TRY(trace(PTRACE_CONT, NULL, NULL));
	child = -1;
	TRY(trace(PTRACE_ATTACH, NULL, NULL));
	child = child_of(sleeper);
	TRY(trace(PTRACE_CONT, NULL, NULL));
	TRY(trace(PTRACE_DETACH, NULL, NULL));
	TRY(trace(PTRACE_KILL, NULL, NULL));
	TRY(trace(999, NULL, NULL));
	TRY(trace(-1, NULL, NULL));
	TRY(trace(PTRACE_SEIZE, n(1), NULL));
	TRY(trace(PTRACE_SEIZE, NULL, n(1ul << 30)));
	TRY(trace(PTRACE_SEIZE, NULL, n(PTRACE_O_TRACEFORK)));
	TRY(trace(PTRACE_SEIZE, NULL, NULL));
	TRY(trace(PTRACE_ATTACH, NULL, NULL));
	TRY(trace(PTRACE_CONT, NULL, NULL));
	TRY(trace(PTRACE_DETACH, NULL, NULL));
	TRY(trace(PTRACE_SETOPTIONS, NULL, NULL));
	TRY(trace(PTRACE_LISTEN, NULL, NULL));
	TRY(trace(PTRACE_INTERRUPT, NULL, NULL));
	say_wait("interrupted", 0);
	TRY(trace(PTRACE_INTERRUPT, NULL, NULL));
	TRY(trace(PTRACE_SETOPTIONS, NULL, n(1ul << 30)));
	TRY(trace(PTRACE_CONT, NULL, n(65)));
	TRY(trace(PTRACE_CONT, NULL, n(-1ul)));
	TRY(trace(PTRACE_DETACH, NULL,
		  n(SIGTERM))); /* only where it stopped by a signal */
	kill(child, SIGKILL);
	say_wait("detached", 0);
	TRY(trace(PTRACE_CONT, NULL, NULL));
}

static void attach_as_nobody(void)
{
	become_nobody();
	TRY(trace(PTRACE_ATTACH, NULL, NULL));
	TRY(trace(PTRACE_SEIZE, NULL, NULL));
	child = 1;
	TRY(trace(PTRACE_ATTACH, NULL, NULL));
}

DIFF_CASE(trace_as_nobody)
{
	pid_t target = child = child_of(sleeper);
	pid_t pid = fork();
	if (!pid) {
		attach_as_nobody();
		_exit(0);
	}
	say_status("nobody", reap(pid));
	kill(target, SIGKILL);
}

static int traceme_twice(void)
{
	child = 0;
	TRY(trace(PTRACE_TRACEME, NULL, NULL));
	return 0;
}

DIFF_CASE(trace_me_twice)
{
	start(traceme_twice, 0);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end", 0);
}

DIFF_CASE(trace_attach_to_stopped)
{
	child = child_of(sleeper);
	kill(child, SIGSTOP);
	wait_state(child, 'T');
	TRY(trace(PTRACE_ATTACH, NULL, NULL));
	say_wait("attached", 0);
	say_info();
	TRY(trace(PTRACE_DETACH, NULL, NULL));
	wait_state(child, 'T');
	TRY(trace(PTRACE_SEIZE, NULL, NULL));
	say_wait("seized", 0);
	say_info();
	TRY(trace(PTRACE_LISTEN, NULL, NULL));
	kill(child, SIGCONT);
	say_wait("continued", 0);
	say_info();
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("the signal", 0);
	TRY(trace(PTRACE_CONT, NULL, NULL));
	kill(child, SIGKILL);
	say_wait("killed", 0);
}

DIFF_CASE(trace_exitkill)
{
	int p[2];
	char b;
	NEED(!pipe(p));
	pid_t tracer = fork();
	if (!tracer) {
		start(sleeper, PTRACE_O_EXITKILL);
		trace(PTRACE_CONT, NULL, NULL);
		_exit(0);
	}
	reap(tracer);
	close(p[1]);
	TRY(read(p[0], &b, 1));
}

/* -- signals ---------------------------------------------------------------------- */

static int raises_three(void)
{
	catch (SIGUSR1, SA_SIGINFO);
	catch (SIGUSR2, 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	say("%d and %d, code %d value %d", (int)caught[SIGUSR1], (int)caught[SIGUSR2],
	    caught_info.si_code, caught_info.si_value.sival_int);
	raise(SIGTERM);
	return 5;
}

DIFF_CASE(trace_signals)
{
	siginfo_t si;
	start(raises_three, 0);
	say_info();
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("first", 0);
	say_info();
	NEED(!trace(PTRACE_CONT, NULL, NULL)); /* dropped */
	say_wait("second", 0);
	NEED(!trace(PTRACE_CONT, NULL, n(SIGUSR2))); /* another */
	say_wait("third", 0);
	memset(&si, 0, sizeof si);
	si.si_signo = SIGUSR1, si.si_code = -7, si.si_value.sival_int = 42;
	TRY(trace(PTRACE_SETSIGINFO, NULL, &si));
	NEED(!trace(PTRACE_CONT, NULL, n(SIGUSR1)));
	say_wait("fourth", 0);
	NEED(!trace(PTRACE_CONT, NULL, n(SIGTERM)));
	say_wait("end", 0);
	TRY(trace(PTRACE_CONT, NULL, NULL));
}

static int waits_blocked(void)
{
	block_signal(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGSTOP);
	unblock_signal(SIGUSR1);
	return 0;
}

DIFF_CASE(trace_pending_and_masks)
{
	uint64_t mask = 0;
	struct __ptrace_peeksiginfo_args a = { 0, 0, 4 };
	siginfo_t got[4];
	start(waits_blocked, 0);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("blocked", 0);
	TRY(trace(PTRACE_GETSIGMASK, n(8), &mask));
	say("mask 0x%llx", (unsigned long long)mask);
	TRY(trace(PTRACE_GETSIGMASK, n(4), &mask));
	memset(got, 0, sizeof got);
	long of_thread = trace(PTRACE_PEEKSIGINFO, &a, got);
	say("%ld pending, %s", of_thread, sig_name(got[0].si_signo));
	a.flags = 1;
	TRY(trace(PTRACE_PEEKSIGINFO, &a, got));
	a.flags = 2;
	TRY(trace(PTRACE_PEEKSIGINFO, &a, got));
	a = (struct __ptrace_peeksiginfo_args){ 0, 0, -1 };
	TRY(trace(PTRACE_PEEKSIGINFO, &a, got));
	a = (struct __ptrace_peeksiginfo_args){ 5, 0, 4 };
	TRY(trace(PTRACE_PEEKSIGINFO, &a, got));
	mask = 0;
	TRY(trace(PTRACE_SETSIGMASK, n(8), &mask));
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("unblocked", 0);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end", 0);
}

/* -- system calls ----------------------------------------------------------------- */

static int calls_getppid(void)
{
	long r = syscall(SYS_getppid);
	say("getppid %s", r == getppid() ? "is right" : r == 77 ? "= 77" : "failed");
	return 0;
}

DIFF_CASE(trace_system_calls)
{
	struct user_regs_struct r;
	start(calls_getppid, PTRACE_O_TRACESYSGOOD);
	NEED(!trace(PTRACE_SYSCALL, NULL, NULL));
	say_wait("entry", 0);
	say_info();
	TRY(trace(PTRACE_GETREGS, NULL, &r));
	say("call %lld rax %lld", (long long)r.orig_rax, (long long)r.rax);
	NEED(!trace(PTRACE_SYSCALL, NULL, NULL));
	say_wait("exit", 0);
	TRY(trace(PTRACE_GETREGS, NULL, &r));
	say("call %lld, same as the parent %d", (long long)r.orig_rax,
	    r.rax == (unsigned long)getpid());
	r.rax = 77;
	TRY(trace(PTRACE_SETREGS, NULL, &r));
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end", 0);
}

DIFF_CASE(trace_call_is_replaced)
{
	struct user_regs_struct r;
	start(calls_getppid, 0);
	NEED(!trace(PTRACE_SYSCALL, NULL, NULL));
	say_wait("entry", 0);
	NEED(!trace(PTRACE_GETREGS, NULL, &r));
	r.orig_rax = -1ull;
	TRY(trace(PTRACE_SETREGS, NULL, &r));
	NEED(!trace(PTRACE_SYSCALL, NULL, NULL));
	say_wait("exit", 0);
	NEED(!trace(PTRACE_GETREGS, NULL, &r));
	say("rax %lld", (long long)r.rax);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end", 0);
}

DIFF_CASE(trace_syscall_info)
{
	struct {
		uint8_t op, pad[3];
		uint32_t arch;
		uint64_t ip, sp, nr, args[6], ret;
	} i;
	const int get = 0x420e;
	start(calls_getppid, PTRACE_O_TRACESYSGOOD);
	memset(&i, 0, sizeof i);
	TRY(trace(get, n(sizeof i), &i));
	say("op %d arch 0x%x", i.op, i.arch);
	NEED(!trace(PTRACE_SYSCALL, NULL, NULL));
	say_wait("entry", 0);
	TRY(trace(get, n(sizeof i), &i));
	say("op %d nr %llu", i.op, (unsigned long long)i.nr);
	TRY(trace(get, n(4), &i));
	TRY(trace(get, n(0), &i));
	NEED(!trace(PTRACE_SYSCALL, NULL, NULL));
	say_wait("exit", 0);
	TRY(trace(get, n(sizeof i), &i));
	say("op %d value right %d error %d", i.op, i.nr == (uint64_t)getpid(),
	    (int)(i.args[0] & 0xff));
	TRY(trace(PTRACE_KILL, NULL, NULL));
	say_wait("end", 0);
}

DIFF_CASE(trace_sysemu)
{
	struct user_regs_struct r;
	start(calls_getppid, 0);
	NEED(!trace(PTRACE_SYSEMU, NULL, NULL));
	say_wait("entry", 0);
	NEED(!trace(PTRACE_GETREGS, NULL, &r));
	say("call %lld rax %lld", (long long)r.orig_rax, (long long)r.rax);
	r.rax = 77;
	NEED(!trace(PTRACE_SETREGS, NULL, &r));
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end", 0);
}

/* -- events ----------------------------------------------------------------------- */

static void say_message(void)
{
	unsigned long v = 0;
	TRY(trace(PTRACE_GETEVENTMSG, NULL, &v));
	say("message %s", v == 0 ? "0" : v < 300 || v > 32767 ? "a status" : "a number");
}

static int forks(void)
{
	pid_t pid = fork();
	if (!pid)
		_exit(4);
	return reap(pid) >> 8;
}

DIFF_CASE(trace_fork_events)
{
	start(forks, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEVFORKDONE);
	pid_t parent = child;
	unsigned long pid = 0;
	TRY(trace(PTRACE_CONT, NULL, NULL));
	int status;
	NEED(waitpid(parent, &status, __WALL) == parent);
	SHOW(status >> 16);
	TRY(trace(PTRACE_GETEVENTMSG, NULL, &pid));
	child = (pid_t)pid;
	NEED(waitpid(child, &status, __WALL) == child);
	say("the new one is stopped by %s, event %d", sig_name(WSTOPSIG(status)),
	    status >> 16);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	NEED(waitpid(child, &status, __WALL) == child);
	SHOW(status >> 16);
	unsigned long code = 0;
	TRY(trace(PTRACE_GETEVENTMSG, NULL, &code));
	say("exit status 0x%lx", code);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	NEED(waitpid(child, &status, __WALL) == child);
	say_status("its end", status);
	child = parent;
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	NEED(waitpid(child, &status, __WALL) == child);
	say("stopped by %s, event %d", sig_name(WSTOPSIG(status)), status >> 16);
	TRY(trace(PTRACE_CONT, NULL, n(WSTOPSIG(status) == SIGCHLD ? SIGCHLD : 0)));
	if (WSTOPSIG(status) == SIGCHLD) {
		NEED(waitpid(child, &status, __WALL) == child);
		say("stopped by %s, event %d", sig_name(WSTOPSIG(status)), status >> 16);
		TRY(trace(PTRACE_CONT, NULL, NULL));
	}
	say_wait("end", 0);
}

static int vforks(void)
{
	pid_t pid = vfork();
	if (!pid)
		_exit(6);
	return reap(pid) >> 8;
}

DIFF_CASE(trace_vfork_done)
{
	start(vforks, PTRACE_O_TRACEVFORKDONE);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("done", 0);
	say_message();
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	if (say_wait("signal", 0)) {
		NEED(!trace(PTRACE_CONT, NULL, NULL));
		say_wait("end", 0);
	}
}

static int execs(void)
{
	exec_helper("trace_target", NULL);
	return 9;
}

DIFF_HELPER(trace_target)
{
	return 8;
}

DIFF_CASE(trace_exec_without_option)
{
	start(execs, 0);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("exec", 0);
	say_info();
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end", 0);
}

DIFF_CASE(trace_exec_event)
{
	start(execs, PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT);
	unsigned long v = 0;
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("exec", 0);
	say_info();
	TRY(trace(PTRACE_GETEVENTMSG, NULL, &v));
	SHOW(v == (unsigned long)child);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("exit", 0);
	TRY(trace(PTRACE_GETEVENTMSG, NULL, &v));
	say("exit status 0x%lx", v);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end", 0);
}

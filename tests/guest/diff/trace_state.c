/* ptrace(2): memory, registers, steps, and stops of groups. */
#include "diff.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

static long trace(int request, void *addr, void *data)
{
	return syscall(SYS_ptrace, request, child, addr, data);
}

static void *n(unsigned long v)
{
	return (void *)v;
}

static void say_wait(const char *what)
{
	int status = 0;
	NEED(waitpid(child, &status, __WALL) == child);
	if (WIFSTOPPED(status))
		say("%s: stopped by %s, event %d", what, sig_name(WSTOPSIG(status)),
		    status >> 16);
	else
		say_status(what, status);
}

static long word = 0x1122334455667788;
static const long constant = 5;
static char *guarded;

static int checks_word(void)
{
	say("word %lx constant %ld", word, *(volatile const long *)&constant);
	return 0;
}

static void start(int (*fn)(void))
{
	guarded = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	NEED(guarded != MAP_FAILED && !munmap(guarded + 4096, 4096));
	child = fork();
	NEED(child >= 0);
	if (!child) {
		syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(fn());
	}
	say_wait("start");
}

DIFF_CASE(trace_memory)
{
	long v = 0;
	start(checks_word);
	TRY(trace(PTRACE_PEEKDATA, &word, &v));
	SHOW(v == word);
	TRY(trace(PTRACE_PEEKTEXT, (char *)&word + 1, &v));
	say("unaligned %lx", v & 0xffffffffffffff);
	TRY(trace(PTRACE_PEEKDATA, n(8), &v));
	TRY(trace(PTRACE_PEEKDATA, guarded + 4088, &v));
	TRY(trace(PTRACE_PEEKDATA, guarded + 4089, &v));
	TRY(trace(PTRACE_PEEKDATA, &word, n(8)));
	TRY(trace(PTRACE_PEEKDATA, n(-8ul), &v));
	TRY(trace(PTRACE_PEEKDATA, n(0x7ffffffff000), &v));
	TRY(trace(PTRACE_POKEDATA, &word, n(0x99)));
	TRY(trace(PTRACE_POKEDATA, (void *)&constant, n(6)));
	TRY(trace(PTRACE_POKEDATA, guarded + 4089, n(6)));
	TRY(trace(PTRACE_POKETEXT, n(8), n(6)));
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end");
}

DIFF_CASE(trace_user_area)
{
	unsigned long v = 0, at = offsetof(struct user, regs.rip);
	struct user_regs_struct r;
	start(checks_word);
	NEED(!trace(PTRACE_GETREGS, NULL, &r));
	TRY(trace(PTRACE_PEEKUSER, n(at), &v));
	SHOW(v == r.rip);
	TRY(trace(PTRACE_PEEKUSER, n(at + 1), &v));
	TRY(trace(PTRACE_PEEKUSER, n(2048), &v));
	TRY(trace(PTRACE_PEEKUSER, n(904), &v));
	TRY(trace(PTRACE_PEEKUSER, n(-8ul), &v));
	TRY(trace(PTRACE_POKEUSER, n(offsetof(struct user, regs.r15)), n(0x77)));
	TRY(trace(PTRACE_PEEKUSER, n(offsetof(struct user, regs.r15)), &v));
	SHOW(v);
	TRY(trace(PTRACE_POKEUSER, n(offsetof(struct user, regs.cs)), n(0)));
	TRY(trace(PTRACE_POKEUSER, n(offsetof(struct user, regs.ss)), n(0x18)));
	TRY(trace(PTRACE_POKEUSER, n(offsetof(struct user, regs.fs_base)), n(1ul << 63)));
	TRY(trace(PTRACE_POKEUSER, n(offsetof(struct user, regs.eflags)), n(0xffffbfff)));
	TRY(trace(PTRACE_PEEKUSER, n(offsetof(struct user, regs.eflags)), &v));
	say("eflags 0x%lx", v);
	for (int k = 0; k < 8; k++) {
		unsigned long reg = offsetof(struct user, u_debugreg) + (unsigned)k * 8;
		TRY(trace(PTRACE_PEEKUSER, n(reg), &v));
	}
	TRY(trace(PTRACE_KILL, NULL, NULL));
	say_wait("end");
}

DIFF_CASE(trace_register_sets)
{
	char b[4096];
	struct user_regs_struct r;
	struct user_fpregs_struct f;
	struct iovec v = { b, sizeof b };
	start(checks_word);
	TRY(trace(PTRACE_GETREGS, NULL, &r));
	SHOW(r.cs), SHOW(r.ss), SHOW(r.ds);
	TRY(trace(PTRACE_GETREGS, NULL, n(8)));
	TRY(trace(PTRACE_GETFPREGS, NULL, &f));
	say("cwd 0x%x mxcsr 0x%x", f.cwd, f.mxcsr);
	TRY(trace(PTRACE_GETREGSET, n(NT_PRSTATUS), &v));
	SHOW(v.iov_len);
	v.iov_len = 16;
	TRY(trace(PTRACE_GETREGSET, n(NT_PRSTATUS), &v));
	SHOW(v.iov_len);
	v.iov_len = 13;
	TRY(trace(PTRACE_GETREGSET, n(NT_PRSTATUS), &v));
	v.iov_len = sizeof b;
	TRY(trace(PTRACE_GETREGSET, n(NT_PRFPREG), &v));
	SHOW(v.iov_len);
	v.iov_len = sizeof b;
	TRY(trace(PTRACE_GETREGSET, n(NT_X86_XSTATE), &v) < 0);
	TRY(trace(PTRACE_GETREGSET, n(999), &v));
	TRY(trace(PTRACE_GETREGSET, n(NT_PRSTATUS), n(8)));
	f.mxcsr = 0xffffffff;
	TRY(trace(PTRACE_SETFPREGS, NULL, &f));
	r.cs = 0x10;
	TRY(trace(PTRACE_SETREGS, NULL, &r));
	TRY(trace(PTRACE_KILL, NULL, NULL));
	say_wait("end");
}

static int steps(void)
{
	__asm__ volatile("nop\n\tnop\n\tnop");
	return 0;
}

DIFF_CASE(trace_single_steps)
{
	struct user_regs_struct a, b;
	siginfo_t si;
	start(steps);
	NEED(!trace(PTRACE_GETREGS, NULL, &a));
	NEED(!trace(PTRACE_SINGLESTEP, NULL, NULL));
	say_wait("step");
	TRY(trace(PTRACE_GETSIGINFO, NULL, &si));
	say("code %d", si.si_code);
	NEED(!trace(PTRACE_GETREGS, NULL, &b));
	SHOW(a.rip != b.rip);
	SHOW(!!(b.eflags & 0x100));
	for (int k = 0; k < 5; k++) {
		NEED(!trace(PTRACE_SINGLESTEP, NULL, NULL));
		say_wait("step");
	}
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end");
}

static int traps(void)
{
	__asm__ volatile("int3");
	return 7;
}

DIFF_CASE(trace_breakpoints)
{
	siginfo_t si;
	start(traps);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("int3");
	NEED(!trace(PTRACE_GETSIGINFO, NULL, &si));
	say("code %d", si.si_code);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("end");
}

static int faults(void)
{
	guarded[4096] = 1; /* nothing is there */
	return 0;
}

DIFF_CASE(trace_faults)
{
	siginfo_t si;
	start(faults);
	NEED(!trace(PTRACE_CONT, NULL, NULL));
	say_wait("fault");
	NEED(!trace(PTRACE_GETSIGINFO, NULL, &si));
	say("code %d addr right %d", si.si_code, si.si_addr == guarded + 4096);
	NEED(!trace(PTRACE_CONT, NULL, n(SIGSEGV)));
	say_wait("end");
}

/* -- stops ------------------------------------------------------------------------ */

DIFF_CASE(trace_group_stop)
{
	siginfo_t si;
	child = child_of(sleeper);
	wait_asleep(child);
	TRY(trace(PTRACE_SEIZE, NULL, NULL));
	kill(child, SIGSTOP);
	say_wait("signal");
	NEED(!trace(PTRACE_CONT, NULL, n(SIGSTOP)));
	say_wait("group stop");
	TRY(trace(PTRACE_GETSIGINFO, NULL, &si));
	say("%s code %d", sig_name(si.si_signo), si.si_code);
	TRY(trace(PTRACE_LISTEN, NULL, NULL));
	TRY(trace(PTRACE_LISTEN, NULL, NULL));
	TRY(trace(PTRACE_CONT, NULL, NULL));
	TRY(trace(PTRACE_INTERRUPT, NULL, NULL));
	say_wait("interrupted");
	TRY(trace(PTRACE_CONT, NULL, NULL));
	kill(child, SIGKILL);
	say_wait("end");
}

DIFF_CASE(trace_old_group_stop)
{
	siginfo_t si;
	start(sleeper);
	NEED(!trace(PTRACE_CONT, NULL, n(SIGSTOP)));
	say_wait("group stop");
	TRY(trace(PTRACE_GETSIGINFO, NULL, &si));
	TRY(trace(PTRACE_CONT, NULL, NULL));
	kill(child, SIGCONT);
	say_wait("continued");
	TRY(trace(PTRACE_CONT, NULL, NULL));
	kill(child, SIGTERM);
	say_wait("signal");
	TRY(trace(PTRACE_DETACH, NULL, n(SIGTERM)));
	say_wait("end");
}

static int ready[2];

static int catches(void)
{
	catch (SIGUSR1, 0);
	NEED(write(ready[1], "r", 1) == 1);
	while (!caught[SIGUSR1])
		nap(1);
	return 0;
}

DIFF_CASE(trace_wait_of_tracer_and_parent)
{
	int status;
	char r;
	NEED(!pipe(ready));
	child = child_of(catches);
	NEED(read(ready[0], &r, 1) == 1);
	pid_t tracer = fork();
	if (!tracer) {
		NEED(!trace(PTRACE_SEIZE, NULL, NULL));
		NEED(!trace(PTRACE_INTERRUPT, NULL, NULL));
		say_wait("tracer");
		TRY(waitpid(child, &status, WNOHANG | __WALL));
		NEED(!trace(PTRACE_CONT, NULL, NULL));
		kill(child, SIGUSR1);
		say_wait("tracer");
		NEED(!trace(PTRACE_CONT, NULL, n(SIGUSR1)));
		say_wait("tracer");
		_exit(0);
	}
	say_status("tracer's end", reap(tracer));
	say_status("parent", reap(child));
}

/* ptrace(2): stops, registers, memory, events, and who may. */
/* libc: glibc */
#include <elf.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

/* <sys/ptrace.h> and <linux/ptrace.h> do not go together. */
#define PTRACE_GETREGS 12
#define PTRACE_SETREGS 13
#define PTRACE_GETFPREGS 14
#define PTRACE_SETFPREGS 15
#define PTRACE_SYSEMU 31

static long pt(long request, int pid, unsigned long addr, unsigned long data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

static unsigned long peek(int pid, const volatile void *at)
{
	unsigned long word = 0;
	CHECK_EQ(pt(PTRACE_PEEKDATA, pid, (unsigned long)at, (unsigned long)&word), 0);
	return word;
}

/* A child that asks to be traced, stops, and goes on with fn. */
static int tracee(void (*fn)(void))
{
	int pid = fork();
	if (!pid) {
		if (pt(PTRACE_TRACEME, 0, 0, 0))
			_exit(99);
		raise(SIGSTOP);
		fn();
		_exit(0);
	}
	CHECK(pid > 0);
	return pid;
}

static int wait_for(int pid)
{
	int status = 0;
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	return status;
}

static void expect_stop(int pid, int sig)
{
	int status = wait_for(pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(status >> 8, sig);
}

static void expect_exit(int pid, int code)
{
	int status = wait_for(pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), code);
}

static void expect_killed(int pid, int sig)
{
	int status = wait_for(pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), sig);
}

static struct user_regs_struct regs_of(int pid)
{
	struct user_regs_struct r;
	CHECK_EQ(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r), 0);
	return r;
}

static void end(int pid)
{
	kill(pid, SIGKILL);
	int status;
	do {
		CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	} while (WIFSTOPPED(status));
	CHECK(WIFSIGNALED(status));
}

/* ---- the basics ---- */

static void exit_seven(void)
{
	_exit(7);
}

static void traceme_stops_and_continues(void)
{
	int pid = tracee(exit_seven);
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 7);
}

static void a_stop_is_reported_once(void)
{
	int pid = tracee(exit_seven), status;
	siginfo_t si = { 0 };
	CHECK_EQ(waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT), 0);
	CHECK_EQ(si.si_code, CLD_TRAPPED);
	CHECK_EQ(si.si_status, SIGSTOP);
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	end(pid);
}

static void only_a_stopped_tracee_obeys(void)
{
	int pid = tracee(exit_seven);
	struct user_regs_struct r;
	expect_stop(pid, SIGSTOP);
	CHECK_ERR(pt(PTRACE_CONT, pid, 0, 65), EIO);
	CHECK_ERR(pt(9999, pid, 0, 0), EIO);
	CHECK_ERR(pt(PTRACE_CONT, 999999, 0, 0), ESRCH);
	CHECK_ERR(pt(PTRACE_CONT, getppid(), 0, 0), ESRCH);
	CHECK_EQ(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r), 0);
	CHECK_ERR(pt(PTRACE_GETREGS, pid, 0, 8), EFAULT);
	end(pid);
	CHECK_ERR(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r), ESRCH);
}

static void a_signal_is_seen_changed_and_dropped(void)
{
	int pid = fork();
	if (!pid) {
		pt(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGUSR1);
		raise(SIGWINCH); /* ignored by default, yet seen */
		raise(SIGUSR2);
		_exit(1);
	}
	siginfo_t si;
	expect_stop(pid, SIGUSR1);
	CHECK_EQ(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si), 0);
	CHECK_EQ(si.si_signo, SIGUSR1);
	CHECK_EQ(si.si_code, SI_TKILL);
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_stop(pid, SIGWINCH);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, SIGWINCH), 0);
	expect_stop(pid, SIGUSR2);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, SIGTERM), 0);
	expect_killed(pid, SIGTERM);
}

static volatile int handled;
static volatile int handled_value;

static void on_usr1(int sig, siginfo_t *si, void *ctx)
{
	handled = sig;
	handled_value = si->si_value.sival_int;
}

static void take_usr1(void)
{
	struct sigaction a = { .sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO };
	sigaction(SIGUSR1, &a, NULL);
	raise(SIGUSR1);
	_exit(handled == SIGUSR1 && handled_value == 42 ? 0 : 1);
}

static void siginfo_can_be_rewritten(void)
{
	int pid = tracee(take_usr1);
	siginfo_t si;
	expect_stop(pid, SIGSTOP);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGUSR1);
	CHECK_EQ(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si), 0);
	si.si_value.sival_int = 42;
	CHECK_EQ(pt(PTRACE_SETSIGINFO, pid, 0, (unsigned long)&si), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, SIGUSR1), 0);
	expect_exit(pid, 0);
}

static void the_mask_can_be_read_and_set(void)
{
	int pid = tracee(exit_seven);
	uint64_t mask = 1;
	expect_stop(pid, SIGSTOP);
	CHECK_ERR(pt(PTRACE_GETSIGMASK, pid, 4, (unsigned long)&mask), EINVAL);
	mask = ~0ull;
	CHECK_EQ(pt(PTRACE_SETSIGMASK, pid, 8, (unsigned long)&mask), 0);
	CHECK_EQ(pt(PTRACE_GETSIGMASK, pid, 8, (unsigned long)&mask), 0);
	CHECK_EQ(mask, ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1)));
	union sigval v = { .sival_int = 5 };
	CHECK_EQ(sigqueue(pid, SIGRTMIN + 1, v), 0);
	v.sival_int = 6;
	CHECK_EQ(sigqueue(pid, SIGRTMIN + 1, v), 0);
	siginfo_t si[4];
	struct ptrace_peeksiginfo_args a = { .off = 1, .nr = 4, .flags = 1 };
	CHECK_EQ(pt(PTRACE_PEEKSIGINFO, pid, (unsigned long)&a, (unsigned long)si), 1);
	CHECK_EQ(si[0].si_value.sival_int, 6);
	a.flags = 2;
	CHECK_ERR(pt(PTRACE_PEEKSIGINFO, pid, (unsigned long)&a, (unsigned long)si),
		  EINVAL);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 7);
}

/* ---- memory ---- */

static volatile unsigned long word = 0x1122334455667788;

static void exit_by_word(void)
{
	_exit(word == 99 ? 3 : 4);
}

static void memory_is_read_and_written(void)
{
	int pid = tracee(exit_by_word);
	unsigned long out;
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(peek(pid, &word), 0x1122334455667788);
	CHECK_EQ(pt(PTRACE_POKEDATA, pid, (unsigned long)&word, 99), 0);
	CHECK_EQ(word, 0x1122334455667788);
	CHECK_ERR(pt(PTRACE_PEEKDATA, pid, 8, (unsigned long)&out), EIO);
	CHECK_ERR(pt(PTRACE_POKEDATA, pid, 8, 1), EIO);
	CHECK_ERR(pt(PTRACE_PEEKDATA, pid, 0xffffffff81000000, (unsigned long)&out), EIO);
	CHECK_ERR(pt(PTRACE_POKEDATA, pid, 0xffffffff81000000, 1), EIO);
	CHECK_ERR(pt(PTRACE_PEEKDATA, pid, -4ul, (unsigned long)&out), EIO);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 3);
}

static __attribute__((noinline)) int answer(void)
{
	__asm__ volatile("");
	return 41;
}

static void exit_by_answer(void)
{
	_exit(answer());
}

static void text_takes_breakpoints(void)
{
	int pid = tracee(exit_by_answer);
	unsigned long at = (unsigned long)&answer, old;
	expect_stop(pid, SIGSTOP);
	old = peek(pid, (void *)at);
	CHECK_EQ(pt(PTRACE_POKETEXT, pid, at, (old & ~0xfful) | 0xcc), 0);
	CHECK_EQ(*(unsigned long *)at, old);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_stop(pid, SIGTRAP);
	struct user_regs_struct r = regs_of(pid);
	CHECK_EQ(r.rip, at + 1);
	siginfo_t si;
	CHECK_EQ(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&si), 0);
	CHECK_EQ(si.si_code, SI_KERNEL);
	CHECK_EQ(pt(PTRACE_POKETEXT, pid, at, old), 0);
	r.rip = at;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 41);
}

/* ---- registers ---- */

static __attribute__((noinline)) void pause_with_registers(void)
{
	long rbx, xmm;
	__asm__ volatile("mov $0x77, %%rbx\n\t"
			 "movq %%rbx, %%xmm9\n\t"
			 "mov %2, %%rax\n\t"
			 "mov %3, %%rdi\n\t"
			 "mov $10, %%rsi\n\t" /* SIGUSR1 */
			 "syscall\n\t"
			 "mov %%rbx, %0\n\t"
			 "movq %%xmm9, %1"
			 : "=r"(rbx), "=r"(xmm)
			 : "i"((long)SYS_tkill), "r"((long)getpid())
			 : "rax", "rbx", "rcx", "rdx", "rdi", "rsi", "r11", "xmm9",
			   "memory");
	_exit(rbx == 0x78 && xmm == 0x79 ? 0 : 1);
}

static void registers_are_read_and_written(void)
{
	int pid = tracee(pause_with_registers);
	expect_stop(pid, SIGSTOP);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGUSR1);
	struct user_regs_struct r = regs_of(pid);
	struct user_fpregs_struct fp;
	unsigned long rip;
	CHECK_EQ(r.rbx, 0x77);
	CHECK_EQ(r.orig_rax, SYS_tkill);
	CHECK_EQ(r.cs, 0x33);
	CHECK_EQ(r.ss, 0x2b);
	CHECK_EQ(pt(PTRACE_PEEKUSR, pid, offsetof(struct user, regs.rip),
		    (unsigned long)&rip),
		 0);
	CHECK_EQ(r.rip, rip);
	r.rbx = 0x78;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	CHECK_EQ(pt(PTRACE_GETFPREGS, pid, 0, (unsigned long)&fp), 0);
	CHECK_EQ(fp.xmm_space[9 * 4], 0x77);
	fp.xmm_space[9 * 4] = 0x79;
	CHECK_EQ(pt(PTRACE_SETFPREGS, pid, 0, (unsigned long)&fp), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 0);
}

static void register_sets_have_their_sizes(void)
{
	int pid = tracee(exit_seven);
	static char buf[16384];
	struct user_regs_struct r;
	struct iovec iov = { &r, sizeof r };
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&iov), 0);
	CHECK_EQ(iov.iov_len, sizeof r);
	CHECK_EQ(r.rip, regs_of(pid).rip);
	iov = (struct iovec){ buf, sizeof buf };
	CHECK_EQ(pt(PTRACE_GETREGSET, pid, NT_PRFPREG, (unsigned long)&iov), 0);
	CHECK_EQ(iov.iov_len, 512);
	iov.iov_len = sizeof buf;
	CHECK_EQ(pt(PTRACE_GETREGSET, pid, NT_X86_XSTATE, (unsigned long)&iov), 0);
	CHECK(iov.iov_len >= 576);
	CHECK_EQ(*(uint64_t *)(buf + 464) & 3, 3);
	CHECK_EQ(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (unsigned long)&iov), 0);
	iov.iov_len = 576 - 8;
	CHECK_ERR(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (unsigned long)&iov), EFAULT);
	iov.iov_len = 12;
	CHECK_ERR(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&iov), EINVAL);
	iov.iov_len = 16;
	CHECK_EQ(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&iov), 0);
	CHECK_EQ(iov.iov_len, 16);
	iov.iov_len = 16;
	CHECK_ERR(pt(PTRACE_GETREGSET, pid, 0x12345, (unsigned long)&iov), EINVAL);
	CHECK_ERR(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, 8), EFAULT);
	end(pid);
}

static void debug_registers_read_as_zero(void)
{
	int pid = tracee(exit_seven);
	unsigned long v = 1;
	expect_stop(pid, SIGSTOP);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pt(PTRACE_PEEKUSR, pid, offsetof(struct user, u_debugreg[i]),
			    (unsigned long)&v),
			 0);
		CHECK_EQ(v, 0);
	}
	CHECK_EQ(pt(PTRACE_POKEUSR, pid, offsetof(struct user, u_debugreg[7]), 0), 0);
	CHECK_ERR(pt(PTRACE_PEEKUSR, pid, 4, (unsigned long)&v), EIO);
	CHECK_ERR(pt(PTRACE_PEEKUSR, pid, 1000, (unsigned long)&v), EIO);
	end(pid);
}

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
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message), 0);
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
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&child), 0);
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
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&child), 0);
	expect_stop((int)child, SIGSTOP);
	CHECK_EQ(pt(PTRACE_DETACH, (int)child, 0, 0), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8);
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&again), 0);
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
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&tid), 0);
	CHECK((int)tid != pid);
	expect_stop((int)tid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(pt(PTRACE_CONT, (int)tid, 0, 0), 0);
	expect_stop((int)tid, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	unsigned long status;
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, (int)tid, 0, (unsigned long)&status), 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(pt(PTRACE_CONT, (int)tid, 0, 0), 0);
	expect_exit((int)tid, 0);
	CHECK_ERR(waitpid((int)tid, NULL, __WALL), ECHILD);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&status), 0);
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
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&old), 0);
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
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&tid), 0);
	expect_stop((int)tid, SIGSTOP);
	pt(PTRACE_CONT, pid, 0, 0);
	pt(PTRACE_CONT, (int)tid, 0, 0);
	int status, got = waitpid(-1, &status, __WALL);
	CHECK_EQ(got, pid);
	CHECK_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&old), 0);
	CHECK_EQ(old, tid);
	CHECK_ERR(waitpid((int)tid, &status, __WALL), ECHILD);
	end(pid);
}

static void the_exit_of_a_process_is_an_event(void)
{
	int pid = tracee(exit_seven);
	unsigned long status;
	expect_stop(pid, SIGSTOP);
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT), 0);
	pt(PTRACE_CONT, pid, 0, 0);
	expect_stop(pid, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&status), 0);
	CHECK_EQ(status, 7 << 8);
	CHECK(regs_of(pid).rip);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	expect_exit(pid, 7);
}

/* ---- attaching ---- */

static void pause_forever(void)
{
	for (;;)
		pause();
}

static int running_child(void)
{
	int pid = fork();
	if (!pid)
		pause_forever();
	CHECK(pid > 0);
	usleep(20000);
	return pid;
}

static int tracer_pid(int pid)
{
	char path[64], line[256];
	int found = -1;
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	CHECK(f);
	while (fgets(line, sizeof line, f))
		sscanf(line, "TracerPid: %d", &found);
	fclose(f);
	return found;
}

static char state_of(int pid)
{
	char path[64], text[512] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	CHECK(f);
	CHECK(fgets(text, sizeof text, f));
	fclose(f);
	return strrchr(text, ')')[2];
}

static void attach_stops_and_detach_lets_go(void)
{
	int pid = running_child();
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
	int pid = running_child();
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
	int pid = running_child(), status;
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
	int pid = running_child(), status;
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
	int pid = running_child();
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
	int pid = running_child(), status;
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
	int target = running_child();
	expect_exit(tracer_that_dies(target, 0), 0);
	usleep(10000);
	CHECK_EQ(tracer_pid(target), 0);
	CHECK_EQ(state_of(target), 'S');
	end(target);
}

static void exitkill_ends_them(void)
{
	int target = running_child();
	expect_exit(tracer_that_dies(target, PTRACE_O_EXITKILL), 0);
	expect_killed(target, SIGKILL);
}

static void the_parent_waits_behind_the_tracer(void)
{
	int target = running_child(), sync[2], status;
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
	int pid = tracee(thread_once), status;
	expect_stop(pid, SIGSTOP);
	int other = fork();
	if (!other) {
		errno = 0;
		_exit(waitpid(pid, &status, __WALL) == -1 && errno == ECHILD ? 0 : 1);
	}
	expect_exit(other, 0);
	end(pid);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		CASE(traceme_stops_and_continues),
		CASE(a_stop_is_reported_once),
		CASE(only_a_stopped_tracee_obeys),
		CASE(a_signal_is_seen_changed_and_dropped),
		CASE(siginfo_can_be_rewritten),
		CASE(the_mask_can_be_read_and_set),
		CASE(memory_is_read_and_written),
		CASE(text_takes_breakpoints),
		CASE(registers_are_read_and_written),
		CASE(register_sets_have_their_sizes),
		CASE(debug_registers_read_as_zero),
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
		CASE(attach_stops_and_detach_lets_go),
		CASE(detach_can_deliver_a_signal),
		CASE(one_does_not_attach_to_oneself),
		CASE(a_seized_child_runs_until_interrupted),
		CASE(interrupt_and_listen_are_for_the_seized),
		CASE(group_stop_under_seize),
		CASE(group_stop_of_the_old_kind),
		CASE(a_stopped_child_is_taken_over),
		CASE(tracees_outlive_their_tracer),
		CASE(exitkill_ends_them),
		CASE(the_parent_waits_behind_the_tracer),
		CASE(kill_ends_any_stop),
		CASE(no_wait_signals_say_what_happened),
		CASE(options_that_are_unknown_are_refused),
		CASE(a_traced_thread_can_be_waited_for_only_by_its_tracer),
	};
	if (argc == 2 && !strcmp(argv[1], "--exec-target"))
		return 0;
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}

/* ptrace(2): signals, memory, registers of a tracee. */
/* libc: musl glibc */
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/trace.h"

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

TEST_MAIN(CASE(traceme_stops_and_continues), CASE(a_stop_is_reported_once),
	  CASE(only_a_stopped_tracee_obeys), CASE(a_signal_is_seen_changed_and_dropped),
	  CASE(siginfo_can_be_rewritten), CASE(the_mask_can_be_read_and_set),
	  CASE(memory_is_read_and_written), CASE(text_takes_breakpoints),
	  CASE(registers_are_read_and_written), CASE(register_sets_have_their_sizes),
	  CASE(debug_registers_read_as_zero))

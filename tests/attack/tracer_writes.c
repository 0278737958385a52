/*
 * What a hostile tracer would write into its tracee's registers and memory. Each attempt
 * is refused or harmless; the twin beside it is the honest use, which works.
 */
/* libc: musl glibc */
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/trace.h"

#define KERNEL_VA 0xffffffff81000000ul
#define HOLE_VA 0x0000900000000000ul

/* Attached and stopped. */
static int attached(void (*fn)(void))
{
	int pid = running_child(fn), status;
	CHECK_EQ(pt(PTRACE_ATTACH, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status));
	return pid;
}

/* Its signals are let through, but for the tracing's own. */
static int end_status(int pid)
{
	int status, sig;
	do {
		CHECK_EQ(waitpid(pid, &status, __WALL), pid);
		sig = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
	} while (sig && !pt(PTRACE_CONT, pid, 0, sig == SIGTRAP ? 0 : (unsigned)sig));
	return status;
}

static void poke_reg(int pid, size_t at, unsigned long v)
{
	CHECK_EQ(pt(PTRACE_POKEUSR, pid, at, v), 0);
}

/* ---- registers ---- */

static void segments_stay_user_modes(void)
{
	static const unsigned long bad[] = { 0, 8, 0x10, 0x18, 0x23, 0x30, 0x3b, 0x43 };
	int pid = attached(pause_forever);
	tap_needs_mayfly(); /* Linux takes any selector of ring 3, and sees what comes */
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(cs), bad[i]), EIO);
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(ss), bad[i]), EIO);
	}
	CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(ds), 0x10), EIO);
	CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(gs), 0x18), EIO);
	poke_reg(pid, REG(gs), 0x43); /* the task segment: nothing that can be loaded */
	CHECK_EQ(regs_of(pid).gs, 0);
	poke_reg(pid, REG(gs), 3);
	poke_reg(pid, REG(cs), 0x33);
	poke_reg(pid, REG(ss), 0x2b);
	poke_reg(pid, REG(ds), 0);
	end(pid);
}

static void flags_stay_harmless(void)
{
	int pid = attached(pause_forever);
	struct user_regs_struct r = regs_of(pid);
	unsigned long before = r.eflags;
	r.eflags = ~0ul & ~0x100ul;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	unsigned long after = regs_of(pid).eflags;
	/* IOPL, VM, VIF, VIP and all above; IF cannot be lost either. NT is Linux's. */
	CHECK_EQ(after & ~0x50fd5ul & ~0x4000ul, before & ~0x50fd5ul & ~0x4000ul);
	CHECK_EQ(after & 0x3000, 0);
	CHECK_EQ(after & 0x8d5, 0x8d5); /* the twin: arithmetic flags */
	r.eflags = 0;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	CHECK_EQ(regs_of(pid).eflags & 0x200, 0x200);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	end(pid);
}

static void goes_to(unsigned long rip, unsigned long rsp, int sig)
{
	int pid = attached(pause_forever);
	struct user_regs_struct r = regs_of(pid);
	r.orig_rax = -1ul;
	r.rip = rip ? rip : r.rip;
	r.rsp = rsp ? rsp : r.rsp;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	int status = end_status(pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), sig);
}

static void aborts(void)
{
	abort();
}

static void rip_in_the_kernel_is_a_fault(void)
{
	goes_to(KERNEL_VA, 0, SIGSEGV);
	goes_to(HOLE_VA, 0, SIGSEGV);
	goes_to(0x7ffffffff000, 0, SIGSEGV);
	goes_to(-1ul, 0, SIGSEGV);
	goes_to((unsigned long)aborts, 0, SIGABRT);
}

static void pushes(void)
{
	abort();
}

static void rsp_in_the_kernel_is_a_fault(void)
{
	tap_checked();
	int pid;
	static const unsigned long bad[] = { KERNEL_VA, HOLE_VA, 8, -8ul };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		pid = attached(pause_forever);
		struct user_regs_struct r = regs_of(pid);
		r.orig_rax = -1ul;
		r.rip = (unsigned long)pushes;
		r.rsp = bad[i];
		CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
		CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
		int status = end_status(pid);
		CHECK(WIFSIGNALED(status));
		CHECK(WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
	}
}

static void calls(void)
{
	for (;;)
		getppid();
}

/* At a stop on the way out of a call: the fast return must not be taken with them. */
static void a_call_returns_to_the_kernel_as_a_fault(void)
{
	int pid = attached(calls), status;
	struct ptrace_syscall_info i;
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	do {
		CHECK_EQ(pt(PTRACE_SYSCALL, pid, 0, 0), 0);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof i, (unsigned long)&i) > 0);
	} while (i.op != PTRACE_SYSCALL_INFO_EXIT);
	struct user_regs_struct r = regs_of(pid);
	r.rip = r.rcx = HOLE_VA;
	r.r11 = r.eflags;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	status = end_status(pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

static void bases_stay_below_the_kernel(void)
{
	int pid = attached(pause_forever);
	static const unsigned long bad[] = { KERNEL_VA, HOLE_VA, 0x7ffffffff000, -1ul };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(fs_base), bad[i]), EIO);
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(gs_base), bad[i]), EIO);
	}
	poke_reg(pid, REG(gs_base), 0x7000);
	CHECK_EQ(regs_of(pid).gs_base, 0x7000);
	end(pid);
}

static void fpu_images_are_checked(void)
{
	int pid = attached(pause_forever);
	static uint64_t image[2048], good[2048];
	struct iovec iov = { image, sizeof image };
	CHECK_EQ(pt(PTRACE_GETREGSET, pid, NT_X86_XSTATE, (unsigned long)&iov), 0);
	memcpy(good, image, sizeof good);
	size_t n = iov.iov_len;
	static const struct {
		size_t word;
		uint64_t value;
	} bad[] = {
		{ 64, ~0ull },	      /* XSTATE_BV */
		{ 65, 1ull << 63 },   /* XCOMP_BV: compacted */
		{ 66, 1 },	      /* reserved */
		{ 3, 0xffffffffull }, /* MXCSR */
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		memcpy(image, good, sizeof image);
		image[bad[i].word] = bad[i].value;
		iov = (struct iovec){ image, n };
		CHECK_EQ(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (unsigned long)&iov),
			 -1);
	}
	iov = (struct iovec){ good, n };
	CHECK_EQ(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (unsigned long)&iov), 0);
	CHECK_EQ(pt(PTRACE_DETACH, pid, 0, 0), 0);
	usleep(1000);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	end(pid);
}

/* CVE-2018-8897: a watchpoint under `mov ss` traps behind the kernel's door. */
static void there_are_no_hardware_breakpoints(void)
{
	tap_needs_mayfly();
	int pid = attached(pause_forever);
	for (int i = 0; i < 8; i++) {
		size_t at = offsetof(struct user, u_debugreg) + i * sizeof(long);
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, at, i == 7 ? 0xd0001 : KERNEL_VA), EIO);
		CHECK_EQ(pt(PTRACE_POKEUSR, pid, at, 0), 0);
	}
	end(pid);
}

static void kernel_memory_is_out_of_reach(void)
{
	int pid = attached(pause_forever);
	static const unsigned long bad[] = {
		KERNEL_VA,	    HOLE_VA, 0x7ffffffff000,
		0xffff888000000000, -8ul,    0x7fffffffeffc
	};
	unsigned long out;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct iovec local = { &out, 8 }, remote = { (void *)bad[i], 8 };
		CHECK_ERR(pt(PTRACE_PEEKDATA, pid, bad[i], (unsigned long)&out), EIO);
		CHECK_ERR(pt(PTRACE_POKEDATA, pid, bad[i], 0), EIO);
		CHECK_ERR(process_vm_readv(pid, &local, 1, &remote, 1, 0), EFAULT);
		CHECK_ERR(process_vm_writev(pid, &local, 1, &remote, 1, 0), EFAULT);
		/* and as the place of the result */
		CHECK_ERR(pt(PTRACE_GETREGS, pid, 0, bad[i]), EFAULT);
	}
	CHECK_EQ(pt(PTRACE_PEEKDATA, pid, (unsigned long)bad, (unsigned long)&out), 0);
	CHECK_EQ(out, bad[0]);
	end(pid);
}

/* A page mapped for all is not changed through one tracee's breakpoint. */
static void pokes_stay_private(void)
{
	const char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pid = attached(pause_forever);
	CHECK_ERR(pt(PTRACE_POKEDATA, pid, (unsigned long)page, 1), EIO);
	CHECK_EQ(page[0], 0);
	unsigned long text = *(unsigned long *)pause_forever;
	CHECK_EQ(pt(PTRACE_POKETEXT, pid, (unsigned long)pause_forever, 0xcccc), 0);
	CHECK_EQ(*(unsigned long *)pause_forever, text);
	end(pid);
}

TEST_MAIN(CASE(segments_stay_user_modes), CASE(flags_stay_harmless),
	  CASE(rip_in_the_kernel_is_a_fault), CASE(rsp_in_the_kernel_is_a_fault),
	  CASE(a_call_returns_to_the_kernel_as_a_fault),
	  CASE(bases_stay_below_the_kernel), CASE(fpu_images_are_checked),
	  CASE(there_are_no_hardware_breakpoints), CASE(kernel_memory_is_out_of_reach),
	  CASE(pokes_stay_private))

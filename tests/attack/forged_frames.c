/*
 * Signal frames made by hand and given to rt_sigreturn: whatever they ask for, the thread
 * goes on in user mode with user rights, or dies. And handlers on stacks that are not
 * there.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "common/tap.h"

#define SURVIVED 77

/* The kernel's struct ucontext begins like libc's. */
static void (*mutate)(ucontext_t *uc, unsigned seed);
static unsigned seed_now;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	mutate(context, seed_now);
}

static void go(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	sigaction(SIGUSR1, &sa, NULL);
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	_exit(SURVIVED);
}

/* How a process ends whose frame was changed by fn. */
static int fate(void (*fn)(ucontext_t *, unsigned), unsigned seed)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		mutate = fn;
		seed_now = seed;
		alarm(2);
		go();
	}
	int status = tap_wait(pid);
	CHECK(syscall(SYS_getpid) == getpid());
	return status;
}

static void leave_alone(ucontext_t *uc, unsigned seed)
{
	(void)uc;
	(void)seed;
}

static void good_twin(void)
{
	CHECK_EQ(fate(leave_alone, 0), SURVIVED << 8);
}

static void kernel_code_segment(ucontext_t *uc, unsigned seed)
{
	/* cs, gs, fs, ss in 16 bits each. */
	uc->uc_mcontext.gregs[REG_CSGSFS] =
		(greg_t)(0x0018000000000000ull * (seed & 1) | 0x10);
}

static void kernel_address(ucontext_t *uc, unsigned seed)
{
	static const uint64_t at[] = { 0xffff800000000000,
				       0xffffffff80000000,
				       0x800000000000,
				       0x8000000000000000,
				       ~0ull,
				       0x7ffffffff000 };
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)at[seed % 6];
}

static void kernel_stack_pointer(ucontext_t *uc, unsigned seed)
{
	static const uint64_t at[] = { 0xffff800000000000, 0x800000000000, ~0ull, 0, 8 };
	uc->uc_mcontext.gregs[REG_RSP] = (greg_t)at[seed % 5];
}

static void all_flags(ucontext_t *uc, unsigned seed)
{
	/* IOPL 3, NT, RF, VM, AC, VIF, VIP, ID, reserved ones; IF off. */
	uc->uc_mcontext.gregs[REG_EFL] = (greg_t)(seed & 1 ? ~0x100ull : 0x00003000);
}

static void wild_fpu_pointer(ucontext_t *uc, unsigned seed)
{
	static const uint64_t at[] = { 8,     0xffff800000000000, 0x7ffffffffff0,
				       ~0ull, 0x800000000000,	  0x1001 };
	uc->uc_mcontext.fpregs = (void *)at[seed % 6];
}

static void wild_fpu_state(ucontext_t *uc, unsigned seed)
{
	unsigned char *fp = (void *)uc->uc_mcontext.fpregs;
	srand(seed);
	for (int i = 0; i < 40; i++)
		fp[rand() % 1024] = (unsigned char)rand();
	if (seed & 1)
		memset(fp + 24, 0xff, 8); /* MXCSR with reserved bits, its mask */
	if (seed & 2)
		memset(fp + 512, 0xff, 64); /* XSAVE header */
	if (seed & 4)
		memset(fp + 464, 0xff, 48); /* size and features, as software wrote */
}

static void random_frame(ucontext_t *uc, unsigned seed)
{
	unsigned char *p = (void *)uc;
	srand(seed);
	for (int i = 0; i < 30; i++)
		p[rand() % 300] = (unsigned char)rand();
}

static void code_segments(void)
{
	for (unsigned i = 0; i < 2; i++) {
		int status = fate(kernel_code_segment, i);
		CHECK((status & 0x7f) == SIGSEGV || status == SURVIVED << 8);
	}
}

static void addresses(void)
{
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(fate(kernel_address, i) & 0x7f, SIGSEGV);
	for (unsigned i = 0; i < 5; i++) {
		int sig = fate(kernel_stack_pointer, i) & 0x7f;
		CHECK(sig == SIGSEGV || sig == SIGBUS);
	}
}

static void flags(void)
{
	for (unsigned i = 0; i < 2; i++) {
		int status = fate(all_flags, i);
		CHECK(status == SURVIVED << 8 || (status & 0x7f) == SIGSEGV ||
		      (status & 0x7f) == SIGTRAP || (status & 0x7f) == SIGBUS);
	}
	/* Interrupts stay on and ports closed: the machine still preempts. */
	CHECK_EQ(fate(leave_alone, 0), SURVIVED << 8);
}

static void floating_point(void)
{
	for (unsigned i = 0; i < 6; i++) {
		int status = fate(wild_fpu_pointer, i);
		CHECK(status == SURVIVED << 8 || (status & 0x7f) == SIGSEGV);
	}
	for (unsigned i = 0; i < 100; i++) {
		int status = fate(wild_fpu_state, i);
		CHECK(status == SURVIVED << 8 || (status & 0x7f));
	}
}

static void random_frames(void)
{
	for (unsigned i = 0; i < 300; i++)
		fate(random_frame, i);
	CHECK_EQ(fate(leave_alone, 0), SURVIVED << 8);
}

/* rt_sigreturn out of nothing, with the stack anywhere. */
static void pivot(uint64_t sp)
{
	__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; ud2" ::"r"(sp)
			 : "memory");
}

static void frames_from_nowhere(void)
{
	static const uint64_t at[] = { 0,
				       8,
				       0x7ffffffff000,
				       0x7fffffffffff,
				       0x800000000000,
				       0xffff800000000000,
				       0xffffffffffffff00,
				       ~0ull };
	static char zeros[4096];
	for (size_t i = 0; i <= sizeof at / sizeof at[0]; i++) {
		pid_t pid = fork();
		if (!pid) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
			pivot(i < 8 ? at[i] : (uintptr_t)zeros);
			_exit(0);
		}
		CHECK_EQ(tap_wait(pid) & 0x7f, SIGSEGV);
	}
	CHECK_EQ(fate(leave_alone, 0), SURVIVED << 8);
}

static void handlers_without_a_stack(void)
{
	static const uint64_t at[] = {
		0, 64, 0x7ffffffff000, 0x800000000000, 0xffff800000000000, ~0ull
	};
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		pid_t pid = fork();
		if (!pid) {
			struct sigaction sa = { .sa_sigaction = on_signal,
						.sa_flags = SA_SIGINFO };
			setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
			mutate = leave_alone;
			sigaction(SIGUSR1, &sa, NULL);
			long self = getpid();
			__asm__ volatile(
				"mov %0, %%rsp; mov $200, %%eax; syscall; ud2" ::"r"(
					at[i]),
				"D"(self), "S"((long)SIGUSR1)
				: "rax", "rcx", "r11", "memory");
			_exit(0);
		}
		int sig = tap_wait(pid) & 0x7f;
		CHECK_EQ(sig, SIGSEGV);
	}
}

TEST_MAIN(CASE(good_twin), CASE(code_segments), CASE(addresses), CASE(flags),
	  CASE(floating_point), CASE(random_frames), CASE(frames_from_nowhere),
	  CASE(handlers_without_a_stack))

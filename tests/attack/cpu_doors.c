/*
 * Ways into the kernel other than `syscall`, and instructions that user code must not
 * have. Each is a fault; the twin is the ordinary call that works before and after.
 */
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/tap.h"

/* The signal that fn dies of, 0 when it comes back. */
static int fate(void (*fn)(void))
{
	CHECK_EQ(syscall(SYS_getpid), getpid());
	pid_t pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		fn();
		_exit(0);
	}
	int sig = tap_wait(pid) & 0x7f;
	CHECK_EQ(syscall(SYS_getpid), getpid());
	return sig;
}

#define DOOR(name, code)                                                                 \
	static void name##_insn(void)                                                    \
	{                                                                                \
		__asm__ volatile(code ::: "rax", "rbx", "rcx", "rdx", "memory");         \
	}                                                                                \
	static void name(void)                                                           \
	{                                                                                \
		CHECK_EQ(fate(name##_insn), SIGSEGV);                                    \
	}

DOOR(int_0x80, "mov $20, %%eax; int $0x80")
DOOR(int_0x20, "int $0x20")
DOOR(int_2_nmi, "int $2")
DOOR(int_8_double_fault, "int $8")
DOOR(int_14_page_fault, "int $14")
DOOR(int_0xef_timer, "int $0xef")
DOOR(port_read, "mov $0x60, %%dx; in %%dx, %%al")
DOOR(port_write, "mov $0x501, %%dx; mov $0x10, %%al; out %%al, %%dx")
DOOR(clear_interrupts, "cli")
DOOR(halt, "hlt")
DOOR(read_msr, "mov $0xc0000082, %%ecx; rdmsr")
DOOR(write_msr, "mov $0xc0000082, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr")
DOOR(read_cr3, "mov %%cr3, %%rax")
DOOR(write_cr4, "xor %%eax, %%eax; mov %%rax, %%cr4")
DOOR(load_idt, "lidt (%%rsp)")
DOOR(swapgs, "swapgs")
DOOR(clts, "clts")
DOOR(kernel_stack_segment, "xor %%eax, %%eax; mov $0x10, %%ax; mov %%ax, %%ss")
DOOR(far_jump_to_kernel_code, "pushq $8; pushq $0; lretq")
DOOR(read_kernel_half, "mov $0xffff800000000000, %%rax; mov (%%rax), %%al")
DOOR(read_top_of_memory, "mov $-8, %%rax; mov (%%rax), %%al")
DOOR(vsyscall_page, "mov $0xffffffffff600000, %%rax; call *%%rax")

static void int_3_only_traps_insn(void)
{
	__asm__ volatile("int3");
}

static void int_3_only_traps(void)
{
	CHECK_EQ(fate(int_3_only_traps_insn), SIGTRAP);
}

static void sysenter_insn(void)
{
	__asm__ volatile("mov $20, %%eax; mov %%rsp, %%rbp; sysenter" ::
				 : "rax", "memory");
}

static void sysenter_does_not_exist(void)
{
	int sig = fate(sysenter_insn);
	CHECK(sig == SIGSEGV || sig == SIGILL);
}

static void x32_numbers_do_not_exist(void)
{
	CHECK_ERR(syscall(0x40000000 + SYS_getpid), ENOSYS);
	CHECK_ERR(syscall(0x40000000 + 520), ENOSYS);
	CHECK_EQ(syscall(SYS_getpid), getpid());
}

static void numbers_beyond_the_table(void)
{
	CHECK_ERR(syscall(451 + 1000), ENOSYS);
	CHECK_ERR(syscall(-1), ENOSYS);
	CHECK_ERR(syscall(0x7fffffff), ENOSYS);
	CHECK_ERR(syscall(335), ENOSYS); /* a gap between the tables */
}

static void refused_calls_say_enosys(void)
{
	static const int calls[] = { SYS_bpf,	      SYS_perf_event_open, SYS_kexec_load,
				     SYS_init_module, SYS_userfaultfd,	   SYS_modify_ldt,
				     SYS_iopl,	      SYS_ioperm };
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		CHECK_ERR(syscall(calls[i], 0, 0, 0, 0, 0), ENOSYS);
	CHECK_ERR(syscall(425 /* io_uring_setup */, 1, 0), ENOSYS);
}

TEST_MAIN(CASE(int_0x80), CASE(int_0x20), CASE(int_2_nmi), CASE(int_8_double_fault),
	  CASE(int_14_page_fault), CASE(int_0xef_timer), CASE(port_read),
	  CASE(port_write), CASE(clear_interrupts), CASE(halt), CASE(read_msr),
	  CASE(write_msr), CASE(read_cr3), CASE(write_cr4), CASE(load_idt), CASE(swapgs),
	  CASE(clts), CASE(kernel_stack_segment), CASE(far_jump_to_kernel_code),
	  CASE(read_kernel_half), CASE(read_top_of_memory), CASE(vsyscall_page),
	  CASE(int_3_only_traps), CASE(sysenter_does_not_exist),
	  CASE(x32_numbers_do_not_exist), CASE(numbers_beyond_the_table),
	  CASE(refused_calls_say_enosys))

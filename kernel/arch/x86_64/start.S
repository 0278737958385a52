/*
 * The kernel's first instructions, on the boot CPU (from a loader) and on the others
 * (from the trampoline). Both arrive in long mode with the kernel mapped, interrupts off.
 */
#include "arch/x86_64/layout.h"

	.section .text.entry, "ax"
	.code64

/* %rdi = struct boot_info. C code needs %gs for the stack canary, so that comes first. */
	.globl kernel_entry
kernel_entry:
	cli
	cld
	lea boot_stack_top(%rip), %rsp
	mov %rdi, %r12
	lea percpus(%rip), %rax
	mov %rax, (%rax)
	mov %rax, %rdx
	shr $32, %rdx
	mov $0xc0000101, %ecx
	wrmsr
	mov %r12, %rdi
	xor %ebp, %ebp
	call arch_start
	mov %rax, %rsp		/* the guarded stack */
	xor %ebp, %ebp
	call arch_main
	ud2

/* A secondary CPU. Takes the next number; its percpu block and stack are ready. */
	.globl secondary_entry
secondary_entry:
	mov $1, %eax
	lock xadd %eax, smp_ticket(%rip)
	cmp smp_expected(%rip), %eax
	jae 2f
	mov %eax, %ebx
	imul percpu_size(%rip), %rax
	lea percpus(%rip), %rdx
	add %rdx, %rax
	mov 16(%rax), %rsp	/* kstack_top */
	mov %rax, %rdx
	shr $32, %rdx
	mov $0xc0000101, %ecx
	wrmsr
	xor %ebp, %ebp
	call secondary_main
	ud2
/* More CPUs than the kernel was told of, or too late: stay here. */
2:	cli
	hlt
	jmp 2b

	.section .bss
	.balign 16
	.skip 8192
boot_stack_top:

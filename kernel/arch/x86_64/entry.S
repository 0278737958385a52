/*
 * Every way into the kernel and out of it.
 *
 *  N1  %gs is the kernel's from the swapgs of an entry to the swapgs of the exit. Outside
 *      of that only NMI, #DF and #MC can arrive: interrupts are off, SFMASK clears TF, no
 *      debug register is ever set, and iretq is never given what it would refuse (N3).
 *      These three trust neither %gs nor the saved %cs: they find struct cpu at the end
 *      of their stack.
 *  N2  C code is called with DF and AC clear, whatever user mode had.
 *  N3  a user %rip above the lower canonical half never reaches sysretq (which would
 *      fault with the user's stack on some CPUs, CVE-2012-0217) nor iretq: return_checked
 *      turns it into an exception of the program's.
 *  N4  struct pt_regs lies at the very top of the thread's kernel stack (arch_user_regs).
 *  N5  %rbp links frames for backtraces: 0 ends the chain, pt_regs + 1 marks an
 *      exception.
 *  N6  %ss is the kernel's, as syscall loads it: an interrupt out of user mode leaves a
 *      null one, and an emulator that keys its code by %ss's size bit translates the
 *      whole path once more for it.
 */
#include <asm/errno.h>
#include "arch/x86_64/layout.h"

/* Three bytes that features_patch turns into clac when the CPU has SMAP. */
.macro CLAC
661:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.balign 4
	.long 661b - .
	.long 0xca010f
	.popsection
.endm

.macro LOAD_SS
	mov $SEL_KERNEL_DS, %eax
	mov %eax, %ss
.endm

.macro PUSH_REST
	push %rsi
	push %rdx
	push %rcx
	push %rax
	push %r8
	push %r9
	push %r10
	push %r11
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
.endm

/* Everything up to and without orig_rax. */
.macro POP_ALL
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rax
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
.endm

	.section .text.hot, "ax"
	.code64

/* ---- system calls ---- */

	.globl syscall_entry
	.balign 16
syscall_entry:
	swapgs
	mov %rsp, %gs:CPU_USER_RSP
	mov %gs:CPU_KSTACK_TOP, %rsp
	push $SEL_USER_DS
	push %gs:CPU_USER_RSP
	push %r11
	push $SEL_USER_CS
	push %rcx
	push %rax
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push $-ENOSYS
	push %r8
	push %r9
	push %r10
	push %r11
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	sub $8, %rsp		/* the ABI's alignment */
	xor %ebp, %ebp
	sti
	call upcall_syscall
	cli
	mov %gs:CPU_CURRENT, %rax
	add $8, %rsp
	cmpl $0, (%rax)		/* thread.work */
	jne return_slow
	mov REGS_RIP(%rsp), %rcx
	mov REGS_EFLAGS(%rsp), %r11
	mov %rcx, %rax
	shr $47, %rax
	jnz return_slow
	/* sysretq puts %rip and the flags into %rcx and %r11: only right after a plain
	 * call. */
	cmp REGS_RCX(%rsp), %rcx
	jne return_iret
	cmp REGS_R11(%rsp), %r11
	jne return_iret
	test $(EFLAGS_TF | EFLAGS_RF), %r11d
	jnz return_iret
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	mov (REGS_R10 - REGS_R11)(%rsp), %r10
	mov (REGS_R9 - REGS_R11)(%rsp), %r9
	mov (REGS_R8 - REGS_R11)(%rsp), %r8
	mov (REGS_RAX - REGS_R11)(%rsp), %rax
	mov (REGS_RDX - REGS_R11)(%rsp), %rdx
	mov (REGS_RSI - REGS_R11)(%rsp), %rsi
	mov (REGS_RDI - REGS_R11)(%rsp), %rdi
	mov (REGS_RSP - REGS_R11)(%rsp), %rsp
	swapgs
	sysretq

/* Compatibility mode cannot be entered (no such segment exists); if a CPU gets here all
 * the same it goes straight back. */
	.globl syscall_entry_compat
syscall_entry_compat:
	mov $-ENOSYS, %eax
	sysretl

/* ---- back to user mode: pt_regs at %rsp, interrupts off ---- */

	.globl arch_return_to_user
arch_return_to_user:
	cli
	mov %gs:CPU_KSTACK_TOP, %rsp
	sub $REGS_SIZE, %rsp
return_slow:
	mov %rsp, %rdi
	sub $8, %rsp
	xor %ebp, %ebp
	call return_checked
	add $8, %rsp
return_iret:
	POP_ALL
	add $8, %rsp
	swapgs
	iretq

/* After an exception or interrupt in user mode. */
return_user:
	cli
	mov %gs:CPU_CURRENT, %rax
	cmpl $0, (%rax)
	jne return_slow
	mov REGS_RIP(%rsp), %rax
	shr $47, %rax
	jz return_iret
	jmp return_slow

/* ---- exceptions and interrupts ---- */

/* On the stack: pt_regs from ss down to orig_rax (the error code) and rdi; %edi =
 * vector. */
exception_common:
	cld
	CLAC
	PUSH_REST
	mov %edi, %esi
	mov REGS_ORIG_RAX(%rsp), %rdx
	movq $-1, REGS_ORIG_RAX(%rsp)
	mov %rsp, %rdi
	testb $3, REGS_CS(%rsp)
	jz 1f
	swapgs
	LOAD_SS
	sub $8, %rsp
	xor %ebp, %ebp
	call trap_user
	add $8, %rsp
	jmp return_user
1:	lea 1(%rsp), %rbp
	sub $8, %rsp
	call trap_kernel
	add $8, %rsp
return_kernel:
	POP_ALL
	add $8, %rsp
	iretq

/* The same for interrupts: orig_rax is -1 already. */
interrupt_common:
	cld
	CLAC
	PUSH_REST
	mov %edi, %esi
	mov %rsp, %rdi
	testb $3, REGS_CS(%rsp)
	jz 1f
	swapgs
	LOAD_SS
	sub $8, %rsp
	xor %ebp, %ebp
	call irq_dispatch
	add $8, %rsp
	jmp return_user
1:	lea 1(%rsp), %rbp
	sub $8, %rsp
	call irq_dispatch
	add $8, %rsp
	jmp return_kernel

/* NMI, #DF, #MC (N1). The interrupted %gs base is put back as it was found. */
anywhere_common:
	cld
	CLAC
	PUSH_REST
	mov %edi, %esi
	mov $0xc0000101, %ecx
	rdmsr
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, %rbx
	mov %rsp, %rax
	or $(IST_SIZE - 1), %rax
	mov -7(%rax), %rax
	mov %rax, %rdx
	shr $32, %rdx
	wrmsr
	mov REGS_ORIG_RAX(%rsp), %rdx
	mov %rsp, %rdi
	lea 1(%rsp), %rbp
	sub $8, %rsp
	call trap_anywhere
	add $8, %rsp
	mov $0xc0000101, %ecx
	mov %rbx, %rax
	mov %rbx, %rdx
	shr $32, %rdx
	wrmsr
	jmp return_kernel

	.text
/* One stub of STUB_SIZE bytes per vector, so that the IDT is filled by arithmetic. */
.macro STUB vector, common, has_error=0, placeholder=0
	.balign STUB_SIZE
	.if !\has_error
	push $\placeholder
	.endif
	push %rdi
	mov $\vector, %edi
	jmp \common
.endm

	.globl exception_stubs
	.balign STUB_SIZE
exception_stubs:
	.set HAS_ERROR, 0x60227c00 /* 10 to 14, 17, 21, 29, 30 (SDM 3A, 6.3) */
	.set vector, 0
	.rept 32
	.if vector == 2 || vector == 18
	STUB vector, anywhere_common
	.elseif vector == 8
	STUB vector, anywhere_common, 1
	.elseif (HAS_ERROR >> vector) & 1
	STUB vector, exception_common, 1
	.else
	STUB vector, exception_common
	.endif
	.set vector, vector + 1
	.endr

	.globl line_stubs
	.balign STUB_SIZE
line_stubs:
	.set vector, VECTOR_LINES
	.rept LINES
	STUB vector, interrupt_common, 0, -1
	.set vector, vector + 1
	.endr

	.globl ipi_stubs
	.balign STUB_SIZE
ipi_stubs:
	.set vector, VECTOR_TIMER
	.rept 16
	STUB vector, interrupt_common, 0, -1
	.set vector, vector + 1
	.endr
	.balign STUB_SIZE

	.section .text.switch_stacks, "ax"
/* ---- threads ---- */

/* switch_stacks(prev, &save_rsp, load_rsp): prev travels in %rdi to the other stack. */
	.globl switch_stacks
switch_stacks:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, (%rsi)
	mov %rdx, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	mov %rdi, %rax
	ret

/* A new thread returns from its first switch to here: %r12 = function, %r13 =
 * argument. */
	.globl thread_first
thread_first:
	mov %r13, %rdi
	xor %ebp, %ebp
	call *%r12
	ud2

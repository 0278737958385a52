/*
 * Numbers that assembly and C agree on.
 */
#ifndef ARCH_X86_64_LAYOUT_H
#define ARCH_X86_64_LAYOUT_H

/* Segment selectors: the values user space sees are Linux's. */
#define SEL_KERNEL_CS 0x10
#define SEL_KERNEL_DS 0x18
#define SEL_SYSRET_BASE 0x23
#define SEL_USER_DS 0x2b
#define SEL_USER_CS 0x33
#define SEL_TSS 0x40

/* struct cpu, at %gs:0 */
#define CPU_CURRENT 8
#define CPU_KSTACK_TOP 16
#define CPU_USER_RSP 24

/* struct pt_regs */
#define REGS_R15 0
#define REGS_R14 8
#define REGS_R13 16
#define REGS_R12 24
#define REGS_RBP 32
#define REGS_RBX 40
#define REGS_R11 48
#define REGS_R10 56
#define REGS_R9 64
#define REGS_R8 72
#define REGS_RAX 80
#define REGS_RCX 88
#define REGS_RDX 96
#define REGS_RSI 104
#define REGS_RDI 112
#define REGS_ORIG_RAX 120
#define REGS_RIP 128
#define REGS_CS 136
#define REGS_EFLAGS 144
#define REGS_RSP 152
#define REGS_SS 160
#define REGS_SIZE 168

#define EFLAGS_TF 0x100
#define EFLAGS_IF 0x200
#define EFLAGS_DF 0x400
#define EFLAGS_NT 0x4000
#define EFLAGS_RF 0x10000
#define EFLAGS_AC 0x40000

/* Exceptions that can hit anywhere run on stacks of their own (TSS.IST). Each such stack
 * is IST_SIZE bytes, aligned to its size, and its last word holds the address of struct
 * cpu. */
#define IST_SIZE 8192
#define IST_FATAL 1 /* #DF, #MC */
#define IST_NMI 2

/* XSAVE area, standard format (SDM 1, 13.4) */
#define XSAVE_MXCSR 24
#define XSAVE_MXCSR_MASK 28
#define XSAVE_XMM 160
#define XSAVE_HEADER 512
#define XSAVE_YMM_HIGH 576

/* Interrupt vectors */
#define VECTOR_LINES 0x20 /* device line 0 */
#define LINES 48	  /* two IOAPICs of 24 pins */
#define VECTOR_TIMER 0xf0
#define VECTOR_RESCHED 0xf1
#define VECTOR_CALL 0xf2
#define VECTOR_SPURIOUS 0xff

/* Each stub of the vector table starts at a multiple of this. */
#define STUB_SIZE 16

#endif

/*
 * What the files of arch/x86_64 share: registers, per-CPU state, and who does what.
 * No other layer includes this header.
 *
 * Sources: Intel SDM volumes 3A and 4, AMD APM volume 2.
 */
#ifndef ARCH_X86_64_CPU_H
#define ARCH_X86_64_CPU_H

#include "arch/x86_64/layout.h"
#include "arch/arch.h"
#include "lib/boot_info.h"

/* ---- registers ---- */

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800 /* + register / 16 */
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

#define EFER_SCE BIT(0)
#define EFER_NXE BIT(11) /* the loader set it, and LME */

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_PG BIT(31)
#define CR4_TSD BIT(2)
#define CR4_DE BIT(3)
#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define CR4_PGE BIT(7)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP BIT(11)
#define CR4_FSGSBASE BIT(16)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "d"(port));
}

static inline void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "d"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "d"(port));
	return v;
}

static inline uint64_t cr2_read(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline uint64_t cr3_read(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline void cr3_write(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(v) : "memory");
}

static inline uint64_t cr4_read(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline void cr4_write(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(v) : "memory");
}

static inline uint64_t cr0_read(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline void cr0_write(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr0" ::"r"(v) : "memory");
}

static inline void invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

struct cpuid {
	uint32_t a, b, c, d;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
	struct cpuid r;
	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}

/* ---- per-CPU state ---- */

/* 64-bit task state segment (SDM 3A, 8.7). */
struct tss {
	uint32_t zero0;
	uint64_t rsp[3], zero1, ist[7], zero2;
	uint16_t zero3, io_map;
} packed;

/* A function to run on other CPUs; lives in the caller's percpu. */
struct cpu_call {
	void (*fn)(void *arg);
	void *arg;
	cpumask_t pending; /* [a] CPUs that have not run it yet */
};

struct percpu {
	struct cpu pub; /* must stay first: cpu_self() */

	struct arch_pt *pt;	       /* what CR3 holds; NULL: the kernel's own */
	uint32_t pt_ticks;	       /* arch_tick's, since it holds that */
	struct arch_thread *fpu_owner; /* whose state the registers were loaded from */
	bool lazy;		       /* a kernel thread runs on a borrowed pt */
	bool stop;		       /* [a] arch_stop_others wants this CPU to halt */

	struct cpu_call call;
	cpumask_t call_from; /* [a] CPUs with a call pending for this one */

	uint64_t tss_gdt[10];
	struct tss tss;
} aligned_to(64);

extern struct percpu percpus[CPU_MAX];

static inline struct percpu *percpu_self(void)
{
	return (struct percpu *)cpu_self();
}

/* ---- features, set once by the boot CPU (features.c) ---- */

struct features {
	bool smep, smap, umip, fsgsbase, xsave, xsaveopt, rdrand, x2apic, tsc_deadline;
	bool rdtscp;
	uint64_t xcr0;
	uint32_t xsave_size; /* multiple of 64 */
	uint32_t leaf1_edx;
};
extern struct features features;

void features_read(void);
void features_patch(void); /* turns the SMAP instructions on in kernel text */

/* ---- the parts ---- */

extern struct boot_info *boot_info;

void cpu_tables_load(struct percpu *c); /* GDT, TSS, IDT; %gs stays */
void cpu_registers_init(void);		/* CR0, CR4, syscall MSRs, XCR0 */
void idt_init(void);

/* A zeroed page for tables and stacks: from the loader's pages, later from mm. 0:
 * none. */
paddr_t table_page_take(void);
void table_page_free(paddr_t pa);
void kmap_init(void);
void kmap_drop_identity(void);
/* Maps one page at a low identity address for the trampoline. 0 or -ENOMEM. */
must_use int kmap_map_low(paddr_t pa, bool executable);
void kmap_unmap_low(void); /* and frees its tables */
/* Makes kernel image pages [start, end) read-only, on this CPU. */
void kmap_seal(const void *start, const void *end);

/* Maps a CPU's stacks with guard pages and sets them in its TSS. Top of the idle stack,
 * or 0: no memory. */
uint64_t cpu_stacks_map(struct percpu *c, uint32_t id);

void lapic_init(void); /* this CPU's */
uint32_t lapic_id(void);
void lapic_eoi(void);
void lapic_ipi(uint32_t apic_id, uint8_t vector);
void lapic_nmi_others(void);
void lapic_start_others(uint8_t page); /* INIT, SIPI, SIPI to all but this CPU */
uint32_t lapic_timer_count(void);
void lapic_timer_arm(uint32_t count);	 /* one-shot; 0: disarm */
void lapic_timer_deadline(uint64_t tsc); /* 0: disarm */

void tsc_init(void);
void tsc_wait(uint64_t ns);
uint32_t tsc_khz(void); /* the TSC's rate */

void call_run_pending(void); /* runs other CPUs' calls to this one */
void irq_dispatch(struct pt_regs *regs, uint64_t vector);

/* Jumps to the fix-up of the instruction at regs->rip, if it has one. */
bool fixup_apply(struct pt_regs *regs);

uint64_t fpu_setup(void);
void fpu_switch(struct percpu *c, struct arch_thread *from, struct arch_thread *to);

#endif

/*
 * Descriptor tables and stacks of a CPU. The IDT is one for all, and read-only once
 * booted. A vector without a stub has no gate: `int 0x80` and the like are #GP in user
 * mode.
 */
#include "arch/x86_64/cpu.h"

struct percpu percpus[CPU_MAX];
const uint64_t percpu_size = sizeof(struct percpu);

_Static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "layout.h");
_Static_assert(offsetof(struct cpu, kstack_top) == CPU_KSTACK_TOP, "layout.h");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "layout.h");
_Static_assert(offsetof(struct cpu, canary) == 40, "-mstack-protector-guard-offset");
_Static_assert(offsetof(struct pt_regs, orig_rax) == REGS_ORIG_RAX, "layout.h");
_Static_assert(sizeof(struct pt_regs) == REGS_SIZE, "layout.h");

extern char exception_stubs[], line_stubs[], ipi_stubs[];

struct gate {
	uint16_t offset0, selector;
	uint8_t ist, type;
	uint16_t offset1;
	uint32_t offset2, zero;
};

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} packed;

#define GATE_INTERRUPT 0x8e
#define GATE_USER 0x60 /* DPL 3 */

static struct gate idt[256] ro_after_init;

static void gate_set(uint32_t vector, const char *stub)
{
	uint64_t at = (uint64_t)stub;

	idt[vector] = (struct gate){
		(uint16_t)at,	      SEL_KERNEL_CS,	    0, GATE_INTERRUPT,
		(uint16_t)(at >> 16), (uint32_t)(at >> 32), 0
	};
}

void idt_init(void)
{
	static const struct {
		const char *stubs;
		uint32_t first, n;
	} groups[] = {
		{ exception_stubs, 0, 32 },
		{ line_stubs, VECTOR_LINES, LINES },
		{ ipi_stubs, VECTOR_TIMER, VECTOR_SPURIOUS - VECTOR_TIMER + 1 },
	};

	for (size_t g = 0; g < ARRAY_LEN(groups); g++)
		for (uint32_t i = 0; i < groups[g].n; i++)
			gate_set(groups[g].first + i, groups[g].stubs + i * STUB_SIZE);
	idt[2].ist = IST_NMI;
	idt[8].ist = idt[18].ist = IST_FATAL;
	/* int3 and into */
	idt[3].type |= GATE_USER;
	idt[4].type |= GATE_USER;
}

static void gdt_fill(struct percpu *c)
{
	uint64_t tss = (uint64_t)&c->tss;
	uint64_t *g = c->tss_gdt;

	g[SEL_KERNEL_CS / 8] = 0x00af9b000000ffff;
	g[SEL_KERNEL_DS / 8] = 0x00cf93000000ffff;
	g[SEL_USER_DS / 8] = 0x00cff3000000ffff;
	g[SEL_USER_CS / 8] = 0x00affb000000ffff;
	g[SEL_TSS / 8] = (sizeof(c->tss) - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 |
			 (tss >> 24 & 0xff) << 56;
	g[SEL_TSS / 8 + 1] = tss >> 32;
}

/* Loading %fs and %gs selectors would clear their bases: they keep the null selector. */
static void segments_load(void)
{
	__asm__ volatile("push %0\n"
			 "lea 1f(%%rip), %%rax\n"
			 "push %%rax\n"
			 "lretq\n"
			 "1: mov %1, %%ss\n"
			 "mov %2, %%ds\n"
			 "mov %2, %%es\n" ::"i"(SEL_KERNEL_CS),
			 "r"(SEL_KERNEL_DS), "r"(0)
			 : "rax", "memory");
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
	__asm__ volatile("lldt %w0" ::"r"(0));
}

void cpu_tables_load(struct percpu *c)
{
	struct table_pointer gdtr = { sizeof(c->tss_gdt) - 1, (uint64_t)c->tss_gdt };
	struct table_pointer idtr = { sizeof(idt) - 1, (uint64_t)idt };

	c->tss.io_map = sizeof(c->tss); /* none: no port is user mode's */
	gdt_fill(c);
	__asm__ volatile("lgdt %0" ::"m"(gdtr));
	__asm__ volatile("lidt %0" ::"m"(idtr));
	segments_load();
}

/*
 * A CPU's stacks, in 64 KiB of its own; page numbers:
 *	0 guard, 1-4 idle thread, 5 guard, 6-7 fatal, 8-9 guard, 10-11 NMI, 12-15 guard
 */
#define AREA_SIZE KIB(64)
#define IDLE_PAGE 1
#define FATAL_PAGE 6
#define NMI_PAGE 10

extern uint64_t stacks_base;

static bool stack_map(uint64_t va, uint64_t size)
{
	for (uint64_t at = va; at < va + size; at += PAGE_SIZE) {
		paddr_t pa = table_page_take();
		if (!pa || arch_kmap(at, pa, PTE_R | PTE_W))
			return false;
	}
	return true;
}

static uint64_t ist_top(uint64_t base, struct percpu *c)
{
	uint64_t *last = (uint64_t *)(base + IST_SIZE) - 1;

	*last = (uint64_t)c;
	return (uint64_t)last & ~15ull;
}

uint64_t cpu_stacks_map(struct percpu *c, uint32_t id)
{
	uint64_t area = stacks_base + id * AREA_SIZE;
	uint64_t idle = area + IDLE_PAGE * PAGE_SIZE;
	uint64_t fatal = area + FATAL_PAGE * PAGE_SIZE;
	uint64_t nmi = area + NMI_PAGE * PAGE_SIZE;

	if (!stack_map(idle, KSTACK_SIZE) || !stack_map(fatal, IST_SIZE) ||
	    !stack_map(nmi, IST_SIZE))
		return 0;
	c->tss.ist[IST_FATAL - 1] = ist_top(fatal, c);
	c->tss.ist[IST_NMI - 1] = ist_top(nmi, c);
	return idle + KSTACK_SIZE;
}

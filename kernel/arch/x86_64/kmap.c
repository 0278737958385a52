/*
 * The kernel's own half: the direct map, the vmap window, the image. Its top-level
 * entries exist since boot, so every address space shares all that is mapped later.
 * Tables are never freed; concurrent callers install them by compare-and-swap.
 */
#include <asm/errno.h>

#include "arch/upcall.h"
#include "arch/x86_64/pt.h"

#define STACKS_SIZE (CPU_MAX * KIB(64))
#define INVLPG_MAX 32 /* above, dropping everything is cheaper */

uint64_t arch_direct_base ro_after_init;
uint64_t stacks_base ro_after_init; /* CPUs' stacks: the start of the window */
paddr_t kernel_root ro_after_init;

static uint64_t *kernel_leaf(uint64_t va)
{
	uint64_t *table = pt_table(kernel_root);

	for (int level = 4; level > 1; level--) {
		uint64_t *e = &table[pt_index(va, level)];
		if (!(pt_load(e) & PT_P)) {
			uint64_t none = 0;
			paddr_t pa = table_page_take();
			if (!pa)
				return NULL;
			if (!__atomic_compare_exchange_n(
				    e, &none, pa | PT_P | PT_W | PT_A, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				table_page_free(pa);
		}
		table = pt_table(*e);
	}
	return &table[pt_index(va, 1)];
}

void kmap_init(void)
{
	arch_direct_base = boot_info->direct_base;
	kernel_root = boot_info->root_table;
	stacks_base = boot_info->vmap_base;
}

/* The loader's identity map is gone from here on. */
void kmap_drop_identity(void)
{
	pt_table(kernel_root)[0] = 0;
	cr3_write(kernel_root);
}

void arch_vmap_window(uint64_t *ret_start, uint64_t *ret_end)
{
	*ret_start = stacks_base + STACKS_SIZE;
	*ret_end = boot_info->vmap_base + boot_info->vmap_size;
}

int arch_kmap(uint64_t va, paddr_t pa, uint32_t flags)
{
	uint64_t *e = kernel_leaf(va);

	if (!e)
		return -ENOMEM;
	pt_store(e, arch_pte_make(pa, (flags & ~(uint32_t)PTE_USER) | PTE_DIRTY) | PT_G);
	return 0;
}

paddr_t arch_kunmap(uint64_t va)
{
	uint64_t *e = pt_leaf(kernel_root, va);

	return e ? arch_pte_pa(__atomic_exchange_n(e, 0, __ATOMIC_ACQ_REL)) : 0;
}

paddr_t arch_direct_pa(const void *va)
{
	uint64_t image = (uint64_t)va - boot_info->kernel_virt;

	if (image < boot_info->kernel_size)
		return boot_info->kernel_phys + image;
	return (uint64_t)va - arch_direct_base;
}

/* ---- translations of the kernel half; they are global ---- */

struct range {
	uint64_t start, end;
};

static void global_flush(void)
{
	uint64_t cr4 = cr4_read();

	cr4_write(cr4 & ~CR4_PGE);
	cr4_write(cr4);
}

static void kernel_flush_here(void *arg)
{
	const struct range *r = arg;

	if (r->end - r->start > INVLPG_MAX * PAGE_SIZE) {
		global_flush();
		return;
	}
	for (uint64_t va = r->start; va < r->end; va += PAGE_SIZE)
		invlpg(va);
}

void arch_ktlb_flush(uint64_t start, uint64_t end)
{
	struct range r = { start, end };
	uint64_t f = irq_save();

	kernel_flush_here(&r);
	irq_restore(f);
	if (cpu_count() > 1)
		arch_ipi_call((cpumask_t)BIT(cpu_count()) - 1, kernel_flush_here, &r);
}

/* ---- the read-only seal ---- */

/* Replaces a 2 MiB page of the direct map by 4 KiB pages. */
static bool direct_split(uint64_t va)
{
	uint64_t *e = &pt_table(pt_table(kernel_root)[pt_index(va, 4)])[pt_index(va, 3)];
	e = &pt_table(*e)[pt_index(va, 2)];
	if (!(*e & PT_LARGE))
		return true;

	paddr_t pa = table_page_take();
	if (!pa)
		return false;
	uint64_t *table = arch_direct_map(pa), first = *e & ~PT_LARGE;
	for (unsigned i = 0; i < PT_ENTRIES; i++)
		table[i] = first + i * PAGE_SIZE;
	pt_store(e, pa | PT_P | PT_W | PT_A);
	return true;
}

static void read_only(uint64_t start, uint64_t size)
{
	for (uint64_t va = start; va < start + size; va += PAGE_SIZE) {
		uint64_t *e = pt_leaf(kernel_root, va);
		if (e)
			__atomic_fetch_and(e, ~PT_W, __ATOMIC_RELAXED);
	}
	arch_ktlb_flush(start, start + size);
}

void kmap_seal(const void *start, const void *end)
{
	uint64_t size = (uint64_t)end - (uint64_t)start;
	uint64_t alias = arch_direct_base + arch_direct_pa(start);

	read_only((uint64_t)start, size);
	for (uint64_t va = alias; va < alias + size; va += PAGE_SIZE)
		if (!direct_split(va))
			panic_regs(NULL, "no memory to seal read-only data");
	read_only(alias, size);
}

/* ---- the trampoline's identity page, while other CPUs start ---- */

int kmap_map_low(paddr_t pa, bool executable)
{
	uint64_t *e = kernel_leaf(pa);

	if (!e)
		return -ENOMEM;
	pt_store(e, pa | PT_P | PT_A | (executable ? 0 : PT_NX));
	return 0;
}

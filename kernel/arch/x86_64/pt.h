/* Page-table entries (SDM 3A, 4.5) and the walk, for pt.c, kmap.c and tlb.c. */
#ifndef ARCH_X86_64_PT_H
#define ARCH_X86_64_PT_H

#include "arch/x86_64/cpu.h"

#define PT_P BIT(0)
#define PT_W BIT(1)
#define PT_U BIT(2)
#define PT_UNCACHED (BIT(3) | BIT(4))
#define PT_A BIT(5)
#define PT_D BIT(6)
#define PT_LARGE BIT(7)
#define PT_G BIT(8)
#define PT_NONE BIT(9) /* ours: a page is here, but no access is allowed */
#define PT_NX BIT(63)
#define PT_ADDRESS 0x000ffffffffff000ull

#define PT_ENTRIES 512
#define PT_KERNEL_HALF 256

extern paddr_t kernel_root;

static inline uint64_t *pt_table(uint64_t entry)
{
	return arch_direct_map(entry & PT_ADDRESS);
}

/* Index of va at a level: 1 pages, 2 of 2 MiB, 3 of 1 GiB, 4 of 512 GiB. */
static inline unsigned pt_index(uint64_t va, int level)
{
	return (va >> (PAGE_SHIFT + 9 * (level - 1))) & (PT_ENTRIES - 1);
}

static inline uint64_t pt_span(int level)
{
	return 1ull << (PAGE_SHIFT + 9 * (level - 1));
}

/* A page is there, accessible or not. */
static inline bool pt_used(uint64_t entry)
{
	return entry & (PT_P | PT_NONE);
}

static inline uint64_t pt_load(const uint64_t *e)
{
	return __atomic_load_n(e, __ATOMIC_RELAXED);
}

static inline void pt_store(uint64_t *e, uint64_t v)
{
	__atomic_store_n(e, v, __ATOMIC_RELEASE);
}

/* The entry of va at level 1 below a root, through tables that exist; NULL: none, or a
 * larger page. */
uint64_t *pt_leaf(paddr_t root, uint64_t va);

#endif

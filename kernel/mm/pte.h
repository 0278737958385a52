/*
 * Page-table entries as mm sees them: empty, present (arch_pte_*), or parked. A parked
 * entry keeps a page of an area that nothing may access (PROT_NONE): the bits are
 * inverted, so it is not present, and its address lies beyond RAM (L1 terminal fault).
 */
#ifndef MM_PTE_H
#define MM_PTE_H

#include "mm/page.h"

static inline bool pte_present(uint64_t v)
{
	return v & 1;
}

static inline bool pte_parked(uint64_t v)
{
	return v && !(v & 1);
}

static inline uint64_t pte_park(paddr_t pa)
{
	return ~(pa | 1);
}

static inline paddr_t pte_pa(uint64_t v)
{
	return pte_present(v) ? arch_pte_pa(v) : ~v & PAGE_MASK;
}

/* Most entries of most tables are empty: at a group's first entry, are all of them? */
#define PTE_GROUP 8
static inline bool pte_group_empty(const uint64_t *e)
{
	return (uint64_t)e % (PTE_GROUP * sizeof *e) == 0 &&
	       !(e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]);
}

/* NULL: the entry is empty, or maps something that is not a page of ours. */
static inline struct page *pte_page(uint64_t v)
{
	struct page *p = v ? pa_page(pte_pa(v)) : NULL;
	return p && p->kind != PAGE_KIND_RESERVED ? p : NULL;
}

#endif

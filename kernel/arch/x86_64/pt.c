/*
 * Page tables of user address spaces. The caller holds the space's lock; the CPU may set
 * accessed and dirty bits at any time, so present entries change by atomic operations
 * only.
 */
#include <asm/errno.h>

#include "arch/upcall.h"
#include "arch/x86_64/pt.h"
#include "lib/string.h"

static const struct pt_page_ops *page_ops ro_after_init;

void arch_pt_set_page_ops(const struct pt_page_ops *ops)
{
	page_ops = ops;
}

/* Before mm runs there are the few pages the loader left, all for the boot CPU's
 * stacks. */
paddr_t table_page_take(void)
{
	static paddr_t early_used;

	if (page_ops)
		return page_ops->alloc();
	paddr_t at = boot_info->early + early_used;
	if (at >= boot_info->early_end)
		return 0;
	early_used += PAGE_SIZE;
	return at;
}

void table_page_free(paddr_t pa)
{
	page_ops->free(pa);
}

uint64_t *pt_leaf(paddr_t root, uint64_t va)
{
	uint64_t *table = pt_table(root);

	for (int level = 4; level > 1; level--) {
		uint64_t e = pt_load(&table[pt_index(va, level)]);
		if (!(e & PT_P) || (e & PT_LARGE))
			return NULL;
		table = pt_table(e);
	}
	return &table[pt_index(va, 1)];
}

/* The same, making the tables on the way. */
static uint64_t *leaf_make(paddr_t root, uint64_t va)
{
	uint64_t *table = pt_table(root);

	for (int level = 4; level > 1; level--) {
		uint64_t *e = &table[pt_index(va, level)];
		if (!(*e & PT_P)) {
			paddr_t pa = page_ops->alloc();
			if (!pa)
				return NULL;
			pt_store(e, pa | PT_P | PT_W | PT_U | PT_A);
		}
		table = pt_table(*e);
	}
	return &table[pt_index(va, 1)];
}

/* ---- entries ---- */

uint64_t arch_pte_make(paddr_t pa, uint32_t flags)
{
	if (!(flags & (PTE_R | PTE_W | PTE_X)))
		return pa | PT_NONE | (flags & PTE_DIRTY ? PT_D : 0);
	return pa | PT_P | PT_A | (flags & PTE_W ? PT_W : 0) |
	       (flags & PTE_USER ? PT_U : 0) | (flags & PTE_X ? 0 : PT_NX) |
	       (flags & PTE_UNCACHED ? PT_UNCACHED : 0) | (flags & PTE_DIRTY ? PT_D : 0);
}

uint32_t arch_pte_flags(uint64_t pte)
{
	uint32_t dirty = pte & PT_D ? PTE_DIRTY : 0;

	if (!(pte & PT_P))
		return dirty;
	return PTE_R | dirty | (pte & PT_W ? PTE_W : 0) | (pte & PT_NX ? 0 : PTE_X) |
	       (pte & PT_U ? PTE_USER : 0) | (pte & PT_UNCACHED ? PTE_UNCACHED : 0) |
	       (pte & PT_A ? PTE_ACCESSED : 0);
}

uint64_t *arch_pt_slot(struct arch_pt *pt, uint64_t va, bool make)
{
	return make ? leaf_make(pt->root, va) : pt_leaf(pt->root, va);
}

uint64_t *arch_pt_next(struct arch_pt *pt, uint64_t *va, uint64_t end)
{
	uint64_t *table = pt_table(pt->root);
	int level = 4;

	while (level > 1 && *va < end) {
		uint64_t e = pt_load(&table[pt_index(*va, level)]);
		if (e & PT_P) {
			table = pt_table(e);
			level--;
		} else {
			*va = ALIGN_DOWN(*va, pt_span(level)) + pt_span(level);
			table = pt_table(pt->root);
			level = 4;
		}
	}
	return *va < end ? &table[pt_index(*va, 1)] : NULL;
}

int arch_pt_map(struct arch_pt *pt, uint64_t va, paddr_t pa, uint32_t flags)
{
	uint64_t *e = leaf_make(pt->root, va);

	if (!e)
		return -ENOMEM;
	pt_store(e, arch_pte_make(pa, flags));
	return 0;
}

bool arch_pt_unmap(struct arch_pt *pt, uint64_t va, paddr_t *ret_pa, uint32_t *ret_flags)
{
	uint64_t *e = pt_leaf(pt->root, va);

	if (!e || !pt_used(pt_load(e)))
		return false;
	uint64_t old = __atomic_exchange_n(e, 0, __ATOMIC_ACQ_REL);
	*ret_pa = arch_pte_pa(old);
	*ret_flags = arch_pte_flags(old);
	return true;
}

bool arch_pt_lookup(struct arch_pt *pt, uint64_t va, paddr_t *ret_pa, uint32_t *ret_flags)
{
	uint64_t *e = pt_leaf(pt->root, va);
	uint64_t v = e ? pt_load(e) : 0;

	if (!pt_used(v))
		return false;
	*ret_pa = arch_pte_pa(v);
	*ret_flags = arch_pte_flags(v);
	return true;
}

bool arch_pt_protect(struct arch_pt *pt, uint64_t va, uint32_t flags)
{
	uint64_t *e = pt_leaf(pt->root, va);
	uint64_t old = e ? pt_load(e) : 0, new;

	if (!pt_used(old))
		return false;
	do
		new = arch_pte_make(arch_pte_pa(old), flags) | (old & PT_D);
	while (!__atomic_compare_exchange_n(e, &old, new, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED));
	return true;
}

/* ---- whole tables ---- */

int arch_pt_init(struct arch_pt *pt)
{
	paddr_t root = page_ops->alloc();

	if (!root)
		return -ENOMEM;
	/* The kernel half's entries are all there since boot and never change. */
	uint64_t *to = pt_table(root), *from = pt_table(kernel_root);
	memcpy(to + PT_KERNEL_HALF, from + PT_KERNEL_HALF,
	       (PT_ENTRIES - PT_KERNEL_HALF) * sizeof(*to));
	pt->root = root;
	pt->active = 0;
	return 0;
}

#define PT_GROUP 8 /* entries; most tables are nearly empty */

static bool group_empty(const uint64_t *e)
{
	return !(e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]);
}

/* Chains a table and those below it, all without pages, through their first words: such a
 * word is an address, so a walker that still finds the table sees "not present". All
 * other words are zero then. */
static void tables_chain(uint64_t entry, int level, paddr_t *chain)
{
	uint64_t *table = pt_table(entry);

	for (unsigned i = 0; level > 1 && i < PT_ENTRIES; i++) {
		if (i % PT_GROUP == 0 && group_empty(&table[i])) {
			i += PT_GROUP - 1;
		} else if (table[i] & PT_P) {
			tables_chain(table[i], level - 1, chain);
			table[i] = 0;
		}
	}
	table[0] = *chain;
	*chain = entry & PT_ADDRESS;
}

static void chain_free(paddr_t chain)
{
	while (chain) {
		uint64_t *table = pt_table(chain);
		paddr_t next = table[0];
		table[0] = 0;
		page_ops->free(chain);
		chain = next;
	}
}

/* Empties the last-level tables below one of `level`. */
static void pages_forget(uint64_t *table, int level)
{
	if (level == 1)
		memset(table, 0, PAGE_SIZE);
	for (unsigned i = 0; level > 1 && i < PT_ENTRIES; i++) {
		if (table[i] & PT_P)
			pages_forget(pt_table(table[i]), level - 1);
	}
}

void kmap_unmap_low(void)
{
	uint64_t *e = pt_table(kernel_root), old = *e;
	paddr_t chain = 0;

	pages_forget(pt_table(old), 3);
	pt_store(e, 0);
	cr3_write(cr3_read());
	tables_chain(old, 3, &chain);
	chain_free(chain);
}

/* Unlinks the tables below `table` that serve only [start, end). */
static void prune_below(uint64_t *table, int level, uint64_t start, uint64_t end,
			paddr_t *chain)
{
	uint64_t span = pt_span(level);

	for (uint64_t va = ALIGN_DOWN(start, span); va < end; va += span) {
		uint64_t *e = &table[pt_index(va, level)];
		uint64_t old = *e;
		if (!(old & PT_P))
			continue;
		if (va >= start && end - va >= span) {
			pt_store(e, 0);
			tables_chain(old, level - 1, chain);
		} else if (level > 2) {
			prune_below(pt_table(old), level - 1, MAX(va, start),
				    MIN(va + span, end), chain);
		}
	}
}

void arch_pt_prune(struct arch_pt *pt, uint64_t start, uint64_t end)
{
	paddr_t chain = 0;

	prune_below(pt_table(pt->root), 4, start, end, &chain);
	if (!chain)
		return;
	/* CPUs may hold upper-level entries that lead to these tables, though none of
	 * pages: one INVLPG drops them all (Intel SDM 3A 4.10.4.1, AMD APM 2 5.5.2). */
	arch_tlb_flush(pt, start, start + PAGE_SIZE);
	chain_free(chain);
}

static int walk_below(uint64_t *table, int level, uint64_t start, uint64_t end,
		      pte_visit_fn fn, void *arg)
{
	uint64_t span = pt_span(level);

	for (uint64_t va = ALIGN_DOWN(start, span); va < end; va += span) {
		uint64_t *e = &table[pt_index(va, level)];
		uint64_t v = pt_load(e);
		int stop = 0;
		if (!v && IS_ALIGNED(va, PT_GROUP * span) && group_empty(e)) {
			va += (PT_GROUP - 1) * span;
			continue;
		}
		if (level == 1 && pt_used(v))
			stop = fn(va, e, arg);
		else if (level > 1 && (v & PT_P))
			stop = walk_below(pt_table(v), level - 1, MAX(va, start),
					  MIN(va + span, end), fn, arg);
		if (stop)
			return stop;
	}
	return 0;
}

int arch_pt_walk(struct arch_pt *pt, uint64_t start, uint64_t end, pte_visit_fn fn,
		 void *arg)
{
	return walk_below(pt_table(pt->root), 4, ALIGN_DOWN(start, PAGE_SIZE), end, fn,
			  arg);
}

static uint64_t tables_below(const uint64_t *table, int level, unsigned entries)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < entries; i++) {
		if (i % PT_GROUP == 0 && group_empty(&table[i]))
			i += PT_GROUP - 1;
		else if (table[i] & PT_P)
			n += 1 + (level > 2 ? tables_below(pt_table(table[i]), level - 1,
							   PT_ENTRIES)
					    : 0);
	}
	return n;
}

uint64_t arch_pt_tables(const struct arch_pt *pt)
{
	return tables_below(pt_table(pt->root), 4, PT_KERNEL_HALF);
}

void arch_pte_clear_accessed(uint64_t *pte)
{
	__atomic_fetch_and(pte, ~(uint64_t)PT_A, __ATOMIC_RELAXED);
}

static void leave_here(void *arg)
{
	if (percpu_self()->pt == arg)
		arch_pt_activate(NULL);
}

void arch_pt_fini(struct arch_pt *pt)
{
	uint64_t *root = pt_table(pt->root);
	paddr_t chain = 0;

	/* CPUs that run kernel threads may still have it loaded. */
	leave_here(pt);
	cpumask_t others = __atomic_load_n(&pt->active, __ATOMIC_SEQ_CST);
	if (others)
		arch_ipi_call(others, leave_here, pt);

	for (unsigned i = 0; i < PT_KERNEL_HALF; i++) {
		if (i % PT_GROUP == 0 && group_empty(&root[i]))
			i += PT_GROUP - 1;
		else if (root[i] & PT_P)
			tables_chain(root[i], 3, &chain);
	}
	chain_free(chain);
	memset(root, 0, PAGE_SIZE);
	page_ops->free(pt->root);
	pt->root = 0;
}

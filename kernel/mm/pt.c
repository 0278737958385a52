/* Page-table pages, entries' rights, and the counters that go with entries. */
#include "mm/page_internal.h"
#include "mm/space_internal.h"

/*
 * A table that is freed is zero again, and so as good as new: each CPU keeps some. Thread
 * context only; `busy` keeps table_drain, which may come by interrupt, off a half-done
 * change.
 */
#define TABLES_KEPT 16

static struct table_cpu {
	bool busy;
	uint32_t n;
	struct page *table[TABLES_KEPT];
} aligned_to(64) kept[CPU_MAX];

static void kept_busy(struct table_cpu *c, bool busy)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&c->busy, busy, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static struct page *table_take(void)
{
	struct table_cpu *c = &kept[cpu_id()];

	kept_busy(c, true);
	struct page *p = c->n ? c->table[--c->n] : NULL;
	kept_busy(c, false);
	return p;
}

static bool table_keep(struct page *p)
{
	struct table_cpu *c = &kept[cpu_id()];

	kept_busy(c, true);
	bool room = c->n < TABLES_KEPT;
	if (room)
		c->table[c->n++] = p;
	kept_busy(c, false);
	return room;
}

void table_drain(void)
{
	struct table_cpu *c = &kept[cpu_id()];

	if (c->busy)
		return;
	/* Also here: another CPU's call may come by interrupt. */
	kept_busy(c, true);
	while (c->n)
		page_free(c->table[--c->n], 0);
	kept_busy(c, false);
}

/* A stale entry in a new table would map a page that is not the owner's. */
static void table_check(const struct page *p)
{
#ifdef MAYFLY_DEBUG
	const uint64_t *e = page_va(p);
	for (size_t i = 0; i < PAGE_SIZE / sizeof *e; i += PTE_GROUP)
		insist(pte_group_empty(&e[i]));
#endif
	(void)p;
}

/* Called under pt_lock, so it cannot sleep: a fault that gets none lets go of the lock,
 * makes room, and comes again. */
static paddr_t table_alloc(void)
{
	struct page *p = table_take();
	if (!p)
		p = page_alloc(0, PAGE_ZERO | PAGE_ATOMIC | PAGE_USER);
	if (!p)
		return 0;
	table_check(p);
	__atomic_fetch_add((uint64_t *)&page_tables, 1, __ATOMIC_RELAXED);
	return page_pa(p);
}

static void table_free(paddr_t pa)
{
	struct page *p = pa_page(pa);
	__atomic_fetch_sub((uint64_t *)&page_tables, 1, __ATOMIC_RELAXED);
	if (!table_keep(p))
		page_free(p, 0);
}

/* An entry's bits beside the address, by [writable][executable]. */
static uint64_t rights[2][2]; /* [I] after pte_init */

void pte_init(void)
{
	static const struct pt_page_ops ops = { .alloc = table_alloc,
						.free = table_free };
	arch_pt_set_page_ops(&ops);
	for (unsigned w = 0; w < 2; w++) {
		for (unsigned x = 0; x < 2; x++)
			rights[w][x] = arch_pte_make(
				0, PTE_R | PTE_USER | (w ? PTE_W : 0) | (x ? PTE_X : 0));
	}
}

static _Atomic uint64_t *rss_of(struct space *s, const struct page *p)
{
	if (p->kind == PAGE_KIND_ANON)
		return &s->rss_anon;
	if (p->kind != PAGE_KIND_CACHE)
		return NULL;
	return p->mapping->reclaimable ? &s->rss_file : &s->rss_shmem;
}

/* All writers hold pt_lock; the atomic type is for readers without it. */
static uint64_t counter(const _Atomic uint64_t *c)
{
	return __atomic_load_n((const uint64_t *)c, __ATOMIC_RELAXED);
}

static void rss_count(struct space *s, _Atomic uint64_t *c, int64_t n)
{
	__atomic_store_n((uint64_t *)c, counter(c) + (uint64_t)n, __ATOMIC_RELAXED);
	if (n > 0) {
		uint64_t now = counter(&s->rss_anon) + counter(&s->rss_file) +
			       counter(&s->rss_shmem);
		s->rss_peak = MAX(s->rss_peak, now);
	}
}

void rss_add(struct space *s, const struct page *p, int64_t n)
{
	_Atomic uint64_t *c = rss_of(s, p);
	if (c)
		rss_count(s, c, n);
}

void rss_add_anon(struct space *s, int64_t n)
{
	rss_count(s, &s->rss_anon, n);
}

/* May an entry of a for p be writable? V3: a private page only while nobody else has it.
 * A shared one at once, unless its file wants to hear of the first write. */
static bool write_allowed(const struct area *a, const struct page *p, bool dirty)
{
	if (a->flags & AREA_SHARED)
		return dirty || !a->ops || !a->ops->wrote;
	return p->kind == PAGE_KIND_ANON && ref_read(&p->refs) == 1;
}

uint64_t pte_rights(const struct area *a, bool write)
{
	if (unlikely(!(a->prot & (PROT_READ | PROT_WRITE | PROT_EXEC))))
		return 0;
	return rights[write && a->prot & PROT_WRITE][!!(a->prot & PROT_EXEC)];
}

uint64_t pte_for(const struct area *a, const struct page *p, bool dirty)
{
	return pte_of(pte_rights(a, write_allowed(a, p, dirty)), p);
}

/*
 * Taking pages out of page tables. The order is always: clear the entry, flush the TLBs
 * of all CPUs that may hold it, drop the page's reference. Pages wait in a gather
 * between.
 */
#include "mm/space_internal.h"

void gather_init(struct gather *g, struct space *s)
{
	g->space = s;
	g->start = UINT64_MAX;
	g->end = 0;
	g->n = 0;
	g->n_anon = 0;
	g->quiet = false;
}

void gather_flush(struct gather *g)
{
	if (g->end && !g->quiet)
		arch_tlb_flush(&g->space->pt, g->start, g->end);
	for (size_t i = 0; i < g->n; i++)
		page_put(g->page[i]);
	g->start = UINT64_MAX;
	g->end = 0;
	g->n = 0;
}

static void to_flush(struct gather *g, uint64_t start, uint64_t end)
{
	g->start = MIN(g->start, start);
	g->end = MAX(g->end, end);
}

static inline void take(struct gather *g, uint64_t old)
{
	struct page *p = pte_page(old);

	if (!p)
		return;
	if (p->kind == PAGE_KIND_ANON) {
		g->n_anon++;
	} else {
		page_mapped(p, -1);
		rss_add(g->space, p, -1);
	}
	g->page[g->n++] = p;
}

void gather_add(struct gather *g, uint64_t va, uint64_t old)
{
	to_flush(g, va, va + PAGE_SIZE);
	take(g, old);
}

void gather_count(struct gather *g)
{
	if (g->n_anon)
		rss_add_anon(g->space, -g->n_anon);
	g->n_anon = 0;
}

struct zap {
	struct gather *g;
	const struct mapping *only; /* NULL: every page */
	uint64_t first, last;	    /* of `only` */
	bool cows;
	uint64_t next; /* where to go on once the gather is empty again */
};

static bool zap_wants(const struct zap *z, uint64_t pte)
{
	struct page *p = pte_page(pte);
	if (!p)
		return false;
	if (p->kind == PAGE_KIND_CACHE)
		return p->mapping == z->only && p->index >= z->first &&
		       p->index <= z->last;
	return z->cows && p->kind == PAGE_KIND_ANON;
}

/* Empties entries of [va, end), which one table maps. True: the gather is full, go on at
 * z->next. */
static bool zap_span(struct zap *z, uint64_t *slot, uint64_t va, uint64_t end)
{
	uint64_t first = UINT64_MAX, last = 0;

	for (; va < end; va += PAGE_SIZE, slot++) {
		uint64_t old = *slot;
		if (!old) {
			if (!pte_group_empty(slot))
				continue;
			va += (PTE_GROUP - 1) * PAGE_SIZE;
			slot += PTE_GROUP - 1;
			continue;
		}
		if (unlikely(z->only) && !zap_wants(z, old))
			continue;
		*slot = 0;
		first = MIN(first, va);
		last = va + PAGE_SIZE;
		take(z->g, old);
		if (z->g->n == GATHER_PAGES)
			break;
	}
	if (last)
		to_flush(z->g, first, last);
	z->next = last;
	return z->g->n == GATHER_PAGES;
}

static void zap_run(struct zap *z, uint64_t start, uint64_t end)
{
	struct space *s = z->g->space;
	bool full;

	do {
		uint64_t *slot, va = start;
		full = false;
		spin_lock(&s->pt_lock);
		while (!full && (slot = arch_pt_next(&s->pt, &va, end))) {
			uint64_t stop = MIN(end, table_end(va));
			full = zap_span(z, slot, va, stop);
			va = stop;
		}
		gather_count(z->g);
		spin_unlock(&s->pt_lock);
		if (full) {
			gather_flush(z->g);
			if (!z->only) /* else the caller holds the mapping's lock */
				sched_give_way();
		}
		start = z->next;
	} while (full && start < end);
}

void zap_range(struct gather *g, uint64_t start, uint64_t end)
{
	struct zap z = { .g = g };
	zap_run(&z, start, end);
}

void zap_mapping(struct gather *g, struct area *a, const struct mapping *m,
		 uint64_t first, uint64_t last, bool cows)
{
	struct zap z = { .g = g, .only = m, .first = first, .last = last, .cows = cows };
	uint64_t a_last = a->pgoff + area_pages(a) - 1;

	if (last < a->pgoff || first > a_last)
		return;
	uint64_t from = MAX(first, a->pgoff), to = MIN(last, a_last);
	zap_run(&z, a->start + ((from - a->pgoff) << PAGE_SHIFT),
		a->start + ((to - a->pgoff + 1) << PAGE_SHIFT));
}

void mapping_unmap_locked(struct mapping *m, uint64_t first, uint64_t last, bool cows)
{
	list_for_each(a, &m->areas, struct area, rmap)
	{
		struct gather g;
		gather_init(&g, a->space);
		zap_mapping(&g, a, m, first, last, cows);
		gather_flush(&g);
	}
}

void mapping_unmap_range(struct mapping *m, uint64_t first, uint64_t last, bool cows)
{
	spin_lock(&m->lock);
	mapping_unmap_locked(m, first, last, cows);
	spin_unlock(&m->lock);
}

void mapping_unmap_all(struct mapping *m, uint64_t first, uint64_t last)
{
	mapping_unmap_range(m, first, last, false);
}

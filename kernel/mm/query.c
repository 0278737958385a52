/* What an address space holds: mincore, msync's checks, the numbers of smaps. */
#include "mm/space_internal.h"

#define VEC_BATCH 256 /* pages told at a time */

int space_sync(struct space *s, uint64_t addr, uint64_t len, int flags)
{
	uint64_t end;
	int err = 0;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || addr % PAGE_SIZE ||
	    (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	if (!ALIGN_UP(len, PAGE_SIZE)) /* also what is nothing in whole pages */
		return 0;
	err = range_check(addr, len, &end);
	if (err)
		return err;
	/* Shared pages are the file's pages: there is nowhere else to write them to. */
	read_lock(&s->lock);
	for_each_area(a, s, addr, end)
	{
		if (flags & MS_INVALIDATE && a->flags & AREA_LOCKED)
			err = -EBUSY;
	}
	if (!err && !area_range_full(s, addr, end))
		err = -ENOMEM;
	read_unlock(&s->lock);
	return err;
}

/* Is the page in memory: mapped, or cached behind the area? */
static bool page_in_core(struct space *s, struct area *a, uint64_t va)
{
	spin_lock(&s->pt_lock);
	uint64_t *slot = arch_pt_slot(&s->pt, va, false);
	bool there = slot && *slot;
	spin_unlock(&s->pt_lock);
	if (there || !a->mapping)
		return there;
	struct page *p = mapping_find(a->mapping, area_index(a, va));
	if (p)
		page_put(p);
	return p;
}

/* Fills vec for n pages from va. 0 or -ENOMEM at a hole. */
static int core_fill(struct space *s, uint64_t va, uint8_t *vec, size_t n)
{
	struct area *a = NULL;

	for (size_t i = 0; i < n; i++, va += PAGE_SIZE) {
		if (!a || va >= a->end)
			a = space_find(s, va);
		if (!a || va < a->start)
			return -ENOMEM;
		vec[i] = page_in_core(s, a, va);
	}
	return 0;
}

int space_mincore(struct space *s, uint64_t addr, uint64_t len, uaddr_t vec)
{
	uint8_t batch[VEC_BATCH];
	uint64_t end;
	int err = range_check(addr, len, &end);

	if (!err && !user_range_ok(vec, (end - addr) >> PAGE_SHIFT))
		err = -EFAULT;
	while (!err && addr < end) {
		size_t n = MIN((end - addr) >> PAGE_SHIFT, (uint64_t)VEC_BATCH);
		read_lock(&s->lock);
		err = core_fill(s, addr, batch, n);
		read_unlock(&s->lock);
		if (!err)
			err = copy_out(vec, batch, n);
		vec = uaddr_add(vec, n);
		addr += n * PAGE_SIZE;
	}
	return err;
}

static uint32_t users_of(const struct page *p)
{
	return p->kind == PAGE_KIND_ANON ? ref_read(&p->refs) : MAX(p->mapped, 1u);
}

static int usage_entry(uint64_t va, uint64_t *pte, void *arg)
{
	struct area_usage *u = arg;
	struct page *p = pte_page(*pte);

	if (!p)
		return 0;
	uint32_t f = pte_present(*pte) ? arch_pte_flags(*pte) : 0;
	uint32_t users = users_of(p);
	bool anon = p->kind == PAGE_KIND_ANON;
	bool file = p->kind == PAGE_KIND_CACHE && p->mapping->reclaimable;
	bool dirty = f & PTE_DIRTY || anon || page_flag_test(p, PF_DIRTY);
	uint64_t share = PAGE_SIZE / users;
	u->resident++;
	u->pss_bytes += share;
	u->pss_dirty += dirty ? share : 0;
	*(anon ? &u->pss_anon : file ? &u->pss_file : &u->pss_shmem) += share;
	u->anonymous += anon;
	u->referenced += !!(f & PTE_ACCESSED);
	if (users > 1)
		*(dirty ? &u->shared_dirty : &u->shared_clean) += 1;
	else
		*(dirty ? &u->private_dirty : &u->private_clean) += 1;
	return 0;
}

void area_usage_get(struct area *a, struct area_usage *ret)
{
	struct space *s = a->space;

	*ret = (struct area_usage){ 0 };
	spin_lock(&s->pt_lock);
	arch_pt_walk(&s->pt, a->start, a->end, usage_entry, ret);
	spin_unlock(&s->pt_lock);
}

/* ---- page by page ---- */

#define PAGEMAP_PRESENT BIT(63)
#define PAGEMAP_FILE BIT(61) /* of a file, or shared */
#define PAGEMAP_ALONE BIT(56)

struct pagemap {
	uint64_t first, *ret;
};

static int pagemap_entry(uint64_t va, uint64_t *pte, void *arg)
{
	struct pagemap *m = arg;
	struct page *p = pte_page(*pte);

	if (p)
		m->ret[(va - m->first) >> PAGE_SHIFT] =
			PAGEMAP_PRESENT | (p->kind == PAGE_KIND_ANON ? 0 : PAGEMAP_FILE) |
			(users_of(p) == 1 ? PAGEMAP_ALONE : 0);
	return 0;
}

void space_pagemap(struct space *s, uint64_t va, uint64_t *ret, size_t n)
{
	struct pagemap m = { va, ret };

	for (size_t i = 0; i < n; i++)
		ret[i] = 0;
	spin_lock(&s->pt_lock);
	arch_pt_walk(&s->pt, va, va + n * PAGE_SIZE, pagemap_entry, &m);
	spin_unlock(&s->pt_lock);
}

static int clear_entry(uint64_t va, uint64_t *pte, void *arg)
{
	const enum refs_kind *kind = arg;
	struct page *p = pte_page(*pte);

	if (!p || !pte_present(*pte))
		return 0;
	if (*kind == REFS_ALL || (*kind == REFS_ANON) == (p->kind == PAGE_KIND_ANON))
		arch_pte_clear_accessed(pte);
	return 0;
}

void space_clear_refs(struct space *s, enum refs_kind kind)
{
	read_lock(&s->lock);
	for (struct area *a = space_find(s, 0); a; a = area_next(a)) {
		spin_lock(&s->pt_lock);
		arch_pt_walk(&s->pt, a->start, a->end, clear_entry, &kind);
		spin_unlock(&s->pt_lock);
		arch_tlb_flush(&s->pt, a->start, a->end);
		sched_give_way();
	}
	read_unlock(&s->lock);
}

void space_reset_peak(struct space *s)
{
	spin_lock(&s->pt_lock);
	s->rss_peak = s->rss_anon + s->rss_file + s->rss_shmem;
	spin_unlock(&s->pt_lock);
}

uint64_t space_table_pages(struct space *s)
{
	uint64_t n;

	spin_lock(&s->pt_lock);
	n = arch_pt_tables(&s->pt);
	spin_unlock(&s->pt_lock);
	return n;
}

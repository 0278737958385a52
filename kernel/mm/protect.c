/* mprotect: changes areas, then the entries of pages that are there. */
#include "mm/space_internal.h"

struct protect {
	struct area *a;
	uint64_t start, end; /* where a right was lost; end 0: nowhere */
};

static int protect_entry(uint64_t va, uint64_t *pte, void *arg)
{
	struct protect *c = arg;
	struct page *p = pte_page(*pte);
	uint64_t old = *pte, now;

	if (!p)
		return 0;
	/* A shared page that was writable has told its file of the write already. */
	now = pte_for(c->a, p, pte_present(old) && arch_pte_flags(old) & PTE_W);
	*pte = now;
	if (!pte_present(old))
		return 0;
	uint32_t had = arch_pte_flags(old) & (PTE_W | PTE_X);
	uint32_t has = pte_present(now) ? arch_pte_flags(now) : 0;
	if (!pte_present(now) || had & ~has) {
		c->start = MIN(c->start, va);
		c->end = MAX(c->end, va + PAGE_SIZE);
	}
	return 0;
}

/* Entries that no page of ours is behind (devices, the kernel's own) are faulted in
 * again. */
static int drop_foreign(uint64_t va, uint64_t *pte, void *arg)
{
	struct protect *c = arg;
	if (pte_page(*pte))
		return 0;
	*pte = 0;
	c->start = MIN(c->start, va);
	c->end = MAX(c->end, va + PAGE_SIZE);
	return 0;
}

static void area_protect(struct space *s, struct area *a, uint32_t prot)
{
	struct protect c = { .a = a, .start = UINT64_MAX };

	area_set(s, a, prot, a->flags);
	spin_lock(&s->pt_lock);
	arch_pt_walk(&s->pt, a->start, a->end, protect_entry, &c);
	if (!area_is_anon(a))
		arch_pt_walk(&s->pt, a->start, a->end, drop_foreign, &c);
	spin_unlock(&s->pt_lock);
	if (c.end)
		arch_tlb_flush(&s->pt, c.start, c.end);
}

static bool may_get(const struct space *s, const struct area *a, uint32_t prot)
{
	return area_code_allowed(s, a, prot) &&
	       !(prot & PROT_READ && !(a->flags & AREA_MAY_READ)) &&
	       !(prot & PROT_WRITE && !(a->flags & AREA_MAY_WRITE)) &&
	       !(prot & PROT_EXEC && !(a->flags & AREA_MAY_EXEC));
}

/* How far from start on the rights may be given: *ret_end, at most end; and why not
 * further: 0, -EACCES, -ENOMEM (a hole, a limit). */
static int protect_check(struct space *s, uint64_t start, uint64_t end, uint32_t prot,
			 uint64_t *ret_end)
{
	uint64_t data = s->data_pages, limit = s->limit_data >> PAGE_SHIFT;
	int err = 0;

	for_each_area(a, s, start, end)
	{
		uint64_t stop = MIN(end, a->end);
		if (a->start > start)
			break;
		if (!may_get(s, a, prot)) {
			err = -EACCES;
			break;
		}
		if (!(a->prot & PROT_WRITE) && prot & PROT_WRITE &&
		    !(a->flags & AREA_SHARED)) {
			data += (stop - start) >> PAGE_SHIFT;
			if (data > limit)
				break;
		}
		start = stop;
	}
	*ret_end = start;
	return err || start == end ? err : -ENOMEM;
}

static int protect_locked(struct space *s, uint64_t start, uint64_t end, uint32_t prot,
			  bool grows_down)
{
	struct area *first = space_find(s, start);

	if (grows_down) {
		if (!first || first->start >= end || !(first->flags & AREA_GROWSDOWN))
			return -EINVAL;
		start = first->start;
	}
	/* Linux changes area by area and stops at the first that it cannot: what lies
	 * before has the new rights even if the call fails. */
	int err = protect_check(s, start, end, prot, &end);
	int carved = start < end ? area_carve(s, start, end) : err;
	if (carved)
		return carved;
	/* Nothing below can fail. */
	for (struct area *a = space_find(s, start); a && a->start < end;
	     a = area_next(a)) {
		if (a->prot != prot)
			area_protect(s, a, prot);
		a = area_merge(s, a);
	}
	return err;
}

/* PROT_SEM means nothing here, as on every x86. */
#define RIGHTS ((uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC))
#define RIGHTS_KNOWN (RIGHTS | (uint64_t)(PROT_GROWSDOWN | PROT_SEM))

int protect_range_check(uint64_t addr, uint64_t len, uint64_t prot)
{
	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (!len)
		return 0;
	if (addr + ALIGN_UP(len, PAGE_SIZE) <= addr)
		return -ENOMEM;
	return prot & ~RIGHTS_KNOWN ? -EINVAL : 0;
}

int space_protect(struct space *s, uint64_t addr, uint64_t len, uint64_t prot)
{
	int err = protect_range_check(addr, len, prot);
	if (err || !len)
		return err;
	/* Beyond user space is a hole as any other. */
	uint64_t end = addr + ALIGN_UP(len, PAGE_SIZE);
	bool beyond = end > USER_END;
	if (addr >= USER_END)
		return -ENOMEM;
	write_lock(&s->lock);
	err = protect_locked(s, addr, MIN(end, USER_END), (uint32_t)(prot & RIGHTS),
			     prot & PROT_GROWSDOWN);
	write_unlock(&s->lock);
	return !err && beyond ? -ENOMEM : err;
}

/*
 * mremap. A move takes private pages along by moving their entries; pages of files are
 * let go and faulted in at the new place, so that truncation, which looks at one area
 * after the other, cannot miss an entry on the move.
 */
#include "mm/space_internal.h"

struct remap {
	struct space *s;
	uint64_t old, old_len, new_len, new_addr;
	uint32_t flags;
	struct list dead;
};

/* ---- moving entries ---- */

struct move {
	struct space *s;
	struct area *to;
	uint64_t delta; /* new address less old address, modulo 2^64 */
	struct gather g;
	uint64_t next; /* where a full gather stopped the walk */
};

static bool moves(uint64_t pte)
{
	struct page *p = pte_page(pte);
	return p && p->kind == PAGE_KIND_ANON;
}

static int table_prepare(uint64_t va, uint64_t *pte, void *arg)
{
	struct move *m = arg;
	return moves(*pte) && !arch_pt_slot(&m->s->pt, va + m->delta, true);
}

static int entry_move(uint64_t va, uint64_t *pte, void *arg)
{
	struct move *m = arg;
	uint64_t old = *pte;

	*pte = 0;
	m->next = va + PAGE_SIZE;
	if (moves(old)) {
		*arch_pt_slot(&m->s->pt, va + m->delta, true) = old;
		return 0;
	}
	gather_add(&m->g, va, old);
	return m->g.n == GATHER_PAGES;
}

/* Makes the tables that [start, end) moved by delta needs. 0 or -ENOMEM. */
static int tables_prepare(struct move *m, uint64_t start, uint64_t end)
{
	int missing;
	do {
		spin_lock(&m->s->pt_lock);
		missing = arch_pt_walk(&m->s->pt, start, end, table_prepare, m);
		spin_unlock(&m->s->pt_lock);
	} while (missing && fault_room());
	return missing ? -ENOMEM : 0;
}

static void entries_move(struct move *m, uint64_t start, uint64_t end)
{
	int full;

	gather_init(&m->g, m->s);
	m->next = start;
	do {
		spin_lock(&m->s->pt_lock);
		full = arch_pt_walk(&m->s->pt, m->next, end, entry_move, m);
		gather_count(&m->g);
		spin_unlock(&m->s->pt_lock);
		m->g.start = start; /* what moved must leave the TLBs as well */
		m->g.end = end;
		gather_flush(&m->g);
	} while (full && m->next < end);
}

/* ---- moving an area ---- */

/* a is exactly [old, old + old_len). Its pages go to a new area at `to`. The address. */
static int64_t area_move(struct remap *r, struct area *a, uint64_t to)
{
	struct area *b = area_new();
	if (!b)
		return -ENOMEM;
	struct move m = { .s = r->s, .to = b, .delta = to - r->old };
	int err = r->s->n_areas >= SPACE_AREAS_MAX ? -ENOMEM : 0;
	if (!err)
		err = tables_prepare(&m, a->start, a->end);
	if (err) {
		area_free(b);
		return err;
	}
	/* Nothing below can fail. */
	*b = *a;
	list_init(&b->rmap);
	b->start = to;
	b->end = to + r->new_len;
	if (b->ops && b->ops->get)
		b->ops->get(b->owner);
	area_insert(r->s, b);
	entries_move(&m, a->start, a->end);
	if (r->flags & MREMAP_DONTUNMAP) {
		area_set(r->s, a, a->prot, a->flags & ~(uint32_t)AREA_LOCKED);
		area_merge(r->s, a);
		/* The two may touch, and be one now. */
		b = space_find(r->s, to);
	} else {
		area_remove(r->s, a);
		list_push_back(&r->dead, &a->rmap);
		tables_prune(r->s, r->old, r->old + r->old_len);
	}
	area_merge(r->s, b);
	return (int64_t)to;
}

/* Length 0: a second mapping of shared pages. */
static int64_t area_duplicate(struct remap *r, struct area *a, uint64_t to)
{
	struct area *b = r->s->n_areas < SPACE_AREAS_MAX ? area_new() : NULL;
	if (!b)
		return -ENOMEM;
	*b = *a;
	list_init(&b->rmap);
	b->pgoff = area_index(a, r->old);
	b->start = to;
	b->end = to + r->new_len;
	if (b->ops && b->ops->get)
		b->ops->get(b->owner);
	area_insert(r->s, b);
	area_merge(r->s, b);
	return (int64_t)to;
}

/* Is there such an area, and may it become new_len long? */
static int resize_check(struct remap *r, struct area *a)
{
	if (!a || a->start > r->old)
		return -EFAULT;
	if (!r->old_len && !(a->flags & AREA_SHARED))
		return -EINVAL;
	if (r->old_len > a->end - r->old)
		return -EFAULT;
	if (a->flags & AREA_SPECIAL && r->new_len > r->old_len)
		return -EFAULT;
	if (!area_is_anon(a) &&
	    area_index(a, r->old) + (r->new_len >> PAGE_SHIFT) < a->pgoff)
		return -EINVAL;
	if (r->flags & MREMAP_DONTUNMAP)
		return limit_check(r->s, r->new_len >> PAGE_SHIFT, a->prot, a->flags);
	if (r->new_len <= r->old_len)
		return 0;
	uint64_t more = (r->new_len - r->old_len) >> PAGE_SHIFT;
	if (a->flags & AREA_LOCKED &&
	    r->s->locked_pages + more > r->s->limit_memlock >> PAGE_SHIFT)
		return -EAGAIN;
	return limit_check(r->s, more, a->prot, a->flags & ~(uint32_t)AREA_LOCKED);
}

static int64_t move_to(struct remap *r, uint64_t to)
{
	struct area *a = space_find(r->s, r->old);

	if (!r->old_len)
		return area_duplicate(r, a, to);
	int err = area_carve(r->s, r->old, r->old + r->old_len);
	return err ? err : area_move(r, space_find(r->s, r->old), to);
}

/* The new place is in user space, and apart from the old one. */
static int place_check(const struct remap *r)
{
	uint64_t end;

	if (range_check(r->new_addr, r->new_len, &end))
		return -EINVAL;
	return r->new_addr < r->old + r->old_len && r->old < end ? -EINVAL : 0;
}

/* The new place is given: what is there goes. */
static int64_t remap_fixed(struct remap *r)
{
	uint64_t end = r->new_addr + r->new_len, old_end = r->old + r->old_len;

	if (place_check(r) || r->new_addr < USER_START)
		return -EINVAL;
	int err = resize_check(r, space_find(r->s, r->old));
	if (!err)
		err = unmap_locked(r->s, r->new_addr, end, &r->dead);
	if (!err && r->old_len > r->new_len) {
		err = unmap_locked(r->s, r->old + r->new_len, old_end, &r->dead);
		r->old_len = r->new_len;
	}
	return err ? err : move_to(r, r->new_addr);
}

/* Grows in place where the area ends at old + old_len and nothing follows. */
static bool grow_here(struct remap *r, struct area *a)
{
	uint64_t end;
	if (!r->old_len || a->end != r->old + r->old_len ||
	    range_check(r->old, r->new_len, &end) || !area_range_free(r->s, a->end, end))
		return false;
	area_resize(r->s, a, a->start, end);
	area_merge(r->s, a);
	return true;
}

static int64_t remap_locked(struct remap *r)
{
	struct area *a = space_find(r->s, r->old);
	uint64_t to;

	if (r->flags & MREMAP_FIXED)
		return remap_fixed(r);
	bool shrinks = !(r->flags & MREMAP_DONTUNMAP) && r->old_len >= r->new_len;
	int err = r->flags & MREMAP_DONTUNMAP ? place_check(r) : 0;
	/* Who shrinks need not know how much there is. */
	if (!err && shrinks)
		err = a && a->start <= r->old ? 0 : -EFAULT;
	else if (!err)
		err = resize_check(r, a);
	if (!err && shrinks)
		err = unmap_locked(r->s, r->old + r->new_len, r->old + r->old_len,
				   &r->dead);
	if (err || shrinks)
		return err ? err : (int64_t)r->old;
	if (!(r->flags & MREMAP_DONTUNMAP)) {
		if (grow_here(r, a))
			return (int64_t)r->old;
		if (!(r->flags & MREMAP_MAYMOVE))
			return -ENOMEM;
	}
	err = place_find(r->s, r->new_addr, r->new_len, &to);
	return err ? err : move_to(r, to);
}

int64_t space_remap(struct space *s, uint64_t old, uint64_t old_len, uint64_t new_len,
		    uint32_t flags, uint64_t new_addr)
{
	struct remap r = {
		.s = s,
		.old = old,
		.old_len = ALIGN_UP(old_len, PAGE_SIZE),
		.new_len = ALIGN_UP(new_len, PAGE_SIZE),
		.new_addr = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? new_addr : 0,
		.flags = flags,
		.dead = LIST_INIT(r.dead),
	};
	uint64_t end;

	if (flags & ~(uint32_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
	    (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) ||
	    (flags & MREMAP_DONTUNMAP && r.old_len != r.new_len) || !r.new_len ||
	    old % PAGE_SIZE || old_len > USER_END || new_len > USER_END)
		return -EINVAL;
	if (range_check(old, old_len, &end))
		return -EFAULT;
	write_lock(&s->lock);
	int64_t at = remap_locked(&r);
	struct area *a = at > 0 ? space_find(s, (uint64_t)at) : NULL;
	bool fill = a && a->flags & AREA_LOCKED && r.new_len > r.old_len;
	write_unlock(&s->lock);
	areas_free(&r.dead);
	/* As on Linux the mapping stands even if it cannot be filled. */
	if (fill && space_populate(s, (uint64_t)at, (uint64_t)at + r.new_len))
		return at;
	return at;
}

/* mlock and its family. Nothing is ever swapped out: locking makes pages present, and
 * keeps madvise from dropping them. */
#include "mm/space_internal.h"

/* Pages of [start, end) that are not locked yet. */
static uint64_t unlocked_pages(struct space *s, uint64_t start, uint64_t end)
{
	uint64_t n = 0;
	for_each_area(a, s, start, end)
	{
		if (!(a->flags & AREA_LOCKED))
			n += (MIN(end, a->end) - MAX(start, a->start)) >> PAGE_SHIFT;
	}
	return n;
}

/* Under the exclusive lock. */
static int lock_areas(struct space *s, uint64_t start, uint64_t end, bool on)
{
	int err = area_carve(s, start, end);
	if (err)
		return err;
	for (struct area *a = space_find(s, start); a && a->start < end;
	     a = area_next(a)) {
		uint32_t f = a->flags & ~(uint32_t)AREA_LOCKED;
		if (!(a->flags & AREA_SPECIAL))
			area_set(s, a, a->prot, on ? f | AREA_LOCKED : f);
		a = area_merge(s, a);
	}
	return 0;
}

static bool over_limit(const struct space *s, uint64_t more)
{
	return s->locked_pages + more > s->limit_memlock >> PAGE_SHIFT;
}

int space_lock_range(struct space *s, uint64_t addr, uint64_t len, bool on, bool populate)
{
	uint64_t start = ALIGN_DOWN(addr, PAGE_SIZE), end;

	if (len + addr % PAGE_SIZE < len)
		return -EINVAL;
	int err = range_check(start, len + addr % PAGE_SIZE, &end);
	if (err || start == end)
		return err;
	write_lock(&s->lock);
	if (!area_range_full(s, start, end) ||
	    (on && over_limit(s, unlocked_pages(s, start, end))))
		err = -ENOMEM;
	else
		err = lock_areas(s, start, end, on);
	write_unlock(&s->lock);
	if (err || !on || !populate)
		return err;
	err = space_populate(s, start, end);
	return err == -EFAULT ? -ENOMEM : err;
}

/* Makes every locked area present, as far as it goes: errors do not count
 * (mlockall(2)). */
static void populate_all(struct space *s)
{
	uint64_t at = 0;

	for (;;) {
		read_lock(&s->lock);
		struct area *a = space_find(s, at);
		while (a && !(a->flags & AREA_LOCKED))
			a = area_next(a);
		uint64_t start = a ? a->start : 0, end = a ? a->end : 0;
		read_unlock(&s->lock);
		if (!a)
			return;
		if (space_populate(s, MAX(start, at), end))
			at = end; /* PROT_NONE, or past the end of a file */
		at = end;
	}
}

int space_lock_all(struct space *s, uint32_t flags)
{
	int err = 0;

	if (flags & ~(uint32_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ||
	    flags == MCL_ONFAULT)
		return -EINVAL;
	write_lock(&s->lock);
	if (flags & MCL_CURRENT && s->total_pages > s->limit_memlock >> PAGE_SHIFT)
		err = -ENOMEM;
	if (!err && (!flags || flags & MCL_CURRENT))
		err = lock_areas(s, 0, USER_END, flags);
	if (!err) {
		s->lock_future = flags & MCL_FUTURE;
		s->lock_onfault = flags & MCL_ONFAULT;
	}
	write_unlock(&s->lock);
	if (!err && flags & MCL_CURRENT && !(flags & MCL_ONFAULT))
		populate_all(s);
	return err;
}

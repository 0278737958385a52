/*
 * NUMA policies of areas (mbind(2)). There is one node, so that they say nothing about
 * where pages are: they are kept, in the areas' flags, and told. What their bits mean is
 * the caller's business; 0 is no policy.
 */
#include "mm/space_internal.h"

static uint32_t policy_of(const struct area *a)
{
	return (a->flags & AREA_POLICY_MASK) >> AREA_POLICY_SHIFT;
}

int space_set_policy(struct space *s, uint64_t start, uint64_t end, uint32_t policy,
		     bool any)
{
	uint32_t flags = policy << AREA_POLICY_SHIFT & AREA_POLICY_MASK;
	int err = 0;

	write_lock(&s->lock);
	struct area *a = space_find(s, start);
	if (any ? !a || a->start >= end : !area_range_full(s, start, end))
		err = -EFAULT;
	else
		err = area_carve(s, start, end);
	for (a = err ? NULL : space_find(s, start); a && a->start < end;
	     a = area_next(a)) {
		uint32_t others = a->flags & ~(uint32_t)AREA_POLICY_MASK;
		area_set(s, a, a->prot, others | flags);
		a = area_merge(s, a);
	}
	write_unlock(&s->lock);
	return err;
}

int space_policy_at(struct space *s, uint64_t va, uint32_t *ret)
{
	read_lock(&s->lock);
	const struct area *a = space_find(s, va);
	int err = a && a->start <= va ? 0 : -EFAULT;
	if (!err)
		*ret = policy_of(a);
	read_unlock(&s->lock);
	return err;
}

bool space_policy_next(struct space *s, uint64_t *at, uint64_t end, uint32_t *ret)
{
	bool found = false;

	read_lock(&s->lock);
	for_each_area(a, s, *at, end)
	{
		found = policy_of(a);
		if (found) {
			*ret = policy_of(a);
			*at = a->end;
			break;
		}
	}
	read_unlock(&s->lock);
	return found;
}

int space_page_there(struct space *s, uint64_t va)
{
	int err = -EFAULT;

	read_lock(&s->lock);
	const struct area *a = space_find(s, va);
	if (a && a->start <= va) {
		spin_lock(&s->pt_lock);
		const uint64_t *slot = arch_pt_slot(&s->pt, va & PAGE_MASK, false);
		err = slot && *slot ? 0 : -ENOENT;
		spin_unlock(&s->pt_lock);
	}
	read_unlock(&s->lock);
	return err;
}

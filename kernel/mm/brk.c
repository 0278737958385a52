/* The heap below the break. */
#include "mm/space_internal.h"

static int grow(struct space *s, uint64_t from, uint64_t to)
{
	struct area *next = space_find(s, from);
	const struct area t = {
		.start = from,
		.end = to,
		.prot = PROT_READ | PROT_WRITE,
		.flags = AREA_HEAP | AREA_MAY_READ | AREA_MAY_WRITE | AREA_MAY_EXEC |
			 (s->lock_future ? AREA_LOCKED : 0),
	};

	/* A stack above keeps its guard. */
	if (next && next->start < to + (next->flags & AREA_GROWSDOWN ? STACK_GUARD : 0))
		return -ENOMEM;
	int err = limit_check(s, (to - from) >> PAGE_SHIFT, t.prot, t.flags);
	return err ? err : area_add(s, &t);
}

/* RLIMIT_DATA covers the program's own data as well (brk(2)). */
static bool over_limit(const struct space *s, uint64_t brk)
{
	return brk - s->brk_start + (s->data_end - s->data_start) > s->limit_data;
}

static int brk_locked(struct space *s, uint64_t brk, struct list *dead)
{
	uint64_t from = ALIGN_UP(s->brk, PAGE_SIZE), to = ALIGN_UP(brk, PAGE_SIZE);

	if (brk < s->brk_start || brk >= USER_END || over_limit(s, brk))
		return -ENOMEM;
	int err = 0;
	if (to < from)
		err = unmap_locked(s, to, from, dead);
	else if (to > from)
		err = grow(s, from, to);
	if (!err)
		s->brk = brk;
	return err;
}

uint64_t space_set_brk(struct space *s, uint64_t brk)
{
	struct list dead = LIST_INIT(dead);

	write_lock(&s->lock);
	uint64_t old = s->brk;
	int err = brk_locked(s, brk, &dead);
	uint64_t now = s->brk;
	bool fill = !err && now > old && s->lock_future && !s->lock_onfault;
	write_unlock(&s->lock);
	areas_free(&dead);
	/* The break stands even if the pages cannot be had now. */
	if (fill && space_populate(s, ALIGN_UP(old, PAGE_SIZE), ALIGN_UP(now, PAGE_SIZE)))
		return now;
	return now;
}

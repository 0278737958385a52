/* Mapping and unmapping. */
#include "mm/page_internal.h"
#include "mm/slab.h"
#include "mm/space_internal.h"

#define LOW32_TOP 0x80000000ul /* MAP_32BIT: the second GiB */
#define LOW32_START 0x40000000ul

bool area_code_allowed(const struct space *s, const struct area *a, uint32_t prot)
{
	if (likely(!s->no_wx) || !(prot & PROT_EXEC) || (a->flags & AREA_SPECIAL))
		return true;
	if ((prot & PROT_WRITE) || area_is_anon(a))
		return false;
	return a->flags & AREA_SHARED ? !(a->flags & AREA_MAY_WRITE) : !a->cows;
}

int range_check(uint64_t addr, uint64_t len, uint64_t *ret_end)
{
	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (len > USER_END || addr > USER_END - ALIGN_UP(len, PAGE_SIZE))
		return -ENOMEM;
	*ret_end = addr + ALIGN_UP(len, PAGE_SIZE);
	return 0;
}

static bool is_data(uint32_t prot, uint32_t flags)
{
	return (prot & PROT_WRITE) &&
	       !(flags & (AREA_SHARED | AREA_STACK | AREA_GROWSDOWN));
}

int limit_check(struct space *s, uint64_t pages, uint32_t prot, uint32_t flags)
{
	if (s->total_pages + pages > s->limit_as >> PAGE_SHIFT)
		return -ENOMEM;
	if (is_data(prot, flags) && s->data_pages + pages > s->limit_data >> PAGE_SHIFT)
		return -ENOMEM;
	if (flags & AREA_LOCKED &&
	    s->locked_pages + pages > s->limit_memlock >> PAGE_SHIFT)
		return -EAGAIN;
	return 0;
}

/* A single private mapping larger than all of memory cannot be meant
 * (vm.overcommit_memory 0). */
static bool overcommits(const struct map_request *r, uint64_t pages)
{
	return is_data(r->prot, r->flags) && !(r->flags & AREA_NORESERVE) &&
	       pages > page_get_total();
}

static int request_check(const struct space *s, const struct map_request *r,
			 uint64_t *ret_len)
{
	if (!r->len)
		return -EINVAL;
	if (r->len > USER_END - USER_START)
		return -ENOMEM;
	uint64_t len = ALIGN_UP(r->len, PAGE_SIZE);
	if (r->pgoff + (len >> PAGE_SHIFT) < r->pgoff)
		return -EOVERFLOW;
	if (r->fixed) {
		if (r->addr % PAGE_SIZE)
			return -EINVAL;
		if (r->addr < USER_START)
			return -EPERM;
		if (r->addr > USER_END - len)
			return -ENOMEM;
	}
	if (overcommits(r, len >> PAGE_SHIFT))
		return -ENOMEM;
	*ret_len = len;
	return 0;
}

/* The hint if it is free, else top down below mmap_top, else anywhere. */
int place_find(struct space *s, uint64_t hint, uint64_t len, uint64_t *ret)
{
	uint64_t at = ALIGN_UP(hint, PAGE_SIZE);

	if (hint && at >= USER_START && at <= USER_END - len &&
	    area_range_free(s, at, at + len)) {
		*ret = at;
		return 0;
	}
	if (area_place(s, len, USER_START, s->mmap_top ? s->mmap_top : USER_END, ret) ||
	    area_place(s, len, USER_START, USER_END, ret))
		return 0;
	return -ENOMEM;
}

static int place(struct space *s, const struct map_request *r, uint64_t len,
		 uint64_t *ret)
{
	if (r->low32)
		return area_place(s, len, LOW32_START, LOW32_TOP, ret) ? 0 : -ENOMEM;
	return place_find(s, r->addr, len, ret);
}

void tables_prune(struct space *s, uint64_t start, uint64_t end)
{
	struct area *above = space_find(s, end), *below;

	below = above ? area_prev(above) : NULL;
	if (!above) {
		struct rb_node *n = rb_last(&s->areas);
		below = n ? container_of(n, struct area, node) : NULL;
	}
	uint64_t hole_start = ALIGN_UP(below ? below->end : 0, TABLE_SPAN);
	uint64_t hole_end =
		ALIGN_DOWN(above ? above->start : USER_END + PAGE_SIZE, TABLE_SPAN);
	start = MAX(ALIGN_DOWN(start, TABLE_SPAN), hole_start);
	end = MIN(ALIGN_UP(end, TABLE_SPAN), hole_end);
	if (start >= end)
		return;
	spin_lock(&s->pt_lock);
	arch_pt_prune(&s->pt, start, end);
	spin_unlock(&s->pt_lock);
}

/* Cuts [start, end) off one side of the only area it touches. */
static bool trim(struct space *s, struct area *a, uint64_t start, uint64_t end)
{
	if (a->start < start && a->end == end)
		area_resize(s, a, a->start, start);
	else if (a->start == start && a->end > end)
		area_resize(s, a, end, a->end);
	else
		return false;
	return true;
}

/* Takes all areas out of [start, end), whose ends are boundaries. */
static void areas_remove(struct space *s, uint64_t start, uint64_t end, struct list *dead)
{
	for (struct area *a = space_find(s, start); a && a->start < end;) {
		struct area *next = area_next(a);
		area_remove(s, a);
		list_push_back(dead, &a->rmap);
		a = next;
	}
}

int unmap_locked(struct space *s, uint64_t start, uint64_t end, struct list *dead)
{
	struct area *a = space_find(s, start);
	struct gather g;

	if (start == end || !a || a->start >= end)
		return 0;
	bool trims = (a->start < start && a->end == end) ||
		     (a->start == start && a->end > end);
	int err = trims ? 0 : area_carve(s, start, end);
	if (err)
		return err;
	gather_init(&g, s);
	zap_range(&g, start, end);
	gather_flush(&g);
	if (!trims || !trim(s, a, start, end))
		areas_remove(s, start, end, dead);
	tables_prune(s, start, end);
	return 0;
}

int space_unmap(struct space *s, uint64_t addr, uint64_t len)
{
	struct list dead = LIST_INIT(dead);
	uint64_t end;

	if (addr % PAGE_SIZE || !len || range_check(addr, len, &end))
		return -EINVAL;
	write_lock(&s->lock);
	int err = unmap_locked(s, addr, end, &dead);
	write_unlock(&s->lock);
	areas_free(&dead);
	return err;
}

/* The first area at or above addr that is where it was put when addr mapped the start of
 * what it maps: `like` NULL or of the same owner. */
static struct area *find_part(struct space *s, uint64_t addr, const struct area_ops *ops,
			      const struct area *like)
{
	uint64_t end =
		like ? addr + (mapping_end(like->mapping) << PAGE_SHIFT) : USER_END;

	for_each_area(a, s, addr, end)
	{
		if (a->ops == ops && (!like || a->owner == like->owner) &&
		    a->start - addr == a->pgoff << PAGE_SHIFT)
			return a;
	}
	return NULL;
}

int space_detach(struct space *s, uint64_t addr, const struct area_ops *ops)
{
	struct list dead = LIST_INIT(dead);
	int err = -EINVAL;

	if (addr % PAGE_SIZE || addr >= USER_END)
		return -EINVAL;
	write_lock(&s->lock);
	struct area *a = find_part(s, addr, ops, NULL);
	const struct area first = a ? *a : (struct area){ 0 };
	for (; a; a = find_part(s, addr, ops, &first)) {
		/* Whole areas: nothing is cut, so nothing can fail. */
		err = unmap_locked(s, a->start, a->end, &dead);
		insist(!err);
	}
	write_unlock(&s->lock);
	areas_free(&dead);
	return err;
}

/* Whether an area of its own is wanted: everything else is what areas of this kind may
 * do. */
static uint32_t area_flags_for(const struct space *s, const struct map_request *r)
{
	uint32_t f = r->flags;
	if (!r->mapping && !r->ops)
		f |= AREA_MAY_READ | AREA_MAY_WRITE | AREA_MAY_EXEC;
	if (r->prot & PROT_READ)
		f |= AREA_MAY_READ;
	if (r->prot & PROT_WRITE)
		f |= AREA_MAY_WRITE;
	if (r->prot & PROT_EXEC)
		f |= AREA_MAY_EXEC;
	if (s->lock_future && !(f & AREA_SPECIAL))
		f |= AREA_LOCKED;
	return f;
}

/* Pages of [start, end) that areas cover. */
static uint64_t mapped_pages(struct space *s, uint64_t start, uint64_t end)
{
	uint64_t n = 0;
	for_each_area(a, s, start, end) n +=
		(MIN(end, a->end) - MAX(start, a->start)) >> PAGE_SHIFT;
	return n;
}

/* Everything under the exclusive lock. */
static int64_t map_locked(struct space *s, const struct map_request *r, uint64_t len,
			  struct list *dead)
{
	uint64_t at = r->addr, pages = len >> PAGE_SHIFT;
	int err = r->fixed ? 0 : place(s, r, len, &at);

	if (err)
		return err;
	if (r->noreplace && !area_range_free(s, at, at + len))
		return -EEXIST;
	const struct area t = {
		.start = at,
		.end = at + len,
		.prot = r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
		.flags = area_flags_for(s, r),
		.mapping = r->mapping,
		.pgoff = r->pgoff,
		.ops = r->ops,
		.owner = r->owner,
		.label = r->label,
	};
	if (!area_code_allowed(s, &t, t.prot))
		return -EACCES;
	if (r->fixed)
		pages -= mapped_pages(s, at, at + len);
	err = limit_check(s, pages, t.prot, t.flags);
	if (!err && r->fixed)
		err = unmap_locked(s, at, at + len, dead);
	if (!err)
		err = area_add(s, &t);
	return err ? err : (int64_t)at;
}

int64_t space_map(struct space *s, const struct map_request *r)
{
	struct list dead = LIST_INIT(dead);
	uint64_t len;
	int err = request_check(s, r, &len);

	if (err)
		return err;
	write_lock(&s->lock);
	int64_t at = map_locked(s, r, len, &dead);
	bool populate = r->populate || (s->lock_future && !s->lock_onfault);
	write_unlock(&s->lock);
	areas_free(&dead);
	/* As on Linux the mapping stands even if it cannot be filled. */
	if (at > 0 && populate)
		err = space_populate(s, (uint64_t)at, (uint64_t)at + len);
	return at;
}

/* ---- remap_file_pages(2) ---- */

/* What a new mapping of the same file takes over; advice and policies it does not. */
#define REMAP_FLAGS                                                                      \
	(AREA_SHARED | AREA_LOCKED | AREA_MAY_READ | AREA_MAY_WRITE | AREA_MAY_EXEC)

/* Whether areas alike map the same file, shared, over all of [start, end); the first.
 * As on Linux, what was opened for reading only does not count as shared. */
static struct area *shared_over(struct space *s, uint64_t start, uint64_t end)
{
	const uint32_t wanted = AREA_SHARED | AREA_MAY_WRITE;
	struct area *a = space_find(s, start);

	if (!a || a->start > start || !a->mapping ||
	    (a->flags & (wanted | AREA_SPECIAL)) != wanted)
		return NULL;
	for (struct area *b = a; b->end < end;) {
		uint64_t at = b->end;

		b = area_next(b);
		if (!b || b->start != at || b->owner != a->owner ||
		    b->flags != a->flags || b->prot != a->prot)
			return NULL;
	}
	return a;
}

/* Under the exclusive lock. */
static int remap_pages_locked(struct space *s, struct map_request *r, struct list *dead)
{
	const struct area *a = shared_over(s, r->addr, r->addr + r->len);

	if (!a)
		return -EINVAL;
	r->prot = a->prot;
	r->flags = a->flags & REMAP_FLAGS;
	r->mapping = a->mapping;
	r->ops = a->ops;
	r->owner = a->owner; /* lives while `dead` has its area */
	int err = r->ops->may_map ? r->ops->may_map(r->owner, r) : 0;
	if (err)
		return err;
	int64_t at = map_locked(s, r, r->len, dead);
	return at < 0 ? (int)at : 0;
}

int space_remap_pages(struct space *s, uint64_t addr, uint64_t len, uint64_t pgoff,
		      bool populate)
{
	struct list dead = LIST_INIT(dead);
	struct map_request r = {
		.addr = ALIGN_DOWN(addr, PAGE_SIZE),
		.len = ALIGN_DOWN(len, PAGE_SIZE),
		.fixed = true,
		.pgoff = pgoff,
	};
	uint64_t end;

	if (!r.len || range_check(r.addr, r.len, &end) ||
	    pgoff + (r.len >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	if (pgoff + (r.len >> PAGE_SHIFT) > INT64_MAX >> PAGE_SHIFT)
		return -EOVERFLOW;
	write_lock(&s->lock);
	int err = remap_pages_locked(s, &r, &dead);
	write_unlock(&s->lock);
	areas_free(&dead);
	/* As with mmap the mapping stands even if it cannot be filled. */
	if (!err && populate && space_populate(s, r.addr, end))
		return 0;
	return err;
}

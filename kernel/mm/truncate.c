/*
 * Taking pages away from a file: shrinking, punching, the end of the inode. M3: out of
 * the tree first, then out of all address spaces, and only then freed.
 */
#include "core/panic.h"
#include "lib/string.h"
#include "mm/mapping_internal.h"

#define DETACH_BATCH 32

/* Moves some of the pages [first, last] from the tree to `out`, locked. True: all of
 * them; else go on at *ret_next. A page that somebody else has locked is waited for. */
static bool detach_some(struct mapping *m, uint64_t first, uint64_t last,
			struct list *out, size_t *pages, uint64_t *ret_next)
{
	struct page *busy = NULL;
	uint64_t at = first;
	bool more = true;

	spin_lock(&m->lock);
	for (size_t i = 0; i < DETACH_BATCH; i++) {
		uint64_t key;
		struct page *p = radix_next(&m->pages, at, &key);
		if (!p || key > last) {
			more = false;
			break;
		}
		at = key;
		if (!page_trylock(p)) {
			page_get(p);
			busy = p;
			break;
		}
		mapping_detach(m, p);
		list_push_back(out, &p->link);
		++*pages;
	}
	spin_unlock(&m->lock);
	if (busy) {
		page_lock_wait(busy);
		page_put(busy);
	}
	*ret_next = at;
	return !more;
}

static void drop_range(struct mapping *m, uint64_t first, uint64_t last, bool cows)
{
	struct list out = LIST_INIT(out);
	size_t pages = 0;
	uint64_t at = first;

	while (!detach_some(m, at, last, &out, &pages, &at))
		;
	if (!list_empty(&m->areas))
		mapping_unmap_range(m, first, last, cows);
	list_for_each_safe(p, &out, struct page, link)
	{
		page_unlock(p);
		page_put(p);
	}
	if (pages && m->ops && m->ops->uncharge)
		m->ops->uncharge(m, pages);
}

/* Zeroes bytes [start, end) of one page, if it is cached. */
static void zero_part(struct mapping *m, uint64_t start, uint64_t end)
{
	struct page *p = start < end ? mapping_find(m, start >> PAGE_SHIFT) : NULL;
	if (!p)
		return;
	memset((char *)page_va(p) + start % PAGE_SIZE, 0, end - start);
	page_put(p);
}

void mapping_truncate(struct mapping *m, uint64_t size)
{
	spin_lock(&m->lock); /* against an insertion that has just looked at the size */
	uint64_t old = m->size;
	m->size = size;
	spin_unlock(&m->lock);
	if (size >= old) {
		/* What a mapping wrote past the old end must not come to light. */
		zero_part(m, old, MIN(size, ALIGN_UP(old, PAGE_SIZE)));
		return;
	}
	drop_range(m, ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT, UINT64_MAX, true);
	zero_part(m, size, ALIGN_UP(size, PAGE_SIZE));
}

void mapping_punch(struct mapping *m, uint64_t start, uint64_t end)
{
	uint64_t first = ALIGN_UP(start, PAGE_SIZE), last = ALIGN_DOWN(end, PAGE_SIZE);

	if (start >= end)
		return;
	if (first > last) { /* within one page */
		zero_part(m, start, end);
		return;
	}
	zero_part(m, start, first);
	if (first < last)
		drop_range(m, first >> PAGE_SHIFT, (last >> PAGE_SHIFT) - 1, false);
	zero_part(m, last, end);
}

void mapping_fini(struct mapping *m)
{
	insist(list_empty(&m->areas));
	drop_range(m, 0, UINT64_MAX, false);
	radix_fini(&m->pages);
}

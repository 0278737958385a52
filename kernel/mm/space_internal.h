/* Between the files of the address spaces. */
#ifndef MM_SPACE_INTERNAL_H
#define MM_SPACE_INTERNAL_H

#include <linux/mman.h>

#include "core/panic.h"
#include "mm/mapping_internal.h"
#include "mm/pte.h"
#include "mm/space.h"

#define STACK_GUARD (256 * PAGE_SIZE) /* nothing is placed this close below a stack */
#define TABLE_SPAN MIB(2)	      /* what one last-level table maps */

/* One past what va's last-level table maps. */
static inline uint64_t table_end(uint64_t va)
{
	return ALIGN_DOWN(va, TABLE_SPAN) + TABLE_SPAN;
}

/* ---- area.c: the tree (V1) and its gaps; space->lock held exclusively unless said -- */

void areas_init(struct space *s);
void area_cache_init(void);
must_use struct area *area_new(void); /* zeroed, or NULL */
void area_free(struct area *a);	      /* drops the owner; may sleep; no space lock held */
void areas_free(struct list *dead);   /* of areas linked by `rmap` */
void area_insert(struct space *s, struct area *a);
/* Covers free addresses with an area like `t`: by a neighbour that is alike, grown, or by
 * a new one, for which the owner is referenced. 0 or -ENOMEM. */
must_use int area_add(struct space *s, const struct area *t);
void area_remove(struct space *s, struct area *a); /* out of tree, rmap and accounts */
/* Moves the ends of a; pgoff follows the start. */
void area_resize(struct space *s, struct area *a, uint64_t start, uint64_t end);
struct area *area_prev(struct area *a);
/* Merges a with its neighbours where they are alike; the area that now covers a's
 * range. */
struct area *area_merge(struct space *s, struct area *a);
/* Makes start and end area boundaries. 0 or -ENOMEM; nothing changed then. */
must_use int area_carve(struct space *s, uint64_t start, uint64_t end);
/* Highest free place for len bytes that ends at or below top and starts at or above
 * low. */
must_use bool area_place(struct space *s, uint64_t len, uint64_t low, uint64_t top,
			 uint64_t *ret);
bool area_range_free(struct space *s, uint64_t start, uint64_t end);
/* True if areas cover all of [start, end). Any lock. */
bool area_range_full(struct space *s, uint64_t start, uint64_t end);
/* Changes what an area allows, with the accounts. */
void area_set(struct space *s, struct area *a, uint32_t prot, uint32_t flags);

#define for_each_area(a, s, from, stop)                                                  \
	for (struct area *a = space_find((s), (from)); a && a->start < (stop);           \
	     a = area_next(a))

static inline uint64_t area_pages(const struct area *a)
{
	return (a->end - a->start) >> PAGE_SHIFT;
}

static inline uint64_t area_index(const struct area *a, uint64_t va)
{
	return a->pgoff + ((va - a->start) >> PAGE_SHIFT);
}

static inline bool area_is_anon(const struct area *a)
{
	return !a->mapping && !(a->ops && a->ops->fault);
}

/* ---- zap.c: taking pages out of page tables ---- */

#define GATHER_PAGES 64

/* Pages that are out of the page tables but that CPUs may still reach through their
 * TLBs. */
struct gather {
	struct space *space;
	uint64_t start, end; /* to flush; end 0: nothing */
	int64_t n_anon;	     /* private pages that the space's counter still has */
	size_t n;
	struct page *page[GATHER_PAGES];
	bool quiet; /* nobody runs in the space: no flush needed */
};

void gather_init(struct gather *g, struct space *s);
void gather_flush(struct gather *g); /* flushes TLBs, then drops the pages */
/* Empties all entries of [start, end). Takes pt_lock. */
void zap_range(struct gather *g, uint64_t start, uint64_t end);
/* Only the pages of m with indexes [first, last]; `cows`: private copies there too. */
void zap_mapping(struct gather *g, struct area *a, const struct mapping *m,
		 uint64_t first, uint64_t last, bool cows);
/* Drops one entry's page: the reference after the flush. pt_lock held; before it goes,
 * gather_count brings the counters up to date. */
void gather_add(struct gather *g, uint64_t va, uint64_t old);
void gather_count(struct gather *g);

/* ---- pt.c: entries and counters; pt_lock held ---- */

void pte_init(void);
/* Counts the page as resident, `n` = 1 or -1. */
void rss_add(struct space *s, const struct page *p, int64_t n);
void rss_add_anon(struct space *s, int64_t n); /* n private pages */
/* What entries of a grant, for pte_of; 0: nothing. `write`: if the area allows it. */
uint64_t pte_rights(const struct area *a, bool write);
static inline uint64_t pte_of(uint64_t rights, const struct page *p)
{
	return likely(rights) ? rights | page_pa(p) : pte_park(page_pa(p));
}
/* The entry of area a for page p, with all it may grant (V2, V3). `dirty`: it is being
 * written. */
uint64_t pte_for(const struct area *a, const struct page *p, bool dirty);
/* Counts entries (n = 1, -1) of pages that reclaim may want to take out of page
 * tables. */
static inline void page_mapped(struct page *p, int n)
{
	uint32_t was;

	if (p->kind != PAGE_KIND_CACHE)
		return;
	was = __atomic_fetch_add((uint32_t *)&p->mapped, (uint32_t)n, __ATOMIC_RELAXED);
	if (!was || !(was + n))
		page_event_add(EVENT_MAPPED, n);
}

/* ---- fault.c, fault_page.c ---- */

/* No page for a page table: the caller lets go of the locks, calls fault_room, comes
 * again. */
#define ENOTABLE ENOBUFS

/* Makes va's page present, ready for writing if `write`, and perhaps zero pages after it,
 * but none from `until` on. The area's rights are the caller's business; the entry grants
 * no more. space->lock held. 0, -EIO (SIGBUS), -ENOMEM, -ENOTABLE. */
must_use int fault_in(struct space *s, struct area *a, uint64_t va, bool write,
		      uint64_t until);
/* A private page like another; `flags`: PAGE_ATOMIC or 0. NULL: no memory. */
must_use struct page *page_copy(const struct page *from, uint32_t flags);
/* After -ENOTABLE, without locks. False: out of memory. */
must_use bool fault_room(void);
/* Does the area allow the access (enum fault_access)? */
bool area_allows(const struct area *a, uint32_t access);
/* Faults [start, end) in as its areas want it; stops at the first hole or error.
 * 0, -ENOMEM (hole, memory), -EFAULT (SIGBUS, PROT_NONE). No lock held. */
must_use int space_populate(struct space *s, uint64_t start, uint64_t end);
/* The page at va with a reference, faulted in if need be; space->lock held shared.
 * 0, -EFAULT, -EIO, -ENOMEM, -ENOTABLE. */
must_use int page_pin(struct space *s, uint64_t va, bool write, bool force,
		      struct page **ret);

/* ---- map.c ---- */

/* Checks user ranges: aligned start; *ret_end = end rounded up. 0, -EINVAL, -ENOMEM. */
must_use int range_check(uint64_t addr, uint64_t len, uint64_t *ret_end);
/* A free place for len bytes: the hint (0: none) if it is free, else as mmap chooses.
 * 0 or -ENOMEM. */
must_use int place_find(struct space *s, uint64_t hint, uint64_t len, uint64_t *ret);
/* Unmaps [start, end) under the exclusive lock; areas to free go to `dead`. */
must_use int unmap_locked(struct space *s, uint64_t start, uint64_t end,
			  struct list *dead);
/* Would `pages` more, of that kind, break a limit? 0, -ENOMEM, -EAGAIN
 * (RLIMIT_MEMLOCK). */
must_use int limit_check(struct space *s, uint64_t pages, uint32_t prot, uint32_t flags);
/* Frees page tables that the hole around [start, end) leaves empty. */
void tables_prune(struct space *s, uint64_t start, uint64_t end);

#endif

/* Between the files of the page cache, and reclaim. */
#ifndef MM_MAPPING_INTERNAL_H
#define MM_MAPPING_INTERNAL_H

#include "mm/mapping.h"

/* PF_LOCKED: who holds it may fill the page or take it out of the tree. */
static inline bool page_trylock(struct page *p)
{
	return !(__atomic_fetch_or((uint16_t *)&p->flags, PF_LOCKED, __ATOMIC_ACQUIRE) &
		 PF_LOCKED);
}

void mapping_cache_init(void);
/* sleeps until PF_LOCKED is clear; holds a reference */
void page_lock_wait(struct page *p);
void page_unlock(struct page *p);

/* Tries to drop a page that lru_pick locked and referenced; consumes both. Pages
 * freed. */
size_t mapping_evict(struct page *p);

/* As mapping_get, but -ERANGE at or past the end of the file, also when it shrinks
 * meanwhile. */
must_use int mapping_get_within(struct mapping *m, uint64_t index, size_t ahead,
				struct page **ret);
/* Up to date pages index, index+1, … with references; how many, at most n. */
size_t mapping_find_run(struct mapping *m, uint64_t index, struct page **ret, size_t n);
/* The first of the pages, none of them in the tree, that end before `end`; not below
 * `floor`. `end` itself when the page before it is there. */
uint64_t mapping_gap_start(struct mapping *m, uint64_t end, uint64_t floor);
/* Puts a page that nobody else knows into the tree, up to date; the caller keeps its
 * reference. 0, -EEXIST, -ENOMEM, -ENOSPC. */
must_use int mapping_add(struct mapping *m, uint64_t index, struct page *p);
/* Takes a locked page out of the tree. m->lock held. The tree's reference is now the
 * caller's. */
void mapping_detach(struct mapping *m, struct page *p);
/* Pages [first, last] out of all spaces; `cows`: private copies of them too. */
void mapping_unmap_range(struct mapping *m, uint64_t first, uint64_t last, bool cows);
/* The same with m->lock held. */
void mapping_unmap_locked(struct mapping *m, uint64_t first, uint64_t last, bool cows);

#endif

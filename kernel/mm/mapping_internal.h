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

void page_lock_wait(struct page *p); /* sleeps until PF_LOCKED is clear; holds a reference */
void page_unlock(struct page *p);

/* Tries to drop a page that lru_pick locked and referenced; consumes both. Pages freed. */
size_t mapping_evict(struct page *p);

#endif

/*
 * Whether giving up cached pages pays: pages that were evicted and are read again soon
 * after (refaults) freed nothing. Pure: the caller locks, and says what happens.
 *
 * Always true:
 *  T1  the verdict is about a small cache: with `small` pages or more there is no
 *      thrashing, since who reads more than that in turn gains by what is kept;
 *  T2  it takes a whole window of evictions, of which three quarters were in vain. So a
 *      shortage gets on by a quarter of each window at least, or ends.
 */
#ifndef MM_REFAULT_H
#define MM_REFAULT_H

#include "lib/base.h"

struct refault {
	uint32_t *ghosts; /* [I] what was evicted last, by hash; 0: nothing */
	size_t small;	  /* [I] pages of a small cache; as many ghosts, a power of two */
	size_t live;	  /* ghosts that may be there; 0: a lookup is not worth it */
	size_t evicted, again; /* in this window */
	bool thrashing;
};

/* Borrows `small` zeroed words, a power of two. */
void refault_init(struct refault *r, uint32_t *ghosts, size_t small);
/* A page of `owner` is evicted; `cached`: how many are left. */
void refault_evicted(struct refault *r, const void *owner, uint64_t index, size_t cached);
/* A page of `owner` is read in. */
void refault_added(struct refault *r, const void *owner, uint64_t index);
/* Is memory to be found elsewhere, with so many pages cached? */
bool refault_thrashing(struct refault *r, size_t cached);
/* What was evicted so far was for other reasons, or led to somebody's death: begin
 * anew. */
void refault_forget(struct refault *r);

#endif

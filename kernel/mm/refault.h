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

/* Ghosts for each page of a small cache: who runs through that much again and again is
 * seen to, though each ghost's place may be taken by a newer one. */
#define REFAULT_GHOSTS 16

struct refault {
	uint32_t *ghosts;      /* [I] what was evicted last, by hash; 0: nothing */
	size_t small;	       /* [I] pages of a small cache, a power of two */
	uint64_t salt;	       /* of the hash: another one, and all ghosts are gone */
	bool any;	       /* ghosts; else a lookup is not worth it */
	size_t evicted, again; /* in this window */
	bool thrashing;
};

/* Borrows REFAULT_GHOSTS * small zeroed words; small is a power of two. */
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

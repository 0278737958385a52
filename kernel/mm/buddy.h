/*
 * The buddy allocator proper: free blocks of 2^0..2^10 pages. No per-CPU caches, no
 * policy, no sleeping: page.c adds those.
 *
 * Always true:
 *  B1  a block on a free list is aligned to its size, its first page is PAGE_KIND_FREE
 *      with PF_BUDDY and its order, no other page of it has PF_BUDDY or references;
 *  B2  two free buddies of one order below the largest do not exist;
 *  B3  a block of the largest order in `fresh` is free and its struct pages were never
 *      written: they are initialised when the block is first taken, so that booting
 *      costs the same with any amount of memory.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "core/spinlock.h"
#include "mm/page.h"

#define BUDDY_ORDERS (PAGE_ORDER_MAX + 1)
#define BUDDY_BLOCK_PAGES (1ul << PAGE_ORDER_MAX)

struct buddy {
	struct spinlock lock;		/* RANK_BUDDY, taken with interrupts off */
	struct page *pages;		/* [I] */
	uint64_t n_pages;		/* [I] multiple of BUDDY_BLOCK_PAGES */
	struct list free[BUDDY_ORDERS]; /* [lock] */
	uint32_t avail;			/* [lock] bit o: free[o] is not empty */
	uint64_t n_free;		/* [lock] pages, with the fresh blocks */
	/* [lock] free blocks; the largest: with the fresh ones */
	uint64_t n_blocks[BUDDY_ORDERS];
	uint64_t *fresh;     /* [lock] bit per largest block */
	uint64_t fresh_from; /* [lock] no fresh block below this one */
};

/* `fresh` is a bitmap of n_pages / BUDDY_BLOCK_PAGES bits, all zero. */
void buddy_init(struct buddy *b, struct page *pages, uint64_t n_pages, uint64_t *fresh);
/* Before the first allocation: all pages of a largest block exist but are reserved. */
void buddy_reserve_block(struct buddy *b, uint64_t block);
/* Before the first allocation: a whole largest block is free. */
void buddy_add_fresh(struct buddy *b, uint64_t block);

/* The rest under the lock. */
/* NULL: none; PF_BUDDY cleared */
struct page *buddy_take(struct buddy *b, unsigned order);
void buddy_give(struct buddy *b, struct page *p, unsigned order);
/* Up to n single pages into ret; how many. */
size_t buddy_take_bulk(struct buddy *b, struct page **ret, size_t n);
/* n single pages; those that follow each other, upwards or downwards, go back as
 * blocks. */
void buddy_give_bulk(struct buddy *b, struct page **p, size_t n);
/* Checks B1..B3 by a walk over the lists (tests, debug builds). */
bool buddy_check(const struct buddy *b);

#endif

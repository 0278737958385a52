#include "mm/buddy.h"

#include "core/panic.h"
#include "lib/string.h"

void buddy_init(struct buddy *b, struct page *pages, uint64_t n_pages, uint64_t *fresh)
{
	spin_init(&b->lock, RANK_BUDDY);
	b->pages = pages;
	b->n_pages = n_pages;
	for (unsigned o = 0; o < BUDDY_ORDERS; o++)
		list_init(&b->free[o]);
	memset(b->n_blocks, 0, sizeof b->n_blocks);
	b->avail = 0;
	b->n_free = 0;
	b->fresh = fresh;
	b->fresh_from = n_pages / BUDDY_BLOCK_PAGES;
}

void buddy_reserve_block(struct buddy *b, uint64_t block)
{
	_Static_assert(PAGE_KIND_RESERVED == 0, "a cleared page is reserved");
	struct page *p = &b->pages[block * BUDDY_BLOCK_PAGES];
	memset(p, 0, BUDDY_BLOCK_PAGES * sizeof *p);
}

void buddy_add_fresh(struct buddy *b, uint64_t block)
{
	b->fresh[block / 64] |= BIT(block % 64);
	b->fresh_from = MIN(b->fresh_from, block);
	b->n_free += BUDDY_BLOCK_PAGES;
	b->n_blocks[PAGE_ORDER_MAX]++;
}

/* Links a free block; its buddy is known to be in use. */
static void free_push(struct buddy *b, struct page *p, unsigned order)
{
	p->kind = PAGE_KIND_FREE;
	p->order = (uint8_t)order;
	p->flags = PF_BUDDY;
	list_push_front(&b->free[order], &p->link);
	b->avail |= 1u << order;
	b->n_blocks[order]++;
}

static void free_unlink(struct buddy *b, struct page *p, unsigned order)
{
	insist(p->kind == PAGE_KIND_FREE && ref_read(&p->refs) == 0);
	p->flags = 0;
	list_del(&p->link);
	b->n_blocks[order]--;
	if (list_empty(&b->free[order]))
		b->avail &= ~(1u << order);
}

/* Initialises the pages of the next fresh block (B3). NULL: there is none. */
static struct page *fresh_take(struct buddy *b)
{
	uint64_t blocks = b->n_pages / BUDDY_BLOCK_PAGES;
	for (uint64_t i = b->fresh_from; i < blocks; i++) {
		if (!(b->fresh[i / 64] & BIT(i % 64)))
			continue;
		b->fresh[i / 64] &= ~BIT(i % 64);
		b->fresh_from = i + 1;
		struct page *p = &b->pages[i * BUDDY_BLOCK_PAGES];
		memset(p, 0, BUDDY_BLOCK_PAGES * sizeof *p);
		p->kind = PAGE_KIND_FREE;
		b->n_blocks[PAGE_ORDER_MAX]--;
		return p;
	}
	b->fresh_from = blocks;
	return NULL;
}

struct page *buddy_take(struct buddy *b, unsigned order)
{
	uint32_t fit = b->avail >> order << order;
	unsigned o = PAGE_ORDER_MAX;
	struct page *p;

	if (fit) {
		o = (unsigned)__builtin_ctz(fit);
		p = list_first(&b->free[o], struct page, link);
		free_unlink(b, p, o);
	} else {
		p = fresh_take(b);
		if (!p)
			return NULL;
	}
	while (o > order) {
		o--;
		free_push(b, p + (1ul << o), o);
	}
	b->n_free -= 1ul << order;
	return p;
}

void buddy_give(struct buddy *b, struct page *p, unsigned order)
{
	uint64_t i = (uint64_t)(p - b->pages);

	insist(i < b->n_pages && IS_ALIGNED(i, 1ul << order));
	insist(!(p->flags & PF_BUDDY) && ref_read(&p->refs) == 0);
	p->kind = PAGE_KIND_FREE;
	b->n_free += 1ul << order;
	for (; order < PAGE_ORDER_MAX; order++) {
		struct page *other = &b->pages[i ^ (1ul << order)];
		if (!(other->flags & PF_BUDDY) || other->order != order)
			break;
		free_unlink(b, other, order);
		i &= ~(1ul << order);
		p = &b->pages[i];
	}
	free_push(b, p, order);
}

size_t buddy_take_bulk(struct buddy *b, struct page **ret, size_t n)
{
	size_t got = 0;
	while (got < n) {
		/* The largest block that is wanted whole; else whatever there is. */
		unsigned want = 63 - (unsigned)__builtin_clzl(n - got);
		unsigned order = MIN(want, (unsigned)PAGE_ORDER_MAX);
		struct page *p = buddy_take(b, order);
		while (!p && order > 0)
			p = buddy_take(b, --order);
		if (!p)
			break;
		for (size_t i = 0; i < 1ul << order; i++) {
			p[i].kind = PAGE_KIND_FREE;
			ret[got++] = p + i;
		}
	}
	return got;
}

/* Gives n pages that follow each other, in the largest aligned blocks. */
static void give_run(struct buddy *b, struct page *p, size_t n)
{
	while (n) {
		uint64_t i = (uint64_t)(p - b->pages);
		unsigned fit = 63 - (unsigned)__builtin_clzl(n);
		unsigned order = i ? MIN((unsigned)__builtin_ctzl(i), fit) : fit;
		buddy_give(b, p, order);
		p += 1ul << order;
		n -= 1ul << order;
	}
}

void buddy_give_bulk(struct buddy *b, struct page **p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t up = 1, down = 1;
		while (at + up < n && p[at + up] == p[at] + up)
			up++;
		while (at + down < n && p[at + down] == p[at] - down)
			down++;
		if (up >= down)
			give_run(b, p[at], up);
		else
			give_run(b, p[at + down - 1], down);
		at += MAX(up, down);
	}
}

static bool block_check(const struct buddy *b, const struct page *p, unsigned order)
{
	uint64_t i = (uint64_t)(p - b->pages);
	const struct page *other = &b->pages[i ^ (1ul << order)];

	if (i >= b->n_pages || !IS_ALIGNED(i, 1ul << order) || p->flags != PF_BUDDY ||
	    p->order != order || p->kind != PAGE_KIND_FREE)
		return false;
	for (uint64_t k = 1; k < 1ul << order; k++) {
		if (p[k].flags & PF_BUDDY || ref_read(&p[k].refs))
			return false;
	}
	return order == PAGE_ORDER_MAX || !(other->flags & PF_BUDDY) ||
	       other->order != order;
}

static uint64_t fresh_count(const struct buddy *b)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < b->n_pages / BUDDY_BLOCK_PAGES; i++)
		n += b->fresh[i / 64] >> i % 64 & 1;
	return n;
}

bool buddy_check(const struct buddy *b)
{
	uint64_t pages = 0;
	for (unsigned o = 0; o < BUDDY_ORDERS; o++) {
		uint64_t n = 0, fresh;

		if (list_empty(&b->free[o]) == !!(b->avail & (1u << o)))
			return false;
		list_for_each(p, &b->free[o], struct page, link)
		{
			if (!block_check(b, p, o))
				return false;
			pages += 1ul << o;
			n++;
		}
		fresh = o == PAGE_ORDER_MAX ? fresh_count(b) : 0;
		if (n + fresh != b->n_blocks[o])
			return false;
		pages += fresh << o;
	}
	return pages == b->n_free;
}

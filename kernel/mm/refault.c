/* Refaults: ghosts of evicted pages in a table without chains, newer ones on top. */
#include "mm/refault.h"

#define WINDOW_MIN 1024 /* evictions that a verdict takes */

void refault_init(struct refault *r, uint32_t *ghosts, size_t small)
{
	*r = (struct refault){ .ghosts = ghosts, .small = small };
}

/* Fibonacci hashing of all three. The slot is the upper half's, the mark the lower's. */
static uint64_t hash(const struct refault *r, const void *owner, uint64_t index)
{
	const uint64_t golden = 0x9e3779b97f4a7c15;
	uint64_t h = ((uint64_t)(uintptr_t)owner ^ (index + r->salt) * golden) * golden;
	return h ^ h >> 29;
}

static uint32_t *slot_of(struct refault *r, uint64_t h)
{
	return &r->ghosts[(h >> 32) & (REFAULT_GHOSTS * r->small - 1)];
}

static uint32_t mark_of(uint64_t h)
{
	return (uint32_t)h | 1;
}

static void window_start(struct refault *r)
{
	r->evicted = 0;
	r->again = 0;
}

void refault_evicted(struct refault *r, const void *owner, uint64_t index, size_t cached)
{
	uint64_t h = hash(r, owner, index);

	*slot_of(r, h) = mark_of(h);
	r->any = true;
	if (cached >= r->small)
		window_start(r);
	if (++r->evicted < MAX(2 * r->small, (size_t)WINDOW_MIN))
		return;
	r->thrashing = r->again >= r->evicted / 4 * 3;
	window_start(r);
}

void refault_added(struct refault *r, const void *owner, uint64_t index)
{
	if (!r->any)
		return;
	uint64_t h = hash(r, owner, index);
	uint32_t *slot = slot_of(r, h);
	if (*slot != mark_of(h))
		return;
	*slot = 0;
	r->again++;
}

bool refault_thrashing(struct refault *r, size_t cached)
{
	if (cached >= r->small)
		r->thrashing = false;
	return r->thrashing;
}

void refault_forget(struct refault *r)
{
	r->salt += 1ul << 52; /* no page of a file has this number */
	r->any = false;
	r->thrashing = false;
	window_start(r);
}

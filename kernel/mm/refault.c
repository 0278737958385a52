/* Refaults: ghosts of evicted pages in a table without chains, newer ones on top. */
#include "mm/refault.h"

#include "lib/string.h"

#define WINDOW_MIN 1024 /* evictions that a verdict takes */

void refault_init(struct refault *r, uint32_t *ghosts, size_t small)
{
	*r = (struct refault){ .ghosts = ghosts, .small = small };
}

/* Fibonacci hashing of both. The slot is of the upper half, the mark of the lower. */
static uint64_t hash(const void *owner, uint64_t index)
{
	const uint64_t golden = 0x9e3779b97f4a7c15;
	uint64_t h = ((uint64_t)(uintptr_t)owner ^ index * golden) * golden;
	return h ^ h >> 29;
}

static uint32_t *slot_of(struct refault *r, uint64_t h)
{
	return &r->ghosts[(h >> 32) & (r->small - 1)];
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
	uint64_t h = hash(owner, index);

	*slot_of(r, h) = mark_of(h);
	r->live = r->small;
	if (cached >= r->small)
		window_start(r);
	if (++r->evicted < MAX(2 * r->small, (size_t)WINDOW_MIN))
		return;
	r->thrashing = r->again >= r->evicted / 4 * 3;
	window_start(r);
}

void refault_added(struct refault *r, const void *owner, uint64_t index)
{
	if (!r->live)
		return;
	uint64_t h = hash(owner, index);
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
	memset(r->ghosts, 0, r->small * sizeof r->ghosts[0]);
	r->live = 0;
	r->thrashing = false;
	window_start(r);
}

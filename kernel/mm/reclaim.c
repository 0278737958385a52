/*
 * Getting memory back: cached pages that can be read again, then what upper layers hold
 * in caches, then the oom handler. A job that would have the memory of pages that run or
 * are read again at once has none: without refault.h it would go on for ever, a page of
 * program text at a time.
 *
 * Always true:
 *  R1  a page is on `lru` exactly while PF_RECLAIM is set, both under lru_lock;
 *  R2  a page on the list is in its mapping's tree; who takes it out of the tree owns
 *      PF_LOCKED. So the evictor, which tries for PF_LOCKED under lru_lock, knows that
 *      the mapping lives until it lets go.
 */
#include "core/panic.h"
#include "core/sched.h"
#include "core/wait.h"
#include "mm/mapping_internal.h"
#include "mm/page_internal.h"
#include "mm/refault.h"
#include "mm/slab_internal.h"

#define SCAN_BATCH 32
#define OOM_WAIT_NS (2 * NSEC_PER_MSEC)
#define OOM_WAITS 500 /* then the victim is stuck; fail */
/* A small cache: a 64th of memory, and no more than one can run in. */
#define SMALL_SHARE 64
#define SMALL_MIN 64
#define SMALL_MAX 8192

static struct spinlock lru_lock = SPINLOCK_INIT(RANK_PAGE_LRU);
static struct list lru = LIST_INIT(lru); /* newest first */
static uint64_t lru_pages;		 /* [lru_lock] */
static struct refault refaults;		 /* [lru_lock] */

static struct spinlock shrinker_lock = SPINLOCK_INIT(RANK_PAGE_LRU);
static struct list shrinkers = LIST_INIT(shrinkers); /* [shrinker_lock]; only grows */
static bool (*oom_handler)(void);		     /* [I] after boot */

void page_lru_add(struct page *p)
{
	spin_lock(&lru_lock);
	page_flag_set(p, PF_RECLAIM);
	list_push_front(&lru, &p->link);
	lru_pages++;
	refault_added(&refaults, p->mapping, p->index);
	spin_unlock(&lru_lock);
}

void page_lru_del(struct page *p)
{
	if (!page_flag_test(p, PF_RECLAIM))
		return;
	spin_lock(&lru_lock);
	if (page_flag_clear(p, PF_RECLAIM)) {
		list_del(&p->link);
		lru_pages--;
	}
	spin_unlock(&lru_lock);
}

uint64_t page_lru_count(void)
{
	return lru_pages;
}

/* Locks up to n old pages that were not used since the last look; each with a reference.
 * *budget is how many pages may be looked at. */
static size_t lru_pick(struct page **ret, size_t n, size_t *budget)
{
	size_t got = 0;

	spin_lock(&lru_lock);
	while (got < n && *budget && !list_empty(&lru)) {
		struct page *p = list_last(&lru, struct page, link);
		(*budget)--;
		list_del(&p->link);
		list_push_front(&lru, &p->link);
		if (page_flag_clear(p, PF_ACCESSED) || !page_trylock(p))
			continue;
		page_get(p);
		ret[got++] = p;
	}
	spin_unlock(&lru_lock);
	return got;
}

/* Drops a page that lru_pick locked and referenced, and remembers it. Pages freed. */
static size_t evict(struct page *p)
{
	const struct mapping *m = p->mapping;
	uint64_t index = p->index;

	if (!mapping_evict(p))
		return 0;
	spin_lock(&lru_lock);
	refault_evicted(&refaults, m, index, lru_pages);
	spin_unlock(&lru_lock);
	return 1;
}

static bool in_vain(void)
{
	spin_lock(&lru_lock);
	bool yes = refault_thrashing(&refaults, lru_pages);
	spin_unlock(&lru_lock);
	return yes;
}

static void start_anew(void)
{
	spin_lock(&lru_lock);
	refault_forget(&refaults);
	spin_unlock(&lru_lock);
}

/* Two looks at every page at most: the first one clears its second chance. */
static size_t lru_shrink(size_t want)
{
	struct page *batch[SCAN_BATCH];
	size_t budget = 2 * lru_pages + SCAN_BATCH, freed = 0;

	while (freed < want) {
		size_t n =
			lru_pick(batch, MIN(want - freed, (size_t)SCAN_BATCH), &budget);
		for (size_t i = 0; i < n; i++)
			freed += evict(batch[i]);
		if (!n && !budget)
			break;
		if (!n && list_empty(&lru))
			break;
	}
	return freed;
}

static size_t shrinkers_run(size_t want)
{
	size_t freed = 0;
	/* Only grows, at boot: no lock, since a shrinker may sleep. */
	list_for_each(s, &shrinkers, struct shrinker, link)
	{
		if (freed >= want)
			break;
		freed += s->shrink(want - freed);
	}
	return freed;
}

size_t page_reclaim(size_t pages, enum reclaim_why why)
{
	size_t freed = 0;
	if (why != RECLAIM_FOR_JOB || !in_vain())
		freed = lru_shrink(pages);
	if (freed < pages)
		freed += shrinkers_run(pages - freed);
	if (freed < pages)
		freed += slab_shrink();
	if (why == RECLAIM_ASKED)
		start_anew();
	return freed;
}

void shrinker_register(struct shrinker *s)
{
	spin_lock(&shrinker_lock);
	list_push_back(&shrinkers, &s->link);
	spin_unlock(&shrinker_lock);
}

void page_set_oom_handler(bool (*fn)(void))
{
	oom_handler = fn;
}

bool page_oom(void)
{
	uint64_t before = page_free_count();

	for (unsigned i = 0; i < OOM_WAITS; i++) {
		if (thread_work(thread_current()) & WORK_KILL)
			return false;
		if (!oom_handler || !oom_handler())
			return false;
		if (thread_work(thread_current()) & WORK_KILL)
			return false;
		sleep_until(clock_mono() + OOM_WAIT_NS);
		if (page_free_count() > before + SCAN_BATCH) {
			start_anew();
			return true;
		}
	}
	return false;
}

void reclaim_init(void)
{
	size_t small = SMALL_MIN;

	while (small < SMALL_MAX && small < page_get_total() / SMALL_SHARE)
		small *= 2;
	uint32_t *ghosts = heap_zalloc(REFAULT_GHOSTS * small * sizeof *ghosts);
	insist(ghosts);
	refault_init(&refaults, ghosts, small);
}

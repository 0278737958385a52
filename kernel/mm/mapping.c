/*
 * The tree of cached pages of one inode: looking up, adding, filling, dropping.
 *
 * Beside M1-M3:
 *  M4  a page enters the tree up to date, or with PF_LOCKED held by who fills it; a page
 *      that could not be filled leaves the tree, with PF_ERROR, before PF_LOCKED goes;
 *  M5  who takes a page out of the tree holds its PF_LOCKED and m->lock. So a page whose
 *      PF_LOCKED one holds while PF_TREE is set keeps its mapping alive.
 * No lock is held while a page is read or copied: references keep pages.
 */
#include "core/panic.h"
#include "mm/mapping_internal.h"
#include "mm/page_internal.h"
#include "mm/slab.h"

#define LOCK_QUEUES 32

static struct waitq lock_queues[LOCK_QUEUES]; /* [I] after mapping_cache_init */

void mapping_cache_init(void)
{
	for (size_t i = 0; i < LOCK_QUEUES; i++)
		waitq_init(&lock_queues[i]);
}

static struct waitq *lock_queue(const struct page *p)
{
	return &lock_queues[page_index(p) % LOCK_QUEUES];
}

/* Asks to be woken, and looks: true when the page is not locked any more. */
static bool lock_gone(struct page *p)
{
	return !(__atomic_fetch_or((uint16_t *)&p->flags, PF_WAITERS, __ATOMIC_ACQ_REL) &
		 PF_LOCKED);
}

void page_lock_wait(struct page *p)
{
	if (page_flag_test(p, PF_LOCKED))
		wait_event(lock_queue(p), lock_gone(p));
}

void page_unlock(struct page *p)
{
	uint16_t gone = PF_LOCKED | PF_WAITERS;
	if (__atomic_fetch_and((uint16_t *)&p->flags, (uint16_t)~gone, __ATOMIC_ACQ_REL) &
	    PF_WAITERS)
		wake_all(lock_queue(p));
}

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host,
		  bool reclaimable)
{
	*m = (struct mapping){ .ops = ops, .host = host, .reclaimable = reclaimable };
	spin_init(&m->lock, RANK_MAPPING_TREE);
	radix_init(&m->pages, &radix_heap_ops);
	list_init(&m->areas);
}

/* ---- the tree ---- */

/* m->lock held. Consumes nothing; the tree takes a reference of its own. */
static int tree_insert(struct mapping *m, uint64_t index, struct page *p)
{
	p->mapping = m;
	p->index = index;
	int err = radix_insert(&m->pages, index, p);
	if (err) {
		p->mapping = NULL;
		return err;
	}
	page_get(p);
	page_flag_set(p, PF_TREE);
	m->n_pages++;
	if (m->reclaimable)
		page_lru_add(p);
	else
		__atomic_fetch_add((uint64_t *)&page_shmem, 1, __ATOMIC_RELAXED);
	return 0;
}

void mapping_detach(struct mapping *m, struct page *p)
{
	insist(page_flag_test(p, PF_LOCKED) && p->mapping == m);
	insist(radix_remove(&m->pages, p->index) == p);
	page_flag_clear(p, PF_TREE);
	m->n_pages--;
	if (m->reclaimable)
		page_lru_del(p);
	else
		__atomic_fetch_sub((uint64_t *)&page_shmem, 1, __ATOMIC_RELAXED);
}

static void page_touch(struct mapping *m, struct page *p)
{
	if (m->reclaimable && !page_flag_test(p, PF_ACCESSED))
		page_flag_set(p, PF_ACCESSED);
}

/* Whatever is at index, with a reference; NULL: nothing. */
static struct page *tree_get(struct mapping *m, uint64_t index)
{
	spin_lock(&m->lock);
	struct page *p = radix_get(&m->pages, index);
	if (p)
		page_get(p);
	spin_unlock(&m->lock);
	return p;
}

struct page *mapping_find(struct mapping *m, uint64_t index)
{
	struct page *p = tree_get(m, index);
	if (!p)
		return NULL;
	if (page_flag_test(p, PF_UPTODATE)) {
		page_touch(m, p);
		return p;
	}
	page_put(p);
	return NULL;
}

size_t mapping_find_run(struct mapping *m, uint64_t index, struct page **ret, size_t n)
{
	spin_lock(&m->lock);
	size_t got = radix_get_run(&m->pages, index, (void **)ret, n);
	for (size_t i = 0; i < got; i++) {
		if (!page_flag_test(ret[i], PF_UPTODATE)) {
			got = i;
			break;
		}
		page_get(ret[i]);
	}
	spin_unlock(&m->lock);
	if (got)
		page_touch(m, ret[0]);
	return got;
}

uint64_t mapping_gap_start(struct mapping *m, uint64_t end, uint64_t floor)
{
	spin_lock(&m->lock);
	while (end > floor && !radix_get(&m->pages, end - 1))
		end--;
	spin_unlock(&m->lock);
	return end;
}

bool mapping_next(struct mapping *m, uint64_t from, uint64_t *ret)
{
	spin_lock(&m->lock);
	bool found = radix_next(&m->pages, from, ret) != NULL;
	spin_unlock(&m->lock);
	return found;
}

/* Inserts, with what that takes when nodes run out. `within`: only inside the file. */
static int tree_add(struct mapping *m, uint64_t index, struct page *p, bool within)
{
	int err;
	do {
		spin_lock(&m->lock);
		err = within && index >= mapping_end(m) ? -ERANGE
							: tree_insert(m, index, p);
		spin_unlock(&m->lock);
	} while (err == -ENOMEM && (page_reclaim(1, RECLAIM_FOR_JOB) || page_oom()));
	return err;
}

/* ---- memory file systems: pages start as zeroes ---- */

static int charge(struct mapping *m)
{
	return m->ops && m->ops->charge ? m->ops->charge(m) : 0;
}

static void uncharge(struct mapping *m, size_t pages)
{
	if (m->ops && m->ops->uncharge && pages)
		m->ops->uncharge(m, pages);
}

static int memory_add(struct mapping *m, uint64_t index, struct page *p, bool within)
{
	int err = charge(m);
	if (err)
		return err;
	page_flag_set(p, PF_UPTODATE);
	err = tree_add(m, index, p, within);
	if (err)
		uncharge(m, 1);
	return err;
}

int mapping_add(struct mapping *m, uint64_t index, struct page *p)
{
	return memory_add(m, index, p, false);
}

static int memory_fill(struct mapping *m, uint64_t index, bool within, struct page **ret)
{
	struct page *p = page_alloc_kind(0, PAGE_USER | PAGE_ZERO, PAGE_KIND_CACHE);
	if (!p)
		return -ENOMEM;
	int err = memory_add(m, index, p, within);
	if (err) {
		page_put(p);
		return err;
	}
	*ret = p;
	return 0;
}

/* ---- files that are read ---- */

/* Locked, empty pages from index on, in the tree, with a reference each: one at least,
 * and up to n while nothing is in the way. Their number, or -errno. */
static int batch_add(struct mapping *m, uint64_t index, size_t n, bool within,
		     struct page **ret)
{
	int got = 0;

	while ((size_t)got < n) {
		/* Pages nobody asked for yet are not worth an effort. */
		uint32_t flags = PAGE_USER | (got ? PAGE_ATOMIC : 0);
		struct page *p = page_alloc_kind(0, flags, PAGE_KIND_CACHE);
		int err = -ENOMEM;
		if (p) {
			page_flag_set(p, PF_LOCKED);
			err = tree_add(m, index + (uint64_t)got, p, within || got);
		}
		if (err) {
			if (p) {
				page_flag_clear(p, PF_LOCKED);
				page_put(p);
			}
			return got ? got : err;
		}
		ret[got++] = p;
	}
	return got;
}

/* Makes the outcome of reading one page known. Keeps the caller's reference. */
static void page_filled(struct mapping *m, struct page *p)
{
	if (!page_flag_test(p, PF_UPTODATE)) {
		page_flag_set(p, PF_ERROR);
		spin_lock(&m->lock);
		mapping_detach(m, p);
		spin_unlock(&m->lock);
		page_put(p);
	}
	page_unlock(p);
}

static int read_fill(struct mapping *m, uint64_t index, size_t ahead, bool within,
		     struct page **ret)
{
	struct page *batch[READAHEAD_MAX];
	size_t want = MIN(MAX(ahead, (size_t)1), (size_t)READAHEAD_MAX);
	int n = batch_add(m, index, want, within, batch);
	if (n < 0)
		return n;
	int err = m->ops->read_pages(m, batch, (size_t)n);
	for (int i = n - 1; i >= 0; i--) {
		page_filled(m, batch[i]);
		if (i > 0)
			page_put(batch[i]);
	}
	if (page_flag_test(batch[0], PF_UPTODATE)) {
		*ret = batch[0];
		return 0;
	}
	page_put(batch[0]);
	return err == -ENOMEM ? err : -EIO;
}

/* ---- both ---- */

/* The page in the tree once it is not being filled: 1, 0 look again, -EIO. */
static int page_settle(struct mapping *m, struct page *p)
{
	if (likely(page_flag_test(p, PF_UPTODATE))) {
		page_touch(m, p);
		return 1;
	}
	page_lock_wait(p);
	bool failed = page_flag_test(p, PF_ERROR);
	page_put(p);
	return failed ? -EIO : 0;
}

static int get(struct mapping *m, uint64_t index, size_t ahead, bool within,
	       struct page **ret)
{
	for (;;) {
		struct page *p = tree_get(m, index);
		int r;
		if (p) {
			r = page_settle(m, p);
			if (r > 0)
				*ret = p;
			if (r)
				return r > 0 ? 0 : r;
			continue;
		}
		if (mapping_is_read(m))
			r = read_fill(m, index, ahead, within, ret);
		else
			r = memory_fill(m, index, within, ret);
		if (r != -EEXIST)
			return r;
	}
}

int mapping_get(struct mapping *m, uint64_t index, size_t ahead, struct page **ret)
{
	return get(m, index, ahead, false, ret);
}

int mapping_get_within(struct mapping *m, uint64_t index, size_t ahead, struct page **ret)
{
	if (index >= mapping_end(m))
		return -ERANGE;
	return get(m, index, ahead, true, ret);
}

size_t mapping_evict(struct page *p)
{
	struct mapping *m = p->mapping; /* alive by M5 */
	bool gone = false;

	spin_lock(&m->lock);
	if (p->mapped)
		mapping_unmap_locked(m, p->index, p->index, false);
	/* The tree's reference and the caller's; a new one would need m->lock. */
	if (ref_read(&p->refs) == 2 && !page_flag_test(p, PF_DIRTY)) {
		mapping_detach(m, p);
		gone = true;
	}
	spin_unlock(&m->lock);
	page_unlock(p);
	if (gone)
		page_put(p);
	page_put(p);
	return gone;
}

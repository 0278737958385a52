/* Futex keys, buckets, waiting and waking. See futex.h for what always holds. */
#include "proc/futex.h"
#include "core/panic.h"
#include "proc/futex_internal.h"
#include "proc/proc.h"

#define BUCKETS 256

static struct futex_bucket buckets[BUCKETS];

/* ---- keys ---- */

bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

struct futex_bucket *futex_bucket(const struct futex_key *k)
{
	uint64_t h =
		((uint64_t)k->object >> 4) * 0x9e3779b97f4a7c15ull + (k->offset >> 2);
	h *= 0xff51afd7ed558ccdull;
	return &buckets[h >> 56];
}

/* A shared area's word is known by what the area maps; all else is this space's alone. */
static int shared_key(struct space *s, uint64_t va, struct futex_key *ret)
{
	int err = -EFAULT;
	read_lock(&s->lock);
	struct area *a = space_find(s, va);
	if (a && a->start <= va) {
		err = 0;
		if ((a->flags & AREA_SHARED) && a->mapping) {
			ret->object = a->mapping;
			ret->offset = (a->pgoff << PAGE_SHIFT) + (va - a->start);
		}
	}
	read_unlock(&s->lock);
	return err;
}

int futex_key(uaddr_t word, bool private, struct futex_key *ret)
{
	struct space *s = thread_current()->space;
	if (word.va % sizeof(uint32_t))
		return -EINVAL;
	if (!user_range_ok(word, sizeof(uint32_t)))
		return -EFAULT;
	ret->object = s;
	ret->offset = word.va;
	return private ? 0 : shared_key(s, word.va, ret);
}

/* The word in the kernel's own mapping. NULL: its page is not mapped with the `rights`.
 * pt_lock held. */
static uint32_t *word_mapped(struct space *s, uaddr_t word, uint32_t rights)
{
	paddr_t pa;
	uint32_t flags;
	if (!arch_pt_lookup(&s->pt, word.va & PAGE_MASK, &pa, &flags) ||
	    (flags & rights) != rights)
		return NULL;
	return (uint32_t *)((char *)arch_direct_map(pa & PAGE_MASK) +
			    (word.va & ~PAGE_MASK));
}

/* Reads the word without sleeping, for use under bucket locks. -EAGAIN: its page is not
 * mapped (now); the caller lets go of its locks and calls futex_fault_in. */
int futex_peek(uaddr_t word, uint32_t *ret)
{
	struct space *s = thread_current()->space;
	spin_lock(&s->pt_lock);
	const uint32_t *at = word_mapped(s, word, PTE_USER | PTE_R);
	if (at)
		*ret = __atomic_load_n(at, __ATOMIC_SEQ_CST);
	spin_unlock(&s->pt_lock);
	return at ? 0 : -EAGAIN;
}

/* Puts `new` where *v is, in the same way; *v: what was there. -EAGAIN: its page is not
 * mapped for writing. */
int futex_exchange(uaddr_t word, uint32_t *v, uint32_t new)
{
	struct space *s = thread_current()->space;
	spin_lock(&s->pt_lock);
	uint32_t *at = word_mapped(s, word, PTE_USER | PTE_R | PTE_W);
	if (at)
		__atomic_compare_exchange_n(at, v, new, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
	spin_unlock(&s->pt_lock);
	return at ? 0 : -EAGAIN;
}

int futex_fault_in(uaddr_t word)
{
	uint32_t v;
	return arch_user_load32(word.va, &v);
}

/* ---- waking ---- */

/* bucket->lock held: w's sleeper may return (and free w) only after taking it. */
static void wake_waiter(struct futex_waiter *w)
{
	list_del(&w->link);
	__atomic_store_n(&w->bucket, NULL, __ATOMIC_RELEASE);
	sched_wake_state(w->thread, BIT(THREAD_SLEEP));
}

int64_t futex_wake_key(struct futex_bucket *b, const struct futex_key *k, uint32_t n,
		       uint32_t bitset)
{
	uint32_t woken = 0;
	list_for_each_safe(w, &b->waiters, struct futex_waiter, link)
	{
		if (woken >= n)
			break;
		if (!futex_key_equal(&w->key, k))
			continue;
		if (w->requeue_pi)
			return -EINVAL;
		if (!(w->bitset & bitset))
			continue;
		wake_waiter(w);
		woken++;
	}
	return woken;
}

bool futex_is_waited_on(const struct futex_key *k)
{
	struct futex_bucket *b = futex_bucket(k);
	bool found = false;
	if (list_empty(&b->waiters))
		return false;
	spin_lock(&b->lock);
	list_for_each(w, &b->waiters, struct futex_waiter, link)
	{
		found = futex_key_equal(&w->key, k);
		if (found)
			break;
	}
	spin_unlock(&b->lock);
	return found;
}

int64_t futex_wake(uaddr_t word, uint32_t n, uint32_t bitset, bool private)
{
	struct futex_key k;
	if (!bitset)
		return -EINVAL;
	int err = futex_key(word, private, &k);
	if (err)
		return err;
	if (pi_lock_is_waited_for(&k))
		return -EINVAL;
	struct futex_bucket *b = futex_bucket(&k);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (list_empty(&b->waiters))
		return 0;
	spin_lock(&b->lock);
	int64_t woken = futex_wake_key(b, &k, n, bitset);
	spin_unlock(&b->lock);
	return woken;
}

/* ---- waiting ---- */

/* Locks the bucket that w is on, which a requeue may change. NULL: it was woken. */
static struct futex_bucket *lock_bucket_of(struct futex_waiter *w)
{
	for (;;) {
		struct futex_bucket *b = __atomic_load_n(&w->bucket, __ATOMIC_ACQUIRE);
		if (!b)
			return NULL;
		spin_lock(&b->lock);
		if (w->bucket == b)
			return b;
		spin_unlock(&b->lock);
	}
}

/* Takes the home bucket's lock even so: the waker may still be at work under it. */
bool futex_unqueue(struct futex_waiter *w)
{
	struct futex_bucket *b = lock_bucket_of(w);
	if (b) {
		list_del(&w->link);
		w->bucket = NULL;
		spin_unlock(&b->lock);
		return true;
	}
	b = __atomic_load_n(&w->last_bucket, __ATOMIC_ACQUIRE);
	spin_lock(&b->lock);
	spin_unlock(&b->lock);
	return false;
}

int futex_enqueue(struct futex_waiter *w, const struct futex_word *f)
{
	int err = futex_key(f->word, f->private, &w->key);
	if (err)
		return err;
	struct futex_bucket *b = futex_bucket(&w->key);
	for (;;) {
		uint32_t now;
		spin_lock(&b->lock);
		/* On the list before the look: a waker that misses us changed the word
		 * before. */
		list_push_back(&b->waiters, &w->link);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		err = futex_peek(f->word, &now);
		if (!err && now == f->val) {
			w->bucket = w->last_bucket = b;
			spin_unlock(&b->lock);
			return 0;
		}
		list_del(&w->link);
		spin_unlock(&b->lock);
		if (!err)
			return -EWOULDBLOCK;
		err = futex_fault_in(f->word);
		if (err)
			return err;
	}
}

static uint64_t deadline_mono(const struct futex_deadline *d)
{
	if (d->ns == NO_DEADLINE || !d->realtime)
		return d->ns;
	return real_to_mono(d->ns);
}

/* The first waiter that somebody woke; n: none yet. */
static size_t first_woken(const struct futex_waiter *w, size_t n)
{
	size_t i = 0;
	while (i < n && __atomic_load_n(&w[i].bucket, __ATOMIC_ACQUIRE))
		i++;
	return i;
}

int futex_sleep(bool (*done)(const void *arg), const void *arg,
		const struct futex_deadline *d)
{
	struct real_sleeper rs;
	int err = 0;
	if (d->realtime)
		real_sleeper_add(&rs);
	for (;;) {
		__atomic_store_n((uint32_t *)&thread_current()->state, THREAD_SLEEP,
				 __ATOMIC_SEQ_CST);
		if (done(arg))
			break;
		uint64_t at = deadline_mono(d);
		err = wait_sleep(WAIT_INTR, at);
		if (err)
			break;
	}
	__atomic_store_n((uint32_t *)&thread_current()->state, THREAD_RUNNING,
			 __ATOMIC_SEQ_CST);
	if (d->realtime)
		real_sleeper_del(&rs);
	return err;
}

struct waiters {
	const struct futex_waiter *w;
	size_t n;
};

static bool one_woken(const void *arg)
{
	const struct waiters *all = arg;
	return first_woken(all->w, all->n) < all->n;
}

static int sleep_on(const struct futex_waiter *w, size_t n,
		    const struct futex_deadline *d)
{
	return futex_sleep(one_woken, &(struct waiters){ w, n }, d);
}

int64_t futex_wait(uaddr_t word, uint32_t val, uint32_t bitset, bool private,
		   struct futex_deadline deadline)
{
	struct futex_word f = { word, val, private };
	struct futex_waiter w = { .thread = thread_current(), .bitset = bitset };
	if (!bitset)
		return -EINVAL;
	int err = futex_enqueue(&w, &f);
	if (err)
		return err;
	err = sleep_on(&w, 1, &deadline);
	return futex_unqueue(&w) ? err : 0;
}

/* Takes all out again. The index of the lowest that was woken, or n. */
static size_t unqueue_all(struct futex_waiter *w, size_t n)
{
	size_t woken = n;
	for (size_t i = n; i-- > 0;)
		if (!futex_unqueue(&w[i]))
			woken = i;
	return woken;
}

int64_t futex_wait_multiple(const struct futex_word *f, size_t n,
			    struct futex_deadline deadline)
{
	struct futex_waiter *w = heap_alloc_array(n, sizeof *w);
	if (!w)
		return -ENOMEM;
	int err = 0;
	size_t queued = 0;
	while (queued < n) {
		w[queued] = (struct futex_waiter){ .thread = thread_current(),
						   .bitset = FUTEX_BITSET_ANY };
		err = futex_enqueue(&w[queued], &f[queued]);
		if (err)
			break;
		queued++;
	}
	if (!err)
		err = sleep_on(w, n, &deadline);
	size_t woken = unqueue_all(w, queued);
	heap_free(w);
	return woken < queued ? (int64_t)woken : err;
}

void futex_init(void)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		spin_init(&buckets[i].lock, RANK_FUTEX);
		list_init(&buckets[i].waiters);
	}
}

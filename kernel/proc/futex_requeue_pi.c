/*
 * A condition variable's waiters that want a lock with an owner before they go on
 * (FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI of futex(2)): they sleep on one word, and
 * are made to wait for the lock of another, or given it, without being woken in between.
 *
 * The locks: the bucket of the first word, then pi_mutex. A waiter leaves the bucket and
 * gets what it waited for, or a place among the lock's waiters, under both.
 */
#include <linux/futex.h>

#include "core/panic.h"
#include "proc/pi_lock.h"

/* ---- waiting ---- */

int64_t futex_wait_requeue_pi(uaddr_t word, uint32_t val, uaddr_t lock, bool private,
			      struct futex_deadline d)
{
	struct futex_word f = { word, val, private };
	struct futex_requeue_pi r = { .waiter.task = task_current() };
	struct futex_waiter w = {
		.thread = thread_current(),
		.bitset = FUTEX_BITSET_ANY,
		.requeue_pi = &r,
	};

	if (word.va == lock.va)
		return -EINVAL;
	int err = futex_key(lock, private, &r.lock);
	if (!err)
		err = futex_enqueue(&w, &f);
	if (err)
		return err;
	err = futex_sleep(pi_waiter_is_granted, &r.waiter, &d);
	if (futex_unqueue(&w))
		return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
	/* It waits for the lock: the wait for the word is over and not begun again. */
	err = pi_wait_end(lock, &r.lock, &r.waiter, err);
	return err == -ERESTARTSYS ? -EWOULDBLOCK : err;
}

/* ---- requeueing ---- */

struct requeueing {
	uaddr_t from, to;
	struct futex_key k_from, k_to;
	uint32_t expected, max; /* of the first word; waiters to take */
	bool compared;
	uint32_t done;
	struct pi_owner owner; /* of the lock */
	struct task *former;   /* owner.task before this step changed it, to give back */
	struct pi_lock *lock;  /* made beforehand; NULL once used */
};

/* What a step ends with besides 0 and errors. */
enum {
	STEP_AGAIN = 1, /* the lock's word changed meanwhile */
	STEP_FAULT,	/* a page is needed */
};

static int step_of(int err)
{
	return err == -ENOENT ? STEP_FAULT : STEP_AGAIN;
}

/* The most urgent of those that wait on the word, then the oldest. */
static struct futex_waiter *next_waiter(struct futex_bucket *b, const struct futex_key *k)
{
	struct futex_waiter *best = NULL;

	list_for_each(w, &b->waiters, struct futex_waiter, link)
	{
		if (futex_key_equal(&w->key, k) &&
		    (!best || w->thread->rt > best->thread->rt))
			best = w;
	}
	return best;
}

static void leave_bucket(struct futex_waiter *w)
{
	list_del(&w->link);
	__atomic_store_n(&w->bucket, NULL, __ATOMIC_RELEASE);
}

/* Nobody has the lock: it is w's. */
static int give(struct requeueing *q, struct futex_waiter *w, uint32_t v)
{
	struct pi_waiter *p = &w->requeue_pi->waiter;
	uint32_t tid = (uint32_t)p->task->tid;

	if (q->former)
		return STEP_AGAIN; /* user space takes it from whom it was given to */
	int err = pi_word_change(q->to, &v, tid | (v & FUTEX_OWNER_DIED));
	if (err)
		return step_of(err);
	leave_bucket(w);
	/* Who comes next waits for it. */
	q->former = q->owner.task;
	q->owner = (struct pi_owner){ task_get(p->task), tid };
	pi_waiter_grant(p);
	return 0;
}

/* The word names an owner, and nobody waited for it so far. */
static int first_to_wait(struct requeueing *q, uint32_t v)
{
	struct task *owner = q->owner.task;

	if (q->owner.tid != (v & FUTEX_TID_MASK))
		return STEP_AGAIN;
	if (!owner || owner->pi_exited)
		return -ESRCH;
	int err = pi_word_change(q->to, &v, v | FUTEX_WAITERS);
	if (err)
		return step_of(err);
	pi_lock_add(q->lock, &q->k_to, owner);
	q->lock = NULL;
	return 0;
}

static int take_one(struct requeueing *q, struct futex_waiter *w)
{
	struct futex_requeue_pi *r = w->requeue_pi;
	struct pi_lock *l = pi_lock_find(&q->k_to);
	uint32_t v;

	if (!r || !futex_key_equal(&r->lock, &q->k_to))
		return -EINVAL;
	if (futex_peek(q->to, &v))
		return STEP_FAULT;
	uint32_t tid = v & FUTEX_TID_MASK;
	if (!l && !tid)
		return give(q, w, v);
	if (l && !l->unwritten && (uint32_t)l->owner->tid != tid)
		return -EINVAL; /* user space wrote over what we keep */
	const struct task *owner = l ? l->owner : q->owner.task;
	if (owner && (l || q->owner.tid == tid) && pi_waits_for(owner, r->waiter.task))
		return -EDEADLK;
	int step = l ? 0 : first_to_wait(q, v);
	if (step)
		return step;
	leave_bucket(w);
	pi_lock_wait(pi_lock_find(&q->k_to), &r->waiter);
	return 0;
}

/* Both locks held. */
static int requeue_step(struct requeueing *q, struct futex_bucket *b)
{
	uint32_t now;

	if (!q->compared && futex_peek(q->from, &now))
		return STEP_FAULT;
	if (!q->compared && now != q->expected)
		return -EAGAIN;
	q->compared = true;
	while (q->done < q->max) {
		struct futex_waiter *w = next_waiter(b, &q->k_from);
		int step = w ? take_one(q, w) : 0;
		if (!w || step)
			return step;
		q->done++;
	}
	return 0;
}

static int requeue_all(struct requeueing *q)
{
	struct futex_bucket *b = futex_bucket(&q->k_from);

	for (;;) {
		int step = pi_owner_look_up(q->to, &q->owner);
		if (step)
			return step;
		spin_lock(&b->lock);
		spin_lock(&pi_mutex);
		step = requeue_step(q, b);
		spin_unlock(&pi_mutex);
		spin_unlock(&b->lock);
		task_put(q->former);
		q->former = NULL;
		if (step != STEP_AGAIN && step != STEP_FAULT)
			return step;
		if (step == STEP_FAULT)
			step = futex_fault_in(q->from);
		if (step == 0)
			step = pi_word_fault_in(q->to);
		if (step < 0)
			return step;
		if (thread_interrupted())
			return q->done ? 0 : -ERESTARTNOINTR;
	}
}

int64_t futex_requeue_pi(uaddr_t from, uaddr_t to, uint32_t n_wake, uint32_t n_requeue,
			 uint32_t expected, bool private)
{
	struct requeueing q = { .from = from, .to = to, .expected = expected };
	int err;

	if (from.va == to.va || n_wake != 1)
		return -EINVAL;
	q.max = n_requeue < UINT32_MAX ? n_requeue + 1 : n_requeue;
	err = futex_key(from, private, &q.k_from);
	if (!err)
		err = futex_key(to, private, &q.k_to);
	if (!err && futex_key_equal(&q.k_from, &q.k_to))
		err = -EINVAL;
	if (err)
		return err;
	q.lock = heap_zalloc(sizeof *q.lock);
	if (!q.lock)
		return -ENOMEM;
	err = requeue_all(&q);
	heap_free(q.lock);
	if (q.owner.task)
		task_put(q.owner.task);
	return err ? err : (int64_t)q.done;
}

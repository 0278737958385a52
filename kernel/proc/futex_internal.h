/* Between the futex files. */
#ifndef PROC_FUTEX_INTERNAL_H
#define PROC_FUTEX_INTERNAL_H

#include "proc/futex.h"

/* Who waits for a lock with an owner: pi_lock.h. */
struct pi_waiter {
	struct list link;
	struct task *task;
	bool granted;
};

/* What a word is known by (U2): only compared, never followed. */
struct futex_key {
	const void *object; /* space or mapping */
	uint64_t offset;
};

struct futex_bucket {
	struct spinlock lock; /* RANK_FUTEX; two of them in address order */
	struct list waiters;  /* [lock] oldest first */
} aligned_to(64);

/* Of a waiter that is to get a lock with an owner before it goes on. */
struct futex_requeue_pi {
	struct futex_key lock;
	struct pi_waiter waiter; /* [pi_mutex] */
};

struct futex_waiter {
	struct list link;		     /* [bucket->lock] */
	struct futex_key key;		     /* [bucket->lock] */
	struct thread *thread;		     /* [I] */
	struct futex_bucket *bucket;	     /* [bucket->lock] NULL: woken */
	struct futex_bucket *last_bucket;    /* whose lock the waker holds */
	uint32_t bitset;		     /* [I] */
	struct futex_requeue_pi *requeue_pi; /* [I] NULL: no such waiter */
};

must_use int futex_key(uaddr_t word, bool private, struct futex_key *ret);
struct futex_bucket *futex_bucket(const struct futex_key *k);
must_use int futex_peek(uaddr_t word, uint32_t *ret);
must_use int futex_exchange(uaddr_t word, uint32_t *v, uint32_t new);
must_use int futex_fault_in(uaddr_t word);
/* Sleeps until done(arg), which another thread makes true before it wakes this one: 0,
 * -ETIMEDOUT, -ERESTARTSYS. */
must_use int futex_sleep(bool (*done)(const void *arg), const void *arg,
			 const struct futex_deadline *d);
/* bucket->lock held. How many, or -EINVAL: one waits for a lock, and is not to be just
 * woken. */
must_use int64_t futex_wake_key(struct futex_bucket *b, const struct futex_key *k,
				uint32_t n, uint32_t bitset);
/* Whether somebody waits on the word, as for one without an owner; or for its owner to
 * let go (pi_lock.c). Who asks takes it for the other kind, and is told -EINVAL. */
bool futex_is_waited_on(const struct futex_key *k);
bool pi_lock_is_waited_for(const struct futex_key *k);
bool futex_key_equal(const struct futex_key *a, const struct futex_key *b);
/* Queues w if the word holds val (U1). 0, -EWOULDBLOCK, -EFAULT, -EINVAL. */
must_use int futex_enqueue(struct futex_waiter *w, const struct futex_word *f);
/* True: it was still queued, nobody woke it. */
must_use bool futex_unqueue(struct futex_waiter *w);

#endif

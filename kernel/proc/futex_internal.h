/* Between the futex files. */
#ifndef PROC_FUTEX_INTERNAL_H
#define PROC_FUTEX_INTERNAL_H

#include "proc/futex.h"

/* What a word is known by (U2): only compared, never followed. */
struct futex_key {
	const void *object; /* space or mapping */
	uint64_t offset;
};

struct futex_bucket {
	struct spinlock lock; /* RANK_FUTEX; two of them in address order */
	struct list waiters;  /* [lock] oldest first */
} aligned_to(64);

struct futex_waiter {
	struct list link;		  /* [bucket->lock] */
	struct futex_key key;		  /* [bucket->lock] */
	struct thread *thread;		  /* [I] */
	struct futex_bucket *bucket;	  /* [bucket->lock] NULL: woken */
	struct futex_bucket *last_bucket; /* whose lock the waker holds */
	uint32_t bitset;		  /* [I] */
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
uint32_t futex_wake_key(struct futex_bucket *b, const struct futex_key *k, uint32_t n,
			uint32_t bitset);

#endif

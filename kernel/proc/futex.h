/*
 * Futexes: sleeping on a word of user memory until somebody says that it changed
 * (futex(2)).
 *
 * Always true:
 *  U1  a waiter is on the bucket of its key from before the word is compared until it is
 *      woken, requeued or gives up; compare and queueing are one step under the bucket's
 *      lock;
 *  U2  two words have the same key exactly when they are the same memory: private ones by
 *      space and address, shared ones by page-cache object and offset.
 */
#ifndef PROC_FUTEX_H
#define PROC_FUTEX_H

#include "core/wait.h"
#include "mm/usercopy.h"

#define FUTEX_BITSET_ANY 0xffffffffu

/* When a wait ends by itself. */
struct futex_deadline {
	uint64_t ns;   /* NO_DEADLINE: never */
	bool realtime; /* of clock_real, else clock_mono */
};

/* `private` as FUTEX_PRIVATE_FLAG. Counts or -errno. */
must_use int64_t futex_wait(uaddr_t word, uint32_t val, uint32_t bitset, bool private,
			    struct futex_deadline deadline);
must_use int64_t futex_wake(uaddr_t word, uint32_t n, uint32_t bitset, bool private);
/* cmp NULL: FUTEX_REQUEUE. */
must_use int64_t futex_requeue(uaddr_t from, uaddr_t to, uint32_t n_wake,
			       uint32_t n_requeue, const uint32_t *cmp, bool private);
must_use int64_t futex_wake_op(uaddr_t word, uaddr_t word2, uint32_t n, uint32_t n2,
			       uint32_t op, bool private);
/* FUTEX_LOCK_PI, and FUTEX_TRYLOCK_PI with `try`: 0, -EAGAIN, -EDEADLK, -ESRCH, -EINVAL,
 * -ETIMEDOUT, -ENOMEM, -EFAULT. */
must_use int64_t futex_lock_pi(uaddr_t word, bool private, bool try,
			       struct futex_deadline deadline);
/* FUTEX_WAIT_REQUEUE_PI: 0, -EWOULDBLOCK, -ETIMEDOUT, -EINVAL, -EFAULT. */
must_use int64_t futex_wait_requeue_pi(uaddr_t word, uint32_t val, uaddr_t lock,
				       bool private, struct futex_deadline deadline);
/* FUTEX_CMP_REQUEUE_PI: how many have the lock or wait for it; -EINVAL, -EAGAIN, -ESRCH,
 * -EDEADLK, -ENOMEM, -EFAULT. */
must_use int64_t futex_requeue_pi(uaddr_t from, uaddr_t to, uint32_t n_wake,
				  uint32_t n_requeue, uint32_t expected, bool private);
/* 0, -EPERM, -EINVAL, -EFAULT. */
must_use int64_t futex_unlock_pi(uaddr_t word, bool private);
/* t's class has changed: if it waits for a lock, its owner is lent more now, or less. */
void futex_priority_changed(struct task *t);
struct futex_word {
	uaddr_t word;
	uint32_t val;
	bool private;
};
/* Index of the one that was woken. */
must_use int64_t futex_wait_multiple(const struct futex_word *w, size_t n,
				     struct futex_deadline deadline);

/* ---- sleeping on the wall clock: real_sleep.c ---- */

/* A sleeper whose deadline is of CLOCK_REALTIME is woken when that clock is set, so that
 * it looks again. */
struct real_sleeper {
	struct list link;
	struct thread *thread;
};
void real_sleeper_add(struct real_sleeper *s);
void real_sleeper_del(struct real_sleeper *s);
/* Wall-clock time to clock_mono, as things stand; 0: it is past. */
uint64_t real_to_mono(uint64_t real_ns);

#endif

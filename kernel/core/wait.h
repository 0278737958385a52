/*
 * Wait queues, and what is built of them: sleeping mutexes, shared/exclusive locks and
 * completions. A waiter either is a thread to wake or calls a function (epoll).
 *
 *     wait_queue:   struct waitq readers;
 *     sleeper:      err = wait_event_intr(&p->readers, pipe_readable(p));
 *     waker:        change state; wake_all(&p->readers);
 *
 * The condition is tested after the waiter is queued, so a wake-up between test and sleep
 * is never lost. It must not sleep itself when called with the state set; conditions that
 * take spinlocks are fine.
 */
#ifndef CORE_WAIT_H
#define CORE_WAIT_H

#include <asm/errno.h>

#include "core/sched.h"

/* Results that mean "restart the call"; never seen by user space. */
#define ERESTARTSYS 512	   /* restart if the handler has SA_RESTART */
#define ERESTARTNOINTR 513 /* always restart */
#define ERESTARTNOHAND 514 /* restart only if no handler runs */
#define ERESTART_RESTARTBLOCK                                                            \
	516 /* through restart_syscall, with a remembered deadline */

struct waitq {
	struct spinlock lock;
	struct list waiters; /* [lock] */
};

struct waiter {
	struct list link; /* [waitq.lock] */
	struct thread *thread;
	/* NULL: wake the thread. Else called under the queue's lock, interrupts off;
	 * `key` is poll's event mask, 0 when the waker gave none. True: counts as a
	 * wake-up. */
	bool (*fn)(struct waiter *w, uint32_t key);
	bool exclusive; /* wake_one stops after it */
	bool woken;
};

#define WAITQ_INIT(name)                                                                 \
	{                                                                                \
		SPINLOCK_INIT(RANK_WAITQ), LIST_INIT((name).waiters)                     \
	}

void waitq_init(struct waitq *q);
void waitq_add(struct waitq *q, struct waiter *w);
void waitq_del(struct waitq *q, struct waiter *w); /* fine if it is not queued */
static inline bool waitq_active(struct waitq *q)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !list_empty(&q->waiters);
}
/* Interrupt-safe. Wakes all non-exclusive waiters and `n` exclusive ones (n=0: all). */
void wake_key(struct waitq *q, uint32_t n, uint32_t key);
static inline void wake_one(struct waitq *q)
{
	if (waitq_active(q))
		wake_key(q, 1, 0);
}
static inline void wake_all(struct waitq *q)
{
	if (waitq_active(q))
		wake_key(q, 0, 0);
}
/* With poll's event mask, so that epoll and poll need not look when it is not theirs. */
static inline void wake_poll(struct waitq *q, uint32_t events)
{
	if (waitq_active(q))
		wake_key(q, 0, events);
}

/* Each is the state to sleep in. */
enum wait_mode {
	WAIT_UNINTR = THREAD_BLOCKED,
	WAIT_INTR = THREAD_SLEEP,
	WAIT_KILLABLE = THREAD_KILLABLE,
};
#define NO_DEADLINE UINT64_MAX

/* Queues w (thread = current, fn kept) and sets the state. */
void wait_prepare(struct waitq *q, struct waiter *w, enum wait_mode mode);
/* Sleeps until woken, the deadline (clock_mono ns) or, by mode, a signal.
 * 0 woken, -ETIMEDOUT, -ERESTARTSYS. */
must_use int wait_sleep(enum wait_mode mode, uint64_t deadline);
void wait_finish(struct waitq *q, struct waiter *w);

#define wait_event_full(q, cond, mode, deadline, excl)                                   \
	({                                                                               \
		struct waiter w_ = { .exclusive = (excl) };                              \
		const uint64_t deadline_ = (deadline); /* once: it may be "now + 2 s" */ \
		int err_ = 0;                                                            \
		while (!(cond)) {                                                        \
			wait_prepare((q), &w_, (mode));                                  \
			if (cond)                                                        \
				break;                                                   \
			err_ = wait_sleep((mode), deadline_);                            \
			if (err_) {                                                      \
				if (err_ == -ETIMEDOUT && (cond))                        \
					err_ = 0;                                        \
				break;                                                   \
			}                                                                \
		}                                                                        \
		wait_finish((q), &w_);                                                   \
		err_;                                                                    \
	})
#define wait_event(q, cond)                                                              \
	((void)wait_event_full(q, cond, WAIT_UNINTR, NO_DEADLINE, false))
#define wait_event_intr(q, cond) wait_event_full(q, cond, WAIT_INTR, NO_DEADLINE, false)
#define wait_event_intr_deadline(q, cond, ns)                                            \
	wait_event_full(q, cond, WAIT_INTR, ns, false)
#define wait_event_killable(q, cond)                                                     \
	wait_event_full(q, cond, WAIT_KILLABLE, NO_DEADLINE, false)
/* Sleeps until the deadline or a signal: 0 at the deadline, -ERESTARTSYS. */
must_use int sleep_until_intr(uint64_t deadline);
void sleep_until(uint64_t deadline);

/* Sleeping mutual exclusion. Not for interrupt context. */
struct mutex {
	_Atomic(struct thread *) owner;
	struct waitq waiters;
	uint32_t rank;
};
#define MUTEX_INIT(name, r)                                                              \
	{                                                                                \
		NULL, WAITQ_INIT((name).waiters), (r)                                    \
	}
void mutex_init(struct mutex *m, enum lock_rank rank);
void mutex_lock(struct mutex *m);
must_use bool mutex_trylock(struct mutex *m);
must_use int mutex_lock_intr(struct mutex *m); /* 0 or -ERESTARTSYS */
void mutex_unlock(struct mutex *m);
bool mutex_is_mine(const struct mutex *m);

/* Sleeping shared/exclusive lock; a waiting writer keeps new readers out. */
struct rwlock {
	struct spinlock lock;
	int32_t readers;	  /* [lock] */
	uint32_t writers_waiting; /* [lock] */
	struct thread *writer;	  /* [lock] */
	struct waitq waiters;
	uint32_t rank;
};
void rwlock_init(struct rwlock *l, enum lock_rank rank);
void read_lock(struct rwlock *l);
void read_unlock(struct rwlock *l);
void write_lock(struct rwlock *l);
must_use int write_lock_killable(struct rwlock *l); /* 0 or -ERESTARTSYS */
void write_unlock(struct rwlock *l);
void write_downgrade(struct rwlock *l);

/* A one-shot event. */
struct completion {
	struct waitq q;
	_Atomic bool done;
};
void completion_init(struct completion *c);
void completion_wait(struct completion *c);
void completion_done(struct completion *c); /* any context */

#endif

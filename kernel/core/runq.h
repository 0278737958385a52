/*
 * Run queues, shared by the scheduler's files only.
 *
 * A queue's lock is held across the switch: whoever gets it next knows that no thread of
 * the queue is half switched out.
 */
#ifndef CORE_RUNQ_H
#define CORE_RUNQ_H

#include <linux/sched.h>

#include "core/sched.h"

#define NICE_MIN (-20)
#define NICE_MAX 19
#define SCHED_WEIGHT_IDLE (NICE_MAX + 1) /* as a nice level: what SCHED_IDLE weighs */
#define SCHED_SLICE_NS (4 * NSEC_PER_MSEC)
/* A woken thread waits this long for its waker's CPU before an idle one is asked to help:
 * a thread that wakes another mostly goes to sleep itself, and a remote wake-up costs
 * more. */
#define SCHED_KICK_NS (60 * NSEC_PER_USEC)

struct runq {
	struct spinlock lock;  /* RANK_RUNQ, interrupts off */
	struct rb_tree ready;  /* [lock] waiting threads, see goes_before */
	uint32_t n_ready;      /* [lock] */
	uint64_t min_vruntime; /* [lock] never falls */
	int64_t rt_first,
		rt_last; /* [lock] rt_order of who was put in front, at the end */
	uint64_t rt_period_start;    /* [lock] S4 */
	uint64_t rt_used_ns;	     /* [lock] in this period */
	_Atomic uint32_t running_rt; /* [lock] to change: the running thread's rt */
	struct thread *running;	     /* [lock] idle thread when nothing else */
	struct thread *idle;	     /* [I] */
	struct thread *prev;	     /* [lock] what the last switch left */
	uint64_t slice_end;	     /* [lock] UINT64_MAX: nobody waits */
	uint64_t kick_at;	     /* [lock] UINT64_MAX: no kick planned */
	uint64_t tick_at;	  /* [lock] next accounting tick, UINT64_MAX when idle */
	struct sched_stats stats; /* [lock] */
	uint64_t account_start;	  /* [lock] clock up to which time is accounted */
} aligned_to(64);

extern struct runq runqs[CPU_MAX];
extern _Atomic cpumask_t idle_cpus;

static inline uint32_t thread_state(const struct thread *t)
{
	return __atomic_load_n((const uint32_t *)&t->state, __ATOMIC_ACQUIRE);
}

static inline void thread_set_state(struct thread *t, enum thread_state s)
{
	__atomic_store_n((uint32_t *)&t->state, s, __ATOMIC_RELEASE);
}

static inline bool runq_idle_is(const struct runq *rq, const struct thread *t)
{
	return t == rq->idle;
}

/* The queue t belongs to, locked; spin_unlock_irq(&rq->lock, flags) undoes. */
struct runq *runq_lock_of(struct thread *t, uint64_t *flags);
/* With the lock held: */
struct thread *runq_first(const struct runq *rq); /* NULL: nobody waits */
/* Among the waiting; `in_front`: of those of its priority, for real-time threads. */
void runq_insert(struct runq *rq, struct thread *t, bool in_front);
/* Tells the running thread to make way for t, which waits, if it must. */
void runq_preempt_for(struct runq *rq, const struct thread *t);
void runq_remove(struct runq *rq, struct thread *t);
/* A thread waits while another runs: plan the end of the running one's slice. */
void runq_plan_slice(struct runq *rq, uint64_t now);
void runq_kick_idle(const struct runq *rq);
/* Real-time threads (sched_rt.c). The first, which is one, unless all have had their
 * share for now and another thread waits (S4). */
struct thread *runq_first_rt(struct runq *rq, uint64_t now);
/* The running one, to be READY, goes among the waiting; or on no queue, to move to a CPU
 * that has less urgent things to do. */
void runq_put_back_rt(struct runq *rq, struct thread *t, bool forced);
/* The CPU that it had best be woken on. */
uint32_t sched_choose_rt(const struct thread *t);
/* Gives this CPU to the best thread; the running one stays on the queue if its state is
 * RUNNING. Interrupts off; drops the lock. */
void runq_reschedule(struct runq *rq, bool forced);

/* Without: t is READY and on no queue; nobody else touches it. */
void runq_enqueue(struct thread *t, uint32_t cpu); /* makes that CPU notice */
void thread_rebase(struct thread *t, uint32_t from, uint32_t to);
void thread_move_away(struct thread *t); /* to a CPU it may run on */

uint64_t thread_vtime_weighted(const struct thread *t, uint64_t ns);
/* Run time as its nice level weighs it. */
static inline uint64_t thread_vtime(const struct thread *t, uint64_t ns)
{
	return likely(t->weight == 0) ? ns : thread_vtime_weighted(t, ns);
}
/* When this CPU must be interrupted for its run queue's sake; lock held. */
uint64_t runq_deadline(const struct runq *rq);
/* First thing a new thread does: completes the switch to it, interrupts on. */
void sched_thread_begin(void);
/* The timer interrupt's share. Interrupts off. `user`: it interrupted user mode. */
void runq_tick(uint64_t now, bool user);
/* The load average's share of a tick. */
void loadavg_tick(uint64_t now);
/* Arms this CPU's hardware timer for the earlier of timers and run queue. Interrupts
 * off. */
void timer_rearm(uint64_t runq_deadline);

#endif

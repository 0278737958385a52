/*
 * Timers: a callback at a time of the monotonic clock, run in interrupt context on the
 * CPU that set it. Also the clocks that are not the machine's.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "core/spinlock.h"
#include "lib/rbtree.h"

struct timer {
	struct rb_node node; /* [timer lock of cpu] */
	uint64_t deadline;   /* clock_mono ns */
	uint32_t cpu;
	bool queued;
	void (*fn)(struct timer *t); /* interrupts off; may re-arm */
};

void timer_init(struct timer *t, void (*fn)(struct timer *));
void timer_set(struct timer *t, uint64_t deadline); /* (re)arms */
/* True: was armed and will not run. Waits for a callback running on another CPU; so never
 * call it holding a lock that the callback takes. */
bool timer_cancel(struct timer *t);

/* Wall clock: mono + offset. */
uint64_t clock_real(void); /* ns since 1970 */
void clock_real_set(uint64_t ns);
uint64_t clock_real_offset(void); /* what clock_real adds to clock_mono */
/* fn is called after each clock_real_set (timers on CLOCK_REALTIME, vDSO). */
void clock_real_notify(void (*fn)(void));

#endif

/* Sleepers on the wall clock. Deadlines are kept as clock_mono's, so a set clock wakes
 * all. */
#include "core/timer.h"
#include "proc/futex.h"
#include "proc/proc.h"

static struct spinlock lock = SPINLOCK_INIT(RANK_OBJECT); /* interrupts off */
static struct list sleepers = LIST_INIT(sleepers);	  /* [lock] */

void real_sleeper_add(struct real_sleeper *s)
{
	s->thread = thread_current();
	uint64_t flags = spin_lock_irq(&lock);
	list_push_back(&sleepers, &s->link);
	spin_unlock_irq(&lock, flags);
}

void real_sleeper_del(struct real_sleeper *s)
{
	uint64_t flags = spin_lock_irq(&lock);
	list_del(&s->link);
	spin_unlock_irq(&lock, flags);
}

uint64_t real_to_mono(uint64_t real_ns)
{
	uint64_t offset = clock_real_offset();
	return real_ns > offset ? real_ns - offset : 0;
}

static void clock_was_set(void)
{
	uint64_t flags = spin_lock_irq(&lock);
	list_for_each(s, &sleepers, struct real_sleeper, link)
		sched_wake_state(s->thread, BIT(THREAD_SLEEP));
	spin_unlock_irq(&lock, flags);
}

void real_sleep_init(void)
{
	clock_real_notify(clock_was_set);
}

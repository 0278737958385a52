/* Load average: running threads, sampled every 5 s and decayed over 1, 5 and 15
 * minutes. */
#include "core/runq.h"

#define SAMPLE_NS (5 * NSEC_PER_SEC)
#define FIXED_1 2048u /* 11 fraction bits, as /proc/loadavg's readers expect */

/* 2048 * exp(-5 s / window) */
static const uint32_t decay[3] = { 1884, 2014, 2037 };

static struct spinlock lock = SPINLOCK_INIT(RANK_LEAF);
static uint32_t load[3];		 /* [lock] fixed point */
static uint64_t next_sample = SAMPLE_NS; /* [lock] clock_mono ns */

/* Periods that nobody saw were idle: a busy CPU ticks. */
static void sample(uint64_t now)
{
	while (now >= next_sample) {
		bool last = now - next_sample < SAMPLE_NS;
		uint32_t active = last ? sched_running() * FIXED_1 : 0;
		for (int i = 0; i < 3; i++)
			load[i] = (load[i] * decay[i] + active * (FIXED_1 - decay[i])) /
				  FIXED_1;
		next_sample += SAMPLE_NS;
	}
}

void loadavg_tick(uint64_t now)
{
	if (now < __atomic_load_n(&next_sample, __ATOMIC_RELAXED))
		return;
	uint64_t flags = spin_lock_irq(&lock);
	sample(now);
	spin_unlock_irq(&lock, flags);
}

void sched_loadavg(uint32_t ret[3])
{
	loadavg_tick(clock_mono());
	uint64_t flags = spin_lock_irq(&lock);
	for (int i = 0; i < 3; i++)
		ret[i] = load[i];
	spin_unlock_irq(&lock, flags);
}

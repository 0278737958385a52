/* The scheduler's start-up, thread attributes and figures. */
#include <asm/errno.h>

#include "core/runq.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define WEIGHT_NICE_0 1024u

static struct thread idle_threads[CPU_MAX];
#define WEIGHT_SCHED_IDLE 3u
static uint32_t weights[NICE_MAX - NICE_MIN + 2]; /* [I] after sched_init */

/* Each nice level is worth a factor of 1.25 of CPU share (setpriority(2)'s usual
 * reading). */
static void weights_init(void)
{
	uint64_t w = (uint64_t)WEIGHT_NICE_0 << 16;
	for (int n = 0; n >= NICE_MIN; n--, w = w * 5 / 4)
		weights[n - NICE_MIN] = (uint32_t)(w >> 16);
	w = (uint64_t)WEIGHT_NICE_0 << 16;
	for (int n = 0; n <= NICE_MAX; n++, w = w * 4 / 5)
		weights[n - NICE_MIN] = (uint32_t)(w >> 16);
	weights[SCHED_WEIGHT_IDLE - NICE_MIN] = WEIGHT_SCHED_IDLE;
}

uint64_t thread_vtime_weighted(const struct thread *t, uint64_t ns)
{
	return ns * WEIGHT_NICE_0 / weights[t->weight - NICE_MIN];
}

int sched_set_affinity(struct thread *t, cpumask_t mask)
{
	uint64_t flags;
	mask &= (cpumask_t)(BIT(cpu_count()) - 1);
	if (!mask)
		return -EINVAL;
	struct runq *rq = runq_lock_of(t, &flags);
	t->affinity = mask;
	bool misplaced = !(mask & BIT(t->cpu));
	bool queued = t->on_queue && misplaced;
	if (queued)
		runq_remove(rq, t);
	bool running = rq->running == t && misplaced;
	spin_unlock_irq(&rq->lock, flags);
	if (queued)
		thread_move_away(t);
	if (running)
		thread_set_work(t, WORK_RESCHED);
	return 0;
}

uint32_t sched_running(void)
{
	uint32_t n = 0;
	for (uint32_t c = 0; c < cpu_count(); c++) {
		struct runq *rq = &runqs[c];
		n += __atomic_load_n(&rq->n_ready, __ATOMIC_RELAXED);
		n += rq->running != rq->idle;
	}
	return n;
}

void sched_cpu_stats(uint32_t cpu, struct sched_stats *ret)
{
	struct runq *rq = &runqs[cpu];
	uint64_t flags = spin_lock_irq(&rq->lock);
	*ret = rq->stats;
	uint64_t delta = clock_mono() - rq->account_start;
	if (runq_idle_is(rq, rq->running))
		ret->idle_ns += delta;
	else
		ret->sys_ns += delta;
	spin_unlock_irq(&rq->lock, flags);
}

uint64_t sched_thread_ns(struct thread *t)
{
	uint64_t flags;
	struct runq *rq = runq_lock_of(t, &flags);
	uint64_t ns = t->user_ns + t->sys_ns;
	if (rq->running == t)
		ns += clock_mono() - rq->account_start;
	spin_unlock_irq(&rq->lock, flags);
	return ns;
}

/* ---- start-up ---- */

static void runq_setup(uint32_t cpu, struct thread *idle)
{
	struct runq *rq = &runqs[cpu];
	spin_init(&rq->lock, RANK_RUNQ);
	rb_init(&rq->ready, NULL);
	rq->idle = rq->running = idle;
	rq->slice_end = rq->kick_at = rq->tick_at = UINT64_MAX;
	rq->account_start = clock_mono();
	idle->cpu = cpu;
	idle->affinity = (cpumask_t)BIT(cpu);
	idle->on_cpu = true;
	thread_set_state(idle, THREAD_RUNNING);
	cpu_self()->current = idle;
}

void sched_init(void)
{
	weights_init();
	arch_tick_init();
	runq_setup(0, &idle_threads[0]);
	(void)str_copy(idle_threads[0].name, "idle/0", sizeof idle_threads[0].name);
}

void sched_secondary_init(void)
{
	uint32_t me = cpu_id();
	runq_setup(me, &idle_threads[me]);
	fmt_to(idle_threads[me].name, sizeof idle_threads[me].name, "idle/%u", me);
}

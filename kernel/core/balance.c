/*
 * Who runs where: idle CPUs look for work, busy ones call for help.
 */
#include "arch/upcall.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/runq.h"

/* A thread of a busy CPU that may run here: a real-time one if any waits, else the least
 * urgent; NULL. Both locks in CPU order. */
static struct thread *steal_from(uint32_t victim, uint32_t me)
{
	struct runq *v = &runqs[victim];
	if (!__atomic_load_n(&v->n_ready, __ATOMIC_RELAXED) || !spin_trylock(&v->lock))
		return NULL;
	struct thread *found = NULL, *first = runq_first(v);
	bool up = first && first->rt;
	struct rb_node *n = up ? rb_first(&v->ready) : rb_last(&v->ready);
	for (; n && !found; n = up ? rb_next(n) : rb_prev(n)) {
		struct thread *t = container_of(n, struct thread, run_node);
		if ((t->affinity & BIT(me)) && !t->on_cpu)
			found = t;
	}
	if (found) {
		runq_remove(v, found);
		if (!v->n_ready)
			v->slice_end = v->kick_at = UINT64_MAX;
		thread_rebase(found, victim, me);
	}
	spin_unlock(&v->lock);
	return found;
}

static bool steal(uint32_t me)
{
	for (uint32_t i = 1; i < cpu_count(); i++) {
		struct thread *t = steal_from((me + i) % cpu_count(), me);
		if (t) {
			runq_enqueue(t, me);
			return true;
		}
	}
	return false;
}

void sched_idle(void)
{
	uint32_t me = cpu_id();
	struct runq *rq = &runqs[me];
	for (;;) {
		log_wake();
		irq_disable();
		__atomic_fetch_or((cpumask_t *)&idle_cpus, (cpumask_t)BIT(me),
				  __ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&rq->n_ready, __ATOMIC_ACQUIRE) && !steal(me)) {
			cpu_idle();
			continue;
		}
		__atomic_fetch_and((cpumask_t *)&idle_cpus, (cpumask_t)~BIT(me),
				   __ATOMIC_SEQ_CST);
		spin_lock(&rq->lock);
		runq_reschedule(rq, false);
		irq_enable();
	}
}

/* Someone has waited longer than a kick: one idle CPU comes to steal it. */
void runq_kick_idle(const struct runq *rq)
{
	struct thread *t = runq_first(rq);
	cpumask_t idle = __atomic_load_n((cpumask_t *)&idle_cpus, __ATOMIC_RELAXED);
	if (t && (idle & t->affinity))
		arch_ipi_resched((uint32_t)__builtin_ctz(idle & t->affinity));
}

void upcall_secondary(void)
{
	sched_secondary_init();
	sched_idle();
}

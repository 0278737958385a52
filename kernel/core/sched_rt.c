/*
 * What a thread is scheduled as (sched(7)): policies, nice levels, real-time threads.
 */
#include "core/panic.h"
#include "core/runq.h"

/* ---- picking ---- */

/* S4. */
static bool had_their_share(struct runq *rq, uint64_t now)
{
	if (now - rq->rt_period_start >= SCHED_RT_PERIOD_NS) {
		rq->rt_period_start = now;
		rq->rt_used_ns = 0;
	}
	return rq->rt_used_ns >= SCHED_RT_RUNTIME_NS;
}

struct thread *runq_first_rt(struct runq *rq, uint64_t now)
{
	struct rb_node *first = rb_first(&rq->ready), *n = first;

	if (had_their_share(rq, now))
		while (n && container_of(n, struct thread, run_node)->rt)
			n = rb_next(n);
	return container_of(n ? n : first, struct thread, run_node);
}

/* ---- where ---- */

uint32_t sched_choose_rt(const struct thread *t)
{
	cpumask_t ok = t->affinity & (cpumask_t)(BIT(cpu_count()) - 1);
	cpumask_t idle = __atomic_load_n((cpumask_t *)&idle_cpus, __ATOMIC_RELAXED) & ok;
	uint32_t best = (uint32_t)__builtin_ctz(idle ? idle : ok);

	if (idle)
		return best;
	for (uint32_t c = best + 1; c < cpu_count(); c++)
		if ((ok & BIT(c)) && runqs[c].running_rt < runqs[best].running_rt)
			best = c;
	return best;
}

void runq_put_back_rt(struct runq *rq, struct thread *t, bool forced)
{
	bool turn_over = t->policy == SCHED_RR && t->rr_left_ns <= 0;
	const struct thread *first = runq_first(rq);

	if (!(t->affinity & BIT(t->cpu)))
		return;
	if (first && first->rt > t->rt && runqs[sched_choose_rt(t)].running_rt < t->rt)
		return;
	if (turn_over)
		t->rr_left_ns = SCHED_RR_NS;
	runq_insert(rq, t, forced && !turn_over);
}

/* ---- what it is ---- */

/* After a change of its class: what counts, and where it stands now. Lock held, t not
 * among the waiting. */
static void class_changed(struct runq *rq, struct thread *t)
{
	bool was_rt = t->rt;

	t->rt = MAX(t->priority, t->lent);
	t->weight = t->policy == SCHED_IDLE ? SCHED_WEIGHT_IDLE : t->nice;
	if (was_rt && !t->rt && (int64_t)(t->vruntime - rq->min_vruntime) < 0)
		t->vruntime = rq->min_vruntime;
}

/* t, whose queue is locked, is given what `change` makes of it. sched(7): in front of its
 * new equals if it is less urgent now, else behind them. */
static void change_class(struct thread *t, void (*change)(struct thread *t, const void *),
			 const void *arg)
{
	uint64_t flags;
	struct runq *rq = runq_lock_of(t, &flags);
	bool waits = t->on_queue;
	uint8_t before = t->rt;

	if (waits)
		runq_remove(rq, t);
	change(t, arg);
	class_changed(rq, t);
	if (waits) {
		runq_insert(rq, t, t->rt < before);
		runq_preempt_for(rq, t);
	}
	if (rq->running == t) {
		rq->running_rt = t->rt;
		if (rq->n_ready)
			runq_preempt_for(rq, runq_first(rq));
	}
	bool elsewhere =
		rq != &runqs[cpu_id()] && (thread_work(rq->running) & WORK_RESCHED);
	spin_unlock_irq(&rq->lock, flags);
	if (elsewhere)
		arch_ipi_resched((uint32_t)(rq - runqs));
}

static void to_nice(struct thread *t, const void *nice)
{
	t->nice = (int8_t)MAX(NICE_MIN, MIN(NICE_MAX, *(const int *)nice));
}

void sched_set_nice(struct thread *t, int nice)
{
	change_class(t, to_nice, &nice);
}

static void to_class(struct thread *t, const void *class)
{
	const struct sched_class *c = class;

	if (t->policy != c->policy)
		t->rr_left_ns = SCHED_RR_NS;
	t->policy = (uint8_t)c->policy;
	t->priority = (uint8_t)c->priority;
	t->reset_on_fork = c->reset_on_fork;
}

void sched_set_class(struct thread *t, const struct sched_class *c)
{
	insist(c->priority <= 99);
	change_class(t, to_class, c);
}

void sched_get_class(struct thread *t, struct sched_class *ret)
{
	uint64_t flags;
	struct runq *rq = runq_lock_of(t, &flags);

	*ret = (struct sched_class){ t->policy, t->priority, t->reset_on_fork };
	spin_unlock_irq(&rq->lock, flags);
}

static void to_lent(struct thread *t, const void *priority)
{
	t->lent = (uint8_t) * (const uint32_t *)priority;
}

void sched_lend(struct thread *t, uint32_t priority)
{
	insist(priority <= 99);
	if (t->lent != priority)
		change_class(t, to_lent, &priority);
}

void sched_inherit(struct thread *child, struct thread *parent)
{
	child->affinity = parent->affinity;
	child->nice = parent->nice;
	child->policy = parent->policy;
	child->priority = parent->priority;
	if (parent->reset_on_fork) {
		child->nice = MAX(parent->nice, 0);
		child->policy = SCHED_NORMAL;
		child->priority = 0;
	}
	child->rt = child->priority;
	child->rr_left_ns = SCHED_RR_NS;
	child->weight = child->policy == SCHED_IDLE ? SCHED_WEIGHT_IDLE : child->nice;
}

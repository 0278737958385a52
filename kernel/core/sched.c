/*
 * The scheduler. See sched.h for what always holds (S1..S3) and runq.h for the lock.
 */
#include "core/sched.h"
#include "arch/upcall.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/runq.h"

struct runq runqs[CPU_MAX];
_Atomic cpumask_t idle_cpus;
static void (*tick_hook)(struct thread *t, bool user); /* [I] after boot */

static struct runq *runq_mine(void)
{
	return &runqs[cpu_id()];
}

/* ---- the queue; all with rq->lock held ---- */

static inline bool goes_before(const struct thread *t, const struct thread *o)
{
	if (unlikely(t->rt | o->rt))
		return t->rt != o->rt ? t->rt > o->rt : t->rt_order < o->rt_order;
	return (int64_t)(t->vruntime - o->vruntime) < 0;
}

void runq_insert(struct runq *rq, struct thread *t, bool in_front)
{
	insist(!t->on_queue);
	struct rb_node **link = &rq->ready.root, *parent = NULL;
	if (unlikely(t->rt))
		t->rt_order = in_front ? --rq->rt_first : ++rq->rt_last;
	while (*link) {
		parent = *link;
		struct thread *o = container_of(parent, struct thread, run_node);
		link = goes_before(t, o) ? &parent->left : &parent->right;
	}
	rb_insert(&rq->ready, &t->run_node, parent, link);
	t->on_queue = true;
	rq->n_ready++;
}

void runq_remove(struct runq *rq, struct thread *t)
{
	rb_erase(&rq->ready, &t->run_node);
	t->on_queue = false;
	rq->n_ready--;
}

struct thread *runq_first(const struct runq *rq)
{
	struct rb_node *n = rb_first(&rq->ready);
	return n ? container_of(n, struct thread, run_node) : NULL;
}

/* Charges the running thread for its time so far. */
static inline void account(struct runq *rq, uint64_t now, bool user)
{
	struct thread *t = rq->running;
	uint64_t delta = now - rq->account_start;
	rq->account_start = now;
	if (runq_idle_is(rq, t)) {
		rq->stats.idle_ns += delta;
		return;
	}
	*(user ? &t->user_ns : &t->sys_ns) += delta;
	*(user ? &rq->stats.user_ns : &rq->stats.sys_ns) += delta;
	t->tick_ns += delta;
	if (unlikely(t->rt)) {
		rq->rt_used_ns += delta;
		t->rt_spent_ns += delta;
		t->rr_left_ns -= (int64_t)delta;
		return;
	}
	t->vruntime += thread_vtime(t, delta);
	struct thread *first = rq->n_ready ? runq_first(rq) : NULL;
	uint64_t floor = t->vruntime;
	if (first && !first->rt && (int64_t)(first->vruntime - floor) < 0)
		floor = first->vruntime;
	if ((int64_t)(floor - rq->min_vruntime) > 0)
		rq->min_vruntime = floor;
}

uint64_t runq_deadline(const struct runq *rq)
{
	return MIN(MIN(rq->slice_end, rq->kick_at), rq->tick_at);
}

/* A thread came to wait on this queue: plan the end of the running one's slice. */
void runq_plan_slice(struct runq *rq, uint64_t now)
{
	if (rq->slice_end == UINT64_MAX)
		rq->slice_end = now + SCHED_SLICE_NS;
	cpumask_t idle = __atomic_load_n((cpumask_t *)&idle_cpus, __ATOMIC_RELAXED);
	if (idle && rq->kick_at == UINT64_MAX)
		rq->kick_at = now + SCHED_KICK_NS;
}

/* A sleeper keeps at most half a slice of credit, or one could starve the others. */
static void place(struct runq *rq, struct thread *t)
{
	uint64_t least = rq->min_vruntime - SCHED_SLICE_NS / 2;
	if ((int64_t)(t->vruntime - least) < 0)
		t->vruntime = least;
}

static bool should_preempt(const struct runq *rq, const struct thread *t)
{
	const struct thread *cur = rq->running;
	if (runq_idle_is(rq, cur))
		return true;
	if (unlikely(t->rt | cur->rt))
		return t->rt > cur->rt;
	if (unlikely(cur->policy == SCHED_IDLE && t->policy != SCHED_IDLE))
		return true;
	if (unlikely(t->policy)) /* SCHED_BATCH, SCHED_IDLE: they can wait */
		return false;
	return (int64_t)(cur->vruntime - t->vruntime) > (int64_t)(SCHED_SLICE_NS / 4);
}

void runq_preempt_for(struct runq *rq, const struct thread *t)
{
	if (should_preempt(rq, t) && !runq_idle_is(rq, rq->running))
		__atomic_fetch_or((uint32_t *)&rq->running->work, WORK_RESCHED,
				  __ATOMIC_RELEASE);
}

/* Queues t on a CPU's run queue, which is locked. */
static inline void enqueue_locked(struct runq *rq, struct thread *t, bool mine)
{
	place(rq, t);
	thread_set_state(t, THREAD_READY);
	runq_insert(rq, t, false);
	if (!runq_idle_is(rq, rq->running) && mine)
		runq_plan_slice(rq, clock_mono());
	runq_preempt_for(rq, t);
	if (mine)
		timer_rearm(runq_deadline(rq));
}

void runq_enqueue(struct thread *t, uint32_t cpu)
{
	struct runq *rq = &runqs[cpu];
	uint64_t flags = spin_lock_irq(&rq->lock);
	bool mine = cpu == cpu_id();
	enqueue_locked(rq, t, mine);
	spin_unlock_irq(&rq->lock, flags);
	if (!mine)
		arch_ipi_resched(cpu);
}

/* The waker's own CPU when allowed (its caches are warm, no IPI), unless the thread's
 * last CPU sits idle anyway and is not this one's business: then an idle one helps after
 * a kick. */
static inline uint32_t choose_cpu(const struct thread *t)
{
	uint32_t here = cpu_id();
	if (unlikely(t->rt))
		return sched_choose_rt(t);
	if (t->affinity & BIT(here))
		return here;
	cpumask_t idle = __atomic_load_n((cpumask_t *)&idle_cpus, __ATOMIC_RELAXED);
	cpumask_t ok = t->affinity & (cpumask_t)(BIT(cpu_count()) - 1);
	cpumask_t best = ok & idle ? ok & idle : ok;
	return (uint32_t)__builtin_ctz(best);
}

/* t leaves `from`'s virtual time for that of `to`. */
void thread_rebase(struct thread *t, uint32_t from, uint32_t to)
{
	if (from != to)
		t->vruntime += runqs[to].min_vruntime - runqs[from].min_vruntime;
	t->cpu = to;
}

/* ---- switching ---- */

struct runq *runq_lock_of(struct thread *t, uint64_t *flags)
{
	for (;;) {
		uint32_t cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);
		*flags = spin_lock_irq(&runqs[cpu].lock);
		if (t->cpu == cpu)
			return &runqs[cpu];
		spin_unlock_irq(&runqs[cpu].lock, *flags);
	}
}

/* t may no longer run where it is; it is READY, off its CPU and on no queue. */
void thread_move_away(struct thread *t)
{
	uint32_t to = choose_cpu(t);
	thread_rebase(t, t->cpu, to);
	runq_enqueue(t, to);
}

/* Runs on the new thread's stack right after every switch, lock held, interrupts off. */
static inline void finish_switch(void)
{
	struct runq *rq = runq_mine();
	struct thread *prev = rq->prev;
	rq->prev = NULL;
	__atomic_store_n((bool *)&prev->on_cpu, false, __ATOMIC_RELEASE);
	bool dead = thread_state(prev) == THREAD_DEAD;
	bool moves = thread_state(prev) == THREAD_READY && !prev->on_queue;
	spin_unlock(&rq->lock);
	if (dead && prev->on_dead)
		prev->on_dead(prev->on_dead_arg);
	if (moves)
		thread_move_away(prev);
}

void sched_thread_begin(void)
{
	finish_switch();
	irq_enable();
}

/* Gives the CPU to next. rq locked, interrupts off; the lock is dropped by the other
 * side. */
static void switch_to(struct runq *rq, struct thread *next)
{
	struct thread *prev = rq->running;
	rq->running = next;
	rq->running_rt = next->rt;
	rq->prev = prev;
	rq->stats.switches++;
	next->on_cpu = true;
	if (thread_state(next) != THREAD_RUNNING)
		thread_set_state(next, THREAD_RUNNING);
	cpu_self()->current = next;
	if (next->pt)
		arch_pt_activate(next->pt);
	(void)arch_switch(prev, &prev->arch, &next->arch, thread_kstack_top(next));
	finish_switch();
}

/* Takes the next thread off the queue, or the idle one. */
static struct thread *pick_next(struct runq *rq, uint64_t now)
{
	struct thread *next = rq->n_ready ? runq_first(rq) : NULL;
	if (next && unlikely(next->rt))
		next = runq_first_rt(rq, now);
	if (next)
		runq_remove(rq, next);
	rq->slice_end = rq->n_ready ? now + SCHED_SLICE_NS : UINT64_MAX;
	if (!rq->n_ready)
		rq->kick_at = UINT64_MAX;
	/* By run time, not by the clock: sleeping often does not escape the tick. */
	rq->tick_at = UINT64_MAX;
	if (next)
		rq->tick_at = now + SCHED_TICK_NS - MIN(next->tick_ns, SCHED_TICK_NS);
	return next ? next : rq->idle;
}

/* The caller's state says whether it stays on the queue. Interrupts off, lock held. */
void runq_reschedule(struct runq *rq, bool forced)
{
	struct thread *cur = rq->running;
	uint64_t now = clock_mono();
	account(rq, now, forced);
	thread_clear_work(cur, WORK_RESCHED);
	if (!runq_idle_is(rq, cur) && thread_state(cur) == THREAD_RUNNING) {
		thread_set_state(cur, THREAD_READY);
		if (unlikely(cur->rt))
			runq_put_back_rt(rq, cur, forced);
		else if (cur->affinity & BIT(cur->cpu))
			runq_insert(rq, cur, false);
	} else {
		cur->rt_spent_ns = 0;
	}
	struct thread *next = pick_next(rq, now);
	timer_rearm(runq_deadline(rq));
	if (next == cur) {
		thread_set_state(cur, THREAD_RUNNING);
		spin_unlock(&rq->lock);
		return;
	}
	*(forced ? &cur->switches_forced : &cur->switches_voluntary) += 1;
	switch_to(rq, next);
}

void sched_block(void)
{
	uint64_t flags = irq_save();
	struct runq *rq = runq_mine();
	spin_lock(&rq->lock);
	if (thread_state(rq->running) == THREAD_RUNNING) /* woken before it slept */
		spin_unlock(&rq->lock);
	else
		runq_reschedule(rq, false);
	irq_restore(flags);
}

void sched_wait_off_cpu(const struct thread *t)
{
	while (__atomic_load_n((const bool *)&t->on_cpu, __ATOMIC_ACQUIRE))
		cpu_relax();
}

void sched_yield(void)
{
	uint64_t flags = irq_save();
	struct runq *rq = runq_mine();
	spin_lock(&rq->lock);
	struct thread *last = NULL;
	struct rb_node *n = rb_last(&rq->ready);
	if (n)
		last = container_of(n, struct thread, run_node);
	if (last && !last->rt && (int64_t)(last->vruntime - rq->running->vruntime) >= 0)
		rq->running->vruntime = last->vruntime + 1;
	if (last)
		runq_reschedule(rq, false);
	else
		spin_unlock(&rq->lock);
	irq_restore(flags);
}

void sched_preempt(void)
{
	uint64_t flags = irq_save();
	struct runq *rq = runq_mine();
	spin_lock(&rq->lock);
	if (rq->n_ready || !(rq->running->affinity & BIT(cpu_id()))) {
		runq_reschedule(rq, true);
	} else {
		thread_clear_work(rq->running, WORK_RESCHED);
		spin_unlock(&rq->lock);
	}
	irq_restore(flags);
}

/* ---- waking ---- */

bool sched_wake_state(struct thread *t, uint32_t state_mask)
{
	uint64_t flags;
	if (!(BIT(thread_state(t)) & state_mask))
		return false;
	struct runq *rq = runq_lock_of(t, &flags);
	if (!(BIT(thread_state(t)) & state_mask)) {
		spin_unlock_irq(&rq->lock, flags);
		return false;
	}
	if (rq->running == t) { /* about to sleep: it will not */
		thread_set_state(t, THREAD_RUNNING);
		spin_unlock_irq(&rq->lock, flags);
		return true;
	}
	uint32_t to = choose_cpu(t);
	if (likely(to == t->cpu && to == cpu_id())) {
		enqueue_locked(rq, t, true);
		spin_unlock_irq(&rq->lock, flags);
		return true;
	}
	/* READY but on no queue yet: nobody else will touch it, nor see it asleep. */
	thread_set_state(t, THREAD_READY);
	thread_rebase(t, t->cpu, to);
	spin_unlock(&rq->lock);
	runq_enqueue(t, to);
	irq_restore(flags);
	return true;
}

bool sched_wake(struct thread *t)
{
	return sched_wake_state(t, BIT(THREAD_SLEEP) | BIT(THREAD_BLOCKED) |
					   BIT(THREAD_KILLABLE));
}

void sched_start(struct thread *t)
{
	uint64_t flags = irq_save();
	uint32_t to = choose_cpu(t);
	t->cpu = to;
	t->vruntime = runqs[to].min_vruntime;
	runq_enqueue(t, to);
	irq_restore(flags);
}

static uint32_t states_interrupted(uint32_t bits)
{
	uint32_t m = 0;
	if (bits & (WORK_SIGNAL | WORK_STOP | WORK_KILL))
		m |= BIT(THREAD_SLEEP);
	if (bits & WORK_KILL)
		m |= BIT(THREAD_KILLABLE) | BIT(THREAD_STOPPED);
	return m;
}

void thread_set_work(struct thread *t, uint32_t bits)
{
	__atomic_fetch_or((uint32_t *)&t->work, bits, __ATOMIC_SEQ_CST);
	uint32_t wakes = states_interrupted(bits);
	if (wakes && sched_wake_state(t, wakes))
		return;
	uint32_t cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);
	if (t != thread_current() &&
	    __atomic_load_n((bool *)&t->on_cpu, __ATOMIC_ACQUIRE) && cpu != cpu_id())
		arch_ipi_resched(cpu);
}

void runq_tick(uint64_t now, bool user)
{
	struct runq *rq = runq_mine();
	struct thread *tick_for = NULL;
	spin_lock(&rq->lock);
	account(rq, now, user);
	if (now >= rq->kick_at) {
		runq_kick_idle(rq);
		rq->kick_at = rq->n_ready ? now + SCHED_SLICE_NS : UINT64_MAX;
	}
	if (now >= rq->slice_end) {
		rq->slice_end = rq->n_ready ? now + SCHED_SLICE_NS : UINT64_MAX;
		if (rq->n_ready && !runq_idle_is(rq, rq->running))
			__atomic_fetch_or((uint32_t *)&rq->running->work, WORK_RESCHED,
					  __ATOMIC_RELEASE);
		/* one may have gone idle since the last thread came */
		runq_kick_idle(rq);
	}
	if (now >= rq->tick_at) {
		rq->running->tick_ns = 0;
		rq->tick_at = now + SCHED_TICK_NS;
		tick_for = rq->running;
	}
	timer_rearm(runq_deadline(rq));
	spin_unlock(&rq->lock);
	if (!tick_for)
		return;
	arch_tick();
	log_wake();
	loadavg_tick(now);
	if (tick_for->task && tick_hook)
		tick_hook(tick_for, user);
}

void upcall_resched(void)
{
	struct runq *rq = runq_mine();
	spin_lock(&rq->lock);
	if (rq->n_ready && !runq_idle_is(rq, rq->running))
		runq_plan_slice(rq, clock_mono());
	timer_rearm(runq_deadline(rq));
	spin_unlock(&rq->lock);
}

void sched_set_tick_hook(void (*fn)(struct thread *t, bool user))
{
	tick_hook = fn;
}

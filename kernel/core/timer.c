/*
 * Timers on per-CPU trees ordered by deadline, and the wall clock.
 *
 * A timer lives on the tree of the CPU that armed it; timer->cpu says which. The hardware
 * timer serves the earliest of the tree and the CPU's run queue.
 */
#include "core/timer.h"
#include "arch/upcall.h"
#include "core/panic.h"
#include "core/runq.h"

static struct timer_cpu {
	struct spinlock lock;		 /* RANK_TIMER, interrupts off */
	struct rb_tree tree;		 /* [lock] */
	_Atomic(struct timer *) running; /* callback under way on this CPU */
	uint64_t armed;			 /* own CPU, interrupts off: hardware deadline */
	uint64_t runq_deadline;		 /* own CPU, interrupts off */
} timers[CPU_MAX] = {
	[0 ... CPU_MAX - 1] = { .lock = SPINLOCK_INIT(RANK_TIMER),
				.armed = UINT64_MAX,
				.runq_deadline = UINT64_MAX },
};

static _Atomic uint64_t real_offset; /* ns: real = mono + offset */
#define REAL_HOOKS 4
static void (*real_hooks[REAL_HOOKS])(void); /* [I] after boot */

static struct timer *first_of(const struct timer_cpu *c)
{
	struct rb_node *n = rb_first(&c->tree);
	return n ? container_of(n, struct timer, node) : NULL;
}

/* The hardware is asked only to fire earlier than it would; a needless early interrupt
 * re-arms it. Interrupts off, this CPU, its lock held. */
static void arm(struct timer_cpu *c)
{
	struct timer *t = first_of(c);
	uint64_t at = MIN(t ? t->deadline : UINT64_MAX, c->runq_deadline);
	if (at < c->armed) {
		c->armed = at;
		arch_timer_set(at);
	}
}

/* Called with the run queue's lock held (RANK_RUNQ, above RANK_TIMER): reads no tree. */
void timer_rearm(uint64_t runq_deadline)
{
	struct timer_cpu *c = &timers[cpu_id()];
	c->runq_deadline = runq_deadline;
	if (runq_deadline < c->armed) {
		c->armed = runq_deadline;
		arch_timer_set(runq_deadline);
	}
}

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
	t->fn = fn;
	t->queued = false;
	t->cpu = cpu_id();
	t->deadline = UINT64_MAX;
}

static void insert(struct timer_cpu *c, struct timer *t)
{
	struct rb_node **link = &c->tree.root, *parent = NULL;
	while (*link) {
		parent = *link;
		struct timer *o = container_of(parent, struct timer, node);
		link = t->deadline < o->deadline ? &parent->left : &parent->right;
	}
	rb_insert(&c->tree, &t->node, parent, link);
	t->queued = true;
}

static struct timer_cpu *lock_timer(struct timer *t)
{
	for (;;) {
		uint32_t cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);
		struct timer_cpu *c = &timers[cpu];
		spin_lock(&c->lock);
		if (t->cpu == cpu)
			return c;
		spin_unlock(&c->lock);
	}
}

void timer_set(struct timer *t, uint64_t deadline)
{
	uint64_t flags = irq_save();
	struct timer_cpu *c = lock_timer(t);
	if (t->queued) {
		rb_erase(&c->tree, &t->node);
		t->queued = false;
	}
	uint32_t me = cpu_id();
	if (c != &timers[me]) {
		__atomic_store_n(&t->cpu, me, __ATOMIC_RELEASE);
		spin_unlock(&c->lock);
		c = &timers[me];
		spin_lock(&c->lock);
	}
	t->deadline = deadline;
	insert(c, t);
	arm(c);
	spin_unlock(&c->lock);
	irq_restore(flags);
}

bool timer_cancel(struct timer *t)
{
	uint64_t flags = irq_save();
	struct timer_cpu *c = lock_timer(t);
	bool was = t->queued;
	if (was) {
		rb_erase(&c->tree, &t->node);
		t->queued = false;
	}
	spin_unlock(&c->lock);
	irq_restore(flags);
	if (c != &timers[cpu_id()])
		while (__atomic_load_n((struct timer **)&c->running, __ATOMIC_ACQUIRE) ==
		       t)
			cpu_relax();
	return was;
}

static void run_expired(struct timer_cpu *c, uint64_t now)
{
	spin_lock(&c->lock);
	struct timer *t;
	while ((t = first_of(c)) && t->deadline <= now) {
		rb_erase(&c->tree, &t->node);
		t->queued = false;
		__atomic_store_n((struct timer **)&c->running, t, __ATOMIC_RELEASE);
		spin_unlock(&c->lock);
		t->fn(t); /* t may be gone after this */
		spin_lock(&c->lock);
		__atomic_store_n((struct timer **)&c->running, NULL, __ATOMIC_RELEASE);
	}
	spin_unlock(&c->lock);
}

void upcall_timer(bool user)
{
	struct timer_cpu *c = &timers[cpu_id()];
	c->armed = UINT64_MAX;
	uint64_t now = clock_mono();
	run_expired(c, now);
	if (now >= c->runq_deadline)
		runq_tick(now, user);
	spin_lock(&c->lock);
	arm(c);
	spin_unlock(&c->lock);
}

uint64_t clock_real_offset(void)
{
	return __atomic_load_n((uint64_t *)&real_offset, __ATOMIC_RELAXED);
}

uint64_t clock_real(void)
{
	return clock_mono() + clock_real_offset();
}

void clock_real_set(uint64_t ns)
{
	__atomic_store_n((uint64_t *)&real_offset, ns - clock_mono(), __ATOMIC_RELAXED);
	for (int i = 0; i < REAL_HOOKS; i++)
		if (real_hooks[i])
			real_hooks[i]();
}

void clock_real_notify(void (*fn)(void))
{
	for (int i = 0; i < REAL_HOOKS; i++) {
		if (!real_hooks[i]) {
			real_hooks[i] = fn;
			return;
		}
	}
	panic("no room for another wall clock hook");
}

/* Wait queues and timed, interruptible sleeping on them. */
#include "core/wait.h"
#include "core/panic.h"
#include "core/timer.h"

void waitq_init(struct waitq *q)
{
	spin_init(&q->lock, RANK_WAITQ);
	list_init(&q->waiters);
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	uint64_t flags = spin_lock_irq(&q->lock);
	if (w->exclusive)
		list_push_back(&q->waiters, &w->link);
	else
		list_push_front(&q->waiters, &w->link);
	spin_unlock_irq(&q->lock, flags);
}

void waitq_del(struct waitq *q, struct waiter *w)
{
	uint64_t flags = spin_lock_irq(&q->lock);
	if (w->link.next)
		list_del(&w->link);
	spin_unlock_irq(&q->lock, flags);
}

static bool wake_waiter(struct waiter *w, uint32_t key)
{
	if (w->fn)
		return w->fn(w, key);
	w->woken = true;
	return sched_wake(w->thread);
}

void wake_key(struct waitq *q, uint32_t n, uint32_t key)
{
	uint32_t exclusive = 0;
	uint64_t flags = spin_lock_irq(&q->lock);
	list_for_each_safe(w, &q->waiters, struct waiter, link)
	{
		bool excl = w->exclusive; /* a callback may free w */
		if (wake_waiter(w, key) && excl && ++exclusive == n)
			break;
	}
	spin_unlock_irq(&q->lock, flags);
}

static inline void state_set(uint32_t s)
{
	__atomic_store_n((uint32_t *)&thread_current()->state, s, __ATOMIC_SEQ_CST);
}

void wait_prepare(struct waitq *q, struct waiter *w, enum wait_mode mode)
{
	w->thread = thread_current();
	uint64_t flags = spin_lock_irq(&q->lock);
	if (!w->link.next || list_empty(&w->link)) {
		if (w->exclusive)
			list_push_back(&q->waiters, &w->link);
		else
			list_push_front(&q->waiters, &w->link);
	}
	state_set(mode);
	spin_unlock_irq(&q->lock, flags);
}

static bool interrupted(enum wait_mode mode)
{
	uint32_t work = thread_work(thread_current());
	switch (mode) {
	case WAIT_INTR:
		return work & (WORK_SIGNAL | WORK_STOP | WORK_KILL);
	case WAIT_KILLABLE:
		return work & WORK_KILL;
	default:
		return false;
	}
}

struct sleep_timer {
	struct timer timer;
	struct thread *thread;
};

static void sleep_expired(struct timer *t)
{
	sched_wake(container_of(t, struct sleep_timer, timer)->thread);
}

static void block_until(uint64_t deadline)
{
	if (deadline == NO_DEADLINE) {
		sched_block();
		return;
	}
	struct sleep_timer st = { .thread = thread_current() };
	timer_init(&st.timer, sleep_expired);
	timer_set(&st.timer, deadline);
	sched_block();
	timer_cancel(&st.timer);
}

int wait_sleep(enum wait_mode mode, uint64_t deadline)
{
	int err = 0;
	if (interrupted(mode))
		err = -ERESTARTSYS;
	else if (deadline != NO_DEADLINE && clock_mono() >= deadline)
		err = -ETIMEDOUT;
	else
		block_until(deadline);
	state_set(THREAD_RUNNING);
	return err;
}

void wait_finish(struct waitq *q, struct waiter *w)
{
	state_set(THREAD_RUNNING);
	if (w->link.next && !list_empty(&w->link))
		waitq_del(q, w);
	else if (w->link.next) {
		/* Off the list already; the waker may still hold the lock. */
		uint64_t flags = spin_lock_irq(&q->lock);
		spin_unlock_irq(&q->lock, flags);
	}
}

int sleep_until_intr(uint64_t deadline)
{
	for (;;) {
		state_set(THREAD_SLEEP);
		int err = wait_sleep(WAIT_INTR, deadline);
		if (err)
			return err == -ETIMEDOUT ? 0 : err;
	}
}

void sleep_until(uint64_t deadline)
{
	int err;
	do {
		state_set(THREAD_BLOCKED);
		err = wait_sleep(WAIT_UNINTR, deadline);
	} while (err != -ETIMEDOUT);
}

void completion_init(struct completion *c)
{
	waitq_init(&c->q);
	c->done = false;
}

void completion_wait(struct completion *c)
{
	wait_event(&c->q, __atomic_load_n((bool *)&c->done, __ATOMIC_ACQUIRE));
	/* The one who completes may still be inside wake_key: c may be on our stack. */
	uint64_t flags = spin_lock_irq(&c->q.lock);
	spin_unlock_irq(&c->q.lock, flags);
}

void completion_done(struct completion *c)
{
	uint64_t flags = spin_lock_irq(&c->q.lock);
	__atomic_store_n((bool *)&c->done, true, __ATOMIC_RELEASE);
	list_for_each_safe(w, &c->q.waiters, struct waiter, link) wake_waiter(w, 0);
	spin_unlock_irq(&c->q.lock, flags);
}

/*
 * setitimer(2)'s three timers and RLIMIT_CPU. The real one is a kernel timer; those on
 * CPU time are looked at by the scheduler's tick while a thread of the process runs, so
 * they are late by up to a tick (10 ms of run time).
 */
#include "proc/itimer.h"
#include <asm/errno.h>
#include <linux/time.h>

#include "proc/proc.h"

#define INTERVAL_LEAST (50 * NSEC_PER_USEC) /* or interrupts could take the whole CPU */
#define OFF UINT64_MAX /* deadline of a real timer that is queued but off */

static void real_fired(struct timer *timer)
{
	struct process *p = container_of(timer, struct process, itimer_real);
	uint64_t flags = spin_lock_irq(&p->lock);
	uint64_t interval = p->itimer_real_interval;
	if (interval && p->n_live) {
		uint64_t now = clock_mono(), missed = (now - timer->deadline) / interval;
		uint64_t next = timer->deadline + (missed + 1) * interval;
		timer_set(timer, MAX(next, now + INTERVAL_LEAST));
	}
	spin_unlock_irq(&p->lock, flags);
	(void)signal_send_process(p, SIGALRM, NULL);
}

void itimers_init(struct process *p)
{
	timer_init(&p->itimer_real, real_fired);
}

void itimers_cancel(struct process *p)
{
	timer_cancel(&p->itimer_real);
}

static uint64_t saturating_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void real_get(struct process *p, struct itimer_value *ret)
{
	uint64_t now = clock_mono(), at = p->itimer_real.deadline;
	ret->interval = p->itimer_real_interval;
	ret->left = 0;
	if (p->itimer_real.queued && at != OFF)
		ret->left = at > now ? at - now : 1;
}

static void real_set(struct process *p, const struct itimer_value *set,
		     struct itimer_value *ret_old)
{
	uint64_t flags = spin_lock_irq(&p->lock);
	real_get(p, ret_old);
	if (set) {
		p->itimer_real_interval = set->left ? set->interval : 0;
		if (set->left)
			timer_set(&p->itimer_real,
				  saturating_add(clock_mono(), set->left));
	}
	spin_unlock_irq(&p->lock, flags);
	/* Not under the lock: the callback takes it, and cancelling waits for the
	 * callback. */
	if (set && !set->left)
		timer_cancel(&p->itimer_real);
}

static void cpu_set(struct process *p, struct cpu_itimer *it, bool user_only,
		    const struct itimer_value *set, struct itimer_value *ret_old)
{
	struct rusage_acc u;
	uint64_t flags = spin_lock_irq(&p->lock);
	process_usage_locked(p, &u);
	uint64_t now = user_only ? u.user_ns : u.user_ns + u.sys_ns;
	ret_old->interval = it->interval;
	ret_old->left = !it->expires ? 0 : it->expires > now ? it->expires - now : 1;
	if (set) {
		it->interval = set->interval;
		it->expires = set->left ? saturating_add(now, set->left) : 0;
		cpu_timers_recheck(p);
	}
	spin_unlock_irq(&p->lock, flags);
}

int itimer_set(int32_t which, const struct itimer_value *set,
	       struct itimer_value *ret_old)
{
	struct process *p = process_current();
	switch (which) {
	case ITIMER_REAL:
		real_set(p, set, ret_old);
		return 0;
	case ITIMER_VIRTUAL:
		cpu_set(p, &p->itimer_virt, true, set, ret_old);
		return 0;
	case ITIMER_PROF:
		cpu_set(p, &p->itimer_prof, false, set, ret_old);
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- the tick ---- */

void cpu_timers_recheck(struct process *p)
{
	p->cpu_timers = p->itimer_virt.expires || p->itimer_prof.expires ||
			p->limits[RLIMIT_CPU].rlim_cur != RLIM64_INFINITY ||
			p->limits[RLIMIT_RTTIME].rlim_cur != RLIM64_INFINITY ||
			posix_timers_on_cpu(p);
}

static bool cpu_itimer_due(struct cpu_itimer *it, uint64_t now)
{
	if (!it->expires || now < it->expires)
		return false;
	it->expires = it->interval ? MAX(it->expires + it->interval, now) : 0;
	return true;
}

/* SIGXCPU at the soft limit and each second after, SIGKILL at the hard one
 * (getrlimit(2)). */
static int limit_due(struct process *p, uint64_t now)
{
	const struct rlimit64 *l = &p->limits[RLIMIT_CPU];
	uint64_t seconds = now / NSEC_PER_SEC;
	if (seconds >= l->rlim_max)
		return SIGKILL;
	if (seconds < MAX(l->rlim_cur, p->rlimit_cpu_next))
		return 0;
	p->rlimit_cpu_next = seconds + 1;
	return SIGXCPU;
}

/* The same for a real-time thread that does not sleep, in us. As on Linux, the soft limit
 * itself moves on. */
static int rt_limit_due(struct process *p, const struct thread *t)
{
	struct rlimit64 *l = &p->limits[RLIMIT_RTTIME];
	uint64_t us = t->rt_spent_ns / NSEC_PER_USEC;
	if (!us || us < l->rlim_cur)
		return 0;
	if (us >= l->rlim_max)
		return SIGKILL;
	l->rlim_cur += NSEC_PER_SEC / NSEC_PER_USEC;
	return SIGXCPU;
}

static void tick(struct thread *t, bool user)
{
	struct process *p = t->task->process;
	struct rusage_acc u;
	(void)user;
	if (!p->cpu_timers)
		return;
	uint64_t flags = spin_lock_irq(&p->lock);
	process_usage_locked(p, &u);
	uint64_t total = u.user_ns + u.sys_ns;
	bool virt = cpu_itimer_due(&p->itimer_virt, u.user_ns);
	bool prof = cpu_itimer_due(&p->itimer_prof, total);
	int limit = limit_due(p, total);
	if (!limit)
		limit = rt_limit_due(p, t);
	posix_timers_check_cpu(p, total);
	cpu_timers_recheck(p);
	spin_unlock_irq(&p->lock, flags);
	if (virt)
		(void)signal_send_process(p, SIGVTALRM, NULL);
	if (prof)
		(void)signal_send_process(p, SIGPROF, NULL);
	if (limit)
		(void)signal_send_process(p, limit, NULL);
}

void cpu_timers_init(void)
{
	sched_set_tick_hook(tick);
}

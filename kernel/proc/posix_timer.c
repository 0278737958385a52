/*
 * timer_create(2) and family. A timer owns one queue entry, so that its signal cannot
 * fail for want of memory and is pending at most once; periods that pass meanwhile are
 * counted as overruns. A periodic timer is armed again when its signal is taken: one
 * nobody takes costs nothing.
 *
 * Locks: everything under process->lock. The callback takes it too, so timer_cancel is
 * called without; `deleted` tells a callback that lost the race.
 */
#include <asm/errno.h>

#include "proc/clock.h"
#include "proc/futex.h"
#include "proc/itimer.h"
#include "proc/proc.h"

#define OVERRUN_MAX INT32_MAX /* DELAYTIMER_MAX */
#define IGNORED_PERIOD_MIN (10 * NSEC_PER_MSEC)

struct posix_timer {
	struct list link;	 /* process->posix_timers */
	struct process *process; /* [I] borrows: deleted with it */
	struct task *target;	 /* [I] SIGEV_THREAD_ID, referenced; NULL: the process */
	struct task *creator;	 /* [I] referenced: the thread of a thread's CPU clock */
	enum clock_kind kind;	 /* [I] */
	bool thread_clock;	 /* [I] of CLOCK_KIND_CPU */
	bool deleted, silent;
	int32_t id;	  /* [I] */
	uint64_t expires; /* in the clock's time; 0: off */
	uint64_t interval;
	int32_t overrun_taken;
	struct timer timer;
	struct sigqueue *entry;
};

static uint64_t now_of(const struct posix_timer *t, uint64_t process_ns)
{
	switch (t->kind) {
	case CLOCK_KIND_REAL:
		return clock_real();
	case CLOCK_KIND_CPU:
		return t->thread_clock ? sched_thread_ns(&t->creator->thread)
				       : process_ns;
	default:
		return clock_mono();
	}
}

static uint64_t now_locked(const struct posix_timer *t)
{
	struct rusage_acc u = { 0 };
	if (t->kind == CLOCK_KIND_CPU && !t->thread_clock)
		process_usage_locked(t->process, &u);
	return now_of(t, u.user_ns + u.sys_ns);
}

static void arm(struct posix_timer *t)
{
	if (!t->expires || t->silent || t->kind == CLOCK_KIND_CPU)
		return;
	timer_set(&t->timer,
		  t->kind == CLOCK_KIND_REAL ? real_to_mono(t->expires) : t->expires);
}

/* Moves a periodic timer past `now`; how many whole periods were missed. */
static uint64_t forward(struct posix_timer *t, uint64_t now)
{
	uint64_t missed = now > t->expires ? (now - t->expires) / t->interval : 0;
	t->expires += (missed + 1) * t->interval;
	return missed;
}

static void fire(struct posix_timer *t)
{
	struct task *to = t->target ? t->target : t->process->leader;
	if (to && signal_send_timer(to, !t->target, t->entry)) {
		if (!t->interval)
			t->expires = 0;
		return;
	}
	/* Ignored: keep the count of time, but not at any rate somebody likes to ask
	 * for. */
	if (t->interval) {
		(void)forward(t, now_locked(t) + MAX(t->interval, IGNORED_PERIOD_MIN) -
					 t->interval);
		arm(t);
	} else {
		t->expires = 0;
	}
}

static void fired(struct timer *timer)
{
	struct posix_timer *t = container_of(timer, struct posix_timer, timer);
	struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&p->lock);
	if (!t->deleted && t->expires) {
		if (now_locked(t) < t->expires)
			arm(t); /* the wall clock was set back, or the timer set anew */
		else if (list_empty(&t->entry->link))
			fire(t);
	}
	spin_unlock_irq(&p->lock, flags);
}

/* There is, or was, a timer on the wall clock: most machines never make one. */
static _Atomic bool any_real;

static void clock_was_set(void)
{
	/* Either this sees a timer, or whoever makes it sees the new time. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!any_real)
		return;
	for (int32_t nr = process_next(1); nr; nr = process_next(nr + 1)) {
		struct process *p = process_find(nr);
		if (!p)
			continue;
		uint64_t flags = spin_lock_irq(&p->lock);
		list_for_each(t, &p->posix_timers, struct posix_timer,
			      link) if (t->kind == CLOCK_KIND_REAL &&
					list_empty(&t->entry->link)) arm(t);
		spin_unlock_irq(&p->lock, flags);
		process_put(p);
	}
}

void posix_timers_init(void)
{
	clock_real_notify(clock_was_set);
}

void posix_timer_collected(struct sigqueue *q, siginfo_t *ret)
{
	struct posix_timer *t = q->owner;
	uint64_t missed = 0;
	if (t->interval && t->expires) {
		missed = forward(t, now_locked(t));
		arm(t);
	}
	t->overrun_taken = (int32_t)MIN(missed, (uint64_t)OVERRUN_MAX);
	ret->si_overrun = t->overrun_taken;
}

bool posix_timers_on_cpu(const struct process *p)
{
	list_for_each(t, &p->posix_timers, struct posix_timer,
		      link) if (t->kind == CLOCK_KIND_CPU && t->expires &&
				!t->silent) return true;
	return false;
}

void posix_timers_check_cpu(struct process *p, uint64_t process_ns)
{
	list_for_each(t, &p->posix_timers, struct posix_timer,
		      link) if (t->kind == CLOCK_KIND_CPU && t->expires && !t->silent &&
				list_empty(&t->entry->link) &&
				now_of(t, process_ns) >= t->expires) fire(t);
}

/* ---- the calls ---- */

static struct posix_timer *find(struct process *p, int32_t id)
{
	list_for_each(t, &p->posix_timers, struct posix_timer,
		      link) if (t->id == id) return t;
	return NULL;
}

static void timer_free(struct posix_timer *t)
{
	if (t->entry)
		sigqueue_free(t->entry);
	task_put(t->target);
	task_put(t->creator);
	heap_free(t);
}

static int set_target(struct posix_timer *t, const struct sigevent *ev)
{
	int notify = ev->sigev_notify & ~SIGEV_THREAD_ID;
	if (notify != SIGEV_NONE && notify != SIGEV_SIGNAL && notify != SIGEV_THREAD)
		return -EINVAL;
	t->silent = notify == SIGEV_NONE;
	if (!t->silent && (ev->sigev_signo < 1 || ev->sigev_signo > SIGNAL_MAX))
		return -EINVAL;
	if (!(ev->sigev_notify & SIGEV_THREAD_ID))
		return 0;
	t->target = task_find(ev->sigev_notify_thread_id);
	return t->target && t->target->process == t->process ? 0 : -EINVAL;
}

static int set_up(struct posix_timer *t, int32_t clock, const struct sigevent *ev)
{
	int err = clock_kind(clock, &t->kind);
	if (!err && t->kind == CLOCK_KIND_CPU)
		err = clock_cpu_own(clock, &t->thread_clock);
	if (!err)
		err = set_target(t, ev);
	if (err)
		return err;
	t->entry = sigqueue_new(task_current(), false);
	if (!t->entry)
		return -EAGAIN;
	t->entry->owner = t;
	t->entry->info = (siginfo_t){ 0 };
	t->entry->info.si_signo = ev->sigev_signo;
	t->entry->info.si_code = SI_TIMER;
	t->entry->info.si_value = ev->sigev_value;
	return 0;
}

int posix_timer_create(int32_t clock, const struct sigevent *ev, int32_t *ret_id)
{
	static const struct sigevent plain = { .sigev_notify = SIGEV_SIGNAL,
					       .sigev_signo = SIGALRM };
	struct process *p = process_current();
	struct posix_timer *t = heap_zalloc(sizeof *t);
	if (!t)
		return -EAGAIN;
	t->process = p;
	t->creator = task_get(task_current());
	timer_init(&t->timer, fired);
	int err = set_up(t, clock, ev ? ev : &plain);
	if (err) {
		timer_free(t);
		return err;
	}
	if (t->kind == CLOCK_KIND_REAL)
		any_real = true;
	uint64_t flags = spin_lock_irq(&p->lock);
	do {
		t->id = p->next_timer_id++ & INT32_MAX;
	} while (find(p, t->id));
	t->entry->info.si_tid = t->id;
	if (!ev)
		t->entry->info.si_value.sival_int = t->id;
	list_push_back(&p->posix_timers, &t->link);
	*ret_id = t->id;
	spin_unlock_irq(&p->lock, flags);
	return 0;
}

static void get_locked(struct posix_timer *t, struct itimer_value *ret)
{
	uint64_t now = now_locked(t);
	ret->interval = t->interval;
	ret->left = 0;
	if (!t->expires)
		return;
	/* A silent periodic one fires in the books only. */
	if (t->interval && t->expires <= now &&
	    (t->silent || !list_empty(&t->entry->link)))
		(void)forward(t, now);
	ret->left = t->expires > now		? t->expires - now
		    : t->silent && !t->interval ? 0
						: 1;
}

int posix_timer_get(int32_t id, struct itimer_value *ret)
{
	struct process *p = process_current();
	uint64_t flags = spin_lock_irq(&p->lock);
	struct posix_timer *t = find(p, id);
	if (t)
		get_locked(t, ret);
	spin_unlock_irq(&p->lock, flags);
	return t ? 0 : -EINVAL;
}

static void set_locked(struct posix_timer *t, bool absolute,
		       const struct itimer_value *set)
{
	signal_cancel_timer(t->process, t->entry);
	t->interval = set->left ? set->interval : 0;
	t->overrun_taken = 0;
	t->expires = set->left;
	if (set->left && !absolute) {
		uint64_t now = now_locked(t);
		t->expires = set->left > UINT64_MAX - now ? UINT64_MAX : now + set->left;
	}
	arm(t);
	if (t->kind == CLOCK_KIND_CPU)
		cpu_timers_recheck(t->process);
}

int posix_timer_set(int32_t id, bool absolute, const struct itimer_value *set,
		    struct itimer_value *ret_old)
{
	struct process *p = process_current();
	uint64_t flags = spin_lock_irq(&p->lock);
	struct posix_timer *t = find(p, id);
	if (t) {
		get_locked(t, ret_old);
		set_locked(t, absolute, set);
	}
	spin_unlock_irq(&p->lock, flags);
	return t ? 0 : -EINVAL;
}

int posix_timer_overrun(int32_t id)
{
	struct process *p = process_current();
	uint64_t flags = spin_lock_irq(&p->lock);
	struct posix_timer *t = find(p, id);
	int n = t ? t->overrun_taken : -EINVAL;
	spin_unlock_irq(&p->lock, flags);
	return n;
}

/* Takes it from all who know it. NULL: there is none (of that id; any with id < 0). */
static struct posix_timer *detach(struct process *p, int32_t id)
{
	uint64_t flags = spin_lock_irq(&p->lock);
	struct posix_timer *t =
		id < 0 ? list_first_or_null(&p->posix_timers, struct posix_timer, link)
		       : find(p, id);
	if (t) {
		t->deleted = true;
		list_del(&t->link);
		signal_cancel_timer(p, t->entry);
		cpu_timers_recheck(p);
	}
	spin_unlock_irq(&p->lock, flags);
	return t;
}

int posix_timer_delete(int32_t id)
{
	struct posix_timer *t = id < 0 ? NULL : detach(process_current(), id);
	if (!t)
		return -EINVAL;
	timer_cancel(&t->timer);
	timer_free(t);
	return 0;
}

void posix_timers_delete_all(struct process *p)
{
	struct posix_timer *t;
	while (!list_empty(&p->posix_timers) && (t = detach(p, -1))) {
		timer_cancel(&t->timer);
		timer_free(t);
	}
}

/*
 * Signal queues and actions. See signal.h for what always holds.
 *
 * A kernel-made standard signal needs no queue entry: its bit in `set` and `bare` says
 * all there is to say, so such a signal is never lost for want of memory.
 */
#include <asm/errno.h>

#include "core/panic.h"
#include "proc/proc.h"

#define SIGNALS_SYNCHRONOUS                                                              \
	(SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) |       \
	 SIG_BIT(SIGFPE) | SIG_BIT(SIGSYS))

void sigpending_init(struct sigpending *s)
{
	s->set = s->bare = 0;
	list_init(&s->queue);
}

struct sigqueue *sigqueue_new(struct task *charged, bool force)
{
	struct account *a = charged->account;
	uint64_t max = charged->process->limits[RLIMIT_SIGPENDING].rlim_cur;
	uint32_t n = __atomic_add_fetch((uint32_t *)&a->signals, 1, __ATOMIC_RELAXED);
	struct sigqueue *q = NULL;
	if (n <= max || force)
		q = heap_alloc_atomic(sizeof *q);
	if (!q) {
		__atomic_fetch_sub((uint32_t *)&a->signals, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	q->account = account_ref(a);
	q->owner = NULL;
	list_init(&q->link);
	return q;
}

void sigqueue_free(struct sigqueue *q)
{
	__atomic_fetch_sub((uint32_t *)&q->account->signals, 1, __ATOMIC_RELAXED);
	account_put(q->account);
	heap_free(q);
}

/* An entry leaves its queue. A timer's belongs to the timer. */
static void entry_done(struct sigqueue *q)
{
	list_del(&q->link);
	if (!q->owner)
		sigqueue_free(q);
}

void sigpending_flush(struct sigpending *s, sigset64_t which)
{
	if (!(s->set & which))
		return;
	s->set &= ~which;
	s->bare &= ~which;
	list_for_each_safe(q, &s->queue, struct sigqueue,
			   link) if (which & SIG_BIT(q->info.si_signo)) entry_done(q);
}

static int first_signal(sigset64_t ready)
{
	if (ready & SIGNALS_SYNCHRONOUS)
		ready &= SIGNALS_SYNCHRONOUS;
	return ready ? __builtin_ctzll(ready) + 1 : 0;
}

/* The oldest entry of sig; clears the bit if it was the last. */
static void collect(struct sigpending *s, int sig, siginfo_t *ret)
{
	struct sigqueue *found = NULL;
	bool more = false;
	list_for_each(q, &s->queue, struct sigqueue, link)
	{
		if (q->info.si_signo != sig)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = q;
	}
	if (found) {
		*ret = found->info;
		if (found->owner)
			posix_timer_collected(found, ret);
		entry_done(found);
	} else {
		*ret = (siginfo_t){ 0 };
		ret->si_signo = sig;
		ret->si_code = s->bare & SIG_BIT(sig) ? SI_KERNEL : SI_USER;
	}
	if (!more) {
		s->set &= ~SIG_BIT(sig);
		s->bare &= ~SIG_BIT(sig);
	}
}

int signal_dequeue_locked(struct task *t, sigset64_t set, siginfo_t *ret)
{
	struct sigpending *s = &t->pending;
	int sig = first_signal(s->set & set);
	if (!sig) {
		s = &t->process->pending;
		sig = first_signal(s->set & set);
	}
	if (sig)
		collect(s, sig, ret);
	return sig;
}

int signal_dequeue(sigset64_t set, siginfo_t *ret)
{
	struct task *t = task_current();
	uint64_t flags = spin_lock_irq(&t->process->lock);
	int sig = signal_dequeue_locked(t, set, ret);
	signal_recalc(t);
	spin_unlock_irq(&t->process->lock, flags);
	return sig;
}

sigset64_t signal_pending_set(struct task *t)
{
	return t->pending.set | t->process->pending.set;
}

bool signal_peek(struct task *t, bool shared, uint64_t n, siginfo_t *ret)
{
	const struct sigpending *s = shared ? &t->process->pending : &t->pending;
	bool found = false;
	uint64_t flags = spin_lock_irq(&t->process->lock);
	list_for_each(q, &s->queue, struct sigqueue, link)
	{
		if (n--)
			continue;
		*ret = q->info;
		found = true;
		break;
	}
	spin_unlock_irq(&t->process->lock, flags);
	return found;
}

void signal_recalc(struct task *t)
{
	if (signal_pending_set(t) & ~t->blocked)
		thread_set_work(&t->thread, WORK_SIGNAL);
	else if (t == task_current() && !t->process->exiting && !t->process->notify_code)
		thread_clear_work(&t->thread, WORK_SIGNAL);
}

/* ---- actions ---- */

struct sighand *sighand_new(void)
{
	struct sighand *h = heap_zalloc(sizeof *h);
	if (!h)
		return NULL;
	ref_init(&h->refs, 1);
	spin_init(&h->lock, RANK_OBJECT);
	return h;
}

struct sighand *sighand_copy(struct sighand *from)
{
	struct sighand *h = heap_alloc(sizeof *h);
	if (!h)
		return NULL;
	uint64_t flags = spin_lock_irq(&from->lock);
	*h = *from;
	spin_unlock_irq(&from->lock, flags);
	ref_init(&h->refs, 1);
	spin_init(&h->lock, RANK_OBJECT);
	return h;
}

void sighand_put(struct sighand *h)
{
	if (h && ref_put(&h->refs))
		heap_free(h);
}

static bool action_ignores(int sig, __sighandler_t handler)
{
	if (handler == SIG_IGN)
		return true;
	return handler == SIG_DFL && (SIG_BIT(sig) & SIGNALS_IGNORED_BY_DEFAULT);
}

int sighand_set(int sig, const struct sigaction *act, struct sigaction *ret_old)
{
	if (sig < 1 || sig > SIGNAL_MAX || (act && (SIG_BIT(sig) & SIGSET_NEVER_BLOCKED)))
		return -EINVAL;
	struct process *p = process_current();
	struct sighand *h = p->sighand;
	uint64_t flags = spin_lock_irq(&p->lock);
	spin_lock(&h->lock);
	if (ret_old)
		*ret_old = h->action[sig - 1];
	if (act) {
		h->action[sig - 1] = *act;
		h->action[sig - 1].sa_mask &= ~SIGSET_NEVER_BLOCKED;
		h->action[sig - 1].sa_flags &= SA_FLAGS_KNOWN;
	}
	spin_unlock(&h->lock);
	/* POSIX: what is ignored now is not pending any more. */
	if (act && action_ignores(sig, act->sa_handler)) {
		sigpending_flush(&p->pending, SIG_BIT(sig));
		list_for_each(t, &p->tasks, struct task, link)
			sigpending_flush(&t->pending, SIG_BIT(sig));
	}
	spin_unlock_irq(&p->lock, flags);
	return 0;
}

static void set_default(struct sigaction *a)
{
	*a = (struct sigaction){ .sa_handler = SIG_DFL };
}

void sighand_clear(struct sighand *h)
{
	for (int i = 0; i < SIGNAL_MAX; i++)
		if (h->action[i].sa_handler != SIG_IGN)
			set_default(&h->action[i]);
}

void sighand_reset_caught(struct process *p)
{
	struct sighand *h = p->sighand;
	uint64_t flags = spin_lock_irq(&p->lock);
	spin_lock(&h->lock);
	for (int i = 0; i < SIGNAL_MAX; i++) {
		struct sigaction *a = &h->action[i];
		__sighandler_t keep = a->sa_handler == SIG_IGN ? SIG_IGN : SIG_DFL;
		set_default(a);
		a->sa_handler = keep;
	}
	spin_unlock(&h->lock);
	spin_unlock_irq(&p->lock, flags);
}

/*
 * Futexes with an owner (FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI of futex(2)).
 * The word holds the owner's thread id; who finds it taken sleeps here, and is made the
 * owner by the one who lets go: the most urgent first, then the oldest. Until it lets go
 * an owner counts as a thread of the highest priority that waits for it.
 * What always holds: pi_lock.h.
 */
#include <linux/futex.h>

#include "core/panic.h"
#include "proc/futex_internal.h"
#include "proc/pi_lock.h"

/* ---- the word ---- */

int pi_word_change(uaddr_t word, uint32_t *v, uint32_t new)
{
	uint32_t old = *v;
	int err = futex_exchange(word, v, new);

	return err ? -ENOENT : *v == old ? 0 : -EAGAIN;
}

int pi_word_fault_in(uaddr_t word)
{
	uint32_t v, found;
	int err = arch_user_load32(word.va, &v);

	return err ? err : arch_user_cmpxchg32(word.va, v, v, &found);
}

int pi_owner_look_up(uaddr_t word, struct pi_owner *o)
{
	uint32_t v;
	int err = arch_user_load32(word.va, &v);

	if (err)
		return err;
	if (o->task)
		task_put(o->task);
	o->tid = v & FUTEX_TID_MASK;
	o->task = o->tid ? task_find((int32_t)o->tid) : NULL;
	return 0;
}

/* ---- taking ---- */

enum step {
	STEP_TAKEN,
	STEP_QUEUED,
	STEP_AGAIN, /* the word changed meanwhile */
	STEP_FAULT, /* its page is needed */
};

struct taking {
	uaddr_t word;
	struct futex_key key;
	bool wait; /* or give up where it would sleep */
	struct pi_owner owner;
	struct pi_lock *lock; /* made beforehand; NULL once used */
	struct pi_waiter waiter;
};

static enum step step_of(int err)
{
	return err == -ENOENT ? STEP_FAULT : STEP_AGAIN;
}

/* Nobody has it. */
static int take_free(struct taking *t, uint32_t v)
{
	uint32_t died = v & FUTEX_OWNER_DIED;
	int err = pi_word_change(t->word, &v, (uint32_t)task_current()->tid | died);

	return err ? (int)step_of(err) : STEP_TAKEN;
}

/* The word names an owner, and nobody waited so far. */
static int take_first(struct taking *t, uint32_t v)
{
	if (t->owner.tid != (v & FUTEX_TID_MASK))
		return STEP_AGAIN;
	if (!t->owner.task || t->owner.task->pi_exited)
		return -ESRCH;
	if (pi_waits_for(t->owner.task, task_current()))
		return -EDEADLK;
	int err = pi_word_change(t->word, &v, v | FUTEX_WAITERS);
	if (err)
		return (int)step_of(err);
	pi_lock_add(t->lock, &t->key, t->owner.task);
	return STEP_QUEUED;
}

static void queue(struct taking *t, struct pi_lock *l)
{
	t->waiter = (struct pi_waiter){ .task = task_current() };
	pi_lock_wait(l, &t->waiter);
}

/* Under pi_mutex. enum step or -errno. */
static int take_step(struct taking *t)
{
	struct task *me = task_current();
	struct pi_lock *l = pi_lock_find(&t->key);
	uint32_t v;

	if (futex_peek(t->word, &v))
		return STEP_FAULT;
	if ((v & FUTEX_TID_MASK) == (uint32_t)me->tid)
		return -EDEADLK;
	if (!l && !(v & FUTEX_TID_MASK))
		return take_free(t, v);
	if (!t->wait)
		return -EAGAIN;
	if (l && !l->unwritten && (uint32_t)l->owner->tid != (v & FUTEX_TID_MASK))
		return -EINVAL; /* user space wrote over what we keep */
	if (l && pi_waits_for(l->owner, me))
		return -EDEADLK;
	if (!l) {
		int step = take_first(t, v);
		if (step != STEP_QUEUED)
			return step;
		l = t->lock;
		t->lock = NULL;
	}
	queue(t, l);
	return STEP_QUEUED;
}

/* STEP_TAKEN, STEP_QUEUED or -errno. */
static int take(struct taking *t)
{
	for (;;) {
		int err = pi_owner_look_up(t->word, &t->owner);
		if (err)
			return err;
		if (t->owner.task != task_current() && futex_is_waited_on(&t->key))
			return -EINVAL;
		spin_lock(&pi_mutex);
		int step = take_step(t);
		spin_unlock(&pi_mutex);
		if (step != STEP_AGAIN && step != STEP_FAULT)
			return step;
		if (step == STEP_FAULT)
			err = pi_word_fault_in(t->word);
		if (err)
			return err;
		if (thread_interrupted())
			return -ERESTARTNOINTR;
	}
}

/* ---- letting go ---- */

/* pi_mutex held, l is the caller's. It is the first waiter's, or nobody's. */
static void pass_on(struct pi_lock *l, struct leftover *ret)
{
	struct pi_waiter *w = pi_lock_first(l);

	l->unwritten = w;
	if (w)
		pi_lock_grant(l, w, ret);
	else
		pi_lock_drop_unneeded(l, ret);
}

/* The old owner died: the new one writes its id itself. -EFAULT: it cannot, and the lock
 * goes on to the next. */
static int write_owner(uaddr_t word, const struct futex_key *k)
{
	uint32_t me = (uint32_t)task_current()->tid, v = 0;
	struct leftover left = { 0 };
	int err;

	for (;;) {
		spin_lock(&pi_mutex);
		struct pi_lock *l = pi_lock_find(k);
		insist(l && l->owner == task_current() && l->unwritten);
		uint32_t waiters = list_empty(&l->waiters) ? 0 : FUTEX_WAITERS;
		err = pi_word_change(word, &v, me | waiters | FUTEX_OWNER_DIED);
		if (!err) {
			l->unwritten = false;
			pi_lock_drop_unneeded(l, &left);
		}
		spin_unlock(&pi_mutex);
		if (!err)
			break;
		err = err == -ENOENT ? pi_word_fault_in(word) : 0;
		if (err) {
			spin_lock(&pi_mutex);
			pass_on(l, &left);
			spin_unlock(&pi_mutex);
			break;
		}
	}
	leftover_free(&left);
	return err;
}

bool pi_waiter_is_granted(const void *waiter)
{
	return __atomic_load_n(&((const struct pi_waiter *)waiter)->granted,
			       __ATOMIC_ACQUIRE);
}

int pi_wait_end(uaddr_t word, const struct futex_key *k, struct pi_waiter *w, int err)
{
	struct leftover left = { 0 };
	bool unwritten = false;

	spin_lock(&pi_mutex);
	if (w->granted) {
		struct pi_lock *l = pi_lock_find(k);
		unwritten = l && l->owner == task_current() && l->unwritten;
		err = 0;
	} else {
		struct pi_lock *l = task_current()->pi_wanted;
		pi_lock_give_up(l, w);
		pi_lock_drop_unneeded(l, &left);
	}
	spin_unlock(&pi_mutex);
	leftover_free(&left);
	return unwritten ? write_owner(word, k) : err;
}

/* Sleeps until the lock is the caller's or it gives up: 0, -ETIMEDOUT, -ERESTARTNOINTR,
 * -EFAULT. */
static int wait_for(struct taking *t, const struct futex_deadline *d)
{
	int err = futex_sleep(pi_waiter_is_granted, &t->waiter, d);

	err = pi_wait_end(t->word, &t->key, &t->waiter, err);
	return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

int64_t futex_lock_pi(uaddr_t word, bool private, bool try, struct futex_deadline d)
{
	struct taking t = { .word = word, .wait = !try };
	int err = futex_key(word, private, &t.key);

	if (err)
		return err;
	t.lock = try ? NULL : heap_zalloc(sizeof(*t.lock));
	if (!try && !t.lock)
		return -ENOMEM;
	int step = take(&t);
	heap_free(t.lock);
	if (t.owner.task)
		task_put(t.owner.task);
	return step == STEP_QUEUED ? wait_for(&t, &d) : step < 0 ? step : 0;
}

/* Under pi_mutex: 0, -EPERM, -EINVAL, -ENOENT, -EAGAIN. */
static int unlock_step(uaddr_t word, const struct futex_key *k, struct leftover *ret)
{
	struct task *me = task_current();
	struct pi_lock *l = pi_lock_find(k);
	struct pi_waiter *w = l ? pi_lock_first(l) : NULL;
	uint32_t v;

	if (futex_peek(word, &v))
		return -ENOENT;
	if ((v & FUTEX_TID_MASK) != (uint32_t)me->tid)
		return -EPERM;
	if (l && l->owner != me)
		return -EINVAL;
	int err =
		pi_word_change(word, &v, w ? (uint32_t)w->task->tid | FUTEX_WAITERS : 0);
	if (!err && w) {
		pi_lock_grant(l, w, ret);
		pi_lock_drop_unneeded(l, ret);
	}
	return err;
}

int64_t futex_unlock_pi(uaddr_t word, bool private)
{
	struct futex_key k;
	uint32_t v;
	int err = futex_key(word, private, &k);

	if (!err)
		err = arch_user_load32(word.va, &v);
	if (!err && (v & FUTEX_TID_MASK) == (uint32_t)task_current()->tid &&
	    futex_is_waited_on(&k))
		err = -EINVAL;
	while (!err) {
		struct leftover left = { 0 };
		spin_lock(&pi_mutex);
		err = unlock_step(word, &k, &left);
		spin_unlock(&pi_mutex);
		leftover_free(&left);
		if (!err)
			break;
		if (err == -ENOENT)
			err = pi_word_fault_in(word);
		else if (err == -EAGAIN)
			err = 0;
	}
	return err;
}

void futex_exit_pi(struct task *t, bool dies)
{
	for (;;) {
		struct leftover left = { 0 };
		spin_lock(&pi_mutex);
		bool more = !list_empty(&t->pi_owned);
		if (more)
			pass_on(list_first(&t->pi_owned, struct pi_lock, owned), &left);
		else
			t->pi_exited = dies;
		spin_unlock(&pi_mutex);
		leftover_free(&left);
		if (!more)
			return;
	}
}

/* Locks with an owner, and priority inheritance. See pi_lock.h for what always holds. */
#include "proc/pi_lock.h"

#include "core/panic.h"
#include "proc/futex.h"

struct spinlock pi_mutex = SPINLOCK_INIT(RANK_PI);
static struct rb_tree taken; /* [pi_mutex] */

/* ---- locks ---- */

static int key_order(const struct futex_key *a, const struct futex_key *b)
{
	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

struct pi_lock *pi_lock_find(const struct futex_key *k)
{
	struct rb_node *n = taken.root;

	while (n) {
		struct pi_lock *l = container_of(n, struct pi_lock, node);
		int order = key_order(k, &l->key);
		if (!order)
			return l;
		n = order < 0 ? n->left : n->right;
	}
	return NULL;
}

bool pi_lock_is_waited_for(const struct futex_key *k)
{
	/* Most often there are none at all. */
	if (!__atomic_load_n(&taken.root, __ATOMIC_RELAXED))
		return false;
	spin_lock(&pi_mutex);
	const struct pi_lock *l = pi_lock_find(k);
	bool waited = l && !list_empty(&l->waiters);
	spin_unlock(&pi_mutex);
	return waited;
}

static void set_owner(struct pi_lock *l, struct task *t)
{
	l->owner = task_get(t);
	list_push_back(&t->pi_owned, &l->owned);
}

void pi_lock_add(struct pi_lock *l, const struct futex_key *k, struct task *owner)
{
	struct rb_node **link = &taken.root, *parent = NULL;

	while (*link) {
		parent = *link;
		struct pi_lock *at = container_of(parent, struct pi_lock, node);
		link = key_order(k, &at->key) < 0 ? &parent->left : &parent->right;
	}
	l->key = *k;
	l->unwritten = false;
	list_init(&l->waiters);
	set_owner(l, owner);
	rb_insert(&taken, &l->node, parent, link);
}

void leftover_free(struct leftover *o)
{
	heap_free(o->lock);
	while (o->tasks)
		task_put(o->task[--o->tasks]);
}

static void leave_owner(struct pi_lock *l, struct leftover *ret)
{
	insist(ret->tasks < ARRAY_LEN(ret->task));
	ret->task[ret->tasks++] = l->owner;
	list_del(&l->owned);
}

void pi_lock_drop_unneeded(struct pi_lock *l, struct leftover *ret)
{
	if (!list_empty(&l->waiters) || l->unwritten)
		return;
	leave_owner(l, ret);
	rb_erase(&taken, &l->node);
	ret->lock = l;
}

struct pi_waiter *pi_lock_first(struct pi_lock *l)
{
	return list_first_or_null(&l->waiters, struct pi_waiter, link);
}

bool pi_waits_for(const struct task *t, const struct task *me)
{
	for (int i = 0; i < PI_CHAIN_MAX; i++) {
		if (t == me)
			return true;
		if (!t->pi_wanted)
			return false;
		t = t->pi_wanted->owner;
	}
	return true;
}

/* ---- priorities ---- */

/* Behind those that are as urgent. */
static void enqueue(struct pi_lock *l, struct pi_waiter *w)
{
	struct list *at = l->waiters.prev;

	while (at != &l->waiters &&
	       container_of(at, struct pi_waiter, link)->task->thread.rt <
		       w->task->thread.rt)
		at = at->prev;
	list_push_front(at, &w->link);
}

static uint32_t highest_waiting_for(struct task *t)
{
	uint32_t highest = 0;

	list_for_each(l, &t->pi_owned, struct pi_lock, owned)
	{
		struct pi_waiter *w = pi_lock_first(l);
		if (w)
			highest = MAX(highest, w->task->thread.rt);
	}
	return highest;
}

/* t waits, and how urgent it is has changed. */
static void requeue(struct task *t)
{
	list_for_each(w, &t->pi_wanted->waiters, struct pi_waiter, link)
	{
		if (w->task == t) {
			list_del(&w->link);
			enqueue(t->pi_wanted, w);
			return;
		}
	}
}

/* Who waits for t has changed: P3, for it, for whom it waits, and so on. */
static void lend(struct task *t)
{
	for (int i = 0; i < PI_CHAIN_MAX; i++) {
		uint32_t before = t->thread.rt;

		sched_lend(&t->thread, highest_waiting_for(t));
		if (t->thread.rt == before || !t->pi_wanted)
			return;
		requeue(t);
		t = t->pi_wanted->owner;
	}
}

void futex_priority_changed(struct task *t)
{
	spin_lock(&pi_mutex);
	if (t->pi_wanted) {
		requeue(t);
		lend(t->pi_wanted->owner);
	}
	spin_unlock(&pi_mutex);
}

void pi_lock_wait(struct pi_lock *l, struct pi_waiter *w)
{
	w->task->pi_wanted = l;
	enqueue(l, w);
	lend(l->owner);
}

void pi_lock_give_up(struct pi_lock *l, struct pi_waiter *w)
{
	list_del(&w->link);
	w->task->pi_wanted = NULL;
	lend(l->owner);
}

void pi_waiter_grant(struct pi_waiter *w)
{
	struct thread *t = &w->task->thread;

	__atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
	sched_wake_state(t, BIT(THREAD_SLEEP));
}

void pi_lock_grant(struct pi_lock *l, struct pi_waiter *w, struct leftover *ret)
{
	struct task *old = l->owner;

	leave_owner(l, ret);
	list_del(&w->link);
	w->task->pi_wanted = NULL;
	set_owner(l, w->task);
	lend(old);
	lend(w->task);
	pi_waiter_grant(w);
}

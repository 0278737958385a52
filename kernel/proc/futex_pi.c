/*
 * Futexes with an owner (FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI of futex(2)).
 * The word holds the owner's thread id; who finds it taken sleeps here, and is made the
 * owner by the one who lets go, oldest first.
 *
 * Every thread here is of SCHED_OTHER, for which Linux lends no priority either: what is
 * left of priority inheritance is the order, the hand-over and the check for deadlock.
 *
 * Always true:
 *  P1  a word that somebody waits for has a struct pi_lock, and so has one whose new
 *      owner has yet to write its id (`unwritten`: the old one died);
 *  P2  all of it, and the tasks' pi_* fields, change under pi_mutex alone; under it user
 *      memory is touched only where it is mapped.
 */
#include <linux/futex.h>

#include "core/panic.h"
#include "lib/rbtree.h"
#include "proc/futex_internal.h"
#include "proc/proc.h"

struct pi_lock {
	struct rb_node node; /* of `taken` */
	struct futex_key key;
	struct task *owner;  /* referenced */
	struct list owned;   /* of owner->pi_owned */
	struct list waiters; /* oldest first */
	bool unwritten;
};

struct pi_waiter {
	struct list link;
	struct task *task;
	bool granted;
};

static struct spinlock pi_mutex = SPINLOCK_INIT(RANK_FUTEX);
static struct rb_tree taken; /* [pi_mutex] */

/* ---- locks ---- */

static int key_order(const struct futex_key *a, const struct futex_key *b)
{
	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static struct pi_lock *find(const struct futex_key *k)
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

static void set_owner(struct pi_lock *l, struct task *t)
{
	l->owner = task_get(t);
	list_push_back(&t->pi_owned, &l->owned);
}

static void add(struct pi_lock *l, const struct futex_key *k, struct task *owner)
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

/* What a step under pi_mutex leaves to be given back after it. */
struct leftover {
	struct pi_lock *lock;
	struct task *task[2];
	uint32_t tasks;
};

static void leftover_free(struct leftover *o)
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

/* Nobody waits, and the word says who owns it: the word is enough. */
static void drop_unneeded(struct pi_lock *l, struct leftover *ret)
{
	if (!list_empty(&l->waiters) || l->unwritten)
		return;
	leave_owner(l, ret);
	rb_erase(&taken, &l->node);
	ret->lock = l;
}

static struct pi_waiter *first_waiter(struct pi_lock *l)
{
	return list_first_or_null(&l->waiters, struct pi_waiter, link);
}

/* Makes a waiter the owner. */
static void grant(struct pi_lock *l, struct pi_waiter *w, struct leftover *ret)
{
	leave_owner(l, ret);
	list_del(&w->link);
	w->task->pi_wanted = NULL;
	set_owner(l, w->task);
	__atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
	sched_wake_state(&w->task->thread, BIT(THREAD_SLEEP));
}

/* ---- the word ---- */

/* Under pi_mutex. 0; -EAGAIN: it held something else, *v has it; -ENOENT: its page is not
 * there to be written, see fault_in. */
static int change(uaddr_t word, uint32_t *v, uint32_t new)
{
	uint32_t old = *v;
	int err = futex_exchange(word, v, new);

	return err ? -ENOENT : *v == old ? 0 : -EAGAIN;
}

/* Has the word's page mapped for writing. */
static int fault_in(uaddr_t word)
{
	uint32_t v, found;
	int err = arch_user_load32(word.va, &v);

	return err ? err : arch_user_cmpxchg32(word.va, v, v, &found);
}

/* ---- taking ---- */

#define CHAIN_MAX 1024 /* as Linux's kernel.max_lock_depth */

/* Whether t, to own what the caller is about to wait for, waits for the caller; or for
 * too long a chain to tell. */
static bool waits_for(const struct task *t, const struct task *me)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		if (t == me)
			return true;
		if (!t->pi_wanted)
			return false;
		t = t->pi_wanted->owner;
	}
	return true;
}

enum step {
	STEP_TAKEN,
	STEP_QUEUED,
	STEP_AGAIN, /* the word changed meanwhile */
	STEP_FAULT, /* its page is needed */
};

struct taking {
	uaddr_t word;
	struct futex_key key;
	bool wait;	      /* or give up where it would sleep */
	struct task *owner;   /* of id seen_tid; NULL: no such thread */
	uint32_t seen_tid;    /* in the word, when owner was looked up */
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
	int err = change(t->word, &v, (uint32_t)task_current()->tid | died);

	return err ? (int)step_of(err) : STEP_TAKEN;
}

/* The word names an owner, and nobody waited so far. */
static int take_first(struct taking *t, uint32_t v)
{
	if (t->seen_tid != (v & FUTEX_TID_MASK))
		return STEP_AGAIN;
	if (!t->owner || t->owner->pi_exited)
		return -ESRCH;
	if (waits_for(t->owner, task_current()))
		return -EDEADLK;
	int err = change(t->word, &v, v | FUTEX_WAITERS);
	if (err)
		return (int)step_of(err);
	add(t->lock, &t->key, t->owner);
	return STEP_QUEUED;
}

static void queue(struct taking *t, struct pi_lock *l)
{
	t->waiter = (struct pi_waiter){ .task = task_current() };
	list_push_back(&l->waiters, &t->waiter.link);
	task_current()->pi_wanted = l;
}

/* Under pi_mutex. enum step or -errno. */
static int take_step(struct taking *t)
{
	struct task *me = task_current();
	struct pi_lock *l = find(&t->key);
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
	if (l && waits_for(l->owner, me))
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

static int look_up_owner(struct taking *t)
{
	uint32_t v;
	int err = arch_user_load32(t->word.va, &v);

	if (err)
		return err;
	if (t->owner)
		task_put(t->owner);
	t->seen_tid = v & FUTEX_TID_MASK;
	t->owner = t->seen_tid ? task_find((int32_t)t->seen_tid) : NULL;
	return 0;
}

/* STEP_TAKEN, STEP_QUEUED or -errno. */
static int take(struct taking *t)
{
	for (;;) {
		int err = look_up_owner(t);
		if (err)
			return err;
		spin_lock(&pi_mutex);
		int step = take_step(t);
		spin_unlock(&pi_mutex);
		if (step != STEP_AGAIN && step != STEP_FAULT)
			return step;
		if (step == STEP_FAULT)
			err = fault_in(t->word);
		if (err)
			return err;
		if (thread_interrupted())
			return -ERESTARTNOINTR;
	}
}

/* ---- letting go ---- */

/* pi_mutex held, l is the caller's. It is the oldest waiter's, or nobody's. */
static void pass_on(struct pi_lock *l, struct leftover *ret)
{
	struct pi_waiter *w = first_waiter(l);

	l->unwritten = w;
	if (w)
		grant(l, w, ret);
	else
		drop_unneeded(l, ret);
}

/* The old owner died: the new one writes its id itself. -EFAULT: it cannot, and the lock
 * goes on to the next. */
static int write_owner(const struct taking *t)
{
	uint32_t me = (uint32_t)task_current()->tid, v = 0;
	struct leftover left = { 0 };
	int err;

	for (;;) {
		spin_lock(&pi_mutex);
		struct pi_lock *l = find(&t->key);
		insist(l && l->owner == task_current() && l->unwritten);
		uint32_t waiters = list_empty(&l->waiters) ? 0 : FUTEX_WAITERS;
		err = change(t->word, &v, me | waiters | FUTEX_OWNER_DIED);
		if (!err) {
			l->unwritten = false;
			drop_unneeded(l, &left);
		}
		spin_unlock(&pi_mutex);
		if (!err)
			break;
		err = err == -ENOENT ? fault_in(t->word) : 0;
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

static bool is_granted(const void *waiter)
{
	return __atomic_load_n(&((const struct pi_waiter *)waiter)->granted,
			       __ATOMIC_ACQUIRE);
}

/* Sleeps until the lock is the caller's or it gives up: 0, -ETIMEDOUT, -ERESTARTNOINTR,
 * -EFAULT. */
static int wait_for(struct taking *t, const struct futex_deadline *d)
{
	struct leftover left = { 0 };
	bool unwritten = false;
	int err = futex_sleep(is_granted, &t->waiter, d);

	spin_lock(&pi_mutex);
	if (t->waiter.granted) {
		struct pi_lock *l = find(&t->key);
		unwritten = l && l->owner == task_current() && l->unwritten;
		err = 0;
	} else {
		struct pi_lock *l = task_current()->pi_wanted;
		list_del(&t->waiter.link);
		task_current()->pi_wanted = NULL;
		drop_unneeded(l, &left);
	}
	spin_unlock(&pi_mutex);
	leftover_free(&left);
	if (unwritten)
		err = write_owner(t);
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
	if (t.owner)
		task_put(t.owner);
	return step == STEP_QUEUED ? wait_for(&t, &d) : step < 0 ? step : 0;
}

/* Under pi_mutex: 0, -EPERM, -EINVAL, -ENOENT, -EAGAIN. */
static int unlock_step(uaddr_t word, const struct futex_key *k, struct leftover *ret)
{
	struct task *me = task_current();
	struct pi_lock *l = find(k);
	struct pi_waiter *w = l ? first_waiter(l) : NULL;
	uint32_t v;

	if (futex_peek(word, &v))
		return -ENOENT;
	if ((v & FUTEX_TID_MASK) != (uint32_t)me->tid)
		return -EPERM;
	if (l && l->owner != me)
		return -EINVAL;
	int err = change(word, &v, w ? (uint32_t)w->task->tid | FUTEX_WAITERS : 0);
	if (!err && w) {
		grant(l, w, ret);
		drop_unneeded(l, ret);
	}
	return err;
}

int64_t futex_unlock_pi(uaddr_t word, bool private)
{
	struct futex_key k;
	int err = futex_key(word, private, &k);

	while (!err) {
		struct leftover left = { 0 };
		spin_lock(&pi_mutex);
		err = unlock_step(word, &k, &left);
		spin_unlock(&pi_mutex);
		leftover_free(&left);
		if (!err)
			break;
		if (err == -ENOENT)
			err = fault_in(word);
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

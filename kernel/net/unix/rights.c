/*
 * Descriptors in flight: what SCM_RIGHTS messages hold, how much of it a user may have,
 * and the collector of sockets that nobody can reach any more.
 *
 * Always true:
 *  R1  u->flying counts the references that launched rights hold on u's file, wherever
 *      the message is; it is never more than the file's count;
 *  R2  a reference in a message becomes one outside of messages only after it has landed
 *      or, by a peek, under flight_lock.
 *
 * A socket whose file has no references but flying ones is a candidate: to be used again
 * it must be received first. Of those, the ones that have a flying reference from
 * elsewhere than the queues of candidates can still be received, and so can what is in
 * their queues, and so on. Nobody will ever receive the rest: their queues are emptied of
 * descriptors, and with that they go. While the collector holds flight_lock no candidate
 * can gain a reference outside (R2), so what it has seen stays true; a message on its
 * way into a queue is in none yet, and keeps what it holds.
 *
 * Unreachable ones come to be where a reference goes: at each close of a flying socket's
 * descriptor, when a socket dies, and at the latest when a user has no flights left.
 *
 * Locks: flight_lock, over all of it; a socket's own lock inside to look at its queue.
 */
#include "net/unix/unix.h"

#include <asm/errno.h>
#include <linux/resource.h>

#include "core/panic.h"

static struct mutex flight_lock = MUTEX_INIT(flight_lock, RANK_SOCKET_FLIGHT);
static struct list flying = LIST_INIT(flying); /* [flight_lock] struct unix_sock */
static _Atomic uint32_t n_flying;	       /* [flight_lock] to change; of them */
static struct rb_tree users;		       /* [flight_lock] struct flight_user */

/* Whose descriptors are in flight. */
struct flight_user {
	struct rb_node node;
	uid_t uid;
	uint64_t n;
};

static struct unix_sock *socket_in(const struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->family == AF_UNIX ? unix_of(s) : NULL;
}

/* ---- limits ---- */

static struct flight_user *user_find(uid_t uid, struct rb_node **ret_parent,
				     struct rb_node ***ret_link)
{
	struct rb_node **link = &users.root, *parent = NULL;

	while (*link) {
		struct flight_user *u = container_of(*link, struct flight_user, node);

		if (u->uid == uid)
			return u;
		parent = *link;
		link = uid < u->uid ? &parent->left : &parent->right;
	}
	*ret_parent = parent;
	*ret_link = link;
	return NULL;
}

/* The user's account, made when there is none. NULL: no memory. */
static struct flight_user *user_get(uid_t uid)
{
	struct rb_node *parent, **link;
	struct flight_user *u = user_find(uid, &parent, &link);

	if (u)
		return u;
	u = heap_zalloc(sizeof *u);
	if (!u)
		return NULL;
	u->uid = uid;
	rb_insert(&users, &u->node, parent, link);
	return u;
}

static void user_drop(uid_t uid, uint32_t n)
{
	struct rb_node *parent, **link;
	struct flight_user *u = user_find(uid, &parent, &link);

	insist(u && u->n >= n);
	u->n -= n;
	if (u->n)
		return;
	rb_erase(&users, &u->node);
	heap_free(u);
}

/* Unlike Linux this holds for the privileged too: it bounds the kernel's memory. */
static int charge_user(struct sock_rights *r)
{
	uint64_t limit = fs_upcalls.rlimit(RLIMIT_NOFILE);
	struct flight_user *u;

	r->uid = thread_current()->cred->uid;
	u = user_get(r->uid);
	if (!u)
		return -ENOMEM;
	if (u->n + r->n > limit) {
		user_drop(r->uid, 0);
		return -ETOOMANYREFS;
	}
	u->n += r->n;
	return 0;
}

/* ---- launching and landing ---- */

static void count_flying(struct unix_sock *u)
{
	if (u->flying++)
		return;
	n_flying++;
	list_push_back(&flying, &u->flying_link);
}

static void count_landed(struct unix_sock *u)
{
	insist(u->flying);
	if (--u->flying)
		return;
	n_flying--;
	list_del(&u->flying_link);
}

static int launch(struct sock_rights *r)
{
	int err;

	mutex_lock(&flight_lock);
	err = charge_user(r);
	for (uint32_t k = 0; !err && k < r->n; k++) {
		struct unix_sock *u = socket_in(r->file[k]);

		if (u)
			count_flying(u);
	}
	mutex_unlock(&flight_lock);
	return err;
}

int unix_rights_launch(struct sock_rights *r)
{
	int err = launch(r);

	if (err != -ETOOMANYREFS)
		return err;
	unix_collect();
	return launch(r);
}

static void land_locked(struct sock_rights *r)
{
	for (uint32_t k = 0; k < r->n; k++) {
		struct unix_sock *u = socket_in(r->file[k]);

		if (u)
			count_landed(u);
	}
	user_drop(r->uid, r->n);
}

void unix_rights_land(struct sock_rights *r)
{
	mutex_lock(&flight_lock);
	land_locked(r);
	mutex_unlock(&flight_lock);
}

struct sock_rights *unix_rights_copy(const struct sock_rights *r)
{
	struct sock_rights *copy = heap_alloc(sizeof *r + r->n * sizeof r->file[0]);

	if (!copy)
		return NULL;
	list_init(&copy->link);
	copy->n = r->n;
	mutex_lock(&flight_lock); /* R2 */
	for (uint32_t k = 0; k < r->n; k++)
		copy->file[k] = file_get(r->file[k]);
	mutex_unlock(&flight_lock);
	return copy;
}

/* ---- burying: the last reference on a socket frees messages with more of them ---- */

/* What one thread is putting. What comes up meanwhile, deeper in the same thread, is
 * queued here and not put there: the nesting of messages is no depth of stack. */
struct burial {
	struct list link;
	struct thread *by;
	struct list rights; /* struct sock_rights */
};

static struct spinlock burials_lock = SPINLOCK_INIT(RANK_OBJECT);
static struct list burials = LIST_INIT(burials); /* [burials_lock] and all of them */

static struct burial *burial_of_current(void)
{
	list_for_each(b, &burials, struct burial, link)
	{
		if (b->by == thread_current())
			return b;
	}
	return NULL;
}

void unix_rights_bury(struct sock_rights *r)
{
	struct burial own = { .by = thread_current() }, *mine;

	spin_lock(&burials_lock);
	mine = burial_of_current();
	if (mine) {
		list_push_back(&mine->rights, &r->link);
		spin_unlock(&burials_lock);
		return;
	}
	list_init(&own.rights);
	list_push_back(&own.rights, &r->link);
	list_push_back(&burials, &own.link);
	while (!list_empty(&own.rights)) {
		r = list_first(&own.rights, struct sock_rights, link);
		list_del(&r->link);
		spin_unlock(&burials_lock);
		sock_rights_free(r);
		sched_give_way();
		spin_lock(&burials_lock);
	}
	list_del(&own.link);
	spin_unlock(&burials_lock);
}

/* ---- the collector ---- */

/* Nothing but messages refers to it. `closing`: its descriptor counts no more. */
static bool is_candidate(const struct unix_sock *u, const struct unix_sock *closing)
{
	return ref_read(&u->sock.file->refs) == u->flying + (u == closing);
}

static void queue_each(struct unix_sock *u,
		       void (*fn)(struct unix_sock *found, struct list *arg),
		       struct list *arg)
{
	spin_lock(&u->lock);
	list_for_each(m, &u->queue, struct unix_msg, link)
	{
		for (uint32_t k = 0; m->rights && k < m->rights->n; k++) {
			struct unix_sock *found = socket_in(m->rights->file[k]);

			if (found)
				fn(found, arg);
		}
	}
	spin_unlock(&u->lock);
}

/* The embryo after `at` (put) in a candidate's backlog, referenced. Nobody can accept
 * from it, so what is there stays (U5). */
static struct unix_sock *embryo_next(struct unix_sock *u, struct unix_sock *at)
{
	struct list *next;
	struct unix_sock *e = NULL;

	spin_lock(&u->lock);
	next = at ? at->backlog_link.next : u->backlog.next;
	if (next != &u->backlog)
		e = unix_get(list_entry(next, struct unix_sock, backlog_link));
	spin_unlock(&u->lock);
	if (at)
		unix_put(at);
	return e;
}

/* Calls fn for each socket in u's messages and in those of its unaccepted connections. */
static void contents_each(struct unix_sock *u,
			  void (*fn)(struct unix_sock *found, struct list *arg),
			  struct list *arg)
{
	struct unix_sock *e = NULL;

	sched_give_way();
	queue_each(u, fn, arg);
	while ((e = embryo_next(u, e)))
		queue_each(e, fn, arg);
}

static void found_inside(struct unix_sock *u, struct list *unused)
{
	if (u->outside)
		u->outside--;
}

static void found_reachable(struct unix_sock *u, struct list *todo)
{
	if (u->reached)
		return;
	u->reached = true;
	list_push_back(todo, &u->reached_link);
}

/* Marks what can be received still. */
static void mark(const struct unix_sock *closing)
{
	struct list todo = LIST_INIT(todo);

	list_for_each(u, &flying, struct unix_sock, flying_link)
	{
		u->reached = !is_candidate(u, closing);
		u->outside = u->flying;
	}
	list_for_each(u, &flying, struct unix_sock, flying_link)
	{
		if (!u->reached)
			contents_each(u, found_inside, NULL);
	}
	list_for_each(u, &flying, struct unix_sock, flying_link)
	{
		if (!u->reached && u->outside)
			found_reachable(u, &todo);
	}
	while (!list_empty(&todo)) {
		struct unix_sock *u = list_first(&todo, struct unix_sock, reached_link);

		list_del(&u->reached_link);
		contents_each(u, found_reachable, &todo);
	}
}

/* Takes the descriptors out of u's messages. */
static void strip_queue(struct unix_sock *u, struct list *dead)
{
	spin_lock(&u->lock);
	list_for_each(m, &u->queue, struct unix_msg, link)
	{
		if (m->rights)
			list_push_back(dead, &m->rights->link);
		m->rights = NULL;
	}
	spin_unlock(&u->lock);
}

static void strip(struct unix_sock *u, struct list *dead)
{
	struct unix_sock *e = NULL;

	strip_queue(u, dead);
	while ((e = embryo_next(u, e)))
		strip_queue(e, dead);
}

static void collect(const struct unix_sock *closing)
{
	struct list dead = LIST_INIT(dead);

	mutex_lock(&flight_lock);
	mark(closing);
	list_for_each(u, &flying, struct unix_sock, flying_link)
	{
		if (!u->reached)
			strip(u, &dead);
	}
	list_for_each(r, &dead, struct sock_rights, link) land_locked(r);
	mutex_unlock(&flight_lock);
	while (!list_empty(&dead)) {
		struct sock_rights *r = list_first(&dead, struct sock_rights, link);

		list_del(&r->link);
		unix_rights_bury(r);
	}
}

void unix_collect(void)
{
	if (n_flying)
		collect(NULL);
}

/* The caller holds the reference that is about to go. */
void unix_closing(struct socket *s)
{
	struct unix_sock *u = unix_of(s);

	if (unlikely(u->flying) && is_candidate(u, u))
		collect(u);
}

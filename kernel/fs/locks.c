/*
 * File locks: flock(2), POSIX record locks and open file description locks (fcntl(2)).
 *
 * All are ranges with an owner: a flock is the whole file owned by the open file, an OFD
 * lock a range owned by the open file, a POSIX lock a range owned by the process's
 * descriptor table. flock and the two others do not see each other.
 *
 * Always true:
 *  K1  locks of one owner on one inode and family do not overlap; conflicting ones of two
 *      owners never do, unless both are shared;
 *  K2  a POSIX owner that would wait in a circle gets -EDEADLK instead.
 *
 * Locks: locks_lock over everything here; it is held for short list walks only.
 */
#include "fs/locks.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/lease.h"

/* Of one inode: their lists are walked with a spinlock held. */
#define LOCKS_MAX 8192

struct lock_set {
	struct list link;	   /* on all_sets */
	const struct inode *inode; /* [I] */
	struct list held;	   /* struct file_lock */
	uint32_t n;		   /* of them */
	struct waitq waiters;
};

static struct spinlock locks_lock = SPINLOCK_INIT(RANK_OBJECT);
static struct list all_sets = LIST_INIT(all_sets); /* of inodes that ever had a lock */
static struct list blocked = LIST_INIT(blocked);   /* struct lock_wait of POSIX owners */

/* A POSIX owner asleep, and what for. */
struct lock_wait {
	struct list link;
	const struct lock_set *set;
	const struct file_lock *want;
};

/* ---- the set of an inode ---- */

static struct lock_set *set_of(struct inode *i)
{
	struct lock_set *s = i->locks, *none = NULL;

	if (s)
		return s;
	s = heap_zalloc(sizeof *s);
	if (!s)
		return NULL;
	list_init(&s->held);
	waitq_init(&s->waiters);
	s->inode = i;
	if (__atomic_compare_exchange_n((struct lock_set **)&i->locks, &none, s, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		spin_lock(&locks_lock);
		list_push_back(&all_sets, &s->link);
		spin_unlock(&locks_lock);
		return s;
	}
	heap_free(s);
	return none;
}

/* ---- ranges ---- */

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->owner == b->owner && a->family == b->family;
}

static bool overlaps(const struct file_lock *a, const struct file_lock *b)
{
	return a->start <= b->end && b->start <= a->end;
}

static bool conflicts(const struct file_lock *a, const struct file_lock *b)
{
	return (a->family == FAMILY_FLOCK) == (b->family == FAMILY_FLOCK) &&
	       !same_owner(a, b) && overlaps(a, b) && (a->exclusive || b->exclusive);
}

static struct file_lock *find_conflict(const struct lock_set *s,
				       const struct file_lock *want)
{
	list_for_each(l, &s->held, struct file_lock, link)
	{
		if (conflicts(l, want))
			return l;
	}
	return NULL;
}

/* Clears [start, end] of the owner's locks. Splitting one in two takes *spare. */
static void cut_out(struct lock_set *s, const struct file_lock *range,
		    struct file_lock **spare, struct list *dead)
{
	list_for_each_safe(l, &s->held, struct file_lock, link)
	{
		if (!same_owner(l, range) || !overlaps(l, range))
			continue;
		bool head = l->start<range->start, tail = l->end> range->end;
		if (head && tail) {
			struct file_lock *rest = *spare;
			*spare = NULL;
			*rest = *l;
			rest->start = range->end + 1;
			list_push_front(&l->link, &rest->link);
			s->n++;
		}
		if (head) {
			l->end = range->start - 1;
		} else if (tail) {
			l->start = range->end + 1;
		} else {
			list_del(&l->link);
			list_push_back(dead, &l->link);
			s->n--;
		}
	}
}

/* Makes one lock of the owner's neighbours of the same kind. */
static void merge(struct lock_set *s, struct file_lock *n, struct list *dead)
{
	list_for_each_safe(l, &s->held, struct file_lock, link)
	{
		if (l == n || !same_owner(l, n) || l->exclusive != n->exclusive)
			continue;
		bool before = l->end != LOCK_END && l->end + 1 == n->start;
		bool after = n->end != LOCK_END && n->end + 1 == l->start;
		if (!before && !after)
			continue;
		n->start = MIN(n->start, l->start);
		n->end = MAX(n->end, l->end);
		list_del(&l->link);
		list_push_back(dead, &l->link);
		s->n--;
	}
}

static void free_all(struct list *dead)
{
	while (!list_empty(dead)) {
		struct file_lock *l = list_first(dead, struct file_lock, link);
		list_del(&l->link);
		heap_free(l);
	}
}

/* ---- taking and waiting ---- */

/* Would `owner`, waiting in s for `want`, wait for itself in the end? Follows one blocker
 * at a time; the depth is bounded by the number of sleepers. */
static bool would_deadlock(const struct lock_set *s, const struct file_lock *want)
{
	for (unsigned depth = 0; depth < LOCK_CHAIN_MAX; depth++) {
		const struct file_lock *blocker = find_conflict(s, want);
		const struct lock_wait *next = NULL;
		if (!blocker || blocker->family != FAMILY_POSIX)
			return false;
		list_for_each(w, &blocked, struct lock_wait, link)
		{
			if (w->want->owner == blocker->owner) {
				next = w;
				break;
			}
		}
		if (!next)
			return false;
		struct file_lock *back = find_conflict(next->set, next->want);
		if (back && back->owner == want->owner && back->family == want->family)
			return true;
		s = next->set;
		want = next->want;
	}
	return true;
}

/* 0: done (n, if any, is in the set), -EAGAIN: somebody is in the way. */
static int try_set(struct lock_set *s, const struct file_lock *want, struct file_lock **n,
		   struct file_lock **spare, struct list *dead)
{
	if (*n && find_conflict(s, want))
		return -EAGAIN;
	if (*n && s->n >= LOCKS_MAX)
		return -ENOLCK;
	cut_out(s, want, spare, dead);
	if (*n) {
		**n = *want;
		list_push_back(&s->held, &(*n)->link);
		s->n++;
		merge(s, *n, dead);
		*n = NULL;
	}
	return 0;
}

struct attempt {
	struct lock_set *set;
	const struct file_lock *want;
	struct file_lock *n, *spare; /* memory for the lock, and for a split */
	struct list dead;
	struct lock_wait wait;
	bool block;
	int err;
};

/* True: no reason to sleep (any more); a->err says how it ended. */
static bool attempt_step(struct attempt *a)
{
	spin_lock(&locks_lock);
	list_del(&a->wait.link);
	a->err = try_set(a->set, a->want, &a->n, &a->spare, &a->dead);
	if (a->err == -EAGAIN && a->block && a->want->family == FAMILY_POSIX) {
		if (would_deadlock(a->set, a->want))
			a->err = -EDEADLK;
		else
			list_push_back(&blocked, &a->wait.link);
	}
	spin_unlock(&locks_lock);
	return a->err != -EAGAIN || !a->block;
}

static int lock_apply(struct inode *i, const struct file_lock *want, bool unlock,
		      bool block)
{
	struct attempt a = { .want = want, .block = block };

	a.set = unlock ? i->locks : set_of(i);
	if (!a.set)
		return unlock ? 0 : -ENOLCK;
	a.spare = heap_alloc(sizeof *a.spare);
	a.n = unlock ? NULL : heap_alloc(sizeof *a.n);
	list_init(&a.dead);
	list_init(&a.wait.link);
	a.wait.set = a.set;
	a.wait.want = want;
	int err = -ENOLCK;
	if (a.spare && (unlock || a.n)) {
		err = wait_event_intr(&a.set->waiters, attempt_step(&a));
		if (!err)
			err = a.err;
	}
	spin_lock(&locks_lock);
	list_del(&a.wait.link);
	spin_unlock(&locks_lock);
	/* A weaker or shorter lock may let others in, and so may a failed wait. */
	wake_all(&a.set->waiters);
	heap_free(a.n);
	heap_free(a.spare);
	free_all(&a.dead);
	return err;
}

int file_lock_set(struct file *f, const struct file_lock *want, bool block)
{
	return lock_apply(f->inode, want, false, block);
}

int file_lock_clear(struct file *f, const struct file_lock *range)
{
	return lock_apply(f->inode, range, true, false);
}

bool file_lock_test(struct file *f, const struct file_lock *want, struct file_lock *ret)
{
	struct lock_set *s = f->inode->locks;
	bool found = false;

	if (!s)
		return false;
	spin_lock(&locks_lock);
	const struct file_lock *l = find_conflict(s, want);
	if (l) {
		*ret = *l;
		found = true;
	}
	spin_unlock(&locks_lock);
	return found;
}

/* ---- what others see ---- */

struct view {
	uint64_t skip;
	struct file_lock_view *ret;
	size_t n, room;
};

static void view_set(const struct lock_set *s, struct view *v)
{
	if (v->skip >= s->n) {
		v->skip -= s->n;
		return;
	}
	list_for_each(l, &s->held, struct file_lock, link)
	{
		if (v->skip) {
			v->skip--;
			continue;
		}
		if (v->n == v->room)
			return;
		v->ret[v->n++] = (struct file_lock_view){
			.family = l->family,
			.type = l->exclusive ? F_WRLCK : F_RDLCK,
			.pid = l->pid,
			.owner = l->owner,
			.dev = s->inode->sb->dev,
			.ino = s->inode->ino,
			.start = l->start,
			.end = l->end,
		};
	}
}

size_t file_locks_view(struct inode *i, uint64_t from, struct file_lock_view *ret,
		       size_t room)
{
	struct view v = { .skip = from, .ret = ret, .room = room };

	spin_lock(&locks_lock);
	if (i) {
		if (i->locks)
			view_set(i->locks, &v);
	} else {
		list_for_each(s, &all_sets, struct lock_set, link) view_set(s, &v);
	}
	spin_unlock(&locks_lock);
	if (v.n < room)
		v.n += leases_view(i, v.skip, ret + v.n, room - v.n);
	return v.n;
}

/* ---- the end of owners ---- */

static void drop_owner(struct inode *i, const void *owner)
{
	struct lock_set *s = i->locks;
	struct list dead = LIST_INIT(dead);

	if (!s)
		return;
	spin_lock(&locks_lock);
	list_for_each_safe(l, &s->held, struct file_lock, link)
	{
		if (l->owner != owner)
			continue;
		list_del(&l->link);
		list_push_back(&dead, &l->link);
		s->n--;
	}
	spin_unlock(&locks_lock);
	if (list_empty(&dead))
		return;
	free_all(&dead);
	wake_all(&s->waiters);
}

void locks_drop_posix(struct file *f, const struct files *owner)
{
	drop_owner(f->inode, owner);
}

void locks_drop_file(struct file *f)
{
	drop_owner(f->inode, f);
}

void locks_inode_free(struct inode *i)
{
	if (!i->locks)
		return;
	spin_lock(&locks_lock);
	list_del(&i->locks->link);
	spin_unlock(&locks_lock);
	free_all(&i->locks->held);
	heap_free(i->locks);
	i->locks = NULL;
}

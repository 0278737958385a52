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
 * Locks: kind.lock over everything here; it is held for short list walks only.
 */
#include "fs/locks.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/lease.h"

/* Of one inode: their lists are walked with a spinlock held. */
#define LOCKS_MAX 8192

static bool claims_conflict(const struct claim *a, const struct claim *b);
static void claim_show(const struct claim *c, struct file_lock_view *ret);

static struct holder_kind kind = {
	.lock = SPINLOCK_INIT(RANK_OBJECT),
	.all = LIST_INIT(kind.all),
	.conflict = claims_conflict,
	.show = claim_show,
};

/* Somebody who sets or clears a lock. */
struct attempt {
	struct holders *set;
	struct file_lock want;	     /* waits while something is in the way */
	struct file_lock *n, *spare; /* memory for the lock (NULL: clears), for a split */
	struct list dead;
	struct list link; /* [kind.lock] a POSIX owner asleep: on `blocked` */
	struct waitq sleeper;
	bool block;
	int err;
};

static struct list blocked = LIST_INIT(blocked); /* [kind.lock] struct attempt */

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

static bool claims_conflict(const struct claim *a, const struct claim *b)
{
	return conflicts(container_of(a, struct file_lock, claim),
			 container_of(b, struct file_lock, claim));
}

static struct file_lock *find_conflict(const struct holders *s,
				       const struct file_lock *want)
{
	list_for_each(l, &s->held, struct file_lock, claim.link)
	{
		if (conflicts(l, want))
			return l;
	}
	return NULL;
}

static void put_in(struct holders *s, struct file_lock *l, struct list *before)
{
	claim_init(&l->claim, NULL);
	list_push_back(before, &l->claim.link);
	s->n++;
}

static void take_out(struct holders *s, struct file_lock *l, struct list *dead)
{
	claim_wake(s, &l->claim);
	list_del(&l->claim.link);
	list_push_back(dead, &l->claim.link);
	s->n--;
}

/* Clears [start, end] of the owner's locks. Splitting one in two takes *spare. */
static void cut_out(struct holders *s, const struct file_lock *range,
		    struct file_lock **spare, struct list *dead)
{
	list_for_each_safe(l, &s->held, struct file_lock, claim.link)
	{
		if (!same_owner(l, range) || !overlaps(l, range))
			continue;
		bool head = l->start<range->start, tail = l->end> range->end;
		if (!head && !tail) {
			take_out(s, l, dead);
			continue;
		}
		claim_wake(s, &l->claim);
		if (head && tail) {
			struct file_lock *rest = *spare;
			*spare = NULL;
			*rest = *l;
			rest->start = range->end + 1;
			put_in(s, rest, l->claim.link.next);
		}
		if (head)
			l->end = range->start - 1;
		else
			l->start = range->end + 1;
	}
}

/* Makes one lock of the owner's neighbours of the same kind. */
static void merge(struct holders *s, struct file_lock *n, struct list *dead)
{
	list_for_each_safe(l, &s->held, struct file_lock, claim.link)
	{
		if (l == n || !same_owner(l, n) || l->exclusive != n->exclusive)
			continue;
		bool before = l->end != LOCK_END && l->end + 1 == n->start;
		bool after = n->end != LOCK_END && n->end + 1 == l->start;
		if (!before && !after)
			continue;
		n->start = MIN(n->start, l->start);
		n->end = MAX(n->end, l->end);
		take_out(s, l, dead);
	}
}

static void free_all(struct list *dead)
{
	while (!list_empty(dead)) {
		struct file_lock *l = list_first(dead, struct file_lock, claim.link);
		list_del(&l->claim.link);
		heap_free(l);
	}
}

/* ---- taking and waiting ---- */

/* Would `owner`, waiting in s for `want`, wait for itself in the end? Follows one blocker
 * at a time; the depth is bounded by the number of sleepers. */
static bool would_deadlock(const struct holders *s, const struct file_lock *want)
{
	for (unsigned depth = 0; depth < LOCK_CHAIN_MAX; depth++) {
		const struct file_lock *blocker = find_conflict(s, want);
		const struct attempt *next = NULL;
		if (!blocker || blocker->family != FAMILY_POSIX)
			return false;
		list_for_each(a, &blocked, struct attempt, link)
		{
			if (a->want.owner == blocker->owner) {
				next = a;
				break;
			}
		}
		if (!next)
			return false;
		struct file_lock *back = find_conflict(next->set, &next->want);
		if (back && back->owner == want->owner && back->family == want->family)
			return true;
		s = next->set;
		want = &next->want;
	}
	return true;
}

/* Nothing is in the way (any more). */
static int carry_out(struct attempt *a)
{
	struct file_lock *n = a->n;

	if (n && a->set->n >= LOCKS_MAX)
		return -ENOLCK;
	cut_out(a->set, &a->want, &a->spare, &a->dead);
	if (!n)
		return 0;
	a->n = NULL;
	*n = a->want;
	put_in(a->set, n, &a->set->held);
	claim_inherit(&n->claim, &a->want.claim);
	merge(a->set, n, &a->dead);
	return 0;
}

/* True: waits for that lock; false: a->err says why not. */
static bool wait_for(struct attempt *a, struct file_lock *in_the_way)
{
	bool posix = a->want.family == FAMILY_POSIX;

	a->err = !a->block				     ? -EAGAIN
		 : posix && would_deadlock(a->set, &a->want) ? -EDEADLK
							     : 0;
	if (a->err)
		return false;
	claim_wait(&kind, a->set, &in_the_way->claim, &a->want.claim);
	if (posix)
		list_push_back(&blocked, &a->link);
	return true;
}

/* True: no reason to sleep (any more); a->err says how it ended. */
static bool attempt_step(struct attempt *a)
{
	spin_lock(&kind.lock);
	bool waits = claim_waits(&a->want.claim);
	if (!waits) {
		struct file_lock *other = a->n ? find_conflict(a->set, &a->want) : NULL;
		list_del(&a->link);
		if (other)
			waits = wait_for(a, other);
		else
			a->err = carry_out(a);
	}
	spin_unlock(&kind.lock);
	return !waits;
}

static int lock_apply(struct inode *i, const struct file_lock *want, bool unlock,
		      bool block)
{
	struct attempt a = { .want = *want, .block = block };

	a.set = unlock ? i->locks : holders_of(&kind, &i->locks, i);
	if (!a.set)
		return unlock ? 0 : -ENOLCK;
	a.spare = heap_alloc(sizeof *a.spare);
	a.n = unlock ? NULL : heap_alloc(sizeof *a.n);
	list_init(&a.dead);
	list_init(&a.link);
	waitq_init(&a.sleeper);
	claim_init(&a.want.claim, &a.sleeper);
	int err = -ENOLCK;
	if (a.spare && (unlock || a.n)) {
		err = wait_event_intr(&a.sleeper, attempt_step(&a));
		if (!err)
			err = a.err;
	}
	spin_lock(&kind.lock);
	list_del(&a.link);
	claim_leave(a.set, &a.want.claim);
	spin_unlock(&kind.lock);
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
	struct holders *s = f->inode->locks;
	bool found = false;

	if (!s)
		return false;
	spin_lock(&kind.lock);
	const struct file_lock *l = find_conflict(s, want);
	if (l) {
		*ret = *l;
		found = true;
	}
	spin_unlock(&kind.lock);
	return found;
}

/* ---- what others see ---- */

static void claim_show(const struct claim *c, struct file_lock_view *ret)
{
	const struct file_lock *l = container_of(c, struct file_lock, claim);

	ret->family = l->family;
	ret->type = l->exclusive ? F_WRLCK : F_RDLCK;
	ret->pid = l->pid;
	ret->owner = l->owner;
	ret->start = l->start;
	ret->end = l->end;
}

size_t file_locks_view(struct inode *i, uint64_t from, struct file_lock_view *ret,
		       size_t room)
{
	struct holders_view v = { .skip = from, .ret = ret, .room = room };

	if (!i || i->locks)
		holders_view(&kind, i ? i->locks : NULL, &v);
	if (!i || i->leases)
		leases_view(i, &v);
	return v.n;
}

/* ---- the end of owners ---- */

static void drop_owner(struct inode *i, const void *owner)
{
	struct holders *s = i->locks;
	struct list dead = LIST_INIT(dead);

	if (!s)
		return;
	spin_lock(&kind.lock);
	list_for_each_safe(l, &s->held, struct file_lock, claim.link)
	{
		if (l->owner == owner)
			take_out(s, l, &dead);
	}
	spin_unlock(&kind.lock);
	free_all(&dead);
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
	if (i->locks)
		free_all(&i->locks->held);
	holders_free(&kind, &i->locks);
}

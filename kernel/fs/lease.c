/*
 * Leases: see lease.h and fcntl(2). A lease belongs to an open file. Who opens or cuts
 * the file in a way that it excludes tells the holder by a signal and waits: until the
 * lease is weakened or ended, or until its time is up and the waiter does that.
 *
 * Always true:
 *  L1  an open file has at most one lease, which ends before the file does: so the file
 *      it borrows outlives it;
 *  L2  while a lease excludes readers (writers), nobody but its holder goes on after
 *      having been counted in inode->readers or ->writers (->writers). Both sides write
 *      first and look then: openers count themselves, then look for leases; who wants one
 *      puts it on the list, then looks at the counts, and takes it off again;
 *  L3  what a holder was told to give up it gets back only by giving it up and asking
 *      anew.
 *
 * Lock: leases_lock, over all leases and their inodes' lists; signals are sent under it.
 */
#include "fs/lease.h"

#include <asm/siginfo.h>

#include "fs/file.h"
#include "fs/inode.h"

/* Of one inode: the list is walked with a spinlock held. */
#define LEASES_MAX 8192

struct lease {
	struct list link;  /* [leases_lock] on set->held */
	struct file *file; /* [I] borrowed: L1 */
	int32_t pid;	   /* [I] what /proc/locks tells */
	int fd;		   /* [leases_lock] what the signal tells */
	bool exclusive;	   /* [leases_lock] F_WRLCK */
	/* [leases_lock] When what was asked for is taken, in ns of clock_mono;
	 * NO_DEADLINE: never. 0: not asked for. */
	uint64_t weaken_at, end_at;
};

struct lease_set {
	struct list link;	   /* [leases_lock] on all_sets */
	const struct inode *inode; /* [I] */
	struct list held;	   /* [leases_lock] struct lease */
	uint32_t n;		   /* [leases_lock] of them */
	struct waitq waiters;	   /* for one of them to be weakened or ended */
};

static struct spinlock leases_lock = SPINLOCK_INIT(RANK_LEASE);
static struct list all_sets = LIST_INIT(all_sets); /* [leases_lock] */

_Atomic uint32_t lease_break_seconds = 45, leases_enabled = 1;

/* The inode's set; made at the first lease and kept as long as the inode. */
static struct lease_set *set_of(struct inode *i)
{
	struct lease_set *s = i->leases, *none = NULL;

	if (s)
		return s;
	s = heap_zalloc(sizeof *s);
	if (!s)
		return NULL;
	list_init(&s->held);
	waitq_init(&s->waiters);
	s->inode = i;
	if (!__atomic_compare_exchange_n((struct lease_set **)&i->leases, &none, s, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)) {
		heap_free(s);
		return none;
	}
	spin_lock(&leases_lock);
	list_push_back(&all_sets, &s->link);
	spin_unlock(&leases_lock);
	return s;
}

/* ---- all with leases_lock held ---- */

static struct lease *find(const struct lease_set *s, const struct file *f)
{
	list_for_each(l, &s->held, struct lease, link)
	{
		if (l->file == f)
			return l;
	}
	return NULL;
}

static bool is_breaking(const struct lease *l)
{
	return l->weaken_at || l->end_at;
}

/* What it is going to be, if it is being broken. */
static int type_of(const struct lease *l)
{
	if (l->end_at)
		return F_UNLCK;
	return l->exclusive && !l->weaken_at ? F_WRLCK : F_RDLCK;
}

static void take_off(struct lease_set *s, struct lease *l, struct list *dead)
{
	list_del(&l->link);
	list_push_back(dead, &l->link);
	s->n--;
	file_owner_forget(l->file);
}

/* Takes what holders were asked for and did not give in time. */
static void expire(struct lease_set *s, struct list *dead)
{
	uint64_t now = clock_mono();

	list_for_each_safe(l, &s->held, struct lease, link)
	{
		if (l->end_at && l->end_at <= now) {
			take_off(s, l, dead);
		} else if (l->weaken_at && l->weaken_at <= now) {
			l->exclusive = false;
			l->weaken_at = 0;
		}
	}
}

static void free_all(struct list *dead)
{
	while (!list_empty(dead)) {
		struct lease *l = list_first(dead, struct lease, link);
		list_del(&l->link);
		heap_free(l);
	}
}

/* ---- asking for one ---- */

/* Whether the file is open, by others than f, in a way that the lease excludes. */
static int check_opens(const struct file *f, int type)
{
	const struct inode *i = f->inode;
	int32_t writers = f->mode & FMODE_WRITE ? 1 : 0;
	uint32_t readers = !writers && (f->mode & FMODE_READ) ? 1 : 0;

	if (type == F_RDLCK)
		return i->writers > 0 ? -EAGAIN : 0;
	return i->writers != writers || i->readers != readers ? -EAGAIN : 0;
}

static int may_share(const struct lease_set *s, const struct file *f, int type)
{
	list_for_each(l, &s->held, struct lease, link)
	{
		if (l->file != f && (type == F_WRLCK || l->end_at))
			return -EAGAIN;
	}
	return 0;
}

/* Puts `fresh` on the list, or changes what f has. */
static int take(struct lease_set *s, struct lease **fresh, int type)
{
	struct file *f = (*fresh)->file;
	struct lease *l = find(s, f);

	int err = check_opens(f, type);
	if (!err)
		err = may_share(s, f, type);
	if (err)
		return err;
	if (l) {
		l->exclusive = type == F_WRLCK;
		if (type == F_RDLCK)
			l->weaken_at = 0;
		l->fd = (*fresh)->fd;
		return 0;
	}
	if (!leases_enabled)
		return -EINVAL;
	if (s->n >= LEASES_MAX)
		return -ENOLCK;
	(*fresh)->exclusive = type == F_WRLCK;
	list_push_back(&s->held, &(*fresh)->link);
	s->n++;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* L2 */
	err = check_opens(f, type);
	if (err) {
		list_del(&(*fresh)->link);
		s->n--;
		return err;
	}
	*fresh = NULL;
	return 0;
}

static int lease_take(struct file *f, int fd, int type)
{
	struct lease_set *s = set_of(f->inode);
	struct lease *fresh = heap_zalloc(sizeof *fresh);
	struct list dead = LIST_INIT(dead);
	int err = -ENOMEM;

	if (s && fresh) {
		fresh->file = f;
		fresh->fd = fd;
		fresh->pid = fs_upcalls.current_tgid();
		spin_lock(&leases_lock);
		expire(s, &dead);
		err = take(s, &fresh, type);
		if (!err)
			file_owner_claim(f);
		spin_unlock(&leases_lock);
		wake_all(&s->waiters);
	}
	heap_free(fresh);
	free_all(&dead);
	return err;
}

static int lease_end(struct file *f)
{
	struct lease_set *s = f->inode->leases;
	struct list dead = LIST_INIT(dead);

	if (!s)
		return -EAGAIN;
	spin_lock(&leases_lock);
	struct lease *l = find(s, f);
	if (l)
		take_off(s, l, &dead);
	spin_unlock(&leases_lock);
	if (!l)
		return -EAGAIN;
	free_all(&dead);
	wake_all(&s->waiters);
	return 0;
}

int lease_set(struct file *f, int fd, int type)
{
	const struct cred *c = thread_current()->cred;

	if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
		return -EINVAL;
	if (c->fsuid != f->inode->uid && !cred_has_cap(c, CAP_LEASE))
		return -EACCES;
	if (!S_ISREG(f->inode->mode))
		return -EINVAL;
	return type == F_UNLCK ? lease_end(f) : lease_take(f, fd, type);
}

int lease_get(struct file *f)
{
	struct lease_set *s = f->inode->leases;
	struct list dead = LIST_INIT(dead);
	int type = F_UNLCK;

	if (!s)
		return type;
	spin_lock(&leases_lock);
	expire(s, &dead);
	struct lease *l = find(s, f);
	if (l)
		type = type_of(l);
	spin_unlock(&leases_lock);
	if (!list_empty(&dead))
		wake_all(&s->waiters);
	free_all(&dead);
	return type;
}

void lease_drop_file(struct file *f)
{
	(void)lease_end(f);
}

/* ---- breaking ---- */

static bool is_in_the_way(const struct lease *l, bool write)
{
	return l->exclusive || write;
}

/* Tells the holders that have not been told yet; each by when. */
static void tell_holders(struct lease_set *s, bool write, uint64_t deadline)
{
	list_for_each(l, &s->held, struct lease, link)
	{
		if (!is_in_the_way(l, write) || (write ? l->end_at != 0 : is_breaking(l)))
			continue;
		*(write ? &l->end_at : &l->weaken_at) = deadline;
		const struct file_news news = file_news(l->fd, POLL_MSG);
		file_signal_owner(l->file, &news);
	}
}

/* True: somebody is in the way, until that time at most. */
static bool is_blocked(struct lease_set *s, bool write, uint64_t *ret_until)
{
	list_for_each(l, &s->held, struct lease, link)
	{
		if (!is_in_the_way(l, write))
			continue;
		*ret_until = l->end_at ? l->end_at : l->weaken_at;
		return true;
	}
	return false;
}

static uint64_t break_deadline(void)
{
	uint32_t s = lease_break_seconds;

	return s ? clock_mono() + s * NSEC_PER_SEC : NO_DEADLINE;
}

/* One look of who comes: whether a lease is in the way, whose holder then knows. */
static bool look(struct lease_set *s, bool write, uint64_t *ret_until)
{
	struct list dead = LIST_INIT(dead);

	spin_lock(&leases_lock);
	expire(s, &dead);
	tell_holders(s, write, break_deadline());
	bool blocked = is_blocked(s, write, ret_until);
	spin_unlock(&leases_lock);
	if (!list_empty(&dead))
		wake_all(&s->waiters);
	free_all(&dead);
	return blocked;
}

int lease_break_slow(struct inode *i, bool write, bool nonblock)
{
	struct lease_set *s = i->leases;
	uint64_t until;

	while (look(s, write, &until)) {
		if (nonblock)
			return -EAGAIN;
		int err = wait_event_intr_deadline(&s->waiters, !look(s, write, &until),
						   until);
		if (err != -ETIMEDOUT)
			return err;
	}
	return 0;
}

/* ---- what others see; the end ---- */

static void view_set(const struct lease_set *s, uint64_t *skip,
		     struct file_lock_view *ret, size_t room, size_t *n)
{
	list_for_each(l, &s->held, struct lease, link)
	{
		if (*skip) {
			--*skip;
			continue;
		}
		if (*n == room)
			return;
		ret[(*n)++] = (struct file_lock_view){
			.family = is_breaking(l) ? FAMILY_LEASE_BREAKING : FAMILY_LEASE,
			.type = type_of(l),
			.pid = l->pid,
			.owner = l->file,
			.dev = s->inode->sb->dev,
			.ino = s->inode->ino,
			.end = LOCK_END,
		};
	}
}

size_t leases_view(struct inode *i, uint64_t from, struct file_lock_view *ret,
		   size_t room)
{
	size_t n = 0;

	spin_lock(&leases_lock);
	if (i) {
		if (i->leases)
			view_set(i->leases, &from, ret, room, &n);
	} else {
		list_for_each(s, &all_sets, struct lease_set, link)
			view_set(s, &from, ret, room, &n);
	}
	spin_unlock(&leases_lock);
	return n;
}

void leases_inode_free(struct inode *i)
{
	if (!i->leases)
		return;
	insist(list_empty(&i->leases->held));
	spin_lock(&leases_lock);
	list_del(&i->leases->link);
	spin_unlock(&leases_lock);
	heap_free(i->leases);
	i->leases = NULL;
}

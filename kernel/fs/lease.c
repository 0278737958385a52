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
 * Lock: kind.lock, over all leases and their inodes' lists; signals are sent under it.
 */
#include "fs/lease.h"

#include <asm/siginfo.h>

#include "fs/file.h"
#include "fs/inode.h"

/* Of one inode: the list is walked with a spinlock held. */
#define LEASES_MAX 8192

/* A lease, or one who waits for one (with its claim, pid and `exclusive` alone). */
struct lease {
	struct claim claim;
	struct file *file; /* [I] borrowed: L1; NULL: it waits */
	int32_t pid;	   /* [I] what /proc/locks tells */
	int fd;		   /* [kind.lock] what the signal tells */
	bool exclusive;	   /* [kind.lock] F_WRLCK */
	/* [kind.lock] When what was asked for is taken, in ns of clock_mono;
	 * NO_DEADLINE: never. 0: not asked for. */
	uint64_t weaken_at, end_at;
};

static bool claims_conflict(const struct claim *a, const struct claim *b);
static void claim_show(const struct claim *c, struct file_lock_view *ret);

static struct holder_kind kind = {
	.lock = SPINLOCK_INIT(RANK_LEASE),
	.all = LIST_INIT(kind.all),
	.conflict = claims_conflict,
	.show = claim_show,
};

_Atomic uint32_t lease_break_seconds = 45, leases_enabled = 1;

/* ---- all with kind.lock held ---- */

static struct lease *find(const struct holders *s, const struct file *f)
{
	list_for_each(l, &s->held, struct lease, claim.link)
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

static bool claims_conflict(const struct claim *a, const struct claim *b)
{
	return container_of(a, struct lease, claim)->exclusive ||
	       container_of(b, struct lease, claim)->exclusive;
}

static void take_off(struct holders *s, struct lease *l, struct list *dead)
{
	claim_wake(s, &l->claim);
	list_del(&l->claim.link);
	list_push_back(dead, &l->claim.link);
	s->n--;
	file_owner_forget(l->file);
}

/* Takes what holders were asked for and did not give in time. */
static void expire(struct holders *s, struct list *dead)
{
	uint64_t now = clock_mono();

	list_for_each_safe(l, &s->held, struct lease, claim.link)
	{
		if (l->end_at && l->end_at <= now) {
			take_off(s, l, dead);
		} else if (l->weaken_at && l->weaken_at <= now) {
			l->exclusive = false;
			l->weaken_at = 0;
			claim_wake(s, &l->claim);
		}
	}
}

static void free_all(struct list *dead)
{
	while (!list_empty(dead)) {
		struct lease *l = list_first(dead, struct lease, claim.link);
		list_del(&l->claim.link);
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

static int may_share(const struct holders *s, const struct file *f, int type)
{
	list_for_each(l, &s->held, struct lease, claim.link)
	{
		if (l->file != f && (type == F_WRLCK || l->end_at))
			return -EAGAIN;
	}
	return 0;
}

/* Puts `fresh` on the list, or changes what f has. */
static int take(struct holders *s, struct lease **fresh, int type)
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
		claim_wake(s, &l->claim);
		return 0;
	}
	if (!leases_enabled)
		return -EINVAL;
	if (s->n >= LEASES_MAX)
		return -ENOLCK;
	(*fresh)->exclusive = type == F_WRLCK;
	list_push_back(&s->held, &(*fresh)->claim.link);
	s->n++;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* L2 */
	err = check_opens(f, type);
	if (err) {
		list_del(&(*fresh)->claim.link);
		s->n--;
		return err;
	}
	*fresh = NULL;
	return 0;
}

static int lease_take(struct file *f, int fd, int type)
{
	struct holders *s = holders_of(&kind, &f->inode->leases, f->inode);
	struct lease *fresh = heap_zalloc(sizeof *fresh);
	struct list dead = LIST_INIT(dead);
	int err = -ENOMEM;

	if (s && fresh) {
		claim_init(&fresh->claim, NULL);
		fresh->file = f;
		fresh->fd = fd;
		fresh->pid = fs_upcalls.current_tgid();
		spin_lock(&kind.lock);
		expire(s, &dead);
		err = take(s, &fresh, type);
		if (!err)
			file_owner_claim(f);
		spin_unlock(&kind.lock);
	}
	heap_free(fresh);
	free_all(&dead);
	return err;
}

static int lease_end(struct file *f)
{
	struct holders *s = f->inode->leases;
	struct list dead = LIST_INIT(dead);

	if (!s)
		return -EAGAIN;
	spin_lock(&kind.lock);
	struct lease *l = find(s, f);
	if (l)
		take_off(s, l, &dead);
	spin_unlock(&kind.lock);
	if (!l)
		return -EAGAIN;
	free_all(&dead);
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
	struct holders *s = f->inode->leases;
	struct list dead = LIST_INIT(dead);
	int type = F_UNLCK;

	if (!s)
		return type;
	spin_lock(&kind.lock);
	expire(s, &dead);
	struct lease *l = find(s, f);
	if (l)
		type = type_of(l);
	spin_unlock(&kind.lock);
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
static void tell_holders(struct holders *s, bool write, uint64_t deadline)
{
	list_for_each(l, &s->held, struct lease, claim.link)
	{
		if (!is_in_the_way(l, write) || (write ? l->end_at != 0 : is_breaking(l)))
			continue;
		*(write ? &l->end_at : &l->weaken_at) = deadline;
		const struct file_news news = file_news(l->fd, POLL_MSG);
		file_signal_owner(l->file, &news);
	}
}

/* The first that is in the way; NULL: nobody. */
static struct lease *first_in_the_way(const struct holders *s, bool write)
{
	list_for_each(l, &s->held, struct lease, claim.link)
	{
		if (is_in_the_way(l, write))
			return l;
	}
	return NULL;
}

static uint64_t break_deadline(void)
{
	uint32_t s = lease_break_seconds;

	return s ? clock_mono() + s * NSEC_PER_SEC : NO_DEADLINE;
}

/* Who comes, and would read or write (`exclusive`). */
struct breaker {
	struct lease me;
	struct waitq sleeper;
	uint64_t until; /* when nobody will be in the way any more, or it looks again */
};

/* One look: whether a lease is in the way. Its holder then knows, and b waits for it. */
static bool look(struct holders *s, struct breaker *b)
{
	bool write = b->me.exclusive;
	struct list dead = LIST_INIT(dead);
	struct lease *l;

	spin_lock(&kind.lock);
	if (!claim_waits(&b->me.claim)) {
		expire(s, &dead);
		tell_holders(s, write, break_deadline());
		l = first_in_the_way(s, write);
		if (l) {
			b->until = l->end_at ? l->end_at : l->weaken_at;
			claim_wait(&kind, s, &l->claim, &b->me.claim);
		}
	}
	bool blocked = claim_waits(&b->me.claim);
	spin_unlock(&kind.lock);
	free_all(&dead);
	return blocked;
}

static void leave(struct holders *s, struct breaker *b)
{
	spin_lock(&kind.lock);
	claim_leave(s, &b->me.claim);
	spin_unlock(&kind.lock);
}

int lease_break_slow(struct inode *i, bool write, bool nonblock)
{
	struct holders *s = i->leases;
	struct breaker b = {
		.me = { .pid = fs_upcalls.current_tgid(), .exclusive = write },
	};
	int err = 0;

	waitq_init(&b.sleeper);
	claim_init(&b.me.claim, &b.sleeper);
	while (look(s, &b)) {
		err = nonblock ? -EAGAIN
			       : wait_event_intr_deadline(&b.sleeper, !look(s, &b),
							  b.until);
		leave(s, &b);
		if (err != -ETIMEDOUT)
			return err;
	}
	return 0;
}

/* ---- what others see; the end ---- */

static void claim_show(const struct claim *c, struct file_lock_view *ret)
{
	const struct lease *l = container_of(c, struct lease, claim);

	ret->family = !l->file	       ? FAMILY_LEASE_BREAKER
		      : is_breaking(l) ? FAMILY_LEASE_BREAKING
				       : FAMILY_LEASE;
	ret->type = type_of(l);
	ret->pid = l->pid;
	ret->owner = l->file;
}

void leases_view(const struct inode *i, struct holders_view *v)
{
	holders_view(&kind, i ? i->leases : NULL, v);
}

void leases_inode_free(struct inode *i)
{
	holders_free(&kind, &i->leases);
}

/*
 * Who holds something of an inode that others may not have beside it, and who waits for
 * that: what file locks and leases have in common.
 *
 * A claim is held, or it waits below another claim that is in its way. It goes to the
 * first such one that is held, and from there down to those who came earlier and would be
 * in its way too: so whoever goes is followed by the first of those behind, and one
 * departure wakes few.
 *
 * Always true:
 *  C1  who waits below a claim conflicts with it;
 *  C2  a claim that is let go, or becomes less, wakes who waits right below it. Who is
 *      woken waits nowhere until it has looked again; those below it still do.
 *
 * Locks: the kind's lock guards everything here; the caller holds it but where said.
 */
#ifndef FS_HOLDERS_H
#define FS_HOLDERS_H

#include "fs/vfs.h"

struct claim {
	struct list link;      /* on holders->held, or on ->below of what it waits for */
	struct list below;     /* claims that wait for this one */
	struct claim *above;   /* what it waits for; NULL: it does not wait */
	struct waitq *sleeper; /* [I] of one that may wait */
};

/* All claims of one kind to an inode. Kept as long as the inode. */
struct holders {
	struct list link;	   /* on kind->all */
	const struct inode *inode; /* [I] */
	struct list held;	   /* struct claim */
	uint32_t n, waiting;	   /* how many are held, and how many wait */
};

struct file_lock_view;

struct holder_kind {
	struct spinlock lock;
	struct list all; /* of struct holders */
	bool (*conflict)(const struct claim *a, const struct claim *b);
	/* Fills in what is particular to the kind. */
	void (*show)(const struct claim *c, struct file_lock_view *ret);
};

/* Where an inode has them; written once. */
typedef _Atomic(struct holders *) holders_slot;

/* The inode's, made if there are none; NULL: no memory. The kind's lock is not held. */
struct holders *holders_of(struct holder_kind *k, holders_slot *slot, struct inode *i);
/* The inode goes: no claim is left. The kind's lock is not held. */
void holders_free(struct holder_kind *k, holders_slot *slot);

void claim_init(struct claim *c, struct waitq *sleeper);
static inline bool claim_waits(const struct claim *c)
{
	return c->above != NULL;
}
/* c waits for `held`, which is in its way, behind those who do already. */
void claim_wait(struct holder_kind *k, struct holders *s, struct claim *held,
		struct claim *c);
/* c waits no longer, and nobody for c: they look again. */
void claim_leave(struct holders *s, struct claim *c);
/* Who waits right below c looks again. */
void claim_wake(struct holders *s, struct claim *c);
/* Whoever waits for `from` waits for `to`, which has what `from` wanted. */
void claim_inherit(struct claim *to, struct claim *from);

/* For /proc/locks and fdinfo: each claim that is held, and behind it those that wait. */
struct holders_view {
	uint64_t skip;	 /* this many claims first */
	uint64_t number; /* of the last held one that was passed */
	struct file_lock_view *ret;
	size_t n, room;
};
/* Of one inode's claims, or (NULL) of all. The kind's lock is not held. */
void holders_view(struct holder_kind *k, const struct holders *only,
		  struct holders_view *v);

#endif

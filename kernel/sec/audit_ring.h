/*
 * The ring of audit records: who writes, who reads, and what happens when it is full.
 *
 * One reader, the keeper, is who the records are for: until it has read them their places
 * are not used again. While it is behind by the whole ring new records are dropped, and
 * counted; a DROPPED record says how many as soon as there is a place, before any other
 * record. Of the places a quarter is for what is AUDIT_VITAL, and the last one always for
 * DROPPED. Other readers look at what is still there; what they came too late for they
 * are told the number of.
 *
 * A writer takes a place (audit_ring_reserve) and fills it in the critical section of
 * what it records (audit_ring_add); who may not lose it takes it before, where it can
 * wait. The chain is made later, by who reads: it costs more than most of what is
 * recorded.
 *
 * While there is no keeper the caller lets the oldest be forgotten, sealed or not.
 *
 * Always true:
 *  U1  kept <= sealed <= next <= kept + n, and the places that are reserved fit too;
 *  U2  records from `forgotten` to `sealed` have their digests, and each follows the one
 *      before it;
 *  U3  every record asked for is added, or counted in exactly one DROPPED record.
 *
 * Locks: the caller's. A ring's lock guards all of it but the bytes of the records from
 * `sealed` to `next`: these belong to the one that seals, of whom there is one at a time.
 */
#ifndef SEC_AUDIT_RING_H
#define SEC_AUDIT_RING_H

#include "lib/audit.h"

struct audit_ring {
	struct audit_record *slot;	       /* record s is at s % n */
	uint32_t n;			       /* a power of two */
	uint64_t next;			       /* the next record's number */
	uint64_t sealed;		       /* all below are */
	uint64_t kept;			       /* the keeper has read all below */
	uint64_t forgotten;		       /* nobody will read what is below */
	uint32_t reserved;		       /* places that are promised */
	uint64_t dropped[AUDIT_CLASSES];       /* that no record tells of yet */
	uint64_t dropped_total[AUDIT_CLASSES]; /* since the beginning */
	uint8_t head[AUDIT_DIGEST_SIZE];       /* of record sealed - 1 */
};

#define AUDIT_RING_MIN 16u /* records */

/* Of n >= AUDIT_RING_MIN records at `slot`, a power of two; empty. */
void audit_ring_init(struct audit_ring *r, struct audit_record *slot, uint32_t n);

/* Whether there is a place for a record of that class. */
must_use bool audit_ring_has_place(const struct audit_ring *r, enum audit_class class);
/* A place for a record of that class. False: there is none, and it counts as dropped. */
must_use bool audit_ring_reserve(struct audit_ring *r, enum audit_class class);
/* Gives a place back. */
void audit_ring_cancel(struct audit_ring *r);
/* Uses a place up. All but the number is the caller's to say, and what comes with the
 * seal; a DROPPED record before it has its stamp: times and CPU. */
void audit_ring_add(struct audit_ring *r, const struct audit_record *facts);

/* Where a record is. */
static inline struct audit_record *audit_ring_slot(const struct audit_ring *r,
						   uint64_t at)
{
	return &r->slot[at & (r->n - 1)];
}
/* The caller has sealed the n records from r->sealed on, the first with r->head, while
 * the lock may have been free. */
void audit_ring_sealed(struct audit_ring *r, uint32_t n);

/* The number of the oldest record that is still there. */
static inline uint64_t audit_ring_oldest(const struct audit_ring *r)
{
	return MAX(r->next > r->n ? r->next - r->n : 0, r->forgotten);
}
/* The number of the sealed record `at`, or of the first one after it that is still there;
 * r->sealed: there is none yet. It may be copied while the lock is free: if its number is
 * not below audit_ring_oldest() afterwards, the copy is good. */
static inline uint64_t audit_ring_find(const struct audit_ring *r, uint64_t at)
{
	return MIN(MAX(at, audit_ring_oldest(r)), r->sealed);
}
/* The keeper has read all below `at`. If records were dropped, one that says so comes
 * now, with that stamp. */
void audit_ring_keep(struct audit_ring *r, uint64_t at, const struct audit_record *stamp);
/* There is no keeper: those below `at` need not be kept. Only who may seal calls it. */
void audit_ring_forget(struct audit_ring *r, uint64_t at);

#endif

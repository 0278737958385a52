/*
 * One split virtqueue (virtio 1.1, 2.6), apart from any transport: the memory it shares
 * with the device and the rules of using it. The device is not trusted: what it wrote
 * is checked against a private record of what it was given, and a queue that broke a
 * rule is dead.
 *
 *     give:  virtq_begin(q, n, table); virtq_put(q, pa, len, dir) n times; virtq_end(q,
 *     what); if (virtq_wants_kick(q)) notify the device; take:  do while (virtq_take(q,
 *     &what, &len)) ...; while (virtq_rearm(q));
 *
 * Always true:
 *  Q1  descriptors are free or belong to exactly one chain that the device has;
 *  Q2  nothing the device can write is ever read back as a length, index or address of
 *      ours;
 *  Q3  once `broken` is set nothing is given to or taken from the device again.
 *
 * The caller's lock guards a queue; interrupts are off where its interrupt handler
 * takes it.
 */
#ifndef DEV_VIRTIO_VIRTQ_H
#define DEV_VIRTIO_VIRTQ_H

#include <asm/errno.h>
#include <linux/virtio_ring.h>

#include "arch/arch.h"

#define VIRTQ_SIZE_MAX 64u /* rings and records of this many fit a page */

enum virtq_dir { VIRTQ_OUT, VIRTQ_IN }; /* the device reads; the device writes */

/* What we know of a chain, kept where the device has no business. By its first
 * descriptor. */
struct virtq_chain {
	void *what;	   /* NULL: not with the device */
	uint32_t writable; /* bytes the device may write */
	uint16_t n;	   /* descriptors of the ring it takes */
	uint16_t last;
};

struct virtq {
	uint16_t size;		   /* [I] a power of two */
	bool event_idx;		   /* [I] VIRTIO_RING_F_EVENT_IDX was negotiated */
	bool indirect;		   /* [I] VIRTIO_RING_F_INDIRECT_DESC was */
	struct vring_desc *desc;   /* [I] shared with the device */
	struct vring_avail *avail; /* [I] */
	struct vring_used *used;   /* [I] */
	struct virtq_chain *chain; /* [I] private, `size` of them */
	uint16_t *next;		   /* [I] private: free list and chains */

	bool broken;
	uint16_t free, n_free;
	uint16_t avail_idx;  /* what we published */
	uint16_t kicked_idx; /* at the last virtq_wants_kick */
	uint16_t used_idx;   /* how far we have taken */

	/* the chain being built */
	struct {
		struct vring_desc *table; /* NULL: in the ring itself */
		uint16_t head, at, last, n, put;
		uint32_t writable;
	} build;
};

/* `page`: PAGE_SIZE zeroed bytes, page-aligned. size: a power of two up to
 * VIRTQ_SIZE_MAX. */
void virtq_init(struct virtq *q, void *page, uint16_t size, bool event_idx,
		bool indirect);

/* Starts a chain of n > 0 buffers. With a `table` of n descriptors (16-byte aligned,
 * the chain's until it is taken) and the feature, the chain takes one descriptor of the
 * ring, else n. 0, -ENOSPC (the ring is full, or never that large), -EIO (broken). */
must_use int virtq_begin(struct virtq *q, uint16_t n, struct vring_desc *table);
/* Buffers the device reads come before those it writes. */
void virtq_put(struct virtq *q, paddr_t pa, uint32_t len, enum virtq_dir dir);
/* Publishes the chain. `what` (not NULL) comes back from virtq_take. */
void virtq_end(struct virtq *q, void *what);
/* Whether the device wants to hear of what was published since the last call. */
must_use bool virtq_wants_kick(struct virtq *q);

/* The next chain the device is done with, and how many bytes it says it wrote: never
 * more than it was given. False: none, or the queue is broken. */
must_use bool virtq_take(struct virtq *q, void **ret_what, uint32_t *ret_len);
/* Asks for an interrupt at the next used chain. True: there already is one, go on
 * taking. */
must_use bool virtq_rearm(struct virtq *q);
/* Asks for no interrupts until virtq_rearm. */
void virtq_disarm(struct virtq *q);
/* Takes back any chain the device still has, once it was reset. NULL: none is left. */
void *virtq_reclaim(struct virtq *q);

#endif

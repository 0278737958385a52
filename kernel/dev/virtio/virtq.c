#include "core/panic.h"
#include "dev/virtio/virtq.h"
#include "lib/string.h"

/* Offsets in the page: descriptors (16-aligned), available ring, used ring (4-aligned),
 * then what is ours alone. Each ring is followed by its event index. */
#define DESC_BYTES(n) ((n) * sizeof(struct vring_desc))
#define AVAIL_BYTES(n) (sizeof(struct vring_avail) + (n)*2 + 2)
#define USED_BYTES(n)                                                                    \
	(sizeof(struct vring_used) + (n) * sizeof(struct vring_used_elem) + 2)
#define USED_AT(n) ALIGN_UP(DESC_BYTES(n) + AVAIL_BYTES(n), sizeof(uint64_t))
#define CHAIN_AT(n) ALIGN_UP(USED_AT(n) + USED_BYTES(n), sizeof(uint64_t))
#define NEXT_AT(n) (CHAIN_AT(n) + (n) * sizeof(struct virtq_chain))
_Static_assert(NEXT_AT(VIRTQ_SIZE_MAX) + VIRTQ_SIZE_MAX * 2 <= PAGE_SIZE,
	       "one page a queue");

void virtq_init(struct virtq *q, void *page, uint16_t size, bool event_idx, bool indirect)
{
	char *at = page;

	insist(size && size <= VIRTQ_SIZE_MAX && !(size & (size - 1)));
	*q = (struct virtq){
		.size = size,
		.event_idx = event_idx,
		.indirect = indirect,
		.desc = page,
		.avail = (void *)(at + DESC_BYTES(size)),
		.used = (void *)(at + USED_AT(size)),
		.chain = (void *)(at + CHAIN_AT(size)),
		.next = (void *)(at + NEXT_AT(size)),
		.n_free = size,
	};
	for (uint16_t i = 0; i < size; i++)
		q->next[i] = i + 1;
}

/* ---- giving ---- */

int virtq_begin(struct virtq *q, uint16_t n, struct vring_desc *table)
{
	bool direct = !table || !q->indirect || n == 1;

	if (unlikely(q->broken))
		return -EIO;
	if (q->n_free < (direct ? n : 1))
		return -ENOSPC;
	q->build.table = direct ? NULL : table;
	q->build.head = q->build.at = q->free;
	q->build.n = n;
	q->build.put = 0;
	q->build.writable = 0;
	return 0;
}

void virtq_put(struct virtq *q, paddr_t pa, uint32_t len, enum virtq_dir dir)
{
	bool more = ++q->build.put < q->build.n;
	uint16_t next = q->build.put;
	struct vring_desc *d;

	if (q->build.table) {
		d = &q->build.table[q->build.put - 1];
	} else {
		d = &q->desc[q->build.at];
		q->build.last = q->build.at;
		next = q->build.at = q->next[q->build.at];
	}
	d->addr = pa;
	d->len = len;
	d->flags = (dir == VIRTQ_IN ? VRING_DESC_F_WRITE : 0) |
		   (more ? VRING_DESC_F_NEXT : 0);
	d->next = more ? next : 0;
	if (dir == VIRTQ_IN)
		q->build.writable += len;
}

void virtq_end(struct virtq *q, void *what)
{
	uint16_t head = q->build.head, n = q->build.n;

	insist(what && q->build.put == n);
	if (q->build.table) {
		q->desc[head] = (struct vring_desc){
			.addr = arch_direct_pa(q->build.table),
			.len = n * sizeof(struct vring_desc),
			.flags = VRING_DESC_F_INDIRECT,
		};
		q->build.last = head;
		q->build.at = q->next[head];
		n = 1;
	}
	q->chain[head] =
		(struct virtq_chain){ what, q->build.writable, n, q->build.last };
	q->free = q->build.at;
	q->n_free -= n;
	q->avail->ring[q->avail_idx & (q->size - 1)] = head;
	q->avail_idx++;
	/* The device sees the chain before the index that says so (2.6.13). */
	__atomic_store_n(&q->avail->idx, q->avail_idx, __ATOMIC_RELEASE);
}

bool virtq_wants_kick(struct virtq *q)
{
	uint16_t before = q->kicked_idx;

	/* Our index is visible before its wish is read, or both sides wait
	 * (2.6.13.4.1). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->kicked_idx = q->avail_idx;
	if (before == q->avail_idx)
		return false;
	if (q->event_idx) {
		uint16_t *event = (uint16_t *)&q->used->ring[q->size];

		return vring_need_event(__atomic_load_n(event, __ATOMIC_RELAXED),
					q->avail_idx, before);
	}
	return !(__atomic_load_n(&q->used->flags, __ATOMIC_RELAXED) &
		 VRING_USED_F_NO_NOTIFY);
}

/* ---- taking ---- */

static void chain_free(struct virtq *q, uint16_t head)
{
	struct virtq_chain *c = &q->chain[head];

	q->next[c->last] = q->free;
	q->free = head;
	q->n_free += c->n;
	c->what = NULL;
}

bool virtq_take(struct virtq *q, void **ret_what, uint32_t *ret_len)
{
	const struct vring_used_elem *e = &q->used->ring[q->used_idx & (q->size - 1)];
	uint16_t done = __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE);
	uint32_t id, len;

	if (unlikely(q->broken) || done == q->used_idx)
		return false;
	id = __atomic_load_n(&e->id, __ATOMIC_RELAXED);
	len = __atomic_load_n(&e->len, __ATOMIC_RELAXED);
	if (unlikely((uint16_t)(done - q->used_idx) > q->size || id >= q->size ||
		     !q->chain[id].what || len > q->chain[id].writable)) {
		q->broken = true;
		return false;
	}
	q->used_idx++;
	*ret_what = q->chain[id].what;
	*ret_len = len;
	chain_free(q, id);
	return true;
}

bool virtq_rearm(struct virtq *q)
{
	if (q->event_idx)
		__atomic_store_n(&q->avail->ring[q->size], q->used_idx, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&q->avail->flags, 0, __ATOMIC_RELAXED);
	/* Our wish is visible before we look: what the device adds later interrupts
	 * (2.6.7). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !q->broken &&
	       __atomic_load_n(&q->used->idx, __ATOMIC_RELAXED) != q->used_idx;
}

void virtq_disarm(struct virtq *q)
{
	/* With an event index, not moving it is enough. */
	if (!q->event_idx)
		__atomic_store_n(&q->avail->flags, VRING_AVAIL_F_NO_INTERRUPT,
				 __ATOMIC_RELAXED);
}

void *virtq_reclaim(struct virtq *q)
{
	for (uint16_t i = 0; i < q->size; i++) {
		void *what = q->chain[i].what;

		if (what) {
			chain_free(q, i);
			return what;
		}
	}
	return NULL;
}

/*
 * Virtio block devices (virtio 1.1, 5.2). Several threads may have a request under way;
 * a request is a page of its own that holds what the device reads and writes beside the
 * data: header, status, and the descriptor table that lets it take one entry of the
 * ring.
 *
 * Always true:
 *  K1  a request is on `idle` or in the hands of one thread;
 *  K2  the ring has room for every request at its largest;
 *  K3  memory given to the device is not given back before the device is done with it
 *      or was reset.
 */
#include <linux/virtio_blk.h>

#include "core/log.h"
#include "dev/blk.h"
#include "dev/virtio/virtio.h"
#include "lib/string.h"

#define QUEUE 0
#define REQUESTS 4u
#define SEGMENTS_MAX 128u
/* Header and status. */
#define SEGMENTS_OWN 2u
/* Capacity that keeps byte offsets within 63 bits. */
#define SECTORS_MAX (BIT(63) / SECTOR_SIZE)
#define STATUS_NONE 0xff
#define CONFIG_AT(f) offsetof(struct virtio_blk_config, f)

struct request {
	struct vring_desc table[SEGMENTS_MAX + SEGMENTS_OWN];
	struct virtio_blk_outhdr header;
	uint8_t status;	  /* written by the device */
	uint32_t written; /* bytes the device is to write when all goes well */
	struct list link; /* [lock] on idle */
	struct completion done;
	int result; /* 0 or -EIO, once done */
};
_Static_assert(sizeof(struct request) <= PAGE_SIZE, "a request is one page");

struct vblk {
	struct blk_device blk;
	struct virtio_device *dev; /* [I] */
	struct spinlock lock;	   /* RANK_DEV; taken by the interrupt handler */
	struct virtq q;		   /* [lock] */
	struct list idle;	   /* [lock] */
	bool dead;		   /* [lock] */
	struct waitq idle_wait;
};

static uint32_t n_disks; /* named so far; boot CPU only */

/* ---- requests ---- */

static struct request *request_take(struct vblk *b)
{
	uint64_t f = spin_lock_irq(&b->lock);
	struct request *r = list_first_or_null(&b->idle, struct request, link);

	if (r)
		list_del(&r->link);
	spin_unlock_irq(&b->lock, f);
	return r;
}

static struct request *request_get(struct vblk *b)
{
	struct request *r;

	(void)wait_event_full(&b->idle_wait, (r = request_take(b)), WAIT_UNINTR,
			      NO_DEADLINE, true);
	return r;
}

static void request_put(struct vblk *b, struct request *r)
{
	uint64_t f = spin_lock_irq(&b->lock);

	list_push_front(&b->idle, &r->link);
	spin_unlock_irq(&b->lock, f);
	wake_one(&b->idle_wait);
}

/* Hands the request to the device. 0 or -EIO. */
static int request_submit(struct vblk *b, struct request *r, bool write,
			  const struct blk_segment *seg, size_t n)
{
	uint64_t f = spin_lock_irq(&b->lock);
	int err = b->dead ? -EIO : virtq_begin(&b->q, n + SEGMENTS_OWN, r->table);
	bool kick = false;

	if (!err) {
		virtq_put(&b->q, arch_direct_pa(&r->header), sizeof(r->header),
			  VIRTQ_OUT);
		for (size_t i = 0; i < n; i++)
			virtq_put(&b->q, seg[i].pa, seg[i].len,
				  write ? VIRTQ_OUT : VIRTQ_IN);
		virtq_put(&b->q, arch_direct_pa(&r->status), sizeof(r->status), VIRTQ_IN);
		virtq_end(&b->q, r);
		kick = virtq_wants_kick(&b->q);
	}
	spin_unlock_irq(&b->lock, f);
	if (kick)
		b->dev->transport->kick(b->dev, QUEUE);
	return err;
}

/* A device that says "done" but wrote less than asked would show what was in memory
 * before. */
static void request_finish(struct request *r, uint32_t written)
{
	bool good = __atomic_load_n(&r->status, __ATOMIC_RELAXED) == VIRTIO_BLK_S_OK &&
		    written == r->written;

	r->result = good ? 0 : -EIO;
	completion_done(&r->done);
}

static int transfer(struct blk_device *d, bool write, uint64_t sector,
		    const struct blk_segment *seg, size_t n)
{
	struct vblk *b = container_of(d, struct vblk, blk);
	uint64_t sectors = 0;
	struct request *r;
	int err;

	if (!n || n > d->max_segments || (write && d->read_only))
		return -EIO;
	for (size_t i = 0; i < n; i++)
		sectors += seg[i].len / SECTOR_SIZE;
	if (sector > d->sectors || sectors > d->sectors - sector)
		return -EIO;
	r = request_get(b);
	r->header = (struct virtio_blk_outhdr){
		.type = write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
		.sector = sector,
	};
	r->status = STATUS_NONE;
	r->written = (write ? 0 : sectors * SECTOR_SIZE) + sizeof(r->status);
	/* Its wait queue stays: the last request's waker may still be leaving it. */
	r->done.done = false;
	err = request_submit(b, r, write, seg, n);
	if (!err) {
		completion_wait(&r->done);
		err = r->result;
	}
	request_put(b, r);
	return err;
}

/* ---- the device ---- */

static void vblk_fail(struct vblk *b)
{
	struct request *r;

	b->dead = true;
	virtio_fail(b->dev, "used ring");
	while ((r = virtq_reclaim(&b->q)))
		request_finish(r, 0);
}

static void vblk_interrupt(struct virtio_device *d)
{
	struct vblk *b = d->driver;
	uint64_t f = spin_lock_irq(&b->lock);
	uint32_t written;
	void *r;

	do {
		while (virtq_take(&b->q, &r, &written))
			request_finish(r, written);
	} while (virtq_rearm(&b->q));
	if (unlikely(b->q.broken && !b->dead))
		vblk_fail(b);
	spin_unlock_irq(&b->lock, f);
}

static int config_read(struct virtio_device *d, size_t at, void *buf, size_t n)
{
	return d->transport->config(d, (uint32_t)at, buf, (uint32_t)n);
}

/* Largest number of segments of one request, header and status not counted. */
static int segments_max(struct vblk *b, uint32_t *ret)
{
	struct virtio_device *d = b->dev;
	uint32_t seg_max = SEGMENTS_MAX;
	int err = 0;

	if (virtio_has(d, VIRTIO_BLK_F_SEG_MAX))
		err = config_read(d, CONFIG_AT(seg_max), &seg_max, sizeof(seg_max));
	if (!b->q.indirect)
		seg_max = MIN(seg_max, b->q.size / REQUESTS - SEGMENTS_OWN);
	*ret = MIN(seg_max, SEGMENTS_MAX);
	return err || !seg_max ? -EIO : 0;
}

static int vblk_configure(struct vblk *b)
{
	struct virtio_device *d = b->dev;
	uint64_t sectors;
	int err;

	err = config_read(d, CONFIG_AT(capacity), &sectors, sizeof(sectors));
	if (err)
		return err;
	err = virtio_queue_new(d, QUEUE, VIRTQ_SIZE_MAX, &b->q);
	if (err)
		return err;
	/* K2 needs so many even without indirect tables and with one segment. */
	if (b->q.size < REQUESTS * (SEGMENTS_OWN + 1))
		return -EIO;
	b->blk.sectors = MIN(sectors, SECTORS_MAX);
	b->blk.read_only = virtio_has(d, VIRTIO_BLK_F_RO);
	b->blk.transfer = transfer;
	return segments_max(b, &b->blk.max_segments);
}

static int requests_new(struct vblk *b)
{
	for (uint32_t i = 0; i < REQUESTS; i++) {
		struct request *r = page_mem_alloc(0);

		if (!r)
			return -ENOMEM;
		completion_init(&r->done);
		list_push_front(&b->idle, &r->link);
	}
	return 0;
}

/* Fine on a device that was set up in part; the device was not made ready. */
static void vblk_free(struct vblk *b)
{
	struct request *r;

	while ((r = list_first_or_null(&b->idle, struct request, link))) {
		list_del(&r->link);
		page_mem_free(r);
	}
	if (b->q.size)
		virtio_queue_free(&b->q);
	heap_free(b);
}

static int vblk_probe(struct virtio_device *d)
{
	struct vblk *b = heap_zalloc(sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	b->dev = d;
	spin_init(&b->lock, RANK_DEV);
	waitq_init(&b->idle_wait);
	list_init(&b->idle);
	err = vblk_configure(b);
	if (!err)
		err = requests_new(b);
	if (!err) {
		memcpy(b->blk.name, "vda", sizeof("vda"));
		b->blk.name[2] += (char)n_disks;
		err = blk_register(&b->blk);
	}
	if (err) {
		d->transport->reset(d);
		vblk_free(b);
		return err;
	}
	n_disks++;
	d->driver = b;
	d->interrupt = vblk_interrupt;
	d->transport->ready(d);
	return 0;
}

const struct virtio_driver virtio_blk_driver = {
	.id = VIRTIO_ID_BLOCK,
	.features = BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_RO),
	.probe = vblk_probe,
};

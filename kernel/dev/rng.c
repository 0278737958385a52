/*
 * Virtio entropy devices (virtio 1.1, 5.4). One request is made when the device is
 * found; what the host gives goes into the pool. More is not asked for: the generators
 * need no refills.
 */
#include "core/log.h"
#include "dev/virtio/virtio.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sec/entropy.h"

#define QUEUE 0
#define RING_SIZE 2
#define BYTES 64u

struct vrng {
	struct virtio_device *dev; /* [I] */
	struct spinlock lock;	   /* RANK_DEV; taken by the interrupt handler */
	struct virtq q;		   /* [lock] */
	bool dead;		   /* [lock] */
	uint8_t *bytes;		   /* [lock] BYTES that the device fills */
};

static void vrng_interrupt(struct virtio_device *d)
{
	struct vrng *r = d->driver;
	uint64_t f = spin_lock_irq(&r->lock);
	uint32_t len;
	void *what;

	while (virtq_take(&r->q, &what, &len)) {
		entropy_add(r->bytes, len, 8 * len);
		memset(r->bytes, 0, BYTES);
	}
	if (r->q.broken && !r->dead) {
		r->dead = true;
		virtio_fail(d, "used ring");
	}
	spin_unlock_irq(&r->lock, f);
}

static int vrng_setup(struct vrng *r)
{
	int err;

	r->bytes = page_mem_alloc(0);
	if (!r->bytes)
		return -ENOMEM;
	err = virtio_queue_new(r->dev, QUEUE, RING_SIZE, &r->q);
	if (!err)
		err = virtq_begin(&r->q, 1, NULL);
	if (!err) {
		virtq_put(&r->q, arch_direct_pa(r->bytes), BYTES, VIRTQ_IN);
		virtq_end(&r->q, r);
	}
	return err;
}

static int vrng_probe(struct virtio_device *d)
{
	struct vrng *r = heap_zalloc(sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->dev = d;
	spin_init(&r->lock, RANK_DEV);
	err = vrng_setup(r);
	if (err) {
		d->transport->reset(d);
		if (r->q.size)
			virtio_queue_free(&r->q);
		page_mem_free(r->bytes);
		heap_free(r);
		return err;
	}
	d->driver = r;
	d->interrupt = vrng_interrupt;
	d->transport->ready(d);
	virtio_kick(d, QUEUE, &r->q);
	return 0;
}

const struct virtio_driver virtio_rng_driver = {
	.id = VIRTIO_ID_RNG,
	.probe = vrng_probe,
};

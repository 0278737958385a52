/* The part of virtio that is the same for every transport and every driver. */
#include "core/log.h"
#include "dev/virtio/virtio.h"
#include "mm/page.h"

#define RING_FEATURES                                                                    \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |                        \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC))

static const struct virtio_driver *const drivers[] = {
	&virtio_blk_driver,
	&virtio_port_driver,
	&virtio_rng_driver,
};

static int attach(struct virtio_device *d, const struct virtio_driver *driver)
{
	uint64_t offered = d->transport->features(d);
	int err;

	if (!(offered & BIT(VIRTIO_F_VERSION_1)))
		return -EOPNOTSUPP;
	d->features = offered & (driver->features | RING_FEATURES);
	err = d->transport->negotiate(d, d->features);
	if (!err)
		err = driver->probe(d);
	return err;
}

void virtio_attach(struct virtio_device *d)
{
	int err;

	for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
		if (drivers[i]->id != d->id)
			continue;
		err = attach(d, drivers[i]);
		if (err) {
			d->transport->reset(d);
			log_err("virtio%u: device type %u does not work: error %d\n",
				d->nr, d->id, -err);
		}
		return;
	}
	log_info("virtio%u: device type %u has no driver\n", d->nr, d->id);
}

int virtio_queue_new(struct virtio_device *d, uint32_t index, uint16_t size,
		     struct virtq *q)
{
	uint32_t max = d->transport->queue_max(d, index);
	void *page;

	if (!max)
		return -EIO;
	while (size > max)
		size /= 2;
	page = page_mem_alloc(PAGE_ZERO);
	if (!page)
		return -ENOMEM;
	virtq_init(q, page, size, virtio_has(d, VIRTIO_RING_F_EVENT_IDX),
		   virtio_has(d, VIRTIO_RING_F_INDIRECT_DESC));
	d->transport->queue_start(d, index, q);
	return 0;
}

void virtio_queue_free(struct virtq *q)
{
	page_mem_free(q->desc);
}

void virtio_fail(struct virtio_device *d, const char *why)
{
	d->transport->reset(d);
	log_err("virtio%u: broken device, not used any more: %s\n", d->nr, why);
}

/*
 * Virtio devices: what drivers see of a device, whatever transport it sits on.
 *
 * A driver's probe negotiates, sets queues up and says it is ready; nothing in it
 * sleeps or waits for an interrupt, so it runs before there are threads. A device that
 * breaks the rules is reset, which ends its access to memory, and stays dead; its
 * driver gives -EIO.
 */
#ifndef DEV_VIRTIO_VIRTIO_H
#define DEV_VIRTIO_VIRTIO_H

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "dev/virtio/virtq.h"

struct virtio_device;

/* A transport (mmio, pci). All may be called with interrupts off. */
struct virtio_transport {
	uint64_t (*features)(struct virtio_device *d); /* what the device offers */
	/* Takes these of them. 0, or -EIO: the device does not go along. */
	int (*negotiate)(struct virtio_device *d, uint64_t features);
	/* Bytes of the configuration space, all from one generation of it. 0, or -EIO
	 * when it keeps changing. off and n are multiples of 4. */
	int (*config)(struct virtio_device *d, uint32_t off, void *buf, uint32_t n);
	uint32_t (*queue_max)(struct virtio_device *d,
			      uint32_t index); /* 0: no such queue */
	void (*queue_start)(struct virtio_device *d, uint32_t index,
			    const struct virtq *q);
	void (*ready)(struct virtio_device *d); /* DRIVER_OK: requests may follow */
	void (*kick)(struct virtio_device *d, uint32_t index);
	/* Stops the device: no interrupt and no access to memory after it. */
	void (*reset)(struct virtio_device *d);
};

struct virtio_device {
	const struct virtio_transport *transport; /* [I] */
	uint32_t id;				  /* [I] VIRTIO_ID_* */
	uint32_t line;				  /* [I] interrupt */
	uint64_t features;			  /* [I after probe] negotiated */
	/* Queues may hold finished chains. Interrupts off. Set by the driver's probe. */
	void (*interrupt)(struct virtio_device *d);
	void *driver; /* the driver's own */
	uint32_t nr;  /* [I] its place among all devices: "virtio0", for the log */
};

struct virtio_driver {
	uint32_t id;
	uint64_t features; /* what it can use, if offered */
	/* 0: drives the device. -errno: does not; the device is reset. */
	int (*probe)(struct virtio_device *d);
};

extern const struct virtio_driver virtio_blk_driver;
extern const struct virtio_driver virtio_port_driver;
extern const struct virtio_driver virtio_rng_driver;

/* Finds the driver for a device that a transport has found and lets it probe. */
void virtio_attach(struct virtio_device *d);

static inline bool virtio_has(const struct virtio_device *d, unsigned feature)
{
	return d->features & BIT(feature);
}

/* Makes queue `index` with at most `size` entries (a power of two). 0, -ENOMEM, -EIO. */
must_use int virtio_queue_new(struct virtio_device *d, uint32_t index, uint16_t size,
			      struct virtq *q);
/* Only before the device was ready, or after its reset. */
void virtio_queue_free(struct virtq *q);
static inline void virtio_kick(struct virtio_device *d, uint32_t index, struct virtq *q)
{
	if (virtq_wants_kick(q))
		d->transport->kick(d, index);
}
/* The device broke a rule: says so once and resets it. */
cold void virtio_fail(struct virtio_device *d, const char *why);

/* Devices on the command line: `virtio_mmio.device=SIZE@BASE:IRQ[:ID]`, as QEMU adds
 * them. */
void virtio_mmio_init(void);

#endif

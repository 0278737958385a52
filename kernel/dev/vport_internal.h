/* Virtio serial devices, between vport.c (the device and its control messages) and
 * vport_io.c. */
#ifndef DEV_VPORT_INTERNAL_H
#define DEV_VPORT_INTERNAL_H

#include "core/panic.h"
#include "dev/virtio/virtio.h"
#include "dev/vport.h"
#include "lib/list.h"
#include "mm/page.h"
#include "mm/slab.h"

#define VPORT_IDS 4u /* port numbers per device that get queues; 0 is for consoles */
#define VPORT_NAME 32u
#define VPORT_RX_N 16u
#define VPORT_TX_N 4u
#define VPORT_TX_ORDER 2u /* 16 KiB each: the host gets each in one piece */

/* A stretch of memory that the device fills or empties. */
struct vport_buffer {
	struct list link; /* [lock] rx: filled; tx: idle */
	char *bytes;
	uint32_t size;
	uint32_t at, end; /* rx, filled: what is still to be read */
};

struct vport {
	struct vserial *dev; /* [I] */
	uint32_t id;	     /* [I] */
	struct mutex read_lock,
		write_lock; /* RANK_PORT: one reader, one writer at work */
	struct waitq read_wait, write_wait;

	/* guarded by dev->lock */
	struct virtq rx, tx;
	struct list filled; /* rx buffers with bytes, in order */
	struct list idle;   /* tx buffers */
	bool exists;	    /* the host has announced it */
	bool host_open, host_was_open, open;
	char name[VPORT_NAME];

	/* made at the first open, then kept: the device has them */
	bool has_buffers; /* [read_lock] */
	struct vport_buffer rx_buffer[VPORT_RX_N], tx_buffer[VPORT_TX_N];
};

struct vserial {
	struct virtio_device *dev; /* [I] */
	struct spinlock lock;	   /* RANK_DEV; taken by the interrupt handler */
	bool dead;		   /* [lock] */
	struct virtq control_rx, control_tx; /* [lock] */
	struct vserial_control *control;     /* [lock] */
	uint32_t ids;			     /* [I] port numbers 1..ids-1 have queues */
	struct vport ports[VPORT_IDS];
};

static inline uint32_t vport_rx_index(const struct vport *p)
{
	return 4 + 2 * (p->id - 1);
}

static inline uint32_t vport_tx_index(const struct vport *p)
{
	return vport_rx_index(p) + 1;
}

/* Tells the host something about a port (VIRTIO_CONSOLE_*). Lock held. 0 or -EIO. */
int vserial_tell(struct vserial *s, uint32_t id, uint16_t event, uint16_t value);
/* Gives the device up if it broke a rule. Lock held. */
void vserial_check(struct vserial *s);

/* vport_io.c; lock held. */
void vport_interrupt(struct vport *p); /* takes what the device is done with */
void vport_wake(struct vport *p);      /* something about its state changed */

#endif

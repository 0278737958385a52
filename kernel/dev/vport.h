/*
 * Ports of virtio serial devices (virtio 1.1, 5.3): byte streams between the host and
 * programs in the VM, each with a number and perhaps a name. Here is what a file of a
 * port does; the file operations themselves are fs/devfs/vport.c's.
 */
#ifndef DEV_VPORT_H
#define DEV_VPORT_H

#include "core/wait.h"
#include "mm/usercopy.h"

struct vport;

/* Port `id` of the n-th device; NULL: no queues for it. */
struct vport *vport_nth(uint32_t device, uint32_t id);
/* The port of that name; waits a moment for the host to tell names. 0, -ENODEV,
 * -ERESTARTSYS. */
must_use int vport_named(const char *name, struct vport **ret);

/* One opener at a time. 0, -EBUSY, -ENODEV (the host has no such port), -EIO, -ENOMEM. */
must_use int vport_open(struct vport *p);
void vport_close(struct vport *p);
/* What has come, at least a byte. 0: the host closed its side. -EAGAIN, -ERESTARTSYS,
 * -EIO, -EFAULT. */
must_use int64_t vport_read(struct vport *p, struct uio *u, bool nonblock);
/* All of it unless interrupted or nonblock. Waits while the host has not opened its
 * side yet; -EPIPE once it has closed it. */
must_use int64_t vport_write(struct vport *p, struct uio *u, bool nonblock);
/* Waits until the host has taken what was written: a machine that ends before loses it.
 * 0, -EPIPE, -EIO, -ERESTARTSYS. */
must_use int vport_sync(struct vport *p);
uint32_t vport_poll(struct vport *p); /* POLL* events that are ready */
struct waitq *vport_read_queue(struct vport *p);
struct waitq *vport_write_queue(struct vport *p);

#endif

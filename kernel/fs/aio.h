/*
 * Asynchronous input and output as io_setup(2) offers it: contexts, each with a ring of
 * finished requests in the job's own memory. What is asked for: kernel/sys/io_aio.c.
 *
 *     c = aio_find(id); aio_slot_take(c); …
 *     aio_complete(c, &request, result); aio_put(c);
 *
 * Always true:
 *  A1  a context belongs to one address space, is found in no other, and ends with it or
 *      at io_destroy(2), after its last request;
 *  A2  a request that has a slot ends in one event, or gives the slot back;
 *  A3  the ring is the job's to scribble on and to unmap: the kernel keeps its own
 *      references to its pages, its own tail and counts, and takes of it nothing but
 *      `head`, modulo the ring's size. A wrong head loses the job's own events.
 */
#ifndef FS_AIO_H
#define FS_AIO_H

#include <linux/aio_abi.h>

#include "fs/vfs.h"

struct aio_context;

/* What an event says of its request, and whom it is announced to. */
struct aio_request {
	uint64_t obj, data; /* address of its iocb, and aio_data */
	struct file *resfd; /* eventfd, referenced; NULL: none */
};

extern _Atomic uint32_t aio_max_nr; /* fs.aio-max-nr */
uint64_t aio_nr(void);		    /* events that contexts were made for */

/* A context of the current address space for n requests at a time. 0, -EINVAL (more than
 * any ring holds), -EAGAIN (fs.aio-max-nr), -ENOMEM and what mmap(2) says. */
must_use int aio_setup(uint32_t n, uint64_t *ret_id);
/* Waits for the requests in flight. 0, -EINVAL (no such context). */
must_use int aio_destroy(uint64_t id);
/* Referenced; NULL: none. */
must_use struct aio_context *aio_find(uint64_t id);
void aio_put(struct aio_context *c);
uint32_t aio_size(const struct aio_context *c); /* events that its ring has */

/* Room for the event of one request. 0, -EAGAIN (all are in flight or unread), -EINVAL
 * (the context is going). */
must_use int aio_slot_take(struct aio_context *c);
void aio_slot_give(struct aio_context *c);
/* Ends a request that has a slot: its event into the ring. Consumes r->resfd. */
void aio_complete(struct aio_context *c, const struct aio_request *r, int64_t res);
/* Moves at least `min` and at most n events to user space, or what there is at the
 * deadline (clock_mono ns; 0: now). Their number; none: 0, -EFAULT, -EINVAL (it has been
 * destroyed), -ERESTARTSYS. */
must_use int64_t aio_wait(struct aio_context *c, int64_t min, int64_t n, uaddr_t events,
			  uint64_t deadline);

/* ---- aio_poll.c ---- */

/* IOCB_CMD_POLL: an event with the first of `events` (POLL*) that f has, now or later.
 * Has taken the slot, and r->resfd, if 0; -EINVAL (f never tells), -ENOMEM. */
must_use int aio_poll(struct aio_context *c, const struct aio_request *r, struct file *f,
		      uint32_t events);
/* Ends the poll with that obj, with an event of no POLL* bits. -EINPROGRESS, -EINVAL
 * (there is none). */
must_use int aio_cancel(struct aio_context *c, uint64_t obj);

#endif

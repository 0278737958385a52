/* Between the files of asynchronous input and output. */
#ifndef FS_AIO_INTERNAL_H
#define FS_AIO_INTERNAL_H

#include "core/ref.h"
#include "fs/aio.h"

/* The ring as programs read it: this at its start, then events (libaio's struct aio_ring,
 * in no UAPI header). */
struct aio_ring {
	uint32_t id; /* the context's number in its space */
	uint32_t nr; /* events that follow */
	uint32_t head, tail;
	uint32_t magic, compat_features, incompat_features, header_length;
};

#define AIO_EVENTS_PER_PAGE (PAGE_SIZE / sizeof(struct io_event))

struct aio_context {
	struct ref refs;      /* the table's, each call's, each poll's */
	uint64_t id;	      /* [I] where the ring was mapped */
	uint32_t number;      /* [table's lock] where it is in the table */
	uint32_t asked;	      /* [I] requests it was made for */
	uint32_t size;	      /* [I] events in the ring */
	struct mutex reader;  /* RANK_AIO: one at a time takes events, and moves head */
	struct waitq wait;    /* for events, for the end of requests */
	struct spinlock lock; /* RANK_OBJECT */
	uint32_t tail;	      /* [lock] where the next event goes */
	uint32_t in_flight;   /* [lock] slots without an event yet */
	struct list polls;    /* [lock] struct aio_poll.link: those not cancelled */
	_Atomic uint64_t completed; /* [lock] to change: events ever */
	_Atomic bool dead;	    /* [lock] to set: no new requests */
	struct map_request ring;    /* [I] its memory, with a reference on the owner */
	size_t n_pages;		    /* [I] */
	struct page *pages[];	    /* [I] referenced */
};

/* Cancels all polls; the caller has set c->dead. */
void aio_polls_cancel(struct aio_context *c);

#endif

/*
 * Who asked to be told, by a signal, of what happens to an object (fcntl(2), O_ASYNC).
 * Pipes, sockets and terminals have a set each; what an entry is belongs to fs.
 *
 * Always true:
 *  A1  an entry is on one set at most, and leaves it before either goes.
 *
 * Lock: async_lock, over all sets; entries are told under it. Not for interrupt handlers.
 */
#ifndef CORE_ASYNC_H
#define CORE_ASYNC_H

#include <asm/siginfo.h>

#include "lib/list.h"

struct async_entry {
	struct list link; /* [async_lock] on a set; alone: on none */
	int fd;		  /* [async_lock] what the signal tells */
	/* [I] once it was on a set. code: POLL_* of <asm/siginfo.h> */
	void (*tell)(struct async_entry *e, int code);
};

struct async_set {
	struct list entries; /* [async_lock] */
};

static inline void async_init(struct async_set *s)
{
	list_init(&s->entries);
}

/* On s from now on, under that descriptor's number. */
void async_join(struct async_set *s, struct async_entry *e, int fd);
void async_leave(struct async_entry *e); /* fine if it is on none */

void async_tell_all(struct async_set *s, int code);
/* Something happened. Spinlocks of a lower rank may be held. */
static inline void async_tell(struct async_set *s, int code)
{
	if (unlikely(!list_empty(&s->entries)))
		async_tell_all(s, code);
}

#endif

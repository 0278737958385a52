/*
 * Waiting for any of several files, for poll(2) and select(2): the waiter's side of
 * struct poll_table. One sleeper, any number of wait queues.
 *
 *     poll_set_init(&s); loop { events |= poll_set_ask(&s, f, wanted); … }
 *     poll_set_sleep(&s, deadline); ask again, without adding; poll_set_fini(&s);
 */
#ifndef FS_POLL_H
#define FS_POLL_H

#include "fs/vfs.h"

#define POLL_HOOKS_INLINE 8

struct poll_set;

/* One wait queue that is watched. */
struct poll_hook {
	struct waiter waiter;
	struct waitq *q;
	struct file *file; /* referenced: keeps the queue alive */
	struct poll_set *set;
	uint32_t wanted;
};

struct poll_block; /* more hooks */

struct poll_set {
	struct poll_table table;
	struct waitq sleep;	/* where the caller itself sleeps */
	_Atomic bool triggered; /* a hook was woken since the last sleep */
	int err;		/* -ENOMEM: a hook could not be added */
	size_t used;		/* of inline_hooks */
	struct poll_block *blocks;
	struct poll_hook inline_hooks[POLL_HOOKS_INLINE];
};

void poll_set_init(struct poll_set *s);
void poll_set_fini(struct poll_set *s);
/* Events of `wanted` (and POLLERR, POLLHUP) that are ready. Watches the file's queues as
 * long as nothing was found ready yet: see poll_set_stop_adding. */
uint32_t poll_set_ask(struct poll_set *s, struct file *f, uint32_t wanted);
void poll_set_stop_adding(struct poll_set *s);
/* 0: something may have changed; -ETIMEDOUT; -ERESTARTSYS. */
must_use int poll_set_sleep(struct poll_set *s, uint64_t deadline);

/* What a file without a poll operation answers. */
#define POLL_ALWAYS (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

#endif

/*
 * epoll(7). kernel/fs/epoll.c keeps the sets, epoll_wait.c the ready lists; the
 * structures are theirs alone.
 */
#ifndef FS_EPOLL_H
#define FS_EPOLL_H

#include <linux/eventpoll.h>

#include "fs/vfs.h"

must_use int epoll_open(struct file **ret);
/* op: EPOLL_CTL_*; ev is ignored for EPOLL_CTL_DEL. 0, -EINVAL, -EEXIST, -ENOENT, -EPERM
 * (the file cannot be polled), -ELOOP, -ENOMEM. */
must_use int epoll_ctl(struct file *epf, int op, int fd, struct file *target,
		       const struct epoll_event *ev);
/* The nth file that is watched as descriptor `fd`, to compare it with others: it is not
 * referenced. 0, -EINVAL (no epoll instance), -ENOENT. */
must_use int epoll_target(struct file *epf, int fd, uint32_t nth, const void **ret);
/* Up to max events to user space. Their number, 0 at the deadline (clock_mono ns; 0: does
 * not wait), -EINVAL, -EFAULT, -EINTR. */
must_use int64_t epoll_wait(struct file *epf, uaddr_t events, size_t max,
			    uint64_t deadline);

/* ---- between epoll.c, epoll_wait.c and epoll_nest.c ---- */

#define EP_MAX_DEPTH 5 /* epoll instances watching one another in a chain */
/* Instances that may watch one: each of its wake-ups visits them all. As many as on
 * Linux. */
#define EP_MAX_WATCHERS 500
/* Not events: how to report. */
#define EP_PRIVATE (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

struct ep_item;

struct epoll {
	struct ref refs;      /* its file; whoever takes a dying target out */
	struct mutex lock;    /* RANK_EPOLL; nest: watching instance, then watched */
	struct rb_tree items; /* [lock] by (file, fd) */
	struct spinlock ready_lock; /* RANK_EPOLL_READY */
	struct list ready;	    /* [ready_lock] items to look at */
	uint32_t n_ready;	/* [ready_lock] their number; looked at without it too */
	struct waitq wait;	/* threads in epoll_wait; RANK_WAITQ_EPOLL */
	struct waitq poll_wait; /* who watches this instance; RANK_EPOLL_READY */
	struct file *file;	/* [I] its own; borrowed */
	/* [nest lock] of epoll_nest.c */
	uint64_t visit; /* the walk that last came by, and what it found */
	uint32_t visit_depth;
	uint32_t watched_epolls; /* [lock] items that are instances themselves */
};

/* One place in a wait queue that an item watches. */
struct ep_hook {
	struct waiter waiter;
	struct waitq *q;
	struct ep_item *item;
	struct ep_hook *next;
};

struct ep_item {
	struct rb_node node; /* [ep->lock] */
	struct epoll *ep;    /* [I] */
	struct file *file;   /* [I] borrowed: epoll_file_release comes before its end */
	int fd;		     /* [I] */
	_Atomic uint32_t events; /* [ep->lock] to change */
	uint64_t data;		 /* [ep->lock] */
	struct list ready_link;	 /* [ep->ready_lock] */
	struct list file_link;	 /* [ep_links_lock] on file->epoll_links */
	struct ep_hook *hooks;	 /* [ep->lock] */
	struct ep_hook first;	 /* most files have one queue: no allocation for it */
	bool first_used;
	uint32_t hooked; /* [ep->lock] events the hooks were asked for */
	bool woken;	 /* [ep->ready_lock] since the scan last took it up */
};

extern struct spinlock ep_links_lock; /* RANK_OBJECT: all file->epoll_links */
extern const struct file_ops epoll_file_ops;

/* A wait queue's callback. */
bool ep_hook_woken(struct waiter *w, uint32_t key);
/* Events of the item that are ready now; hooks are added when pt is given. ep->lock
 * held. */
uint32_t ep_item_poll(struct ep_item *it, struct poll_table *pt);
/* Puts the item on the ready list and wakes who waits for that. */
void ep_item_ready(struct ep_item *it);
uint32_t ep_poll(struct file *f, struct poll_table *pt);

/* Serialises everything that makes an instance watch another. */
void ep_nest_lock(void);
void ep_nest_unlock(void);
/* May `ep` watch `target`? 0 or -ELOOP. Nest lock held, no other. */
must_use int ep_nest_check(struct epoll *ep, struct epoll *target);

#endif

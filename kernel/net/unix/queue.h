/*
 * The queue of a socket, and the bytes of the messages in it: what every send and receive
 * does, so that it costs no calls.
 */
#ifndef NET_UNIX_QUEUE_H
#define NET_UNIX_QUEUE_H

#include <asm/poll.h>

#include "core/timer.h"
#include "net/unix/unix.h"

/* With the lock held, so plain stores do; others look at them without. */
static inline void unix_count_queued(struct unix_sock *u, int32_t messages, int64_t bytes)
{
	__atomic_store_n((uint32_t *)&u->queued, u->queued + (uint32_t)messages,
			 __ATOMIC_RELEASE);
	__atomic_store_n((uint64_t *)&u->unread, u->unread + (uint64_t)bytes,
			 __ATOMIC_RELEASE);
}

/* At the end of `to`'s queue; its lock held. */
static inline void unix_msg_queue(struct unix_sock *to, struct unix_msg *m)
{
	if (unlikely(to->sock.options & SOCK_OPT_STAMPS))
		m->stamp = (int64_t)clock_real();
	list_push_back(&to->queue, &m->link);
	unix_count_queued(to, 1, (int64_t)m->len);
	async_tell(&to->sock.async, POLL_IN);
}

/* After the lock is dropped. */
static inline void unix_tell_readable(struct unix_sock *u)
{
	wake_poll(&u->read_wait, POLLIN | POLLRDNORM);
}

/* The head or the one behind m; read_lock held. NULL: none. */
static inline struct unix_msg *unix_msg_after(struct unix_sock *u, struct unix_msg *m)
{
	struct list *at;

	if (!u->queued)
		return NULL;
	spin_lock(&u->lock);
	at = m ? m->link.next : u->queue.next;
	spin_unlock(&u->lock);
	return at == &u->queue ? NULL : list_entry(at, struct unix_msg, link);
}

/* Takes m out of u's queue; read_lock held. */
static inline void unix_msg_unqueue(struct unix_sock *u, struct unix_msg *m)
{
	spin_lock(&u->lock);
	list_del(&m->link);
	if (unlikely(m == u->urgent))
		u->urgent = NULL;
	unix_count_queued(u, -1, -(int64_t)(m->len - m->done));
	spin_unlock(&u->lock);
}

/* A stream has read n more of m's bytes, not the last ones; read_lock held. */
static inline void unix_msg_cut(struct unix_sock *u, struct unix_msg *m, size_t n)
{
	spin_lock(&u->lock);
	m->done += n;
	unix_count_queued(u, 0, -(int64_t)n);
	spin_unlock(&u->lock);
}

/* Bytes [from, from+n) out. Count; short: a fault. */
must_use int64_t unix_msg_copy_pages(const struct unix_msg *m, size_t from, size_t n,
				     struct uio *to);
must_use static inline int64_t unix_msg_copy(const struct unix_msg *m, size_t from,
					     size_t n, struct uio *to)
{
	if (!n)
		return 0;
	return likely(!m->pages) ? uio_write(to, m->bytes + from, n)
				 : unix_msg_copy_pages(m, from, n, to);
}

#endif

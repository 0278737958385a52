/*
 * Pipes and FIFOs, as the rest of fs and the system calls see them. kernel/fs/pipe.c
 * keeps the ring; splice moves whole buffers in and out of it.
 */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include <asm/poll.h>
#include <asm/siginfo.h>

#include "fs/vfs.h"

#define PIPE_ATOMIC PAGE_SIZE /* PIPE_BUF: writes up to this size are never mixed */
#define PIPE_DEFAULT_SLOTS 16u
#define PIPE_SPARES 4u
#define PIPE_POLL_IN (POLLIN | POLLRDNORM)
#define PIPE_POLL_OUT (POLLOUT | POLLWRNORM)

/* Some bytes of a page. A page whose only holder is the pipe may be appended to. */
struct pipe_buf {
	struct page *page; /* owned reference */
	uint32_t off, len;
	bool packet;   /* one O_DIRECT write: a read takes no more than this */
	bool borrowed; /* the page's bytes belong to somebody else too: never append */
};

struct pipe {
	struct mutex lock; /* RANK_PIPE */
	struct waitq read_wait, write_wait;
	struct async_set async;
	/* [lock] to change; read without it by poll and by sleepers' conditions */
	_Atomic uint32_t head, tail;	   /* slots ever filled, ever emptied */
	_Atomic uint32_t slots;		   /* a power of two */
	_Atomic uint32_t readers, writers; /* open files */
	_Atomic uint32_t reader_opens,
		writer_opens;		 /* ever: what open(2) of a FIFO awaits */
	struct pipe_buf *ring;		 /* [lock] slot n is ring[n % slots] */
	struct page *spare[PIPE_SPARES]; /* [lock] pages kept for the next write */
	uint32_t spares;		 /* [lock] */
	uint32_t files; /* [inode lock] open files, those still opening too */
};

/* Both ends of a new pipe; flags: O_NONBLOCK, O_DIRECT. 0 or -errno. */
must_use int pipe_open_pair(uint32_t flags, struct file **ret_read,
			    struct file **ret_write);
/* The pipe behind a file, NULL when it is none. Borrows. */
struct pipe *pipe_of(const struct file *f);

/* F_GETPIPE_SZ and F_SETPIPE_SZ, in bytes. -EBADF: not a pipe; -EPERM, -EBUSY,
 * -ENOMEM. */
must_use int64_t pipe_size_get(struct file *f);
must_use int64_t pipe_size_set(struct file *f, uint64_t bytes);
uint64_t pipe_max_size(void); /* fs.pipe-max-size, bytes */
must_use int pipe_max_size_set(uint64_t bytes);

static inline uint32_t pipe_used(const struct pipe *p)
{
	return p->head - p->tail;
}

static inline bool pipe_full(const struct pipe *p)
{
	return pipe_used(p) >= p->slots;
}

static inline struct pipe_buf *pipe_slot(struct pipe *p, uint32_t n)
{
	return &p->ring[n & (p->slots - 1)];
}

/* ---- between pipe.c, pipe_ring.c and splice.c; all with the lock held ---- */

struct pipe *pipe_new(void); /* no files yet; NULL: no memory */
void pipe_free(struct pipe *p);
/* Moves bytes in until the ring is full or the uio is empty. Count; 0: no room; when
 * nothing was moved -ENOMEM or -EFAULT. */
must_use int64_t pipe_fill(struct pipe *p, struct uio *u, bool packet);
/* Moves bytes out, one packet at most. Count or -EFAULT. */
must_use int64_t pipe_drain(struct pipe *p, struct uio *u);
/* Sleeps (lock dropped meanwhile) until there are bytes. 1: there are; 0: end of file;
 * -EAGAIN with nonblock, -ERESTARTSYS. */
must_use int pipe_wait_readable(struct pipe *p, bool nonblock);
/* The same for a free slot. 0, -EPIPE (SIGPIPE is sent), -EAGAIN, -ERESTARTSYS. */
must_use int pipe_wait_writable(struct pipe *p, bool nonblock);
/* Not full; consumes b's reference. */
static inline void pipe_push(struct pipe *p, struct pipe_buf b)
{
	*pipe_slot(p, p->head) = b;
	p->head++;
}
void pipe_consume(struct pipe *p, uint32_t n); /* n bytes of the oldest buffer */
/* After the lock is dropped: there are new bytes, there is new room. */
static inline void pipe_wake_readers(struct pipe *p)
{
	if (waitq_active(&p->read_wait))
		wake_key(&p->read_wait, 1, PIPE_POLL_IN);
	async_tell(&p->async, POLL_IN);
}
static inline void pipe_wake_writers(struct pipe *p)
{
	if (waitq_active(&p->write_wait))
		wake_key(&p->write_wait, 1, PIPE_POLL_OUT);
	async_tell(&p->async, POLL_OUT);
}
/* Bytes or room are left for others who sleep in read or write. Nothing is new, so those
 * who poll are left alone: to an edge-triggered epoll it would be an event. */
void pipe_pass_on(struct waitq *q);
/* Locks two different pipes, by address. */
void pipe_lock_both(struct pipe *a, struct pipe *b);
void pipe_unlock_both(struct pipe *a, struct pipe *b);

#endif

/*
 * POSIX message queues (mq_overview(7)): files of a file system of their own, whose
 * content is messages by priority.
 *
 * Always true:
 *  M1  the tree holds `number` messages, at most max_messages, the highest priority
 *      first, of equal ones the oldest;
 *  M2  a queue counts with its cost against its maker's RLIMIT_MSGQUEUE until its inode
 *      goes, which is when it has no name and nobody has it open.
 *
 * Locks: the folder's inode lock for names; a queue's lock (RANK_IPC).
 */
#ifndef IPC_MQUEUE_H
#define IPC_MQUEUE_H

#include <asm/siginfo.h>
#include <linux/mqueue.h>

#include "core/wait.h"
#include "fs/vfs.h"
#include "ipc/ids.h"
#include "sec/account.h"

/* What the privileged may ask for, mq_overview(7); a message is one block of the heap. */
#define MQUEUE_HARD_MESSAGES 65536
#define MQUEUE_HARD_SIZE MIB(1)

/* /proc/sys/fs/mqueue */
extern struct mqueue_limits {
	_Atomic uint64_t messages, size, default_messages, default_size, queues;
} mqueue_limits;

struct mq_message {
	struct rb_node node; /* [queue's lock] */
	uint64_t number;     /* [I] of messages put before */
	uint32_t priority;   /* [I] */
	size_t size;	     /* [I] */
	char text[];	     /* [I] */
};

/* Who is told once when a message comes to an empty queue. */
struct mq_notice {
	struct process *who; /* referenced; NULL: nobody */
	uint32_t n_execs;    /* which of its programs asked */
	int32_t how;	     /* SIGEV_SIGNAL or SIGEV_NONE */
	int32_t sig;
	union sigval value;
};

struct mqueue {
	struct spinlock lock;		 /* RANK_IPC */
	struct rb_tree messages;	 /* [lock] M1 */
	uint64_t next_number;		 /* [lock] */
	uint64_t number, bytes;		 /* [lock] */
	uint32_t receiving;		 /* [lock] threads that wait for a message */
	struct mq_notice notice;	 /* [lock] */
	uint64_t max_messages, max_size; /* [I] */
	struct account *account;	 /* [I] referenced: M2 */
	uint64_t cost;			 /* [I] */
	struct waitq senders, receivers;
};

/* ---- mqueue.c ---- */

/* NULL attr: the defaults. 0, -EINVAL, -EMFILE, -ENOMEM, -EOVERFLOW. */
must_use int mqueue_new(const struct mq_attr *attr, struct mqueue **ret);
void mqueue_free(struct mqueue *q);

#define MQ_NO_DEADLINE UINT64_MAX
must_use struct mq_message *mq_message_new(size_t size); /* NULL: no memory */
void mq_message_free(struct mq_message *m);
/* `until`: by the wall clock. Consumes m when it returns 0. -EMSGSIZE, -EAGAIN
 * (`nonblock`), -ETIMEDOUT, -ERESTARTSYS. */
must_use int mqueue_send(struct mqueue *q, struct mq_message *m, bool nonblock,
			 uint64_t until);
/* The message is the caller's. -EMSGSIZE: `room` is less than a message may be. */
must_use int mqueue_receive(struct mqueue *q, size_t room, bool nonblock, uint64_t until,
			    struct mq_message **ret);
/* mq_notify(3): n->how, sig and value; NULL: not any more. 0, -EBUSY. */
must_use int mqueue_notify(struct mqueue *q, const struct mq_notice *n);
/* A descriptor of the queue is closed by current. */
void mqueue_closed(struct mqueue *q);
size_t mqueue_text(struct mqueue *q, char *buf, size_t n);

/* ---- mqueue_fs.c ---- */

/* mq_open(2): `name` without the slash. 0, -EACCES, -EEXIST, -EINVAL, -ENOENT, -ENOSPC
 * and what mqueue_new says. */
must_use int mqueue_open(const char *name, uint32_t flags, uint32_t mode,
			 const struct mq_attr *attr, struct file **ret);
must_use int mqueue_unlink(const char *name);
/* The queue behind an open file; NULL: it is none. Borrows. */
struct mqueue *mqueue_of(const struct file *f);

#endif

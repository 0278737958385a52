/*
 * System V message queues (msgget(2), msgop(2), msgctl(2)).
 *
 * Always true (beside Y1-Y3 of ids.h):
 *  Q1  bytes and number are those of the messages on the list, and at most max_bytes
 *      unless that was made smaller later.
 */
#ifndef IPC_MSG_H
#define IPC_MSG_H

#include <linux/msg.h>

#include "core/wait.h"
#include "ipc/ids.h"

struct message {
	struct list link; /* [queue's lock] */
	int64_t type;	  /* [I] > 0 */
	uint64_t size;	  /* [I] */
	char text[];	  /* [I] */
};

struct msg_queue {
	struct ipc_object object;
	struct list messages;		    /* [object.lock] oldest first */
	uint64_t bytes, number;		    /* [object.lock] Q1 */
	uint64_t max_bytes;		    /* [object.lock] */
	int32_t last_sender, last_receiver; /* [object.lock] */
	int64_t stime, rtime, ctime;	    /* [object.lock] */
	struct waitq senders, receivers;
};

extern struct ipc_ids msg_ids;
extern _Atomic uint64_t msg_max_size, msg_max_bytes; /* sysctl kernel.msgmax, msgmnb */

/* A message of `size` bytes to be filled in; NULL: no memory. */
must_use struct message *message_new(uint64_t size);
void message_free(struct message *m);

/* Consumes m when it returns 0. -EINVAL, -EACCES, -EIDRM, -EAGAIN, -EINTR. */
must_use int msg_send(int32_t id, struct message *m, uint32_t flags);
/* A message that is now the caller's, and how many of its bytes it gets: at most `room`;
 * longer ones are -E2BIG without MSG_NOERROR. -EINVAL, -EACCES, -EIDRM, -ENOMSG, -EINTR,
 * -ENOMEM. */
must_use int msg_receive(int32_t id, uint64_t room, int64_t type, uint32_t flags,
			 struct message **ret, uint64_t *ret_size);

must_use int msg_set(int32_t id, const struct msqid64_ds *ds);
must_use int64_t msg_stat(int32_t id, bool index, bool any, struct msqid64_ds *ret);
int32_t msg_info_get(bool usage, struct msginfo *ret);
int msg_show(struct proc_text *t, void *arg);

#endif

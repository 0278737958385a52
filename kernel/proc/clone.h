/* New processes and threads: clone(2), clone3(2), fork(2), vfork(2) are forms of one
 * call. */
#ifndef PROC_CLONE_H
#define PROC_CLONE_H

#include <linux/sched.h>

#include "proc/task.h"

struct clone_request {
	uint64_t flags;	     /* CLONE_*, without the signal's byte */
	int32_t exit_signal; /* 0..64 */
	uint64_t stack;	     /* the child's stack pointer; 0: the parent's */
	uint64_t tls;	     /* CLONE_SETTLS */
	uaddr_t parent_tid, child_tid;
	uaddr_t pidfd; /* CLONE_PIDFD: where its number goes */
	bool choose_tid;
	int32_t chosen_tid; /* as the caller gave it */
};

/* The child's thread id; -EINVAL, -EPERM, -EEXIST, -EAGAIN, -ENOMEM, a restart code. */
must_use int64_t process_clone(const struct clone_request *r);

/* What the IPC layer, above, has to do for a task. */
struct proc_ipc_ops {
	/* current makes a child that is not linked yet. 0 or -ENOMEM */
	int (*clone)(struct task *child, uint64_t flags);
	/* It ends, never began, or leaves what it shares (unshare). */
	void (*exit)(struct task *t);
};
extern struct proc_ipc_ops proc_ipc_ops;

#endif

/*
 * System V semaphore sets (semget(2), semop(2), semctl(2)).
 *
 * Always true (beside Y1-Y3 of ids.h):
 *  E1  0 <= value <= SEMVMX;
 *  E2  a waiter's operations cannot be done, or the set's lock is held by who is about to
 *      do them: whoever changes a value does, in order of arrival, all that have become
 *      possible, and wakes those threads when nothing is left for them to do;
 *  E3  an adjustment is on its set's list and its process's list, or on neither; both
 *      change under both locks.
 *
 * Locks: set->object.lock (RANK_IPC), then undo_list.lock (RANK_IPC_UNDO).
 */
#ifndef IPC_SEM_H
#define IPC_SEM_H

#include <linux/sem.h>

#include "core/wait.h"
#include "ipc/ids.h"

struct sem {
	int32_t value; /* [object.lock] E1 */
	int32_t pid;   /* [object.lock] who changed or tested it last */
};

struct sem_set {
	struct ipc_object object;
	struct list waiters;  /* [object.lock] struct sem_waiter, oldest first */
	struct list undos;    /* [object.lock] struct sem_undo */
	int64_t otime, ctime; /* [object.lock] */
	uint32_t n;	      /* [I] */
	struct sem sems[];
};

/* What SEM_UNDO makes good when a process ends: E3. */
struct sem_undo {
	struct list set_link, list_link;
	struct sem_set *set;	    /* [I] borrows: see E3 and ipc_unlink */
	struct sem_undo_list *list; /* [I] borrows */
	uint32_t n;		    /* [I] */
	int16_t adjust[];	    /* [set->object.lock] by semaphore */
};

/* The adjustments of one process, or of several tasks with CLONE_SYSVSEM. */
struct sem_undo_list {
	struct ref refs;      /* tasks */
	struct spinlock lock; /* RANK_IPC_UNDO */
	struct list undos;    /* [lock] and the sets' locks to change */
};

struct sem_op_request {
	struct sembuf *ops;
	uint32_t n;
	uint64_t deadline; /* clock_mono, or NO_DEADLINE */
};

extern struct ipc_ids sem_ids;
/* sysctl kernel.sem: semaphores per set, in all, operations per call */
extern _Atomic uint64_t sem_per_set, sem_in_all, sem_per_call;

/* 0, -EINVAL, -EFBIG, -EACCES, -EAGAIN, -ERANGE, -EIDRM, -EINTR, -ENOMEM. */
must_use int64_t sem_operate(int32_t id, const struct sem_op_request *r);

must_use int sem_set_perm(int32_t id, const struct semid64_ds *ds);
must_use int64_t sem_stat(int32_t id, bool index, bool any, struct semid64_ds *ret);
int32_t sem_info_get(bool usage, struct seminfo *ret);
/* GETVAL, GETPID, GETNCNT, GETZCNT: what the call returns. */
must_use int64_t sem_get(int32_t id, int32_t num, int32_t what);
must_use int sem_set_value(int32_t id, int32_t num, int32_t value);
/* GETALL, SETALL: how many values, or -errno; then that many. */
must_use int64_t sem_count(int32_t id);
must_use int sem_get_all(int32_t id, uint16_t *values, uint32_t n);
must_use int sem_set_all(int32_t id, const uint16_t *values, uint32_t n);
int sem_show(struct proc_text *t, void *arg);

/* ---- between sem.c and sem_undo.c ---- */

/* Does what has become possible (E2). Lock held. */
void sem_wake(struct sem_set *s);
/* Current's adjustments of a set, made at the first use. Lock held on entry and return,
 * but not all the time. 0, -ENOMEM, -EIDRM. */
must_use int sem_undo_get(struct sem_set *s, struct sem_undo **ret);
/* Nothing is to be made good any more: for one semaphore, for all, for good. Lock
 * held. */
void sem_undo_clear(struct sem_set *s, uint32_t num);
void sem_undo_drop_all(struct sem_set *s);

/* What proc calls: tasks begin and end. */
must_use int sem_clone(struct task *child, uint64_t flags);
void sem_exit(struct task *t);

#endif

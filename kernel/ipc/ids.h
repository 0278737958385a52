/*
 * What System V's three kinds of objects have in common (sysvipc(7)): numbers, keys,
 * owners, permissions.
 *
 * Always true:
 *  Y1  an object is found by its number from ipc_get until ipc_unlink, which happens
 *      once; `removed` says under its lock that this is over;
 *  Y2  a number is an index and how often indexes had been reused when it was given out,
 *      so that an old number does not name a new object by accident;
 *  Y3  no two objects that can be found have the same key, IPC_PRIVATE apart.
 *
 * Locks: ids->lock (RANK_IPC_IDS), then an object's lock (RANK_IPC). Who holds a
 * reference may use the object's memory; whether it still is one, its lock tells.
 */
#ifndef IPC_IDS_H
#define IPC_IDS_H

#include <linux/ipc.h>

#include "core/spinlock.h"
#include "fs/procfs/procfs.h"
#include "lib/radix.h"
#include "lib/rbtree.h"
#include "sec/cred.h"

#include <asm/ipcbuf.h>

#define IPC_INDEX_BITS 15
#define IPC_INDEX_MAX ((1u << IPC_INDEX_BITS) - 1)
#define IPC_SEQUENCE_MAX ((uint32_t)INT32_MAX >> IPC_INDEX_BITS)

struct ipc_object {
	struct ref refs;
	struct spinlock lock; /* RANK_IPC */
	int32_t id;	      /* [I] once it can be found */
	int32_t key;	      /* [ids->lock] to change */
	bool removed;	      /* [lock] */
	uid_t uid, cuid;      /* [lock] owner's; [I] maker's */
	gid_t gid, cgid;
	uint32_t mode;	       /* [lock] permission bits, and the kind's own above them */
	struct rb_node by_key; /* [ids->lock] unless key is IPC_PRIVATE */
};

/* What one of the three get calls asks for. */
struct ipc_request {
	int32_t key;
	uint32_t flags; /* IPC_CREAT, IPC_EXCL, permissions, the kind's own */
	uint64_t size;	/* bytes or semaphores */
};

struct ipc_ids {
	struct spinlock lock;  /* RANK_IPC_IDS */
	struct radix objects;  /* [lock] by index */
	struct rb_tree by_key; /* [lock] */
	uint32_t count;	       /* [lock] */
	int32_t last_index;    /* [lock] given out last; -1: none */
	uint32_t sequence;     /* [lock] Y2 */
	_Atomic uint64_t max;  /* how many there may be: sysctl */

	/* An object of the kind, with one reference, ipc_object_init done. 0 or -errno */
	int (*make)(const struct ipc_request *r, struct ipc_object **ret);
	/* Would the object that is there do? 0 or -EINVAL. Both locks held. NULL: yes */
	int (*suits)(const struct ipc_object *o, const struct ipc_request *r);
	/* It cannot be found any more: tell who waits. Both locks held. NULL: nobody */
	void (*unlinked)(struct ipc_object *o);
	/* The last reference is gone. */
	void (*free)(struct ipc_object *o);
};

void ipc_ids_init(struct ipc_ids *ids, uint64_t max);
/* Owner and maker: current; one reference. */
void ipc_object_init(struct ipc_object *o, const struct ipc_request *r);
void ipc_object_put(struct ipc_ids *ids, struct ipc_object *o);

/* shmget(2) and its like: a number or -ENOENT, -EEXIST, -EACCES, -EINVAL, -ENOSPC,
 * -ENOMEM. */
must_use int64_t ipc_get(struct ipc_ids *ids, const struct ipc_request *r);
/* By number, or by index (the *_STAT commands); with a reference. NULL: EINVAL. */
must_use struct ipc_object *ipc_find(struct ipc_ids *ids, int32_t id);
must_use struct ipc_object *ipc_find_index(struct ipc_ids *ids, int32_t index);
/* Smallest index >= *index that is in use, with a reference; NULL: none. */
must_use struct ipc_object *ipc_next(struct ipc_ids *ids, uint32_t *index);
/* Y1's end. Both locks held; the caller drops the reference that the table had. */
void ipc_unlink(struct ipc_ids *ids, struct ipc_object *o);
/* Its key is free for others. Both locks held. */
void ipc_forget_key(struct ipc_ids *ids, struct ipc_object *o);
/* IPC_RMID: 0, -EINVAL, -EPERM, -EIDRM. */
must_use int ipc_remove(struct ipc_ids *ids, int32_t id);
/* Largest index in use, 0 if there is none; how many are. */
void ipc_usage(struct ipc_ids *ids, int32_t *ret_highest, uint32_t *ret_count);

/* ---- lock held ---- */

/* May current do what `want` asks, by any of its three groups of permission bits? 0 or
 * -EACCES. */
must_use int ipc_may(const struct ipc_object *o, uint32_t want);
/* May current change or remove it? 0 or -EPERM. */
must_use int ipc_may_change(const struct ipc_object *o);
void ipc_perm_get(const struct ipc_object *o, struct ipc64_perm *ret);
/* IPC_SET's part: 0 or -EINVAL. */
must_use int ipc_perm_set(struct ipc_object *o, const struct ipc64_perm *p);

#define IPC_MAY_READ 0444u
#define IPC_MAY_WRITE 0222u
#define IPC_MAY_EXEC 0111u
#define IPC_MODE_BITS 0777u

/* ---- memory of all kinds of IPC: memory.c ---- */

/* What lives on without a process is bounded as a whole, or a job could leave so much of
 * it that ending processes frees nothing. Zeroed; NULL: none left. ipc_free wants the
 * size again. */
must_use void *ipc_alloc(size_t size);
void ipc_free(void *p, size_t size);

/* One line of /proc/sysvipc for each object; `show` makes its text, with its lock
 * held. */
#define IPC_LINE_MAX 256
void ipc_show_all(struct ipc_ids *ids, struct proc_text *t,
		  size_t (*show)(const struct ipc_object *o, char *buf, size_t n));

#endif

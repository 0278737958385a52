/*
 * System V shared memory (shmget(2), shmat(2), shmctl(2)): a page cache without a file,
 * found by number or key, kept until it is removed and nothing maps it any more.
 *
 * Always true (beside Y1-Y3 of ids.h):
 *  H1  `attached` counts the areas that map a segment, and who is about to make one;
 *  H2  a segment that was removed (SHM_DEST) keeps its number, but not its key, until
 *      `attached` sinks to 0; it goes in the same critical section.
 */
#ifndef IPC_SHM_H
#define IPC_SHM_H

#include <linux/shm.h>

#include "ipc/ids.h"
#include "mm/mapping.h"

/* shmctl(2): in shm_perm.mode; the UAPI headers lack them. */
#define SHM_DEST 01000u
#define SHM_LOCKED 02000u

struct shm {
	struct ipc_object object;
	struct mapping mapping;
	uint64_t size;		     /* [I] bytes */
	int32_t first_key;	     /* [I] part of its name in /proc/pid/maps */
	int32_t cpid;		     /* [I] */
	int32_t lpid;		     /* [object.lock] */
	uint64_t attached;	     /* [object.lock] H1 */
	int64_t atime, dtime, ctime; /* [object.lock] */
};

extern struct ipc_ids shm_ids;
extern _Atomic uint64_t shm_max, shm_all; /* sysctl: bytes of one, pages of all */

/* The address, or -EINVAL, -EACCES, -EIDRM, -ENOMEM. */
must_use int64_t shm_attach(int32_t id, uint64_t addr, uint32_t flags);
must_use int shm_detach(uint64_t addr); /* 0, -EINVAL */
/* IPC_RMID */
must_use int shm_remove(int32_t id);
must_use int shm_set(int32_t id, const struct shmid64_ds *ds);
must_use int shm_lock(int32_t id, bool on);
/* IPC_STAT; with `index` SHM_STAT, with `any` SHM_STAT_ANY: what the call returns. */
must_use int64_t shm_stat(int32_t id, bool index, bool any, struct shmid64_ds *ret);
/* The largest index in use. */
int32_t shm_info_get(struct shm_info *ret);
int32_t shm_limits_get(struct shminfo64 *ret);
int shm_show(struct proc_text *t, void *arg);

#endif

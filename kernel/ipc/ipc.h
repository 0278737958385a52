/* The IPC layer's start, and what its files share beside objects of System V. */
#ifndef IPC_IPC_H
#define IPC_IPC_H

#include "core/timer.h"
#include "proc/task.h"

/* Registers the file system type mqueue, /proc/sysvipc and the limits, and what proc
 * tells of tasks. */
void ipc_init(void);

void ipc_memory_init(void);
void shm_init(void);
void sem_init(void);
void msg_init(void);
void mqueue_init(void);
void ipc_procfs_init(void);

/* Seconds since 1970, as the objects' times are told. */
static inline int64_t ipc_now(void)
{
	return (int64_t)(clock_real() / NSEC_PER_SEC);
}

#endif

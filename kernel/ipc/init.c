/* The IPC layer's start. */
#include "ipc/ipc.h"
#include "ipc/sem.h"
#include "proc/clone.h"

void ipc_init(void)
{
	ipc_memory_init();
	shm_init();
	sem_init();
	msg_init();
	mqueue_init();
	ipc_procfs_init();
	proc_ipc_ops = (struct proc_ipc_ops){ .clone = sem_clone, .exit = sem_exit };
}

/* shmget, shmat, shmdt, shmctl. */
#include "ipc/shm.h"
#include "sys/ipc_sysv.h"
#include "sys/syscall.h"

int64_t sys_shmget(int32_t key, uint64_t size, uint32_t flags)
{
	return ipc_get(&shm_ids, &(struct ipc_request){ key, flags, size });
}

int64_t sys_shmat(int32_t id, uint64_t addr, uint32_t flags)
{
	return shm_attach(id, addr, flags);
}

int64_t sys_shmdt(uint64_t addr)
{
	return shm_detach(addr);
}

static int64_t set(int32_t id, uaddr_t buf)
{
	struct shmid64_ds ds;

	return get_user(ds, buf) ? -EFAULT : shm_set(id, &ds);
}

int64_t sys_shmctl(int32_t id, int32_t cmd, uaddr_t buf)
{
	struct shminfo64 limits;
	struct shm_info info;
	struct shmid64_ds ds;

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		return ipc_reply(buf, shm_limits_get(&limits), limits);
	case SHM_INFO:
		return ipc_reply(buf, shm_info_get(&info), info);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return ipc_reply(
			buf, shm_stat(id, cmd != IPC_STAT, cmd == SHM_STAT_ANY, &ds), ds);
	case IPC_SET:
		return set(id, buf);
	case IPC_RMID:
		return shm_remove(id);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(id, cmd == SHM_LOCK);
	}
	return -EINVAL;
}

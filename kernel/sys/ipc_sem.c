/* semget, semop, semtimedop, semctl. */
#include "ipc/sem.h"
#include "mm/slab.h"
#include "sys/ipc_sysv.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

#define OPS_INLINE 8 /* as many are copied to the stack */

int64_t sys_semget(int32_t key, int32_t n, uint32_t flags)
{
	if (n < 0)
		return -EINVAL;
	return ipc_get(&sem_ids, &(struct ipc_request){ key, flags, (uint32_t)n });
}

static int64_t operate(int32_t id, uaddr_t ops, uint32_t n, uint64_t deadline)
{
	struct sembuf fast[OPS_INLINE], *all = fast;

	if (n > sem_per_call)
		return -E2BIG;
	if (!n)
		return -EINVAL;
	if (n > OPS_INLINE)
		all = heap_alloc_array(n, sizeof *all);
	if (!all)
		return -ENOMEM;
	int64_t r = copy_in(all, ops, n * sizeof *all);
	if (!r && id < 0)
		r = -EINVAL;
	if (!r)
		r = sem_operate(id, &(struct sem_op_request){ all, n, deadline });
	if (all != fast)
		heap_free(all);
	return r;
}

int64_t sys_semtimedop(int32_t id, uaddr_t ops, uint32_t n, uaddr_t timeout)
{
	struct __kernel_timespec ts;
	uint64_t ns;

	if (!timeout.va)
		return operate(id, ops, n, NO_DEADLINE);
	if (get_user(ts, timeout))
		return -EFAULT;
	int err = n > sem_per_call ? -E2BIG : timespec_ns(&ts, &ns);
	return err ? err : operate(id, ops, n, deadline_after(ns));
}

int64_t sys_semop(int32_t id, uaddr_t ops, uint32_t n)
{
	return operate(id, ops, n, NO_DEADLINE);
}

static int64_t all_values(int32_t id, uaddr_t array, bool set)
{
	int64_t n = sem_count(id);
	if (n < 0)
		return n;
	size_t bytes = (size_t)n * sizeof(uint16_t);
	uint16_t *values = heap_alloc(bytes);
	if (!values)
		return -ENOMEM;
	int64_t r;
	if (set) {
		r = copy_in(values, array, bytes);
		if (!r)
			r = sem_set_all(id, values, (uint32_t)n);
	} else {
		r = sem_get_all(id, values, (uint32_t)n);
		if (!r)
			r = copy_out(array, values, bytes);
	}
	heap_free(values);
	return r;
}

static int64_t set(int32_t id, uaddr_t buf)
{
	struct semid64_ds ds;

	return get_user(ds, buf) ? -EFAULT : sem_set_perm(id, &ds);
}

int64_t sys_semctl(int32_t id, int32_t num, int32_t cmd, uint64_t arg)
{
	struct semid64_ds ds;
	struct seminfo info;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO:
		return ipc_reply(UADDR(arg), sem_info_get(cmd == SEM_INFO, &info), info);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return ipc_reply(UADDR(arg),
				 sem_stat(id, cmd != IPC_STAT, cmd == SEM_STAT_ANY, &ds),
				 ds);
	case IPC_SET:
		return set(id, UADDR(arg));
	case IPC_RMID:
		return ipc_remove(&sem_ids, id);
	case GETALL:
	case SETALL:
		return all_values(id, UADDR(arg), cmd == SETALL);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
		return sem_get(id, num, cmd);
	case SETVAL:
		return sem_set_value(id, num, (int32_t)arg);
	}
	return -EINVAL;
}

/* What a program says and asks about its memory: madvise, msync, mincore, mlock and
 * family. */
#include <linux/mman.h>

#include "proc/task.h"
#include "sys/syscall.h"

static struct space *mine(void)
{
	return thread_current()->space;
}

int64_t sys_madvise(uint64_t addr, uint64_t length, int32_t advice)
{
	return space_advise(mine(), addr, length, advice);
}

int64_t sys_msync(uint64_t addr, uint64_t length, uint32_t flags)
{
	return space_sync(mine(), addr, length, (int)flags);
}

int64_t sys_mincore(uint64_t addr, uint64_t length, uaddr_t vec)
{
	return space_mincore(mine(), addr, length, vec);
}

/* Pages are locked: by the capability, if they are more than the limit lets. */
static int64_t locked(int err)
{
	uint64_t pages = rlimit_current(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	if (!err && mine()->locked_pages > pages)
		(void)cred_has_cap(thread_current()->cred, CAP_IPC_LOCK);
	return err;
}

/* CAP_IPC_LOCK lifts the limit; mm compares with what it finds in the space. */
static int may_lock(void)
{
	if (cred_holds_cap(thread_current()->cred, CAP_IPC_LOCK)) {
		mine()->limit_memlock = UINT64_MAX;
		return 0;
	}
	mine()->limit_memlock = rlimit_current(RLIMIT_MEMLOCK);
	return mine()->limit_memlock ? 0 : -EPERM;
}

static int64_t lock_range(uint64_t addr, uint64_t length, bool populate)
{
	int err = may_lock();
	uint64_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	if (err)
		return err;
	length = ALIGN_UP(length + (addr - start), PAGE_SIZE); /* 0, if it wraps */
	if (start + length < start)
		return length > mine()->limit_memlock ? -ENOMEM : -EINVAL;
	return locked(space_lock_range(mine(), start, length, true, populate));
}

int64_t sys_mlock(uint64_t addr, uint64_t length)
{
	return lock_range(addr, length, true);
}

int64_t sys_mlock2(uint64_t addr, uint64_t length, uint32_t flags)
{
	if (flags & ~(uint32_t)MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(addr, length, !(flags & MLOCK_ONFAULT));
}

int64_t sys_munlock(uint64_t addr, uint64_t length)
{
	uint64_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	length = ALIGN_UP(length + (addr - start), PAGE_SIZE);
	if (start + length < start)
		return -EINVAL;
	return space_lock_range(mine(), start, length, false, false);
}

int64_t sys_mlockall(uint32_t flags)
{
	if (!flags || flags & ~(uint32_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ||
	    flags == MCL_ONFAULT)
		return -EINVAL;
	int err = may_lock();
	return err ? err : locked(space_lock_all(mine(), flags));
}

int64_t sys_munlockall(void)
{
	return space_lock_all(mine(), 0);
}

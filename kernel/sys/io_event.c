/* eventfd, eventfd2, timerfd_*. */
#include <linux/timerfd.h>

#include "fs/eventfd.h"
#include "fs/timerfd.h"
#include "sys/syscall.h"

int64_t sys_eventfd2(uint32_t initval, uint32_t flags)
{
	struct file *f;
	int err;

	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = eventfd_open(initval, flags & EFD_SEMAPHORE, flags & O_NONBLOCK, &f);
	return err ? err : fd_add(f, flags & O_CLOEXEC);
}

int64_t sys_eventfd(uint32_t initval)
{
	return sys_eventfd2(initval, 0);
}

int64_t sys_timerfd_create(int32_t clock, uint32_t flags)
{
	struct file *f;
	int err;

	if (flags & ~(uint32_t)(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	err = timerfd_open(clock, flags & O_NONBLOCK, &f);
	return err ? err : fd_add(f, flags & O_CLOEXEC);
}

int64_t sys_timerfd_settime(int32_t fd, uint32_t flags, uaddr_t value, uaddr_t old)
{
	struct __kernel_itimerspec new_value, old_value;
	struct file *f;
	int err;

	if (get_user(new_value, value))
		return -EFAULT;
	if (!timerfd_setting_ok(flags, &new_value))
		return -EINVAL;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	err = timerfd_set(f, flags, &new_value, &old_value);
	file_put(f);
	if (err)
		return err;
	return old.va ? put_user(old, old_value) : 0;
}

int64_t sys_timerfd_gettime(int32_t fd, uaddr_t value)
{
	struct __kernel_itimerspec v;
	struct file *f = fd_get(fd);
	int err;

	if (!f)
		return -EBADF;
	err = timerfd_get(f, &v);
	file_put(f);
	return err ? err : put_user(value, v);
}

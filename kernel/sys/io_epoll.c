/* epoll_create*, epoll_ctl, epoll_wait and its forms with masks, over fs/epoll.h. */
#include "fs/epoll.h"
#include "fs/file.h"
#include "proc/signal.h"
#include "sys/io_wait.h"
#include "sys/syscall.h"

#define EVENTS_MAX (INT32_MAX / (int32_t)sizeof(struct epoll_event))

int64_t sys_epoll_create1(uint32_t flags)
{
	struct file *f;
	int err;

	if (flags & ~(uint32_t)EPOLL_CLOEXEC)
		return -EINVAL;
	err = epoll_open(&f);
	return err ? err : fd_add(f, flags & EPOLL_CLOEXEC);
}

int64_t sys_epoll_create(int32_t size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

int64_t sys_epoll_ctl(int32_t epfd, int32_t op, int32_t fd, uaddr_t event)
{
	struct epoll_event ev = { 0 };
	struct file *epf, *target;
	int err = -EBADF;

	if (op != EPOLL_CTL_DEL && get_user(ev, event))
		return -EFAULT;
	epf = fd_get(epfd);
	if (!epf)
		return -EBADF;
	target = fd_get(fd);
	if (target) {
		err = epoll_ctl(epf, op, fd, target, &ev);
		file_put(target);
	}
	file_put(epf);
	return err;
}

static int64_t wait_until(int32_t epfd, uaddr_t events, int32_t max, uint64_t deadline)
{
	struct fd_ref r;
	int64_t n;

	if (max <= 0 || max > EVENTS_MAX)
		return -EINVAL;
	if (!user_range_ok(events, max * sizeof(struct epoll_event)))
		return -EFAULT;
	if (!fd_borrow(epfd, &r))
		return -EBADF;
	n = epoll_wait(r.file, events, max, deadline);
	fd_return(&r);
	return n;
}

static int64_t wait_masked(int32_t epfd, uaddr_t events, int32_t max, uint64_t deadline,
			   uaddr_t sigmask, uint64_t sigsetsize)
{
	int64_t n;
	int err;

	if (!sigmask.va)
		return wait_until(epfd, events, max, deadline);
	err = sigmask_set_temporary(sigmask, sigsetsize);
	if (err)
		return err;
	n = wait_until(epfd, events, max, deadline);
	sigmask_end_temporary(n == -EINTR);
	return n;
}

int64_t sys_epoll_wait(int32_t epfd, uaddr_t events, int32_t max, int32_t timeout)
{
	return wait_until(epfd, events, max, deadline_in_ms(timeout));
}

int64_t sys_epoll_pwait(int32_t epfd, uaddr_t events, int32_t max, int32_t timeout,
			uaddr_t sigmask, uint64_t sigsetsize)
{
	return wait_masked(epfd, events, max, deadline_in_ms(timeout), sigmask,
			   sigsetsize);
}

int64_t sys_epoll_pwait2(int32_t epfd, uaddr_t events, int32_t max, uaddr_t timeout,
			 uaddr_t sigmask, uint64_t sigsetsize)
{
	uint64_t deadline;
	int err = deadline_from_timespec(timeout, &deadline);

	return err ? err : wait_masked(epfd, events, max, deadline, sigmask, sigsetsize);
}

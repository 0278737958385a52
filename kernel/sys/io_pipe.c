/* pipe and pipe2. */
#include "fs/pipe.h"
#include "sys/syscall.h"

int64_t sys_pipe2(uaddr_t fds, uint32_t flags)
{
	struct file *ends[2];
	int err;

	if (flags & ~(O_CLOEXEC | O_DIRECT | O_NONBLOCK))
		return -EINVAL;
	err = pipe_open_pair(flags & (O_DIRECT | O_NONBLOCK), &ends[0], &ends[1]);
	return err ? err : fd_add_pair(ends, flags & O_CLOEXEC, fds);
}

int64_t sys_pipe(uaddr_t fds)
{
	return sys_pipe2(fds, 0);
}

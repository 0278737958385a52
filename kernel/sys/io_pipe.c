/* pipe and pipe2. */
#include "fs/pipe.h"
#include "sys/syscall.h"

int64_t sys_pipe2(uaddr_t fds, uint32_t flags)
{
	bool cloexec = flags & O_CLOEXEC;
	struct file *r, *w;
	int32_t fd[2];
	int err;

	if (flags & ~(O_CLOEXEC | O_DIRECT | O_NONBLOCK))
		return -EINVAL;
	err = pipe_open_pair(flags & (O_DIRECT | O_NONBLOCK), &r, &w);
	if (err)
		return err;
	fd[0] = fd_reserve(0);
	fd[1] = fd[0] < 0 ? fd[0] : fd_reserve(0);
	err = fd[1] < 0 ? fd[1] : copy_out(fds, fd, sizeof fd);
	if (err) {
		if (fd[1] >= 0)
			fd_release(fd[1]);
		if (fd[0] >= 0)
			fd_release(fd[0]);
		file_put(r);
		file_put(w);
		return err;
	}
	/* Nothing below can fail. */
	fd_install(fd[0], r, cloexec);
	fd_install(fd[1], w, cloexec);
	return 0;
}

int64_t sys_pipe(uaddr_t fds)
{
	return sys_pipe2(fds, 0);
}

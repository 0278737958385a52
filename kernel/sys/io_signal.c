/* signalfd, signalfd4; vhangup. */
#include <linux/signalfd.h>

#include "dev/tty.h"
#include "proc/signalfd.h"
#include "sys/syscall.h"

static int64_t change_mask(int32_t fd, sigset64_t mask)
{
	struct file *f = fd_get(fd);
	int err;

	if (!f)
		return -EBADF;
	err = signalfd_set_mask(f, mask);
	file_put(f);
	return err ? err : fd;
}

int64_t sys_signalfd4(int32_t fd, uaddr_t mask, uint64_t sigsetsize, uint32_t flags)
{
	struct file *f;
	sigset64_t set;
	int err;

	if (sigsetsize != sizeof set)
		return -EINVAL;
	if (get_user(set, mask))
		return -EFAULT;
	if (flags & ~(uint32_t)(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	if (fd != -1)
		return change_mask(fd, set);
	err = signalfd_open(set, flags & O_NONBLOCK, &f);
	return err ? err : fd_add(f, flags & O_CLOEXEC);
}

int64_t sys_signalfd(int32_t fd, uaddr_t mask, uint64_t sigsetsize)
{
	return sys_signalfd4(fd, mask, sigsetsize, 0);
}

int64_t sys_vhangup(void)
{
	struct tty *t;

	if (!cred_has_cap(thread_current()->cred, CAP_SYS_TTY_CONFIG))
		return -EPERM;
	t = tty_job_ops.current_tty();
	if (t) {
		tty_hangup(t);
		tty_put(t);
	}
	return 0;
}

/* inotify_init, inotify_init1, inotify_add_watch, inotify_rm_watch. */
#include <linux/inotify.h>

#include "fs/confine.h"
#include "fs/inotify.h"
#include "sys/syscall.h"

#define MASK_KNOWN                                                                       \
	((uint32_t)(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED |            \
		    IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE |      \
		    IN_MASK_ADD | IN_ISDIR | IN_ONESHOT))

int64_t sys_inotify_init1(uint32_t flags)
{
	struct file *f;

	if (flags & ~(uint32_t)(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	int err = inotify_open(flags & IN_NONBLOCK, &f);
	return err ? err : fd_add(f, flags & IN_CLOEXEC);
}

int64_t sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

static int64_t watch_path(struct file *f, uaddr_t path, uint32_t mask)
{
	uint32_t walk = (mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) |
			(mask & IN_ONLYDIR ? WALK_DIRECTORY : 0);
	struct path p;

	int64_t r = path_at_user(AT_FDCWD, path, walk, &p);
	if (r)
		return r;
	r = inode_permission(p.dentry->inode, MAY_READ);
	if (!r)
		r = confine_path(&p, WANT_WATCH);
	if (!r)
		r = inotify_watch(f, p.dentry->inode, mask);
	path_put(&p);
	return r;
}

int64_t sys_inotify_add_watch(int32_t fd, uaddr_t path, uint32_t mask)
{
	if (!(mask & MASK_KNOWN))
		return -EINVAL;
	struct file *f = fd_get(fd);
	if (!f)
		return -EBADF;
	int64_t r = -EINVAL;
	if (file_is_inotify(f) && (!(mask & IN_MASK_ADD) || !(mask & IN_MASK_CREATE)))
		r = watch_path(f, path, mask);
	file_put(f);
	return r;
}

int64_t sys_inotify_rm_watch(int32_t fd, int32_t wd)
{
	struct file *f = fd_get(fd);
	if (!f)
		return -EBADF;
	int64_t r = inotify_unwatch(f, wd);
	file_put(f);
	return r;
}

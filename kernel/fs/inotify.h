/* inotify(7): watches behind a descriptor from which their events are read. */
#ifndef FS_INOTIFY_H
#define FS_INOTIFY_H

#include "fs/vfs.h"

/* /proc/sys/fs/inotify */
extern _Atomic uint64_t inotify_max_events, inotify_max_instances, inotify_max_watches;

must_use int inotify_open(uint32_t flags, struct file **ret); /* O_NONBLOCK; -EMFILE */
extern const struct file_ops inotify_fops;
static inline bool file_is_inotify(const struct file *f)
{
	return f->ops == &inotify_fops;
}
/* The watch's number. -EINVAL (no such file, mask), -ENOSPC, -EEXIST, -ENOMEM. */
must_use int64_t inotify_watch(struct file *f, struct inode *i, uint32_t mask);
must_use int inotify_unwatch(struct file *f, int32_t wd);
void inotify_init(void);

#endif

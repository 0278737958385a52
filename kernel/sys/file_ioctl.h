/* What ioctl(2) asks of any file that a file system keeps. */
#ifndef SYS_FILE_IOCTL_H
#define SYS_FILE_IOCTL_H

#include "fs/vfs.h"

/* -ENOSYS: not one of these. */
must_use int64_t fs_ioctl(struct file *f, uint32_t cmd, uint64_t arg);
/* The part of it that is about chattr(1)'s flags. */
must_use int64_t flags_ioctl(struct file *f, uint32_t cmd, uaddr_t arg);

#endif

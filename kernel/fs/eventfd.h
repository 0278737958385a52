/* eventfd(2): a counter that can be waited for. */
#ifndef FS_EVENTFD_H
#define FS_EVENTFD_H

#include "fs/vfs.h"

/* <sys/eventfd.h>'s EFD_SEMAPHORE; Linux's UAPI headers of Debian 12 lack it
 * (eventfd(2)). */
#define EFD_SEMAPHORE 1u

/* flags: O_NONBLOCK. 0 or -errno. */
must_use int eventfd_open(uint64_t count, bool semaphore, uint32_t flags,
			  struct file **ret);

/* Current's eventfd at that descriptor, referenced. 0, -EBADF, -EINVAL (not one). */
must_use int eventfd_get(int fd, struct file **ret);
/* Adds 1, unless the count is at its maximum. Does not wait. */
void eventfd_signal(struct file *f);

#endif

/* Random bytes to user space, shared by the devices and getrandom(2). */
#ifndef FS_DEVFS_RANDOM_H
#define FS_DEVFS_RANDOM_H

#include "fs/vfs.h"

/* Fills the uio. Bytes, -EFAULT, or -ERESTARTSYS when a signal came before the first. */
must_use int64_t random_read(struct uio *u);
void random_init(void); /* registers the devices */

#endif

/* Opening, as the VFS's parts see it. */
#ifndef FS_OPEN_H
#define FS_OPEN_H

#include "fs/file.h"
#include "lib/fmt.h"

/* Without a permission check: the caller has just made the file. */
must_use int file_open_created(const struct path *p, uint32_t flags, struct file **ret);

#endif

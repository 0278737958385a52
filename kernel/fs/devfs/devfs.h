/*
 * devfs: a memory file system that begins with the nodes of the known devices. What users
 * make, remove or link there is theirs to do, as in any directory they may write.
 */
#ifndef FS_DEVFS_DEVFS_H
#define FS_DEVFS_DEVFS_H

#include "fs/vfs.h"

/* A node for a device, in every devfs mounted now or later: "vport0p1", S_IFCHR | 0600,
 * number. A folder in the path must be there (pts, shm, or made with S_IFDIR). May sleep.
 * 0, -ENOMEM. */
must_use int devfs_add(const char *path, uint32_t mode, dev_id_t rdev);
must_use int devfs_add_link(const char *path, const char *target);

void devfs_init(void); /* registers the type and the nodes that are always there */

#endif

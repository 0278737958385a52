/* /dev/null, /dev/zero, /dev/full. */
#ifndef FS_DEVFS_MEM_H
#define FS_DEVFS_MEM_H

void mem_init(void); /* registers the devices */

#endif

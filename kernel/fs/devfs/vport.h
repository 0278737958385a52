/* Virtio ports as files: /dev/vport0p1 and, by its name, /dev/mayfly-agent. */
#ifndef FS_DEVFS_VPORT_H
#define FS_DEVFS_VPORT_H

void vport_files_init(void); /* once the buses have been searched; may sleep */

#endif

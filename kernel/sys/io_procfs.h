/* What the dispatcher shows in /proc. */
#ifndef SYS_IO_PROCFS_H
#define SYS_IO_PROCFS_H

void io_procfs_init(void);

#endif

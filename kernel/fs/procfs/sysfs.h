/* Between the files that fill /sys. Paths are below /sys; a path's text is copied, all
 * other texts must stay. Without memory a file is left out. */
#ifndef FS_PROCFS_SYSFS_H
#define FS_PROCFS_SYSFS_H

#include "fs/procfs/procfs_internal.h"

void sysfs_file(proc_show_fn show, const void *arg, const char *path, ...)
	printf_like(3, 4);
void sysfs_text(const char *text, const char *path, ...) printf_like(2, 3);
void sysfs_number(uint64_t n, const char *path, ...) printf_like(2, 3);
void sysfs_link(const char *target, const char *path, ...) printf_like(2, 3);
void sysfs_folder(const char *path);

void sysfs_fill_cpus(void);    /* devices/system/cpu, node: sysfs_cpu.c */
void sysfs_fill_devices(void); /* block, tty, mem: sysfs_dev.c */

#endif

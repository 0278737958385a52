/* The mount table as text, for /proc/<pid>/mounts and mountinfo. */
#ifndef FS_PROCFS_MOUNTS_H
#define FS_PROCFS_MOUNTS_H

#include "fs/procfs/procfs.h"

/* Seen from the running process's root. */
int proc_show_mounts(struct proc_text *t);
int proc_show_mountinfo(struct proc_text *t);
int proc_show_mountstats(struct proc_text *t);

#endif

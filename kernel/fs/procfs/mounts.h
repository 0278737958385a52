/* The mount table as text, for /proc/<pid>/mounts and mountinfo. */
#ifndef FS_PROCFS_MOUNTS_H
#define FS_PROCFS_MOUNTS_H

#include "fs/procfs/procfs.h"

/* Seen from a root: what is not below it is left out. */
int proc_show_mounts(struct proc_text *t, const struct path *root);
int proc_show_mountinfo(struct proc_text *t, const struct path *root);
int proc_show_mountstats(struct proc_text *t, const struct path *root);

#endif

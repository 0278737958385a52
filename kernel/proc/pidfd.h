/* Descriptors for processes: pidfd_open(2), CLONE_PIDFD. */
#ifndef PROC_PIDFD_H
#define PROC_PIDFD_H

#include "proc/task.h"

/* A file that stands for p, whatever becomes of its number. `flags`: O_NONBLOCK. 0 or
 * -ENOMEM. */
must_use int pidfd_file_new(struct process *p, uint32_t flags, struct file **ret);
/* Whom f stands for: a pidfd, or (`folders`) a /proc/<pid> folder. Referenced; NULL: it
 * is neither. */
must_use struct process *pidfd_process(struct file *f, bool folders);
/* p's leader, referenced; NULL once p is reaped. */
must_use struct task *process_leader_get(struct process *p);

#endif

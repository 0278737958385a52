/* Resource limits. */
#ifndef PROC_LIMITS_H
#define PROC_LIMITS_H

#include "proc/task.h"

void limits_init(struct process *p); /* process 1's */
/* prlimit64(2) once permission is settled; `set` NULL: only look. 0, -EINVAL, -EPERM. */
must_use int limits_change(struct process *p, uint32_t which, const struct rlimit64 *set,
			   struct rlimit64 *ret_old);

#endif

/* What the calls of scheduling share. */
#ifndef SYS_SCHED_H
#define SYS_SCHED_H

#include "proc/proc.h"

#define NICE_MIN (-20)
#define NICE_MAX 19

/* The thread, referenced; 0: the calling one; NULL: none. */
must_use struct task *sched_find(int32_t tid);
/* Is t the caller's own, or has it CAP_SYS_NICE? */
must_use bool sched_may_change(struct task *t);
/* Do RLIMIT_NICE or CAP_SYS_NICE allow it that level? */
must_use bool sched_may_nice(struct task *t, int32_t nice);

/* May the caller have that ioprio_set(2) value? 0, -EINVAL, -EPERM. */
must_use int sched_check_ioprio(int32_t prio);

#endif

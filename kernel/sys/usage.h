/* Resource usage as getrusage(2) and wait4(2) hand it out. */
#ifndef SYS_USAGE_H
#define SYS_USAGE_H

#include "proc/task.h"

must_use int usage_out(uaddr_t to, const struct rusage_acc *u); /* 0 or -EFAULT */

#endif

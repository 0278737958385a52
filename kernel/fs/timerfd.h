/* timerfd_create(2): timers that are read. */
#ifndef FS_TIMERFD_H
#define FS_TIMERFD_H

#include <linux/time_types.h>

#include "fs/vfs.h"

/* clock: CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME and the _ALARM forms; flags:
 * O_NONBLOCK. 0, -EINVAL, -ENOMEM. */
must_use int timerfd_open(int clock, uint32_t flags, struct file **ret);
bool timerfd_setting_ok(uint32_t flags, const struct __kernel_itimerspec *v);
/* flags: TFD_TIMER_*. ret_old may be NULL. 0, -EINVAL (not a timerfd, bad values). */
must_use int timerfd_set(struct file *f, uint32_t flags,
			 const struct __kernel_itimerspec *v,
			 struct __kernel_itimerspec *ret_old);
must_use int timerfd_get(struct file *f, struct __kernel_itimerspec *ret);

/* Follows changes of the wall clock. */
void timerfd_init(void);

#endif

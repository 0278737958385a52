/* Times between user space's structs and nanoseconds. */
#ifndef SYS_TIMESPEC_H
#define SYS_TIMESPEC_H

#include <linux/time.h>
#include <linux/time_types.h>

#include "core/timer.h"
#include "mm/usercopy.h"

/* Saturates: later than anybody will wait. */
static inline uint64_t ns_of(uint64_t sec, uint64_t nsec)
{
	return sec >= UINT64_MAX / NSEC_PER_SEC ? UINT64_MAX - 1
						: sec * NSEC_PER_SEC + nsec;
}

must_use static inline int timespec_ns(const struct __kernel_timespec *ts, uint64_t *ret)
{
	if (ts->tv_sec < 0 || (uint64_t)ts->tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*ret = ns_of((uint64_t)ts->tv_sec, (uint64_t)ts->tv_nsec);
	return 0;
}

static inline struct __kernel_timespec timespec_of(uint64_t ns)
{
	return (struct __kernel_timespec){ (long long)(ns / NSEC_PER_SEC),
					   (long long)(ns % NSEC_PER_SEC) };
}

must_use static inline int timespec_in(uaddr_t from, uint64_t *ret)
{
	struct __kernel_timespec ts;
	return get_user(ts, from) ? -EFAULT : timespec_ns(&ts, ret);
}

/* clock_mono's value `ns` from now. */
static inline uint64_t deadline_after(uint64_t ns)
{
	uint64_t now = clock_mono();
	return ns > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + ns;
}

#endif

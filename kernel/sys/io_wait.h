/* What the calls that wait for files share: deadlines from user space. */
#ifndef SYS_IO_WAIT_H
#define SYS_IO_WAIT_H

#include <linux/time_types.h>

#include "core/wait.h"
#include "mm/usercopy.h"

/* clock_mono ns; negative: no deadline; 0: now. */
static inline uint64_t deadline_in_ms(int64_t ms)
{
	return ms < 0 ? NO_DEADLINE : ms ? clock_mono() + ms * NSEC_PER_MSEC : 0;
}

/* From a length of time; one too long to be counted never comes. */
static inline uint64_t deadline_in(uint64_t sec, uint64_t nsec)
{
	if (sec > (uint64_t)INT64_MAX / NSEC_PER_SEC - 1)
		return NO_DEADLINE;
	return sec || nsec ? clock_mono() + sec * NSEC_PER_SEC + nsec : 0;
}

/* What is left until the deadline, ns. */
static inline uint64_t deadline_left(uint64_t deadline)
{
	uint64_t now = clock_mono();

	return deadline > now ? deadline - now : 0;
}

/* A timespec of user space; null: no deadline. 0, -EFAULT, -EINVAL. */
must_use int deadline_from_timespec(uaddr_t ts, uint64_t *ret);
/* Writes the time left back; failures are ignored, as the call's result stands. */
void deadline_to_timespec(uaddr_t ts, uint64_t deadline);

#endif

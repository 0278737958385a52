/* Clocks by id, as clock_gettime(2) names them; times in nanoseconds. */
#ifndef PROC_CLOCK_H
#define PROC_CLOCK_H

#include "core/timer.h"

#define CLOCK_TICK_NS (4 * NSEC_PER_MSEC) /* resolution of the coarse clocks */

must_use int clock_read(int32_t clock, uint64_t *ret_ns);	/* 0 or -EINVAL */
must_use int clock_resolution(int32_t clock, uint64_t *ret_ns); /* 0 or -EINVAL */
/* What a sleep or timer on the clock runs on. */
enum clock_kind { CLOCK_KIND_MONO, CLOCK_KIND_REAL, CLOCK_KIND_CPU };
/* 0, -EINVAL, -EOPNOTSUPP */
must_use int clock_kind(int32_t clock, enum clock_kind *ret);
/* Of a CPU-time clock of the running process: the whole process's, or the running
 * thread's? */
must_use int clock_cpu_own(int32_t clock, bool *ret_thread);

#endif

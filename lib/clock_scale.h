/* From ticks of the TSC to nanoseconds, for the kernel and the vDSO alike: both must give
 * the same time for the same tick. */
#ifndef LIB_CLOCK_SCALE_H
#define LIB_CLOCK_SCALE_H

#include "lib/base.h"

/* `mult` is ns per tick with a fraction of this many bits: a TSC of 250 MHz or more. The
 * shift is a constant because TCG makes a dear helper of a variable one. */
#define CLOCK_SCALE_BITS 62

/* ticks < 2^62: 36 years at 4 GHz. */
static inline uint64_t clock_scale_ns(uint64_t ticks, uint64_t mult)
{
	return (uint64_t)((unsigned __int128)(ticks << (64 - CLOCK_SCALE_BITS)) * mult >>
			  64);
}

#endif

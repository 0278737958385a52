/*
 * The page that kernel and vDSO share: what turns the TSC into the time. Written by the
 * kernel, read by every program; `seq` is odd while it changes.
 */
#ifndef PROC_VDSO_DATA_H
#define PROC_VDSO_DATA_H

#include "lib/base.h"

struct vdso_data {
	uint32_t seq;
	uint32_t has_cpu; /* rdtscp gives the CPU's number */
	uint64_t mult;	  /* of clock_scale_ns() */
	uint64_t base_tsc;
	uint64_t base_mono; /* CLOCK_MONOTONIC at base_tsc */
	uint64_t base_real; /* CLOCK_REALTIME at base_tsc */
};

#endif

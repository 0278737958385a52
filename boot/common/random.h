/* Random bits before there is a kernel. */
#ifndef BOOT_COMMON_RANDOM_H
#define BOOT_COMMON_RANDOM_H

#include "lib/base.h"

/* True when the CPU has RDRAND; without it bits come from timing jitter and are weak. */
bool random_is_hardware(void);
uint64_t random_u64(void);

#endif

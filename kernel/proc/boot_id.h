/* The number of this boot: random, and the same until its end (RFC 4122, version 4). */
#ifndef PROC_BOOT_ID_H
#define PROC_BOOT_ID_H

#include "lib/base.h"

#define BOOT_ID_SIZE 16

/* Made when first asked for. Takes a mutex. */
const uint8_t *boot_id_get(void);
/* Another such number. */
void uuid_make(uint8_t ret[BOOT_ID_SIZE]);

#endif

/* What the dispatcher knows about calls: names, and how often each was refused. */
#ifndef SYS_DISPATCH_H
#define SYS_DISPATCH_H

#include "lib/base.h"

/* NULL: not a Linux number. */
const char *syscall_name(uint32_t nr);
/* Rows 0, 1, … until false: how often a call that has no handler was made. */
bool syscall_refused_get(uint32_t i, const char **ret_name, uint64_t *ret_count);

/* Has it a handler? */
bool syscall_exists(uint32_t nr);

#endif

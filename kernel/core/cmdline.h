/* Options of the kernel command line: words `name` or `name=value`. */
#ifndef CORE_CMDLINE_H
#define CORE_CMDLINE_H

#include "lib/base.h"

/* Value of the last `name=value` into buf (cut to fit); false: not given. A bare `name`
 * gives the empty string. */
bool cmdline_get(const char *name, char *buf, size_t n);
/* The same as a number; `otherwise` when it is absent or no number. */
uint64_t cmdline_u64(const char *name, uint64_t otherwise);

#endif

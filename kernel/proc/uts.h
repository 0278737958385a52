/* The names of the system: uname(2), sethostname(2), /proc/sys/kernel. */
#ifndef PROC_UTS_H
#define PROC_UTS_H

#include <linux/utsname.h>

#include "lib/base.h"

void uts_get(struct new_utsname *ret);
/* What a process of that personality(2) is told instead: UNAME26, PER_LINUX32. */
void uts_disguise(struct new_utsname *u, uint32_t persona);
/* Privilege is the caller's business. 0 or -EINVAL (longer than __NEW_UTS_LEN). */
must_use int uts_set_nodename(const char *s, size_t n);
must_use int uts_set_domainname(const char *s, size_t n);

#endif

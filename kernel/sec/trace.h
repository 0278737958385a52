/* Who may look into whom: the rules that ptrace(2), process_vm_readv(2), pidfd_getfd(2),
 * kcmp(2) and /proc/<pid> share. */
#ifndef SEC_TRACE_H
#define SEC_TRACE_H

#include "sec/cred.h"

enum trace_ids {
	TRACE_BY_REAL_IDS, /* a system call: real ids, permitted capabilities */
	TRACE_BY_FS_IDS,   /* a file of procfs: file-system ids, effective ones */
};

/* May `me` look into a process with `target`'s credentials? `dumpable`: its memory holds
 * nothing its user must not see. Both belong to different processes: one may always look
 * into one's own. */
bool sec_may_trace(const struct cred *me, const struct cred *target, bool dumpable,
		   enum trace_ids ids);

/* May `child` make `parent` its tracer (PTRACE_TRACEME)? */
bool sec_may_be_traced(const struct cred *child, const struct cred *parent);

#endif

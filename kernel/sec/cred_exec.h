/*
 * Who a new program runs as: execve(2), capabilities(7). Only rules; what they are asked
 * of is the caller's business.
 */
#ifndef SEC_CRED_EXEC_H
#define SEC_CRED_EXEC_H

#include "lib/audit.h"
#include "lib/file_caps.h"
#include "sec/cred.h"

/* What the rules need to know of the program's file and of who is about. */
struct exec_facts {
	uint32_t mode; /* the file's */
	uid_t uid;
	gid_t gid;
	const struct file_caps *caps; /* NULL: it has none */
	bool nosuid;		      /* its mount lets neither bits nor caps count */
	bool steered;		      /* by a tracer that may not trace what it becomes,
				       * or by who could move its directories */
};

struct exec_verdict {
	enum audit_cause cause; /* what gave it more than its caller has, or kept it */
	bool privileged; /* the program gets what its caller has not; or would have */
	bool kept;	 /* something was: by the cause */
	bool secure;	 /* AT_SECURE */
};

/* c: a copy of `old` that becomes the new program's. 0; -EPERM: the file insists on
 * capabilities that it cannot have. */
must_use int cred_exec(struct cred *c, const struct cred *old, const struct exec_facts *f,
		       struct exec_verdict *ret);

#endif

/* Changing the running thread's credentials in one step. */
#ifndef PROC_CRED_CHANGE_H
#define PROC_CRED_CHANGE_H

#include "proc/audit.h"

/* The running thread's, or what another thread's seccomp(2) made it. */
must_use bool task_no_new_privs(const struct task *t);
/* Makes the latter part of its credentials. 0, -ENOMEM. */
must_use int cred_change_settle(void);

/* A copy to change; then one of the next two, which consume it. NULL: no memory. */
must_use struct cred *cred_change_begin(void);
/* The thread may not become c, which the audit log is told. Returns err. */
int cred_change_refuse(struct cred *c, enum audit_cause cause, int err);
/* The thread may not do such a thing, whatever it wanted to become: -EPERM. */
static inline int cred_not_allowed(void)
{
	return audit_refused(AUDIT_EVENT_CRED, AUDIT_CAUSE_NOT_ALLOWED, NULL, -EPERM);
}
/* 0, or -EAGAIN when the new real user's account cannot be had. */
must_use int cred_change_commit(struct cred *c);

/* prctl(2), PR_SET_DUMPABLE and PR_SET_PDEATHSIG: is b somebody else than a, whom who
 * may look at a must not see? */
bool cred_change_exposes(const struct cred *a, const struct cred *b);
/* Do they differ in anything? */
bool cred_change_is_one(const struct cred *a, const struct cred *b);

#endif

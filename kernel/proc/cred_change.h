/* Changing the running thread's credentials in one step. */
#ifndef PROC_CRED_CHANGE_H
#define PROC_CRED_CHANGE_H

#include "proc/task.h"

/* A copy to change; then one of the other two. NULL: no memory. */
must_use struct cred *cred_change_begin(void);
void cred_change_abort(struct cred *c);
/* Consumes c. 0, or -EAGAIN when the new real user's account cannot be had. */
must_use int cred_change_commit(struct cred *c);

/* prctl(2), PR_SET_DUMPABLE and PR_SET_PDEATHSIG: is b somebody else than a, whom who
 * may look at a must not see? */
bool cred_change_exposes(const struct cred *a, const struct cred *b);

#endif

/*
 * The audit log inside the kernel: what the running thread did with credentials, or was
 * not allowed to. lib/abi/audit.def says what a record holds, sec/audit_ring.h what
 * becomes of it; /proc/audit/data gives the records to root, /proc/audit/stats their
 * numbers.
 *
 *	struct audit_draft d;
 *	audit_begin(&d, AUDIT_EVENT_CRED, AUDIT_CAUSE_ASKED);	may sleep
 *	... lock, make the change ...
 *	audit_add(&d, old, new, 0);	in the change's critical section
 *
 * While nobody reads for the host the ring keeps the latest: who comes too late for a
 * record reads EPIPE once and goes on with the oldest that is there.
 */
#ifndef PROC_AUDIT_H
#define PROC_AUDIT_H

#include "lib/audit.h"
#include "proc/task.h"

struct audit_draft {
	struct audit_record record;
	bool has_place; /* it does not: dropped, and counted */
};

/* A record of the running thread: who it is, what it calls. One of the other two comes
 * next. */
void audit_begin(struct audit_draft *d, enum audit_event event, enum audit_cause cause);
/* Says a path or a name: its end, if it is long. */
void audit_text(struct audit_draft *d, const char *text);
/* Nothing happened after all. */
void audit_cancel(struct audit_draft *d);
/* The record is written. `result` as the call gives it. Spinlocks below RANK_OBJECT may
 * be held. */
void audit_add(struct audit_draft *d, const struct cred *before, const struct cred *after,
	       int64_t result);

/* Both in one: it was not allowed to become `wanted` (NULL: nobody in particular).
 * Returns err. */
int audit_refused(enum audit_event event, enum audit_cause cause,
		  const struct cred *wanted, int err);

void audit_init(void); /* the ring, and the boot's record */
void audit_fill(void); /* registers the files */

#endif

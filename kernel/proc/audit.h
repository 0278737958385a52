/*
 * The audit log inside the kernel: what the running thread did with credentials and by
 * them, and what it was not allowed to. lib/abi/audit.def says what a record holds,
 * sec/audit_ring.h what becomes of it; /proc/audit/data gives the records to root and the
 * group audit, /proc/audit/stats their numbers.
 *
 *	struct audit_draft d;
 *	err = audit_begin(&d, AUDIT_EVENT_CRED, AUDIT_CAUSE_ASKED);	may sleep
 *	... lock, make the change ...
 *	audit_add(&d, old, new, 0);	in the change's critical section
 *
 * What a call did by a capability alone, and that it was refused, is noted while it runs
 * (thread.notes) and told when it ends, unless a record tells of it already.
 *
 * Process 1 is the keeper when it has the file open: the records are for it, and of those
 * that it has not read none is lost but by a full ring. It has read a record when it
 * comes for the next. Without it the ring keeps the latest: who comes too late for a
 * record reads EPIPE once and goes on with the oldest that is there.
 *
 * `audit=stop` on the command line: no record is lost; who would write one waits for a
 * place. `audit=off`: there are no records but the boot's.
 */
#ifndef PROC_AUDIT_H
#define PROC_AUDIT_H

#include "lib/audit.h"
#include "proc/task.h"

struct audit_place {
	enum audit_class class;
	bool reserved; /* it has one in the ring */
};

struct audit_draft {
	struct audit_record record;
	struct audit_place place;
	bool begun; /* and not yet added or cancelled */
};

/* A record of the running thread: who it is, what it calls. One of the next two comes
 * after it. 0, or -EINTR: it dies, and waited for a place; what the record would tell of
 * must not be done. */
must_use int audit_begin(struct audit_draft *d, enum audit_event event,
			 enum audit_cause cause);
/* Nothing happened after all; fine on one that was added. */
void audit_cancel(struct audit_draft *d);
/* The record is written. `result` as the call gives it. Spinlocks below RANK_OBJECT may
 * be held. */
void audit_add(struct audit_draft *d, const struct cred *before, const struct cred *after,
	       int64_t result);

/* Before either: a path or a name, its end if it is long; the process that it is done
 * to. */
void audit_text(struct audit_draft *d, const char *text);
/* Which policy, and which line of it. */
void audit_policy(struct audit_draft *d, const uint8_t *digest, uint32_t line);
static inline void audit_object(struct audit_draft *d, int32_t pid)
{
	d->record.object = pid;
}

/* The same for a change of `at` that the file system makes under its own lock, where it
 * calls audit_change(). The second is told how it went, and returns that. */
must_use int audit_change_begin(struct audit_draft *d, enum audit_event event,
				const struct path *at);
int audit_change_end(struct audit_draft *d, int err);
void audit_change(void);

/* All in one: it was not allowed to become `wanted` (NULL: nobody in particular).
 * Returns err. */
int audit_refused(enum audit_event event, enum audit_cause cause,
		  const struct cred *wanted, int err);

/* The call ends: thread.notes are told and forgotten. named: the path or name that it
 * gave; NULL: none. object: the process that it gave, or 0. */
cold void audit_call_end(int64_t result, const char *named, int32_t object);
/* The same of a place (NULL: it has none) that this call was refused: told of when it
 * ends. The first counts: true. */
bool audit_note_policy(const uint8_t *digest, uint32_t line, const char *place);
static inline bool audit_is_denial(int64_t result)
{
	return result == -EPERM || result == -EACCES;
}

/* A fact of the boot: "name value". */
void audit_fact(const char *fmt, ...) printf_like(1, 2);
/* The machine is about to end: waits a moment until the keeper has what is there. */
void audit_drain(void);

void audit_init(void); /* the ring, and the boot's record */
void audit_fill(void); /* registers the files */

#endif

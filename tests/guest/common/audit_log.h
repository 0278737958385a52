/* What tests of the audit log share: reading it, and children whose records are looked
 * for. */
#ifndef GUEST_AUDIT_LOG_H
#define GUEST_AUDIT_LOG_H

#include <sys/types.h>

#include "lib/audit.h"
#include "tap.h"

#define AUDIT_DATA "/proc/audit/data"

/* A reader that does not block; skips the case where there is no log. */
int audit_reader(void);
/* A reader behind all that was written so far. */
int audit_reader_at_end(void);
/* False: there is no record yet. */
bool audit_next(int fd, struct audit_record *r);
/* The only record of that process since then, but for capabilities that it used. */
struct audit_record audit_only(int fd, pid_t pid);
void audit_none(int fd, pid_t pid);
/* Runs fn in a child, already user 1000 if `plain`. */
pid_t audit_in_child(void (*fn)(void), bool plain);
/* The same, after what makes it plain was read by fd. */
pid_t audit_in_plain_child(int fd, void (*fn)(void));

#endif

/*
 * A log of audit records (lib/audit.h): read one after the other, and checked meanwhile.
 *
 * G1  The bytes are hostile: they may come from anywhere. Nothing of a record is believed
 *     but its size, and memory does not grow with the log.
 * G2  The first fault is kept. What comes after it is read on, but proves nothing.
 */
#ifndef HOST_AUDIT_LOG_H
#define HOST_AUDIT_LOG_H

#include <stdio.h>

#include "host/audit/names.h"

/* ---- what is known of a log so far ---- */

struct tally {
	struct audit_check check;
	uint64_t count;			 /* whole records that were there */
	uint64_t dropped[AUDIT_CLASSES]; /* as DROPPED records say */
	size_t part;			 /* bytes of a last record that is not whole */
	enum audit_fault fault;		 /* the first */
	uint64_t fault_at;		 /* which record has it */
};

/* Whether a log may begin so. It may have been changed since: its digest may be wrong, or
 * a field of it, not everything. */
must_use bool tally_may_begin(const struct audit_record *first);
void tally_take(struct tally *t, const struct audit_record *r);
/* Nothing comes any more, but `part` bytes that are no whole record. */
void tally_end(struct tally *t, size_t part);
/* "changed", "missing": a name that stays. */
const char *fault_name(enum audit_fault fault);

/* ---- files ---- */

struct audit_log {
	FILE *file;
	const char *name; /* for messages */
	struct tally tally;
	uint64_t boot_ns; /* of the wall clock; 0: not known */
};

/* path: "-" is stdin. 0, or MAYFLY_FAILED having said why. */
must_use int audit_log_open(struct audit_log *log, const char *path);
/* What all of the log says about programs' names, and about the clock, ahead of reading
 * it, if it is a file; of a pipe only what came before is known of a record. */
void audit_log_scan(struct audit_log *log, struct audit_names *names);
/* The record's moment of the wall clock, also if that was not set yet when it was made:
 * the first ones are from before somebody told the VM what time it is. */
uint64_t audit_log_moment(const struct audit_log *log, const struct audit_record *r);
/* 1: a record; 0: the end; -1: not a log, or it cannot be read, which was said. */
must_use int audit_log_next(struct audit_log *log, struct audit_record *ret);
/* Says on stderr what is wrong with the log, if anything. The command's exit status. */
must_use int audit_log_judge(const struct audit_log *log);
void audit_log_close(struct audit_log *log);

#endif

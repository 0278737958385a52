/*
 * The records of the audit log (lib/abi/audit.def): their form, the chain that holds them
 * together, and the check of a log that came from somewhere.
 *
 * Every record holds the BLAKE2b-256 of the one before and of itself. So a record that
 * was changed, left out, put elsewhere or put in shows by itself; that the log was cut
 * shows by the missing END; that all of it was written anew, only by a digest known from
 * elsewhere.
 */
#ifndef LIB_AUDIT_H
#define LIB_AUDIT_H

#include "lib/base.h"

#define AUDIT_RECORD_SIZE 512
#define AUDIT_DIGEST_SIZE 32
#define AUDIT_TEXT_SIZE 56

struct audit_cred {
#define AUDIT_CRED(type, field) type field;
#include "lib/abi/audit.def"
};

struct audit_record {
#define AUDIT_FIELD(type, field, count) type field count;
#include "lib/abi/audit.def"
};
_Static_assert(sizeof(struct audit_record) == AUDIT_RECORD_SIZE, "without holes");
_Static_assert(sizeof((struct audit_record *)0)->text == AUDIT_TEXT_SIZE, "as it says");

enum audit_class { AUDIT_VITAL, AUDIT_ORDINARY, AUDIT_CLASSES };

enum audit_event {
#define AUDIT_EVENT(name, number, text, class) AUDIT_EVENT_##name = (number),
#include "lib/abi/audit.def"
	AUDIT_EVENTS,
};

enum audit_cause {
#define AUDIT_CAUSE(name, number, text) AUDIT_CAUSE_##name = (number),
#include "lib/abi/audit.def"
	AUDIT_CAUSES,
};

/* The last row has the highest number: what is beyond it makes no record. */
#define AUDIT_EVENT(name, number, text, class)                                           \
	_Static_assert((number) < AUDIT_EVENTS, "rows ascend");
#define AUDIT_CAUSE(name, number, text)                                                  \
	_Static_assert((number) < AUDIT_CAUSES, "rows ascend");
#include "lib/abi/audit.def"

/* "credentials", "without the capability"; "?" for a number that has none. */
const char *audit_event_name(uint32_t event);
const char *audit_cause_text(uint32_t cause);
enum audit_class audit_class_of(enum audit_event event);

/* Makes the record the one that follows: sets its two digests. */
void audit_seal(struct audit_record *r, const uint8_t previous[AUDIT_DIGEST_SIZE]);

/* ---- checking a log, record by record ---- */

enum audit_fault {
	AUDIT_SOUND,
	AUDIT_CHANGED,	 /* its digest is not that of its bytes */
	AUDIT_MALFORMED, /* a field holds what no record does */
	AUDIT_FOREIGN,	 /* of another boot */
	AUDIT_REPEATED,	 /* its sequence number was there already */
	AUDIT_MISSING,	 /* one or more before it are not there */
	AUDIT_UNCHAINED, /* it does not follow the record before it */
	AUDIT_AFTER_END, /* nothing may come here */
	AUDIT_CUT,	 /* the log does not end with END */
	AUDIT_FAULTS,
};
const char *audit_fault_text(enum audit_fault fault);

struct audit_check {
	uint64_t next;	  /* the sequence number that is expected */
	uint64_t dropped; /* what DROPPED records told of so far */
	bool ended;
	uint8_t boot_id[16];
	uint8_t head[AUDIT_DIGEST_SIZE]; /* the digest of the last record */
};

/* c is zero at first. A record with a fault leaves it as it is. */
must_use enum audit_fault audit_check_next(struct audit_check *c,
					   const struct audit_record *r);
/* After the last record: AUDIT_SOUND or AUDIT_CUT. */
must_use enum audit_fault audit_check_end(const struct audit_check *c);

#endif

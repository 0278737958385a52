/* Inside the audit log: the ring, as who writes (audit.c) and who reads (audit_file.c)
 * see it. */
#ifndef PROC_AUDIT_LOG_H
#define PROC_AUDIT_LOG_H

#include "core/wait.h"
#include "proc/audit.h"
#include "sec/audit_ring.h"

/* Where a record will be. With audit=stop a place is waited for: 0; -EINTR: as
 * audit_begin; -ENOSPC: nothing is recorded. */
must_use int audit_log_place(enum audit_class class, struct audit_place *ret);
void audit_log_cancel(const struct audit_place *place);
/* Stamps the record and writes it; or counts it as dropped, if it has no place and finds
 * none. After the end there are only the keeper's own, which nobody wants. */
void audit_log_add(struct audit_record *r, const struct audit_place *place);

/* ---- reading ---- */

struct audit_reader {
	struct mutex lock; /* RANK_FILE_POS */
	_Atomic uint64_t
		at; /* [lock] to change: the number of the record it reads next */
	bool keeps; /* [I] it is the keeper's */
};

void audit_log_open(struct audit_reader *r, bool keeps);
void audit_log_close(struct audit_reader *r);
/* Makes the chain of what is there; before it nothing can be read. */
void audit_log_seal(void);
/* The next record. 1, 0: there is none yet, -EPIPE: some are gone. r->lock is held. */
must_use int audit_log_read(struct audit_reader *r, struct audit_record *ret);
/* The keeper comes for more: all that was read is kept. */
void audit_log_keep(struct audit_reader *r);
/* Is there something to read? The keeper is let gather what comes for a moment. */
must_use bool audit_log_has_news(const struct audit_reader *r);
must_use bool audit_log_is_behind(const struct audit_reader *r);
/* Where that is told. */
struct waitq *audit_log_news(const struct audit_reader *r);
/* The keeper says that nothing comes after. 0, or -EAGAIN: there is no place yet. */
must_use int audit_log_end(void);

struct audit_log_numbers {
	uint64_t records, dropped[AUDIT_CLASSES];
	uint32_t places;
	const char *mode; /* "on", "stop" or "off" */
};
void audit_log_numbers(struct audit_log_numbers *ret);

#endif

/* Records in the forms of others. */
#ifndef HOST_AUDIT_EXPORT_H
#define HOST_AUDIT_EXPORT_H

#include "host/audit/names.h"
#include "host/strace/text.h"

/* wall_ns: when it was. */
typedef void export_fn(struct text *out, const struct audit_record *r, uint64_t wall_ns,
		       const struct audit_names *names);

/* The lines that auditd(8) writes, as ausearch(8) and aureport(8) read them. */
export_fn export_auditd;
/* An event of the Open Cybersecurity Schema Framework 1.3.0, as JSON on a line. */
export_fn export_ocsf;
/* By the name of the form; NULL: there is none. */
export_fn *export_find(const char *format);

#endif

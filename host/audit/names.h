/*
 * Names for numbers: users by a passwd file, programs by the log's own texts. A record
 * names its program by a digest of the path; the path itself stands in the text of this
 * or another record, and that it is the one, its digest proves.
 */
#ifndef HOST_AUDIT_NAMES_H
#define HOST_AUDIT_NAMES_H

#include "host/mayfly.h"
#include "lib/audit.h"

#define PROGRAMS_MAX 65536u /* names that are kept: the log may be hostile */

struct audit_names {
	void *users;	/* by number; struct user */
	void *programs; /* by digest; struct program */
	size_t program_count;
};

/* path: as /etc/passwd. 0, or MAYFLY_FAILED having said why. */
must_use int names_read(struct audit_names *n, const char *path);
/* What the record says about programs' names. */
void names_learn(struct audit_names *n, const struct audit_record *r);
void names_free(struct audit_names *n);

/* NULL: not known. root is, without a file. */
const char *names_user(const struct audit_names *n, uint32_t uid);
const char *names_program(const struct audit_names *n, const uint8_t digest[32]);
/* The number of a user by name, or as a number. 0 or -ENOENT. */
must_use int names_uid(const struct audit_names *n, const char *user, uint32_t *ret_uid);

#endif

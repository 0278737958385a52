/*
 * A record in words: who became whom, what was called, what came of it and why.
 *
 * D1  Whatever a record holds, what comes out is one line of printable text.
 */
#ifndef HOST_AUDIT_WORDS_H
#define HOST_AUDIT_WORDS_H

#include "host/audit/names.h"
#include "host/strace/text.h"

struct words {
	struct text *out;
	const struct audit_names *names;
	bool utf8; /* arrows may be arrows */
};

/* Somebody did not get what was asked for: a call failed, or a program ran without what
 * its file would have given it. */
must_use bool is_refusal(const struct audit_record *r);
/* "setuid(0)"; nothing if no call is known. */
void words_call(struct text *out, const struct audit_record *r);
/* "EPERM", or its number. */
void words_error(struct text *out, int64_t result);
/* "root", "uid 1000", "job as root" if it acts as another. */
void words_who(const struct words *w, const struct audit_cred *c);
/* "job -> root, groups changed": all that is different after it. */
void words_change(const struct words *w, const struct audit_record *r);
/* The path of the program that did it, or the start of its digest; nothing if there is
 * none. False: there is none. */
bool words_program(const struct words *w, const struct audit_record *r);
/* That path, not escaped, as far as it is known; heap. NULL: nothing is. */
char *words_program_path(const struct audit_names *names, const struct audit_record *r);
/* The text, not escaped; "..." is before what is not all of a path. Heap. */
char *words_text(const struct audit_record *r);
/* What the call named, or the program that it runs; not escaped, and it may have no NUL.
 * NULL: nothing. */
const char *words_path(const struct audit_record *r);
/* All of it, but when, which event, and by which process and program. */
void words_record(const struct words *w, const struct audit_record *r);
/* "cap_setuid,cap_chown", "all", "none", "all but cap_chown". */
void words_capabilities(struct text *out, uint64_t set);
/* 36 characters, as in /proc/sys/kernel/random/boot_id. */
void words_boot_id(struct text *out, const uint8_t id[16]);
/* RFC 3339, of the wall clock in UTC. */
void words_moment(struct text *out, uint64_t wall_ns);
/* Every byte as two hexadecimal digits. */
void words_hex(struct text *out, const uint8_t *bytes, size_t size);

#endif

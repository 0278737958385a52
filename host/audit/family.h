/*
 * A log as a tree: processes below those that started them, and below each what it became
 * and what it was refused, in order.
 *
 * P1  A process is what has a number, until a record of that number cannot be its own:
 *     one with a parent that is neither its old one nor one that orphans go to, or with
 *     a session that is neither the old one nor its own.
 * P2  Processes without records are there only where one with records is below them.
 * P3  The same record again, directly after itself, is counted.
 */
#ifndef HOST_AUDIT_FAMILY_H
#define HOST_AUDIT_FAMILY_H

#include "host/audit/audit.h"
#include "host/audit/names.h"

struct family;

/* names: borrowed, for family_draw too: what a program is called may be learned later. */
struct family *family_new(const struct audit_names *names, bool utf8);
void family_free(struct family *f);
void family_take(struct family *f, const struct audit_record *r);
/* A line into o->text, as o's colours and letters are; false: that was the last. */
must_use bool family_draw(struct family *f, struct output *o);

#endif

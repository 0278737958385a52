/*
 * Access control lists as objects: immutable once published, shared by reference between
 * all inodes that have the same one (a folder's default list is that of all below it).
 * What is in them is lib/acl.h's; who may do what by them, sec_may_access_acl.
 */
#ifndef SEC_ACL_H
#define SEC_ACL_H

#include "lib/acl.h"
#include "sec/cred.h"

struct acl {
	struct ref refs;
	uint32_t n;		  /* [I] */
	struct acl_entry entry[]; /* [I] valid */
};

/* Room for n entries, to be filled before it is published. NULL: no memory. */
must_use struct acl *acl_new(uint32_t n);
/* A private copy to change. NULL: no memory. */
must_use struct acl *acl_copy(const struct acl *a);
static inline struct acl *acl_get(struct acl *a) /* NULL is fine */
{
	if (a)
		ref_get(&a->refs);
	return a;
}
void acl_put(struct acl *a); /* NULL is fine */

/* sec_may_access for an object with a list; o->mode has what acl_mode says of it. */
must_use int sec_may_access_acl(const struct cred *c, const struct perm_facts *o,
				const struct acl *a, uint32_t may);

#endif

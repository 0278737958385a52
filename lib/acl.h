/*
 * Access control lists, acl(5): their bytes in an extended attribute and on ext4's disk,
 * and what they have to do with a file's mode. Pure: the caller brings the memory.
 *
 * In memory a list is the array of entries that attributes have (<linux/
 * posix_acl_xattr.h>, version 2). What is called valid below has passed acl_check: its
 * owner, named users, owning group, named groups, mask and others, in this order; the
 * mask may be missing where nobody is named. Names need not be sorted, nor different:
 * the first that fits decides.
 */
#ifndef LIB_ACL_H
#define LIB_ACL_H

#include <asm/errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include "lib/base.h"

struct acl_entry {
	uint16_t tag;  /* ACL_USER_OBJ … ACL_OTHER */
	uint16_t perm; /* ACL_READ | ACL_WRITE | ACL_EXECUTE */
	uint32_t id;   /* ACL_USER, ACL_GROUP; else ACL_UNDEFINED_ID */
};

/* ---- attributes: system.posix_acl_access, system.posix_acl_default ---- */

/* How many entries a value of n bytes has; 0 stands for no list at all. -EINVAL: that is
 * no length of a list; -EOPNOTSUPP: of another version. */
must_use int64_t acl_xattr_count(const void *value, size_t n);
/* The `count` entries of such a value. -EINVAL: a tag that is none, an id that nobody
 * has. */
must_use int acl_xattr_decode(const void *value, uint32_t count, struct acl_entry *ret);
static inline size_t acl_xattr_size(uint32_t count)
{
	return sizeof(struct posix_acl_xattr_header) +
	       count * sizeof(struct posix_acl_xattr_entry);
}
/* Writes acl_xattr_size(count) bytes. */
void acl_xattr_encode(const struct acl_entry *e, uint32_t count, void *value);

/* ---- ext4 ---- */

/* The entries of a value as it lies on disk (name indexes 2 and 3): version 1, and ids
 * only where somebody is named (Documentation/filesystems/ext4/attributes.rst, "POSIX
 * ACLs"). Their number; ret NULL: only counts. -EUCLEAN: not the form of one. */
must_use int64_t acl_ext4_decode(const void *value, size_t n, struct acl_entry *ret);

/* ---- what is in a list ---- */

/* 0, or -EINVAL: not valid. */
must_use int acl_check(const struct acl_entry *e, uint32_t count);

/* All below: of a valid list. */

/* What named users and all groups are limited to; without a mask: everything. */
static inline uint32_t acl_mask(const struct acl_entry *e, uint32_t count)
{
	const struct acl_entry *last_but_one = &e[count - 2];

	return last_but_one->tag == ACL_MASK ? last_but_one->perm : 7;
}
/* The permission bits (0777) that files with this list show. */
uint32_t acl_mode(const struct acl_entry *e, uint32_t count);
/* True: those bits say all that the list does. */
bool acl_is_minimal(const struct acl_entry *e, uint32_t count);
/* chmod(2): permission bits become the owner's, the mask's (without one: the owning
 * group's) and the others' entries. */
void acl_set_mode(struct acl_entry *e, uint32_t count, uint32_t mode);
/* "Object creation and default ACLs": those entries keep what `mode` has too. */
void acl_limit(struct acl_entry *e, uint32_t count, uint32_t mode);

#endif

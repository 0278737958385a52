/*
 * The access control lists of inodes (acl(5)): system.posix_acl_access says who may do
 * what to a file, system.posix_acl_default what is made in a folder begins with.
 *
 * Always true:
 *  A1  who changes an inode's mode or its access list changes both, so that they agree
 *      (acl_mode); only what a disk says of the two is taken as it is;
 *  A2  an access list appears before the mode that goes with it, and leaves after: who
 *      reads the mode first and the list then (inode_mode_now) never takes a mask for
 *      the owning group's rights because a list is being set.
 *
 * Locks: an inode's own to change its lists; acl_lock, a spinlock, over all pointers to
 * lists and for taking references from them. That an inode has none is seen without.
 */
#ifndef FS_ACL_H
#define FS_ACL_H

#include "fs/vfs.h"
#include "sec/acl.h"

enum acl_kind { ACL_OF_ACCESS, ACL_OF_DEFAULT };

/* What a file system's set_acl makes of an inode. */
struct acl_change {
	enum acl_kind kind;
	struct acl *acl; /* borrowed; NULL: none from now on */
	uint32_t mode;	 /* of the inode from now on; its type is ignored */
};

/* The name of an attribute that is a list. */
bool acl_kind_of(const char *name, enum acl_kind *ret);
/* The attribute's name; its length with the NUL. */
const char *acl_name(enum acl_kind kind, size_t *ret_len);

/* getxattr(2). */
must_use int64_t inode_acl_read(struct inode *i, enum acl_kind kind, void *buf, size_t n);
/* setxattr(2), after the checks that all attributes have; value NULL: removexattr(2).
 * i->lock held. */
must_use int inode_acl_write(struct inode *i, enum acl_kind kind, const void *value,
			     size_t n);

/* The mode to judge by when the list is looked at next; A2. */
static inline uint32_t inode_mode_now(const struct inode *i)
{
	return __atomic_load_n(&i->mode, __ATOMIC_ACQUIRE);
}
/* inode_permission of one that had an access list a moment ago. */
must_use int inode_acl_permission(const struct cred *c, struct inode *i,
				  const struct perm_facts *o, uint32_t may);

/* ---- for file systems; i->lock held, or nobody else knows i ---- */

/* What set_acl does where nothing more is to be done. */
void inode_acl_set_simple(struct inode *i, const struct acl_change *c);
/* A new inode's list as it lies on disk; consumes a. The mode stays. */
void inode_acl_load(struct inode *i, enum acl_kind kind, struct acl *a);
/* The permission bits of `mode`, in the access list too. 0 or -ENOMEM. */
must_use int inode_mode_set(struct inode *i, uint32_t mode);
/* A new inode, its mode set, takes over dir's default list. Calls its set_acl. */
must_use int inode_acl_inherit(struct inode *i, const struct inode *dir);
/* Gives `to` just the lists (and the mode) of `from`, through its set_acl. */
must_use int inode_acls_copy(const struct inode *from, struct inode *to);
/* i, which stands for `real`, has the same lists and mode from now on. */
void inode_acls_follow(struct inode *i, const struct inode *real);
void inode_acls_free(struct inode *i);

#endif

/*
 * Credentials: immutable objects shared by reference, as credentials(7) and
 * capabilities(7) define their parts. A change makes a new object and commits it in one
 * step.
 */
#ifndef SEC_CRED_H
#define SEC_CRED_H

#include <linux/capability.h>
#include <linux/securebits.h>

#include "core/ref.h"

typedef uint32_t uid_t;
typedef uint32_t gid_t;
#define ID_INVALID UINT32_MAX
#define NGROUPS_MAX 65536

/* Sorted, immutable list of supplementary groups. */
struct groups {
	struct ref refs;
	uint32_t n;
	uint8_t digest[16]; /* BLAKE2b-128 of gid[]; 0: of none */
	gid_t gid[];
};

struct cred {
	struct ref refs;
	uid_t uid, euid, suid, fsuid; /* [I] all fields: immutable once published */
	gid_t gid, egid, sgid, fsgid;
	struct groups *groups;
	uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
	uint32_t securebits;
	bool no_new_privs;
};

extern struct cred cred_root; /* the first process's: all ids 0, all capabilities */

static inline struct cred *cred_get(struct cred *c)
{
	ref_get(&c->refs);
	return c;
}
void cred_put(struct cred *c); /* NULL is fine */
/* A private copy to change before it is published. NULL: no memory. */
must_use struct cred *cred_copy(const struct cred *c);

/* CAP_*, in the effective set. To be asked when all else says no: the audit log tells of
 * what passed by it. */
bool cred_has_cap(const struct cred *c, int cap);
/* The same for those who do not decide by it. */
static inline bool cred_holds_cap(const struct cred *c, int cap)
{
	return c->cap_effective & BIT(cap);
}
/* A check passed by a capability. (proc) */
void upcall_cap_used(const struct cred *c, int cap);
bool cred_in_group(const struct cred *c, gid_t g); /* fsgid or supplementary */

/* A list of n to be filled, sorted and published. NULL: no memory. */
must_use struct groups *groups_new(uint32_t n);
void groups_publish(struct groups *g); /* sorts them; they stay as they are */
void groups_put(struct groups *g);     /* NULL is fine */

/* What capabilities(7) makes of a change; `c` is a copy of `old` with its ids changed. */
void cred_uids_changed(struct cred *c, const struct cred *old);
void cred_fsuid_changed(struct cred *c, const struct cred *old);

/* What a permission check needs to know of an object. */
struct perm_facts {
	uint32_t mode; /* S_IFMT and permission bits */
	uid_t uid;
	gid_t gid;
};
#define MAY_EXEC 1u
#define MAY_WRITE 2u
#define MAY_READ 4u
/* DAC with CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, by fsuid/fsgid. 0 or -EACCES. */
must_use int sec_may_access(const struct cred *c, const struct perm_facts *o,
			    uint32_t may);
/* The same for searching a directory, as every path walk asks: most let everybody. */
must_use static inline int sec_may_search(const struct cred *c, uint32_t mode, uid_t uid,
					  gid_t gid)
{
	const uint32_t all = MAY_EXEC << 6 | MAY_EXEC << 3 | MAY_EXEC;

	if ((mode & all) == all)
		return 0;
	struct perm_facts o = { mode, uid, gid };
	return sec_may_access(c, &o, MAY_EXEC);
}

/* SCM_CREDENTIALS (unix(7)): may these ids be sent in a message? The pid only if it is
 * the sender's own, or with CAP_SYS_ADMIN. 0, -EPERM, -EINVAL (ids that nobody has). */
must_use int sec_may_claim_ids(const struct cred *c, bool own_pid, uid_t uid, gid_t gid);
/* What a check of sysvipc(7) needs to know of an object: owner and maker. */
struct ipc_facts {
	uint32_t mode; /* permission bits */
	uid_t uid, cuid;
	gid_t gid, cgid;
};
/* May c do all that `want` names, by any of its three groups of bits, with CAP_IPC_OWNER,
 * by euid? 0 or -EACCES. */
must_use int sec_may_ipc(const struct cred *c, const struct ipc_facts *o, uint32_t want);

#endif

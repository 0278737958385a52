/*
 * Discretionary access control: facts in, verdict out. The owner is judged by the owner's
 * bits alone, a group member by the group's alone, as POSIX has it: bits further right
 * never help. Then capabilities(7): CAP_DAC_OVERRIDE passes everything but the execution
 * of a file that nobody may execute; CAP_DAC_READ_SEARCH passes reading, and searching
 * directories. System V objects have a maker beside the owner, who counts as one.
 *
 * An access control list stands in for the bits of group and others. The named and the
 * groups get what their entry and the mask both give; whoever is named, or a member of
 * any group of the list, is not one of the others.
 */
#include <asm/errno.h>
#include <linux/stat.h>

#include "sec/acl.h"

#define EXEC_ANY (S_IXUSR | S_IXGRP | S_IXOTH)

static uint32_t bits_granted(const struct cred *c, const struct perm_facts *o,
			     uint32_t may)
{
	if (c->fsuid == o->uid)
		return o->mode >> 6;
	/* Membership need not be looked up when it makes no difference. */
	if (((o->mode ^ (o->mode >> 3)) & may) == 0)
		return o->mode;
	return cred_in_group(c, o->gid) ? o->mode >> 3 : o->mode;
}

static bool cap_overrides(const struct cred *c, const struct perm_facts *o, uint32_t may)
{
	bool dir = S_ISDIR(o->mode);
	uint32_t harmless = dir ? MAY_READ | MAY_EXEC : MAY_READ;

	if (!(may & ~harmless) && cred_has_cap(c, CAP_DAC_READ_SEARCH))
		return true;
	if (!dir && (may & MAY_EXEC) && !(o->mode & EXEC_ANY))
		return false;
	return cred_has_cap(c, CAP_DAC_OVERRIDE);
}

int sec_may_access(const struct cred *c, const struct perm_facts *o, uint32_t may)
{
	may &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (!(may & ~bits_granted(c, o, may)))
		return 0;
	return cap_overrides(c, o, may) ? 0 : -EACCES;
}

/* acl(5), "Access check algorithm", for one who is not the owner. Whether one entry of
 * the groups gives all that is wanted: two do not add up. */
static uint32_t acl_granted(const struct cred *c, const struct perm_facts *o,
			    const struct acl *a, uint32_t may)
{
	uint32_t mask = acl_mask(a->entry, a->n);
	bool member = false;

	for (const struct acl_entry *e = a->entry; e < a->entry + a->n; e++) {
		if (e->tag == ACL_USER && e->id == c->fsuid)
			return e->perm & mask;
		if (e->tag == ACL_OTHER)
			return member ? 0 : e->perm;
		if ((e->tag == ACL_GROUP_OBJ && cred_in_group(c, o->gid)) ||
		    (e->tag == ACL_GROUP && cred_in_group(c, e->id))) {
			member = true;
			if (!(may & ~e->perm))
				return e->perm & mask;
		}
	}
	return 0;
}

int sec_may_access_acl(const struct cred *c, const struct perm_facts *o,
		       const struct acl *a, uint32_t may)
{
	/* Linux asks no list whose mask is empty: the mode alone speaks. */
	if (c->fsuid == o->uid || !(o->mode & S_IRWXG))
		return sec_may_access(c, o, may);
	may &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (!(may & ~acl_granted(c, o, a, may)))
		return 0;
	return cap_overrides(c, o, may) ? 0 : -EACCES;
}

static bool is_own(uint32_t id, uint32_t real, uint32_t effective, uint32_t saved)
{
	return id == real || id == effective || id == saved;
}

int sec_may_claim_ids(const struct cred *c, bool own_pid, uid_t uid, gid_t gid)
{
	if (uid == ID_INVALID || gid == ID_INVALID)
		return -EINVAL;
	if (!own_pid && !cred_has_cap(c, CAP_SYS_ADMIN))
		return -EPERM;
	if (!is_own(uid, c->uid, c->euid, c->suid) && !cred_has_cap(c, CAP_SETUID))
		return -EPERM;
	if (!is_own(gid, c->gid, c->egid, c->sgid) && !cred_has_cap(c, CAP_SETGID))
		return -EPERM;
	return 0;
}

int sec_may_ipc(const struct cred *c, const struct ipc_facts *o, uint32_t want)
{
	uint32_t granted = o->mode;

	want |= want >> 3 | want >> 6;
	if (c->euid == o->uid || c->euid == o->cuid)
		granted >>= 6;
	else if (cred_in_group(c, o->gid) || cred_in_group(c, o->cgid))
		granted >>= 3;
	if (!(want & ~granted & (MAY_READ | MAY_WRITE | MAY_EXEC)))
		return 0;
	return cred_has_cap(c, CAP_IPC_OWNER) ? 0 : -EACCES;
}

/* The rules of execve for credentials, in the order of capabilities(7). */
#include <asm/errno.h>
#include <linux/stat.h>

#include "sec/cred_exec.h"

static bool sets_uid(const struct exec_facts *f)
{
	return f->mode & S_ISUID;
}

/* Without the group's x bit S_ISGID means mandatory locking. */
static bool sets_gid(const struct exec_facts *f)
{
	return (f->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
}

static void apply_set_ids(struct cred *c, const struct exec_facts *f)
{
	if (f->nosuid || c->no_new_privs)
		return;
	if (sets_uid(f))
		c->euid = f->uid;
	if (sets_gid(f))
		c->egid = f->gid;
}

/* For the log: what gave the program what its caller, `old`, has not, or what kept it. */
static void explain(struct exec_verdict *v, const struct cred *old,
		    const struct exec_facts *f, bool gains)
{
	bool ids = (sets_uid(f) && f->uid != old->euid) ||
		   (sets_gid(f) && f->gid != old->egid);
	bool by_file = ids || f->caps;
	v->kept = true;
	if (by_file && f->nosuid)
		v->cause = AUDIT_CAUSE_NOSUID;
	else if ((by_file || gains) && old->no_new_privs)
		v->cause = AUDIT_CAUSE_NO_NEW_PRIVS;
	else
		v->kept = false;
	if (v->kept)
		return;
	if (by_file)
		v->cause = ids ? AUDIT_CAUSE_SET_ID : AUDIT_CAUSE_FILE_CAPS;
	else
		v->cause = gains ? AUDIT_CAUSE_ROOT_USER : AUDIT_CAUSE_NONE;
}

/* "Transformation of capabilities during execve()", without what is ambient. */
static int transform(struct cred *c, const struct cred *old, const struct file_caps *caps,
		     bool *ret_effective)
{
	uint64_t permitted = 0;
	bool effective = false;
	if (caps) {
		permitted = (caps->permitted & old->cap_bounding) |
			    (caps->inheritable & old->cap_inheritable);
		effective = caps->effective;
		/* "Safety checking for capability-dumb binaries" */
		if (effective && (caps->permitted & ~permitted))
			return -EPERM;
	}
	/* "Capabilities and execution of programs by root", and the exception for
	 * set-user-ID-root programs that have file capabilities. */
	if (!(c->securebits & SECBIT_NOROOT) && !(caps && c->uid && !c->euid)) {
		if (!c->uid || !c->euid)
			permitted = old->cap_bounding | old->cap_inheritable;
		effective |= !c->euid;
	}
	c->cap_permitted = permitted;
	*ret_effective = effective;
	return 0;
}

/* What is gained is given back where somebody else could steer the program. */
static void unraise(struct cred *c, const struct cred *old)
{
	if (c->no_new_privs || !cred_holds_cap(old, CAP_SETUID)) {
		c->euid = c->uid;
		c->egid = c->gid;
	}
	c->cap_permitted &= old->cap_permitted;
}

int cred_exec(struct cred *c, const struct cred *old, const struct exec_facts *f,
	      struct exec_verdict *ret)
{
	/* Those of another user namespace are none here. */
	const struct file_caps *caps =
		f->nosuid || (f->caps && f->caps->rootid) ? NULL : f->caps;
	bool effective;
	apply_set_ids(c, f);
	int err = transform(c, old, caps, &effective);
	if (err)
		return err;
	bool new_ids = c->euid != old->euid || !cred_in_group(old, c->egid);
	ret->privileged = new_ids || (c->cap_permitted & ~old->cap_permitted);
	explain(ret, old, f, ret->privileged);
	if (ret->privileged && (c->no_new_privs || f->steered))
		unraise(c, old);
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	if (caps || new_ids)
		c->cap_ambient = 0;
	c->cap_permitted |= c->cap_ambient;
	c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
	c->securebits &= ~(uint32_t)SECBIT_KEEP_CAPS;
	ret->secure = new_ids || c->euid != c->uid || c->egid != c->gid ||
		      (c->uid && (effective || (c->cap_permitted & ~c->cap_ambient)));
	return 0;
}

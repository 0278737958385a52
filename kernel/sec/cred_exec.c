/* The rules of execve for credentials, in the order of capabilities(7). */
#include <asm/errno.h>
#include <linux/stat.h>

#include "sec/cred_exec.h"

static void apply_set_ids(struct cred *c, const struct exec_facts *f)
{
	if (f->nosuid || c->no_new_privs)
		return;
	if (f->mode & S_ISUID)
		c->euid = f->uid;
	/* Without the group's x bit S_ISGID means mandatory locking. */
	if ((f->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->egid = f->gid;
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
	if (c->no_new_privs || !cred_has_cap(old, CAP_SETUID)) {
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

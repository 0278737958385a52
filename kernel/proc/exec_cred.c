/* Who the new program runs as: what the rules of sec/cred_exec.h are asked. */
#include <asm/errno.h>
#include <linux/mount.h>
#include <linux/personality.h>

#include "core/panic.h"
#include "fs/file_caps.h"
#include "proc/cred_change.h"
#include "proc/exec.h"
#include "proc/proc.h"
#include "sec/cred_exec.h"

bool exec_has_bits(const struct inode *i)
{
	const struct cred *c = thread_current()->cred;
	const uint32_t group = S_ISGID | S_IXGRP;
	return ((i->mode & S_ISUID) && i->uid != c->euid) ||
	       ((i->mode & group) == group && i->gid != c->egid);
}

/* The two that come of it, for the case that nobody steers the program, and else. */
static int both_creds(struct exec *e, const struct cred *old, struct exec_facts *f)
{
	struct exec_verdict v;
	int err = cred_exec(e->cred, old, f, &v);
	if (err)
		return audit_refused(AUDIT_EVENT_EXEC, AUDIT_CAUSE_FILE_CAPS, NULL, err);
	e->secure = v.secure;
	bool changes = v.kept || v.privileged || cred_change_is_one(old, e->cred);
	if (changes || e->script_bits) {
		err = audit_begin(&e->draft, AUDIT_EVENT_EXEC,
				  changes ? v.cause : AUDIT_CAUSE_SCRIPT);
		if (err)
			return err;
		audit_text(&e->draft, e->name);
	}
	if (!v.privileged)
		return 0;
	e->gains = true;
	if (!policy_lets_gain(&e->layers)) {
		audit_cancel(&e->draft);
		return audit_refused(AUDIT_EVENT_EXEC, AUDIT_CAUSE_BY_POLICY, NULL,
				     -EPERM);
	}
	/* Whoever made it so gains nothing by knowing its addresses. */
	task_current()->persona &= ~(uint32_t)ADDR_NO_RANDOMIZE;
	e->unraised = cred_copy(old);
	if (!e->unraised)
		return -ENOMEM;
	f->steered = true;
	err = cred_exec(e->unraised, old, f, &v);
	e->unraised_secure = v.secure;
	return err;
}

/* What the rules ask of the file. Mode and owner are from one moment: a chmod and chown
 * meanwhile do not make bits of before count for the owner of after. That it may be
 * executed is asked again then: bits and capabilities that were given after the x bit
 * was taken are not for those whom it was taken from. */
static int facts_of(const struct file *file, struct exec_facts *f, struct file_caps *caps)
{
	struct inode *i = file->inode;
	f->nosuid = file->path.mnt->flags & MS_NOSUID;
	int has = inode_file_caps(i, caps);
	if (has < 0 && !f->nosuid)
		return has;
	f->caps = has > 0 ? caps : NULL;
	mutex_lock(&i->lock);
	int err = inode_permission(i, MAY_EXEC);
	f->mode = i->mode;
	f->uid = i->uid;
	f->gid = i->gid;
	mutex_unlock(&i->lock);
	return err;
}

int exec_cred(struct exec *e)
{
	const struct cred *old = thread_current()->cred;
	struct file_caps caps;
	struct exec_facts f = { 0 };
	int err = facts_of(e->program.file, &f, &caps);
	if (err)
		return err;
	e->cred = cred_copy(old);
	return e->cred ? both_creds(e, old, &f) : -ENOMEM;
}

/* By whom, if anybody. Nobody is left in the process but the caller: who shares its
 * directories is outside, and nobody else could hand them on. */
static enum audit_cause steered_by(void)
{
	const struct trace *tr = &task_current()->trace;
	if (tr->tracer && !tr->capable)
		return AUDIT_CAUSE_WATCHED;
	return fs_ctx_shared(thread_current()->fs) ? AUDIT_CAUSE_SHARED_FS
						   : AUDIT_CAUSE_NONE;
}

void exec_cred_decide(struct exec *e)
{
	must_hold(&process_current()->lock);
	enum audit_cause cause = steered_by();
	if (!e->unraised || !cause)
		return;
	struct cred *dropped = e->cred;
	e->cred = e->unraised;
	e->unraised = dropped;
	e->gains = false;
	e->secure = e->unraised_secure;
	e->draft.record.cause = cause;
}

/* Who the new program runs as: what the rules of sec/cred_exec.h are asked. */
#include <asm/errno.h>
#include <linux/mount.h>
#include <linux/personality.h>

#include "core/panic.h"
#include "fs/file_caps.h"
#include "proc/exec.h"
#include "proc/proc.h"
#include "sec/cred_exec.h"

/* Somebody outside the process who shares its directories could steer a privileged
 * program. */
static bool fs_is_shared(void)
{
	struct process *p = process_current();
	return ref_read(&thread_current()->fs->refs) > p->n_live;
}

/* The two that come of it, for the case that nobody watches who may not, and else. */
static int both_creds(struct exec *e, const struct cred *old, struct exec_facts *f)
{
	struct exec_verdict v;
	int err = cred_exec(e->cred, old, f, &v);
	if (err)
		return err;
	e->secure = v.secure;
	if (!v.privileged)
		return 0;
	/* Whoever made it so gains nothing by knowing its addresses. */
	task_current()->persona &= ~(uint32_t)ADDR_NO_RANDOMIZE;
	e->unraised = cred_copy(old);
	if (!e->unraised)
		return -ENOMEM;
	f->watched = true;
	err = cred_exec(e->unraised, old, f, &v);
	e->unraised_secure = v.secure;
	return err;
}

int exec_cred(struct exec *e)
{
	const struct cred *old = thread_current()->cred;
	const struct path *path = &e->program.file->path;
	struct inode *i = e->program.file->inode;
	struct file_caps caps;
	struct exec_facts f = { .mode = i->mode,
				.uid = i->uid,
				.gid = i->gid,
				.nosuid = path->mnt->flags & MS_NOSUID,
				.shared_fs = fs_is_shared() };
	int has = f.nosuid ? 0 : inode_file_caps(i, &caps);
	if (has < 0)
		return has;
	if (has)
		f.caps = &caps;
	e->cred = cred_copy(old);
	return e->cred ? both_creds(e, old, &f) : -ENOMEM;
}

void exec_cred_decide(struct exec *e)
{
	const struct trace *tr = &task_current()->trace;
	must_hold(&process_current()->lock);
	if (!e->unraised || !tr->tracer || tr->capable)
		return;
	struct cred *dropped = e->cred;
	e->cred = e->unraised;
	e->unraised = dropped;
	e->secure = e->unraised_secure;
}

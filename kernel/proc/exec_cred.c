/* Who the new program runs as: execve(2) on set-user-ID files, capabilities(7),
 * ld.so(8). */
#include <asm/errno.h>
#include <linux/mount.h>
#include <linux/personality.h>
#include <linux/stat.h>

#include "core/panic.h"
#include "proc/exec.h"
#include "proc/proc.h"

/* Somebody outside the process who shares its directories could steer a privileged
 * program. */
static bool fs_is_shared(void)
{
	struct process *p = process_current();
	return ref_read(&thread_current()->fs->refs) > p->n_live;
}

static bool set_ids_count(const struct exec *e, const struct cred *old)
{
	if (old->no_new_privs || (e->program.file->path.mnt->flags & MS_NOSUID))
		return false;
	return !fs_is_shared() || cred_has_cap(old, CAP_SETUID);
}

static struct cred *raised(const struct exec *e, const struct cred *old,
			   bool *ret_privileged)
{
	const struct inode *i = e->program.file->inode;
	bool privileged = false;
	struct cred *c = cred_copy(old);
	if (!c)
		return NULL;
	if (set_ids_count(e, old)) {
		if (i->mode & S_ISUID) {
			c->euid = i->uid;
			privileged |= c->euid != old->euid;
		}
		/* Without the group's x bit S_ISGID means mandatory locking. */
		if ((i->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)) {
			c->egid = i->gid;
			privileged |= c->egid != old->egid;
		}
	}
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	cred_exec(c, old, privileged);
	*ret_privileged = privileged || (c->cap_permitted & ~old->cap_permitted);
	return c;
}

/* What `c` is for somebody who is watched: the real ids, no capability that is new. */
static struct cred *unraised(const struct cred *old)
{
	struct cred *c = cred_copy(old);
	if (!c)
		return NULL;
	c->euid = c->suid = c->fsuid = c->uid;
	c->egid = c->sgid = c->fsgid = c->gid;
	cred_exec(c, old, false);
	c->cap_permitted &= old->cap_permitted;
	c->cap_effective &= old->cap_permitted;
	c->cap_ambient &= old->cap_permitted;
	return c;
}

int exec_cred(struct exec *e)
{
	const struct cred *old = thread_current()->cred;
	bool privileged = false;
	e->cred = raised(e, old, &privileged);
	if (e->cred && privileged)
		e->unraised = unraised(old);
	if (!e->cred || (privileged && !e->unraised))
		return -ENOMEM;
	const struct cred *c = e->cred;
	if (privileged) /* whoever made it so gains nothing by knowing its addresses */
		task_current()->persona &= ~(uint32_t)ADDR_NO_RANDOMIZE;
	e->secure = c->uid != c->euid || c->gid != c->egid ||
		    (c->uid && (c->cap_permitted & ~old->cap_permitted));
	return 0;
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
	e->secure = false; /* nothing is gained that is to be protected */
}

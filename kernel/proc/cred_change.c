/* Publishing new credentials: what else hangs on them changes with them. */
#include "proc/cred_change.h"
#include "lib/string.h"
#include "proc/proc.h"

struct cred *cred_change_begin(void)
{
	struct cred *c = cred_copy(thread_current()->cred);

	if (c)
		c->no_new_privs = task_no_new_privs(task_current());
	return c;
}

bool task_no_new_privs(const struct task *t)
{
	return t->thread.cred->no_new_privs ||
	       __atomic_load_n(&t->no_new_privs, __ATOMIC_ACQUIRE);
}

int cred_change_settle(void)
{
	const struct task *t = task_current();

	if (t->thread.cred->no_new_privs || !task_no_new_privs(t))
		return 0;
	struct cred *c = cred_change_begin();
	return c ? cred_change_commit(c) : -ENOMEM;
}

bool cred_change_exposes(const struct cred *a, const struct cred *b)
{
	return a->euid != b->euid || a->egid != b->egid || a->fsuid != b->fsuid ||
	       a->fsgid != b->fsgid || (b->cap_permitted & ~a->cap_permitted);
}

static bool same_groups(const struct groups *a, const struct groups *b)
{
	return a == b ||
	       (a->n == b->n && !memcmp(a->digest, b->digest, sizeof a->digest));
}

bool cred_change_is_one(const struct cred *a, const struct cred *b)
{
	return a->uid != b->uid || a->suid != b->suid || a->gid != b->gid ||
	       a->sgid != b->sgid || cred_change_exposes(a, b) ||
	       a->cap_inheritable != b->cap_inheritable ||
	       a->cap_permitted != b->cap_permitted ||
	       a->cap_effective != b->cap_effective ||
	       a->cap_bounding != b->cap_bounding || a->cap_ambient != b->cap_ambient ||
	       a->securebits != b->securebits || a->no_new_privs != b->no_new_privs ||
	       !same_groups(a->groups, b->groups);
}

int cred_change_refuse(struct cred *c, enum audit_cause cause, int err)
{
	(void)audit_refused(AUDIT_EVENT_CRED, cause, c, err);
	cred_put(c);
	return err;
}

int cred_change_commit(struct cred *c)
{
	struct task *t = task_current();
	struct cred *old = t->thread.cred;
	struct audit_draft draft = { .begun = false };
	int err = 0;
	if (cred_change_is_one(old, c))
		err = audit_begin(&draft, AUDIT_EVENT_CRED, AUDIT_CAUSE_ASKED);
	if (err) {
		cred_put(c);
		return err;
	}
	err = account_switch(c->uid);
	if (err) {
		audit_cancel(&draft);
		return cred_change_refuse(c, AUDIT_CAUSE_LIMIT, err);
	}
	/* prctl(2): PR_SET_DUMPABLE and PR_SET_PDEATHSIG are cleared by a change of
	 * ids. */
	if (cred_change_exposes(old, c)) {
		t->thread.space->dumpable = false;
		t->pdeath_signal = 0;
	}
	uint64_t flags = spin_lock_irq(&t->process->lock);
	t->thread.cred = c;
	audit_add(&draft, old, c, 0);
	spin_unlock_irq(&t->process->lock, flags);
	cred_put(old);
	return 0;
}

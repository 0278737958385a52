/* Publishing new credentials: what else hangs on them changes with them. */
#include "proc/cred_change.h"
#include "proc/proc.h"

struct cred *cred_change_begin(void)
{
	return cred_copy(thread_current()->cred);
}

void cred_change_abort(struct cred *c)
{
	cred_put(c);
}

bool cred_change_exposes(const struct cred *a, const struct cred *b)
{
	return a->euid != b->euid || a->egid != b->egid || a->fsuid != b->fsuid ||
	       a->fsgid != b->fsgid || (b->cap_permitted & ~a->cap_permitted);
}

int cred_change_commit(struct cred *c)
{
	struct task *t = task_current();
	struct cred *old = t->thread.cred;
	int err = account_switch(c->uid);
	if (err) {
		cred_put(c);
		return err;
	}
	/* prctl(2): PR_SET_DUMPABLE and PR_SET_PDEATHSIG are cleared by a change of
	 * ids. */
	if (cred_change_exposes(old, c)) {
		t->thread.space->dumpable = false;
		t->pdeath_signal = 0;
	}
	uint64_t flags = spin_lock_irq(&t->process->lock);
	t->thread.cred = c;
	spin_unlock_irq(&t->process->lock, flags);
	cred_put(old);
	return 0;
}

/* set*uid, set*gid, setgroups: the rules of credentials(7) and each call's page. */
#include "proc/cred_change.h"
#include "proc/task.h"
#include "sys/syscall.h"

static bool may_set(int cap)
{
	return cred_has_cap(thread_current()->cred, cap);
}

/* Commits if `ok`, after capabilities(7)'s effects of new user ids. */
static int64_t finish(struct cred *c, bool ok)
{
	const struct cred *old = thread_current()->cred;
	if (!ok)
		return cred_change_refuse(c, AUDIT_CAUSE_NOT_ALLOWED, -EPERM);
	cred_uids_changed(c, old);
	return cred_change_commit(c);
}

int64_t sys_setuid(uint32_t uid)
{
	const struct cred *old = thread_current()->cred;
	if (uid == ID_INVALID)
		return -EINVAL;
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	bool own = uid == old->uid || uid == old->suid;
	bool ok = own || may_set(CAP_SETUID);
	if (cred_holds_cap(old, CAP_SETUID))
		c->uid = c->suid = uid;
	c->euid = c->fsuid = uid;
	return finish(c, ok);
}

int64_t sys_setgid(uint32_t gid)
{
	const struct cred *old = thread_current()->cred;
	if (gid == ID_INVALID)
		return -EINVAL;
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	bool own = gid == old->gid || gid == old->sgid;
	bool ok = own || may_set(CAP_SETGID);
	if (cred_holds_cap(old, CAP_SETGID))
		c->gid = c->sgid = gid;
	c->egid = c->fsgid = gid;
	return finish(c, ok);
}

/* Is each id -1 or among the allowed ones? */
static bool each_of(const uint32_t *want, size_t n, const uint32_t *have, size_t n_have)
{
	for (size_t i = 0; i < n; i++) {
		bool found = want[i] == ID_INVALID;
		for (size_t k = 0; k < n_have; k++)
			found |= want[i] == have[k];
		if (!found)
			return false;
	}
	return true;
}

/* setresuid(2) with -1 or what is already there for each id does nothing. To the fsuid
 * neither, unless the effective one is named and would become it. */
static bool nothing_new(const uint32_t want[3], const uint32_t have[3], uint32_t fs)
{
	for (size_t i = 0; i < 3; i++) {
		if (want[i] != ID_INVALID && want[i] != have[i])
			return false;
	}
	return want[1] == ID_INVALID || want[1] == fs;
}

int64_t sys_setreuid(uint32_t ruid, uint32_t euid)
{
	const struct cred *o = thread_current()->cred;
	const uint32_t for_real[] = { o->uid, o->euid },
		       for_eff[] = { o->uid, o->euid, o->suid };
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	bool ok = (each_of(&ruid, 1, for_real, 2) && each_of(&euid, 1, for_eff, 3)) ||
		  may_set(CAP_SETUID);
	if (ruid != ID_INVALID)
		c->uid = ruid;
	if (euid != ID_INVALID)
		c->euid = euid;
	if (ruid != ID_INVALID || (euid != ID_INVALID && euid != o->uid))
		c->suid = c->euid;
	c->fsuid = c->euid;
	return finish(c, ok);
}

int64_t sys_setregid(uint32_t rgid, uint32_t egid)
{
	const struct cred *o = thread_current()->cred;
	const uint32_t for_real[] = { o->gid, o->egid },
		       for_eff[] = { o->gid, o->egid, o->sgid };
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	bool ok = (each_of(&rgid, 1, for_real, 2) && each_of(&egid, 1, for_eff, 3)) ||
		  may_set(CAP_SETGID);
	if (rgid != ID_INVALID)
		c->gid = rgid;
	if (egid != ID_INVALID)
		c->egid = egid;
	if (rgid != ID_INVALID || (egid != ID_INVALID && egid != o->gid))
		c->sgid = c->egid;
	c->fsgid = c->egid;
	return finish(c, ok);
}

int64_t sys_setresuid(uint32_t ruid, uint32_t euid, uint32_t suid)
{
	const struct cred *o = thread_current()->cred;
	const uint32_t want[] = { ruid, euid, suid },
		       have[] = { o->uid, o->euid, o->suid };
	if (nothing_new(want, have, o->fsuid))
		return 0;
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	bool ok = each_of(want, 3, have, 3) || may_set(CAP_SETUID);
	if (ruid != ID_INVALID)
		c->uid = ruid;
	if (euid != ID_INVALID)
		c->euid = euid;
	if (suid != ID_INVALID)
		c->suid = suid;
	c->fsuid = c->euid;
	return finish(c, ok);
}

int64_t sys_setresgid(uint32_t rgid, uint32_t egid, uint32_t sgid)
{
	const struct cred *o = thread_current()->cred;
	const uint32_t want[] = { rgid, egid, sgid },
		       have[] = { o->gid, o->egid, o->sgid };
	if (nothing_new(want, have, o->fsgid))
		return 0;
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	bool ok = each_of(want, 3, have, 3) || may_set(CAP_SETGID);
	if (rgid != ID_INVALID)
		c->gid = rgid;
	if (egid != ID_INVALID)
		c->egid = egid;
	if (sgid != ID_INVALID)
		c->sgid = sgid;
	c->fsgid = c->egid;
	return finish(c, ok);
}

static void finish_silently(struct cred *c, bool ok)
{
	if (ok)
		(void)!cred_change_commit(c);
	else
		(void)cred_change_refuse(c, AUDIT_CAUSE_NOT_ALLOWED, -EPERM);
}

/* Both return the old id whatever happens; a refusal is silent. */
int64_t sys_setfsuid(uint32_t uid)
{
	const struct cred *o = thread_current()->cred;
	const uint32_t have[] = { o->uid, o->euid, o->suid, o->fsuid };
	uint32_t old = o->fsuid;
	if (uid == ID_INVALID || uid == old)
		return old;
	struct cred *c = cred_change_begin();
	if (!c)
		return old;
	bool ok = each_of(&uid, 1, have, 4) || may_set(CAP_SETUID);
	c->fsuid = uid;
	if (ok)
		cred_fsuid_changed(c, o);
	finish_silently(c, ok);
	return old;
}

int64_t sys_setfsgid(uint32_t gid)
{
	const struct cred *o = thread_current()->cred;
	const uint32_t have[] = { o->gid, o->egid, o->sgid, o->fsgid };
	uint32_t old = o->fsgid;
	if (gid == ID_INVALID || gid == old)
		return old;
	struct cred *c = cred_change_begin();
	if (!c)
		return old;
	bool ok = each_of(&gid, 1, have, 4) || may_set(CAP_SETGID);
	c->fsgid = gid;
	finish_silently(c, ok);
	return old;
}

int64_t sys_setgroups(int32_t size, uaddr_t list)
{
	if (!may_set(CAP_SETGID))
		return cred_not_allowed();
	if (size < 0 || size > NGROUPS_MAX)
		return -EINVAL;
	struct groups *g = groups_new((uint32_t)size);
	if (!g)
		return -ENOMEM;
	if (copy_in(g->gid, list, (size_t)size * sizeof g->gid[0])) {
		groups_put(g);
		return -EFAULT;
	}
	for (int32_t i = 0; i < size; i++) {
		if (g->gid[i] == ID_INVALID) {
			groups_put(g);
			return -EINVAL;
		}
	}
	groups_publish(g);
	struct cred *c = cred_change_begin();
	if (!c) {
		groups_put(g);
		return -ENOMEM;
	}
	groups_put(c->groups);
	c->groups = g;
	return cred_change_commit(c);
}

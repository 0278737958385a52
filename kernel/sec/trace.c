/*
 * ptrace(2), "Ptrace access mode checking". All three ids of the target must be the
 * caller's, so that a set-user-ID program is nobody's but the privileged's; it must be
 * dumpable; and it must have no capability that the caller lacks. CAP_SYS_PTRACE
 * overrides each.
 */
#include "sec/trace.h"

static bool same_ids(const struct cred *target, uid_t uid, gid_t gid)
{
	return uid == target->uid && uid == target->euid && uid == target->suid &&
	       gid == target->gid && gid == target->egid && gid == target->sgid;
}

bool sec_may_trace(const struct cred *me, const struct cred *target, bool dumpable,
		   enum trace_ids ids)
{
	bool fs = ids == TRACE_BY_FS_IDS;
	uint64_t caps = fs ? me->cap_effective : me->cap_permitted;

	bool is_own =
		same_ids(target, fs ? me->fsuid : me->uid, fs ? me->fsgid : me->gid) &&
		dumpable && !(target->cap_permitted & ~caps);

	return is_own || cred_has_cap(me, CAP_SYS_PTRACE);
}

bool sec_may_be_traced(const struct cred *child, const struct cred *parent)
{
	return !(child->cap_permitted & ~parent->cap_permitted) ||
	       cred_holds_cap(parent, CAP_SYS_PTRACE);
}

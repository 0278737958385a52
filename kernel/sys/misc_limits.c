/* getrlimit, setrlimit, prlimit64. */
#include "proc/limits.h"
#include "proc/task.h"
#include "sys/syscall.h"

int64_t sys_getrlimit(uint32_t which, uaddr_t rlim)
{
	struct rlimit64 old;
	int err = limits_change(process_current(), which, NULL, &old);
	return err ? err : put_user(rlim, old);
}

int64_t sys_setrlimit(uint32_t which, uaddr_t rlim)
{
	struct rlimit64 new, old;
	if (get_user(new, rlim))
		return -EFAULT;
	return limits_change(process_current(), which, &new, &old);
}

/* prlimit(2): all six ids must be the caller's, or CAP_SYS_RESOURCE. */
static int may_change(struct task *t)
{
	const struct cred *me = thread_current()->cred;
	if (t->process == process_current())
		return 0;
	struct cred *c = task_cred_get(t);
	bool same = me->uid == c->euid && me->uid == c->suid && me->uid == c->uid &&
		    me->gid == c->egid && me->gid == c->sgid && me->gid == c->gid;
	cred_put(c);
	return same || cred_has_cap(me, CAP_SYS_RESOURCE) ? 0 : -EPERM;
}

int64_t sys_prlimit64(int32_t pid, uint32_t which, uaddr_t new, uaddr_t old)
{
	struct rlimit64 set, was;
	if (new.va && get_user(set, new))
		return -EFAULT;
	struct task *t = pid ? task_find(pid) : task_get(task_current());
	if (!t)
		return -ESRCH;
	int err = may_change(t);
	if (!err)
		err = limits_change(t->process, which, new.va ? &set : NULL, &was);
	task_put(t);
	if (!err && old.va)
		err = put_user(old, was);
	return err;
}

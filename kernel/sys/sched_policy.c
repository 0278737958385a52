/*
 * Scheduling policies (sched(7)): the ordinary ones and the real-time ones.
 * SCHED_DEADLINE is known and never admitted: what asks for it is checked as Linux does,
 * and then EBUSY, as by CPUs without bandwidth left.
 */
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

#include "proc/futex.h"
#include "sys/sched.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

#define PRIORITY_MAX 99
#define SLICE_NS (4 * NSEC_PER_MSEC)
#define DL_RUNTIME_MIN 1024u /* ns, as Linux */
/* kernel.sched_deadline_period_{min,max}_us of Linux, in ns */
#define DL_PERIOD_MIN (100 * NSEC_PER_USEC)
#define DL_PERIOD_MAX ((1ull << 22) * NSEC_PER_USEC)
#define POLICY_KEPT (-1)

static bool is_rt(int32_t policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool is_fair(int32_t policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

/* ---- setting ---- */

static bool deadline_makes_sense(const struct sched_attr *a)
{
	uint64_t period = a->sched_period ? a->sched_period : a->sched_deadline;

	return !a->sched_priority && a->sched_deadline &&
	       a->sched_runtime >= DL_RUNTIME_MIN &&
	       !((a->sched_deadline | period) >> 63) && period >= DL_PERIOD_MIN &&
	       period <= DL_PERIOD_MAX && a->sched_runtime <= a->sched_deadline &&
	       a->sched_deadline <= period;
}

static int attr_check(const struct sched_attr *a, int32_t policy)
{
	if (a->sched_flags & ~(uint64_t)SCHED_FLAG_ALL)
		return -EINVAL;
	if (a->sched_priority > PRIORITY_MAX)
		return -EINVAL;
	if (policy == SCHED_DEADLINE)
		return deadline_makes_sense(a) ? 0 : -EINVAL;
	if (!is_rt(policy) && !is_fair(policy))
		return -EINVAL;
	return is_rt(policy) == (a->sched_priority != 0) ? 0 : -EINVAL;
}

/* What an unprivileged caller may make of its own threads, by RLIMIT_RTPRIO and
 * RLIMIT_NICE. */
static bool may_become(struct task *t, const struct sched_class *was,
		       const struct sched_class *c, int32_t nice)
{
	uint64_t limit = t->process->limits[RLIMIT_RTPRIO].rlim_cur;
	int32_t policy = (int32_t)c->policy;

	if (policy == SCHED_DEADLINE)
		return false;
	if (is_fair(policy) && !sched_may_nice(t, nice))
		return false;
	if (is_rt(policy) && c->policy != was->policy && !limit)
		return false;
	if (is_rt(policy) && c->priority > was->priority && c->priority > limit)
		return false;
	if (was->policy == SCHED_IDLE && policy != SCHED_IDLE &&
	    (uint64_t)(20 - t->thread.nice) > t->process->limits[RLIMIT_NICE].rlim_cur)
		return false;
	return sched_may_change(t) && (c->reset_on_fork || !was->reset_on_fork);
}

static int set(struct task *t, int32_t policy, const struct sched_attr *a)
{
	struct sched_class was, c;
	int32_t nice = a->sched_nice;

	sched_get_class(&t->thread, &was);
	c.policy = policy == POLICY_KEPT ? was.policy : (uint32_t)policy;
	c.reset_on_fork = policy == POLICY_KEPT
				  ? was.reset_on_fork
				  : !!(a->sched_flags & SCHED_FLAG_RESET_ON_FORK);
	int err = attr_check(a, (int32_t)c.policy);
	if (err)
		return err;
	c.priority = a->sched_priority;
	if (!may_become(t, &was, &c, nice) &&
	    !cred_has_cap(thread_current()->cred, CAP_SYS_NICE))
		return -EPERM;
	if (a->sched_flags & SCHED_FLAG_UTIL_CLAMP)
		return -EOPNOTSUPP;
	/* A deadline's bandwidth is of all CPUs. */
	if (c.policy == SCHED_DEADLINE)
		return ~t->thread.affinity & (BIT(cpu_count()) - 1) ? -EPERM : -EBUSY;
	/* Nothing below can fail. */
	if (is_fair((int32_t)c.policy))
		sched_set_nice(&t->thread, nice);
	sched_set_class(&t->thread, &c);
	futex_priority_changed(t);
	return 0;
}

/* sched_setscheduler, sched_setparam. */
static int set_param(int32_t pid, int32_t policy, uaddr_t param)
{
	struct sched_attr a = { 0 };
	struct sched_param p;

	if (!param.va || pid < 0)
		return -EINVAL;
	if (get_user(p, param))
		return -EFAULT;
	struct task *t = sched_find(pid);
	if (!t)
		return -ESRCH;
	if (policy != POLICY_KEPT && (policy & SCHED_RESET_ON_FORK)) {
		a.sched_flags = SCHED_FLAG_RESET_ON_FORK;
		policy &= ~SCHED_RESET_ON_FORK;
	}
	a.sched_nice = t->thread.nice;
	a.sched_priority = (uint32_t)p.sched_priority;
	int err = set(t, policy, &a);
	task_put(t);
	if (!err)
		sched_preempt();
	return err;
}

int64_t sys_sched_setscheduler(int32_t pid, int32_t policy, uaddr_t param)
{
	return policy < 0 ? -EINVAL : set_param(pid, policy, param);
}

int64_t sys_sched_setparam(int32_t pid, uaddr_t param)
{
	return set_param(pid, POLICY_KEPT, param);
}

static int attr_in(struct sched_attr *a, uaddr_t attr)
{
	const uint32_t known = sizeof *a;
	uaddr_t at = uaddr_add(attr, offsetof(struct sched_attr, size));
	uint32_t size;
	if (get_user(size, at))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	*a = (struct sched_attr){ 0 };
	int err = size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE
			  ? -E2BIG
			  : copy_in_struct(a, sizeof *a, attr, size);
	if (err == -E2BIG) /* the caller is told what would do */
		(void)!put_user(at, known);
	if (!err && (a->sched_flags & SCHED_FLAG_UTIL_CLAMP) &&
	    size < SCHED_ATTR_SIZE_VER1)
		return -EINVAL;
	return err;
}

/* SCHED_FLAG_KEEP_PARAMS: its own nice level or priority. */
static void keep_params(struct task *t, struct sched_attr *a)
{
	struct sched_class c;

	sched_get_class(&t->thread, &c);
	if (is_rt((int32_t)c.policy))
		a->sched_priority = c.priority;
	if (is_fair((int32_t)c.policy))
		a->sched_nice = t->thread.nice;
}

int64_t sys_sched_setattr(int32_t pid, uaddr_t attr, uint32_t flags)
{
	struct sched_attr a;
	if (!attr.va || pid < 0 || flags)
		return -EINVAL;
	int err = attr_in(&a, attr);
	if (err)
		return err;
	int32_t policy = (int32_t)a.sched_policy;
	if (policy < 0)
		return -EINVAL;
	struct task *t = sched_find(pid);
	if (!t)
		return -ESRCH;
	a.sched_nice = MAX(NICE_MIN, MIN(NICE_MAX, a.sched_nice));
	if (a.sched_flags & SCHED_FLAG_KEEP_POLICY)
		policy = POLICY_KEPT;
	if (a.sched_flags & SCHED_FLAG_KEEP_PARAMS)
		keep_params(t, &a);
	err = set(t, policy, &a);
	task_put(t);
	if (!err)
		sched_preempt();
	return err;
}

/* ---- asking ---- */

/* 0, -EINVAL, -ESRCH. */
static int get(int32_t pid, struct sched_class *ret)
{
	struct task *t = pid < 0 ? NULL : sched_find(pid);

	if (!t)
		return pid < 0 ? -EINVAL : -ESRCH;
	sched_get_class(&t->thread, ret);
	task_put(t);
	return 0;
}

int64_t sys_sched_getscheduler(int32_t pid)
{
	struct sched_class c;
	int err = get(pid, &c);

	if (err)
		return err;
	return c.policy | (c.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

int64_t sys_sched_getparam(int32_t pid, uaddr_t param)
{
	struct sched_class c;
	int err = param.va ? get(pid, &c) : -EINVAL;

	if (err)
		return err;
	const struct sched_param p = { (int)c.priority };
	return put_user(param, p);
}

int64_t sys_sched_getattr(int32_t pid, uaddr_t attr, uint32_t size, uint32_t flags)
{
	struct sched_class c;
	if (!attr.va || pid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 ||
	    flags)
		return -EINVAL;
	struct task *t = sched_find(pid);
	if (!t)
		return -ESRCH;
	sched_get_class(&t->thread, &c);
	struct sched_attr a = {
		.size = (uint32_t)MIN(size, sizeof a),
		.sched_policy = c.policy,
		.sched_flags = c.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
		.sched_nice = is_fair((int32_t)c.policy) ? t->thread.nice : 0,
		.sched_priority = c.priority,
	};
	task_put(t);
	return copy_out(attr, &a, a.size);
}

static int64_t priority_bound(int32_t policy, int64_t real_time)
{
	if (is_rt(policy))
		return real_time;
	return is_fair(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

int64_t sys_sched_get_priority_max(int32_t policy)
{
	return priority_bound(policy, PRIORITY_MAX);
}

int64_t sys_sched_get_priority_min(int32_t policy)
{
	return priority_bound(policy, 1);
}

int64_t sys_sched_rr_get_interval(int32_t pid, uaddr_t interval)
{
	struct sched_class c;
	int err = get(pid, &c);

	if (err)
		return err;
	return put_user(interval, timespec_of(c.policy == SCHED_RR     ? SCHED_RR_NS
					      : c.policy == SCHED_FIFO ? 0
								       : SLICE_NS));
}

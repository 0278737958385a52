/* Scheduling: nice levels, affinity, and the policies that programs ask about. */
#include <linux/ioprio.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

#include "proc/proc.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

#define NICE_MIN (-20)
#define NICE_MAX 19
#define SLICE_NS (4 * NSEC_PER_MSEC)

struct sched_param_abi { /* sched_setparam(2) */
	int32_t sched_priority;
};

int64_t sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

static struct task *find(int32_t tid)
{
	return tid ? task_find(tid) : task_get(task_current());
}

static bool may_change(struct task *t)
{
	const struct cred *me = thread_current()->cred;
	struct cred *c = task_cred_get(t);
	bool ok = me->euid == c->uid || me->euid == c->euid ||
		  cred_has_cap(me, CAP_SYS_NICE);
	cred_put(c);
	return ok;
}

/* ---- affinity ---- */

int64_t sys_sched_getaffinity(int32_t pid, uint32_t len, uaddr_t mask)
{
	if (len < sizeof(uint64_t) || len % sizeof(uint64_t))
		return -EINVAL;
	struct task *t = find(pid);
	if (!t)
		return -ESRCH;
	uint64_t m = t->thread.affinity & (BIT(cpu_count()) - 1);
	task_put(t);
	return put_user(mask, m) ? -EFAULT : (int64_t)sizeof m;
}

int64_t sys_sched_setaffinity(int32_t pid, uint32_t len, uaddr_t mask)
{
	uint64_t m = 0;
	if (copy_in(&m, mask, MIN(len, sizeof m)))
		return -EFAULT;
	struct task *t = find(pid);
	if (!t)
		return -ESRCH;
	int err = may_change(t) ? sched_set_affinity(&t->thread, (cpumask_t)m) : -EPERM;
	task_put(t);
	if (!err)
		sched_preempt();
	return err;
}

/* ---- whose: setpriority(2) and ioprio_set(2) name processes, groups and users ---- */

struct walk {
	/* 0 or -errno, the last of which is the walk's */
	int (*visit)(struct task *t, struct walk *w);
	int32_t value; /* to be set */
	int32_t best;  /* of what was found */
	int err, found;
};

static void visit(struct task *t, struct walk *w)
{
	int err = w->visit(t, w);
	w->found++;
	w->err = err ? err : w->err;
}

static void visit_process(int32_t nr, struct walk *w)
{
	struct process *p = process_find(nr);
	if (!p)
		return;
	for (int32_t tid = process_next_tid(p, 1); tid;
	     tid = process_next_tid(p, tid + 1)) {
		struct task *t = task_find(tid);
		if (t)
			visit(t, w);
		task_put(t);
	}
	process_put(p);
}

static bool belongs(int32_t nr, int32_t which, int32_t who)
{
	struct process *p = process_find(nr);
	bool yes = false;
	if (p && p->leader) {
		if (which == PRIO_PGRP)
			yes = p->pgrp == (who ? who : process_current()->pgrp);
		else
			yes = p->leader->thread.cred->uid ==
			      (who ? (uid_t)who : thread_current()->cred->uid);
	}
	process_put(p);
	return yes;
}

/* `which` is PRIO_*. */
static int walk(int32_t which, int32_t who, struct walk *w)
{
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	if (which == PRIO_PROCESS) {
		struct task *t = find(who);
		if (t)
			visit(t, w);
		task_put(t);
	} else {
		for (int32_t nr = process_next(1); nr; nr = process_next(nr + 1))
			if (belongs(nr, which, who))
				visit_process(nr, w);
	}
	return w->found ? w->err : -ESRCH;
}

/* ---- nice ---- */

/* `refusal` of a level that RLIMIT_NICE does not allow: the calls differ. */
static int set_nice(struct task *t, int32_t nice, int refusal)
{
	uint64_t floor = t->process->limits[RLIMIT_NICE].rlim_cur;
	if (!may_change(t))
		return -EPERM;
	if (nice < t->thread.nice && (uint64_t)(20 - nice) > floor &&
	    !cred_has_cap(thread_current()->cred, CAP_SYS_NICE))
		return refusal;
	sched_set_nice(&t->thread, nice);
	return 0;
}

static int visit_get_nice(struct task *t, struct walk *w)
{
	w->best = MAX(w->best, 20 - t->thread.nice);
	return 0;
}

static int visit_set_nice(struct task *t, struct walk *w)
{
	return set_nice(t, w->value, -EACCES);
}

int64_t sys_getpriority(int32_t which, int32_t who)
{
	struct walk w = { .visit = visit_get_nice };
	int err = walk(which, who, &w);
	return err ? err : w.best; /* 1..40: the C library turns it round */
}

int64_t sys_setpriority(int32_t which, int32_t who, int32_t nice)
{
	struct walk w = { .visit = visit_set_nice,
			  .value = MAX(NICE_MIN, MIN(NICE_MAX, nice)) };
	return walk(which, who, &w);
}

/* ---- ioprio: kept and told, as by a device that serves in order ---- */

#define IOPRIO_TO_PRIO (PRIO_PROCESS - IOPRIO_WHO_PROCESS)

/* The one that is served first; a thread that never said counts as best effort. */
static int visit_get_ioprio(struct task *t, struct walk *w)
{
	int32_t v = t->ioprio;
	if (w->found && IOPRIO_PRIO_CLASS(v) == IOPRIO_CLASS_NONE)
		v = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IOPRIO_BE_NORM);
	w->best = w->found ? MIN(w->best, v) : v;
	return 0;
}

static int visit_set_ioprio(struct task *t, struct walk *w)
{
	const struct cred *me = thread_current()->cred;
	struct cred *c = task_cred_get(t);
	bool ok =
		c->uid == me->euid || c->uid == me->uid || cred_has_cap(me, CAP_SYS_NICE);
	cred_put(c);
	if (ok)
		t->ioprio = (uint16_t)w->value;
	return ok ? 0 : -EPERM;
}

static int check_ioprio(int32_t prio)
{
	const struct cred *me = thread_current()->cred;
	int32_t level = IOPRIO_PRIO_DATA(prio);
	switch (IOPRIO_PRIO_CLASS(prio)) {
	case IOPRIO_CLASS_RT:
		if (!cred_has_cap(me, CAP_SYS_ADMIN) && !cred_has_cap(me, CAP_SYS_NICE))
			return -EPERM;
		return level < IOPRIO_NR_LEVELS ? 0 : -EINVAL;
	case IOPRIO_CLASS_BE:
		return level < IOPRIO_NR_LEVELS ? 0 : -EINVAL;
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return level ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

int64_t sys_ioprio_set(int32_t which, int32_t who, int32_t prio)
{
	struct walk w = { .visit = visit_set_ioprio, .value = prio };
	int err = check_ioprio(prio);
	return err ? err : walk(which + IOPRIO_TO_PRIO, who, &w);
}

int64_t sys_ioprio_get(int32_t which, int32_t who)
{
	struct walk w = { .visit = visit_get_ioprio };
	int err = walk(which + IOPRIO_TO_PRIO, who, &w);
	return err ? err : w.best;
}

/* ---- policies: batch and idle are remembered, real time is for nobody ---- */

int64_t sys_sched_getscheduler(int32_t pid)
{
	if (pid < 0)
		return -EINVAL;
	struct task *t = find(pid);
	int64_t policy = t ? (int64_t)t->policy : -ESRCH;
	task_put(t);
	return policy;
}

int64_t sys_sched_getparam(int32_t pid, uaddr_t param)
{
	const struct sched_param_abi p = { 0 };
	if (!param.va)
		return -EINVAL;
	int64_t err = sys_sched_getscheduler(pid);
	return err < 0 ? err : copy_out(param, &p, sizeof p);
}

static int check_param(int32_t policy, uaddr_t param)
{
	struct sched_param_abi p;
	if (!param.va)
		return -EINVAL;
	if (get_user(p, param))
		return -EFAULT;
	if (policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE)
		return p.sched_priority ? -EINVAL : 0;
	/* nobody has real-time priority here */
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return p.sched_priority >= 1 && p.sched_priority <= 99 ? -EPERM : -EINVAL;
	return -EINVAL;
}

int64_t sys_sched_setscheduler(int32_t pid, int32_t policy, uaddr_t param)
{
	if (pid < 0 || policy < 0)
		return -EINVAL;
	struct task *t = find(pid);
	if (!t)
		return -ESRCH;
	int64_t err = check_param(policy & ~SCHED_RESET_ON_FORK, param);
	if (!err && !may_change(t))
		err = -EPERM;
	if (!err)
		t->policy = (uint32_t)policy;
	task_put(t);
	return err;
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
	return err;
}

static int attr_check(const struct sched_attr *a)
{
	if (a->sched_flags & ~(uint64_t)SCHED_FLAG_RESET_ON_FORK)
		return -EINVAL;
	switch (a->sched_policy) {
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return a->sched_priority ? -EINVAL : 0;
	case SCHED_FIFO:
	case SCHED_RR:
		return a->sched_priority >= 1 && a->sched_priority <= 99 ? -EPERM
									 : -EINVAL;
	case SCHED_DEADLINE:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

int64_t sys_sched_setattr(int32_t pid, uaddr_t attr, uint32_t flags)
{
	struct sched_attr a;
	if (!attr.va || pid < 0 || flags)
		return -EINVAL;
	int err = attr_in(&a, attr);
	if (err)
		return err;
	struct task *t = find(pid);
	if (!t)
		return -ESRCH;
	err = attr_check(&a);
	if (!err)
		err = set_nice(t, MAX(NICE_MIN, MIN(NICE_MAX, a.sched_nice)), -EPERM);
	if (!err)
		t->policy = a.sched_policy |
			    (a.sched_flags & SCHED_FLAG_RESET_ON_FORK
				     ? (uint32_t)SCHED_RESET_ON_FORK
				     : 0);
	task_put(t);
	return err;
}

int64_t sys_sched_getattr(int32_t pid, uaddr_t attr, uint32_t size, uint32_t flags)
{
	if (!attr.va || pid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 ||
	    flags)
		return -EINVAL;
	struct task *t = find(pid);
	if (!t)
		return -ESRCH;
	const uint32_t policy = t->policy, reset = policy & SCHED_RESET_ON_FORK;
	struct sched_attr a = {
		.size = (uint32_t)MIN(size, sizeof a),
		.sched_policy = policy & ~reset,
		.sched_flags = reset ? SCHED_FLAG_RESET_ON_FORK : 0,
		.sched_nice = t->thread.nice,
	};
	task_put(t);
	return copy_out(attr, &a, a.size);
}

int64_t sys_sched_setparam(int32_t pid, uaddr_t param)
{
	int64_t policy = sys_sched_getscheduler(pid);
	return policy < 0 ? policy : sys_sched_setscheduler(pid, (int32_t)policy, param);
}

static int64_t priority_bound(int32_t policy, int64_t real_time)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return real_time;
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE:
		return 0;
	default:
		return -EINVAL;
	}
}

int64_t sys_sched_get_priority_max(int32_t policy)
{
	return priority_bound(policy, 99);
}

int64_t sys_sched_get_priority_min(int32_t policy)
{
	return priority_bound(policy, 1);
}

int64_t sys_sched_rr_get_interval(int32_t pid, uaddr_t interval)
{
	int64_t err = sys_sched_getscheduler(pid);
	return err < 0 ? err : put_user(interval, timespec_of(SLICE_NS));
}

int64_t sys_getcpu(uaddr_t cpu, uaddr_t node, uaddr_t unused)
{
	const uint32_t c = cpu_id(), n = 0;
	(void)unused;
	if ((cpu.va && put_user(cpu, c)) || (node.va && put_user(node, n)))
		return -EFAULT;
	return 0;
}

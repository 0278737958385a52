/* Scheduling: nice levels, affinity, and the policies that programs ask about. */
#include <linux/resource.h>
#include <linux/sched.h>

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

/* ---- nice ---- */

struct nice_walk {
	bool set;
	int32_t nice;
	int best, err, found;
};

static int set_nice(struct task *t, int32_t nice)
{
	const struct cred *me = thread_current()->cred;
	uint64_t floor = t->process->limits[RLIMIT_NICE].rlim_cur;
	if (!may_change(t))
		return -EPERM;
	if (nice < t->thread.nice && (uint64_t)(20 - nice) > floor &&
	    !cred_has_cap(me, CAP_SYS_NICE))
		return -EACCES;
	sched_set_nice(&t->thread, nice);
	return 0;
}

static void visit(struct task *t, struct nice_walk *w)
{
	w->found++;
	if (w->set) {
		int err = set_nice(t, w->nice);
		w->err = err ? err : w->err;
	} else {
		w->best = MAX(w->best, 20 - t->thread.nice);
	}
}

static void visit_process(int32_t nr, struct nice_walk *w)
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

static int walk(int32_t which, int32_t who, struct nice_walk *w)
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

int64_t sys_getpriority(int32_t which, int32_t who)
{
	struct nice_walk w = { 0 };
	int err = walk(which, who, &w);
	return err ? err : w.best; /* 1..40: the C library turns it round */
}

int64_t sys_setpriority(int32_t which, int32_t who, int32_t nice)
{
	struct nice_walk w = { .set = true, .nice = MAX(NICE_MIN, MIN(NICE_MAX, nice)) };
	return walk(which, who, &w);
}

/* ---- policies: only the ordinary one is there ---- */

int64_t sys_sched_getscheduler(int32_t pid)
{
	struct task *t = pid < 0 ? NULL : find(pid);
	task_put(t);
	return t ? SCHED_NORMAL : pid < 0 ? -EINVAL : -ESRCH;
}

int64_t sys_sched_getparam(int32_t pid, uaddr_t param)
{
	const struct sched_param_abi p = { 0 };
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
	int64_t err = sys_sched_getscheduler(pid);
	return err < 0 ? err : check_param(policy & ~SCHED_RESET_ON_FORK, param);
}

int64_t sys_sched_setparam(int32_t pid, uaddr_t param)
{
	return sys_sched_setscheduler(pid, SCHED_NORMAL, param);
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

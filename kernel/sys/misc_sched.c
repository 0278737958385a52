/* Scheduling: nice levels and affinity. The policies: sched_policy.c. */
#include <linux/ioprio.h>
#include <linux/resource.h>

#include "proc/proc.h"
#include "sys/sched.h"
#include "sys/syscall.h"

int64_t sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

struct task *sched_find(int32_t tid)
{
	return tid ? task_find(tid) : task_get(task_current());
}

bool sched_may_change(struct task *t)
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
	struct task *t = sched_find(pid);
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
	struct task *t = sched_find(pid);
	if (!t)
		return -ESRCH;
	int err = sched_may_change(t) ? sched_set_affinity(&t->thread, (cpumask_t)m)
				      : -EPERM;
	task_put(t);
	if (!err)
		sched_preempt();
	return err;
}

/* ---- whose: setpriority(2) and ioprio_set(2) name processes, groups and users ---- */

struct walk {
	/* 0 or -errno, the last of which is the walk's */
	int (*visit)(struct task *t, struct walk *w);
	int32_t value; /* to be set; of whom, when asked */
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
		struct task *t = sched_find(who);
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

bool sched_may_nice(struct task *t, int32_t nice)
{
	uint64_t limit = t->process->limits[RLIMIT_NICE].rlim_cur;
	return nice >= t->thread.nice || (uint64_t)(20 - nice) <= limit ||
	       cred_has_cap(thread_current()->cred, CAP_SYS_NICE);
}

static int visit_get_nice(struct task *t, struct walk *w)
{
	w->best = MAX(w->best, 20 - t->thread.nice);
	return 0;
}

static int visit_set_nice(struct task *t, struct walk *w)
{
	if (!sched_may_change(t))
		return -EPERM;
	if (!sched_may_nice(t, w->value))
		return -EACCES;
	sched_set_nice(&t->thread, w->value);
	return 0;
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

/* The one that is served first. A thread that never said counts as best effort, unless
 * it is asked for by itself. */
static int visit_get_ioprio(struct task *t, struct walk *w)
{
	int32_t v = t->ioprio;
	if (w->value != IOPRIO_WHO_PROCESS && IOPRIO_PRIO_CLASS(v) == IOPRIO_CLASS_NONE)
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

int sched_check_ioprio(int32_t prio)
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
	int err = sched_check_ioprio(prio);
	return err ? err : walk(which + IOPRIO_TO_PRIO, who, &w);
}

int64_t sys_ioprio_get(int32_t which, int32_t who)
{
	struct walk w = { .visit = visit_get_ioprio, .value = which };
	int err = walk(which + IOPRIO_TO_PRIO, who, &w);
	return err ? err : w.best;
}

int64_t sys_getcpu(uaddr_t cpu, uaddr_t node, uaddr_t unused)
{
	const uint32_t c = cpu_id(), n = 0;
	(void)unused;
	if ((cpu.va && put_user(cpu, c)) || (node.va && put_user(node, n)))
		return -EFAULT;
	return 0;
}

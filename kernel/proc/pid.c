/*
 * Process numbers. One number may be borne by a thread, a process, a group and a session
 * at once; it is free again when none is left.
 *
 * Numbers are handed out in rising order, so that one that was just freed is not met
 * again soon. The range starts at Linux's 32768 and doubles, up to 4 Mi, when it is full.
 */
#include <asm/errno.h>

#include "core/panic.h"
#include "lib/radix.h"
#include "proc/proc.h"

#define PID_LIMIT_FIRST 32768
#define PID_LIMIT_MAX (4 << 20)
#define PID_RESERVED 300 /* after a wrap the low numbers are left to early processes */

struct spinlock tasklist_lock = SPINLOCK_INIT(RANK_TASK_LIST);

static struct radix pids;		/* [tasklist_lock] number -> struct pid */
static int32_t last_pid;		/* [tasklist_lock] */
static int32_t limit = PID_LIMIT_FIRST; /* [tasklist_lock] */

static struct radix_node *node_alloc(void)
{
	struct radix_node *n = heap_alloc_atomic(sizeof *n);
	if (n)
		*n = (struct radix_node){ 0 };
	return n;
}

static void node_free(struct radix_node *n)
{
	heap_free(n);
}

static const struct radix_ops node_ops = { node_alloc, node_free };

static bool next_free(uint64_t *ret)
{
	for (;;) {
		if (radix_first_absent(&pids, (uint64_t)last_pid + 1, (uint64_t)limit - 1,
				       ret) ||
		    radix_first_absent(&pids, PID_RESERVED, (uint64_t)limit - 1, ret))
			return true;
		if (limit >= PID_LIMIT_MAX)
			return false;
		limit *= 2;
	}
}

/* A number that the caller chose. clone3(2) has the errors, capabilities(7) who may. */
static int take_wanted(int32_t nr, struct pid *pid)
{
	const struct cred *c = thread_current()->cred;
	if (nr < 1 || nr >= limit)
		return -EINVAL;
	if (!cred_has_cap(c, CAP_CHECKPOINT_RESTORE) && !cred_has_cap(c, CAP_SYS_ADMIN))
		return -EPERM;
	if (radix_get(&pids, (uint64_t)nr))
		return -EEXIST;
	pid->nr = nr;
	return radix_insert(&pids, (uint64_t)nr, pid);
}

static int take_next(struct pid *pid)
{
	uint64_t nr;
	if (!next_free(&nr))
		return -EAGAIN;
	pid->nr = (int32_t)nr;
	int err = radix_insert(&pids, nr, pid);
	if (!err)
		last_pid = pid->nr;
	return err;
}

int pid_new(const int32_t *wanted, struct pid **ret)
{
	struct pid *pid = heap_zalloc(sizeof *pid);
	if (!pid)
		return -ENOMEM;
	list_init(&pid->group);
	list_init(&pid->session);
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	int err = wanted ? take_wanted(*wanted, pid) : take_next(pid);
	spin_unlock_irq(&tasklist_lock, flags);
	if (err)
		heap_free(pid);
	else
		*ret = pid;
	return err;
}

void pid_release_if_unused(struct pid *pid)
{
	must_hold(&tasklist_lock);
	if (pid->task || pid->process || !list_empty(&pid->group) ||
	    !list_empty(&pid->session))
		return;
	insist(radix_remove(&pids, (uint64_t)pid->nr) == pid);
	heap_free(pid);
}

struct pid *pid_find(int32_t nr)
{
	must_hold(&tasklist_lock);
	return nr > 0 ? radix_get(&pids, (uint64_t)nr) : NULL;
}

struct task *task_find(int32_t tid)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct pid *pid = pid_find(tid);
	struct task *t = pid && pid->task ? task_get(pid->task) : NULL;
	spin_unlock_irq(&tasklist_lock, flags);
	return t;
}

struct process *process_find(int32_t nr)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct pid *pid = pid_find(nr);
	struct process *p = pid && pid->process ? process_get(pid->process) : NULL;
	spin_unlock_irq(&tasklist_lock, flags);
	return p;
}

int32_t process_next(int32_t from)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock), key = (uint64_t)MAX(from, 1);
	struct pid *pid;
	while ((pid = radix_next(&pids, key, &key)) && !pid->process)
		key++;
	int32_t nr = pid ? pid->nr : 0;
	spin_unlock_irq(&tasklist_lock, flags);
	return nr;
}

int32_t process_next_tid(struct process *p, int32_t from)
{
	int32_t best = 0;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	list_for_each(t, &p->tasks, struct task,
		      link) if (t->tid >= from && (!best || t->tid < best)) best = t->tid;
	spin_unlock_irq(&tasklist_lock, flags);
	return best;
}

int32_t pid_limit(void)
{
	return limit;
}

int32_t pid_last(void)
{
	return last_pid;
}

void pid_init(void)
{
	radix_init(&pids, &node_ops);
}

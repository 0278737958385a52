/* Resource limits of processes (getrlimit(2)) and what other layers ask about the running
 * one. */
#include <asm/errno.h>

#include "proc/limits.h"
#include "proc/policy.h"
#include "proc/proc.h"

#define NR_OPEN_MAX (1u << 20) /* no RLIMIT_NOFILE beyond: Linux's fs.nr_open */

uint64_t rlimit_current(int which)
{
	return process_current()->limits[which].rlim_cur;
}

void limits_init(struct process *p)
{
	uint64_t tasks = task_limit() / 2;
	for (size_t i = 0; i < RLIM_NLIMITS; i++)
		p->limits[i] = (struct rlimit64){ RLIM64_INFINITY, RLIM64_INFINITY };
	p->limits[RLIMIT_STACK].rlim_cur = MIB(8);
	p->limits[RLIMIT_CORE].rlim_cur = 0;
	p->limits[RLIMIT_NPROC] = (struct rlimit64){ tasks, tasks };
	p->limits[RLIMIT_SIGPENDING] = (struct rlimit64){ tasks, tasks };
	p->limits[RLIMIT_NOFILE] = (struct rlimit64){ 1024, 1024 * 1024 };
	p->limits[RLIMIT_MEMLOCK] = (struct rlimit64){ MIB(8), MIB(8) };
	p->limits[RLIMIT_MSGQUEUE] = (struct rlimit64){ 819200, 819200 };
	p->limits[RLIMIT_NICE] = p->limits[RLIMIT_RTPRIO] = (struct rlimit64){ 0, 0 };
}

/* The memory limits are looked at by mm, in the space. p->lock held. */
static void tell_space(struct process *p)
{
	list_for_each(t, &p->tasks, struct task, link)
	{
		struct space *s = t->thread.space;
		if (!s)
			continue;
		s->limit_as = p->limits[RLIMIT_AS].rlim_cur;
		s->limit_data = p->limits[RLIMIT_DATA].rlim_cur;
		s->limit_stack = p->limits[RLIMIT_STACK].rlim_cur;
		s->limit_memlock = p->limits[RLIMIT_MEMLOCK].rlim_cur;
		return;
	}
}

static int check(struct process *p, const struct rlimit64 *new, uint32_t which)
{
	const struct rlimit64 *old = &p->limits[which];
	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (which == RLIMIT_NOFILE && new->rlim_max > NR_OPEN_MAX)
		return -EPERM;
	if (new->rlim_max > old->rlim_max &&
	    !cred_has_cap(thread_current()->cred, CAP_SYS_RESOURCE))
		return -EPERM;
	return new->rlim_max > policy_rlimit(p, which) ? -EPERM : 0;
}

int limits_change(struct process *p, uint32_t which, const struct rlimit64 *set,
		  struct rlimit64 *ret_old)
{
	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	uint64_t flags = spin_lock_irq(&p->lock);
	*ret_old = p->limits[which];
	int err = set ? check(p, set, which) : 0;
	if (set && !err) {
		p->limits[which] = *set;
		/* As Linux: 0 seconds would be no seconds at all. */
		if (which == RLIMIT_CPU && !set->rlim_cur)
			p->limits[which].rlim_cur = 1;
		p->rlimit_cpu_next = 0;
		cpu_timers_recheck(p);
		tell_space(p);
	}
	spin_unlock_irq(&p->lock, flags);
	return err;
}

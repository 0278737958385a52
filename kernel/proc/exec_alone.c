/*
 * The threads that execve ends. The one that called it survives; if that is not the
 * leader it takes the leader's place and thread id, for the process id must stay.
 */
#include <asm/errno.h>

#include "core/panic.h"
#include "proc/exec.h"
#include "proc/ptrace.h"

/* Nobody is left but, maybe, the leader's shell. */
static bool is_alone(struct process *p, struct task *me)
{
	uint64_t flags = spin_lock_irq(&p->lock);
	bool alone = true;
	list_for_each(t, &p->tasks, struct task,
		      link) if (t != me && !(t == p->leader && t->gone)) alone = false;
	spin_unlock_irq(&p->lock, flags);
	return alone;
}

/* The old leader, to be put by the caller without locks. */
static struct task *take_lead(struct process *p, struct task *me)
{
	struct task *old = p->leader;
	struct pid *number = pid_find(old->tid), *mine = pid_find(me->tid);
	insist(number && mine && number->task == old && mine->task == me);
	if (old->trace.tracer) /* its number lives on: the tracer is to ask for it anew */
		wake_all(&old->trace.tracer->process->child_wait);
	trace_unlink(old);
	list_del(&old->link);
	p->n_tasks--;
	me->tid = old->tid;
	number->task = me;
	mine->task = NULL;
	pid_release_if_unused(mine);
	p->leader = task_get(me);
	return old;
}

int exec_alone(void)
{
	struct task *me = task_current(), *old = NULL;
	struct process *p = me->process;
	uint64_t flags = spin_lock_irq(&p->lock);
	if (p->exiting || p->exec_task) {
		spin_unlock_irq(&p->lock, flags);
		return -EAGAIN; /* it will not get as far as seeing this */
	}
	/* Another thread took privilege away while the program's credentials were found:
	 * once more. From here on none can (seccomp.c). */
	if (me->no_new_privs && !me->thread.cred->no_new_privs) {
		spin_unlock_irq(&p->lock, flags);
		return -ERESTARTNOINTR;
	}
	/* Nobody but its threads adds threads to a process. */
	if (p->leader == me && p->tasks.next == p->tasks.prev) {
		spin_unlock_irq(&p->lock, flags);
		return 0;
	}
	p->exec_task = me;
	signal_kill_threads(p, me);
	spin_unlock_irq(&p->lock, flags);

	int err = wait_event_killable(&p->exec_wait, is_alone(p, me));

	flags = spin_lock_irq(&tasklist_lock);
	spin_lock(&p->lock);
	p->exec_task = NULL;
	if (!err && p->leader != me)
		old = take_lead(p, me);
	spin_unlock(&p->lock);
	spin_unlock_irq(&tasklist_lock, flags);
	task_put(old);
	return err ? -EINTR : 0;
}

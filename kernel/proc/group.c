/*
 * Process groups and sessions (setpgid(2), setsid(2), credentials(7)) and what terminals
 * ask of them. A group or session is its members, found through the number's struct pid.
 */
#include <asm/errno.h>

#include "core/panic.h"
#include "proc/proc.h"

void group_join(struct process *p, int32_t pgrp, int32_t session)
{
	must_hold(&tasklist_lock);
	struct pid *group = pid_find(pgrp), *s = pid_find(session);
	insist(group && s);
	p->pgrp = pgrp;
	p->session = session;
	list_push_back(&group->group, &p->group_link);
	list_push_back(&s->session, &p->session_link);
}

void group_leave(struct process *p)
{
	must_hold(&tasklist_lock);
	struct pid *group = pid_find(p->pgrp), *s = pid_find(p->session);
	list_del(&p->group_link);
	list_del(&p->session_link);
	if (group)
		pid_release_if_unused(group);
	if (s && s != group)
		pid_release_if_unused(s);
}

static void group_move(struct process *p, int32_t pgrp, int32_t session)
{
	int32_t old_group = p->pgrp, old_session = p->session;
	list_del(&p->group_link);
	list_del(&p->session_link);
	group_join(p, pgrp, session);
	struct pid *pid = pid_find(old_group);
	if (pid)
		pid_release_if_unused(pid);
	if (old_session != old_group && (pid = pid_find(old_session)))
		pid_release_if_unused(pid);
}

/* A group is orphaned when no member has a parent in the same session but another group
 * (POSIX 3.243). `without` is looked at as gone already. */
bool group_is_orphaned(int32_t pgrp, const struct process *without)
{
	must_hold(&tasklist_lock);
	struct pid *pid = pid_find(pgrp);
	if (!pid)
		return true;
	list_for_each(p, &pid->group, struct process, group_link)
	{
		const struct process *parent = p->parent;
		if (p == without || p->zombie || !parent || parent->pid == 1)
			continue;
		if (parent->pgrp != pgrp && parent->session == p->session)
			return false;
	}
	return true;
}

bool group_has_stopped(int32_t pgrp)
{
	must_hold(&tasklist_lock);
	struct pid *pid = pid_find(pgrp);
	if (!pid)
		return false;
	list_for_each(p, &pid->group, struct process,
		      group_link) if (p->stop_state == STOP_DONE) return true;
	return false;
}

static int group_check(struct process *p, int32_t pgrp)
{
	struct process *me = process_current();
	if (p != me) {
		if (p->parent != me)
			return -ESRCH;
		if (p->session != me->session)
			return -EPERM;
		if (p->did_exec)
			return -EACCES;
	}
	if (p->session == p->pid)
		return -EPERM;
	if (pgrp == p->pid)
		return 0;
	struct pid *group = pid_find(pgrp);
	if (!group || list_empty(&group->group))
		return -EPERM;
	struct process *member = list_first(&group->group, struct process, group_link);
	return member->session == p->session ? 0 : -EPERM;
}

int group_set(int32_t nr, int32_t pgrp)
{
	if (!nr)
		nr = process_current()->pid;
	if (!pgrp)
		pgrp = nr;
	if (pgrp < 0)
		return -EINVAL;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct pid *pid = pid_find(nr);
	struct process *p = pid ? pid->process : NULL;
	int err = p ? group_check(p, pgrp) : -ESRCH;
	if (!p && pid && pid->task)
		err = -EINVAL; /* a thread that is no leader */
	if (!err && p->pgrp != pgrp)
		group_move(p, pgrp, p->session);
	spin_unlock_irq(&tasklist_lock, flags);
	return err;
}

int32_t session_new(void)
{
	struct process *p = process_current();
	struct tty *tty = NULL;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct pid *pid = pid_find(p->pid);
	int32_t ret = -EPERM;
	if (list_empty(&pid->group) && p->session != p->pid) {
		group_move(p, p->pid, p->pid);
		tty = p->tty;
		p->tty = NULL;
		ret = p->pid;
	}
	spin_unlock_irq(&tasklist_lock, flags);
	if (tty)
		tty_put(tty);
	return ret;
}

/* ---- terminals ---- */

/* Takes the terminal from every member. */
static void session_drop_tty(int32_t session)
{
	for (;;) {
		struct tty *tty = NULL;
		uint64_t flags = spin_lock_irq(&tasklist_lock);
		struct pid *pid = pid_find(session);
		if (pid) {
			list_for_each(p, &pid->session, struct process, session_link)
			{
				if (!p->tty)
					continue;
				tty = p->tty;
				p->tty = NULL;
				break;
			}
		}
		spin_unlock_irq(&tasklist_lock, flags);
		if (!tty)
			return;
		tty_put(tty);
	}
}

static struct tty *current_tty(void)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct tty *tty = process_current()->tty;
	if (tty)
		tty_get(tty);
	spin_unlock_irq(&tasklist_lock, flags);
	return tty;
}

static bool is_leader(const struct process *p)
{
	return p->session == p->pid;
}

static void set_current_tty(struct tty *tty)
{
	struct process *p = process_current();
	if (!tty && is_leader(p)) {
		session_drop_tty(p->session);
		return;
	}
	if (tty)
		tty_get(tty);
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct tty *old = p->tty;
	p->tty = tty;
	spin_unlock_irq(&tasklist_lock, flags);
	if (old)
		tty_put(old);
}

void session_leader_exit(struct process *p)
{
	if (!is_leader(p))
		return;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct tty *tty = p->tty;
	if (tty)
		tty_get(tty);
	spin_unlock_irq(&tasklist_lock, flags);
	if (!tty)
		return;
	tty_leader_exited(tty);
	session_drop_tty(p->session);
	tty_put(tty);
}

static int job_signal_pgrp(int32_t pgrp, int sig)
{
	return signal_send_group(pgrp, sig, NULL);
}

static int32_t current_pgrp(void)
{
	return process_current()->pgrp;
}

static int32_t current_session(void)
{
	return process_current()->session;
}

static bool current_is_leader(void)
{
	return is_leader(process_current());
}

static bool pgrp_in_session(int32_t pgrp, int32_t session)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct pid *pid = pid_find(pgrp);
	bool in = pid && !list_empty(&pid->group) &&
		  list_first(&pid->group, struct process, group_link)->session == session;
	spin_unlock_irq(&tasklist_lock, flags);
	return in;
}

static bool pgrp_orphaned(int32_t pgrp)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	bool orphaned = group_is_orphaned(pgrp, NULL);
	spin_unlock_irq(&tasklist_lock, flags);
	return orphaned;
}

static void hangup_session(int32_t session)
{
	struct process *leader = process_find(session);
	if (leader) {
		(void)signal_send_process(leader, SIGHUP, NULL);
		(void)signal_send_process(leader, SIGCONT, NULL);
		process_put(leader);
	}
	session_drop_tty(session);
}

void tty_job_init(void)
{
	tty_job_ops = (struct tty_job_ops){
		.signal_pgrp = job_signal_pgrp,
		.current_pgrp = current_pgrp,
		.current_session = current_session,
		.current_is_leader = current_is_leader,
		.current_tty = current_tty,
		.set_current_tty = set_current_tty,
		.pgrp_in_session = pgrp_in_session,
		.pgrp_orphaned = pgrp_orphaned,
		.current_ignores = signal_current_ignores,
		.hangup_session = hangup_session,
		.drop_tty = session_drop_tty,
	};
}

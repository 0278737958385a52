/* Waiting for children: wait4(2) and waitid(2) in one. */
#include <asm/errno.h>
#include <linux/wait.h>

#include "proc/proc.h"

static bool selected(const struct process *c, const struct wait_request *r)
{
	bool clone_child = c->exit_signal != SIGCHLD;
	if (!(r->options & __WALL) && clone_child != !!(r->options & __WCLONE))
		return false;
	switch (r->which) {
	case P_PID:
		return c->pid == r->id;
	case P_PGID:
		return c->pgrp == (r->id ? r->id : process_current()->pgrp);
	default:
		return true;
	}
}

static void describe(struct process *c, struct wait_result *ret, int32_t code,
		     int32_t status)
{
	*ret = (struct wait_result){
		.pid = c->pid,
		.uid = c->leader->thread.cred->uid,
		.code = code,
		.status = status,
	};
	process_usage(c, &ret->usage);
	usage_add(&ret->usage, &c->dead_children);
}

static void report_exit(struct process *c, struct wait_result *ret)
{
	int32_t status, code = wstatus_code(c->exit_status, &status);
	describe(c, ret, code, status);
	ret->wstatus = c->exit_status;
}

/* A stop or continue that has not been reported yet. */
static bool report_change(struct process *c, const struct wait_request *r,
			  struct wait_result *ret)
{
	bool keep = r->options & WNOWAIT;
	int32_t code = 0, sig = 0, wstatus = 0;
	spin_lock(&c->lock);
	if ((r->options & WSTOPPED) && c->stop_state == STOP_DONE && c->stop_waitable) {
		code = CLD_STOPPED;
		sig = c->stop_signal;
		wstatus = sig << 8 | 0x7f;
		c->stop_waitable = keep;
	} else if ((r->options & WCONTINUED) && c->continue_waitable) {
		code = CLD_CONTINUED;
		sig = SIGCONT;
		wstatus = 0xffff;
		c->continue_waitable = keep;
	}
	spin_unlock(&c->lock);
	if (!code)
		return false;
	describe(c, ret, code, sig);
	ret->wstatus = wstatus;
	return true;
}

/* What one look at the children found. */
struct found {
	bool any;	      /* a child that could be waited for */
	struct process *dead; /* a zombie to release */
};

/* True: c has something to report, and it is in *ret. */
static bool look_at(struct process *c, const struct wait_request *r,
		    struct wait_result *ret, struct found *f)
{
	if (!selected(c, r))
		return false;
	f->any = true;
	if (!c->zombie)
		return report_change(c, r, ret);
	if (!(r->options & WEXITED))
		return false;
	report_exit(c, ret);
	if (!(r->options & WNOWAIT)) {
		process_reap(c);
		f->dead = c;
	}
	return true;
}

static bool look_at_all(const struct wait_request *r, struct wait_result *ret,
			struct found *f)
{
	struct process *me = process_current();
	if (r->which == P_PID) {
		struct pid *pid = pid_find(r->id);
		struct process *c = pid ? pid->process : NULL;
		return c && c->parent == me && look_at(c, r, ret, f);
	}
	list_for_each(c, &me->children, struct process,
		      sibling) if (look_at(c, r, ret, f)) return true;
	return false;
}

/* True: the wait is over, with *ret_err; -EAGAIN: nothing yet, and none is to be waited
 * for. */
static bool look(const struct wait_request *r, struct wait_result *ret, int *ret_err,
		 struct process **ret_dead)
{
	struct found f = { 0 };
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	bool done = look_at_all(r, ret, &f);
	spin_unlock_irq(&tasklist_lock, flags);
	*ret_err = done ? 0 : f.any ? -EAGAIN : -ECHILD;
	*ret_dead = f.dead;
	return done || !f.any || (r->options & WNOHANG);
}

int process_wait(const struct wait_request *r, struct wait_result *ret)
{
	struct process *dead = NULL;
	int err;
	int interrupted = wait_event_intr(&process_current()->child_wait,
					  look(r, ret, &err, &dead));
	/* The signal may well be the SIGCHLD of the child that is waited for. */
	if (interrupted && look(r, ret, &err, &dead))
		interrupted = 0;
	if (dead)
		process_release(dead);
	if (interrupted)
		return interrupted;
	if (err == -EAGAIN) {
		ret->pid = 0;
		return 0;
	}
	return err;
}

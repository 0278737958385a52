/* New processes and threads. See task.h for what always holds. */
#include <asm/errno.h>
#include <asm/processor-flags.h>
#include <linux/signal.h>

#include "core/panic.h"
#include "lib/string.h"
#include "proc/calltrace.h"
#include "proc/clone.h"
#include "proc/pidfd.h"
#include "proc/policy.h"
#include "proc/ptrace.h"

#define CLONE_NEW_ANY                                                                    \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |   \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

struct process *init_process;
struct proc_ipc_ops proc_ipc_ops;

/* ---- may it be ---- */

static int check_flags(const struct clone_request *r)
{
	uint64_t f = r->flags;
	/* There are no namespaces; who may not make them hears that first, as on
	 * Linux. */
	if (f & CLONE_NEW_ANY & ~(uint64_t)CLONE_NEWUSER)
		return cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN) ? -EINVAL
									   : -EPERM;
	if (f & (CLONE_NEWUSER | CLONE_INTO_CGROUP))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & CLONE_THREAD))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && (!(f & CLONE_VM) || (f & CLONE_CLEAR_SIGHAND)))
		return -EINVAL;
	if ((f & CLONE_PARENT) && process_current() == init_process)
		return -EINVAL;
	if (r->exit_signal < 0 || r->exit_signal > SIGNAL_MAX)
		return -EINVAL;
	return 0;
}

static int check_limit(const struct task *me)
{
	const struct cred *c = me->thread.cred;
	uint64_t max = me->process->limits[RLIMIT_NPROC].rlim_cur;
	uint32_t n = __atomic_load_n((uint32_t *)&me->account->tasks, __ATOMIC_RELAXED);
	if (n < max || !c->uid || cred_has_cap(c, CAP_SYS_RESOURCE) ||
	    cred_has_cap(c, CAP_SYS_ADMIN))
		return 0;
	return -EAGAIN;
}

/* ---- copying ---- */

static noreturn_fn void child_start(void *arg)
{
	struct task *t = arg;
	if (t->set_tid.va && put_user(t->set_tid, t->tid))
		t->set_tid = UADDR_NULL; /* as Linux: the child runs without */
	arch_return_to_user();
}

static void copy_thread(struct task *t, const struct clone_request *r)
{
	struct task *me = task_current();
	struct thread *from = &me->thread, *to = &t->thread;
	arch_fpu_sync(&from->arch);
	memcpy(to->arch.xsave, from->arch.xsave, arch_xsave_size());
	to->arch.fs_base =
		r->flags & CLONE_SETTLS ? r->tls : arch_get_fs_base(&from->arch);
	to->arch.gs_base = arch_get_gs_base(&from->arch);
	to->arch.segments = arch_get_segments();
	if (r->flags & CLONE_SETTLS)
		to->arch.segments.fs = 0;
	to->arch.no_tsc = from->arch.no_tsc;
	sched_inherit(to, from);
	to->cred = cred_get(from->cred);

	struct pt_regs *regs = task_user_regs(t);
	*regs = *task_user_regs(me);
	regs->rax = 0;
	if (me->trace.forced_tf)
		regs->eflags &= ~(uint64_t)X86_EFLAGS_TF;
	if (r->stack)
		regs->rsp = r->stack;

	t->blocked = me->blocked;
	t->timer_slack_ns = t->timer_slack_first = me->timer_slack_ns;
	t->mce_kill = me->mce_kill;
	t->io_flusher = me->io_flusher;
	t->persona = me->persona;
	t->login_uid = me->login_uid;
	t->login_session = me->login_session;
	t->mempolicy = me->mempolicy;
	t->mempolicy_nodes = me->mempolicy_nodes;
	t->ioprio = me->ioprio;
	if (!(r->flags & CLONE_VM) || (r->flags & CLONE_VFORK)) {
		t->sigaltstack = me->sigaltstack;
		t->sigaltstack_size = me->sigaltstack_size;
		t->sigaltstack_flags = me->sigaltstack_flags;
	} else {
		t->sigaltstack_flags = SS_DISABLE;
	}
	if (r->flags & CLONE_CHILD_SETTID)
		t->set_tid = r->child_tid;
	if (r->flags & CLONE_CHILD_CLEARTID)
		t->clear_tid = r->child_tid;
	t->account = account_ref(me->account);
	__atomic_fetch_add((uint32_t *)&t->account->tasks, 1, __ATOMIC_RELAXED);
}

static int copy_space(struct task *t, uint64_t flags)
{
	struct space *mine = thread_current()->space;
	if (flags & CLONE_VM) {
		t->thread.space = space_use(mine);
	} else {
		int err = space_fork(mine, &t->thread.space);
		if (err)
			return err;
		exec_share_file(mine, t->thread.space);
	}
	t->thread.pt = &t->thread.space->pt;
	return 0;
}

static int copy_files(struct task *t, uint64_t flags)
{
	struct thread *me = thread_current();
	int err = 0;
	if (flags & CLONE_FILES)
		t->files_ref = files_get(me->files);
	else
		err = files_copy(me->files, &t->files_ref);
	if (err)
		return err;
	t->thread.files = t->files_ref;
	if (flags & CLONE_FS)
		t->thread.fs = fs_ctx_use(me->fs);
	else
		err = fs_ctx_copy(me->fs, &t->thread.fs);
	return err;
}

static int copy_process(const struct clone_request *r, struct process **ret)
{
	struct process *me = process_current(), *p = process_new();
	if (!p)
		return -ENOMEM;
	p->sighand = r->flags & CLONE_SIGHAND ? me->sighand : sighand_copy(me->sighand);
	if (!p->sighand) {
		process_put(p);
		return -ENOMEM;
	}
	if (r->flags & CLONE_SIGHAND)
		ref_get(&p->sighand->refs);
	if (r->flags & CLONE_CLEAR_SIGHAND)
		sighand_clear(p->sighand);
	uint64_t flags = spin_lock_irq(&me->lock);
	memcpy(p->limits, me->limits, sizeof p->limits);
	p->oom_score_adj = me->oom_score_adj;
	p->oom_score_adj_min = me->oom_score_adj_min;
	p->core_filter = me->core_filter;
	spin_unlock_irq(&me->lock, flags);
	p->exit_signal = r->exit_signal;
	cpu_timers_recheck(p);
	*ret = p;
	return 0;
}

/* ---- joining the tree ---- */

static void link_process(struct task *t, struct process *p, struct pid *pid,
			 uint64_t flags)
{
	struct process *me = process_current();
	spin_lock(&p->lock);
	p->pid = pid->nr;
	p->leader = task_get(t);
	task_link(t, p, pid);
	spin_unlock(&p->lock);
	pid->process = p;
	if (flags & CLONE_PARENT) {
		p->parent = me->parent;
		p->exit_signal = me->exit_signal;
		p->parent_execs = me->parent_execs;
	} else {
		p->parent = me;
		p->parent_execs = me->n_execs;
	}
	p->parent_pid = p->parent->pid;
	p->forker = flags & CLONE_PARENT ? me->forker : task_current()->tid;
	list_push_back(&p->parent->children, &p->sibling);
	group_join(p, me->pgrp, me->session);
	if (me->tty)
		p->tty = tty_get(me->tty);
}

/* The event by which a tracer hears of this clone; 0: it does not want to. */
static int trace_event_of(const struct clone_request *r)
{
	int event = r->flags & CLONE_VFORK	? PTRACE_EVENT_VFORK
		    : r->exit_signal != SIGCHLD ? PTRACE_EVENT_CLONE
						: PTRACE_EVENT_FORK;
	return !(r->flags & CLONE_UNTRACED) && trace_event_wanted(event) ? event : 0;
}

static void share_tracer(struct task *t, const struct clone_request *r)
{
	const struct task *me = task_current();
	if (!me->trace.tracer || !((r->flags & CLONE_PTRACE) || trace_event_of(r)))
		return;
	spin_lock(&t->process->lock);
	trace_inherit(t, me);
	spin_unlock(&t->process->lock);
}

/* p NULL: a thread of the running process. A signal that came meanwhile goes first: it
 * may be one to the whole group, which must not miss the child. */
static int join(struct task *t, struct process *p, struct pid *pid,
		const struct clone_request *r)
{
	struct process *me = process_current();
	uint64_t irq = spin_lock_irq(&tasklist_lock);
	spin_lock(&me->lock);
	int err = signal_pending() || me->exiting || me->exec_task ? -ERESTARTNOINTR : 0;
	if (!err)
		err = gate_inherit(t);
	if (!err && !p)
		task_link(t, me, pid);
	spin_unlock(&me->lock);
	if (!err && p)
		link_process(t, p, pid, r->flags);
	if (!err)
		share_tracer(t, r);
	if (err)
		pid_release_if_unused(pid);
	spin_unlock_irq(&tasklist_lock, irq);
	return err;
}

/* CLONE_PIDFD's descriptor, in the caller's table but not in the child's copy of it. */
struct pidfd {
	int fd; /* reserved; -1: none is wanted */
	struct file *file;
};

static void pidfd_drop(struct pidfd *d)
{
	if (d->fd < 0)
		return;
	fd_release(d->fd);
	if (d->file)
		file_put(d->file);
}

static int pidfd_prepare(struct process *p, const struct clone_request *r,
			 struct pidfd *d)
{
	if (!(r->flags & CLONE_PIDFD))
		return 0;
	int fd = fd_reserve(0);
	if (fd < 0)
		return fd;
	d->fd = fd;
	int err = pidfd_file_new(p, 0, &d->file);
	return err ? err : put_user(r->pidfd, fd);
}

static int build(struct task *t, const struct clone_request *r, struct process **ret_p)
{
	struct process *p = NULL;
	struct pidfd d = { .fd = -1 };
	copy_thread(t, r);
	int err = copy_files(t, r->flags);
	if (!err)
		err = copy_space(t, r->flags);
	if (!err)
		err = proc_ipc_ops.clone(t, r->flags);
	if (!err && !(r->flags & CLONE_THREAD))
		err = copy_process(r, &p);
	if (!err && p)
		err = pidfd_prepare(p, r, &d);
	if (unlikely(task_current()->calltrace) && !err)
		err = calltrace_inherit(t);
	struct pid *pid;
	if (!err)
		err = pid_new(r->choose_tid ? &r->chosen_tid : NULL, &pid);
	if (!err)
		err = join(t, p, pid, r);
	if (err) {
		pidfd_drop(&d);
		if (p)
			process_put(p);
	} else if (d.fd >= 0) {
		fd_install(d.fd, d.file, true);
	}
	*ret_p = p;
	return err;
}

/* A task that was never linked. */
static void discard(struct task *t)
{
	proc_ipc_ops.exit(t);
	if (t->calltrace)
		calltrace_drop(t);
	if (t->thread.space)
		space_unuse(t->thread.space);
	if (t->files_ref)
		files_put(t->files_ref);
	if (t->thread.fs)
		fs_ctx_unuse(t->thread.fs);
	task_put(t);
}

static void vfork_wait(struct task *child, struct completion *done)
{
	int err = wait_event_killable(
		&done->q, __atomic_load_n((bool *)&done->done, __ATOMIC_ACQUIRE));
	/* Killed, or the child may still be inside completion_done: both end with its
	 * lock. */
	(void)err;
	uint64_t flags = spin_lock_irq(&child->process->lock);
	child->vfork_done = NULL;
	spin_unlock_irq(&child->process->lock, flags);
}

int64_t process_clone(const struct clone_request *r)
{
	struct task *me = task_current(), *t;
	struct completion done;
	struct process *p;
	int err = check_flags(r);
	if (!err)
		err = check_limit(me);
	if (!err)
		err = task_new(me->thread.name, child_start, &t);
	if (err)
		return err;
	bool vfork = r->flags & CLONE_VFORK;
	if (vfork) {
		completion_init(&done);
		t->vfork_done = &done;
		task_get(t);
	}
	err = build(t, r, &p);
	if (err) {
		if (vfork)
			task_put(t);
		discard(t);
		return err;
	}
	int32_t tid = t->tid;
	int event = trace_event_of(r);
	if (r->flags & CLONE_PARENT_SETTID)
		/* as Linux: a bad address is no error */
		(void)!put_user(r->parent_tid, tid);
	sched_start(&t->thread);
	if (event)
		trace_event(event, (uint64_t)tid);
	if (vfork) {
		vfork_wait(t, &done);
		task_put(t);
		trace_event(PTRACE_EVENT_VFORK_DONE, (uint64_t)tid);
	}
	return tid;
}

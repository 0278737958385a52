/* Coming under filters, and who can see them. See seccomp.h for what always holds. */
#include "proc/seccomp.h"

#include "core/panic.h"
#include "fs/files.h"
#include "lib/fmt.h"
#include "mm/usercopy.h"
#include "proc/audit.h"
#include "proc/cred_change.h"
#include "proc/proc.h"
#include "proc/ptrace.h"
#include "proc/seccomp_filter.h"

#define FLAGS_KNOWN                                                                      \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |                           \
	 SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER |             \
	 SECCOMP_FILTER_FLAG_TSYNC_ESRCH | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

/* ---- in force ---- */

struct install {
	struct seccomp_filter *filter;
	uint32_t flags;
	uint64_t asks[POLICY_NUMBERS / 64];
	struct audit_draft draft;
};

/* Who runs may read both without the lock: the filter is there before it is asked. */
static void raise_gate(struct gate *g, struct seccomp_filter *top, const uint64_t *asks)
{
	__atomic_store_n(&g->filter, top, __ATOMIC_RELEASE);
	for (size_t i = 0; i < ARRAY_LEN(g->asks); i++)
		__atomic_store_n(&g->asks[i], g->asks[i] | asks[i], __ATOMIC_RELEASE);
}

static bool has_listener(const struct seccomp_filter *f)
{
	for (; f; f = f->below)
		if (f->notifier && !notifier_is_closed(f->notifier))
			return true;
	return false;
}

/* Others that are under a filter of their own stay as they are. 0: there are none. */
static int32_t cannot_follow(const struct process *p)
{
	const struct task *me = task_current();

	list_for_each(t, &p->tasks, struct task, link)
	{
		const struct gate *g = &t->thread.gate;
		if (t == me || t->exiting)
			continue;
		if (g->strict ||
		    !seccomp_filter_stands_on(me->thread.gate.filter, g->filter))
			return t->tid;
	}
	return 0;
}

static int64_t may_install(const struct process *p, const struct install *n)
{
	const struct gate *g = &thread_current()->gate;

	if (g->strict)
		return -EINVAL;
	if (n->filter->notifier && has_listener(g->filter))
		return -EBUSY;
	if (seccomp_filter_total(n->filter, g->filter) > SECCOMP_TOTAL_MAX)
		return -ENOMEM;
	if (!(n->flags & SECCOMP_FILTER_FLAG_TSYNC))
		return 0;
	/* Another thread is about to be all there is, with credentials that it has
	 * chosen already; this one ends. */
	if (p->exec_task)
		return -EINTR;
	int32_t tid = cannot_follow(p);
	return tid && (n->flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH) ? -ESRCH : tid;
}

static void follow(struct task *t, const struct gate *leader)
{
	struct gate *g = &t->thread.gate;
	struct seccomp_filter *old = g->filter;

	seccomp_filter_use(leader->filter);
	raise_gate(g, leader->filter, leader->asks);
	seccomp_filter_unuse(old); /* not the last: it is in the chain */
	if (task_no_new_privs(task_current()))
		__atomic_store_n(&t->no_new_privs, true, __ATOMIC_RELEASE);
}

static void commit(struct process *p, struct install *n)
{
	struct task *me = task_current();
	struct gate *g = &me->thread.gate;

	seccomp_filter_put_on(n->filter, g->filter);
	raise_gate(g, n->filter, n->asks);
	n->filter = NULL;
	audit_add(&n->draft, me->thread.cred, me->thread.cred, 0);
	if (!(n->flags & SECCOMP_FILTER_FLAG_TSYNC))
		return;
	list_for_each(t, &p->tasks, struct task,
		      link) if (t != me && !t->exiting &&
				t->thread.gate.filter != g->filter) follow(t, g);
}

static int64_t put_in_force(struct install *n)
{
	struct process *p = process_current();
	char text[AUDIT_TEXT_SIZE];

	seccomp_filter_asks(n->filter, thread_current()->gate.asks, n->asks);
	int64_t err = audit_begin(&n->draft, AUDIT_EVENT_POLICY, AUDIT_CAUSE_ASKED);
	if (err)
		return err;
	fmt_to(text, sizeof(text), "seccomp filter of %u instructions", n->filter->n);
	audit_text(&n->draft, text);
	uint64_t flags = spin_lock_irq(&p->lock);
	err = may_install(p, n);
	if (!err)
		commit(p, n);
	spin_unlock_irq(&p->lock, flags);
	audit_cancel(&n->draft);
	return err;
}

/* ---- with a listener ---- */

static int64_t install_listened(struct install *n)
{
	struct file *file;
	int fd = fd_reserve(0);

	if (fd < 0)
		return fd;
	int64_t err = notifier_new(n->flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
				   &n->filter->notifier, &file);
	if (err) {
		fd_release(fd);
		return err;
	}
	err = put_in_force(n);
	if (err) {
		fd_release(fd);
		file_put(file);
		return err;
	}
	fd_install(fd, file, true);
	return fd;
}

static bool flags_agree(uint32_t flags)
{
	bool listens = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;

	if (flags & ~(uint32_t)FLAGS_KNOWN)
		return false;
	/* Both would have the result to themselves. */
	if (listens && (flags & SECCOMP_FILTER_FLAG_TSYNC) &&
	    !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
		return false;
	return listens || !(flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

int64_t seccomp_set_filter(uint32_t flags, uaddr_t program)
{
	struct install n = { .flags = flags };

	if (!flags_agree(flags))
		return -EINVAL;
	int64_t err = seccomp_filter_from_user(program, &n.filter);
	if (err)
		return err;
	n.filter->log = flags & SECCOMP_FILTER_FLAG_LOG;
	err = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER ? install_listened(&n)
						       : put_in_force(&n);
	seccomp_filter_unuse(n.filter);
	return err;
}

/* ---- strict mode ---- */

int64_t seccomp_set_strict(void)
{
	struct task *t = task_current();
	struct gate *g = &t->thread.gate;
	struct audit_draft draft;

	int err = audit_begin(&draft, AUDIT_EVENT_POLICY, AUDIT_CAUSE_ASKED);
	if (err)
		return err;
	audit_text(&draft, "seccomp strict mode");
	uint64_t flags = spin_lock_irq(&t->process->lock);
	bool may = !g->filter;
	if (may) {
		g->strict = true;
		g->asks[0] |= ~SECCOMP_STRICT_PASSES;
		for (size_t i = 1; i < ARRAY_LEN(g->asks); i++)
			g->asks[i] = UINT64_MAX;
		audit_add(&draft, t->thread.cred, t->thread.cred, 0);
	}
	spin_unlock_irq(&t->process->lock, flags);
	audit_cancel(&draft);
	if (!may)
		return -EINVAL;
	/* As on Linux: no clock to measure others by. */
	arch_set_no_tsc(&t->thread.arch, true);
	return 0;
}

/* ---- clone and exit ---- */

void seccomp_inherit(struct task *t)
{
	must_hold(&process_current()->lock);
	if (t->thread.gate.filter)
		seccomp_filter_use(t->thread.gate.filter);
	t->no_new_privs = task_current()->no_new_privs;
}

void seccomp_exit(void)
{
	struct task *t = task_current();
	uint64_t flags = spin_lock_irq(&t->process->lock);
	struct seccomp_filter *f = t->thread.gate.filter;

	t->thread.gate.filter = NULL;
	spin_unlock_irq(&t->process->lock, flags);
	seccomp_filter_unuse(f);
}

/* ---- what others see ---- */

void seccomp_state_get(struct task *t, struct seccomp_state *ret)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	const struct gate *g = &t->thread.gate;

	ret->n_filters = g->filter ? g->filter->depth : 0;
	ret->mode = g->strict	? SECCOMP_MODE_STRICT
		    : g->filter ? SECCOMP_MODE_FILTER
				: SECCOMP_MODE_DISABLED;
	spin_unlock_irq(&t->process->lock, flags);
}

/* Who is under filters may not read those of others. */
static bool may_peek(void)
{
	return !thread_current()->gate.filter &&
	       cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN);
}

/* *ret_held is for the caller to put, *ret is in its chain. */
static int find(struct task *t, uint64_t index, struct seccomp_filter **ret_held,
		const struct seccomp_filter **ret)
{
	struct seccomp_filter *top = seccomp_filter_of(t);

	if (!top)
		return -EINVAL;
	if (index >= top->depth) {
		seccomp_filter_put(top);
		return -ENOENT;
	}
	*ret_held = top;
	*ret = top;
	while ((*ret)->depth > index + 1)
		*ret = (*ret)->below;
	return 0;
}

int64_t seccomp_peek(struct task *t, uint64_t index, uaddr_t to)
{
	struct seccomp_filter *held;
	const struct seccomp_filter *f;

	if (!may_peek())
		return -EACCES;
	int64_t err = find(t, index, &held, &f);
	if (err)
		return err;
	if (to.va)
		err = copy_out(to, f->code, f->n * sizeof(f->code[0]));
	if (!err)
		err = f->n;
	seccomp_filter_put(held);
	return err;
}

int64_t seccomp_peek_metadata(struct task *t, uint64_t size, uaddr_t at)
{
	struct seccomp_metadata m = { 0 };
	struct seccomp_filter *held;
	const struct seccomp_filter *f;

	if (!may_peek())
		return -EACCES;
	size = MIN(size, sizeof(m));
	if (size < sizeof(m.filter_off))
		return -EINVAL;
	if (get_user(m.filter_off, at))
		return -EFAULT;
	int err = find(t, m.filter_off, &held, &f);
	if (err)
		return err;
	if (f->log)
		m.flags |= SECCOMP_FILTER_FLAG_LOG;
	seccomp_filter_put(held);
	return copy_out(at, &m, size) ? -EFAULT : (int64_t)size;
}

/* /proc/<pid>: the entries of a line or two, by proc(5). */
#include <linux/capability.h>

#include "lib/fmt.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "proc/procfs.h"

static struct process *process_of(void *task)
{
	return ((struct task *)task)->process;
}

/* ---- name ---- */

int procfs_show_comm(struct proc_text *o, void *task)
{
	proc_printf(o, "%s\n", ((struct task *)task)->thread.name);
	return 0;
}

/* Only threads of the same process rename one another. */
int procfs_store_comm(char *text, size_t n, void *task)
{
	struct task *t = task;
	uint64_t flags;

	if (t->process != process_current())
		return -EINVAL;
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	flags = spin_lock_irq(&t->process->lock);
	str_copy(t->thread.name, text, sizeof t->thread.name);
	spin_unlock_irq(&t->process->lock, flags);
	return 0;
}

/* ---- out of memory ---- */

#define ADJ_MIN (-1000)
#define ADJ_MAX 1000
/* What oom_score_adj replaced. */
#define OLD_ADJ_MIN (-17)
#define OLD_ADJ_MAX 15

/* Of all memory in thousandths, from 0 to 2000, by two thirds, as Linux tells it. */
int procfs_show_oom_score(struct proc_text *o, void *task)
{
	int64_t adj = process_of(task)->oom_score_adj, points = 0;
	struct space *s = task_space_get(task);
	struct page_stats pages;

	page_stats_get(&pages);
	if (s && pages.total)
		points = (s->rss_anon + s->rss_shmem + s->rss_file) * 1000 / pages.total;
	if (s && adj > ADJ_MIN)
		points = MAX((1000 + points + adj) * 2 / 3, 0);
	else
		points = 0;
	if (s)
		space_put(s);
	proc_printf(o, "%ld\n", (long)points);
	return 0;
}

int procfs_show_oom_score_adj(struct proc_text *o, void *task)
{
	proc_printf(o, "%d\n", process_of(task)->oom_score_adj);
	return 0;
}

/* Making oneself safer than whoever had the privilege has left one takes privilege. */
static int adj_set(struct process *p, int64_t v)
{
	const struct cred *c = thread_current()->cred;
	bool may = cred_holds_cap(c, CAP_SYS_RESOURCE);
	int err = 0;
	uint64_t flags = spin_lock_irq(&p->lock);

	if (v < p->oom_score_adj_min && !cred_has_cap(c, CAP_SYS_RESOURCE))
		err = -EACCES;
	else
		p->oom_score_adj = v;
	if (!err && may)
		p->oom_score_adj_min = v;
	spin_unlock_irq(&p->lock, flags);
	return err;
}

int procfs_store_oom_score_adj(char *text, size_t n, void *task)
{
	int64_t v;

	if (proc_parse_i64(text, &v) || v < ADJ_MIN || v > ADJ_MAX)
		return -EINVAL;
	return adj_set(process_of(task), v);
}

int procfs_show_oom_adj(struct proc_text *o, void *task)
{
	int32_t v = process_of(task)->oom_score_adj;

	proc_printf(o, "%d\n", v == ADJ_MAX ? OLD_ADJ_MAX : v * -OLD_ADJ_MIN / ADJ_MAX);
	return 0;
}

int procfs_store_oom_adj(char *text, size_t n, void *task)
{
	int64_t v;

	if (proc_parse_i64(text, &v) || v < OLD_ADJ_MIN || v > OLD_ADJ_MAX)
		return -EINVAL;
	return adj_set(process_of(task),
		       v == OLD_ADJ_MAX ? ADJ_MAX : v * ADJ_MAX / -OLD_ADJ_MIN);
}

/* ---- where it waits ---- */

static const char *const call_names[] = {
#define SYSCALL_NAME(number, name) [number] = #name,
#define SYSCALL0(number, name, ...) SYSCALL_NAME(number, name)
#define SYSCALL1(number, name, ...) SYSCALL_NAME(number, name)
#define SYSCALL2(number, name, ...) SYSCALL_NAME(number, name)
#define SYSCALL3(number, name, ...) SYSCALL_NAME(number, name)
#define SYSCALL4(number, name, ...) SYSCALL_NAME(number, name)
#define SYSCALL5(number, name, ...) SYSCALL_NAME(number, name)
#define SYSCALL6(number, name, ...) SYSCALL_NAME(number, name)
#include "lib/abi/syscalls.def"
};

/* The registers a sleeping thread (or this one) went to the kernel with. False: it runs,
 * or is gone. It may run again at any time: the copy may then be of two calls, all of it
 * the user's. */
static bool sleeping_regs(struct task *t, struct pt_regs *ret)
{
	char state = task_state_letter(t);

	if ((state == 'R' && t != task_current()) || state == 'Z')
		return false;
	*ret = *task_user_regs(t);
	return true;
}

/* The call it sleeps in; NULL: none. */
static const char *call_name(struct task *t)
{
	struct pt_regs r;

	if (t == task_current() || !sleeping_regs(t, &r) ||
	    r.orig_rax >= ARRAY_LEN(call_names))
		return NULL;
	return call_names[r.orig_rax];
}

/* No function of the kernel's is named to anybody: the call says as much. */
int procfs_show_wchan(struct proc_text *o, void *task)
{
	bool look = procfs_may_look(task, thread_current()->cred);
	const char *name = look ? call_name(task) : NULL;

	proc_printf(o, name ? "sys_%s" : "0", name);
	return 0;
}

int procfs_show_stack(struct proc_text *o, void *task)
{
	const char *name;

	if (!cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
		return -EACCES;
	name = call_name(task);
	if (name)
		proc_printf(o, "[<0>] sys_%s+0x0/0x0\n", name);
	return 0;
}

int procfs_show_syscall(struct proc_text *o, void *task)
{
	struct pt_regs r;

	if (!sleeping_regs(task, &r))
		proc_printf(o, "running\n");
	else if (r.orig_rax >= ARRAY_LEN(call_names))
		proc_printf(o, "-1 0x%lx 0x%lx\n", r.rsp, r.rip);
	else
		proc_printf(o, "%lu 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n",
			    r.orig_rax, r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9, r.rsp,
			    r.rip);
	return 0;
}

/* ---- what everybody has ---- */

int procfs_show_cgroup(struct proc_text *o, void *task)
{
	proc_printf(o, "0::/\n");
	return 0;
}

int procfs_show_personality(struct proc_text *o, void *task)
{
	proc_printf(o, "%08x\n", ((struct task *)task)->persona);
	return 0;
}

int procfs_show_login_uid(struct proc_text *o, void *task)
{
	proc_printf(o, "%u", ((struct task *)task)->login_uid);
	return 0;
}

/* A thread says it of itself: who has yet to log in may, and from then on it stays for
 * all that the thread starts, whatever set-user-ID programs it runs. */
int procfs_store_login_uid(char *text, size_t n, void *task)
{
	static _Atomic uint32_t logins;
	struct task *me = task_current();
	uint64_t uid;

	if (task != me)
		return -EPERM;
	int err = proc_parse_u64(text, &uid);
	if (err || uid > UINT32_MAX)
		return err ? err : -ERANGE;
	if (me->login_uid != LOGIN_NONE &&
	    !cred_has_cap(me->thread.cred, CAP_AUDIT_CONTROL))
		return -EPERM;
	me->login_uid = (uint32_t)uid;
	me->login_session = LOGIN_NONE;
	while (uid != LOGIN_NONE && me->login_session == LOGIN_NONE)
		me->login_session = ++logins;
	return 0;
}

int procfs_show_login_session(struct proc_text *o, void *task)
{
	proc_printf(o, "%u", ((struct task *)task)->login_session);
	return 0;
}

int procfs_show_core_filter(struct proc_text *o, void *task)
{
	proc_printf(o, "%08x\n", (unsigned)process_of(task)->core_filter);
	return 0;
}

int procfs_store_core_filter(char *text, size_t n, void *task)
{
	uint64_t v;

	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	if (fmt_parse_u64(text, 0, &v, NULL) || v > UINT32_MAX)
		return -EINVAL;
	process_of(task)->core_filter = v & 0x1ff; /* as many kinds of memory there are */
	return 0;
}

/* ---- scheduling ---- */

int procfs_show_schedstat(struct proc_text *o, void *task)
{
	struct task *t = task;

	proc_printf(o, "%lu 0 %lu\n", (unsigned long)sched_thread_ns(&t->thread),
		    (unsigned long)(t->thread.switches_voluntary +
				    t->thread.switches_forced));
	return 0;
}

static void print_ms(struct proc_text *o, const char *name, uint64_t ns)
{
	proc_printf(o, "%-45s:%14llu.%06llu\n", name,
		    (unsigned long long)(ns / NSEC_PER_MSEC),
		    (unsigned long long)(ns % NSEC_PER_MSEC));
}

int procfs_show_sched(struct proc_text *o, void *task)
{
	struct task *t = task;
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{ "nr_switches",
		  t->thread.switches_voluntary + t->thread.switches_forced },
		{ "nr_voluntary_switches", t->thread.switches_voluntary },
		{ "nr_involuntary_switches", t->thread.switches_forced },
		{ "policy", t->thread.policy },
		{ "prio",
		  t->thread.rt ? 99u - t->thread.rt : (uint64_t)(120 + t->thread.nice) },
	};

	proc_printf(o,
		    "%s (%d, #threads: %u)\n"
		    "---------------------------------------------------------"
		    "----------\n",
		    t->thread.name, t->tid, t->process->n_tasks);
	print_ms(o, "se.exec_start", clock_mono());
	print_ms(o, "se.vruntime", t->thread.vruntime);
	print_ms(o, "se.sum_exec_runtime", sched_thread_ns(&t->thread));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		proc_printf(o, "%-45s:%21llu\n", rows[i].name,
			    (unsigned long long)rows[i].n);
	return 0;
}

/* ---- timer slack ---- */

static int may_slack(struct task *t)
{
	const struct cred *c = thread_current()->cred;

	return t == task_current() || cred_has_cap(c, CAP_SYS_NICE) ? 0 : -EPERM;
}

int procfs_show_slack(struct proc_text *o, void *task)
{
	int err = may_slack(task);

	if (!err)
		proc_printf(o, "%lu\n",
			    (unsigned long)((struct task *)task)->timer_slack_ns);
	return err;
}

int procfs_store_slack(char *text, size_t n, void *task)
{
	struct task *t = task;
	uint64_t ns;
	int err = proc_parse_u64(text, &ns);

	if (!err)
		err = may_slack(t);
	if (!err)
		t->timer_slack_ns = ns ? ns : t->timer_slack_first;
	return err;
}

/* ---- children ---- */

#define BATCH 64

/* The children after the first `skip`, as many as there is room for. */
static size_t children_get(const struct process *p, uint64_t skip, int32_t *ret)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	size_t n = 0;

	list_for_each(c, &p->children, struct process, sibling)
	{
		if (skip) {
			skip--;
			continue;
		}
		if (n == BATCH)
			break;
		ret[n++] = c->pid;
	}
	spin_unlock_irq(&tasklist_lock, flags);
	return n;
}

/* Processes have children, their threads do not: all are told of the first thread. */
int procfs_show_children(struct proc_text *o, void *task)
{
	struct task *t = task;
	int32_t pid[BATCH];
	size_t n;

	if (t->tid != t->process->pid)
		return 0;
	do {
		n = children_get(t->process, o->cursor, pid);
		for (size_t i = 0; i < n; i++)
			proc_printf(o, "%d ", pid[i]);
		o->cursor += n;
		if (proc_full(o))
			return PROC_MORE;
	} while (n == BATCH);
	return 0;
}

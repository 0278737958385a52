/* /proc/<pid>/stat, statm, io and limits: one line or table each, by proc(5). */
#include "mm/space.h"
#include "proc/proc.h"
#include "proc/procfs.h"
#include "proc/signal.h"

/* ---- what several files need ---- */

static void actions_get(struct sighand *h, struct procfs_signals *ret)
{
	uint64_t flags = spin_lock_irq(&h->lock);

	for (int sig = 1; sig <= SIGNAL_MAX; sig++) {
		if (h->action[sig - 1].sa_handler == SIG_IGN)
			ret->ignored |= SIG_BIT(sig);
		else if (h->action[sig - 1].sa_handler != SIG_DFL)
			ret->caught |= SIG_BIT(sig);
	}
	spin_unlock_irq(&h->lock, flags);
}

void procfs_signals_get(struct task *t, struct procfs_signals *ret)
{
	struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&p->lock);

	*ret = (struct procfs_signals){
		.pending = t->pending.set,
		.shared = p->pending.set,
		.blocked = t->blocked,
		.queued = t->account ? t->account->signals : 0,
	};
	if (p->sighand)
		actions_get(p->sighand, ret);
	spin_unlock_irq(&p->lock, flags);
}

/* ---- stat ---- */

/* What the line says beside the memory's part. */
struct stat_facts {
	int32_t ppid, pgrp, session, tty_nr, tpgid, exit_signal, threads, exit_code;
	struct rusage_acc own, children;
	struct procfs_signals signals;
};

static void tree_facts(struct process *p, struct stat_facts *f)
{
	struct tty *tty;
	uint64_t flags = spin_lock_irq(&tasklist_lock);

	f->pgrp = p->pgrp;
	f->session = p->session;
	f->exit_signal = p->exit_signal;
	tty = p->tty ? tty_get(p->tty) : NULL;
	spin_unlock_irq(&tasklist_lock, flags);
	f->tpgid = -1;
	if (!tty)
		return;
	f->tty_nr = tty_device_number(tty);
	f->tpgid = tty_foreground_pgrp(tty);
	tty_put(tty);
}

static void facts_get(struct task *t, bool thread, struct stat_facts *f)
{
	struct process *p = t->process;
	uint64_t flags;

	*f = (struct stat_facts){ .ppid = process_parent_pid(p) };
	tree_facts(p, f);
	if (thread)
		task_usage(t, &f->own);
	else
		process_usage(p, &f->own);
	procfs_signals_get(t, &f->signals);
	flags = spin_lock_irq(&p->lock);
	f->children = p->dead_children;
	f->threads = p->n_tasks;
	f->exit_code = p->exit_status;
	spin_unlock_irq(&p->lock, flags);
}

static void print_memory(struct proc_text *o, struct task *t, bool look)
{
	unsigned long limit = t->process->limits[RLIMIT_RSS].rlim_cur;
	struct space *s = task_space_get(t);

	if (!s) {
		proc_printf(o, " 0 0 %lu 0 0 0 0 0", limit);
		return;
	}
	/* Addresses help an attacker: only for those who could trace it anyway. */
	proc_printf(o, " %lu %lu %lu %lu %lu %lu 0 0",
		    (unsigned long)(s->total_pages * PAGE_SIZE),
		    (unsigned long)(s->rss_anon + s->rss_file + s->rss_shmem), limit,
		    look ? (unsigned long)s->code_start : 1ul,
		    look ? (unsigned long)s->code_end : 1ul,
		    look ? (unsigned long)s->stack_start : 0ul);
	space_put(s);
}

static void print_addresses(struct proc_text *o, struct task *t, bool look, int code)
{
	struct space *s = look ? task_space_get(t) : NULL;

	if (!s) {
		proc_printf(o, " 0 0 0 0 0 0 0 %d", look ? code : 0);
		return;
	}
	proc_printf(o, " %lu %lu %lu %lu %lu %lu %lu %d", (unsigned long)s->data_start,
		    (unsigned long)s->data_end, (unsigned long)s->brk_start,
		    (unsigned long)s->arg_start, (unsigned long)s->arg_end,
		    (unsigned long)s->env_start, (unsigned long)s->env_end, code);
	space_put(s);
}

/* Bits of Linux's task flags that ps shows. */
#define FLAG_FORKED_ONLY 0x00000040u
#define FLAG_RANDOMIZED 0x00400000u

/* The 52 fields of proc(5). */
static int show_stat(struct proc_text *o, struct task *t, bool thread)
{
	struct process *p = t->process;
	bool look = procfs_may_look(t, thread_current()->cred);
	char state = task_state_letter(t);
	struct sched_class class;
	struct stat_facts f;

	facts_get(t, thread, &f);
	proc_printf(o, "%d (%s) %c %d %d %d %d %d %u", thread ? t->tid : p->pid,
		    t->thread.name, state, f.ppid, f.pgrp, f.session, f.tty_nr, f.tpgid,
		    FLAG_RANDOMIZED | (p->did_exec ? 0 : FLAG_FORKED_ONLY));
	proc_printf(o, " %lu %lu %lu %lu %lu %lu %lu %lu",
		    (unsigned long)f.own.counts.min_flt,
		    (unsigned long)f.children.counts.min_flt,
		    (unsigned long)f.own.counts.maj_flt,
		    (unsigned long)f.children.counts.maj_flt,
		    (unsigned long)ns_to_ticks(f.own.user_ns),
		    (unsigned long)ns_to_ticks(f.own.sys_ns),
		    (unsigned long)ns_to_ticks(f.children.user_ns),
		    (unsigned long)ns_to_ticks(f.children.sys_ns));
	sched_get_class(&t->thread, &class);
	proc_printf(o, " %d %d %d 0 %lu",
		    class.priority ? -1 - (int)class.priority : 20 + t->thread.nice,
		    t->thread.nice, f.threads,
		    (unsigned long)ns_to_ticks(thread ? t->start_ns : p->start_ns));
	print_memory(o, t, look);
	proc_printf(o, " %lu %lu %lu %lu %d 0 0 %d %u %u %u 0 0 0",
		    (unsigned long)((f.signals.pending | f.signals.shared) & INT32_MAX),
		    (unsigned long)(f.signals.blocked & INT32_MAX),
		    (unsigned long)(f.signals.ignored & INT32_MAX),
		    (unsigned long)(f.signals.caught & INT32_MAX), look && state != 'R',
		    f.exit_signal, t->thread.cpu, class.priority, class.policy);
	print_addresses(o, t, look, f.exit_code);
	proc_printf(o, "\n");
	return 0;
}

int procfs_show_stat(struct proc_text *o, void *task)
{
	return show_stat(o, task, false);
}

int procfs_show_stat_thread(struct proc_text *o, void *task)
{
	return show_stat(o, task, true);
}

/* ---- statm ---- */

int procfs_show_statm(struct proc_text *o, void *task)
{
	struct space *s = task_space_get(task);

	if (!s) {
		proc_printf(o, "0 0 0 0 0 0 0\n");
		return 0;
	}
	proc_printf(o, "%lu %lu %lu %lu 0 %lu 0\n", (unsigned long)s->total_pages,
		    (unsigned long)(s->rss_anon + s->rss_file + s->rss_shmem),
		    (unsigned long)(s->rss_file + s->rss_shmem),
		    (unsigned long)procfs_code_pages(s),
		    (unsigned long)(s->data_pages + s->stack_pages));
	space_put(s);
	return 0;
}

/* ---- io ---- */

static void print_io(struct proc_text *o, const struct thread_counts *c)
{
	proc_printf(o,
		    "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\nread_bytes: %lu\n"
		    "write_bytes: %lu\ncancelled_write_bytes: 0\n",
		    (unsigned long)c->rchar, (unsigned long)c->wchar,
		    (unsigned long)c->syscr, (unsigned long)c->syscw,
		    (unsigned long)c->read_bytes, (unsigned long)c->write_bytes);
}

/* With what children did that have been waited for. */
int procfs_show_io(struct proc_text *o, void *task)
{
	struct process *p = ((struct task *)task)->process;
	struct rusage_acc u;
	uint64_t flags = spin_lock_irq(&p->lock);

	process_usage_locked(p, &u);
	thread_counts_add(&u.counts, &p->dead_children.counts);
	spin_unlock_irq(&p->lock, flags);
	print_io(o, &u.counts);
	return 0;
}

int procfs_show_io_thread(struct proc_text *o, void *task)
{
	print_io(o, &((struct task *)task)->thread.counts);
	return 0;
}

/* ---- limits ---- */

static void print_limit(struct proc_text *o, uint64_t v)
{
	if (v == RLIM64_INFINITY)
		proc_printf(o, "%-20s ", "unlimited");
	else
		proc_printf(o, "%-20lu ", (unsigned long)v);
}

int procfs_show_limits(struct proc_text *o, void *task)
{
	static const struct {
		const char *name, *unit;
	} rows[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = { "Max cpu time", "seconds" },
		[RLIMIT_FSIZE] = { "Max file size", "bytes" },
		[RLIMIT_DATA] = { "Max data size", "bytes" },
		[RLIMIT_STACK] = { "Max stack size", "bytes" },
		[RLIMIT_CORE] = { "Max core file size", "bytes" },
		[RLIMIT_RSS] = { "Max resident set", "bytes" },
		[RLIMIT_NPROC] = { "Max processes", "processes" },
		[RLIMIT_NOFILE] = { "Max open files", "files" },
		[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIMIT_AS] = { "Max address space", "bytes" },
		[RLIMIT_LOCKS] = { "Max file locks", "locks" },
		[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIMIT_NICE] = { "Max nice priority", NULL },
		[RLIMIT_RTPRIO] = { "Max realtime priority", NULL },
		[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};
	struct process *p = ((struct task *)task)->process;
	struct rlimit64 limits[RLIM_NLIMITS];
	uint64_t flags = spin_lock_irq(&p->lock);

	for (int i = 0; i < RLIM_NLIMITS; i++)
		limits[i] = p->limits[i];
	spin_unlock_irq(&p->lock, flags);
	proc_printf(o, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit",
		    "Units");
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		proc_printf(o, "%-25s ", rows[i].name);
		print_limit(o, limits[i].rlim_cur);
		print_limit(o, limits[i].rlim_max);
		proc_printf(o, rows[i].unit ? "%-10s\n" : "\n", rows[i].unit);
	}
	return 0;
}

/* /proc/<pid>/status: the same as stat and statm, for people, by proc(5). */
#include "mm/space.h"
#include "proc/proc.h"
#include "proc/procfs.h"
#include "proc/seccomp.h"

static void print_ids(struct proc_text *o, const struct cred *c)
{
	proc_printf(o, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid,
		    c->suid, c->fsuid, c->gid, c->egid, c->sgid, c->fsgid);
}

static void print_groups(struct proc_text *o, const struct cred *c)
{
	proc_printf(o, "Groups:\t");
	for (uint32_t i = 0; c->groups && i < c->groups->n; i++)
		proc_printf(o, "%u ", c->groups->gid[i]);
	proc_printf(o, "\n");
}

static void print_memory(struct proc_text *o, struct task *t)
{
	struct space *s = task_space_get(t);

	if (!s)
		return;
	uint64_t rss = s->rss_anon + s->rss_file + s->rss_shmem;
	uint64_t exe = procfs_code_pages(s);
	const struct {
		const char *name;
		uint64_t pages;
	} rows[] = {
		{ "VmPeak", s->total_peak },
		{ "VmSize", s->total_pages },
		{ "VmLck", s->locked_pages },
		{ "VmPin", 0 },
		{ "VmHWM", MAX(s->rss_peak, rss) },
		{ "VmRSS", rss },
		{ "RssAnon", s->rss_anon },
		{ "RssFile", s->rss_file },
		{ "RssShmem", s->rss_shmem },
		{ "VmData", s->data_pages },
		{ "VmStk", s->stack_pages },
		{ "VmExe", exe },
		{ "VmLib", s->exec_pages - MIN(s->exec_pages, exe) },
		{ "VmPTE", space_table_pages(s) },
		{ "VmSwap", 0 },
		{ "HugetlbPages", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		proc_printf(o, "%s:\t%8lu kB\n", rows[i].name,
			    (unsigned long)(rows[i].pages * (PAGE_SIZE / 1024)));
	proc_printf(o, "CoreDumping:\t0\nTHP_enabled:\t0\n");
	space_put(s);
}

static void print_signals(struct proc_text *o, struct task *t)
{
	struct procfs_signals s;

	procfs_signals_get(t, &s);
	proc_printf(o,
		    "SigQ:\t%u/%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n"
		    "SigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		    s.queued,
		    (unsigned long)t->process->limits[RLIMIT_SIGPENDING].rlim_cur,
		    (unsigned long)s.pending, (unsigned long)s.shared,
		    (unsigned long)s.blocked, (unsigned long)s.ignored,
		    (unsigned long)s.caught);
}

static void print_privileges(struct proc_text *o, struct task *t, const struct cred *c)
{
	struct seccomp_state s;

	seccomp_state_get(t, &s);
	proc_printf(
		o,
		"CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n"
		"CapAmb:\t%016lx\nNoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n",
		(unsigned long)c->cap_inheritable, (unsigned long)c->cap_permitted,
		(unsigned long)c->cap_effective, (unsigned long)c->cap_bounding,
		(unsigned long)c->cap_ambient, c->no_new_privs || t->no_new_privs, s.mode,
		s.n_filters);
}

static const char *state_text(char letter)
{
	switch (letter) {
	case 'R':
		return "R (running)";
	case 'D':
		return "D (disk sleep)";
	case 'T':
		return "T (stopped)";
	case 't':
		return "t (tracing stop)";
	case 'Z':
		return "Z (zombie)";
	case 'X':
		return "X (dead)";
	default:
		return "S (sleeping)";
	}
}

static uint32_t umask_of(struct task *t)
{
	struct fs_ctx *fs = task_fs_get(t);
	uint32_t mask = 0;

	if (fs) {
		mask = fs->umask;
		fs_ctx_put(fs);
	}
	return mask;
}

static size_t fd_count(struct task *t)
{
	struct files *files = task_files_get(t);
	size_t n = 0;

	if (files) {
		n = files_count(files);
		files_put(files);
	}
	return n;
}

/* A name that cannot break the line it stands in. */
static void print_name(struct proc_text *o, const char *name)
{
	proc_printf(o, "Name:\t");
	for (; *name; name++) {
		if (*name == '\n')
			proc_printf(o, "\\n");
		else if (*name == '\\')
			proc_printf(o, "\\\\");
		else
			proc_write(o, name, 1);
	}
	proc_printf(o, "\n");
}

/* The same numbers again, as seen from each namespace: there is one. */
static void print_numbers(struct proc_text *o, const struct task *t)
{
	const struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	int32_t pgrp = p->pgrp, session = p->session;

	spin_unlock_irq(&tasklist_lock, flags);
	proc_printf(o, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", p->pid,
		    t->tid, pgrp, session);
}

static void print_places(struct proc_text *o, const struct task *t)
{
	cpumask_t cpus = t->thread.affinity & (BIT(cpu_count()) - 1);

	proc_printf(o, "Speculation_Store_Bypass:\tunknown\n"
		       "SpeculationIndirectBranch:\tunknown\nCpus_allowed:\t");
	proc_print_mask(o, cpus);
	proc_printf(o, "\nCpus_allowed_list:\t");
	proc_print_cpu_list(o, cpus);
	proc_printf(o, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static int32_t tracer_pid(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	const struct task *tracer = t->trace.tracer;
	int32_t pid = tracer ? tracer->process->pid : 0;
	spin_unlock_irq(&t->process->lock, flags);
	return pid;
}

int procfs_show_status(struct proc_text *o, void *task)
{
	struct task *t = task;
	struct process *p = t->process;
	struct cred *c = task_cred_get(t);

	print_name(o, t->thread.name);
	proc_printf(o,
		    "Umask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\n"
		    "PPid:\t%d\nTracerPid:\t%d\n",
		    umask_of(t), state_text(task_state_letter(t)), p->pid, t->tid,
		    process_parent_pid(p), tracer_pid(t));
	print_ids(o, c);
	proc_printf(o, "FDSize:\t%zu\n", ALIGN_UP(MAX(fd_count(t), 64u), 64u));
	print_groups(o, c);
	print_numbers(o, t);
	print_memory(o, t);
	proc_printf(o, "Threads:\t%u\n", p->n_tasks);
	print_signals(o, t);
	print_privileges(o, t, c);
	print_places(o, t);
	proc_printf(o,
		    "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		    (unsigned long)t->thread.switches_voluntary,
		    (unsigned long)t->thread.switches_forced);
	cred_put(c);
	return 0;
}

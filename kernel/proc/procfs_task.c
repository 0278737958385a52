/* The process layer's part of /proc: who is there, who may look, and the table of
 * entries. */
#include "core/panic.h"
#include "fs/mount.h"
#include "fs/procfs/mounts.h"
#include "lib/string.h"
#include "mm/space.h"
#include "proc/audit.h"
#include "proc/ptrace.h"
#include "proc/calltrace.h"
#include "proc/procfs.h"

/* ---- what procfs asks ---- */

static void *ops_find(int32_t pid, bool thread)
{
	struct task *t = task_find(pid);

	/* A thread that is no leader has a folder only in its process's task/. */
	if (t && !thread && t->tid != t->process->pid) {
		task_put(t);
		return NULL;
	}
	return t;
}

static void *ops_get(void *task)
{
	return task_get(task);
}

static void ops_put(void *task)
{
	task_put(task);
}

static int32_t ops_next_tid(void *task, int32_t from)
{
	return process_next_tid(((struct task *)task)->process, from);
}

static int32_t ops_self(void)
{
	return process_current()->pid;
}

static int32_t ops_self_tid(void)
{
	return task_current()->tid;
}

static bool is_dumpable(struct task *t)
{
	struct space *s = task_space_get(t);
	bool dumpable = !s || s->dumpable;

	if (s)
		space_put(s);
	return dumpable;
}

static void ops_owner(void *task, bool folder, uid_t *uid, gid_t *gid)
{
	struct cred *c = task_cred_get(task);

	*uid = c->euid;
	*gid = c->egid;
	if (!folder && !is_dumpable(task))
		*uid = *gid = 0;
	cred_put(c);
}

bool procfs_may_look(struct task *t, const struct cred *c)
{
	/* A process may look at itself; not with a descriptor from before it changed. */
	if (thread_current()->task && t->process == process_current() &&
	    c == thread_current()->cred)
		return true;
	return task_may_trace(t, c, TRACE_BY_FS_IDS);
}

static bool ops_may_look(void *task, const struct cred *c)
{
	return procfs_may_look(task, c);
}

static bool ops_alive(void *task)
{
	struct task *t = task;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	bool alive = !t->process->reaped && !list_empty(&t->link);

	spin_unlock_irq(&tasklist_lock, flags);
	return alive;
}

/* ---- mounts ---- */

/* As the task sees them, not as whoever reads. */
static int show_from_root(struct proc_text *o, void *task,
			  int (*show)(struct proc_text *o, const struct path *root))
{
	struct path root;
	int n;

	if (procfs_root_link(task, &root))
		return 0;
	n = show(o, &root);
	path_put(&root);
	return n;
}

static int show_mounts(struct proc_text *o, void *task)
{
	return show_from_root(o, task, proc_show_mounts);
}

static int show_mountinfo(struct proc_text *o, void *task)
{
	return show_from_root(o, task, proc_show_mountinfo);
}

static int show_mountstats(struct proc_text *o, void *task)
{
	return show_from_root(o, task, proc_show_mountstats);
}

/* ---- the table ---- */

#define TEXT(m) (S_IFREG | (m))
#define LINK (S_IFLNK | 0777)
#define FOLDER(m) (S_IFDIR | (m))

static const struct proc_pid_entry entries[] = {
	{ .name = "stat",
	  .mode = TEXT(0444),
	  .show = procfs_show_stat,
	  .show_thread = procfs_show_stat_thread },
	{ .name = "statm", .mode = TEXT(0444), .show = procfs_show_statm },
	{ .name = "status", .mode = TEXT(0444), .show = procfs_show_status },
	{ .name = "comm",
	  .mode = TEXT(0644),
	  .show = procfs_show_comm,
	  .store = procfs_store_comm },
	{ .name = "cmdline", .mode = TEXT(0444), .show = procfs_show_cmdline },
	{ .name = "environ",
	  .mode = TEXT(0400),
	  .guarded = true,
	  .show = procfs_show_environ },
	{ .name = "auxv", .mode = TEXT(0400), .guarded = true, .show = procfs_show_auxv },
	{ .name = "maps", .mode = TEXT(0444), .guarded = true, .show = procfs_show_maps },
	{ .name = "smaps",
	  .mode = TEXT(0444),
	  .guarded = true,
	  .show = procfs_show_smaps },
	{ .name = "smaps_rollup",
	  .mode = TEXT(0444),
	  .guarded = true,
	  .leader_only = true,
	  .show = procfs_show_rollup },
	{ .name = "mem", .mode = TEXT(0600), .guarded = true, .fops = &procfs_mem_ops },
	{ .name = "pagemap",
	  .mode = TEXT(0400),
	  .guarded = true,
	  .fops = &procfs_pagemap_ops },
	{ .name = "clear_refs", .mode = TEXT(0200), .store = procfs_store_clear_refs },
	{ .name = "io",
	  .mode = TEXT(0400),
	  .guarded = true,
	  .show = procfs_show_io,
	  .show_thread = procfs_show_io_thread },
	{ .name = "limits", .mode = TEXT(0444), .show = procfs_show_limits },
	{ .name = "exe", .mode = LINK, .guarded = true, .link = procfs_exe_link },
	{ .name = "cwd", .mode = LINK, .guarded = true, .link = procfs_cwd_link },
	{ .name = "root", .mode = LINK, .guarded = true, .link = procfs_root_link },
	{ .name = "fd",
	  .mode = FOLDER(0500),
	  .guarded = true,
	  .list = procfs_fd_list,
	  .link_name = procfs_fd_link,
	  .link_mode = procfs_fd_mode },
	{ .name = "fdinfo",
	  .mode = FOLDER(0555),
	  .guarded = true,
	  .list = procfs_fd_list,
	  .show_name = procfs_fd_info },
	{ .name = "ns",
	  .mode = FOLDER(0511),
	  .guarded = true,
	  .list = procfs_ns_list,
	  .link_name = procfs_ns_link,
	  .link_name_text = procfs_ns_text },
	{ .name = "mounts",
	  .mode = TEXT(0444),
	  .show = show_mounts,
	  .changes = mount_changes },
	{ .name = "mountinfo",
	  .mode = TEXT(0444),
	  .show = show_mountinfo,
	  .changes = mount_changes },
	{ .name = "mountstats",
	  .mode = TEXT(0400),
	  .leader_only = true,
	  .show = show_mountstats },
	{ .name = "oom_score", .mode = TEXT(0444), .show = procfs_show_oom_score },
	{ .name = "oom_adj",
	  .mode = TEXT(0644),
	  .show = procfs_show_oom_adj,
	  .store = procfs_store_oom_adj },
	{ .name = "oom_score_adj",
	  .mode = TEXT(0644),
	  .show = procfs_show_oom_score_adj,
	  .store = procfs_store_oom_score_adj },
	{ .name = "wchan", .mode = TEXT(0444), .show = procfs_show_wchan },
	{ .name = "stack", .mode = TEXT(0400), .show = procfs_show_stack },
	{ .name = "syscall",
	  .mode = TEXT(0400),
	  .guarded = true,
	  .show = procfs_show_syscall },
	{ .name = "cgroup", .mode = TEXT(0444), .show = procfs_show_cgroup },
	{ .name = "personality",
	  .mode = TEXT(0400),
	  .guarded = true,
	  .show = procfs_show_personality },
	{ .name = "loginuid",
	  .mode = TEXT(0644),
	  .show = procfs_show_login_uid,
	  .store = procfs_store_login_uid },
	{ .name = "sessionid", .mode = TEXT(0444), .show = procfs_show_login_session },
	{ .name = "schedstat", .mode = TEXT(0444), .show = procfs_show_schedstat },
	{ .name = "sched", .mode = TEXT(0444), .show = procfs_show_sched },
	{ .name = "timerslack_ns",
	  .mode = TEXT(0666),
	  .leader_only = true,
	  .show = procfs_show_slack,
	  .store = procfs_store_slack },
	{ .name = "coredump_filter",
	  .mode = TEXT(0644),
	  .leader_only = true,
	  .show = procfs_show_core_filter,
	  .store = procfs_store_core_filter },
	{ .name = "children",
	  .mode = TEXT(0444),
	  .thread_only = true,
	  .show = procfs_show_children },
};

static const struct proc_task_ops ops = {
	.find = ops_find,
	.get = ops_get,
	.put = ops_put,
	.next_pid = process_next,
	.next_tid = ops_next_tid,
	.self = ops_self,
	.self_tid = ops_self_tid,
	.owner = ops_owner,
	.may_look = ops_may_look,
	.alive = ops_alive,
	.entries = entries,
	.n_entries = ARRAY_LEN(entries),
};

static void fill(void)
{
	procfs_global_fill();
	calltrace_fill();
	audit_fill();
	procfs_sysctl_fill();
}

void procfs_tasks_init(void)
{
	static struct proc_filler filler = { .fill = fill };

	proc_set_task_ops(&ops);
	insist(!proc_fill_later("", &filler));
}

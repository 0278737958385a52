/* The process layer's part of /proc: between its files, and what starts it. */
#ifndef PROC_PROCFS_H
#define PROC_PROCFS_H

#include "fs/procfs/procfs.h"
#include "mm/space.h"
#include "proc/task.h"

#define CLOCK_TICKS 100 /* USER_HZ: the unit of CPU times in /proc */

static inline uint64_t ns_to_ticks(uint64_t ns)
{
	return ns / (NSEC_PER_SEC / CLOCK_TICKS);
}

void procfs_tasks_init(void);
void procfs_global_fill(void);
void procfs_sysctl_fill(void);

/* May somebody with these credentials look into t (ptrace(2),
 * PTRACE_MODE_READ_FSCREDS)? */
bool procfs_may_look(struct task *t, const struct cred *c);

/* ---- procfs_stat.c, procfs_status.c ---- */
int procfs_show_stat(struct proc_text *t, void *task);
int procfs_show_stat_thread(struct proc_text *t, void *task);
int procfs_show_statm(struct proc_text *t, void *task);
int procfs_show_status(struct proc_text *t, void *task);
int procfs_show_io(struct proc_text *t, void *task);
int procfs_show_io_thread(struct proc_text *t, void *task);
int procfs_show_limits(struct proc_text *t, void *task);

/* What the program's own code takes. */
static inline uint64_t procfs_code_pages(const struct space *s)
{
	return (ALIGN_UP(s->code_end, PAGE_SIZE) - ALIGN_DOWN(s->code_start, PAGE_SIZE)) /
	       PAGE_SIZE;
}

/* Signal sets as stat and status print them. */
struct procfs_signals {
	sigset64_t pending, shared, blocked, ignored, caught;
	uint32_t queued;
};
void procfs_signals_get(struct task *t, struct procfs_signals *ret);

/* ---- procfs_maps.c, procfs_mem.c ---- */
int procfs_show_maps(struct proc_text *t, void *task);
int procfs_show_smaps(struct proc_text *t, void *task);
int procfs_show_rollup(struct proc_text *t, void *task);
int procfs_show_cmdline(struct proc_text *t, void *task);
int procfs_show_environ(struct proc_text *t, void *task);
int procfs_show_auxv(struct proc_text *t, void *task);
int procfs_store_clear_refs(char *text, size_t n, void *task);
extern const struct file_ops procfs_mem_ops, procfs_pagemap_ops;

/* ---- procfs_fd.c ---- */
bool procfs_fd_list(void *task, uint64_t *pos, char *buf, size_t n);
int procfs_fd_link(void *task, const char *name, struct path *ret);
uint32_t procfs_fd_mode(void *task, const char *name);
int procfs_fd_info(struct proc_text *t, void *task, const char *name);
int procfs_exe_link(void *task, struct path *ret);
int procfs_cwd_link(void *task, struct path *ret);
int procfs_root_link(void *task, struct path *ret);

/* ---- procfs_ns.c, procfs_small.c ---- */
bool procfs_ns_list(void *task, uint64_t *pos, char *buf, size_t n);
int64_t procfs_ns_text(void *task, const char *name, char *buf, size_t n);
int procfs_ns_link(void *task, const char *name, struct path *ret);
int procfs_show_comm(struct proc_text *t, void *task);
int procfs_store_comm(char *text, size_t n, void *task);
int procfs_show_oom_score(struct proc_text *t, void *task);
int procfs_show_oom_score_adj(struct proc_text *t, void *task);
int procfs_store_oom_score_adj(char *text, size_t n, void *task);
int procfs_show_oom_adj(struct proc_text *t, void *task);
int procfs_store_oom_adj(char *text, size_t n, void *task);
int procfs_show_wchan(struct proc_text *t, void *task);
int procfs_show_stack(struct proc_text *t, void *task);
int procfs_show_syscall(struct proc_text *t, void *task);
int procfs_show_cgroup(struct proc_text *t, void *task);
int procfs_show_personality(struct proc_text *t, void *task);
int procfs_show_login_uid(struct proc_text *t, void *task);
int procfs_store_login_uid(char *text, size_t n, void *task);
int procfs_show_login_session(struct proc_text *t, void *task);
int procfs_show_schedstat(struct proc_text *t, void *task);
int procfs_show_sched(struct proc_text *t, void *task);
int procfs_show_slack(struct proc_text *t, void *task);
int procfs_store_slack(char *text, size_t n, void *task);
int procfs_show_core_filter(struct proc_text *t, void *task);
int procfs_store_core_filter(char *text, size_t n, void *task);
int procfs_show_children(struct proc_text *t, void *task);

#endif

/*
 * Processes and threads. A task is one thread; a process is what its threads share.
 *
 * Always true:
 *  T1  a task is on its process's list from creation until its exit is past the point where
 *      it could be seen; the leader stays until the process is reaped;
 *  T2  parent/child links, groups and sessions change only under tasklist_lock;
 *  T3  signal state of a process (handlers apart) changes only under process->lock.
 */
#ifndef PROC_TASK_H
#define PROC_TASK_H

#include <asm/signal.h>
#include <linux/resource.h>

#include "core/timer.h"
#include "dev/tty.h"
#include "fs/vfs.h"
#include "proc/sigset.h"

struct pid; /* a number and who bears it: thread, process, group, session */

struct task {
	struct thread thread;	  /* must stay first: thread_task() */
	struct ref refs;
	int32_t tid;		  /* [I] (exec by a non-leader changes it, group alone) */
	struct process *process;  /* [I] */
	struct list link;	  /* [tasklist_lock] process->tasks */

	/* guarded by process->lock */
	struct sigpending pending; /* for this thread alone */
	sigset64_t blocked, saved_blocked;
	bool exiting;

	/* own thread */
	uaddr_t sigaltstack;
	uint64_t sigaltstack_size;
	uint32_t sigaltstack_flags;
	uaddr_t clear_tid;	  /* CLONE_CHILD_CLEARTID */
	uaddr_t robust_list;
	uaddr_t rseq;
	uint32_t rseq_len, rseq_sig;
	struct completion *vfork_done; /* parent waits for exec or exit */
	struct restart_block {
		int64_t (*fn)(struct restart_block *r);
		uint64_t arg[6];
	} restart;
	int32_t pdeath_signal;
	uint64_t start_ns;	  /* [I] clock_mono at creation */
	uint64_t min_flt, maj_flt;
	struct files *files_ref;  /* what thread.files points at, owned */
	int32_t exit_code;	  /* wait status form */
};

struct process {
	struct ref refs;
	int32_t pid;		  /* [I] */
	struct task *leader;	  /* [tasklist_lock] */

	/* guarded by tasklist_lock */
	struct process *parent;
	struct list children, sibling, tasks;
	struct list group_link;	  /* members of the process group */
	struct list session_link;
	int32_t pgrp, session;
	struct tty *tty;	  /* controlling terminal, of the session; referenced */
	bool reaped, did_exec, is_subreaper;
	int32_t exit_signal;

	struct spinlock lock;	  /* RANK_SIGNAL */
	/* guarded by lock */
	struct sigpending pending; /* for any thread */
	struct sighand *sighand;  /* actions; shared by CLONE_SIGHAND */
	uint32_t n_tasks, n_live;
	bool exiting;		  /* group exit under way: exit_status holds */
	int32_t exit_status;	  /* wait status form */
	uint32_t stop_state;	  /* none, stopping, stopped, continued (waitable bits) */
	int32_t stop_signal;
	struct waitq child_wait;  /* wait4 of this process sleeps here */
	struct rlimit64 limits[RLIM_NLIMITS];
	struct rusage_acc {
		uint64_t user_ns, sys_ns, min_flt, maj_flt, nvcsw, nivcsw, max_rss;
	} dead_threads, dead_children;
	struct timer itimer_real;
	uint64_t itimer_real_interval;
	struct list posix_timers;
	int32_t next_timer_id;
	int32_t oom_score_adj;
	bool oom_victim;
	uint64_t start_ns;	  /* [I] */
};

extern struct spinlock tasklist_lock;

static inline struct task *task_current(void)
{
	return (struct task *)thread_current();
}
static inline struct process *process_current(void)
{
	return task_current()->process;
}

struct task *task_get(struct task *t);
void task_put(struct task *t);
/* By thread id (any thread) or process id (leader); referenced, NULL: none. */
must_use struct task *task_find(int32_t tid);
must_use struct process *process_find(int32_t pid);
void process_put(struct process *p);

/* The first process: runs `path` with argv as PID 1. Called once by init. */
must_use int proc_start_init(const char *path, const char *const *argv, const char *const *envp);

noreturn_fn void task_exit(int32_t status);	      /* this thread */
noreturn_fn void process_exit_group(int32_t status); /* wait-status form */

uint64_t rlimit_current(int which); /* soft */

void proc_init(void);

#endif

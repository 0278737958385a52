/*
 * Processes and threads. A task is one thread; a process is what its threads share.
 *
 * Always true:
 *  T1  a task is on its process's list from creation until its exit is past the point
 *      where it could be seen; the leader stays until the process is reaped;
 *  T2  parent/child links, groups, sessions and task lists change only under
 *      tasklist_lock; task lists under process->lock too, so that either lets one read
 *      them;
 *  T3  signal state of a process (handlers apart) changes only under process->lock;
 *  T4  thread.space, .files, .fs, .cred and .name of a task change under process->lock,
 *      by the own thread, which reads them without; others use the task_*_get functions.
 *
 * Both locks are taken with interrupts off (spin_lock_irq): timers and terminals send
 * signals.
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

/* The side of a traced thread; ptrace.h says how it works. */
struct trace {
	/* NULL: not traced. Changes under both locks, so that either lets one read it.
	 * Not referenced: a tracer's exit lets its tracees go. */
	struct task *tracer;
	struct list link; /* [T2] tracer's process->tracees */

	/* guarded by process->lock */
	bool seized;	  /* PTRACE_SEIZE, not PTRACE_ATTACH or PTRACE_TRACEME */
	bool capable;	  /* the tracer had CAP_SYS_PTRACE when it attached */
	bool trap_stop;	  /* to stop before it runs user code: seized, interrupted */
	bool trap_notify; /* seized: a group stop began or ended */
	bool stopped;	  /* in a stop of its own */
	bool listening;	  /* in it, but as if in a group stop: PTRACE_LISTEN */
	bool frozen;	  /* the tracer is at its registers: not even SIGKILL moves it */
	bool waitable;	  /* no wait has seen the stop */
	bool sysemu;	  /* the next system call is not carried out */
	bool calls;	  /* stops at entry and exit of system calls */
	bool step;	  /* PTRACE_SINGLESTEP */
	bool forced_tf;	  /* the trap flag is ours, not the program's */
	uint32_t options; /* PTRACE_O_* */
	int32_t code;	  /* of the stop, as wait shows it: signal | event << 8 */
	int32_t inject;	  /* the signal that the tracer resumes it with */
	uint64_t message; /* PTRACE_GETEVENTMSG */
	siginfo_t *info;  /* of the stop, the tracee's; NULL: an old-style group stop */
};

struct task {
	struct thread thread; /* must stay first: thread_task() */
	struct ref refs;
	int32_t tid;		 /* [I] (exec by a non-leader changes it, group alone) */
	struct process *process; /* [I] referenced */
	struct list link;	 /* [T2] process->tasks */

	/* guarded by process->lock */
	struct sigpending pending; /* for this thread alone */
	sigset64_t blocked, saved_blocked;
	sigset64_t wait_set; /* sigtimedwait is waiting for these */
	/* SECCOMP_FILTER_FLAG_TSYNC of another thread gave it no_new_privs: counts as if
	 * ->cred said so, which is for the own thread to change */
	bool no_new_privs;
	bool exiting;
	bool gone;	     /* its exit is done but for its stack */
	bool stop_counted;   /* process->stop_count waits for this thread */
	bool stopped;	     /* parked in a group stop */
	int32_t exit_status; /* wait status form */
	struct trace trace;

	/* guarded by pi_mutex (pi_lock.h) */
	struct list pi_owned;	   /* what it owns and others wait for */
	struct pi_lock *pi_wanted; /* what it waits for; NULL */
	bool pi_exited;		   /* takes over no more */

	/* own thread */
	uaddr_t sigaltstack;
	uint64_t sigaltstack_size;
	uint32_t sigaltstack_flags;
	uaddr_t clear_tid; /* CLONE_CHILD_CLEARTID */
	uaddr_t set_tid;   /* CLONE_CHILD_SETTID, until the first run */
	uaddr_t robust_list;
	struct completion *vfork_done; /* parent waits for exec or exit */
	struct restart_block {
		int64_t (*fn)(struct restart_block *r);
		uint64_t arg[6];
	} restart;
	int32_t pdeath_signal;
	uint32_t trap_vector, trap_error; /* last exception, for signal frames */
	uint64_t trap_va;
	uint64_t timer_slack_ns;    /* torn reads and writes by others do no harm */
	uint64_t timer_slack_first; /* [I] what it began with */
	uint8_t mce_kill;	    /* PR_MCE_KILL: kept, not used */
	bool io_flusher;	    /* PR_SET_IO_FLUSHER: the same */
	uint32_t persona;	    /* personality(2) */
	struct audit_draft *audit_expected; /* audit_change_begin() */
	uint32_t login_uid;	 /* who logged in, whoever it is by now; LOGIN_NONE */
	uint32_t login_session;	 /* which login that was; the same */
	uint16_t mempolicy;	 /* MPOL_*, with its flags; there is one node */
	bool mempolicy_nodes;	 /* it names node 0 */
	_Atomic uint16_t ioprio; /* ioprio_set(2), which others may do: kept, not used */
	uint64_t start_ns;	 /* [I] clock_mono at creation */
	struct policy_blob *policy_at_exec; /* [own] mayfly_policy(2); NULL: none */
	/* [own] what a policy refused in this call: NOTE_POLICY */
	struct audit_policy {
		uint8_t policy[16];
		uint32_t line, action;
		char place[56];
	} refused;
	struct account *account; /* whose RLIMIT_NPROC it counts against; referenced */
	struct files *files_ref; /* what thread.files points at, owned */
	/* SEM_UNDO adjustments, shared by CLONE_SYSVSEM; the IPC layer's */
	struct sem_undo_list *sem_undos;
	/* [own] while WORK_DISPATCH is set, PR_SET_SYSCALL_USER_DISPATCH: calls from here
	 * are carried out, and others as the byte at the selector says */
	struct {
		uint64_t start, size;
		uaddr_t selector; /* NULL: no others */
	} dispatch;
	/* /proc/mayfly/trace; NULL: nobody follows it, and none that it starts */
	struct calltrace_task *calltrace;
};

#define LOGIN_NONE UINT32_MAX
#define TIMER_SLACK_FIRST (50 * NSEC_PER_USEC)
#define CORE_FILTER_FIRST                                                                \
	0x33u /* private and shared anonymous pages, ELF headers: core(5) */

enum stop_state {
	STOP_NONE,
	STOP_PENDING, /* stop_count threads have yet to park */
	STOP_DONE,
};

struct process {
	struct ref refs;
	int32_t pid;	     /* [I] */
	struct task *leader; /* [tasklist_lock] referenced */

	/* guarded by tasklist_lock */
	struct process *parent;
	_Atomic int32_t parent_pid; /* parent's, read without the lock; 0: none */
	struct list children, sibling, tasks;
	struct list tracees;	/* task.trace.link of whom its threads trace */
	int32_t forker;		/* the parent's thread that made it */
	struct list group_link; /* members of the process group */
	struct list session_link;
	int32_t pgrp, session;
	struct tty *tty; /* controlling terminal, of the session; referenced */
	bool zombie;	 /* all threads are gone, waits to be reaped */
	bool reaped, did_exec, is_subreaper;
	int32_t exit_signal;	  /* to the parent; 0: none */
	_Atomic uint32_t n_execs; /* programs that it has been before this one */
	uint32_t parent_execs;	  /* the parent's n_execs when it wanted exit_signal */

	struct spinlock lock; /* RANK_SIGNAL */
	/* guarded by lock */
	struct sigpending pending;  /* for any thread */
	struct sighand *sighand;    /* actions; shared by CLONE_SIGHAND */
	uint32_t n_tasks;	    /* on the list */
	uint32_t n_live;	    /* of them, not exiting */
	struct process_program {    /* for audit records */
		_Atomic bool known; /* the rest is of the program that runs */
		uint8_t digest[32]; /* of its path */
		char path_end[56];
	} program;
	bool exiting;		/* group exit under way: exit_status holds */
	bool unkillable;	/* process 1: signals without a handler do nothing */
	bool has_watchers;	/* has asked a signalfd: see signal_watchers */
	int32_t exit_status;	/* wait status form */
	struct task *exec_task; /* in execve: all other threads end */
	enum stop_state stop_state;
	uint32_t stop_count;
	uint32_t cont_count; /* SIGCONTs so far */
	int32_t stop_signal;
	bool stop_waitable;	 /* a stop that no wait has seen */
	bool continue_waitable;	 /* WCONTINUED has not seen it */
	int32_t notify_code;	 /* CLD_* that a thread is to report to the parent; 0 */
	struct waitq child_wait; /* wait4 of this process sleeps here */
	struct waitq exec_wait;	 /* exec waits for the other threads' end */
	struct waitq end_wait;	 /* pidfds: it is a zombie */
	struct rlimit64 limits[RLIM_NLIMITS]; /* [lock] to change */
	/* threads that are gone and spaces given up; reaped children */
	struct rusage_acc {
		uint64_t user_ns, sys_ns, nvcsw, nivcsw, max_rss;
		struct thread_counts counts;
	} dead_threads, dead_children;
	struct timer itimer_real;
	uint64_t itimer_real_interval;
	struct cpu_itimer {
		uint64_t expires, interval; /* ns of CPU time; 0: off */
	} itimer_virt, itimer_prof;
	/* CPU time of the next SIGXCPU; 0: as the soft limit says */
	uint64_t rlimit_cpu_next;
	bool cpu_timers; /* the tick has something to check for this process */
	struct list posix_timers;
	int32_t next_timer_id;
	int32_t oom_score_adj;
	int32_t oom_score_adj_min; /* may go down to this without privilege */
	bool oom_victim;
	_Atomic uint32_t core_filter; /* core(5); there are no core files to use it for */
	uint64_t start_ns;	      /* [I] */
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
static inline struct process *process_get(struct process *p)
{
	ref_get(&p->refs);
	return p;
}
void process_put(struct process *p);
/* What other threads may look at (T4). Referenced; NULL once the task has given it up. */
must_use struct space *task_space_get(struct task *t); /* space_put */
must_use struct files *task_files_get(struct task *t); /* files_put */
/* t's file of that number, referenced; NULL: there is none. */
must_use struct file *task_file_get(struct task *t, uint64_t fd);
must_use struct fs_ctx *task_fs_get(struct task *t); /* fs_ctx_put */
must_use struct cred *task_cred_get(struct task *t); /* cred_put; never NULL */
/* Smallest process id, or thread id of p, >= from; 0: none. */
int32_t process_next(int32_t from);
int32_t process_next_tid(struct process *p, int32_t from);
/* Parent's process id as getppid shows it. */
static inline int32_t process_parent_pid(const struct process *p)
{
	return __atomic_load_n((const int32_t *)&p->parent_pid, __ATOMIC_RELAXED);
}
/* As the last letter of /proc/pid/stat's state: R S D T t Z. */
char task_state_letter(struct task *t);
/* CPU time and faults of all threads, dead ones too. */
void process_usage(struct process *p, struct rusage_acc *ret);
void task_usage(struct task *t, struct rusage_acc *ret);
/* Processes and threads there are, forks since boot: /proc/loadavg, /proc/stat. */
struct task_counts {
	uint32_t tasks, processes;
	uint64_t forks;
	int32_t last_pid;
	uint64_t oom_kills;
};
void task_counts_get(struct task_counts *ret);
/* kernel.pid_max: read, and the bounds the next growth has. */
int32_t pid_limit(void);

/* The first process: runs `path` with argv as PID 1. Called once by init. */
must_use int proc_start_init(const char *path, const char *const *argv,
			     const char *const *envp);

noreturn_fn void task_exit(int32_t status);	     /* this thread */
noreturn_fn void process_exit_group(int32_t status); /* wait-status form */

uint64_t rlimit_current(int which); /* soft */

void proc_init(void);

#endif

/*
 * Between the files of proc: numbers, accounts, and the steps of a process's life that
 * more than one file takes part in.
 */
#ifndef PROC_PROC_H
#define PROC_PROC_H

#include "proc/signal.h"
#include "proc/task.h"
#include "sec/account.h"

/* ---- numbers: pid.c; everything under tasklist_lock ---- */

struct pid {
	int32_t nr;		 /* [I] */
	struct task *task;	 /* [tasklist_lock] thread of that number */
	struct process *process; /* [tasklist_lock] until it is reaped */
	struct list group;	 /* [tasklist_lock] process.group_link */
	struct list session;	 /* [tasklist_lock] process.session_link */
};

/* A number of nobody yet: the next one, or the wanted one unless that is NULL. Takes
 * tasklist_lock. 0, -EAGAIN (all in use), -ENOMEM; of a wanted one also -EINVAL, -EPERM,
 * -EEXIST. */
must_use int pid_new(const int32_t *wanted, struct pid **ret);
/* Gives the number back if nobody bears it. */
void pid_release_if_unused(struct pid *pid);
struct pid *pid_find(int32_t nr); /* borrows; NULL */
int32_t pid_last(void);		  /* handed out last */
void pid_init(void);

/* Moves the running task to another user's account: its real uid changed. task.c */
must_use int account_switch(uid_t uid);

/* ---- objects: task.c ---- */

/* Half-built: thread, stack and FPU area; nothing else. */
must_use int task_new(const char *name, void (*fn)(void *), struct task **ret);
must_use struct process *process_new(void); /* one reference; NULL: no memory */
/* Links under tasklist_lock. */
void task_link(struct task *t, struct process *p, struct pid *pid);
/* off the list and the number map; a thread of a live group */
void task_unlink(struct task *t);
uint32_t task_limit(void); /* how many the machine's memory allows */
void task_init(void);

/* Drops what thread.space, .files and .fs hold. */
void task_drop_space(struct task *t);
void task_drop_files(struct task *t);
/* Tells a parent that waits in vfork that the space is its own again. */
void task_vfork_done(struct task *t);
/* CLONE_CHILD_CLEARTID: the word becomes 0 and its waiter wakes, if anybody is left to
 * look. */
void task_clear_tid(struct task *t);

/* ---- groups, sessions: group.c; tasklist_lock held ---- */

void group_join(struct process *p, int32_t pgrp, int32_t session);
void group_leave(struct process *p);
bool group_is_orphaned(int32_t pgrp, const struct process *without);
bool group_has_stopped(int32_t pgrp);
must_use int group_set(int32_t pid, int32_t pgrp); /* setpgid(2); takes the lock */
must_use int32_t session_new(void);		   /* setsid(2); takes the lock */
/* A session leader is ending: its terminal is taken from all its members. Takes the
 * lock. */
void session_leader_exit(struct process *p);
void tty_job_init(void);

/* ---- exit and wait ---- */

/* Takes p out of the tree and the map; the parent's books get its usage. tasklist_lock
 * held; the caller then calls process_release without it. */
void process_reap(struct process *p);
void process_release(struct process *p);
struct wait_request {
	int32_t which; /* P_ALL, P_PID, P_PGID, P_PIDFD */
	int32_t id;
	struct process *process; /* P_PIDFD's; referenced by the caller */
	uint32_t options; /* WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT | __W* */
};
struct wait_result {
	int32_t pid; /* 0: nothing yet (WNOHANG) */
	uid_t uid;
	int32_t code;		 /* CLD_* */
	int32_t status;		 /* exit code or signal */
	int32_t wstatus;	 /* wait4's form */
	struct rusage_acc usage; /* with its children's */
};
must_use int process_wait(const struct wait_request *r, struct wait_result *ret);

/* ---- usage ---- */

void usage_add(struct rusage_acc *to, const struct rusage_acc *from);
void usage_keep_space(struct process *p, const struct space *s); /* p->lock held */
void process_usage_locked(struct process *p, struct rusage_acc *ret);
/* The tick's share: CPU-time timers, RLIMIT_CPU. */
void cpu_timers_init(void);
void cpu_timers_recheck(struct process *p); /* p->lock held: sets p->cpu_timers */

/* ---- others ---- */

struct pt_regs *task_user_regs(struct task *t);
void futex_init(void);
void real_sleep_init(void);
void oom_init(void);
uint64_t oom_kill_count(void);
/* exec and exit. */
void itimers_cancel(struct process *p);
void posix_timers_delete_all(struct process *p);
void futex_exit_robust(struct task *t);
/* Hands on the locks with an owner that t holds; `dies`: it will never have another. */
void futex_exit_pi(struct task *t, bool dies);
/* A copied space runs the same file: it may not be written either. */
void exec_share_file(const struct space *from, struct space *to);
extern struct process *init_process; /* process 1; set once */
void vdso_init(void);
int32_t wstatus_code(int32_t wstatus, int32_t *ret_status); /* CLD_* */

#endif

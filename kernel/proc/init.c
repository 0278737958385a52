/* The process layer's start, and the first process. */
#include <asm/errno.h>

#include "core/log.h"
#include "core/panic.h"
#include "lib/vm_exit.h"
#include "net/socket.h"
#include "proc/audit.h"
#include "proc/exec.h"
#include "proc/itimer.h"
#include "proc/limits.h"
#include "proc/findings.h"
#include "proc/proc.h"
#include "proc/procfs.h"

static struct {
	const char *path;
	const char *const *argv, *const *envp;
} first; /* what process 1 runs; set once */

/* ---- what fs asks ---- */

static uint64_t ask_rlimit(int which)
{
	return thread_current()->task ? rlimit_current(which) : UINT64_MAX;
}

static void ask_signal_current(int sig)
{
	if (thread_current()->task)
		signal_send(sig);
}

/* O_ASYNC: as kill(2) by whoever set the owner, but by user ids alone. */
static void ask_signal_owner(const struct file_owner *o, const struct file_news *news)
{
	siginfo_t info = { .si_signo = o->sig };

	if (!o->sig || !news) {
		(void)signal_send_owned(o, o->sig ? o->sig : SIGIO, NULL);
		return;
	}
	info.si_code = SIG_BIT(o->sig) & SIGSET_OWN_CODES ? SI_SIGIO : news->code;
	info.si_fd = news->fd;
	info.si_band = news->band;
	/* A full queue loses what the news are, not that there are some. */
	if (signal_send_owned(o, o->sig, &info))
		(void)signal_send_owned(o, SIGIO, NULL);
}

static bool ask_process_exists(int32_t pid)
{
	struct process *p = process_find(pid);

	process_put(p);
	return p;
}

static int32_t ask_tgid(void)
{
	return thread_current()->task ? process_current()->pid : 0;
}

static int32_t ask_tid(void)
{
	return thread_current()->task ? task_current()->tid : 0;
}

void proc_init(void)
{
	pid_init();
	task_init();
	futex_init();
	real_sleep_init();
	posix_timers_init();
	cpu_timers_init();
	vdso_init();
	oom_init();
	tty_job_init();
	procfs_tasks_init();
	audit_init();
	findings_init();
	net_upcalls.process_exists = ask_process_exists;
	fs_upcalls = (struct fs_upcalls){
		.rlimit = ask_rlimit,
		.signal_current = ask_signal_current,
		.signal_owner = ask_signal_owner,
		.current_tgid = ask_tgid,
		.current_tid = ask_tid,
		.tree_changed = audit_change,
		.confined = policy_confined,
	};
}

/* ---- process 1 ---- */

static noreturn_fn void init_main(void *arg)
{
	struct exec_args a;
	(void)arg;
	exec_args_init(&a);
	int err = exec_args_from_kernel(&a, first.argv, first.envp);
	if (!err)
		err = process_exec(AT_FDCWD, first.path, WALK_FOLLOW, &a);
	if (err) {
		log_err("cannot run %s as process 1: error %d", first.path, -err);
		arch_vm_exit(VM_EXIT_ROOT);
	}
	arch_return_to_user();
}

static int init_parts(struct task *t, struct process *p)
{
	int err = files_new(&t->files_ref);
	if (!err)
		err = fs_ctx_copy(NULL, &t->thread.fs);
	if (err)
		return err;
	t->thread.files = t->files_ref;
	t->thread.cred = cred_get(&cred_root);
	t->account = account_get(0);
	p->sighand = sighand_new();
	if (!t->account || !p->sighand)
		return -ENOMEM;
	__atomic_fetch_add((uint32_t *)&t->account->tasks, 1, __ATOMIC_RELAXED);
	arch_fpu_init(t->thread.arch.xsave);
	limits_init(p);
	return 0;
}

int proc_start_init(const char *path, const char *const *argv, const char *const *envp)
{
	struct task *t;
	struct pid *pid;
	int err = task_new("init", init_main, &t);
	if (err)
		return err;
	struct process *p = process_new();
	if (!p)
		return -ENOMEM;
	err = init_parts(t, p);
	if (!err)
		err = pid_new(NULL, &pid);
	if (err)
		return err; /* what was made stays: the VM ends */
	insist(pid->nr == 1);
	first.path = path;
	first.argv = argv;
	first.envp = envp;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	spin_lock(&p->lock);
	p->pid = pid->nr;
	p->leader = task_get(t);
	p->unkillable = true;
	p->exit_signal = SIGCHLD;
	task_link(t, p, pid);
	spin_unlock(&p->lock);
	pid->process = p;
	group_join(p, pid->nr, pid->nr);
	init_process = p;
	spin_unlock_irq(&tasklist_lock, flags);
	sched_start(&t->thread);
	return 0;
}

/* Tasks and processes as objects: memory, references, what others may look at. */
#include <asm/errno.h>
#include <linux/prctl.h>

#include "core/panic.h"
#include "lib/string.h"
#include "proc/itimer.h"
#include "proc/policy.h"
#include "proc/proc.h"
#include "sec/landlock.h"

static struct slab_cache *task_cache, *process_cache, *xsave_cache; /* [I] */
static _Atomic uint32_t n_tasks, n_processes;
static _Atomic uint64_t n_forks;
static uint32_t tasks_max; /* [I]: an eighth of memory in kernel stacks */

struct task *task_get(struct task *t)
{
	ref_get(&t->refs);
	return t;
}

static void task_free(struct task *t)
{
	sigpending_flush(&t->pending, ~0ull);
	if (t->account)
		__atomic_fetch_sub((uint32_t *)&t->account->tasks, 1, __ATOMIC_RELAXED);
	account_put(t->account);
	cred_put(t->thread.cred);
	gate_drop(t);
	if (t->process)
		process_put(t->process);
	if (t->thread.kstack)
		thread_fini(&t->thread);
	slab_free(xsave_cache, t->thread.arch.xsave);
	slab_free(task_cache, t);
	__atomic_fetch_sub((uint32_t *)&n_tasks, 1, __ATOMIC_RELAXED);
}

void task_put(struct task *t)
{
	if (t && ref_put(&t->refs))
		task_free(t);
}

int task_new(const char *name, void (*fn)(void *), struct task **ret)
{
	if (__atomic_load_n((uint32_t *)&n_tasks, __ATOMIC_RELAXED) >= tasks_max)
		return -EAGAIN;
	struct task *t = slab_zalloc(task_cache);
	if (!t)
		return -ENOMEM;
	__atomic_fetch_add((uint32_t *)&n_tasks, 1, __ATOMIC_RELAXED);
	ref_init(&t->refs, 1);
	sigpending_init(&t->pending);
	list_init(&t->link);
	list_init(&t->pi_owned);
	list_init(&t->trace.link);
	if (thread_init(&t->thread, name, fn, t))
		goto fail;
	t->thread.arch.xsave = slab_alloc(xsave_cache);
	if (!t->thread.arch.xsave)
		goto fail;
	t->thread.task = t;
	t->start_ns = clock_mono();
	t->timer_slack_ns = t->timer_slack_first = TIMER_SLACK_FIRST;
	t->login_uid = t->login_session = LOGIN_NONE;
	t->mce_kill = PR_MCE_KILL_DEFAULT;
	*ret = t;
	return 0;
fail:
	task_free(t);
	return -ENOMEM;
}

struct process *process_new(void)
{
	struct process *p = slab_zalloc(process_cache);
	if (!p)
		return NULL;
	__atomic_fetch_add((uint32_t *)&n_processes, 1, __ATOMIC_RELAXED);
	ref_init(&p->refs, 1);
	spin_init(&p->lock, RANK_SIGNAL);
	struct list *lists[] = { &p->children,	 &p->sibling,	   &p->tasks,
				 &p->group_link, &p->session_link, &p->posix_timers,
				 &p->tracees };
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		list_init(lists[i]);
	sigpending_init(&p->pending);
	waitq_init(&p->child_wait);
	waitq_init(&p->exec_wait);
	waitq_init(&p->end_wait);
	itimers_init(p);
	p->start_ns = clock_mono();
	p->core_filter = CORE_FILTER_FIRST;
	return p;
}

void process_put(struct process *p)
{
	if (!p || !ref_put(&p->refs))
		return;
	sigpending_flush(&p->pending, ~0ull);
	sighand_put(p->sighand);
	slab_free(process_cache, p);
	__atomic_fetch_sub((uint32_t *)&n_processes, 1, __ATOMIC_RELAXED);
}

void task_link(struct task *t, struct process *p, struct pid *pid)
{
	must_hold(&tasklist_lock);
	must_hold(&p->lock);
	t->process = process_get(p);
	t->tid = pid->nr;
	pid->task = t;
	list_push_back(&p->tasks, &t->link);
	p->n_tasks++;
	p->n_live++;
	__atomic_fetch_add((uint64_t *)&n_forks, 1, __ATOMIC_RELAXED);
}

void task_unlink(struct task *t)
{
	must_hold(&tasklist_lock);
	must_hold(&t->process->lock);
	struct pid *pid = pid_find(t->tid);
	insist(pid && pid->task == t);
	list_del(&t->link);
	t->process->n_tasks--;
	pid->task = NULL;
	pid_release_if_unused(pid);
}

struct pt_regs *task_user_regs(struct task *t)
{
	return arch_user_regs(thread_kstack_top(&t->thread));
}

/* ---- what other threads may look at (T4) ---- */

struct space *task_space_get(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	struct space *s = t->thread.space;
	if (s)
		space_get(s);
	spin_unlock_irq(&t->process->lock, flags);
	return s;
}

struct files *task_files_get(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	struct files *f = t->files_ref ? files_get(t->files_ref) : NULL;
	spin_unlock_irq(&t->process->lock, flags);
	return f;
}

struct file *task_file_get(struct task *t, uint64_t fd)
{
	struct files *files = fd <= INT32_MAX ? task_files_get(t) : NULL;
	int at = (int)fd;
	bool cloexec;
	struct file *f = files ? files_next(files, &at, &cloexec) : NULL;
	if (files)
		files_put(files);
	if (f && (uint64_t)at != fd) {
		file_put(f);
		f = NULL;
	}
	return f;
}

struct fs_ctx *task_fs_get(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	struct fs_ctx *c = t->thread.fs ? fs_ctx_get(t->thread.fs) : NULL;
	spin_unlock_irq(&t->process->lock, flags);
	return c;
}

struct cred *task_cred_get(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	struct cred *c = cred_get(t->thread.cred);
	spin_unlock_irq(&t->process->lock, flags);
	return c;
}

/* ---- giving them up ---- */

void task_vfork_done(struct task *t)
{
	if (!t->vfork_done)
		return;
	uint64_t flags = spin_lock_irq(&t->process->lock);
	if (t->vfork_done)
		completion_done(t->vfork_done);
	t->vfork_done = NULL;
	spin_unlock_irq(&t->process->lock, flags);
}

void task_drop_space(struct task *t)
{
	struct space *s = t->thread.space;
	struct process *p = t->process;
	if (!s)
		return;
	uint64_t flags = spin_lock_irq(&p->lock);
	/* The tables stay loaded: another thread of the space may well be next here. */
	t->thread.space = NULL;
	t->thread.pt = NULL;
	spin_unlock_irq(&p->lock, flags);
	space_unuse(s);
}

/* The process is done with s: its peak stays in the books. p->lock held. */
void usage_keep_space(struct process *p, const struct space *s)
{
	p->dead_threads.max_rss = MAX(p->dead_threads.max_rss, s->rss_peak);
}

void task_drop_files(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	struct files *f = t->files_ref;
	struct fs_ctx *c = t->thread.fs;
	struct landlock_layer *l = t->thread.gate.landlock;
	t->thread.gate.landlock = NULL; /* it keeps files too */
	t->files_ref = t->thread.files = NULL;
	t->thread.fs = NULL;
	spin_unlock_irq(&t->process->lock, flags);
	if (f)
		files_put(f);
	if (c)
		fs_ctx_unuse(c);
	landlock_put(l);
}

/* ---- figures ---- */

char task_state_letter(struct task *t)
{
	static const char letters[] = {
		[THREAD_NEW] = 'R',	[THREAD_READY] = 'R',	[THREAD_RUNNING] = 'R',
		[THREAD_SLEEP] = 'S',	[THREAD_BLOCKED] = 'D', [THREAD_KILLABLE] = 'D',
		[THREAD_STOPPED] = 'T', [THREAD_DEAD] = 'Z',
	};
	uint32_t state = __atomic_load_n((uint32_t *)&t->thread.state, __ATOMIC_RELAXED);
	/* From when wait4 finds it, not from when it begins to end. */
	if (__atomic_load_n(&t->gone, __ATOMIC_RELAXED))
		return 'Z';
	if (state == THREAD_STOPPED && t->trace.stopped && !t->trace.listening)
		return 't';
	return state < ARRAY_LEN(letters) ? letters[state] : 'R';
}

void task_counts_get(struct task_counts *ret)
{
	ret->tasks = __atomic_load_n((uint32_t *)&n_tasks, __ATOMIC_RELAXED);
	ret->processes = __atomic_load_n((uint32_t *)&n_processes, __ATOMIC_RELAXED);
	ret->forks = __atomic_load_n((uint64_t *)&n_forks, __ATOMIC_RELAXED);
	ret->oom_kills = oom_kill_count();
	ret->last_pid = pid_last();
}

void usage_add(struct rusage_acc *to, const struct rusage_acc *from)
{
	to->user_ns += from->user_ns;
	to->sys_ns += from->sys_ns;
	to->nvcsw += from->nvcsw;
	to->nivcsw += from->nivcsw;
	to->max_rss = MAX(to->max_rss, from->max_rss);
	thread_counts_add(&to->counts, &from->counts);
}

void task_usage(struct task *t, struct rusage_acc *ret)
{
	uint64_t total = sched_thread_ns(&t->thread), user = t->thread.user_ns;
	*ret = (struct rusage_acc){
		.user_ns = MIN(user, total),
		.sys_ns = total - MIN(user, total),
		.nvcsw = t->thread.switches_voluntary,
		.nivcsw = t->thread.switches_forced,
		.counts = t->thread.counts,
	};
}

void process_usage_locked(struct process *p, struct rusage_acc *ret)
{
	struct space *s = NULL;
	*ret = p->dead_threads;
	list_for_each(t, &p->tasks, struct task, link)
	{
		struct rusage_acc one;
		if (t->exiting)
			continue; /* counted in dead_threads */
		task_usage(t, &one);
		usage_add(ret, &one);
		if (!s)
			s = t->thread.space;
	}
	if (s)
		ret->max_rss = MAX(ret->max_rss, s->rss_peak);
}

void process_usage(struct process *p, struct rusage_acc *ret)
{
	uint64_t flags = spin_lock_irq(&p->lock);
	process_usage_locked(p, ret);
	spin_unlock_irq(&p->lock, flags);
}

uint32_t task_limit(void)
{
	return tasks_max;
}

void task_init(void)
{
	task_cache = slab_cache_new("task", sizeof(struct task), 64);
	process_cache = slab_cache_new("process", sizeof(struct process), 64);
	xsave_cache = slab_cache_new("xsave", arch_xsave_size(), 64);
	insist(task_cache && process_cache && xsave_cache);
	tasks_max = (uint32_t)MAX(page_get_total() * PAGE_SIZE / (8 * KSTACK_SIZE), 64);
}

int account_switch(uid_t uid)
{
	struct task *t = task_current();
	if (t->account->uid == uid)
		return 0;
	struct account *a = account_get(uid), *old = t->account;
	if (!a)
		return -EAGAIN;
	__atomic_fetch_add((uint32_t *)&a->tasks, 1, __ATOMIC_RELAXED);
	uint64_t flags = spin_lock_irq(&t->process->lock);
	t->account = a;
	spin_unlock_irq(&t->process->lock, flags);
	__atomic_fetch_sub((uint32_t *)&old->tasks, 1, __ATOMIC_RELAXED);
	account_put(old);
	return 0;
}

/* execve(2). See exec.h for what always holds. */
#include <asm/errno.h>
#include <linux/signal.h>

#include "core/panic.h"
#include "fs/file.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "proc/cred_change.h"
#include "proc/exec.h"
#include "proc/ptrace.h"

#define SCRIPT_DEPTH_MAX 5
#define FLAGS_INITIAL 0x202 /* IF, and the bit that is always one */
#define USER_CS 0x33
#define USER_SS 0x2b

/* ---- finding out what to run ---- */

/* "#!interpreter [argument]": one optional argument, all of the line's rest
 * (execve(2)). */
struct script {
	char line[EXEC_HEAD];
	const char *interp, *arg;
};

static char *skip_blanks(char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

static int script_parse(struct script *s, const char *head, size_t n)
{
	const char *end = memchr(head, '\n', n);
	size_t len = (size_t)((end ? end : head + n) - head);
	/* Cut off: fine inside the argument, but a cut interpreter's name is another
	 * one's. */
	bool cut = !end && n == EXEC_HEAD;
	memcpy(s->line, head + 2, len - 2);
	s->line[len - 2] = 0;
	len = strlen(s->line);
	while (len && (s->line[len - 1] == ' ' || s->line[len - 1] == '\t'))
		s->line[--len] = 0;
	char *p = skip_blanks(s->line);
	if (!*p)
		return -ENOEXEC;
	s->interp = p;
	while (*p && *p != ' ' && *p != '\t')
		p++;
	if (!*p && cut)
		return -ENOEXEC;
	char *rest = skip_blanks(p);
	*p = 0;
	s->arg = *rest ? rest : NULL;
	return 0;
}

static int read_head(struct file *f, char *head, size_t *ret_n)
{
	int64_t n = file_read_kernel(f, head, EXEC_HEAD, 0);
	if (n < 0)
		return (int)n;
	*ret_n = (size_t)n;
	return 0;
}

/* Replaces e->program.file by the script's interpreter. */
static int run_script(struct exec *e, const char *path, const char *head, size_t n,
		      struct script *s)
{
	int err = script_parse(s, head, n);
	if (err)
		return err;
	const char *args[3] = { s->interp };
	uint32_t argc = 1;
	if (s->arg)
		args[argc++] = s->arg;
	args[argc++] = path;
	err = exec_args_replace_first(&e->args, args, argc);
	if (err)
		return err;
	e->script_bits |= exec_has_bits(e->program.file->inode);
	exec_image_put(&e->program);
	return file_open_exec(AT_FDCWD, s->interp, WALK_FOLLOW, &e->program.file);
}

static int open_interp(struct exec *e)
{
	const struct elf_range *r = &e->program.plan.interp;
	char head[EXEC_HEAD];
	size_t n = 0;
	if (!r->size)
		return 0;
	char *path = heap_zalloc(r->size + 1);
	if (!path)
		return -ENOMEM;
	int64_t got = file_read_kernel(e->program.file, path, r->size, r->offset);
	int err = got == (int64_t)r->size && !path[r->size - 1] ? 0 : -ENOEXEC;
	if (!err)
		err = file_open_exec(AT_FDCWD, path, WALK_FOLLOW, &e->interp.file);
	heap_free(path);
	if (!err)
		err = read_head(e->interp.file, head, &n);
	if (!err)
		err = exec_image_read(&e->interp, head, n);
	return err == -ENOEXEC ? -ELIBBAD : err;
}

/* Follows scripts to a program and reads its headers. */
static int find_program(struct exec *e, bool path_usable)
{
	char *lines = NULL;
	const char *path = e->name;
	int err = 0;
	for (int depth = 0;; depth++) {
		char head[EXEC_HEAD];
		size_t n = 0;
		err = read_head(e->program.file, head, &n);
		if (err)
			break;
		if (n < 3 || head[0] != '#' || head[1] != '!') {
			err = exec_image_read(&e->program, head, n);
			break;
		}
		err = depth >= SCRIPT_DEPTH_MAX ? -ELOOP : path_usable ? 0 : -ENOENT;
		if (!err && !lines && !(lines = heap_alloc(2 * sizeof(struct script))))
			err = -ENOMEM;
		if (err)
			break;
		struct script *s = (struct script *)lines + depth % 2;
		err = run_script(e, path, head, n, s);
		if (err)
			break;
		path = s->interp;
		path_usable = true;
	}
	heap_free(lines);
	return err ? err : open_interp(e);
}

/* ---- the new space ---- */

static void exe_put(void *exe)
{
	file_put(exe);
}

void exec_share_file(const struct space *from, struct space *to)
{
	if (!from->exe)
		return;
	to->exe = file_get(from->exe);
	to->exe_put = exe_put;
}

static bool is_readable(const struct exec_image *im)
{
	return !im->file || !inode_permission(im->file->inode, MAY_READ);
}

static int new_space(struct exec *e)
{
	struct process *p = process_current();
	int err = space_new(&e->space);
	if (err)
		return err;
	struct space *s = e->space;
	s->exe = file_get(e->program.file);
	s->exe_put = exe_put;
	s->no_wx = !policy_lets_write_code(&e->layers);
	s->limit_as = p->limits[RLIMIT_AS].rlim_cur;
	s->limit_data = p->limits[RLIMIT_DATA].rlim_cur;
	s->limit_stack = p->limits[RLIMIT_STACK].rlim_cur;
	s->limit_memlock = p->limits[RLIMIT_MEMLOCK].rlim_cur;
	e->unreadable = !is_readable(&e->program) || !is_readable(&e->interp);
	return exec_layout(e);
}

/* ---- the point of no return ---- */

/* No caller spreads a privileged program's addresses by giving it a vast stack. */
static void limit_stack(struct process *p, struct space *s)
{
	struct rlimit64 *l = &p->limits[RLIMIT_STACK];
	must_hold(&p->lock);
	if (l->rlim_cur <= MIB(8))
		return;
	l->rlim_cur = MIB(8);
	s->limit_stack = MIB(8);
}

/* New memory and new credentials come in one step: whoever is allowed to look at the old
 * program does not thereby see the new one. */
static void become(struct task *t, struct exec *e)
{
	struct process *p = t->process;
	struct space *old = t->thread.space;
	struct cred *old_cred = t->thread.cred;
	if (old) {
		futex_exit_robust(t);
		futex_exit_pi(t, false);
		task_clear_tid(t);
	}
	uint64_t flags = spin_lock_irq(&p->lock);
	if (old)
		usage_keep_space(p, old);
	exec_cred_decide(e);
	audit_add(&e->draft, old_cred, e->cred, 0);
	bool exposes = cred_change_exposes(old_cred, e->cred);
	e->space->dumpable = !e->unreadable && !exposes &&
			     old_cred->euid == old_cred->uid &&
			     old_cred->egid == old_cred->gid;
	e->space->thp_disabled = old && old->thp_disabled;
	if (e->secure)
		limit_stack(p, e->space);
	p->program.known = false;
	t->thread.cred = cred_get(e->cred);
	t->thread.space = e->space;
	policy_exec_commit(&e->layers, e->gains);
	spin_unlock_irq(&p->lock, flags);
	if (e->secure || exposes)
		t->pdeath_signal = 0;
	cred_put(old_cred);
	space_switch(e->space);
	task_vfork_done(t);
	if (old)
		space_unuse(old);
}

static void set_name(struct task *t, const char *path)
{
	const char *base = strrchr(path, '/');
	uint64_t flags = spin_lock_irq(&t->process->lock);
	str_copy(t->thread.name, base ? base + 1 : path, sizeof t->thread.name);
	spin_unlock_irq(&t->process->lock, flags);
}

static void reset_task(struct task *t)
{
	struct arch_thread *a = &t->thread.arch;
	arch_fpu_take(a);
	arch_fpu_init(a->xsave);
	arch_fpu_reload(a);
	arch_reset_segments(a);
	t->sigaltstack = UADDR_NULL;
	t->sigaltstack_size = 0;
	t->sigaltstack_flags = 0;
	t->clear_tid = t->set_tid = t->robust_list = UADDR_NULL;
	thread_clear_work(&t->thread, WORK_DISPATCH);
	t->restart.fn = NULL;
	t->trap_vector = t->trap_error = 0;
	t->trap_va = 0;
	t->trace.forced_tf = false; /* the flags are fresh */
}

static void reset_process(struct process *p, struct sighand *fresh)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	p->did_exec = true;
	p->n_execs++;
	p->exit_signal = SIGCHLD;
	spin_unlock_irq(&tasklist_lock, flags);
	posix_timers_delete_all(p);
	if (fresh) {
		flags = spin_lock_irq(&p->lock);
		struct sighand *old = p->sighand;
		p->sighand = fresh;
		spin_unlock_irq(&p->lock, flags);
		sighand_put(old);
	}
	sighand_reset_caught(p);
}

static void set_registers(struct task *t, const struct exec *e)
{
	*task_user_regs(t) = (struct pt_regs){
		.rip = e->entry,
		.rsp = e->sp,
		.eflags = FLAGS_INITIAL,
		.cs = USER_CS,
		.ss = USER_SS,
		.orig_rax = ~0ull,
	};
}

/* `fresh`: own signal actions, when they were shared with another process. */
static void commit(struct exec *e, struct sighand *fresh)
{
	struct task *t = task_current();
	/* Nothing below can fail. */
	become(t, e);
	reset_process(t->process, fresh);
	reset_task(t);
	set_name(t, e->name);
	files_close_on_exec(t->thread.files);
}

static int own_sighand(struct process *p, struct sighand **ret)
{
	*ret = NULL;
	if (ref_read(&p->sighand->refs) <= 1)
		return 0;
	*ret = sighand_copy(p->sighand);
	return *ret ? 0 : -ENOMEM;
}

/* Descriptors shared with another process (or with threads about to end) stay theirs. */
static int own_files(struct task *t)
{
	struct files *old = t->files_ref, *fresh;
	if (!files_shared(old))
		return 0;
	int err = files_copy(old, &fresh);
	if (err)
		return err;
	uint64_t flags = spin_lock_irq(&t->process->lock);
	t->files_ref = t->thread.files = fresh;
	spin_unlock_irq(&t->process->lock, flags);
	files_put(old);
	return 0;
}

/* All that can fail, then commit. e->space is the running thread's after success. */
static int replace(struct exec *e)
{
	struct task *t = task_current();
	struct sighand *fresh = NULL;
	uint32_t persona = t->persona;
	int err = cred_change_settle();
	if (!err)
		err = policy_exec_prepare(&e->program.file->path, &e->layers);
	if (!err)
		err = exec_cred(e);
	if (!err)
		err = new_space(e);
	if (!err)
		err = own_files(t);
	if (!err)
		err = own_sighand(t->process, &fresh);
	if (!err)
		err = exec_alone();
	if (err) {
		t->persona = persona;
		sighand_put(fresh);
		space_unuse(e->space);
		return err;
	}
	commit(e, fresh);
	err = exec_image_clear(&e->program);
	if (!err && e->interp.file)
		err = exec_image_clear(&e->interp);
	if (!err)
		err = exec_stack_write(e);
	if (err)
		process_exit_group(SIGKILL); /* X3 */
	set_registers(t, e);
	return 0;
}

/* How the program was named: AT_EXECFN, and argv of a script. */
static int set_exec_name(struct exec *e, int dirfd, const char *path, char **ret_made)
{
	*ret_made = NULL;
	e->name = path;
	if (dirfd == AT_FDCWD || path[0] == '/')
		return 0;
	size_t size = strlen(path) + 32;
	*ret_made = heap_alloc(size);
	if (!*ret_made)
		return -ENOMEM;
	fmt_to(*ret_made, size, "/dev/fd/%d%s%s", dirfd, *path ? "/" : "", path);
	e->name = *ret_made;
	return 0;
}

int process_exec(int dirfd, const char *path, uint32_t walk_flags, struct exec_args *a)
{
	struct exec *e = heap_zalloc(sizeof *e);
	char *made = NULL;
	int32_t old_tid = task_current()->tid;
	int err = e ? 0 : -ENOMEM;
	if (e) {
		e->args = *a;
		err = set_exec_name(e, dirfd, path, &made);
	} else {
		exec_args_fini(a);
		return err;
	}
	if (!err)
		err = file_open_exec(dirfd, path, walk_flags, &e->program.file);
	if (!err)
		err = find_program(e, !made || fd_get_cloexec(dirfd) == 0);
	if (!err)
		err = replace(e);
	exec_image_put(&e->program);
	exec_image_put(&e->interp);
	audit_cancel(&e->draft);
	policy_exec_put(&e->layers);
	cred_put(e->cred);
	cred_put(e->unraised);
	exec_args_fini(&e->args);
	heap_free(made);
	heap_free(e);
	if (!err)
		trace_exec(old_tid);
	return err;
}

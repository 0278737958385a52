/* fork, vfork, clone, clone3, exit, execve. */
#include <linux/sched.h>
#include <linux/signal.h>

#include "fs/vfs.h"
#include "proc/clone.h"
#include "proc/exec.h"
#include "proc/proc.h"
#include "proc/policy.h"
#include "sys/syscall.h"

int64_t sys_fork(void)
{
	return process_clone(&(struct clone_request){ .exit_signal = SIGCHLD });
}

int64_t sys_vfork(void)
{
	return process_clone(&(struct clone_request){ .flags = CLONE_VM | CLONE_VFORK,
						      .exit_signal = SIGCHLD });
}

int64_t sys_clone(uint64_t flags, uint64_t stack, uaddr_t parent_tid, uaddr_t child_tid,
		  uint64_t tls)
{
	struct clone_request r = {
		.flags = flags & 0xffffffff & ~(uint64_t)(CSIGNAL | CLONE_DETACHED),
		.exit_signal = (int32_t)(flags & CSIGNAL),
		.stack = stack,
		.tls = tls,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.pidfd = parent_tid,
	};
	/* Both would go to the same place. */
	if ((flags & CLONE_PIDFD) && (flags & (CLONE_PARENT_SETTID | CLONE_DETACHED)))
		return -EINVAL;
	return process_clone(&r);
}

/* clone's, but for those whose bits are the exit signal's or mean nothing; and its
 * own. */
#define CLONE3_FLAGS                                                                     \
	((0xffffffffull & ~(uint64_t)(CSIGNAL | CLONE_DETACHED)) | CLONE_CLEAR_SIGHAND)

#define PID_NAMESPACES_MAX 32 /* so deep can they be nested, says pid_namespaces(7) */

/* The thread id that the caller chose: an array has one for each PID namespace that the
 * child is in, and here that is one. */
static int get_chosen_tid(const struct clone_args *a, struct clone_request *r)
{
	if (a->set_tid_size > PID_NAMESPACES_MAX || !a->set_tid != !a->set_tid_size)
		return -EINVAL;
	if (!a->set_tid)
		return 0;
	int32_t tids[PID_NAMESPACES_MAX];
	if (copy_in(tids, UADDR(a->set_tid), a->set_tid_size * sizeof *tids))
		return -EFAULT;
	r->choose_tid = true;
	r->chosen_tid = tids[0];
	return a->set_tid_size == 1 ? 0 : -EINVAL;
}

int64_t sys_clone3(uaddr_t args, uint64_t size)
{
	struct clone_args a;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	int err = copy_in_struct(&a, sizeof a, args, size);
	if (err)
		return err;
	int64_t refused = policy_check_fields((uint64_t[]){ a.flags, 0, 0 });
	if (refused)
		return refused;
	if ((a.flags & ~CLONE3_FLAGS) || a.exit_signal > 64)
		return -EINVAL;
	if (!a.stack != !a.stack_size)
		return -EINVAL;
	if ((a.flags & (CLONE_THREAD | CLONE_PARENT)) && a.exit_signal)
		return -EINVAL;
	if (a.stack && !user_range_ok(UADDR(a.stack), a.stack_size))
		return -EINVAL;
	struct clone_request r = {
		.flags = a.flags,
		.exit_signal = (int32_t)a.exit_signal,
		.stack = a.stack ? a.stack + a.stack_size : 0,
		.tls = a.tls,
		.parent_tid = UADDR(a.parent_tid),
		.child_tid = UADDR(a.child_tid),
		.pidfd = UADDR(a.pidfd),
	};
	err = get_chosen_tid(&a, &r);
	return err ? err : process_clone(&r);
}

int64_t sys_exit(int32_t status)
{
	task_exit((status & 0xff) << 8);
}

int64_t sys_exit_group(int32_t status)
{
	process_exit_group((status & 0xff) << 8);
}

int64_t sys_set_tid_address(uaddr_t tidptr)
{
	struct task *t = task_current();
	t->clear_tid = tidptr;
	return t->tid;
}

/* ---- execve ---- */

static int64_t exec(int32_t dirfd, uaddr_t path, uint32_t walk, uaddr_t argv,
		    uaddr_t envp)
{
	struct pathname name;
	struct exec_args a;
	int err = name_get(path, walk, &name);
	if (err)
		return err;
	exec_args_init(&a);
	err = exec_args_from_user(&a, argv, envp);
	if (err)
		exec_args_fini(&a);
	else
		err = process_exec(dirfd, name.s, walk, &a);
	name_put(&name);
	return err;
}

int64_t sys_execve(uaddr_t path, uaddr_t argv, uaddr_t envp)
{
	return exec(AT_FDCWD, path, WALK_FOLLOW, argv, envp);
}

int64_t sys_execveat(int32_t dirfd, uaddr_t path, uaddr_t argv, uaddr_t envp,
		     uint32_t flags)
{
	if (flags & ~(uint32_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	uint32_t walk = (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0u) |
			(flags & AT_SYMLINK_NOFOLLOW ? 0u : WALK_FOLLOW);
	return exec(dirfd, path, walk, argv, envp);
}

/* unshare, setns. There are no namespaces: asking for one is answered as by a Linux that
 * was built without them. */
#include <linux/sched.h>

#include "fs/files.h"
#include "proc/clone.h"
#include "proc/proc.h"
#include "sys/syscall.h"

#define NAMESPACES                                                                       \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |   \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)
#define UNSHARE_KNOWN                                                                    \
	(CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES |              \
	 CLONE_SYSVSEM | NAMESPACES)

static int unshare_check(uint64_t flags)
{
	if (flags & ~(uint64_t)UNSHARE_KNOWN)
		return -EINVAL;
	if (flags & NAMESPACES & ~(uint32_t)CLONE_NEWUSER)
		return cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN) ? -EINVAL
									   : -EPERM;
	if (flags & CLONE_NEWUSER)
		return -EINVAL;
	/* Only one who shares these with nobody may unshare them. */
	bool alone = process_current()->n_tasks == 1;
	if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) && !alone)
		return -EINVAL;
	if ((flags & (CLONE_SIGHAND | CLONE_VM)) &&
	    ref_read(&process_current()->sighand->refs) > 1)
		return -EINVAL;
	if ((flags & CLONE_VM) && ref_read(&thread_current()->space->users) > 1)
		return -EINVAL;
	return 0;
}

/* Copies of what is shared; NULL: it is the caller's own already. */
struct own {
	struct fs_ctx *fs;
	struct files *files;
};

static int copies_make(uint32_t flags, struct own *o)
{
	struct thread *t = thread_current();
	int err = 0;
	if ((flags & CLONE_FS) && fs_ctx_shared(t->fs))
		err = fs_ctx_copy(t->fs, &o->fs);
	if (!err && (flags & CLONE_FILES) && files_shared(t->files))
		err = files_copy(t->files, &o->files);
	if (err && o->fs)
		fs_ctx_unuse(o->fs);
	return err;
}

/* Puts them in place; `o` then holds what was there. */
static void copies_swap(struct own *o)
{
	struct task *t = task_current();
	uint64_t flags = spin_lock_irq(&t->process->lock);
	if (o->fs) {
		struct fs_ctx *old = t->thread.fs;
		t->thread.fs = o->fs;
		o->fs = old;
	}
	if (o->files) {
		struct files *old = t->files_ref;
		t->files_ref = t->thread.files = o->files;
		o->files = old;
	}
	spin_unlock_irq(&t->process->lock, flags);
}

int64_t sys_unshare(uint64_t wanted)
{
	struct own o = { 0 };
	int err = unshare_check(wanted);
	uint32_t flags = (uint32_t)wanted;
	if (!err)
		err = copies_make(flags, &o);
	if (err)
		return err;
	copies_swap(&o);
	if (flags & CLONE_SYSVSEM)
		proc_ipc_ops.exit(task_current());
	if (o.fs)
		fs_ctx_unuse(o.fs);
	if (o.files)
		files_put(o.files);
	return 0;
}

int64_t sys_setns(int32_t fd, uint32_t type)
{
	struct file *f = fd_get(fd);
	if (!f)
		return -EBADF;
	file_put(f);
	return -EINVAL;
}

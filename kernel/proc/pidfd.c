/*
 * Process descriptors. A pidfd holds a reference to the process, not to its number, so
 * that nothing done through it can hit a later process of the same number.
 */
#include "proc/pidfd.h"

#include <asm/poll.h>

#include "fs/files.h"
#include "fs/poll.h"
#include "fs/procfs/procfs.h"
#include "lib/fmt.h"
#include "proc/proc.h"

/* The number it has; -1 once it is reaped. */
static int32_t pid_now(struct process *p)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	int32_t nr = p->reaped ? -1 : p->pid;
	spin_unlock_irq(&tasklist_lock, flags);
	return nr;
}

static bool has_ended(struct process *p)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	bool ended = p->zombie || p->reaped;
	spin_unlock_irq(&tasklist_lock, flags);
	return ended;
}

static uint32_t pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct process *p = f->priv;
	poll_add(pt, f, &p->end_wait);
	return has_ended(p) ? POLLIN | POLLRDNORM : 0;
}

static size_t pidfd_show(struct file *f, char *buf, size_t n)
{
	int32_t nr = pid_now(f->priv);
	return fmt_to(buf, n, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static void pidfd_release(struct file *f)
{
	process_put(f->priv);
}

static const struct file_ops pidfd_ops = {
	.release = pidfd_release,
	.poll = pidfd_poll,
	.show_fdinfo = pidfd_show,
	.stream = true,
};

int pidfd_file_new(struct process *p, uint32_t flags, struct file **ret)
{
	int err =
		file_new_anon("[pidfd]", &pidfd_ops, process_get(p), O_RDWR | flags, ret);
	if (err)
		process_put(p);
	return err;
}

struct process *pidfd_process(struct file *f, bool folders)
{
	if (f->ops == &pidfd_ops)
		return process_get(f->priv);
	struct task *t = folders ? proc_folder_task(f->inode) : NULL;
	return t ? process_get(t->process) : NULL;
}

struct task *process_leader_get(struct process *p)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	struct task *t = !p->reaped && p->leader ? task_get(p->leader) : NULL;
	spin_unlock_irq(&tasklist_lock, flags);
	return t;
}

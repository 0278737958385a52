/* procfs: the folders of processes: /proc/<pid>, its task/ and the threads there, fd/ and
 * the like. */
#include "fs/procfs/procfs_internal.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define POS_TASK 2u  /* "task", in a process's folder */
#define POS_ENTRY 3u /* the first of proc_task_ops->entries */
#define POS_LIST 2u

static void *task_again(const struct proc_pid *p)
{
	return proc_task_ops->get(p->task);
}

static bool name_is(const struct qname *n, const char *s)
{
	return n->len == strlen(s) && !memcmp(n->s, s, n->len);
}

static bool entry_shown(const struct proc_pid_entry *e, bool thread)
{
	return thread ? !e->leader_only : !e->thread_only;
}

/* ---- lookup ---- */

static int lookup_entry(struct inode *dir, const struct qname *name, struct inode **ret)
{
	struct proc_pid *p = proc_pid_of(dir);

	if (p->kind == PID_PROCESS && name_is(name, "task"))
		return proc_pid_inode(
			dir->sb,
			(struct proc_pid){ .kind = PID_TASKS, .task = task_again(p) },
			S_IFDIR | 0555, ret);
	for (size_t k = 0; k < proc_task_ops->n_entries; k++) {
		const struct proc_pid_entry *e = &proc_task_ops->entries[k];

		if (!entry_shown(e, p->kind == PID_THREAD) || !name_is(name, e->name))
			continue;
		return proc_pid_inode(dir->sb,
				      (struct proc_pid){ .kind = PID_ENTRY,
							 .thread = p->kind == PID_THREAD,
							 .task = task_again(p),
							 .entry = e },
				      e->mode, ret);
	}
	return 0;
}

static int lookup_thread(struct inode *dir, const struct qname *name, struct inode **ret)
{
	struct proc_pid *p = proc_pid_of(dir);
	int32_t tid;
	void *task;

	if (!proc_parse_number(name->s, name->len, &tid) ||
	    proc_task_ops->next_tid(p->task, tid) != tid)
		return 0;
	task = proc_task_ops->find(tid, true);
	if (!task)
		return 0;
	return proc_pid_inode(dir->sb,
			      (struct proc_pid){ .kind = PID_THREAD, .task = task },
			      S_IFDIR | 0555, ret);
}

static int lookup_child(struct inode *dir, const struct qname *name, struct inode **ret)
{
	struct proc_pid *p = proc_pid_of(dir);
	struct proc_pid child = { .kind = PID_CHILD, .entry = p->entry };
	bool link = p->entry->link_name || p->entry->link_name_text;
	uint32_t mode = S_IFREG | 0444;
	int err;

	if (name->len >= sizeof child.name)
		return 0;
	memcpy(child.name, name->s, name->len);
	err = p->entry->link_name ? p->entry->link_name(p->task, child.name, NULL)
	      : link ? (int)MIN(0, p->entry->link_name_text(p->task, child.name, NULL, 0))
		     : p->entry->show_name(NULL, p->task, child.name);
	if (err)
		return err == -ENOENT ? 0 : err;
	if (link)
		mode = S_IFLNK |
		       (p->entry->link_mode ? p->entry->link_mode(p->task, child.name)
					    : 0700);
	child.task = task_again(p);
	return proc_pid_inode(dir->sb, child, mode, ret);
}

static int pid_dir_lookup(struct inode *dir, struct dentry *d)
{
	struct proc_pid *p = proc_pid_of(dir);
	struct inode *i = NULL;
	int err = proc_pid_check(p, thread_current()->cred);

	if (err)
		return err == -ESRCH ? -ENOENT : err;
	switch (p->kind) {
	case PID_TASKS:
		err = lookup_thread(dir, &d->name, &i);
		break;
	case PID_ENTRY:
		err = lookup_child(dir, &d->name, &i);
		break;
	default:
		err = lookup_entry(dir, &d->name, &i);
		break;
	}
	if (err || !i)
		return err ? err : -ENOENT;
	d->flags |= DENTRY_NOCACHE;
	dentry_instantiate(d, i);
	return 0;
}

/* ---- listing ---- */

static void emit_entries(struct file *f, struct dir_ctx *c, bool thread)
{
	if (f->pos == POS_TASK) {
		if (!thread &&
		    !c->emit(c, "task", 4, POS_ENTRY, PROC_INO_PID, S_IFDIR >> 12))
			return;
		f->pos = POS_ENTRY;
	}
	for (size_t k = f->pos - POS_ENTRY; k < proc_task_ops->n_entries; k++) {
		const struct proc_pid_entry *e = &proc_task_ops->entries[k];

		if (entry_shown(e, thread) &&
		    !c->emit(c, e->name, strlen(e->name), POS_ENTRY + k + 1, PROC_INO_PID,
			     (e->mode & S_IFMT) >> 12))
			return;
		f->pos = POS_ENTRY + k + 1;
	}
}

static void emit_threads(struct file *f, struct dir_ctx *c, void *task)
{
	char name[12];
	int32_t tid;

	while ((tid = proc_task_ops->next_tid(task, f->pos - POS_LIST))) {
		size_t len = fmt_to(name, sizeof name, "%d", tid);

		if (!c->emit(c, name, len, POS_LIST + tid + 1, PROC_INO_PID,
			     S_IFDIR >> 12))
			return;
		f->pos = POS_LIST + tid + 1;
	}
}

static void emit_children(struct file *f, struct dir_ctx *c, const struct proc_pid *p)
{
	uint8_t type =
		(p->entry->link_name || p->entry->link_name_text ? S_IFLNK : S_IFREG) >>
		12;
	uint64_t at = f->pos - POS_LIST;
	char name[24];

	while (p->entry->list(p->task, &at, name, sizeof name)) {
		at++;
		if (!c->emit(c, name, strlen(name), POS_LIST + at, PROC_INO_PID, type))
			return;
		f->pos = POS_LIST + at;
	}
}

static int pid_dir_iterate(struct file *f, struct dir_ctx *c)
{
	struct proc_pid *p = proc_pid_of(f->inode);
	int err = proc_pid_check(p, f->cred);

	if (err)
		return err == -ESRCH ? -ENOENT : err;
	if (!dir_emit_dots(f, c))
		return 0;
	if (p->kind == PID_TASKS)
		emit_threads(f, c, p->task);
	else if (p->kind == PID_ENTRY)
		emit_children(f, c, p);
	else
		emit_entries(f, c, p->kind == PID_THREAD);
	return 0;
}

const struct inode_ops proc_pid_dir_ops = {
	.lookup = pid_dir_lookup,
	.getattr = proc_pid_getattr,
	.permission = proc_pid_permission,
};
const struct file_ops proc_pid_dir_fops = { .iterate = pid_dir_iterate };

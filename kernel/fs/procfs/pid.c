/*
 * procfs: the inodes of processes, and their text files and links.
 *
 * Always true:
 *  Q1  an inode of a process holds a reference on the task, so its number cannot come to
 *      mean another one; once the process is reaped, everything gives ESRCH or ENOENT;
 *  Q2  guarded files are checked with the opener's credentials at open and at each making
 *      of the text, so that a descriptor opened before a set-user-ID exec shows nothing
 *      after.
 */
#include <asm/poll.h>

#include "fs/procfs/procfs_internal.h"
#include "lib/fmt.h"
#include "lib/string.h"

const struct proc_task_ops *proc_task_ops;

void proc_set_task_ops(const struct proc_task_ops *ops)
{
	proc_task_ops = ops;
}

void *proc_task_of(const struct inode *i)
{
	return proc_pid_of(i)->task;
}

void *proc_folder_task(const struct inode *i)
{
	if (i->ops != &proc_pid_dir_ops || proc_pid_of(i)->kind != PID_PROCESS)
		return NULL;
	return proc_task_of(i);
}

/* A positive number written the one right way. */
bool proc_parse_number(const char *s, size_t n, int32_t *ret)
{
	int64_t v = 0;

	if (!n || n > 10 || s[0] == '0')
		return false;
	for (size_t k = 0; k < n; k++) {
		if (s[k] < '0' || s[k] > '9')
			return false;
		v = v * 10 + (s[k] - '0');
	}
	if (v > INT32_MAX)
		return false;
	*ret = v;
	return true;
}

/* ---- inodes ---- */

/* Owners change with credentials. */
static void refresh_owner(struct inode *i)
{
	struct proc_pid *p = proc_pid_of(i);

	proc_task_ops->owner(p->task, p->kind != PID_ENTRY && p->kind != PID_CHILD,
			     &i->uid, &i->gid);
}

int proc_pid_inode(struct super_block *sb, struct proc_pid init, uint32_t mode,
		   struct inode **ret)
{
	struct proc_pid *p = heap_alloc(sizeof *p);
	struct inode *i = p ? inode_new(sb, sb->next_ino++) : NULL;

	if (!i) {
		proc_task_ops->put(init.task);
		heap_free(p);
		return -ENOMEM;
	}
	*p = init;
	i->priv = p;
	i->mode = mode;
	i->nlink = S_ISDIR(mode) ? 2 : 1;
	i->t.atime = i->t.mtime = i->t.ctime = i->t.btime = time_now_file();
	refresh_owner(i);
	if (S_ISDIR(mode)) {
		i->ops = &proc_pid_dir_ops;
		i->fops = &proc_pid_dir_fops;
	} else if (S_ISLNK(mode)) {
		i->ops = &proc_pid_link_ops;
	} else {
		i->ops = &proc_pid_file_ops;
		i->fops = p->entry->fops      ? p->entry->fops
			  : p->entry->changes ? &proc_pid_polled_fops
					      : &proc_pid_text_fops;
	}
	*ret = i;
	return 0;
}

void proc_pid_evict(struct inode *i)
{
	struct proc_pid *p = i->priv;

	if (!p)
		return;
	proc_task_ops->put(p->task);
	heap_free(p);
}

bool proc_pid_valid(const struct inode *i)
{
	return proc_task_ops->alive(proc_pid_of(i)->task);
}

bool proc_pid_listed(const struct super_block *sb, int32_t pid)
{
	void *task;
	bool shown;

	if (proc_options_of(sb)->hide < HIDE_NAMES)
		return true;
	task = proc_task_ops->find(pid, false);
	if (!task)
		return false;
	shown = proc_pid_shown(sb, task, HIDE_NAMES);
	proc_task_ops->put(task);
	return shown;
}

int proc_pid_lookup(struct super_block *sb, const struct qname *name, struct inode **ret)
{
	int32_t pid;
	void *task;

	if (!proc_task_ops || !proc_parse_number(name->s, name->len, &pid))
		return 0;
	task = proc_task_ops->find(pid, false);
	if (!task)
		return 0;
	if (!proc_pid_shown(sb, task, HIDE_UNTRACEABLE)) {
		proc_task_ops->put(task);
		return 0;
	}
	return proc_pid_inode(sb, (struct proc_pid){ .kind = PID_PROCESS, .task = task },
			      S_IFDIR | 0555, ret);
}

/* ---- who may ---- */

int proc_pid_getattr(struct inode *i, struct kstat *ret)
{
	struct proc_pid *p = proc_pid_of(i);

	if (p->kind == PID_PROCESS && !proc_pid_shown(i->sb, p->task, HIDE_NAMES))
		return -ENOENT;
	refresh_owner(i);
	inode_getattr_simple(i, ret);
	return 0;
}

int proc_pid_permission(struct inode *i, uint32_t may)
{
	const struct cred *c = thread_current()->cred;
	struct proc_pid *p = proc_pid_of(i);
	struct perm_facts facts;
	bool folder = S_ISDIR(i->mode) && p->entry && p->entry->guarded;

	if (p->kind == PID_PROCESS && !proc_pid_shown(i->sb, p->task, HIDE_CONTENT))
		return proc_options_of(i->sb)->hide == HIDE_NAMES ? -ENOENT : -EPERM;
	/* A process that is not dumpable still gets at its own descriptors:
	 * /dev/stdout. */
	if (folder && !(may & MAY_WRITE))
		return proc_task_ops->may_look(p->task, c) ? 0 : -EACCES;
	refresh_owner(i);
	facts = (struct perm_facts){ .mode = i->mode, .uid = i->uid, .gid = i->gid };
	return sec_may_access(c, &facts, may);
}

int proc_pid_check(const struct proc_pid *p, const struct cred *c)
{
	if (!proc_task_ops->alive(p->task))
		return -ESRCH;
	if (p->entry && p->entry->guarded && !proc_task_ops->may_look(p->task, c))
		return -EACCES;
	return 0;
}

/* ---- text files ---- */

static int pid_text_open(struct inode *i, struct file *f)
{
	const struct proc_pid *p = proc_pid_of(i);
	struct proc_open *o;
	struct waitq *unused;
	int err = proc_pid_check(p, f->cred);

	if (!err)
		err = proc_open_text(f);
	if (!err && p->entry->changes) {
		o = f->priv;
		o->changes_seen = p->entry->changes(&unused);
	}
	return err;
}

static int show(const struct proc_pid *p, struct proc_text *t)
{
	if (p->kind == PID_CHILD)
		return p->entry->show_name(t, p->task, p->name);
	if (p->thread && p->entry->show_thread)
		return p->entry->show_thread(t, p->task);
	return p->entry->show ? p->entry->show(t, p->task) : -EIO;
}

/* Once more at the end: what an execve in between has made of the process is not shown
 * because one might have looked at what it was. */
static int make(struct file *f, struct proc_text *t)
{
	const struct proc_pid *p = proc_pid_of(f->inode);
	int err = proc_pid_check(p, f->cred), n;

	if (err)
		return err;
	n = show(p, t);
	err = proc_pid_check(p, f->cred);
	return err ? err : n;
}

static int take(struct file *f, char *text, size_t n)
{
	struct proc_pid *p = proc_pid_of(f->inode);
	int err = proc_pid_check(p, f->cred);

	return err ? err : p->entry->store(text, n, p->task);
}

static int64_t pid_text_read(struct file *f, struct uio *u, uint64_t *pos)
{
	return proc_read_text(f, u, pos, make);
}

static int64_t pid_text_write(struct file *f, struct uio *u, uint64_t *pos)
{
	return proc_write_text(f, u, pos,
			       proc_pid_of(f->inode)->entry->store ? take : NULL);
}

/* Readable always; POLLERR and POLLPRI once for every change (proc(5), mounts). */
static uint32_t pid_text_poll(struct file *f, struct poll_table *pt)
{
	struct proc_pid *p = proc_pid_of(f->inode);
	struct proc_open *o = f->priv;
	struct waitq *wait;
	uint64_t now = p->entry->changes(&wait);
	bool changed;

	poll_add(pt, f, wait);
	changed = __atomic_exchange_n((uint64_t *)&o->changes_seen, now,
				      __ATOMIC_RELAXED) != now;
	return POLLIN | POLLRDNORM | (changed ? POLLERR | POLLPRI : 0);
}

const struct file_ops proc_pid_polled_fops = {
	.open = pid_text_open,
	.release = proc_release_text,
	.read = pid_text_read,
	.poll = pid_text_poll,
};

const struct file_ops proc_pid_text_fops = {
	.open = pid_text_open,
	.release = proc_release_text,
	.read = pid_text_read,
	.write = pid_text_write,
};

/* ---- links ---- */

static int link_check(const struct proc_pid *p)
{
	int err = proc_pid_check(p, thread_current()->cred);

	return err == -ESRCH ? -ENOENT : err;
}

static int link_target(const struct proc_pid *p, struct path *ret)
{
	/* A namespace's link has a text, but leads nowhere. */
	if (p->kind == PID_CHILD)
		return p->entry->link_name ? p->entry->link_name(p->task, p->name, ret)
					   : -ENOENT;
	return p->entry->link ? p->entry->link(p->task, ret) : -EACCES;
}

/* Once more at the end, as in `make`. */
static int pid_follow(struct inode *i, struct path *ret)
{
	const struct proc_pid *p = proc_pid_of(i);
	struct path to;
	int err = link_check(p);

	if (!err)
		err = link_target(p, &to);
	if (err)
		return err;
	err = link_check(p);
	if (err)
		path_put(&to);
	else
		*ret = to;
	return err;
}

/* Links that name no file say what they are. */
static int64_t link_own_text(const struct proc_pid *p, char *buf, size_t n)
{
	if (p->kind == PID_CHILD)
		return p->entry->link_name_text(p->task, p->name, buf, n);
	return p->entry->link_text(p->task, buf, n);
}

static int64_t pid_readlink(struct inode *i, char *buf, size_t n)
{
	struct proc_pid *p = proc_pid_of(i);
	struct path to;
	char *text, *room;
	int64_t len = link_check(p);

	if (len)
		return len;
	if (p->kind == PID_CHILD ? p->entry->link_name_text != NULL
				 : p->entry->link_text != NULL)
		return link_own_text(p, buf, n);
	len = pid_follow(i, &to);
	if (len)
		return len;
	room = heap_alloc(PATH_MAX_LEN);
	text = room ? path_text(&to, NULL, room, PATH_MAX_LEN) : NULL;
	len = room ? -ENAMETOOLONG : -ENOMEM;
	if (text) {
		len = MIN(strlen(text), n);
		memcpy(buf, text, len);
	}
	heap_free(room);
	path_put(&to);
	return len;
}

static int pid_setattr(struct inode *i, const struct attr_change *a)
{
	return a->valid & ~ATTR_SIZE ? -EPERM : 0;
}

const struct inode_ops proc_pid_file_ops = {
	.getattr = proc_pid_getattr,
	.permission = proc_pid_permission,
	.setattr = pid_setattr,
};
const struct inode_ops proc_pid_link_ops = {
	.readlink = pid_readlink,
	.follow = pid_follow,
	.getattr = proc_pid_getattr,
	.setattr = pid_setattr,
};

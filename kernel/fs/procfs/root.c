/* procfs: the inodes of the registered tree. */
#include "core/panic.h"
#include "fs/procfs/procfs_internal.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define POS_NODES 2u
#define POS_PIDS BIT(20) /* more nodes than this the root does not have */

static const struct inode_ops dir_ops, file_ops_inode, link_ops;
static const struct file_ops dir_fops, text_fops;

static struct proc_node *node_of(const struct inode *i)
{
	return i->priv;
}

void *proc_arg_of(const struct inode *i)
{
	return node_of(i)->arg;
}

/* ---- inodes ---- */

int proc_node_inode(struct super_block *sb, struct proc_node *n, struct inode **ret)
{
	bool fresh;
	struct inode *i = inode_get_cached(sb, n->ino, &fresh);

	if (!i)
		return -ENOMEM;
	if (fresh) {
		i->mode = n->mode;
		i->uid = n->uid;
		i->gid = n->gid;
		i->nlink = S_ISDIR(n->mode) ? 2 + n->n_folders : 1;
		i->t.atime = i->t.mtime = i->t.ctime = i->t.btime = time_now_file();
		i->priv = n;
		if (S_ISDIR(n->mode)) {
			i->ops = &dir_ops;
			i->fops = &dir_fops;
		} else if (S_ISLNK(n->mode)) {
			i->ops = &link_ops;
		} else {
			i->ops = &file_ops_inode;
			/* What attributes of devices have, whatever their length. */
			i->size = proc_options_of(sb) ? 0 : PAGE_SIZE;
			i->fops = n->ops ? n->ops : &text_fops;
		}
	}
	*ret = i;
	return 0;
}

/* With subset=pid only processes are there, and the links to one's own. */
static bool node_shown(const struct inode *dir, const struct proc_node *n)
{
	const struct proc_options *o = proc_options_of(dir->sb);

	return !o || !o->pids_only || n->make_link;
}

static int dir_lookup(struct inode *dir, struct dentry *d)
{
	struct inode *i = NULL;
	struct proc_node *n;
	int err = 0;

	proc_node_fill(node_of(dir));
	mutex_lock(&proc_tree_lock);
	n = proc_node_find(node_of(dir), d->name.s, d->name.len);
	if (n && !node_shown(dir, n))
		n = NULL;
	mutex_unlock(&proc_tree_lock);
	if (n)
		err = proc_node_inode(dir->sb, n, &i);
	else if (node_of(dir) == &proc_root)
		err = proc_pid_lookup(dir->sb, &d->name, &i);
	/* Not even a name to make something of: nothing is made here. */
	if (err || !i)
		return err ? err : -ENOENT;
	if (!n)
		d->flags |= DENTRY_NOCACHE;
	dentry_instantiate(d, i);
	return 0;
}

static int64_t link_read(struct inode *i, char *buf, size_t n)
{
	struct proc_node *node = node_of(i);
	size_t len;

	if (node->make_link)
		return node->make_link(buf, n);
	len = MIN(strlen(node->target), n);
	memcpy(buf, node->target, len);
	return len;
}

/* ---- folders ---- */

static bool emit_nodes(struct file *f, struct dir_ctx *c, struct proc_node *dir)
{
	uint64_t at = POS_NODES;

	list_for_each(n, &dir->children, struct proc_node, sibling)
	{
		if (at++ < f->pos || !node_shown(f->inode, n))
			continue;
		if (!c->emit(c, n->name, n->name_len, at, n->ino,
			     (n->mode & S_IFMT) >> 12))
			return false;
		f->pos = at;
	}
	return true;
}

static void emit_pids(struct file *f, struct dir_ctx *c)
{
	char name[12];
	int32_t pid;

	while ((pid = proc_task_ops->next_pid(f->pos - POS_PIDS))) {
		size_t len = fmt_to(name, sizeof name, "%d", pid);

		if (proc_pid_listed(f->inode->sb, pid) &&
		    !c->emit(c, name, len, POS_PIDS + pid + 1, PROC_INO_PID + pid,
			     S_IFDIR >> 12))
			return;
		f->pos = POS_PIDS + pid + 1;
	}
}

static int dir_getattr(struct inode *i, struct kstat *ret)
{
	struct proc_node *n = node_of(i);

	proc_node_fill(n);
	inode_getattr_simple(i, ret);
	ret->nlink = 2 + n->n_folders;
	return 0;
}

static int dir_iterate(struct file *f, struct dir_ctx *c)
{
	struct proc_node *dir = node_of(f->inode);
	bool all = true;

	if (!dir_emit_dots(f, c))
		return 0;
	if (f->pos < POS_PIDS) {
		proc_node_fill(dir);
		mutex_lock(&proc_tree_lock);
		all = emit_nodes(f, c, dir);
		mutex_unlock(&proc_tree_lock);
	}
	if (!all || dir != &proc_root || !proc_task_ops)
		return 0;
	f->pos = MAX(f->pos, POS_PIDS + 1);
	emit_pids(f, c);
	return 0;
}

/* ---- text files ---- */

static int text_open(struct inode *i, struct file *f)
{
	return proc_open_text(f);
}

static int make(struct file *f, struct proc_text *t)
{
	struct proc_node *n = node_of(f->inode);

	return n->show ? n->show(t, n->arg) : -EIO;
}

static int take(struct file *f, char *text, size_t n)
{
	struct proc_node *node = node_of(f->inode);

	return node->store(text, n, node->arg);
}

static int64_t text_read(struct file *f, struct uio *u, uint64_t *pos)
{
	return proc_read_text(f, u, pos, make);
}

static int64_t text_write(struct file *f, struct uio *u, uint64_t *pos)
{
	return proc_write_text(f, u, pos, node_of(f->inode)->store ? take : NULL);
}

static int node_permission(struct inode *i, uint32_t may)
{
	struct perm_facts facts = { .mode = i->mode, .uid = i->uid, .gid = i->gid };
	const struct proc_node *n = node_of(i);

	if (n->strict && (may & MAY_WRITE) && !(n->mode & 0222))
		return -EACCES;
	return sec_may_access(thread_current()->cred, &facts, may);
}

/* Truncation is what shells do to a file they write to. Owner and mode last for all that
 * is mounted of it; those of settings are not for changing. */
static int node_setattr(struct inode *i, const struct attr_change *a)
{
	struct proc_node *n = node_of(i);
	struct attr_change rest = *a;

	rest.valid &= ~(uint32_t)ATTR_SIZE;
	if (!rest.valid)
		return 0;
	if (n->strict)
		return -EPERM;
	int err = inode_setattr_simple(i, &rest);
	if (err)
		return err;
	n->mode = i->mode;
	n->uid = i->uid;
	n->gid = i->gid;
	return 0;
}

static const struct inode_ops dir_ops = { .lookup = dir_lookup,
					  .getattr = dir_getattr,
					  .setattr = node_setattr };
static const struct inode_ops file_ops_inode = { .setattr = node_setattr,
						 .permission = node_permission };
static const struct inode_ops link_ops = { .readlink = link_read,
					   .setattr = node_setattr };
static const struct file_ops dir_fops = { .iterate = dir_iterate };
static const struct file_ops text_fops = {
	.open = text_open,
	.release = proc_release_text,
	.read = text_read,
	.llseek = dir_llseek, /* there is no end to count from */
	.write = text_write,
};

static void fill(void)
{
	procfs_info_fill();
	procfs_memory_fill();
	procfs_machine_fill();
	procfs_mounts_fill();
	procfs_locks_fill();
}

void procfs_init(void)
{
	static struct proc_filler filler = { .fill = fill };

	insist(!proc_fill_later("", &filler));
	sysfs_init();
	procfs_types_init();
}

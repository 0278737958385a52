/* procfs: the file system types proc and sysfs, and the options of proc(5). */
#include "fs/options.h"
#include "fs/procfs/procfs_internal.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define PROC_MAGIC 0x9fa0u
#define SYSFS_MAGIC 0x62656572u

/* ---- options ---- */

static const struct {
	const char *number, *name;
	enum proc_hide hide;
} hide_values[] = {
	{ "0", "off", HIDE_NOTHING },
	{ "1", "noaccess", HIDE_CONTENT },
	{ "2", "invisible", HIDE_NAMES },
	{ "4", "ptraceable", HIDE_UNTRACEABLE },
};

static int set_hide(struct proc_options *o, const char *v)
{
	for (size_t i = 0; i < ARRAY_LEN(hide_values); i++) {
		if (strcmp(v, hide_values[i].number) && strcmp(v, hide_values[i].name))
			continue;
		o->hide = hide_values[i].hide;
		return 0;
	}
	return -EINVAL;
}

static int set_option(void *arg, const char *key, const char *v)
{
	struct proc_options *o = arg;
	uint64_t n;

	if (!strcmp(key, "hidepid"))
		return set_hide(o, v);
	if (!strcmp(key, "subset") && !strcmp(v, "pid")) {
		o->pids_only = true;
		return 0;
	}
	if (strcmp(key, "gid") || fmt_parse_u64(v, 10, &n, NULL) || n >= UINT32_MAX)
		return -EINVAL;
	o->gid = (gid_t)n;
	return 0;
}

static size_t proc_show_options(struct super_block *sb, char *buf, size_t n)
{
	const struct proc_options *o = proc_options_of(sb);
	size_t len = 0;

	if (o->gid)
		len += fmt_to(buf, n, ",gid=%u", o->gid);
	for (size_t i = 0; o->hide && i < ARRAY_LEN(hide_values); i++)
		if (hide_values[i].hide == o->hide)
			len += fmt_to(buf + len, n - len, ",hidepid=%s",
				      hide_values[i].name);
	if (o->pids_only)
		len += fmt_to(buf + len, n - len, ",subset=pid");
	return len;
}

/* What is not said stays. */
static int proc_remount(struct super_block *sb, const char *data)
{
	struct proc_options *o = proc_options_of(sb), try = *o;
	int err = options_parse(data, set_option, &try);

	if (err)
		return err;
	if (try.pids_only != o->pids_only)
		return -EINVAL;
	o->hide = try.hide;
	o->gid = try.gid;
	return 0;
}

bool proc_pid_shown(const struct super_block *sb, void *task, enum proc_hide from)
{
	const struct proc_options *o = proc_options_of(sb);
	const struct cred *c = thread_current()->cred;

	if (o->hide < from || (o->hide != HIDE_UNTRACEABLE && cred_in_group(c, o->gid)))
		return true;
	return proc_task_ops->may_look(task, c);
}

/* ---- super blocks ---- */

static bool is_pid(const struct inode *i)
{
	return i->ino >= PROC_INO_PID;
}

static void proc_evict(struct inode *i)
{
	if (is_pid(i))
		proc_pid_evict(i);
}

static bool proc_revalidate(struct dentry *d)
{
	if (!d->inode)
		return false; /* a process of that number may have come */
	return !is_pid(d->inode) || proc_pid_valid(d->inode);
}

static void proc_put_super(struct super_block *sb)
{
	heap_free(sb->priv);
}

static const struct super_ops proc_super_ops = {
	.evict = proc_evict,
	.revalidate = proc_revalidate,
	.put_super = proc_put_super,
	.show_options = proc_show_options,
	.remount = proc_remount,
};
static const struct super_ops sysfs_super_ops = { .evict = NULL };

static int mount_tree(struct super_block *sb, struct proc_node *root,
		      const struct super_ops *ops)
{
	struct inode *i;
	int err;

	sb->ops = ops;
	err = proc_node_inode(sb, root, &i);
	if (err)
		return err;
	sb->root = dentry_new_root(i);
	return sb->root ? 0 : -ENOMEM;
}

static int proc_mount(struct super_block *sb, const char *source, const char *data)
{
	struct proc_options *o = heap_zalloc(sizeof *o);
	int err;

	if (!o)
		return -ENOMEM;
	sb->priv = o;
	sb->ops = &proc_super_ops;
	err = options_parse(data, set_option, o);
	if (err)
		return err;
	sb->next_ino = PROC_INO_PID;
	return mount_tree(sb, &proc_root, &proc_super_ops);
}

static int sysfs_mount(struct super_block *sb, const char *source, const char *data)
{
	return mount_tree(sb, &sysfs_root, &sysfs_super_ops);
}

void procfs_types_init(void)
{
	static struct fs_type proc_type = { .name = "proc",
					    .magic = PROC_MAGIC,
					    .mount = proc_mount };
	static struct fs_type sysfs_type = { .name = "sysfs",
					     .magic = SYSFS_MAGIC,
					     .mount = sysfs_mount };

	fs_type_register(&proc_type);
	fs_type_register(&sysfs_type);
}

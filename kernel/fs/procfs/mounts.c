/* procfs: file systems and mounts. */
#include "fs/dcache.h"
#include "fs/mount.h"
#include "fs/pipe.h"
#include "fs/procfs/mounts.h"
#include "fs/procfs/procfs_internal.h"
#include "lib/string.h"

#define OPTIONS_MAX 256

/* ---- text ---- */

/* Blanks, newlines and backslashes as octal, as getmntent(3) undoes. */
static void print_escaped(struct proc_text *t, const char *s)
{
	for (; *s; s++) {
		if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\\' || *s == '#')
			proc_printf(t, "\\%03o", (unsigned char)*s);
		else
			proc_write(t, s, 1);
	}
}

static void print_flags(struct proc_text *t, const struct mount *m, bool read_only)
{
	static const struct {
		uint32_t flag;
		const char *text;
	} names[] = {
		{ MS_NOSUID, ",nosuid" },	  { MS_NODEV, ",nodev" },
		{ MS_NOEXEC, ",noexec" },	  { MS_NOATIME, ",noatime" },
		{ MS_NODIRATIME, ",nodiratime" }, { MS_RELATIME, ",relatime" },
	};

	proc_printf(t, "%s", read_only ? "ro" : "rw");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (m->flags & names[i].flag)
			proc_printf(t, "%s", names[i].text);
}

static void print_options(struct proc_text *t, struct super_block *sb)
{
	char options[OPTIONS_MAX];
	size_t n;

	if (!sb->ops || !sb->ops->show_options)
		return;
	n = sb->ops->show_options(sb, options, sizeof options);
	proc_write(t, options, MIN(n, sizeof options - 1));
}

/* Where it is, seen from root. */
static void print_point(struct proc_text *t, const struct mount *m,
			const struct path *root)
{
	struct path p = { (struct mount *)m, m->root };
	char *room = heap_alloc(PATH_MAX_LEN);
	char *text = room ? path_text(&p, root, room, PATH_MAX_LEN) : NULL;

	print_escaped(t, text ? text : "/");
	heap_free(room);
}

typedef void (*mount_line_fn)(struct proc_text *t, struct mount *m,
			      const struct path *root);

/* A table of mounts, from where the last part ended. A mount that goes between two parts
 * may hide another one from the reader, who is told of changes (poll). */
struct table {
	struct proc_text *t;
	const struct path *root;
	mount_line_fn line;
	uint64_t n;
	bool more;
};

static void table_line(struct mount *m, void *arg)
{
	struct table *o = arg;

	if (o->n++ < o->t->cursor)
		return;
	if (proc_full(o->t)) {
		o->more = true;
		return;
	}
	o->t->cursor = o->n;
	o->line(o->t, m, o->root);
}

static int show_table(struct proc_text *t, const struct path *root, mount_line_fn line)
{
	struct table o = { .t = t, .root = root, .line = line };

	mount_for_each(root, table_line, &o);
	return o.more ? PROC_MORE : 0;
}

static void show_mount(struct proc_text *t, struct mount *m, const struct path *root)
{
	bool read_only = (m->flags & MS_RDONLY) || (m->sb->flags & SB_RDONLY);

	print_escaped(t, m->source);
	proc_printf(t, " ");
	print_point(t, m, root);
	proc_printf(t, " %s ", m->sb->type->name);
	print_flags(t, m, read_only);
	print_options(t, m->sb);
	proc_printf(t, " 0 0\n");
}

int proc_show_mounts(struct proc_text *t, const struct path *root)
{
	return show_table(t, root, show_mount);
}

static void show_mount_stats(struct proc_text *t, struct mount *m,
			     const struct path *root)
{
	proc_printf(t, "device ");
	print_escaped(t, m->source);
	proc_printf(t, " mounted on ");
	print_point(t, m, root);
	proc_printf(t, " with fstype %s\n", m->sb->type->name);
}

int proc_show_mountstats(struct proc_text *t, const struct path *root)
{
	return show_table(t, root, show_mount_stats);
}

/* The mount's root within its file system: not "/" for a bind mount of a folder. */
static void print_root(struct proc_text *t, const struct mount *m)
{
	char *room, *at;
	struct dentry *d;

	if (m->root == m->sb->root) {
		proc_printf(t, "/");
		return;
	}
	room = heap_alloc(PATH_MAX_LEN);
	if (!room)
		return;
	at = room + PATH_MAX_LEN - 1;
	*at = '\0';
	spin_lock(&dcache_lock);
	for (d = m->root; d != d->parent; d = d->parent) {
		if ((size_t)(at - room) < d->name.len + 1)
			break;
		at -= d->name.len;
		memcpy(at, d->name.s, d->name.len);
		*--at = '/';
	}
	spin_unlock(&dcache_lock);
	print_escaped(t, at);
	heap_free(room);
}

static void show_mountinfo(struct proc_text *t, struct mount *m, const struct path *root)
{
	proc_printf(t, "%u %u %u:%u ", m->id, m->parent ? m->parent->id : 0,
		    DEV_MAJOR(m->sb->dev), DEV_MINOR(m->sb->dev));
	print_root(t, m);
	proc_printf(t, " ");
	print_point(t, m, root);
	proc_printf(t, " ");
	print_flags(t, m, m->flags & MS_RDONLY);
	proc_printf(t, " - %s ", m->sb->type->name);
	print_escaped(t, m->source);
	proc_printf(t, " %s", m->sb->flags & SB_RDONLY ? "ro" : "rw");
	print_options(t, m->sb);
	proc_printf(t, "\n");
}

int proc_show_mountinfo(struct proc_text *t, const struct path *root)
{
	return show_table(t, root, show_mountinfo);
}

static void show_type(const struct fs_type *type, void *arg)
{
	proc_printf(arg, "%s\t%s\n", type->needs_device ? "" : "nodev", type->name);
}

static int show_filesystems(struct proc_text *t, void *arg)
{
	fs_type_for_each(show_type, t);
	return 0;
}

/* ---- sys/fs ---- */

static int show_dentry_state(struct proc_text *t, void *arg)
{
	uint64_t all, unused;

	dcache_counts(&all, &unused);
	proc_printf(t, "%lu\t%lu\t45\t0\t%lu\t0\n", (unsigned long)all,
		    (unsigned long)unused, (unsigned long)unused);
	return 0;
}

static int show_pipe_max(struct proc_text *t, void *arg)
{
	proc_printf(t, "%lu\n", (unsigned long)pipe_max_size());
	return 0;
}

static int store_pipe_max(char *text, size_t n, void *arg)
{
	uint64_t v;
	int err = proc_parse_u64(text, &v);

	return err ? err : pipe_max_size_set(v);
}

void procfs_mounts_fill(void)
{
	proc_made(proc_file("filesystems", 0444, show_filesystems, NULL, NULL));
	proc_made(proc_symlink("mounts", "self/mounts"));
	proc_made(proc_file("sys/fs/dentry-state", 0444, show_dentry_state, NULL, NULL));
	proc_made(proc_file("sys/fs/pipe-max-size", 0644, show_pipe_max, store_pipe_max,
			    NULL));
}

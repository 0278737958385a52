/*
 * procfs: the tree of registered files. Nodes are made while booting, or when a layer
 * comes up, and never go away, so a pointer to one stays good.
 *
 * Locks: proc_tree_lock, over the lists of children and of fillers; fill_lock, while
 * fillers run.
 */
#include "core/panic.h"
#include "fs/procfs/procfs_internal.h"
#include "lib/string.h"

struct mutex proc_tree_lock = MUTEX_INIT(proc_tree_lock, RANK_PIPE);
static struct mutex fill_lock = MUTEX_INIT(fill_lock, RANK_PROC_FILL);
static uint64_t next_ino = 2; /* [proc_tree_lock] 1 is a root's */

struct proc_node proc_root = { .name = "",
			       .mode = S_IFDIR | 0555,
			       .ino = 1,
			       .children = LIST_INIT(proc_root.children),
			       .fillers = LIST_INIT(proc_root.fillers) };
struct proc_node sysfs_root = { .name = "",
				.mode = S_IFDIR | 0555,
				.ino = 1,
				.strict = true,
				.children = LIST_INIT(sysfs_root.children),
				.fillers = LIST_INIT(sysfs_root.fillers) };

struct proc_node *proc_node_find(struct proc_node *dir, const char *name, size_t len)
{
	list_for_each(n, &dir->children, struct proc_node, sibling)
	{
		if (n->name_len == len && !memcmp(n->name, name, len))
			return n;
	}
	return NULL;
}

static struct proc_node *node_add(struct proc_node *dir, const char *name, size_t len,
				  const struct proc_node *like)
{
	struct proc_node *n = heap_alloc(sizeof *n);

	if (!n)
		return NULL;
	*n = *like;
	n->name = name;
	n->name_len = len;
	n->ino = next_ino++;
	n->strict =
		dir->strict || (dir == &proc_root && len == 3 && !memcmp(name, "sys", 3));
	list_init(&n->children);
	list_init(&n->fillers);
	list_push_back(&dir->children, &n->sibling);
	dir->n_folders += S_ISDIR(n->mode) ? 1 : 0;
	return n;
}

static const struct proc_node folder = { .mode = S_IFDIR | 0555 };

/* The folder of that name in dir, made if need be; NULL: no memory, or no folder. */
static struct proc_node *step_into(struct proc_node *dir, const char *name, size_t len)
{
	struct proc_node *n = proc_node_find(dir, name, len);

	if (!n)
		n = node_add(dir, name, len, &folder);
	return n && S_ISDIR(n->mode) ? n : NULL;
}

/* The path's text stays in use: it must be a constant, or memory that stays. */
static int add_locked(struct proc_node *dir, const char *path,
		      const struct proc_node *like)
{
	const char *slash;

	while ((slash = strchr(path, '/'))) {
		dir = step_into(dir, path, slash - path);
		if (!dir)
			return -ENOMEM;
		path = slash + 1;
	}
	if (proc_node_find(dir, path, strlen(path)))
		return -EEXIST;
	return node_add(dir, path, strlen(path), like) ? 0 : -ENOMEM;
}

/* Takes "TYPE:" off the path. */
static struct proc_node *root_of(const char **path)
{
	static const char sysfs[] = "sysfs:";

	if (strncmp(*path, sysfs, sizeof sysfs - 1))
		return &proc_root;
	*path += sizeof sysfs - 1;
	return &sysfs_root;
}

static int add(const char *path, struct proc_node like)
{
	struct proc_node *root = root_of(&path);
	int err;

	mutex_lock(&proc_tree_lock);
	err = add_locked(root, path, &like);
	mutex_unlock(&proc_tree_lock);
	return err;
}

/* ---- what is filled in late ---- */

int proc_fill_later(const char *path, struct proc_filler *f)
{
	struct proc_node *dir = root_of(&path);

	mutex_lock(&proc_tree_lock);
	if (*path)
		dir = step_into(dir, path, strlen(path));
	if (dir)
		list_push_back(&dir->fillers, &f->link);
	mutex_unlock(&proc_tree_lock);
	return dir ? 0 : -ENOMEM;
}

static struct proc_filler *filler_next(struct proc_node *dir)
{
	struct proc_filler *f;

	mutex_lock(&proc_tree_lock);
	f = list_first_or_null(&dir->fillers, struct proc_filler, link);
	if (f)
		list_del(&f->link);
	mutex_unlock(&proc_tree_lock);
	return f;
}

void proc_node_fill(struct proc_node *dir)
{
	struct proc_filler *f;

	if (__atomic_load_n(&dir->filled, __ATOMIC_ACQUIRE))
		return;
	mutex_lock(&fill_lock);
	while ((f = filler_next(dir)))
		f->fill();
	__atomic_store_n(&dir->filled, true, __ATOMIC_RELEASE);
	mutex_unlock(&fill_lock);
}

void proc_made(int err)
{
	insist(!err || err == -ENOMEM);
}

/* ---- registering ---- */

int proc_folder(const char *path)
{
	return add(path, folder);
}

int proc_file(const char *path, uint32_t mode, proc_show_fn show, proc_store_fn store,
	      void *arg)
{
	return add(path, (struct proc_node){ .mode = S_IFREG | mode,
					     .show = show,
					     .store = store,
					     .arg = arg });
}

int proc_file_ops(const char *path, uint32_t mode, const struct file_ops *ops, void *arg)
{
	return add(path,
		   (struct proc_node){ .mode = S_IFREG | mode, .ops = ops, .arg = arg });
}

int proc_symlink(const char *path, const char *target)
{
	return add(path, (struct proc_node){ .mode = S_IFLNK | 0777, .target = target });
}

int proc_symlink_made(const char *path, int64_t (*make)(char *buf, size_t n))
{
	return add(path, (struct proc_node){ .mode = S_IFLNK | 0777, .make_link = make });
}

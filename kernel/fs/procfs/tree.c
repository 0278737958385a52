/*
 * procfs: the tree of registered files. Nodes are made while booting, or when a layer
 * comes up, and never go away, so a pointer to one stays good.
 *
 * Locks: proc_tree_lock, over the lists of children.
 */
#include "core/panic.h"
#include "fs/procfs/procfs_internal.h"
#include "lib/string.h"

struct mutex proc_tree_lock = MUTEX_INIT(proc_tree_lock, RANK_PIPE);
static uint64_t next_ino = 2; /* [proc_tree_lock] 1 is a root's */

struct proc_node proc_root = { .name = "",
			       .mode = S_IFDIR | 0555,
			       .ino = 1,
			       .children = LIST_INIT(proc_root.children) };
struct proc_node sysfs_root = { .name = "",
				.mode = S_IFDIR | 0555,
				.ino = 1,
				.children = LIST_INIT(sysfs_root.children) };

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
	list_init(&n->children);
	list_push_back(&dir->children, &n->sibling);
	dir->n_folders += S_ISDIR(n->mode) ? 1 : 0;
	return n;
}

/* The path's text stays in use: it must be a constant. */
static int add_locked(struct proc_node *dir, const char *path,
		      const struct proc_node *like)
{
	static const struct proc_node folder = { .mode = S_IFDIR | 0555 };
	const char *slash;

	while ((slash = strchr(path, '/'))) {
		struct proc_node *next = proc_node_find(dir, path, slash - path);

		if (!next)
			next = node_add(dir, path, slash - path, &folder);
		if (!next)
			return -ENOMEM;
		if (!S_ISDIR(next->mode))
			return -EEXIST;
		dir = next;
		path = slash + 1;
	}
	if (proc_node_find(dir, path, strlen(path)))
		return -EEXIST;
	return node_add(dir, path, strlen(path), like) ? 0 : -ENOMEM;
}

static int add(const char *path, struct proc_node like)
{
	static const char sysfs[] = "sysfs:";
	struct proc_node *root = &proc_root;
	int err;

	if (!strncmp(path, sysfs, sizeof sysfs - 1)) {
		path += sizeof sysfs - 1;
		root = &sysfs_root;
	}
	mutex_lock(&proc_tree_lock);
	err = add_locked(root, path, &like);
	mutex_unlock(&proc_tree_lock);
	return err;
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

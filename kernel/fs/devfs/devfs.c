/*
 * devfs: tmpfs with nodes in it. A list keeps what drivers announced; a new instance gets
 * all of it, instances that are mounted already get each newcomer.
 *
 * Locks: devfs_lock, over the list and the instances, while nodes are made.
 */
#include "fs/devfs/devfs.h"

#include "core/panic.h"
#include "fs/acl.h"
#include "fs/mount.h"
#include "lib/string.h"

#define DEVFS_MAGIC 0x01021994u /* tmpfs's, as Linux's devtmpfs has */

struct node {
	struct list link;
	const char *path;
	const char *target; /* symbolic links */
	uint32_t mode;
	dev_id_t rdev;
};

struct instance {
	struct list link;
	struct super_block *sb;
	struct super_ops ops; /* tmpfs's, but for put_super */
	const struct super_ops *tmpfs_ops;
};

static struct mutex devfs_lock = MUTEX_INIT(devfs_lock, RANK_PROC_EXEC);
static struct list nodes = LIST_INIT(nodes);	     /* [devfs_lock] in order */
static struct list instances = LIST_INIT(instances); /* [devfs_lock] */

/* ---- making nodes ---- */

static int make_in(struct inode *dir, struct dentry *d, const struct node *n)
{
	switch (n->mode & S_IFMT) {
	case S_IFDIR:
		return dir->ops->mkdir(dir, d, n->mode);
	case S_IFLNK:
		return dir->ops->symlink(dir, d, n->target);
	default:
		return dir->ops->mknod(dir, d, n->mode, n->rdev);
	}
}

static int child(struct dentry *dir, const char *s, size_t len, struct dentry **ret)
{
	struct qname name = { s, (uint32_t)len, name_hash(dir, s, len) };

	return dentry_lookup(dir, name, ret);
}

static int make_node(struct super_block *sb, const struct node *n)
{
	struct dentry *dir = dentry_get(sb->root), *d;
	const char *s = n->path, *slash;
	int err;

	while ((slash = strchr(s, '/'))) {
		err = child(dir, s, slash - s, &d);
		dentry_put(dir);
		if (err)
			return err;
		dir = d;
		s = slash + 1;
	}
	err = dir->inode ? child(dir, s, strlen(s), &d) : -ENOENT;
	if (!err) {
		mutex_lock(&dir->inode->lock);
		if (!d->inode)
			err = make_in(dir->inode, d, n);
		/* Modes are the device's, whatever umask the mounting process has. */
		if (!err && d->inode && !S_ISLNK(n->mode))
			err = inode_mode_set(d->inode, n->mode);
		mutex_unlock(&dir->inode->lock);
		dentry_put(d);
	}
	dentry_put(dir);
	return err;
}

static int add(struct node n)
{
	struct node *copy = heap_alloc(sizeof *copy);
	int err = 0;

	if (!copy)
		return -ENOMEM;
	*copy = n;
	mutex_lock(&devfs_lock);
	list_push_back(&nodes, &copy->link);
	list_for_each(i, &instances, struct instance, link)
	{
		int one = make_node(i->sb, copy);

		err = err ? err : one;
	}
	mutex_unlock(&devfs_lock);
	return err;
}

int devfs_add(const char *path, uint32_t mode, dev_id_t rdev)
{
	return add((struct node){ .path = path, .mode = mode, .rdev = rdev });
}

int devfs_add_link(const char *path, const char *target)
{
	return add(
		(struct node){ .path = path, .target = target, .mode = S_IFLNK | 0777 });
}

/* ---- the file system ---- */

static void devfs_put_super(struct super_block *sb)
{
	struct instance *i = container_of(sb->ops, struct instance, ops);

	mutex_lock(&devfs_lock);
	list_del(&i->link);
	mutex_unlock(&devfs_lock);
	if (i->tmpfs_ops->put_super)
		i->tmpfs_ops->put_super(sb);
	heap_free(i);
}

static int devfs_mount(struct super_block *sb, const char *source, const char *data)
{
	struct instance *i = heap_zalloc(sizeof *i);
	int err;

	if (!i)
		return -ENOMEM;
	err = tmpfs_fill(sb, 0755, data);
	if (err) {
		heap_free(i);
		return err;
	}
	i->sb = sb;
	i->tmpfs_ops = sb->ops;
	i->ops = *sb->ops;
	i->ops.put_super = devfs_put_super;
	sb->ops = &i->ops;
	mutex_lock(&devfs_lock);
	list_push_back(&instances, &i->link);
	list_for_each(n, &nodes, struct node, link)
	{
		err = make_node(sb, n);
		if (err)
			break;
	}
	mutex_unlock(&devfs_lock);
	return err;
}

static struct fs_type devfs_type = {
	.name = "devtmpfs",
	.magic = DEVFS_MAGIC,
	.mount = devfs_mount,
};

static const struct node always[] = {
	{ .path = "pts", .mode = S_IFDIR | 0755 },
	{ .path = "mqueue", .mode = S_IFDIR | S_ISVTX | 0777 },
	{ .path = "shm", .mode = S_IFDIR | S_ISVTX | 0777 },
	{ .path = "null", .mode = S_IFCHR | 0666, .rdev = DEV_ID(1, 3) },
	{ .path = "zero", .mode = S_IFCHR | 0666, .rdev = DEV_ID(1, 5) },
	{ .path = "full", .mode = S_IFCHR | 0666, .rdev = DEV_ID(1, 7) },
	{ .path = "random", .mode = S_IFCHR | 0666, .rdev = DEV_ID(1, 8) },
	{ .path = "urandom", .mode = S_IFCHR | 0666, .rdev = DEV_ID(1, 9) },
	{ .path = "ttyS0", .mode = S_IFCHR | 0600, .rdev = DEV_ID(4, 64) },
	{ .path = "tty", .mode = S_IFCHR | 0666, .rdev = DEV_ID(5, 0) },
	{ .path = "console", .mode = S_IFCHR | 0600, .rdev = DEV_ID(5, 1) },
	{ .path = "ptmx", .mode = S_IFCHR | 0666, .rdev = DEV_ID(5, 2) },
	{ .path = "fd", .mode = S_IFLNK | 0777, .target = "/proc/self/fd" },
	{ .path = "stdin", .mode = S_IFLNK | 0777, .target = "/proc/self/fd/0" },
	{ .path = "stdout", .mode = S_IFLNK | 0777, .target = "/proc/self/fd/1" },
	{ .path = "stderr", .mode = S_IFLNK | 0777, .target = "/proc/self/fd/2" },
};

void devfs_init(void)
{
	for (size_t n = 0; n < ARRAY_LEN(always); n++) {
		int err = add(always[n]);

		insist(!err);
	}
	fs_type_register(&devfs_type);
}

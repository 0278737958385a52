/*
 * The file system mqueue: one folder of queues, the same in every mount (/dev/mqueue).
 * Reading a queue's file tells how full it is and who will be notified; messages go
 * through the calls.
 */
#include <asm/poll.h>
#include <asm/statfs.h>

#include "core/panic.h"
#include "fs/namei.h"
#include "fs/open.h"
#include "fs/walk.h"
#include "ipc/ipc.h"
#include "ipc/mqueue.h"
#include "lib/string.h"
#include "mm/slab.h"

#define MQUEUE_MAGIC 0x19800202u
#define FILE_SIZE 80  /* st_size of every queue, as on Linux */
#define ENTRY_SIZE 20 /* what a queue adds to the folder's */
#define POS_FIRST 2u  /* after "." and ".." */

/* A name in the folder. */
struct entry {
	struct list link;    /* [folder's inode lock] by place, rising */
	uint64_t place;	     /* [I] where getdents finds it */
	struct inode *inode; /* [I] referenced */
	size_t len;
	char name[];
};

static struct list entries = LIST_INIT(entries); /* [folder's inode lock] */
static uint64_t next_place = POS_FIRST;		 /* [folder's inode lock] */
static _Atomic uint64_t n_queues;
static struct mount *mqueue_mount; /* [I] */

/* ---- a queue's file ---- */

static int64_t queue_read(struct file *f, struct uio *u, uint64_t *pos)
{
	char text[FILE_SIZE];
	size_t n = MIN(mqueue_text(f->inode->priv, text, sizeof text), sizeof text - 1);

	if (*pos >= n)
		return 0;
	int64_t done = uio_write(u, text + *pos, MIN(n - *pos, u->left));
	if (done > 0)
		*pos += (uint64_t)done;
	return done;
}

static uint32_t queue_poll(struct file *f, struct poll_table *pt)
{
	struct mqueue *q = f->inode->priv;

	poll_add_for(pt, f, &q->receivers, POLLIN | POLLRDNORM);
	poll_add_for(pt, f, &q->senders, POLLOUT | POLLWRNORM);
	spin_lock(&q->lock);
	uint32_t ready = (q->number ? POLLIN | POLLRDNORM : 0u) |
			 (q->number < q->max_messages ? POLLOUT | POLLWRNORM : 0u);
	spin_unlock(&q->lock);
	return ready;
}

static int queue_flush(struct file *f)
{
	mqueue_closed(f->inode->priv);
	return 0;
}

static int queue_mmap(struct file *f, struct map_request *r)
{
	return -ENODEV;
}

static const struct file_ops queue_fops = {
	.read = queue_read,
	.poll = queue_poll,
	.flush = queue_flush,
	.mmap = queue_mmap,
};

struct mqueue *mqueue_of(const struct file *f)
{
	return f->ops == &queue_fops ? f->inode->priv : NULL;
}

/* Its size says nothing and cannot be changed. */
static int queue_setattr(struct inode *i, const struct attr_change *a)
{
	struct attr_change b = *a;

	b.valid &= ~ATTR_SIZE;
	return inode_setattr_simple(i, &b);
}

static const struct inode_ops queue_ops = { .setattr = queue_setattr };

static bool count_queue(void)
{
	uint64_t n = __atomic_add_fetch((uint64_t *)&n_queues, 1, __ATOMIC_RELAXED);

	if (n <= mqueue_limits.queues ||
	    cred_has_cap(thread_current()->cred, CAP_SYS_RESOURCE))
		return true;
	n_queues--;
	return false;
}

static int queue_inode(struct super_block *sb, uint32_t mode, const struct mq_attr *attr,
		       struct inode **ret)
{
	struct mqueue *q;

	if (!count_queue())
		return -ENOSPC;
	int err = mqueue_new(attr, &q);
	if (err) {
		n_queues--;
		return err;
	}
	struct inode *i = inode_new(sb, sb->next_ino++);
	if (!i) {
		mqueue_free(q);
		n_queues--;
		return -ENOMEM;
	}
	inode_init_owner(i, NULL, S_IFREG | (mode & 07777));
	i->ops = &queue_ops;
	i->fops = &queue_fops;
	i->size = FILE_SIZE;
	i->priv = q;
	*ret = i;
	return 0;
}

static void evict(struct inode *i)
{
	if (!S_ISREG(i->mode))
		return;
	mqueue_free(i->priv);
	n_queues--;
}

/* ---- the folder (its inode is locked) ---- */

static struct entry *entry_find(const struct qname *name)
{
	list_for_each(e, &entries, struct entry, link)
	{
		if (e->len == name->len && !memcmp(e->name, name->s, name->len))
			return e;
	}
	return NULL;
}

static int dir_lookup(struct inode *dir, struct dentry *d)
{
	struct entry *e = entry_find(&d->name);

	if (e)
		dentry_instantiate(d, inode_get(e->inode));
	return 0;
}

static int dir_add(struct inode *dir, struct dentry *d, uint32_t mode,
		   const struct mq_attr *attr)
{
	struct entry *e = heap_alloc(sizeof *e + d->name.len);
	struct inode *i;

	if (!e)
		return -ENOMEM;
	int err = queue_inode(dir->sb, mode, attr, &i);
	if (err) {
		heap_free(e);
		return err;
	}
	/* Nothing below can fail. */
	e->place = next_place++;
	e->inode = inode_get(i);
	e->len = d->name.len;
	memcpy(e->name, d->name.s, d->name.len);
	list_push_back(&entries, &e->link);
	dir->size += ENTRY_SIZE;
	inode_touch(dir, TOUCH_MTIME | TOUCH_CTIME);
	dentry_instantiate(d, i);
	return 0;
}

static int dir_create(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return dir_add(dir, d, mode, NULL);
}

static int dir_unlink(struct inode *dir, struct dentry *d)
{
	struct entry *e = entry_find(&d->name);

	if (!e)
		return -ENOENT;
	list_del(&e->link);
	dir->size -= ENTRY_SIZE;
	inode_touch(dir, TOUCH_MTIME | TOUCH_CTIME);
	e->inode->nlink--;
	inode_touch(e->inode, TOUCH_CTIME);
	inode_put(e->inode);
	heap_free(e);
	return 0;
}

static int dir_iterate(struct file *f, struct dir_ctx *c)
{
	struct inode *dir = f->inode;

	if (!dir_emit_dots(f, c))
		return 0;
	mutex_lock(&dir->lock);
	list_for_each(e, &entries, struct entry, link)
	{
		if (e->place < f->pos)
			continue;
		if (!c->emit(c, e->name, e->len, e->place + 1, e->inode->ino,
			     S_IFREG >> 12))
			break;
		f->pos = e->place + 1;
	}
	mutex_unlock(&dir->lock);
	return 0;
}

static const struct inode_ops dir_ops = {
	.lookup = dir_lookup,
	.create = dir_create,
	.unlink = dir_unlink,
};

static const struct file_ops dir_fops = {
	.iterate = dir_iterate,
	.llseek = dir_llseek,
};

/* ---- mounting ---- */

static int statfs(struct super_block *sb, struct statfs *ret)
{
	ret->f_type = MQUEUE_MAGIC;
	ret->f_bsize = PAGE_SIZE;
	ret->f_namelen = NAME_MAX_LEN;
	return 0;
}

static int fill(struct super_block *sb, const char *source, const char *data)
{
	static const struct super_ops ops = { .evict = evict, .statfs = statfs };
	struct inode *i = inode_new(sb, sb->next_ino++);

	if (!i)
		return -ENOMEM;
	inode_init_owner(i, NULL, S_IFDIR | S_ISVTX | S_IRWXU | S_IRWXG | S_IRWXO);
	i->nlink = 2;
	i->ops = &dir_ops;
	i->fops = &dir_fops;
	sb->ops = &ops;
	sb->root = dentry_new_root(i);
	return sb->root ? 0 : -ENOMEM;
}

static struct fs_type mqueue_type = {
	.name = "mqueue",
	.magic = MQUEUE_MAGIC,
	.mount = fill,
};

void mqueue_init(void)
{
	fs_type_register(&mqueue_type);
	int err = mount_internal("mqueue", "mqueue", NULL,
				 MS_NODEV | MS_NOSUID | MS_NOEXEC, &mqueue_mount);
	insist(!err);
	mqueue_mount->internal = true;
	mqueue_type.sole = mqueue_mount->sb;
}

/* ---- mq_open(2), mq_unlink(2) ---- */

static struct path folder(void)
{
	return (struct path){ mqueue_mount, mqueue_mount->root };
}

/* 0, -EACCES: no name of a queue. */
static int name_check(const char *name, struct qname *ret)
{
	size_t n = strlen(name);

	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EACCES;
	*ret = (struct qname){ name, (uint32_t)n,
			       name_hash(mqueue_mount->root, name, n) };
	return 0;
}

struct opening {
	uint32_t flags, mode;
	const struct mq_attr *attr;
	bool created;
};

/* Finds or makes it; the folder is locked. */
static int find_or_create(struct opening *o, const struct qname *name,
			  struct dentry **ret)
{
	const struct path dir = folder();
	struct dentry *d;

	int err = lookup_locked(dir.dentry, name, &d);
	if (err)
		return err;
	if (d->inode) {
		if ((o->flags & O_CREAT) && (o->flags & O_EXCL))
			err = -EEXIST;
	} else if (!(o->flags & O_CREAT)) {
		err = -ENOENT;
	} else {
		err = may_create(&dir);
		if (!err)
			err = dir_add(dir.dentry->inode, d,
				      mode_masked(dir.dentry->inode, o->mode), o->attr);
		o->created = !err;
	}
	if (err)
		dentry_put(d);
	else
		*ret = d;
	return err;
}

int mqueue_open(const char *name, uint32_t flags, uint32_t mode,
		const struct mq_attr *attr, struct file **ret)
{
	struct opening o = { .flags = flags, .mode = mode, .attr = attr };
	uint32_t how = flags & (O_ACCMODE | O_NONBLOCK);
	struct path p = folder();
	struct inode *dir = p.dentry->inode;
	struct qname q;

	int err = name_check(name, &q);
	if (!err && ((flags & O_ACCMODE) == O_ACCMODE || (flags & O_DIRECT)))
		err = -EINVAL;
	if (err)
		return err;
	mutex_lock(&dir->lock);
	err = find_or_create(&o, &q, &p.dentry);
	mutex_unlock(&dir->lock);
	if (err)
		return err;
	err = o.created ? file_open_created(&p, how, ret) : file_open_path(&p, how, ret);
	dentry_put(p.dentry);
	return err;
}

int mqueue_unlink(const char *name)
{
	const struct path dir = folder();
	struct qname q;
	int err = name_check(name, &q);

	return err ? err : vfs_unlink_child(&dir, &q);
}

/* ptmx: opening it makes a pty pair; the file is the pair's master. */
#include <asm/ioctls.h>
#include <asm/poll.h>

#include "fs/devpts/devpts_internal.h"
#include "lib/fmt.h"

struct master {
	struct pty *pty;       /* owned reference */
	struct devpts *devpts; /* alive as long as the pair is */
	struct path root;      /* of the mount: where the slave is found (TIOCGPTPEER) */
};

/* The devpts that goes with a ptmx node: its own, or for a node elsewhere the one mounted
 * on /dev/pts. */
static int find_root(struct inode *i, struct file *f, struct path *ret)
{
	int err;

	if (devpts_of(i->sb)) {
		*ret = (struct path){ f->path.mnt, i->sb->root };
		path_get(ret);
		return 0;
	}
	err = path_at(AT_FDCWD, "/dev/pts", WALK_FOLLOW | WALK_DIRECTORY, ret);
	if (err)
		return -ENODEV;
	if (!devpts_of(ret->dentry->sb)) {
		path_put(ret);
		return -ENODEV;
	}
	return 0;
}

static int ptmx_open(struct inode *i, struct file *f)
{
	struct master *m = heap_zalloc(sizeof *m);
	int err;

	if (!m)
		return -ENOMEM;
	err = find_root(i, f, &m->root);
	if (err)
		goto free;
	m->devpts = devpts_of(m->root.dentry->sb);
	err = devpts_pair_new(m->devpts, &m->pty);
	if (err)
		goto put;
	f->priv = m;
	f->ops = &ptmx_file_ops;
	return 0;

put:
	path_put(&m->root);
free:
	heap_free(m);
	return err;
}

static void ptmx_release(struct file *f)
{
	struct master *m = f->priv;

	devpts_entry_remove(m->devpts, pty_index(m->pty));
	pty_master_close(m->pty);
	path_put(&m->root);
	heap_free(m);
}

static int64_t ptmx_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct master *m = f->priv;

	return pty_master_read(m->pty, u, f->flags & O_NONBLOCK);
}

static int64_t ptmx_write(struct file *f, struct uio *u, uint64_t *pos)
{
	struct master *m = f->priv;

	return pty_master_write(m->pty, u, f->flags & O_NONBLOCK);
}

static uint32_t ptmx_poll(struct file *f, struct poll_table *pt)
{
	struct master *m = f->priv;

	poll_add(pt, f, pty_read_queue(m->pty));
	poll_add_for(pt, f, pty_write_queue(m->pty), POLLOUT | POLLWRNORM);
	return pty_master_poll(m->pty);
}

/* TIOCGPTPEER: a descriptor of the slave, whatever /dev/pts is for the caller. */
static int64_t open_peer(struct master *m, uint32_t flags)
{
	struct dentry *root = m->root.dentry, *d;
	struct path slave = { .mnt = m->root.mnt };
	struct file *f;
	char text[12];
	size_t len = fmt_to(text, sizeof text, "%u", pty_index(m->pty));
	struct qname name = { text, (uint32_t)len, name_hash(root, text, len) };
	int err = dentry_lookup(root, name, &d);

	if (err)
		return err;
	err = -ENOENT;
	if (d->inode) {
		slave.dentry = d;
		err = file_open_path(&slave, flags & ~(uint32_t)O_CLOEXEC, &f);
	}
	dentry_put(d);
	return err ? err : fd_add(f, flags & O_CLOEXEC);
}

static int64_t ptmx_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	struct master *m = f->priv;

	return cmd == TIOCGPTPEER ? open_peer(m, (uint32_t)arg.va)
				  : pty_master_ioctl(m->pty, cmd, arg);
}

static struct async_set *ptmx_async(struct file *f, bool on)
{
	struct master *m = f->priv;

	if (on)
		file_owner_claim(f);
	return pty_async(m->pty);
}

const struct file_ops ptmx_file_ops = {
	.open = ptmx_open,
	.release = ptmx_release,
	.read = ptmx_read,
	.write = ptmx_write,
	.poll = ptmx_poll,
	.ioctl = ptmx_ioctl,
	.async = ptmx_async,
	.stream = true,
};

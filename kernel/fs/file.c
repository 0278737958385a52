/*
 * Open files: from the permission to use a path to the last close (F4: what an open file
 * is never changes).
 */
#include "fs/file.h"

#include <asm/poll.h>
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "fs/confine.h"
#include "fs/flags.h"
#include "fs/inode.h"
#include "fs/lease.h"
#include "fs/notify.h"
#include "fs/open.h"

static struct slab_cache *file_cache;

/* Flags that say how to open and are of no interest afterwards. */
#define FLAGS_OPENING (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

struct file *file_alloc(uint32_t flags)
{
	struct file *f = slab_zalloc(file_cache);
	if (!f)
		return NULL;
	ref_init(&f->refs, 1);
	mutex_init(&f->pos_lock, RANK_FILE_POS);
	list_init(&f->epoll_links);
	list_init(&f->async.link);
	f->flags = flags;
	f->cred = cred_get(thread_current()->cred);
	return f;
}

void file_free(struct file *f)
{
	cred_put(f->cred);
	slab_free(file_cache, f);
}

/* ---- closing ---- */

static void drop_counts(struct file *f)
{
	if (f->mode & FMODE_WRITER) {
		inode_writer_put(f->inode);
		f->path.mnt->writers--;
	}
	if (f->mode & FMODE_READER)
		f->inode->readers--;
	if (f->mode & FMODE_EXEC)
		inode_deny_put(f->inode);
}

static void async_leave_if_on(struct file *f)
{
	if (unlikely(!list_empty(&f->async.link)))
		async_leave(&f->async);
}

void file_put(struct file *f)
{
	if (!ref_put(&f->refs))
		return;
	if (f->ops)
		notify_file(f, f->mode & FMODE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	epoll_file_release(f);
	async_leave_if_on(f);
	if (f->inode->locks)
		locks_drop_file(f);
	if (unlikely(f->inode->leases))
		lease_drop_file(f);
	if (f->ops && f->ops->release)
		f->ops->release(f);
	drop_counts(f);
	path_put(&f->path);
	file_free(f);
}

/* ---- opening ---- */

static int may_open_type(const struct path *p, uint32_t flags)
{
	uint32_t mode = p->dentry->inode->mode;

	switch (mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC))
			       ? -EISDIR
			       : 0;
	case S_IFCHR:
	case S_IFBLK:
		return p->mnt->flags & MS_NODEV ? -EACCES : 0;
	}
	return 0;
}

static uint32_t may_of_flags(uint32_t flags)
{
	uint32_t mode = mode_of_flags(flags);
	uint32_t may = mode & FMODE_READ ? MAY_READ : 0;

	if ((mode & FMODE_WRITE) || (flags & O_TRUNC))
		may |= MAY_WRITE;
	return may;
}

/* What an append-only file may be opened for: reading, or writing at its end. */
static bool is_appending(uint32_t flags)
{
	return !(flags & O_TRUNC) &&
	       ((flags & O_ACCMODE) == O_RDONLY || (flags & O_APPEND));
}

static int may_open(const struct path *p, uint32_t flags)
{
	int err = may_open_type(p, flags);
	if (!err)
		err = path_permission(p, may_of_flags(flags));
	if (!err)
		err = confine_path(p, want_of_open(p->dentry->inode, flags));
	if (!err && inode_is_append(p->dentry->inode) && !is_appending(flags))
		err = -EPERM;
	if (!err && (flags & O_NOATIME) && !inode_owner_or_capable(p->dentry->inode))
		err = -EPERM;
	return err;
}

/* A memfd's maker does not count: it writes a program there, and executes it. */
static int count_writer(struct file *f, bool created)
{
	if (!(f->mode & FMODE_WRITE) || !S_ISREG(f->inode->mode) ||
	    (created && (f->path.dentry->flags & DENTRY_ANON)))
		return 0;
	int err = inode_writer_get(f->inode);
	if (err)
		return err;
	f->path.mnt->writers++;
	f->mode |= FMODE_WRITER;
	return 0;
}

static void count_reader(struct file *f)
{
	if ((f->mode & (FMODE_READ | FMODE_WRITE)) != FMODE_READ ||
	    !S_ISREG(f->inode->mode))
		return;
	f->inode->readers++;
	f->mode |= FMODE_READER;
}

static int truncate_opened(struct file *f)
{
	struct attr_change a = { .valid = ATTR_SIZE };
	struct inode *i = f->inode;

	mutex_lock(&i->lock);
	int err = inode_strip_privileges(i);
	if (!err)
		err = i->ops->setattr ? i->ops->setattr(i, &a)
				      : inode_setattr_simple(i, &a);
	mutex_unlock(&i->lock);
	return err;
}

bool file_can_be_direct(const struct file *f)
{
	const struct inode *i = f->inode;

	return S_ISFIFO(i->mode) || (S_ISREG(i->mode) && i->fops && i->fops->mmap);
}

static int open_by_type(struct file *f)
{
	f->ops = f->inode->fops;
	if (!f->ops)
		return -ENXIO; /* an eventfd and the like, by way of /proc/self/fd */
	int err = f->ops->open ? f->ops->open(f->inode, f) : 0;
	if (err)
		f->ops = NULL;
	return err;
}

static bool cuts_off(const struct file *f, uint32_t flags, bool created)
{
	return (flags & O_TRUNC) && !created && S_ISREG(f->inode->mode);
}

/* f holds its path; on failure the caller puts f, which undoes all of it. */
static int open_inode(struct file *f, uint32_t flags, bool created)
{
	bool cuts = cuts_off(f, flags, created);

	f->mode = mode_of_flags(flags);
	if ((flags & O_DIRECT) && !file_can_be_direct(f))
		return -EINVAL;
	count_reader(f);
	int err = count_writer(f, created);
	/* Cutting is writing even if the file is opened for reading only. */
	if (!err && cuts)
		err = inode_writer_get(f->inode);
	if (err)
		return err;
	err = lease_break(f->inode, f->mode & FMODE_WRITE, flags & O_NONBLOCK);
	if (!err)
		err = open_by_type(f);
	if (!err && cuts)
		err = truncate_opened(f);
	if (cuts)
		inode_writer_put(f->inode);
	f->flags = flags & ~(uint32_t)FLAGS_OPENING;
	return err;
}

static int file_open_checked(const struct path *p, uint32_t flags, bool created,
			     struct file **ret)
{
	struct file *f = file_alloc(flags);
	if (!f)
		return -ENOMEM;
	f->path = *p;
	path_get(p);
	f->inode = p->dentry->inode;
	if (flags & O_PATH) {
		f->mode = FMODE_PATH;
		f->flags = flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW);
	} else {
		int err = open_inode(f, flags, created);
		if (err) {
			file_put(f);
			return err;
		}
		notify_file(f, IN_OPEN);
		if (cuts_off(f, flags, created))
			notify_file(f, IN_MODIFY);
	}
	*ret = f;
	return 0;
}

int file_open_path(const struct path *p, uint32_t flags, struct file **ret)
{
	int err = flags & O_PATH ? confine_path(p, WANT_LOOK) : may_open(p, flags);
	return err ? err : file_open_checked(p, flags, false, ret);
}

int file_open_created(const struct path *p, uint32_t flags, struct file **ret)
{
	return file_open_checked(p, flags, true, ret);
}

int file_open_exec(int dirfd, const char *name, uint32_t walk_flags, struct file **ret)
{
	struct path p;
	struct file *f;

	int err = path_at(dirfd, name, walk_flags, &p);
	if (err)
		return err;
	struct inode *i = p.dentry->inode;
	if (S_ISLNK(i->mode))
		err = -ELOOP;
	else if (!S_ISREG(i->mode) || (p.mnt->flags & MS_NOEXEC))
		err = -EACCES;
	else
		err = inode_permission(i, MAY_EXEC);
	if (!err)
		err = confine_path(&p, WANT_EXECUTE);
	if (!err)
		err = file_open_checked(&p, O_RDONLY, false, &f);
	path_put(&p);
	if (err)
		return err;
	err = inode_deny_get(f->inode);
	if (err) {
		file_put(f);
		return err;
	}
	f->mode |= FMODE_EXEC;
	*ret = f;
	return 0;
}

/* ---- owners ---- */

/* Seldom taken: one for all files. */
static struct spinlock owner_lock = SPINLOCK_INIT(RANK_LEAF);

void file_owner_set(struct file *f, const struct file_owner *o)
{
	spin_lock(&owner_lock);
	f->owner = *o;
	spin_unlock(&owner_lock);
}

void file_owner_get(struct file *f, struct file_owner *ret)
{
	spin_lock(&owner_lock);
	*ret = f->owner;
	spin_unlock(&owner_lock);
}

static void owner_claim(struct file *f, int32_t type, int32_t pid)
{
	const struct cred *c = thread_current()->cred;

	spin_lock(&owner_lock);
	if (!f->owner.pid) {
		f->owner.pid = pid;
		f->owner.type = type;
		f->owner.uid = c->uid;
		f->owner.euid = c->euid;
	}
	spin_unlock(&owner_lock);
}

void file_owner_claim(struct file *f)
{
	owner_claim(f, F_OWNER_PID, fs_upcalls.current_tgid());
}

void file_owner_claim_for(struct file *f, int32_t pgrp)
{
	owner_claim(f, F_OWNER_PGRP, pgrp);
}

void file_owner_forget(struct file *f)
{
	file_owner_set(f, &(struct file_owner){ 0 });
}

struct file_news file_news(int fd, int code)
{
	static const int32_t bands[] = {
		[POLL_IN] = POLLIN | POLLRDNORM,
		[POLL_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
		[POLL_MSG] = POLLIN | POLLRDNORM | POLLMSG,
		[POLL_ERR] = POLLERR,
		[POLL_PRI] = POLLPRI | POLLRDBAND,
		[POLL_HUP] = POLLHUP | POLLERR,
	};

	return (struct file_news){ fd, code, bands[code] };
}

void file_signal_owner(struct file *f, const struct file_news *news)
{
	struct file_owner o;

	file_owner_get(f, &o);
	if (o.pid)
		fs_upcalls.signal_owner(&o, news);
}

/* Each end of a pipe hears of what it is for. */
static void tell_async(struct async_entry *e, int code)
{
	struct file *f = container_of(e, struct file, async);
	const struct file_news news = file_news(e->fd, code);

	if (S_ISFIFO(f->inode->mode) &&
	    !(f->mode & (code == POLL_IN ? FMODE_READ : FMODE_WRITE)))
		return;
	file_signal_owner(f, &news);
}

bool file_async_set(struct file *f, int fd, bool on)
{
	struct async_set *s = f->ops && f->ops->async ? f->ops->async(f, on) : NULL;

	if (!s)
		return false;
	f->async.tell = tell_async;
	if (on) {
		async_join(s, &f->async, fd);
		f->flags |= FASYNC;
	} else if (!list_empty(&f->async.link)) {
		async_leave(&f->async);
		f->flags &= ~(uint32_t)FASYNC;
	}
	return true;
}

void file_signal_urgent(struct file *f)
{
	struct file_owner o;

	file_owner_get(f, &o);
	o.sig = SIGURG;
	if (o.pid)
		fs_upcalls.signal_owner(&o, NULL);
}

void file_init(void)
{
	file_cache = slab_cache_new("file", sizeof(struct file), 0);
	insist(file_cache);
}

/* Descriptors: close, dup, fcntl, flock, ioctl. */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/sockios.h>
#include <linux/close_range.h>
#include <linux/resource.h>

#include "fs/dnotify.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/lease.h"
#include "fs/pipe.h"
#include "fs/tmpfs/tmpfs.h"
#include "proc/proc.h"
#include "sys/file_ioctl.h"
#include "sys/syscall.h"

#include <linux/fs.h>

/* A close is never restarted: the descriptor is gone, whatever flush says. */
int64_t sys_close(int32_t fd)
{
	int err = fd_close(fd);

	return err <= -ERESTARTSYS ? -EINTR : err;
}

/* current's descriptors stop being shared. */
static int unshare_files(void)
{
	struct task *t = task_current();
	struct files *old = t->files_ref, *own;

	if (!files_shared(old))
		return 0;
	int err = files_copy(old, &own);
	if (err)
		return err;
	uint64_t flags = spin_lock_irq(&t->process->lock);
	t->files_ref = t->thread.files = own;
	spin_unlock_irq(&t->process->lock, flags);
	files_put(old);
	return 0;
}

int64_t sys_close_range(uint32_t first, uint32_t last, uint32_t flags)
{
	if ((flags & ~(uint32_t)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) ||
	    first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		int err = unshare_files();
		if (err)
			return err;
	}
	fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
	return 0;
}

/* ---- dup ---- */

int64_t sys_dup(int32_t fd)
{
	struct file *f = fd_get_any(fd);
	return f ? fd_add(f, false) : -EBADF;
}

static int64_t dup_to(int32_t oldfd, int32_t newfd, bool cloexec)
{
	struct file *f = fd_get_any(oldfd);
	return f ? fd_replace(newfd, f, cloexec) : -EBADF;
}

int64_t sys_dup2(int32_t oldfd, int32_t newfd)
{
	if (oldfd != newfd)
		return dup_to(oldfd, newfd, false);
	struct file *f = fd_get_any(oldfd);
	if (!f)
		return -EBADF;
	file_put(f);
	return newfd;
}

int64_t sys_dup3(int32_t oldfd, int32_t newfd, uint32_t flags)
{
	if ((flags & ~(uint32_t)O_CLOEXEC) || oldfd == newfd)
		return -EINVAL;
	return dup_to(oldfd, newfd, flags & O_CLOEXEC);
}

static int64_t dup_from(struct file *f, uint32_t from, bool cloexec)
{
	if (from >= fs_upcalls.rlimit(RLIMIT_NOFILE) || from > INT32_MAX)
		return -EINVAL;
	int fd = fd_reserve((int)from);
	if (fd >= 0)
		fd_install(fd, file_get(f), cloexec);
	return fd;
}

/* ---- fcntl ---- */

#define SETTABLE ((uint32_t)(O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT))

static int64_t set_flags(struct file *f, int fd, uint32_t flags)
{
	uint32_t new = (f->flags & ~SETTABLE) | (flags & SETTABLE);

	if (((new ^ f->flags) & O_APPEND) && inode_is_append(f->inode))
		return -EPERM;
	if ((new & ~f->flags &O_NOATIME) && !inode_owner_or_capable(f->inode))
		return -EPERM;
	if ((new & ~f->flags &O_DIRECT) && !file_can_be_direct(f))
		return -EINVAL;
	if ((flags ^ f->flags) & FASYNC)
		file_async_set(f, fd, flags & FASYNC);
	f->flags = (new & ~(uint32_t)FASYNC) | (f->flags & FASYNC);
	return 0;
}

/* Another thread may have closed the descriptor meanwhile, and with it dropped the
 * locks, and what dnotify watches, of before: then nobody would ever drop this one. */
static int keep_if_open(int fd, struct file *f,
			void (*drop)(struct file *f, const struct files *owner))
{
	struct file *now = fd_get_any(fd);

	if (now != f)
		drop(f, thread_current()->files);
	if (now)
		file_put(now);
	return now == f ? 0 : -EBADF;
}

static int64_t record_lock(int fd, struct file *f, int cmd, uaddr_t arg)
{
	struct flock l;

	if (get_user(l, arg))
		return -EFAULT;
	int err = locks_fcntl(f, cmd, &l);
	if (!err && (cmd == F_GETLK || cmd == F_OFD_GETLK))
		err = put_user(arg, l);
	else if (!err && (cmd == F_SETLK || cmd == F_SETLKW))
		err = keep_if_open(fd, f, locks_drop_posix);
	return err;
}

/* fcntl(2), F_SETOWN_EX: a thread, a process, a process group; 0: nobody. The setter's
 * ids go along: they decide whom the signals may reach. */
static int64_t set_owner(struct file *f, int32_t type, int32_t pid)
{
	const struct cred *c = thread_current()->cred;
	struct file_owner o;

	uint64_t flags = spin_lock_irq(&tasklist_lock);
	bool known = !pid || pid_find(pid);
	spin_unlock_irq(&tasklist_lock, flags);
	if (!known)
		return -ESRCH;
	file_owner_get(f, &o);
	o.pid = pid;
	o.type = type;
	o.uid = c->uid;
	o.euid = c->euid;
	file_owner_set(f, &o);
	return 0;
}

static int64_t set_owner_ex(struct file *f, uaddr_t arg)
{
	struct f_owner_ex o;

	if (get_user(o, arg))
		return -EFAULT;
	if (o.type != F_OWNER_TID && o.type != F_OWNER_PID && o.type != F_OWNER_PGRP)
		return -EINVAL;
	if (o.pid < 0)
		return -ESRCH;
	return set_owner(f, o.type, o.pid);
}

/* F_SETOWN: minus a process group. */
static int64_t set_owner_signed(struct file *f, int32_t pid)
{
	if (pid == INT32_MIN)
		return -EINVAL;
	return pid < 0 ? set_owner(f, F_OWNER_PGRP, -pid)
		       : set_owner(f, F_OWNER_PID, pid);
}

static bool exists(const struct file_owner *o)
{
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	const struct pid *pid = o->pid ? pid_find(o->pid) : NULL;
	bool yes = pid && (o->type == F_OWNER_PGRP  ? !list_empty(&pid->group)
			   : o->type == F_OWNER_TID ? pid->task != NULL
						    : pid->process != NULL);
	spin_unlock_irq(&tasklist_lock, flags);
	return yes;
}

static int64_t get_owner_signed(struct file *f)
{
	struct file_owner o;

	file_owner_get(f, &o);
	if (!exists(&o))
		return 0;
	return o.type == F_OWNER_PGRP ? -o.pid : o.pid;
}

static int64_t get_owner_ex(struct file *f, uaddr_t arg)
{
	struct file_owner o;

	file_owner_get(f, &o);
	struct f_owner_ex told = { .type = o.type, .pid = exists(&o) ? o.pid : 0 };
	return put_user(arg, told);
}

/* Whoever asks first is told, unless an owner was chosen. */
static int64_t notify_set(int fd, struct file *f, uint32_t what)
{
	int err = dnotify_set(f, fd, what);

	if (err)
		return err;
	file_owner_claim(f);
	return keep_if_open(fd, f, dnotify_drop);
}

static int64_t set_owner_signal(struct file *f, uint64_t sig)
{
	struct file_owner o;

	if (sig > SIGNAL_MAX)
		return -EINVAL;
	file_owner_get(f, &o);
	o.sig = (int32_t)sig;
	file_owner_set(f, &o);
	return 0;
}

static int64_t get_owner_signal(struct file *f)
{
	struct file_owner o;

	file_owner_get(f, &o);
	return o.sig;
}

/* Nobody here makes use of how long what is written will live; it is kept. */
static int64_t get_write_hint(struct file *f, uaddr_t arg)
{
	uint64_t hint = f->inode->write_hint;

	return put_user(arg, hint);
}

static int64_t set_write_hint(struct file *f, uaddr_t arg)
{
	uint64_t hint;

	if (get_user(hint, arg))
		return -EFAULT;
	if (hint > RWH_WRITE_LIFE_EXTREME)
		return -EINVAL;
	f->inode->write_hint = hint;
	return 0;
}

/* What an O_PATH descriptor has too. -ENOSYS: not one of these. */
static int64_t fcntl_descriptor(int fd, struct file *f, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case F_DUPFD:
		return dup_from(f, (uint32_t)arg, false);
	case F_DUPFD_CLOEXEC:
		return dup_from(f, (uint32_t)arg, true);
	case F_GETFD:
		return fd_get_cloexec(fd);
	case F_SETFD:
		return fd_set_cloexec(fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return f->flags;
	}
	return -ENOSYS;
}

static int64_t fcntl_file(int fd, struct file *f, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case F_SETFL:
		return set_flags(f, fd, (uint32_t)arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return record_lock(fd, f, (int)cmd, UADDR(arg));
	case F_SETOWN:
		return set_owner_signed(f, (int32_t)arg);
	case F_GETOWN:
		return get_owner_signed(f);
	case F_SETOWN_EX:
		return set_owner_ex(f, UADDR(arg));
	case F_GETOWN_EX:
		return get_owner_ex(f, UADDR(arg));
	case F_SETSIG:
		return set_owner_signal(f, arg);
	case F_GETSIG:
		return get_owner_signal(f);
	case F_GETPIPE_SZ:
		return pipe_size_get(f);
	case F_SETPIPE_SZ:
		return pipe_size_set(f, arg);
	case F_ADD_SEALS:
		return memfd_seals_add(f, (uint32_t)arg);
	case F_GET_SEALS:
		return memfd_seals_get(f);
	case F_NOTIFY:
		return notify_set(fd, f, (uint32_t)arg);
	case F_GET_RW_HINT:
		return get_write_hint(f, UADDR(arg));
	case F_SET_RW_HINT:
		return set_write_hint(f, UADDR(arg));
	case F_SETLEASE:
		return lease_set(f, fd, (int)arg);
	case F_GETLEASE:
		return lease_get(f);
	}
	return -EINVAL;
}

int64_t sys_fcntl(int32_t fd, uint32_t cmd, uint64_t arg)
{
	struct file *f = fd_get_any(fd);

	if (!f)
		return -EBADF;
	int64_t r = fcntl_descriptor(fd, f, cmd, arg);
	if (r == -ENOSYS)
		r = f->mode & FMODE_PATH ? -EBADF : fcntl_file(fd, f, cmd, arg);
	file_put(f);
	return r;
}

int64_t sys_flock(int32_t fd, uint32_t op)
{
	uint32_t what = op & ~(uint32_t)LOCK_NB;
	struct fd_ref r;

	/* Share-mode locks: ignored since Linux 5.18. */
	if (op & LOCK_MAND)
		return 0;
	/* A wrong operation is wrong on any descriptor. */
	if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN)
		return -EINVAL;
	if (!fd_borrow(fd, &r))
		return -EBADF;
	int err = locks_flock(r.file, (int)op);
	fd_return(&r);
	return err;
}

/* ---- ioctl ---- */

static int64_t set_nonblock(struct file *f, uaddr_t arg)
{
	int32_t on;

	if (get_user(on, arg))
		return -EFAULT;
	f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~(uint32_t)O_NONBLOCK;
	return 0;
}

static int64_t set_async(struct file *f, int fd, uaddr_t arg)
{
	int32_t on;

	if (get_user(on, arg))
		return -EFAULT;
	if (!on == !(f->flags & FASYNC))
		return 0;
	return file_async_set(f, fd, on) ? 0 : -ENOTTY;
}

/* FIOSETOWN and its like: sockets only. */
static int64_t owner_ioctl(struct file *f, bool set, uaddr_t arg)
{
	int32_t pid = 0;

	if (!S_ISSOCK(f->inode->mode))
		return -ENOTTY;
	if (set)
		return get_user(pid, arg) ? -EFAULT : set_owner_signed(f, pid);
	pid = (int32_t)get_owner_signed(f);
	return put_user(arg, pid);
}

static int64_t bytes_left(const struct file *f, uaddr_t arg)
{
	int32_t n = (int32_t)(f->inode->size - f->pos);

	return put_user(arg, n);
}

static int64_t do_ioctl(int fd, struct file *f, uint32_t cmd, uint64_t arg)
{
	int32_t block;

	switch (cmd) {
	case FIOCLEX:
		return fd_set_cloexec(fd, true);
	case FIONCLEX:
		return fd_set_cloexec(fd, false);
	case FIONBIO:
		return set_nonblock(f, UADDR(arg));
	case FIOASYNC:
		return set_async(f, fd, UADDR(arg));
	case FIOSETOWN:
	case SIOCSPGRP:
		return owner_ioctl(f, true, UADDR(arg));
	case FIOGETOWN:
	case SIOCGPGRP:
		return owner_ioctl(f, false, UADDR(arg));
	case FIONREAD:
		if (S_ISREG(f->inode->mode))
			return bytes_left(f, UADDR(arg));
		break;
	case FIGETBSZ:
		block = (int32_t)f->inode->sb->block_size;
		return put_user(UADDR(arg), block);
	}
	int64_t r = fs_ioctl(f, cmd, arg);
	if (r != -ENOSYS)
		return r;
	return f->ops && f->ops->ioctl ? f->ops->ioctl(f, cmd, UADDR(arg)) : -ENOTTY;
}

int64_t sys_ioctl(int32_t fd, uint32_t cmd, uint64_t arg)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	int64_t r = do_ioctl(fd, f, cmd, arg);
	file_put(f);
	return r;
}

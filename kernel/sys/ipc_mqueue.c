/* mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr. */
#include <asm/siginfo.h>

#include "fs/file.h"
#include "ipc/mqueue.h"
#include "proc/signal.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

int64_t sys_mq_open(uaddr_t name, uint32_t flags, uint32_t mode, uaddr_t attr)
{
	struct pathname n;
	struct mq_attr a;
	struct file *f;

	if (attr.va && get_user(a, attr))
		return -EFAULT;
	int err = name_get(name, 0, &n);
	if (err)
		return err;
	err = mqueue_open(n.s, flags, mode, attr.va ? &a : NULL, &f);
	name_put(&n);
	return err ? err : fd_add(f, true);
}

int64_t sys_mq_unlink(uaddr_t name)
{
	struct pathname n;
	int err = name_get(name, 0, &n);

	if (err)
		return err;
	err = mqueue_unlink(n.s);
	name_put(&n);
	return err;
}

/* A queue's descriptor for the length of a call: 0 or -EBADF. */
static int borrow(int32_t fd, uint32_t mode, struct fd_ref *ret)
{
	if (!fd_borrow(fd, ret))
		return -EBADF;
	if (mqueue_of(ret->file) && (ret->file->mode & mode) == mode)
		return 0;
	fd_return(ret);
	return -EBADF;
}

static int deadline_in(uaddr_t timeout, uint64_t *ret)
{
	*ret = MQ_NO_DEADLINE;
	return timeout.va ? timespec_in(timeout, ret) : 0;
}

static int message_in(uaddr_t text, uint64_t len, uint32_t priority,
		      struct mq_message **ret)
{
	struct mq_message *m = mq_message_new(len);
	if (!m)
		return -ENOMEM;
	m->priority = priority;
	int err = copy_in(m->text, text, len);
	if (err)
		mq_message_free(m);
	else
		*ret = m;
	return err;
}

int64_t sys_mq_timedsend(int32_t fd, uaddr_t msg, uint64_t len, uint32_t prio,
			 uaddr_t timeout)
{
	struct mq_message *m;
	struct fd_ref r;
	uint64_t until;

	int err = deadline_in(timeout, &until);
	if (err)
		return err;
	if (prio >= MQ_PRIO_MAX)
		return -EINVAL;
	err = borrow(fd, FMODE_WRITE, &r);
	if (err)
		return err;
	struct mqueue *q = mqueue_of(r.file);
	err = len > q->max_size ? -EMSGSIZE : message_in(msg, len, prio, &m);
	if (!err) {
		err = mqueue_send(q, m, r.file->flags & O_NONBLOCK, until);
		if (err)
			mq_message_free(m);
	}
	fd_return(&r);
	return err;
}

static int64_t message_out(const struct mq_message *m, uaddr_t msg, uaddr_t prio)
{
	if (copy_out(msg, m->text, m->size) || (prio.va && put_user(prio, m->priority)))
		return -EFAULT;
	return (int64_t)m->size;
}

int64_t sys_mq_timedreceive(int32_t fd, uaddr_t msg, uint64_t len, uaddr_t prio,
			    uaddr_t timeout)
{
	struct mq_message *m;
	struct fd_ref r;
	uint64_t until;

	int64_t n = deadline_in(timeout, &until);
	if (!n)
		n = borrow(fd, FMODE_READ, &r);
	if (n)
		return n;
	n = mqueue_receive(mqueue_of(r.file), len, r.file->flags & O_NONBLOCK, until, &m);
	if (!n) {
		n = message_out(m, msg, prio);
		mq_message_free(m);
	}
	fd_return(&r);
	return n;
}

/* SIGEV_THREAD is a message to a netlink socket, given as the signal: there are none, so
 * whatever is there is not one. */
static int64_t refuse_thread(int32_t fd)
{
	struct fd_ref r;

	if (!fd_borrow(fd, &r))
		return -EBADF;
	bool socket = S_ISSOCK(r.file->inode->mode);
	fd_return(&r);
	return socket ? -EINVAL : -ENOTSOCK;
}

static int64_t notice_of(const sigevent_t *e, struct mq_notice *ret)
{
	switch (e->sigev_notify) {
	case SIGEV_THREAD:
		return refuse_thread(e->sigev_signo);
	case SIGEV_SIGNAL:
		if (e->sigev_signo < 0 || e->sigev_signo > SIGNAL_MAX)
			return -EINVAL;
		break;
	case SIGEV_NONE:
		break;
	default:
		return -EINVAL;
	}
	*ret = (struct mq_notice){
		.how = e->sigev_notify,
		.sig = e->sigev_signo,
		.value = e->sigev_value,
	};
	return 0;
}

int64_t sys_mq_notify(int32_t fd, uaddr_t event)
{
	struct mq_notice n;
	struct fd_ref r;
	sigevent_t e;

	if (event.va) {
		if (get_user(e, event))
			return -EFAULT;
		int64_t err = notice_of(&e, &n);
		if (err)
			return err;
	}
	int err = borrow(fd, 0, &r);
	if (err)
		return err;
	err = mqueue_notify(mqueue_of(r.file), event.va ? &n : NULL);
	fd_return(&r);
	return err;
}

int64_t sys_mq_getsetattr(int32_t fd, uaddr_t new, uaddr_t old)
{
	struct mq_attr a, b;
	struct fd_ref r;

	if (new.va && get_user(a, new))
		return -EFAULT;
	if (new.va && (a.mq_flags & ~(long)O_NONBLOCK))
		return -EINVAL;
	int err = borrow(fd, 0, &r);
	if (err)
		return err;
	struct mqueue *q = mqueue_of(r.file);
	b = (struct mq_attr){
		.mq_flags = r.file->flags & O_NONBLOCK,
		.mq_maxmsg = (long)q->max_messages,
		.mq_msgsize = (long)q->max_size,
	};
	spin_lock(&q->lock);
	b.mq_curmsgs = (long)q->number;
	spin_unlock(&q->lock);
	if (new.va)
		r.file->flags = (r.file->flags & ~(uint32_t)O_NONBLOCK) |
				((uint32_t)a.mq_flags & O_NONBLOCK);
	fd_return(&r);
	return old.va ? put_user(old, b) : 0;
}

/*
 * USER_NOTIF, seccomp_unotify(2): a call waits until whoever has the listener's
 * descriptor says what becomes of it.
 *
 * A thread that waits has a struct request on its stack; the listener fetches it
 * (NOTIF_RECV) and answers by its number (NOTIF_SEND). Descriptors that the listener
 * gives (NOTIF_ADDFD) are taken in by the thread itself, in its own table, while the
 * listener waits for that in turn.
 *
 * Always true:
 *  Z1  a request is on the list from when its thread begins to wait until it goes on, and
 *      both happen under the lock: so whoever holds the lock may touch it;
 *  Z2  the same holds of a gift, which is on the stack of the listener's thread, until it
 *      is `taken`; from then until it is `done` it is the thread's that takes it;
 *  Z3  when the listener is closed nobody waits any longer, nor begins to: ENOSYS.
 */
#include <asm/errno.h>
#include <asm/ioctl.h>
#include <asm/poll.h>

#include "fs/file.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "proc/proc.h"
#include "proc/seccomp_filter.h"
#include "sec/entropy.h"

struct notifier {
	struct ref refs;      /* the filter, and the listener's file */
	struct spinlock lock; /* RANK_OBJECT */
	bool wait_killable;   /* [I] SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV */
	bool closed;	      /* [lock] nobody listens */
	bool abandoned;	      /* [lock] nobody will ask */
	uint64_t next_id;     /* [lock] */
	/* [lock] that no RECV has come for, those that gave up among them: who polls and
	 * then comes does not wait */
	uint64_t n_new;
	struct list requests; /* [lock] the oldest first */
	struct waitq news;    /* for those who listen */
};

enum request_state { REQUEST_NEW, REQUEST_SENT, REQUEST_ANSWERED };

struct request {
	struct list link;		  /* [lock] notifier.requests */
	uint64_t id;			  /* [I] */
	int32_t tid;			  /* [I] */
	const struct seccomp_data *call;  /* [I] */
	enum request_state state;	  /* [lock] */
	struct list gifts;		  /* [lock] */
	struct seccomp_notif_resp answer; /* [lock] once there is one */
	struct waitq changed;		  /* its thread waits here */
};

struct gift {
	struct list link;  /* [lock] request.gifts, until it is taken */
	struct file *file; /* [I] */
	int32_t at;	   /* [I] the descriptor it is to have; -1: any */
	bool cloexec;	   /* [I] */
	bool answers;	   /* [I] SECCOMP_ADDFD_FLAG_SEND */
	bool taken;	   /* [lock] */
	bool done;	   /* [lock] */
	int64_t result;	   /* [lock] descriptor or error, when it is done */
	struct waitq changed;
};

/* ---- the call's side ---- */

static void request_add(struct notifier *n, struct request *r)
{
	r->id = n->next_id++;
	list_push_back(&n->requests, &r->link);
	n->n_new++;
	wake_poll(&n->news, POLLIN | POLLRDNORM);
}

static void gift_finish(struct gift *g, int64_t result)
{
	g->result = result;
	g->done = true;
	wake_all(&g->changed);
}

/* The lock is held, dropped and taken again. */
static void take_gift(struct notifier *n, struct request *r, struct gift *g)
{
	list_del(&g->link);
	g->taken = true;
	spin_unlock(&n->lock);
	struct file *f = file_get(g->file);
	int64_t fd = g->at < 0 ? fd_add(f, g->cloexec) : fd_replace(g->at, f, g->cloexec);
	spin_lock(&n->lock);
	if (g->answers && fd >= 0)
		r->answer = (struct seccomp_notif_resp){ .val = fd };
	else if (g->answers)
		r->state = REQUEST_SENT; /* there is no answer yet after all */
	gift_finish(g, fd);
}

static bool must_be_killed(const struct notifier *n, const struct request *r)
{
	return n->wait_killable && r->state == REQUEST_SENT;
}

/* Is there something to do for the thread, which sleeps in that way? */
static bool has_news(struct notifier *n, struct request *r, bool killable)
{
	spin_lock(&n->lock);
	bool news = r->state == REQUEST_ANSWERED || !list_empty(&r->gifts) ||
		    must_be_killed(n, r) != killable;
	spin_unlock(&n->lock);
	return news;
}

/* The lock is held, dropped and taken again. 0, -ERESTARTSYS: the thread gives up. */
static int wait_for_answer(struct notifier *n, struct request *r)
{
	while (!list_empty(&r->gifts) || r->state != REQUEST_ANSWERED) {
		if (!list_empty(&r->gifts)) {
			take_gift(n, r, list_first(&r->gifts, struct gift, link));
			continue;
		}
		bool killable = must_be_killed(n, r);
		spin_unlock(&n->lock);
		int err = killable
				  ? wait_event_killable(&r->changed, has_news(n, r, true))
				  : wait_event_intr(&r->changed, has_news(n, r, false));
		spin_lock(&n->lock);
		if (err && (killable || !must_be_killed(n, r)))
			return err;
	}
	return 0;
}

static int ask(struct notifier *n, struct request *r)
{
	int err = -ENOSYS;

	spin_lock(&n->lock);
	if (!n->closed) {
		request_add(n, r);
		err = wait_for_answer(n, r);
		list_del(&r->link);
	}
	list_for_each_safe(g, &r->gifts, struct gift, link)
	{
		list_del(&g->link);
		g->taken = true;
		gift_finish(g, -ESRCH);
	}
	spin_unlock(&n->lock);
	return err;
}

bool notifier_ask(struct notifier *n, struct pt_regs *regs,
		  const struct seccomp_data *call)
{
	struct request r = { .tid = task_current()->tid, .call = call };

	list_init(&r.gifts);
	waitq_init(&r.changed);
	int err = n ? ask(n, &r) : -ENOSYS;
	if (err == -ERESTARTSYS) /* also if the signal is gone by then */
		thread_set_work(thread_current(), WORK_SIGNAL);
	if (!err && (r.answer.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE))
		return true;
	regs->rax = err		     ? (uint64_t)(int64_t)err
		    : r.answer.error ? (uint64_t)(int64_t)r.answer.error
				     : (uint64_t)r.answer.val;
	return false;
}

/* ---- the listener's side ---- */

/* The lock is held. */
static struct request *request_find(struct notifier *n, uint64_t id)
{
	list_for_each(r, &n->requests, struct request, link) if (r->id == id) return r;
	return NULL;
}

static struct request *request_first(struct notifier *n, enum request_state state)
{
	list_for_each(r, &n->requests, struct request,
		      link) if (r->state == state) return r;
	return NULL;
}

/* True: one that is new may be fetched, or nobody will ask any more. */
static bool may_fetch(struct notifier *n)
{
	spin_lock(&n->lock);
	bool may = n->n_new || n->abandoned;
	if (n->n_new)
		n->n_new--;
	spin_unlock(&n->lock);
	return may;
}

/* False: who asked has given up. */
static bool fetch(struct notifier *n, struct seccomp_notif *ret)
{
	spin_lock(&n->lock);
	struct request *r = request_first(n, REQUEST_NEW);
	if (r) {
		ret->id = r->id;
		ret->pid = (uint32_t)r->tid;
		ret->data = *r->call;
		r->state = REQUEST_SENT;
		wake_all(&r->changed);
		wake_poll(&n->news, POLLOUT | POLLWRNORM);
	}
	spin_unlock(&n->lock);
	return r;
}

/* The listener could not be told of it: as if it had not come. */
static void unfetch(struct notifier *n, uint64_t id)
{
	spin_lock(&n->lock);
	struct request *r = request_find(n, id);
	if (r && r->state == REQUEST_SENT) {
		r->state = REQUEST_NEW;
		n->n_new++;
		wake_all(&r->changed);
		wake_poll(&n->news, POLLIN | POLLRDNORM);
	}
	spin_unlock(&n->lock);
}

static int64_t ioctl_recv(struct notifier *n, uaddr_t at)
{
	static const struct seccomp_notif zero;
	struct seccomp_notif v;

	/* Room for what comes one day: what it is to hold now is said to be none. */
	if (get_user(v, at))
		return -EFAULT;
	if (memcmp(&v, &zero, sizeof(v)))
		return -EINVAL;
	if (wait_event_intr(&n->news, may_fetch(n)))
		return -EINTR;
	if (!fetch(n, &v))
		return -ENOENT;
	if (!put_user(at, v))
		return 0;
	unfetch(n, v.id);
	return -EFAULT;
}

static int64_t ioctl_send(struct notifier *n, uaddr_t at)
{
	struct seccomp_notif_resp v;
	int64_t err = 0;

	if (get_user(v, at))
		return -EFAULT;
	if ((v.flags & ~(uint32_t)SECCOMP_USER_NOTIF_FLAG_CONTINUE) ||
	    (v.flags && (v.error || v.val)))
		return -EINVAL;
	spin_lock(&n->lock);
	struct request *r = request_find(n, v.id);
	if (!r) {
		err = -ENOENT;
	} else if (r->state != REQUEST_SENT) {
		err = -EINPROGRESS;
	} else {
		r->state = REQUEST_ANSWERED;
		r->answer = v;
		wake_all(&r->changed);
	}
	spin_unlock(&n->lock);
	return err;
}

static int64_t ioctl_id_valid(struct notifier *n, uaddr_t at)
{
	uint64_t id;

	if (get_user(id, at))
		return -EFAULT;
	spin_lock(&n->lock);
	const struct request *r = request_find(n, id);
	bool valid = r && r->state == REQUEST_SENT;
	spin_unlock(&n->lock);
	return valid ? 0 : -ENOENT;
}

/* ---- giving descriptors ---- */

static int64_t gift_offer(struct notifier *n, uint64_t id, struct gift *g)
{
	int64_t err = 0;

	spin_lock(&n->lock);
	struct request *r = request_find(n, id);
	if (!r) {
		err = -ENOENT;
	} else if (r->state != REQUEST_SENT) {
		err = -EINPROGRESS;
	} else if (g->answers && !list_empty(&r->gifts)) {
		err = -EBUSY;
	} else {
		if (g->answers)
			r->state = REQUEST_ANSWERED;
		list_push_front(&r->gifts, &g->link);
		wake_all(&r->changed);
	}
	spin_unlock(&n->lock);
	return err;
}

static bool gift_is_done(struct notifier *n, struct gift *g)
{
	spin_lock(&n->lock);
	bool done = g->done;
	spin_unlock(&n->lock);
	return done;
}

/* True: it was not taken yet, and will not be. */
static bool gift_withdraw(struct notifier *n, uint64_t id, struct gift *g)
{
	spin_lock(&n->lock);
	bool mine = !g->taken;
	if (mine) {
		struct request *r = request_find(n, id);
		list_del(&g->link);
		if (r && g->answers)
			r->state = REQUEST_SENT;
	}
	spin_unlock(&n->lock);
	return mine;
}

static int64_t gift_give(struct notifier *n, uint64_t id, struct gift *g)
{
	waitq_init(&g->changed);
	int64_t err = gift_offer(n, id, g);
	if (err)
		return err;
	if (wait_event_intr(&g->changed, gift_is_done(n, g))) {
		if (gift_withdraw(n, id, g))
			return -ERESTARTSYS;
		/* A moment: the other side is at it. */
		wait_event(&g->changed, gift_is_done(n, g));
	}
	return g->result;
}

static int64_t ioctl_addfd(struct notifier *n, uaddr_t at, size_t size)
{
	struct seccomp_notif_addfd v;

	if (size < sizeof(v) || size >= PAGE_SIZE)
		return -EINVAL;
	int64_t err = copy_in_struct(&v, sizeof(v), at, size);
	if (err)
		return err;
	if ((v.newfd_flags & ~(uint32_t)O_CLOEXEC) ||
	    (v.flags & ~(uint32_t)(SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND)) ||
	    (v.newfd && !(v.flags & SECCOMP_ADDFD_FLAG_SETFD)))
		return -EINVAL;
	struct gift g = {
		.file = fd_get((int)v.srcfd),
		.at = v.flags & SECCOMP_ADDFD_FLAG_SETFD
			      ? (int32_t)MIN(v.newfd, (uint32_t)INT32_MAX)
			      : -1,
		.cloexec = v.newfd_flags & O_CLOEXEC,
		.answers = v.flags & SECCOMP_ADDFD_FLAG_SEND,
	};
	if (!g.file)
		return -EBADF;
	err = gift_give(n, v.id, &g);
	file_put(g.file);
	return err;
}

/* ---- the listener's file ---- */

/* Its size says which version of the struct the caller knows. */
#define IOCTL_OF_ANY_SIZE(cmd) ((cmd) & ~(uint32_t)(IOC_INOUT | IOCSIZE_MASK))
/* How Linux 5.0 to 5.7 had it. */
#define IOCTL_ID_VALID_OLD SECCOMP_IOR(2, __u64)

static int64_t listener_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	struct notifier *n = f->priv;

	switch (cmd) {
	case SECCOMP_IOCTL_NOTIF_RECV:
		return ioctl_recv(n, arg);
	case SECCOMP_IOCTL_NOTIF_SEND:
		return ioctl_send(n, arg);
	case IOCTL_ID_VALID_OLD:
	case SECCOMP_IOCTL_NOTIF_ID_VALID:
		return ioctl_id_valid(n, arg);
	}
	if (IOCTL_OF_ANY_SIZE(cmd) == IOCTL_OF_ANY_SIZE(SECCOMP_IOCTL_NOTIF_ADDFD))
		return ioctl_addfd(n, arg, _IOC_SIZE(cmd));
	return -EINVAL;
}

static uint32_t listener_poll(struct file *f, struct poll_table *pt)
{
	struct notifier *n = f->priv;

	poll_add(pt, f, &n->news);
	spin_lock(&n->lock);
	uint32_t ready = n->abandoned ? POLLHUP : 0;
	if (request_first(n, REQUEST_NEW))
		ready |= POLLIN | POLLRDNORM;
	if (request_first(n, REQUEST_SENT))
		ready |= POLLOUT | POLLWRNORM;
	spin_unlock(&n->lock);
	return ready;
}

static void listener_release(struct file *f)
{
	struct notifier *n = f->priv;

	spin_lock(&n->lock);
	n->closed = true;
	list_for_each(r, &n->requests, struct request, link)
	{
		if (r->state == REQUEST_ANSWERED)
			continue;
		r->state = REQUEST_ANSWERED;
		r->answer = (struct seccomp_notif_resp){ .error = -ENOSYS };
		wake_all(&r->changed);
	}
	spin_unlock(&n->lock);
	notifier_put(n);
}

static const struct file_ops listener_ops = {
	.release = listener_release,
	.poll = listener_poll,
	.ioctl = listener_ioctl,
	.stream = true,
};

/* ---- the notifier ---- */

int notifier_new(bool wait_killable, struct notifier **ret, struct file **ret_file)
{
	struct notifier *n = heap_zalloc(sizeof(*n));

	if (!n)
		return -ENOMEM;
	ref_init(&n->refs, 2);
	spin_init(&n->lock, RANK_OBJECT);
	n->wait_killable = wait_killable;
	n->next_id = entropy_get_u64();
	list_init(&n->requests);
	waitq_init(&n->news);
	int err = file_new_anon("seccomp notify", &listener_ops, n, O_RDWR, ret_file);
	if (err)
		heap_free(n);
	else
		*ret = n;
	return err;
}

void notifier_put(struct notifier *n)
{
	if (n && ref_put(&n->refs))
		heap_free(n);
}

bool notifier_is_closed(struct notifier *n)
{
	spin_lock(&n->lock);
	bool closed = n->closed;
	spin_unlock(&n->lock);
	return closed;
}

void notifier_abandon(struct notifier *n)
{
	spin_lock(&n->lock);
	n->abandoned = true;
	wake_poll(&n->news, POLLHUP);
	spin_unlock(&n->lock);
}

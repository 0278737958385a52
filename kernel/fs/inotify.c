/*
 * inotify(7).
 *
 * Always true:
 *  Y1  n_events and bytes are those of the queue; but for the one that tells of an
 *      overflow, the queue holds at most max_events;
 *  Y2  a watch is in its instance's table as long as it is on its inode.
 *
 * Locks: notify_mutex over the watches; the instance's lock (RANK_OBJECT) over the queue.
 */
#include "fs/inotify.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/siginfo.h>

#include "core/panic.h"
#include "fs/notify.h"
#include "fs/procfs/procfs.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "sec/account.h"

#define MASK_FLAGS (IN_ONESHOT | IN_EXCL_UNLINK)

_Atomic uint64_t inotify_max_events = 16384, inotify_max_instances = 128,
		 inotify_max_watches = 8192;

struct event {
	struct list link;	   /* [instance's lock] */
	struct inotify_event head; /* with the name, padded with zeroes */
};

struct inotify {
	struct spinlock lock;	 /* RANK_OBJECT */
	struct list events;	 /* [lock] oldest first */
	uint64_t n_events;	 /* [lock] Y1 */
	uint64_t bytes;		 /* [lock] what reading all of them gives */
	struct event *overflow;	 /* [I]; on the queue or not: never lacks memory */
	uint64_t max_events;	 /* [I] */
	struct account *account; /* [I] referenced */
	struct radix watches;	 /* [notify_mutex] by number: Y2 */
	int32_t last_wd;	 /* [notify_mutex] */
	struct async_set async;
	struct waitq wait;
};

struct inotify_watch {
	struct watch watch;
	struct inotify *instance; /* [I] */
	int32_t wd;		  /* [I] */
	uint32_t flags;		  /* [notify_mutex] MASK_FLAGS */
};

static struct inotify_watch *watch_of(const struct watch *w)
{
	return container_of(w, struct inotify_watch, watch);
}

/* ---- the queue ---- */

static struct event *event_new(int32_t wd, const struct notify_event *e, uint32_t mask)
{
	/* The name's NUL, and then up to whole heads. */
	uint32_t len = e->name ? (uint32_t)ALIGN_UP(e->name->len + 1ul,
						    sizeof(struct inotify_event))
			       : 0;
	struct event *new = heap_zalloc(sizeof *new + len);
	if (!new)
		return NULL;
	new->head.wd = wd;
	new->head.mask = mask;
	new->head.cookie = e->cookie;
	new->head.len = len;
	if (e->name)
		memcpy(new->head.name, e->name->s, e->name->len);
	return new;
}

static bool alike(const struct event *a, const struct event *b)
{
	return a->head.wd == b->head.wd && a->head.mask == b->head.mask &&
	       a->head.len == b->head.len && !(a->head.mask & IN_IGNORED) &&
	       !memcmp(a->head.name, b->head.name, a->head.len);
}

static void push(struct inotify *n, struct event *e)
{
	list_push_back(&n->events, &e->link);
	n->n_events++;
	n->bytes += sizeof e->head + e->head.len;
}

/* Consumes e; NULL: there was no memory for it. An event like the newest one is left
 * out. */
static void enqueue(struct inotify *n, struct event *e)
{
	spin_lock(&n->lock);
	struct event *newest =
		list_empty(&n->events) ? NULL : list_last(&n->events, struct event, link);
	if (e && newest && alike(newest, e)) {
		spin_unlock(&n->lock);
		heap_free(e);
		return;
	}
	struct event *lost = NULL;
	if (!e || n->n_events >= n->max_events) {
		lost = e;
		e = list_empty(&n->overflow->link) ? n->overflow : NULL;
	}
	if (e)
		push(n, e);
	spin_unlock(&n->lock);
	heap_free(lost);
	wake_poll(&n->wait, POLLIN | POLLRDNORM);
	async_tell(&n->async, POLL_IN);
}

/* The oldest event if it fits in `room` bytes: 0, -EAGAIN (none), -EINVAL. */
static int dequeue(struct inotify *n, size_t room, struct event **ret)
{
	struct event *e;
	int err = 0;

	spin_lock(&n->lock);
	e = list_first_or_null(&n->events, struct event, link);
	if (!e)
		err = -EAGAIN;
	else if (sizeof e->head + e->head.len > room)
		err = -EINVAL;
	if (!err) {
		list_del(&e->link);
		n->n_events--;
		n->bytes -= sizeof e->head + e->head.len;
	}
	spin_unlock(&n->lock);
	*ret = e;
	return err;
}

static void event_free(struct inotify *n, struct event *e)
{
	if (e != n->overflow)
		heap_free(e);
}

/* ---- the watches (watch_ops; notify_mutex held) ---- */

static bool on_event(struct watch *w, const struct notify_event *e)
{
	struct inotify_watch *iw = watch_of(w);
	uint32_t mask = e->mask;

	if (e->unlinked && (iw->flags & IN_EXCL_UNLINK))
		return false;
	if (mask & (IN_DELETE_SELF | IN_MOVE_SELF))
		mask &= ~(uint32_t)IN_ISDIR;
	enqueue(iw->instance, event_new(iw->wd, e, mask));
	return iw->flags & IN_ONESHOT;
}

static void on_gone(struct watch *w)
{
	static const struct notify_event nothing;
	struct inotify_watch *iw = watch_of(w);
	struct inotify *n = iw->instance;

	enqueue(n, event_new(iw->wd, &nothing, IN_IGNORED));
	radix_remove(&n->watches, (uint64_t)iw->wd);
	n->account->inotify_watches--;
	heap_free(iw);
}

static const struct watch_ops ops = { .event = on_event, .gone = on_gone };

static bool is_of(const struct watch *w, const void *instance)
{
	return watch_of(w)->instance == instance;
}

/* Numbers rise, and are not given again while others are left. */
static int number_give(struct inotify *n, struct inotify_watch *w)
{
	uint64_t wd;

	if (!radix_first_absent(&n->watches, (uint64_t)n->last_wd + 1, INT32_MAX, &wd) &&
	    !radix_first_absent(&n->watches, 1, INT32_MAX, &wd))
		return -ENOSPC;
	int err = radix_insert(&n->watches, wd, w);
	if (!err)
		w->wd = n->last_wd = (int32_t)wd;
	return err;
}

static int64_t update(struct inotify_watch *w, uint32_t mask)
{
	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	if (!(mask & IN_MASK_ADD)) {
		w->watch.mask = 0;
		w->flags = 0;
	}
	w->watch.mask |= mask & IN_ALL_EVENTS;
	w->flags |= mask & MASK_FLAGS;
	watch_changed(&w->watch);
	return w->wd;
}

/* Consumes fresh if it returns that one's number. */
static int64_t add_locked(struct inotify *n, struct inode *i, uint32_t mask,
			  struct inotify_watch *fresh)
{
	struct watch *old = watch_find(i, &ops, is_of, n);

	if (old)
		return update(watch_of(old), mask);
	if (!account_charge(&n->account->inotify_watches, 1, inotify_max_watches))
		return -ENOSPC;
	int err = number_give(n, fresh);
	if (err) {
		n->account->inotify_watches--;
		return err;
	}
	fresh->watch.mask = mask & IN_ALL_EVENTS;
	fresh->flags = mask & MASK_FLAGS;
	watch_add(&fresh->watch, i);
	return fresh->wd;
}

static struct inotify *instance_of(const struct file *f)
{
	return file_is_inotify(f) ? f->priv : NULL;
}

int64_t inotify_watch(struct file *f, struct inode *i, uint32_t mask)
{
	struct inotify *n = instance_of(f);
	struct inotify_watch *fresh = n ? heap_zalloc(sizeof *fresh) : NULL;

	if (!fresh)
		return n ? -ENOMEM : -EINVAL;
	fresh->watch.ops = &ops;
	fresh->instance = n;
	mutex_lock(&notify_mutex);
	int64_t wd = add_locked(n, i, mask, fresh);
	bool used = fresh->watch.inode;
	mutex_unlock(&notify_mutex);
	if (!used)
		heap_free(fresh);
	if (used && S_ISDIR(i->mode))
		watch_names(i);
	return wd;
}

int inotify_unwatch(struct file *f, int32_t wd)
{
	struct inotify *n = instance_of(f);
	struct inode *i = NULL;

	if (!n)
		return -EINVAL;
	mutex_lock(&notify_mutex);
	struct inotify_watch *w = wd > 0 ? radix_get(&n->watches, (uint64_t)wd) : NULL;
	if (w) {
		i = w->watch.inode;
		watch_remove(&w->watch);
		on_gone(&w->watch);
	}
	mutex_unlock(&notify_mutex);
	inode_put(i);
	return i ? 0 : -EINVAL;
}

/* ---- the file ---- */

/* Events to u, as many as fit: bytes, -EAGAIN (none), -EINVAL (too large), -EFAULT. */
static int64_t read_some(struct inotify *n, struct uio *u)
{
	struct event *e;
	int64_t done = 0;

	for (;;) {
		int err = dequeue(n, u->left, &e);
		if (err)
			return done ? done : err;
		size_t len = sizeof e->head + e->head.len;
		int64_t moved = uio_write(u, &e->head, len);
		event_free(n, e);
		if (moved != (int64_t)len)
			return done ? done : -EFAULT;
		done += (int64_t)len;
	}
}

static bool has_events(struct inotify *n)
{
	spin_lock(&n->lock);
	bool any = !list_empty(&n->events);
	spin_unlock(&n->lock);
	return any;
}

static int64_t inotify_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct inotify *n = f->priv;

	for (;;) {
		int64_t done = read_some(n, u);
		if (done != -EAGAIN || (f->flags & O_NONBLOCK))
			return done;
		int err = wait_event_intr(&n->wait, has_events(n));
		if (err)
			return err;
	}
}

static uint32_t inotify_poll(struct file *f, struct poll_table *pt)
{
	struct inotify *n = f->priv;

	poll_add_for(pt, f, &n->wait, POLLIN | POLLRDNORM);
	return has_events(n) ? POLLIN | POLLRDNORM : 0;
}

static int64_t inotify_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	struct inotify *n = f->priv;

	if (cmd != FIONREAD)
		return -ENOTTY;
	spin_lock(&n->lock);
	int32_t bytes = (int32_t)n->bytes;
	spin_unlock(&n->lock);
	return put_user(arg, bytes);
}

/* Watches that the buffer has no room for are left out. */
static size_t inotify_show(struct file *f, char *buf, size_t size)
{
	struct inotify *n = f->priv;
	struct inotify_watch *w;
	size_t at = 0;
	uint64_t wd = 0;

	mutex_lock(&notify_mutex);
	while ((w = radix_next(&n->watches, wd, &wd))) {
		const struct inode *i = w->watch.inode;
		size_t len = fmt_to(buf + at, size - at,
				    "inotify wd:%x ino:%lx sdev:%x mask:%x "
				    "ignored_mask:0 \n",
				    w->wd, i->ino,
				    DEV_MAJOR(i->sb->dev) << 20 | DEV_MINOR(i->sb->dev),
				    w->watch.mask | w->flags);
		if (len >= size - at)
			break;
		at += len;
		wd++;
	}
	mutex_unlock(&notify_mutex);
	return at;
}

static void instance_free(struct inotify *n)
{
	list_for_each_safe(e, &n->events, struct event, link) event_free(n, e);
	radix_fini(&n->watches);
	heap_free(n->overflow);
	n->account->inotify_instances--;
	account_put(n->account);
	heap_free(n);
}

static void inotify_release(struct file *f)
{
	struct inotify *n = f->priv;
	struct inotify_watch *w;
	uint64_t wd;

	mutex_lock(&notify_mutex);
	while ((w = radix_next(&n->watches, 0, &wd))) {
		struct inode *i = w->watch.inode;
		watch_remove(&w->watch);
		on_gone(&w->watch);
		mutex_unlock(&notify_mutex);
		inode_put(i);
		mutex_lock(&notify_mutex);
	}
	mutex_unlock(&notify_mutex);
	instance_free(n);
}

static struct async_set *inotify_async(struct file *f, bool on)
{
	return &((struct inotify *)f->priv)->async;
}

const struct file_ops inotify_fops = {
	.release = inotify_release,
	.read = inotify_read,
	.async = inotify_async,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.show_fdinfo = inotify_show,
	.llseek = noop_llseek,
	.stream = true,
};

static int instance_new(struct inotify **ret)
{
	struct account *a = account_get(thread_current()->cred->uid);
	if (!a)
		return -ENOMEM;
	int err = account_charge(&a->inotify_instances, 1, inotify_max_instances)
			  ? 0
			  : -EMFILE;
	if (err) {
		account_put(a);
		return err;
	}
	struct inotify *n = heap_zalloc(sizeof *n);
	struct event *overflow = heap_zalloc(sizeof *overflow);
	if (!n || !overflow) {
		heap_free(n);
		heap_free(overflow);
		a->inotify_instances--;
		account_put(a);
		return -ENOMEM;
	}
	spin_init(&n->lock, RANK_OBJECT);
	waitq_init(&n->wait);
	async_init(&n->async);
	list_init(&n->events);
	list_init(&overflow->link);
	overflow->head.wd = -1;
	overflow->head.mask = IN_Q_OVERFLOW;
	n->overflow = overflow;
	radix_init(&n->watches, &radix_heap_ops);
	n->max_events = inotify_max_events;
	n->account = a;
	*ret = n;
	return 0;
}

int inotify_open(uint32_t flags, struct file **ret)
{
	struct inotify *n;
	int err = instance_new(&n);
	if (err)
		return err;
	err = file_new_anon("inotify", &inotify_fops, n, O_RDONLY | flags, ret);
	if (err)
		instance_free(n);
	return err;
}

/* ---- limits ---- */

static int show_limit(struct proc_text *t, void *arg)
{
	proc_printf(t, "%lu\n", *(_Atomic uint64_t *)arg);
	return 0;
}

static int store_limit(char *text, size_t n, void *arg)
{
	uint64_t v;
	int err = proc_parse_u64(text, &v);
	if (err || v > INT32_MAX)
		return -EINVAL;
	*(_Atomic uint64_t *)arg = v;
	return 0;
}

static void fill(void)
{
	static const struct {
		const char *path;
		void *limit;
	} files[] = {
		{ "sys/fs/inotify/max_queued_events", (void *)&inotify_max_events },
		{ "sys/fs/inotify/max_user_instances", (void *)&inotify_max_instances },
		{ "sys/fs/inotify/max_user_watches", (void *)&inotify_max_watches },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		proc_made(proc_file(files[i].path, 0644, show_limit, store_limit,
				    files[i].limit));
}

void inotify_init(void)
{
	static struct proc_filler filler = { .fill = fill };

	/* As Linux: a KiB for each inode kept, of a hundredth of memory. */
	inotify_max_watches =
		MIN(MAX(page_get_total() * PAGE_SIZE / 100 / KIB(1), 8192ul), 1048576ul);
	insist(!proc_fill_later("", &filler));
}

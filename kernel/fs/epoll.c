/*
 * epoll(7): sets of files to watch.
 *
 * Always true:
 *  E1  an item is in its set's tree and on its file's list, or being made or freed under
 *      the set's lock;
 *  E2  an item does not hold its file: the file's last put comes to epoll_file_release
 *      before anything of the file is torn down, and takes the set's lock there. So
 *      whoever holds that lock and sees the item may use the file, its poll operation and
 *      its queues;
 *  E3  an item whose event happened is on the ready list, or the list's scan is about to
 *      ask its file (epoll_wait.c);
 *  E4  instances that watch one another form no cycle, and no chain longer than
 *      EP_MAX_DEPTH; at most EP_MAX_WATCHERS watch one.
 *
 * Locks: the nest lock, then set locks (watching before watched), then ep_links_lock. A
 * wake-up comes the other way round: a file's queue, the ready list, the queues of this
 * instance, the ready list of an instance that watches this one.
 */
#include "fs/epoll.h"

#include <asm/poll.h>

#include "core/panic.h"
#include "lib/fmt.h"

struct spinlock ep_links_lock = SPINLOCK_INIT(RANK_OBJECT);

/* ---- the tree ---- */

static int item_compare(const struct ep_item *it, const struct file *f, int fd)
{
	if (it->file != f)
		return (uintptr_t)f < (uintptr_t)it->file ? -1 : 1;
	return fd < it->fd ? -1 : fd > it->fd;
}

static struct ep_item *item_of(struct rb_node *n)
{
	return container_of(n, struct ep_item, node);
}

/* The item for (f, fd), or NULL and the place where it would go. */
static struct ep_item *item_find(struct epoll *ep, const struct file *f, int fd,
				 struct rb_node **ret_parent, struct rb_node ***ret_link)
{
	struct rb_node *parent = NULL, **link = &ep->items.root;

	while (*link) {
		int side = item_compare(item_of(*link), f, fd);

		if (!side)
			return item_of(*link);
		parent = *link;
		link = side < 0 ? &parent->left : &parent->right;
	}
	*ret_parent = parent;
	*ret_link = link;
	return NULL;
}

/* ---- items ---- */

struct hook_adder {
	struct poll_table table;
	struct ep_item *item;
	int err;
};

static int hook_add(struct poll_table *pt, struct file *f, struct waitq *q)
{
	struct hook_adder *a = container_of(pt, struct hook_adder, table);
	struct ep_item *it = a->item;
	struct ep_hook *h = it->first_used ? heap_alloc(sizeof *h) : &it->first;

	if (!h) {
		a->err = -ENOMEM;
		return -ENOMEM;
	}
	it->first_used = true;
	*h = (struct ep_hook){
		.waiter = { .fn = ep_hook_woken,
			    .exclusive = it->events & EPOLLEXCLUSIVE },
		.q = q,
		.item = it,
		.next = it->hooks,
	};
	list_init(&h->waiter.link);
	it->hooks = h;
	waitq_add(q, &h->waiter);
	return 0;
}

static void hooks_remove(struct ep_item *it)
{
	while (it->hooks) {
		struct ep_hook *h = it->hooks;

		it->hooks = h->next;
		waitq_del(h->q, &h->waiter);
		if (h != &it->first)
			heap_free(h);
	}
	it->first_used = false;
}

/* Asks the file, and watches the queues that matter for the item's events. */
static int item_watch(struct ep_item *it)
{
	struct hook_adder a = { .table = { .add = hook_add, .wanted = it->events },
				.item = it };

	it->hooked = it->events;
	if (ep_item_poll(it, &a.table))
		ep_item_ready(it);
	return a.err;
}

/* Takes the item out of everything and frees it. ep->lock held. */
static void item_remove(struct ep_item *it)
{
	struct epoll *ep = it->ep;
	uint64_t flags;

	hooks_remove(it);
	/* No callback runs any more. */
	flags = spin_lock_irq(&ep->ready_lock);
	ep->n_ready -= !list_empty(&it->ready_link);
	list_del(&it->ready_link);
	spin_unlock_irq(&ep->ready_lock, flags);
	if (it->file->ops == &epoll_file_ops)
		ep->watched_epolls--;
	rb_erase(&ep->items, &it->node);
	/* Last of all: an empty list lets the file go (E2). */
	spin_lock(&ep_links_lock);
	list_del(&it->file_link);
	spin_unlock(&ep_links_lock);
	heap_free(it);
}

static int item_add(struct epoll *ep, struct file *f, int fd,
		    const struct epoll_event *ev)
{
	struct rb_node *parent, **link;
	struct ep_item *it;
	int err;

	if (item_find(ep, f, fd, &parent, &link))
		return -EEXIST;
	it = heap_zalloc(sizeof *it);
	if (!it)
		return -ENOMEM;
	it->ep = ep;
	it->file = f;
	it->fd = fd;
	it->events = ev->events | EPOLLERR | EPOLLHUP;
	it->data = ev->data;
	list_init(&it->ready_link);
	rb_insert(&ep->items, &it->node, parent, link);
	if (f->ops == &epoll_file_ops)
		ep->watched_epolls++;
	spin_lock(&ep_links_lock);
	list_push_back(&f->epoll_links, &it->file_link);
	spin_unlock(&ep_links_lock);

	err = item_watch(it);
	if (err)
		item_remove(it);
	return err;
}

static int item_modify(struct ep_item *it, const struct epoll_event *ev)
{
	int err;

	if ((it->events | ev->events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	it->data = ev->data;
	/* Before the file is asked, so that a wake-up in between knows the new mask. */
	it->events = ev->events | EPOLLERR | EPOLLHUP;
	if (it->events & ~it->hooked) {
		hooks_remove(it);
		err = item_watch(it);
		if (err)
			item_remove(it);
		return err;
	}
	if (ep_item_poll(it, NULL))
		ep_item_ready(it);
	return 0;
}

/* ---- epoll_ctl ---- */

static bool events_ok(int op, const struct file *target, const struct epoll_event *ev)
{
	const uint32_t with_exclusive = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP |
					EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

	if (op == EPOLL_CTL_DEL || !(ev->events & EPOLLEXCLUSIVE))
		return true;
	return op == EPOLL_CTL_ADD && target->ops != &epoll_file_ops &&
	       !(ev->events & ~with_exclusive);
}

static int ctl_locked(struct epoll *ep, int op, int fd, struct file *target,
		      const struct epoll_event *ev)
{
	struct rb_node *parent, **link;
	struct ep_item *it;

	if (op == EPOLL_CTL_ADD)
		return item_add(ep, target, fd, ev);
	it = item_find(ep, target, fd, &parent, &link);
	if (!it)
		return -ENOENT;
	if (op == EPOLL_CTL_MOD)
		return item_modify(it, ev);
	item_remove(it);
	return 0;
}

int epoll_ctl(struct file *epf, int op, int fd, struct file *target,
	      const struct epoll_event *ev)
{
	struct epoll *ep = epf->priv;
	bool nests;
	int err = 0;

	if (!target->ops->poll)
		return -EPERM;
	if (epf->ops != &epoll_file_ops || epf == target || !events_ok(op, target, ev))
		return -EINVAL;
	if (op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL)
		return -EINVAL;
	nests = op == EPOLL_CTL_ADD && target->ops == &epoll_file_ops;
	if (nests) {
		ep_nest_lock();
		err = ep_nest_check(ep, target->priv);
	}
	if (!err) {
		mutex_lock(&ep->lock);
		err = ctl_locked(ep, op, fd, target, ev);
		mutex_unlock(&ep->lock);
	}
	if (nests)
		ep_nest_unlock();
	return err;
}

/* ---- the end of a watched file, and of an instance ---- */

static void epoll_put(struct epoll *ep)
{
	if (ref_put(&ep->refs))
		heap_free(ep);
}

/* Any instance that watches f, referenced; NULL: none. */
static struct epoll *watcher_of(struct file *f)
{
	struct epoll *ep = NULL;

	spin_lock(&ep_links_lock);
	if (!list_empty(&f->epoll_links)) {
		/* Alive: an instance frees itself after its items left this list. */
		ep = list_first(&f->epoll_links, struct ep_item, file_link)->ep;
		ref_get(&ep->refs);
	}
	spin_unlock(&ep_links_lock);
	return ep;
}

/* Takes all items for f out of ep. */
static void forget_file(struct epoll *ep, struct file *f)
{
	struct rb_node *n, *next;

	mutex_lock(&ep->lock);
	for (n = rb_first(&ep->items); n; n = next) {
		next = rb_next(n);
		if (item_of(n)->file == f)
			item_remove(item_of(n));
	}
	mutex_unlock(&ep->lock);
}

void epoll_file_release(struct file *f)
{
	struct epoll *ep;

	/* Both ends: list_del has then written to this head for the last time. */
	if (__atomic_load_n(&f->epoll_links.prev, __ATOMIC_ACQUIRE) == &f->epoll_links &&
	    __atomic_load_n(&f->epoll_links.next, __ATOMIC_ACQUIRE) == &f->epoll_links)
		return;
	while ((ep = watcher_of(f))) {
		forget_file(ep, f);
		epoll_put(ep);
	}
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->priv;
	struct rb_node *n;

	mutex_lock(&ep->lock);
	while ((n = rb_first(&ep->items)))
		item_remove(item_of(n));
	mutex_unlock(&ep->lock);
	epoll_put(ep);
}

int epoll_target(struct file *epf, int fd, uint32_t nth, const void **ret)
{
	struct epoll *ep = epf->priv;
	int err = -ENOENT;

	if (epf->ops != &epoll_file_ops)
		return -EINVAL;
	mutex_lock(&ep->lock);
	for (struct rb_node *n = rb_first(&ep->items); n && err; n = rb_next(n)) {
		if (item_of(n)->fd != fd || nth--)
			continue;
		*ret = item_of(n)->file;
		err = 0;
	}
	mutex_unlock(&ep->lock);
	return err;
}

static size_t epoll_show(struct file *f, char *buf, size_t n)
{
	struct epoll *ep = f->priv;
	size_t len = 0;

	mutex_lock(&ep->lock);
	for (struct rb_node *r = rb_first(&ep->items); r && len < n; r = rb_next(r)) {
		struct ep_item *it = item_of(r);

		len += fmt_to(
			buf + len, n - len,
			"tfd: %8d events: %8x data: %16llx  pos:%lli ino:%llx sdev:%x\n",
			it->fd, it->events, (unsigned long long)it->data,
			(long long)it->file->pos,
			(unsigned long long)it->file->inode->ino,
			it->file->inode->sb ? it->file->inode->sb->dev : 0);
	}
	mutex_unlock(&ep->lock);
	return MIN(len, n);
}

const struct file_ops epoll_file_ops = {
	.release = epoll_release,
	.poll = ep_poll,
	.show_fdinfo = epoll_show,
	.llseek = noop_llseek,
	.stream = true,
};

int epoll_open(struct file **ret)
{
	struct epoll *ep = heap_zalloc(sizeof *ep);
	struct file *f;
	int err;

	if (!ep)
		return -ENOMEM;
	ref_init(&ep->refs, 1);
	mutex_init(&ep->lock, RANK_EPOLL);
	rb_init(&ep->items, NULL);
	spin_init(&ep->ready_lock, RANK_EPOLL_READY);
	list_init(&ep->ready);
	waitq_init(&ep->wait);
	spin_init(&ep->wait.lock, RANK_WAITQ_EPOLL);
	waitq_init(&ep->poll_wait);
	spin_init(&ep->poll_wait.lock, RANK_EPOLL_READY);
	err = file_new_anon("[eventpoll]", &epoll_file_ops, ep, O_RDWR, &f);
	if (err) {
		heap_free(ep);
		return err;
	}
	ep->file = f;
	*ret = f;
	return 0;
}

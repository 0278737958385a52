/*
 * epoll's ready lists: filled by wake-ups, emptied by epoll_wait.
 *
 * A scan takes an item off the list *before* it asks the item's file. A wake-up that
 * comes later puts the item back, one that came earlier is seen by the asking: that is E3
 * of epoll.c.
 */
#include "fs/epoll.h"

#include <asm/poll.h>

/* ---- filling ---- */

static bool wake_watchers(struct epoll *ep)
{
	bool active = false;

	if (waitq_active(&ep->wait)) {
		wake_key(&ep->wait, 1, POLLIN);
		active = true;
	}
	if (waitq_active(&ep->poll_wait)) {
		wake_key(&ep->poll_wait, 0, POLLIN | POLLRDNORM);
		active = true;
	}
	return active;
}

static void ready_push(struct ep_item *it)
{
	uint64_t flags = spin_lock_irq(&it->ep->ready_lock);

	it->woken = true;
	if (list_empty(&it->ready_link)) {
		list_push_back(&it->ep->ready, &it->ready_link);
		it->ep->n_ready++;
	}
	spin_unlock_irq(&it->ep->ready_lock, flags);
}

void ep_item_ready(struct ep_item *it)
{
	ready_push(it);
	wake_watchers(it->ep);
}

/* Under the file's queue lock, interrupts off: the item cannot go away meanwhile. */
bool ep_hook_woken(struct waiter *w, uint32_t key)
{
	struct ep_item *it = container_of(w, struct ep_hook, waiter)->item;
	uint32_t events = it->events;

	/* Nothing wanted: a one-shot that has fired. */
	if (!(events & ~(uint32_t)EP_PRIVATE) || (key && !(key & events)))
		return false;
	ready_push(it);
	/* An exclusive wake-up is used up only by somebody who is woken. */
	return wake_watchers(it->ep) || !(events & EPOLLEXCLUSIVE);
}

uint32_t ep_item_poll(struct ep_item *it, struct poll_table *pt)
{
	uint32_t events = it->events;

	/* The file is asked even by a disarmed item when hooks are to be added. */
	if (!pt && !(events & ~(uint32_t)EP_PRIVATE))
		return 0;
	return it->file->ops->poll(it->file, pt) & events & ~(uint32_t)EP_PRIVATE;
}

/* ---- emptying; ep->lock held ---- */

static bool ep_has_ready(struct epoll *ep)
{
	return __atomic_load_n(&ep->n_ready, __ATOMIC_ACQUIRE);
}

/* The first item, which moves to the end of the list: it stays on it while its file is
 * asked. */
static struct ep_item *ready_take_up(struct epoll *ep)
{
	uint64_t flags = spin_lock_irq(&ep->ready_lock);
	struct ep_item *it = list_first_or_null(&ep->ready, struct ep_item, ready_link);

	if (it && ep->n_ready > 1) {
		list_del(&it->ready_link);
		list_push_back(&ep->ready, &it->ready_link);
	}
	if (it)
		it->woken = false;
	spin_unlock_irq(&ep->ready_lock, flags);
	return it;
}

/* Done with an item, unless it was woken after it had been taken up. */
static void ready_drop(struct ep_item *it)
{
	uint64_t flags = spin_lock_irq(&it->ep->ready_lock);

	if (!it->woken) {
		list_del(&it->ready_link);
		it->ep->n_ready--;
	}
	spin_unlock_irq(&it->ep->ready_lock, flags);
}

/* Reports one item at events[at]. 1, 0 (nothing ready after all), -EFAULT. */
static int item_report(struct ep_item *it, uaddr_t events, size_t at)
{
	struct epoll_event ev = { .events = ep_item_poll(it, NULL), .data = it->data };

	if (!ev.events) {
		ready_drop(it);
		return 0;
	}
	if (copy_out(uaddr_add(events, at * sizeof ev), &ev, sizeof ev))
		return -EFAULT;
	/* Level-triggered items stay on the list, to be asked again. */
	if (it->events & EPOLLONESHOT)
		it->events &= EP_PRIVATE;
	else if (!(it->events & EPOLLET))
		return 1;
	ready_drop(it);
	return 1;
}

/* Count of events reported, or -EFAULT when the first could not be. */
static int64_t ep_scan(struct epoll *ep, uaddr_t events, size_t max)
{
	struct ep_item *it;
	int64_t done = 0;

	mutex_lock(&ep->lock);
	/* Each that is there now is taken up once, however many more come. */
	for (uint32_t left = ep->n_ready; left && (size_t)done < max; left--) {
		int n;

		it = ready_take_up(ep);
		if (!it)
			break;
		n = item_report(it, events, done);
		if (n < 0) {
			done = done ? done : n;
			break;
		}
		done += n;
	}
	mutex_unlock(&ep->lock);
	/* More than one thread may wait, and more than one event be left. */
	if (waitq_active(&ep->wait) && ep_has_ready(ep))
		wake_key(&ep->wait, 1, POLLIN);
	return done;
}

int64_t epoll_wait(struct file *epf, uaddr_t events, size_t max, uint64_t deadline)
{
	struct epoll *ep = epf->priv;
	int64_t n;

	if (epf->ops != &epoll_file_ops)
		return -EINVAL;
	for (;;) {
		int err;

		n = ep_has_ready(ep) ? ep_scan(ep, events, max) : 0;
		if (n || !deadline)
			return n;
		err = wait_event_full(&ep->wait, ep_has_ready(ep), WAIT_INTR, deadline,
				      true);
		if (err == -ETIMEDOUT)
			return 0;
		if (err) {
			if (ep_has_ready(ep) && waitq_active(&ep->wait))
				wake_key(&ep->wait, 1, POLLIN);
			return -EINTR;
		}
	}
}

/* ---- an instance that is watched itself ---- */

uint32_t ep_poll(struct file *f, struct poll_table *pt)
{
	struct epoll *ep = f->priv;
	bool ready = false;

	poll_add(pt, f, &ep->poll_wait);
	if (!ep_has_ready(ep))
		return 0;
	mutex_lock(&ep->lock);
	for (uint32_t left = ep->n_ready; left && !ready; left--) {
		struct ep_item *it = ready_take_up(ep);

		if (!it)
			break;
		ready = ep_item_poll(it, NULL);
		if (!ready)
			ready_drop(it);
	}
	mutex_unlock(&ep->lock);
	return ready ? POLLIN | POLLRDNORM : 0;
}

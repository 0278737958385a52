/*
 * Instances that watch instances: no cycles, chains of bounded length, bounded fan-out
 * (E4 of epoll.c), because a wake-up and a poll recurse along them, interrupts off. All
 * edges are added under one lock; a walk visits an instance once, however many ways lead
 * to it, so its cost is bounded by what exists.
 */
#include "fs/epoll.h"

static struct mutex nest_lock = MUTEX_INIT(nest_lock, RANK_EPOLL);
static uint64_t walk; /* [nest_lock] number of the present walk */

void ep_nest_lock(void)
{
	mutex_lock(&nest_lock);
}

void ep_nest_unlock(void)
{
	mutex_unlock(&nest_lock);
}

static bool visited(struct epoll *ep)
{
	if (ep->visit == walk)
		return true;
	ep->visit = walk;
	ep->visit_depth = EP_MAX_DEPTH;
	return false;
}

static uint32_t depth_below(struct epoll *ep, const struct epoll *avoid, uint32_t limit);

static uint32_t depth_of_items(struct epoll *ep, const struct epoll *avoid,
			       uint32_t limit)
{
	uint32_t deepest = 0;

	for (struct rb_node *n = rb_first(&ep->items); n; n = rb_next(n)) {
		struct file *f = container_of(n, struct ep_item, node)->file;

		if (f->ops == &epoll_file_ops)
			deepest = MAX(deepest, depth_below(f->priv, avoid, limit - 1));
	}
	return deepest;
}

/* Instances on the longest chain from ep down; at least EP_MAX_DEPTH + 1 when `avoid` is
 * met or the limit is passed. */
static uint32_t depth_below(struct epoll *ep, const struct epoll *avoid, uint32_t limit)
{
	uint32_t deepest = 0;

	if (ep == avoid || !limit)
		return EP_MAX_DEPTH + 1;
	if (visited(ep))
		return ep->visit_depth;
	mutex_lock(&ep->lock);
	if (ep->watched_epolls)
		deepest = depth_of_items(ep, avoid, limit);
	mutex_unlock(&ep->lock);
	ep->visit_depth = deepest + 1;
	return ep->visit_depth;
}

/* The same upwards; ep_links_lock held. */
static uint32_t depth_above(struct epoll *ep, uint32_t limit)
{
	uint32_t highest = 0;

	if (!limit)
		return EP_MAX_DEPTH + 1;
	if (visited(ep))
		return ep->visit_depth;
	list_for_each(it, &ep->file->epoll_links, struct ep_item, file_link) highest =
		MAX(highest, depth_above(it->ep, limit - 1));
	ep->visit_depth = highest + 1;
	return ep->visit_depth;
}

/* ep_links_lock held. */
static bool watched_by_too_many(const struct epoll *ep)
{
	uint32_t n = 0;

	for (const struct list *l = ep->file->epoll_links.next;
	     l != &ep->file->epoll_links; l = l->next)
		if (++n == EP_MAX_WATCHERS)
			return true;
	return false;
}

int ep_nest_check(struct epoll *ep, struct epoll *target)
{
	uint32_t below, above;
	bool many;

	walk++;
	below = depth_below(target, ep, EP_MAX_DEPTH);
	walk++;
	spin_lock(&ep_links_lock);
	above = depth_above(ep, EP_MAX_DEPTH);
	many = watched_by_too_many(target);
	spin_unlock(&ep_links_lock);
	if (many)
		return -EINVAL;
	return below + above > EP_MAX_DEPTH ? -ELOOP : 0;
}

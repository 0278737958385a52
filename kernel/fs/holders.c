/* Claims to an inode and who waits for them. */
#include "fs/holders.h"

#include "fs/inode.h"
#include "fs/locks.h"

struct holders *holders_of(struct holder_kind *k, holders_slot *slot, struct inode *i)
{
	struct holders *s = *slot, *none = NULL;

	if (s)
		return s;
	s = heap_zalloc(sizeof *s);
	if (!s)
		return NULL;
	list_init(&s->held);
	s->inode = i;
	if (!__atomic_compare_exchange_n((struct holders **)slot, &none, s, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)) {
		heap_free(s);
		return none;
	}
	spin_lock(&k->lock);
	list_push_back(&k->all, &s->link);
	spin_unlock(&k->lock);
	return s;
}

void holders_free(struct holder_kind *k, holders_slot *slot)
{
	struct holders *s = *slot;

	if (!s)
		return;
	insist(list_empty(&s->held) && !s->waiting);
	spin_lock(&k->lock);
	list_del(&s->link);
	spin_unlock(&k->lock);
	heap_free(s);
	*slot = NULL;
}

/* ---- waiting ---- */

void claim_init(struct claim *c, struct waitq *sleeper)
{
	list_init(&c->link);
	list_init(&c->below);
	c->above = NULL;
	c->sleeper = sleeper;
}

/* Who of those that wait for `above` is in c's way; NULL: nobody. */
static struct claim *first_conflict(struct holder_kind *k, const struct claim *above,
				    const struct claim *c)
{
	list_for_each(other, &above->below, struct claim, link)
	{
		if (k->conflict(other, c))
			return other;
	}
	return NULL;
}

void claim_wait(struct holder_kind *k, struct holders *s, struct claim *held,
		struct claim *c)
{
	struct claim *above = held;

	for (struct claim *next = held; next; next = first_conflict(k, above, c))
		above = next;
	c->above = above;
	list_push_back(&above->below, &c->link);
	s->waiting++;
	/* They need not be in the way of what c waits for now. */
	claim_wake(s, c);
}

static void stop_waiting(struct holders *s, struct claim *c)
{
	list_del(&c->link);
	c->above = NULL;
	s->waiting--;
}

void claim_wake(struct holders *s, struct claim *c)
{
	list_for_each_safe(w, &c->below, struct claim, link)
	{
		stop_waiting(s, w);
		wake_all(w->sleeper);
	}
}

void claim_leave(struct holders *s, struct claim *c)
{
	if (claim_waits(c))
		stop_waiting(s, c);
	claim_wake(s, c);
}

void claim_inherit(struct claim *to, struct claim *from)
{
	list_for_each(w, &from->below, struct claim, link) w->above = to;
	list_splice_back(&to->below, &from->below);
}

/* ---- what others see ---- */

/* The one that is shown after c: below it, beside it, beside one above. NULL: the tree
 * that `root` holds ends. */
static const struct claim *next_of(const struct claim *c, uint32_t *level)
{
	if (!list_empty(&c->below)) {
		++*level;
		return list_first(&c->below, struct claim, link);
	}
	for (; c->above; c = c->above, --*level)
		if (c->link.next != &c->above->below)
			return list_first(&c->link, struct claim, link);
	return NULL;
}

static void view_add(struct holder_kind *k, const struct holders *s,
		     const struct claim *c, uint32_t level, struct holders_view *v)
{
	struct file_lock_view *to = &v->ret[v->n++];

	*to = (struct file_lock_view){ .number = v->number,
				       .level = level,
				       .dev = s->inode->sb->dev,
				       .ino = s->inode->ino,
				       .end = LOCK_END };
	k->show(c, to);
}

static void view_set(struct holder_kind *k, const struct holders *s,
		     struct holders_view *v)
{
	if (v->skip >= (uint64_t)s->n + s->waiting) {
		v->skip -= (uint64_t)s->n + s->waiting;
		v->number += s->n;
		return;
	}
	list_for_each(held, &s->held, struct claim, link)
	{
		uint32_t level = 0;
		v->number++;
		for (const struct claim *c = held; c; c = next_of(c, &level)) {
			if (v->n == v->room)
				return;
			if (v->skip)
				v->skip--;
			else
				view_add(k, s, c, level, v);
		}
	}
}

void holders_view(struct holder_kind *k, const struct holders *only,
		  struct holders_view *v)
{
	spin_lock(&k->lock);
	if (only) {
		view_set(k, only, v);
	} else {
		list_for_each(s, &k->all, struct holders, link) view_set(k, s, v);
	}
	spin_unlock(&k->lock);
}

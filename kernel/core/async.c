/* Sets of those who asked for signals: see async.h. */
#include "core/async.h"

#include "core/spinlock.h"

static struct spinlock async_lock = SPINLOCK_INIT(RANK_ASYNC);

void async_join(struct async_set *s, struct async_entry *e, int fd)
{
	spin_lock(&async_lock);
	list_del(&e->link);
	list_push_back(&s->entries, &e->link);
	e->fd = fd;
	spin_unlock(&async_lock);
}

void async_leave(struct async_entry *e)
{
	spin_lock(&async_lock);
	list_del(&e->link);
	spin_unlock(&async_lock);
}

void async_tell_all(struct async_set *s, int code)
{
	spin_lock(&async_lock);
	list_for_each(e, &s->entries, struct async_entry, link) e->tell(e, code);
	spin_unlock(&async_lock);
}

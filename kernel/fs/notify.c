/* Events of the VFS, and who watches for them: see notify.h for what always holds. */
#include "fs/notify.h"

#include "fs/dcache.h"
#include "fs/inode.h"
#include "fs/name.h"
#include "lib/string.h"

struct mutex notify_mutex = MUTEX_INIT(notify_mutex, RANK_NOTIFY);

static struct list all = LIST_INIT(all); /* [notify_mutex] struct watch */
static _Atomic uint32_t last_cookie;

/* ---- watches; notify_mutex held ---- */

static void mask_update(struct inode *i)
{
	uint32_t mask = 0;

	list_for_each(w, &i->watches, struct watch, inode_link) mask |= w->mask;
	i->watch_mask = mask;
}

void watch_add(struct watch *w, struct inode *i)
{
	insist(mutex_is_mine(&notify_mutex));
	w->inode = inode_get(i);
	list_push_back(&all, &w->link);
	list_push_back(&i->watches, &w->inode_link);
	mask_update(i);
}

void watch_changed(struct watch *w)
{
	mask_update(w->inode);
}

void watch_remove(struct watch *w)
{
	insist(mutex_is_mine(&notify_mutex));
	list_del(&w->link);
	list_del(&w->inode_link);
	mask_update(w->inode);
}

struct watch *watch_find(struct inode *i, const struct watch_ops *ops,
			 bool (*is)(const struct watch *w, const void *arg),
			 const void *arg)
{
	list_for_each(w, &i->watches, struct watch, inode_link)
	{
		if (w->ops == ops && is(w, arg))
			return w;
	}
	return NULL;
}

/* New names look at the mask when they are made, under dcache_lock too. */
void watch_names(struct inode *dir)
{
	spin_lock(&dcache_lock);
	list_for_each(d, &dir->dentries, struct dentry, alias)
	{
		list_for_each(c, &d->children, struct dentry, sibling) c->flags |=
			DENTRY_WATCHED;
	}
	spin_unlock(&dcache_lock);
}

/* ---- telling ---- */

/* Tells all watches of i that want to know; how many were content with that. */
static uint32_t tell(struct inode *i, const struct notify_event *e)
{
	uint32_t gone = 0;

	list_for_each_safe(w, &i->watches, struct watch, inode_link)
	{
		if (!(w->mask & e->mask & IN_ALL_EVENTS) || !w->ops->event(w, e))
			continue;
		watch_remove(w);
		w->ops->gone(w);
		gone++;
	}
	return gone;
}

static void put_many(struct inode *i, uint32_t n)
{
	while (n--)
		inode_put(i);
}

void notify_inode_watched(struct inode *i, const struct notify_event *e)
{
	if (!(i->watch_mask & e->mask & IN_ALL_EVENTS))
		return;
	mutex_lock(&notify_mutex);
	uint32_t gone = tell(i, e);
	mutex_unlock(&notify_mutex);
	put_many(i, gone);
}

/* A name as it is now, and the folder it is in. */
struct name_copy {
	struct inode *dir; /* referenced; NULL: nobody watches it */
	struct qname name;
	bool unlinked;
	char text[NAME_MAX_LEN];
};

static void name_copy(struct dentry *d, struct name_copy *ret)
{
	spin_lock(&dcache_lock);
	struct inode *dir = d->parent != d ? d->parent->inode : NULL;
	if (dir && dir->watch_mask && d->name.len <= sizeof ret->text) {
		ret->dir = inode_get(dir);
		memcpy(ret->text, d->name.s, d->name.len);
		ret->name = (struct qname){ ret->text, d->name.len, d->name.hash };
		ret->unlinked = d->flags & DENTRY_UNHASHED;
	} else {
		ret->dir = NULL;
		d->flags &= ~DENTRY_WATCHED;
	}
	spin_unlock(&dcache_lock);
}

/* The folder hears of it first. */
void notify_dentry_watched(struct dentry *d, struct inode *i, uint32_t event)
{
	struct notify_event e = { .mask = event | (S_ISDIR(i->mode) ? IN_ISDIR : 0) };
	struct name_copy copy;

	if (d->flags & DENTRY_WATCHED) {
		name_copy(d, &copy);
		if (copy.dir) {
			e.name = &copy.name;
			e.unlinked = copy.unlinked;
			notify_inode_watched(copy.dir, &e);
			inode_put(copy.dir);
			e.name = NULL;
		}
	}
	notify_inode_watched(i, &e);
}

void notify_changed(const struct path *p, const struct attr_change *a)
{
	uint32_t both = a->valid & (ATTR_ATIME | ATTR_MTIME), event = 0;

	if (a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		event |= IN_ATTRIB;
	if (a->valid & ATTR_SIZE)
		event |= IN_MODIFY;
	if (both == (ATTR_ATIME | ATTR_MTIME))
		event |= IN_ATTRIB;
	else if (both)
		event |= both & ATTR_ATIME ? IN_ACCESS : IN_MODIFY;
	if (event)
		notify_dentry(p->dentry, p->dentry->inode, event);
}

void notify_moved(struct inode *from, const struct qname *old, struct inode *to,
		  const struct qname *new, struct inode *i)
{
	struct notify_event e = {
		.mask = IN_MOVED_FROM | (S_ISDIR(i->mode) ? IN_ISDIR : 0),
		.name = old,
		.within = from == to,
	};

	if (from->watch_mask | to->watch_mask)
		e.cookie =
			__atomic_add_fetch((uint32_t *)&last_cookie, 1, __ATOMIC_RELAXED);
	notify_inode_watched(from, &e);
	e.mask ^= IN_MOVED_FROM | IN_MOVED_TO;
	e.name = new;
	notify_inode_watched(to, &e);
}

/* ---- the end of what is watched ---- */

/* Takes a watch away after a last event. */
static void take_away(struct watch *w, uint32_t event)
{
	watch_remove(w);
	if (event == IN_UNMOUNT || (w->mask & event))
		(void)w->ops->event(w, &(struct notify_event){ .mask = event });
	w->ops->gone(w);
}

void notify_deleted_watched(struct inode *i)
{
	uint32_t gone = 0;

	mutex_lock(&notify_mutex);
	list_for_each_safe(w, &i->watches, struct watch, inode_link)
	{
		take_away(w, IN_DELETE_SELF);
		gone++;
	}
	mutex_unlock(&notify_mutex);
	put_many(i, gone);
}

static struct watch *first_of(const struct super_block *sb)
{
	list_for_each(w, &all, struct watch, link)
	{
		if (w->inode->sb == sb)
			return w;
	}
	return NULL;
}

void notify_unmounted(struct super_block *sb)
{
	struct watch *w;

	mutex_lock(&notify_mutex);
	while ((w = first_of(sb))) {
		struct inode *i = w->inode;
		take_away(w, IN_UNMOUNT);
		mutex_unlock(&notify_mutex);
		inode_put(i);
		mutex_lock(&notify_mutex);
	}
	mutex_unlock(&notify_mutex);
}

/*
 * dnotify: see dnotify.h.
 *
 * Always true:
 *  D1  there is at most one asker for a file and a descriptor table;
 *  D2  an asker ends no later than the table's first close of its file, so the file it
 *      borrows outlives it.
 *
 * Lock: notify_mutex.
 */
#include "fs/dnotify.h"

#include <asm/siginfo.h>
#include <linux/fcntl.h>

#include "fs/files.h"
#include "fs/notify.h"

struct asker {
	struct watch watch;
	struct file *file;	   /* [I] borrowed: D2 */
	const struct files *owner; /* [I] only compared */
	int fd;			   /* [notify_mutex] */
	uint32_t what;		   /* [notify_mutex] DN_* */
};

static struct asker *asker_of(const struct watch *w)
{
	return container_of(w, struct asker, watch);
}

/* DN_RENAME is not here: it is a matter of both halves. */
static uint32_t events_of(uint32_t what)
{
	static const struct {
		uint32_t what, events;
	} rows[] = {
		{ DN_ACCESS, IN_ACCESS },
		{ DN_MODIFY, IN_MODIFY },
		{ DN_CREATE, IN_CREATE | IN_MOVED_TO },
		{ DN_DELETE, IN_DELETE | IN_MOVED_FROM },
		{ DN_ATTRIB, IN_ATTRIB },
	};
	uint32_t events = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (what & rows[i].what)
			events |= rows[i].events;
	}
	return events;
}

/* How many signals an event is worth: a rename is one as such, and one as a deletion. */
static uint32_t signals_for(const struct asker *a, const struct notify_event *e)
{
	bool renamed = (e->mask & IN_MOVED_FROM) && e->within;
	uint32_t n = (renamed && (a->what & DN_RENAME)) +
		     ((events_of(a->what) & e->mask) != 0);

	return a->what & DN_MULTISHOT ? n : MIN(n, 1u);
}

static bool on_event(struct watch *w, const struct notify_event *e)
{
	const struct asker *a = asker_of(w);
	const struct file_news news = file_news(a->fd, POLL_MSG);
	uint32_t n = signals_for(a, e);

	for (uint32_t i = 0; i < n; i++)
		file_signal_owner(a->file, &news);
	return n && !(a->what & DN_MULTISHOT);
}

static void on_gone(struct watch *w)
{
	heap_free(asker_of(w));
}

static const struct watch_ops ops = { .event = on_event, .gone = on_gone };

static bool is_alike(const struct watch *w, const void *arg)
{
	const struct asker *a = asker_of(w), *other = arg;

	return a->file == other->file && a->owner == other->owner;
}

static void ask(struct asker *a, int fd, uint32_t what)
{
	a->fd = fd;
	a->what |= what;
	a->watch.mask =
		events_of(a->what) | (a->what & DN_RENAME ? (uint32_t)IN_MOVED_FROM : 0);
}

/* Consumes fresh if it is the first that asks. */
static bool ask_locked(struct asker *fresh, struct inode *i, int fd, uint32_t what)
{
	struct watch *old = watch_find(i, &ops, is_alike, fresh);

	ask(old ? asker_of(old) : fresh, fd, what);
	if (old)
		watch_changed(old);
	else
		watch_add(&fresh->watch, i);
	return !old;
}

int dnotify_set(struct file *f, int fd, uint32_t what)
{
	const struct files *owner = thread_current()->files;

	if (!(what & ~DN_MULTISHOT)) {
		dnotify_drop(f, owner);
		return 0;
	}
	if (!S_ISDIR(f->inode->mode))
		return -ENOTDIR;
	struct asker *fresh = heap_zalloc(sizeof *fresh);
	if (!fresh)
		return -ENOMEM;
	fresh->watch.ops = &ops;
	fresh->file = f;
	fresh->owner = owner;
	mutex_lock(&notify_mutex);
	bool used = ask_locked(fresh, f->inode, fd, what);
	mutex_unlock(&notify_mutex);
	if (used)
		watch_names(f->inode);
	else
		heap_free(fresh);
	return 0;
}

void dnotify_drop(struct file *f, const struct files *owner)
{
	const struct asker like = { .file = f, .owner = owner };

	mutex_lock(&notify_mutex);
	struct watch *w = watch_find(f->inode, &ops, is_alike, &like);
	if (w)
		watch_remove(w);
	mutex_unlock(&notify_mutex);
	if (!w)
		return;
	on_gone(w);
	inode_put(f->inode);
}

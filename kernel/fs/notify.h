/*
 * Telling who watches a file or folder what happens to it: the part that all of the VFS
 * sees. Who watches: inotify.c, dnotify.c.
 *
 * Always true:
 *  O1  inode->watch_mask is the union of what its watches want to know; 0: there are
 *      none;
 *  O2  a dentry whose parent's inode has watches carries DENTRY_WATCHED (it may carry it
 *      longer). So where nobody watches, an event costs a test of these two fields;
 *  O3  a watch holds a reference on its inode.
 *
 * Lock: notify_mutex, over all watches. It is taken only where somebody watches.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include <linux/inotify.h>

#include "fs/vfs.h"

/* What happened: IN_* of <linux/inotify.h>, with IN_ISDIR. */
struct notify_event {
	uint32_t mask;
	uint32_t cookie; /* of both halves of a rename */
	const struct qname
		*name; /* in the watched folder; NULL: the watched thing itself */
	bool unlinked; /* the name is not there any more */
	bool within;   /* a rename that does not leave the folder */
};

struct watch;
struct watch_ops {
	/* An event of w->mask. True: it wanted no more than this one. */
	bool (*event)(struct watch *w, const struct notify_event *e);
	/* It is not watching any more, and not because its owner said so. May free it. */
	void (*gone)(struct watch *w);
};

struct watch {
	struct list link;	     /* [notify_mutex] all watches */
	struct list inode_link;	     /* [notify_mutex] on inode->watches' ring */
	struct inode *inode;	     /* [I] while linked: O3 */
	uint32_t mask;		     /* [notify_mutex] IN_* */
	const struct watch_ops *ops; /* [I] */
};

/* ---- for the VFS ---- */

void notify_dentry_watched(struct dentry *d, struct inode *i, uint32_t event);
/* Something happened to a thing by one of its names. */
static inline void notify_dentry(struct dentry *d, struct inode *i, uint32_t event)
{
	if (unlikely(i->watch_mask || (d->flags & DENTRY_WATCHED)))
		notify_dentry_watched(d, i, event);
}
static inline void notify_file(struct file *f, uint32_t event)
{
	notify_dentry(f->path.dentry, f->inode, event);
}
/* After a transfer of n bytes, or an error. */
static inline void notify_transfer(struct file *f, int64_t n, bool write)
{
	if (n > 0)
		notify_file(f, write ? IN_MODIFY : IN_ACCESS);
}

void notify_inode_watched(struct inode *i, const struct notify_event *e);
/* Something happened to a thing, whatever its names. */
static inline void notify_inode(struct inode *i, uint32_t event)
{
	if (unlikely(i->watch_mask))
		notify_inode_watched(i, &(struct notify_event){ .mask = event });
}
/* Something happened to a name in a folder; `i`: what it names or named. */
static inline void notify_name(struct inode *dir, const struct qname *name,
			       const struct inode *i, uint32_t event)
{
	if (unlikely(dir->watch_mask))
		notify_inode_watched(
			dir, &(struct notify_event){
				     .mask = event | (S_ISDIR(i->mode) ? IN_ISDIR : 0),
				     .name = name,
			     });
}

static inline void notify_created(struct inode *dir, const struct dentry *d)
{
	notify_name(dir, &d->name, d->inode, IN_CREATE);
}

void notify_deleted_watched(struct inode *i);
/* Nothing refers to a thing by name any more. */
static inline void notify_deleted(struct inode *i)
{
	if (unlikely(i->watch_mask && !i->nlink))
		notify_deleted_watched(i);
}

/* What a setattr has changed. */
void notify_changed(const struct path *p, const struct attr_change *a);
/* i, once from/old, is now to/new. */
struct qname;
void notify_moved(struct inode *from, const struct qname *old, struct inode *to,
		  const struct qname *new, struct inode *i);
/* Nobody can reach the file system any more. */
void notify_unmounted(struct super_block *sb);

/* ---- for who watches ---- */

extern struct mutex notify_mutex; /* RANK_NOTIFY */

/* notify_mutex held. Takes a reference on i; w->mask and ops are set. */
void watch_add(struct watch *w, struct inode *i);
/* After a change of w->mask. */
void watch_changed(struct watch *w);
/* The caller, who drops the reference on the inode after letting go of the mutex, goes on
 * owning w. */
void watch_remove(struct watch *w);
/* The watch of i that is like this; NULL: none. */
struct watch *watch_find(struct inode *i, const struct watch_ops *ops,
			 bool (*is)(const struct watch *w, const void *arg),
			 const void *arg);
/* Without the mutex: the names in a folder are watched from now on (O2). */
void watch_names(struct inode *dir);

#endif

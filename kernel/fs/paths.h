/*
 * References on names and places, and paths: from text to a place and back. Included by
 * fs/vfs.h.
 */
#ifndef FS_PATHS_H
#define FS_PATHS_H

#include "fs/vfs.h"

/* ---- references ---- */

static inline struct dentry *dentry_get(struct dentry *d)
{
	ref_get(&d->refs);
	return d;
}
void dentry_put_last(struct dentry *d);
static inline void dentry_put(struct dentry *d)
{
	if (!ref_put_not_last(&d->refs))
		dentry_put_last(d);
}
static inline void mount_get(struct mount *m)
{
	ref_get(&m->refs);
}
void mount_put_last(struct mount *m);
/* umount2(2)'s own: it has not used m. */
static inline void mount_put_unused(struct mount *m)
{
	if (!ref_put_not_last(&m->refs))
		mount_put_last(m);
}
static inline void mount_put(struct mount *m)
{
	if (unlikely(m->expiring))
		m->expiring = false;
	mount_put_unused(m);
}

/* ---- paths ---- */

#define WALK_FOLLOW 1u	  /* the last component too */
#define WALK_DIRECTORY 2u /* -ENOTDIR otherwise */
#define WALK_EMPTY 4u	  /* AT_EMPTY_PATH */
#define WALK_NO_MAGIC 8u  /* RESOLVE_NO_MAGICLINKS */
#define WALK_NO_SYMLINKS 16u
#define WALK_BENEATH 32u
#define WALK_IN_ROOT 64u
#define WALK_NO_XDEV 128u
#define WALK_REAL_IDS 256u /* access(2) */
#define WALK_CACHED 512u

/* A user's path string, copied in. name_put frees. 0, -EFAULT, -ENAMETOOLONG, -ENOENT
 * (empty without WALK_EMPTY), -ENOMEM. No more than two at a time. */
struct pathname {
	char *s; /* thread.named[], or a buffer of its own */
	size_t len;
};
must_use int name_get(uaddr_t path, uint32_t walk_flags, struct pathname *ret);
void name_put(struct pathname *n);
/* What name_get read there, if it is one of the thread's last two; of a long one only the
 * end. NULL: it is not. */
const char *name_recall(uaddr_t path);

/* dirfd as in openat. References; path_put both ends. */
must_use int path_at(int dirfd, const char *name, uint32_t flags, struct path *ret);
must_use int path_at_user(int dirfd, uaddr_t name, uint32_t flags, struct path *ret);
/* The parent directory of the last component and that component's dentry (maybe
 * negative), parent inode locked exclusively; path_unlock_parent undoes.
 * -EEXIST/-EINVAL/-EBUSY for "/", ".", "..", by `what`. */
struct parent_lookup {
	struct path parent;
	struct dentry *dentry;
	bool trailing_slash;
};
must_use int path_parent_lock(int dirfd, const char *name, uint32_t flags,
			      struct parent_lookup *ret);
void path_unlock_parent(struct parent_lookup *p);
static inline void path_get(const struct path *p)
{
	if (p->mnt)
		mount_get(p->mnt);
	if (p->dentry)
		dentry_get(p->dentry);
}
/* Zeroes it; fine on zeroed. */
static inline void path_put(struct path *p)
{
	struct path old = *p;

	if (!old.dentry)
		return;
	*p = (struct path){ 0 };
	dentry_put(old.dentry);
	if (old.mnt)
		mount_put(old.mnt);
}
/* Absolute text as seen from `root` (current's when NULL), at the end of buf. Pointer
 * into buf, ERR: NULL with -ENAMETOOLONG. " (deleted)" is appended; unreachable:
 * "(unreachable)". */
must_use char *path_text(const struct path *p, const struct path *root, char *buf,
			 size_t n);
/* The same from the root of all mounts, wherever the caller's own is. */
must_use char *path_text_global(const struct path *p, char *buf, size_t n);
/* Where it lies below the root of all mounts, and what of that name lies in it if `child`
 * is not NULL; a removed one lies where it did. The text ends at the end of buf. 0,
 * -ENAMETOOLONG, -ENOENT: nowhere; -ENXIO: it never had a name. */
must_use int path_place(const struct path *p, const struct qname *child, char *buf,
			size_t n, const char **ret);
must_use int path_permission(const struct path *p, uint32_t may); /* also RDONLY mounts */
must_use int inode_permission(struct inode *i, uint32_t may);

#endif

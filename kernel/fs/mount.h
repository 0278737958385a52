/* Super blocks and the mount tree, inside the VFS. */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include <linux/mount.h>

#include "core/panic.h"
#include "fs/dcache.h"

/* umount2(2)'s flags; the UAPI headers lack them. */
#define MNT_FORCE 1u
#define MNT_DETACH 2u
#define MNT_EXPIRE 4u
#define UMOUNT_NOFOLLOW 8u

/* What mount(2) flags a mount of its own keeps; the others are the super block's. */
#define MOUNT_FLAGS                                                                      \
	((uint32_t)(MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY | MS_NOATIME |          \
		    MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME | MS_NOSYMFOLLOW))

/* ---- fs/super.c ---- */

struct fs_type *fs_type_find(const char *name); /* NULL: not registered */

/* A mounted super block of the type, not yet in the tree; one reference. */
must_use int super_mount(const char *type, const char *source, const char *data,
			 uint32_t flags, struct super_block **ret);
/* The same for kernel-made types that are not registered. */
must_use int super_mount_type(const struct fs_type *t, const char *source,
			      const char *data, uint32_t flags, struct super_block **ret);
void super_put(struct super_block *sb);

/* ---- fs/mount_tree.c ---- */

extern struct mutex mounts_mutex;
extern struct mount *root_mount; /* [mount lock] */

/* Consumes sb; holds root. One reference. NULL: no memory (sb is put then). */
must_use struct mount *mount_new(struct super_block *sb, struct dentry *root,
				 uint32_t flags, const char *source);
/* The mount on (parent, point), or NULL; borrowed; mount lock held, for instance
 * dcache_lock. */
struct mount *mount_find_locked(const struct mount *parent, const struct dentry *point);
/* The topmost mount stacked on a path; the lock is held, references are not changed. */
static inline void mount_cross_locked(struct path *p)
{
	while (unlikely(p->dentry->flags & DENTRY_MOUNTPOINT)) {
		struct mount *m = mount_find_locked(p->mnt, p->dentry);
		if (!m)
			return;
		p->mnt = m;
		p->dentry = m->root;
	}
}
/* Puts m, unattached, on a path: consumes m's reference on success. -ENOENT: the place is
 * being removed; -ENOTDIR. mounts_mutex held. */
must_use int mount_attach(struct mount *m, const struct path *at);
/* Takes one mount out of the tree; its tree reference passes to the caller. */
void mount_detach(struct mount *m);
/* Next mount in the subtree below `top`, parents first; NULL: the last. */
struct mount *mount_next(struct mount *m, const struct mount *top);
bool mount_is_below(const struct mount *m, const struct mount *top);
/* How often the tree has changed, and where changes are announced (POLLERR | POLLPRI). */
uint64_t mount_changes(struct waitq **ret_wait);
void mount_tree_init(void);

/* Mounts without a place in the tree: memfd, an overlay's layers. */
must_use int mount_internal(const char *type, const char *source, const char *data,
			    uint32_t flags, struct mount **ret);

/* ---- fs/fs_ctx.c ---- */

/* Everybody whose root or working directory is `from` gets `to`. */
void fs_ctx_replace_all(const struct path *from, const struct path *to);
void fs_ctx_set_root(const struct path *p); /* current's; takes references */
void fs_ctx_set_cwd(const struct path *p);

static inline bool path_equal(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

/* ---- tmpfs/super.c ---- */

/* Makes sb a tmpfs, for file systems that are one with something more. `mode` of its
 * root; `data`: options, which come first. */
must_use int tmpfs_fill(struct super_block *sb, uint32_t mode, const char *data);

#endif

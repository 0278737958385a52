/*
 * overlay: a writable directory tree (upper) above a read-only one (lower). What is
 * changed is copied up first; a removed lower name is covered by a whiteout (a character
 * device 0:0) in upper, a directory that hides its lower namesake carries
 * trusted.overlay.opaque, and one that was moved says in trusted.overlay.redirect where
 * in lower its other half is.
 *
 * Always true:
 *  O1  lower never changes, so its pages and attributes may be used without asking;
 *  O2  an inode's `upper` is set once and stays; what has it, is read and written there;
 *  O3  a file that was copied up stays in memory while it has a name: both its upper name
 *      and its other lower names lead to that one inode (and one st_ino);
 *  O4  a thing without upper is not being renamed: a rename copies up first, under the
 *      mutex.
 *
 * Locks: overlay inodes (as the VFS takes them), then sb->change, then inodes of upper.
 * sb->change is held for every change of upper's names, and for copying up.
 */
#ifndef FS_OVERLAY_OVERLAY_H
#define FS_OVERLAY_OVERLAY_H

#include "fs/dcache.h"
#include "fs/flags.h"
#include "fs/inode.h"
#include "fs/mount.h"
#include "lib/rbtree.h"

#define OVERLAYFS_MAGIC 0x794c7630u
#define OVL_UPPER_INO BIT(48) /* added to numbers of things that only upper has */
#define OVL_OPAQUE "trusted.overlay.opaque"
/* What a copy keeps of its lower file's flags; the rest speaks of how that is stored. */
#define OVL_FLAGS_KEPT ((uint32_t)(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NOATIME_FL))
#define OVL_REDIRECT "trusted.overlay.redirect"

struct ovl_sb {
	struct path lower, upper; /* [I] roots; upper.mnt NULL: read-only */
	struct mutex change;	  /* RANK_OVERLAY */
	struct spinlock lock;
	struct rb_tree by_upper; /* [lock] struct ovl_inode: copied-up files (O3) */
	uint64_t next_temp;	 /* [change] */
};

struct ovl_inode {
	struct dentry *lower;		    /* [I] referenced; NULL: none */
	_Atomic(struct inode *) upper;	    /* [change] to set; referenced */
	_Atomic(struct dentry *) upper_dir; /* directories: upper's dentry, referenced */
	struct inode *inode;		    /* [I] the overlay's own */
	struct rb_node by_upper;	    /* [sb->lock] while pinned */
	bool pinned;			    /* [sb->lock] by_upper holds a reference */
};

static inline struct ovl_inode *ovl_of(const struct inode *i)
{
	return i->priv;
}

static inline struct ovl_sb *ovl_sb_of(const struct super_block *sb)
{
	return sb->priv;
}

/* The inode that has the content and attributes; borrowed. */
static inline struct inode *ovl_real(const struct inode *i)
{
	struct ovl_inode *o = ovl_of(i);
	struct inode *u = o->upper;
	return u ? u : o->lower->inode;
}

static inline bool ovl_is_whiteout(const struct inode *i)
{
	return S_ISCHR(i->mode) && i->rdev == 0;
}

/* ---- inode.c ---- */
/* The overlay's inode for a pair of layers' objects (borrowed; either may be NULL). */
must_use int ovl_inode_get(struct super_block *sb, struct dentry *upper,
			   struct dentry *lower, struct inode **ret);
/* The same for an upper inode without a name. */
must_use int ovl_inode_get_nameless(struct super_block *sb, struct inode *upper,
				    struct inode **ret);
/* Mode, owner, size and times as the real inode has them now. */
void ovl_sync(struct inode *i);
void ovl_pin(struct inode *i);	 /* i has just got its upper (O3) */
void ovl_unpin(struct inode *i); /* it has lost its last name */
/* st_ino of an upper file, by upper's number. */
uint64_t ovl_upper_ino(struct ovl_sb *s, uint64_t ino);
void ovl_evict(struct inode *i);

/* ---- lookup.c ---- */
/* A name in a layer's directory. 0 with *ret positive and referenced, or NULL: absent. */
must_use int ovl_find(struct dentry *dir, const struct qname *name, struct dentry **ret);
/* The same by a path from the layer's root. */
must_use int ovl_find_path(struct dentry *root, const char *path, struct dentry **ret);
/* True: the merged directory's lower half has the name. 1, 0 or -errno. */
must_use int ovl_lower_has(const struct inode *dir, const struct qname *name);
/* Text of a mark on an upper inode; length, 0: not there. */
size_t ovl_mark_get(struct inode *upper, const char *mark, char *buf, size_t n);
must_use int ovl_mark_set(struct inode *upper, const char *mark, const char *text);
must_use int ovl_lookup(struct inode *dir, struct dentry *d);
struct qname ovl_name(const struct dentry *dir, const struct qname *name);

/* ---- copyup.c ---- */
/* Gives i (and all directories above it) an upper. `data`: with its content. Takes
 * sb->change, the _locked form wants it held. 0 or -errno; -EROFS. */
must_use int ovl_copy_up(struct inode *i, bool data);
must_use int ovl_copy_up_locked(struct inode *i, bool data);

/* ---- dir.c ---- */
extern const struct inode_ops ovl_dir_ops;
/* A whiteout in place of a name: the upper directory is locked, *ud is the name's dentry
 * there, and is exchanged for the whiteout's. A directory in its place must be empty. */
must_use int ovl_cover(struct ovl_sb *s, struct dentry *udir, struct dentry *ud);
/* True when a merged directory shows no entries; takes the whiteouts of its upper half
 * out when `clear`. 1, 0 or -errno. sb->change held. */
must_use int ovl_dir_empty(struct inode *dir, bool clear);

/* ---- rename.c ---- */
must_use int ovl_rename(struct inode *od, struct dentry *o, struct inode *nd,
			struct dentry *n, uint32_t flags);

/* ---- the others ---- */
extern const struct file_ops ovl_file_fops, ovl_dir_fops;
extern const struct inode_ops ovl_file_ops, ovl_symlink_ops;
int ovl_setattr(struct inode *i, const struct attr_change *a);
int ovl_getattr(struct inode *i, struct kstat *ret);
int64_t ovl_getxattr(struct inode *i, const char *name, void *buf, size_t n);
int ovl_setxattr(struct inode *i, const char *name, const void *v, size_t n, int flags);
int64_t ovl_listxattr(struct inode *i, char *buf, size_t n);
int ovl_removexattr(struct inode *i, const char *name);
int ovl_setflags(struct inode *i, uint32_t flags);
int ovl_set_acl(struct inode *i, const struct acl_change *c);
#define OVL_ATTR_OPS                                                                     \
	.setattr = ovl_setattr, .getattr = ovl_getattr, .getxattr = ovl_getxattr,        \
	.setxattr = ovl_setxattr, .listxattr = ovl_listxattr,                            \
	.removexattr = ovl_removexattr, .setflags = ovl_setflags

void overlay_init(void);

#endif

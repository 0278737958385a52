/*
 * tmpfs: files that live in the page cache and nowhere else.
 *
 * Always true:
 *  M1  a directory's tree holds one reference on the inode of each of its entries; an
 *      inode's nlink counts them (directories: 2 + subdirectories);
 *  M2  an entry's key is its readdir cookie: it stays while the entry does, whatever else
 *      is made or removed around it;
 *  M3  used_pages counts every page of every file, and never passes max_pages.
 *
 * Locks: the directory's inode lock over its tree; the inode's own over xattrs and seals;
 * sb->lock (a spinlock) over the queue of dying directories and the inodes with handles.
 */
#ifndef FS_TMPFS_TMPFS_H
#define FS_TMPFS_TMPFS_H

#include "core/panic.h"
#include "fs/flags.h"
#include "lib/rbtree.h"

#define TMPFS_MAGIC 0x01021994u

struct tmpfs_sb {
	struct spinlock lock;
	struct list dying; /* [lock] struct tmpfs_inode: directories with entries left */
	bool draining;	   /* [lock] */
	struct rb_tree handled; /* [lock] handle.c: inodes by number */
	uint64_t handle_key;	/* [I] random */
	_Atomic uint64_t used_pages, used_inodes;
	uint64_t max_pages, max_inodes;
	uint32_t mode;
	uid_t uid;
	gid_t gid;
};

struct tmpfs_entry {
	struct rb_node node;
	uint64_t key;	     /* hash of the name << SEQ_BITS | number among equals */
	struct inode *inode; /* owned reference */
	uint32_t len;
	char name[];
};

struct tmpfs_inode {
	struct rb_tree entries; /* directories: struct tmpfs_entry by key */
	struct list xattrs;	/* struct tmpfs_xattr */
	size_t xattr_bytes;	/* of these and of access control lists */
	char *target;		/* symbolic links; owned */
	uint32_t seals;		/* memfd: F_SEAL_* */
	bool handled;		/* it is in tmpfs_sb.handled */
	struct list dying;	/* on tmpfs_sb.dying */
};

static inline struct tmpfs_inode *tmpfs_of(const struct inode *i)
{
	return i->priv;
}

static inline struct tmpfs_sb *tmpfs_sb_of(const struct super_block *sb)
{
	return sb->priv;
}

/* ---- inode.c ---- */
#define TMPFS_ENTRY_SIZE 20 /* what an entry adds to a directory's st_size */

/* Names beyond a file's first take memory too: each counts as an inode. False: there are
 * too many. */
must_use bool tmpfs_inode_count(struct super_block *sb);
void tmpfs_inode_uncount(struct super_block *sb);
must_use int tmpfs_inode_new(struct super_block *sb, const struct inode *dir,
			     uint32_t mode, dev_id_t rdev, struct inode **ret);
void tmpfs_evict(struct inode *i);
/* FS_*_FL that can be set; a new inode has some of its folder's. */
#define TMPFS_FLAGS                                                                      \
	((uint32_t)(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL))
#define TMPFS_FLAGS_INHERITED ((uint32_t)(FS_NODUMP_FL | FS_NOATIME_FL))
must_use int tmpfs_setattr(struct inode *i, const struct attr_change *a);
must_use int tmpfs_setflags(struct inode *i, uint32_t flags);

/* ---- tree.c: entries of a directory; its lock held ---- */
struct tmpfs_entry *tmpfs_find(const struct inode *dir, const struct qname *name);
/* Memory for an entry of this name, with its key; not in the tree. -ENOMEM, -ENOSPC. */
must_use int tmpfs_entry_new(const struct inode *dir, const struct qname *name,
			     struct tmpfs_entry **ret);
/* Consumes the reference on i. Cannot fail. */
void tmpfs_entry_add(struct inode *dir, struct tmpfs_entry *e, struct inode *i);
/* Takes it out and frees it; the inode's reference passes to the caller. */
struct inode *tmpfs_entry_remove(struct inode *dir, struct tmpfs_entry *e);
struct tmpfs_entry *tmpfs_entry_from(const struct inode *dir, uint64_t key);

/* ---- handle.c ---- */
/* i has lost its last name; its lock is held. */
void tmpfs_handle_drop(struct inode *i);
void tmpfs_handles_free(struct tmpfs_sb *s);

/* ---- ops tables ---- */
extern const struct handle_ops tmpfs_handle_ops;
extern const struct inode_ops tmpfs_dir_ops, tmpfs_file_inode_ops, tmpfs_link_ops;
extern const struct file_ops tmpfs_dir_fops, tmpfs_file_fops;

/* ---- xattr.c ---- */
int64_t tmpfs_getxattr(struct inode *i, const char *name, void *buf, size_t n);
int tmpfs_setxattr(struct inode *i, const char *name, const void *v, size_t n, int flags);
int64_t tmpfs_listxattr(struct inode *i, char *buf, size_t n);
int tmpfs_removexattr(struct inode *i, const char *name);
int tmpfs_set_acl(struct inode *i, const struct acl_change *c);
void tmpfs_xattrs_free(struct tmpfs_inode *t);
#define TMPFS_XATTR_OPS                                                                  \
	.getxattr = tmpfs_getxattr, .setxattr = tmpfs_setxattr,                          \
	.listxattr = tmpfs_listxattr, .removexattr = tmpfs_removexattr

/* ---- memfd.c: memfd_create(2) and its seals ---- */
must_use int memfd_new(const char *name, uint32_t flags /* MFD_* */, struct file **ret);
/* F_GET_SEALS; -EINVAL: not a memfd. */
must_use int memfd_seals_get(const struct file *f);
must_use int memfd_seals_add(struct file *f, uint32_t seals);
void memfd_init(void);

void tmpfs_init(void);
/* From now on only memory bounds it. */
void tmpfs_unlimit(struct super_block *sb);

#endif

/*
 * The virtual file system: inodes, dentries, mounts, open files.
 *
 * Always true:
 *  F1  a dentry holds a reference on its parent and (positive) on its inode;
 *  F2  a directory's children change only under its inode's lock (RANK_INODE);
 *  F3  a path walk holds references, never locks, between components, except a parent's
 *      lock while it asks the file system to look a name up;
 *  F4  file->ops, ->inode, ->path never change after open;
 *  F5  permission is decided from the inode that is then used, by sec_may_access.
 *
 * Locks, outermost first: the mounts' mutex, sb->rename_lock, inode->lock parent before
 * child (two directories: by address unless one is the other's ancestor), dcache lock.
 * "Mount lock" below means: changed under both the mounts' mutex and the dcache lock,
 * read under either.
 */
#ifndef FS_VFS_H
#define FS_VFS_H

#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time.h>

#include "core/async.h"
#include "core/wait.h"
#include "lib/list.h"
#include "mm/mapping.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "sec/cred.h"

#define NAME_MAX_LEN 255
#define PATH_MAX_LEN 4096
#define SYMLINK_DEPTH_MAX 40

typedef uint32_t dev_id_t; /* Linux's 32-bit form: major 12 bits << 8, minor split */
#define DEV_ID(maj, min)                                                                 \
	((((maj)&0xfffu) << 8) | ((min)&0xffu) | (((min)&0xfff00u) << 12))
#define DEV_MAJOR(d) (((d) >> 8) & 0xfffu)
#define DEV_MINOR(d) (((d)&0xffu) | (((d) >> 12) & 0xfff00u))

struct inode;
struct dentry;
struct file;
struct super_block;
struct mount;
struct poll_table;
struct handle_ops;
struct dir_ctx;
struct policy_layer;
struct policy_place;
struct statfs;

struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

/* A name within one directory. */
struct qname {
	const char *s; /* not NUL-terminated */
	uint32_t len, hash;
};

struct file_times {
	int64_t atime, mtime, ctime, btime; /* ns since 1970 */
};

/* Which attributes a setattr changes. */
struct attr_change {
	uint32_t valid; /* ATTR_* */
	uint32_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size;
	int64_t atime, mtime;
};
#define ATTR_MODE 1u
#define ATTR_UID 2u
#define ATTR_GID 4u
#define ATTR_SIZE 8u
#define ATTR_ATIME 16u
#define ATTR_MTIME 32u
#define ATTR_NOW 64u   /* the times are the present: write permission is enough */
#define ATTR_KILL 128u /* chown(2): setuid and setgid bits of files go */

struct acl;
struct acl_change;

struct kstat {
	dev_id_t dev, rdev;
	uint64_t ino, size, blocks; /* blocks of 512 bytes */
	uint32_t mode, nlink, blksize;
	uid_t uid;
	gid_t gid;
	struct file_times t;
	/* STATX_ATTR_*, and which of them the file system could say */
	uint32_t attributes, attributes_mask;
};

/* All called with dir->lock held exclusively unless said; names are valid (no '/', not
 * empty). A new inode is attached with dentry_instantiate. Absent operation: -EPERM (or
 * -ENOTDIR for lookup). The VFS has checked permissions, types, sticky bits, mount points
 *  and existence. */
struct inode_ops {
	/* Finds d->name in dir: attaches the inode, or leaves d negative. 0 or -errno. */
	int (*lookup)(struct inode *dir, struct dentry *d);
	int (*create)(struct inode *dir, struct dentry *d, uint32_t mode);
	int (*mkdir)(struct inode *dir, struct dentry *d, uint32_t mode);
	int (*mknod)(struct inode *dir, struct dentry *d, uint32_t mode, dev_id_t rdev);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target);
	int (*link)(struct inode *dir, struct dentry *d, struct inode *target);
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*rmdir)(struct inode *dir, struct dentry *d);
	/* flags: RENAME_NOREPLACE (checked by VFS), RENAME_EXCHANGE, RENAME_WHITEOUT.
	 * `nd` may be positive (replaced). The VFS moves the dentries after success. */
	int (*rename)(struct inode *od, struct dentry *o, struct inode *nd_dir,
		      struct dentry *nd, uint32_t flags);
	/* O_TMPFILE: an inode with no name. */
	int (*tmpfile)(struct inode *dir, uint32_t mode, struct inode **ret);

	/* Link text into buf; its length or -errno. No lock. */
	int64_t (*readlink)(struct inode *i, char *buf, size_t n);
	/* Magic links (/proc/pid/exe, fd/N): the target itself, referenced. No lock. */
	int (*follow)(struct inode *i, struct path *ret);
	/* i->lock held. The default (inode_setattr_simple) changes the fields. */
	int (*setattr)(struct inode *i, const struct attr_change *a);
	/* absent: inode_getattr_simple */
	int (*getattr)(struct inode *i, struct kstat *ret);
	/* Instead of mode bits. No lock. */
	int (*permission)(struct inode *i, uint32_t may);
	/* Extended attributes; i->lock held for set/remove. Lengths, -ENODATA,
	 * -ERANGE. */
	int64_t (*getxattr)(struct inode *i, const char *name, void *buf, size_t n);
	int (*setxattr)(struct inode *i, const char *name, const void *v, size_t n,
			int flags);
	int64_t (*listxattr)(struct inode *i, char *buf, size_t n);
	int (*removexattr)(struct inode *i, const char *name);
	/* FS_*_FL as a whole (fs/flags.h); rights were checked. -EOPNOTSUPP: not all can
	 * be had. i->lock held. */
	int (*setflags)(struct inode *i, uint32_t flags);
	/* Access control lists; i->lock held, or nobody else knows i. The VFS has
	 * checked everything. */
	int (*set_acl)(struct inode *i, const struct acl_change *c);
};

struct inode {
	struct ref refs;
	/* RANK_INODE: content of directories, size, attributes */
	struct mutex lock;
	const struct inode_ops *ops; /* [I] */
	const struct file_ops *fops; /* [I] for open files of this inode */
	struct super_block *sb;	     /* [I] */
	uint64_t ino;		     /* [I] */
	uint32_t mode;		     /* [lock] to change; readers take it as it is */
	uint32_t nlink;		     /* [lock] */
	uid_t uid;		     /* [lock] */
	gid_t gid;		     /* [lock] */
	dev_id_t rdev;		     /* [I] */
	_Atomic(struct acl *) acl;   /* [lock, acl_lock] what the mode cannot say */
	_Atomic uint64_t size;	     /* [lock] to change */
	uint64_t blocks;	     /* [lock] */
	_Atomic uint64_t write_hint; /* F_SET_RW_HINT */
	struct file_times t;	     /* [lock], torn reads are harmless */
	struct mapping mapping;	     /* regular files */
	/* open for writing; negative: denied (being executed) */
	_Atomic int32_t writers;
	_Atomic uint32_t readers;	 /* open for reading only */
	struct list hash_link;		 /* [icache lock] empty: not in the inode cache */
	_Atomic uint32_t state;		 /* INODE_* */
	_Atomic uint32_t flags;		 /* [lock] to change: FS_*_FL, fs/flags.h */
	struct list dentries;		 /* [dcache lock] aliases */
	struct list watches;		 /* [notify_mutex] fs/notify.h */
	_Atomic uint32_t watch_mask;	 /* [notify_mutex] events they want; O1 */
	_Atomic(struct holders *) locks; /* flock, POSIX and OFD locks; fs/locks.c */
	_Atomic(struct holders *) leases;  /* fs/lease.c */
	_Atomic(struct acl *) default_acl; /* [lock, acl_lock] of folders */
	void *priv;			   /* the file system's */
	_Atomic(void *) rdev_state;	   /* fifo: its pipe; unix socket: its endpoint */
};

#define INODE_NEW 1u /* being filled by inode_get_cached's caller: others wait for it */
#define INODE_LINKABLE 2u /* made by O_TMPFILE: link(2) may give it its first name */
#define INODE_NO_CAPS 4u  /* no security.capability: [lock] to change; fs/file_caps.h */

#define DENTRY_INLINE_NAME 40
struct dentry {
	struct ref refs;
	_Atomic uint32_t flags; /* DENTRY_* */
	struct inode *inode;	/* [parent's inode lock]; NULL: negative */
	struct dentry *parent;	/* [dcache lock] root: itself */
	struct qname name;	/* [dcache lock] changed by rename only */
	struct super_block *sb; /* [I] */
	struct list hash_link;	/* [dcache lock] */
	struct list children;	/* [dcache lock] */
	struct list sibling;	/* [dcache lock] */
	struct list alias;	/* [dcache lock] on inode->dentries */
	struct list lru;	/* [dcache lock] unused, refs 0 */
	void *priv;		/* file system's (overlay: lower and upper) */
	char inline_name[DENTRY_INLINE_NAME];
};
#define DENTRY_MOUNTPOINT 1u
#define DENTRY_UNHASHED 2u  /* removed from its directory */
#define DENTRY_NOCACHE 4u   /* drop at last put (procfs: revalidated by not being kept) */
#define DENTRY_LRU 8u	    /* on the LRU list */
#define DENTRY_USED 16u	    /* used since the shrinker last saw it */
#define DENTRY_ANON 32u	    /* of a nameless inode: path text is the name itself */
#define DENTRY_NUMBERED 64u /* and then ":[inode number]" */
#define DENTRY_WATCHED 128u /* its folder may have watches: fs/notify.h, O2 */

struct super_ops {
	/* last reference gone: free priv, blocks if nlink 0 */
	void (*evict)(struct inode *i);
	int (*statfs)(struct super_block *sb, struct statfs *ret);
	void (*put_super)(struct super_block *sb);
	/* True: a cached dentry is still right; NULL: always. May sleep. */
	bool (*revalidate)(struct dentry *d);
	/* ",key=value" text for /proc/mounts; its length. */
	size_t (*show_options)(struct super_block *sb, char *buf, size_t n);
	/* absent: data is ignored */
	int (*remount)(struct super_block *sb, const char *data);
	const struct handle_ops *handles; /* fs/handle.h; NULL: it gives none */
};

struct super_block {
	struct ref refs;
	const struct super_ops *ops; /* [I] */
	const struct fs_type *type;  /* [I] */
	dev_id_t dev;		     /* [I] */
	uint32_t flags;		     /* SB_* */
	uint32_t block_size;
	/* [I] FS_*_FL that its files and folders can have; 0: not even asked about */
	uint32_t file_flags;
	uint64_t max_bytes;
	struct mutex rename_lock; /* RANK_SB_RENAME */
	struct dentry *root;
	_Atomic uint64_t next_ino;
	char source[64]; /* what /proc/mounts shows */
	void *priv;
};
#define SB_RDONLY 1u
#define SB_DYING 2u    /* being torn down: nothing unused is kept */
#define SB_POSIXACL 4u /* its inodes may have access control lists */

struct fs_type {
	struct list link;
	const char *name;
	bool needs_device;
	uint32_t magic; /* statfs f_type */
	/* Every mount shows this one; NULL: each has its own. Set before it is
	 * registered. */
	struct super_block *sole;
	/* Fills sb (ops, root, priv). `data` is the option text or NULL. */
	int (*mount)(struct super_block *sb, const char *source, const char *data);
};
void fs_type_register(struct fs_type *t);
/* Calls fn for each registered type, for /proc/filesystems. */
void fs_type_for_each(void (*fn)(const struct fs_type *t, void *arg), void *arg);

struct mount {
	struct ref refs;
	struct super_block *sb; /* [I] */
	struct dentry *root;	/* [I] */
	struct mount *parent;	/* [mount lock] NULL: the root mount */
	struct dentry *point;	/* [mount lock] */
	struct list children;	/* [mount lock] */
	struct list sibling;	/* [mount lock] */
	struct list hash_link;	/* [mount lock] by (parent, point) */
	struct list link;	/* [mount lock] all attached ones, in mount order */
	/* [mounts' mutex] a recursive bind's, while it is made */
	struct mount *copy;
	/* MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_RDONLY, MS_NOATIME */
	_Atomic uint32_t flags;
	_Atomic uint32_t writers; /* files open for writing: no remount to read-only */
	_Atomic bool expiring;	  /* MNT_EXPIRE met it, and nobody has used it since */
	bool internal;		  /* [I] the kernel's own: never in the tree */
	uint32_t id;		  /* [I] */
	char source[64];	  /* [I] */
};

/* read and write advance *pos. No lock is held on entry (file_read holds the position's).
 * Byte counts or -errno; -ERESTARTSYS when interrupted. */
struct file_ops {
	int (*open)(struct inode *i, struct file *f); /* may set f->ops, f->priv */
	void (*release)(struct file *f);	      /* last reference */
	/* Each close(2) of a descriptor, by that process (record locks, tty). */
	int (*flush)(struct file *f);
	int64_t (*read)(struct file *f, struct uio *u, uint64_t *pos);
	int64_t (*write)(struct file *f, struct uio *u, uint64_t *pos);
	/* POLL* events that are ready; registers on wait queues through pt unless
	 * NULL. */
	uint32_t (*poll)(struct file *f, struct poll_table *pt);
	int64_t (*ioctl)(struct file *f, uint32_t cmd, uaddr_t arg);
	/* Directory entries from f->pos on, through dir_emit, until it returns false. */
	int (*iterate)(struct file *f, struct dir_ctx *c);
	/* Completes a map request for [pgoff, len): sets mapping/ops/owner. Absent: the
	 * inode's page cache for regular files, -ENODEV for others. */
	int (*mmap)(struct file *f, struct map_request *r);
	int64_t (*llseek)(struct file *f, int64_t off, int whence); /* absent: generic */
	int (*fsync)(struct file *f);
	int64_t (*fallocate)(struct file *f, int mode, uint64_t off, uint64_t len);
	/* O_ASYNC: who asked for signals about what the file is. Absent: none are sent.
	 * `on`: somebody is about to ask. */
	struct async_set *(*async)(struct file *f, bool on);
	/* "key:\tvalue\n" lines for /proc/pid/fdinfo. */
	size_t (*show_fdinfo)(struct file *f, char *buf, size_t n);
	bool stream; /* no position: pread and lseek give ESPIPE */
	/* RWF_NOWAIT is possible: an operation that would wait says -EAGAIN if
	 * file_nonblock says so. */
	bool nowait_read, nowait_write;
};

/* Whom input and output are announced to (fcntl(2), O_ASYNC). */
struct file_owner {
	int32_t pid;	 /* 0: nobody */
	int32_t type;	 /* F_OWNER_*: what the number is one of */
	int32_t sig;	 /* 0: SIGIO */
	uid_t uid, euid; /* of who said so: whom they may send signals to */
};
/* What a signal that F_SETSIG chose tells. */
struct file_news {
	int32_t fd;   /* si_fd */
	int32_t code; /* POLL_* of <asm/siginfo.h> */
	int64_t band; /* POLL* of <asm/poll.h> */
};

struct file {
	struct ref refs;
	const struct file_ops *ops; /* [I] */
	struct path path;	    /* [I] dentry may be of an anonymous inode */
	struct inode *inode;	    /* [I] */
	_Atomic uint32_t flags;	    /* O_* as F_GETFL shows them, O_PATH too */
	uint32_t mode;		    /* FMODE_* */
	struct mutex pos_lock;	    /* RANK_FILE_POS */
	_Atomic uint64_t pos;	    /* [pos_lock] */
	struct cred *cred;	    /* [I] opener's */
	void *priv;		    /* [I after open] */
	struct list epoll_links;    /* [epoll's own lock] */
	uint64_t ra_next, ra_size;  /* readahead state; racy, harmless */
	struct file_owner owner;    /* [owner_lock] F_SETOWN, F_SETSIG */
	struct async_entry async;   /* on while O_ASYNC was set by fcntl(2) */
};
#define FMODE_READ 1u
#define FMODE_WRITE 2u
#define FMODE_EXEC 4u
#define FMODE_PATH 8u
#define FMODE_WRITER 16u /* counted in inode->writers */
#define FMODE_READER 32u /* counted in inode->readers */

struct dir_ctx {
	bool (*emit)(struct dir_ctx *c, const char *name, size_t len, uint64_t next_pos,
		     uint64_t ino, uint8_t type /* DT_* */);
};

/* ---- for file systems ---- */

/* NULL: no memory */
must_use struct inode *inode_new(struct super_block *sb, uint64_t ino);
/* From the inode cache of sb, or new with *ret_new set and hashed; reference. Others that
 * ask for a new one wait until dentry_instantiate, dentry_new_root, inode_ready, or the
 * inode_put that gives it up. */
void inode_ready(struct inode *i);
must_use struct inode *inode_get_cached(struct super_block *sb, uint64_t ino,
					bool *ret_new);
static inline struct inode *inode_get(struct inode *i)
{
	ref_get(&i->refs);
	return i;
}
void inode_put(struct inode *i);
void inode_init_owner(struct inode *i, const struct inode *dir, uint32_t mode);
int64_t time_now_file(void); /* ns since 1970, for timestamps */
/* consumes i; NULL: negative */
void dentry_instantiate(struct dentry *d, struct inode *i);
/* consumes i, also on failure */
must_use struct dentry *dentry_new_root(struct inode *i);
/* A child by name: cached or asked of the file system. dir's lock is taken. 0 or
 * -errno. */
must_use int dentry_lookup(struct dentry *dir, struct qname name, struct dentry **ret);
uint32_t name_hash(const struct dentry *parent, const char *s, size_t len);
must_use int inode_setattr_simple(struct inode *i, const struct attr_change *a);
/* What statx(2) tells of FS_*_FL: these have the same numbers there. */
#define FLAGS_OF_STATX                                                                   \
	(STATX_ATTR_COMPRESSED | STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND |              \
	 STATX_ATTR_NODUMP | STATX_ATTR_ENCRYPTED | STATX_ATTR_VERITY)
/* Field by field: clearing the struct first would cost as much again. Pages of a
 * memory file system count as blocks. */
static inline void inode_getattr_simple(struct inode *i, struct kstat *ret)
{
	ret->dev = i->sb->dev;
	ret->rdev = i->rdev;
	ret->ino = i->ino;
	ret->size = i->size;
	ret->blocks = i->blocks;
	if (!i->mapping.reclaimable)
		ret->blocks += i->mapping.n_pages * (PAGE_SIZE / 512);
	ret->mode = i->mode;
	ret->nlink = i->nlink;
	ret->blksize = i->sb->block_size;
	ret->uid = i->uid;
	ret->gid = i->gid;
	ret->t = i->t;
	ret->attributes = i->flags & i->sb->file_flags & FLAGS_OF_STATX;
	ret->attributes_mask = i->sb->file_flags & FLAGS_OF_STATX;
}
must_use int vfs_getattr(const struct path *p, struct kstat *ret);
bool dir_emit_dots(struct file *f, struct dir_ctx *c);
/* Finds the driver of a char/block/fifo/socket inode. inode->fops for special files. */
extern const struct file_ops special_file_ops;
extern const struct file_ops fifo_file_ops;
/* Symbolic links whose text is the NUL-terminated string at i->priv. */
extern const struct inode_ops symlink_only_ops;

/* A map request of mmap(2) for a file: EACCES and EPERM by open mode and mount,
 * AREA_MAY_*, then ops->mmap or generic_mmap. */
must_use int file_mmap(struct file *f, struct map_request *r);
/* Generic ops for page-cached regular files. */
must_use int64_t generic_read(struct file *f, struct uio *u, uint64_t *pos);
must_use int64_t generic_write(struct file *f, struct uio *u, uint64_t *pos);
must_use int generic_mmap(struct file *f, struct map_request *r);
extern const struct area_ops file_area_ops; /* owner: struct file */
int64_t generic_llseek(struct file *f, int64_t off, int whence);
/* Stays where it is, whatever is asked: eventfd and its like. */
int64_t noop_llseek(struct file *f, int64_t off, int whence);
int64_t dir_llseek(struct file *f, int64_t off, int whence); /* SEEK_SET, SEEK_CUR */

/* ---- character devices: kernel/fs/chrdev.c ---- */

/* Minor range [minor, minor+n) of a major. fops->open finds its device by inode->rdev. */
must_use int chrdev_register(uint32_t major, uint32_t minor, uint32_t n, const char *name,
			     const struct file_ops *ops);
/* Opens the driver of i->rdev: sets f->ops and calls its open. -ENXIO: no such device. */
must_use int chrdev_open(struct inode *i, struct file *f);

/* ---- mounts ---- */

must_use int mount_fs(const char *type, const char *source, const char *data,
		      const struct path *at, uint32_t flags);
/* The first mount; boot_root's is "overlay", "overlay",
 * "lowerfs=ext4,lowerdev=/dev/vda". */
must_use int mount_root(const char *type, const char *source, const char *data);
must_use int mount_bind(const struct path *from, const struct path *at, bool recursive,
			uint32_t flags);
must_use int mount_remount(const struct path *at, uint32_t flags, const char *data);
must_use int mount_move(const struct path *from, const struct path *at);
must_use int mount_umount(const struct path *at, uint32_t flags); /* MNT_DETACH */
must_use int mount_pivot(const struct path *new_root, const struct path *put_old);
/* Calls fn for each mount below that root, in mount order. */
void mount_for_each(const struct path *root, void (*fn)(struct mount *m, void *arg),
		    void *arg);

/* ---- poll ---- */

/* poll(2), select(2) and epoll(7) hand one of these to file_ops.poll, which calls
 * poll_add for every wait queue that can change the answer, then returns what is ready
 * now. */
struct poll_table {
	int (*add)(struct poll_table *pt, struct file *f, struct waitq *q);
	uint32_t wanted; /* events of interest */
};
static inline void poll_add(struct poll_table *pt, struct file *f, struct waitq *q)
{
	if (pt && pt->add)
		(void)pt->add(pt, f, q);
}
/* The same for a queue that only announces `events`: not watched when they are not
 * wanted. */
static inline void poll_add_for(struct poll_table *pt, struct file *f, struct waitq *q,
				uint32_t events)
{
	if (pt && pt->add && (pt->wanted & events))
		(void)pt->add(pt, f, q);
}
void epoll_file_release(struct file *f); /* takes a dying file out of all epoll sets */

/* ---- what fs needs of the layers above; they register it ---- */

struct fs_upcalls {
	uint64_t (*rlimit)(int which);	 /* current's soft limit */
	void (*signal_current)(int sig); /* SIGXFSZ, SIGPIPE */
	/* F_SETOWN; sends nothing to whom the owner's setter may not. news NULL: there
	 * are none, the signal says it all */
	void (*signal_owner)(const struct file_owner *o, const struct file_news *news);
	int32_t (*current_tgid)(void);
	int32_t (*current_tid)(void);
	/* A call changed a mount or the root directory; their lock is held. */
	void (*tree_changed)(void);
	/* fs/confine.h: what becomes of what it asks about */
	bool (*confined)(const struct policy_layer *by, const struct policy_place *at,
			 uint32_t want);
};
extern struct fs_upcalls fs_upcalls;

void vfs_init(void);

#include "fs/paths.h"
/* after paths.h */
#include "fs/files.h"

#endif

/* Between the files of procfs. */
#ifndef FS_PROCFS_PROCFS_INTERNAL_H
#define FS_PROCFS_PROCFS_INTERNAL_H

#include "fs/procfs/procfs.h"

/* ---- the registered tree: tree.c ---- */

/* Always there once registered; only `children` of a folder grows, and `fillers` shrinks,
 * under proc_tree_lock. */
struct proc_node {
	const char *name;
	size_t name_len;
	/* chmod and chown change them; each is read and written at once */
	_Atomic uint32_t mode, uid, gid;
	uint64_t ino;
	struct list sibling, children, fillers;
	bool filled; /* [a] fillers have run */
	bool strict; /* writing needs the mode's leave, of root too: /proc/sys, sysfs */
	uint32_t n_folders; /* among the children: for nlink */
	proc_show_fn show;
	proc_store_fn store;
	const char *target;
	int64_t (*make_link)(char *buf, size_t n);
	const struct file_ops *ops;
	void *arg;
};

extern struct mutex proc_tree_lock; /* RANK_PIPE */
extern struct proc_node proc_root, sysfs_root;

/* Before any look at a folder's children: runs its fillers. Nothing is locked. */
void proc_node_fill(struct proc_node *dir);
struct proc_node *proc_node_find(struct proc_node *dir, const char *name, size_t len);

/* ---- text: text.c ---- */

void proc_text_free(struct proc_text *t);

/* An open text file. */
struct proc_open {
	struct mutex lock;	       /* RANK_FILE_POS: the text */
	struct proc_text text;	       /* [lock] a part of the file */
	uint64_t start;		       /* [lock] where that part begins */
	bool made, more;	       /* [lock] is there a part; does one follow it */
	_Atomic uint64_t changes_seen; /* files that can be polled: at the last look */
};
must_use int proc_open_text(struct file *f);
void proc_release_text(struct file *f);
must_use int64_t proc_read_text(struct file *f, struct uio *u, uint64_t *pos,
				int (*make)(struct file *f, struct proc_text *t));
must_use int64_t proc_write_text(struct file *f, struct uio *u, uint64_t *pos,
				 int (*take)(struct file *f, char *text, size_t n));

/* ---- mounts: super.c ---- */

/* hidepid=, what is kept from who may not trace a process: each hides more. */
enum proc_hide { HIDE_NOTHING, HIDE_CONTENT, HIDE_NAMES, HIDE_UNTRACEABLE };

/* The options of one mount. */
struct proc_options {
	/* A remount changes these two, each in one word, while others look. */
	enum proc_hide hide;
	gid_t gid;	/* this group sees what hidepid= hides; not UNTRACEABLE */
	bool pids_only; /* [I] subset=pid */
};

/* NULL: a sysfs, which has none. */
static inline struct proc_options *proc_options_of(const struct super_block *sb)
{
	return sb->priv;
}

/* Whether the current task sees what mounts hide that hide `from` or more. */
bool proc_pid_shown(const struct super_block *sb, void *task, enum proc_hide from);
void procfs_types_init(void);

/* ---- inodes of the registered tree: root.c ---- */

must_use int proc_node_inode(struct super_block *sb, struct proc_node *n,
			     struct inode **ret);

/* ---- processes: pid.c, pid_dir.c ---- */

#define PROC_INO_PID BIT(32) /* inodes of processes are numbered from here on */

enum proc_pid_kind {
	PID_PROCESS, /* /proc/<pid> */
	PID_TASKS,   /* /proc/<pid>/task */
	PID_THREAD,  /* /proc/<pid>/task/<tid> */
	PID_ENTRY,   /* a file, link or folder in one of them */
	PID_CHILD,   /* what is in such a folder */
};

/* inode->priv of an inode of a process. */
struct proc_pid {
	enum proc_pid_kind kind;
	bool thread;			    /* PID_ENTRY below task/<tid> */
	void *task;			    /* referenced */
	const struct proc_pid_entry *entry; /* of PID_ENTRY and PID_CHILD */
	char name[24];			    /* PID_CHILD */
};

extern const struct proc_task_ops *proc_task_ops; /* NULL before proc has registered */

static inline struct proc_pid *proc_pid_of(const struct inode *i)
{
	return i->priv;
}

/* Whether it is in a listing of the root. */
bool proc_pid_listed(const struct super_block *sb, int32_t pid);
/* The /proc/<pid> that a name says, or NULL: *ret stays. 0, -ENOMEM. */
must_use int proc_pid_lookup(struct super_block *sb, const struct qname *name,
			     struct inode **ret);
/* Consumes task. */
must_use int proc_pid_inode(struct super_block *sb, struct proc_pid init, uint32_t mode,
			    struct inode **ret);
void proc_pid_evict(struct inode *i);
bool proc_pid_valid(const struct inode *i);
bool proc_parse_number(const char *s, size_t n, int32_t *ret);
int proc_pid_getattr(struct inode *i, struct kstat *ret);
int proc_pid_permission(struct inode *i, uint32_t may);
/* 0, -ESRCH (gone), -EACCES (guarded, and not for these credentials). */
must_use int proc_pid_check(const struct proc_pid *p, const struct cred *c);

extern const struct inode_ops proc_pid_dir_ops, proc_pid_file_ops, proc_pid_link_ops;
extern const struct file_ops proc_pid_dir_fops, proc_pid_text_fops, proc_pid_polled_fops;

/* "reads merged sectors ms writes …" of /proc/diskstats and /sys/block/…/stat. */
struct blk_device;
void proc_print_blk_stats(struct proc_text *t, const struct blk_device *d);

void procfs_info_fill(void);	/* Mayfly's own: info.c */
void procfs_memory_fill(void);	/* meminfo and its like: memory.c */
void procfs_machine_fill(void); /* cpuinfo, interrupts, devices: machine.c */
void procfs_mounts_fill(void);	/* filesystems, mounts: mounts.c */
void procfs_locks_fill(void);	/* locks.c */
void sysfs_init(void);		/* sysfs.c */

#endif

/*
 * procfs: files whose text is made when they are read. Layers above register theirs:
 * global ones by path, per-process ones in one table that appears in every /proc/<pid>
 * (and task/<tid>).
 */
#ifndef FS_PROCFS_H
#define FS_PROCFS_H

#include "fs/vfs.h"

/* A growing text buffer; errors stick and surface at the read. */
struct proc_text {
	char *buf;
	size_t len, cap;
	int err;
	uint64_t cursor; /* the show function's own, see PROC_MORE */
};
/* A text without bounds is made in parts. Once proc_full says so, its show function
 * notes in ->cursor where it is (0 at first) and returns PROC_MORE; it is called again,
 * with an empty text and the same cursor, when somebody reads on. */
#define PROC_MORE 1
static inline bool proc_full(const struct proc_text *t)
{
	return t->err || t->len >= PAGE_SIZE;
}
void proc_printf(struct proc_text *t, const char *fmt, ...) printf_like(2, 3);
void proc_write(struct proc_text *t, const void *s, size_t n);
/* Sets of CPUs as Linux prints them: "f" and "0-3,5". */
void proc_print_mask(struct proc_text *t, cpumask_t mask);
void proc_print_cpu_list(struct proc_text *t, cpumask_t mask);
/* For stores: a decimal number with blanks or a newline after it. 0, -EINVAL. */
must_use int proc_parse_u64(const char *text, uint64_t *ret);
must_use int proc_parse_i64(const char *text, int64_t *ret);

/* `arg` as registered. 0, PROC_MORE, or -errno. */
typedef int (*proc_show_fn)(struct proc_text *t, void *arg);
/* Text written by the user, NUL-terminated copy. 0 or -errno. */
typedef int (*proc_store_fn)(char *text, size_t n, void *arg);

/* "meminfo", "sys/kernel/hostname": directories are made as needed. 0, -ENOMEM,
 * -EEXIST. */
must_use int proc_file(const char *path, uint32_t mode, proc_show_fn show,
		       proc_store_fn store, void *arg);
must_use int proc_symlink(const char *path, const char *target);
/* A link whose text depends on who reads it ("self"): its length, as readlink(2). */
must_use int proc_symlink_made(const char *path, int64_t (*make)(char *buf, size_t n));
must_use int proc_file_ops(const char *path, uint32_t mode, const struct file_ops *ops,
			   void *arg);
/* What a file made by proc_file_ops was registered with. */
void *proc_arg_of(const struct inode *i);

/* An empty folder, unless files follow. */
must_use int proc_folder(const char *path);
/* Files are registered when somebody first looks below a folder ("" for /proc itself,
 * "sys", "sysfs:"), and not at boot: `fill` does it. The folder exists, or is made. */
struct proc_filler {
	struct list link;
	void (*fill)(void);
};
must_use int proc_fill_later(const char *folder, struct proc_filler *f);
/* For fillers. What there is no memory for is not there; other errors are our bugs. */
void proc_made(int err);

/* A file system of such files beside /proc (sysfs): the same calls, with "TYPE:" before
 * the path ("sysfs:devices/system/cpu/online"). */

/* One entry of /proc/<pid>. `task` is an opaque, referenced struct task. A process that
 * is gone is never asked: its files give ESRCH. */
struct proc_pid_entry {
	const char *name;
	uint32_t mode;	  /* S_IFREG | 0444, S_IFLNK | 0777, S_IFDIR | 0555 */
	bool leader_only; /* not under task/<tid> */
	bool thread_only; /* only there */
	/* only for those who might trace it: ops->may_look, by opener */
	bool guarded;
	int (*show)(struct proc_text *t, void *task);
	/* Under task/<tid>, where a thread speaks for itself alone; NULL: show. */
	int (*show_thread)(struct proc_text *t, void *task);
	int (*store)(char *text, size_t n, void *task);
	int (*link)(void *task, struct path *ret);
	/* Links that name no file (ns/): their text. */
	int64_t (*link_text)(void *task, char *buf, size_t n);
	/* Directories: the first entry at or after *pos, its name into buf and its place
	 * into
	 * *pos; false at the end. Their entries are links if link_name is set, else
	 *  text. */
	bool (*list)(void *task, uint64_t *pos, char *buf, size_t n);
	/* ret or t NULL: only whether there is such an entry (0 or -ENOENT). */
	int (*link_name)(void *task, const char *name, struct path *ret);
	int (*show_name)(struct proc_text *t, void *task, const char *name);
	/* Permission bits of such a link; absent: 0700. */
	uint32_t (*link_mode)(void *task, const char *name);
	/* Links of such a directory that name no file. */
	int64_t (*link_name_text)(void *task, const char *name, char *buf, size_t n);
	const struct file_ops *fops; /* instead of show (mem); see proc_task_of */
	/* Text that can be polled for changes (mounts): how often it has changed, and
	 * where a change is announced. */
	uint64_t (*changes)(struct waitq **ret_wait);
};

/* The lines "lock:" of fdinfo: locks on f that f itself or `owner` (its process's
 * descriptor table) holds. */
void proc_print_file_locks(struct proc_text *t, struct file *f, const void *owner);

/* What procfs asks of the process layer. */
struct proc_task_ops {
	/* thread: any thread's id; else a process's. Referenced; NULL: none. */
	void *(*find)(int32_t pid, bool thread);
	void *(*get)(void *task); /* one more reference */
	void (*put)(void *task);
	/* smallest process id >= from; 0: none */
	int32_t (*next_pid)(int32_t from);
	int32_t (*next_tid)(void *task, int32_t from); /* the same among its threads */
	int32_t (*self)(void);
	int32_t (*self_tid)(void);
	/* Owner of its files: effective ids; except of the folder itself, root's when the
	 * process is not dumpable. */
	void (*owner)(void *task, bool folder, uid_t *uid, gid_t *gid);
	/* May somebody with these credentials look into it (ptrace(2), access mode
	 * checks)? */
	bool (*may_look)(void *task, const struct cred *c);
	bool (*alive)(void *task); /* not reaped yet */
	const struct proc_pid_entry *entries;
	size_t n_entries;
};
void proc_set_task_ops(const struct proc_task_ops *ops);
/* The task of a /proc/<pid> inode; borrows. */
void *proc_task_of(const struct inode *i);
/* The task of a /proc/<pid> folder itself; NULL: i is something else; borrows. */
void *proc_folder_task(const struct inode *i);

void procfs_init(void); /* registers the types proc and sysfs, and what fs itself shows */

#endif

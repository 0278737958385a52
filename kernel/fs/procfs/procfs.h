/*
 * procfs: files whose text is made when they are read. Layers above register theirs: global ones
 * by path, per-process ones in one table that appears in every /proc/<pid> (and task/<tid>).
 */
#ifndef FS_PROCFS_H
#define FS_PROCFS_H

#include "fs/vfs.h"

/* A growing text buffer; errors stick and surface at the read. */
struct proc_text {
	char *buf;
	size_t len, cap;
	int err;
};
void proc_printf(struct proc_text *t, const char *fmt, ...) printf_like(2, 3);
void proc_write(struct proc_text *t, const void *s, size_t n);

/* `arg` as registered. 0 or -errno. */
typedef int (*proc_show_fn)(struct proc_text *t, void *arg);
/* Text written by the user, NUL-terminated copy. 0 or -errno. */
typedef int (*proc_store_fn)(char *text, size_t n, void *arg);

/* "meminfo", "sys/kernel/hostname": directories are made as needed. 0, -ENOMEM, -EEXIST. */
must_use int proc_file(const char *path, uint32_t mode, proc_show_fn show, proc_store_fn store,
		       void *arg);
must_use int proc_symlink(const char *path, const char *target);
must_use int proc_file_ops(const char *path, uint32_t mode, const struct file_ops *ops, void *arg);

/* One entry of /proc/<pid>. `task` is an opaque, referenced struct task. */
struct proc_pid_entry {
	const char *name;
	uint32_t mode; /* S_IFREG | 0444, S_IFLNK | 0777, S_IFDIR | 0555 */
	bool leader_only; /* not under task/<tid> */
	int (*show)(struct proc_text *t, void *task);
	int (*store)(char *text, size_t n, void *task);
	int (*link)(void *task, struct path *ret);
	/* Directories: the n-th name at or after *pos into buf, false at the end; and lookup
	 * by name of a link entry (fd/N, map_files). */
	bool (*list)(void *task, uint64_t *pos, char *buf, size_t n);
	int (*lookup)(void *task, const char *name, const struct proc_pid_entry **ret);
	int (*link_name)(void *task, const char *name, struct path *ret);
	int (*show_name)(struct proc_text *t, void *task, const char *name);
	const struct file_ops *fops; /* instead of show (mem) */
};

/* What procfs asks of the process layer. */
struct proc_task_ops {
	void *(*find)(int32_t pid, bool thread); /* referenced; NULL */
	void (*put)(void *task);
	int32_t (*next_pid)(int32_t from);	 /* smallest process id >= from; 0: none */
	int32_t (*next_tid)(void *task, int32_t from);
	int32_t (*self)(void);
	int32_t (*self_tid)(void);
	void (*owner)(void *task, uid_t *uid, gid_t *gid); /* root's when not dumpable */
	bool (*alive)(void *task);
	const struct proc_pid_entry *entries;
	size_t n_entries;
};
void proc_set_task_ops(const struct proc_task_ops *ops);

#endif

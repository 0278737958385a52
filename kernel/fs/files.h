/*
 * Open files and the descriptors that name them: what system calls and the layers above
 * do with files once they have a path. Included by fs/vfs.h.
 */
#ifndef FS_FILES_H
#define FS_FILES_H

#include "fs/vfs.h"

/* ---- open files ---- */

must_use int file_open_at(int dirfd, const char *name, uint32_t flags, uint32_t mode,
			  uint32_t walk_flags, struct file **ret);
must_use int file_open_path(const struct path *p, uint32_t flags, struct file **ret);
/* execve(2): a regular file that current may execute; open(2)s for writing it get ETXTBSY
 * until the last put. -EACCES (also not regular, or a noexec mount), -ETXTBSY, and a
 * walk's. */
must_use int file_open_exec(int dirfd, const char *name, uint32_t walk_flags,
			    struct file **ret);
/* A file on the shared anonymous inode; path text "anon_inode:NAME", so give "[eventfd]".
 * ops->open is not called; ops->release is, when the file was made. */
must_use int file_new_anon(const char *name, const struct file_ops *ops, void *priv,
			   uint32_t flags, struct file **ret);
/* A file on a new inode that has no name: pipes, sockets. `mode` with S_IFMT; the path
 * text is "NAME:[ino]"; inode->fops is ops, so file_open_path(&f->path, ...) opens it
 * once more. */
must_use int file_new_nameless(const char *name, uint32_t mode,
			       const struct file_ops *ops, void *priv, uint32_t flags,
			       struct file **ret);
/* The same, on an inode of that number, which the caller has seen to be unused. */
must_use int file_new_numbered(const char *name, uint64_t ino, uint32_t mode,
			       const struct file_ops *ops, void *priv, uint32_t flags,
			       struct file **ret);
static inline struct file *file_get(struct file *f)
{
	ref_get(&f->refs);
	return f;
}
void file_put(struct file *f);
must_use int64_t file_read(struct file *f, struct uio *u,
			   uint64_t *pos /* NULL: f->pos */);
must_use int64_t file_write(struct file *f, struct uio *u, uint64_t *pos);
must_use int64_t file_read_kernel(struct file *f, void *buf, size_t n, uint64_t pos);
must_use int64_t file_write_kernel(struct file *f, const void *buf, size_t n,
				   uint64_t pos);

void file_owner_set(struct file *f, const struct file_owner *o);
void file_owner_get(struct file *f, struct file_owner *ret);
/* Makes current's process, or a process group, the owner if nobody is. */
void file_owner_claim(struct file *f);
void file_owner_claim_for(struct file *f, int32_t pgrp);
/* O_ASYNC on or off; fd: current's name for f. It goes off only where this turned it on:
 * the flag of open(2) means nothing. False: f has no signals to send. */
bool file_async_set(struct file *f, int fd, bool on);
/* Nobody, and no signal chosen. */
void file_owner_forget(struct file *f);
/* News of that kind, POLL_* of <asm/siginfo.h>, with the events that it stands for. */
struct file_news file_news(int fd, int code);
/* Something happened that the file's owner wants to hear of. Locks of a lower rank than
 * RANK_TASK_LIST may be held. */
void file_signal_owner(struct file *f, const struct file_news *news);
/* SIGURG, whatever signal was chosen. */
void file_signal_urgent(struct file *f);

/* Whether a transfer must not wait. */
static inline bool file_nonblock(const struct file *f, const struct uio *u)
{
	return (f->flags & O_NONBLOCK) || u->nowait;
}

/* ---- descriptors: kernel/fs/fdtable.c ---- */

struct files; /* shared by CLONE_FILES; grows with use, bounded by RLIMIT_NOFILE */
must_use int files_new(struct files **ret);
must_use int files_copy(struct files *from, struct files **ret);
struct files *files_get(struct files *f);
void files_put(struct files *f);
bool files_shared(const struct files *f); /* somebody else holds a reference too */
/* current's; with a reference. NULL: EBADF. O_PATH files only with fd_get_any. */
must_use struct file *fd_get(int fd);
must_use struct file *fd_get_any(int fd);
/* Lowest free descriptor >= from. -EMFILE, -ENOMEM. Reserve, then install or release. */
must_use int fd_reserve(int from);
void fd_install(int fd, struct file *f, bool cloexec); /* consumes f */
void fd_release(int fd);
/* reserve + install; on error the reference is put. */
must_use int fd_add(struct file *f, bool cloexec);
/* Two at once, their numbers as int[2] at `ret`: both or none. Consumes the references.
 * 0, -EMFILE, -ENOMEM, -EFAULT. */
must_use int fd_add_pair(struct file *const f[2], bool cloexec, uaddr_t ret);
must_use int fd_close(int fd);
/* All of current's are below; it only grows. */
uint32_t fd_table_size(void);
void files_close_on_exec(struct files *f);
/* For /proc/pid/fd: the file at the first used descriptor >= *fd of any table;
 * referenced. */
struct file *files_next(struct files *f, int *fd, bool *ret_cloexec);
size_t files_count(struct files *f);

/* ---- per-process file context ---- */

struct fs_ctx {
	struct ref refs;
	_Atomic uint32_t
		users;	  /* threads whose own it is; whoever looks does not count */
	struct list link; /* [fs contexts' lock] all of them, for pivot_root */
	struct spinlock lock;
	struct path root, cwd; /* [lock] */
	_Atomic uint32_t umask;
};
/* from NULL: both paths at the root mount, umask 022. */
must_use int fs_ctx_copy(struct fs_ctx *from, struct fs_ctx **ret);
/* current's, referenced. */
void fs_root_get(struct path *ret);
void fs_cwd_get(struct path *ret);
struct fs_ctx *fs_ctx_get(struct fs_ctx *c);
void fs_ctx_put(struct fs_ctx *c);
/* The same for a thread that has it as its own: fs_ctx_copy makes one use. */
struct fs_ctx *fs_ctx_use(struct fs_ctx *c);
void fs_ctx_unuse(struct fs_ctx *c);
bool fs_ctx_shared(const struct fs_ctx *c); /* by two threads or more */

#endif

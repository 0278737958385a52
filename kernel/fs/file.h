/* Open files and descriptors, inside the VFS and for the system calls that are called
 * most. */
#ifndef FS_FILE_H
#define FS_FILE_H

#include "fs/vfs.h"

/* ---- fs/file.c ---- */

/* An empty file: current's credentials, one reference, nothing open yet. NULL: no
 * memory. */
must_use struct file *file_alloc(uint32_t flags);
/* Frees what file_alloc made and nothing was opened on. */
void file_free(struct file *f);
void file_init(void);

/* FMODE_* that an open(2) flag word asks for. */
static inline uint32_t mode_of_flags(uint32_t flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return FMODE_READ;
	case O_WRONLY:
		return FMODE_WRITE;
	default:
		return FMODE_READ | FMODE_WRITE;
	}
}

/* ---- fs/anon.c ---- */
void anon_init(void);

/* Whether O_DIRECT means something for the file: regular ones, and pipes of packets. */
bool file_can_be_direct(const struct file *f);

/* ---- fs/rw.c ---- */

/* The open mode's and the operation's say on a transfer. 0, -EBADF, -EISDIR, -EINVAL. */
must_use static inline int file_may_read(const struct file *f)
{
	if (unlikely(!(f->mode & FMODE_READ)))
		return -EBADF;
	return likely(f->ops && f->ops->read) ? 0
	       : S_ISDIR(f->inode->mode)      ? -EISDIR
					      : -EINVAL;
}

must_use static inline int file_may_write(const struct file *f)
{
	if (unlikely(!(f->mode & FMODE_WRITE)))
		return -EBADF;
	return likely(f->ops && f->ops->write) ? 0 : -EINVAL;
}

/* A position as lseek(2) wants it. New position or -errno. */
must_use int64_t file_seek(struct file *f, int64_t off, int whence);
/* Cuts a write to RLIMIT_FSIZE and the file system's maximum. -EFBIG: nothing is left. */
must_use int write_limit(struct inode *i, uint64_t pos, struct uio *u);
/* generic_write's work on any inode: lock held; moves *pos. */
must_use int64_t inode_write_locked(struct inode *i, struct uio *u, uint64_t *pos);
/* Directory entries into c, from the file's position on. */
must_use int file_iterate(struct file *f, struct dir_ctx *c);

/* ---- fs/fdtable.c ---- */

#define FILES_INLINE 64u /* descriptors a table has room for from the start */

/* A descriptor table; its invariants are in fdtable.c. */
struct files {
	struct ref refs;
	struct spinlock lock; /* RANK_FILES */
	uint32_t cap;	      /* [lock] slots, a multiple of 64 */
	uint32_t lowest;      /* [lock] */
	struct file **slot;   /* [lock] */
	uint64_t *used;	      /* [lock] */
	uint64_t *cloexec;    /* [lock] */
	struct file *inline_slot[FILES_INLINE];
	uint64_t inline_used[1], inline_cloexec[1];
};

static inline struct file *files_slot(const struct files *t, int fd)
{
	return (uint32_t)fd < t->cap ? t->slot[fd] : NULL;
}

/* A file for the length of one system call. When current alone uses the descriptor table,
 * nobody can close it meanwhile and no count is touched. */
struct fd_ref {
	struct file *file;
	bool counted; /* file_put it */
};

/* False: EBADF. */
must_use static inline bool fd_borrow_any(int fd, struct fd_ref *ret)
{
	struct files *t = thread_current()->files;

	ret->counted = ref_read(&t->refs) != 1;
	ret->file = ret->counted ? fd_get_any(fd) : files_slot(t, fd);
	return ret->file;
}

static inline void fd_return(struct fd_ref *r)
{
	if (unlikely(r->counted))
		file_put(r->file);
}

/* O_PATH files are refused. */
must_use static inline bool fd_borrow(int fd, struct fd_ref *ret)
{
	if (unlikely(!fd_borrow_any(fd, ret)))
		return false;
	if (likely(!(ret->file->mode & FMODE_PATH)))
		return true;
	fd_return(ret);
	return false;
}

/* True: only this call can move the file's position, so it needs no lock. */
static inline bool fd_is_sole(const struct fd_ref *r)
{
	return !r->counted && ref_read(&r->file->refs) == 1;
}

/* dup2(2): installs f (consumed) at exactly fd, closing what is there. fd or -errno. */
must_use int fd_replace(int fd, struct file *f, bool cloexec);
must_use int fd_get_cloexec(int fd); /* 0, 1, -EBADF */
must_use int fd_set_cloexec(int fd, bool on);
/* close_range(2) on current's table. */
void fd_close_range(unsigned first, unsigned last, bool cloexec_only);
void fdtable_init(void);

/* Drops a descriptor's reference: flush, POSIX locks and dnotify of `owner`. What flush
 * says. */
int file_close(struct file *f, const struct files *owner);

/* ---- fs/locks.c ---- */

/* close(2) by a process: its POSIX locks on the file go. Open file: flock and OFD
 * locks. */
void locks_drop_posix(struct file *f, const struct files *owner);
void locks_drop_file(struct file *f);
/* flock(2): LOCK_SH, LOCK_EX, LOCK_UN, LOCK_NB. -EWOULDBLOCK, -ERESTARTSYS. */
must_use int locks_flock(struct file *f, int op);
/* fcntl(2): F_GETLK, F_SETLK, F_SETLKW and their OFD forms. */
must_use int locks_fcntl(struct file *f, int cmd, struct flock *l);

#endif

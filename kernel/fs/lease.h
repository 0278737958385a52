/* Leases, fcntl(2): whoever has one hears of others' opens before they happen. */
#ifndef FS_LEASE_H
#define FS_LEASE_H

#include "fs/locks.h"

/* fd: current's name for f, which goes along with the signal. type: F_RDLCK, F_WRLCK, or
 * F_UNLCK, which ends it. -EINVAL, -EACCES: not the file's owner; -EAGAIN: it is open for
 * what the lease excludes, or there is none to end; -ENOMEM, -ENOLCK. */
must_use int lease_set(struct file *f, int fd, int type);
/* What f's lease is, or is to become when somebody waits for that; F_UNLCK: none. */
int lease_get(struct file *f);

must_use int lease_break_slow(struct inode *i, bool write, bool nonblock);
/* Before somebody who is counted in i->readers or ->writers goes on: waits until no lease
 * is in the way. 0; -EAGAIN when it would wait and must not; -ERESTARTSYS. */
must_use static inline int lease_break(struct inode *i, bool write, bool nonblock)
{
	/* The count before the look, as lease_set has it the other way round. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return likely(!i->leases) ? 0 : lease_break_slow(i, write, nonblock);
}

/* The open file is gone. */
void lease_drop_file(struct file *f);
void leases_inode_free(struct inode *i);

/* What file_locks_view puts behind the locks: those of inode i, which has some, or (NULL)
 * all. */
void leases_view(const struct inode *i, struct holders_view *v);

/* /proc/sys/fs: how many seconds a lease outlives its breaking (0: for ever), and whether
 * new ones are given. */
extern _Atomic uint32_t lease_break_seconds, leases_enabled;

#endif

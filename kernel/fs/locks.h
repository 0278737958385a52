/* File locks as ranges with owners; kernel/fs/lock_calls.c puts the system calls' forms
 * on. */
#ifndef FS_LOCKS_H
#define FS_LOCKS_H

#include "fs/holders.h"

#define LOCK_END INT64_MAX  /* to the end of the file, however it grows */
#define LOCK_CHAIN_MAX 1024 /* longer chains of waiters are taken for a circle */

enum lock_family {
	FAMILY_FLOCK,
	FAMILY_POSIX,
	FAMILY_OFD,
	/* what file_locks_view gives besides: fs/lease.h */
	FAMILY_LEASE,
	FAMILY_LEASE_BREAKING,
	FAMILY_LEASE_BREAKER, /* who waits for one */
};

struct file_lock {
	struct claim claim;
	enum lock_family family;
	bool exclusive;
	const void *owner;  /* struct file, or struct files of a process */
	int32_t pid;	    /* what F_GETLK tells; -1 for OFD locks */
	int64_t start, end; /* bytes, both within */
};

/* 0, -EAGAIN (not `block`), -EDEADLK, -ENOLCK, -ERESTARTSYS. */
must_use int file_lock_set(struct file *f, const struct file_lock *want, bool block);
must_use int file_lock_clear(struct file *f, const struct file_lock *range);
/* True: somebody's lock is in the way; a copy. */
bool file_lock_test(struct file *f, const struct file_lock *want, struct file_lock *ret);

/* For /proc/locks and fdinfo: copies of at most `room` locks, then leases, of inode i or
 * (NULL) of all inodes, from the `from`-th on. How many. Behind each come those who wait
 * for it. */
struct file_lock_view {
	uint64_t number; /* of the one that is held, from 1 on */
	uint32_t level;	 /* 0: held; else it waits, for one of the level before */
	enum lock_family family;
	int16_t type; /* F_RDLCK, F_WRLCK; a lease that is to end: F_UNLCK */
	int32_t pid;
	const void *owner;
	dev_id_t dev;
	uint64_t ino;
	int64_t start, end;
};
size_t file_locks_view(struct inode *i, uint64_t from, struct file_lock_view *ret,
		       size_t room);

#endif

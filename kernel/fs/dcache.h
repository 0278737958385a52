/*
 * The dentry cache, inside the VFS. The file systems' view of it is in vfs.h.
 *
 * Always true:
 *  D1  a dentry in the hash is on its parent's list of children and has a file-system
 *      answer: positive, or known to be absent;
 *  D2  a dentry whose count is 0 is hashed and on the LRU list; only under dcache_lock
 *      does a count rise from 0 or sink to it;
 *  D3  parent, name, hash links and the inode of an unused dentry change under
 *      dcache_lock alone, so whoever holds it may walk any path without taking
 *      references.
 */
#ifndef FS_DCACHE_H
#define FS_DCACHE_H

#include "core/panic.h"
#include "fs/vfs.h"

extern struct spinlock dcache_lock;

/* Borrowed; the lock is held. NULL: not cached. */
struct dentry *dcache_find_locked(const struct dentry *parent, const struct qname *name);
/* Referenced; NULL: not cached. */
must_use struct dentry *dcache_find(struct dentry *parent, const struct qname *name);
/* A reference on a dentry that may have none; the lock is held. */
static inline void dentry_get_locked(struct dentry *d)
{
	ref_get(&d->refs);
}

/* Negative, not hashed, one reference, holds its parent. NULL: no memory. */
must_use struct dentry *dentry_new(struct dentry *parent, const struct qname *name);
/* Without a parent: roots, and what no directory holds. Consumes i, also on failure. */
must_use struct dentry *dentry_new_lone(struct inode *i, const char *text);
void dentry_hash(struct dentry *d);
/* Out of the hash: lookups ask the file system anew. */
void dentry_drop(struct dentry *d);
/* Its directory entry is gone: becomes negative when only the caller uses it, else
 * unhashed. */
void dentry_removed(struct dentry *d);
/* d takes target's place and name; target leaves the hash. Parents' locks held. */
void dentry_move(struct dentry *d, struct dentry *target);
void dentry_exchange(struct dentry *a, struct dentry *b);
/* True: a is d or above it. Same super block. */
bool dentry_is_ancestor(const struct dentry *a, const struct dentry *d);
/* Frees unused children of a directory that is about to go. */
void dcache_prune_children(struct dentry *dir);
/* Frees up to n unused dentries, least recently used first; how many. */
size_t dcache_prune(size_t n);
/* Frees every unused dentry of a super block that nobody can reach any more. */
void dcache_prune_sb(struct super_block *sb);
/* Cached names, the unused among them, for /proc/sys/fs/dentry-state. */
void dcache_counts(uint64_t *ret_all, uint64_t *ret_unused);
void dcache_init(void);

#endif

/*
 * Inodes in memory: making them, finding them by number, letting them go. An inode lives
 * as long as somebody refers to it; what keeps the useful ones are the cached dentries.
 *
 * Always true:
 *  I1  an inode in the cache has a reference: the last put takes it out under
 *      icache_lock;
 *  I2  while INODE_NEW is set nobody but its maker has seen it.
 *
 * Locks: icache_lock, over the hash. Nothing is called with it held.
 */
#include "fs/inode.h"

#include "fs/acl.h"
#include "fs/flags.h"
#include "fs/lease.h"

#include "core/timer.h"

#define TABLE_SIZE 1024u

static struct spinlock icache_lock = SPINLOCK_INIT(RANK_ICACHE);
static struct list table[TABLE_SIZE]; /* [icache_lock] */
static struct waitq ready_wait = WAITQ_INIT(ready_wait);
static struct slab_cache *inode_cache;
static _Atomic uint64_t n_inodes;

static struct list *bucket(const struct super_block *sb, uint64_t ino)
{
	uint64_t h = (ino ^ (uintptr_t)sb) * 0x9e3779b97f4a7c15ull;
	return &table[(h >> 40) % TABLE_SIZE];
}

static const struct inode_ops no_ops;

struct inode *inode_new(struct super_block *sb, uint64_t ino)
{
	struct inode *i = slab_zalloc(inode_cache);
	if (!i)
		return NULL;
	ref_init(&i->refs, 1);
	mutex_init(&i->lock, RANK_INODE);
	i->ops = &no_ops;
	i->sb = sb;
	i->ino = ino;
	i->nlink = 1;
	list_init(&i->hash_link);
	list_init(&i->dentries);
	list_init(&i->watches);
	mapping_init(&i->mapping, NULL, i, false);
	n_inodes++;
	return i;
}

static void inode_free(struct inode *i)
{
	n_inodes--;
	slab_free(inode_cache, i);
}

static struct inode *find_locked(struct super_block *sb, uint64_t ino)
{
	list_for_each(i, bucket(sb, ino), struct inode, hash_link)
	{
		if (i->ino == ino && i->sb == sb)
			return i;
	}
	return NULL;
}

enum found { ABSENT, BUSY, FOUND };

/* The inode with a reference, `fresh` hashed in its absence, or BUSY when one is being
 * made. */
static enum found find_or_add(struct super_block *sb, uint64_t ino, struct inode *fresh,
			      struct inode **ret)
{
	enum found result = FOUND;

	spin_lock(&icache_lock);
	struct inode *i = find_locked(sb, ino);
	if (!i) {
		result = ABSENT;
		if (fresh) {
			fresh->state |= INODE_NEW;
			list_push_front(bucket(sb, ino), &fresh->hash_link);
		}
	} else if (i->state & INODE_NEW) {
		result = BUSY;
	} else {
		ref_get(&i->refs);
		*ret = i;
	}
	spin_unlock(&icache_lock);
	return result;
}

struct inode *inode_get_cached(struct super_block *sb, uint64_t ino, bool *ret_new)
{
	struct inode *i = NULL;
	enum found f;

	*ret_new = false;
	wait_event(&ready_wait, (f = find_or_add(sb, ino, NULL, &i)) != BUSY);
	if (f == FOUND)
		return i;
	struct inode *fresh = inode_new(sb, ino);
	if (!fresh)
		return NULL;
	wait_event(&ready_wait, (f = find_or_add(sb, ino, fresh, &i)) != BUSY);
	if (f == FOUND) {
		inode_free(fresh);
		return i;
	}
	*ret_new = true;
	return fresh;
}

struct inode *inode_find(struct super_block *sb, uint64_t ino)
{
	struct inode *i = NULL;

	wait_event(&ready_wait, find_or_add(sb, ino, NULL, &i) != BUSY);
	return i;
}

void inode_ready(struct inode *i)
{
	i->state &= ~INODE_NEW;
	wake_all(&ready_wait);
}

static void inode_evict(struct inode *i)
{
	bool was_new = i->state & INODE_NEW;

	insist(list_empty(&i->dentries));
	locks_inode_free(i);
	leases_inode_free(i);
	inode_acls_free(i);
	if (i->sb->ops && i->sb->ops->evict)
		i->sb->ops->evict(i);
	if (i->mapping.pages.root)
		mapping_fini(&i->mapping);
	inode_free(i);
	if (was_new)
		wake_all(&ready_wait);
}

void inode_put(struct inode *i)
{
	if (!i)
		return;
	if (list_empty(&i->hash_link)) {
		if (ref_put(&i->refs))
			inode_evict(i);
		return;
	}
	/* Cached: the lock keeps finders from an inode whose count is sinking to 0. */
	if (ref_put_not_last(&i->refs))
		return;
	spin_lock(&icache_lock);
	bool last = ref_put(&i->refs);
	if (last)
		list_del(&i->hash_link);
	spin_unlock(&icache_lock);
	if (last)
		inode_evict(i);
}

uint64_t inode_count(void)
{
	return n_inodes;
}

/* Owner by inode(7): a setgid directory gives its group, and its bit to directories. */
void inode_init_owner(struct inode *i, const struct inode *dir, uint32_t mode)
{
	const struct cred *c = thread_current()->cred;

	i->uid = c->fsuid;
	i->gid = c->fsgid;
	if (dir && (dir->mode & S_ISGID)) {
		i->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
			 !cred_in_group(c, i->gid) && !cred_has_cap(c, CAP_FSETID))
			mode &= ~(uint32_t)S_ISGID;
	}
	i->mode = mode;
	i->t.atime = i->t.mtime = i->t.ctime = i->t.btime = time_now_file();
}

int64_t time_now_file(void)
{
	return (int64_t)clock_real();
}

#define DAY_NS ((int64_t)(24 * 3600 * NSEC_PER_SEC))

/* relatime: only when it has become older than a change, or than a day. */
void inode_accessed(const struct mount *mnt, struct inode *i)
{
	uint32_t skip = MS_NOATIME | (S_ISDIR(i->mode) ? MS_NODIRATIME : 0);

	if ((mnt->flags & (skip | MS_RDONLY)) || (i->sb->flags & SB_RDONLY) ||
	    (i->flags & FS_NOATIME_FL))
		return;
	if (mnt->flags & MS_STRICTATIME) {
		i->t.atime = time_now_file();
		return;
	}
	if (i->t.atime > i->t.mtime && i->t.atime > i->t.ctime &&
	    time_now_file() - i->t.atime < DAY_NS)
		return;
	i->t.atime = time_now_file();
}

void file_accessed(struct file *f)
{
	if (!(f->flags & O_NOATIME) && f->path.mnt)
		inode_accessed(f->path.mnt, f->inode);
}

void inode_cache_init(void)
{
	for (uint32_t k = 0; k < TABLE_SIZE; k++)
		list_init(&table[k]);
	inode_cache = slab_cache_new("inode", sizeof(struct inode), 0);
	insist(inode_cache);
}

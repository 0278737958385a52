/*
 * The dentry cache: names and what they stand for. One lock guards the hash, the tree and
 * the LRU list, so that a walk over cached names takes it once for the whole path
 * (walk.c) and no reference but the last. Invariants D1 to D3 are in dcache.h.
 *
 * Locks: dcache_lock, a spinlock. Nothing is freed under it: what dies is unlinked from
 * everything first, then let go of outside, since that may end in a file system.
 */
#include "fs/dcache.h"

#include "fs/name.h"
#include "fs/notify.h"
#include "lib/string.h"

#define LRU_BATCH 32
#define LOOK_PER_VICTIM 8
#define TABLE_MIN 256u
#define TABLE_MAX 65536u
#define PAGES_PER_BUCKET 16

struct spinlock dcache_lock = SPINLOCK_INIT(RANK_DCACHE);

static struct list *table; /* [dcache_lock] */
static uint32_t table_mask;
static struct list lru = LIST_INIT(lru); /* [dcache_lock] oldest first */
static size_t n_lru, n_all;		 /* [dcache_lock] */
/* [I] bounds what looking up nonsense can cost */
static size_t lru_max;
static struct slab_cache *dentry_cache;

static struct list *bucket(uint32_t hash)
{
	return &table[hash & table_mask];
}

struct dentry *dcache_find_locked(const struct dentry *parent, const struct qname *name)
{
	list_for_each(d, bucket(name->hash), struct dentry, hash_link)
	{
		if (d->name.hash == name->hash && d->parent == parent &&
		    name_equal(&d->name, name->s, name->len))
			return d;
	}
	return NULL;
}

struct dentry *dcache_find(struct dentry *parent, const struct qname *name)
{
	spin_lock(&dcache_lock);
	struct dentry *d = dcache_find_locked(parent, name);
	if (d)
		dentry_get_locked(d);
	spin_unlock(&dcache_lock);
	return d;
}

static bool name_is_inline(const struct dentry *d)
{
	return d->name.s == d->inline_name;
}

static void dentry_free(struct dentry *d)
{
	if (!name_is_inline(d))
		heap_free((char *)d->name.s);
	slab_free(dentry_cache, d);
}

static struct dentry *dentry_alloc(struct super_block *sb, const struct qname *name)
{
	struct dentry *d = slab_zalloc(dentry_cache);
	if (!d)
		return NULL;
	d->name = *name;
	if (name->len < DENTRY_INLINE_NAME) {
		memcpy(d->inline_name, name->s, name->len);
		d->name.s = d->inline_name;
	} else {
		d->name.s = heap_strdup(name->s, name->len);
		if (!d->name.s) {
			slab_free(dentry_cache, d);
			return NULL;
		}
	}
	ref_init(&d->refs, 1);
	d->sb = sb;
	list_init(&d->hash_link);
	list_init(&d->children);
	list_init(&d->sibling);
	list_init(&d->alias);
	list_init(&d->lru);
	return d;
}

/* O2 of notify.h. */
static void watched_update_locked(struct dentry *d)
{
	if (d->parent->inode && d->parent->inode->watch_mask)
		d->flags |= DENTRY_WATCHED;
}

struct dentry *dentry_new(struct dentry *parent, const struct qname *name)
{
	struct dentry *d = dentry_alloc(parent->sb, name);
	if (!d)
		return NULL;
	d->parent = dentry_get(parent);
	spin_lock(&dcache_lock);
	watched_update_locked(d);
	list_push_back(&parent->children, &d->sibling);
	n_all++;
	spin_unlock(&dcache_lock);
	return d;
}

struct dentry *dentry_new_lone(struct inode *i, const char *text)
{
	struct qname name = { text, (uint32_t)strlen(text), 0 };
	struct dentry *d = dentry_alloc(i->sb, &name);
	if (!d) {
		inode_put(i);
		return NULL;
	}
	d->parent = d;
	spin_lock(&dcache_lock);
	n_all++;
	spin_unlock(&dcache_lock);
	dentry_instantiate(d, i);
	return d;
}

struct dentry *dentry_new_root(struct inode *i)
{
	return dentry_new_lone(i, "/");
}

void dentry_hash(struct dentry *d)
{
	spin_lock(&dcache_lock);
	list_push_front(bucket(d->name.hash), &d->hash_link);
	spin_unlock(&dcache_lock);
}

static void unhash_locked(struct dentry *d)
{
	list_del(&d->hash_link);
	d->flags |= DENTRY_UNHASHED;
}

void dentry_drop(struct dentry *d)
{
	spin_lock(&dcache_lock);
	unhash_locked(d);
	spin_unlock(&dcache_lock);
}

void dentry_instantiate(struct dentry *d, struct inode *i)
{
	spin_lock(&dcache_lock);
	insist(!d->inode);
	if (i) {
		list_push_back(&i->dentries, &d->alias);
		d->inode = i;
	}
	spin_unlock(&dcache_lock);
	if (i && (i->state & INODE_NEW))
		inode_ready(i);
}

static void lru_del_locked(struct dentry *d)
{
	if (!(d->flags & DENTRY_LRU))
		return;
	list_del(&d->lru);
	d->flags &= ~DENTRY_LRU;
	n_lru--;
}

/* Unused: kept for the next lookup. */
static void lru_keep_locked(struct dentry *d)
{
	if (d->flags & DENTRY_LRU) {
		d->flags |= DENTRY_USED;
		return;
	}
	list_push_back(&lru, &d->lru);
	d->flags |= DENTRY_LRU;
	n_lru++;
}

static bool worth_keeping(const struct dentry *d)
{
	return !list_empty(&d->hash_link) && !(d->flags & DENTRY_NOCACHE) &&
	       !(d->sb->flags & SB_DYING);
}

/* Takes an unused dentry out of everything that could find it. */
static void detach_locked(struct dentry *d)
{
	unhash_locked(d);
	lru_del_locked(d);
	list_del(&d->sibling);
	list_del(&d->alias);
	n_all--;
}

/* Lets go of what a detached dentry held; its parent, still referenced, or NULL for a
 * root. */
static struct dentry *dentry_bury(struct dentry *d, bool tell)
{
	struct dentry *parent = d->parent == d ? NULL : d->parent;
	struct inode *i = d->inode;

	dentry_free(d);
	if (i) {
		if (tell)
			notify_deleted(i);
		inode_put(i);
	}
	return parent;
}

/* A dead leaf releases its parent, which may die of it: upwards, without recursion.
 * `tell`: who watches. Not where memory is being reclaimed, for somebody who tells of
 * something may be waiting for it. */
static void put_chain(struct dentry *d, bool tell)
{
	while (d && !ref_put_not_last(&d->refs)) {
		spin_lock(&dcache_lock);
		if (!ref_put(&d->refs)) {
			spin_unlock(&dcache_lock);
			return;
		}
		if (worth_keeping(d)) {
			lru_keep_locked(d);
			spin_unlock(&dcache_lock);
			return;
		}
		detach_locked(d);
		spin_unlock(&dcache_lock);
		d = dentry_bury(d, tell);
	}
}

void dentry_put_last(struct dentry *d)
{
	put_chain(d, true);
	if (unlikely(n_lru > lru_max))
		dcache_prune(LRU_BATCH);
}

/* Up to n victims, linked through their (now unused) lru links. */
static size_t collect_victims(struct list *ret, size_t n)
{
	size_t got = 0, look = MIN(n_lru, n * LOOK_PER_VICTIM);

	while (got < n && look-- && !list_empty(&lru)) {
		struct dentry *d = list_first(&lru, struct dentry, lru);
		if (ref_read(&d->refs)) {
			lru_del_locked(d);
		} else if (d->flags & DENTRY_USED) {
			d->flags &= ~DENTRY_USED;
			list_del(&d->lru);
			list_push_back(&lru, &d->lru);
		} else {
			detach_locked(d);
			list_push_back(ret, &d->lru);
			got++;
		}
	}
	return got;
}

static void bury_all(struct list *dead)
{
	while (!list_empty(dead)) {
		struct dentry *d = list_first(dead, struct dentry, lru);
		list_del(&d->lru);
		put_chain(dentry_bury(d, false), false);
	}
}

size_t dcache_prune(size_t n)
{
	size_t done = 0;
	/* Used ones get a second chance, so every one may have to be looked at twice. */
	size_t rounds = 2 * n_lru / (LRU_BATCH * LOOK_PER_VICTIM) + n / LRU_BATCH + 1;

	while (done < n && rounds--) {
		struct list dead = LIST_INIT(dead);
		spin_lock(&dcache_lock);
		done += collect_victims(&dead, MIN(n - done, (size_t)LRU_BATCH));
		spin_unlock(&dcache_lock);
		bury_all(&dead);
	}
	return done;
}

void dcache_prune_children(struct dentry *dir)
{
	struct list dead = LIST_INIT(dead);

	spin_lock(&dcache_lock);
	list_for_each_safe(d, &dir->children, struct dentry, sibling)
	{
		if (ref_read(&d->refs))
			continue;
		detach_locked(d);
		list_push_back(&dead, &d->lru);
	}
	spin_unlock(&dcache_lock);
	bury_all(&dead);
}

void dcache_prune_sb(struct super_block *sb)
{
	struct list dead = LIST_INIT(dead);

	spin_lock(&dcache_lock);
	sb->flags |= SB_DYING;
	list_for_each_safe(d, &lru, struct dentry, lru)
	{
		if (d->sb != sb || ref_read(&d->refs))
			continue;
		detach_locked(d);
		list_push_back(&dead, &d->lru);
	}
	spin_unlock(&dcache_lock);
	bury_all(&dead);
}

void dentry_removed(struct dentry *d)
{
	struct inode *i = NULL;

	spin_lock(&dcache_lock);
	if (ref_read(&d->refs) == 1 && !list_empty(&d->hash_link)) {
		i = d->inode;
		list_del(&d->alias);
		d->inode = NULL;
	} else {
		unhash_locked(d);
	}
	spin_unlock(&dcache_lock);
	if (i) {
		notify_deleted(i);
		inode_put(i);
	}
}

static void swap_names(struct dentry *a, struct dentry *b)
{
	bool a_inline = name_is_inline(a), b_inline = name_is_inline(b);
	struct qname qa = a->name;
	char buf[DENTRY_INLINE_NAME];

	memcpy(buf, a->inline_name, sizeof buf);
	memcpy(a->inline_name, b->inline_name, sizeof buf);
	memcpy(b->inline_name, buf, sizeof buf);
	a->name = b->name;
	b->name = qa;
	if (b_inline)
		a->name.s = a->inline_name;
	if (a_inline)
		b->name.s = b->inline_name;
}

/* Each holds a reference on its parent: swapping both pointers keeps the counts right. */
static void swap_places(struct dentry *a, struct dentry *b)
{
	struct dentry *pa = a->parent, *pb = b->parent;

	swap_names(a, b);
	list_del(&a->sibling);
	list_del(&b->sibling);
	list_push_back(&pb->children, &a->sibling);
	list_push_back(&pa->children, &b->sibling);
	a->parent = pb;
	b->parent = pa;
	watched_update_locked(a);
	watched_update_locked(b);
}

void dentry_move(struct dentry *d, struct dentry *target)
{
	spin_lock(&dcache_lock);
	list_del(&d->hash_link);
	unhash_locked(target);
	swap_places(d, target);
	list_push_front(bucket(d->name.hash), &d->hash_link);
	spin_unlock(&dcache_lock);
}

void dentry_exchange(struct dentry *a, struct dentry *b)
{
	spin_lock(&dcache_lock);
	list_del(&a->hash_link);
	list_del(&b->hash_link);
	swap_places(a, b);
	list_push_front(bucket(a->name.hash), &a->hash_link);
	list_push_front(bucket(b->name.hash), &b->hash_link);
	spin_unlock(&dcache_lock);
}

bool dentry_is_ancestor(const struct dentry *a, const struct dentry *d)
{
	bool found = false;

	spin_lock(&dcache_lock);
	for (;; d = d->parent) {
		found = d == a;
		if (found || d->parent == d)
			break;
	}
	spin_unlock(&dcache_lock);
	return found;
}

void dcache_counts(uint64_t *ret_all, uint64_t *ret_unused)
{
	*ret_all = n_all;
	*ret_unused = n_lru;
}

/* A page holds about twenty dentries; an inode that goes with one is worth more. */
static size_t shrink(size_t pages)
{
	return dcache_prune(pages * 16) / 16;
}

static struct shrinker dcache_shrinker = { .shrink = shrink };

void dcache_init(void)
{
	uint64_t pages = page_get_total();
	uint32_t n = TABLE_MIN;

	while (n < TABLE_MAX && n < pages / PAGES_PER_BUCKET)
		n *= 2;
	table = heap_alloc_array(n, sizeof *table);
	dentry_cache = slab_cache_new("dentry", sizeof(struct dentry), 0);
	insist(table && dentry_cache);
	for (uint32_t k = 0; k < n; k++)
		list_init(&table[k]);
	table_mask = n - 1;
	lru_max = (size_t)n * 8;
	shrinker_register(&dcache_shrinker);
}

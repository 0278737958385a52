/*
 * The page cache: all cached pages of one inode, shared by read, write and every mapping.
 *
 * Always true:
 *  M1  a page in `pages` has page->mapping == this and page->index == its key, and one
 *      reference of the tree's own;
 *  M2  a page is put into user page tables only while PF_UPTODATE and still in the tree,
 *      checked under the space's page-table lock;
 *  M3  truncation first takes pages out of the tree, then out of all address spaces.
 */
#ifndef MM_MAPPING_H
#define MM_MAPPING_H

#include "core/wait.h"
#include "lib/radix.h"
#include "mm/page.h"
#include "mm/usercopy.h"

struct mapping;

struct mapping_ops {
	/* Fills pages [index, index+n) that are locked and not up to date, and sets
	 * PF_UPTODATE or PF_ERROR on each; may sleep. n is 1 unless readahead asked for
	 * more. NULL: pages start as zeroes (tmpfs). 0 or -errno. */
	int (*read_pages)(struct mapping *m, struct page **pages, size_t n);
	/* Accounts a new page of a memory file system: 0 or -ENOSPC. NULL: none. */
	int (*charge)(struct mapping *m);
	void (*uncharge)(struct mapping *m, size_t pages);
};

struct mapping {
	const struct mapping_ops *ops; /* [I] */
	void *host;		       /* [I] the inode; opaque here */
	struct spinlock lock;	       /* RANK_MAPPING_TREE */
	struct radix pages;	       /* [lock] index -> struct page */
	uint64_t n_pages;	       /* [lock] */
	struct list areas;	       /* [lock] areas that map it: rmap for truncate */
	/* file size in bytes as faults see it; owner sets */
	_Atomic uint64_t size;
	_Atomic uint32_t writable_maps; /* shared writable areas */
	bool reclaimable;		/* [I] clean pages may be dropped (disk-backed) */
};

#define READAHEAD_MAX 64 /* pages that one call of read_pages is given */

/* Its pages come from somewhere; else they begin as zeros. */
static inline bool mapping_is_read(const struct mapping *m)
{
	return m->ops && m->ops->read_pages;
}

/* One past the last page that holds bytes of the file. */
static inline uint64_t mapping_end(const struct mapping *m)
{
	uint64_t size = m->size;
	return (size >> PAGE_SHIFT) + !!(size % PAGE_SIZE);
}

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host,
		  bool reclaimable);
void mapping_fini(struct mapping *m); /* no areas left; frees all pages */

/* The page at index, up to date, with a reference. Reads or zero-fills when absent;
 * readahead for sequential callers up to `ahead` pages. 0, -ENOMEM, -EIO, -ENOSPC. */
must_use int mapping_get(struct mapping *m, uint64_t index, size_t ahead,
			 struct page **ret);
/* Only if it is there and up to date; NULL otherwise. With a reference. */
must_use struct page *mapping_find(struct mapping *m, uint64_t index);
/* Drops everything at and past `size`, zeroes the rest of the last page, unmaps from all
 * address spaces, sets m->size. */
void mapping_truncate(struct mapping *m, uint64_t size);
/* Frees whole pages in [start, end) bytes and zeroes partial ones. */
void mapping_punch(struct mapping *m, uint64_t start, uint64_t end);
/* Next index >= from that is cached; false when there is none (SEEK_DATA on tmpfs). */
bool mapping_next(struct mapping *m, uint64_t from, uint64_t *ret);

/* Plain file read and write through the cache. Byte counts or -errno when none. */
must_use int64_t mapping_read(struct mapping *m, uint64_t pos, struct uio *u);
/* Extends m->size as it goes; the caller holds the inode's lock. */
must_use int64_t mapping_write(struct mapping *m, uint64_t pos, struct uio *u);

#endif

/*
 * Physical pages: a buddy allocator with per-CPU caches of single pages.
 *
 * Always true:
 *  P1  a page is free, or owned by exactly one kind of user (enum page_kind);
 *  P2  a page's last page_put frees it; free pages' count of references is 0;
 *  P3  pages handed to user space or asked for with PAGE_ZERO hold only zeroes.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "arch/arch.h"
#include "core/ref.h"
#include "lib/list.h"

#define PAGE_ORDER_MAX 10 /* 4 MiB */

enum page_kind {
	PAGE_KIND_FREE,
	PAGE_KIND_KERNEL, /* kernel data, page tables, stacks */
	PAGE_KIND_SLAB,
	PAGE_KIND_ANON,	  /* private memory of processes; refs = mappings + holders */
	PAGE_KIND_CACHE,  /* page cache: mapping and index are set */
	PAGE_KIND_RESERVED,
};

enum page_flag {
	PF_UPTODATE = 1, /* cache: holds the file's bytes */
	PF_DIRTY = 2,
	PF_RECLAIM = 4,	 /* cache: may be dropped and read again; on the LRU list */
	PF_ACCESSED = 8,
	PF_ERROR = 16,	 /* cache: reading failed */
	PF_LOCKED = 32,	 /* cache: being filled */
};

struct page {
	struct ref refs;
	_Atomic uint16_t flags;	 /* enum page_flag */
	uint8_t kind;		 /* enum page_kind */
	uint8_t order;		 /* of the block this page heads */
	struct list link;	 /* [owner] free list, LRU, slab list */
	union {
		struct {
			struct mapping *mapping; /* cache; NULL: truncated */
			uint64_t index;		 /* in pages */
		};
		struct {
			struct slab_cache *cache; /* slab */
			void *free_objects;
			uint32_t in_use;
		};
		void *priv;
	};
	_Atomic uint32_t mapped; /* user page-table entries that point here */
};

enum page_flags_alloc {
	PAGE_ZERO = 1,
	PAGE_ATOMIC = 2, /* never sleeps or reclaims; may use the reserve */
	PAGE_USER = 4,	 /* for a job's memory: leaves the kernel's reserve alone, reclaims */
};

/* 2^order pages with one reference, or NULL. */
must_use struct page *page_alloc(unsigned order, uint32_t flags);
void page_free(struct page *p, unsigned order); /* the last reference, known to be so */
static inline void page_get(struct page *p)
{
	ref_get(&p->refs);
}
void page_put(struct page *p);

void *page_va(const struct page *p);
paddr_t page_pa(const struct page *p);
struct page *pa_page(paddr_t pa); /* NULL: not RAM we manage */
struct page *va_page(const void *va);

/* Single kernel page as memory. */
must_use void *page_mem_alloc(uint32_t flags);
void page_mem_free(void *va);

struct page_stats {
	uint64_t total, free, cached, anon, slab, kernel, page_tables, reclaimable, shmem;
};
void page_stats_get(struct page_stats *ret); /* in pages */

/* A layer above that can give memory back (dentries, inodes): returns pages freed, about. */
struct shrinker {
	struct list link;
	size_t (*shrink)(size_t pages);
};
void shrinker_register(struct shrinker *s);
/* Chosen by proc: kills a process to free memory. True when one was killed or is dying. */
void page_set_oom_handler(bool (*fn)(void));

void page_init(void); /* from boot_info's memory map */

#endif

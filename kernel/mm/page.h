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
	PAGE_KIND_RESERVED, /* 0: what was never given to the allocator */
	PAGE_KIND_FREE,
	PAGE_KIND_KERNEL, /* kernel data, page tables, stacks */
	PAGE_KIND_SLAB,
	PAGE_KIND_ANON,	 /* private memory of processes; refs = mappings + holders */
	PAGE_KIND_CACHE, /* page cache: mapping and index are set */
	PAGE_KIND_N,
};

enum page_flag {
	PF_UPTODATE = 1, /* cache: holds the file's bytes */
	PF_DIRTY = 2,
	PF_RECLAIM = 4, /* cache: may be dropped and read again; on the LRU list */
	PF_ACCESSED = 8,
	PF_ERROR = 16,	  /* cache: reading failed */
	PF_LOCKED = 32,	  /* cache: being filled, or about to leave the tree */
	PF_BUDDY = 64,	  /* free: heads a block on a free list of the buddy allocator */
	PF_TREE = 128,	  /* cache: still in its mapping's tree (M1, M2) */
	PF_WAITERS = 256, /* cache: somebody sleeps until PF_LOCKED goes */
	PF_HEAP = 512,	  /* kernel: a block of heap_alloc's */
};

struct page {
	struct ref refs;
	_Atomic uint16_t flags; /* enum page_flag */
	uint8_t kind;		/* enum page_kind */
	uint8_t order;		/* of the block this page heads */
	struct list link;	/* [owner] free list, LRU, slab list */
	union {
		struct {
			struct mapping *mapping; /* cache; stays when PF_TREE goes */
			uint64_t index;		 /* in pages */
		};
		struct {
			struct slab_cache *cache; /* slab */
			void *free_objects;
			uint16_t in_use, carved;
		};
		void *priv;
	};
	_Atomic uint32_t mapped; /* cache: user page-table entries that point here */
	uint64_t spare;
};
_Static_assert(sizeof(struct page) == 64, "page indexes are shifts");

enum page_flags_alloc {
	PAGE_ZERO = 1,
	PAGE_ATOMIC = 2, /* never sleeps or reclaims; may use the reserve */
	/* for a job's memory: leaves the kernel's reserve alone, reclaims */
	PAGE_USER = 4,
	/* PAGE_ATOMIC | PAGE_USER: does not sleep and leaves the reserve alone. */
};

/* 2^order pages with one reference, or NULL; PAGE_KIND_KERNEL. Any context with
 * PAGE_ATOMIC, else one that may sleep. */
must_use struct page *page_alloc(unsigned order, uint32_t flags);
must_use struct page *page_alloc_kind(unsigned order, uint32_t flags,
				      enum page_kind kind);
void page_free(struct page *p, unsigned order); /* the last reference, known to be so */
static inline void page_get(struct page *p)
{
	ref_get(&p->refs);
}
void page_put(struct page *p);

/* Where RAM is: pages are numbered from physical 0, less the one big hole below 4 GiB. */
struct page_map {
	struct page *pages;  /* [I] by index; valid from page_init on */
	char *direct;	     /* [I] the direct map's address of physical 0 */
	uint64_t n;	     /* [I] pages, a multiple of the largest block */
	uint64_t hole_start; /* [I] first page number in the hole */
	uint64_t hole_pages; /* [I] multiple of the largest block; 0: no hole */
};
extern struct page_map page_map;

static inline uint64_t page_index(const struct page *p)
{
	return (uint64_t)(p - page_map.pages);
}

static inline paddr_t page_pa(const struct page *p)
{
	uint64_t i = page_index(p);
	return (i + (i >= page_map.hole_start ? page_map.hole_pages : 0)) << PAGE_SHIFT;
}

static inline void *page_va(const struct page *p)
{
	return page_map.direct + page_pa(p);
}

/* NULL: not RAM we manage. For RAM that was never handed out the fields mean nothing. */
static inline struct page *pa_page(paddr_t pa)
{
	uint64_t i = pa >> PAGE_SHIFT;
	if (i >= page_map.hole_start) {
		if (i < page_map.hole_start + page_map.hole_pages)
			return NULL;
		i -= page_map.hole_pages;
	}
	return i < page_map.n ? &page_map.pages[i] : NULL;
}

static inline struct page *va_page(const void *va) /* of the direct map */
{
	return pa_page((paddr_t)((const char *)va - page_map.direct));
}

static inline bool page_flag_test(const struct page *p, uint32_t flag)
{
	return __atomic_load_n((const uint16_t *)&p->flags, __ATOMIC_ACQUIRE) & flag;
}

static inline void page_flag_set(struct page *p, uint32_t flag)
{
	__atomic_fetch_or((uint16_t *)&p->flags, (uint16_t)flag, __ATOMIC_ACQ_REL);
}

/* True if one of the flags was set. */
static inline bool page_flag_clear(struct page *p, uint32_t flag)
{
	return __atomic_fetch_and((uint16_t *)&p->flags, (uint16_t)~flag,
				  __ATOMIC_ACQ_REL) &
	       flag;
}

/* Single kernel page as memory. */
must_use void *page_mem_alloc(uint32_t flags);
void page_mem_free(void *va);

struct page_stats {
	uint64_t total, free, cached, anon, slab, kernel, page_tables, reclaimable, shmem;
	uint64_t peak;	 /* most that was ever out of the buddy allocator */
	uint64_t mapped; /* cached ones that processes have in their page tables */
	uint64_t kstacks;
	uint64_t min_flt, maj_flt; /* faults so far */
};
void page_stats_get(struct page_stats *ret); /* in pages */
uint64_t page_get_total(void);		     /* its ->total */
uint64_t page_reserve(void);		     /* pages that jobs leave to the kernel */
/* Free blocks of each order, /proc/buddyinfo. */
void page_blocks_get(uint64_t ret[PAGE_ORDER_MAX + 1]);
/* What is only counted, per CPU: changes of a sum, or things that happened. */
enum page_event { EVENT_MAPPED, EVENT_FAULT, EVENT_MAJOR_FAULT, EVENT_N };
void page_event_add(enum page_event e, int64_t n);
void page_kind_set(struct page *p, enum page_kind kind); /* of a page in use */

/* A layer above that can give memory back (dentries, inodes): returns pages freed,
 * about. */
struct shrinker {
	struct list link;
	size_t (*shrink)(size_t pages);
};
void shrinker_register(struct shrinker *s);
/* Chosen by proc: kills a process to free memory. True when one was killed or is
 * dying. */
void page_set_oom_handler(bool (*fn)(void));

enum reclaim_why {
	/* None rather than what is in use: then page_oom has to find some (refault.h). */
	RECLAIM_FOR_JOB,
	RECLAIM_FOR_KERNEL,
	RECLAIM_ASKED, /* memory may not be short at all */
};
/* Frees what can be freed at no loss, about `pages` pages; may sleep. Pages freed. */
size_t page_reclaim(size_t pages, enum reclaim_why why);
/* No memory for a user: reclaims, then asks the oom handler and waits for its effect.
 * True: worth trying again. False: give up, with -ENOMEM. */
bool page_oom(void);

void page_init(void); /* from boot_info's memory map */
/* Gives RAM that was `taken` to the allocator (the loader's, once unneeded). Whole pages
 * only. */
void page_give(paddr_t start, paddr_t end);

#endif

/* Between the files of the page allocator. */
#ifndef MM_PAGE_INTERNAL_H
#define MM_PAGE_INTERNAL_H

#include "mm/buddy.h"
#include "mm/page.h"

extern struct buddy page_buddy;

struct boot_mem;
/* page_init's work. The map is sorted and page-aligned, without overlaps (boot_info's
 * B1). */
void page_init_map(const struct boot_mem *map, size_t n);
/* Sets the size of managed memory and the watermarks that follow from it. */
void page_set_total(uint64_t pages);
uint32_t page_boot_cpus(void); /* how many CPUs there will be */
uint64_t page_free_count(void);
/* Gives the pages that CPUs hold ready back to the buddy allocator. Interrupts on. */
void page_drain_cpus(void);

void space_drain(void); /* this CPU's address space that awaits its end */
void table_drain(void); /* this CPU's page tables that are ready for use */

uint64_t kstack_pages(void); /* of kernel stacks, in use or kept */

/* The reclaim list: cached pages that can be read again. Callers hold the mapping's
 * lock. */
void page_lru_add(struct page *p);
void page_lru_del(struct page *p); /* fine if it is not on the list */
uint64_t page_lru_count(void);
void reclaim_init(void);

/* Counters kept by the page cache and the address spaces, in pages. */
extern _Atomic uint64_t page_shmem, page_tables;

#endif

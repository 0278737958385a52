/* Between slab.c, heap.c and reclaim. */
#ifndef MM_SLAB_INTERNAL_H
#define MM_SLAB_INTERNAL_H

#include "mm/slab.h"

/* Empty slabs and what this CPU hoards. Pages freed. */
size_t slab_shrink(void);

/* Free space between two vmap ranges is at least a page: no access runs into the next. */
void heap_init(void);
void radix_heap_init(void);

bool vmap_contains(const void *va);
/* Without the size: frees up to the guard page. */
void vmap_free_any(void *va);
void vmap_init(void);

#endif

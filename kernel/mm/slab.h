/*
 * Small kernel objects. Named caches for the frequent kinds, heap_* for the rest. Memory
 * from heap_zalloc and slab_zalloc is zeroed. Larger than a page: vmap'd or buddy blocks.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "arch/arch.h"

struct slab_cache;

/* Cache of objects of `size` bytes; `align` a power of two or 0. NULL: no memory. */
must_use struct slab_cache *slab_cache_new(const char *name, size_t size, size_t align);
must_use void *slab_alloc(struct slab_cache *c);
must_use void *slab_zalloc(struct slab_cache *c);
/* any context; uses the reserve */
must_use void *slab_alloc_atomic(struct slab_cache *c);
void slab_free(struct slab_cache *c, void *obj); /* NULL is fine */

must_use void *heap_alloc(size_t size); /* NULL: no memory. Any size up to 4 MiB */
must_use void *heap_zalloc(size_t size);
must_use void *heap_alloc_atomic(size_t size);
must_use char *heap_strdup(const char *s, size_t len); /* adds the NUL */
void heap_free(void *p);			       /* NULL is fine */
/* n*size with the overflow check; NULL on overflow too. */
must_use void *heap_alloc_array(size_t n, size_t size);

/* Nodes for lib/radix.h trees; never sleeps, so fit for insertion under a spinlock. */
struct radix_ops;
extern const struct radix_ops radix_heap_ops;

/* Contiguous kernel addresses of scattered pages, guard page on both sides. */
must_use void *vmap_alloc(size_t size);
void vmap_free(void *va, size_t size);
must_use void *kstack_alloc(void); /* KSTACK_SIZE, cached per CPU; lowest address */
void kstack_free(void *stack);

/* For /proc/slabinfo and leak accounting. */
struct slab_info {
	const char *name;
	size_t size, objects, in_use, pages;
	size_t slabs, per_slab, pages_per_slab;
};
/* The i-th cache; false past the last. */
bool slab_info_get(size_t i, struct slab_info *ret);

void slab_init(void);

#endif

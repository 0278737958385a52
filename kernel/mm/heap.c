/*
 * heap_*: kernel memory by size. Up to a page from slab caches of fixed sizes, up to 32
 * KiB as a block of pages, beyond that (or when memory is too scattered) through vmap.
 */
#include "core/panic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab_internal.h"

#define GRAIN 16
#define SLAB_LIMIT 4096
#define BLOCK_ORDER_MAX 3
#define HEAP_LIMIT MIB(4)

static const struct {
	const char *name;
	uint16_t size;
} classes[] = {
	{ "heap-16", 16 },     { "heap-32", 32 },     { "heap-48", 48 },
	{ "heap-64", 64 },     { "heap-96", 96 },     { "heap-128", 128 },
	{ "heap-192", 192 },   { "heap-256", 256 },   { "heap-384", 384 },
	{ "heap-512", 512 },   { "heap-768", 768 },   { "heap-1024", 1024 },
	{ "heap-1536", 1536 }, { "heap-2048", 2048 }, { "heap-3072", 3072 },
	{ "heap-4096", 4096 },
};

static struct slab_cache *heap_cache[ARRAY_LEN(classes)]; /* [I] after heap_init */
static uint8_t class_of[SLAB_LIMIT / GRAIN + 1];	  /* [I] by size in grains */

void heap_init(void)
{
	size_t grains = 0;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		heap_cache[i] = slab_cache_new(classes[i].name, classes[i].size, 0);
		insist(heap_cache[i]);
		for (; grains <= classes[i].size / GRAIN; grains++)
			class_of[grains] = (uint8_t)i;
	}
}

static void *block_alloc(size_t size, uint32_t flags)
{
	unsigned order = 0;
	while (PAGE_SIZE << order < size)
		order++;
	struct page *p = page_alloc(order, flags);
	if (!p)
		return NULL;
	page_flag_set(p, PF_HEAP);
	return page_va(p);
}

void *heap_alloc(size_t size)
{
	if (likely(size <= SLAB_LIMIT))
		return slab_alloc(heap_cache[class_of[(size + GRAIN - 1) / GRAIN]]);
	void *p = NULL;
	if (size <= PAGE_SIZE << BLOCK_ORDER_MAX)
		p = block_alloc(size, 0);
	return p || size > HEAP_LIMIT ? p : vmap_alloc(size);
}

void *heap_alloc_atomic(size_t size)
{
	if (likely(size <= SLAB_LIMIT))
		return slab_alloc_atomic(
			heap_cache[class_of[(size + GRAIN - 1) / GRAIN]]);
	return size <= PAGE_SIZE << BLOCK_ORDER_MAX ? block_alloc(size, PAGE_ATOMIC)
						    : NULL;
}

void *heap_zalloc(size_t size)
{
	void *p = heap_alloc(size);
	if (p)
		memset(p, 0, size);
	return p;
}

void *heap_alloc_array(size_t n, size_t size)
{
	size_t bytes;
	return __builtin_mul_overflow(n, size, &bytes) ? NULL : heap_alloc(bytes);
}

char *heap_strdup(const char *s, size_t len)
{
	char *d = len < SIZE_MAX ? heap_alloc(len + 1) : NULL;
	if (d) {
		memcpy(d, s, len);
		d[len] = 0;
	}
	return d;
}

void heap_free(void *va)
{
	if (!va)
		return;
	if (unlikely(vmap_contains(va))) {
		vmap_free_any(va);
		return;
	}
	struct page *p = va_page(va);
	insist(p);
	if (likely(p->kind == PAGE_KIND_SLAB)) {
		slab_free(p->cache, va);
		return;
	}
	insist(p->kind == PAGE_KIND_KERNEL && page_flag_test(p, PF_HEAP));
	page_free(p, p->order);
}

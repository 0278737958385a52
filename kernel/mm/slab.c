/*
 * Slab caches: objects of one size carved from blocks of 1..8 pages, behind per-CPU
 * magazines.
 *
 * Always true:
 *  L1  an object is with its user, in one CPU's magazine, or on its slab's free list; the
 *      latter two carry the free mark in their second word, checked when they come and
 *      go;
 *  L2  page->in_use counts the slab's objects that are not on its free list and were
 *      carved; a slab is on cache->partial exactly while it can give an object;
 *  L3  the free list's links are stored mixed with a secret and their own address.
 *
 * Locks: cache->lock (RANK_SLAB, interrupts off) guards slabs; a magazine belongs to its
 * CPU, and an interrupt handler that finds it busy goes to the slabs.
 */
#include "mm/slab.h"

#include "core/panic.h"
#include "core/sched.h"
#include "core/spinlock.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab_internal.h"

#define MAG_MAX 30
#define SLAB_MIN_OBJECTS 4
#define SLAB_ORDER_MAX 3
#define OBJECT_MIN 16

struct magazine {
	uint32_t busy;
	uint32_t n;
	void *obj[MAG_MAX];
};

struct slab_cache {
	const char *name;	       /* [I] */
	uint32_t size;		       /* [I] of an object, with alignment */
	uint32_t per_slab;	       /* [I] objects */
	uint32_t mag_size;	       /* [I] 0: no magazines */
	uint8_t order;		       /* [I] of a slab */
	struct spinlock lock;	       /* RANK_SLAB */
	struct list partial;	       /* [lock] pages with something to give */
	uint32_t empty;		       /* [lock] of those, with no object in use */
	uint64_t slabs, objects;       /* [lock] objects: out of the slabs */
	struct magazine *mag[CPU_MAX]; /* [own CPU] made on first use */
	struct slab_cache *next;       /* [caches_lock] */
};

struct free_object {
	uint64_t next; /* mixed (L3) */
	uint64_t mark;
};

static uint64_t secret; /* [I] after slab_init */
static struct spinlock caches_lock = SPINLOCK_INIT(RANK_SLAB);
static struct slab_cache *caches; /* [caches_lock] all; only grows */
static struct slab_cache cache_cache, magazine_cache;

static inline void barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline uint64_t object_mark(const void *obj)
{
	return ((uint64_t)obj ^ secret) * 0x9e3779b97f4a7c15ul;
}

static inline uint64_t link_mix(const void *at, const void *next)
{
	return (uint64_t)next ^ secret ^ __builtin_bswap64((uint64_t)at);
}

static inline void object_mark_free(struct slab_cache *c, void *obj)
{
	struct free_object *o = obj;
	if (unlikely(o->mark == object_mark(obj)))
		panic("slab %s: object %p freed twice", c->name, obj);
	o->mark = object_mark(obj);
}

static inline void object_mark_used(struct slab_cache *c, void *obj)
{
	struct free_object *o = obj;
	if (unlikely(o->mark != object_mark(obj)))
		panic("slab %s: free object %p was written to", c->name, obj);
	o->mark = 0;
}

/* The slab an object lies in; panics when it is not one of this cache. */
static struct page *slab_of(struct slab_cache *c, const void *obj)
{
	struct page *p = va_page(obj);
	insist(p);
	p = &page_map.pages[ALIGN_DOWN(page_index(p), 1ul << c->order)];
	insist(p->kind == PAGE_KIND_SLAB && p->cache == c);
	insist((uint32_t)((uint64_t)obj - (uint64_t)page_va(p)) % c->size == 0);
	return p;
}

/* ---- slabs, under c->lock ---- */

static void *slab_take(struct slab_cache *c, struct page *p)
{
	void *obj = p->free_objects;

	if (obj) {
		struct free_object *o = obj;
		uint64_t next = link_mix(&o->next, NULL) ^ o->next;
		if (unlikely(next && va_page((void *)next) != va_page(obj) &&
			     slab_of(c, (void *)next) != p))
			panic("slab %s: free list of %p is corrupt", c->name, obj);
		p->free_objects = (void *)next;
	} else {
		obj = (char *)page_va(p) + (uint64_t)p->carved * c->size;
		p->carved++;
		((struct free_object *)obj)->mark = object_mark(obj);
	}
	c->empty -= p->in_use == 0;
	p->in_use++;
	c->objects++;
	if (!p->free_objects && p->carved == c->per_slab)
		list_del(&p->link);
	return obj;
}

/* Puts a marked object back. True: the slab is now superfluous and off all lists. */
static bool slab_put(struct slab_cache *c, struct page *p, void *obj)
{
	struct free_object *o = obj;
	bool was_full = !p->free_objects && p->carved == c->per_slab;

	o->next = link_mix(&o->next, p->free_objects);
	p->free_objects = obj;
	insist(p->in_use > 0);
	p->in_use--;
	c->objects--;
	if (was_full)
		list_push_front(&c->partial, &p->link);
	if (p->in_use)
		return false;
	if (c->empty) {
		list_del(&p->link);
		c->slabs--;
		return true;
	}
	c->empty++;
	return false;
}

/* A new slab; c->lock not held. False: no memory. Every page of it names the cache, so
 * that heap_free finds it from any object. */
static bool slab_grow(struct slab_cache *c, uint32_t flags)
{
	struct page *p = page_alloc_kind(c->order, flags, PAGE_KIND_SLAB);
	if (!p)
		return false;
	for (size_t i = 0; i < 1ul << c->order; i++) {
		p[i].kind = PAGE_KIND_SLAB;
		p[i].cache = c;
	}
	p->free_objects = NULL;
	p->in_use = 0;
	p->carved = 0;
	uint64_t f = spin_lock_irq(&c->lock);
	list_push_back(&c->partial, &p->link);
	c->slabs++;
	c->empty++;
	spin_unlock_irq(&c->lock, f);
	return true;
}

static void slab_release(struct slab_cache *c, struct page *p)
{
	for (size_t i = 1; i < 1ul << c->order; i++)
		p[i].kind = PAGE_KIND_FREE;
	page_free(p, c->order);
}

/* Up to n objects from the slabs; grows when there is none. How many. */
static size_t slab_take_bulk(struct slab_cache *c, void **ret, size_t n, uint32_t flags)
{
	size_t got = 0;

	do {
		uint64_t f = spin_lock_irq(&c->lock);
		while (got < n && !list_empty(&c->partial))
			ret[got++] =
				slab_take(c, list_first(&c->partial, struct page, link));
		spin_unlock_irq(&c->lock, f);
	} while (!got && slab_grow(c, flags));
	return got;
}

static void slab_put_bulk(struct slab_cache *c, void **objs, size_t n)
{
	struct list dead = LIST_INIT(dead);

	uint64_t f = spin_lock_irq(&c->lock);
	for (size_t i = 0; i < n; i++) {
		struct page *p = slab_of(c, objs[i]);
		if (slab_put(c, p, objs[i]))
			list_push_back(&dead, &p->link);
	}
	spin_unlock_irq(&c->lock, f);
	list_for_each_safe(p, &dead, struct page, link) slab_release(c, p);
}

/* ---- magazines ---- */

static cold struct magazine *magazine_new(struct slab_cache *c)
{
	void *m;
	if (!c->mag_size || slab_take_bulk(&magazine_cache, &m, 1, PAGE_ATOMIC) != 1)
		return NULL;
	object_mark_used(&magazine_cache, m);
	memset(m, 0, sizeof(struct magazine));
	/* An interrupt may have made one meanwhile; then this one is kept instead: it is
	 * the same CPU, and the other can hold nothing that is not in the slabs'
	 * books. */
	struct magazine **slot = &c->mag[cpu_id()];
	if (*slot) {
		((struct free_object *)m)->mark = object_mark(m);
		slab_put_bulk(&magazine_cache, &m, 1);
	} else {
		*slot = m;
	}
	return *slot;
}

static inline struct magazine *magazine_here(struct slab_cache *c)
{
	struct magazine *m = c->mag[cpu_id()];
	return likely(m != NULL) ? m : magazine_new(c);
}

static void *cache_alloc(struct slab_cache *c, uint32_t flags)
{
	struct magazine *m = magazine_here(c);
	void *obj = NULL;

	if (likely(m && !m->busy)) {
		m->busy = 1;
		barrier();
		if (unlikely(!m->n))
			m->n = (uint32_t)slab_take_bulk(c, m->obj, c->mag_size / 2,
							PAGE_ATOMIC | PAGE_USER);
		if (likely(m->n))
			obj = m->obj[--m->n];
		barrier();
		m->busy = 0;
	}
	/* May sleep, so outside the magazine. */
	if (unlikely(!obj) && slab_take_bulk(c, &obj, 1, flags) != 1)
		return NULL;
	object_mark_used(c, obj);
	return obj;
}

void slab_free(struct slab_cache *c, void *obj)
{
	if (!obj)
		return;
	struct magazine *m = magazine_here(c);
	object_mark_free(c, obj);
	if (unlikely(!m || m->busy)) {
		slab_put_bulk(c, &obj, 1);
		return;
	}
	m->busy = 1;
	barrier();
	if (unlikely(m->n == c->mag_size)) {
		uint32_t half = c->mag_size / 2;
		m->n -= half;
		slab_put_bulk(c, &m->obj[m->n], half);
	}
	m->obj[m->n++] = obj;
	barrier();
	m->busy = 0;
}

void *slab_alloc(struct slab_cache *c)
{
	return cache_alloc(c, 0);
}

void *slab_alloc_atomic(struct slab_cache *c)
{
	return cache_alloc(c, PAGE_ATOMIC);
}

void *slab_zalloc(struct slab_cache *c)
{
	void *obj = cache_alloc(c, 0);
	if (obj)
		memset(obj, 0, c->size);
	return obj;
}

/* ---- caches ---- */

static void cache_setup(struct slab_cache *c, const char *name, size_t size, size_t align)
{
	unsigned order = 0;

	size = ALIGN_UP(MAX(size, (size_t)OBJECT_MIN), MAX(align, sizeof(uint64_t)));
	while (order < SLAB_ORDER_MAX && (PAGE_SIZE << order) / size < SLAB_MIN_OBJECTS)
		order++;
	insist((PAGE_SIZE << order) >= size);
	*c = (struct slab_cache){
		.name = name,
		.size = (uint32_t)size,
		.order = (uint8_t)order,
		.per_slab = (uint32_t)((PAGE_SIZE << order) / size),
		.mag_size = size <= 256	   ? MAG_MAX
			    : size <= 1024 ? 16
					   : 8,
	};
	spin_init(&c->lock, RANK_SLAB);
	list_init(&c->partial);
	uint64_t f = spin_lock_irq(&caches_lock);
	c->next = caches;
	__atomic_store_n(&caches, c, __ATOMIC_RELEASE);
	spin_unlock_irq(&caches_lock, f);
}

struct slab_cache *slab_cache_new(const char *name, size_t size, size_t align)
{
	insist(size <= PAGE_SIZE << SLAB_ORDER_MAX);
	struct slab_cache *c = slab_alloc(&cache_cache);
	if (c)
		cache_setup(c, name, size, align);
	return c;
}

/* Frees the slabs of c that nothing uses. */
static size_t cache_shrink(struct slab_cache *c)
{
	struct magazine *m = c->mag[cpu_id()];
	struct list dead = LIST_INIT(dead);
	size_t freed = 0;

	if (m && !m->busy && m->n) {
		m->busy = 1;
		barrier();
		slab_put_bulk(c, m->obj, m->n);
		m->n = 0;
		barrier();
		m->busy = 0;
	}
	uint64_t f = spin_lock_irq(&c->lock);
	list_for_each_safe(p, &c->partial, struct page, link)
	{
		if (p->in_use)
			continue;
		list_del(&p->link);
		list_push_back(&dead, &p->link);
		c->slabs--;
		c->empty--;
	}
	spin_unlock_irq(&c->lock, f);
	list_for_each_safe(p, &dead, struct page, link)
	{
		slab_release(c, p);
		freed += 1ul << c->order;
	}
	return freed;
}

size_t slab_shrink(void)
{
	size_t freed = 0;
	for (struct slab_cache *c = __atomic_load_n(&caches, __ATOMIC_ACQUIRE); c;
	     c = c->next)
		freed += cache_shrink(c);
	return freed;
}

bool slab_info_get(size_t i, struct slab_info *ret)
{
	struct slab_cache *c = __atomic_load_n(&caches, __ATOMIC_ACQUIRE);
	while (c && i--)
		c = c->next;
	if (!c)
		return false;
	uint64_t held = 0;
	for (uint32_t k = 0; k < CPU_MAX; k++) {
		struct magazine *m = c->mag[k];
		held += m ? m->n : 0;
	}
	uint64_t f = spin_lock_irq(&c->lock);
	*ret = (struct slab_info){
		.name = c->name,
		.size = c->size,
		.objects = c->slabs * c->per_slab,
		.in_use = c->objects - MIN(held, c->objects),
		.pages = c->slabs << c->order,
		.slabs = c->slabs,
		.per_slab = c->per_slab,
		.pages_per_slab = 1ul << c->order,
	};
	spin_unlock_irq(&c->lock, f);
	return true;
}

static const struct thread_memory_ops thread_memory = {
	.stack_alloc = kstack_alloc,
	.stack_free = kstack_free,
	.zalloc = heap_zalloc,
	.free = heap_free,
};

void slab_init(void)
{
	if (arch_hw_random(&secret, sizeof secret) != sizeof secret)
		secret = __builtin_ia32_rdtsc() * 0x9e3779b97f4a7c15ul;
	cache_setup(&cache_cache, "slab_cache", sizeof(struct slab_cache), 64);
	cache_setup(&magazine_cache, "slab_magazine", sizeof(struct magazine), 0);
	magazine_cache.mag_size = 0;
	heap_init();
	radix_heap_init();
	vmap_init();
	thread_set_memory_ops(&thread_memory);
}

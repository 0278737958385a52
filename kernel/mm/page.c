/*
 * The page allocator's front: per-CPU stacks of single pages before the buddy allocator,
 * watermarks, and what happens when memory runs short.
 *
 * A CPU's stack needs no lock: kernel code is not preempted, and an interrupt handler
 * that finds `busy` set goes to the buddy allocator instead.
 */
#include "mm/page.h"

#include "core/panic.h"
#include "core/sched.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/page_internal.h"

#define STACK_MAX 256
#define STACK_MIN 16

struct page_cpu {
	uint32_t busy;
	uint32_t n;
	struct page *stack[STACK_MAX];
	/* pages this CPU made of the kind, less those unmade */
	int64_t kinds[PAGE_KIND_N];
	int64_t events[EVENT_N];
} aligned_to(64);

struct page_map page_map;
struct buddy page_buddy;
_Atomic uint64_t page_shmem, page_tables;
static struct page_cpu cpus[CPU_MAX];
static uint32_t stack_limit = STACK_MIN; /* pages a CPU may hoard */
static uint64_t reserve;		 /* pages that jobs leave to the kernel */
static uint64_t total;			 /* pages that were ever given to the allocator */
/* [page_buddy.lock] pages that were free at the worst */
static uint64_t least_free = UINT64_MAX;

/* One instruction, so an interrupt on this CPU cannot tear it. */
static inline void count_add(int64_t *n, int64_t v)
{
	__asm__ volatile("addq %1, %0" : "+m"(*n) : "er"(v));
}

static inline void barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

/* Free pages that an allocation with these flags must leave. */
static uint64_t watermark(uint32_t flags)
{
	if (flags & PAGE_USER)
		return reserve;
	return flags & PAGE_ATOMIC ? 0 : reserve / 2;
}

static struct page *buddy_get(unsigned order, uint32_t flags)
{
	struct page *p = NULL;
	uint64_t f = spin_lock_irq(&page_buddy.lock);

	if (page_buddy.n_free >= watermark(flags) + (1ul << order))
		p = buddy_take(&page_buddy, order);
	least_free = MIN(least_free, page_buddy.n_free);
	spin_unlock_irq(&page_buddy.lock, f);
	return p;
}

static void stack_refill(struct page_cpu *c, uint32_t flags)
{
	uint64_t f = spin_lock_irq(&page_buddy.lock);
	uint64_t keep = watermark(flags);

	if (page_buddy.n_free > keep) {
		uint64_t n = MIN((uint64_t)stack_limit / 4, page_buddy.n_free - keep);
		c->n = (uint32_t)buddy_take_bulk(&page_buddy, c->stack, n);
		least_free = MIN(least_free, page_buddy.n_free);
	}
	spin_unlock_irq(&page_buddy.lock, f);
}

static struct page *stack_pop(uint32_t flags)
{
	struct page_cpu *c = &cpus[cpu_id()];
	struct page *p = NULL;

	if (unlikely(c->busy))
		return NULL;
	c->busy = 1;
	barrier();
	if (unlikely(!c->n))
		stack_refill(c, flags);
	if (likely(c->n))
		p = c->stack[--c->n];
	barrier();
	c->busy = 0;
	return p;
}

/* Hands n pages from the bottom of a stack back to the buddy allocator. */
static void stack_flush(struct page_cpu *c, uint32_t n)
{
	uint64_t f = spin_lock_irq(&page_buddy.lock);
	buddy_give_bulk(&page_buddy, c->stack, n);
	spin_unlock_irq(&page_buddy.lock, f);
	c->n -= n;
	memmove(c->stack, c->stack + n, c->n * sizeof c->stack[0]);
}

static bool stack_push(struct page *p)
{
	struct page_cpu *c = &cpus[cpu_id()];

	if (unlikely(c->busy))
		return false;
	c->busy = 1;
	barrier();
	if (unlikely(c->n >= stack_limit))
		stack_flush(c, stack_limit / 2);
	c->stack[c->n++] = p;
	barrier();
	c->busy = 0;
	return true;
}

static void stack_drain_here(void *arg)
{
	struct page_cpu *c = &cpus[cpu_id()];

	table_drain();
	if (c->busy)
		return;
	c->busy = 1;
	barrier();
	stack_flush(c, c->n);
	barrier();
	c->busy = 0;
}

void page_drain_cpus(void)
{
	space_drain();
	stack_drain_here(NULL);
	if (cpu_count() > 1)
		arch_ipi_call((1u << cpu_count()) - 1, stack_drain_here, NULL);
}

/* Memory is short: whatever may help, in order of cost. */
static cold struct page *page_alloc_slow(unsigned order, uint32_t flags)
{
	struct page *p = buddy_get(order, flags);
	enum reclaim_why why = flags & PAGE_USER ? RECLAIM_FOR_JOB : RECLAIM_FOR_KERNEL;
	bool drained = false;

	while (!p && !(flags & PAGE_ATOMIC)) {
		if (!page_reclaim((1ul << order) + STACK_MIN, why)) {
			if (!drained) {
				page_drain_cpus();
				drained = true;
			} else if (!(flags & PAGE_USER) || !page_oom()) {
				return NULL;
			}
		}
		p = buddy_get(order, flags);
	}
	return p;
}

struct page *page_alloc_kind(unsigned order, uint32_t flags, enum page_kind kind)
{
	struct page *p = order == 0 ? stack_pop(flags) : NULL;

	if (unlikely(!p)) {
		p = page_alloc_slow(order, flags);
		if (!p)
			return NULL;
	}
	insist(p->kind == PAGE_KIND_FREE && ref_read(&p->refs) == 0);
	ref_init(&p->refs, 1);
	p->flags = 0;
	p->kind = (uint8_t)kind;
	p->order = (uint8_t)order;
	p->mapping = NULL;
	p->index = 0;
	count_add(&cpus[cpu_id()].kinds[kind], 1l << order);
	if (flags & PAGE_ZERO)
		memset(page_va(p), 0, PAGE_SIZE << order);
	return p;
}

struct page *page_alloc(unsigned order, uint32_t flags)
{
	return page_alloc_kind(order, flags, PAGE_KIND_KERNEL);
}

/* The last reference is gone. */
static void page_release(struct page *p, unsigned order)
{
	insist(p->kind != PAGE_KIND_FREE && p->kind != PAGE_KIND_RESERVED);
	insist(p->order == order && p->mapped == 0);
	insist(!(p->flags & (PF_LOCKED | PF_RECLAIM | PF_TREE)));
	count_add(&cpus[cpu_id()].kinds[p->kind], -(1l << order));
	p->kind = PAGE_KIND_FREE;
	p->flags = 0;
	if (likely(order == 0) && stack_push(p))
		return;
	uint64_t f = spin_lock_irq(&page_buddy.lock);
	buddy_give(&page_buddy, p, order);
	spin_unlock_irq(&page_buddy.lock, f);
}

void page_free(struct page *p, unsigned order)
{
	insist(ref_read(&p->refs) == 1);
	ref_init(&p->refs, 0);
	page_release(p, order);
}

void page_put(struct page *p)
{
	uint32_t n = ref_read(&p->refs);

	insist(n != 0);
	if (n == 1) /* ours: nobody else can take or drop one */
		ref_init(&p->refs, 0);
	else if (!ref_put(&p->refs))
		return;
	page_release(p, p->order);
}

void *page_mem_alloc(uint32_t flags)
{
	struct page *p = page_alloc(0, flags);
	return p ? page_va(p) : NULL;
}

void page_mem_free(void *va)
{
	if (va)
		page_free(va_page(va), 0);
}

void page_kind_set(struct page *p, enum page_kind kind)
{
	struct page_cpu *c = &cpus[cpu_id()];
	count_add(&c->kinds[p->kind], -(1l << p->order));
	count_add(&c->kinds[kind], 1l << p->order);
	p->kind = (uint8_t)kind;
}

uint64_t page_free_count(void)
{
	uint64_t n = page_buddy.n_free;
	for (uint32_t i = 0; i < CPU_MAX; i++)
		n += cpus[i].n;
	return n;
}

static uint64_t kind_count(enum page_kind kind)
{
	int64_t n = 0;
	for (uint32_t i = 0; i < CPU_MAX; i++)
		n += cpus[i].kinds[kind];
	return n > 0 ? (uint64_t)n : 0;
}

void page_event_add(enum page_event e, int64_t n)
{
	count_add(&cpus[cpu_id()].events[e], n);
}

static uint64_t event_count(enum page_event e)
{
	int64_t n = 0;
	for (uint32_t i = 0; i < CPU_MAX; i++)
		n += cpus[i].events[e];
	return n > 0 ? (uint64_t)n : 0;
}

uint64_t page_reserve(void)
{
	return reserve;
}

void page_blocks_get(uint64_t ret[PAGE_ORDER_MAX + 1])
{
	uint64_t f = spin_lock_irq(&page_buddy.lock);

	for (unsigned o = 0; o < BUDDY_ORDERS; o++)
		ret[o] = page_buddy.n_blocks[o];
	spin_unlock_irq(&page_buddy.lock, f);
}

void page_stats_get(struct page_stats *ret)
{
	*ret = (struct page_stats){
		.total = total,
		.free = page_free_count(),
		.cached = kind_count(PAGE_KIND_CACHE),
		.anon = kind_count(PAGE_KIND_ANON),
		.slab = kind_count(PAGE_KIND_SLAB),
		.kernel = kind_count(PAGE_KIND_KERNEL),
		.page_tables = page_tables,
		.reclaimable = page_lru_count(),
		.shmem = page_shmem,
		.peak = total - MIN(least_free, total),
		.mapped = event_count(EVENT_MAPPED),
		.kstacks = kstack_pages(),
		.min_flt = event_count(EVENT_FAULT),
		.maj_flt = event_count(EVENT_MAJOR_FAULT),
	};
}

void page_set_total(uint64_t pages)
{
	total = pages;
	reserve = MIN(MAX(pages / 32, 64ul), 2048ul);
	/* What CPUs hoard together stays below a 64th of memory. */
	uint64_t share = pages / 64 / page_boot_cpus();
	stack_limit = (uint32_t)MIN(MAX(share, (uint64_t)STACK_MIN), (uint64_t)STACK_MAX);
}

uint64_t page_get_total(void)
{
	return total;
}

/*
 * Kernel addresses for scattered pages, and kernel stacks.
 *
 * The window is divided among size classes; class k hands out slots of 2^k pages, of
 * which the last page at least is never mapped. So every range has an unmapped page on
 * both sides, and its end is where nothing is mapped.
 *
 * Locks: vmap_lock (RANK_VMAP, interrupts off) guards the slot bitmaps.
 */
#include "core/panic.h"
#include "core/spinlock.h"
#include "lib/string.h"
#include "mm/page_internal.h"
#include "mm/slab_internal.h"
#include "mm/space_internal.h"

#define CLASSES 12 /* up to 2^11 pages: 4 MiB and its guard */
#define MAPS 16	   /* bitmap pages of a class */
#define MAP_SLOTS (PAGE_SIZE * 8)
#define KSTACK_PAGES (KSTACK_SIZE / PAGE_SIZE)
#define KSTACK_CACHED 8

struct vmap_class {
	uint64_t base;	     /* [I] */
	uint64_t n_slots;    /* [I] */
	uint64_t hint;	     /* [vmap_lock] no free slot below */
	uint64_t *map[MAPS]; /* [vmap_lock] bit set: slot in use */
};

struct kstack_cpu {
	uint32_t n;
	void *stack[KSTACK_CACHED];
} aligned_to(64);

static struct spinlock vmap_lock = SPINLOCK_INIT(RANK_VMAP);
static struct vmap_class classes[CLASSES];
static uint64_t window_start, window_end;  /* [I] after vmap_init */
static struct kstack_cpu kstacks[CPU_MAX]; /* own CPU, thread context only */
static _Atomic uint64_t n_kstacks;	   /* mapped ones */

void vmap_init(void)
{
	pte_init();
	arch_vmap_window(&window_start, &window_end);
	uint64_t share =
		ALIGN_DOWN((window_end - window_start) / CLASSES, PAGE_SIZE << CLASSES);
	uint64_t base = ALIGN_UP(window_start + PAGE_SIZE, PAGE_SIZE);
	for (unsigned k = 0; k < CLASSES; k++) {
		uint64_t n = (share - PAGE_SIZE) / (PAGE_SIZE << k);
		classes[k].base = base + k * share;
		classes[k].n_slots = MIN(n, MAPS * MAP_SLOTS);
	}
}

bool vmap_contains(const void *va)
{
	return (uint64_t)va >= window_start && (uint64_t)va < window_end;
}

/* The class whose slots hold n pages and a guard; CLASSES: too large. */
static unsigned class_for(size_t n)
{
	unsigned k = 1;
	while (k < CLASSES && 1ul << k < n + 1)
		k++;
	return k;
}

static unsigned class_at(uint64_t va)
{
	unsigned k = CLASSES - 1;
	while (classes[k].base > va)
		k--;
	return k;
}

/* First clear bit at or past `from`, set on return; n_slots when its bitmap page is
 * missing (*ret_missing) or all are taken. */
static uint64_t slot_claim(struct vmap_class *c, bool *ret_missing)
{
	for (uint64_t i = c->hint; i < c->n_slots; i = ALIGN_DOWN(i + 64, 64ul)) {
		uint64_t *map = c->map[i / MAP_SLOTS];
		if (!map) {
			*ret_missing = true;
			return c->n_slots;
		}
		uint64_t *word = &map[i % MAP_SLOTS / 64];
		if (*word == UINT64_MAX)
			continue;
		uint64_t slot = ALIGN_DOWN(i, 64ul) + (uint64_t)__builtin_ctzl(~*word);
		if (slot >= c->n_slots)
			break;
		*word |= BIT(slot % 64);
		c->hint = slot;
		return slot;
	}
	return c->n_slots;
}

/* An address range of class k; 0: none. May sleep. */
static uint64_t slot_get(unsigned k)
{
	struct vmap_class *c = &classes[k];
	uint64_t *spare = NULL, slot;
	bool missing;

	for (;;) {
		missing = false;
		uint64_t f = spin_lock_irq(&vmap_lock);
		slot = slot_claim(c, &missing);
		if (missing && spare) {
			size_t i = 0;
			while (c->map[i])
				i++;
			c->map[i] = spare;
			spare = NULL;
			slot = slot_claim(c, &missing);
		}
		spin_unlock_irq(&vmap_lock, f);
		if (slot < c->n_slots || !missing || spare)
			break;
		spare = page_mem_alloc(PAGE_ZERO);
		if (!spare)
			break;
	}
	page_mem_free(spare);
	return slot < c->n_slots ? c->base + slot * (PAGE_SIZE << k) : 0;
}

static void slot_put(uint64_t va)
{
	unsigned k = class_at(va);
	struct vmap_class *c = &classes[k];
	uint64_t slot = (va - c->base) / (PAGE_SIZE << k);
	uint64_t *word = &c->map[slot / MAP_SLOTS][slot % MAP_SLOTS / 64];

	uint64_t f = spin_lock_irq(&vmap_lock);
	insist(*word & BIT(slot % 64));
	*word &= ~BIT(slot % 64);
	c->hint = MIN(c->hint, slot);
	spin_unlock_irq(&vmap_lock, f);
}

/* Unmaps from va up to the guard page, flushes once, then frees. */
static void unmap_free(uint64_t va)
{
	struct list pages = LIST_INIT(pages);
	uint64_t at = va;
	paddr_t pa;

	for (; (pa = arch_kunmap(at)) != 0; at += PAGE_SIZE)
		list_push_back(&pages, &pa_page(pa)->link);
	if (at > va)
		arch_ktlb_flush(va, at);
	list_for_each_safe(p, &pages, struct page, link) page_free(p, 0);
	slot_put(va);
}

static void *map_pages(size_t n, uint32_t flags)
{
	unsigned k = class_for(n);
	uint64_t va = k < CLASSES ? slot_get(k) : 0;

	if (!va)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct page *p = page_alloc(0, flags);
		if (p && arch_kmap(va + i * PAGE_SIZE, page_pa(p), PTE_R | PTE_W) == 0)
			continue;
		if (p)
			page_free(p, 0);
		unmap_free(va);
		return NULL;
	}
	return (void *)va;
}

void *vmap_alloc(size_t size)
{
	return map_pages(ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE, 0);
}

void vmap_free_any(void *va)
{
	insist(vmap_contains(va) && IS_ALIGNED((uint64_t)va, PAGE_SIZE));
	unmap_free((uint64_t)va);
}

void vmap_free(void *va, size_t size)
{
	if (va)
		vmap_free_any(va);
}

/* Stacks are reused as they are: only kernel code ever reads one. */
void *kstack_alloc(void)
{
	struct kstack_cpu *c = &kstacks[cpu_id()];
	if (c->n)
		return c->stack[--c->n];
	void *stack = map_pages(KSTACK_PAGES, PAGE_ZERO);
	if (stack)
		n_kstacks++;
	return stack;
}

uint64_t kstack_pages(void)
{
	return n_kstacks * KSTACK_PAGES;
}

void kstack_free(void *stack)
{
	if (!stack)
		return;
	struct kstack_cpu *c = &kstacks[cpu_id()];
	if (c->n < KSTACK_CACHED) {
		c->stack[c->n++] = stack;
		return;
	}
	n_kstacks--;
	vmap_free_any(stack);
}

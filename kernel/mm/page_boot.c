/*
 * Which RAM there is and which of it is free, at boot. Struct pages are placed at the end
 * of the largest free range; only blocks that are partly in use are initialised now (B3).
 */
#include "core/panic.h"
#include "lib/boot_info.h"
#include "lib/string.h"
#include "mm/page_internal.h"

#define BLOCK_SHIFT (PAGE_SHIFT + PAGE_ORDER_MAX)
#define BLOCK_SIZE (1ul << BLOCK_SHIFT)

/* Sets page_map's numbering: one hole, the largest between two pieces of RAM, is left
 * out. */
static void map_number(const struct boot_mem *map, size_t n)
{
	uint64_t end = 0, hole_start = 0, hole_len = 0;

	for (size_t i = 0; i < n; i++) {
		if (map[i].type == BOOT_MEM_RESERVED)
			continue;
		uint64_t gap_start = ALIGN_UP(end, BLOCK_SIZE);
		uint64_t gap_end = ALIGN_DOWN(map[i].start, BLOCK_SIZE);
		if (gap_end > gap_start && gap_end - gap_start > hole_len) {
			hole_start = gap_start;
			hole_len = gap_end - gap_start;
		}
		end = map[i].end;
	}
	uint64_t pages = ALIGN_UP(end, BLOCK_SIZE) >> PAGE_SHIFT;
	page_map.hole_start = hole_len ? hole_start >> PAGE_SHIFT : pages;
	page_map.hole_pages = hole_len >> PAGE_SHIFT;
	page_map.n = pages - page_map.hole_pages;
}

/* Page number of a physical address that is RAM, or the end of RAM. */
static uint64_t number_of(paddr_t pa)
{
	uint64_t i = pa >> PAGE_SHIFT;
	return i > page_map.hole_start ? i - page_map.hole_pages : i;
}

/* Frees [start, end) of reserved, initialised pages, in the largest aligned blocks. */
static uint64_t free_span(uint64_t start, uint64_t end)
{
	for (uint64_t i = start; i < end;) {
		unsigned order = i ? (unsigned)__builtin_ctzl(i) : PAGE_ORDER_MAX;
		order = MIN(order, (unsigned)PAGE_ORDER_MAX);
		while (i + (1ul << order) > end)
			order--;
		buddy_give(&page_buddy, &page_map.pages[i], order);
		i += 1ul << order;
	}
	return end - start;
}

/* The end of the largest free range, for the struct pages. */
static struct boot_mem array_place(const struct boot_mem *map, size_t n, uint64_t bytes)
{
	struct boot_mem best = { 0, 0, BOOT_MEM_FREE, 0 };

	for (size_t i = 0; i < n; i++) {
		if (map[i].type == BOOT_MEM_FREE &&
		    map[i].end - map[i].start > best.end - best.start)
			best = map[i];
	}
	if (best.end - best.start < bytes)
		panic("no room for page structures: %lu KiB needed", bytes >> 10);
	best.start = best.end - bytes;
	return best;
}

/* Free pages [i, end): whole blocks become fresh; all others are initialised, and freed
 * page by page. Blocks below *done are dealt with. Returns pages freed. */
static uint64_t span_fill(uint64_t i, uint64_t end, uint64_t *done)
{
	uint64_t n = 0;

	while (i < end) {
		uint64_t block = i / BUDDY_BLOCK_PAGES;
		uint64_t stop = MIN(end, (block + 1) * BUDDY_BLOCK_PAGES);
		bool whole = stop - i == BUDDY_BLOCK_PAGES;
		for (; *done < block + !whole; ++*done)
			buddy_reserve_block(&page_buddy, *done);
		if (whole) {
			buddy_add_fresh(&page_buddy, block);
			*done = block + 1;
			n += stop - i;
		} else {
			n += free_span(i, stop);
		}
		i = stop;
	}
	return n;
}

void page_init_map(const struct boot_mem *map, size_t n)
{
	uint64_t free = 0, done = 0;

	map_number(map, n);
	uint64_t array = page_map.n * sizeof(struct page);
	uint64_t bitmap = ALIGN_UP(page_map.n / BUDDY_BLOCK_PAGES, 64ul) / 8;
	struct boot_mem place = array_place(map, n, ALIGN_UP(array + bitmap, PAGE_SIZE));

	page_map.direct = arch_direct_map(0);
	page_map.pages = (struct page *)(page_map.direct + place.start);
	uint64_t *fresh = (uint64_t *)(page_map.direct + place.start + array);
	memset(fresh, 0, bitmap);
	buddy_init(&page_buddy, page_map.pages, page_map.n, fresh);
	for (size_t i = 0; i < n; i++) {
		if (map[i].type != BOOT_MEM_FREE)
			continue;
		uint64_t end = map[i].end == place.end ? place.start : map[i].end;
		free += span_fill(number_of(map[i].start), number_of(end), &done);
	}
	for (; done < page_map.n / BUDDY_BLOCK_PAGES; done++)
		buddy_reserve_block(&page_buddy, done);
	page_set_total(free);
}

uint32_t page_boot_cpus(void)
{
	return MIN(MAX(arch_boot_info()->cpu_count, 1u), (uint32_t)CPU_MAX);
}

void page_init(void)
{
	const struct boot_info *b = arch_boot_info();
	page_init_map(b->map, b->map_count);
}

void page_give(paddr_t start, paddr_t end)
{
	uint64_t first = number_of(ALIGN_UP(start, PAGE_SIZE));
	uint64_t last = number_of(ALIGN_DOWN(end, PAGE_SIZE));

	if (first >= last)
		return;
	for (uint64_t i = first; i < last; i++)
		insist(page_map.pages[i].kind == PAGE_KIND_RESERVED);
	uint64_t f = spin_lock_irq(&page_buddy.lock);
	uint64_t n = free_span(first, last);
	spin_unlock_irq(&page_buddy.lock, f);
	page_set_total(page_get_total() + n);
}

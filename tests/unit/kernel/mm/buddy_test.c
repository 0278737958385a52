/* The buddy allocator, and how boot fills it, over an array that stands for RAM. */
/* link: kernel/mm/page_boot.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after setjmp.h */
#include <cmocka.h>

#include "core/panic.h"
#include "lib/boot_info.h"
#include "mm/page_internal.h"

/* ---- what the kernel would give ---- */

uint64_t arch_direct_base;
struct page_map page_map;
struct buddy page_buddy;
static uint64_t total;

void page_set_total(uint64_t pages)
{
	total = pages;
}

uint64_t page_get_total(void)
{
	return total;
}

const struct boot_info *arch_boot_info(void)
{
	return NULL;
}

void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, "panic", 0);
	abort();
}

void spin_lock_slow(struct spinlock *l)
{
	abort();
}

void lock_debug_acquire(struct spinlock *l)
{
}

void lock_debug_release(struct spinlock *l)
{
}

/* ---- the allocator itself ---- */

#define BLOCKS 4
#define PAGES (BLOCKS * BUDDY_BLOCK_PAGES)

static struct page *pages;
static uint64_t fresh[1];

static int start(void **state)
{
	pages = aligned_alloc(64, PAGES * sizeof *pages);
	/* B3: nobody may read what was not initialised. */
	memset(pages, 0x5a, PAGES * sizeof *pages);
	memset(fresh, 0, sizeof fresh);
	buddy_init(&page_buddy, pages, PAGES, fresh);
	return 0;
}

static int stop(void **state)
{
	free(pages);
	return 0;
}

static void fresh_blocks_are_taken_one_by_one(void **state)
{
	for (uint64_t b = 0; b < BLOCKS; b++)
		buddy_add_fresh(&page_buddy, b);
	assert_int_equal(page_buddy.n_free, PAGES);
	struct page *p = buddy_take(&page_buddy, 0);
	assert_ptr_equal(p, pages);
	assert_int_equal(page_buddy.n_free, PAGES - 1);
	assert_true(buddy_check(&page_buddy));
	assert_int_equal(pages[BUDDY_BLOCK_PAGES].kind, 0x5a); /* untouched */
	buddy_give(&page_buddy, p, 0);
	assert_true(buddy_check(&page_buddy));
	assert_int_equal(page_buddy.avail, 1u << PAGE_ORDER_MAX); /* merged whole */
}

static void exhaustion_is_null(void **state)
{
	buddy_add_fresh(&page_buddy, 2);
	assert_non_null(buddy_take(&page_buddy, PAGE_ORDER_MAX));
	assert_null(buddy_take(&page_buddy, 0));
	assert_int_equal(page_buddy.n_free, 0);
	assert_true(buddy_check(&page_buddy));
}

static void random_traffic_loses_nothing(void **state)
{
	static struct {
		struct page *p;
		unsigned order;
	} held[600];
	buddy_add_fresh(&page_buddy, 1);
	buddy_add_fresh(&page_buddy, 3);
	srand(3);
	for (unsigned step = 0; step < 30000; step++) {
		unsigned i = (unsigned)rand() % ARRAY_LEN(held);
		if (held[i].p) {
			held[i].p->kind = PAGE_KIND_KERNEL;
			buddy_give(&page_buddy, held[i].p, held[i].order);
			held[i].p = NULL;
		} else {
			held[i].order = (unsigned)rand() % 6;
			held[i].p = buddy_take(&page_buddy, held[i].order);
		}
		if (step % 1000 == 0)
			assert_true(buddy_check(&page_buddy));
	}
	for (unsigned i = 0; i < ARRAY_LEN(held); i++) {
		if (held[i].p)
			buddy_give(&page_buddy, held[i].p, held[i].order);
		held[i].p = NULL;
	}
	assert_int_equal(page_buddy.n_free, 2 * BUDDY_BLOCK_PAGES);
	assert_int_equal(page_buddy.avail, 1u << PAGE_ORDER_MAX);
}

static void bulk_takes_what_there_is(void **state)
{
	struct page *got[64];
	buddy_add_fresh(&page_buddy, 0);
	assert_int_equal(buddy_take_bulk(&page_buddy, got, 50), 50);
	assert_int_equal(page_buddy.n_free, BUDDY_BLOCK_PAGES - 50);
	for (unsigned i = 0; i < 50; i++) {
		for (unsigned k = 0; k < i; k++)
			assert_ptr_not_equal(got[i], got[k]);
	}
	for (unsigned i = 0; i < 50; i++)
		buddy_give(&page_buddy, got[i], 0);
	assert_true(buddy_check(&page_buddy));
	assert_int_equal(page_buddy.avail, 1u << PAGE_ORDER_MAX);
}

static void double_free_stops(void **state)
{
	buddy_add_fresh(&page_buddy, 0);
	struct page *p = buddy_take(&page_buddy, 3);
	buddy_give(&page_buddy, p, 3);
	expect_assert_failure(buddy_give(&page_buddy, pages, PAGE_ORDER_MAX));
}

/* ---- boot ---- */

/* Memory that stands for physical RAM from 0. */
static char *ram;

static void boot_with(const struct boot_mem *map, size_t n, size_t bytes)
{
	ram = aligned_alloc(4096, bytes);
	memset(ram, 0x5a, bytes);
	arch_direct_base = (uint64_t)ram;
	page_init_map(map, n);
	assert_true(buddy_check(&page_buddy));
}

static void boot_frees_only_what_is_free(void **state)
{
	static const struct boot_mem map[] = {
		{ 0, 0x9f000, BOOT_MEM_FREE, 0 },
		{ 0x9f000, 0x100000, BOOT_MEM_RESERVED, 0 },
		{ 0x100000, 0x180000, BOOT_MEM_FREE, 0 },
		{ 0x180000, 0x300000, BOOT_MEM_KERNEL, 0 },
		{ 0x300000, 0x1000000, BOOT_MEM_FREE, 0 },
	};
	boot_with(map, ARRAY_LEN(map), MIB(16));
	/* 16 MiB: 4096 pages, their structs take 64 pages and the bitmap one. */
	uint64_t want = 0x9f + 0x80 + (0x1000 - 0x300) - 65;
	assert_int_equal(total, want);
	assert_int_equal(page_buddy.n_free, want);
	assert_int_equal(page_map.n, 4096);
	assert_int_equal(page_map.hole_pages, 0);
	assert_int_equal(pa_page(0x180000)->kind, PAGE_KIND_RESERVED);
	assert_int_equal(pa_page(0xfff000)->kind, PAGE_KIND_RESERVED); /* the array */
	uint64_t seen = 0;
	for (struct page *p; (p = buddy_take(&page_buddy, 0)); seen++)
		memset(page_va(p), 0, PAGE_SIZE); /* none of it is in use */
	assert_int_equal(seen, want);
	assert_int_equal((unsigned char)ram[0x180000], 0x5a);
	free(ram);
}

static void boot_leaves_the_hole_out(void **state)
{
	/* 16 MiB below, 8 MiB from 4 GiB on; only numbers are looked at up there. */
	static const struct boot_mem map[] = {
		{ 0x100000, 0x1000000, BOOT_MEM_FREE, 0 },
		{ GIB(4), GIB(4) + MIB(8), BOOT_MEM_FREE, 0 },
	};
	boot_with(map, ARRAY_LEN(map), MIB(16));
	assert_int_equal(page_map.hole_start, 4096);
	assert_int_equal(page_map.n, 4096 + 2048);
	struct page *high = pa_page(GIB(4) + MIB(4));
	assert_non_null(high);
	assert_int_equal(page_index(high), 4096 + 1024);
	assert_true(page_pa(high) == GIB(4) + MIB(4));
	assert_null(pa_page(GIB(4) - PAGE_SIZE));
	assert_null(pa_page(GIB(4) + MIB(8)));
	assert_true(page_pa(pa_page(MIB(16) - PAGE_SIZE)) == MIB(16) - PAGE_SIZE);
	free(ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fresh_blocks_are_taken_one_by_one, start,
						stop),
		cmocka_unit_test_setup_teardown(exhaustion_is_null, start, stop),
		cmocka_unit_test_setup_teardown(random_traffic_loses_nothing, start,
						stop),
		cmocka_unit_test_setup_teardown(bulk_takes_what_there_is, start, stop),
		cmocka_unit_test_setup_teardown(double_free_stops, start, stop),
		cmocka_unit_test(boot_frees_only_what_is_free),
		cmocka_unit_test(boot_leaves_the_hole_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

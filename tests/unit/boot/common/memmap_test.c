/* boot/common/memmap.c against a plain array of pages: B1 holds after every change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/common/memmap.h"

#define PAGE 4096ull
#define PAGES 64

static struct boot_info info;
static uint32_t model[PAGES]; /* type of each page; 0: not named */

static void reset(void)
{
	memset(&info, 0, sizeof(info));
	memset(model, 0, sizeof(model));
}

static void model_set(uint64_t first, uint64_t end, uint32_t type)
{
	for (uint64_t i = first; i < end; i++)
		model[i] = type;
}

static void check(void)
{
	uint32_t seen[PAGES] = { 0 };
	uint64_t last = 0;

	for (uint32_t i = 0; i < info.map_count; i++) {
		const struct boot_mem *m = &info.map[i];
		assert_true(m->start >= last && m->start < m->end);
		assert_true(m->start % PAGE == 0 && m->end % PAGE == 0);
		if (i && m->start == last)
			assert_int_not_equal(m->type, info.map[i - 1].type);
		last = m->end;
		for (uint64_t p = m->start / PAGE; p < m->end / PAGE; p++)
			seen[p] = m->type;
	}
	assert_memory_equal(seen, model, sizeof(model));
}

static void test_against_model(void **state)
{
	for (unsigned round = 0; round < 2000; round++) {
		srand(round);
		reset();
		for (int step = 0; step < 20; step++) {
			uint64_t a = (uint64_t)rand() % PAGES,
				 b = (uint64_t)rand() % PAGES;
			uint32_t type = 1 + (uint32_t)rand() % 4;
			if (a > b) {
				uint64_t t = a;
				a = b;
				b = t;
			}
			assert_true(memmap_set(&info, a * PAGE, b * PAGE, type));
			model_set(a, b, type);
			check();
		}
	}
}

static void test_rounding(void **state)
{
	reset();
	assert_true(memmap_set(&info, 100, 3 * PAGE + 100, BOOT_MEM_FREE));
	model_set(1, 3, BOOT_MEM_FREE);
	check();
	assert_true(memmap_set(&info, 2 * PAGE + 5, 2 * PAGE + 6, BOOT_MEM_RESERVED));
	model_set(2, 3, BOOT_MEM_RESERVED);
	check();
	assert_true(memmap_set(&info, 7 * PAGE + 1, 8 * PAGE - 1, BOOT_MEM_FREE));
	check(); /* no whole page: nothing */
}

static void test_take(void **state)
{
	reset();
	assert_true(memmap_set(&info, 0, 4 * PAGE, BOOT_MEM_FREE));
	assert_true(memmap_set(&info, 8 * PAGE, 20 * PAGE, BOOT_MEM_FREE));
	assert_int_equal(memmap_take(&info, PAGE, 2, BOOT_MEM_KERNEL), PAGE);
	assert_int_equal(memmap_take(&info, PAGE, 2, BOOT_MEM_KERNEL), 8 * PAGE);
	/* page 0 itself */
	assert_int_equal(memmap_take(&info, 0, 1, BOOT_MEM_TABLES), 0);
	assert_int_equal(memmap_take(&info, 12 * PAGE, 8, BOOT_MEM_EARLY), 12 * PAGE);
	assert_int_equal(memmap_take(&info, 0, 100, BOOT_MEM_EARLY), 0);
	assert_int_equal(memmap_take(&info, 20 * PAGE, 1, BOOT_MEM_EARLY), 0);
}

static void test_take_stays_below_4_gib(void **state)
{
	reset();
	assert_true(memmap_set(&info, GIB(4) - PAGE, GIB(4) + MIB(1), BOOT_MEM_FREE));
	assert_int_equal(memmap_take(&info, 0, 2, BOOT_MEM_KERNEL), 0);
	assert_int_equal(memmap_take(&info, 0, 1, BOOT_MEM_KERNEL), GIB(4) - PAGE);
	assert_int_equal(memmap_take(&info, 0, 1, BOOT_MEM_KERNEL), 0);
}

static void test_retype_joins(void **state)
{
	reset();
	assert_true(memmap_set(&info, 0, 10 * PAGE, BOOT_MEM_FREE));
	assert_true(memmap_set(&info, 2 * PAGE, 4 * PAGE, MEM_LOADER));
	assert_true(memmap_set(&info, 6 * PAGE, 7 * PAGE, MEM_LOADER));
	assert_int_equal(info.map_count, 5);
	memmap_retype(&info, MEM_LOADER, BOOT_MEM_FREE);
	model_set(0, 10, BOOT_MEM_FREE);
	check();
	assert_int_equal(info.map_count, 1);
}

static void test_full(void **state)
{
	reset();
	for (uint64_t i = 0; i < BOOT_MEM_MAX; i++)
		assert_true(memmap_set(&info, 2 * i * PAGE, (2 * i + 1) * PAGE,
				       BOOT_MEM_FREE));
	assert_false(memmap_set(&info, 1000 * PAGE, 1001 * PAGE, BOOT_MEM_FREE));
	assert_true(memmap_set(&info, 0, PAGE, BOOT_MEM_RESERVED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_take_stays_below_4_gib),
		cmocka_unit_test(test_retype_joins),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

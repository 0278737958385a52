/* Refaults: which shortages are told from which, by pages that go and come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after setjmp.h */
#include <cmocka.h>

#include "mm/refault.h"

#define SMALL 1024
#define WINDOW (2 * SMALL)

static uint32_t ghosts[REFAULT_GHOSTS * SMALL];
static struct refault r;
static const int file, other;

static int setup(void **state)
{
	memset(ghosts, 0, sizeof ghosts);
	refault_init(&r, ghosts, SMALL);
	return 0;
}

/* n pages in turn, `keep` of which fit: each read evicts the one of `keep` reads ago. */
static void read_in_turn(size_t pages, size_t keep, size_t reads)
{
	for (size_t i = 0; i < reads; i++) {
		refault_evicted(&r, &file, (i + pages - keep) % pages, keep);
		refault_added(&r, &file, i % pages);
	}
}

/* The job's text hardly fits: all that is evicted is read again. */
static void text_in_turn_is_thrashing(void **state)
{
	read_in_turn(40, 20, WINDOW - 1);
	assert_false(refault_thrashing(&r, 20));
	read_in_turn(40, 20, WINDOW);
	assert_true(refault_thrashing(&r, 20));
}

/* The same with a text that is much larger than what is left of the cache. */
static void a_large_text_in_turn_is_too(void **state)
{
	read_in_turn(3 * SMALL, 20, 4 * WINDOW);
	assert_true(refault_thrashing(&r, 20));
}

/* T1: the same with a cache that is not small. */
static void a_large_cache_is_not(void **state)
{
	read_in_turn(SMALL + 100, SMALL, 10 * WINDOW);
	assert_false(refault_thrashing(&r, SMALL));
}

/* A file longer than memory, from start to end again and again: nothing comes back
 * soon. */
static void a_long_file_is_not(void **state)
{
	read_in_turn(100 * SMALL, 20, 10 * 100 * SMALL);
	assert_false(refault_thrashing(&r, 20));
}

static void pages_that_stay_away_are_not(void **state)
{
	for (size_t i = 0; i < 10 * WINDOW; i++)
		refault_evicted(&r, &file, i, 20);
	assert_false(refault_thrashing(&r, 20));
}

/* T2: a third of the pages is gained. */
static void slow_progress_is_not(void **state)
{
	for (size_t i = 0; i < 10 * WINDOW; i++) {
		refault_evicted(&r, &file, i, 20);
		if (i % 3)
			refault_added(&r, &file, i);
	}
	assert_false(refault_thrashing(&r, 20));
}

static void files_are_told_apart(void **state)
{
	for (size_t i = 0; i < 10 * WINDOW; i++) {
		refault_evicted(&r, &file, i, 20);
		refault_added(&r, &other, i);
		refault_added(&r, &file, i + 1);
	}
	assert_false(refault_thrashing(&r, 20));
}

/* A page that comes twice, or that nobody evicted, counts once, or not. */
static void a_page_comes_back_once(void **state)
{
	refault_added(&r, &file, 1);
	assert_int_equal(r.again, 0);
	refault_evicted(&r, &file, 1, 20);
	refault_added(&r, &file, 1);
	refault_added(&r, &file, 1);
	assert_int_equal(r.again, 1);
}

/* The verdict ends with the shortage: by itself, or by what was done about it. */
static void the_verdict_ends(void **state)
{
	read_in_turn(40, 20, 2 * WINDOW);
	assert_true(refault_thrashing(&r, SMALL - 1));
	assert_false(refault_thrashing(&r, SMALL));
	assert_false(refault_thrashing(&r, 20));
	read_in_turn(40, 20, 2 * WINDOW);
	assert_true(refault_thrashing(&r, 20));
	refault_forget(&r);
	assert_false(refault_thrashing(&r, 20));
	refault_added(&r, &file, 1);
	assert_int_equal(r.again, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(text_in_turn_is_thrashing, setup),
		cmocka_unit_test_setup(a_large_text_in_turn_is_too, setup),
		cmocka_unit_test_setup(a_large_cache_is_not, setup),
		cmocka_unit_test_setup(a_long_file_is_not, setup),
		cmocka_unit_test_setup(pages_that_stay_away_are_not, setup),
		cmocka_unit_test_setup(slow_progress_is_not, setup),
		cmocka_unit_test_setup(files_are_told_apart, setup),
		cmocka_unit_test_setup(a_page_comes_back_once, setup),
		cmocka_unit_test_setup(the_verdict_ends, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

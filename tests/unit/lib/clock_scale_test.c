/* lib/clock_scale.h against arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/clock_scale.h"

#define ONE (1ull << CLOCK_SCALE_BITS)

static void whole_rates_are_exact(void **state)
{
	assert_int_equal(clock_scale_ns(0, ONE), 0);
	assert_int_equal(clock_scale_ns(12345, ONE), 12345);
	assert_int_equal(clock_scale_ns(12345, 3 * ONE), 37035);
	assert_int_equal(clock_scale_ns(12345, ONE / 4), 3086);
}

/* 3 GHz: the error after a year is below a microsecond. */
static void a_year_adds_no_error(void **state)
{
	const uint64_t year = 365ull * 24 * 3600 * NSEC_PER_SEC;
	uint64_t ns = clock_scale_ns(3 * year, ONE / 3);

	assert_true(ns <= year && year - ns < 1000);
}

static void the_longest_time_does_not_wrap(void **state)
{
	assert_int_equal(clock_scale_ns(ONE - 1, ONE), ONE - 1);
	assert_true(clock_scale_ns(ONE - 1, ONE / 4) < clock_scale_ns(ONE - 1, ONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_rates_are_exact),
		cmocka_unit_test(a_year_adds_no_error),
		cmocka_unit_test(the_longest_time_does_not_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

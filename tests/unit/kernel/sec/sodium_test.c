/* The parts of libsodium that the kernel supplies behave as libsodium documents them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium/core.h>
#include <sodium/utils.h>

#include "core/panic.h"

void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static void equal_bytes_compare_equal(void **state)
{
	const unsigned char a[] = { 1, 0, 255 }, b[] = { 1, 0, 255 };

	assert_int_equal(sodium_memcmp(a, b, sizeof(a)), 0);
	assert_int_equal(sodium_memcmp(a, b, 0), 0);
}

static void one_bit_anywhere_differs(void **state)
{
	for (size_t bit = 0; bit < 64; bit++) {
		uint64_t a = 0x0123456789abcdef, b = a ^ (uint64_t)1 << bit;

		assert_int_equal(sodium_memcmp(&a, &b, sizeof(a)), -1);
	}
}

static void only_zeros_are_zero(void **state)
{
	assert_int_equal(sodium_is_zero((const unsigned char *)"\0\0\0", 3), 1);
	assert_int_equal(sodium_is_zero((const unsigned char *)"", 0), 1);
	for (size_t bit = 0; bit < 64; bit++) {
		uint64_t one = (uint64_t)1 << bit;

		assert_int_equal(sodium_is_zero((unsigned char *)&one, sizeof(one)), 0);
	}
}

static void memzero_clears_just_its_range(void **state)
{
	unsigned char a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	const unsigned char after[8] = { 1, 2, 0, 0, 0, 6, 7, 8 };

	sodium_memzero(a + 2, 3);
	assert_memory_equal(a, after, sizeof(a));
}

static void misuse_is_a_panic(void **state)
{
	expect_assert_failure(sodium_misuse());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_bytes_compare_equal),
		cmocka_unit_test(one_bit_anywhere_differs),
		cmocka_unit_test(only_zeros_are_zero),
		cmocka_unit_test(memzero_clears_just_its_range),
		cmocka_unit_test(misuse_is_a_panic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

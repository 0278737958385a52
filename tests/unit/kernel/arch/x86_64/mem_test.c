/* kernel/arch/x86_64/mem.S against the C library: every small size and alignment, every
 * overlap, sizes around the loops' strides. */
/* link: tests/unit/kernel/arch/x86_64/mem_renamed.S */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void *kernel_memcpy(void *dst, const void *src, size_t n);
void *kernel_memmove(void *dst, const void *src, size_t n);
void *kernel_memset(void *dst, int c, size_t n);
int kernel_memcmp(const void *a, const void *b, size_t n);

#define SIZE 1024
#define EDGE 64

static const size_t sizes[] = { 200, 255, 256, 257, 319, 320, 321, 511, 512, 800 };
static uint8_t from[SIZE], got[SIZE], want[SIZE];

static void fill(void)
{
	for (size_t i = 0; i < SIZE; i++) {
		from[i] = (uint8_t)rand();
		got[i] = want[i] = (uint8_t)rand();
	}
}

/* Calls fn with sizes 0 to 150, then the chosen ones. */
static void for_sizes(void (*fn)(size_t n))
{
	for (size_t n = 0; n <= 150; n++)
		fn(n);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		fn(sizes[i]);
}

static void copy_one(size_t n)
{
	for (size_t a = 0; a < 9; a++)
		for (size_t b = 0; b < 9; b++) {
			fill();
			memcpy(want + EDGE + a, from + b, n);
			assert_ptr_equal(kernel_memcpy(got + EDGE + a, from + b, n),
					 got + EDGE + a);
			assert_memory_equal(got, want, SIZE);
		}
}

static void move_one(size_t n)
{
	for (size_t a = 0; a < 80; a++) {
		fill();
		memcpy(want, got, SIZE);
		memmove(want + EDGE + a, want + EDGE + 40, n);
		assert_ptr_equal(kernel_memmove(got + EDGE + a, got + EDGE + 40, n),
				 got + EDGE + a);
		assert_memory_equal(got, want, SIZE);
	}
}

static void set_one(size_t n)
{
	for (size_t a = 0; a < 9; a++) {
		fill();
		memcpy(want, got, SIZE);
		memset(want + EDGE + a, 0x1a5, n);
		assert_ptr_equal(kernel_memset(got + EDGE + a, 0x1a5, n), got + EDGE + a);
		assert_memory_equal(got, want, SIZE);
	}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void compare_one(size_t n)
{
	fill();
	memcpy(got + 3, from + 1, n);
	assert_int_equal(kernel_memcmp(got + 3, from + 1, n), 0);
	for (size_t i = 0; i < n; i++) {
		uint8_t old = got[3 + i];
		got[3 + i] = (uint8_t)rand();
		if (i + 1 < n)
			got[3 + i + 1] ^= 0x80;
		assert_int_equal(sign(kernel_memcmp(got + 3, from + 1, n)),
				 sign(memcmp(got + 3, from + 1, n)));
		got[3 + i] = old;
		if (i + 1 < n)
			got[3 + i + 1] ^= 0x80;
	}
}

static void test_memcpy(void **state)
{
	for_sizes(copy_one);
}

static void test_memmove(void **state)
{
	for_sizes(move_one);
}

static void test_memset(void **state)
{
	for_sizes(set_one);
}

static void test_memcmp(void **state)
{
	for_sizes(compare_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy),
		cmocka_unit_test(test_memmove),
		cmocka_unit_test(test_memset),
		cmocka_unit_test(test_memcmp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

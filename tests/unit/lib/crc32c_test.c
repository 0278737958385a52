/* lib/crc32c.c against the polynomial itself and the published check values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/crc32c.h"

static uint32_t bitwise(uint32_t crc, const uint8_t *p, size_t n)
{
	while (n--) {
		crc ^= *p++;
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

/* RFC 3720, B.4, and the catalogue's "123456789". */
static void published_values(void **state)
{
	uint8_t buf[32];

	assert_int_equal(~crc32c(~0u, "123456789", 9), 0xe3069283);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(~crc32c(~0u, buf, 32), 0x8a9136aa);
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(~crc32c(~0u, buf, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		buf[i] = i;
	assert_int_equal(~crc32c(~0u, buf, 32), 0x46dd794e);
}

/* Every entry of every table: one byte, then 0 to 7 zero bytes, within one eight-byte
 * step. */
static void every_table_entry(void **state)
{
	for (int k = 0; k < 8; k++) {
		for (int b = 0; b < 256; b++) {
			uint8_t buf[8] = { 0 };

			buf[7 - k] = b;
			assert_int_equal(crc32c(0, buf, 8), bitwise(0, buf, 8));
		}
	}
}

static void every_length_and_alignment(void **state)
{
	uint8_t buf[80];

	srand(1);
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = rand();
	for (size_t at = 0; at < 8; at++)
		for (size_t n = 0; n <= 64; n++)
			assert_int_equal(crc32c(0x12345678, buf + at, n),
					 bitwise(0x12345678, buf + at, n));
}

static void sums_chain(void **state)
{
	const char *text = "the quick brown fox jumps over the lazy dog";
	size_t n = strlen(text);

	for (size_t cut = 0; cut <= n; cut++)
		assert_int_equal(crc32c(crc32c(~0u, text, cut), text + cut, n - cut),
				 crc32c(~0u, text, n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_values),
		cmocka_unit_test(every_table_entry),
		cmocka_unit_test(every_length_and_alignment),
		cmocka_unit_test(sums_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

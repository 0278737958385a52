/* lib/cmsg.c: what cmsg(3) lays out is found, and no length leads out of the buffer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cmsg.h"

/* A message at `at`; where the next belongs. */
static size_t put(uint8_t *buf, size_t at, uint64_t len, int type)
{
	struct cmsg_header h = { len, 1, type };

	memcpy(buf + at, &h, sizeof h);
	return at + CMSG_SPACE(len - sizeof h);
}

static void several_in_a_row(void **state)
{
	uint8_t buf[128] = { 0 };
	size_t end, at = 0;
	struct cmsg c;

	end = put(buf, 0, CMSG_LEN(4), 1);
	assert_int_equal(end, 24);
	end = put(buf, end, CMSG_LEN(0), 2);
	end = put(buf, end, CMSG_LEN(12), 3);
	assert_int_equal(cmsg_next(buf, end, &at, &c), 1);
	assert_int_equal(c.type, 1);
	assert_int_equal(c.len, 4);
	assert_ptr_equal(c.data, buf + 16);
	assert_int_equal(cmsg_next(buf, end, &at, &c), 1);
	assert_int_equal(c.type, 2);
	assert_int_equal(c.len, 0);
	assert_int_equal(cmsg_next(buf, end, &at, &c), 1);
	assert_int_equal(c.type, 3);
	assert_int_equal(c.len, 12);
	assert_int_equal(cmsg_next(buf, end, &at, &c), 0);
}

static void the_last_needs_no_padding(void **state)
{
	uint8_t buf[32] = { 0 };
	size_t at = 0;
	struct cmsg c;

	put(buf, 0, CMSG_LEN(5), 1);
	assert_int_equal(cmsg_next(buf, CMSG_LEN(5), &at, &c), 1);
	assert_int_equal(c.len, 5);
	assert_int_equal(at, CMSG_LEN(5));
	assert_int_equal(cmsg_next(buf, CMSG_LEN(5), &at, &c), 0);
}

static void too_little_for_a_header(void **state)
{
	uint8_t buf[16] = { 0 };
	struct cmsg c;

	for (size_t n = 0; n < sizeof(struct cmsg_header); n++) {
		size_t at = 0;

		assert_int_equal(cmsg_next(buf, n, &at, &c), 0);
	}
}

static void lengths_that_lie(void **state)
{
	static const uint64_t bad[] = {
		0, 1, 15, 33, 1ull << 32, 1ull << 63, UINT64_MAX
	};
	uint8_t buf[32] = { 0 };
	struct cmsg c;

	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		size_t at = 0;

		memcpy(buf, &bad[k], sizeof bad[k]);
		assert_int_equal(cmsg_next(buf, sizeof buf, &at, &c), -EINVAL);
		assert_int_equal(at, 0);
	}
	for (uint64_t len = 16; len <= 32; len++) {
		size_t at = 0;

		memcpy(buf, &len, sizeof len);
		assert_int_equal(cmsg_next(buf, sizeof buf, &at, &c), 1);
		assert_int_equal(c.len, len - 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_in_a_row),
		cmocka_unit_test(the_last_needs_no_padding),
		cmocka_unit_test(too_little_for_a_header),
		cmocka_unit_test(lengths_that_lie),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

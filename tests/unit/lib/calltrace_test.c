/* lib/calltrace.c: what is written is read, and nothing else is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/calltrace.h"

static uint8_t buffer[CALLTRACE_RECORD_MAX] __attribute__((aligned(8)));

static size_t write_enter(const char *path)
{
	struct calltrace_writer w = { .at = buffer };
	struct calltrace_enter enter = { .nr = 2,
					 .args = { 0x1000, 2, 3 },
					 .sp = 0x7000 };
	size_t fits, size = strlen(path) + 1;

	calltrace_begin(&w, CALLTRACE_ENTER, 42, 123456789, &enter);
	memcpy(calltrace_room(&w, size, &fits), path, size);
	assert_int_equal(fits, size);
	calltrace_added(&w, 0x1000, size);
	memcpy(calltrace_room(&w, 4, &fits), "abcd", 4);
	calltrace_added(&w, 0x2000, 4);
	return calltrace_end(&w);
}

static void test_there_and_back(void **state)
{
	size_t size = write_enter("/etc/passwd"), have;
	struct calltrace_record r;

	assert_int_equal(size % 8, 0);
	assert_int_equal(calltrace_decode(buffer, sizeof(buffer), &r), size);
	assert_int_equal(r.head.type, CALLTRACE_ENTER);
	assert_int_equal(r.head.tid, 42);
	assert_int_equal(r.head.ns, 123456789);
	assert_int_equal(r.enter.nr, 2);
	assert_int_equal(r.enter.args[2], 3);
	assert_int_equal(r.enter.sp, 0x7000);
	assert_string_equal(calltrace_at(&r, 0x1000, &have), "/etc/passwd");
	assert_int_equal(have, sizeof("/etc/passwd"));
	assert_string_equal(calltrace_at(&r, 0x1005, &have), "passwd");
	assert_memory_equal(calltrace_at(&r, 0x2002, &have), "cd", 2);
	assert_int_equal(have, 2);
	assert_null(calltrace_at(&r, 0xfff, &have));
	assert_null(calltrace_at(&r, 0x2004, &have));
}

static void test_parts_are_not_records(void **state)
{
	size_t size = write_enter("x");
	struct calltrace_record r;

	for (size_t n = 0; n < size; n++)
		assert_int_equal(calltrace_decode(buffer, n, &r), 0);
	assert_int_equal(calltrace_decode(buffer, size, &r), size);
}

/* A record that is right but for the 32-bit word at `offset`. */
static int with_word(size_t offset, uint32_t value)
{
	struct calltrace_record r;

	write_enter("x");
	memcpy(buffer + offset, &value, sizeof(value));
	return calltrace_decode(buffer, sizeof(buffer), &r);
}

static void test_refusals(void **state)
{
	enum { SIZE = 0, TYPE = 4, TID = 8, ZERO = 12, PIECE = 24 + 64 };
	uint32_t right = (uint32_t)write_enter("x");

	assert_int_equal(with_word(SIZE, right), right);
	assert_int_equal(with_word(SIZE, right + 1), -EPROTO);
	assert_int_equal(with_word(SIZE, right - 8), -EPROTO);
	assert_int_equal(with_word(SIZE, PIECE - 8), -EPROTO);
	assert_int_equal(with_word(SIZE, CALLTRACE_RECORD_MAX + 8), -EPROTO);
	assert_int_equal(with_word(TYPE, 0), -EPROTO);
	assert_int_equal(with_word(TYPE, CALLTRACE_TYPES), -EPROTO);
	assert_int_equal(with_word(TYPE, CALLTRACE_EXITED), -EPROTO);
	assert_int_equal(with_word(TID, 0x80000000), -EPROTO);
	assert_int_equal(with_word(ZERO, 1), -EPROTO);
	assert_int_equal(with_word(PIECE + 8, UINT32_MAX), -EPROTO);
	assert_int_equal(with_word(PIECE + 8, 9), -EPROTO);
	assert_int_equal(with_word(PIECE + 12, 1), -EPROTO);
}

static void test_room_ends(void **state)
{
	struct calltrace_writer w = { .at = buffer };
	struct calltrace_exit exit = { 0 };
	struct calltrace_record r;
	size_t fits, sum = 0;

	calltrace_begin(&w, CALLTRACE_EXIT, 1, 0, &exit);
	for (int i = 0; i < 100; i++) {
		void *at = calltrace_room(&w, 4093, &fits);

		if (!fits)
			break;
		memset(at, i, fits);
		calltrace_added(&w, (uint64_t)i << 20, fits);
		sum += fits;
	}
	assert_int_equal(fits, 0);
	assert_true(sum > CALLTRACE_RECORD_MAX - 256);
	assert_true(calltrace_end(&w) <= CALLTRACE_RECORD_MAX);
	assert_int_equal(calltrace_decode(buffer, sizeof(buffer), &r), w.size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_parts_are_not_records),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_room_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

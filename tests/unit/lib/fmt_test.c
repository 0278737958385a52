/* lib/fmt against the host's snprintf and strtoull. */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
/* after setjmp.h */
#include <cmocka.h>

#include "lib/fmt.h"

#define SAME(...)                                                                        \
	do {                                                                             \
		char a_[128], b_[128];                                                   \
		int n_ = snprintf(a_, sizeof a_, __VA_ARGS__);                           \
		assert_int_equal(fmt_to(b_, sizeof b_, __VA_ARGS__), n_);                \
		assert_string_equal(b_, a_);                                             \
	} while (0)

static void formats_as_printf(void **state)
{
	SAME("plain");
	SAME("%d %i %u", -5, 0, 4000000000u);
	SAME("%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42);
	SAME("%x %X %#x %#X %o %#o", 255, 255, 255, 255, 8, 8);
	SAME("%#x %#o %.0d|%.3d|%8.3d|%-8.3d", 0, 0, 0, 5, 5, 5);
	SAME("%ld %lu %lx %llx", -1L, -1UL, 1UL << 40, 0xdeadbeefcafeull);
	SAME("%hhd %hd %hhu %hu", 300, 70000, 300, 70000);
	SAME("%zu %jd %td", (size_t)7, (intmax_t)-7, (ptrdiff_t)-8);
	SAME("%s|%10s|%-10s|%.2s|%10.2s", "abc", "abc", "abc", "abc", "abc");
	SAME("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
	SAME("%p %%", (void *)0x1234);
	SAME("%*d|%-*d|%.*s|%*d", 5, 1, 5, 1, 2, "xyz", -6, 7);
	SAME("%ld", (long)INT64_MIN);
}

static void cuts_and_terminates(void **state)
{
	char b[8];
	memset(b, 'x', sizeof b);
	assert_int_equal(fmt_to(b, 5, "%s", "abcdefgh"), 8);
	assert_string_equal(b, "abcd");
	assert_int_equal(b[5], 'x');
	assert_int_equal(fmt_to(NULL, 0, "%d", 12345), 5);
	/* What a compiler would warn of must still not read astray. */
	const char *volatile no_text = NULL, *volatile cut_format = "ab%";
	assert_int_equal(fmt_to(b, 8, "%s", no_text), 6);
	assert_string_equal(b, "(null)");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	assert_int_equal(fmt_to(b, 8, cut_format), 2);
#pragma GCC diagnostic pop
}

static void parses_numbers(void **state)
{
	uint64_t v = 99;
	const char *end;
	assert_int_equal(fmt_parse_u64("18446744073709551615", 10, &v, NULL), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(fmt_parse_u64("18446744073709551616", 10, &v, NULL), -ERANGE);
	assert_int_equal(fmt_parse_u64("0x1F", 0, &v, NULL), 0);
	assert_int_equal(v, 31);
	assert_int_equal(fmt_parse_u64("017", 0, &v, NULL), 0);
	assert_int_equal(v, 15);
	assert_int_equal(fmt_parse_u64("12ab", 10, &v, NULL), -EINVAL);
	assert_int_equal(fmt_parse_u64("12ab", 10, &v, &end), 0);
	assert_int_equal(v, 12);
	assert_string_equal(end, "ab");
	v = 99;
	assert_int_equal(fmt_parse_u64("", 10, &v, NULL), -EINVAL);
	assert_int_equal(fmt_parse_u64("-1", 10, &v, NULL), -EINVAL);
	assert_int_equal(v, 99); /* outputs stay untouched on failure */
	assert_int_equal(fmt_parse_u64("0x", 0, &v, &end), 0);
	assert_string_equal(end, "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_as_printf),
		cmocka_unit_test(cuts_and_terminates),
		cmocka_unit_test(parses_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

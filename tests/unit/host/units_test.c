/* host/units.c: the values of options. */
/* link: host/say.c host/util.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/args.h"

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "128M", 0, MIB(128) },
		{ "128m", 0, MIB(128) },
		{ "128MB", 0, MIB(128) },
		{ "128MiB", 0, MIB(128) },
		{ "1T", 0, GIB(1024) },
		{ "", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1.5M", -EINVAL, 0 },
		{ "128X", -EINVAL, 0 },
		{ "128Mx", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "1000000000000000000T", -ERANGE, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t bytes = 0;

		if (size_parse(cases[i].text, &bytes) != cases[i].result ||
		    bytes != cases[i].bytes)
			fail_msg("'%s'", cases[i].text);
	}
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t ns;
	} cases[] = {
		{ "30", 0, 30 * NSEC_PER_SEC },
		{ "30s", 0, 30 * NSEC_PER_SEC },
		{ "500ms", 0, 500 * NSEC_PER_MSEC },
		{ "0.5", 0, 500 * NSEC_PER_MSEC },
		{ "1.25m", 0, 75 * NSEC_PER_SEC },
		{ "2h", 0, 7200 * NSEC_PER_SEC },
		{ "1d", 0, 86400 * NSEC_PER_SEC },
		{ "0", 0, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ "1y", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "99999999999s", -ERANGE, 0 },
		{ "4294967295d", -ERANGE, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t ns = 0;

		if (duration_parse(cases[i].text, &ns) != cases[i].result ||
		    ns != cases[i].ns)
			fail_msg("'%s': %llu", cases[i].text, (unsigned long long)ns);
	}
}

static void mappings(void **state)
{
	static const struct {
		const char *text, *from, *to; /* from NULL: refused */
	} cases[] = {
		{ "a", "a", "a" },	   { "a/b", "a/b", "b" },
		{ "/a/b/", "/a/b/", "b" }, { "a:b", "a", "b" },
		{ "a:b:c", "a:b", "c" },   { "/:x", "/", "x" },
		{ "", NULL, NULL },	   { "/", NULL, NULL },
		{ ".", NULL, NULL },	   { "a/..", NULL, NULL },
		{ ":b", NULL, NULL },	   { "a:", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mapping m = { NULL, NULL };
		int result = mapping_parse(cases[i].text, &m);

		assert_int_equal(result, cases[i].from ? 0 : -EINVAL);
		if (result < 0)
			continue;
		assert_string_equal(m.from, cases[i].from);
		assert_string_equal(m.to, cases[i].to);
		free(m.from);
		free(m.to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

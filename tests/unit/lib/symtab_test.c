/* lib/symtab.c: lookups in a small table; a table that is not whole is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/symtab.h"

/* Two functions: first at 0x10 (a.c: line 5 from 0x10, line 3 from 0x18), second at 0x40
 * with b.c: line 9 from 0x44. */
static const struct {
	char magic[8];
	uint32_t header[6];
	uint32_t functions[2][3];
	uint32_t files[2];
	uint8_t lines[7];
	char strings[22];
} packed table = {
	"MFLYSYMS",
	{ 1, 2, 2, 7, 22, 0 },
	{ { 0x10, 1, 0 }, { 0x40, 7, 4 } },
	{ 14, 18 },
	{ 0 << 1, 5 << 1, 8 << 1, (2 << 1) - 1, 4 << 1 | 1, 1, 9 << 1 },
	"\0first\0second\0a.c\0b.c",
};

static void found(uint64_t address, const char *function, uint64_t offset,
		  const char *file, uint32_t line)
{
	struct symtab t;
	struct symbol s;

	assert_int_equal(symtab_open(&table, sizeof(table), &t), 0);
	assert_true(symtab_find(&t, address, &s));
	assert_string_equal(s.function, function);
	assert_int_equal(s.offset, offset);
	assert_int_equal(s.line, line);
	if (file)
		assert_string_equal(s.file, file);
	else
		assert_null(s.file);
}

static void test_find(void **state)
{
	struct symtab t;
	struct symbol s;

	found(0x10, "first", 0, "a.c", 5);
	found(0x17, "first", 7, "a.c", 5);
	found(0x18, "first", 8, "a.c", 3);
	found(0x3f, "first", 0x2f, "a.c", 3);
	found(0x40, "second", 0, NULL, 0);
	found(0x44, "second", 4, "b.c", 9);
	found(UINT64_MAX, "second", UINT64_MAX - 0x40, "b.c", 9);
	assert_int_equal(symtab_open(&table, sizeof(table), &t), 0);
	assert_false(symtab_find(&t, 0xf, &s));
}

static void test_every_truncation(void **state)
{
	struct symtab t;

	for (size_t n = 0; n < sizeof(table); n++) {
		uint8_t *copy = malloc(n ? n : 1);
		memcpy(copy, &table, n);
		assert_int_equal(symtab_open(copy, n, &t), -EINVAL);
		free(copy);
	}
}

static void broken(size_t at, uint8_t value)
{
	uint8_t copy[sizeof(table)];
	struct symtab t;

	memcpy(copy, &table, sizeof(table));
	copy[at] = value;
	assert_int_equal(symtab_open(copy, sizeof(copy), &t), -EINVAL);
}

static void test_broken(void **state)
{
	broken(0, 'm');
	broken(8, 2);			/* version */
	broken(28, 1);			/* reserved */
	broken(32, 0x41);		/* functions out of order */
	broken(36, 22);			/* a name past the strings */
	broken(52, 8);			/* lines past the end */
	broken(56, 22);			/* a file's name past the strings */
	broken(sizeof(table) - 1, 'x'); /* strings without an end */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

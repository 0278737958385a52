/* host/textlog.c: bounded, the newest stays. */
/* link: host/say.c host/util.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/textlog.h"

static void the_newest_stays(void **state)
{
	struct textlog log = { 0 };
	char line[64];
	int last = 0;

	for (int i = 0; i < 100000; i++) {
		int size = snprintf(line, sizeof(line), "line %d\n", i);

		textlog_add(&log, line, size);
		assert_true(log.size <= TEXTLOG_MAX);
		last = i;
	}
	assert_true(log.cut);
	snprintf(line, sizeof(line), "line %d\n", last);
	assert_string_equal(log.text + log.size - strlen(line), line);
	textlog_fini(&log);
}

static void a_piece_larger_than_all_is_cut(void **state)
{
	static char piece[2 * TEXTLOG_MAX];
	struct textlog log = { 0 };

	memset(piece, 'a', sizeof(piece));
	piece[sizeof(piece) - 1] = 'z';
	textlog_add(&log, piece, sizeof(piece));
	assert_true(log.size <= TEXTLOG_MAX);
	assert_int_equal(log.text[log.size - 1], 'z');
	assert_true(log.cut);
	textlog_fini(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_stays),
		cmocka_unit_test(a_piece_larger_than_all_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

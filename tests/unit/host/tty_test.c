/* host/tty.c: the escape of a shell. */
/* link: host/say.c host/util.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/tty.h"

static bool seen(const char *keys)
{
	struct tty_escape escape = { 0 };
	bool result = false;

	/* Key by key, as they come from a terminal. */
	for (; *keys && !result; keys++)
		result = tty_escape_seen(&escape, keys, 1);
	return result;
}

static void only_enter_tilde_dot_ends(void **state)
{
	static const char *const yes[] = { "~.", "\r~.", "ls\r~.", "a\n~.", "~x\r~." };
	static const char *const no[] = { "x~.",	"\r~~.", "\r~x.", "ls ~.",
					  "cat ~/.x\r", "",	 "." };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(seen(yes[i]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(seen(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_enter_tilde_dot_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

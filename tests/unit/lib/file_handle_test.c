/* lib/file_handle.c: what is written is read again, and nothing else is a handle. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/file_handle.h"

static const struct file_id wide = { 0x123456789abcdef0ull, 0xfeedface };

static void there_and_back(void **state)
{
	const struct file_id narrow = { 0x89abcdef, 0xfeedface };
	uint8_t buf[16];
	struct file_id id;

	memset(buf, 0xaa, sizeof buf);
	file_handle_encode(FILE_HANDLE_INO64, &wide, buf);
	assert_int_equal(buf[12], 0xaa);
	assert_int_equal(file_handle_decode(FILE_HANDLE_INO64, 1, buf, 12, &id), 0);
	assert_true(id.ino == wide.ino && id.generation == wide.generation);
	memset(buf, 0xaa, sizeof buf);
	file_handle_encode(FILE_HANDLE_INO32, &narrow, buf);
	assert_int_equal(buf[8], 0xaa);
	assert_int_equal(file_handle_decode(FILE_HANDLE_INO32, 1, buf, 8, &id), 0);
	assert_true(id.ino == narrow.ino && id.generation == narrow.generation);
}

static void short_ones_and_other_types(void **state)
{
	const enum file_handle_form forms[] = { FILE_HANDLE_INO32, FILE_HANDLE_INO64 };
	struct file_id id;

	for (size_t k = 0; k < ARRAY_LEN(forms); k++) {
		size_t n = (size_t)forms[k];
		uint8_t *buf = malloc(n);
		file_handle_encode(forms[k], &wide, buf);
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(file_handle_decode(forms[k], 1, buf, cut, &id),
					 -ESTALE);
		assert_int_equal(file_handle_decode(forms[k], 0, buf, n, &id), -ESTALE);
		assert_int_equal(file_handle_decode(forms[k], 2, buf, n, &id), -ESTALE);
		assert_int_equal(file_handle_decode(forms[k], -1, buf, n, &id), -ESTALE);
		assert_int_equal(file_handle_decode(forms[k], 1, buf, n, &id), 0);
		free(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(short_ones_and_other_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* lib/file_caps.c: bytes that setcap(8) of libcap 2.66 wrote, and what is near them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/file_caps.h"

#define CAP(name) BIT(CAP_##name)

/* setcap cap_net_raw+ep */
static const uint8_t net_raw[] = { 0x01, 0, 0, 0x02, 0, 0x20, 0, 0, 0, 0,
				   0,	 0, 0, 0,    0, 0,    0, 0, 0, 0 };
/* setcap cap_bpf,cap_setuid=eip */
static const uint8_t two_words[] = { 0x01, 0, 0,    0x02, 0x80, 0, 0,	 0, 0x80, 0,
				     0,	   0, 0x80, 0,	  0,	0, 0x80, 0, 0,	  0 };
/* setcap -n 1000 cap_kill+p */
static const uint8_t of_1000[] = { 0, 0, 0, 0x03, 0x20, 0, 0, 0, 0,    0,    0, 0,
				   0, 0, 0, 0,	  0,	0, 0, 0, 0xe8, 0x03, 0, 0 };

static void what_setcap_wrote_is_read(void **state)
{
	struct file_caps c;

	assert_int_equal(file_caps_parse(net_raw, sizeof net_raw, &c), 0);
	assert_int_equal(c.permitted, CAP(NET_RAW));
	assert_int_equal(c.inheritable, 0);
	assert_true(c.effective);
	assert_int_equal(file_caps_parse(two_words, sizeof two_words, &c), 0);
	assert_int_equal(c.permitted, CAP(BPF) | CAP(SETUID));
	assert_int_equal(c.inheritable, CAP(BPF) | CAP(SETUID));
	assert_int_equal(file_caps_parse(of_1000, sizeof of_1000, &c), 0);
	assert_int_equal(c.permitted, CAP(KILL));
	assert_int_equal(c.rootid, 1000);
	assert_false(c.effective);
}

static void a_length_or_version_that_is_none_is_refused(void **state)
{
	uint8_t bytes[XATTR_CAPS_SZ_3 + 1] = { 0 };
	struct file_caps c;

	memcpy(bytes, of_1000, sizeof of_1000);
	for (size_t n = 0; n <= sizeof bytes; n++)
		assert_int_equal(file_caps_parse(bytes, n, &c),
				 n == sizeof of_1000 ? 0 : -EINVAL);
	for (unsigned version = 0; version < 256; version++) {
		bytes[3] = (uint8_t)version;
		assert_int_equal(file_caps_parse(bytes, XATTR_CAPS_SZ_2, &c),
				 version == 2 ? 0 : -EINVAL);
		assert_int_equal(file_caps_parse(bytes, XATTR_CAPS_SZ_3, &c),
				 version == 3 ? 0 : -EINVAL);
	}
}

static void capabilities_that_do_not_exist_are_left_out(void **state)
{
	uint8_t bytes[sizeof net_raw];
	struct file_caps c;

	memset(bytes, 0xff, sizeof bytes);
	memcpy(bytes, net_raw, 4);
	assert_int_equal(file_caps_parse(bytes, sizeof bytes, &c), 0);
	assert_int_equal(c.permitted, BIT(CAP_LAST_CAP + 1) - 1);
	assert_int_equal(c.inheritable, BIT(CAP_LAST_CAP + 1) - 1);
}

static void only_what_is_known_may_be_set(void **state)
{
	uint8_t bytes[sizeof of_1000];

	assert_true(file_caps_settable(net_raw, sizeof net_raw));
	assert_true(file_caps_settable(of_1000, sizeof of_1000));
	assert_false(file_caps_settable(of_1000, sizeof of_1000 - 1));
	memcpy(bytes, of_1000, sizeof bytes);
	bytes[0] = 2;
	assert_false(file_caps_settable(bytes, sizeof bytes));
	memcpy(bytes, of_1000, sizeof bytes);
	memset(bytes + XATTR_CAPS_SZ_2, 0xff, 4);
	assert_false(file_caps_settable(bytes, sizeof bytes));
}

static void those_of_root_are_shown_as_version_2(void **state)
{
	uint8_t bytes[sizeof of_1000], shown[XATTR_CAPS_SZ_3];

	assert_int_equal(file_caps_shown(net_raw, sizeof net_raw, shown), sizeof net_raw);
	assert_memory_equal(shown, net_raw, sizeof net_raw);
	assert_int_equal(file_caps_shown(of_1000, sizeof of_1000, shown), sizeof of_1000);
	assert_memory_equal(shown, of_1000, sizeof of_1000);
	memcpy(bytes, of_1000, sizeof bytes);
	memset(bytes + XATTR_CAPS_SZ_2, 0, 4);
	assert_int_equal(file_caps_shown(bytes, sizeof bytes, shown), XATTR_CAPS_SZ_2);
	assert_int_equal(shown[3], 2);
	assert_memory_equal(shown + 4, of_1000 + 4, XATTR_CAPS_SZ_2 - 4);
	assert_int_equal(file_caps_shown(bytes, 3, shown), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_setcap_wrote_is_read),
		cmocka_unit_test(a_length_or_version_that_is_none_is_refused),
		cmocka_unit_test(capabilities_that_do_not_exist_are_left_out),
		cmocka_unit_test(only_what_is_known_may_be_set),
		cmocka_unit_test(those_of_root_are_shown_as_version_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

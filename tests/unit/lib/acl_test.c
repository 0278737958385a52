/* lib/acl.c: both forms of bytes, what makes a list valid, and lists against modes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/acl.h"

#define NOBODY ((uint32_t)ACL_UNDEFINED_ID)
#define LIST(...) ((const struct acl_entry[]){ __VA_ARGS__ })
#define COUNT(...) (sizeof LIST(__VA_ARGS__) / sizeof(struct acl_entry))

#define U(p)                                                                             \
	{                                                                                \
		ACL_USER_OBJ, p, NOBODY                                                  \
	}
#define NAMED_U(id, p)                                                                   \
	{                                                                                \
		ACL_USER, p, id                                                          \
	}
#define G(p)                                                                             \
	{                                                                                \
		ACL_GROUP_OBJ, p, NOBODY                                                 \
	}
#define NAMED_G(id, p)                                                                   \
	{                                                                                \
		ACL_GROUP, p, id                                                         \
	}
#define M(p)                                                                             \
	{                                                                                \
		ACL_MASK, p, NOBODY                                                      \
	}
#define O(p)                                                                             \
	{                                                                                \
		ACL_OTHER, p, NOBODY                                                     \
	}

#define assert_list(err, ...)                                                            \
	assert_int_equal(acl_check(LIST(__VA_ARGS__), COUNT(__VA_ARGS__)), err)

static void valid_lists(void **state)
{
	assert_list(0, U(7), G(0), O(5));
	assert_list(0, U(7), G(0), M(0), O(5));
	assert_list(0, U(7), NAMED_U(9, 1), NAMED_U(5, 2), G(0), M(7), O(5));
	assert_list(0, U(7), G(0), NAMED_G(5, 7), NAMED_G(5, 1), M(0), O(5));
	assert_list(0, U(7), NAMED_U(0, 7), G(0), NAMED_G(5, 7), M(0), O(5));
}

static void lists_that_are_not_valid(void **state)
{
	assert_int_equal(acl_check(LIST(U(7)), 0), -EINVAL);
	assert_list(-EINVAL, U(7));
	assert_list(-EINVAL, U(7), G(7));
	assert_list(-EINVAL, U(7), O(7));
	assert_list(-EINVAL, G(7), O(7));
	assert_list(-EINVAL, U(7), G(7), M(7));
	assert_list(-EINVAL, U(7), U(7), G(7), O(7));
	assert_list(-EINVAL, U(7), G(7), G(7), O(7));
	assert_list(-EINVAL, U(7), G(7), O(7), O(7));
	assert_list(-EINVAL, U(7), G(7), M(7), M(7), O(7));
	assert_list(-EINVAL, U(7), G(7), O(7), M(7));
	assert_list(-EINVAL, U(7), M(7), G(7), O(7));
	assert_list(-EINVAL, U(7), NAMED_U(1, 7), G(7), O(7));
	assert_list(-EINVAL, U(7), G(7), NAMED_G(1, 7), O(7));
	assert_list(-EINVAL, U(7), G(7), NAMED_U(1, 7), M(7), O(7));
	assert_list(-EINVAL, NAMED_U(1, 7), U(7), G(7), M(7), O(7));
	assert_list(-EINVAL, U(7), NAMED_U(NOBODY, 7), G(7), M(7), O(7));
	assert_list(-EINVAL, U(8), G(7), O(7));
	assert_list(-EINVAL, U(7), G(7), { 0x40, 7, NOBODY }, O(7));
	assert_list(-EINVAL, { ACL_USER_OBJ | ACL_USER, 7, 1 }, G(7), O(7));
	assert_list(-EINVAL, { 0, 7, NOBODY }, U(7), G(7), O(7));
}

/* The bytes that Linux's setfacl -m u:1000:rw,g:5:x hands to setxattr(2), mode 0644. */
static const uint8_t setfacl_bytes[] = {
	2,    0, 0, 0,			       /* version */
	1,    0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* owner */
	2,    0, 6, 0, 0xe8, 3,	   0,	 0,    /* user 1000 */
	4,    0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* owning group */
	8,    0, 1, 0, 5,    0,	   0,	 0,    /* group 5 */
	0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, /* mask */
	0x20, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* others */
};
/* The same as Linux writes it to an ext4 disk. */
static const uint8_t disk_bytes[] = {
	1,    0, 0, 0,		      /* version */
	1,    0, 6, 0,		      /* owner */
	2,    0, 6, 0, 0xe8, 3, 0, 0, /* user 1000 */
	4,    0, 4, 0,		      /* owning group */
	8,    0, 1, 0, 5,    0, 0, 0, /* group 5 */
	0x10, 0, 7, 0, 0x20, 0, 4, 0, /* mask, others */
};

static void attributes_there_and_back(void **state)
{
	uint8_t back[sizeof setfacl_bytes];
	struct acl_entry e[6];

	assert_int_equal(acl_xattr_count(setfacl_bytes, sizeof setfacl_bytes), 6);
	assert_int_equal(acl_xattr_decode(setfacl_bytes, 6, e), 0);
	assert_int_equal(acl_check(e, 6), 0);
	assert_int_equal(e[1].tag, ACL_USER);
	assert_int_equal(e[1].perm, 6);
	assert_int_equal(e[1].id, 1000);
	assert_int_equal(acl_mode(e, 6), 0674);
	assert_int_equal(acl_xattr_size(6), sizeof back);
	acl_xattr_encode(e, 6, back);
	assert_memory_equal(back, setfacl_bytes, sizeof back);
}

static void attributes_that_are_none(void **state)
{
	uint8_t b[sizeof setfacl_bytes];
	struct acl_entry e[6];

	memcpy(b, setfacl_bytes, sizeof b);
	for (size_t n = 0; n < sizeof b; n++)
		assert_int_equal(acl_xattr_count(b, n),
				 n >= 4 && n % 8 == 4 ? (int)(n / 8) : -EINVAL);
	b[0] = 1;
	assert_int_equal(acl_xattr_count(b, sizeof b), -EOPNOTSUPP);
	b[12] = 3; /* the tag of the second */
	assert_int_equal(acl_xattr_decode(b, 6, e), -EINVAL);
	memcpy(b + 12, "\2\0\6\0\xff\xff\xff\xff", 8);
	assert_int_equal(acl_xattr_decode(b, 6, e), -EINVAL);
	/* An id where nobody is named says nothing. */
	memcpy(b + 12, "\1\0\6\0\1\0\0\0", 8);
	assert_int_equal(acl_xattr_decode(b, 6, e), 0);
	assert_int_equal(e[1].id, NOBODY);
}

static void disk_form(void **state)
{
	struct acl_entry e[6], want[6];

	assert_int_equal(acl_xattr_decode(setfacl_bytes, 6, want), 0);
	assert_int_equal(acl_ext4_decode(disk_bytes, sizeof disk_bytes, NULL), 6);
	assert_int_equal(acl_ext4_decode(disk_bytes, sizeof disk_bytes, e), 6);
	assert_memory_equal(e, want, sizeof e);
	assert_int_equal(acl_ext4_decode(disk_bytes, 4, NULL), 0);
}

static void disk_form_cut_anywhere(void **state)
{
	/* Where an entry ends. */
	static const bool whole[sizeof disk_bytes] = {
		[4] = true, [8] = true, [16] = true, [20] = true, [28] = true, [32] = true
	};

	for (size_t n = 0; n < sizeof disk_bytes; n++) {
		uint8_t *b = malloc(n ? n : 1);
		memcpy(b, disk_bytes, n);
		int64_t r = acl_ext4_decode(b, n, NULL);
		assert_true(whole[n] ? r >= 0 : r == -EUCLEAN);
		free(b);
	}
	uint8_t b[sizeof disk_bytes];
	memcpy(b, disk_bytes, sizeof b);
	b[0] = 2;
	assert_int_equal(acl_ext4_decode(b, sizeof b, NULL), -EUCLEAN);
}

static void lists_and_modes(void **state)
{
	struct acl_entry plain[] = { U(6), G(4), O(1) };
	struct acl_entry masked[] = { U(6), NAMED_U(9, 7), G(7), M(5), O(1) };

	assert_true(acl_is_minimal(plain, 3));
	assert_int_equal(acl_mode(plain, 3), 0641);
	assert_int_equal(acl_mask(plain, 3), 7);
	acl_set_mode(plain, 3, 04750);
	assert_int_equal(acl_mode(plain, 3), 0750);
	assert_int_equal(plain[1].perm, 5);

	assert_false(acl_is_minimal(masked, 5));
	assert_int_equal(acl_mode(masked, 5), 0651);
	assert_int_equal(acl_mask(masked, 5), 5);
	acl_limit(masked, 5, 0100524);
	assert_int_equal(acl_mode(masked, 5), 0400);
	assert_int_equal(masked[1].perm, 7);
	assert_int_equal(masked[2].perm, 7);
	acl_set_mode(masked, 5, 0777);
	assert_int_equal(acl_mode(masked, 5), 0777);
	acl_limit(masked, 5, 0640);
	assert_int_equal(acl_mode(masked, 5), 0640);
	assert_int_equal(masked[3].perm, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_lists),
		cmocka_unit_test(lists_that_are_not_valid),
		cmocka_unit_test(attributes_there_and_back),
		cmocka_unit_test(attributes_that_are_none),
		cmocka_unit_test(disk_form),
		cmocka_unit_test(disk_form_cut_anywhere),
		cmocka_unit_test(lists_and_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sec_may_access: every class of user against every bit, and the two capabilities. */
/* link: tests/unit/kernel/sec/no_audit.c */
#include "sec/acl.h"
#include <linux/stat.h>

#include <asm/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after setjmp.h */
#include <cmocka.h>

#define FILE_TYPE 0100000u
#define DIR_TYPE 0040000u

static union {
	struct groups head;
	unsigned char room[sizeof(struct groups) + 2 * sizeof(gid_t)];
} groups;

/* The supplementary groups of every user below: 50 and 60. */
static int groups_setup(void **state)
{
	ref_init(&groups.head.refs, 1);
	groups.head.n = 2;
	groups.head.gid[0] = 50;
	groups.head.gid[1] = 60;
	return 0;
}

static struct cred user(uid_t uid, gid_t gid, uint64_t caps)
{
	return (struct cred){
		.fsuid = uid, .fsgid = gid, .groups = &groups.head, .cap_effective = caps
	};
}

static int check(const struct cred *c, uint32_t mode, uint32_t may)
{
	struct perm_facts o = { mode, 10, 20 };
	return sec_may_access(c, &o, may);
}

/* The class whose bits count: the owner's, the group's, the others', never a later
 * one. */
static void one_class_decides(void **state)
{
	struct cred owner = user(10, 99, 0), member = user(11, 20, 0),
		    other = user(11, 99, 0);

	for (uint32_t mode = 0; mode < 01000; mode++) {
		for (uint32_t may = 0; may < 8; may++) {
			assert_int_equal(check(&owner, FILE_TYPE | mode, may),
					 may & ~(mode >> 6) ? -EACCES : 0);
			assert_int_equal(check(&member, FILE_TYPE | mode, may),
					 may & ~(mode >> 3) & 7 ? -EACCES : 0);
			assert_int_equal(check(&other, FILE_TYPE | mode, may),
					 may & ~mode & 7 ? -EACCES : 0);
		}
	}
}

static void supplementary_groups_count(void **state)
{
	struct cred c = user(11, 99, 0);
	struct perm_facts in = { FILE_TYPE | 0040, 10, 60 },
			  out = { FILE_TYPE | 0040, 10, 61 };

	assert_int_equal(sec_may_access(&c, &in, MAY_READ), 0);
	assert_int_equal(sec_may_access(&c, &out, MAY_READ), -EACCES);
	/* A member with no bits is not helped by the others' bits. */
	in.mode = FILE_TYPE | 0004;
	assert_int_equal(sec_may_access(&c, &in, MAY_READ), -EACCES);
	assert_int_equal(sec_may_access(&c, &out, MAY_READ), -EACCES);
	out.mode = FILE_TYPE | 0004;
	assert_int_equal(sec_may_access(&c, &out, MAY_READ), 0);
}

/* acl(5). User 11 and groups 60 and 61 are named; the owning group is 20. */
static union {
	struct acl head;
	unsigned char room[sizeof(struct acl) + 7 * sizeof(struct acl_entry)];
} list;

static int check_list(uid_t uid, gid_t gid, uint64_t caps, uint32_t mask, uint32_t may)
{
	static const struct acl_entry entries[7] = {
		{ ACL_USER_OBJ, 6, 0 }, { ACL_USER, 5, 11 },  { ACL_GROUP_OBJ, 4, 0 },
		{ ACL_GROUP, 2, 60 },	{ ACL_GROUP, 7, 61 }, { ACL_MASK, 0, 0 },
		{ ACL_OTHER, 1, 0 },
	};
	struct cred c = user(uid, gid, caps);
	struct perm_facts o = { FILE_TYPE | 0601 | mask << 3, 10, 20 };

	list.head.n = 7;
	for (int k = 0; k < 7; k++)
		list.head.entry[k] = entries[k];
	list.head.entry[5].perm = (uint16_t)mask;
	return sec_may_access_acl(&c, &o, &list.head, may);
}

static void lists_stand_for_group_and_others(void **state)
{
	groups.head.n = 0;
	for (uint32_t mask = 1; mask < 8; mask++) {
		for (uint32_t may = 0; may < 8; may++) {
			assert_int_equal(check_list(10, 61, 0, mask, may),
					 may & ~6u ? -EACCES : 0);
			assert_int_equal(check_list(11, 61, 0, mask, may),
					 may & ~(5u & mask) ? -EACCES : 0);
			assert_int_equal(check_list(12, 20, 0, mask, may),
					 may & ~(4u & mask) ? -EACCES : 0);
			assert_int_equal(check_list(12, 61, 0, mask, may),
					 may & ~(7u & mask) ? -EACCES : 0);
			assert_int_equal(check_list(12, 99, 0, mask, may),
					 may & ~1u ? -EACCES : 0);
		}
	}
	groups.head.n = 2;
}

/* A member of 20 and 60: read by the one, write by the other, both by none; and never
 * what the others have. */
static void groups_of_a_list_do_not_add_up(void **state)
{
	assert_int_equal(check_list(12, 20, 0, 7, MAY_READ), 0);
	assert_int_equal(check_list(12, 20, 0, 7, MAY_WRITE), 0);
	assert_int_equal(check_list(12, 20, 0, 7, MAY_READ | MAY_WRITE), -EACCES);
	assert_int_equal(check_list(12, 20, 0, 7, MAY_EXEC), -EACCES);
	assert_int_equal(check_list(12, 61, 0, 7, MAY_READ | MAY_WRITE), 0);
}

static void capabilities_pass_lists(void **state)
{
	assert_int_equal(check_list(11, 99, BIT(CAP_DAC_OVERRIDE), 4, MAY_WRITE), 0);
	assert_int_equal(check_list(11, 99, BIT(CAP_DAC_READ_SEARCH), 1, MAY_READ), 0);
	assert_int_equal(check_list(11, 99, BIT(CAP_DAC_READ_SEARCH), 1, MAY_WRITE),
			 -EACCES);
}

/* As in Linux: the list is not looked at, and the named user is one of the others. */
static void an_empty_mask_leaves_the_mode(void **state)
{
	assert_int_equal(check_list(11, 99, 0, 0, MAY_EXEC), 0);
	assert_int_equal(check_list(11, 99, 0, 0, MAY_READ), -EACCES);
	assert_int_equal(check_list(12, 20, 0, 0, MAY_EXEC), -EACCES);
}

static void dac_override(void **state)
{
	struct cred c = user(11, 99, BIT(CAP_DAC_OVERRIDE));

	assert_int_equal(check(&c, FILE_TYPE, MAY_READ | MAY_WRITE), 0);
	assert_int_equal(check(&c, DIR_TYPE, MAY_READ | MAY_WRITE | MAY_EXEC), 0);
	/* Not even root executes what nobody may. */
	assert_int_equal(check(&c, FILE_TYPE | 0666, MAY_EXEC), -EACCES);
	assert_int_equal(check(&c, FILE_TYPE | 0001, MAY_EXEC), 0);
	assert_int_equal(check(&c, FILE_TYPE | 0100, MAY_EXEC), 0);
}

static void dac_read_search(void **state)
{
	struct cred c = user(11, 99, BIT(CAP_DAC_READ_SEARCH));

	assert_int_equal(check(&c, FILE_TYPE, MAY_READ), 0);
	assert_int_equal(check(&c, FILE_TYPE, MAY_WRITE), -EACCES);
	assert_int_equal(check(&c, FILE_TYPE | 0100, MAY_EXEC), -EACCES);
	assert_int_equal(check(&c, DIR_TYPE, MAY_READ | MAY_EXEC), 0);
	assert_int_equal(check(&c, DIR_TYPE, MAY_WRITE), -EACCES);
}

/* SCM_CREDENTIALS: each id by itself, and what lets one claim others'. */
static void claimed_ids(void **state)
{
	struct cred c = { .uid = 1, .euid = 2, .suid = 3, .fsuid = 4 };

	c.gid = 11, c.egid = 12, c.sgid = 13, c.fsgid = 14;
	for (uid_t k = 1; k <= 3; k++)
		assert_int_equal(sec_may_claim_ids(&c, true, k, 10 + k), 0);
	assert_int_equal(sec_may_claim_ids(&c, true, 4, 11), -EPERM);
	assert_int_equal(sec_may_claim_ids(&c, true, 0, 11), -EPERM);
	assert_int_equal(sec_may_claim_ids(&c, true, 1, 14), -EPERM);
	assert_int_equal(sec_may_claim_ids(&c, true, 1, 0), -EPERM);
	assert_int_equal(sec_may_claim_ids(&c, false, 1, 11), -EPERM);
	c.cap_effective = BIT(CAP_SETUID);
	assert_int_equal(sec_may_claim_ids(&c, true, 0, 11), 0);
	assert_int_equal(sec_may_claim_ids(&c, true, 0, 0), -EPERM);
	assert_int_equal(sec_may_claim_ids(&c, false, 0, 11), -EPERM);
	c.cap_effective = BIT(CAP_SETGID);
	assert_int_equal(sec_may_claim_ids(&c, true, 1, 0), 0);
	assert_int_equal(sec_may_claim_ids(&c, true, 0, 0), -EPERM);
	c.cap_effective = BIT(CAP_SYS_ADMIN);
	assert_int_equal(sec_may_claim_ids(&c, false, 1, 11), 0);
	assert_int_equal(sec_may_claim_ids(&c, false, 0, 11), -EPERM);
	c.cap_effective = UINT64_MAX;
	assert_int_equal(sec_may_claim_ids(&c, false, ID_INVALID, 0), -EINVAL);
	assert_int_equal(sec_may_claim_ids(&c, false, 0, ID_INVALID), -EINVAL);
}

static struct cred ipc_user(uid_t uid, gid_t gid, uint64_t caps)
{
	struct cred c = user(uid, gid, caps);

	c.euid = uid;
	return c;
}

/* Owner and maker are one class, so are their groups; a want in any place is the same
 * want. */
static void ipc_has_two_owners(void **state)
{
	struct cred owner = ipc_user(10, 99, 0), maker = ipc_user(11, 99, 0),
		    group = ipc_user(12, 20, 0), makers_group = ipc_user(12, 21, 0),
		    extra = ipc_user(12, 99, 0), other = ipc_user(13, 98, 0),
		    capable = ipc_user(13, 98, 1ull << CAP_IPC_OWNER);

	for (uint32_t mode = 0; mode < 01000; mode++) {
		struct ipc_facts o = { mode, 10, 11, 20, 21 };
		struct ipc_facts theirs = { mode, 10, 11, 50, 21 };
		for (uint32_t may = 0; may < 8; may++) {
			int u = may & ~(mode >> 6) ? -EACCES : 0;
			int g = may & ~(mode >> 3) & 7 ? -EACCES : 0;
			int rest = may & ~mode & 7 ? -EACCES : 0;
			for (int place = 0; place <= 6; place += 3) {
				uint32_t want = may << place;
				assert_int_equal(sec_may_ipc(&owner, &o, want), u);
				assert_int_equal(sec_may_ipc(&maker, &o, want), u);
				assert_int_equal(sec_may_ipc(&group, &o, want), g);
				assert_int_equal(sec_may_ipc(&makers_group, &o, want), g);
				assert_int_equal(sec_may_ipc(&extra, &theirs, want), g);
				assert_int_equal(sec_may_ipc(&other, &o, want), rest);
				assert_int_equal(sec_may_ipc(&capable, &o, want), 0);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_class_decides),
		cmocka_unit_test(supplementary_groups_count),
		cmocka_unit_test(lists_stand_for_group_and_others),
		cmocka_unit_test(groups_of_a_list_do_not_add_up),
		cmocka_unit_test(capabilities_pass_lists),
		cmocka_unit_test(an_empty_mask_leaves_the_mode),
		cmocka_unit_test(dac_override),
		cmocka_unit_test(dac_read_search),
		cmocka_unit_test(claimed_ids),
		cmocka_unit_test(ipc_has_two_owners),
	};
	return cmocka_run_group_tests(tests, groups_setup, NULL);
}

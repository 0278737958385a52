/* sec_may_trace: each id, dumpable, capabilities; and what CAP_SYS_PTRACE overrides. */
#include "sec/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after setjmp.h */
#include <cmocka.h>

/* Noted when the capability decides, and only then. */
static int used;

void upcall_cap_used(const struct cred *c, int cap)
{
	used++;
}

static const struct cred user = {
	.uid = 10,
	.euid = 10,
	.suid = 10,
	.fsuid = 10,
	.gid = 20,
	.egid = 20,
	.sgid = 20,
	.fsgid = 20,
};

static bool may(const struct cred *me, const struct cred *target)
{
	return sec_may_trace(me, target, true, TRACE_BY_REAL_IDS);
}

static void the_same_user_may(void **state)
{
	assert_true(may(&user, &user));
	assert_false(sec_may_trace(&user, &user, false, TRACE_BY_REAL_IDS));
}

static void every_id_of_the_target_counts(void **state)
{
	for (int i = 0; i < 6; i++) {
		struct cred t = user;
		uint32_t *ids[] = { &t.uid, &t.euid, &t.suid, &t.gid, &t.egid, &t.sgid };
		*ids[i] = 99;
		assert_false(may(&user, &t));
		assert_false(sec_may_trace(&user, &t, true, TRACE_BY_FS_IDS));
	}
	struct cred t = user;
	t.fsuid = t.fsgid = 99; /* these two do not */
	assert_true(may(&user, &t));
}

static void the_way_says_which_of_mine(void **state)
{
	struct cred me = user;
	me.fsuid = 99;
	assert_true(may(&me, &user));
	assert_false(sec_may_trace(&me, &user, true, TRACE_BY_FS_IDS));
	me = user;
	me.uid = 99;
	assert_false(may(&me, &user));
	assert_true(sec_may_trace(&me, &user, true, TRACE_BY_FS_IDS));
}

static void capabilities_must_be_mine_too(void **state)
{
	struct cred me = user, t = user;
	t.cap_permitted = BIT(CAP_CHOWN);
	assert_false(may(&me, &t));
	me.cap_permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL);
	assert_true(may(&me, &t));
	/* Through procfs what is permitted must be in effect as well. */
	assert_false(sec_may_trace(&me, &t, true, TRACE_BY_FS_IDS));
	me.cap_effective = BIT(CAP_CHOWN);
	assert_true(sec_may_trace(&me, &t, true, TRACE_BY_FS_IDS));
}

static void cap_sys_ptrace_overrides(void **state)
{
	struct cred me = user, t = user;
	t.uid = t.euid = t.suid = 0;
	t.cap_permitted = ~0ull;
	assert_false(may(&me, &t));
	me.cap_permitted = BIT(CAP_SYS_PTRACE);
	assert_false(may(&me, &t)); /* permitted alone is not enough */
	assert_int_equal(used, 0);
	me.cap_effective = BIT(CAP_SYS_PTRACE);
	assert_true(may(&me, &t));
	assert_true(sec_may_trace(&me, &t, false, TRACE_BY_FS_IDS));
	assert_int_equal(used, 2);
	me.cap_permitted = me.cap_effective;
	t = me;
	assert_true(may(&me, &t)); /* without need of it */
	assert_int_equal(used, 2);
}

static void a_tracer_is_no_less_than_its_tracee(void **state)
{
	struct cred parent = user, child = user;
	assert_true(sec_may_be_traced(&child, &parent));
	child.cap_permitted = BIT(CAP_CHOWN);
	assert_false(sec_may_be_traced(&child, &parent));
	parent.cap_permitted = BIT(CAP_CHOWN);
	assert_true(sec_may_be_traced(&child, &parent));
	parent.cap_permitted = 0;
	parent.cap_effective = BIT(CAP_SYS_PTRACE);
	assert_true(sec_may_be_traced(&child, &parent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_user_may),
		cmocka_unit_test(every_id_of_the_target_counts),
		cmocka_unit_test(the_way_says_which_of_mine),
		cmocka_unit_test(capabilities_must_be_mine_too),
		cmocka_unit_test(cap_sys_ptrace_overrides),
		cmocka_unit_test(a_tracer_is_no_less_than_its_tracee),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

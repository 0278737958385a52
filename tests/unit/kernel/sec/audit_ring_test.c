/* kernel/sec/audit_ring.c: nothing is lost without being counted (U3), and what is vital
 * has places that a flood of the ordinary cannot take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sec/audit_ring.h"

#define N 32u

static struct audit_record slots[N];
static struct audit_ring ring;

static int empty(void **state)
{
	memset(slots, 0xa5, sizeof(slots));
	audit_ring_init(&ring, slots, N);
	return 0;
}

static struct audit_record facts(enum audit_event event)
{
	struct audit_record r = { .event = event, .syscall = UINT32_MAX };

	return r;
}

static bool add(enum audit_event event)
{
	struct audit_record r = facts(event);

	if (!audit_ring_reserve(&ring, audit_class_of(event)))
		return false;
	audit_ring_add(&ring, &r);
	return true;
}

static void begin(void)
{
	assert_true(add(AUDIT_EVENT_BOOT));
}

static void seal_all(void)
{
	while (ring.sealed < ring.next) {
		audit_seal(audit_ring_slot(&ring, ring.sealed), ring.head);
		audit_ring_sealed(&ring, 1);
	}
}

static void keep(uint64_t at)
{
	struct audit_record stamp = facts(AUDIT_EVENT_BOOT);

	audit_ring_keep(&ring, at, &stamp);
}

/* Copies the record *at, or the first one after it, and moves *at behind it. */
static bool read_one(uint64_t *at, struct audit_record *ret, uint64_t *ret_missed)
{
	uint64_t found = audit_ring_find(&ring, *at);

	*ret_missed = found - *at;
	if (found >= ring.sealed)
		return false;
	*ret = *audit_ring_slot(&ring, found);
	*at = found + 1;
	return true;
}

/* The keeper reads up to n records into its log. */
static void keeper_reads(struct audit_check *log, uint64_t *at, unsigned n)
{
	struct audit_record r;
	uint64_t missed;

	seal_all();
	while (n-- && read_one(at, &r, &missed)) {
		assert_int_equal(missed, 0);
		assert_int_equal(audit_check_next(log, &r), AUDIT_SOUND);
		keep(*at);
		seal_all();
	}
}

static void what_is_written_is_read_in_order(void **state)
{
	struct audit_check log = { 0 };
	uint64_t at = 0;

	begin();
	for (int i = 0; i < 100; i++) {
		assert_true(add(AUDIT_EVENT_CRED));
		keeper_reads(&log, &at, UINT32_MAX);
	}
	assert_int_equal(log.next, 101);
	assert_int_equal(log.dropped, 0);
	assert_int_equal(ring.reserved, 0);
}

static void nothing_is_read_before_it_is_sealed(void **state)
{
	struct audit_record r;
	uint64_t at = 0, missed;

	begin();
	assert_false(read_one(&at, &r, &missed));
	seal_all();
	assert_true(read_one(&at, &r, &missed));
	assert_false(read_one(&at, &r, &missed));
	assert_int_equal(at, 1);
}

static void a_flood_of_the_ordinary_leaves_places_for_the_vital(void **state)
{
	unsigned ordinary = 0, vital = 0;

	begin();
	for (int i = 0; i < 1000; i++)
		ordinary += add(AUDIT_EVENT_REFUSED);
	while (add(AUDIT_EVENT_CRED))
		vital++;
	assert_int_equal(ordinary, N - N / 4 - 2);
	/* One for DROPPED, which the first of these brought, and one kept back. */
	assert_int_equal(vital, N / 4 - 1);
	assert_int_equal(ring.dropped_total[AUDIT_ORDINARY], 1000 - ordinary);
	assert_int_equal(ring.dropped_total[AUDIT_VITAL], 1);
}

static void a_full_ring_counts_and_says_so(void **state)
{
	struct audit_check log = { 0 };
	uint64_t at = 0, written = 1;

	begin();
	for (int i = 0; i < 100; i++)
		written += add(AUDIT_EVENT_CRED);
	assert_int_equal(written + ring.dropped_total[AUDIT_VITAL], 101);
	assert_true(written < N);
	keeper_reads(&log, &at, UINT32_MAX);
	/* Told without any further record. */
	assert_int_equal(log.dropped, ring.dropped_total[AUDIT_VITAL]);
	assert_int_equal(log.next, written + 1);
	assert_true(add(AUDIT_EVENT_CRED));
	keeper_reads(&log, &at, UINT32_MAX);
	assert_int_equal(log.next, written + 2);
}

static void every_drop_is_told_once(void **state)
{
	struct audit_check log = { 0 };
	uint64_t at = 0, asked = 0, written = 0;

	begin();
	srand(1);
	for (int i = 0; i < 100000; i++) {
		enum audit_event event =
			rand() % 3 ? AUDIT_EVENT_REFUSED : AUDIT_EVENT_CRED;
		asked++;
		written += add(event);
		if (rand() % 20 == 0)
			keeper_reads(&log, &at, (unsigned)rand() % 30);
	}
	keeper_reads(&log, &at, UINT32_MAX);
	uint64_t dropped =
		ring.dropped_total[AUDIT_VITAL] + ring.dropped_total[AUDIT_ORDINARY];
	assert_true(dropped > 1000);
	assert_int_equal(asked, written + dropped);
	assert_int_equal(log.dropped, dropped);
	assert_true(log.next > 1 + written);
}

static void what_is_forgotten_needs_no_seal(void **state)
{
	struct audit_record r;
	uint64_t at = 0, missed;

	begin();
	seal_all();
	for (int i = 0; i < 1000; i++) {
		assert_true(add(AUDIT_EVENT_REFUSED));
		if (ring.next - ring.kept == N / 2)
			audit_ring_forget(&ring, ring.next - 4);
	}
	uint64_t first = ring.forgotten;
	assert_int_equal(audit_ring_oldest(&ring), first);
	assert_false(read_one(&at, &r, &missed));
	seal_all();
	assert_true(read_one(&at, &r, &missed));
	assert_int_equal(missed, first);
	assert_int_equal(r.sequence, first);
	/* What is left is one chain. */
	for (uint64_t s = first + 1; s < ring.next; s++) {
		uint8_t before[AUDIT_DIGEST_SIZE];

		memcpy(before, r.digest, sizeof(before));
		assert_true(read_one(&at, &r, &missed));
		assert_memory_equal(r.previous, before, sizeof(before));
	}
	assert_int_equal(ring.dropped_total[AUDIT_ORDINARY], 0);
}

static void a_reserved_place_is_there_however_full_it_gets(void **state)
{
	struct audit_record r = facts(AUDIT_EVENT_CRED);
	struct audit_check log = { 0 };
	uint64_t at = 0;

	begin();
	assert_true(audit_ring_reserve(&ring, AUDIT_VITAL));
	assert_true(audit_ring_reserve(&ring, AUDIT_VITAL));
	while (add(AUDIT_EVENT_CRED))
		;
	audit_ring_add(&ring, &r);
	audit_ring_cancel(&ring);
	assert_int_equal(ring.reserved, 0);
	assert_true(ring.next - ring.kept <= N);
	keeper_reads(&log, &at, UINT32_MAX);
	assert_int_equal(log.dropped, 1);
}

static void who_comes_late_is_told_what_it_missed(void **state)
{
	struct audit_check log = { 0 };
	struct audit_record r;
	uint64_t at = 0, mine = 0, missed;

	begin();
	for (int i = 0; i < 100; i++) {
		assert_true(add(AUDIT_EVENT_CRED));
		keeper_reads(&log, &at, UINT32_MAX);
	}
	assert_true(read_one(&mine, &r, &missed));
	assert_int_equal(missed, 101 - N);
	assert_int_equal(r.sequence, 101 - N);
	assert_true(read_one(&mine, &r, &missed));
	assert_int_equal(missed, 0);
	/* Its being behind keeps nobody from writing. */
	for (int i = 0; i < 100; i++) {
		assert_true(add(AUDIT_EVENT_CRED));
		keeper_reads(&log, &at, UINT32_MAX);
	}
	assert_true(read_one(&mine, &r, &missed));
	assert_int_equal(missed, 98);
}

#define ON_A_RING(test) cmocka_unit_test_setup(test, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_RING(what_is_written_is_read_in_order),
		ON_A_RING(nothing_is_read_before_it_is_sealed),
		ON_A_RING(a_flood_of_the_ordinary_leaves_places_for_the_vital),
		ON_A_RING(a_full_ring_counts_and_says_so),
		ON_A_RING(every_drop_is_told_once),
		ON_A_RING(a_reserved_place_is_there_however_full_it_gets),
		ON_A_RING(what_is_forgotten_needs_no_seal),
		ON_A_RING(who_comes_late_is_told_what_it_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

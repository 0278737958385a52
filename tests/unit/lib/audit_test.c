/* lib/audit.c: the chain is BLAKE2b's, and whatever is done to a log shows. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/audit.h"

#define RECORDS 6

static struct audit_record log_of[RECORDS + 1];

static void seal_again(struct audit_record *r, size_t n)
{
	static const uint8_t none[AUDIT_DIGEST_SIZE];

	for (size_t i = 0; i < n; i++)
		audit_seal(&r[i], i ? r[i - 1].digest : none);
}

static int make_log(void **state)
{
	memset(log_of, 0, sizeof(log_of));
	for (size_t i = 0; i < RECORDS; i++) {
		log_of[i].sequence = i;
		log_of[i].event = i ? AUDIT_EVENT_CRED : AUDIT_EVENT_BOOT;
		memset(log_of[i].boot_id, 7, sizeof(log_of[i].boot_id));
	}
	log_of[3].event = AUDIT_EVENT_DROPPED;
	log_of[3].count = 5;
	log_of[RECORDS - 1].event = AUDIT_EVENT_END;
	seal_again(log_of, RECORDS);
	return 0;
}

/* The first fault of n records, and which one has it. */
static enum audit_fault check(size_t n, size_t *ret_at)
{
	struct audit_check c = { 0 };
	enum audit_fault fault = AUDIT_SOUND;
	size_t i;

	for (i = 0; i < n && !fault; i++)
		fault = audit_check_next(&c, &log_of[i]);
	*ret_at = i - 1;
	return fault ? fault : audit_check_end(&c);
}

#define assert_fault(n, fault, where)                                                    \
	do {                                                                             \
		size_t at;                                                               \
		assert_int_equal(check(n, &at), fault);                                  \
		assert_int_equal(at, where);                                             \
	} while (0)

/* What Python's hashlib.blake2b(digest_size=32) says of these 480 bytes. */
static void the_digest_is_blake2b(void **state)
{
	static const uint8_t want[] = {
		0x6f, 0x86, 0xf8, 0xf8, 0xd7, 0x2a, 0x5d, 0x6f, 0xc0, 0x56, 0xdc,
		0xdb, 0x1f, 0x88, 0x78, 0x1c, 0xf0, 0x1e, 0xaf, 0x17, 0xf1, 0xab,
		0xf1, 0x17, 0xa1, 0x44, 0xf2, 0x59, 0x3c, 0xde, 0x7c, 0xd2,
	};
	struct audit_record r = {
		.mono_ns = 1, .wall_ns = 2, .event = 1, .text = "test"
	};

	for (uint8_t i = 0; i < 16; i++)
		r.boot_id[i] = i;
	audit_seal(&r, (const uint8_t[AUDIT_DIGEST_SIZE]){ 0 });
	assert_memory_equal(r.digest, want, sizeof(want));
}

static void fields_are_where_others_look_for_them(void **state)
{
	assert_int_equal(offsetof(struct audit_record, event), 40);
	assert_int_equal(offsetof(struct audit_record, arg), 80);
	assert_int_equal(offsetof(struct audit_record, before), 160);
	assert_int_equal(offsetof(struct audit_record, after), 256);
	assert_int_equal(offsetof(struct audit_record, capabilities), 384);
	assert_int_equal(offsetof(struct audit_record, text), 392);
	assert_int_equal(offsetof(struct audit_record, digest), 480);
}

static void a_whole_log_is_sound(void **state)
{
	struct audit_check c = { 0 };

	for (size_t i = 0; i < RECORDS; i++)
		assert_int_equal(audit_check_next(&c, &log_of[i]), AUDIT_SOUND);
	assert_int_equal(audit_check_end(&c), AUDIT_SOUND);
	assert_int_equal(c.dropped, 5);
	assert_int_equal(c.next, RECORDS);
	assert_memory_equal(c.head, log_of[RECORDS - 1].digest, AUDIT_DIGEST_SIZE);
}

static void every_bit_counts(void **state)
{
	for (size_t bit = 0; bit < 8 * sizeof(log_of[0]); bit++) {
		uint8_t *byte = (uint8_t *)&log_of[2] + bit / 8;
		*byte ^= (uint8_t)(1 << bit % 8);
		assert_fault(RECORDS, AUDIT_CHANGED, 2);
		*byte ^= (uint8_t)(1 << bit % 8);
	}
	assert_fault(RECORDS, AUDIT_SOUND, RECORDS - 1);
}

static void a_bit_of_the_last_record_counts(void **state)
{
	log_of[RECORDS - 1].pid ^= 1;
	assert_fault(RECORDS, AUDIT_CHANGED, RECORDS - 1);
}

static void a_removed_record_shows(void **state)
{
	memmove(&log_of[2], &log_of[3], (RECORDS - 3) * sizeof(log_of[0]));
	assert_fault(RECORDS - 1, AUDIT_MISSING, 2);
}

static void a_removed_beginning_shows(void **state)
{
	memmove(&log_of[0], &log_of[1], (RECORDS - 1) * sizeof(log_of[0]));
	assert_fault(RECORDS - 1, AUDIT_MISSING, 0);
}

static void a_removed_end_shows(void **state)
{
	assert_fault(RECORDS - 1, AUDIT_CUT, RECORDS - 2);
	assert_fault(1, AUDIT_CUT, 0);
}

static void a_doubled_record_shows(void **state)
{
	memmove(&log_of[3], &log_of[2], (RECORDS - 2) * sizeof(log_of[0]));
	assert_fault(RECORDS + 1, AUDIT_REPEATED, 3);
}

static void exchanged_records_show(void **state)
{
	struct audit_record r = log_of[1];

	log_of[1] = log_of[2];
	log_of[2] = r;
	assert_fault(RECORDS, AUDIT_MISSING, 1);
}

/* Sealed anew, as one would who knows the form. */
static void a_record_put_in_its_place_shows(void **state)
{
	log_of[2].pid = 5;
	audit_seal(&log_of[2], log_of[1].digest);
	assert_fault(RECORDS, AUDIT_UNCHAINED, 3);
}

static void a_renumbered_log_shows(void **state)
{
	log_of[2] = log_of[3];
	log_of[2].sequence = 2;
	audit_seal(&log_of[2], log_of[3].previous);
	assert_fault(RECORDS, AUDIT_UNCHAINED, 2);
}

static void another_boots_record_shows(void **state)
{
	log_of[4].boot_id[0] ^= 1;
	seal_again(log_of, RECORDS);
	assert_fault(RECORDS, AUDIT_FOREIGN, 4);
}

static void what_comes_after_the_end_shows(void **state)
{
	log_of[RECORDS] = log_of[RECORDS - 1];
	log_of[RECORDS].sequence = RECORDS;
	seal_again(log_of, RECORDS + 1);
	assert_fault(RECORDS + 1, AUDIT_AFTER_END, RECORDS);
}

static void a_record_that_is_none_shows(void **state)
{
	static const uint32_t bad_events[] = { 0, AUDIT_EVENTS, UINT32_MAX,
					       AUDIT_EVENT_BOOT };

	for (size_t i = 0; i < sizeof(bad_events) / sizeof(bad_events[0]); i++) {
		log_of[1].event = bad_events[i];
		seal_again(log_of, RECORDS);
		assert_fault(RECORDS, AUDIT_MALFORMED, 1);
	}
	make_log(NULL);
	log_of[4].cause = AUDIT_CAUSES;
	seal_again(log_of, RECORDS);
	assert_fault(RECORDS, AUDIT_MALFORMED, 4);
	make_log(NULL);
	memset(log_of[4].text, 'x', sizeof(log_of[4].text));
	seal_again(log_of, RECORDS);
	assert_fault(RECORDS, AUDIT_MALFORMED, 4);
	make_log(NULL);
	log_of[4].text[40] = 'x'; /* behind a NUL */
	seal_again(log_of, RECORDS);
	assert_fault(RECORDS, AUDIT_MALFORMED, 4);
}

static void numbers_have_names(void **state)
{
	assert_string_equal(audit_event_name(AUDIT_EVENT_CRED), "credentials");
	assert_string_equal(audit_event_name(0), "?");
	assert_string_equal(audit_event_name(UINT32_MAX), "?");
	assert_string_equal(audit_cause_text(AUDIT_CAUSE_LIMIT), "over a limit");
	assert_string_equal(audit_cause_text(UINT32_MAX), "?");
	for (enum audit_fault f = 0; f < AUDIT_FAULTS; f++)
		assert_non_null(audit_fault_text(f));
	assert_int_equal(audit_class_of(AUDIT_EVENT_CRED), AUDIT_VITAL);
	assert_int_equal(audit_class_of(AUDIT_EVENT_REFUSED), AUDIT_ORDINARY);
}

#define ON_A_LOG(test) cmocka_unit_test_setup(test, make_log)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_is_blake2b),
		cmocka_unit_test(fields_are_where_others_look_for_them),
		ON_A_LOG(a_whole_log_is_sound),
		ON_A_LOG(every_bit_counts),
		ON_A_LOG(a_bit_of_the_last_record_counts),
		ON_A_LOG(a_removed_record_shows),
		ON_A_LOG(a_removed_beginning_shows),
		ON_A_LOG(a_removed_end_shows),
		ON_A_LOG(a_doubled_record_shows),
		ON_A_LOG(exchanged_records_show),
		ON_A_LOG(a_record_put_in_its_place_shows),
		ON_A_LOG(a_renumbered_log_shows),
		ON_A_LOG(another_boots_record_shows),
		ON_A_LOG(what_comes_after_the_end_shows),
		ON_A_LOG(a_record_that_is_none_shows),
		cmocka_unit_test(numbers_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

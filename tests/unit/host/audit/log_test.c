/* host/audit/log.c: what is known of a log while it is read. */
/* link: host/audit/names.c host/util.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/audit/log.h"

enum { RECORDS = 5 };

static struct audit_record records[RECORDS];
static unsigned said;

/* In place of host/say.c. */
void say(const char *format, ...)
{
	said++;
}

static void seal_all(void)
{
	static const uint8_t none[AUDIT_DIGEST_SIZE];

	for (size_t i = 0; i < RECORDS; i++)
		audit_seal(&records[i], i ? records[i - 1].digest : none);
}

static int make(void **state)
{
	memset(records, 0, sizeof(records));
	for (size_t i = 0; i < RECORDS; i++) {
		records[i].sequence = i;
		records[i].event = i ? AUDIT_EVENT_CRED : AUDIT_EVENT_BOOT;
	}
	records[0].syscall = UINT32_MAX;
	records[2].event = AUDIT_EVENT_DROPPED;
	records[2].count = 7;
	records[2].arg[AUDIT_VITAL] = 3;
	records[2].arg[AUDIT_ORDINARY] = 4;
	records[RECORDS - 1].event = AUDIT_EVENT_END;
	strcpy(records[3].text, "/bin/su");
	seal_all();
	said = 0;
	return 0;
}

/* What a log of `size` bytes of the records says, read from a file. */
static struct audit_log log_read(size_t size, int expected)
{
	struct audit_log log;
	struct audit_record r;
	char path[64];
	int file = memfd_create("log", 0), n;

	assert_int_equal(write_all(file, records, size), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	assert_int_equal(audit_log_open(&log, path), 0);
	while ((n = audit_log_next(&log, &r)) > 0)
		;
	assert_int_equal(n, expected);
	close(file);
	return log;
}

static void assert_fault(size_t size, enum audit_fault fault, uint64_t at, int status)
{
	struct audit_log log = log_read(size, 0);

	assert_int_equal(log.tally.fault, fault);
	assert_int_equal(log.tally.fault_at, at);
	assert_int_equal(audit_log_judge(&log), status);
	assert_int_equal(said, fault != AUDIT_SOUND);
	audit_log_close(&log);
	said = 0;
}

static void the_first_fault_is_kept(void **state)
{
	assert_fault(sizeof(records), AUDIT_SOUND, 0, 0);
	assert_fault(sizeof(records) - AUDIT_RECORD_SIZE, AUDIT_CUT, 4, 0);
	assert_fault(sizeof(records) - 1, AUDIT_CUT, 4, 1);
	records[1].pid++;
	records[3].pid++;
	assert_fault(sizeof(records), AUDIT_CHANGED, 1, 1);
}

static void drops_are_counted_by_class(void **state)
{
	struct audit_log log = log_read(sizeof(records), 0);

	assert_int_equal(log.tally.check.dropped, 7);
	assert_int_equal(log.tally.dropped[AUDIT_VITAL], 3);
	assert_int_equal(log.tally.dropped[AUDIT_ORDINARY], 4);
	assert_int_equal(log.tally.count, RECORDS);
	audit_log_close(&log);
}

static void refused(size_t size)
{
	struct audit_log log = log_read(size, -1);

	audit_log_close(&log);
	assert_int_equal(said, 1);
	said = 0;
}

/* A boot's record that was changed is still one; bytes from elsewhere are none. */
static void what_is_no_log_is_refused(void **state)
{
	refused(0);
	refused(AUDIT_RECORD_SIZE - 1);
	records[0].event = AUDIT_EVENT_CRED;
	assert_fault(sizeof(records), AUDIT_CHANGED, 0, 1);
	records[0].sequence = 1;
	refused(sizeof(records));
	memset(records, 0, sizeof(records));
	refused(sizeof(records));
}

/* The first records are from before the clock was set. */
static void names_and_times_are_known_ahead(void **state)
{
	struct audit_names names = { 0 };
	struct audit_record first;
	struct audit_log log;
	int file = memfd_create("log", 0);
	char path[64];

	records[0].mono_ns = records[0].wall_ns = 5;
	records[3].mono_ns = 100;
	records[3].wall_ns = 1700000000000000100;
	assert_int_equal(write_all(file, records, sizeof(records)), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	assert_int_equal(audit_log_open(&log, path), 0);
	assert_int_equal(audit_log_moment(&log, &records[0]), 5);
	audit_log_scan(&log, &names);
	assert_int_equal(names.program_count, 1);
	assert_int_equal(audit_log_next(&log, &first), 1);
	assert_memory_equal(&first, &records[0], sizeof(first));
	assert_int_equal(audit_log_moment(&log, &records[0]), 1700000000000000005);
	assert_int_equal(audit_log_moment(&log, &records[3]), 1700000000000000100);
	audit_log_close(&log);
	names_free(&names);
	close(file);
}

static void every_fault_has_a_name(void **state)
{
	for (enum audit_fault fault = 0; fault < AUDIT_FAULTS; fault++)
		assert_string_not_equal(fault_name(fault), "other");
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup(f, make)
	const struct CMUnitTest tests[] = {
		EACH(the_first_fault_is_kept),	 EACH(drops_are_counted_by_class),
		EACH(what_is_no_log_is_refused), EACH(names_and_times_are_known_ahead),
		EACH(every_fault_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

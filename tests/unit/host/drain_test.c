/* host/drain.c: a slow reader costs no more than the window, and loses nothing. */
/* link: host/say.c host/util.c lib/wire.c */
#include <fcntl.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/drain.h"

static char pattern[65536];

static void a_slow_reader_gets_every_byte(void **state)
{
	uint32_t window = wire_window(WIRE_STDOUT), total = 0, got = 0;
	char buf[5000];
	struct drain d;
	int ends[2];
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	drain_open(&d, WIRE_STDOUT, ends[1]);
	for (int round = 0; round < 100; round++) {
		uint32_t room = window - d.credit.held - d.credit.owed;
		uint32_t size = MIN(room, (uint32_t)sizeof(pattern) / 2);

		/* The pattern repeats: continue where the stream is. */
		if (size)
			assert_int_equal(drain_take(&d, pattern + total % 1024, size), 0);
		total += size;
		wire_receiver_repaid(&d.credit, d.credit.owed);
		n = read(ends[0], buf, sizeof(buf));
		if (n > 0) {
			assert_memory_equal(buf, pattern + got % 1024, n);
			got += n;
		}
		assert_int_equal(drain_pump(&d), 0);
		assert_true(d.end - d.start <= window);
	}
	while ((n = read(ends[0], buf, sizeof(buf))) > 0) {
		assert_memory_equal(buf, pattern + got % 1024, n);
		got += n;
		assert_int_equal(drain_pump(&d), 0);
	}
	assert_int_equal(got, total);
	drain_close(&d);
	close(ends[0]);
	close(ends[1]);
}

static void more_than_the_window_is_refused(void **state)
{
	struct drain d;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	drain_open(&d, WIRE_STDOUT, ends[1]);
	for (uint32_t i = 0; i < wire_window(WIRE_STDOUT) / sizeof(pattern); i++)
		assert_int_equal(drain_take(&d, pattern, sizeof(pattern)), 0);
	/* Nobody repaid what the pipe took, so the sender is past its credit. */
	assert_int_equal(drain_take(&d, pattern, 1), -EPROTO);
	drain_close(&d);
	close(ends[0]);
	close(ends[1]);
}

static void a_reader_that_goes_away_swallows_the_rest(void **state)
{
	struct drain d;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	drain_open(&d, WIRE_STDOUT, ends[1]);
	close(ends[0]);
	assert_int_equal(drain_take(&d, pattern, sizeof(pattern)), 0);
	assert_true(d.gone);
	assert_false(drain_waiting(&d));
	assert_int_equal(d.credit.owed, sizeof(pattern));
	drain_close(&d);
	close(ends[1]);
}

static void a_full_disk_is_an_error(void **state)
{
	struct drain d;
	int fd = open("/dev/full", O_WRONLY);

	assert_true(fd >= 0);
	drain_open(&d, WIRE_STDOUT, fd);
	assert_int_equal(drain_take(&d, pattern, 10), -ENOSPC);
	drain_close(&d);
	close(fd);
}

static void a_stream_the_job_does_not_have_takes_nothing(void **state)
{
	struct drain d;

	drain_init(&d);
	assert_int_equal(drain_take(&d, pattern, 1), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_reader_gets_every_byte),
		cmocka_unit_test(more_than_the_window_is_refused),
		cmocka_unit_test(a_reader_that_goes_away_swallows_the_rest),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(a_stream_the_job_does_not_have_takes_nothing),
	};

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i % 1024 * 7 + i % 1024 / 256);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

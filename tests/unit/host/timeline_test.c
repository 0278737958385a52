/* host/timeline.c: the guest's marks on the host's clock, and a drawing that is
 * well-formed. */
/* link: host/say.c host/util.c host/textlog.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/timeline.h"

static struct session *session_with(const char *topic)
{
	struct session *s = must_alloc(sizeof(*s));

	s->times = (struct session_times){ .start = 900,
					   .spawn = 1000,
					   .ready = 5100,
					   .started = 6050,
					   .exited = 9100,
					   .done = 9200,
					   .end = 9900,
					   .guest_ready = 3000,
					   .guest_started = 4000,
					   .guest_exited = 7000 };
	textlog_add(&s->topics[WIRE_TOPIC_TIMELINE], topic, strlen(topic));
	return s;
}

static void session_drop(struct session *s)
{
	textlog_fini(&s->topics[WIRE_TOPIC_TIMELINE]);
	free(s);
}

static void guest_marks_are_placed_by_the_nearest_message(void **state)
{
	struct session *s = session_with("kernel-entry 500\nmm 700\n");
	size_t count;
	struct mark *marks = timeline_marks(s, &count);

	/* STARTED took 2050 of difference, the others 2100: 2050 is nearest to the truth.
	 * */
	assert_int_equal(count, 8);
	assert_string_equal(marks[0].name, "qemu start");
	assert_int_equal(marks[0].ns, 0);
	assert_string_equal(marks[1].name, "kernel-entry");
	assert_int_equal(marks[1].ns, 500 + 2050 - 1000);
	assert_true(marks[1].guest);
	assert_string_equal(marks[3].name, "agent ready");
	assert_string_equal(marks[7].name, "qemu gone");
	for (size_t i = 1; i < count; i++)
		assert_true(marks[i].ns >= marks[i - 1].ns);
	free(marks);
	session_drop(s);
}

static void a_guest_s_lies_are_left_out(void **state)
{
	struct session *s =
		session_with("late 99999999999\nhuge 18446744073709551615\nx\n y\n"
			     "word abc\n\nlong 1");
	size_t count;
	struct mark *marks = timeline_marks(s, &count);

	for (size_t i = 0; i < count; i++)
		assert_true(marks[i].ns <= 8900);
	free(marks);
	session_drop(s);
}

static void names_cannot_break_the_drawing(void **state)
{
	struct mark marks[] = { { "a<b>&'\"\001", 0, false }, { "end", 1000000, true } };
	char *svg = timeline_svg(marks, 2, "</svg><script>");

	assert_null(strstr(svg, "<script"));
	assert_null(strstr(svg, "a<b"));
	assert_non_null(strstr(svg, "a&#60;b&#62;&#38;"));
	assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
	free(svg);
	svg = timeline_svg(marks, 0, "nothing");
	assert_non_null(strstr(svg, "</svg>"));
	free(svg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_marks_are_placed_by_the_nearest_message),
		cmocka_unit_test(a_guest_s_lies_are_left_out),
		cmocka_unit_test(names_cannot_break_the_drawing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

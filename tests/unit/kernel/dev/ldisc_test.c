/* The line discipline, by what termios(3) promises: typed bytes in, read bytes and screen
 * out. */
/* link: kernel/dev/ldisc_echo.c */
/* link: kernel/dev/ldisc_output.c */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* after setjmp.h */
#include <cmocka.h>

#include "dev/ldisc.h"

static struct ldisc l;
static uint8_t storage[LDISC_SIZE];
static char screen[16384];
static size_t shown;
static int drops;

static void take_echo(struct ldisc *unused, const uint8_t *s, size_t n)
{
	assert_ptr_equal(unused, &l);
	assert_true(shown + n < sizeof screen);
	memcpy(screen + shown, s, n);
	shown += n;
	screen[shown] = 0;
}

static void take_drop(struct ldisc *unused)
{
	assert_ptr_equal(unused, &l);
	drops++;
}

static int fresh(void **state)
{
	ldisc_init(&l, storage);
	l.echo = take_echo;
	l.drop_output = take_drop;
	shown = 0;
	screen[0] = 0;
	drops = 0;
	return 0;
}

static uint32_t type_n(const char *s, size_t n)
{
	uint32_t events = 0;

	while (n--)
		events |= ldisc_input(&l, (uint8_t)*s++);
	return events;
}

static uint32_t type(const char *s)
{
	return type_n(s, strlen(s));
}

static void change(uint32_t lclear, uint32_t lset)
{
	struct ktermios t = l.t;

	t.c_lflag = (t.c_lflag & ~lclear) | lset;
	ldisc_set_termios(&l, &t);
}

/* One read of up to n bytes. */
static const char *read_n(size_t n, bool *line)
{
	static uint8_t buf[LDISC_SIZE + 1];
	size_t got = ldisc_read(&l, buf, n, line);

	assert_true(got <= n);
	buf[got] = 0;
	return (const char *)buf;
}

static const char *read_line(void)
{
	bool line;
	const char *s = read_n(LDISC_SIZE, &line);

	assert_true(line);
	return s;
}

static void lines_are_read_one_by_one(void **state)
{
	assert_int_equal(type("one"), 0);
	assert_false(ldisc_readable(&l, 1));
	assert_true(type("\rtwo\n") & LDISC_INPUT);
	assert_true(ldisc_readable(&l, 1));
	assert_int_equal(ldisc_pending(&l), 8);
	assert_string_equal(read_line(), "one\n");
	assert_string_equal(read_line(), "two\n");
	assert_false(ldisc_readable(&l, 1));
	assert_string_equal(screen, "one\r\ntwo\r\n");
}

static void a_long_line_is_read_in_parts(void **state)
{
	bool line;

	type("abcdef\n");
	assert_string_equal(read_n(4, &line), "abcd");
	assert_false(line);
	assert_string_equal(read_n(4, &line), "ef\n");
	assert_true(line);
}

static void end_of_file(void **state)
{
	bool line;

	type("\4");
	assert_true(ldisc_readable(&l, 1));
	assert_int_equal(ldisc_pending(&l), 0);
	assert_string_equal(read_n(10, &line), "");
	assert_true(line);
	type("ab\4");
	assert_string_equal(read_line(), "ab");
	assert_false(ldisc_readable(&l, 1));
	/* Behind exactly as many bytes as were asked for it makes no second, empty
	 * read. */
	type("abc\4");
	assert_string_equal(read_n(3, &line), "abc");
	assert_true(line);
	assert_false(ldisc_readable(&l, 1));
	assert_null(strchr(screen, 4));
}

static void erasing_characters(void **state)
{
	type("ax\177b\n");
	assert_string_equal(read_line(), "ab\n");
	assert_string_equal(screen, "ax\b \bb\r\n");
	fresh(state);
	type("\177\177x\n"); /* nothing to erase: not the previous line either */
	assert_string_equal(read_line(), "x\n");
}

static void erasing_control_characters_and_tabs(void **state)
{
	type("\1\177");
	assert_string_equal(screen, "^A\b \b\b \b");
	fresh(state);
	type("ab\t\177c\n");
	assert_string_equal(screen, "ab\t\b\b\b\b\b\bc\r\n");
	assert_string_equal(read_line(), "abc\n");
}

static void erasing_utf8(void **state)
{
	l.t.c_iflag |= IUTF8;
	type("a\xc3\xa9\177\n");
	assert_string_equal(read_line(), "a\n");
	assert_string_equal(screen, "a\xc3\xa9\b \b\r\n");
	fresh(state);
	type("a\xc3\xa9\177\n"); /* without IUTF8 it was two characters */
	assert_string_equal(read_line(), "a\xc3\n");
}

static void erasing_words_and_lines(void **state)
{
	type("one two  \27x\n");
	assert_string_equal(read_line(), "one x\n");
	type("one two\25x\n");
	assert_string_equal(read_line(), "x\n");
	fresh(state);
	change(ECHOKE, 0);
	type("ab\25c\n");
	assert_string_equal(screen, "ab^U\r\nc\r\n");
	assert_string_equal(read_line(), "c\n");
}

static void printing_terminals(void **state)
{
	change(0, ECHOPRT);
	type("abc\177\177x\n");
	assert_string_equal(screen, "abc\\cb/x\r\n");
	assert_string_equal(read_line(), "ax\n");
	fresh(state);
	change(ECHOE, 0);
	type("ab\177\n");
	assert_string_equal(screen, "ab^?\r\n");
}

static void the_next_byte_taken_literally(void **state)
{
	assert_int_equal(type("\26\3\26\177\n") & (LDISC_INTR | LDISC_QUIT), 0);
	assert_string_equal(read_line(), "\3\177\n");
	assert_string_equal(screen, "^\b^C^\b^?\r\n");
}

static void reprinting_the_line(void **state)
{
	type("done\nab\22c\n");
	assert_string_equal(screen, "done\r\nab^R\r\nabc\r\n");
}

static void other_ends_of_lines(void **state)
{
	l.t.c_cc[VEOL] = ';';
	l.t.c_cc[VEOL2] = '!';
	type("a;b!");
	assert_string_equal(read_line(), "a;");
	assert_string_equal(read_line(), "b!");
	change(IEXTEN, 0);
	type("c!");
	assert_false(ldisc_readable(&l, 1));
}

static void signals(void **state)
{
	assert_int_equal(type("ab\3"), LDISC_INTR);
	assert_int_equal(drops, 1);
	assert_string_equal(screen, "ab^C");
	assert_int_equal(type("\34"), LDISC_QUIT);
	assert_int_equal(type("\32"), LDISC_SUSP);
	type("x\n");
	assert_string_equal(read_line(), "x\n"); /* "ab" was dropped */
	change(0, NOFLSH);
	type("ab\3\n");
	assert_string_equal(read_line(), "ab\n");
	assert_int_equal(drops, 3);
	change(ISIG, 0);
	assert_int_equal(type("\3\n") & LDISC_INTR, 0);
	assert_string_equal(read_line(), "\3\n");
}

static void disabled_characters_match_nothing(void **state)
{
	l.t.c_cc[VINTR] = 0;
	assert_int_equal(type_n("\0\3\n", 3), LDISC_INPUT);
	bool line;
	const char *s = read_n(10, &line);
	assert_memory_equal(s, "\0\3\n", 3);
}

static void output_flow(void **state)
{
	assert_int_equal(type("\23"), LDISC_STOP);
	assert_true(l.stopped);
	assert_int_equal(type("\23"), 0);
	assert_int_equal(type("\21"), LDISC_START);
	assert_int_equal(type("\21"), 0);
	type("\23");
	assert_int_equal(type("x") & LDISC_START, 0);
	l.t.c_iflag |= IXANY;
	assert_int_equal(type("y") & LDISC_START, LDISC_START);
	type("\n");
	assert_string_equal(read_line(), "xy\n");
	type("\23");
	assert_int_equal(type("\3"), LDISC_START | LDISC_INTR);
	l.t.c_iflag &= ~(uint32_t)IXON;
	assert_int_equal(type("\23") & LDISC_STOP, 0);
}

static void newline_translation(void **state)
{
	l.t.c_iflag = INLCR;
	type("a\n\r");
	assert_false(ldisc_readable(&l, 1));
	l.t.c_iflag = IGNCR;
	fresh(state);
	l.t.c_iflag = IGNCR;
	type("a\rb\n");
	assert_string_equal(read_line(), "ab\n");
	l.t.c_iflag = ISTRIP;
	type("\xe1\n");
	assert_string_equal(read_line(), "a\n");
	l.t.c_iflag = IUCLC;
	type("AbC\n");
	assert_string_equal(read_line(), "abc\n");
}

static void echo_flags(void **state)
{
	change(ECHO, 0);
	type("secret\n");
	assert_string_equal(screen, "");
	change(0, ECHONL);
	type("secret\n");
	assert_string_equal(screen, "\r\n");
	fresh(state);
	change(ECHOCTL, 0);
	type("\1\n");
	assert_string_equal(screen, "\1\r\n");
}

static void raw_mode(void **state)
{
	bool line;

	change(ICANON | ECHO | ISIG, 0);
	assert_true(type("a") & LDISC_INPUT);
	assert_true(ldisc_readable(&l, 1));
	assert_false(ldisc_readable(&l, 2));
	type("\177\4\3");
	assert_int_equal(ldisc_pending(&l), 4);
	assert_string_equal(read_n(2, &line), "a\177");
	assert_string_equal(read_n(9, &line), "\4\3");
	assert_false(line);
	assert_false(ldisc_readable(&l, 0));
}

static void changing_modes_keeps_what_was_typed(void **state)
{
	bool line;

	type("par");
	change(ICANON, 0);
	assert_string_equal(read_n(9, &line), "par");
	type("xyz");
	change(0, ICANON);
	assert_true(ldisc_readable(&l, 1));
	assert_string_equal(read_n(9, &line), "xyz");
}

static void a_full_queue(void **state)
{
	l.t.c_iflag |= IMAXBEL;
	change(ECHO, 0);
	for (uint32_t n = 0; n < LDISC_SIZE - 1; n++) {
		assert_true(ldisc_room(&l) > 0);
		type("x");
	}
	/* An unfinished line: what follows is lost, but its end is not. */
	assert_int_equal(ldisc_room(&l), 1);
	type("y");
	assert_string_equal(screen, "\a");
	type("\n");
	assert_int_equal(ldisc_room(&l), 0);
	bool line;
	assert_int_equal(strlen(read_n(LDISC_SIZE, &line)), LDISC_SIZE);
	assert_true(line);
	assert_int_equal(ldisc_room(&l), LDISC_SIZE - 1);
}

static void positions_wrap_around(void **state)
{
	l.head = l.tail = l.canon_head = UINT32_MAX - 3;
	type("wrapped\nand\n");
	assert_string_equal(read_line(), "wrapped\n");
	assert_string_equal(read_line(), "and\n");
}

static const char *output(const char *s)
{
	static uint8_t out[256];
	size_t used, n = ldisc_output(&l, (const uint8_t *)s, strlen(s), out,
				      sizeof out - 1, &used);

	assert_int_equal(used, strlen(s));
	out[n] = 0;
	return (const char *)out;
}

static void output_processing(void **state)
{
	assert_string_equal(output("a\nb"), "a\r\nb");
	assert_int_equal(l.column, 1);
	l.t.c_oflag = OPOST | OCRNL;
	assert_string_equal(output("x\ry"), "x\ny");
	l.t.c_oflag = OPOST | ONOCR;
	l.column = 0;
	assert_string_equal(output("\rx\r"), "x\r");
	l.t.c_oflag = OPOST | XTABS;
	assert_string_equal(output("\tx\ty"), "        x       y");
	l.t.c_oflag = OPOST | OLCUC;
	assert_string_equal(output("aZ"), "AZ");
	l.t.c_oflag = ONLCR;
	assert_string_equal(output("a\n"), "a\n");
	l.t.c_oflag = OPOST | ONLRET;
	output("ab\n");
	assert_int_equal(l.column, 0);
}

static void output_stops_without_room(void **state)
{
	uint8_t out[LDISC_EXPAND + 2];
	size_t used, n = ldisc_output(&l, (const uint8_t *)"abcdef", 6, out, sizeof out,
				      &used);

	assert_int_equal(used, 3);
	assert_int_equal(n, 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		TEST(lines_are_read_one_by_one),
		TEST(a_long_line_is_read_in_parts),
		TEST(end_of_file),
		TEST(erasing_characters),
		TEST(erasing_control_characters_and_tabs),
		TEST(erasing_utf8),
		TEST(erasing_words_and_lines),
		TEST(printing_terminals),
		TEST(the_next_byte_taken_literally),
		TEST(reprinting_the_line),
		TEST(other_ends_of_lines),
		TEST(signals),
		TEST(disabled_characters_match_nothing),
		TEST(output_flow),
		TEST(newline_translation),
		TEST(echo_flags),
		TEST(raw_mode),
		TEST(changing_modes_keeps_what_was_typed),
		TEST(a_full_queue),
		TEST(positions_wrap_around),
		TEST(output_processing),
		TEST(output_stops_without_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

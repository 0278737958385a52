/* A terminal's output stopped and started: by keys, by tcflow(3), and what is echoed
 * meanwhile. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/tap.h"

static int master, slave;

static void open_pair(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
	CHECK(slave >= 0);
}

static void type(const char *s)
{
	CHECK_EQ(write(master, s, strlen(s)), strlen(s));
}

static void print(const char *s)
{
	CHECK_EQ(write(slave, s, strlen(s)), strlen(s));
}

/* What the screen shows since the last look. */
static const char *screen(void)
{
	static char buf[256];
	ssize_t n;

	usleep(50000); /* Linux moves it in a worker */
	n = read(master, buf, sizeof buf - 1);
	CHECK(n > 0 || (n < 0 && errno == EAGAIN));
	buf[n > 0 ? n : 0] = 0;
	return buf;
}

#define SHOWS(text) CHECK(!strcmp(screen(), text))

static void echo_waits_for_the_start(void)
{
	open_pair();
	type("\023abc");
	SHOWS("");
	CHECK_ERR(write(slave, "x", 1), EAGAIN);
	type("\021");
	SHOWS("abc");
	print("x");
	SHOWS("x");
}

static void a_line_is_read_while_its_echo_waits(void)
{
	char line[16];
	int n;

	open_pair();
	type("\023ab\n");
	CHECK_EQ(read(slave, line, sizeof line), 3);
	CHECK(!ioctl(slave, TIOCOUTQ, &n));
	SHOWS("");
	type("\021");
	SHOWS("ab\r\n");
}

/* What was written before the stop is not held. */
static void output_before_the_stop_is_there(void)
{
	open_pair();
	print("before");
	type("\023after");
	SHOWS("before");
	type("\021");
	SHOWS("after");
}

static void an_interrupt_starts_and_drops_what_waited(void)
{
	open_pair();
	type("\023gone\003");
	SHOWS("^C");
	print("x");
	SHOWS("x");
}

static void a_flush_leaves_what_waits(void)
{
	open_pair();
	type("\023kept");
	SHOWS("");
	CHECK(!tcflush(slave, TCOFLUSH));
	type("\021");
	SHOWS("kept");
}

static void a_key_does_not_undo_tcflow(void)
{
	open_pair();
	CHECK(!tcflow(slave, TCOOFF));
	type("a\021b");
	SHOWS("");
	CHECK_ERR(write(slave, "x", 1), EAGAIN);
	CHECK(!tcflow(slave, TCOON));
	print("x");
	SHOWS("abx");
}

static void tcflow_does_not_undo_a_key(void)
{
	open_pair();
	type("\023a");
	SHOWS("");
	CHECK(!tcflow(slave, TCOON));
	CHECK_ERR(write(slave, "x", 1), EAGAIN);
	SHOWS("");
	type("\021");
	SHOWS("a");
}

/* The other side is told at once. */
static void flow_of_input_passes_what_waits(void)
{
	open_pair();
	type("\023ab");
	SHOWS("");
	CHECK(!tcflow(slave, TCIOFF));
	SHOWS("\023");
	type("\021");
	SHOWS("ab");
}

static void without_ixon_output_goes_on(void)
{
	struct termios t;

	open_pair();
	type("\023a");
	SHOWS("");
	CHECK(!tcgetattr(slave, &t));
	t.c_iflag &= ~IXON;
	CHECK(!tcsetattr(slave, TCSANOW, &t));
	SHOWS("a");
	print("x");
	SHOWS("x");
}

TEST_MAIN(CASE(echo_waits_for_the_start), CASE(a_line_is_read_while_its_echo_waits),
	  CASE(output_before_the_stop_is_there),
	  CASE(an_interrupt_starts_and_drops_what_waited),
	  CASE(a_flush_leaves_what_waits), CASE(a_key_does_not_undo_tcflow),
	  CASE(tcflow_does_not_undo_a_key), CASE(flow_of_input_passes_what_waits),
	  CASE(without_ixon_output_goes_on))

/* Terminals: termios(3) through a pty pair, job control, window size. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "common/tap.h"

static int master, slave;

static void open_pair(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
}

static void type(const char *s)
{
	CHECK_EQ(write(master, s, strlen(s)), strlen(s));
}

/* What is there to read within a moment. */
static const char *get(int fd)
{
	static char buf[512];
	size_t n = 0;
	struct pollfd p = { fd, POLLIN, 0 };
	while (n < sizeof buf - 1 && poll(&p, 1, 100) == 1 && (p.revents & POLLIN)) {
		ssize_t r = read(fd, buf + n, sizeof buf - 1 - n);
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	buf[n] = 0;
	return buf;
}

static void set_mode(tcflag_t lclear, tcflag_t lset)
{
	struct termios t;
	CHECK(!tcgetattr(slave, &t));
	t.c_lflag = (t.c_lflag & ~lclear) | lset;
	CHECK(!tcsetattr(slave, TCSANOW, &t));
}

static void names_and_locks(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0 && isatty(master));
	CHECK(!strncmp(ptsname(master), "/dev/pts/", 9));
	CHECK_ERR(open(ptsname(master), O_RDWR | O_NOCTTY), EIO); /* still locked */
	CHECK(!unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && isatty(slave));
	CHECK(!strcmp(ttyname(slave), ptsname(master)));
	CHECK_ERR(tcgetpgrp(open("/dev/null", O_RDWR)), ENOTTY);
}

static void canonical_lines(void)
{
	open_pair();
	type("one\ntwo");
	CHECK(!strcmp(get(slave), "one\n"));
	type("\n");
	CHECK(!strcmp(get(slave), "two\n"));
	CHECK(!strcmp(get(master), "one\r\ntwo\r\n")); /* the echo, ONLCR applied */
}

static void canonical_editing(void)
{
	open_pair();
	set_mode(ECHO, 0);
	type("abd\177c\n");
	CHECK(!strcmp(get(slave), "abc\n"));
	type("rubbish\025fine\n");
	CHECK(!strcmp(get(slave), "fine\n"));
	type("two words\027gone\n");
	CHECK(!strcmp(get(slave), "two gone\n"));
	type("x\026\003y\n"); /* ^V: the next one literally */
	CHECK(!strcmp(get(slave), "x\003y\n"));
}

static void erase_echoes(void)
{
	open_pair();
	type("ab\177");
	CHECK(!strcmp(get(master), "ab\b \b"));
	type("\001");
	CHECK(!strcmp(get(master), "^A"));
}

static void end_of_file(void)
{
	char c;
	open_pair();
	type("\004");
	CHECK_EQ(read(slave, &c, 1), 0);
	type("part\004");
	CHECK(!strcmp(get(slave), "part"));
}

static void long_line_is_cut_not_lost(void)
{
	static char big[5000];
	open_pair();
	set_mode(ECHO, 0);
	memset(big, 'a', sizeof big);
	for (int i = 0; i < 50; i++)
		CHECK_EQ(write(master, big, 100), 100);
	type("\n");
	size_t n = 0;
	const char *s;
	while (*(s = get(slave)))
		n += strlen(s);
	CHECK_EQ(n, 4096); /* N_TTY_BUF_SIZE, newline included */
}

static void raw_reads(void)
{
	struct termios t;
	char buf[8];
	open_pair();
	CHECK(!tcgetattr(slave, &t));
	cfmakeraw(&t);
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 0;
	CHECK(!tcsetattr(slave, TCSANOW, &t));
	type("\003\r\nx");
	CHECK_EQ(read(slave, buf, 8), 4);
	CHECK(!memcmp(buf, "\003\r\nx", 4));
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 1;
	CHECK(!tcsetattr(slave, TCSANOW, &t));
	CHECK_EQ(read(slave, buf, 8), 0); /* after a tenth of a second */
	t.c_cc[VTIME] = 0;
	CHECK(!tcsetattr(slave, TCSANOW, &t));
	CHECK_EQ(read(slave, buf, 8), 0);
}

static void output_processing(void)
{
	struct termios t;
	open_pair();
	CHECK_EQ(write(slave, "a\nb\tc", 5), 5);
	CHECK(!strcmp(get(master), "a\r\nb\tc"));
	CHECK(!tcgetattr(slave, &t));
	t.c_oflag &= ~(tcflag_t)OPOST;
	CHECK(!tcsetattr(slave, TCSADRAIN, &t));
	CHECK_EQ(write(slave, "a\n", 2), 2);
	CHECK(!strcmp(get(master), "a\n"));
}

/* A session of its own with the slave as controlling terminal. */
static void take_terminal(void)
{
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0))
		_exit(90);
}

static volatile sig_atomic_t got;
static void on_signal(int sig)
{
	got = sig;
}

static void keys_make_signals(void)
{
	static const struct {
		const char *key;
		int sig;
	} rows[] = { { "\003", SIGINT }, { "\034", SIGQUIT }, { "\032", SIGTSTP } };
	for (size_t i = 0; i < 3; i++) {
		int ready[2];
		char c;
		open_pair();
		CHECK(!pipe(ready));
		pid_t pid = fork();
		if (!pid) {
			take_terminal();
			signal(rows[i].sig, on_signal);
			if (write(ready[1], "r", 1) != 1)
				_exit(91);
			while (!got)
				usleep(1000);
			_exit(got == rows[i].sig ? 0 : 92);
		}
		CHECK_EQ(read(ready[0], &c, 1), 1);
		type(rows[i].key);
		CHECK_EQ(tap_wait(pid), 0);
		close(master);
		close(slave);
	}
}

static void window_size(void)
{
	struct winsize w = { .ws_row = 50, .ws_col = 132 }, now;
	int ready[2];
	char c;
	open_pair();
	CHECK(!pipe(ready));
	pid_t pid = fork();
	if (!pid) {
		take_terminal();
		signal(SIGWINCH, on_signal);
		if (write(ready[1], "r", 1) != 1)
			_exit(91);
		while (!got)
			usleep(1000);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	CHECK(!ioctl(master, TIOCSWINSZ, &w));
	CHECK(!ioctl(slave, TIOCGWINSZ, &now));
	CHECK(now.ws_row == 50 && now.ws_col == 132);
	CHECK_EQ(tap_wait(pid), 0);
}

static void background_reader_stops(void)
{
	open_pair();
	pid_t pid = fork();
	if (!pid) {
		int st;
		take_terminal();
		pid_t bg = fork();
		if (!bg) {
			char c;
			setpgid(0, 0);
			signal(SIGTTIN, SIG_DFL);
			_exit(read(slave, &c, 1) == 1);
		}
		setpgid(bg, bg);
		if (waitpid(bg, &st, WUNTRACED) != bg || !WIFSTOPPED(st) ||
		    WSTOPSIG(st) != SIGTTIN)
			_exit(1);
		if (tcgetpgrp(slave) != getpgrp())
			_exit(2);
		kill(bg, SIGKILL);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void foreground_group_moves(void)
{
	open_pair();
	pid_t pid = fork();
	if (!pid) {
		int st;
		take_terminal();
		signal(SIGTTOU, SIG_IGN);
		pid_t fg = fork();
		if (!fg) {
			setpgid(0, 0);
			tcsetpgrp(slave, getpgrp());
			char c;
			_exit(read(slave, &c, 1) == 1 && c == 'k' ? 0 : 1);
		}
		waitpid(fg, &st, 0);
		_exit(WIFEXITED(st) ? WEXITSTATUS(st) : 3);
	}
	usleep(50000);
	type("k\n");
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_ERR(tcsetpgrp(slave, getpgrp()), ENOTTY); /* not our terminal */
}

static void hangup(void)
{
	open_pair();
	pid_t pid = fork();
	if (!pid) {
		close(master);
		take_terminal();
		pause();
		_exit(0);
	}
	usleep(50000);
	close(slave);
	close(master);
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGHUP);
}

static void closed_slave_is_eio(void)
{
	char c;
	open_pair();
	close(slave);
	CHECK_ERR(read(master, &c, 1), EIO);
	struct pollfd p = { master, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLHUP);
}

static void dev_tty_is_the_terminal(void)
{
	open_pair();
	pid_t pid = fork();
	if (!pid) {
		setsid();
		if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO)
			_exit(1);
		ioctl(slave, TIOCSCTTY, 0);
		int t = open("/dev/tty", O_RDWR);
		_exit(t < 0 || write(t, "hi", 2) != 2);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(!strcmp(get(master), "hi"));
}

/* Bytes go between the two sessions' leaders: 'r' ready, 's' stolen. */
static int to_victim[2], to_thief[2];

static void signalled(int sig)
{
	_exit(80 + sig);
}

static void keep_the_terminal(void)
{
	char c;

	signal(SIGHUP, signalled);
	signal(SIGCONT, signalled);
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0))
		_exit(90);
	if (write(to_thief[1], "r", 1) != 1 || read(to_victim[0], &c, 1) != 1)
		_exit(91);
	if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO)
		_exit(92);
	_exit(write(slave, "still", 5) == 5 ? 0 : 93);
}

static void steal_the_terminal(void)
{
	char c;

	if (setsid() < 0 || read(to_thief[0], &c, 1) != 1)
		_exit(90);
	if (ioctl(slave, TIOCSCTTY, 0) != -1 || errno != EPERM)
		_exit(91);
	if (ioctl(slave, TIOCSCTTY, 1) || tcgetsid(slave) != getpid())
		_exit(92);
	_exit(write(to_victim[1], "s", 1) == 1 ? 0 : 93);
}

static void stealing_sends_no_signal(void)
{
	open_pair();
	CHECK_EQ(pipe(to_victim), 0);
	CHECK_EQ(pipe(to_thief), 0);
	pid_t victim = fork();
	if (!victim)
		keep_the_terminal();
	pid_t thief = fork();
	if (!thief)
		steal_the_terminal();
	CHECK_EQ(tap_wait(thief), 0);
	CHECK_EQ(tap_wait(victim), 0);
	CHECK(!strcmp(get(master), "still"));
}

TEST_MAIN(CASE(names_and_locks), CASE(canonical_lines), CASE(canonical_editing),
	  CASE(erase_echoes), CASE(end_of_file), CASE(long_line_is_cut_not_lost),
	  CASE(raw_reads), CASE(output_processing), CASE(keys_make_signals),
	  CASE(window_size), CASE(background_reader_stops), CASE(foreground_group_moves),
	  CASE(hangup), CASE(closed_slave_is_eio), CASE(dev_tty_is_the_terminal),
	  CASE(stealing_sends_no_signal))

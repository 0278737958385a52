/* Pseudo terminals: pairs, line discipline, ioctls, hang-ups. */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int m, s;

static void open_pair(void)
{
	m = posix_openpt(O_RDWR | O_NOCTTY);
	NEED(m >= 0 && !grantpt(m) && !unlockpt(m));
	s = open(ptsname(m), O_RDWR | O_NOCTTY);
	NEED(s >= 0);
}

static void type(const char *text)
{
	NEED(write(m, text, strlen(text)) == (ssize_t)strlen(text));
	nap(10); /* Linux hands it on in the background */
}

/* What is there within a moment, or that there is nothing. */
static void say_from(const char *label, int fd)
{
	char b[512];
	struct pollfd p = { fd, POLLIN, 0 };
	if (poll(&p, 1, 50) == 1 && (p.revents & POLLIN))
		say_bytes(label, b, read(fd, b, sizeof b));
	else
		say("%s: nothing, 0x%x", label, p.revents);
}

static void flags(tcflag_t iflag, tcflag_t oflag, tcflag_t lflag)
{
	struct termios t;
	NEED(!tcgetattr(s, &t));
	t.c_iflag = iflag, t.c_oflag = oflag, t.c_lflag = lflag;
	NEED(!tcsetattr(s, TCSANOW, &t));
}

DIFF_CASE(pty_defaults)
{
	struct termios t;
	struct winsize w;
	open_pair();
	TRY(tcgetattr(s, &t));
	say("i 0%o o 0%o c 0%o l 0%o", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
	say_bytes("cc", t.c_cc, 17);
	say("speed %d %d", (int)cfgetispeed(&t), (int)cfgetospeed(&t));
	TRY(ioctl(s, TIOCGWINSZ, &w));
	say("%d x %d", w.ws_row, w.ws_col);
	SHOW(isatty(m) && isatty(s));
	int lock = -1;
	TRY(ioctl(m, TIOCGPTLCK, &lock));
	SHOW(lock);
	struct stat st;
	fstat(s, &st);
	say("mode 0%o uid %d major %d", st.st_mode, (int)st.st_uid,
	    (int)(st.st_rdev >> 8));
}

DIFF_CASE(pty_locked_slave)
{
	m = posix_openpt(O_RDWR | O_NOCTTY);
	NEED(m >= 0);
	TRY(open(ptsname(m), O_RDWR | O_NOCTTY));
	MAY(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	NEED(!unlockpt(m));
	MAY(open(ptsname(m), O_RDWR | O_NOCTTY));
	MAY(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY));
}

DIFF_CASE(pty_canonical_editing)
{
	open_pair();
	type("abc\177d\n");
	say_from("slave", s);
	say_from("echo", m);
	type("one two\027three\n");
	say_from("slave", s);
	say_from("echo", m);
	type("gone\025kept\n");
	say_from("slave", s);
	say_from("echo", m);
	type("lit\026\003eral\n");
	say_from("slave", s);
	type("part");
	say_from("slave", s);
	type("\004");
	say_from("slave", s);
	type("\004");
	say_from("end of file", s);
	type("a\022b\n");
	say_from("slave", s);
	say_from("echo", m);
}

DIFF_CASE(pty_input_flags)
{
	open_pair();
	flags(0, 0, ICANON);
	type("a\rb\nc\n");
	say_from("none", s);
	say_from("none", s);
	flags(ICRNL, 0, ICANON);
	type("a\r");
	say_from("icrnl", s);
	flags(INLCR, 0, 0);
	type("a\n");
	say_from("inlcr, raw", s);
	flags(IGNCR, 0, ICANON);
	type("a\rb\n");
	say_from("igncr", s);
	flags(ISTRIP, 0, 0);
	type("\341\342");
	say_from("istrip", s);
	flags(IUCLC, 0, IEXTEN);
	type("ABC");
	say_from("iuclc", s);
}

DIFF_CASE(pty_output_flags)
{
	open_pair();
	flags(0, OPOST | ONLCR, 0);
	NEED(write(s, "a\nb", 3) == 3);
	say_from("onlcr", m);
	flags(0, ONLCR, 0);
	NEED(write(s, "a\nb", 3) == 3);
	say_from("no opost", m);
	flags(0, OPOST | OCRNL, 0);
	NEED(write(s, "a\rb", 3) == 3);
	say_from("ocrnl", m);
	flags(0, OPOST | ONLRET | ONOCR, 0);
	NEED(write(s, "\ra\rb", 4) == 4);
	say_from("onocr", m);
	flags(0, OPOST | XTABS, 0);
	NEED(write(s, "a\tb", 3) == 3);
	say_from("xtabs", m);
	flags(0, OPOST | OLCUC, 0);
	NEED(write(s, "abc", 3) == 3);
	say_from("olcuc", m);
}

DIFF_CASE(pty_echo_flags)
{
	open_pair();
	flags(ICRNL, 0, ICANON | ECHO);
	type("a\003\033x\177\n");
	say_from("echo", m);
	flags(ICRNL, 0, ICANON | ECHO | ECHOCTL | ECHOE);
	type("a\003\033x\177\n");
	say_from("echoctl, echoe", m);
	flags(ICRNL, 0, ICANON | ECHONL);
	type("ab\n");
	say_from("echonl", m);
	flags(ICRNL, 0, ICANON | ECHO | ECHOK | ECHOKE | ECHOE);
	type("abc\025\n");
	say_from("echoke", m);
	flags(0, 0, ECHO);
	type("raw\n");
	say_from("raw echo", m);
	flags(ICRNL, 0, ICANON | ECHO | ECHOPRT | IEXTEN);
	type("ab\177\177c\n");
	say_from("echoprt", m);
}

DIFF_CASE(pty_raw_min_and_time)
{
	char b[8];
	struct termios t;
	open_pair();
	NEED(!tcgetattr(s, &t));
	cfmakeraw(&t);
	t.c_cc[VMIN] = 0, t.c_cc[VTIME] = 0;
	NEED(!tcsetattr(s, TCSANOW, &t));
	TRY(read(s, b, 8));
	t.c_cc[VTIME] = 1;
	NEED(!tcsetattr(s, TCSANOW, &t));
	int64_t began = now_ns();
	TRY(read(s, b, 8));
	SHOW(now_ns() - began >= 90000000);
	type("xy");
	TRY(read(s, b, 8));
	t.c_cc[VMIN] = 3, t.c_cc[VTIME] = 0;
	NEED(!tcsetattr(s, TCSANOW, &t));
	type("ab");
	NEED(!fcntl(s, F_SETFL, O_NONBLOCK));
	TRY(read(s, b, 8));
	type("cde");
	TRY(read(s, b, 8));
	TRY(read(s, b, 8));
	struct pollfd p = { s, POLLIN, 0 };
	type("1");
	TRY(poll(&p, 1, 20));
	type("23");
	TRY(poll(&p, 1, 500));
}

DIFF_CASE(pty_signals)
{
	open_pair();
	NEED(!ioctl(s, TIOCSCTTY, 0));
	catch (SIGINT, 0), catch (SIGQUIT, 0), catch (SIGTSTP, 0), catch (SIGWINCH, 0);
	type("ab\003");
	say("int %d", (int)caught[SIGINT]);
	say_from("line was flushed", s);
	say_from("echo", m);
	type("\034");
	say("quit %d", (int)caught[SIGQUIT]);
	say_from("echo", m);
	type("\032");
	say("tstp %d", (int)caught[SIGTSTP]);
	say_from("echo", m);
	struct termios t;
	tcgetattr(s, &t);
	t.c_lflag |= NOFLSH;
	tcsetattr(s, TCSANOW, &t);
	type("cd\003e\n");
	say_from("not flushed", s);
	struct winsize w = { 30, 90, 0, 0 };
	TRY(ioctl(m, TIOCSWINSZ, &w));
	nap(10);
	say("winch %d", (int)caught[SIGWINCH]);
	TRY(ioctl(m, TIOCSWINSZ, &w));
	nap(10);
	say("winch %d", (int)caught[SIGWINCH]);
	TRY(ioctl(m, TIOCSIG, SIGINT));
	TRY(ioctl(m, TIOCSIG, 99));
}

DIFF_CASE(pty_hang_up)
{
	char b[4];
	open_pair();
	type("left\n");
	close(m);
	struct pollfd p = { s, POLLIN | POLLOUT, 0 };
	TRY(poll(&p, 1, 0));
	say("0x%x", p.revents);
	TRY(read(s, b, 4));
	TRY(write(s, b, 1));
	struct termios t;
	TRY(tcgetattr(s, &t));
	TRY(ioctl(s, TIOCGWINSZ, b));
	open_pair();
	NEED(write(s, "bye", 3) == 3);
	close(s);
	p.fd = m;
	TRY(poll(&p, 1, 0));
	say("0x%x", p.revents);
	say_from("master", m);
	TRY(read(m, b, 4));
	s = open(ptsname(m), O_RDWR | O_NOCTTY);
	NEED(!fcntl(m, F_SETFL, O_NONBLOCK));
	TRY(read(m, b, 4));
}

DIFF_CASE(pty_hang_up_signals)
{
	open_pair();
	NEED(!ioctl(s, TIOCSCTTY, 0));
	catch (SIGHUP, 0), catch (SIGCONT, 0);
	close(m);
	nap(10);
	say("hup %d cont %d", (int)caught[SIGHUP], (int)caught[SIGCONT]);
	TRY(open("/dev/tty", O_RDWR));
}

DIFF_CASE(pty_queues_and_flush)
{
	int n;
	open_pair();
	type("line\npart");
	TRY(ioctl(s, FIONREAD, &n));
	SHOW(n);
	TRY(tcflush(s, TCIFLUSH));
	TRY(ioctl(s, FIONREAD, &n));
	SHOW(n);
	TRY(tcflush(s, 9));
	TRY(ioctl(s, TIOCOUTQ, &n));
	SHOW(n);
	NEED(write(s, "xyz", 3) == 3);
	nap(10);
	TRY(ioctl(m, FIONREAD, &n));
	SHOW(n);
	TRY(tcdrain(s));
	TRY(tcflow(s, TCOOFF));
	TRY(tcflow(s, TCOON));
	TRY(tcflow(s, 9));
	TRY(tcsendbreak(s, 0));
}

DIFF_CASE(pty_flow_control)
{
	open_pair();
	type("\023");
	NEED(!fcntl(s, F_SETFL, O_NONBLOCK));
	TRY(write(s, "held", 4));
	say_from("stopped", m);
	type("\021");
	TRY(write(s, "free", 4));
	say_from("started", m);
}

DIFF_CASE(pty_packet_mode)
{
	int on = 1;
	open_pair();
	TRY(ioctl(m, TIOCPKT, &on));
	TRY(ioctl(s, TIOCPKT, &on));
	NEED(write(s, "data", 4) == 4);
	say_from("data", m);
	NEED(!tcflush(s, TCIFLUSH));
	say_from("flush", m);
	TRY(ioctl(m, TIOCGPKT, &on));
	SHOW(on);
}

DIFF_CASE(pty_ioctl_errors)
{
	int n = 0, p[2];
	struct termios t;
	open_pair();
	NEED(!pipe(p));
	TRY(tcgetattr(p[0], &t));
	TRY(tcgetattr(99, &t));
	TRY(ioctl(s, TCGETS, 8));
	TRY(ioctl(s, TCSETS, 8));
	TRY(ioctl(s, 0x5499, &n));
	TRY(ioctl(s, TIOCGPTN, &n));
	TRY(ioctl(s, TIOCSPTLCK, &n));
	TRY(ioctl(s, TIOCGSID, &n));
	TRY(ioctl(m, TIOCGSID, &n));
	TRY(ioctl(s, TIOCGPGRP, &n));
	TRY(ioctl(s, TIOCSETD, &n));
	TRY(ioctl(s, TIOCGETD, &n));
	SHOW(n);
	TRY(ioctl(s, TIOCEXCL));
	TRY(ioctl(s, TIOCGEXCL, &n));
	SHOW(n);
	TRY(ioctl(s, TIOCNXCL));
	TRY(ioctl(s, TIOCMGET, &n));
	TRY(lseek(s, 0, SEEK_SET));
	TRY(ftruncate(s, 0));
}

DIFF_CASE(pty_fakes_input)
{
	open_pair();
	NEED(!ioctl(s, TIOCSCTTY, 0));
	TRY(ioctl(s, TIOCSTI, "x"));
}

DIFF_CASE(pty_exclusive)
{
	open_pair();
	NEED(!ioctl(s, TIOCEXCL));
	MAY(open(ptsname(m), O_RDWR | O_NOCTTY));
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		TRY(open("/proc/self/fd/4", O_RDWR | O_NOCTTY));
		_exit(0);
	}
	reap(pid);
}

DIFF_CASE(pty_long_lines)
{
	static char line[5000];
	open_pair();
	flags(ICRNL, 0, ICANON);
	memset(line, 'x', sizeof line);
	NEED(!fcntl(m, F_SETFL, O_NONBLOCK));
	int n = 0, got;
	for (int i = 0; i < 50; i++)
		n += write(m, line, 100) == 100;
	SHOW(n);
	TRY(write(m, "\n", 1));
	got = (int)read(s, line, sizeof line);
	SHOW(got);
	SHOW(got > 0 && line[got - 1] == '\n');
	type("next\n");
	say_from("next", s);
}

DIFF_CASE(pty_reads_by_pieces)
{
	char b[16];
	open_pair();
	type("hello\nworld\n");
	TRY(read(s, b, 3));
	TRY(read(s, b, 16));
	say_bytes("b", b, 3);
	TRY(read(s, b, 16));
	TRY(read(s, b, 0));
	type("x\004y\n");
	TRY(read(s, b, 1));
	TRY(read(s, b, 16));
}

DIFF_CASE(pty_vhangup)
{
	open_pair();
	NEED(!ioctl(s, TIOCSCTTY, 0));
	signal(SIGHUP, SIG_IGN);
	char b;
	TRY(syscall(SYS_vhangup));
	TRY(read(s, &b, 1));
	TRY(write(s, &b, 1));
	TRY(open("/dev/tty", O_RDWR));
	become_nobody();
	TRY(syscall(SYS_vhangup));
}

/* Pseudo-terminals beyond tty.c: raw reads and their timers, packet mode, flow, flushing,
 * sessions that end, peers, much data. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

static int master, slave;

static void open_pair(tcflag_t lclear)
{
	struct termios t;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && !tcgetattr(slave, &t));
	t.c_lflag &= ~lclear;
	CHECK(!tcsetattr(slave, TCSANOW, &t));
}

static void set_cc(int min, int deciseconds)
{
	struct termios t;

	CHECK(!tcgetattr(slave, &t));
	t.c_cc[VMIN] = (cc_t)min;
	t.c_cc[VTIME] = (cc_t)deciseconds;
	CHECK(!tcsetattr(slave, TCSANOW, &t));
}

static void type(const char *s)
{
	CHECK_EQ(write(master, s, strlen(s)), strlen(s));
}

static long ms_since(const struct timespec *a)
{
	struct timespec b;

	clock_gettime(CLOCK_MONOTONIC, &b);
	return (b.tv_sec - a->tv_sec) * 1000 + (b.tv_nsec - a->tv_nsec) / 1000000;
}

/* ---- reading without lines ---- */

static void min_and_time(void)
{
	struct timespec a;
	char buf[16];

	open_pair(ICANON | ECHO);
	set_cc(0, 0);
	CHECK_EQ(read(slave, buf, 16), 0);
	set_cc(0, 2);
	clock_gettime(CLOCK_MONOTONIC, &a);
	CHECK_EQ(read(slave, buf, 16), 0);
	CHECK(ms_since(&a) >= 190);
	type("x");
	CHECK_EQ(read(slave, buf, 16), 1);
	set_cc(3, 0);
	type("ab");
	struct pollfd p = { slave, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 50), 0);
	pid_t pid = fork();
	if (!pid) {
		usleep(50000);
		_exit(write(master, "c", 1) != 1);
	}
	CHECK_EQ(read(slave, buf, 16), 3);
	CHECK(!memcmp(buf, "abc", 3));
	CHECK_EQ(tap_wait(pid), 0);
	set_cc(10, 2); /* two tenths of silence end it */
	type("de");
	CHECK_EQ(read(slave, buf, 16), 2);
	set_cc(2, 0);
	type("fgh");
	CHECK_EQ(read(slave, buf, 1), 1); /* asked for less than VMIN */
	CHECK_EQ(read(slave, buf, 16), 2);
}

static void non_blocking(void)
{
	char c;

	open_pair(0);
	CHECK(!fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	CHECK_ERR(read(slave, &c, 1), EAGAIN);
	type("a");
	CHECK_ERR(read(slave, &c, 1), EAGAIN); /* no line yet */
	type("\n");
	CHECK_EQ(read(slave, &c, 1), 1);
	int n;
	CHECK(!ioctl(slave, FIONREAD, &n) && n == 1);
	CHECK_EQ(read(slave, &c, 1), 1);
	ssize_t wrote = 0, r;
	char block[512];
	memset(block, 'x', sizeof block);
	while ((r = write(slave, block, sizeof block)) > 0)
		wrote += r;
	CHECK(r == -1 && errno == EAGAIN && wrote > 1000);
	struct pollfd p = { slave, POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK(read(master, block, sizeof block) > 0);
	while (read(master, block, sizeof block) == sizeof block)
		;
	CHECK_EQ(poll(&p, 1, 1000), 1);
}

/* ---- much data, both ways, nothing lost ---- */

#define BULK 300000

static void *type_much(void *arg)
{
	static char text[1000];

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + i % 25);
	for (int i = 0; i < BULK / 1000; i++)
		if (write(*(int *)arg, text, sizeof text) != sizeof text)
			return (void *)1;
	return NULL;
}

static void take_much(int fd)
{
	char buf[3001];
	size_t n = 0;

	while (n < BULK) {
		ssize_t r = read(fd, buf, sizeof buf);
		CHECK(r > 0);
		for (ssize_t i = 0; i < r; i++, n++)
			if (buf[i] != (char)('a' + n % 1000 % 25))
				tap_fail(__FILE__, __LINE__, "byte %zu is wrong", n);
	}
	CHECK_EQ(n, BULK);
}

static void bulk_reaches_the_program(void)
{
	pthread_t t;
	void *failed;

	open_pair(ICANON | ECHO);
	CHECK(!pthread_create(&t, NULL, type_much, &master));
	take_much(slave);
	CHECK(!pthread_join(t, &failed) && !failed);
}

static void bulk_reaches_the_screen(void)
{
	pthread_t t;
	void *failed;

	open_pair(0);
	CHECK(!pthread_create(&t, NULL, type_much, &slave));
	take_much(master);
	CHECK(!pthread_join(t, &failed) && !failed);
}

/* ---- flow and flushing ---- */

static void stopped_output_waits(void)
{
	char buf[16];

	open_pair(ECHO);
	CHECK(!fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	type("\023");
	CHECK_ERR(write(slave, "x", 1), EAGAIN);
	type("\021");
	CHECK_EQ(write(slave, "x", 1), 1);
	CHECK_EQ(read(master, buf, 16), 1);
	CHECK(!tcflow(slave, TCOOFF));
	CHECK_ERR(write(slave, "x", 1), EAGAIN);
	CHECK(!tcflow(slave, TCOON));
	CHECK_EQ(write(slave, "y", 1), 1);
	CHECK_EQ(read(master, buf, 16), 1);
	CHECK(!tcflow(slave, TCIOFF));
	CHECK_EQ(read(master, buf, 16), 1);
	CHECK_EQ(buf[0], 023);
}

static void flushing(void)
{
	char buf[16];
	int n;

	open_pair(ECHO);
	type("gone\n");
	CHECK(!tcflush(slave, TCIFLUSH));
	CHECK(!ioctl(slave, FIONREAD, &n) && n == 0);
	type("kept\n");
	CHECK_EQ(read(slave, buf, 16), 5);
	struct termios t;
	type("gone\n");
	CHECK(!tcgetattr(slave, &t) && !tcsetattr(slave, TCSAFLUSH, &t));
	CHECK(!ioctl(slave, FIONREAD, &n) && n == 0);
	CHECK_ERR(ioctl(slave, TCFLSH, 7), EINVAL);
	CHECK(!tcdrain(slave));
}

static void packet_mode(void)
{
	int on = 1;
	char buf[16];

	open_pair(ECHO);
	CHECK(!ioctl(master, TIOCPKT, &on));
	CHECK_EQ(write(slave, "hi", 2), 2);
	CHECK_EQ(read(master, buf, 16), 3);
	CHECK(buf[0] == TIOCPKT_DATA && !memcmp(buf + 1, "hi", 2));
	CHECK(!tcflush(slave, TCIFLUSH));
	struct pollfd p = { master, POLLIN | POLLPRI, 0 };
	CHECK_EQ(poll(&p, 1, 1000), 1);
	CHECK(p.revents & POLLPRI);
	CHECK_EQ(read(master, buf, 16), 1);
	CHECK_EQ(buf[0], TIOCPKT_FLUSHREAD);
	CHECK_EQ(poll(&p, 1, 0), 0);
	on = 0;
	CHECK(!ioctl(master, TIOCPKT, &on));
	CHECK_EQ(write(slave, "a", 1), 1);
	CHECK_EQ(read(master, buf, 16), 1);
}

/* ---- nodes and peers ---- */

static void the_node(void)
{
	struct stat st, open_st;
	int n;

	open_pair(0);
	CHECK(!stat(ptsname(master), &st) && S_ISCHR(st.st_mode));
	CHECK(!fstat(slave, &open_st) && st.st_rdev == open_st.st_rdev);
	CHECK_EQ(st.st_rdev >> 8 & 0xfff, 136);
	CHECK_EQ(st.st_uid, getuid());
	CHECK(!ioctl(master, TIOCGPTN, &n) && n == (int)(st.st_rdev & 0xff));
	int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	CHECK(peer >= 0 && isatty(peer));
	CHECK_EQ(write(peer, "p", 1), 1);
	char c, name[32];
	CHECK_EQ(read(master, &c, 1), 1);
	strcpy(name, ptsname(master));
	close(master);
	CHECK_ERR(stat(name, &st), ENOENT);
	CHECK_ERR(write(peer, "x", 1), EIO);
	CHECK_EQ(read(peer, &c, 1), 0);
	struct pollfd p = { slave, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLHUP);
}

/* A cached name of the slave once kept the pair, and its number, for good. */
static void numbers_are_used_again(void)
{
	int first, n;

	tap_needs_mayfly();
	open_pair(0);
	CHECK(!ioctl(master, TIOCGPTN, &first));
	for (int i = 0; i < 50; i++) {
		close(slave);
		close(master);
		open_pair(0);
	}
	CHECK(!ioctl(master, TIOCGPTN, &n));
	CHECK_EQ(n, first);
}

static void exclusive_use(void)
{
	open_pair(0);
	CHECK(!ioctl(slave, TIOCEXCL));
	if (geteuid())
		CHECK_ERR(open(ptsname(master), O_RDWR | O_NOCTTY), EBUSY);
	CHECK(!ioctl(slave, TIOCNXCL));
	CHECK(open(ptsname(master), O_RDWR | O_NOCTTY) >= 0);
	if (tap_on_mayfly())
		CHECK_ERR(ioctl(slave, TIOCSTI, "x"), EIO);
}

/* TIOCGLCKTRMIOS(2const): what is locked keeps its value, whoever sets it. */
static void locked_settings_stay(void)
{
	struct termios kept, t;

	tap_needs_root();
	open_pair(0);
	memset(&kept, 0xff, sizeof kept);
	CHECK(!ioctl(slave, TIOCGLCKTRMIOS, &kept));
	CHECK(kept.c_iflag == 0 && kept.c_lflag == 0 && kept.c_cc[VINTR] == 0);
	kept.c_lflag = ECHO;
	kept.c_cc[VINTR] = 1;
	CHECK(!ioctl(master, TIOCSLCKTRMIOS, &kept));

	CHECK(!tcgetattr(slave, &t) && (t.c_lflag & ECHO));
	t.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	t.c_cc[VINTR] = 7;
	t.c_cc[VQUIT] = 8;
	CHECK(!tcsetattr(slave, TCSANOW, &t) && !tcgetattr(slave, &t));
	CHECK((t.c_lflag & ECHO) && !(t.c_lflag & ICANON));
	CHECK(t.c_cc[VINTR] == 3 && t.c_cc[VQUIT] == 8);

	CHECK(!seteuid(1000));
	CHECK_ERR(ioctl(slave, TIOCSLCKTRMIOS, &kept), EPERM);
	CHECK(!ioctl(slave, TIOCGLCKTRMIOS, &kept) && kept.c_cc[VINTR] == 1);
	CHECK(!seteuid(0));
	memset(&kept, 0, sizeof kept);
	CHECK(!ioctl(slave, TIOCSLCKTRMIOS, &kept));
	t.c_lflag &= ~(tcflag_t)ECHO;
	CHECK(!tcsetattr(slave, TCSANOW, &t) && !tcgetattr(slave, &t));
	CHECK(!(t.c_lflag & ECHO));
}

/* ---- sessions ---- */

static volatile sig_atomic_t hups, conts;

static void count_signal(int sig)
{
	*(sig == SIGHUP ? &hups : &conts) += 1;
}

/* A child that leads a session with the slave as its terminal. */
static pid_t leader(void (*body)(void))
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0))
		_exit(90);
	body();
	_exit(91);
}

static void wait_for_hup(void)
{
	signal(SIGHUP, count_signal);
	signal(SIGCONT, count_signal);
	close(master);
	if (write(slave, "r", 1) != 1)
		_exit(92);
	for (int i = 0; i < 200 && !hups; i++)
		usleep(10000);
	char c;
	int tty = open("/dev/tty", O_RDWR);
	_exit(hups && conts && read(slave, &c, 1) == 0 && tty < 0 ? 0 : 93);
}

static void closing_the_master_hangs_up(void)
{
	char c;

	open_pair(0);
	pid_t pid = leader(wait_for_hup);
	CHECK_EQ(read(master, &c, 1), 1);
	close(slave);
	close(master);
	CHECK_EQ(tap_wait(pid), 0);
}

/* Leader with a job in the foreground; the leader ends. */
static void leave_a_job(void)
{
	pid_t job = fork();
	if (!job) {
		setpgid(0, 0);
		signal(SIGHUP, SIG_DFL);
		for (;;)
			pause();
	}
	setpgid(job, job);
	signal(SIGTTOU, SIG_IGN);
	if (tcsetpgrp(slave, job))
		_exit(94);
	char text[16];
	int n = snprintf(text, sizeof text, "%d\n", job);
	if (write(slave, text, (size_t)n) != n)
		_exit(95);
	usleep(20000);
	_exit(0);
}

static void the_leaders_end_hangs_up_its_jobs(void)
{
	char text[32];

	open_pair(0);
	pid_t pid = leader(leave_a_job);
	ssize_t n = read(master, text, sizeof text - 1);
	CHECK(n > 0);
	text[n] = 0;
	pid_t job = atoi(text);
	CHECK_EQ(tap_wait(pid), 0);
	int tries = 0;
	while (!kill(job, 0) && tries++ < 300)
		usleep(10000);
	CHECK(tries < 300);
	CHECK_ERR(kill(job, 0), ESRCH);
}

static void background_readers_that_ignore_it_get_eio(void)
{
	open_pair(0);
	pid_t pid = fork();
	if (!pid) {
		char c;
		if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0))
			_exit(90);
		pid_t child = fork();
		if (!child) {
			setpgid(0, 0);
			signal(SIGTTIN, SIG_IGN);
			ssize_t n = read(slave, &c, 1);
			_exit(n == -1 && errno == EIO ? 0 : 1);
		}
		_exit(tap_wait(child) == 0 ? 0 : 96);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void only_the_owner_moves_the_foreground(void)
{
	int pgrp;

	open_pair(0);
	CHECK_ERR(tcsetpgrp(slave, getpgrp()), ENOTTY);
	CHECK_ERR(ioctl(slave, TIOCGSID, &pgrp), ENOTTY);
	CHECK_ERR(ioctl(slave, TIOCNOTTY), ENOTTY);
}

static void tostop(void)
{
	open_pair(0);
	pid_t pid = fork();
	if (!pid) {
		struct termios t;
		int st;
		if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) || tcgetattr(slave, &t))
			_exit(90);
		t.c_lflag |= TOSTOP;
		if (tcsetattr(slave, TCSANOW, &t))
			_exit(91);
		pid_t child = fork();
		if (!child) {
			setpgid(0, 0);
			_exit(write(slave, "x", 1) == 1 ? 0 : 1);
		}
		if (waitpid(child, &st, WUNTRACED) != child || !WIFSTOPPED(st) ||
		    WSTOPSIG(st) != SIGTTOU)
			_exit(92);
		t.c_lflag &= ~(tcflag_t)TOSTOP;
		tcsetattr(slave, TCSANOW, &t);
		kill(child, SIGCONT);
		_exit(tap_wait(child) == 0 ? 0 : 93);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

TEST_MAIN(CASE(min_and_time), CASE(non_blocking), CASE(bulk_reaches_the_program),
	  CASE(bulk_reaches_the_screen), CASE(stopped_output_waits), CASE(flushing),
	  CASE(packet_mode), CASE(the_node), CASE(numbers_are_used_again),
	  CASE(exclusive_use), CASE(locked_settings_stay),
	  CASE(closing_the_master_hangs_up), CASE(the_leaders_end_hangs_up_its_jobs),
	  CASE(background_readers_that_ignore_it_get_eio),
	  CASE(only_the_owner_moves_the_foreground), CASE(tostop))

/* Signals about input and output: fcntl(2), O_ASYNC, F_SETOWN, F_SETSIG. */
#include "diff.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define SIG_NEWS (SIGRTMIN + 1)

struct owner {
	int type, pid;
};

static int sent_fd = -1; /* of the signal that came last */

static void on_news(int sig, siginfo_t *info, void *context)
{
	caught[sig]++;
	caught_info = *info;
	sent_fd = info->si_fd;
}

/* Signals with news about fd come from now on. */
static void ask(int fd)
{
	struct sigaction sa = { .sa_sigaction = on_news, .sa_flags = SA_SIGINFO };
	sigaction(SIG_NEWS, &sa, NULL);
	sigaction(SIGIO, &sa, NULL);
	NEED(!fcntl(fd, F_SETOWN, getpid()) && !fcntl(fd, F_SETSIG, SIG_NEWS));
	NEED(!fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC | O_NONBLOCK));
}

/* What came since the last time. */
static void say_news(const char *after)
{
	if (caught[SIG_NEWS])
		say("%s: %d signals, code %d, band %#lx", after, (int)caught[SIG_NEWS],
		    caught_info.si_code, (long)caught_info.si_band);
	else
		say("%s: nothing", after);
	caught[SIG_NEWS] = 0;
}

DIFF_CASE(async_pipe_reader)
{
	int p[2];
	NEED(!pipe(p));
	ask(p[0]);
	char buf[100];
	struct iovec v = { "gift", 4 };
	NEED(write(p[1], "a", 1) == 1);
	say_news("a byte");
	SHOW(sent_fd == p[0]);
	NEED(write(p[1], "b", 1) == 1);
	say_news("another");
	NEED(write(p[1], "b", 0) == 0);
	say_news("none");
	NEED(read(p[0], buf, 1) == 1);
	say_news("read");
	NEED(vmsplice(p[1], &v, 1, 0) == 4);
	say_news("vmsplice");
	TRY(read(p[0], buf, 100));
	TRY(read(p[0], buf, 100));
	say_news("read all");
	close(p[1]);
	say_news("closed");
	TRY(read(p[0], buf, 100));
	say_news("end");
}

DIFF_CASE(async_pipe_writer)
{
	int p[2];
	char buf[4096] = "";
	NEED(!pipe(p));
	ask(p[1]);
	NEED(write(p[1], "a", 1) == 1);
	say_news("wrote");
	NEED(read(p[0], buf, 1) == 1);
	say_news("read");
	while (write(p[1], buf, sizeof buf) > 0)
		;
	say_news("filled");
	NEED(read(p[0], buf, 1) == 1);
	say_news("read one");
	NEED(read(p[0], buf, 4095) == 4095);
	say_news("read a page");
	close(p[0]);
	say_news("closed");
}

DIFF_CASE(async_pipe_one_set_for_all)
{
	int p[2];
	NEED(!pipe(p));
	ask(p[0]);
	int twin = dup(p[0]), again = open("/proc/self/fd/3", O_RDONLY);
	SHOW(fcntl(twin, F_GETFL) & O_ASYNC);
	SHOW(fcntl(again, F_GETFL) & O_ASYNC);
	NEED(write(p[1], "a", 1) == 1);
	say_news("two descriptors");
	TRY(fcntl(twin, F_SETFL, O_ASYNC));
	close(p[0]);
	NEED(write(p[1], "a", 1) == 1);
	say_news("one closed");
	SHOW(sent_fd == p[0]);
	TRY(fcntl(twin, F_SETFL, 0));
	NEED(write(p[1], "a", 1) == 1);
	say_news("off");
	TRY(fcntl(twin, F_SETFL, O_ASYNC));
	NEED(write(p[1], "a", 1) == 1);
	say_news("on again");
	SHOW(sent_fd == twin);
	close(twin);
	NEED(write(p[1], "a", 1) == 1);
	say_news("closed");
}

DIFF_CASE(async_fifo)
{
	NEED(!mkfifo("f", 0600));
	int fd = open("f", O_RDWR | O_NONBLOCK);
	ask(fd);
	char buf[8];
	NEED(write(fd, "abc", 3) == 3);
	say_news("wrote");
	NEED(read(fd, buf, 8) == 3);
	say_news("read");
	int other = open("f", O_WRONLY);
	say_news("opened");
	NEED(write(other, "abc", 3) == 3);
	say_news("another wrote");
	close(other);
	say_news("closed");
}

DIFF_CASE(async_splice_and_tee)
{
	int a[2], b[2];
	NEED(!pipe(a) && !pipe(b));
	NEED(write(a[1], "0123456789", 10) == 10);
	ask(b[0]);
	TRY(tee(a[0], b[1], 4, 0));
	say_news("tee");
	TRY(splice(a[0], NULL, b[1], NULL, 4, 0));
	say_news("splice");
	make_file("f", "content");
	int fd = open("f", O_RDONLY);
	TRY(splice(fd, NULL, b[1], NULL, 4, 0));
	say_news("splice of a file");
}

static void pair(int type, int s[2])
{
	NEED(!socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s));
}

static void socket_news(int type)
{
	int s[2];
	char buf[100];
	pair(type, s);
	ask(s[0]);
	NEED(write(s[1], "abc", 3) == 3);
	say_news("sent");
	NEED(write(s[1], "abc", 3) == 3);
	say_news("sent again");
	NEED(read(s[0], buf, 1) == 1);
	say_news("received");
	NEED(write(s[0], "abc", 3) == 3);
	NEED(read(s[1], buf, 3) == 3);
	say_news("peer received");
	TRY(shutdown(s[1], SHUT_RD));
	say_news("peer shut RD");
	TRY(shutdown(s[1], SHUT_WR));
	say_news("peer shut WR");
	close(s[1]);
	say_news("peer closed");
}

DIFF_CASE(async_socket_stream)
{
	socket_news(SOCK_STREAM);
}

DIFF_CASE(async_socket_dgram)
{
	socket_news(SOCK_DGRAM);
}

DIFF_CASE(async_socket_seqpacket)
{
	socket_news(SOCK_SEQPACKET);
}

DIFF_CASE(async_socket_shutdowns)
{
	int s[2];
	pair(SOCK_STREAM, s);
	ask(s[0]);
	TRY(shutdown(s[0], SHUT_WR));
	say_news("own");
	TRY(shutdown(s[1], SHUT_RDWR));
	say_news("peer");
	pair(SOCK_STREAM, s);
	ask(s[0]);
	close(s[1]);
	say_news("closed");
}

DIFF_CASE(async_socket_room)
{
	int s[2];
	static char buf[20000];
	pair(SOCK_STREAM, s);
	ask(s[0]);
	while (write(s[0], buf, sizeof buf) > 0)
		;
	say_news("filled");
	while (read(s[1], buf, sizeof buf) > 0)
		;
	SHOW(caught[SIG_NEWS] > 0);
	say("code %d band %#lx", caught_info.si_code, (long)caught_info.si_band);
	caught[SIG_NEWS] = 0;
	NEED(write(s[0], buf, 100) == 100 && read(s[1], buf, 100) == 100);
	say_news("never full");
}

DIFF_CASE(async_socket_listener)
{
	struct sockaddr_un to = { AF_UNIX, "sock" };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	NEED(!bind(l, (void *)&to, sizeof to) && !listen(l, 5));
	ask(l);
	ask(c);
	NEED(!connect(c, (void *)&to, sizeof to));
	say_news("connected");
	SHOW(sent_fd == l);
	int a = accept(l, NULL, NULL);
	NEED(a >= 0);
	say_news("accepted");
	SHOW(fcntl(a, F_GETFL) & O_ASYNC);
	SHOW(fcntl(a, F_GETOWN));
	NEED(write(a, "x", 1) == 1);
	say_news("answered");
	SHOW(sent_fd == c);
}

DIFF_CASE(async_inotify)
{
	int n = inotify_init1(IN_NONBLOCK);
	char buf[4096];
	NEED(inotify_add_watch(n, ".", IN_CREATE | IN_DELETE) > 0);
	ask(n);
	make_file("a", "");
	say_news("made");
	unlink("a");
	say_news("removed");
	NEED(read(n, buf, sizeof buf) > 0);
	say_news("read");
}

static int open_pty(int *ret_slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), unlock = 0, number;
	char name[32];
	NEED(master >= 0 && !ioctl(master, TIOCSPTLCK, &unlock) &&
	     !ioctl(master, TIOCGPTN, &number));
	strcpy(name, "/dev/pts/0");
	*ret_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	NEED(*ret_slave >= 0);
	return master;
}

/* Terminals pass bytes on when they can. */
static void settle(void)
{
	for (int n = 0; n < 200 && !caught[SIG_NEWS]; n++)
		nap(1);
}

DIFF_CASE(async_terminal)
{
	int slave, master = open_pty(&slave);
	char buf[100];
	ask(slave);
	NEED(write(master, "ab", 2) == 2);
	nap(30);
	say_news("half a line");
	NEED(write(master, "c\n", 2) == 2);
	settle();
	say_news("a line");
	SHOW(sent_fd == slave);
	TRY(read(slave, buf, 100));
	struct termios t;
	NEED(!tcgetattr(slave, &t));
	cfmakeraw(&t);
	NEED(!tcsetattr(slave, TCSANOW, &t));
	say_news("raw");
	NEED(write(master, "x", 1) == 1);
	settle();
	say_news("a byte");
}

DIFF_CASE(async_terminal_master)
{
	int slave, master = open_pty(&slave);
	ask(master);
	NEED(write(slave, "ab", 2) == 2);
	settle();
	SHOW(caught[SIG_NEWS] > 0);
	say("code %d band %#lx", caught_info.si_code, (long)caught_info.si_band);
	SHOW(sent_fd == master);
}

DIFF_CASE(async_terminal_default_owner)
{
	int slave, master = open_pty(&slave);
	TRY(fcntl(master, F_GETOWN));
	NEED(!fcntl(master, F_SETFL, O_ASYNC));
	SHOW(fcntl(master, F_GETOWN) == getpid());
	NEED(!fcntl(slave, F_SETFL, O_ASYNC));
	SHOW(fcntl(slave, F_GETOWN) == getpid());
	NEED(!fcntl(slave, F_SETFL, 0) && !fcntl(slave, F_SETOWN, 0));
	NEED(!ioctl(slave, TIOCSCTTY, 0));
	NEED(!fcntl(slave, F_SETFL, O_ASYNC));
	SHOW(fcntl(slave, F_GETOWN) == -getpgrp());
	struct owner o;
	TRY(fcntl(slave, F_GETOWN_EX, &o));
	SHOW(o.type);
	signal(SIGHUP, SIG_IGN);
}

/* Those that have nothing to tell keep the flag, but FIOASYNC refuses. */
DIFF_CASE(async_fioasync)
{
	int p[2], on = 1, off = 0;
	NEED(!pipe(p));
	TRY(ioctl(p[0], FIOASYNC, &on));
	SHOW(fcntl(p[0], F_GETFL) & O_ASYNC);
	TRY(ioctl(p[0], FIOASYNC, &on));
	TRY(ioctl(p[0], FIOASYNC, &off));
	SHOW(fcntl(p[0], F_GETFL) & O_ASYNC);
	TRY(ioctl(p[0], FIOASYNC, (int *)8));
	make_file("f", "x");
	int fd = open("f", O_RDWR | O_ASYNC);
	SHOW(fcntl(fd, F_GETFL) & O_ASYNC);
	TRY(ioctl(fd, FIOASYNC, &on));
	TRY(ioctl(fd, FIOASYNC, &off));
	TRY(fcntl(fd, F_SETFL, 0));
	SHOW(fcntl(fd, F_GETFL) & O_ASYNC);
	TRY(ioctl(fd, FIOASYNC, &on));
	TRY(fcntl(fd, F_SETFL, O_ASYNC));
	SHOW(fcntl(fd, F_GETFL) & O_ASYNC);
	TRY(ioctl(fd, FIOASYNC, &on));
}

/* The flag of open(2) alone asks for nothing. */
DIFF_CASE(async_by_open_is_nothing)
{
	NEED(!mkfifo("f", 0600));
	int fd = open("f", O_RDWR | O_NONBLOCK | O_ASYNC);
	struct sigaction sa = { .sa_sigaction = on_news, .sa_flags = SA_SIGINFO };
	sigaction(SIG_NEWS, &sa, NULL);
	NEED(!fcntl(fd, F_SETOWN, getpid()) && !fcntl(fd, F_SETSIG, SIG_NEWS));
	SHOW(fcntl(fd, F_GETFL) & O_ASYNC);
	NEED(write(fd, "x", 1) == 1);
	say_news("open");
	NEED(!fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
	NEED(write(fd, "x", 1) == 1);
	say_news("set again");
	NEED(!fcntl(fd, F_SETFL, O_NONBLOCK) &&
	     !fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
	NEED(write(fd, "x", 1) == 1);
	say_news("off and on");
}

/* mq_overview(7): flags, limits, priorities, notification, what a queue is as a file. */
#include "diff.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long open_mq(const char *name, int flags, unsigned mode, struct mq_attr *a)
{
	return syscall(SYS_mq_open, name, flags, mode, a);
}

static long post(long q, const char *text, unsigned priority, struct timespec *until)
{
	return syscall(SYS_mq_timedsend, q, text, strlen(text), priority, until);
}

static long get(long q, char *b, size_t n, unsigned *priority, struct timespec *until)
{
	return syscall(SYS_mq_timedreceive, q, b, n, priority, until);
}

static long small_queue(int flags)
{
	struct mq_attr a = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	long q = open_mq("q", O_CREAT | flags, 0600, &a);
	NEED(q >= 0);
	return q;
}

DIFF_CASE(mq_names)
{
	char name[300];
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	memset(name, 'n', sizeof name);
	name[255] = 0;
	MAY(open_mq(name, O_CREAT | O_RDWR, 0600, &a));
	TRY(syscall(SYS_mq_unlink, name));
	name[255] = 'n', name[256] = 0;
	TRY(open_mq(name, O_CREAT | O_RDWR, 0600, &a));
	TRY(syscall(SYS_mq_unlink, name));
	TRY(open_mq("/q", O_CREAT | O_RDWR, 0600, &a));
	TRY(open_mq(".", O_CREAT | O_RDWR, 0600, &a));
	TRY(open_mq("..", O_CREAT | O_RDWR, 0600, &a));
	TRY(open_mq("", O_RDWR, 0600, &a));
	TRY(open_mq("none", O_RDWR, 0600, NULL));
	TRY(open_mq("none", O_RDONLY | O_EXCL, 0600, NULL));
	TRY(syscall(SYS_mq_unlink, ""));
	TRY(syscall(SYS_mq_unlink, "/q"));
	TRY(syscall(SYS_mq_unlink, "none"));
	TRY(syscall(SYS_mq_unlink, (void *)8));
	TRY(open_mq((void *)8, O_RDWR, 0600, NULL));
	TRY(open_mq("q", O_CREAT | O_RDWR, 0600, (void *)8));
}

DIFF_CASE(mq_attributes)
{
	struct mq_attr a = { .mq_maxmsg = 10, .mq_msgsize = 8192 };
	const struct mq_attr bad[] = { { .mq_maxmsg = 0, .mq_msgsize = 8 },
				       { .mq_maxmsg = 8, .mq_msgsize = 0 },
				       { .mq_maxmsg = -1, .mq_msgsize = 8 },
				       { .mq_maxmsg = 8, .mq_msgsize = -1 },
				       { .mq_maxmsg = 65537, .mq_msgsize = 8 },
				       { .mq_maxmsg = 8, .mq_msgsize = 16777217 },
				       { .mq_maxmsg = 65536, .mq_msgsize = 16777216 } };
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		a = bad[k];
		TRY(open_mq("q", O_CREAT | O_RDWR, 0600, &a));
	}
	long q = open_mq("q", O_CREAT | O_RDWR, 0600, NULL);
	TRY(syscall(SYS_mq_getsetattr, q, NULL, &a));
	say("flags %ld maxmsg %ld msgsize %ld curmsgs %ld", a.mq_flags, a.mq_maxmsg,
	    a.mq_msgsize, a.mq_curmsgs);
	a.mq_flags = O_NONBLOCK | 1;
	TRY(syscall(SYS_mq_getsetattr, q, &a, NULL));
	a = (struct mq_attr){ .mq_flags = O_NONBLOCK, .mq_maxmsg = 99 };
	TRY(syscall(SYS_mq_getsetattr, q, &a, &a));
	TRY(syscall(SYS_mq_getsetattr, q, NULL, &a));
	say("flags %ld maxmsg %ld", a.mq_flags, a.mq_maxmsg);
	SHOW(!!(fcntl((int)q, F_GETFL) & O_NONBLOCK));
	TRY(syscall(SYS_mq_getsetattr, q, (void *)8, NULL));
	TRY(syscall(SYS_mq_getsetattr, q, NULL, (void *)8));
	TRY(syscall(SYS_mq_getsetattr, -1, NULL, &a));
	TRY(syscall(SYS_mq_getsetattr, q, NULL, NULL));
	syscall(SYS_mq_unlink, "q");
}

static void nobody_opens(void)
{
	struct mq_attr a = { .mq_maxmsg = 11, .mq_msgsize = 8 };
	become_nobody();
	TRY(open_mq("q", O_RDWR, 0600, NULL));
	MAY(open_mq("q", O_RDONLY, 0600, NULL));
	TRY(open_mq("q", O_WRONLY, 0600, NULL));
	TRY(syscall(SYS_mq_unlink, "q"));
	TRY(open_mq("mine", O_CREAT | O_RDWR, 0600, &a));
	a = (struct mq_attr){ .mq_maxmsg = 8, .mq_msgsize = 8193 };
	TRY(open_mq("mine", O_CREAT | O_RDWR, 0600, &a));
	a.mq_msgsize = 8192;
	MAY(open_mq("mine", O_CREAT | O_RDWR, 0600, &a));
	TRY(syscall(SYS_mq_unlink, "mine"));
	setrlimit(RLIMIT_MSGQUEUE, &(struct rlimit){ 1000, 1000 });
	TRY(open_mq("mine", O_CREAT | O_RDWR, 0600, &a));
}

DIFF_CASE(mq_as_nobody)
{
	struct stat st;
	umask(0);
	long q = open_mq("q", O_CREAT | O_RDWR, 0604, NULL);
	SHOW(fstat((int)q, &st));
	SHOW_OCTAL(st.st_mode);
	SHOW(st.st_size);
	pid_t pid = fork();
	if (!pid) {
		nobody_opens();
		_exit(0);
	}
	say_status("nobody", reap(pid));
	syscall(SYS_mq_unlink, "q");
}

DIFF_CASE(mq_access_modes)
{
	char b[8];
	struct mq_attr a;
	long q = small_queue(O_RDWR | O_NONBLOCK);
	long r = open_mq("q", O_RDONLY | O_NONBLOCK, 0, NULL),
	     w = open_mq("q", O_WRONLY | O_NONBLOCK, 0, NULL);
	TRY(post(r, "x", 0, NULL));
	TRY(get(w, b, 8, NULL, NULL));
	TRY(post(w, "x", 0, NULL));
	TRY(get(r, b, 8, NULL, NULL));
	TRY(read((int)q, b, 8));
	char text[100] = "";
	int fd = open_mq("q", O_RDONLY, 0, NULL) >= 0 ? (int)q : -1;
	SHOW(pread(fd, text, sizeof text - 1, 0) > 0);
	TRY(write((int)q, "x", 1));
	TRY(lseek((int)q, 0, SEEK_END));
	TRY(open_mq("q", 3, 0, NULL) >= 0);
	TRY(open_mq("q", O_RDWR | O_TRUNC | O_DIRECTORY, 0, NULL) >= 0);
	SHOW(fcntl((int)q, F_GETFD));
	int d = dup((int)q);
	TRY(post(d, "y", 0, NULL));
	TRY(syscall(SYS_mq_getsetattr, q, NULL, &a));
	SHOW(a.mq_curmsgs);
	TRY(syscall(SYS_mq_unlink, "q"));
	TRY(get(q, b, 8, NULL, NULL));
	TRY(open_mq("q", O_RDWR, 0, NULL));
}

DIFF_CASE(mq_order_and_sizes)
{
	char b[8];
	unsigned priority;
	struct mq_attr a = { .mq_maxmsg = 8, .mq_msgsize = 8 };
	long q = open_mq("q", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &a);
	const unsigned priorities[] = { 5, 0, 32767, 5, 1 };
	for (unsigned k = 0; k < 5; k++) {
		char text[2] = { (char)('a' + k), 0 };
		NEED(!post(q, text, priorities[k], NULL));
	}
	TRY(post(q, "", 0, NULL));
	for (int k = 0; k < 7; k++) {
		priority = 99;
		say_bytes("got", b, get(q, b, 8, &priority, NULL));
		SHOW(priority);
	}
	TRY(post(q, "x", 32768, NULL));
	TRY(post(q, "123456789", 0, NULL));
	TRY(syscall(SYS_mq_timedsend, q, (void *)8, 4, 0, NULL));
	TRY(post(q, "x", 0, NULL));
	TRY(get(q, b, 7, NULL, NULL));
	TRY(get(q, (void *)8, 8, NULL, NULL));
	TRY(get(q, b, 8, NULL, NULL));
	TRY(post(q, "x", 0, NULL));
	TRY(get(q, b, 8, (void *)8, NULL));
	TRY(get(q, b, 8, NULL, NULL));
	syscall(SYS_mq_unlink, "q");
}

DIFF_CASE(mq_timeouts)
{
	char b[8];
	struct timespec past = { 1, 0 }, bad = { 0, 1000000000 }, neg = { -1, 0 }, soon;
	long q = small_queue(O_RDWR);
	TRY(get(q, b, 8, NULL, &past));
	TRY(get(q, b, 8, NULL, &bad));
	TRY(get(q, b, 8, NULL, &neg));
	TRY(get(q, b, 8, NULL, (void *)8));
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec++;
	TRY(get(q, b, 8, NULL, &soon));
	TRY(post(q, "1", 0, &bad));
	TRY(post(q, "1", 0, &past));
	TRY(post(q, "2", 0, NULL));
	TRY(post(q, "3", 0, &past));
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(post(q, "3", 0, NULL));
	ualarm(0, 0);
	catch (SIGALRM, SA_RESTART);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec = 0;
	soon.tv_sec += 2;
	ualarm(20000, 20000);
	TRY(post(q, "3", 0, &soon));
	ualarm(0, 0);
	syscall(SYS_mq_unlink, "q");
}

static void say_poll(long q)
{
	struct pollfd p = { (int)q, POLLIN | POLLOUT, 0 };
	poll(&p, 1, 0);
	say("poll 0x%x", p.revents);
}

DIFF_CASE(mq_poll)
{
	char b[8];
	long q = small_queue(O_RDWR);
	say_poll(q);
	NEED(!post(q, "x", 0, NULL));
	say_poll(q);
	NEED(!post(q, "x", 0, NULL));
	say_poll(q);
	NEED(get(q, b, 8, NULL, NULL) == 1);
	say_poll(q);
	syscall(SYS_mq_unlink, "q");
	say_poll(q);
}

static long queue;

static int receiver(void)
{
	char b[8];
	return (int)get(queue, b, 8, NULL, NULL);
}

DIFF_CASE(mq_notify_corners)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	long q = queue = small_queue(O_RDWR);
	catch (SIGUSR1, SA_SIGINFO);
	/* Not while somebody waits for the message. */
	TRY(syscall(SYS_mq_notify, q, &e));
	pid_t pid = child_of(receiver);
	wait_asleep(pid);
	TRY(post(q, "x", 0, NULL));
	say_status("receiver", reap(pid));
	SHOW(caught[SIGUSR1]);
	TRY(post(q, "x", 0, NULL));
	SHOW(caught[SIGUSR1]);
	say("code %d pid %d", caught_info.si_code, caught_info.si_pid == getpid());
	/* Not for a queue that has something. */
	TRY(syscall(SYS_mq_notify, q, &e));
	TRY(post(q, "y", 0, NULL));
	SHOW(caught[SIGUSR1]);
	pid = fork();
	if (!pid) {
		TRY(syscall(SYS_mq_notify, q, &e));
		TRY(syscall(SYS_mq_notify, q, NULL));
		_exit(0);
	}
	reap(pid);
	TRY(syscall(SYS_mq_notify, q, NULL));
	TRY(syscall(SYS_mq_notify, q, NULL));
	e.sigev_notify = SIGEV_NONE;
	TRY(syscall(SYS_mq_notify, q, &e));
	TRY(syscall(SYS_mq_notify, q, &e));
	TRY(syscall(SYS_mq_notify, q, NULL));
	e.sigev_notify = 99;
	TRY(syscall(SYS_mq_notify, q, &e));
	e.sigev_notify = SIGEV_SIGNAL, e.sigev_signo = 0;
	TRY(syscall(SYS_mq_notify, q, &e));
	TRY(syscall(SYS_mq_notify, q, NULL));
	e.sigev_signo = 65;
	TRY(syscall(SYS_mq_notify, q, &e));
	TRY(syscall(SYS_mq_notify, q, (void *)8));
	TRY(syscall(SYS_mq_notify, 0, &e));
	TRY(syscall(SYS_mq_notify, -1, NULL));
	/* A close takes the wish back. */
	e.sigev_signo = SIGUSR1;
	long other = open_mq("q", O_RDWR, 0, NULL);
	TRY(syscall(SYS_mq_notify, q, &e));
	close((int)other);
	TRY(syscall(SYS_mq_notify, q, &e));
	syscall(SYS_mq_unlink, "q");
}

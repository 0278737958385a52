/* POSIX message queues: mq_open and its family, the mqueue file system. */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

static char name[32];

static const char *fresh_name(void)
{
	snprintf(name, sizeof name, "/t%d", getpid());
	return name;
}

/* A nameless queue. */
static mqd_t queue(long messages, long size, int flags)
{
	struct mq_attr a = { .mq_maxmsg = messages, .mq_msgsize = size };
	mqd_t q = mq_open(fresh_name(), O_CREAT | O_EXCL | O_RDWR | flags, 0600, &a);

	CHECK(q >= 0);
	CHECK_EQ(mq_unlink(name), 0);
	return q;
}

static struct timespec after_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void by_priority_then_age(void)
{
	mqd_t q = queue(8, 16, 0);
	static const unsigned priority[] = { 1, 5, 0, 5, 32767, 1 };
	static const char *const want = "EBDAFC";
	char b[16];
	unsigned p;

	for (int i = 0; i < 6; i++)
		CHECK_EQ(mq_send(q, (char[]){ (char)('A' + i) }, 1, priority[i]), 0);
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(mq_receive(q, b, sizeof b, &p), 1);
		CHECK_EQ(b[0], want[i]);
		CHECK_EQ(p, priority[want[i] - 'A']);
	}
}

static void names(void)
{
	struct mq_attr a = { .mq_maxmsg = 3, .mq_msgsize = 10 }, got;
	mqd_t q = mq_open(fresh_name(), O_CREAT | O_EXCL | O_RDWR, 0600, &a);

	CHECK(q >= 0);
	CHECK_ERR(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &a), EEXIST);
	mqd_t r = mq_open(name, O_RDONLY);
	CHECK(r >= 0);
	CHECK(fcntl(r, F_GETFD) & FD_CLOEXEC);
	CHECK_EQ(mq_send(q, "x", 1, 0), 0);
	CHECK_ERR(mq_send(r, "x", 1, 0), EBADF);
	CHECK_EQ(mq_getattr(r, &got), 0);
	CHECK(got.mq_maxmsg == 3 && got.mq_msgsize == 10 && got.mq_curmsgs == 1 &&
	      !got.mq_flags);
	CHECK_EQ(mq_unlink(name), 0);
	CHECK_ERR(mq_unlink(name), ENOENT);
	CHECK_ERR(mq_open(name, O_RDWR), ENOENT);
	char b[10];
	CHECK_EQ(mq_receive(r, b, sizeof b, NULL), 1); /* it lives while it is open */
	CHECK_ERR(mq_receive(q, b, 9, NULL), EMSGSIZE);
	CHECK_ERR(mq_send(q, "01234567890", 11, 0), EMSGSIZE);
	CHECK_ERR(mq_send(q, "x", 1, 32768), EINVAL);
	CHECK_ERR(mq_send(0, "x", 1, 0), EBADF);
	CHECK_ERR(mq_send(99, "x", 1, 0), EBADF);
}

static void what_mq_open_refuses(void)
{
	static const struct mq_attr bad[] = {
		{ .mq_maxmsg = 0, .mq_msgsize = 1 },
		{ .mq_maxmsg = 1, .mq_msgsize = 0 },
		{ .mq_maxmsg = -1, .mq_msgsize = 1 },
		{ .mq_maxmsg = 65537, .mq_msgsize = 1 },
		{ .mq_maxmsg = 1, .mq_msgsize = LONG_MAX },
	};
	char longest[300];

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_ERR(mq_open(fresh_name(), O_CREAT | O_RDWR, 0600, &bad[i]), EINVAL);
	CHECK_ERR(syscall(SYS_mq_open, "a/b", O_CREAT | O_RDWR, 0600, NULL), EACCES);
	CHECK_ERR(syscall(SYS_mq_open, "..", O_RDONLY, 0, NULL), EACCES);
	CHECK_ERR(syscall(SYS_mq_open, "", O_RDONLY, 0, NULL), ENOENT);
	CHECK_ERR(syscall(SYS_mq_open, (void *)8, O_RDONLY, 0, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, (void *)8), EFAULT);
	memset(longest, 'x', sizeof longest);
	longest[299] = 0;
	CHECK_ERR(syscall(SYS_mq_open, longest, O_CREAT | O_RDWR, 0600, NULL),
		  ENAMETOOLONG);
	longest[255] = 0;
	int q = (int)syscall(SYS_mq_open, longest, O_CREAT | O_RDWR, 0600, NULL);
	CHECK(q >= 0); /* the twin */
	CHECK_EQ(syscall(SYS_mq_unlink, longest), 0);
}

static void does_not_wait(void)
{
	mqd_t q = queue(2, 4, O_NONBLOCK);
	struct mq_attr a;
	char b[4];

	CHECK_ERR(mq_receive(q, b, 4, NULL), EAGAIN);
	CHECK_EQ(mq_send(q, "a", 1, 0), 0);
	CHECK_EQ(mq_send(q, "", 0, 0), 0);
	CHECK_ERR(mq_send(q, "c", 1, 0), EAGAIN);
	CHECK_EQ(mq_getattr(q, &a), 0);
	CHECK_EQ(a.mq_flags, O_NONBLOCK);
	CHECK(fcntl(q, F_GETFL) & O_NONBLOCK);
	struct mq_attr off = { .mq_flags = 0 }, bad = { .mq_flags = O_APPEND };
	CHECK_EQ(mq_setattr(q, &off, &a), 0);
	CHECK_EQ(a.mq_flags, O_NONBLOCK);
	CHECK_ERR(mq_setattr(q, &bad, NULL), EINVAL);
	CHECK(!(fcntl(q, F_GETFL) & O_NONBLOCK));
	struct timespec past = { 0, 0 }, wrong = { 0, -1 }, soon = after_ms(40);
	CHECK_ERR(mq_timedsend(q, "c", 1, 0, &past), ETIMEDOUT);
	CHECK_ERR(mq_timedsend(q, "c", 1, 0, &soon), ETIMEDOUT);
	CHECK_ERR(mq_timedsend(q, "c", 1, 0, &wrong), EINVAL);
	CHECK_EQ(mq_timedreceive(q, b, 4, NULL, &past), 1);
	CHECK_EQ(mq_timedreceive(q, b, 4, NULL, &past), 0);
	soon = after_ms(40);
	CHECK_ERR(mq_timedreceive(q, b, 4, NULL, &soon), ETIMEDOUT);
}

static void on_signal(int sig)
{
}

static void waits(void)
{
	mqd_t q = queue(1, 4, 0);
	char b[4];

	pid_t child = fork();
	if (!child)
		_exit(mq_receive(q, b, 4, NULL) == 1 && b[0] == 'w' ? 0 : 1);
	usleep(20000);
	CHECK_EQ(mq_send(q, "w", 1, 0), 0);
	CHECK_EQ(tap_wait(child), 0);
	CHECK_EQ(mq_send(q, "1", 1, 0), 0);
	child = fork();
	if (!child)
		_exit(mq_send(q, "2", 1, 9) ? errno : 0);
	usleep(20000);
	CHECK_EQ(mq_receive(q, b, 4, NULL), 1);
	CHECK_EQ(tap_wait(child), 0);
	CHECK_EQ(mq_receive(q, b, 4, NULL), 1);
	CHECK_EQ(b[0], '2');
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	child = fork();
	if (!child)
		_exit(mq_receive(q, b, 4, NULL) < 0 ? errno : 0);
	usleep(20000);
	kill(child, SIGUSR1);
	CHECK_EQ(WEXITSTATUS(tap_wait(child)), EINTR);
}

static void can_be_polled(void)
{
	mqd_t q = queue(1, 4, 0);
	struct pollfd p = { .fd = q, .events = POLLIN | POLLOUT };
	struct epoll_event e = { .events = EPOLLIN }, got;
	char b[4];

	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT);
	int ep = epoll_create1(0);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, q, &e), 0);
	CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
	pid_t child = fork();
	if (!child) {
		usleep(20000);
		_exit(mq_send(q, "x", 1, 0));
	}
	CHECK_EQ(epoll_wait(ep, &got, 1, 5000), 1);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EQ(mq_receive(q, b, 4, NULL), 1);
	CHECK_EQ(tap_wait(child), 0);
}

static void notifies_once(void)
{
	mqd_t q = queue(4, 4, 0);
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGRTMIN,
			       .sigev_value.sival_int = 77 };
	struct timespec none = { 0, 0 }, second = { 1, 0 };
	siginfo_t info;
	sigset_t set;
	char b[4];

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_EQ(mq_notify(q, &ev), 0);
	CHECK_ERR(mq_notify(q, &ev), EBUSY);
	pid_t child = fork();
	if (!child) {
		if (mq_notify(q, &ev) != -1 || errno != EBUSY)
			_exit(1);
		close(q); /* another's registration stays */
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
	child = fork();
	if (!child)
		_exit(mq_send(q, "a", 1, 0));
	CHECK_EQ(tap_wait(child), 0);
	CHECK_EQ(sigtimedwait(&set, &info, &second), SIGRTMIN);
	CHECK(info.si_code == SI_MESGQ && info.si_pid == child &&
	      info.si_uid == getuid() && info.si_value.sival_int == 77);
	CHECK_EQ(mq_receive(q, b, 4, NULL), 1);
	CHECK_EQ(mq_send(q, "b", 1, 0), 0); /* once only */
	CHECK_ERR(sigtimedwait(&set, &info, &none), EAGAIN);
	CHECK_EQ(mq_notify(q, &ev), 0); /* not for a queue that is not empty */
	CHECK_EQ(mq_send(q, "c", 1, 0), 0);
	CHECK_ERR(sigtimedwait(&set, &info, &none), EAGAIN);
	CHECK_EQ(mq_notify(q, NULL), 0);
	ev.sigev_notify = SIGEV_NONE;
	CHECK_EQ(mq_notify(q, &ev), 0);
	CHECK_EQ(mq_notify(q, NULL), 0);
	ev.sigev_notify = 99;
	CHECK_ERR(mq_notify(q, &ev), EINVAL);
	ev.sigev_notify = SIGEV_SIGNAL;
	ev.sigev_signo = 99;
	CHECK_ERR(mq_notify(q, &ev), EINVAL);
	CHECK_ERR(mq_notify(0, NULL), EBADF);
}

static void a_waiting_receiver_goes_first(void)
{
	mqd_t q = queue(4, 4, 0);
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct timespec none = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_EQ(mq_notify(q, &ev), 0);
	pid_t child = fork();
	if (!child) {
		char b[4];
		_exit(mq_receive(q, b, 4, NULL) == 1 ? 0 : 1);
	}
	usleep(30000);
	CHECK_EQ(mq_send(q, "a", 1, 0), 0);
	CHECK_EQ(tap_wait(child), 0);
	CHECK_ERR(sigtimedwait(&set, NULL, &none), EAGAIN);
	CHECK_EQ(mq_send(q, "b", 1, 0), 0);
	CHECK_EQ(sigtimedwait(&set, NULL, &none), SIGRTMIN);
}

static void counts_against_the_limit(void)
{
	struct rlimit r;
	int n = 0;

	CHECK_EQ(getrlimit(RLIMIT_MSGQUEUE, &r), 0);
	CHECK_EQ(r.rlim_cur, 819200);
	if (getuid() == 0) /* an account of its own */
		CHECK(setgroups(0, NULL) == 0 && setgid(4000) == 0 && setuid(4000) == 0);
	for (; n < 100; n++) {
		struct mq_attr a = { .mq_maxmsg = 10, .mq_msgsize = 8192 };
		if (mq_open(fresh_name(), O_CREAT | O_EXCL | O_RDWR, 0600, &a) < 0)
			break;
		mq_unlink(name);
	}
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(n, 9); /* of 82,880 bytes each */
	close(3);
	close(4);
	mqd_t q = queue(10, 8192, 0); /* what is closed counts no more */
	CHECK(q >= 0);
	struct mq_attr big = { .mq_maxmsg = 11, .mq_msgsize = 10 };
	CHECK_ERR(mq_open(fresh_name(), O_CREAT | O_RDWR, 0600, &big), EINVAL);
	big = (struct mq_attr){ .mq_maxmsg = 1, .mq_msgsize = 8193 };
	CHECK_ERR(mq_open(fresh_name(), O_CREAT | O_RDWR, 0600, &big), EINVAL);
}

static void permissions(void)
{
	tap_needs_root();
	umask(0);
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	mqd_t q = mq_open(fresh_name(), O_CREAT | O_EXCL | O_RDWR, 0604, &a);

	CHECK(q >= 0);
	pid_t child = fork();
	if (!child) {
		CHECK(setgroups(0, NULL) == 0 && setgid(4000) == 0 && setuid(4000) == 0);
		CHECK_ERR(mq_open(name, O_RDWR), EACCES);
		CHECK_ERR(mq_open(name, O_WRONLY | O_CREAT, 0600, &a), EACCES);
		CHECK_ERR(syscall(SYS_mq_unlink, name + 1), EPERM); /* the sticky bit */
		CHECK(mq_open(name, O_RDONLY) >= 0);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
	CHECK_EQ(mq_unlink(name), 0);
}

/* A mount of the file system, in a name space of our own on a host. */
static const char *mounted(void)
{
	tap_needs_root();
	const char *dir = tap_tmpdir();

	if (!tap_on_mayfly())
		CHECK(unshare(CLONE_NEWNS) == 0 &&
		      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK_EQ(mkdir("m", 0755), 0);
	CHECK_EQ(mount("mqueue", "m", "mqueue", 0, NULL), 0);
	CHECK_EQ(chdir("m"), 0);
	return dir;
}

static void unmount(void)
{
	CHECK_EQ(chdir(".."), 0);
	CHECK_EQ(umount("m"), 0);
}

static void is_a_file_system(void)
{
	struct statfs sf;
	struct stat st;
	char text[128];

	mounted();
	mqd_t q = mq_open(fresh_name(), O_CREAT | O_EXCL | O_RDWR, 0640, NULL);
	CHECK(q >= 0);
	CHECK_EQ(statfs(".", &sf), 0);
	CHECK_EQ(sf.f_type, 0x19800202);
	CHECK_EQ(stat(name + 1, &st), 0);
	CHECK(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0640 && st.st_size == 80 &&
	      st.st_nlink == 1);
	CHECK_EQ(stat(".", &st), 0);
	CHECK_EQ(st.st_mode, S_IFDIR | 01777);
	CHECK_EQ(mq_send(q, "12345", 5, 0), 0);
	CHECK_EQ(mq_send(q, "123", 3, 0), 0);
	int fd = open(name + 1, O_RDONLY);
	ssize_t n = read(fd, text, sizeof text - 1);
	CHECK(n > 0);
	text[n] = 0;
	CHECK(!strncmp(text, "QSIZE:8 ", 8) && strstr(text, "NOTIFY_PID:0"));
	CHECK_ERR(mkdir("d", 0755), EPERM);
	CHECK_ERR(rename(name + 1, "other"), EPERM);
	DIR *d = opendir(".");
	struct dirent *e;
	int found = 0;
	while ((e = readdir(d)))
		found += !strcmp(e->d_name, name + 1);
	closedir(d);
	CHECK_EQ(found, 1);
	/* A file made there is a queue, */
	int made = open("made", O_CREAT | O_RDWR, 0600);
	CHECK(made >= 0);
	CHECK_EQ(mq_send(made, "x", 1, 0), 0);
	mqd_t again = mq_open("/made", O_RDWR);
	CHECK(again >= 0);
	struct mq_attr a;
	CHECK_EQ(mq_getattr(again, &a), 0);
	CHECK(a.mq_maxmsg == 10 && a.mq_msgsize == 8192 && a.mq_curmsgs == 1);
	/* and one taken away there is gone. */
	CHECK_EQ(unlink("made"), 0);
	CHECK_ERR(mq_open("/made", O_RDWR), ENOENT);
	CHECK_EQ(unlink(name + 1), 0);
	close(fd);
	close(q);
	close(made);
	close(again);
	unmount();
}

static void limits_are_shown(void)
{
	static const struct {
		const char *path;
		int value;
	} files[] = {
		{ "/proc/sys/fs/mqueue/msg_max", 10 },
		{ "/proc/sys/fs/mqueue/msgsize_max", 8192 },
		{ "/proc/sys/fs/mqueue/msg_default", 10 },
		{ "/proc/sys/fs/mqueue/msgsize_default", 8192 },
		{ "/proc/sys/fs/mqueue/queues_max", 256 },
	};

	for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
		int n = 0;
		FILE *f = fopen(files[i].path, "r");
		CHECK(f && fscanf(f, "%d", &n) == 1);
		CHECK_EQ(n, files[i].value);
		fclose(f);
	}
}

#define MESSAGES 2000

static void none_is_lost_under_load(void)
{
	mqd_t q = queue(4, 8, 0);
	int status = 0, sum[2];

	CHECK_EQ(pipe(sum), 0);
	for (int i = 0; i < 4; i++) {
		if (fork())
			continue;
		long total = 0, k;
		for (k = 0; k < MESSAGES; k++) {
			char b[8];
			memcpy(b, &k, 8);
			if (i < 2 ? mq_send(q, b, 8, (unsigned)(k % 3))
				  : mq_receive(q, b, 8, NULL) != 8)
				_exit(1);
			long got;
			memcpy(&got, b, 8);
			total += i < 2 ? 0 : got;
		}
		_exit(write(sum[1], &total, 8) != 8);
	}
	long all = 0, one;
	for (int i = 0; i < 4; i++) {
		int s;
		wait(&s);
		status |= s;
		CHECK_EQ(read(sum[0], &one, 8), 8);
		all += one;
	}
	CHECK_EQ(status, 0);
	CHECK_EQ(all, (long)MESSAGES * (MESSAGES - 1));
}

TEST_MAIN(CASE(by_priority_then_age), CASE(names), CASE(what_mq_open_refuses),
	  CASE(does_not_wait), CASE(waits), CASE(can_be_polled), CASE(notifies_once),
	  CASE(a_waiting_receiver_goes_first), CASE(counts_against_the_limit),
	  CASE(permissions), CASE(is_a_file_system), CASE(limits_are_shown),
	  CASE(none_is_lost_under_load))

/* pidfd_open, pidfd_send_signal, pidfd_getfd, CLONE_PIDFD, waitid(P_PIDFD). */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define P_PIDFD_ID 3

static int pidfd(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static long send_to(int fd, int sig, siginfo_t *info, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

static int poll_of(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLHUP, 0 };
	poll(&p, 1, 0);
	return p.revents & ~POLLHUP; /* of a reaped one, since Linux 6.9 */
}

DIFF_CASE(pidfd_open_errors)
{
	TRY(pidfd(0, 0));
	TRY(pidfd(-1, 0));
	TRY(pidfd(99999, 0));
	TRY(pidfd(getpid(), 1));
	int fd = pidfd(getpid(), 0);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(fcntl(fd, F_GETFL) & O_ACCMODE);
	fd = pidfd(getpid(), O_NONBLOCK);
	SHOW(!!(fcntl(fd, F_GETFL) & O_NONBLOCK));
	char b[8];
	TRY(read(fd, b, 8));
	TRY(write(fd, b, 8));
	TRY(lseek(fd, 0, SEEK_SET));
}

static void *in_thread(void *arg)
{
	*(pid_t *)arg = (pid_t)syscall(SYS_gettid);
	pause();
	return NULL;
}

DIFF_CASE(pidfd_of_a_thread)
{
	pthread_t t;
	volatile pid_t tid = 0;
	NEED(!pthread_create(&t, NULL, in_thread, (void *)&tid));
	while (!tid)
		nap(1);
	SHOW(pidfd(tid, 0) < 0);
}

DIFF_CASE(pidfd_life)
{
	siginfo_t si;
	pid_t pid = child_of(sleeper);
	int fd = pidfd(pid, 0), nb = pidfd(pid, O_NONBLOCK);
	SHOW(poll_of(fd));
	TRY(send_to(fd, 0, NULL, 0));
	memset(&si, 0, sizeof si);
	TRY(waitid(P_PIDFD_ID, (id_t)nb, &si, WEXITED));
	TRY(waitid(P_PIDFD_ID, (id_t)nb, &si, WEXITED | WNOHANG));
	TRY(waitid(P_PIDFD_ID, (id_t)fd, &si, WEXITED | WNOHANG));
	TRY(send_to(fd, SIGKILL, NULL, 0));
	wait_state(pid, 'Z');
	SHOW(poll_of(fd));
	TRY(send_to(fd, 0, NULL, 0));
	TRY(waitid(P_PIDFD_ID, (id_t)fd, &si, WEXITED | WNOWAIT));
	say("code %d status %d pid %d", si.si_code, si.si_status, si.si_pid == pid);
	TRY(waitid(P_PIDFD_ID, (id_t)nb, &si, WEXITED));
	SHOW(poll_of(fd));
	TRY(send_to(fd, 0, NULL, 0));
	TRY(waitid(P_PIDFD_ID, (id_t)fd, &si, WEXITED));
	TRY(pidfd(pid, 0));
	TRY(syscall(SYS_pidfd_getfd, fd, 0, 0));
}

DIFF_CASE(pidfd_waitid_errors)
{
	siginfo_t si;
	int self = pidfd(getpid(), 0), init = pidfd(getppid(), 0);
	TRY(waitid(P_PIDFD_ID, (id_t)self, &si, WEXITED));
	if (init >= 0)
		TRY(waitid(P_PIDFD_ID, (id_t)init, &si, WEXITED));
	TRY(waitid(P_PIDFD_ID, 0, &si, WEXITED));
	TRY(waitid(P_PIDFD_ID, 99, &si, WEXITED));
	TRY(waitid(P_PIDFD_ID, (id_t)-1, &si, WEXITED));
	TRY(waitid(9, 0, &si, WEXITED));
	TRY(waitid(P_PIDFD_ID, (id_t)self, &si, 0));
	TRY(waitid(P_PID, 0, &si, WEXITED));
	TRY(waitid(P_PGID, (id_t)-1, &si, WEXITED));
}

DIFF_CASE(pidfd_send_signal_values)
{
	siginfo_t si;
	catch (SIGUSR1, SA_SIGINFO);
	int fd = pidfd(getpid(), 0);
	TRY(send_to(fd, SIGUSR1, NULL, 0));
	say("code %d pid %d", caught_info.si_code, caught_info.si_pid == getpid());
	memset(&si, 0, sizeof si);
	si.si_signo = SIGUSR1, si.si_code = SI_QUEUE, si.si_value.sival_int = 77;
	TRY(send_to(fd, SIGUSR1, &si, 0));
	say("code %d value %d", caught_info.si_code, caught_info.si_value.sival_int);
	TRY(send_to(fd, SIGUSR2, &si, 0));
	si.si_code = SI_USER;
	TRY(send_to(fd, SIGUSR1, &si, 0));
	TRY(send_to(fd, SIGUSR1, (void *)8, 0));
	TRY(send_to(fd, 65, NULL, 0));
	TRY(send_to(fd, -1, NULL, 0));
	TRY(send_to(fd, 0, NULL, 8));
	TRY(send_to(0, 0, NULL, 0));
	TRY(send_to(-1, 0, NULL, 0));
	signal(SIGUSR1, SIG_DFL);
	pid_t pid = child_of(sleeper);
	fd = pidfd(pid, 0);
	TRY(send_to(fd, SIGUSR1, &si, 0));
	si.si_code = SI_TKILL;
	TRY(send_to(fd, SIGUSR1, &si, 0));
	si.si_code = -70;
	TRY(send_to(fd, SIGUSR1, &si, 0));
	say_status("child", reap(pid));
}

DIFF_CASE(pidfd_as_nobody)
{
	pid_t target = child_of(sleeper);
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		int fd = pidfd(target, 0);
		SHOW(fd >= 0);
		TRY(send_to(fd, 0, NULL, 0));
		TRY(send_to(fd, SIGKILL, NULL, 0));
		TRY(syscall(SYS_pidfd_getfd, fd, 0, 0));
		TRY(syscall(SYS_pidfd_getfd, fd, 99, 0));
		_exit(0);
	}
	reap(pid);
	kill(target, SIGKILL);
}

DIFF_CASE(pidfd_folder_of_proc)
{
	char path[64];
	pid_t pid = child_of(sleeper);
	snprintf(path, sizeof path, "/proc/%d", pid);
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	NEED(fd >= 0);
	TRY(send_to(fd, 0, NULL, 0));
	siginfo_t si;
	TRY(waitid(P_PIDFD_ID, (id_t)fd, &si, WEXITED | WNOHANG));
	TRY(syscall(SYS_pidfd_getfd, fd, 0, 0));
	int sub = openat(fd, "fd", O_RDONLY | O_DIRECTORY);
	TRY(send_to(sub, 0, NULL, 0));
	TRY(send_to(fd, SIGTERM, NULL, 0));
	say_status("child", reap(pid));
	TRY(send_to(fd, 0, NULL, 0));
}

static int ends[2];

static int holder(void)
{
	close(ends[0]);
	return sleeper();
}

DIFF_CASE(pidfd_getfd_shares_the_file)
{
	NEED(!pipe(ends));
	pid_t pid = child_of(holder);
	wait_asleep(pid);
	int fd = pidfd(pid, 0);
	close(ends[1]);
	int got = (int)syscall(SYS_pidfd_getfd, fd, ends[1], 0);
	SHOW(got >= 0);
	SHOW(fcntl(got, F_GETFD));
	TRY(write(got, "x", 1));
	TRY(syscall(SYS_pidfd_getfd, fd, ends[0], 0));
	TRY(syscall(SYS_pidfd_getfd, fd, -1, 0));
	TRY(syscall(SYS_pidfd_getfd, fd, 1 << 30, 0));
	TRY(syscall(SYS_pidfd_getfd, fd, ends[1], 1));
	TRY(syscall(SYS_pidfd_getfd, 0, ends[1], 0));
	TRY(syscall(SYS_pidfd_getfd, -1, ends[1], 0));
	kill(pid, SIGKILL);
	wait_state(pid, 'Z');
	TRY(syscall(SYS_pidfd_getfd, fd, ends[1], 0));
}

static long clone_raw(unsigned long flags, int *parent_tid)
{
	return syscall(SYS_clone, flags, 0, parent_tid, NULL, 0);
}

DIFF_CASE(pidfd_from_clone)
{
	int fd = 77;
	long pid = clone_raw(CLONE_PIDFD | SIGCHLD, &fd);
	if (!pid) {
		pause();
		_exit(0);
	}
	SHOW(pid > 0 && fd >= 0);
	SHOW(fcntl(fd, F_GETFD));
	TRY(send_to(fd, SIGTERM, NULL, 0));
	say_status("child", reap((pid_t)pid));
	TRY(clone_raw(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, &fd));
	TRY(clone_raw(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, &fd));
	TRY(clone_raw(CLONE_PIDFD | SIGCHLD, (void *)8));
}

DIFF_CASE(pidfd_in_epoll)
{
	struct epoll_event ev = { .events = EPOLLIN }, got;
	pid_t pid = child_of(sleeper);
	int fd = pidfd(pid, 0), ep = epoll_create1(0);
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	TRY(epoll_wait(ep, &got, 1, 0));
	kill(pid, SIGKILL);
	TRY(epoll_wait(ep, &got, 1, 5000));
	SHOW(got.events);
	reap(pid);
	TRY(epoll_wait(ep, &got, 1, 0));
}

static void *exits_late(void *arg)
{
	nap(200);
	return arg;
}

static int leader_exits_first(void)
{
	pthread_t t;
	pthread_create(&t, NULL, exits_late, NULL);
	syscall(SYS_exit, 0);
	return 0;
}

DIFF_CASE(pidfd_is_the_whole_process)
{
	pid_t pid = child_of(leader_exits_first);
	int fd = pidfd(pid, 0);
	nap(50);
	SHOW(poll_of(fd));
	struct pollfd p = { fd, POLLIN, 0 };
	TRY(poll(&p, 1, 5000));
	say_status("child", reap(pid));
}

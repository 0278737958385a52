/* pidfds: opening, polling, waiting, signals, taking descriptors; CLONE_PIDFD. */
/* libc: musl glibc */
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/trace.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int pidfd_open_(int pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int pidfd_signal(int fd, int sig, siginfo_t *si, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, sig, si, flags);
}

static int pidfd_getfd_(int fd, int target, unsigned flags)
{
	return (int)syscall(SYS_pidfd_getfd, fd, target, flags);
}

/* ---- pidfds ---- */

static void open_refuses_what_it_should(void)
{
	CHECK_ERR(pidfd_open_(0, 0), EINVAL);
	CHECK_ERR(pidfd_open_(-1, 0), EINVAL);
	CHECK_ERR(pidfd_open_(getpid(), 1u << 20), EINVAL);
	CHECK_ERR(pidfd_open_(999999, 0), ESRCH);
	int fd = pidfd_open_(getpid(), 0);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	fd = pidfd_open_(getpid(), O_NONBLOCK);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

static int ready(int fd, int timeout)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = poll(&p, 1, timeout);
	return n == 1 ? p.revents & POLLIN : n;
}

static void a_pidfd_is_readable_at_the_end(void)
{
	int pid = running_child(pause_forever), fd = pidfd_open_(pid, 0);
	char c;
	CHECK_EQ(ready(fd, 0), 0);
	CHECK_ERR(read(fd, &c, 1), EINVAL);
	CHECK_EQ(pidfd_signal(fd, 0, NULL, 0), 0);
	CHECK_EQ(pidfd_signal(fd, SIGTERM, NULL, 0), 0);
	CHECK_EQ(ready(fd, 5000), POLLIN);
	siginfo_t si = { 0 };
	CHECK_EQ(waitid(P_PIDFD, fd, &si, WEXITED | WNOWAIT), 0);
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(pidfd_signal(fd, SIGTERM, NULL, 0), 0); /* a zombie */
	CHECK_EQ(waitid(P_PIDFD, fd, &si, WEXITED), 0);
	CHECK_EQ(si.si_status, SIGTERM);
	CHECK_EQ(ready(fd, 0) & POLLIN, POLLIN);
	CHECK_ERR(pidfd_signal(fd, SIGTERM, NULL, 0), ESRCH);
	CHECK_ERR(waitid(P_PIDFD, fd, &si, WEXITED), ECHILD);
}

static void epoll_sees_the_end(void)
{
	int pid = running_child(pause_forever), fd = pidfd_open_(pid, 0),
	    ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN }, got;
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), 0);
	CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(epoll_wait(ep, &got, 1, 5000), 1);
	CHECK_EQ(got.events & EPOLLIN, EPOLLIN);
	end(pid);
	close(fd);
	CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
}

static void waitid_by_pidfd(void)
{
	int pid = running_child(pause_forever), other = running_child(pause_forever),
	    fd = pidfd_open_(pid, 0);
	siginfo_t si = { 0 };
	kill(other, SIGKILL);
	CHECK_EQ(waitid(P_PIDFD, fd, &si, WEXITED | WNOHANG), 0);
	CHECK_EQ(si.si_pid, 0);
	int nb = pidfd_open_(pid, O_NONBLOCK);
	CHECK_ERR(waitid(P_PIDFD, nb, &si, WEXITED), EAGAIN);
	CHECK_ERR(waitid(P_PIDFD, 999, &si, WEXITED), EBADF);
	CHECK_ERR(waitid(P_PIDFD, 0, &si, WEXITED), EBADF);
	int self = pidfd_open_(getpid(), 0);
	CHECK_ERR(waitid(P_PIDFD, self, &si, WEXITED), ECHILD);
	kill(pid, SIGKILL);
	CHECK_EQ(waitid(P_PIDFD, fd, &si, WEXITED), 0);
	CHECK_EQ(si.si_pid, pid);
	end(other);
}

static void signals_are_checked(void)
{
	int pid = running_child(pause_forever), fd = pidfd_open_(pid, 0);
	siginfo_t si = { .si_signo = SIGUSR1, .si_code = SI_USER };
	CHECK_ERR(pidfd_signal(fd, SIGUSR1, &si, 0), EPERM);
	si.si_signo = SIGUSR2;
	si.si_code = SI_QUEUE;
	CHECK_ERR(pidfd_signal(fd, SIGUSR1, &si, 0), EINVAL);
	CHECK_ERR(pidfd_signal(fd, 65, NULL, 0), EINVAL);
	CHECK_ERR(pidfd_signal(fd, SIGUSR1, NULL, 1u << 30), EINVAL);
	CHECK_ERR(pidfd_signal(0, SIGUSR1, NULL, 0), EBADF);
	CHECK_ERR(pidfd_signal(fd, SIGUSR1, (void *)8, 0), EFAULT);
	char path[32];
	snprintf(path, sizeof path, "/proc/%d", pid);
	int folder = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(folder >= 0);
	CHECK_EQ(pidfd_signal(folder, 0, NULL, 0), 0);
	si.si_signo = SIGUSR1;
	CHECK_EQ(pidfd_signal(fd, SIGUSR1, &si, 0), 0);
	int status;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WTERMSIG(status), SIGUSR1);
	CHECK_ERR(pidfd_signal(folder, 0, NULL, 0), ESRCH);
}

static void getfd_takes_a_copy(void)
{
	int p[2], sync[2];
	CHECK_EQ(pipe(sync), 0);
	int pid = fork();
	if (!pid) {
		if (pipe(p) || write(p[1], "q", 1) != 1 || dup2(p[0], 77) != 77)
			_exit(1);
		(void)!write(sync[1], "x", 1);
		for (;;)
			pause();
	}
	char c = 0;
	CHECK_EQ(read(sync[0], &c, 1), 1);
	int fd = pidfd_open_(pid, 0);
	CHECK_ERR(pidfd_getfd_(fd, 500, 0), EBADF);
	CHECK_ERR(pidfd_getfd_(fd, -1, 0), EBADF);
	CHECK_ERR(pidfd_getfd_(fd, 77, 1), EINVAL);
	CHECK_ERR(pidfd_getfd_(0, 77, 0), EBADF);
	int got = pidfd_getfd_(fd, 77, 0);
	CHECK(got >= 0);
	CHECK_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(got, &c, 1), 1);
	CHECK_EQ(c, 'q');
	end(pid);
	CHECK_ERR(pidfd_getfd_(fd, 77, 0), ESRCH);
}

static void fdinfo_names_the_process(void)
{
	int pid = running_child(pause_forever), fd = pidfd_open_(pid, 0), found = 0,
	    ns = 0;
	char path[64], line[128];
	for (int round = 0; round < 2; round++) {
		snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
		FILE *f = fopen(path, "r");
		CHECK(f);
		while (fgets(line, sizeof line, f)) {
			sscanf(line, "Pid: %d", &found);
			sscanf(line, "NSpid: %d", &ns);
		}
		fclose(f);
		CHECK_EQ(found, round ? -1 : pid);
		CHECK_EQ(ns, round ? -1 : pid);
		if (!round)
			end(pid);
	}
}

static void clone_gives_a_pidfd(void)
{
	int fd = -1, tid = 0;
	struct clone_args a = { .flags = CLONE_PIDFD,
				.pidfd = (uintptr_t)&fd,
				.exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &a, sizeof a);
	if (!pid)
		_exit(3);
	CHECK(pid > 0);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	siginfo_t si;
	CHECK_EQ(waitid(P_PIDFD, fd, &si, WEXITED), 0);
	CHECK_EQ(si.si_pid, pid);
	CHECK_EQ(si.si_status, 3);
	close(fd);
	int next = fd;
	pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);
	if (!pid)
		_exit(fcntl(next, F_GETFD) == -1 ? 4 : 5);
	CHECK(pid > 0);
	CHECK_EQ(waitid(P_PIDFD, fd, &si, WEXITED), 0);
	CHECK_EQ(fd, next);
	CHECK_EQ(si.si_status, 4); /* the child has no copy of it */
	CHECK_ERR(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &tid,
			  0, 0),
		  EINVAL);
	a.flags = CLONE_PIDFD;
	a.pidfd = 8;
	CHECK_ERR(syscall(SYS_clone3, &a, sizeof a), EFAULT);
	CHECK_ERR(wait(NULL), ECHILD); /* nothing came of it */
}

TEST_MAIN(CASE(open_refuses_what_it_should), CASE(a_pidfd_is_readable_at_the_end),
	  CASE(epoll_sees_the_end), CASE(waitid_by_pidfd), CASE(signals_are_checked),
	  CASE(getfd_takes_a_copy), CASE(fdinfo_names_the_process),
	  CASE(clone_gives_a_pidfd))

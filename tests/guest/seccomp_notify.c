/* seccomp_unotify(2): calls that another process decides about. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/filter.h"
#include "common/tap.h"

#define ASKED 500
#define LISTEN SECCOMP_FILTER_FLAG_NEW_LISTENER

/* Calls of number ASKED go to the listener that is returned. */
static int listen_to(uint32_t flags)
{
	no_new_privs();
	return filter_call(LISTEN | flags, ASKED, SECCOMP_RET_USER_NOTIF);
}

/* A child under such a filter runs fn; here is its listener, and in *ret_pid it. */
static int child_of(pid_t *ret_pid, uint32_t flags, int (*fn)(void))
{
	int listener = listen_to(flags);

	CHECK(listener >= 0);
	*ret_pid = fork();
	if (!*ret_pid) {
		close(listener);
		_exit(fn());
	}
	return listener;
}

static int recv_from(int listener, struct seccomp_notif *n)
{
	memset(n, 0, sizeof *n);
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, n);
}

static int answer(int listener, uint64_t id, int error, int64_t val, uint32_t flags)
{
	struct seccomp_notif_resp r = { id, val, error, flags };

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

static int id_valid(int listener, uint64_t id)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

static uint32_t events_of(int listener)
{
	struct pollfd p = { listener, POLLIN | POLLOUT, 0 };

	CHECK(poll(&p, 1, 0) >= 0);
	return (uint32_t)p.revents;
}

/* ---- answers ---- */

static int calls_once(void)
{
	errno = 0;
	long r = syscall(ASKED, 1, 2, 3, 4, 5, 6);

	return r == -1 ? errno : (int)r;
}

static void a_call_is_told_and_answered(void)
{
	struct seccomp_notif n;
	pid_t pid;
	int l = child_of(&pid, 0, calls_once);

	CHECK_EQ(fcntl(l, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_EQ(n.pid, pid);
	CHECK_EQ(n.flags, 0);
	CHECK_EQ(n.data.nr, ASKED);
	CHECK_EQ(n.data.arch, AUDIT_ARCH_X86_64);
	CHECK(n.data.instruction_pointer);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(n.data.args[i], i + 1);
	CHECK_EQ(id_valid(l, n.id), 0);
	CHECK_ERR(id_valid(l, n.id + 1), ENOENT);
	CHECK_ERR(answer(l, n.id + 1, 0, 0, 0), ENOENT);
	CHECK_ERR(answer(l, n.id, 0, 0, 2), EINVAL);
	CHECK_ERR(answer(l, n.id, 0, 1, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
	CHECK_ERR(answer(l, n.id, -1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
	CHECK_EQ(answer(l, n.id, 0, 77, 0), 0);
	CHECK_EQ(tap_wait(pid), 77 << 8);
	CHECK_ERR(id_valid(l, n.id), ENOENT);
	CHECK_ERR(answer(l, n.id, 0, 0, 0), ENOENT);
}

static void an_error_is_given(void)
{
	struct seccomp_notif n;
	pid_t pid;
	int l = child_of(&pid, 0, calls_once);

	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_EQ(answer(l, n.id, -EBUSY, 5, 0), 0);
	CHECK_EQ(tap_wait(pid), EBUSY << 8);
}

static int asks_its_group(void)
{
	return syscall(SYS_getpgid, 0) == syscall(SYS_getpgrp) ? 3 : 4;
}

static void a_call_can_be_let_go_on(void)
{
	struct seccomp_notif n;
	pid_t pid;

	no_new_privs();
	int l = filter_call(LISTEN, SYS_getpgid, SECCOMP_RET_USER_NOTIF);
	CHECK(l >= 0);
	pid = fork();
	if (!pid)
		_exit(asks_its_group());
	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_EQ(answer(l, n.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), 0);
	CHECK_EQ(tap_wait(pid), 3 << 8);
}

static void the_struct_must_be_zero(void)
{
	struct seccomp_notif n = { .id = 1 };
	int l = listen_to(0);

	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_RECV, &n), EINVAL);
	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_RECV, NULL), EFAULT);
	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_SEND, NULL), EFAULT);
	CHECK_ERR(ioctl(l, SECCOMP_IOCTL_NOTIF_ID_VALID, NULL), EFAULT);
	CHECK_ERR(ioctl(l, SECCOMP_IO(9), NULL), EINVAL);
	CHECK_ERR(read(l, &n, sizeof n), EINVAL);
	CHECK_ERR(write(l, &n, sizeof n), EINVAL);
}

static void one_listener_in_a_chain(void)
{
	int l = listen_to(0);

	CHECK(l >= 0);
	CHECK_ERR(listen_to(0), EBUSY);
	CHECK_EQ(FILTER(0, ALLOW), 0);
	CHECK_ERR(listen_to(0), EBUSY);
	close(l);
	CHECK(listen_to(0) >= 0);
}

static void poll_tells(void)
{
	struct seccomp_notif n;
	struct pollfd p;
	pid_t pid;
	int l = child_of(&pid, 0, calls_once);

	p = (struct pollfd){ l, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_EQ(events_of(l), POLLOUT);
	CHECK_EQ(answer(l, n.id, 0, 0, 0), 0);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(events_of(l), 0); /* this process is under the filter too */
}

/* ---- ends ---- */

static void without_a_listener_there_is_no_such_call(void)
{
	close(listen_to(0));
	CHECK_ERR(syscall(ASKED), ENOSYS);
}

static int calls_and_expects_enosys(void)
{
	return syscall(ASKED) == -1 && errno == ENOSYS ? 0 : 1;
}

static void who_waits_is_told_that_the_listener_is_gone(void)
{
	for (int fetched = 0; fetched < 2; fetched++) {
		struct seccomp_notif n;
		struct pollfd p;
		pid_t pid = fork();
		if (!pid) {
			pid_t caller;
			int l = child_of(&caller, 0, calls_and_expects_enosys);
			p = (struct pollfd){ l, POLLIN, 0 };
			if (fetched)
				CHECK_EQ(recv_from(l, &n), 0);
			else
				CHECK_EQ(poll(&p, 1, 10000), 1);
			close(l);
			_exit(tap_wait(caller) ? 1 : 0);
		}
		CHECK_EQ(tap_wait(pid), 0);
	}
}

static void a_supervisor_that_is_killed_is_gone(void)
{
	int pair[2];
	char c;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid_t supervisor = fork();
	if (!supervisor) {
		pid_t pid;
		struct seccomp_notif n;
		int l = child_of(&pid, 0, calls_and_expects_enosys);
		CHECK_EQ(recv_from(l, &n), 0);
		(void)!write(pair[1], "x", 1);
		pause();
		_exit(0);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	CHECK_EQ(read(pair[0], &c, 1), 1);
	CHECK_EQ(kill(supervisor, SIGKILL), 0);
	CHECK_EQ(tap_wait(supervisor), SIGKILL);
	int status; /* of the caller, which has become ours */
	CHECK(waitpid(-1, &status, 0) > 0);
	CHECK_EQ(status, 0);
}

static void a_listener_without_callers_hangs_up(void)
{
	int pair[2], l;
	struct seccomp_notif n;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid_t pid = fork();
	if (!pid) {
		l = listen_to(0);
		char buf[CMSG_SPACE(sizeof l)] = { 0 }, byte = 0;
		struct iovec iov = { &byte, 1 };
		struct msghdr m = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = buf,
				    .msg_controllen = sizeof buf };
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof l);
		memcpy(CMSG_DATA(c), &l, sizeof l);
		_exit(sendmsg(pair[1], &m, 0) == 1 ? 0 : 1);
	}
	char buf[CMSG_SPACE(sizeof l)], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = buf,
			    .msg_controllen = sizeof buf };
	CHECK_EQ(recvmsg(pair[0], &m, 0), 1);
	memcpy(&l, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof l);
	CHECK_EQ(tap_wait(pid), 0);
	struct pollfd p = { l, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_EQ(p.revents, POLLHUP);
	CHECK_ERR(recv_from(l, &n), ENOENT);
}

/* ---- signals ---- */

static volatile int n_signals;

static void on_signal(int sig)
{
	n_signals++;
}

static int calls_with_handler(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &act, NULL);
	return syscall(ASKED) == -1 && errno == EINTR ? 10 + n_signals : 1;
}

static int calls_with_restarting_handler(void)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &act, NULL);
	return (int)syscall(ASKED) + n_signals;
}

static void a_signal_interrupts_the_wait(void)
{
	struct seccomp_notif n;
	pid_t pid;
	int l = child_of(&pid, 0, calls_with_handler);

	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_EQ(kill(pid, SIGUSR1), 0);
	CHECK_EQ(tap_wait(pid), 11 << 8);
	CHECK_ERR(answer(l, n.id, 0, 0, 0), ENOENT);
}

static void a_call_is_made_again(void)
{
	struct seccomp_notif first, n;
	pid_t pid;
	int l = child_of(&pid, 0, calls_with_restarting_handler);

	CHECK_EQ(recv_from(l, &first), 0);
	CHECK_EQ(kill(pid, SIGUSR1), 0);
	CHECK_EQ(recv_from(l, &n), 0);
	CHECK(n.id != first.id);
	CHECK_ERR(answer(l, first.id, 0, 0, 0), ENOENT);
	CHECK_EQ(answer(l, n.id, 0, 20, 0), 0);
	CHECK_EQ(tap_wait(pid), 21 << 8);
}

static void who_gave_up_is_not_found(void)
{
	struct seccomp_notif n;
	struct pollfd p;
	pid_t pid;
	int l = child_of(&pid, 0, calls_once);

	p = (struct pollfd){ l, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(tap_wait(pid), SIGKILL);
	CHECK_ERR(recv_from(l, &n), ENOENT);
	CHECK_EQ(events_of(l), 0);
}

static void fetched_it_waits_for_kills_only(void)
{
	struct seccomp_notif n;
	pid_t pid;
	int l = child_of(&pid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			 calls_with_restarting_handler);

	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_EQ(kill(pid, SIGUSR1), 0);
	usleep(50000);
	CHECK_EQ(id_valid(l, n.id), 0);
	CHECK_EQ(answer(l, n.id, 0, 30, 0), 0);
	CHECK_EQ(tap_wait(pid), 31 << 8);

	pid = fork();
	if (!pid)
		_exit(calls_with_handler());
	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_EQ(kill(pid, SIGUSR1), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(tap_wait(pid), SIGKILL);
	CHECK_ERR(id_valid(l, n.id), ENOENT);
}

static void a_listener_can_be_interrupted(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct seccomp_notif n;
	int l = listen_to(0);
	pid_t me = getpid(), pid;

	sigaction(SIGUSR1, &act, NULL);
	pid = fork();
	if (!pid) {
		while (!kill(me, SIGUSR1))
			usleep(20000);
		_exit(0);
	}
	CHECK_ERR(recv_from(l, &n), EINTR);
	kill(pid, SIGKILL);
	CHECK_EQ(tap_wait(pid), SIGKILL);
}

/* ---- descriptors ---- */

static int addfd(int listener, uint64_t id, uint32_t flags, int fd, uint32_t newfd,
		 uint32_t newfd_flags)
{
	struct seccomp_notif_addfd a = { id, flags, (uint32_t)fd, newfd, newfd_flags };

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
}

/* Writes through the descriptor that the call gives. */
static int writes_through(void)
{
	long fd = syscall(ASKED);

	if (fd < 0)
		return errno;
	return write((int)fd, "gift", 4) == 4 ? fcntl((int)fd, F_GETFD) : 99;
}

static void a_descriptor_is_given(void)
{
	struct seccomp_notif n;
	char text[5] = "";
	pid_t pid;
	int p[2];
	int l = child_of(&pid, 0, writes_through);

	CHECK_EQ(pipe(p), 0);
	CHECK_ERR(addfd(l, 1, 0, p[1], 0, 0), ENOENT);
	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_ERR(addfd(l, n.id, 4, p[1], 0, 0), EINVAL);
	CHECK_ERR(addfd(l, n.id, 0, p[1], 0, O_NONBLOCK), EINVAL);
	CHECK_ERR(addfd(l, n.id, 0, p[1], 3, 0), EINVAL);
	CHECK_ERR(addfd(l, n.id, 0, 999, 0, 0), EBADF);
	CHECK_ERR(addfd(l, n.id, SECCOMP_ADDFD_FLAG_SETFD, p[1], UINT32_MAX, 0), EBADF);
	int fd = addfd(l, n.id, 0, p[1], 0, O_CLOEXEC);
	CHECK(fd >= 3);
	CHECK_EQ(addfd(l, n.id, SECCOMP_ADDFD_FLAG_SETFD, p[1], 42, 0), 42);
	CHECK_EQ(answer(l, n.id, 0, 42, 0), 0);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(read(p[0], text, 4), 4);
	CHECK(!strcmp(text, "gift"));
}

static void a_descriptor_can_be_the_answer(void)
{
	struct seccomp_notif n;
	char text[5] = "";
	pid_t pid;
	int p[2];
	int l = child_of(&pid, 0, writes_through);

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_ERR(addfd(l, n.id, SECCOMP_ADDFD_FLAG_SEND | SECCOMP_ADDFD_FLAG_SETFD, p[1],
			1 << 30, 0),
		  EBADF);
	/* that was no answer */
	CHECK_EQ(id_valid(l, n.id), 0);
	CHECK(addfd(l, n.id, SECCOMP_ADDFD_FLAG_SEND, p[1], 0, O_CLOEXEC) >= 3);
	CHECK_ERR(answer(l, n.id, 0, 0, 0), ENOENT);
	CHECK_EQ(tap_wait(pid), FD_CLOEXEC << 8);
	CHECK_EQ(read(p[0], text, 4), 4);
	CHECK(!strcmp(text, "gift"));
}

static void not_before_it_was_fetched(void)
{
	struct seccomp_notif n;
	struct pollfd p;
	pid_t pid;
	int l = child_of(&pid, 0, calls_once);

	p = (struct pollfd){ l, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_EQ(recv_from(l, &n), 0);
	pid_t second = fork();
	if (!second)
		_exit(calls_once());
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_ERR(id_valid(l, n.id + 1), ENOENT); /* there, but not fetched */
	CHECK_ERR(answer(l, n.id + 1, 0, 0, 0), EINPROGRESS);
	CHECK_ERR(addfd(l, n.id + 1, 0, 0, 0, 0), EINPROGRESS);
	CHECK_EQ(answer(l, n.id, 0, 1, 0), 0);
	CHECK_EQ(tap_wait(pid), 1 << 8);
	CHECK_EQ(recv_from(l, &n), 0);
	CHECK_EQ(answer(l, n.id, 0, 2, 0), 0);
	CHECK_EQ(tap_wait(second), 2 << 8);
}

static void larger_structs_of_the_future(void)
{
	struct {
		struct seccomp_notif_addfd a;
		uint64_t more;
	} v = { .more = 1 };
	const unsigned long cmd = _IOC(_IOC_WRITE, '!', 3, sizeof v);
	int l = listen_to(0);

	CHECK_ERR(ioctl(l, cmd, &v), E2BIG);
	v.more = 0;
	CHECK_ERR(ioctl(l, cmd, &v), ENOENT);
	CHECK_ERR(ioctl(l, _IOC(_IOC_WRITE, '!', 3, 8), &v), EINVAL);
}

TEST_MAIN(CASE(a_call_is_told_and_answered), CASE(an_error_is_given),
	  CASE(a_call_can_be_let_go_on), CASE(the_struct_must_be_zero),
	  CASE(one_listener_in_a_chain), CASE(poll_tells),
	  CASE(without_a_listener_there_is_no_such_call),
	  CASE(who_waits_is_told_that_the_listener_is_gone),
	  CASE(a_supervisor_that_is_killed_is_gone),
	  CASE(a_listener_without_callers_hangs_up), CASE(a_signal_interrupts_the_wait),
	  CASE(a_call_is_made_again), CASE(who_gave_up_is_not_found),
	  CASE(fetched_it_waits_for_kills_only), CASE(a_listener_can_be_interrupted),
	  CASE(a_descriptor_is_given), CASE(a_descriptor_can_be_the_answer),
	  CASE(not_before_it_was_fetched), CASE(larger_structs_of_the_future))

/*
 * As tests/guest/calls.c, calls between processes: sockets, System V IPC, message queues,
 * inotify, process descriptors, ptrace. What tests/host/trace.py compares with strace's.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "/tmp/trace-calls-ipc"

static int failures;

/* A result that is not what it should be is counted; the exit status tells. */
static long want(bool right, long result)
{
	failures += !right;
	return result;
}

#define CALL(...) want(syscall(__VA_ARGS__) >= 0, 0)
#define FAILS(...) want(syscall(__VA_ARGS__) < 0, 0)

static void socket_names(void)
{
	struct sockaddr_un at = { AF_UNIX, NAME }, from;
	struct sockaddr_un abstract = { AF_UNIX, "\0trace-calls" };
	socklen_t size = sizeof(from);
	char buf[64];
	long s = syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	long c = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0), a;

	CALL(SYS_bind, s, &at, sizeof(at));
	CALL(SYS_listen, s, 5);
	CALL(SYS_connect, c, &at, offsetof(struct sockaddr_un, sun_path) + sizeof(NAME));
	a = syscall(SYS_accept4, s, &from, &size, SOCK_CLOEXEC);
	size = sizeof(from);
	CALL(SYS_getsockname, a, &from, &size);
	size = sizeof(from);
	CALL(SYS_getpeername, c, &from, &size);
	CALL(SYS_sendto, c, "question", 8, MSG_NOSIGNAL, NULL, 0);
	CALL(SYS_recvfrom, a, buf, sizeof(buf), MSG_DONTWAIT, NULL, NULL);
	FAILS(SYS_recvfrom, a, buf, sizeof(buf), MSG_DONTWAIT | MSG_PEEK, NULL, NULL);
	CALL(SYS_shutdown, a, SHUT_WR);
	CALL(SYS_unlink, NAME);
	s = syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CALL(SYS_bind, s, &abstract, offsetof(struct sockaddr_un, sun_path) + 12);
	c = syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
	CALL(SYS_connect, c, &abstract, offsetof(struct sockaddr_un, sun_path) + 12);
}

static void socket_messages(void)
{
	int pair[2], value = 1;
	socklen_t size = sizeof(value);
	char buf[64], control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec out[2] = { { "one", 3 }, { "twenty", 6 } }, in = { buf, 64 };
	struct msghdr m = { .msg_iov = out, .msg_iovlen = 2 };
	struct msghdr got = { .msg_iov = &in, .msg_iovlen = 1 };

	CALL(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair);
	CALL(SYS_setsockopt, pair[0], SOL_SOCKET, SO_PASSCRED, &value, sizeof(value));
	value = 0;
	CALL(SYS_setsockopt, pair[0], SOL_SOCKET, SO_PASSCRED, &value, sizeof(value));
	CALL(SYS_getsockopt, pair[0], SOL_SOCKET, SO_TYPE, &value, &size);
	CALL(SYS_sendmsg, pair[1], &m, MSG_NOSIGNAL);
	CALL(SYS_recvmsg, pair[0], &got, 0);
	m.msg_control = control;
	m.msg_controllen = sizeof(control);
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
	m.msg_iovlen = 1;
	CALL(SYS_sendmsg, pair[1], &m, 0);
	got.msg_control = control;
	got.msg_controllen = sizeof(control);
	CALL(SYS_recvmsg, pair[0], &got, MSG_CMSG_CLOEXEC);
	FAILS(SYS_recvmsg, pair[0], &got, MSG_DONTWAIT);
}

static void sysv(void)
{
	struct sembuf ops[2] = { { 0, 2, 0 }, { 0, -1, IPC_NOWAIT | SEM_UNDO } };
	struct {
		long type;
		char text[64];
	} message = { 3, "a message" };
	long id = syscall(SYS_shmget, IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	long at = syscall(SYS_shmat, id, NULL, SHM_RDONLY);

	CALL(SYS_shmdt, at);
	CALL(SYS_shmctl, id, IPC_RMID, NULL);
	FAILS(SYS_shmget, 0x1234, 4096, 0);
	id = syscall(SYS_semget, IPC_PRIVATE, 2, IPC_CREAT | IPC_EXCL | 0640);
	CALL(SYS_semop, id, ops, 2);
	CALL(SYS_semctl, id, 0, GETVAL, NULL);
	CALL(SYS_semctl, id, 1, SETVAL, 3);
	CALL(SYS_semctl, id, 0, IPC_RMID, NULL);
	id = syscall(SYS_msgget, IPC_PRIVATE, IPC_CREAT | 0600);
	CALL(SYS_msgsnd, id, &message, 9, 0);
	CALL(SYS_msgrcv, id, &message, 64, 3, IPC_NOWAIT);
	FAILS(SYS_msgrcv, id, &message, 64, 3, IPC_NOWAIT | MSG_NOERROR);
	CALL(SYS_msgctl, id, IPC_RMID, NULL);
}

static void queues(void)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 128 }, now;
	struct timespec past = { 1, 0 };
	char buf[128];
	unsigned priority = 0;
	long q = syscall(SYS_mq_open, "trace-calls", O_RDWR | O_CREAT, 0600, &attr);

	CALL(SYS_mq_timedsend, q, "urgent", 6, 7, NULL);
	CALL(SYS_mq_timedreceive, q, buf, sizeof(buf), &priority, NULL);
	FAILS(SYS_mq_timedreceive, q, buf, sizeof(buf), &priority, &past);
	CALL(SYS_mq_getsetattr, q, NULL, &now);
	CALL(SYS_mq_unlink, "trace-calls");
}

static void watches(void)
{
	long in = syscall(SYS_inotify_init1, IN_CLOEXEC | IN_NONBLOCK), wd;
	char buf[16];

	wd = syscall(SYS_inotify_add_watch, in, "/tmp", IN_CREATE | IN_MOVE | IN_ONLYDIR);
	CALL(SYS_inotify_rm_watch, in, wd);
	CALL(SYS_read, in, buf, sizeof(buf));
	FAILS(SYS_inotify_add_watch, in, NAME "-none", IN_ALL_EVENTS);
}

static void reaped(pid_t child)
{
	int status;

	want(syscall(SYS_wait4, child, &status, 0, NULL) == child, 0);
}

static void process_descriptors(void)
{
	sigset_t set;
	pid_t child;
	long fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child = (pid_t)syscall(SYS_fork);
	if (!child) {
		syscall(SYS_pause);
		syscall(SYS_exit_group, 1);
	}
	fd = syscall(SYS_pidfd_open, child, 0);
	CALL(SYS_pidfd_send_signal, fd, 0, NULL, 0);
	FAILS(SYS_pidfd_getfd, fd, 999, 0);
	CALL(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	reaped(child);
	FAILS(SYS_ptrace, PTRACE_ATTACH, 999999, NULL, NULL);
	FAILS(SYS_ptrace, PTRACE_CONT, 999999, NULL, SIGUSR1);
	CALL(SYS_close_range, 900, 999, 0);
	CALL(SYS_memfd_create, "memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	FAILS(SYS_openat2, AT_FDCWD, NAME, NULL, 0);
}

int main(void)
{
	socket_names();
	socket_messages();
	sysv();
	queues();
	watches();
	process_descriptors();
	return failures != 0;
}

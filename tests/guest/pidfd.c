/* pidfds, process_vm_readv, kcmp, and the small calls about processes beside them. */
/* libc: glibc */
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#define sched_param linux_sched_param /* the C library has its own */
#include <linux/sched/types.h>
#undef sched_param
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <pthread.h>
#include <unistd.h>

#include "common/tap.h"

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

static int pausing_child(void)
{
	int pid = fork();
	if (!pid)
		for (;;)
			pause();
	CHECK(pid > 0);
	return pid;
}

static void end(int pid)
{
	int status;
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
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
	int pid = pausing_child(), fd = pidfd_open_(pid, 0);
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
	int pid = pausing_child(), fd = pidfd_open_(pid, 0), ep = epoll_create1(0);
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
	int pid = pausing_child(), other = pausing_child(), fd = pidfd_open_(pid, 0);
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
	int pid = pausing_child(), fd = pidfd_open_(pid, 0);
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
	int pid = pausing_child(), fd = pidfd_open_(pid, 0), found = 0, ns = 0;
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

/* ---- another's memory ---- */

static char shared_text[] = "what the child sees";

static void memory_moves_both_ways(void)
{
	int pid = pausing_child();
	char a[5] = { 0 }, b[20] = { 0 };
	struct iovec local[2] = { { a, 4 }, { b, 15 } };
	struct iovec remote[2] = { { shared_text, 10 }, { shared_text + 10, 9 } };
	CHECK_EQ(process_vm_readv(pid, local, 2, remote, 2, 0), 19);
	CHECK(!strcmp(a, "what") && !strcmp(b, " the child sees"));
	memcpy(a, "WHAT", 4);
	CHECK_EQ(process_vm_writev(pid, local, 1, remote, 1, 0), 4);
	CHECK(!memcmp(shared_text, "what", 4));
	memset(a, 0, 4);
	CHECK_EQ(process_vm_readv(pid, local, 1, remote, 1, 0), 4);
	CHECK(!memcmp(a, "WHAT", 4));
	CHECK_ERR(process_vm_readv(pid, local, 1, remote, 1, 1), EINVAL);
	CHECK_ERR(process_vm_readv(999999, local, 1, remote, 1, 0), ESRCH);
	CHECK_EQ(process_vm_readv(999999, local, 0, remote, 0, 0), 0);
	remote[0].iov_base = (void *)8;
	CHECK_ERR(process_vm_readv(pid, local, 1, remote, 1, 0), EFAULT);
	CHECK_ERR(process_vm_readv(pid, local, 1025, remote, 1, 0), EINVAL);
	local[0].iov_base = (void *)8;
	remote[0].iov_base = shared_text;
	CHECK_ERR(process_vm_readv(pid, local, 1, remote, 1, 0), EFAULT);
	end(pid);
}

static void read_only_memory_stays_so(void)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int pid = pausing_child();
	struct iovec local = { "x", 1 }, remote = { page, 1 };
	CHECK_ERR(process_vm_writev(pid, &local, 1, &remote, 1, 0), EFAULT);
	remote.iov_base = shared_text;
	CHECK_EQ(process_vm_writev(pid, &local, 1, &remote, 1, 0), 1);
	end(pid);
}

static void partial_moves_are_counted(void)
{
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0),
	     buf[8192];
	munmap(two + 4096, 4096);
	int pid = pausing_child();
	struct iovec local = { buf, 200 }, remote = { two + 4000, 200 };
	CHECK_EQ(process_vm_readv(pid, &local, 1, &remote, 1, 0), 96);
	end(pid);
}

static void kcmp_tells_same_from_other(void)
{
	int pid = pausing_child(), me = getpid(), a = open("/", O_RDONLY), b = dup(a),
	    c = open("/", O_RDONLY);
	CHECK_EQ(syscall(SYS_kcmp, me, me, KCMP_VM, 0, 0), 0);
	CHECK(syscall(SYS_kcmp, me, pid, KCMP_VM, 0, 0) > 0);
	CHECK_EQ(syscall(SYS_kcmp, me, me, KCMP_FILE, a, b), 0);
	long x = syscall(SYS_kcmp, me, me, KCMP_FILE, a, c);
	long y = syscall(SYS_kcmp, me, me, KCMP_FILE, c, a);
	CHECK((x == 1 && y == 2) || (x == 2 && y == 1));
	CHECK_EQ(syscall(SYS_kcmp, me, pid, KCMP_FILE, 0, 0), 0);
	CHECK(syscall(SYS_kcmp, me, pid, KCMP_FILES, 0, 0) > 0);
	CHECK_ERR(syscall(SYS_kcmp, me, me, KCMP_FILE, 900, a), EBADF);
	CHECK_ERR(syscall(SYS_kcmp, me, me, 99, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_kcmp, me, 999999, KCMP_VM, 0, 0), ESRCH);
	end(pid);
}

/* ---- unshare, setns, personality ---- */

static int changes_cwd(void *arg)
{
	if (arg && unshare(CLONE_FS))
		return 1;
	return chdir("/proc") ? 2 : 0;
}

static char stack[2][65536];

static void unshare_gives_a_copy(void)
{
	char cwd[256];
	int status;
	CHECK_EQ(chdir("/"), 0);
	CHECK(clone(changes_cwd, stack[0] + 65536, CLONE_FS | SIGCHLD, "") > 0);
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK(!strcmp(getcwd(cwd, sizeof cwd), "/"));
	CHECK(clone(changes_cwd, stack[1] + 65536, CLONE_FS | SIGCHLD, NULL) > 0);
	CHECK(wait(&status) > 0);
	CHECK(!strcmp(getcwd(cwd, sizeof cwd), "/proc"));
}

static int closes_one(void *arg)
{
	if (arg && unshare(CLONE_FILES))
		return 1;
	return close(77) ? 2 : 0;
}

static void unshare_files(void)
{
	int status;
	CHECK_EQ(dup2(0, 77), 77);
	CHECK(clone(closes_one, stack[0] + 65536, CLONE_FILES | SIGCHLD, "") > 0);
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(fcntl(77, F_GETFD), 0);
	CHECK(clone(closes_one, stack[1] + 65536, CLONE_FILES | SIGCHLD, NULL) > 0);
	CHECK(wait(&status) > 0);
	CHECK_ERR(fcntl(77, F_GETFD), EBADF);
}

static void *unshares_vm(void *arg)
{
	errno = 0;
	return (void *)(long)(unshare(CLONE_VM) == -1 ? errno : 0);
}

static void unshare_refuses(void)
{
	pthread_t t;
	void *err;
	CHECK_ERR(unshare(1), EINVAL);
	CHECK_EQ(unshare(0), 0);
	CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
	CHECK_EQ(unshare(CLONE_THREAD), 0); /* alone */
	CHECK_EQ(pthread_create(&t, NULL, unshares_vm, NULL), 0);
	CHECK_EQ(pthread_join(t, &err), 0);
	CHECK_EQ((long)err, EINVAL);
	CHECK_ERR(setns(999, 0), EBADF);
	CHECK_ERR(setns(0, CLONE_NEWNET), EINVAL);
}

static void there_are_no_namespaces(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	CHECK_ERR(unshare(CLONE_NEWNS), EINVAL);
	CHECK_ERR(unshare(CLONE_NEWUSER), EINVAL);
}

static void a_personality_is_kept(void)
{
	CHECK_EQ(personality(0xffffffff), 0);
	CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
	CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	int status, pid = fork();
	if (!pid)
		_exit(personality(0xffffffff) == ADDR_NO_RANDOMIZE ? 0 : 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	struct utsname u;
	CHECK_EQ(personality(UNAME26), ADDR_NO_RANDOMIZE);
	CHECK_EQ(uname(&u), 0);
	CHECK(!strncmp(u.release, "2.6.", 4));
	CHECK_EQ(personality(PER_LINUX32), UNAME26);
	CHECK_EQ(uname(&u), 0);
	CHECK(!strcmp(u.machine, "i686"));
	CHECK_EQ(personality(0), PER_LINUX32);
	CHECK_EQ(uname(&u), 0);
	CHECK(!strcmp(u.machine, "x86_64"));
}

static unsigned long stack_of_a_run(void)
{
	int p[2];
	CHECK_EQ(pipe(p), 0);
	int pid = fork();
	if (!pid) {
		dup2(p[1], 1);
		execl("/proc/self/exe", "pidfd", "--print-stack", NULL);
		_exit(1);
	}
	close(p[1]);
	unsigned long at = 0;
	CHECK_EQ(read(p[0], &at, sizeof at), sizeof at);
	close(p[0]);
	CHECK_EQ(tap_wait(pid), 0);
	return at;
}

static void addresses_repeat_when_asked_to(void)
{
	unsigned long a = stack_of_a_run(), b = stack_of_a_run();
	CHECK(a != b);
	CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
	a = stack_of_a_run();
	b = stack_of_a_run();
	CHECK_EQ(a, b);
}

/* ---- scheduling attributes, memory policy ---- */

static void scheduling_attributes(void)
{
	struct sched_attr a = { .size = sizeof a };
	CHECK_EQ(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0), 0);
	CHECK_EQ(a.sched_policy, 0);
	CHECK_EQ(a.sched_nice, 0);
	CHECK(a.size >= SCHED_ATTR_SIZE_VER0);
	CHECK_ERR(syscall(SYS_sched_getattr, 0, &a, 8, 0), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getattr, 0, NULL, sizeof a, 0), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getattr, 999999, &a, sizeof a, 0), ESRCH);
	a = (struct sched_attr){ .size = sizeof a, .sched_nice = 5 };
	CHECK_EQ(syscall(SYS_sched_setattr, 0, &a, 0), 0);
	CHECK_EQ(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0), 0);
	CHECK_EQ(a.sched_nice, 5);
	CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
	a = (struct sched_attr){ .size = sizeof a, .sched_policy = 77 };
	CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
	a = (struct sched_attr){ .size = 8 };
	CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 0), E2BIG);
	CHECK(a.size >= SCHED_ATTR_SIZE_VER0);
	a = (struct sched_attr){ .size = sizeof a, .sched_priority = 1 };
	CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
}

#define IO(class, level) IOPRIO_PRIO_VALUE(class, level)

static void io_priorities(void)
{
	CHECK_EQ(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IO(IOPRIO_CLASS_BE, 6)),
		 0);
	CHECK_EQ(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0), IO(IOPRIO_CLASS_BE, 6));
	CHECK_ERR(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IO(7, 0)), EINVAL);
	CHECK_ERR(syscall(SYS_ioprio_set, 9, 0, IO(IOPRIO_CLASS_BE, 0)), EINVAL);
	CHECK_ERR(syscall(SYS_ioprio_get, 9, 0), EINVAL);
	CHECK_ERR(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 999999), ESRCH);
	CHECK_EQ(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IO(IOPRIO_CLASS_IDLE, 0)),
		 0);
	CHECK_EQ(IOPRIO_PRIO_CLASS(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0)),
		 IOPRIO_CLASS_IDLE);
}

static void memory_policies(void)
{
	int mode = -1;
	unsigned long mask = 1, got = 0, other = 1ul << 5, here = (unsigned long)&mode;
	errno = 0;
	if (syscall(SYS_get_mempolicy, &mode, NULL, 0, 0, 0) == -1 && errno == ENOSYS)
		tap_skip("this Linux was built without NUMA");
	CHECK_EQ(mode, MPOL_DEFAULT);
	CHECK_EQ(syscall(SYS_get_mempolicy, NULL, &got, 64, 0, MPOL_F_MEMS_ALLOWED), 0);
	CHECK_EQ(got, 1);
	CHECK_EQ(syscall(SYS_get_mempolicy, &mode, NULL, 0, here,
			 MPOL_F_NODE | MPOL_F_ADDR),
		 0);
	CHECK_EQ(mode, 0);
	CHECK_ERR(
		syscall(SYS_get_mempolicy, &mode, NULL, 0, 8, MPOL_F_NODE | MPOL_F_ADDR),
		EFAULT);
	CHECK_ERR(syscall(SYS_get_mempolicy, &mode, NULL, 0, 0, 64), EINVAL);
	CHECK_EQ(syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 64), 0);
	got = 0;
	CHECK_EQ(syscall(SYS_get_mempolicy, &mode, &got, 64, 0, 0), 0);
	CHECK_EQ(mode, MPOL_BIND);
	CHECK_EQ(got, 1);
	CHECK_ERR(syscall(SYS_set_mempolicy, MPOL_BIND, &other, 64), EINVAL);
	CHECK_ERR(syscall(SYS_set_mempolicy, MPOL_BIND, NULL, 0), EINVAL);
	CHECK_ERR(syscall(SYS_set_mempolicy, 77, &mask, 64), EINVAL);
	CHECK_EQ(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0), 0);
	char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(syscall(SYS_mbind, page, 8192, MPOL_BIND, &mask, 64, 0), 0);
	CHECK_ERR(syscall(SYS_mbind, page + 1, 4096, MPOL_BIND, &mask, 64, 0), EINVAL);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		CASE(open_refuses_what_it_should),
		CASE(a_pidfd_is_readable_at_the_end),
		CASE(epoll_sees_the_end),
		CASE(waitid_by_pidfd),
		CASE(signals_are_checked),
		CASE(getfd_takes_a_copy),
		CASE(fdinfo_names_the_process),
		CASE(clone_gives_a_pidfd),
		CASE(memory_moves_both_ways),
		CASE(read_only_memory_stays_so),
		CASE(partial_moves_are_counted),
		CASE(kcmp_tells_same_from_other),
		CASE(unshare_gives_a_copy),
		CASE(unshare_files),
		CASE(unshare_refuses),
		CASE(there_are_no_namespaces),
		CASE(a_personality_is_kept),
		CASE(addresses_repeat_when_asked_to),
		CASE(scheduling_attributes),
		CASE(io_priorities),
		CASE(memory_policies),
	};
	if (argc == 2 && !strcmp(argv[1], "--print-stack")) {
		unsigned long at = (unsigned long)argv;
		return write(1, &at, sizeof at) != sizeof at;
	}
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}

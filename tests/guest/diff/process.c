/* fork, vfork, clone, clone3, exit: what is copied, what is shared, what is refused. */
#include "diff.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif

struct args3 {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls,
		set_tid, set_tid_size, cgroup;
};

/* A child that was made exits at once. */
static long clone3(struct args3 *args, size_t size)
{
	long pid = syscall(SYS_clone3, args, size);
	if (!pid)
		_exit(0);
	return pid;
}

static long raw_clone(unsigned long flags)
{
	return syscall(SYS_clone, flags, 0, 0, 0, 0);
}

DIFF_CASE(fork_copies_memory)
{
	static int global = 1;
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
	pid_t pid = fork();
	if (!pid) {
		global = 2;
		*shared = 3;
		_exit(global);
	}
	say_status("child", reap(pid));
	SHOW(global);
	SHOW(*shared);
}

DIFF_CASE(fork_child_identity)
{
	pid_t parent = getpid(), group = getpgrp(), session = getsid(0);
	pid_t pid = fork();
	if (!pid) {
		SHOW(getppid() == parent);
		SHOW(getpgrp() == group);
		SHOW(getsid(0) == session);
		SHOW(getpid() == syscall(SYS_gettid));
		_exit(0);
	}
	say_status("child", reap(pid));
	SHOW(pid > 0);
}

DIFF_CASE(fork_does_not_inherit)
{
	struct itimerval it = { .it_value = { 100, 0 } };
	struct tms t;
	sigset_t pending;
	setitimer(ITIMER_REAL, &it, NULL);
	block_signal(SIGUSR1);
	raise(SIGUSR1);
	make_file("f", "x");
	int fd = open("f", O_RDWR);
	struct flock lock = { .l_type = F_WRLCK };
	fcntl(fd, F_SETLK, &lock);
	mlock(&it, 1);
	prctl(PR_SET_PDEATHSIG, SIGUSR2);
	pid_t pid = fork();
	if (!pid) {
		int death = -1;
		getitimer(ITIMER_REAL, &it);
		say("itimer %ld", (long)it.it_value.tv_sec);
		sigpending(&pending);
		say("pending %d", sigismember(&pending, SIGUSR1));
		times(&t);
		say("children's time %ld", (long)t.tms_cutime);
		fcntl(fd, F_GETLK, &lock);
		say("lock seen is the parent's: %d", lock.l_pid == getppid());
		prctl(PR_GET_PDEATHSIG, &death);
		say("pdeathsig %d", death);
		_exit(0);
	}
	say_status("child", reap(pid));
}

DIFF_CASE(fork_limit)
{
	become_nobody();
	NEED(!setrlimit(RLIMIT_NPROC, &(struct rlimit){ 3, 3 }));
	int n = 0;
	pid_t pids[8];
	while (n < 8 && (pids[n] = fork()) > 0)
		n++;
	if (n < 8 && !pids[n])
		pause();
	say("%d children, then %s", n, err_name(errno));
	for (int i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		reap(pids[i]);
	}
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	say_status("afterwards", reap(pid));
}

static volatile int seen_by_parent;

DIFF_CASE(vfork_shares_and_waits)
{
	pid_t pid = vfork();
	if (!pid) {
		seen_by_parent = 42;
		_exit(6);
	}
	SHOW(seen_by_parent);
	say_status("child", reap(pid));
	int64_t began = now_ns();
	pid = vfork();
	if (!pid) {
		struct timespec ts = { 0, 50000000 };
		syscall(SYS_nanosleep, &ts, NULL);
		_exit(0);
	}
	SHOW(now_ns() - began >= 50000000);
	reap(pid);
}

DIFF_CASE(vfork_returns_at_exec)
{
	char *argv[] = { "pauses", NULL };
	pid_t pid = vfork();
	if (!pid) {
		execve("/proc/self/exe", argv, environ);
		_exit(1);
	}
	SHOW(waitpid(pid, NULL, WNOHANG));
	kill(pid, SIGTERM);
	say_status("child", reap(pid));
}

static int vforks(void)
{
	catch (SIGUSR1, 0);
	pid_t pid = vfork();
	if (!pid) {
		char *argv[] = { "exits7", NULL };
		struct timespec ts = { 0, 60000000 };
		syscall(SYS_nanosleep, &ts, NULL);
		execve("/proc/self/exe", argv, environ);
		_exit(1);
	}
	say("caught while the child had the memory: %d", (int)caught[SIGUSR1]);
	return WEXITSTATUS(reap(pid));
}

DIFF_HELPER(exits7)
{
	return 7;
}

DIFF_CASE(vfork_defers_signals)
{
	pid_t pid = child_of(vforks);
	nap(20);
	kill(pid, SIGUSR1);
	say_status("parent of vfork", reap(pid));
}

DIFF_CASE(clone_flag_errors)
{
	static const unsigned long flags[] = {
		CLONE_SIGHAND | SIGCHLD,
		CLONE_THREAD | SIGCHLD,
		CLONE_THREAD | CLONE_SIGHAND | SIGCHLD,
		CLONE_FS | CLONE_NEWNS | SIGCHLD,
		CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
		CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD,
		CLONE_PIDFD | CLONE_DETACHED | SIGCHLD,
	};
	for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
		long pid = raw_clone(flags[i]);
		if (!pid)
			_exit(0);
		say("flags 0x%lx: %s", flags[i], pid < 0 ? err_name(errno) : "ok");
	}
}

DIFF_CASE(clone_shares_files)
{
	long pid = raw_clone(CLONE_FILES | SIGCHLD);
	if (!pid) {
		dup2(0, 40);
		close(1);
		_exit(0);
	}
	say_status("child", reap((pid_t)pid));
	TRY(fcntl(40, F_GETFD));
	TRY(fcntl(1, F_GETFD));
	pid = raw_clone(SIGCHLD);
	if (!pid) {
		close(40);
		_exit(0);
	}
	reap((pid_t)pid);
	TRY(fcntl(40, F_GETFD));
}

DIFF_CASE(clone_shares_fs)
{
	NEED(!mkdir("d", 0755));
	make_file("d/inside", "");
	long pid = raw_clone(CLONE_FS | SIGCHLD);
	if (!pid) {
		umask(077);
		_exit(chdir("d"));
	}
	say_status("child", reap((pid_t)pid));
	TRY(access("inside", F_OK));
	SHOW_OCTAL(umask(0));
}

DIFF_CASE(clone_exit_signal)
{
	catch (SIGUSR1, SA_SIGINFO);
	catch (SIGCHLD, 0);
	long pid = raw_clone(SIGUSR1);
	if (!pid)
		_exit(3);
	TRY(waitpid((pid_t)pid, NULL, 0));
	int status = 0;
	SHOW(waitpid((pid_t)pid, &status, __WCLONE) == pid);
	say_status("clone child", status);
	SHOW(caught[SIGUSR1]);
	SHOW(caught[SIGCHLD]);
	SHOW(caught_info.si_code == CLD_EXITED && caught_info.si_status == 3);
	pid = raw_clone(0);
	if (!pid)
		_exit(4);
	SHOW(waitpid((pid_t)pid, &status, __WALL) == pid);
	say_status("no signal", status);
}

DIFF_CASE(clone_tids)
{
	pid_t *tids = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
	long pid = syscall(SYS_clone,
			   CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
				   CLONE_CHILD_CLEARTID | SIGCHLD,
			   0, &tids[0], &tids[1], 0);
	if (!pid)
		_exit(tids[1] == getpid() && tids[0] == getpid() ? 0 : 1);
	SHOW(tids[0] == pid);
	say_status("child", reap((pid_t)pid));
	SHOW(tids[1] == pid);
}

DIFF_CASE(clone_parent)
{
	pid_t pid = fork();
	if (!pid) {
		long sibling = raw_clone(CLONE_PARENT | SIGCHLD);
		if (!sibling)
			_exit(getppid() == getsid(0) ? 21 : 22);
		_exit(waitpid((pid_t)sibling, NULL, 0) < 0 && errno == ECHILD ? 20 : 1);
	}
	int a = reap(pid), b;
	say_status("child", a);
	SHOW(wait(&b) > 0);
	say_status("sibling made by the child", b);
	TRY(wait(&b));
}

/* The child's pid less the wanted one, 0 then; or the error. */
static long clone_with_tid(pid_t wanted, uint64_t n)
{
	pid_t tids[33] = { wanted };
	struct args3 a = { .exit_signal = SIGCHLD, .set_tid_size = n };
	a.set_tid = n ? (uintptr_t)tids : 0;
	long pid = clone3(&a, sizeof a);
	if (pid < 0)
		return pid;
	reap((pid_t)pid);
	return pid - wanted;
}

DIFF_CASE(clone3_chooses_tid)
{
	pid_t gone = fork();
	if (!gone)
		_exit(0);
	reap(gone);
	TRY(clone_with_tid(gone, 1));
	TRY(clone_with_tid(gone + 1000, 1));
	pid_t next = fork();
	if (!next)
		_exit(0);
	reap(next);
	SHOW(next < gone + 1000);
	TRY(clone_with_tid(getpid(), 1));
	TRY(clone_with_tid(1, 1));
	TRY(clone_with_tid(0, 1));
	TRY(clone_with_tid(-1, 1));
	TRY(clone_with_tid(4 << 20, 1));
	TRY(clone_with_tid(gone, 33));
	struct args3 a = { .exit_signal = SIGCHLD, .set_tid_size = 1 };
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&a };
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .exit_signal = SIGCHLD, .set_tid = 8, .set_tid_size = 1 };
	TRY(clone3(&a, sizeof a));
	become_nobody();
	TRY(clone_with_tid(gone, 1));
	TRY(clone_with_tid(0, 1));
	TRY(clone_with_tid(getpid(), 1));
}

DIFF_CASE(clone3_errors)
{
	struct args3 a = { .exit_signal = SIGCHLD };
	char big[200] = "";
	TRY(clone3(&a, 0));
	TRY(clone3(&a, 63));
	TRY(clone3(&a, 5000));
	TRY(clone3((void *)8, sizeof a));
	memcpy(big, &a, sizeof a);
	big[150] = 1;
	TRY(clone3((void *)big, sizeof big));
	a.exit_signal = SIGCHLD | 0x100;
	TRY(clone3(&a, sizeof a));
	a.exit_signal = 65;
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .flags = SIGCHLD };
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .exit_signal = SIGCHLD, .stack = 4096 };
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .exit_signal = SIGCHLD, .stack_size = 4096 };
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .flags = CLONE_SIGHAND | CLONE_CLEAR_SIGHAND | CLONE_VM };
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .flags = 1ull << 40, .exit_signal = SIGCHLD };
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
			    .exit_signal = SIGCHLD };
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .exit_signal = SIGCHLD, .set_tid_size = 40, .set_tid = 8 };
	TRY(clone3(&a, sizeof a));
	a = (struct args3){ .exit_signal = SIGCHLD, .set_tid_size = 1 };
	TRY(clone3(&a, sizeof a));
}

DIFF_CASE(clone3_sizes)
{
	struct args3 a = { .exit_signal = SIGCHLD };
	char big[200] = "";
	memcpy(big, &a, sizeof a);
	static const size_t sizes[] = { 64, 80, 88, 200 };
	for (unsigned i = 0; i < 4; i++) {
		long pid = clone3((void *)big, sizes[i]);
		say("size %zu: %s", sizes[i], pid < 0 ? err_name(errno) : "ok");
		reap((pid_t)pid);
	}
}

DIFF_CASE(clone3_clear_sighand)
{
	struct args3 a = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	catch (SIGUSR1, 0);
	signal(SIGUSR2, SIG_IGN);
	long pid = syscall(SYS_clone3, &a, sizeof a);
	if (!pid) {
		struct sigaction one, two;
		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &two);
		SHOW(one.sa_handler == SIG_DFL);
		SHOW(two.sa_handler == SIG_IGN);
		_exit(0);
	}
	say_status("child", reap((pid_t)pid));
}

DIFF_CASE(exit_status_is_a_byte)
{
	static const int values[] = { 0, 1, 255, 256, 257, -1, 0x12345 };
	for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
		pid_t pid = fork();
		if (!pid)
			_exit(values[i]);
		int status = reap(pid);
		say("exit(%d): 0x%04x", values[i], status);
	}
}

DIFF_CASE(exit_orphans_go_to_init)
{
	int p[2];
	NEED(!pipe(p));
	pid_t pid = fork();
	if (!pid) {
		pid_t parent = getpid();
		if (!fork()) {
			while (getppid() == parent)
				nap(1);
			pid_t now = getppid();
			NEED(write(p[1], &now, sizeof now) == sizeof now);
			_exit(0);
		}
		_exit(0);
	}
	say_status("parent", reap(pid));
	pid_t now = 0;
	TRY(read(p[0], &now, sizeof now));
	SHOW(now);
}

DIFF_CASE(exit_orphans_go_to_subreaper)
{
	TRY(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t me = getpid(), pid = fork();
	if (!pid) {
		pid_t parent = getpid();
		if (!fork()) {
			while (getppid() == parent)
				nap(1);
			_exit(getppid() == me ? 9 : 10);
		}
		_exit(8);
	}
	say_status("child", reap(pid));
	int status;
	SHOW(waitpid(-1, &status, 0) > 0);
	say_status("grandchild", status);
}

DIFF_CASE(exit_pdeathsig)
{
	int p[2];
	char b = 0;
	NEED(!pipe(p));
	pid_t pid = fork();
	if (!pid) {
		if (!fork()) {
			catch (SIGUSR1, 0);
			block_signal(SIGUSR1);
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			NEED(write(p[1], "r", 1) == 1);
			sigset_t none;
			sigemptyset(&none);
			sigsuspend(&none);
			SHOW(caught[SIGUSR1]);
			NEED(write(p[1], "d", 1) == 1);
			_exit(0);
		}
		NEED(read(p[0], &b, 1) == 1);
		_exit(0);
	}
	reap(pid);
	TRY(read(p[0], &b, 1));
	TRY(prctl(PR_SET_PDEATHSIG, 65));
}

DIFF_CASE(getpid_family)
{
	SHOW(getpid() == getsid(0));
	SHOW(getpgrp() == getpgid(0));
	SHOW(getpgid(getpid()) == getpgrp());
	TRY(getpgid(-1));
	TRY(getpgid(999999));
	TRY(getsid(999999));
	TRY(getsid(-1));
	SHOW(getppid() > 0);
}

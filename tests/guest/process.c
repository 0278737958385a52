/* libc: musl glibc */
/* fork(2), vfork(2), clone(2), execve(2), wait(2), exit, groups and sessions. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

static void fork_copies_memory(void)
{
	volatile int x = 1;
	pid_t pid = fork();
	if (!pid) {
		x = 2;
		_exit(x + 40);
	}
	CHECK_EQ(tap_wait(pid), 42 << 8);
	CHECK_EQ(x, 1);
	CHECK_ERR(waitpid(pid, NULL, 0), ECHILD);
}

static void exit_status_forms(void)
{
	int st;
	pid_t pid = fork();
	if (!pid)
		_exit(0x1ff);
	CHECK_EQ(tap_wait(pid), 0xff00);
	pid = fork();
	if (!pid) {
		raise(SIGTERM);
		_exit(0);
	}
	st = tap_wait(pid);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM && !WCOREDUMP(st));
}

/* core(5): with an empty pattern no core file is written, whatever the limit. */
static bool writes_core_files(void)
{
	char c;
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
	bool some = read(fd, &c, 1) == 1 && c != '\n';

	close(fd);
	return some;
}

static void crash(rlim_t limit, bool want_core)
{
	char dir[] = "/tmp/core-XXXXXX";
	siginfo_t info;
	int st;
	pid_t pid;

	CHECK(mkdtemp(dir));
	pid = fork();
	if (!pid) {
		struct rlimit r = { limit, limit };
		if (chdir(dir) || setrlimit(RLIMIT_CORE, &r))
			_exit(1);
		raise(SIGSEGV);
		_exit(2);
	}
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(info.si_code, want_core ? CLD_DUMPED : CLD_KILLED);
	CHECK_EQ(info.si_status, SIGSEGV);
	st = tap_wait(pid);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
	CHECK_EQ(!!WCOREDUMP(st), want_core);
	CHECK(rmdir(dir) == (want_core ? -1 : 0));
}

static void the_core_bit_says_that_there_is_a_file(void)
{
	crash(0, false);
	crash(RLIM_INFINITY, writes_core_files());
}

static void wait_options(void)
{
	int st;
	pid_t pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &st, WNOHANG), 0);
	CHECK_EQ(waitpid(-1, &st, WNOHANG), 0);
	CHECK_ERR(waitpid(pid, &st, 0x4000), EINVAL);
	CHECK(!kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
	CHECK_EQ(waitpid(pid, &st, WUNTRACED | WNOHANG), 0);
	CHECK(!kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &st, WCONTINUED), pid);
	CHECK(WIFCONTINUED(st));
	CHECK(!kill(pid, SIGKILL));
	siginfo_t si;
	CHECK(!waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	CHECK_EQ(si.si_code, CLD_KILLED);
	CHECK_EQ(si.si_status, SIGKILL);
	CHECK_EQ(si.si_pid, pid);
	struct rusage ru;
	CHECK_EQ(wait4(pid, &st, 0, &ru), pid);
	CHECK_EQ(WTERMSIG(st), SIGKILL);
}

static void orphans_go_to_the_subreaper(void)
{
	int p[2];
	pid_t orphan;
	CHECK(!pipe(p));
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t pid = fork();
	if (!pid) {
		if (!(orphan = fork())) {
			while (getppid() == getpid())
				usleep(1000);
			_exit(7);
		}
		if (write(p[1], &orphan, sizeof orphan) < 0)
			_exit(1);
		_exit(0);
	}
	CHECK_EQ(read(p[0], &orphan, sizeof orphan), sizeof orphan);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(tap_wait(orphan), 7 << 8);
}

static void vfork_shares_until_exec(void)
{
	static volatile int x;
	pid_t pid = vfork();
	if (!pid) {
		x = 5;
		_exit(3);
	}
	CHECK_EQ(x, 5);
	CHECK_EQ(tap_wait(pid), 3 << 8);
}

static int clone_fn(void *arg)
{
	*(volatile int *)arg = 9;
	return 11;
}

static void clone_with_shared_memory(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	volatile int x = 0;
	pid_t pid = clone(clone_fn, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)&x);
	CHECK(pid > 0);
	CHECK_EQ(tap_wait(pid), 11 << 8);
	CHECK_EQ(x, 9);
	CHECK_ERR(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, 0, 0, 0, 0), EINVAL);
}

static void descriptors_across_fork(void)
{
	char c;
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(write(fd, "abc", 3), 3);
	lseek(fd, 0, SEEK_SET);
	pid_t pid = fork();
	if (!pid) {
		_exit(read(fd, &c, 1) == 1 ? 0 : 1);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, 'b'); /* one open file, one position */
}

static void exec_errors(void)
{
	char *argv[] = { "x", NULL };
	tap_tmpdir();
	CHECK_ERR(execve("absent", argv, NULL), ENOENT);
	CHECK(!mkdir("d", 0755));
	CHECK_ERR(execve("d", argv, NULL), EACCES);
	int fd = open("f", O_CREAT | O_WRONLY, 0644);
	CHECK_EQ(write(fd, "plain text\n", 11), 11);
	close(fd);
	CHECK_ERR(execve("f", argv, NULL), EACCES);
	CHECK(!chmod("f", 0755));
	CHECK_ERR(execve("f", argv, NULL), ENOEXEC);
	CHECK_ERR(execve("f/x", argv, NULL), ENOTDIR);
	fd = open("f", O_WRONLY | O_TRUNC);
	CHECK_EQ(write(fd, "\177ELF\2\1\1\0truncated", 17), 17);
	close(fd);
	CHECK_ERR(execve("f", argv, NULL), ENOEXEC);
	fd = open("s", O_CREAT | O_WRONLY, 0755);
	CHECK_EQ(write(fd, "#!/absent/interpreter\n", 22), 22);
	close(fd);
	CHECK_ERR(execve("s", argv, NULL), ENOENT);
	CHECK_ERR(execve((char *)8, argv, NULL), EFAULT);
}

static void exec_argument_limits(void)
{
	static char big[200000];
	char *argv[] = { "true", big, NULL };
	memset(big, 'a', sizeof big - 1);
	/* one string over 128 KiB */
	CHECK_ERR(execve("/proc/self/exe", argv, NULL), E2BIG);
	big[100000] = 0;
	char *many[64];
	for (int i = 0; i < 63; i++)
		many[i] = big;
	many[63] = NULL;
	/* a quarter of the stack */
	CHECK_ERR(execve("/proc/self/exe", many, NULL), E2BIG);
}

static void running_program_is_busy(void)
{
	char self[256];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	CHECK(n > 0);
	self[n] = 0;
	CHECK_ERR(open(self, O_WRONLY), ETXTBSY);
	CHECK_ERR(open(self, O_RDONLY | O_TRUNC), ETXTBSY);
	CHECK_ERR(truncate(self, 0), ETXTBSY);
	CHECK(open(self, O_RDONLY) >= 0);
}

static void groups_and_sessions(void)
{
	pid_t pid = fork();
	if (!pid) {
		int bad = 0;
		bad |= setsid() != getpid();
		bad |= getsid(0) != getpid() || getpgrp() != getpid();
		bad |= setsid() != -1 || errno != EPERM;
		bad |= setpgid(0, 0) != -1 || errno != EPERM;
		_exit(bad);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_ERR(setpgid(0, -1), EINVAL);
	CHECK_ERR(getpgid(999999), ESRCH);
	CHECK_EQ(getpgid(0), getpgrp());
}

static void limits_are_inherited(void)
{
	struct rlimit r, want = { 100, 200 };
	CHECK(!setrlimit(RLIMIT_NOFILE, &want));
	pid_t pid = fork();
	if (!pid) {
		_exit(getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur != 100 ||
		      r.rlim_max != 200);
	}
	CHECK_EQ(tap_wait(pid), 0);
	want.rlim_cur = 300;
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &want), EINVAL);
	CHECK_ERR(getrlimit(99, &r), EINVAL);
}

__attribute__((noinline)) static int recurse(int n)
{
	volatile char pad[1024];
	pad[0] = (char)n;
	return n ? recurse(n - 1) + pad[0] - (char)n : 0;
}

static void deep_recursion_grows_the_stack(void)
{
	pid_t pid = fork();
	if (!pid) {
		struct rlimit r = { 1 << 20, 1 << 20 };
		setrlimit(RLIMIT_STACK, &r);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		_exit(recurse(4000) == 0 ? 0 : 1);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGSEGV);
	CHECK_EQ(recurse(4000), 0); /* 4 MiB of the usual 8 */
}

static void parent_death_signal(void)
{
	int p[2];
	char c;
	CHECK(!pipe(p));
	pid_t pid = fork();
	if (!pid) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(p[0]);
			if (write(p[1], "r", 1) != 1)
				_exit(1);
			pause();
			_exit(0);
		}
		if (read(p[0], &c, 1) != 1)
			_exit(1);
		_exit(0);
	}
	close(p[1]);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(read(p[0], &c, 1), 0); /* the grandchild is gone too */
}

static void names(void)
{
	char name[17] = "";
	CHECK(!prctl(PR_SET_NAME, "a-name-longer-than-fifteen"));
	CHECK(!prctl(PR_GET_NAME, name));
	CHECK(!strcmp(name, "a-name-longer-t"));
}

static void many_children(void)
{
	pid_t pid[200];
	for (int i = 0; i < 200; i++) {
		pid[i] = fork();
		CHECK(pid[i] >= 0);
		if (!pid[i])
			_exit(i & 0x7f);
	}
	for (int i = 199; i >= 0; i--)
		CHECK_EQ(tap_wait(pid[i]), (i & 0x7f) << 8);
}

static void sigchld_tells_who(void)
{
	sigset_t set;
	siginfo_t si;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t pid = fork();
	if (!pid)
		_exit(6);
	CHECK_EQ(sigwaitinfo(&set, &si), SIGCHLD);
	CHECK(si.si_pid == pid && si.si_status == 6 && si.si_code == CLD_EXITED);
	CHECK_EQ(tap_wait(pid), 6 << 8);
}

static void ignored_children_leave_no_zombies(void)
{
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	CHECK_ERR(waitpid(pid, NULL, 0), ECHILD);
}

TEST_MAIN(CASE(fork_copies_memory), CASE(exit_status_forms),
	  CASE(the_core_bit_says_that_there_is_a_file), CASE(wait_options),
	  CASE(orphans_go_to_the_subreaper), CASE(vfork_shares_until_exec),
	  CASE(clone_with_shared_memory), CASE(descriptors_across_fork),
	  CASE(exec_errors), CASE(exec_argument_limits), CASE(running_program_is_busy),
	  CASE(groups_and_sessions), CASE(limits_are_inherited),
	  CASE(deep_recursion_grows_the_stack), CASE(parent_death_signal), CASE(names),
	  CASE(many_children), CASE(sigchld_tells_who),
	  CASE(ignored_children_leave_no_zombies))

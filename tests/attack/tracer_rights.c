/*
 * What somebody would try who wants to become a tracer without the right to, or to gain
 * from being one. Each attempt fails; the twin beside it is the honest use, which works.
 */
/* libc: musl glibc */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/trace.h"

/* Its signals are let through, but for the tracing's own. */
static int end_status(int pid)
{
	int status, sig;
	do {
		CHECK_EQ(waitpid(pid, &status, __WALL), pid);
		sig = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
	} while (sig && !pt(PTRACE_CONT, pid, 0, sig == SIGTRAP ? 0 : (unsigned)sig));
	return status;
}

/* ---- who may ---- */

static void become(uid_t uid)
{
	CHECK_EQ(setresgid(uid, uid, uid), 0);
	CHECK_EQ(setresuid(uid, uid, uid), 0);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
}

static int napping_as(uid_t uid)
{
	int sync[2];
	char c;
	CHECK_EQ(pipe(sync), 0);
	int pid = fork();
	if (!pid) {
		if (uid)
			become(uid);
		(void)!write(sync[1], "x", 1);
		pause_forever();
	}
	CHECK_EQ(read(sync[0], &c, 1), 1);
	return pid;
}

/* Every door into pid; how many of them open. */
static int doors_open(int pid)
{
	char path[64];
	unsigned long word;
	struct iovec local = { &word, 8 }, remote = { path, 8 };
	int open_doors = 0, fd;
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY);
	open_doors += fd >= 0;
	close(fd);
	open_doors += process_vm_readv(pid, &local, 1, &remote, 1, 0) == 8;
	open_doors += process_vm_writev(pid, &local, 1, &remote, 1, 0) == 8;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	open_doors += syscall(SYS_pidfd_getfd, fd, 0, 0) >= 0;
	close(fd);
	open_doors += syscall(SYS_kcmp, getpid(), pid, 2, 0, 0) >= 0;
	if (!pt(PTRACE_SEIZE, pid, 0, 0)) {
		open_doors++;
		CHECK_EQ(pt(PTRACE_INTERRUPT, pid, 0, 0), 0);
		CHECK_EQ(waitpid(pid, NULL, __WALL), pid);
		CHECK_EQ(pt(PTRACE_DETACH, pid, 0, 0), 0);
	}
	return open_doors;
}

#define DOORS 6

static int doors_open_for(uid_t uid, int pid)
{
	int status, tester = fork();
	if (!tester) {
		become(uid);
		_exit(doors_open(pid));
	}
	CHECK_EQ(waitpid(tester, &status, 0), tester);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void only_the_same_user_looks_in(void)
{
	tap_needs_root();
	int mine = napping_as(1000), others = napping_as(1001), roots = napping_as(0);
	CHECK_EQ(doors_open_for(1000, mine), DOORS);
	CHECK_EQ(doors_open_for(1000, others), 0);
	CHECK_EQ(doors_open_for(1000, roots), 0);
	CHECK_EQ(doors_open(others), DOORS);
	end(mine);
	end(others);
	end(roots);
}

static int undumpable(void)
{
	int sync[2];
	char c;
	CHECK_EQ(pipe(sync), 0);
	int pid = fork();
	if (!pid) {
		become(1000);
		prctl(PR_SET_DUMPABLE, 0);
		(void)!write(sync[1], "x", 1);
		pause_forever();
	}
	CHECK_EQ(read(sync[0], &c, 1), 1);
	return pid;
}

static void the_undumpable_are_left_alone(void)
{
	tap_needs_root();
	int pid = undumpable();
	CHECK_EQ(doors_open_for(1000, pid), 0);
	CHECK_EQ(doors_open(pid), DOORS); /* CAP_SYS_PTRACE */
	end(pid);
}

static void process_1_is_nobodys(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	CHECK_EQ(doors_open(1), 0);
	int pid = napping_as(0);
	CHECK_EQ(doors_open(pid), DOORS);
	end(pid);
}

/* A parent with fewer capabilities cannot be made the tracer of a child with more. */
static void traceme_needs_an_equal(void)
{
	tap_needs_root();
	int status, pid = fork();
	if (!pid) {
		/* Real and saved ids stay root's for the child, which takes them back. */
		if (setresuid(-1, 1000, 0))
			_exit(9);
		int grandchild = fork();
		if (!grandchild) {
			if (setresuid(0, 0, 0))
				_exit(8);
			_exit(pt(PTRACE_TRACEME, 0, 0, 0) ? 1 : 0);
		}
		if (setresuid(1000, 1000, 1000))
			_exit(7);
		waitpid(grandchild, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 6);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	/* Whoever was first: the parent that is root still, or one that is not. */
	CHECK(status == 0 || status == 1 << 8);
}

/* ---- privileges gained by execve ---- */

static char helper[128];

/* A set-user-ID copy of this program; `--euid` makes it exit with its effective id. */
static void make_helper(mode_t mode)
{
	char buf[65536];
	ssize_t n;
	const char *dir = tap_tmpdir();
	snprintf(helper, sizeof helper, "%s/helper", dir);
	CHECK_EQ(chmod(dir, 0755), 0);
	int from = open("/proc/self/exe", O_RDONLY),
	    to = open(helper, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	CHECK(from >= 0 && to >= 0);
	while ((n = read(from, buf, sizeof buf)) > 0)
		CHECK_EQ(write(to, buf, (size_t)n), n);
	close(from);
	close(to);
	CHECK_EQ(chmod(helper, mode), 0);
}

static void exec_helper(void)
{
	char *argv[] = { helper, "--euid", NULL };
	execv(helper, argv);
	_exit(99);
}

static int helper_as(uid_t uid, bool traced)
{
	int status, pid = fork();
	if (!pid) {
		become(uid);
		int run = fork();
		if (!run) {
			if (traced && pt(PTRACE_TRACEME, 0, 0, 0))
				_exit(98);
			exec_helper();
		}
		status = end_status(run);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 97);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void a_watched_program_gains_nothing(void)
{
	tap_needs_root();
	make_helper(04755);
	if (helper_as(77, false) != 0)
		tap_skip("the folder is mounted nosuid");
	CHECK_EQ(helper_as(77, false), 0);
	CHECK_EQ(helper_as(77, true), 77);
	CHECK_EQ(helper_as(0, true), 0); /* root may watch */
}

/* Attaching while the other side is about to gain privileges: whoever is first, nobody
 * traces a privileged program. */
static void attaching_does_not_race_with_exec(void)
{
	tap_needs_root();
	make_helper(04755);
	if (helper_as(77, false) != 0)
		tap_skip("the folder is mounted nosuid");
	int status, pid = fork();
	if (!pid) {
		become(77);
		for (int i = 0; i < 30; i++) {
			int run = fork();
			if (!run) {
				usleep((useconds_t)(i % 7) * 40);
				exec_helper();
			}
			/* Until it is ours, or so privileged that it is not to be had. */
			bool ours = false;
			for (int k = 0; k < 1000 && !ours; k++)
				ours = !pt(PTRACE_SEIZE, run, 0, PTRACE_O_TRACEEXIT);
			waitpid(run, &status, __WALL);
			/* At its exit: a program we trace has no id but ours. */
			if (WIFSTOPPED(status) && effective_id(run) == 0)
				_exit(2);
			while (WIFSTOPPED(status)) {
				pt(PTRACE_CONT, run, 0, 0);
				waitpid(run, &status, __WALL);
			}
			if (!WIFEXITED(status))
				_exit(1);
		}
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

static void what_cannot_be_read_is_not_peeked_at(void)
{
	tap_needs_root();
	make_helper(0711);
	int status, pid = fork();
	if (!pid) {
		unsigned long word;
		become(77);
		int run = fork();
		if (!run) {
			pt(PTRACE_TRACEME, 0, 0, 0);
			exec_helper();
		}
		waitpid(run, &status, 0); /* the exec's trap */
		bool shut = pt(PTRACE_PEEKTEXT, run, (unsigned long)pause_forever,
			       (unsigned long)&word) == -1;
		bool regs = regs_of(run).rip != 0; /* the twin: it is traced */
		kill(run, SIGKILL);
		_exit(shut && regs ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

/* ---- storms ---- */

static volatile int storm_target, storm_over;

static void *storm(void *arg)
{
	struct user_regs_struct r;
	unsigned long word;
	while (!storm_over) {
		int pid = storm_target;
		if (!pid || pt(PTRACE_SEIZE, pid, 0, 0))
			continue;
		for (int i = 0; i < 20; i++) {
			pt(PTRACE_INTERRUPT, pid, 0, 0);
			waitpid(pid, NULL, __WALL | WNOHANG);
			if (pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r))
				continue;
			pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r);
			pt(PTRACE_PEEKTEXT, pid, r.rip & ~7ul, (unsigned long)&word);
			pt(PTRACE_POKETEXT, pid, r.rip & ~7ul, word);
			pt(i % 3 ? PTRACE_SYSCALL : PTRACE_SINGLESTEP, pid, 0, 0);
		}
		pt(PTRACE_DETACH, pid, 0, 0);
	}
	return arg;
}

static void busy(void)
{
	for (;;) {
		getppid();
		if (!fork())
			_exit(0);
		waitpid(-1, NULL, WNOHANG);
	}
}

/* Kills, steps and register writes at once: nothing but the target may suffer. */
static void kills_race_with_tracers(void)
{
	pthread_t t[3];
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, storm, NULL), 0);
	for (int round = 0; round < 20; round++) {
		int pid = running_child(busy);
		storm_target = pid;
		usleep(5000);
		kill(pid, round % 2 ? SIGKILL : SIGTERM);
		usleep(1000);
		storm_target = 0;
		kill(pid, SIGKILL);
		kill(pid, SIGCONT);
		while (waitpid(pid, NULL, __WALL) == pid && !kill(pid, 0))
			continue;
	}
	storm_over = 1;
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
		continue;
}

/* Two that trace each other, one of them stopped by it, die when told to. */
static void a_ring_of_tracers_can_be_killed(void)
{
	int seized[2], status;
	char c = 'x';
	CHECK_EQ(pipe(seized), 0);
	int a = fork();
	if (!a) {
		int self = getpid(), b = fork();
		if (!b) {
			(void)!read(seized[0], &c, 1);
			pt(PTRACE_SEIZE, self, 0, 0);
			pt(PTRACE_INTERRUPT, self, 0, 0);
			pause_forever();
		}
		pt(PTRACE_SEIZE, b, 0, PTRACE_O_EXITKILL);
		(void)!write(seized[1], &c, 1);
		pause_forever();
	}
	for (int i = 0; i < 1000 && state_of(a) != 't'; i++)
		usleep(1000);
	CHECK_EQ(state_of(a), 't');
	kill(a, SIGKILL);
	CHECK_EQ(waitpid(a, &status, 0), a);
	CHECK(WIFSIGNALED(status));
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		CASE(only_the_same_user_looks_in),
		CASE(the_undumpable_are_left_alone),
		CASE(process_1_is_nobodys),
		CASE(traceme_needs_an_equal),
		CASE(a_watched_program_gains_nothing),
		CASE(attaching_does_not_race_with_exec),
		CASE(what_cannot_be_read_is_not_peeked_at),
		CASE(kills_race_with_tracers),
		CASE(a_ring_of_tracers_can_be_killed),
	};
	if (argc == 2 && !strcmp(argv[1], "--euid"))
		return (int)geteuid();
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}

/*
 * The program of all differential cases: see diff.h.
 *
 *	diff --list		the names of all cases
 *	diff [NAME...]		runs these, or all
 *
 * Output is "== NAME", the lines that the case said, each after a blank, and "-- STATUS".
 *
 * On Linux it first goes into namespaces of its own (mounts, pids, IPC, host name), so
 * that nothing done here is seen outside. On Mayfly the VM is the jail.
 */
#include "diff.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE_SECONDS 60

extern const struct diff_case __start_diff_cases[], __stop_diff_cases[];
extern const struct diff_helper __start_diff_helpers[], __stop_diff_helpers[];

/* What the processes of a case say goes here: it outlives descriptors, limits and roots.
 * A line's place is taken by adding to `used`. */
static struct saying {
	unsigned used; /* [a] */
	char text[256 * 1024];
} * saying;

void diff_write(const char *line, size_t n)
{
	unsigned at = __atomic_fetch_add(&saying->used, n, __ATOMIC_SEQ_CST);
	if (at + n <= sizeof saying->text)
		memcpy(saying->text + at, line, n);
}

/* -- nothing inherited decides a case ------------------------------------------------ */

/* The kernel's calls: a C library keeps some signals to itself, and one that starts a
 * program (make's) may leave these ignored. */
static void default_signals(void)
{
	const unsigned long dfl[4] = { 0 }, none = 0;
	for (int sig = 1; sig < 65; sig++)
		syscall(SYS_rt_sigaction, sig, dfl, NULL, sizeof none);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

/* Where it is not allowed it has no consequence either. */
static void default_state(void)
{
	const struct sched_param ordinary = { 0 };
	cpu_set_t all;
	memset(&all, 0xff, sizeof all);
	default_signals();
	sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL);
	alarm(0);
	umask(0);
	syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &ordinary);
	sched_setaffinity(0, sizeof all, &all);
	setgroups(0, NULL);
	personality(PER_LINUX);
	prctl(PR_SET_PDEATHSIG, 0ul, 0ul, 0ul, 0ul);
	prctl(PR_SET_CHILD_SUBREAPER, 0ul, 0ul, 0ul, 0ul);
	prctl(PR_SET_TIMERSLACK, 50000ul, 0ul, 0ul, 0ul);
	prctl(PR_SET_THP_DISABLE, 0ul, 0ul, 0ul, 0ul);
	prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0ul, 0ul, 0ul);
	prctl(PR_SET_TSC, PR_TSC_ENABLE, 0ul, 0ul, 0ul);
	syscall(SYS_ioprio_set, 1, 0, 0);
	FILE *oom = fopen("/proc/self/oom_score_adj", "w");
	if (oom) {
		fputs("0", oom);
		fclose(oom);
	}
}

/* -- the jail ----------------------------------------------------------------------- */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "diff: %s: %s\n", what, strerror(errno));
	exit(2);
}

static bool on_mayfly(void)
{
	struct utsname u;
	return !uname(&u) && strstr(u.release, "mayfly");
}

/* Process 1 of the jail: reaps all, ends with what its first child ends with. */
static void be_init(pid_t first)
{
	int status;
	for (;;) {
		pid_t pid = wait(&status);
		if (pid == first)
			exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
		must(pid > 0 || errno == EINTR, "wait");
	}
}

static void enter_jail(void)
{
	must(!unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS),
	     "namespaces (root is needed)");
	must(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	pid_t init = fork();
	must(init >= 0, "fork");
	if (init) {
		int status;
		while (waitpid(init, &status, 0) < 0)
			must(errno == EINTR, "wait");
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
	}
	must(!mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
	     "/proc");
	must(!mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=666"),
	     "/dev/pts");
	must(!mount("/dev/pts/ptmx", "/dev/ptmx", NULL, MS_BIND, NULL), "/dev/ptmx");
	pid_t first = fork();
	must(first >= 0, "fork");
	if (first)
		be_init(first);
}

/* -- what every case starts from ---------------------------------------------------- */

static void set_limit(int which, rlim_t soft, rlim_t hard)
{
	must(!setrlimit(which, &(struct rlimit){ soft, hard }), "limits");
}

static void same_limits_and_priority(void)
{
	set_limit(RLIMIT_NOFILE, 1024, 4096);
	set_limit(RLIMIT_STACK, 8 << 20, RLIM_INFINITY);
	set_limit(RLIMIT_CORE, 0, 0);
	set_limit(RLIMIT_MEMLOCK, 8 << 20, 8 << 20);
	set_limit(RLIMIT_NPROC, 400, 400);
	set_limit(RLIMIT_SIGPENDING, 400, 400);
	set_limit(RLIMIT_MSGQUEUE, 819200, 819200);
	set_limit(RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY);
	set_limit(RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY);
	set_limit(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY);
	set_limit(RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY);
	set_limit(RLIMIT_RSS, RLIM_INFINITY, RLIM_INFINITY);
	set_limit(RLIMIT_LOCKS, RLIM_INFINITY, RLIM_INFINITY);
	set_limit(RLIMIT_RTTIME, RLIM_INFINITY, RLIM_INFINITY);
	set_limit(RLIMIT_NICE, 0, 0);
	set_limit(RLIMIT_RTPRIO, 0, 0);
	must(!setpriority(PRIO_PROCESS, 0, 0), "nice level");
}

static const char *folder_of(const struct diff_case *c)
{
	static char dir[100];
	snprintf(dir, sizeof dir, "/tmp/%s", c->name);
	return dir;
}

static void start_case(const struct diff_case *c)
{
	default_signals();
	setsid();
	umask(022);
	clearenv();
	const char *dir = folder_of(c);
	must(!mkdir(dir, 0777) && !chmod(dir, 0777) && !chdir(dir), "the case's folder");
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		must(dup2(null, fd) == fd, "/dev/null");
	for (int fd = 3; fd < 64; fd++)
		close(fd);
}

static void on_alarm(int sig)
{
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void end_of_case(int status, bool in_time)
{
	if (!in_time)
		printf("-- still running after %d s\n", CASE_SECONDS);
	else if (WIFSIGNALED(status))
		printf("-- killed by %s\n", sig_name(WTERMSIG(status)));
	else
		printf("-- exited %d\n", WEXITSTATUS(status));
	fflush(stdout);
}

static void show_said(void)
{
	size_t n = saying->used;
	if (n > sizeof saying->text)
		n = sizeof saying->text;
	fwrite(saying->text, 1, n, stdout);
}

static void run_case(const struct diff_case *c)
{
	int status = 0;
	saying->used = 0;
	printf("== %s\n", c->name);
	fflush(stdout);
	pid_t pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		start_case(c);
		c->fn();
		_exit(0);
	}
	alarm(CASE_SECONDS);
	bool in_time = waitpid(pid, &status, 0) == pid;
	alarm(0);
	kill(-pid, SIGKILL); /* what the case left behind */
	if (!in_time)
		waitpid(pid, &status, 0);
	nftw(folder_of(c), remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	show_said();
	end_of_case(status, in_time);
}

/* -- which --------------------------------------------------------------------------- */

static bool wanted(const char *name, char **names)
{
	for (char **n = names; *n; n++)
		if (!strcmp(*n, name))
			return true;
	return !*names;
}

static int run_named_helper(int argc, char **argv)
{
	const struct diff_helper *h = __start_diff_helpers;
	for (; h < __stop_diff_helpers; h++)
		if (!strcmp(h->name, argv[0]))
			return h->fn(argc, argv);
	return -1;
}

static void list_cases(void)
{
	for (const struct diff_case *c = __start_diff_cases; c < __stop_diff_cases; c++)
		puts(c->name);
}

int main(int argc, char **argv)
{
	int status = argc > 0 ? run_named_helper(argc, argv) : -1;
	if (status >= 0)
		return status;
	if (argc > 1 && !strcmp(argv[1], "--list")) {
		list_cases();
		return 0;
	}
	default_state();
	if (!on_mayfly())
		enter_jail();
	must(!mount("tmpfs", "/tmp", "tmpfs", 0, "size=64m,mode=1777"), "/tmp");
	saying = mmap(NULL, sizeof *saying, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(saying != MAP_FAILED, "memory");
	same_limits_and_priority();
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	for (const struct diff_case *c = __start_diff_cases; c < __stop_diff_cases; c++)
		if (wanted(c->name, argv + 1))
			run_case(c);
	return 0;
}

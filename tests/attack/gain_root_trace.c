/*
 * A plain user's ways to root by looking into a set-user-ID program or meddling with it
 * while it runs: what was opened of the process before its execve, what is asked for
 * after, and what it is left with. Who traces it is in tracer_rights.c.
 */
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/gain.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FD 9

static volatile char flag = 'a'; /* at the same place in every copy of this program */

/* ---- the victim's own words ---- */

/* CVE-2012-0056: its complaint must not land in its own memory. */
static int complain(void)
{
	(void)!write(FD, "b", 1);
	return flag;
}

/* What it is handed stays what it was. */
static int is_left_alone(void)
{
	struct stat first, now;
	if (fstat(FD, &first))
		return 98;
	for (int i = 0; i < 100; i++) {
		usleep(100);
		if (fstat(FD, &now) || now.st_ino != first.st_ino || flag != 'a')
			return 1;
	}
	return 0;
}

static int drop_and_hold(char **argv)
{
	if (setresgid(PLAIN, PLAIN, PLAIN) || setresuid(PLAIN, PLAIN, PLAIN))
		return 95;
	execv("./never", argv); /* fails: nothing changes by it */
	return gain_held();
}

static int own_words(int argc, char **argv)
{
	if (argc == 1 && !strcmp(argv[0], "drops"))
		return drop_and_hold(argv);
	if (argc != 2)
		return -1;
	if (!strcmp(argv[1], "--complain"))
		return complain();
	if (!strcmp(argv[1], "--alone"))
		return is_left_alone();
	if (!strcmp(argv[1], "--nap"))
		return usleep(60000);
	return -1;
}

/* ---- opened before, used after ---- */

static const char *const files[] = { "mem",	"maps",	   "smaps",
				     "environ", "pagemap", "syscall" };
static const char *const links[] = { "exe", "cwd", "root", "fd/0" };

/* Of the files of one process, how many show something. */
static int count_shown(const int *fd)
{
	char buf[64];
	int n = 0;
	for (size_t i = 0; i < COUNT(files); i++)
		n += pread(fd[i], buf, sizeof buf, i ? 0 : (off_t)&flag & ~63l) > 0;
	return n;
}

static int count_followed(int dir)
{
	char buf[64];
	int n = 0;
	for (size_t i = 0; i < COUNT(links); i++)
		n += readlinkat(dir, links[i], buf, sizeof buf) > 0;
	return n;
}

static void attack_opened_before(void)
{
	char path[64], c = 'x';
	int go[2], in[2], told[2], fd[COUNT(files)];
	CHECK(!pipe2(go, O_CLOEXEC) && !pipe2(in, O_CLOEXEC) && !pipe2(told, O_CLOEXEC));
	int pid = fork();
	if (!pid) {
		dup2(in[0], 0);
		dup2(told[1], 1);
		(void)!read(go[0], &c, 1);
		execl(victim, victim, HOLDS, NULL);
		_exit(98);
	}
	snprintf(path, sizeof path, "/proc/%d", pid);
	int dir = open(path, O_PATH | O_DIRECTORY);
	int fds = openat(dir, "fd", O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < COUNT(files); i++) {
		fd[i] = openat(dir, files[i], i ? O_RDONLY : O_RDWR);
		CHECK(fd[i] >= 0);
	}
	usleep(5000); /* it sleeps: its registers can be told */
	CHECK_EQ(count_shown(fd), COUNT(files));
	CHECK_EQ(count_followed(dir), COUNT(links));
	int zero = openat(fds, "0", O_RDONLY);
	CHECK(zero >= 0);
	close(zero);
	CHECK_EQ(write(go[1], &c, 1), 1);
	CHECK_EQ(read(told[0], &c, 1), 1);
	CHECK_EQ(count_shown(fd), 0);
	CHECK(pwrite(fd[0], "b", 1, (off_t)&flag) <= 0);
	CHECK_EQ(count_followed(dir), 0);
	CHECK_ERR(openat(fds, "0", O_RDONLY), EACCES);
	CHECK_ERR(openat(dir, "mem", O_RDONLY), EACCES);
	close(in[0]);
	close(in[1]);
	CHECK_EQ(gain_wait(pid), 0);
}

static void files_of_the_process_from_before_show_nothing(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_opened_before);
}

/* AT_SECURE as its auxv has it; -1: not shown. */
static long secure_shown(int fd)
{
	unsigned long v[64];
	ssize_t n = pread(fd, v, sizeof v, 0);
	for (ssize_t i = 0; i + 1 < n / 8; i += 2)
		if (v[i] == AT_SECURE)
			return (long)v[i + 1];
	return -1;
}

static void watch_exec(const char *program, long *ret_most)
{
	char path[64], c = 'x';
	int go[2];
	CHECK_EQ(pipe2(go, O_CLOEXEC), 0);
	int pid = fork();
	if (!pid) {
		(void)!read(go[0], &c, 1);
		execl(program, program, SECURE, NULL);
		_exit(98);
	}
	snprintf(path, sizeof path, "/proc/%d/auxv", pid);
	int fd = open(path, O_RDONLY);
	CHECK_EQ(secure_shown(fd), 0);
	CHECK_EQ(write(go[1], &c, 1), 1);
	siginfo_t si = { 0 };
	while (!waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT | WNOHANG) &&
	       !si.si_pid) {
		long shown = secure_shown(fd);
		*ret_most = shown > *ret_most ? shown : *ret_most;
	}
	close(fd);
	close(go[0]);
	close(go[1]);
	CHECK(gain_wait(pid) <= 1);
}

static void attack_during_exec(void)
{
	long most = -1;
	for (int i = 0; i < 60; i++)
		watch_exec(victim, &most);
	CHECK(most <= 0);
}

static void what_execve_makes_is_not_shown_on_the_way(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_during_exec);
}

/* ---- asked for after ---- */

static int count_doors(int pid)
{
	unsigned long word;
	size_t size;
	void *head;
	struct iovec local = { &word, 8 }, remote = { (void *)&flag, 1 };
	struct rlimit none = { 0, 0 }, old;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), n = 0, got;
	local.iov_len = 1;
	n += process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1;
	n += process_vm_writev(pid, &local, 1, &remote, 1, 0) == 1;
	got = (int)syscall(SYS_pidfd_getfd, fd, 0, 0);
	n += got >= 0;
	close(got);
	n += syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0) >= 0;
	n += !syscall(SYS_get_robust_list, pid, &head, &size);
	n += !prlimit(pid, RLIMIT_CORE, &none, &old);
	n += !prlimit(pid, RLIMIT_NOFILE, NULL, &old);
	n += !syscall(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0);
	close(fd);
	return n;
}

#define DOORS 8

static int hold_dropping(void)
{
	int told[2], in[2];
	char c;
	CHECK(!pipe2(told, O_CLOEXEC) && !pipe2(in, O_CLOEXEC));
	int pid = fork();
	if (!pid) {
		dup2(in[0], 0);
		dup2(told[1], 1);
		execl(victim, "drops", NULL);
		_exit(98);
	}
	close(told[1]);
	CHECK_EQ(read(told[0], &c, 1), 1);
	return pid;
}

static void attack_doors(void)
{
	int pid = gain_hold("./plain");
	CHECK_EQ(count_doors(pid), DOORS);
	gain_end(pid);
	pid = gain_hold(victim);
	CHECK_EQ(count_doors(pid), 0);
	CHECK_ERR(setpgid(pid, pid), EACCES);
	gain_end(pid);
}

static void all_doors_into_it_are_shut(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_doors);
}

/* What it learnt as root is in its memory still. Limits and stops it takes from those
 * whose ids it has. */
static void attack_dropped(void)
{
	char path[64];
	int pid = hold_dropping();
	CHECK_EQ(count_doors(pid), 2);
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	CHECK_ERR(open(path, O_RDONLY), EACCES);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(gain_wait(pid), 128 + SIGKILL);
}

static void it_stays_shut_when_it_is_root_no_more(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_dropped);
}

/* kill(2): the real user may; but not with what the kernel alone says. */
static void attack_signals(void)
{
	int pid = gain_hold(victim);
	siginfo_t si = { .si_signo = SIGTERM, .si_code = SI_KERNEL };
	CHECK_ERR(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &si), EPERM);
	si.si_code = SI_TKILL;
	CHECK_ERR(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &si), EPERM);
	CHECK_EQ(kill(pid, 0), 0);
	si.si_code = SI_QUEUE;
	CHECK_EQ(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &si), 0);
	CHECK_EQ(gain_wait(pid), 128 + SIGTERM);
}

static void signals_to_it_are_not_forged(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_signals);
}

static int roots; /* a process that is root by all its ids */

/* Input as a pretext: the signal is sent in the name of who asked for it. */
static void signal_by_input(int pid)
{
	int p[2];
	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	CHECK_EQ(fcntl(p[0], F_SETOWN, pid), 0);
	CHECK_EQ(fcntl(p[0], F_SETSIG, SIGKILL), 0);
	CHECK_EQ(fcntl(p[0], F_SETFL, O_ASYNC), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	close(p[0]);
	close(p[1]);
}

static void attack_roots_process(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGKILL };
	timer_t t;
	CHECK_ERR(kill(roots, SIGKILL), EPERM);
	CHECK_ERR(kill(roots, 0), EPERM);
	CHECK_ERR(syscall(SYS_tgkill, roots, roots, SIGSTOP), EPERM);
	int fd = (int)syscall(SYS_pidfd_open, roots, 0);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0), EPERM);
	((int *)&e.sigev_notify)[1] = roots; /* sigev_notify_thread_id */
	CHECK_ERR(timer_create(CLOCK_MONOTONIC, &e, &t), EINVAL);
	signal_by_input(roots);
	usleep(5000);
	int own = gain_hold("./plain");
	signal_by_input(own);
	CHECK_EQ(gain_wait(own), 128 + SIGKILL);
}

static void root_is_not_signalled(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	roots = gain_hold(victim);
	gain_as_plain(attack_roots_process);
	gain_end(roots);
}

/* ---- what it is left with ---- */

static void attack_by_complaint(void)
{
	int pid = fork();
	if (!pid) {
		int fd = open("/proc/self/mem", O_RDWR);
		CHECK_EQ(lseek(fd, (off_t)&flag, SEEK_SET), (off_t)&flag);
		CHECK_EQ(dup2(fd, FD), FD);
		execl(victim, victim, "--complain", NULL);
	}
	CHECK_EQ(gain_wait(pid), 'a');
	int fd = open("/proc/self/mem", O_RDWR);
	CHECK_EQ(pwrite(fd, "b", 1, (off_t)&flag), 1);
	CHECK_EQ(flag, 'b');
}

static void its_complaint_does_not_change_it(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_by_complaint);
}

static char stack[2][16384];
static const char *shared_with;

static int run_alone(void *arg)
{
	(void)arg;
	execl(shared_with, shared_with, "--alone", NULL);
	return 96;
}

static int nap(void *arg)
{
	(void)arg;
	return is_left_alone();
}

/* Memory and descriptors are shared with the child until it execs, but not after. */
static int meddle_with(int (*fn)(void *arg))
{
	CHECK_EQ(dup2(open("./plain", O_RDONLY), FD), FD);
	flag = 'a';
	int pid = clone(fn, stack[0] + sizeof stack[0], CLONE_VM | CLONE_FILES | SIGCHLD,
			NULL);
	usleep(3000);
	flag = 'b';
	CHECK_EQ(dup2(open("/dev/null", O_RDONLY), FD), FD);
	return gain_wait(pid);
}

static void attack_what_was_shared(void)
{
	CHECK_EQ(meddle_with(nap), 1);
	shared_with = victim;
	CHECK_EQ(meddle_with(run_alone), 0);
}

static void what_was_shared_is_its_own(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_what_was_shared);
}

static void arm_timer(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec soon = { .it_value.tv_nsec = 30000000 };
	timer_t t;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &e, &t), 0);
	CHECK_EQ(timer_settime(t, 0, &soon, NULL), 0);
}

static void attack_by_timer(void)
{
	int pid = fork();
	if (!pid) {
		arm_timer();
		usleep(60000);
		_exit(0);
	}
	CHECK_EQ(gain_wait(pid), 128 + SIGKILL);
	pid = fork();
	if (!pid) {
		arm_timer();
		execl(victim, victim, "--nap", NULL);
	}
	CHECK_EQ(gain_wait(pid), 0);
}

static void timers_of_before_are_gone(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_by_timer);
}

/* A child that says with SIGKILL that it ends. */
static void begin_child(void)
{
	int pid = (int)syscall(SYS_clone, SIGKILL, 0, 0, 0, 0);
	if (!pid) {
		usleep(30000);
		_exit(0);
	}
	CHECK(pid > 0);
}

static void attack_by_child(void)
{
	int pid = fork();
	if (!pid) {
		begin_child();
		usleep(60000);
		_exit(0);
	}
	CHECK_EQ(gain_wait(pid), 128 + SIGKILL);
	pid = fork();
	if (!pid) {
		begin_child();
		execl(victim, victim, "--nap", NULL);
	}
	CHECK_EQ(gain_wait(pid), 0);
}

static void a_child_of_before_ends_as_others_do(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_by_child);
}

GAIN_MAIN(own_words, CASE(files_of_the_process_from_before_show_nothing),
	  CASE(what_execve_makes_is_not_shown_on_the_way),
	  CASE(all_doors_into_it_are_shut), CASE(it_stays_shut_when_it_is_root_no_more),
	  CASE(signals_to_it_are_not_forged), CASE(root_is_not_signalled),
	  CASE(its_complaint_does_not_change_it), CASE(what_was_shared_is_its_own),
	  CASE(timers_of_before_are_gone), CASE(a_child_of_before_ends_as_others_do))

/* libc: musl glibc */
/* Policies, nice levels, affinity, limits, prctl(2), uname(2), sysinfo(2), getrandom(2),
 * close_range(2). */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

static void policies(void)
{
	struct sched_param p = { .sched_priority = 99 };
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	CHECK(!syscall(SYS_sched_getparam, 0, &p) && p.sched_priority == 0);
	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &p));
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
	p.sched_priority = 5;
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p), EINVAL);
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, 77, &p), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getscheduler, 999999), ESRCH);
	CHECK_ERR(syscall(SYS_sched_getscheduler, -1), EINVAL);
	CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
	CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
	CHECK_ERR(sched_get_priority_max(77), EINVAL);
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nice_levels_share_a_cpu(void)
{
	cpu_set_t one;
	int p[2];
	double got[2] = { 0, 0 };
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK(!sched_setaffinity(0, sizeof one, &one) && !pipe(p));
	for (int i = 0; i < 2; i++)
		if (!fork()) {
			struct timespec now, end;
			setpriority(PRIO_PROCESS, 0, i * 10);
			clock_gettime(CLOCK_MONOTONIC, &end);
			end.tv_sec += 2;
			do
				clock_gettime(CLOCK_MONOTONIC, &now);
			while (now.tv_sec < end.tv_sec || now.tv_nsec < end.tv_nsec);
			struct {
				int who;
				double seconds;
			} said = { i, cpu_seconds() };
			_exit(write(p[1], &said, sizeof said) != sizeof said);
		}
	for (int i = 0; i < 2; i++) {
		struct {
			int who;
			double seconds;
		} said;
		CHECK_EQ(read(p[0], &said, sizeof said), sizeof said);
		got[said.who] = said.seconds;
	}
	CHECK(got[0] > got[1] * 2.5 && got[1] > 0.01); /* about 9 to 1 */
}

static long forced_switches(void)
{
	struct rusage usage;
	CHECK(!getrusage(RUSAGE_THREAD, &usage));
	return usage.ru_nivcsw;
}

/* The kernel is not preempted: a long call must give way by itself, and not only once, on
 * its way out. */
static void long_calls_give_way(void)
{
	enum { CHUNK = 1 << 20, TIMES = 1024 };
	static char buf[CHUNK];
	static struct iovec iov[TIMES];
	cpu_set_t all, one;
	int fd = memfd_create("long", 0);

	CHECK(!ftruncate(fd, (off_t)CHUNK * TIMES));
	CHECK(!sched_getaffinity(0, sizeof(all), &all));
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK(!sched_setaffinity(0, sizeof(one), &one));
	pid_t rival = fork();
	if (!rival)
		for (;;)
			getppid();
	for (int i = 0; i < TIMES; i++)
		iov[i] = (struct iovec){ buf, CHUNK };
	long before = forced_switches();
	CHECK_EQ(preadv(fd, iov, TIMES, 0), (long)CHUNK * TIMES);
	CHECK(forced_switches() - before > 1);
	kill(rival, SIGKILL);
	CHECK_EQ(waitpid(rival, NULL, 0), rival);
	CHECK(!sched_setaffinity(0, sizeof(all), &all));
	close(fd);
}

static void affinity_masks(void)
{
	cpu_set_t all, one;
	uint64_t small[64];
	CHECK(!sched_getaffinity(0, sizeof all, &all) && CPU_COUNT(&all) >= 1);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		CHECK(!sched_setaffinity(0, sizeof one, &one));
		CHECK_EQ(sched_getcpu(), cpu);
	}
	CPU_ZERO(&one);
	CHECK_ERR(sched_setaffinity(0, sizeof one, &one), EINVAL);
	CPU_SET(CPU_SETSIZE - 1, &one);
	CHECK_ERR(sched_setaffinity(0, sizeof one, &one), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 1, small), EINVAL);
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof small, small) >= 8);
	CHECK_ERR(sched_setaffinity(999999, sizeof all, &all), ESRCH);
}

static void names_and_flags(void)
{
	char name[32] = "";
	int sig = -1;
	CHECK(!prctl(PR_SET_NAME, "a name that is too long for it"));
	CHECK(!prctl(PR_GET_NAME, name) && !strcmp(name, "a name that is "));
	CHECK(!prctl(PR_SET_PDEATHSIG, SIGUSR1) && !prctl(PR_GET_PDEATHSIG, &sig));
	CHECK_EQ(sig, SIGUSR1);
	CHECK_ERR(prctl(PR_SET_PDEATHSIG, 99), EINVAL);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
	CHECK(!prctl(PR_SET_DUMPABLE, 0) && prctl(PR_GET_DUMPABLE) == 0);
	CHECK_ERR(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	int on = -1;
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1) && !prctl(PR_GET_CHILD_SUBREAPER, &on) &&
	      on == 1);
	CHECK(prctl(PR_CAPBSET_READ, 0) >= 0);
	CHECK_ERR(prctl(PR_CAPBSET_READ, 99), EINVAL);
	CHECK_ERR(prctl(123456), EINVAL);
	CHECK(!prctl(PR_SET_TIMERSLACK, 12345) && prctl(PR_GET_TIMERSLACK) == 12345);
}

static void capabilities_can_be_dropped(void)
{
	tap_needs_root();
	CHECK(prctl(PR_CAPBSET_READ, 21 /* CAP_SYS_ADMIN */) >= 0);
	CHECK(!prctl(PR_CAPBSET_DROP, 23 /* CAP_SYS_NICE */));
	CHECK_EQ(prctl(PR_CAPBSET_READ, 23), 0);
	CHECK(!setresuid(1000, 1000, 1000));
	CHECK_ERR(prctl(PR_CAPBSET_DROP, 1), EPERM);
}

static void limits(void)
{
	struct rlimit l, old;
	CHECK(!getrlimit(RLIMIT_NOFILE, &old) && old.rlim_cur <= old.rlim_max);
	l = (struct rlimit){ 20, 30 };
	CHECK(!setrlimit(RLIMIT_NOFILE, &l) && !getrlimit(RLIMIT_NOFILE, &l));
	CHECK(l.rlim_cur == 20 && l.rlim_max == 30);
	CHECK_ERR(fcntl(0, F_DUPFD, 25), EINVAL);
	l = (struct rlimit){ 31, 30 };
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &l), EINVAL);
	CHECK_ERR(getrlimit(99, &l), EINVAL);
	pid_t pid = fork();
	if (!pid) {
		if (setresuid(1000, 1000, 1000))
			_exit(0); /* not root: nothing to give up */
		l = (struct rlimit){ 20, 31 };
		_exit(!(setrlimit(RLIMIT_NOFILE, &l) == -1 && errno == EPERM));
	}
	CHECK_EQ(tap_wait(pid), 0);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	struct rlimit64_of {
		uint64_t cur, max;
	} set = { 7, 8 }, was;
	CHECK(!syscall(SYS_prlimit64, pid, RLIMIT_CORE, NULL, &was));
	CHECK(was.max < 8 || !syscall(SYS_prlimit64, pid, RLIMIT_CORE, &set, &was));
	kill(pid, 9);
	tap_wait(pid);
}

static void the_system_tells(void)
{
	struct utsname u;
	struct sysinfo s;
	CHECK(!uname(&u) && !strcmp(u.sysname, "Linux") && !strcmp(u.machine, "x86_64"));
	CHECK(u.release[0] >= '3' && u.nodename[0] && u.version[0]);
	CHECK(!sysinfo(&s) && s.totalram > 0 && s.freeram < s.totalram && s.procs > 0);
	CHECK(s.mem_unit >= 1);
	struct tms t;
	CHECK(times(&t) != -1 && t.tms_utime >= 0);
}

static void random_numbers(void)
{
	unsigned char a[256] = { 0 }, b[256] = { 0 };
	int same = 0;
	CHECK_EQ(syscall(SYS_getrandom, a, 256, 0), 256);
	CHECK_EQ(syscall(SYS_getrandom, b, 256, 1 /* GRND_NONBLOCK */), 256);
	for (int i = 0; i < 256; i++)
		same += a[i] == b[i];
	CHECK(same < 20);
	CHECK_EQ(syscall(SYS_getrandom, a, 0, 0), 0);
	CHECK_ERR(syscall(SYS_getrandom, a, 1, 0x100), EINVAL);
}

static void close_ranges(void)
{
	for (int fd = 50; fd < 60; fd++)
		CHECK_EQ(dup2(0, fd), fd);
	if (syscall(436 /* close_range */, 53, 55, 0) && errno == ENOSYS)
		tap_skip("no close_range");
	CHECK(fcntl(52, F_GETFD) == 0 && fcntl(56, F_GETFD) == 0);
	CHECK_ERR(fcntl(53, F_GETFD), EBADF);
	CHECK_ERR(fcntl(55, F_GETFD), EBADF);
	CHECK(!syscall(436, 56, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */));
	CHECK_EQ(fcntl(56, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(syscall(436, 5, 4, 0), EINVAL);
	CHECK_ERR(syscall(436, 5, 6, 8), EINVAL);
	CHECK(!syscall(436, 50, ~0u, 2 /* CLOSE_RANGE_UNSHARE */));
	CHECK_ERR(fcntl(56, F_GETFD), EBADF);
}

static void waitid_variants(void)
{
	siginfo_t info;
	pid_t a = fork();
	if (!a)
		_exit(5);
	memset(&info, 0, sizeof info);
	CHECK(!waitid(P_PID, (id_t)a, &info, WEXITED | WNOWAIT));
	CHECK(info.si_pid == a && info.si_code == CLD_EXITED && info.si_status == 5);
	CHECK(info.si_signo == SIGCHLD && info.si_uid == getuid());
	CHECK(!waitid(P_PID, (id_t)a, &info, WEXITED)); /* still there */
	CHECK_ERR(waitid(P_PID, (id_t)a, &info, WEXITED), ECHILD);
	a = fork();
	if (!a)
		for (;;)
			pause();
	memset(&info, 0, sizeof info);
	CHECK(!waitid(P_ALL, 0, &info, WEXITED | WNOHANG) && info.si_pid == 0);
	kill(a, SIGSTOP);
	CHECK(!waitid(P_PID, (id_t)a, &info, WSTOPPED) && info.si_code == CLD_STOPPED);
	CHECK_EQ(info.si_status, SIGSTOP);
	kill(a, SIGCONT);
	CHECK(!waitid(P_PID, (id_t)a, &info, WCONTINUED) &&
	      info.si_code == CLD_CONTINUED);
	kill(a, SIGKILL);
	CHECK(!waitid(P_PGID, (id_t)getpgrp(), &info, WEXITED) &&
	      info.si_code == CLD_KILLED);
	CHECK_EQ(info.si_status, SIGKILL);
	CHECK_ERR(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERR(waitid(77, 0, &info, WEXITED), EINVAL);
	CHECK_ERR(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
}

static void sessions_and_orphaned_groups(void)
{
	int p[2];
	char c = 0;
	CHECK(!pipe(p));
	pid_t leader = fork();
	if (!leader) {
		setsid();
		pid_t member = fork();
		if (!member) {
			setpgid(0, 0);
			signal(SIGHUP, SIG_DFL);
			kill(getpid(), SIGSTOP);
			_exit(0);
		}
		int status;
		waitpid(member, &status, WUNTRACED);
		/* Our end orphans a group with a stopped member: SIGHUP, then SIGCONT. */
		_exit(WIFSTOPPED(status) ? 0 : 1);
	}
	CHECK_EQ(tap_wait(leader), 0);
	close(p[1]);
	CHECK_EQ(read(p[0], &c, 1), 0); /* the member is gone: it held the other end */
}

TEST_MAIN(CASE(policies), CASE(nice_levels_share_a_cpu), CASE(long_calls_give_way),
	  CASE(affinity_masks), CASE(names_and_flags), CASE(capabilities_can_be_dropped),
	  CASE(limits), CASE(the_system_tells), CASE(random_numbers), CASE(close_ranges),
	  CASE(waitid_variants), CASE(sessions_and_orphaned_groups))

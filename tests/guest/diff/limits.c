/* rlimits, priorities, scheduling, prctl, usage, names of the machine, randomness. */
#include "diff.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* -- rlimits ------------------------------------------------------------------------- */

DIFF_CASE(rlimit_get_and_set)
{
	struct rlimit r;
	NEED(!getrlimit(RLIMIT_NOFILE, &r));
	say("%ld %ld", (long)r.rlim_cur, (long)r.rlim_max);
	TRY(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 5000, 4096 }));
	TRY(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 100, 200 }));
	TRY(syscall(SYS_getrlimit, 16, &r));
	TRY(syscall(SYS_getrlimit, 0, 8));
	TRY(syscall(SYS_setrlimit, 16, &r));
	TRY(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &r));
	TRY(syscall(SYS_prlimit64, 999999, RLIMIT_NOFILE, NULL, &r));
	TRY(syscall(SYS_prlimit64, getpid(), 16, NULL, &r));
	TRY(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 8, NULL));
	TRY(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL));
	become_nobody();
	TRY(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 200, 200 }));
	TRY(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 200, 201 }));
	TRY(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 50, 60 }));
	TRY(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 50, 61 }));
	TRY(syscall(SYS_prlimit64, 1, RLIMIT_NOFILE, NULL, &r));
}

DIFF_CASE(rlimit_inherited)
{
	struct rlimit r;
	NEED(!setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1000, 2000 }));
	pid_t pid = fork();
	if (!pid) {
		getrlimit(RLIMIT_FSIZE, &r);
		say("%ld %ld", (long)r.rlim_cur, (long)r.rlim_max);
		_exit(0);
	}
	reap(pid);
	pid = child_of(sleeper);
	TRY(syscall(SYS_prlimit64, pid, RLIMIT_FSIZE, &(struct rlimit){ 10, 20 }, &r));
	say("%ld %ld", (long)r.rlim_cur, (long)r.rlim_max);
	TRY(syscall(SYS_prlimit64, pid, RLIMIT_FSIZE, NULL, &r));
	say("%ld %ld", (long)r.rlim_cur, (long)r.rlim_max);
	kill(pid, SIGKILL);
	reap(pid);
}

static void spin(int sig)
{
	caught[sig]++;
}

static int burns(void)
{
	signal(SIGXCPU, spin);
	NEED(!setrlimit(RLIMIT_CPU, &(struct rlimit){ 1, 2 }));
	while (caught[SIGXCPU] < 100)
		;
	return 0;
}

DIFF_CASE(rlimit_cpu_time)
{
	say_status("burner", reap(child_of(burns)));
}

/* -- priorities and scheduling ------------------------------------------------------- */

DIFF_CASE(priority_corners)
{
	TRY(syscall(SYS_getpriority, PRIO_PROCESS, 0));
	TRY(setpriority(PRIO_PROCESS, 0, 5));
	TRY(syscall(SYS_getpriority, PRIO_PROCESS, 0));
	TRY(setpriority(PRIO_PROCESS, 0, 100));
	TRY(syscall(SYS_getpriority, PRIO_PROCESS, 0));
	TRY(setpriority(PRIO_PROCESS, 0, -100));
	TRY(syscall(SYS_getpriority, PRIO_PROCESS, 0));
	TRY(setpriority(7, 0, 0));
	TRY(syscall(SYS_getpriority, 7, 0));
	TRY(syscall(SYS_getpriority, PRIO_PROCESS, 999999));
	TRY(setpriority(PRIO_PROCESS, 999999, 0));
	TRY(setpriority(PRIO_PGRP, 0, 3));
	TRY(syscall(SYS_getpriority, PRIO_PGRP, getpgrp()));
	become_nobody();
	TRY(setpriority(PRIO_PROCESS, 0, 4));
	TRY(setpriority(PRIO_PROCESS, 0, 3));
	TRY(setpriority(PRIO_PROCESS, getppid(), 10));
	TRY(syscall(SYS_getpriority, PRIO_USER, 0));
}

DIFF_CASE(sched_policies)
{
	struct sched_param p = { 0 };
	for (int policy = 0; policy < 7; policy++)
		say("policy %d: min %ld max %ld", policy,
		    syscall(SYS_sched_get_priority_min, policy),
		    syscall(SYS_sched_get_priority_max, policy));
	TRY(syscall(SYS_sched_getscheduler, 0));
	TRY(syscall(SYS_sched_getscheduler, -1));
	TRY(syscall(SYS_sched_getscheduler, 999999));
	TRY(syscall(SYS_sched_getparam, 0, &p));
	SHOW(p.sched_priority);
	TRY(syscall(SYS_sched_getparam, 0, NULL));
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &p));
	TRY(syscall(SYS_sched_getscheduler, 0));
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &p));
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
	TRY(syscall(SYS_sched_setscheduler, 0, 99, &p));
	TRY(syscall(SYS_sched_setscheduler, 0, -1, &p));
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
	p.sched_priority = 1;
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
	TRY(syscall(SYS_sched_setparam, 0, &p));
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL));
	TRY(syscall(SYS_sched_setscheduler, 999999, SCHED_OTHER, &p));
	become_nobody();
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
}

DIFF_CASE(sched_real_time)
{
	struct sched_param p = { .sched_priority = 5 };
	struct timespec t;
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
	TRY(syscall(SYS_sched_getscheduler, 0));
	TRY(syscall(SYS_sched_getparam, 0, &p));
	SHOW(p.sched_priority);
	p.sched_priority = 100;
	TRY(syscall(SYS_sched_setparam, 0, &p));
	p.sched_priority = 9;
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_RR | SCHED_RESET_ON_FORK, &p));
	TRY(syscall(SYS_sched_getscheduler, 0));
	pid_t pid = fork();
	if (!pid) {
		TRY(syscall(SYS_sched_getscheduler, 0));
		_exit(0);
	}
	reap(pid);
	TRY(syscall(SYS_sched_rr_get_interval, 0, &t));
	say("%ld.%09ld", (long)t.tv_sec, t.tv_nsec);
	TRY(syscall(SYS_sched_rr_get_interval, -1, &t));
	TRY(syscall(SYS_sched_rr_get_interval, 999999, &t));
}

DIFF_CASE(sched_affinity)
{
	unsigned char set[1024] = "";
	memset(set, 0, sizeof set);
	TRY(syscall(SYS_sched_getaffinity, 0, 4, set));
	TRY(syscall(SYS_sched_getaffinity, 0, 12, set));
	SHOW(syscall(SYS_sched_getaffinity, 0, 1024, set) >= 8);
	SHOW(set[0] & 1);
	TRY(syscall(SYS_sched_getaffinity, 999999, 1024, set));
	TRY(syscall(SYS_sched_getaffinity, 0, 1024, 8));
	memset(set, 0, sizeof set);
	TRY(syscall(SYS_sched_setaffinity, 0, 1024, set));
	set[100] = 1;
	TRY(syscall(SYS_sched_setaffinity, 0, 1024, set));
	set[0] = 1;
	TRY(syscall(SYS_sched_setaffinity, 0, 1024, set));
	memset(set, 0xff, sizeof set);
	NEED(syscall(SYS_sched_getaffinity, 0, 1024, set) >= 8);
	say("%x %x", set[0], set[1]);
	TRY(syscall(SYS_sched_setaffinity, 0, 1, set));
	TRY(syscall(SYS_sched_setaffinity, 0, 1024, 8));
	unsigned cpu = 9;
	TRY(syscall(SYS_getcpu, &cpu, NULL, NULL));
	SHOW(cpu);
	become_nobody();
	TRY(syscall(SYS_sched_setaffinity, getppid(), 1024, set));
}

/* -- prctl --------------------------------------------------------------------------- */

DIFF_CASE(prctl_names)
{
	char name[17] = "zzzzzzzzzzzzzzzz";
	TRY(prctl(PR_SET_NAME, "a name that is far too long"));
	TRY(prctl(PR_GET_NAME, name));
	say("%s", name);
	say_file("/proc/self/comm");
	int fd = open("/proc/self/comm", O_WRONLY);
	TRY(write(fd, "from proc", 9));
	TRY(prctl(PR_GET_NAME, name));
	say("%s", name);
	TRY(prctl(PR_SET_NAME, 8));
	TRY(prctl(PR_GET_NAME, 8));
	TRY(prctl(PR_SET_NAME, ""));
	TRY(prctl(PR_GET_NAME, name));
	say("[%s]", name);
}

DIFF_CASE(prctl_various)
{
	int v = 0;
	TRY(prctl(PR_GET_DUMPABLE));
	TRY(prctl(PR_SET_DUMPABLE, 2));
	TRY(prctl(PR_SET_DUMPABLE, 0));
	TRY(prctl(PR_GET_DUMPABLE));
	TRY(prctl(PR_SET_PDEATHSIG, 5));
	TRY(prctl(PR_GET_PDEATHSIG, &v));
	SHOW(v);
	TRY(prctl(PR_GET_PDEATHSIG, 8));
	TRY(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	TRY(prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0));
	TRY(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	TRY(prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0));
	TRY(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	TRY(prctl(PR_GET_TSC, &v));
	SHOW(v);
	TRY(prctl(PR_SET_CHILD_SUBREAPER, 5));
	TRY(prctl(PR_GET_CHILD_SUBREAPER, &v));
	SHOW(v);
	TRY(prctl(PR_GET_SECCOMP));
	TRY(prctl(9999, 0, 0, 0, 0));
	TRY(prctl(-1, 0, 0, 0, 0));
	TRY(prctl(PR_GET_TIMING));
	TRY(prctl(PR_SET_TIMING, 1));
	TRY(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	TRY(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
	TRY(prctl(PR_GET_UNALIGN, &v));
}

DIFF_CASE(arch_prctl_corners)
{
	unsigned long v = 0;
	TRY(syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &v));
	SHOW(v != 0);
	TRY(syscall(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, 0x1234));
	TRY(syscall(SYS_arch_prctl, 0x1004 /* ARCH_GET_GS */, &v));
	SHOW(v);
	TRY(syscall(SYS_arch_prctl, 0x1001, 1ul << 63));
	TRY(syscall(SYS_arch_prctl, 0x1002, 1ul << 63));
	TRY(syscall(SYS_arch_prctl, 0x1003, 8));
	TRY(syscall(SYS_arch_prctl, 0x9999, 0));
}

/* -- usage --------------------------------------------------------------------------- */

DIFF_CASE(getrusage_corners)
{
	struct rusage ru;
	memset(&ru, 0x55, sizeof ru);
	TRY(getrusage(RUSAGE_SELF, &ru));
	SHOW(ru.ru_ixrss | ru.ru_idrss | ru.ru_isrss | ru.ru_nswap | ru.ru_msgsnd |
	     ru.ru_msgrcv | ru.ru_nsignals);
	TRY(getrusage(RUSAGE_THREAD, &ru));
	TRY(getrusage(RUSAGE_CHILDREN, &ru));
	SHOW(ru.ru_utime.tv_sec + ru.ru_utime.tv_usec + ru.ru_maxrss);
	TRY(getrusage(5, &ru));
	TRY(getrusage(-5, &ru));
	TRY(syscall(SYS_getrusage, 0, 8));
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = fork();
	if (!pid) {
		int64_t end = now_ns() + 30000000;
		while (now_ns() < end)
			;
		_exit(0);
	}
	while (!kill(pid, 0))
		nap(1);
	getrusage(RUSAGE_CHILDREN, &ru);
	say("children that were ignored count: %ld", (long)ru.ru_utime.tv_usec);
}

DIFF_CASE(sysinfo_corners)
{
	struct sysinfo s;
	memset(&s, 0x55, sizeof s);
	TRY(sysinfo(&s));
	SHOW(s.mem_unit);
	SHOW(s.totalram > s.freeram);
	SHOW(s.totalhigh | s.freehigh);
	SHOW(s.procs > 0);
	TRY(syscall(SYS_sysinfo, 8));
}

DIFF_CASE(uname_corners)
{
	struct utsname u;
	TRY(uname(&u));
	say("%s %s", u.sysname, u.machine);
	TRY(syscall(SYS_uname, 8));
	TRY(sethostname("box", 3));
	TRY(setdomainname("dom", 3));
	TRY(uname(&u));
	say("%s %s", u.nodename, u.domainname);
	TRY(syscall(SYS_sethostname, "x", 65));
	TRY(syscall(SYS_sethostname, "x", -1));
	TRY(syscall(SYS_sethostname, 8, 3));
	TRY(sethostname("", 0));
	TRY(uname(&u));
	say("[%s]", u.nodename);
	become_nobody();
	TRY(sethostname("x", 1));
}

DIFF_CASE(getrandom_corners)
{
	unsigned char a[32], b[32];
	TRY(getrandom(a, sizeof a, 0));
	TRY(getrandom(b, sizeof b, GRND_NONBLOCK));
	SHOW(!memcmp(a, b, sizeof a));
	TRY(getrandom(a, 0, 0));
	TRY(getrandom(a, 1, 0x10));
	TRY(getrandom(a, 1, GRND_RANDOM | 4));
	TRY(getrandom(a, 8, GRND_RANDOM));
	TRY(getrandom((void *)8, 8, 0));
	int fd = open("/dev/urandom", O_RDWR);
	TRY(read(fd, a, 32));
	TRY(write(fd, a, 32));
	TRY(lseek(fd, 0, SEEK_SET));
}

DIFF_CASE(process_maps_of_the_vdso)
{
	char line[256], rights[8], offset[16], dev[16], name[64];
	FILE *f = fopen("/proc/self/maps", "r");
	NEED(f);
	while (fgets(line, sizeof line, f)) {
		int n = sscanf(line, "%*s %7s %15s %15s %*s %63s", rights, offset, dev,
			       name);
		if (n == 4 && (!strcmp(name, "[vdso]") || !strcmp(name, "[vvar]")))
			say("%s %s %s %s", rights, offset, dev, name);
	}
	fclose(f);
}

/* -- calls that are not there -------------------------------------------------------- */

DIFF_CASE(syscall_numbers_beyond)
{
	TRY(syscall(1001, 0, 0, 0));
	TRY(syscall(-1, 0, 0, 0));
	TRY(syscall(400, 0, 0, 0));
	TRY(syscall(423, 0, 0, 0));
	TRY(syscall(1 << 30 | SYS_getpid));
	TRY(syscall(SYS_uselib, 0));
	TRY(syscall(SYS_create_module, 0));
	TRY(syscall(SYS_nfsservctl, 0));
	TRY(syscall(SYS_tuxcall, 0));
}

DIFF_CASE(process_proc_entries)
{
	char b[64] = "";
	TRY(access("/proc/self/stat", R_OK));
	TRY(readlink("/proc/self/cwd", b, sizeof b) > 0);
	say("%s", b);
	TRY(open("/proc/self/mem", O_RDONLY) >= 0);
	TRY(access("/proc/999999", F_OK));
	TRY(mkdir("/proc/x", 0755));
	TRY(unlink("/proc/self/stat"));
	TRY(open("/proc/self/new", O_CREAT | O_RDWR, 0644));
	TRY(open("/proc/version", O_WRONLY));
	int fd = open("/proc/self/cmdline", O_RDONLY);
	char a[8], c[8];
	TRY(pread(fd, a, 1, 0));
	TRY(read(fd, c, 1));
	SHOW(a[0] == c[0]);
	TRY(lseek(fd, 0, SEEK_END));
	TRY(read(open("/proc/self/environ", O_RDONLY), b, 0));
}

/* /proc's figures, where a program can know what they must be. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/slurp.h"
#include "common/tap.h"

#define PAGE 4096ul

/* ---- accounts ---- */

static void io_is_counted(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600), zero = open("/dev/zero", O_RDONLY);
	char *b = calloc(1, 100000);
	long rchar = slurp_field("/proc/self/io", "rchar"), syscr, own;
	long wchar = slurp_field("/proc/self/io", "wchar");
	long syscw = slurp_field("/proc/self/io", "syscw");

	CHECK(fd >= 0 && zero >= 0);
	CHECK_EQ(write(fd, b, 100000), 100000);
	CHECK_EQ(pwrite(fd, b, 50, 0), 50);
	CHECK_EQ(slurp_field("/proc/self/io", "wchar"), wchar + 100050);
	CHECK_EQ(slurp_field("/proc/self/io", "syscw"), syscw + 2);
	syscr = slurp_field("/proc/self/io", "syscr");
	rchar = slurp_field("/proc/self/io", "rchar");
	/* Looking at the file is itself two reads, of its text and of the end. */
	own = slurp_field("/proc/self/io", "rchar") - rchar;
	CHECK(own > 50 && own < 300);
	CHECK_EQ(slurp_field("/proc/self/io", "syscr"), syscr + 2 * 3);
	rchar = slurp_field("/proc/self/io", "rchar");
	CHECK_EQ(read(zero, b, 70000), 70000);
	long after = slurp_field("/proc/self/io", "rchar") - rchar;
	CHECK(after >= 70000 + 50 && after < 70000 + 300);
	CHECK_ERR(write(zero, b, 1), EBADF);
}

static void io_of_children_is_added_when_they_are_waited_for(void)
{
	char *b = calloc(1, 100000);
	long before = slurp_field("/proc/self/io", "rchar");
	pid_t pid = fork();

	if (!pid)
		_exit(read(open("/dev/zero", O_RDONLY), b, 100000) != 100000);
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(slurp_field("/proc/self/io", "rchar") >= before + 100000);
}

static void switches_are_counted(void)
{
	long before = slurp_field("/proc/self/status", "voluntary_ctxt_switches");

	for (int i = 0; i < 20; i++)
		usleep(5000);
	CHECK(slurp_field("/proc/self/status", "voluntary_ctxt_switches") >= before + 10);
	CHECK(strstr(slurp("/proc/self/sched"), "\nnr_voluntary_switches "));
}

static void faults_agree_with_getrusage(void)
{
	struct rusage a, b;
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(!getrusage(RUSAGE_THREAD, &a));
	for (size_t i = 1 << 20; i; i -= PAGE)
		p[i - 1] = 1;
	CHECK(!getrusage(RUSAGE_THREAD, &b));
	CHECK(b.ru_minflt - a.ru_minflt >= 256 && b.ru_minflt - a.ru_minflt < 300);
	CHECK(slurp_stat("/proc/thread-self/stat", 10) >= b.ru_minflt);
	CHECK(slurp_field("/proc/vmstat", "pgfault") >= 256);
}

/* ---- what a process holds ---- */

static const char *fdinfo(int fd)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	return slurp(path);
}

static void fdinfo_of_each_kind(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR | O_CLOEXEC, 0600), e = eventfd(5, 0);
	sigset_t set;
	struct stat st;
	char want[64];

	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK(!strncmp(fdinfo(fd), "pos:\t5\nflags:\t02", 16));
	CHECK(strstr(slurped, "\nmnt_id:\t") && !fstat(fd, &st));
	snprintf(want, sizeof want, "\nino:\t%lu\n", (unsigned long)st.st_ino);
	CHECK(strstr(slurped, want));
	CHECK(strtoul(strstr(slurped, "flags:") + 7, NULL, 8) & O_CLOEXEC);
	CHECK(strstr(fdinfo(e), "eventfd-count:                5\n"));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(strstr(fdinfo(signalfd(-1, &set, 0)), "sigmask:\t0000000000000200\n"));
	int t = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK(strstr(fdinfo(t), "clockid: 1\n") &&
	      strstr(slurped, "it_interval: (0, 0)"));
	int ep = epoll_create1(0);
	for (int i = 0; i < 200; i++) {
		struct epoll_event ev = { EPOLLIN, { .fd = i } };
		CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, eventfd(0, 0), &ev));
	}
	int n = 0;
	for (const char *s = fdinfo(ep); (s = strstr(s, "\ntfd:")); s++)
		n++;
	CHECK_EQ(n, 200);
}

static void locks_are_shown(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	struct flock l = { .l_type = F_WRLCK, .l_start = 10, .l_len = 20 };
	struct stat st;
	char want[128];

	CHECK(fd >= 0 && !fstat(fd, &st));
	CHECK(!flock(fd, LOCK_SH));
	CHECK(!fcntl(fd, F_SETLK, &l));
	snprintf(want, sizeof want, ": POSIX  ADVISORY  WRITE %d ", getpid());
	CHECK(strstr(slurp("/proc/locks"), want));
	snprintf(want, sizeof want, ":%lu 10 29\n", (unsigned long)st.st_ino);
	CHECK(strstr(slurped, want));
	snprintf(want, sizeof want, ": FLOCK  ADVISORY  READ %d ", getpid());
	CHECK(strstr(slurped, want));
	CHECK(strstr(fdinfo(fd), "lock:\t1: "));
	CHECK(!flock(fd, LOCK_UN));
	CHECK(!strstr(slurp("/proc/locks"), want));
}

static void children_are_listed(void)
{
	pid_t a = fork(), b;
	char want[64];

	if (!a)
		for (;;)
			pause();
	b = fork();
	if (!b)
		for (;;)
			pause();
	snprintf(want, sizeof want, "%d %d ", a, b);
	CHECK(!strcmp(slurp("/proc/thread-self/children"), want));
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	tap_wait(a);
	tap_wait(b);
	CHECK_EQ(slurp_size("/proc/thread-self/children"), 0);
}

static void a_sleeper_shows_its_call(void)
{
	char path[64];
	pid_t pid = fork();

	if (!pid) {
		syscall(SYS_nanosleep, &(struct timespec){ 100, 0 }, 0x1234);
		_exit(0);
	}
	snprintf(path, sizeof path, "/proc/%d/syscall", pid);
	for (int i = 0; i < 200 && !strncmp(slurp(path), "running", 7); i++)
		usleep(5000);
	int nr;
	unsigned long a[8];
	CHECK_EQ(sscanf(slurp(path), "%d %lx %lx %lx %lx %lx %lx %lx %lx", &nr, &a[0],
			&a[1], &a[2], &a[3], &a[4], &a[5], &a[6], &a[7]),
		 9);
	CHECK_EQ(nr, SYS_nanosleep);
	CHECK_EQ(a[1], 0x1234);
	snprintf(path, sizeof path, "/proc/%d/wchan", pid);
	CHECK(strcmp(slurp(path), "0"));
	kill(pid, SIGKILL);
	tap_wait(pid);
}

/* ---- what can be set ---- */

static void settings(void)
{
	CHECK_EQ(spit("/proc/self/coredump_filter", "0x7f"), 0);
	CHECK(!strcmp(slurp("/proc/self/coredump_filter"), "0000007f\n"));
	pid_t pid = fork();
	if (!pid)
		_exit(strcmp(slurp("/proc/self/coredump_filter"), "0000007f\n"));
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(spit("/proc/self/timerslack_ns", "1234"), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 1234);
	CHECK_EQ(slurp_field("/proc/self/timerslack_ns", ""), -1);
	CHECK_EQ(spit("/proc/self/comm", "a\\b"), 0);
	CHECK(!strncmp(slurp("/proc/self/status"), "Name:\ta\\\\b\n", 11));
}

static void drop_privileges(void)
{
	CHECK(!setgid(1000) && !setuid(1000));
	CHECK(!prctl(PR_SET_DUMPABLE, 1));
}

static void oom_scores(void)
{
	tap_needs_root();
	int err = spit("/proc/self/oom_score_adj", "-500");
	if (err == EACCES && !tap_on_mayfly())
		tap_skip("needs CAP_SYS_RESOURCE");
	CHECK_EQ(err, 0);
	CHECK_EQ(atoi(slurp("/proc/self/oom_adj")), -8);
	CHECK_EQ(spit("/proc/self/oom_score_adj", "200"), 0);
	int high = atoi(slurp("/proc/self/oom_score"));
	CHECK(high >= 800 && high < 860);
	CHECK_EQ(spit("/proc/self/oom_score_adj", "-1000"), 0);
	CHECK_EQ(atoi(slurp("/proc/self/oom_score")), 0);
	CHECK_EQ(spit("/proc/self/oom_score_adj", "1001"), EINVAL);
	CHECK_EQ(spit("/proc/self/oom_adj", "15"), 0);
	CHECK_EQ(atoi(slurp("/proc/self/oom_score_adj")), 1000);
	CHECK_EQ(spit("/proc/self/oom_score_adj", "100"), 0);
	drop_privileges();
	/* Up at will, down to where privilege left it. */
	CHECK_EQ(spit("/proc/self/oom_score_adj", "300"), 0);
	CHECK_EQ(spit("/proc/self/oom_score_adj", "100"), 0);
	CHECK_EQ(spit("/proc/self/oom_score_adj", "99"), EACCES);
}

/* ---- who may ---- */

static void strangers_do_not_look(void)
{
	static const char *const closed[] = { "maps",	      "smaps",	     "environ",
					      "auxv",	      "io",	     "mem",
					      "syscall",      "personality", "pagemap",
					      "smaps_rollup", "stack" };
	static const char *const open_to_all[] = { "stat",    "statm",	"status",
						   "cmdline", "limits", "mounts",
						   "wchan",   "comm",	"oom_score",
						   "cgroup" };
	char path[64];
	int p[2];

	tap_needs_root();
	CHECK(!pipe(p));
	pid_t pid = fork();
	if (!pid) {
		char c;
		close(p[1]);
		_exit((int)read(p[0], &c, 1));
	}
	CHECK(!setgid(1000) && !setuid(1000));
	for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, closed[i]);
		int fd = open(path, O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, slurped, 100);
		if (n > 0)
			tap_fail(__FILE__, __LINE__, "%s can be read", path);
		CHECK(errno == EACCES || errno == EPERM);
	}
	for (size_t i = 0; i < sizeof open_to_all / sizeof *open_to_all; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, open_to_all[i]);
		CHECK(slurp_size(path) > 0);
	}
	snprintf(path, sizeof path, "/proc/%d/wchan", pid);
	CHECK(!strcmp(slurp(path), "0"));
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	CHECK_EQ(slurp_stat(path, 28), 0); /* where its stack begins */
	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	CHECK_ERR(readlink(path, slurped, 100), EACCES);
	snprintf(path, sizeof path, "/proc/%d/ns/mnt", pid);
	CHECK_ERR(readlink(path, slurped, 100), EACCES);
}

static void who_cannot_be_dumped_is_roots(void)
{
	struct stat st;

	tap_needs_root();
	drop_privileges();
	CHECK(!stat("/proc/self/maps", &st) && st.st_uid == 1000);
	CHECK(!prctl(PR_SET_DUMPABLE, 0));
	CHECK(!stat("/proc/self/maps", &st) && st.st_uid == 0);
	CHECK(!stat("/proc/self", &st) && st.st_uid == 1000);
	CHECK(slurp_size("/proc/self/maps") > 0); /* one's own all the same */
}

static void settings_of_the_system(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	CHECK_EQ(spit("/proc/sys/kernel/hostname", "here\n"), 0);
	CHECK(!strcmp(slurp("/proc/sys/kernel/hostname"), "here\n"));
	CHECK_EQ(spit("/proc/sys/vm/drop_caches", "3\n"), 0);
	CHECK_EQ(spit("/proc/sys/vm/drop_caches", "0"), EINVAL);
	CHECK_EQ(spit("/proc/sys/kernel/randomize_va_space", "0"), EACCES);
	CHECK_EQ(spit("/proc/sys/kernel/ostype", "x"), EACCES);
	CHECK_EQ(spit("/proc/sysrq-trigger", "b"), EPERM);
	drop_privileges();
	CHECK_EQ(spit("/proc/sys/kernel/hostname", "there"), EACCES);
	CHECK_EQ(spit("/proc/sys/vm/drop_caches", "3"), EACCES);
}

/* ---- the log ---- */

static void the_log_as_records(void)
{
	char record[1024];
	unsigned level;
	unsigned long long seq, us;
	bool seen = false;

	tap_needs_mayfly();
	tap_needs_root();
	int fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "<5>proc_values was here\n", 24), 24);
	ssize_t n;
	while ((n = read(fd, record, sizeof record - 1)) > 0) {
		record[n] = 0;
		CHECK_EQ(sscanf(record, "%u,%llu,%llu,-;", &level, &seq, &us), 3);
		CHECK(record[n - 1] == '\n');
		if (strstr(record, ";proc_values was here\n")) {
			seen = true;
			CHECK_EQ(level, 8 | 5);
		}
	}
	CHECK(n == -1 && errno == EAGAIN && seen);
	struct pollfd p = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
	pid_t pid = fork();
	if (!pid) {
		usleep(20000);
		_exit(spit("/dev/kmsg", "again"));
	}
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK(read(fd, record, sizeof record) > 0);
	tap_wait(pid);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
	CHECK_ERR(read(fd, record, sizeof record), EAGAIN);
	drop_privileges();
	CHECK_ERR(open("/dev/kmsg", O_RDONLY), EPERM);
	CHECK_ERR(open("/proc/kmsg", O_RDONLY), EACCES);
}

TEST_MAIN(CASE(io_is_counted), CASE(io_of_children_is_added_when_they_are_waited_for),
	  CASE(switches_are_counted), CASE(faults_agree_with_getrusage),
	  CASE(fdinfo_of_each_kind), CASE(locks_are_shown), CASE(children_are_listed),
	  CASE(a_sleeper_shows_its_call), CASE(settings), CASE(oom_scores),
	  CASE(strangers_do_not_look), CASE(who_cannot_be_dumped_is_roots),
	  CASE(settings_of_the_system), CASE(the_log_as_records))

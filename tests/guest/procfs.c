/* proc(5) as programs read it. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common/slurp.h"
#include "common/tap.h"

static void stat_line(void)
{
	int pid, ppid, pgrp;
	char state, *paren;
	slurp("/proc/self/stat");
	CHECK(sscanf(slurped, "%d", &pid) == 1 && pid == getpid());
	paren = strrchr(slurped, ')');
	CHECK(paren && sscanf(paren + 2, "%c %d %d", &state, &ppid, &pgrp) == 3);
	CHECK(state == 'R' && ppid == getppid() && pgrp == getpgrp());
	int fields = 2;
	for (const char *s = paren; *s; s++)
		fields += *s == ' ';
	CHECK_EQ(fields, 52);
}

static void status_lines(void)
{
	CHECK_EQ(slurp_field("/proc/self/status", "Pid"), getpid());
	CHECK_EQ(slurp_field("/proc/self/status", "PPid"), getppid());
	CHECK_EQ(slurp_field("/proc/self/status", "Uid"), getuid());
	CHECK_EQ(slurp_field("/proc/self/status", "Threads"), 1);
	CHECK(slurp_field("/proc/self/status", "VmRSS") > 0);
	CHECK(strstr(slurp("/proc/self/status"), "SigCgt:\t"));
	CHECK(strstr(slurped, "CapEff:\t"));
	CHECK(strstr(slurped, "NoNewPrivs:\t0"));
}

static void maps_show_what_is_mapped(void)
{
	char *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     want[64];
	CHECK(p != MAP_FAILED && !mprotect(p, 4096, PROT_NONE));
	snprintf(want, sizeof want, "%lx-%lx ---p 00000000 00:00 0 ", (unsigned long)p,
		 (unsigned long)p + 4096);
	CHECK(strstr(slurp("/proc/self/maps"), want));
	CHECK(strstr(slurped, "[stack]") && strstr(slurped, "[vdso]"));
	char self[256];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	CHECK(n > 0);
	self[n] = 0;
	CHECK(strstr(slurped, self));
}

static void links(void)
{
	char buf[256], want[64];
	const char *dir = tap_tmpdir();
	ssize_t n = readlink("/proc/self/cwd", buf, sizeof buf - 1);
	CHECK(n > 0);
	buf[n] = 0;
	CHECK(!strcmp(buf, dir));
	n = readlink("/proc/self", buf, sizeof buf - 1);
	CHECK(n > 0);
	buf[n] = 0;
	CHECK_EQ(atoi(buf), getpid());
	int fd = open("f", O_CREAT | O_RDWR, 0600), p[2];
	CHECK(fd >= 0 && !pipe(p));
	snprintf(want, sizeof want, "/proc/self/fd/%d", p[0]);
	n = readlink(want, buf, sizeof buf - 1);
	CHECK(n > 0);
	buf[n] = 0;
	CHECK(!strncmp(buf, "pipe:[", 6));
	CHECK(!unlink("f"));
	snprintf(want, sizeof want, "/proc/self/fd/%d", fd);
	n = readlink(want, buf, sizeof buf - 1);
	CHECK(n > 10 && !strncmp(buf + n - 10, " (deleted)", 10));
	int again = open(want, O_RDWR); /* the file itself, not its name */
	CHECK(again >= 0);
	CHECK_EQ(write(again, "x", 1), 1);
	struct stat st;
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_size, 1);
}

static void fd_directory_lists_descriptors(void)
{
	int n = 0, fd = dup(0);
	char want[16];
	bool seen = false;
	CHECK(fd >= 0);
	snprintf(want, sizeof want, "%d", fd);
	DIR *d = opendir("/proc/self/fd");
	CHECK(d);
	for (struct dirent *e; (e = readdir(d));) {
		n++;
		seen |= !strcmp(e->d_name, want);
	}
	CHECK(seen && n >= 5);
}

static void what_has_no_name_cannot_be_opened_again(void)
{
	char path[64];
	int fds[] = { eventfd(0, 0), epoll_create1(0),
		      timerfd_create(CLOCK_MONOTONIC, 0) };
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fds[i]);
		CHECK_ERR(open(path, O_RDWR), ENXIO);
	}
	int p[2];
	CHECK(!pipe(p)); /* a pipe can */
	snprintf(path, sizeof path, "/proc/self/fd/%d", p[1]);
	CHECK_EQ(write(open(path, O_WRONLY), "x", 1), 1);
}

static void processes_are_listed(void)
{
	bool me = false, init = false;
	DIR *d = opendir("/proc");
	CHECK(d);
	for (struct dirent *e; (e = readdir(d));) {
		me |= atoi(e->d_name) == getpid();
		init |= !strcmp(e->d_name, "1");
	}
	CHECK(me && init);
	CHECK_ERR(open("/proc/999999/stat", O_RDONLY), ENOENT);
}

static void a_dead_process_is_gone(void)
{
	char path[64];
	int p[2];
	CHECK(!pipe(p));
	pid_t pid = fork();
	if (!pid) {
		char c;
		close(p[1]);
		_exit((int)read(p[0], &c, 1));
	}
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	close(p[1]);
	usleep(30000);
	CHECK(strchr(slurp(path), ')') && strstr(slurped, ") Z "));
	tap_wait(pid);
	CHECK_ERR(read(fd, path, sizeof path), ESRCH);
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	CHECK_ERR(open(path, O_RDONLY), ENOENT);
}

static void command_line(void)
{
	slurp("/proc/self/cmdline");
	CHECK(strlen(slurped) > 0);
	slurp("/proc/self/comm");
	CHECK(strchr(slurped, '\n') == slurped + strlen(slurped) - 1);
}

static void memory_figures(void)
{
	struct sysinfo si;
	long total = slurp_field("/proc/meminfo", "MemTotal"), avail;
	avail = slurp_field("/proc/meminfo", "MemAvailable");
	CHECK(total > 1024 && avail > 0 && avail <= total);
	CHECK(slurp_field("/proc/meminfo", "MemFree") > 0);
	CHECK(!sysinfo(&si));
	CHECK_EQ(si.totalram / 1024 * si.mem_unit, total);
}

static void global_files(void)
{
	static const char *const files[] = {
		"/proc/stat",	     "/proc/uptime",	     "/proc/loadavg",
		"/proc/version",     "/proc/cpuinfo",	     "/proc/filesystems",
		"/proc/mounts",	     "/proc/self/mountinfo", "/proc/vmstat",
		"/proc/self/limits", "/proc/self/statm",     "/proc/self/io",
		"/proc/cmdline",     "/proc/interrupts",     "/proc/self/oom_score_adj"
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		slurp(files[i]);
		if (!strchr(slurped, '\n'))
			tap_fail(__FILE__, __LINE__, "%s holds no line", files[i]);
	}
	double up, idle;
	CHECK(sscanf(slurp("/proc/uptime"), "%lf %lf", &up, &idle) == 2 && up > 0);
	unsigned long user, nice, sys;
	CHECK(sscanf(slurp("/proc/stat"), "cpu %lu %lu %lu", &user, &nice, &sys) == 3);
	CHECK(strstr(slurp("/proc/sys/kernel/ostype"), "Linux"));
	CHECK(atoi(slurp("/proc/sys/kernel/pid_max")) >= 32768);
	CHECK_EQ(strlen(slurp("/proc/sys/kernel/random/boot_id")), 37);
}

static void reads_in_small_pieces_agree(void)
{
	static char whole[65536];
	strcpy(whole, slurp("/proc/self/limits"));
	int fd = open("/proc/self/limits", O_RDONLY);
	size_t n = 0;
	while (read(fd, slurped + n, 7) > 0)
		n = n + 7 < strlen(whole) ? n + 7 : strlen(whole);
	slurped[strlen(whole)] = 0;
	CHECK(!strcmp(whole, slurped));
	CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
	CHECK_EQ(read(fd, slurped, 3), 3);
	CHECK(!memcmp(slurped, whole + 4, 3));
}

static void memory_of_a_process(void)
{
	static char secret[] = "here";
	char got[5] = "";
	int fd = open("/proc/self/mem", O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, got, 4, (off_t)(size_t)secret), 4);
	CHECK(!strcmp(got, "here"));
	CHECK_EQ(pwrite(fd, "HERE", 4, (off_t)(size_t)secret), 4);
	CHECK(!strcmp(secret, "HERE"));
	CHECK_ERR(pread(fd, got, 4, 0), EIO);
}

static void mounts_can_be_watched(void)
{
	char dir[256];
	tap_needs_root();
	tap_needs_mayfly();
	snprintf(dir, sizeof dir, "%s", tap_tmpdir());
	int fd = open("/proc/self/mounts", O_RDONLY);
	struct pollfd p = { fd, POLLPRI, 0 };
	CHECK(fd >= 0);
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK(!mount("tmpfs", dir, "tmpfs", 0, ""));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLPRI);
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK(strstr(slurp("/proc/self/mounts"), dir));
	CHECK(!umount(dir));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(!strstr(slurp("/proc/self/mounts"), dir));
}

static void own_descriptors_without_dumpability(void)
{
	CHECK(!prctl(PR_SET_DUMPABLE, 0));
	CHECK(open("/proc/self/fd/1", O_RDONLY | O_PATH) >= 0);
	CHECK(opendir("/proc/self/fd"));
}

TEST_MAIN(CASE(stat_line), CASE(status_lines), CASE(maps_show_what_is_mapped),
	  CASE(links), CASE(fd_directory_lists_descriptors),
	  CASE(what_has_no_name_cannot_be_opened_again), CASE(processes_are_listed),
	  CASE(a_dead_process_is_gone), CASE(command_line), CASE(memory_figures),
	  CASE(global_files), CASE(reads_in_small_pieces_agree),
	  CASE(memory_of_a_process), CASE(mounts_can_be_watched),
	  CASE(own_descriptors_without_dumpability))

/* Looking at processes in /proc while they exec, exit and map: nothing that was theirs is
 * used after it has gone, and whatever is read ends. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

static const char *const files[] = {
	"stat",	 "statm",   "status",	    "cmdline", "environ", "auxv",     "maps",
	"smaps", "io",	    "smaps_rollup", "limits",  "wchan",	  "stack",    "syscall",
	"sched", "pagemap", "oom_score",    "mounts",  "comm",	  "fdinfo/0",
};
static const char *const links[] = { "exe", "cwd", "root", "fd/0", "ns/mnt" };

static void look(pid_t pid)
{
	static char buf[8192];
	char path[64];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
		int fd = open(path, O_RDONLY);
		if (fd >= 0) {
			ssize_t n = read(fd, buf, sizeof buf);
			(void)n;
			close(fd);
		}
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, links[i]);
		ssize_t n = readlink(path, buf, sizeof buf);
		int fd = open(path, O_PATH);
		if (fd >= 0)
			close(fd);
		(void)n;
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One that comes and goes, and maps and execs meanwhile. */
static void live(void)
{
	for (;;) {
		pid_t pid = fork();
		if (!pid) {
			char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (p != MAP_FAILED)
				memset(p, 1, 1 << 16);
			execl("/proc/self/exe", "proc_races", "end", (char *)NULL);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static void processes_that_come_and_go(void)
{
	pid_t lives[2];
	long looks = 0;

	for (int i = 0; i < 2; i++) {
		lives[i] = fork();
		if (!lives[i])
			live();
	}
	for (double end = now() + 4; now() < end;) {
		DIR *d = opendir("/proc");
		CHECK(d);
		for (struct dirent *e; (e = readdir(d));) {
			pid_t pid = atoi(e->d_name);
			if (pid > 1) {
				look(pid);
				looks++;
			}
		}
		closedir(d);
	}
	for (int i = 0; i < 2; i++) {
		kill(lives[i], SIGKILL);
		tap_wait(lives[i]);
	}
	CHECK(looks > 10);
}

static const struct tap_case cases[] = { CASE(processes_that_come_and_go) };

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "end"))
		return 0;
	return tap_run(cases, 1, argc, argv);
}

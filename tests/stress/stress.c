/*
 * Stressors: each drives one part of the kernel as hard as it goes, for some seconds, in
 * several processes at once, and checks its own results. After each the memory that was
 * free before must be free again.
 *
 *	stress SECONDS [NAME...]		prints one TAP point per stressor
 */
#include "stress.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What may be missing afterwards: caches that fill once, a stack or two per CPU. */
#define SLACK_KIB 1536
#define SETTLE_MS 4000
#define HANG_SECONDS 30

static const struct stressor {
	const char *name;
	void (*run)(struct stress *s);
	int processes; /* at once; 0: as many as CPUs, and one more */
} stressors[] = {
#define STRESSOR(name, processes) { #name, stress_##name, processes },
#include "stress.def"
#undef STRESSOR
};
#define STRESSORS (int)(sizeof stressors / sizeof stressors[0])

struct stress {
	time_t end;
	unsigned seed;
	char why[200]; /* shared with the driver */
};

bool stress_on(struct stress *s)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec < s->end;
}

unsigned stress_random(struct stress *s)
{
	return (unsigned)rand_r(&s->seed);
}

void stress_fail(struct stress *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof s->why, fmt, ap);
	va_end(ap);
	_exit(1);
}

static long meminfo(const char *name)
{
	char line[128];
	long kib = -1;
	size_t n = strlen(name);
	FILE *f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, name, n) && line[n] == ':')
			kib = atol(line + n + 1);
	if (f)
		fclose(f);
	return kib;
}

long stress_available_kib(void)
{
	return meminfo("MemAvailable");
}

static int entries_of_proc(void)
{
	int n = 0;
	DIR *d = opendir("/proc");
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] >= '1' && e->d_name[0] <= '9';
	if (d)
		closedir(d);
	return n;
}

static struct stress *shared_state(int n)
{
	struct stress *s = mmap(NULL, sizeof *s * (size_t)n, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return s;
}

static pid_t start(const struct stressor *what, struct stress *s)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	char dir[] = "/tmp/stress-XXXXXX";
	setpgid(0, 0);
	if (!mkdtemp(dir) || chdir(dir))
		stress_fail(s, "no folder of its own");
	what->run(s);
	if (chdir("/") || rmdir(dir))
		stress_fail(s, "left files behind");
	_exit(0);
}

/* Waits for all, killing those that hang. NULL, or what went wrong. */
static const char *collect(pid_t *pids, int n, struct stress *s, int seconds)
{
	static char why[256];
	time_t give_up = time(NULL) + seconds + HANG_SECONDS;
	why[0] = 0;
	for (int i = 0; i < n; i++) {
		int status;
		while (waitpid(pids[i], &status, WNOHANG) == 0) {
			if (time(NULL) > give_up) {
				snprintf(why, sizeof why, "hangs");
				kill(-pids[i], SIGKILL);
			}
			usleep(10000);
		}
		kill(-pids[i], SIGKILL); /* what it left */
		if (status && !why[0])
			snprintf(why, sizeof why, "status %#x %s", (unsigned)status,
				 s[i].why);
	}
	return why[0] ? why : NULL;
}

/* NULL, or what did not come back. */
static const char *settle(long kib, int processes)
{
	static char why[100];
	for (int ms = 0; ms < SETTLE_MS; ms += 50) {
		if (stress_available_kib() >= kib - SLACK_KIB &&
		    entries_of_proc() <= processes)
			return NULL;
		usleep(50000);
	}
	snprintf(why, sizeof why, "%ld KiB free of %ld, %d processes of %d",
		 stress_available_kib(), kib, entries_of_proc(), processes);
	return why;
}

static const char *run_one(const struct stressor *what, int seconds)
{
	struct timespec now;
	int n = what->processes ? what->processes
				: (int)sysconf(_SC_NPROCESSORS_ONLN) + 1;
	struct stress *s = shared_state(n);
	pid_t pids[64];
	/* Before: with what a first run fills for good. */
	int processes = entries_of_proc();
	long kib = stress_available_kib();

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (int i = 0; i < n; i++) {
		s[i].end = now.tv_sec + seconds;
		s[i].seed = (unsigned)i * 7919 + 1;
		pids[i] = start(what, &s[i]);
	}
	const char *why = collect(pids, n, s, seconds);
	munmap(s, sizeof *s * (size_t)n);
	return why ? why : settle(kib, processes);
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc <= 2;
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 1, ran = 0, failed = 0;

	if (argc > 2 && !strcmp(argv[1], "--child"))
		return atoi(argv[2]);
	long before = stress_available_kib(), after;
	for (int i = 0; i < STRESSORS; i++) {
		if (!wanted(stressors[i].name, argc, argv))
			continue;
		const char *why = run_one(&stressors[i], seconds);
		printf("%sok %d - %s\n", why ? "not " : "", ++ran, stressors[i].name);
		if (why)
			printf("# %s\n", why);
		failed += !!why;
		fflush(stdout);
	}
	after = stress_available_kib();
	printf("# %ld KiB free before, %ld after\n1..%d\n", before, after, ran);
	return failed || !ran;
}

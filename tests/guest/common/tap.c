/* The runner of guest tests: see tap.h. */
#include "tap.h"

#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE_SECONDS 60
#define EXIT_FAILED 101
#define EXIT_SKIPPED 102

/* Shared between the runner and the case's processes. */
static struct shared {
	unsigned checks;
	char note[400];
	char dir[64];
} * shared;

void tap_checked(void)
{
	__atomic_fetch_add(&shared->checks, 1, __ATOMIC_RELAXED);
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(shared->note, sizeof shared->note, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vsnprintf(shared->note + n, sizeof shared->note - (size_t)n, fmt, ap);
	va_end(ap);
	_exit(EXIT_FAILED);
}

void tap_skip(const char *why)
{
	snprintf(shared->note, sizeof shared->note, "%s", why);
	_exit(EXIT_SKIPPED);
}

bool tap_on_mayfly(void)
{
	char release[64] = "";
	FILE *f = fopen("/proc/sys/kernel/osrelease", "r");
	if (f) {
		if (!fgets(release, sizeof release, f))
			release[0] = 0;
		fclose(f);
	}
	return strstr(release, "mayfly");
}

void tap_needs_mayfly(void)
{
	if (!tap_on_mayfly())
		tap_skip("only on Mayfly");
}

void tap_needs_root(void)
{
	if (geteuid())
		tap_skip("needs root");
}

const char *tap_tmpdir(void)
{
	strcpy(shared->dir, "/tmp/guest-test-XXXXXX");
	if (!mkdtemp(shared->dir) || chdir(shared->dir))
		tap_fail(__FILE__, __LINE__, "no temporary directory (errno %d)", errno);
	return shared->dir;
}

int tap_wait(int pid)
{
	int status;
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			tap_fail(__FILE__, __LINE__, "no child %d (errno %d)", pid,
				 errno);
	return status;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* The case's wait status; -1 when it took too long and was killed with its group. */
static int run_limited(void (*fn)(void))
{
	int status = 0;
	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0)
		return 0x7f00;
	if (!pid) {
		setpgid(0, 0);
		fn();
		_exit(0);
	}
	setpgid(pid, pid);
	alarm(CASE_SECONDS);
	pid_t got = waitpid(pid, &status, 0);
	alarm(0);
	if (got == pid) {
		kill(-pid, SIGKILL); /* what the case left behind */
		return status;
	}
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static const char *verdict(int status)
{
	static char text[64];
	if (status == -1)
		return "took too long";
	if (WIFSIGNALED(status)) {
		snprintf(text, sizeof text, "killed by signal %d", WTERMSIG(status));
		return text;
	}
	if (WEXITSTATUS(status) == EXIT_FAILED)
		return shared->note;
	if (WEXITSTATUS(status)) {
		snprintf(text, sizeof text, "exited with %d", WEXITSTATUS(status));
		return text;
	}
	return shared->checks ? NULL : "checked nothing";
}

static bool run_case(const struct tap_case *c, size_t number)
{
	memset(shared, 0, sizeof *shared);
	int status = run_limited(c->fn);
	if (shared->dir[0])
		nftw(shared->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
		printf("ok %zu - %s # SKIP %s\n", number, c->name, shared->note);
		return true;
	}
	const char *why = verdict(status);
	printf("%sok %zu - %s\n", why ? "not " : "", number, c->name);
	if (why)
		printf("# %s\n", why);
	return !why;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc <= 1;
}

int tap_run(const struct tap_case *cases, size_t n, int argc, char **argv)
{
	size_t ran = 0;
	int failed = 0;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		return 99;
	}
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	for (size_t i = 0; i < n; i++)
		if (wanted(cases[i].name, argc, argv))
			failed += !run_case(&cases[i], ++ran);
	printf("1..%zu\n", ran);
	return failed || !ran;
}

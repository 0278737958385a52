/* Victims, and those who attack them: see gain.h. */
#include "gain.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE_FAILED 101 /* as tap.c's CHECK ends a process */

char victim[128];
static char dir[64];
static int hold_end = -1; /* what a victim that holds reads from */

void gain_dir(void)
{
	tap_needs_root();
	snprintf(dir, sizeof dir, "%s", tap_tmpdir());
	CHECK_EQ(chmod(dir, 0755), 0);
}

void gain_copy(const char *name, uid_t owner, mode_t mode)
{
	static char buf[65536];
	ssize_t n;
	snprintf(victim, sizeof victim, "%s/%s", dir, name);
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
	    to = open(victim, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	CHECK(from >= 0 && to >= 0);
	while ((n = read(from, buf, sizeof buf)) > 0)
		CHECK_EQ(write(to, buf, (size_t)n), n);
	close(from);
	close(to);
	CHECK_EQ(chown(victim, owner, owner), 0);
	CHECK_EQ(chmod(victim, mode), 0);
}

void gain_become(uid_t uid)
{
	CHECK_EQ(setresgid(uid, uid, uid), 0);
	CHECK_EQ(setresuid(uid, uid, uid), 0);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
}

int gain_wait(int pid)
{
	int status;
	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	if (WEXITSTATUS(status) == CASE_FAILED)
		_exit(CASE_FAILED);
	return WEXITSTATUS(status);
}

void gain_as_plain(void (*attack)(void))
{
	int pid = fork();
	if (!pid) {
		gain_become(PLAIN);
		attack();
		_exit(0);
	}
	CHECK_EQ(gain_wait(pid), 0);
}

int gain_run(const char *path, const char *arg)
{
	int pid = fork();
	if (!pid) {
		execl(path, path, arg, NULL);
		_exit(errno == EACCES ? 99 : 98);
	}
	return gain_wait(pid);
}

int gain_hold(const char *path)
{
	int told[2], end[2];
	char c;
	CHECK_EQ(pipe2(told, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(end, O_CLOEXEC), 0);
	int pid = fork();
	if (!pid) {
		dup2(end[0], 0);
		dup2(told[1], 1);
		execl(path, path, HOLDS, NULL);
		_exit(98);
	}
	close(told[1]);
	close(end[0]);
	CHECK_EQ(read(told[0], &c, 1), 1);
	close(told[0]);
	hold_end = end[1];
	return pid;
}

void gain_end(int pid)
{
	close(hold_end);
	CHECK_EQ(gain_wait(pid), 0);
}

int gain_held(void)
{
	char c = 'x';
	if (write(1, &c, 1) != 1)
		return 97;
	while (read(0, &c, 1) > 0)
		continue;
	return 0;
}

int gain_main(const struct tap_case *cases, size_t n, int argc, char **argv,
	      int (*own)(int argc, char **argv))
{
	int told = argc ? own(argc, argv) : 96;
	if (told >= 0)
		return told;
	if (argc >= 2 && !strcmp(argv[1], STAYS))
		return (int)geteuid();
	if (argc >= 2 && !strcmp(argv[1], SECURE))
		return (int)getauxval(AT_SECURE);
	if (argc >= 2 && !strcmp(argv[1], HOLDS))
		return gain_held();
	return tap_run(cases, n, argc, argv);
}

/* /proc: to whom it shows what, and what its mount options hide. */
#include "diff.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int proc_at(const char *at, const char *options)
{
	mkdir(at, 0755);
	return mount("proc", at, "proc", 0, options);
}

/* The mount's options, as a mount point whose path ends so has them. */
static void say_mounted(const char *end)
{
	char line[512], at[256];
	FILE *f = fopen("/proc/self/mountinfo", "r");

	while (f && fgets(line, sizeof line, f)) {
		char *options = strstr(line, " - proc proc ");
		sscanf(line, "%*s %*s %*s %*s %255s", at);
		size_t n = strlen(at);
		if (options && n > 2 && !strcmp(at + n - 2, end))
			say("%s:%.*s", end, (int)strcspn(options, "\n"), options);
	}
	fclose(f);
}

DIFF_CASE(mount_proc_options)
{
	TRY(proc_at("a", "hidepid=3"));
	TRY(proc_at("a", "hidepid=all"));
	TRY(proc_at("a", "subset=all"));
	TRY(proc_at("a", "gid=x"));
	TRY(proc_at("a", "size=1"));
	TRY(proc_at("a", "hidepid=1,gid=7"));
	TRY(proc_at("b", "hidepid=invisible"));
	TRY(proc_at("c", "hidepid=4,subset=pid"));
	say_mounted("/a");
	say_mounted("/b");
	say_mounted("/c");
	TRY(mount(NULL, "a", NULL, MS_REMOUNT, "hidepid=2"));
	say_mounted("/a");
	TRY(mount(NULL, "a", NULL, MS_REMOUNT, "hidepid=5"));
}

/* What is to be seen of a process of another user. */
static void look_at(const char *mount, pid_t pid)
{
	char path[64];
	struct dirent *e;
	struct stat st;
	int others = 0, names = 0;

	say("%s:", mount);
	snprintf(path, sizeof path, "%s/%d", mount, pid);
	TRY(stat(path, &st));
	TRY(access(path, X_OK));
	MAY(open(path, O_RDONLY | O_DIRECTORY));
	snprintf(path, sizeof path, "%s/%d/stat", mount, pid);
	MAY(open(path, O_RDONLY));
	snprintf(path, sizeof path, "%s/self/stat", mount);
	MAY(open(path, O_RDONLY));
	DIR *d = opendir(mount);
	while (d && (e = readdir(d))) {
		others += atoi(e->d_name) == pid;
		names += !atoi(e->d_name) && e->d_name[0] != '.' &&
			 !strstr(e->d_name, "self");
	}
	say("listed: %d, other files: %s", others, names ? "yes" : "no");
}

DIFF_CASE(mount_proc_hides)
{
	static const char *const options[] = { "hidepid=0",	     "hidepid=1",
					       "hidepid=2",	     "hidepid=4",
					       "hidepid=2,gid=1234", "hidepid=4,gid=1234",
					       "subset=pid" };
	char at[2] = "a";
	pid_t roots = child_of(sleeper);

	for (size_t i = 0; i < sizeof options / sizeof *options; i++, at[0]++) {
		NEED(!proc_at(at, options[i]));
		look_at(at, roots);
	}
	TRY(access("g/uptime", F_OK));
	TRY(access("g/self/stat", F_OK));
	pid_t other = fork();
	if (!other) {
		become_nobody();
		for (at[0] = 'a'; at[0] <= 'g'; at[0]++)
			look_at(at, roots);
		_exit(0);
	}
	say_status("nobody", reap(other));
	kill(roots, SIGKILL);
	reap(roots);
}

static void look_into(pid_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	DIR *d = opendir(path);
	say("%s: %s", name, !d ? err_name(errno) : readdir(d) ? "listed" : "empty");
}

DIFF_CASE(proc_folders_of_others)
{
	static const char *const names[] = { "task", "fd", "fdinfo", "ns" };
	pid_t roots = child_of(sleeper);
	for (size_t i = 0; i < 4; i++)
		look_into(roots, names[i]);
	pid_t other = fork();
	if (!other) {
		become_nobody();
		for (size_t i = 0; i < 4; i++)
			look_into(roots, names[i]);
		_exit(0);
	}
	say_status("nobody", reap(other));
	kill(roots, SIGKILL);
	reap(roots);
}

DIFF_CASE(proc_rollup_column)
{
	char line[256] = "";
	int fd = open("/proc/self/smaps_rollup", O_RDONLY);
	NEED(read(fd, line, sizeof line - 1) > 100);
	SHOW(strchr(line, '[') - line);
}

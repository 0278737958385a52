/* /proc/<pid>/ns, and mounts as their process sees them. */
#include <fcntl.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/slurp.h"
#include "common/tap.h"

static void namespaces_can_be_told(void)
{
	static const char *const kinds[] = {
		"cgroup", "ipc", "mnt", "net", "pid", "uts"
	};
	char path[64], link[64], want[64];
	struct stat a, b;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
		ssize_t n = readlink(path, link, sizeof link - 1);
		CHECK(n > 0);
		link[n] = 0;
		int fd = open(path, O_RDONLY);
		CHECK(fd >= 0 && !fstat(fd, &a) && !stat(path, &b));
		CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev && S_ISREG(a.st_mode));
		snprintf(want, sizeof want, "%s:[%lu]", kinds[i],
			 (unsigned long)a.st_ino);
		CHECK(!strcmp(link, want));
		CHECK_ERR(read(fd, link, 1), EINVAL);
		CHECK(ioctl(fd, NS_GET_NSTYPE) > 0);
		close(fd);
	}
	CHECK_ERR(open("/proc/self/ns/none", O_RDONLY), ENOENT);
}

/* Each process's mounts are told as it sees them itself. */
static void mounts_are_seen_from_a_root(void)
{
	char path[64], c;
	int p[2];

	tap_needs_mayfly();
	tap_needs_root();
	tap_tmpdir();
	CHECK(!mkdir("d", 0755) && !mount("here", "d", "tmpfs", 0, NULL) && !pipe(p));
	pid_t pid = fork();
	if (!pid) {
		close(p[0]);
		if (chroot("d"))
			_exit(1);
		close(p[1]);
		for (;;)
			pause();
	}
	close(p[1]);
	CHECK_EQ(read(p[0], &c, 1), 0);
	snprintf(path, sizeof path, "/proc/%d/mounts", pid);
	CHECK(!strncmp(slurp(path), "here / tmpfs rw", 15));
	CHECK(!strchr(strchr(slurped, '\n') + 1, '\n'));
	snprintf(path, sizeof path, "/proc/%d/mountinfo", pid);
	CHECK(strstr(slurp(path), " / / rw") && strstr(slurped, " - tmpfs here rw"));
	CHECK(strstr(slurp("/proc/self/mounts"), "/d tmpfs rw"));
	kill(pid, SIGKILL);
	tap_wait(pid);
	CHECK(!umount2("d", 2));
}

static void without_user_namespaces_nothing_of_them_is_there(void)
{
	static const char *const names[] = { "uid_map", "gid_map", "setgroups",
					     "ns/user" };
	char path[64];

	tap_needs_mayfly();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "/proc/self/%s", names[i]);
		CHECK_ERR(access(path, F_OK), ENOENT);
	}
}

TEST_MAIN(CASE(namespaces_can_be_told), CASE(mounts_are_seen_from_a_root),
	  CASE(without_user_namespaces_nothing_of_them_is_there))

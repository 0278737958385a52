/* inotify: masks, reading, limits; watches that come and go. */
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/watching.h"

#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif

static void masks(void)
{
	begin();
	make("f");
	CHECK_EQ(inotify_add_watch(fd, "f", IN_OPEN), 2);
	CHECK_EQ(inotify_rm_watch(fd, 1), 0);
	EXPECT("1:IGNORED");
	close(open("f", O_RDONLY));
	EXPECT("2:OPEN");
	CHECK_EQ(inotify_add_watch(fd, "f", IN_CLOSE_NOWRITE), 2); /* instead */
	close(open("f", O_RDONLY));
	EXPECT("2:CLOSE_NOWRITE");
	CHECK_EQ(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_ADD), 2); /* too */
	close(open("f", O_RDONLY));
	EXPECT("2:OPEN 2:CLOSE_NOWRITE");
	CHECK_ERR(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE), EEXIST);
	CHECK_ERR(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD),
		  EINVAL);
	CHECK_EQ(inotify_add_watch(fd, "f", IN_OPEN | IN_ONESHOT), 2);
	close(open("f", O_RDONLY));
	close(open("f", O_RDONLY));
	EXPECT("2:OPEN 2:IGNORED");
	CHECK_EQ(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE), 3); /* a new one */
}

static void what_is_refused(void)
{
	begin();
	make("f");
	CHECK_ERR(inotify_add_watch(fd, "f", 0), EINVAL);
	CHECK_ERR(inotify_add_watch(fd, "nothing", IN_OPEN), ENOENT);
	CHECK_ERR(inotify_add_watch(fd, (char *)8, IN_OPEN), EFAULT);
	CHECK_ERR(inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
	CHECK_EQ(inotify_add_watch(fd, ".", IN_OPEN | IN_ONLYDIR), 1); /* the twin */
	CHECK_ERR(inotify_add_watch(0, "f", IN_OPEN), EINVAL);
	CHECK_ERR(inotify_add_watch(99, "f", IN_OPEN), EBADF);
	CHECK_ERR(inotify_rm_watch(0, 1), EINVAL);
	CHECK_ERR(inotify_rm_watch(fd, 0), EINVAL);
	CHECK_ERR(inotify_rm_watch(fd, -1), EINVAL);
	CHECK_ERR(inotify_rm_watch(fd, 77), EINVAL);
	CHECK_ERR(inotify_init1(1), EINVAL);
	CHECK_ERR(write(fd, "x", 1), EBADF);
	if (geteuid())
		return;
	CHECK_EQ(chmod("f", 0), 0);
	CHECK_EQ(chmod(".", 0755), 0);
	pid_t child = fork();
	if (!child) {
		CHECK(setgroups(0, NULL) == 0 && setgid(3000) == 0 && setuid(3000) == 0);
		CHECK_ERR(inotify_add_watch(fd, "f", IN_OPEN), EACCES);
		CHECK(inotify_add_watch(fd, "/", IN_OPEN) > 0);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
}

static void reading(void)
{
	begin();
	char b[4096] __attribute__((aligned(8)));
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	CHECK_ERR(read(fd, b, sizeof b), EAGAIN);
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(ioctl(fd, FIONREAD, &n), 0);
	CHECK_EQ(n, 0);
	close(open("f", O_CREAT | O_RDWR, 0644));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EQ(ioctl(fd, FIONREAD, &n), 0);
	CHECK_EQ(n, 3 * 32);
	CHECK_ERR(read(fd, b, 31), EINVAL);
	CHECK_EQ(read(fd, b, 33), 32);
	CHECK_EQ(read(fd, b, 2000), 64);
	/* A long name is padded to whole heads. */
	char name[256];
	memset(name, 'n', 255);
	name[255] = 0;
	make(name);
	CHECK_EQ(unlink(name), 0);
	CHECK_EQ(read(fd, b, sizeof b), 16 + 256);
	CHECK_EQ(((struct inotify_event *)b)->len, 256);
	CHECK(!strcmp(((struct inotify_event *)b)->name, name));
	CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
	pid_t child = fork();
	if (!child) {
		usleep(30000);
		_exit(mkdir("late", 0755));
	}
	CHECK_EQ(read(fd, b, sizeof b), 32);
	CHECK_EQ(tap_wait(child), 0);
}

static void each_instance_hears(void)
{
	begin();
	int other = inotify_init1(IN_NONBLOCK), first = fd;
	CHECK_EQ(inotify_add_watch(other, ".", IN_CREATE | IN_OPEN), 1);
	close(open("f", O_CREAT | O_RDWR, 0644));
	EXPECT("1:CREATE:f 1:OPEN:f 1:CLOSE_WRITE:f");
	fd = other;
	EXPECT("1:CREATE:f 1:OPEN:f");
	close(first);
	close(open("f", O_RDWR));
	EXPECT("1:OPEN:f");
}

static void tells_when_it_lost_some(void)
{
	begin();
	long max = 0;
	FILE *p = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	CHECK(p && fscanf(p, "%ld", &max) == 1 && max > 0);
	close(open("a", O_CREAT | O_RDWR, 0644));
	events();
	for (long i = 0; i < max / 2 + 10; i++)
		close(open("a", O_RDONLY)); /* two events, none like the one before */
	static char b[65536] __attribute__((aligned(8)));
	struct inotify_event *last = NULL;
	long n = 0;
	ssize_t got;
	while ((got = read(fd, b, sizeof b)) > 0) {
		for (char *at = b; at < b + got; at += sizeof *last + last->len, n++)
			last = (struct inotify_event *)at;
		CHECK(n <= max + 1);
	}
	CHECK_EQ(n, max + 1);
	CHECK(last->mask == IN_Q_OVERFLOW && last->wd == -1 && last->len == 0);
	close(open("a", O_RDONLY));
	EXPECT("1:OPEN:a 1:CLOSE_NOWRITE:a");
}

static void instances_are_limited(void)
{
	begin();
	int max = 0, n = 0;
	FILE *p = fopen("/proc/sys/fs/inotify/max_user_instances", "r");
	CHECK(p && fscanf(p, "%d", &max) == 1);
	fclose(p);
	CHECK_EQ(max, 128);
	if (!geteuid())
		CHECK(setgroups(0, NULL) == 0 && setgid(4001) == 0 && setuid(4001) == 0);
	int last = -1;
	while (n < 1000) {
		int i = inotify_init1(0);
		if (i < 0)
			break;
		last = i;
		n++;
	}
	CHECK_EQ(errno, EMFILE);
	CHECK(n <= max && n > max / 2);
	close(last);
	CHECK(inotify_init1(0) >= 0);
}

static void shows_its_watches(void)
{
	begin();
	make("f");
	struct stat st;
	char path[64], line[256], want[64];
	int n = 0;

	CHECK_EQ(inotify_add_watch(fd, "f", IN_OPEN), 2);
	CHECK_EQ(stat("f", &st), 0);
	snprintf(want, sizeof want, "inotify wd:2 ino:%lx ", (unsigned long)st.st_ino);
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	FILE *p = fopen(path, "r");
	while (fgets(line, sizeof line, p)) {
		n += !strncmp(line, want, strlen(want)) && strstr(line, "mask:20 ");
		n += !strncmp(line, "inotify wd:1 ", 13);
	}
	CHECK_EQ(n, 2);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(path, line, sizeof line);
	CHECK(len == 18 && !memcmp(line, "anon_inode:inotify", 18));
}

static void watch_storm(void)
{
	begin();
	/* Watches come and go while others change what is watched. */
	pid_t busy[2];
	for (int i = 0; i < 2; i++) {
		busy[i] = fork();
		while (!busy[i]) {
			char n[8] = { 'f', (char)('0' + i), 0 };
			close(open(n, O_CREAT | O_RDWR, 0600));
			rename(n, "x");
			unlink("x");
		}
	}
	for (int i = 0; i < 300; i++) {
		int own = inotify_init1(IN_NONBLOCK);
		inotify_add_watch(own, ".", IN_ALL_EVENTS);
		inotify_add_watch(own, "x", IN_ALL_EVENTS | (i & 1 ? IN_ONESHOT : 0));
		char b[512];
		int wd = inotify_add_watch(own, "f0", IN_ALL_EVENTS);
		if (wd > 0 && (i & 2))
			inotify_rm_watch(own, wd);
		while (read(own, b, sizeof b) > 0)
			;
		close(own);
	}
	for (int i = 0; i < 2; i++) {
		kill(busy[i], 9);
		tap_wait(busy[i]);
	}
	unlink("x");
	unlink("f0");
	unlink("f1");
	inotify_rm_watch(fd, 1);
	char b[512];
	while (read(fd, b, sizeof b) > 0)
		;
	CHECK_EQ(inotify_add_watch(fd, ".", IN_CREATE), 2);
	CHECK_EQ(mkdir("d", 0755), 0);
	EXPECT("2:CREATE+DIR:d");
}

TEST_MAIN(CASE(masks), CASE(what_is_refused), CASE(reading), CASE(each_instance_hears),
	  CASE(tells_when_it_lost_some), CASE(instances_are_limited),
	  CASE(shows_its_watches), CASE(watch_storm))

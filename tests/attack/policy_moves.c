/*
 * Ways round the places of a policy, for root: moving what a rule is about, sockets'
 * names, notices, and names that change while they are looked up. Each has the allowed
 * twin beside it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/places.h"

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

/* ---- moving what a rule is about ---- */

static void a_hard_link(void)
{
	char buf[8] = "";

	make_places();
	int held = open("secret/file", O_RDONLY);
	CHECK_EQ(link("secret/file", "allowed/before"), 0);
	POLICY_INSTALL(places);
	CHECK_REFUSED(link("secret/file", "out/link"));
	CHECK_REFUSED(link("allowed/file", "out/link")); /* it could be written there */
	CHECK_REFUSED(linkat(held, "", AT_FDCWD, "out/link", AT_EMPTY_PATH));
	CHECK_EQ(link("out/file", "out/link"), 0);
	/* whoever made it before has said that it is allowed */
	int fd = open("allowed/before", O_RDONLY);
	CHECK_EQ(read(fd, buf, 6), 6);
	CHECK(!strcmp(buf, "secret"));
}

static void a_rename(void)
{
	char up[128];

	const char *dir = make_places();
	POLICY_INSTALL(places);
	CHECK_REFUSED(rename("secret/file", "out/new"));
	CHECK_REFUSED(rename("secret", "out/new"));
	CHECK_REFUSED(rename("allowed", "out/new"));
	CHECK_REFUSED(rename("allowed/file", "out/new"));
	CHECK_REFUSED(rename("out/denied/file", "out/new"));
	CHECK_REFUSED(rename("out/denied", "out/new"));
	CHECK_REFUSED(rename("out/denied", "out/tree/new"));
	CHECK_REFUSED(rename("out", "out2"));
	snprintf(up, sizeof up, "%s-moved", dir);
	CHECK_REFUSED(rename(dir, up));
	CHECK_EQ(rename("out/file", "out/tree/new"), 0);
	CHECK_EQ(rename("out/tree", "out/tree2"), 0);
	CHECK_EQ(opens("out/tree2/new"), 0);
}

static int exchange(const char *a, const char *b)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static void an_exchange(void)
{
	make_places();
	make_file("out/tree/file", "x");
	POLICY_INSTALL(places);
	CHECK_REFUSED(exchange("out/file", "secret/file"));
	CHECK_REFUSED(exchange("secret/file", "out/file"));
	CHECK_REFUSED(exchange("out/tree", "secret"));
	CHECK_REFUSED(exchange("out/tree", "out/denied"));
	CHECK_REFUSED(exchange("out/denied", "out/tree"));
	CHECK_REFUSED(exchange("out/file", "allowed/file"));
	CHECK_EQ(exchange("out/file", "out/tree/file"), 0);
}

static void mounts_and_roots(void)
{
	make_places();
	CHECK_EQ(mkdir("out/root", 0755), 0);
	CHECK_EQ(mount("allowed", "out/tree", NULL, MS_BIND, NULL), 0);
	CHECK_EQ(umount("out/tree"), 0);
	POLICY_INSTALL(places);
	CHECK_REFUSED(mount("secret", "out/tree", NULL, MS_BIND, NULL));
	CHECK_REFUSED(mount("out/denied", "out/tree", NULL, MS_BIND, NULL));
	CHECK_REFUSED(mount("none", "out/tree", "tmpfs", 0, NULL));
	CHECK_REFUSED(umount2("/", MNT_DETACH));
	CHECK_REFUSED(chroot("secret"));
	CHECK_REFUSED(syscall(SYS_pivot_root, "out", "out/root"));
	/* Another root changes names, not places. */
	CHECK_EQ(chroot("out"), 0);
	CHECK_ERR(opens("/denied/file"), EACCES);
	CHECK_ERR(opens("secret/file"), EACCES); /* still in the old folder */
	CHECK_EQ(opens("/tree"), 0);
}

static void a_mount_that_was_there(void)
{
	make_places();
	CHECK_EQ(mkdir("allowed/mnt", 0755), 0);
	CHECK_EQ(mkdir("secret/mnt", 0755), 0);
	CHECK_EQ(mount("secret", "allowed/mnt", NULL, MS_BIND, NULL), 0);
	CHECK_EQ(mount("allowed", "secret/mnt", NULL, MS_BIND, NULL), 0);
	pid_t pid = fork();
	if (!pid) {
		/* the place counts that the mount has: as with a link made before */
		POLICY_INSTALL(places);
		CHECK_EQ(opens("allowed/mnt/file"), 0);
		CHECK_ERR(opens("secret/mnt/file"), EACCES);
		CHECK_REFUSED(link("allowed/mnt/file", "out/link"));
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(umount("allowed/mnt"), 0);
	CHECK_EQ(umount("secret/mnt"), 0);
}

/* ---- sockets and notices ---- */

static int connects(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, name);
	return connect(s, (struct sockaddr *)&a, sizeof a);
}

static void listens(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, name);
	CHECK_EQ(bind(s, (struct sockaddr *)&a, sizeof a), 0);
	CHECK_EQ(listen(s, 1), 0);
}

static void a_sockets_name(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "secret/new" };

	make_places();
	listens("secret/socket");
	listens("allowed/socket");
	listens("out/socket");
	POLICY_INSTALL(places);
	CHECK_ERR(connects("secret/socket"), EACCES);
	CHECK_ERR(connects("allowed/socket"), EACCES);
	CHECK_EQ(connects("out/socket"), 0);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERR(bind(s, (struct sockaddr *)&a, sizeof a), EACCES);
	listens("out/other");
}

static void watching_a_secret(void)
{
	make_places();
	POLICY_INSTALL(places);
	int fd = inotify_init1(0);
	CHECK_ERR(inotify_add_watch(fd, "secret", IN_ALL_EVENTS), EACCES);
	CHECK_ERR(inotify_add_watch(fd, "secret/file", IN_ALL_EVENTS), EACCES);
	CHECK_ERR(inotify_add_watch(fd, ".", IN_ALL_EVENTS), EACCES);
	CHECK(inotify_add_watch(fd, "allowed", IN_ALL_EVENTS) >= 0);
}

/* ---- races ---- */

static volatile bool over;

static void *swaps(void *unused)
{
	for (unsigned i = 0; !over; i++) {
		symlink(i & 1 ? "../secret/file" : "../allowed/file", "out/new");
		rename("out/new", "out/link");
	}
	return NULL;
}

static void *exchanges(void *unused)
{
	while (!over)
		exchange("allowed/name", "secret/name");
	return NULL;
}

/* Whatever is opened by that name is never the secret. */
static void opens_while(const char *name, unsigned times)
{
	unsigned allowed = 0;
	char buf[8];

	for (unsigned i = 0; i < times; i++) {
		int fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			if (errno != EACCES)
				CHECK_EQ(errno, ENOENT);
			continue;
		}
		memset(buf, 0, sizeof buf);
		if (read(fd, buf, 7) != 7)
			CHECK(strcmp(buf, "secret"));
		allowed++;
		close(fd);
	}
	CHECK(allowed > 0);
}

static void a_link_that_changes(void)
{
	pthread_t t;

	make_places();
	CHECK_EQ(symlink("../allowed/file", "out/link"), 0);
	POLICY_INSTALL(places);
	CHECK_EQ(pthread_create(&t, NULL, swaps, NULL), 0);
	opens_while("out/link", 20000);
	over = true;
	CHECK_EQ(pthread_join(t, NULL), 0);
}

/* A process without a policy keeps moving folders: by which path it came does not
 * matter, where it is does. */
static void a_folder_that_moves(void)
{
	make_places();
	CHECK_EQ(mkdir("allowed/name", 0755), 0);
	CHECK_EQ(mkdir("secret/name", 0755), 0);
	pid_t pid = fork();
	if (!pid)
		exchanges(NULL);
	POLICY_INSTALL(places);
	for (int i = 0; i < 5000; i++) {
		int fd = open("secret/name", O_RDONLY | O_DIRECTORY);
		if (fd < 0)
			CHECK_EQ(errno, EACCES);
		else
			close(fd);
	}
	CHECK_EQ(opens("allowed/file"), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(tap_wait(pid), SIGKILL);
}

TEST_MAIN(CASE(a_hard_link), CASE(a_rename), CASE(an_exchange), CASE(mounts_and_roots),
	  CASE(a_mount_that_was_there), CASE(a_sockets_name), CASE(watching_a_secret),
	  CASE(a_link_that_changes), CASE(a_folder_that_moves))

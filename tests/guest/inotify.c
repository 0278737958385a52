/* inotify: every event, its order, names and cookies, as Linux 6 gives them. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "common/watching.h"

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

static void life_of_a_file(void)
{
	begin();
	int f = open("f", O_CREAT | O_RDWR, 0644);
	EXPECT("1:CREATE:f 1:OPEN:f");
	CHECK_EQ(inotify_add_watch(fd, "f", IN_ALL_EVENTS), 2);
	CHECK_EQ(write(f, "abc", 3), 3);
	EXPECT("1:MODIFY:f 2:MODIFY");
	char c;
	CHECK_EQ(pread(f, &c, 1, 0), 1);
	EXPECT("1:ACCESS:f 2:ACCESS");
	CHECK_EQ(pread(f, &c, 1, 100), 0); /* nothing read, nothing told */
	EXPECT("");
	CHECK_EQ(ftruncate(f, 1), 0);
	EXPECT("1:MODIFY:f 2:MODIFY");
	CHECK_EQ(fchmod(f, 0600), 0);
	EXPECT("1:ATTRIB:f 2:ATTRIB");
	CHECK_EQ(fchown(f, getuid(), getgid()), 0);
	EXPECT("1:ATTRIB:f 2:ATTRIB");
	CHECK_EQ(posix_fallocate(f, 0, 100), 0);
	EXPECT("1:MODIFY:f 2:MODIFY");
	struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
	CHECK_EQ(futimens(f, now), 0);
	EXPECT("1:ACCESS:f 2:ACCESS");
	CHECK_EQ(futimens(f, NULL), 0);
	EXPECT("1:ATTRIB:f 2:ATTRIB");
	close(f);
	EXPECT("1:CLOSE_WRITE:f 2:CLOSE_WRITE");
	f = open("f", O_RDONLY);
	close(f);
	EXPECT("1:OPEN:f 2:OPEN 1:CLOSE_NOWRITE:f 2:CLOSE_NOWRITE");
	close(open("f", O_PATH));
	struct stat st;
	stat("f", &st);
	EXPECT("");
	f = open("f", O_WRONLY | O_TRUNC);
	EXPECT("1:OPEN:f 2:OPEN 1:MODIFY:f 2:MODIFY");
	close(f);
	events();
	CHECK_EQ(truncate("f", 5), 0);
	EXPECT("1:MODIFY:f 2:MODIFY");
	CHECK_EQ(unlink("f"), 0);
	EXPECT("2:ATTRIB 2:DELETE_SELF 2:IGNORED 1:DELETE:f");
	CHECK_ERR(inotify_rm_watch(fd, 2), EINVAL);
}

static void attributes(void)
{
	begin();
	make("f");
	if (setxattr("f", "user.x", "1", 1, 0) && errno == EOPNOTSUPP)
		tap_skip("no user attributes here");
	EXPECT("1:ATTRIB:f");
	CHECK_EQ(removexattr("f", "user.x"), 0);
	EXPECT("1:ATTRIB:f");
	CHECK_ERR(removexattr("f", "user.x"), ENODATA);
	EXPECT("");
}

static void deleted_while_open(void)
{
	begin();
	make("f");
	int f = open("f", O_RDWR);
	CHECK_EQ(inotify_add_watch(fd, "f", IN_ALL_EVENTS), 2);
	events();
	CHECK_EQ(unlink("f"), 0);
	EXPECT("2:ATTRIB 1:DELETE:f");
	CHECK_EQ(write(f, "a", 1), 1);
	EXPECT("1:MODIFY:f 2:MODIFY");
	close(f);
	EXPECT("1:CLOSE_WRITE:f 2:CLOSE_WRITE 2:DELETE_SELF 2:IGNORED");
}

static void unlinked_can_be_left_out(void)
{
	begin();
	make("f");
	CHECK_EQ(inotify_add_watch(fd, ".", IN_ALL_EVENTS | IN_EXCL_UNLINK), 1);
	int f = open("f", O_RDWR);
	CHECK_EQ(write(f, "a", 1), 1);
	EXPECT("1:OPEN:f 1:MODIFY:f");
	unlink("f");
	CHECK_EQ(write(f, "a", 1), 1);
	close(f);
	EXPECT("1:DELETE:f");
}

static void links(void)
{
	begin();
	make("f");
	CHECK_EQ(inotify_add_watch(fd, "f", IN_ALL_EVENTS), 2);
	CHECK_EQ(link("f", "g"), 0);
	EXPECT("2:ATTRIB 1:CREATE:g");
	CHECK_EQ(unlink("g"), 0);
	EXPECT("2:ATTRIB 1:DELETE:g");
	CHECK_EQ(symlink("f", "s"), 0);
	EXPECT("1:CREATE:s");
	char b[8];
	CHECK_EQ(readlink("s", b, 8), 1);
	EXPECT("");
	CHECK_EQ(inotify_add_watch(fd, "s", IN_ALL_EVENTS), 2); /* follows */
	CHECK_EQ(inotify_add_watch(fd, "s", IN_ALL_EVENTS | IN_DONT_FOLLOW), 3);
	CHECK_EQ(mkfifo("p", 0600), 0);
	EXPECT("1:CREATE:p");
}

static void renames(void)
{
	begin();
	make("a");
	make("b");
	CHECK_EQ(inotify_add_watch(fd, "a", IN_ALL_EVENTS), 2);
	CHECK_EQ(rename("a", "c"), 0);
	EXPECT("1:MOVED_FROM:a 1:MOVED_TO:c 2:MOVE_SELF");
	CHECK_EQ(inotify_add_watch(fd, "b", IN_ALL_EVENTS), 3);
	CHECK_EQ(rename("c", "b"), 0);
	EXPECT("1:MOVED_FROM:c 1:MOVED_TO:b 3:ATTRIB 2:MOVE_SELF 3:DELETE_SELF "
	       "3:IGNORED");
	CHECK_EQ(mkdir("d", 0755), 0);
	EXPECT("1:CREATE+DIR:d");
	CHECK_EQ(inotify_add_watch(fd, "d", IN_ALL_EVENTS), 4);
	CHECK_EQ(rename("b", "d/x"), 0);
	EXPECT("1:MOVED_FROM:b 4:MOVED_TO:x 2:MOVE_SELF");
	close(open("d/x", O_RDONLY)); /* told where it is now */
	EXPECT("4:OPEN:x 2:OPEN 4:CLOSE_NOWRITE:x 2:CLOSE_NOWRITE");
	CHECK_EQ(rename("d", "e"), 0);
	EXPECT("1:MOVED_FROM+DIR:d 1:MOVED_TO+DIR:e 4:MOVE_SELF");
	make("y");
	CHECK_EQ(syscall(SYS_renameat2, AT_FDCWD, "y", AT_FDCWD, "e/x", RENAME_EXCHANGE),
		 0);
	EXPECT("1:MOVED_FROM:y 4:MOVED_TO:x 4:MOVED_FROM:x 1:MOVED_TO:y 2:MOVE_SELF");
}

static void folders(void)
{
	begin();
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(inotify_add_watch(fd, "d", IN_ALL_EVENTS), 2);
	events();
	DIR *d = opendir("d");
	while (readdir(d))
		;
	closedir(d);
	const char *got = events();
	CHECK(!strncmp(got, "1:OPEN+DIR:d 2:OPEN+DIR 1:ACCESS+DIR:d 2:ACCESS+DIR", 51));
	CHECK(strstr(got, "1:CLOSE_NOWRITE+DIR:d 2:CLOSE_NOWRITE+DIR"));
	CHECK_EQ(chmod("d", 0700), 0);
	EXPECT("1:ATTRIB+DIR:d 2:ATTRIB+DIR");
	CHECK_EQ(rmdir("d"), 0);
	EXPECT("2:DELETE_SELF 2:IGNORED 1:DELETE+DIR:d");
}

static void deeper_is_not_told(void)
{
	begin();
	CHECK_EQ(mkdir("d", 0755), 0);
	events();
	make("d/f");
	CHECK_EQ(rename("d/f", "d/g"), 0);
	CHECK_EQ(unlink("d/g"), 0);
	EXPECT("");
}

static void equal_ones_are_one(void)
{
	begin();
	int f = open("f", O_CREAT | O_RDWR, 0644);
	events();
	for (int i = 0; i < 10; i++)
		CHECK_EQ(write(f, "a", 1), 1);
	EXPECT("1:MODIFY:f");
	char c;
	CHECK(write(f, "a", 1) == 1 && pread(f, &c, 1, 0) == 1 && write(f, "a", 1) == 1);
	EXPECT("1:MODIFY:f 1:ACCESS:f 1:MODIFY:f");
}

static void copying_counts_as_reading_and_writing(void)
{
	begin();
	make("a");
	make("b");
	int a = open("a", O_RDONLY), b = open("b", O_WRONLY);
	events();
	CHECK_EQ(sendfile(b, a, NULL, 3), 3);
	EXPECT("1:ACCESS:a 1:MODIFY:b");
}

static void survives_copy_up(void)
{
	/* A file of the root image: below the overlay until it is written. */
	tap_needs_mayfly();
	begin();
	CHECK_EQ(inotify_add_watch(fd, "/etc", IN_ALL_EVENTS), 2);
	int w = inotify_add_watch(fd, "/etc/passwd",
				  IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF);
	CHECK_EQ(w, 3);
	CHECK_EQ(chmod("/etc/passwd", 0640), 0);
	EXPECT("2:ATTRIB:passwd 3:ATTRIB");
	int f = open("/etc/passwd", O_WRONLY | O_APPEND);
	CHECK_EQ(write(f, "x", 1), 1);
	close(f);
	EXPECT("2:OPEN:passwd 2:MODIFY:passwd 3:MODIFY 2:CLOSE_WRITE:passwd");
	CHECK_EQ(inotify_add_watch(fd, "/etc/passwd", IN_ATTRIB), w);
	CHECK_EQ(inotify_add_watch(fd, "/etc/passwd", IN_ATTRIB | IN_DELETE_SELF), w);
	CHECK_EQ(unlink("/etc/passwd"), 0);
	EXPECT("3:ATTRIB 3:DELETE_SELF 3:IGNORED 2:DELETE:passwd");
	CHECK_EQ(inotify_add_watch(fd, "/etc/group", IN_DELETE_SELF), 4);
	CHECK_EQ(unlink("/etc/group"), 0); /* never copied up */
	EXPECT("4:DELETE_SELF 4:IGNORED 2:DELETE:group");
}

static void hears_of_an_unmount(void)
{
	tap_needs_root();
	tap_needs_mayfly();
	begin();
	CHECK_EQ(mkdir("m", 0755), 0);
	CHECK_EQ(mount("t", "m", "tmpfs", 0, NULL), 0);
	make("m/f");
	CHECK_EQ(inotify_add_watch(fd, "m", IN_CREATE), 2);
	CHECK_EQ(inotify_add_watch(fd, "m/f", IN_OPEN), 3);
	events();
	CHECK_EQ(umount("m"), 0);
	EXPECT("2:UNMOUNT 2:IGNORED 3:UNMOUNT 3:IGNORED");
	CHECK_EQ(rmdir("m"), 0);
	EXPECT("1:DELETE+DIR:m");
}

TEST_MAIN(CASE(life_of_a_file), CASE(attributes), CASE(deleted_while_open),
	  CASE(unlinked_can_be_left_out), CASE(links), CASE(renames), CASE(folders),
	  CASE(deeper_is_not_told), CASE(equal_ones_are_one),
	  CASE(copying_counts_as_reading_and_writing), CASE(survives_copy_up),
	  CASE(hears_of_an_unmount))

/* name_to_handle_at(2), open_by_handle_at(2), on a tmpfs. */
#include "diff.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct handle {
	uint32_t bytes;
	int32_t type;
	uint8_t id[128];
};

static int mount_id;

static long give(int dir, const char *path, struct handle *h, int flags)
{
	return syscall(SYS_name_to_handle_at, dir, path, h, &mount_id, flags);
}

static long open_it(int mount, const struct handle *h, int flags)
{
	return syscall(SYS_open_by_handle_at, mount, h, flags);
}

/* A handle with all the room there may be. */
static struct handle handle_of(const char *path)
{
	struct handle h = { .bytes = 128 };
	NEED(!give(AT_FDCWD, path, &h, 0));
	return h;
}

static ino_t ino_of(int fd)
{
	struct stat s;
	return fstat(fd, &s) ? 0 : s.st_ino;
}

DIFF_CASE(handle_sizes)
{
	struct handle h = { 0 };
	make_file("f", "x");
	TRY(give(AT_FDCWD, "f", &h, 0));
	SHOW(h.bytes);
	h.bytes = 11;
	TRY(give(AT_FDCWD, "f", &h, 0));
	SHOW(h.bytes);
	h.bytes = 12;
	TRY(give(AT_FDCWD, "f", &h, 0));
	SHOW(h.bytes);
	SHOW(h.type);
	h.bytes = 13;
	TRY(give(AT_FDCWD, "f", &h, 0));
	SHOW(h.bytes);
	h.bytes = 128;
	TRY(give(AT_FDCWD, "f", &h, 0));
	SHOW(h.bytes);
	h.bytes = 129;
	TRY(give(AT_FDCWD, "f", &h, 0));
	SHOW(h.bytes);
	h.bytes = -1;
	TRY(give(AT_FDCWD, "f", &h, 0));
}

DIFF_CASE(handle_give_errors)
{
	struct handle h = { .bytes = 128 };
	make_file("f", "x");
	TRY(give(AT_FDCWD, "missing", &h, 0));
	TRY(give(AT_FDCWD, "f/x", &h, 0));
	TRY(give(AT_FDCWD, "", &h, 0));
	TRY(give(99, "f", &h, 0));
	TRY(give(99, "", &h, AT_EMPTY_PATH));
	TRY(give(AT_FDCWD, "f", &h, 0x8000));
	TRY(give(AT_FDCWD, "f", &h, AT_SYMLINK_NOFOLLOW));
	TRY(give(AT_FDCWD, "f", (void *)8, 0));
	TRY(give(AT_FDCWD, (void *)8, &h, 0));
	TRY(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, 8, 0));
	TRY(give(AT_FDCWD, "/proc/self", &h, AT_SYMLINK_FOLLOW));
	TRY(give(AT_FDCWD, "/proc/self/stat", &h, 0));
	TRY(give(AT_FDCWD, "/proc/self/stat", (void *)8, 0));
}

DIFF_CASE(handle_of_what)
{
	struct handle file = { .bytes = 128 }, link, followed, empty, here;
	make_file("f", "x");
	NEED(!symlink("f", "l"));
	link = followed = empty = here = file;
	TRY(give(AT_FDCWD, "f", &file, 0));
	TRY(give(AT_FDCWD, "l", &link, 0));
	TRY(give(AT_FDCWD, "l", &followed, AT_SYMLINK_FOLLOW));
	TRY(give(open("f", O_RDONLY), "", &empty, AT_EMPTY_PATH));
	TRY(give(AT_FDCWD, "", &here, AT_EMPTY_PATH));
	SHOW(!memcmp(&file, &followed, 8 + 12));
	SHOW(!memcmp(&file, &empty, 8 + 12));
	SHOW(!memcmp(&file, &link, 8 + 12));
	TRY(give(open("l", O_PATH | O_NOFOLLOW), "", &here, AT_EMPTY_PATH));
	SHOW(!memcmp(&here, &link, 8 + 12));
	MAY(open_it(AT_FDCWD, &link, O_RDONLY));
	MAY(open_it(AT_FDCWD, &link, O_PATH));
	MAY(open_it(AT_FDCWD, &link, O_PATH | O_NOFOLLOW));
}

DIFF_CASE(handle_mount_id)
{
	char line[512], point[256];
	int id, found = -1;
	handle_of(".");
	NEED(getcwd(point, sizeof point));
	FILE *f = fopen("/proc/self/mountinfo", "r");
	NEED(f);
	while (fgets(line, sizeof line, f)) {
		char at[256];
		if (sscanf(line, "%d %*d %*s %*s %255s", &id, at) == 2 &&
		    !strncmp(point, at, strlen(at)))
			found = id;
	}
	SHOW(found == mount_id);
}

DIFF_CASE(handle_open)
{
	make_file("f", "content");
	NEED(!mkdir("d", 0755) && !mkfifo("p", 0600));
	make_file("d/in", "x");
	struct handle f = handle_of("f"), d = handle_of("d"), p = handle_of("p");
	char b[8];
	int fd = open_it(AT_FDCWD, &f, O_RDWR);
	NEED(fd >= 0);
	TRY(read(fd, b, 7));
	SHOW(ino_of(fd) == ino_of(open("f", O_RDONLY)));
	SHOW(fcntl(fd, F_GETFD));
	SHOW(fcntl(open_it(AT_FDCWD, &f, O_RDONLY | O_CLOEXEC), F_GETFD));
	SHOW(fcntl(fd, F_GETFL) == (O_RDWR | 0100000));
	MAY(open_it(AT_FDCWD, &f, O_DIRECTORY));
	MAY(open_it(AT_FDCWD, &f, O_WRONLY | O_TRUNC));
	SHOW(lseek(fd, 0, SEEK_END));
	MAY(open_it(AT_FDCWD, &f, O_CREAT | O_RDONLY));
	MAY(open_it(AT_FDCWD, &f, O_CREAT | O_EXCL));
	MAY(open_it(AT_FDCWD, &d, O_CREAT | O_RDONLY));
	MAY(open_it(AT_FDCWD, &d, O_RDWR));
	MAY(open_it(AT_FDCWD, &d, O_TMPFILE | O_RDWR));
	MAY(open_it(AT_FDCWD, &f, O_TMPFILE | O_RDWR));
	MAY(open_it(AT_FDCWD, &p, O_RDONLY | O_NONBLOCK));
	int dir = open_it(AT_FDCWD, &d, O_RDONLY | O_DIRECTORY);
	MAY(openat(dir, "in", O_RDONLY));
	MAY(mkdirat(dir, "new", 0755));
	SHOW(access("d/new", F_OK));
	TRY(fchdir(dir));
	MAY(open_it(AT_FDCWD, &f, O_RDONLY));
	MAY(open("../f", O_RDONLY));
}

DIFF_CASE(handle_open_errors)
{
	make_file("f", "x");
	struct handle f = handle_of("f"), bad = f;
	int proc = open("/proc", O_RDONLY);
	TRY(open_it(99, &f, O_RDONLY));
	TRY(open_it(AT_FDCWD, (void *)8, O_RDONLY));
	TRY(open_it(99, (void *)8, O_RDONLY));
	TRY(open_it(proc, &f, O_RDONLY));
	bad.bytes = 0;
	TRY(open_it(AT_FDCWD, &bad, O_RDONLY));
	bad.bytes = 129;
	TRY(open_it(99, &bad, O_RDONLY));
	bad.bytes = 8;
	TRY(open_it(AT_FDCWD, &bad, O_RDONLY));
	bad = f;
	bad.id[0] ^= 1;
	TRY(open_it(AT_FDCWD, &bad, O_RDONLY));
	bad = f;
	bad.id[4] ^= 0x40;
	TRY(open_it(AT_FDCWD, &bad, O_RDONLY));
	bad = f;
	bad.bytes = 64;
	MAY(open_it(AT_FDCWD, &bad, O_RDONLY));
}

/* And closed again: Linux opens what has lost its name too, while it is open. */
static int opens(const struct handle *h)
{
	int fd = open_it(AT_FDCWD, h, O_RDONLY);
	return fd < 0 ? -1 : close(fd);
}

DIFF_CASE(handle_of_the_gone)
{
	make_file("f", "x");
	make_file("g", "y");
	NEED(!mkdir("d", 0755) && !link("g", "g2"));
	struct handle f = handle_of("f"), g = handle_of("g"), d = handle_of("d");
	TRY(unlink("f"));
	TRY(opens(&f));
	make_file("f", "again");
	TRY(opens(&f));
	TRY(unlink("g"));
	TRY(opens(&g));
	TRY(rename("g2", "g3"));
	TRY(opens(&g));
	TRY(rename("f", "g3"));
	TRY(opens(&g));
	TRY(rename("d", "e"));
	TRY(opens(&d));
	TRY(rmdir("e"));
	TRY(opens(&d));
}

DIFF_CASE(handle_other_mount)
{
	make_file("f", "x");
	struct handle f = handle_of("f");
	NEED(!mkdir("m", 0755) && !mount("none", "m", "tmpfs", 0, NULL));
	make_file("m/f", "other");
	struct handle inner = handle_of("m/f");
	int fd = open("m", O_RDONLY);
	TRY(open_it(fd, &f, O_RDONLY));
	TRY(open_it(AT_FDCWD, &inner, O_RDONLY));
	MAY(open_it(fd, &inner, O_RDONLY));
	close(fd);
	TRY(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	fd = open("m", O_RDONLY);
	TRY(open_it(fd, &inner, O_RDWR));
	MAY(open_it(fd, &inner, O_RDONLY));
}

static struct handle theirs;

static void as_user(void)
{
	struct handle h = { .bytes = 128 };
	TRY(give(AT_FDCWD, "f", &h, 0));
	SHOW(!memcmp(&h, &theirs, 8 + 12));
	TRY(open_it(AT_FDCWD, &h, O_RDONLY));
	TRY(give(AT_FDCWD, "shut/f", &h, 0));
}

DIFF_CASE(handle_by_nobody)
{
	make_file("f", "x");
	NEED(!mkdir("shut", 0700));
	make_file("shut/f", "x");
	theirs = handle_of("f");
	as_nobody(as_user);
}

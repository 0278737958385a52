/*
 * Ways round chattr +i and +a: what was set by one with CAP_LINUX_IMMUTABLE must hold for
 * root without it, whatever name, descriptor or mount the file is reached by. Each way is
 * tried on an ordinary file too, where it leads to its end.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/tap.h"

static int flags_change(const char *path, int flags)
{
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	int r = ioctl(fd, FS_IOC_SETFLAGS, &flags), e = errno;
	close(fd);
	errno = e;
	return r;
}

/* Root with all but the one capability. */
static void lose_capability(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	CHECK(!syscall(SYS_capget, &h, d));
	d[0].effective &= ~(1u << CAP_LINUX_IMMUTABLE);
	d[0].permitted &= ~(1u << CAP_LINUX_IMMUTABLE);
	CHECK(!prctl(PR_CAPBSET_DROP, CAP_LINUX_IMMUTABLE, 0, 0, 0));
	CHECK(!syscall(SYS_capset, &h, d));
}

/* ---- the ways: 0 when the file or the folder has changed, -1 when it has not ---- */

static int write_and_close(int fd)
{
	if (fd < 0)
		return -1;
	int r = pwrite(fd, "X", 1, 0) == 1 ? 0 : -1, e = errno;
	close(fd);
	errno = e;
	return r;
}

/* Opens again, for writing, what is open already. */
static int reopen(int flags)
{
	char text[40];
	int fd = open("d/f", flags);
	if (fd < 0)
		return -1;
	snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
	int r = write_and_close(open(text, O_RDWR)), e = errno;
	close(fd);
	errno = e;
	return r;
}

static int way_open(void)
{
	return write_and_close(open("d/f", O_RDWR));
}
static int way_o_path(void)
{
	return reopen(O_PATH);
}
static int way_proc_fd(void)
{
	return reopen(O_RDONLY);
}
static int way_o_trunc(void)
{
	return open("d/f", O_RDONLY | O_TRUNC) < 0 ? -1 : 0;
}
static int way_creat(void)
{
	return creat("d/f", 0600) < 0 ? -1 : 0;
}
static int way_truncate(void)
{
	return truncate("d/f", 1);
}
static int way_chmod(void)
{
	return chmod("d/f", 0777);
}
static int way_chown(void)
{
	return chown("d/f", 7, 7);
}
static int way_xattr(void)
{
	return setxattr("d/f", "trusted.x", "1", 1, 0);
}
static int way_unlink(void)
{
	return unlink("d/f");
}
static int way_link(void)
{
	return link("d/f", "d/l");
}
static int way_link_outside(void)
{
	return link("d/f", "l");
}
static int way_rename(void)
{
	return rename("d/f", "g");
}
static int way_replace(void)
{
	return rename("other", "d/f");
}
static int way_mkdir(void)
{
	return mkdir("d/new", 0755);
}
static int way_symlink(void)
{
	return symlink("x", "d/new");
}
static int way_mknod(void)
{
	return mknod("d/new", S_IFIFO | 0600, 0);
}
static int way_rmdir(void)
{
	return rmdir("d/sub");
}
static int way_rename_folder(void)
{
	return rename("d", "e");
}

static int way_times(void)
{
	const struct timespec when[2] = { { 1, 0 }, { 1, 0 } };
	return utimensat(AT_FDCWD, "d/f", when, 0);
}

static int way_exchange(void)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, "d/f", 2);
}

static int way_link_descriptor(void)
{
	int fd = open("d/f", O_PATH);
	return linkat(fd, "", AT_FDCWD, "l", AT_EMPTY_PATH);
}

static int way_tmpfile(void)
{
	char text[40];
	int fd = open("d", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0)
		return -1;
	snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, text, AT_FDCWD, "d/new", AT_SYMLINK_FOLLOW);
}

static int way_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "d/new" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int r = bind(fd, (void *)&a, sizeof a), e = errno;
	close(fd);
	errno = e;
	return r;
}

static int way_parent(void)
{
	/* Above the folder anything may happen; it stays what it is. */
	if (mkdir("p", 0755) || rename("d", "p/d"))
		return -1;
	int r = write_and_close(open("p/d/f", O_RDWR));
	rename("p/d", "d");
	return r;
}

static int way_bind(void)
{
	if (mkdir("b", 0755) || mount("d", "b", NULL, MS_BIND, NULL))
		return -1;
	int r = unlink("b/f"), e = errno;
	if (r)
		r = write_and_close(open("b/f", O_RDWR));
	umount2("b", MNT_DETACH);
	errno = e;
	return r;
}

static int map_and_write(int fd)
{
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_WRITE))
		return -1;
	*p = 'X';
	return 0;
}

static int way_map(void)
{
	int fd = open("d/f", O_RDWR);
	/* For reading alone, it cannot be turned into more. */
	return map_and_write(fd < 0 ? open("d/f", O_RDONLY) : fd);
}

/* With a descriptor that can only be had where the file may be written. */
static int with_writable(int (*fn)(int fd))
{
	int fd = open("d/f", O_RDWR);
	if (fd < 0)
		fd = open("d/f", O_RDONLY);
	int r = fn(fd), e = errno;
	close(fd);
	errno = e;
	return r;
}

static int do_fallocate(int fd)
{
	return fallocate(fd, 0, 0, 100000);
}
static int do_truncate(int fd)
{
	return ftruncate(fd, 1);
}
static int do_punch(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
}
static int do_copy(int fd)
{
	int in = open("other", O_RDONLY);
	return copy_file_range(in, NULL, fd, NULL, 1, 0) == 1 ? 0 : -1;
}
static int do_sendfile(int fd)
{
	return sendfile(fd, open("other", O_RDONLY), NULL, 1) == 1 ? 0 : -1;
}
static int do_splice(int fd)
{
	int p[2];
	return pipe(p) || write(p[1], "X", 1) != 1 ||
			       splice(p[0], NULL, fd, NULL, 1, 0) != 1
		       ? -1
		       : 0;
}

static int way_fallocate(void)
{
	return with_writable(do_fallocate);
}
static int way_ftruncate(void)
{
	return with_writable(do_truncate);
}
static int way_punch(void)
{
	return with_writable(do_punch);
}
static int way_copy(void)
{
	return with_writable(do_copy);
}
static int way_sendfile(void)
{
	return with_writable(do_sendfile);
}
static int way_splice(void)
{
	return with_writable(do_splice);
}

static int way_fsxattr(void)
{
	struct fsxattr x = { .fsx_xflags = FS_XFLAG_NODUMP };
	return ioctl(open("d/f", O_RDONLY), FS_IOC_FSSETXATTR, &x);
}

static int way_clear(void)
{
	return flags_change("d/f", 0) ? -1 : way_open();
}

static const struct way {
	const char *name;
	int (*fn)(void);
	bool moves_folder;
} ways[] = {
#define WAY(x)                                                                           \
	{                                                                                \
#x, way_##x, false                                                       \
	}
#define WAY_OF_FOLDER(x)                                                                 \
	{                                                                                \
#x, way_##x, true                                                        \
	}
	WAY(open),
	WAY(o_path),
	WAY(proc_fd),
	WAY(o_trunc),
	WAY(creat),
	WAY(truncate),
	WAY(chmod),
	WAY(chown),
	WAY(xattr),
	WAY(unlink),
	WAY(link),
	WAY(link_outside),
	WAY(rename),
	WAY(replace),
	WAY(mkdir),
	WAY(symlink),
	WAY(mknod),
	WAY(rmdir),
	WAY_OF_FOLDER(rename_folder),
	WAY(times),
	WAY(exchange),
	WAY(tmpfile),
	WAY(link_descriptor),
	WAY(socket),
	WAY_OF_FOLDER(parent),
	WAY(bind),
	WAY(map),
	WAY(fallocate),
	WAY(ftruncate),
	WAY(punch),
	WAY(copy),
	WAY(sendfile),
	WAY(splice),
	WAY(fsxattr),
	WAY(clear),
};

/* ---- */

static void begin(void)
{
	tap_needs_root();
	tap_tmpdir();
	if (!tap_on_mayfly()) {
		if (unshare(CLONE_NEWNS))
			tap_skip("no mount namespace");
		CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	}
	CHECK(!mkdir("t", 0755) && !mkdir("o", 0755));
}

static void put(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "secret", 6), 6);
	close(fd);
}

/* A fresh tmpfs at t, and the working directory in it; or in an overlay above it. */
static void fresh(bool overlay)
{
	CHECK(!mount("t", "t", "tmpfs", 0, NULL));
	if (!overlay) {
		CHECK(!chdir("t"));
		return;
	}
	CHECK(!mkdir("t/l", 0755) && !mkdir("t/u", 0755) && !mkdir("t/w", 0755));
	CHECK(!mkdir("t/l/d", 0755) && !mkdir("t/l/d/sub", 0755));
	put("t/l/d/f");
	CHECK(!mount("o", "o", "overlay", 0, "lowerdir=t/l,upperdir=t/u,workdir=t/w"));
	CHECK(!chdir("o"));
}

/* Says in its exit status whether the way led anywhere. */
static int try_way(const struct way *w, bool overlay, int flag)
{
	fresh(overlay);
	if (!overlay) {
		CHECK(!mkdir("d", 0755) && !mkdir("d/sub", 0755));
		put("d/f");
	}
	put("other");
	CHECK(!flags_change("d/f", flag) && !flags_change("d", flag));
	pid_t pid = fork();
	if (!pid) {
		lose_capability();
		_exit(w->fn() ? 1 : 0);
	}
	int status = tap_wait(pid);
	CHECK(!chdir(".."));
	if (overlay)
		CHECK(!umount2("o", MNT_DETACH));
	CHECK(!umount2("t", MNT_DETACH));
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void no_way(bool overlay)
{
	begin();
	for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
		const struct way *w = &ways[k];
		if (overlay && w->moves_folder && !tap_on_mayfly())
			continue; /* EXDEV there */
		if (!try_way(w, overlay, FS_IMMUTABLE_FL))
			tap_fail(__FILE__, __LINE__, "%s leads round +i", w->name);
		if (try_way(w, overlay, 0))
			tap_fail(__FILE__, __LINE__, "%s leads nowhere", w->name);
	}
	CHECK(true);
}

static void no_way_round_immutable(void)
{
	no_way(false);
}

static void no_way_round_immutable_in_an_overlay(void)
{
	no_way(true);
}

/* What an append-only file holds stays, by all ways but those that only add. */
static void no_way_round_append(void)
{
	static const char *const adds[] = { "mkdir", "symlink", "mknod", "tmpfile",
					    "socket" };
	begin();
	for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
		bool may = false;
		for (size_t j = 0; j < sizeof adds / sizeof *adds; j++)
			may |= !strcmp(adds[j], ways[k].name);
		if (try_way(&ways[k], false, FS_APPEND_FL) == may)
			tap_fail(__FILE__, __LINE__, "%s: wrong for +a", ways[k].name);
	}
	CHECK(true);
}

/* The owner is not enough, nor is being root. */
static void only_the_capability_sets_it(void)
{
	begin();
	fresh(false);
	put("f");
	put("g");
	CHECK(!flags_change("g", FS_APPEND_FL));
	pid_t pid = fork();
	if (!pid) {
		struct fsxattr x = { .fsx_xflags = FS_XFLAG_IMMUTABLE };
		lose_capability();
		CHECK_ERR(flags_change("f", FS_IMMUTABLE_FL), EPERM);
		CHECK_ERR(flags_change("f", FS_APPEND_FL), EPERM);
		CHECK_ERR(ioctl(open("f", O_RDONLY), FS_IOC_FSSETXATTR, &x), EPERM);
		CHECK_ERR(flags_change("g", 0), EPERM);
		CHECK_ERR(flags_change("g", FS_APPEND_FL | FS_IMMUTABLE_FL), EPERM);
		CHECK(!flags_change("g", FS_APPEND_FL | FS_NODUMP_FL));
		CHECK(!flags_change("f", FS_NOATIME_FL));
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(!flags_change("f", FS_IMMUTABLE_FL));
	CHECK(!flags_change("g", 0));
}

TEST_MAIN(CASE(no_way_round_immutable), CASE(no_way_round_immutable_in_an_overlay),
	  CASE(no_way_round_append), CASE(only_the_capability_sets_it))

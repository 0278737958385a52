/* Every kind of descriptor, address and path: see every.h. */
#include "every.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#define FD 500

char every_buf[4096];
struct iovec every_vec = { every_buf, 8 };

int every_file(void)
{
	make_file("of-every", "0123456789abcdef0123456789abcdef");
	return open("of-every", O_RDWR);
}

int every_pipe(int end)
{
	static int p[2];
	NEED(!pipe2(p, O_NONBLOCK));
	NEED(write(p[1], "0123456789", 10) == 10);
	return p[end];
}

int every_socket(void)
{
	static int p[2];
	NEED(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p));
	NEED(write(p[1], "0123456789", 10) == 10);
	return p[0];
}

/* -- saying ------------------------------------------------------------------------- */

void every_say(const char *name, long result)
{
	int err = errno;
	say("%s: %s", name, result == -1 ? err_name(err) : "ok");
}

void every_say_bit(int bit, long result)
{
	char name[16];
	int err = errno;
	snprintf(name, sizeof name, "bit %d", bit);
	errno = err;
	every_say(name, result);
}

long every_closed(long fd)
{
	return fd < 0 ? -1 : close((int)fd);
}

/* -- descriptors -------------------------------------------------------------------- */

static int other = -1;

static int first_of(const int *pair)
{
	other = pair[1];
	return pair[0];
}

static int fd_none(void)
{
	return -1;
}

static int fd_file(void)
{
	int fd = open("every-file", O_RDWR | O_CREAT | O_TRUNC, 0644);
	NEED(write(fd, "0123456789", 10) == 10);
	return fd;
}

static int fd_read_only(void)
{
	close(fd_file());
	return open("every-file", O_RDONLY);
}

static int fd_write_only(void)
{
	return open("every-file", O_WRONLY | O_CREAT, 0644);
}

static int fd_append(void)
{
	return open("every-file", O_RDWR | O_APPEND | O_CREAT, 0644);
}

static int fd_path(void)
{
	close(fd_file());
	return open("every-file", O_PATH);
}

static int fd_folder(void)
{
	return open(".", O_RDONLY | O_DIRECTORY);
}

static int fd_pipe_read_end(void)
{
	int p[2];
	NEED(!pipe2(p, O_NONBLOCK));
	return first_of(p);
}

static int fd_pipe_write_end(void)
{
	int p[2];
	NEED(!pipe2(p, O_NONBLOCK));
	other = p[0];
	return p[1];
}

static int fd_stream(void)
{
	int p[2];
	NEED(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p));
	return first_of(p);
}

static int fd_datagram(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

static int fd_listener(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	NEED(!bind(fd, &(struct sockaddr){ AF_UNIX, "" }, sizeof(sa_family_t)));
	NEED(!listen(fd, 1));
	return fd;
}

static int fd_eventfd(void)
{
	return eventfd(0, EFD_NONBLOCK);
}

static int fd_epoll(void)
{
	return epoll_create1(0);
}

static int fd_timerfd(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
}

static int fd_signalfd(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return signalfd(-1, &set, SFD_NONBLOCK);
}

static int fd_inotify(void)
{
	return inotify_init1(IN_NONBLOCK);
}

static int fd_memfd(void)
{
	return memfd_create("every", MFD_ALLOW_SEALING);
}

/* A node of the case's own: calls change modes and owners. */
static int device(dev_t number)
{
	unlink("every-device");
	NEED(!mknod("every-device", S_IFCHR | 0666, number));
	return open("every-device", O_RDWR);
}

static int fd_null(void)
{
	return device(0x103);
}

static int fd_zero(void)
{
	return device(0x105);
}

static int fd_full(void)
{
	return device(0x107);
}

static int fd_terminal(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
}

static int fd_proc_file(void)
{
	return open("/proc/self/status", O_RDONLY);
}

static int fd_proc_folder(void)
{
	return open("/proc/self", O_RDONLY | O_DIRECTORY);
}

static const struct fd_kind {
	const char *name;
	int (*open)(void);
} fd_kinds[] = {
	{ "closed", fd_none },
	{ "file", fd_file },
	{ "file, read only", fd_read_only },
	{ "file, write only", fd_write_only },
	{ "file, append", fd_append },
	{ "O_PATH", fd_path },
	{ "folder", fd_folder },
	{ "pipe's read end", fd_pipe_read_end },
	{ "pipe's write end", fd_pipe_write_end },
	{ "stream socket", fd_stream },
	{ "datagram socket", fd_datagram },
	{ "listening socket", fd_listener },
	{ "eventfd", fd_eventfd },
	{ "epoll", fd_epoll },
	{ "timerfd", fd_timerfd },
	{ "signalfd", fd_signalfd },
	{ "inotify", fd_inotify },
	{ "memfd", fd_memfd },
	{ "/dev/null", fd_null },
	{ "/dev/zero", fd_zero },
	{ "/dev/full", fd_full },
	{ "terminal", fd_terminal },
	{ "proc file", fd_proc_file },
	{ "proc folder", fd_proc_folder },
};

const int every_fd_kinds = sizeof fd_kinds / sizeof *fd_kinds;

int every_fd(int kind, const char **ret_name)
{
	*ret_name = fd_kinds[kind].name;
	int fd = fd_kinds[kind].open();
	if (fd_kinds[kind].open == fd_none)
		return FD;
	NEED(fd >= 0);
	NEED(dup2(fd, FD) == FD);
	close(fd);
	return FD;
}

void every_fd_done(int fd)
{
	close(fd);
	if (other >= 0)
		close(other);
	other = -1;
}

/* -- addresses ---------------------------------------------------------------------- */

static void *page_of(int prot)
{
	void *p = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	return p;
}

static void *ptr_null(void)
{
	return NULL;
}

static void *ptr_one(void)
{
	return (void *)1;
}

static void *ptr_top(void)
{
	return (void *)-1L;
}

static void *ptr_kernel(void)
{
	return (void *)0xffff800000000000;
}

static void *ptr_not_canonical(void)
{
	return (void *)0x0000800000000000;
}

static void *ptr_no_access(void)
{
	return page_of(PROT_NONE);
}

static void *ptr_read_only(void)
{
	return page_of(PROT_READ);
}

static void *ptr_zeros(void)
{
	return page_of(PROT_READ | PROT_WRITE);
}

/* The last two bytes before a hole. */
static void *ptr_before_hole(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	NEED(p != MAP_FAILED);
	NEED(!munmap(p + 4096, 4096));
	return p + 4094;
}

static const struct ptr_kind {
	const char *name;
	void *(*make)(void);
} ptr_kinds[] = {
	{ "null", ptr_null },
	{ "one", ptr_one },
	{ "the last byte", ptr_top },
	{ "the kernel's", ptr_kernel },
	{ "not canonical", ptr_not_canonical },
	{ "no access", ptr_no_access },
	{ "read only", ptr_read_only },
	{ "zeros", ptr_zeros },
	{ "two bytes before a hole", ptr_before_hole },
};

const int every_ptr_kinds = sizeof ptr_kinds / sizeof *ptr_kinds;

void *every_ptr(int kind, const char **ret_name)
{
	*ret_name = ptr_kinds[kind].name;
	return ptr_kinds[kind].make();
}

/* -- paths -------------------------------------------------------------------------- */

static char long_name[NAME_MAX + 2], longest_name[NAME_MAX + 1];
static char long_path[PATH_MAX + 1], longest_path[PATH_MAX];

static const struct path_kind {
	const char *name, *path;
} path_kinds[] = {
	{ "null", NULL },
	{ "bad address", (const char *)1 },
	{ "empty", "" },
	{ "missing", "missing" },
	{ "below missing", "missing/x" },
	{ "missing, slash", "missing/" },
	{ "below a file", "file/x" },
	{ "dot of a file", "file/." },
	{ "file, slash", "file/" },
	{ "dot", "." },
	{ "dot dot", ".." },
	{ "folder, slash", "folder/" },
	{ "folder's dot", "folder/." },
	{ "folder's dot dot", "folder/.." },
	{ "loop", "loop" },
	{ "below a loop", "loop/x" },
	{ "dangling", "dangling" },
	{ "dangling, slash", "dangling/" },
	{ "link to a file, slash", "to-file/" },
	{ "link to a folder, slash", "to-folder/" },
	{ "name too long", long_name },
	{ "longest name", longest_name },
	{ "path too long", long_path },
	{ "longest path", longest_path },
	{ "read-only mount", "read-only/file" },
	{ "missing on a read-only mount", "read-only/missing" },
	{ "missing folder on a read-only mount", "read-only/missing/x" },
	{ "socket", "socket" },
	{ "fifo", "fifo" },
	{ "device", "device" },
	{ "proc, missing", "/proc/missing" },
	{ "proc, a file", "/proc/self/status" },
	{ "folder", "folder" },
	{ "link to a folder", "to-folder" },
	{ "link to a file", "to-file" },
	{ "file", "file" },
	{ "mount's root", "read-only" },
};

const int every_path_kinds = sizeof path_kinds / sizeof *path_kinds;

static char mounted[PATH_MAX];

void every_path_prepare(void)
{
	NEED(getcwd(mounted, sizeof mounted - sizeof "/read-only"));
	strcat(mounted, "/read-only");
	memset(long_name, 'n', NAME_MAX + 1);
	memset(longest_name, 'm', NAME_MAX);
	memset(long_path, '/', PATH_MAX);
	for (int i = 0; i < PATH_MAX - 1; i++)
		longest_path[i] = i % 2 ? '/' : '.';
	make_file("file", "content");
	NEED(!mkdir("folder", 0755) && !mkdir("read-only", 0755));
	NEED(!symlink("loop", "loop") && !symlink("nowhere", "dangling"));
	NEED(!symlink("file", "to-file") && !symlink("folder", "to-folder"));
	NEED(!mknod("socket", S_IFSOCK | 0644, 0) && !mkfifo("fifo", 0644));
	NEED(!mknod("device", S_IFCHR | 0644, 0x103));
	NEED(!mount("tmpfs", "read-only", "tmpfs", 0, NULL));
	make_file("read-only/file", "content");
	NEED(!mount(NULL, "read-only", NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

void every_path_done(void)
{
	umount2(mounted, MNT_DETACH);
}

const char *every_path(int kind, const char **ret_name)
{
	*ret_name = path_kinds[kind].name;
	return path_kinds[kind].path;
}

/* The values of the sweep: see sweep.h. */
#include "sweep.h"
#include "sweep_place.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* -- numbers ------------------------------------------------------------------------ */

static const struct sweep_value i32_values[] = {
	N(0),  N(1),  N(2),  N(3),   N(4),  N(5),  N(7),   N(8),   N(16),   N(17),
	N(32), N(64), N(65), N(100), N(-1), N(-2), N(MAX), N(MIN), N(HIGH), N(HIGH + 1),
};

#define TEN(d)                                                                           \
	N(d##0), N(d##1), N(d##2), N(d##3), N(d##4), N(d##5), N(d##6), N(d##7), N(d##8), \
		N(d##9)

/* Commands and options, which are numbered from 1, or from 1024. */
static const struct sweep_value numbers_values[] = {
	N(0),  N(1),  N(2),	N(3),	  N(4),	  N(5),	       N(6),  N(7),
	N(8),  N(9),  TEN(1),	TEN(2),	  TEN(3), TEN(4),      N(50), N(51),
	N(52), N(59), TEN(102), TEN(103), N(-1),  N(HIGH + 1),
};

/* Milliseconds; how long others take is not to be seen. */
static const struct sweep_value timeout_values[] = {
	N(0), N(1), N(-1), N(MAX), N(MIN), N(HIGH),
};

static const struct sweep_value u64_values[] = {
	N(0),	N(1),	 N(2),	      N(3),	N(8),	  N(16),
	N(24),	N(64),	 N(1024),     N(1025),	N(4096),  N(MAX),
	N(MIN), N(HIGH), N(HIGH + 1), N(MAX64), N(MIN64), N(-1),
};

static const struct sweep_value size_values[] = {
	N(8),	N(0),	N(1),	 N(2),	      N(7),	N(16),	  N(24),    N(64),
	N(100), N(255), N(4095), N(4096),     N(4097),	N(8192),  N(65536), N(65537),
	N(MAX), N(MIN), N(HIGH), N(HIGH + 8), N(MAX64), N(MIN64), N(-1),    N(-4096),
};

static const struct sweep_value sigset_size_values[] = {
	N(8), N(0), N(1), N(4), N(7), N(9), N(16), N(128), N(HIGH + 8), N(-1),
};

static const struct sweep_value off_values[] = {
	N(0),	N(1),	N(5),	 N(10),	   N(100),	    N(4095),  N(4096), N(4097),
	N(MAX), N(MIN), N(HIGH), N(MAX64), N(MAX64 - 4096), N(MIN64), N(-1),   N(-4096),
};

static const struct sweep_value flags_values[] = {
	N(0),	       N(1),	      N(2),	   N(3),	N(4),	     N(5),
	N(6),	       N(8),	      N(0x10),	   N(0x20),	N(0x40),     N(0x42),
	N(0x80),       N(0x100),      N(0x200),	   N(0x400),	N(0x800),    N(0x1000),
	N(0x2000),     N(0x4000),     N(0x8000),   N(0x10000),	N(0x20000),  N(0x40000),
	N(0x80000),    N(0x100000),   N(0x200000), N(0x410000), N(0x400000), N(0x1000000),
	N(0x10000000), N(0x40000000), N(MIN),	   N(-1),	N(HIGH),     N(HIGH + 1),
};

static const struct sweep_value mode_values[] = {
	N(0644),    N(0),      N(04),	   N(06),	   N(07),
	N(010),	    N(0777),   N(01777),   N(04755),	   N(02755),
	N(07777),   N(010000), N(0100644), N(010644),	   N(020644),
	N(040755),  N(060644), N(0120777), N(0140644),	   N(0170000),
	N(0200644), N(MIN),    N(-1),	   N(HIGH + 0644), N(HIGH + 0200000),
};

static const struct sweep_value id_values[] = {
	N(0),	N(1),  N(1234), N(65534), N(65535),	  N(65536),    N(MAX),
	N(MIN), N(-2), N(-1),	N(HIGH),  N(HIGH + 1234), N(HIGH - 1),
};

static const struct sweep_value sig_values[] = {
	N(0),  N(10), N(9),  N(17), N(18),  N(19),  N(32),   N(33),
	N(34), N(64), N(65), N(-1), N(MAX), N(MIN), N(HIGH), N(HIGH + 10),
};

/* -- descriptors -------------------------------------------------------------------- */

static const struct sweep_value fd_values[] = {
	{ "file", FIRST_FD + 1 },
	{ "closed", FIRST_FD },
	{ "read-only file", FIRST_FD + 2 },
	{ "write-only file", FIRST_FD + 3 },
	{ "appending file", FIRST_FD + 4 },
	{ "O_PATH", FIRST_FD + 5 },
	{ "folder", FIRST_FD + 6 },
	{ "pipe's read end", FIRST_FD + 7 },
	{ "pipe's write end", FIRST_FD + 8 },
	{ "stream socket", FIRST_FD + 9 },
	{ "datagram socket", FIRST_FD + 10 },
	{ "listening socket", FIRST_FD + 11 },
	{ "eventfd", FIRST_FD + 12 },
	{ "epoll", FIRST_FD + 13 },
	{ "timerfd", FIRST_FD + 14 },
	{ "signalfd", FIRST_FD + 15 },
	{ "inotify", FIRST_FD + 16 },
	{ "memfd", FIRST_FD + 17 },
	{ "/dev/null", FIRST_FD + 18 },
	{ "/dev/zero", FIRST_FD + 19 },
	{ "/dev/full", FIRST_FD + 20 },
	{ "terminal", FIRST_FD + 21 },
	{ "proc file", FIRST_FD + 22 },
	{ "proc folder", FIRST_FD + 23 },
	{ "queue", QUEUE },
	N(-1),
	{ "AT_FDCWD", (uint64_t)AT_FDCWD },
	N(MAX),
	N(MIN),
	N(1024),
	{ "HIGH + file", HIGH + FIRST_FD + 1 },
};

/* A pidfd is one of a file system's since Linux 6.9: only calls that want one get it. */
static const struct sweep_value pidfd_values[] = {
	{ "pidfd", PIDFD },
	{ "closed", FIRST_FD },
	{ "file", FIRST_FD + 1 },
	{ "O_PATH", FIRST_FD + 5 },
	{ "eventfd", FIRST_FD + 12 },
	{ "proc file", FIRST_FD + 22 },
	N(-1),
	N(MAX),
	N(MIN),
	{ "HIGH + pidfd", HIGH + PIDFD },
};

static const struct sweep_value dirfd_values[] = {
	{ "AT_FDCWD", (uint64_t)AT_FDCWD },
	{ "folder", FIRST_FD + 6 },
	{ "file", FIRST_FD + 1 },
	{ "O_PATH", FIRST_FD + 5 },
	{ "closed", FIRST_FD },
	{ "pipe's read end", FIRST_FD + 7 },
	{ "proc folder", FIRST_FD + 23 },
	N(-1),
	N(MIN),
	{ "HIGH + folder", HIGH + FIRST_FD + 6 },
	{ "0xffffff9c", 0xffffff9c },
};

/* -- pids --------------------------------------------------------------------------- */

static struct sweep_value pid_values[] = {
	N(0),	{ "self", 0 }, { "child", 0 }, { "HIGH + self", 0 }, N(99999999), N(MAX),
	N(MIN), N(-99999999),  N(HIGH),
};

static int sleep_until_the_parent_ends(void)
{
	prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0ul, 0ul, 0ul);
	/* It may have ended before. */
	return getppid() == (pid_t)pid_values[1].value ? sleeper() : 0;
}

void sweep_prepare_process(bool with_child)
{
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	NEED(pidfd >= 0 && dup2(pidfd, PIDFD) == PIDFD);
	close(pidfd);
	NEED(!setpgid(0, 0));
	pid_values[1].value = (uint64_t)getpid();
	pid_values[2].value =
		with_child ? (uint64_t)child_of(sleep_until_the_parent_ends) : 99999999;
	pid_values[3].value = HIGH + (uint64_t)getpid();
}

/* -- addresses ---------------------------------------------------------------------- */

#define BAD_POINTERS                                                                     \
	{ "null", 0 }, { "one", 1 }, { "kernel", 0xffff800000001000 },                   \
		{ "not canonical", 0x800000000000 }, { "top", -8ull },                   \
		{ "no access", NO_ACCESS },                                              \
	{                                                                                \
		"hole", BUFFER + 4096                                                    \
	}

static const struct sweep_value in_values[] = {
	{ "zeros", ZEROS },
	BAD_POINTERS,
	{ "ones", ONES },
	{ "counting", COUNTING },
	{ "data", DATA },
	{ "read only", READ_ONLY },
	{ "zeros + 1", ZEROS + 1 },
	{ "2 before a hole", HOLE(2) },
	{ "8 before a hole", HOLE(8) },
	{ "16 before a hole", HOLE(16) },
};

static const struct sweep_value out_values[] = {
	{ "buffer", BUFFER },
	BAD_POINTERS,
	{ "read only", READ_ONLY },
	{ "buffer + 1", BUFFER + 1 },
	{ "2 before a hole", HOLE(2) },
	{ "8 before a hole", HOLE(8) },
	{ "16 before a hole", HOLE(16) },
};

static const struct sweep_value length_values[] = {
	{ "16", LENGTH },
	BAD_POINTERS,
	{ "zero", ZEROS },
	{ "-1", ONES },
	{ "one", COUNTING },
	{ "read-only zero", READ_ONLY },
	{ "misaligned", ZEROS + 1 },
	{ "2 before a hole", HOLE(2) },
};

static const struct sweep_value iov_values[] = {
	{ "vector", VECTOR },	  BAD_POINTERS,
	{ "zeros", ZEROS },	  { "ones", ONES },
	{ "counting", COUNTING }, { "8 before a hole", HOLE(8) },
};

static const struct sweep_value msg_values[] = {
	{ "message", MESSAGE },	  BAD_POINTERS,
	{ "zeros", ZEROS },	  { "ones", ONES },
	{ "counting", COUNTING }, { "8 before a hole", HOLE(8) },
};

static const struct sweep_value strings_values[] = {
	{ "zeros", ZEROS },
	{ "null", 0 },
	{ "read only", READ_ONLY },
};

static const struct sweep_value addr_in_values[] = {
	{ "address", ADDRESS },	  BAD_POINTERS,
	{ "zeros", ZEROS },	  { "ones", ONES },
	{ "counting", COUNTING }, { "2 before a hole", HOLE(2) },
};

static const struct sweep_value open_how_values[] = {
	{ "how", HOW },		  BAD_POINTERS,
	{ "zeros", ZEROS },	  { "ones", ONES },
	{ "counting", COUNTING }, { "8 before a hole", HOLE(8) },
};

static const struct sweep_value addr_values[] = {
	{ "buffer", BUFFER },
	N(0),
	N(1),
	N(4096),
	{ "buffer + 1", BUFFER + 1 },
	{ "read only", READ_ONLY },
	{ "no access", NO_ACCESS },
	{ "hole", BUFFER + 4096 },
	{ "last page", 0x7ffffffff000 },
	{ "not canonical", 0x800000000000 },
	{ "kernel", 0xffff800000000000 },
	N(MIN64),
	N(-4096),
	N(-1),
};

static const struct sweep_value ptr_values[] = {
	{ "buffer", BUFFER },
	BAD_POINTERS,
	{ "zeros", ZEROS },
	{ "counting", COUNTING },
	{ "read only", READ_ONLY },
	{ "2 before a hole", HOLE(2) },
	N(2),
	N(10),
	N(1024),
	N(HIGH),
	N(-1),
};

/* -- names -------------------------------------------------------------------------- */

static char long_name[256 + 1], long_path[4096 + 1];

#define PATH(label, text)                                                                \
	{                                                                                \
		label, (uint64_t)(text)                                                  \
	}
static struct sweep_value path_values[] = {
	{ "file", 0 },
	{ "missing", 0 },
	{ "folder", 0 },
	{ "", 0 },
	{ "null", 0 },
	{ "one", 1 },
	{ "kernel", 0xffff800000001000 },
	{ "no end", TEXT + 4096 - 4 },
	{ "missing/x", 0 },
	{ "file/x", 0 },
	{ "file/", 0 },
	{ "folder/", 0 },
	{ "missing/", 0 },
	{ ".", 0 },
	{ "..", 0 },
	{ "folder/..", 0 },
	{ "folder/.", 0 },
	{ "folder/inner", 0 },
	{ "loop", 0 },
	{ "dangling", 0 },
	{ "link to a file", 0 },
	{ "link to a folder", 0 },
	{ "link to a folder/", 0 },
	{ "long name", 0 },
	{ "long path", 0 },
	{ "socket", 0 },
	{ "device", 0 },
	{ "empty folder", 0 },
	{ "secret", 0 },
	{ "secret/x", 0 },
	{ "locked", 0 },
};

static const struct sweep_value attribute_values[] = {
	PATH("user.a", "user.a"),
	BAD_POINTERS,
	PATH("", ""),
	PATH("user.", "user."),
	PATH("user", "user"),
	PATH("trusted.a", "trusted.a"),
	PATH("security.a", "security.a"),
	PATH("system.a", "system.a"),
	PATH("other.a", "other.a"),
	{ "long name", 0 },
	{ "no end", TEXT + 4096 - 4 },
};

static struct sweep_value
	attributes_values[sizeof attribute_values / sizeof *attribute_values];

void sweep_prepare_values(void)
{
	memset(long_name, 'n', 256);
	memset(long_path, '/', 4096);
	for (size_t i = 0; i < sizeof path_values / sizeof *path_values; i++) {
		struct sweep_value *v = &path_values[i];
		if (!strcmp(v->label, "long name"))
			v->value = (uintptr_t)long_name;
		else if (!strcmp(v->label, "long path"))
			v->value = (uintptr_t)long_path;
		else if (!v->value && strcmp(v->label, "null"))
			v->value = (uintptr_t)v->label;
	}
	memcpy(attributes_values, attribute_values, sizeof attribute_values);
	for (size_t i = 0; i < sizeof attributes_values / sizeof *attributes_values; i++)
		if (!strcmp(attributes_values[i].label, "long name"))
			attributes_values[i].value = (uintptr_t)long_name;
}

/* -- all domains -------------------------------------------------------------------- */

static const struct sweep_domain domains[] = {
	DOMAIN("fd", fd_values),
	DOMAIN("pidfd", pidfd_values),
	DOMAIN("dirfd", dirfd_values),
	DOMAIN("timeout", timeout_values),
	DOMAIN("pid", pid_values),
	DOMAIN("sig", sig_values),
	DOMAIN("uid", id_values),
	DOMAIN("gid", id_values),
	DOMAIN("mode", mode_values),
	DOMAIN("flags", flags_values),
	DOMAIN("flags64", flags_values),
	DOMAIN("i32", i32_values),
	DOMAIN("u32", i32_values),
	DOMAIN("i64", u64_values),
	DOMAIN("u64", u64_values),
	DOMAIN("size", size_values),
	DOMAIN("off", off_values),
	DOMAIN("addr", addr_values),
	DOMAIN("path", path_values),
	DOMAIN("str", path_values),
	DOMAIN("in", in_values),
	DOMAIN("out", out_values),
	DOMAIN("inout", in_values),
	DOMAIN("iovin", iov_values),
	DOMAIN("iovout", iov_values),
	DOMAIN("msgin", msg_values),
	DOMAIN("msgout", msg_values),
	DOMAIN("strv", in_values),
	DOMAIN("ptrv", in_values),
	DOMAIN("ptr", ptr_values),
	DOMAIN("numbers", numbers_values),
	DOMAIN("sigset_size", sigset_size_values),
	DOMAIN("length", length_values),
	DOMAIN("addr_in", addr_in_values),
	DOMAIN("strings", strings_values),
	DOMAIN("open_how", open_how_values),
	DOMAIN("attributes", attributes_values),
};

const struct sweep_domain *sweep_domain(const char *name)
{
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
		if (!strcmp(domains[i].name, name))
			return &domains[i];
	for (int i = 0; i < sweep_commands_n; i++)
		if (!strcmp(sweep_commands[i].name, name))
			return &sweep_commands[i];
	return NULL;
}

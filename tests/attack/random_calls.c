/*
 * Every system call of the table with arguments made at random after their types: numbers
 * at the edges, descriptors of all kinds, memory that is good, absent or changing under
 * the call, from several threads at once. What the calls answer does not matter; the
 * kernel must live, and an ordinary process work as before.
 *
 *	random_calls [ROUNDS [SEED]]
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/tap.h"
#include "lib/syscall_table.h"

static const struct call {
	int nr;
	const char *name;
	int kinds[6];
} calls[] = {
#define SYSCALL0(nr, name, s, g, a)                                                      \
	{ nr,                                                                            \
	  #name,                                                                         \
	  { KIND_none, KIND_none, KIND_none, KIND_none, KIND_none, KIND_none } },
#define SYSCALL1(nr, name, s, g, a, t1, n1)                                              \
	{ nr,                                                                            \
	  #name,                                                                         \
	  { KIND_##t1, KIND_none, KIND_none, KIND_none, KIND_none, KIND_none } },
#define SYSCALL2(nr, name, s, g, a, t1, n1, t2, n2)                                      \
	{ nr,                                                                            \
	  #name,                                                                         \
	  { KIND_##t1, KIND_##t2, KIND_none, KIND_none, KIND_none, KIND_none } },
#define SYSCALL3(nr, name, s, g, a, t1, n1, t2, n2, t3, n3)                              \
	{ nr,                                                                            \
	  #name,                                                                         \
	  { KIND_##t1, KIND_##t2, KIND_##t3, KIND_none, KIND_none, KIND_none } },
#define SYSCALL4(nr, name, s, g, a, t1, n1, t2, n2, t3, n3, t4, n4)                      \
	{ nr,                                                                            \
	  #name,                                                                         \
	  { KIND_##t1, KIND_##t2, KIND_##t3, KIND_##t4, KIND_none, KIND_none } },
#define SYSCALL5(nr, name, s, g, a, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)              \
	{ nr,                                                                            \
	  #name,                                                                         \
	  { KIND_##t1, KIND_##t2, KIND_##t3, KIND_##t4, KIND_##t5, KIND_none } },
#define SYSCALL6(nr, name, s, g, a, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6)      \
	{ nr,                                                                            \
	  #name,                                                                         \
	  { KIND_##t1, KIND_##t2, KIND_##t3, KIND_##t4, KIND_##t5, KIND_##t6 } },
#include "lib/abi/syscalls.def"
};
#define CALLS (sizeof calls / sizeof calls[0])

/* What would end the test instead of trying the kernel. */
static const char *const left_out[] = {
	"exit",		 "exit_group",	  "reboot",	  "rt_sigreturn", "vfork",
	"pause",	 "clock_settime", "settimeofday", "execve",	  "execveat",
	"rt_sigsuspend", "clone",	  "fork",	  "clone3",	  "setpgid",
	"setsid",	 "kill",	  "umount2",	  "chroot",	  "pivot_root",
	"mount",
};

#define ARENA (64 * 4096)
static char *arena; /* shared by the threads of one child; some of it unreadable */
static __thread unsigned seed;

static uint64_t rnd(void)
{
	uint64_t a = rand_r(&seed), b = rand_r(&seed), c = rand_r(&seed);
	return a ^ b << 21 ^ c << 42;
}

static uint64_t edge(void)
{
	static const uint64_t edges[] = {
		0,
		1,
		2,
		3,
		7,
		8,
		16,
		64,
		100,
		127,
		128,
		255,
		256,
		511,
		512,
		1023,
		1024,
		4095,
		4096,
		4097,
		8192,
		65535,
		65536,
		1 << 20,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		0x100000000,
		0x7fffffffffff,
		0x800000000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		~0ull,
		~0ull - 1,
		~0ull - 4095,
	};
	uint64_t v = edges[rnd() % (sizeof edges / sizeof edges[0])];
	return rnd() % 4 ? v : v + rnd() % 3 - 1;
}

static uint64_t pointer(void)
{
	switch (rnd() % 16) {
	case 0:
		return 0;
	case 1:
		return edge();
	case 2:
		return (uintptr_t)arena + ARENA - rnd() % 64; /* straddles its end */
	case 3:
		return (uintptr_t)arena + (rnd() % 63 + 1) * 4096 - rnd() % 64;
	default:
		return (uintptr_t)arena + rnd() % (ARENA - 4096) / 8 * 8;
	}
}

/* Fills some of the arena with what calls like to find there. */
static void scramble(void)
{
	uint64_t *p = (uint64_t *)arena + rnd() % (ARENA / 8 - 64);
	for (int i = 0; i < 24; i++)
		switch (rnd() % 6) {
		case 0:
			p[i] = pointer();
			break;
		case 1:
			p[i] = edge();
			break;
		case 2:
			p[i] = rnd();
			break;
		case 3:
			p[i] = rnd() % 64 << 32 | rnd() % 64;
			break;
		default:
			p[i] = rnd() % 1000;
			break;
		}
}

static const char *path(void)
{
	static const char *const paths[] = {
		"file",
		"file",
		"dir",
		"dir/file",
		"link",
		"loop",
		"fifo",
		"absent",
		".",
		"..",
		"",
		"/",
		"/dev/null",
		"/dev/zero",
		"/dev/full",
		"/dev/tty",
		"/dev/ptmx",
		"/dev/urandom",
		"/proc/self/mem",
		"/proc/self/maps",
		"/proc/self/fd/3",
		"/proc/self/status",
		"/proc/meminfo",
		"/proc/self",
		"/proc/self/fd",
		"/bin/busybox",
		"/etc/passwd",
		"/etc",
		"dir/../link",
		"new",
		"new2",
		"dir/new",
		"/proc/self/exe",
		"/proc/self/cwd/file",
		"file/",
		"/proc/self/task",
		"/proc/stat",
		"/dev/pts/0",
		"/proc/mounts",
	};
	char *at = arena + rnd() % (ARENA - 4096);
	strcpy(at, paths[rnd() % (sizeof paths / sizeof paths[0])]);
	return at;
}

static uint64_t argument(int kind)
{
	uint64_t r = rnd();
	switch (kind) {
	case KIND_fd:
		return rnd() % 12 ? r % 40 : edge();
	case KIND_dirfd:
		return rnd() % 3 ? (uint64_t)AT_FDCWD : r % 40;
	case KIND_pid:
		return rnd() % 3 ? 0 : (uint64_t)getpid();
	case KIND_sig:
		return rnd() % 4 ? SIGUSR1
				 : (uint64_t[]){ 0, SIGCHLD, 34, 64, 65, 17 }[r % 6];
	case KIND_uid:
	case KIND_gid:
		return rnd() % 2 ? ~0u : edge();
	case KIND_flags:
	case KIND_flags64:
		return rnd() % 2 ? r & rnd() & rnd() & 0xffffffff : 1ull << r % 32;
	case KIND_path:
		return rnd() % 16 ? (uint64_t)path() : pointer();
	case KIND_str:
		return rnd() % 2 ? (uint64_t)path() : pointer();
	case KIND_addr:
		return rnd() % 2 ? pointer() & ~4095ull : pointer();
	case KIND_in:
	case KIND_out:
	case KIND_inout:
	case KIND_iovin:
	case KIND_iovout:
	case KIND_msgin:
	case KIND_msgout:
	case KIND_strv:
	case KIND_ptrv:
		return pointer();
	case KIND_ptr:
		return rnd() % 2 ? pointer() : r % 16;
	case KIND_size:
		return rnd() % 2 ? r % 8192 : edge();
	case KIND_off:
		return rnd() % 2 ? r % 100000 : edge();
	default:
		return rnd() % 2 ? r % 16 : edge();
	}
}

static bool is_left_out(const struct call *c)
{
	for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
		if (!strcmp(left_out[i], c->name))
			return true;
	return false;
}

static void call_one(void)
{
	const struct call *c = &calls[rnd() % CALLS];
	uint64_t a[6];
	if (is_left_out(c))
		return;
	scramble();
	for (int i = 0; i < 6; i++)
		a[i] = c->kinds[i] == KIND_none ? rnd() : argument(c->kinds[i]);
	syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void make_descriptors(void)
{
	int p[2];
	(void)!mkdir("dir", 0755);
	close(open("dir/file", O_CREAT | O_RDWR, 0644));
	(void)!symlink("file", "link");
	(void)!symlink("loop", "loop");
	mkfifo("fifo", 0644);
	int fd = open("file", O_CREAT | O_RDWR, 0644);
	(void)!ftruncate(fd, 100000);
	open("file", O_RDONLY);
	open("file", O_WRONLY | O_APPEND);
	open(".", O_RDONLY | O_DIRECTORY);
	open("dir", O_PATH);
	(void)!pipe2(p, O_NONBLOCK);
	(void)!pipe(p);
	open("fifo", O_RDWR | O_NONBLOCK);
	(void)!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p);
	(void)!socketpair(AF_UNIX, SOCK_DGRAM, 0, p);
	sock_bind(socket(AF_UNIX, SOCK_DGRAM, 0), "dgram");
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	sock_bind(listener, "socket");
	listen(listener, 3);
	socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	epoll_create1(0);
	eventfd(3, EFD_NONBLOCK);
	timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	memfd_create("m", MFD_ALLOW_SEALING);
	open("/dev/zero", O_RDWR);
	open("/dev/null", O_RDWR);
	open("/dev/urandom", O_RDWR);
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	int unlock = 0;
	if (master >= 0) {
		syscall(SYS_ioctl, master, 0x40045431 /* TIOCSPTLCK */, &unlock);
		syscall(SYS_ioctl, master, 0x5441 /* TIOCGPTPEER */, O_RDWR | O_NOCTTY);
	}
	open("/proc/self/maps", O_RDONLY);
	open("/proc/self/mem", O_RDONLY);
	open("/proc", O_RDONLY | O_DIRECTORY);
	open("/bin/busybox", O_RDONLY);
	open("/etc", O_RDONLY | O_DIRECTORY);
}

/* What is written must not look like TAP. */
static void leave_output(void)
{
	for (int fd = 0; fd < 16; fd++)
		close(fd);
	for (int fd = 0; fd < 3; fd++)
		open("/dev/null", O_RDWR);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void *caller(void *arg)
{
	seed = (unsigned)(uintptr_t)arg;
	for (;;)
		call_one();
	return NULL;
}

/* One process with a few threads, until it is killed or kills itself. */
static void child(unsigned s)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	pthread_t t;
	setsid();
	leave_output();
	seed = s;
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	signal(SIGUSR1, SIG_IGN);
	setitimer(ITIMER_REAL, &often, NULL);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 22, 1 << 22 });
	setrlimit(RLIMIT_AS, &(struct rlimit){ 1 << 26, 1 << 26 });
	signal(SIGXFSZ, SIG_IGN);
	char dir[] = "/tmp/random-XXXXXX";
	if (!mkdtemp(dir) || chdir(dir))
		_exit(1);
	make_descriptors();
	arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(arena + ARENA, 4096, PROT_NONE);
	for (unsigned i = 1; i < 3; i++)
		pthread_create(&t, NULL, caller, (void *)(uintptr_t)(s * 7919 + i));
	caller((void *)(uintptr_t)s);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)!remove(path);
	return 0;
}

/* What the calls left in /tmp, as far as it can be removed. */
static void clean_up(void)
{
	DIR *d = opendir("/tmp");
	for (struct dirent *e; d && (e = readdir(d));)
		if (!strncmp(e->d_name, "random-", 7)) {
			char path[300];
			snprintf(path, sizeof path, "/tmp/%s", e->d_name);
			nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
		}
	if (d)
		closedir(d);
}

/* No program is executed: the calls may have changed any file there is. */
static void still_works(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		char buf[4096] = "", path[] = "/tmp/still-XXXXXX";
		char *p = malloc(1 << 20);
		int fd = mkstemp(path);
		if (!p || fd < 0)
			_exit(1);
		memset(p, 7, 1 << 20);
		unlink(path);
		_exit(write(fd, p, sizeof buf) != sizeof buf ||
		      pread(fd, buf, sizeof buf, 0) != sizeof buf ||
		      memcmp(buf, p, sizeof buf));
	}
	CHECK_EQ(tap_wait(pid), 0);
}

#define ROUND_SECONDS 10
static unsigned first_seed = 1;

static pid_t start_one(void)
{
	static unsigned n;
	unsigned s = first_seed + n++;
	pid_t pid = fork();
	if (!pid)
		child(s);
	return pid;
}

/* Threads that made us their tracer stop, and end, each by itself. Children that have
 * ended become 0 in `pids`. How many. */
static int reap(pid_t *pids, int n, int options)
{
	int status, ended = 0;
	pid_t got;
	while ((got = waitpid(-1, &status, __WALL | options)) > 0) {
		int sig = WIFSTOPPED(status) ? WSTOPSIG(status) & 0x7f : 0;
		if (sig)
			ptrace(PTRACE_CONT, got, 0, sig == SIGSTOP ? 0 : sig);
		for (int i = 0; i < n; i++)
			if (!sig && pids[i] == got) {
				pids[i] = 0;
				ended++;
			}
	}
	return ended;
}

static void kernel_survives(void)
{
	enum { AT_ONCE = 3 };
	pid_t pids[AT_ONCE];
	time_t born[AT_ONCE], end = time(NULL) + ROUND_SECONDS;
	int ended = 0;
	tap_needs_mayfly();
	for (int i = 0; i < AT_ONCE; i++) {
		pids[i] = start_one();
		born[i] = time(NULL);
	}
	while (time(NULL) < end) {
		ended += reap(pids, AT_ONCE, WNOHANG);
		for (int i = 0; i < AT_ONCE; i++) {
			if (pids[i] && time(NULL) > born[i] + 2)
				kill(pids[i], SIGKILL);
			if (pids[i])
				continue;
			pids[i] = start_one();
			born[i] = time(NULL);
		}
		usleep(5000);
	}
	for (int i = 0; i < AT_ONCE; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
	reap(pids, AT_ONCE, 0);
	CHECK(ended > 0);
	clean_up();
	still_works();
}

static const struct tap_case cases[] = { CASE(kernel_survives) };

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1, failed = 0;
	if (argc > 2)
		first_seed = (unsigned)atoi(argv[2]);
	for (; rounds > 0; rounds--, first_seed += 1000)
		failed |= tap_run(cases, 1, 1, argv);
	return failed;
}

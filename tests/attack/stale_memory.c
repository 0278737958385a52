/*
 * Kernel memory that a call hands out by mistake: padding of structs, ends of buffers,
 * pages. Before each call the kernel's stack and heap are filled with a pattern, by calls
 * that copy it in; no result may hold it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#define MARK 0xa5

static char marks[4096];

/* Leaves marks wherever calls keep what they copied in. */
static void poison(void)
{
	int p[2];
	struct pollfd fds[100];
	struct iovec v[8];
	memset(marks, MARK, sizeof marks);
	marks[sizeof marks - 1] = 0;
	syscall(SYS_open, marks, 0);
	syscall(SYS_execve, marks, NULL, NULL);
	syscall(SYS_rename, marks + 3000, marks + 3500);
	syscall(SYS_setxattr, "/tmp", marks + 4000, marks, 1000, 0);
	memset(fds, MARK, sizeof fds);
	syscall(SYS_poll, fds, 100, 0);
	syscall(SYS_prctl, MARK, ~0ul, ~0ul, ~0ul, ~0ul);
	if (!pipe(p)) {
		for (int i = 0; i < 8; i++)
			v[i] = (struct iovec){ marks, 500 };
		(void)!writev(p[1], v, 8);
		close(p[0]);
		close(p[1]);
	}
	syscall(SYS_rt_sigaction, 99, marks, NULL, 8);
	syscall(SYS_timer_create, CLOCK_MONOTONIC, marks, NULL);
	syscall(SYS_clone3, marks, 88);
	syscall(437 /* openat2 */, -1, "x", marks, 24);
}

static bool marked(const void *p, size_t n)
{
	const unsigned char *b = p;
	int run = 0;
	for (size_t i = 0; i < n; i++) {
		run = b[i] == MARK ? run + 1 : 0;
		if (run == 2)
			return true;
	}
	return false;
}

/* The call fills a buffer of zeros; what it does not write stays zero. */
#define CLEAN(type, call)                                                                \
	do {                                                                             \
		type out;                                                                \
		memset(&out, 0, sizeof out);                                             \
		poison();                                                                \
		CHECK((call) >= 0);                                                      \
		CHECK(!marked(&out, sizeof out));                                        \
	} while (0)

static void the_pattern_would_be_seen(void)
{
	int p[2];
	char buf[100] = "";
	CHECK(!pipe(p));
	memset(marks, MARK, sizeof marks);
	CHECK_EQ(write(p[1], marks, 50), 50);
	CHECK_EQ(read(p[0], buf, 100), 50);
	CHECK(marked(buf, sizeof buf));
}

static void structs(void)
{
	typedef struct {
		char b[256];
	} block;
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CLEAN(struct stat, fstat(fd, &out));
	CLEAN(struct stat, stat("/proc/self/status", &out));
	CLEAN(struct stat, stat("/dev/null", &out));
	CLEAN(struct stat, stat("/bin/busybox", &out));
	CLEAN(block, syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0x7ff, &out));
	CLEAN(struct statfs, fstatfs(fd, &out));
	CLEAN(struct statfs, statfs("/proc", &out));
	CLEAN(struct statfs, statfs("/", &out));
	CLEAN(struct utsname, uname(&out));
	CLEAN(struct sysinfo, sysinfo(&out));
	CLEAN(struct rusage, getrusage(RUSAGE_SELF, &out));
	CLEAN(struct rlimit, getrlimit(RLIMIT_STACK, &out));
	CLEAN(struct timespec, syscall(SYS_clock_gettime, CLOCK_REALTIME, &out));
	CLEAN(struct timeval, syscall(SYS_gettimeofday, &out, NULL));
	CLEAN(struct itimerval, getitimer(ITIMER_REAL, &out));
	CLEAN(stack_t, sigaltstack(NULL, &out));
	CLEAN(block, syscall(SYS_rt_sigaction, SIGUSR1, NULL, &out, 8));
	CLEAN(block, syscall(SYS_sched_getaffinity, 0, sizeof out, &out));
	CLEAN(block, syscall(SYS_getcwd, &out, sizeof out));
	CLEAN(block, syscall(SYS_getdents64, open("/", O_RDONLY), &out, sizeof out));
	CLEAN(block, syscall(SYS_getdents64, open("/proc", O_RDONLY), &out, sizeof out));
	CLEAN(block, syscall(SYS_getdents64, open("/dev", O_RDONLY), &out, sizeof out));
	CLEAN(block, syscall(SYS_getdents64, open(".", O_RDONLY), &out, sizeof out));
	CLEAN(block, syscall(SYS_getdents, open("/", O_RDONLY), &out, sizeof out));
	CLEAN(block, syscall(SYS_adjtimex, &out));
	CLEAN(block, syscall(SYS_times, &out));
}

static void signals_and_waits(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	CLEAN(siginfo_t, syscall(SYS_rt_sigtimedwait, &set, &out, NULL, 8));
	if (!fork())
		_exit(3);
	CLEAN(siginfo_t, syscall(SYS_rt_sigtimedwait, &set, &out, NULL, 8));
	CLEAN(siginfo_t, syscall(SYS_waitid, P_ALL, 0, &out, WEXITED, NULL));
	timer_t t;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec soon = { { 0, 0 }, { 0, 1000 } };
	CHECK(!timer_create(CLOCK_MONOTONIC, &ev, &t) &&
	      !timer_settime(t, 0, &soon, NULL));
	CLEAN(siginfo_t, syscall(SYS_rt_sigtimedwait, &set, &out, NULL, 8));
	CLEAN(struct itimerspec, timer_gettime(t, &out));
}

static unsigned char alternate[65536] __attribute__((aligned(64)));
static volatile int frames;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	frames++;
}

static void signal_frames(void)
{
	stack_t ss = { .ss_sp = alternate, .ss_size = sizeof alternate };
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };
	CHECK(!sigaltstack(&ss, NULL) && !sigaction(SIGUSR1, &sa, NULL));
	memset(alternate, 0, sizeof alternate);
	/* The marks are in no register at the time: they were in calls' arguments. */
	poison();
	__asm__ volatile(
		"xorps %%xmm0, %%xmm0\n"
		"movaps %%xmm0, %%xmm1; movaps %%xmm0, %%xmm2; movaps %%xmm0, %%xmm3\n"
		"movaps %%xmm0, %%xmm4; movaps %%xmm0, %%xmm5; movaps %%xmm0, %%xmm6\n"
		"movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm8; movaps %%xmm0, %%xmm9\n" ::
			: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
			  "xmm8", "xmm9");
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	CHECK_EQ(frames, 1);
	CHECK(!marked(alternate, sizeof alternate));
}

static void fresh_pages(void)
{
	tap_tmpdir();
	for (int round = 0; round < 3; round++) {
		/* Pages full of marks go back to the kernel, from all owners. */
		size_t n = 4 << 20;
		char *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(p, MARK, n);
		int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0600);
		CHECK_EQ(write(fd, p, 1 << 20), 1 << 20);
		munmap(p, n);
		CHECK(!ftruncate(fd, 100) && !ftruncate(fd, 1 << 20));
		p = mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (size_t i = 0; i < n; i += 4096)
			CHECK(!marked(p + i, 4096));
		munmap(p, n);
		char *tail = mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, fd, 0);
		/* what was cut off is gone */
		CHECK(!marked(tail + 100, (1 << 20) - 100));
		munmap(tail, 1 << 20);
		close(fd);
	}
}

static void ends_of_file_pages(void)
{
	struct stat st;
	/* Behind the end of a file of the root disk, in its last page. */
	int fd = open("/bin/busybox", O_RDONLY);
	if (fd < 0)
		tap_skip("no /bin/busybox");
	CHECK(!fstat(fd, &st));
	size_t n = ((size_t)st.st_size + 4095) & ~4095ul;
	poison();
	char *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	for (size_t i = (size_t)st.st_size; i < n; i++)
		CHECK_EQ(p[i], 0);
}

static void exec_starts_clean(void)
{
	/* The stack of a fresh program, above what exec put there, is not old memory. */
	char *argv[] = { "stale_memory", "--stack", NULL };
	poison();
	pid_t pid = fork();
	if (!pid) {
		execv("/proc/self/exe", argv);
		_exit(99);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

/* What lies below its frames. */
static int stack_is_clean(void)
{
	const volatile unsigned char *below = __builtin_frame_address(0);
	int run = 0;
	for (int i = 256; i < 65536; i++) {
		run = below[-i] == MARK ? run + 1 : 0;
		if (run == 2)
			return 1;
	}
	return 0;
}

static void no_kernel_addresses(void)
{
	static const char *const files[] = { "/proc/self/stat",	  "/proc/self/wchan",
					     "/proc/self/stack",  "/proc/self/syscall",
					     "/proc/kallsyms",	  "/proc/modules",
					     "/proc/self/status", "/proc/slabinfo",
					     "/proc/interrupts",  "/proc/self/maps",
					     "/proc/timer_list",  "/proc/vmstat" };
	static char buf[65536];
	tap_needs_mayfly();
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		int fd = open(files[i], O_RDONLY);
		if (fd < 0)
			continue;
		ssize_t n = read(fd, buf, sizeof buf - 1);
		buf[n > 0 ? n : 0] = 0;
		for (char *p = buf; (p = strstr(p, "ffff")); p++)
			/* A kernel half's address has 16 digits; counters may hold
			 * ffff. */
			if (strspn(p, "0123456789abcdef") == 16 &&
			    strncmp(p, "ffffffffff600000", 16) && p[4] != 'f')
				tap_fail(__FILE__, __LINE__, "%s: %.40s", files[i], p);
		close(fd);
		CHECK(n >= 0 || errno);
	}
}

static const struct tap_case cases[] = {
	CASE(the_pattern_would_be_seen),
	CASE(structs),
	CASE(signals_and_waits),
	CASE(signal_frames),
	CASE(fresh_pages),
	CASE(ends_of_file_pages),
	CASE(exec_starts_clean),
	CASE(no_kernel_addresses),
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--stack"))
		return stack_is_clean();
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}

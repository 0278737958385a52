/*
 * Threads that change, under a call, what the call works on: its pointers, its memory,
 * its descriptors, names, credentials. Nothing may crash, and nothing forbidden may be
 * seen.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#define SECONDS 1.5
#define PAGE 4096ul

static struct timespec began;

static bool on(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - began.tv_sec) +
		       (double)(now.tv_nsec - began.tv_nsec) / 1e9 <
	       SECONDS;
}

/* Runs fn in threads until the time is over. */
static void together(void *(*const fns[])(void *), int n, void *arg)
{
	pthread_t t[8];
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int i = 0; i < n; i++)
		CHECK(!pthread_create(&t[i], NULL, fns[i], arg));
	for (int i = 0; i < n; i++)
		CHECK(!pthread_join(t[i], NULL));
	pid_t pid = fork(); /* the kernel is as before */
	if (!pid)
		_exit(7);
	CHECK_EQ(tap_wait(pid), 7 << 8);
}

#define TOGETHER(arg, ...)                                                               \
	do {                                                                             \
		static void *(*const fns_[])(void *) = { __VA_ARGS__ };                  \
		together(fns_, sizeof fns_ / sizeof fns_[0], arg);                       \
	} while (0)

/* ---- pointers inside a vector ---- */

static struct iovec vector[64];
static char good[8 * PAGE];

static void *flip_vector(void *arg)
{
	static const uintptr_t bad[] = { 0,
					 8,
					 0xffff800000000000,
					 0xffffffffff000000,
					 0x7ffffffff000,
					 0x800000000000 };
	unsigned seed = 1;
	(void)arg;
	while (on()) {
		struct iovec *v = &vector[rand_r(&seed) % 64];
		v->iov_base = rand_r(&seed) % 2 ? (void *)bad[rand_r(&seed) % 6] : good;
		v->iov_len = rand_r(&seed) % 2 ? (size_t)-1 : 100;
		v->iov_base = good;
		v->iov_len = 100;
	}
	return NULL;
}

static void *use_vector(void *arg)
{
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	(void)arg;
	while (on()) {
		(void)!readv(zero, vector, 64);
		(void)!writev(null, vector, 64);
	}
	close(zero);
	close(null);
	return NULL;
}

static void *write_vector(void *arg)
{
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	char buf[100];
	(void)arg;
	while (on()) {
		(void)!pwritev(fd, vector, 64, 0);
		(void)!pread(fd, buf, sizeof buf, 0);
	}
	close(fd);
	return NULL;
}

static void vectors_that_change(void)
{
	tap_tmpdir();
	for (int i = 0; i < 64; i++)
		vector[i] = (struct iovec){ good, 100 };
	TOGETHER(NULL, flip_vector, use_vector, write_vector, flip_vector);
	CHECK(on() == false);
}

/* ---- a path that changes while it is read ---- */

static char path[64];

static void *flip_path(void *arg)
{
	(void)arg;
	while (on()) {
		memcpy(path, "/tmp/public", 12);
		memcpy(path, "/root/../tmp", 13);
		memset(path, 'x', sizeof path); /* without its NUL for a moment */
		path[63] = 0;
	}
	return NULL;
}

static void *use_path(void *arg)
{
	struct stat st;
	(void)arg;
	while (on()) {
		stat(path, &st);
		close(open(path, O_RDONLY));
		execve(path, NULL, NULL);
	}
	return NULL;
}

static void paths_that_change(void)
{
	TOGETHER(NULL, flip_path, use_path, use_path);
	CHECK(true);
}

/* ---- memory that comes and goes under a copy ---- */

static char *window;

static void *unmap_window(void *arg)
{
	(void)arg;
	while (on()) {
		mmap(window, 4 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		mprotect(window + PAGE, PAGE, PROT_NONE);
		munmap(window, 4 * PAGE);
	}
	return NULL;
}

static void *copy_to_window(void *arg)
{
	int zero = open("/dev/zero", O_RDONLY), p[2];
	struct timespec none = { 0, 0 };
	(void)arg;
	CHECK(!pipe2(p, O_NONBLOCK));
	while (on()) {
		(void)!read(zero, window, 4 * PAGE);
		(void)!write(p[1], window, 2 * PAGE);
		(void)!read(p[0], window, 2 * PAGE);
		syscall(SYS_futex, window, 0, 0, &none, 0, 0);
		syscall(SYS_rt_sigprocmask, 0, window, window + 8, 8);
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, window);
	}
	close(zero);
	return NULL;
}

static void memory_that_goes(void)
{
	window = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TOGETHER(NULL, unmap_window, copy_to_window, copy_to_window);
	CHECK(true);
}

/* ---- descriptors closed and reused under their users ---- */

static int ends[2], epoll;

static void *close_and_open(void *arg)
{
	(void)arg;
	while (on()) {
		int p[2];
		struct epoll_event ev = { EPOLLIN | EPOLLOUT, { 0 } };
		if (pipe2(p, O_NONBLOCK))
			continue;
		dup2(p[0], ends[0]);
		dup2(p[1], ends[1]);
		epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &ev);
		epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &ev);
		close(p[0]);
		close(p[1]);
		close(ends[0]);
	}
	return NULL;
}

static void *use_descriptors(void *arg)
{
	char buf[100];
	(void)arg;
	while (on()) {
		struct epoll_event ev[4];
		struct stat st;
		(void)!write(ends[1], buf, sizeof buf);
		(void)!read(ends[0], buf, sizeof buf);
		fstat(ends[0], &st);
		epoll_wait(epoll, ev, 4, 0);
		int fd = dup(ends[0]);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static void descriptors_that_close(void)
{
	signal(SIGPIPE, SIG_IGN);
	CHECK(!pipe2(ends, O_NONBLOCK) && (epoll = epoll_create1(0)) >= 0);
	TOGETHER(NULL, close_and_open, use_descriptors, use_descriptors, close_and_open);
}

/* ---- a name that is a file now and a link to a secret then ---- */

static void *swap_names(void *arg)
{
	(void)arg;
	while (on()) {
		rename("link", "name");
		(void)!symlink("secret", "link");
		close(open("file", O_CREAT | O_WRONLY, 0666));
		rename("file", "name");
	}
	return NULL;
}

static atomic_int seen_secret;

static void *open_name(void *arg)
{
	char c;
	(void)arg;
	while (on()) {
		int fd = open("name", O_RDONLY | O_NOFOLLOW);
		if (fd < 0)
			continue;
		if (read(fd, &c, 1) == 1 && c == 'S')
			seen_secret = 1;
		close(fd);
	}
	return NULL;
}

static void links_are_not_followed_in_a_race(void)
{
	tap_tmpdir();
	int fd = open("secret", O_CREAT | O_WRONLY, 0600);
	CHECK_EQ(write(fd, "S", 1), 1);
	TOGETHER(NULL, swap_names, open_name, open_name);
	CHECK(!seen_secret);
}

/* ---- .. out of a directory that moves ---- */

static void *move_directory(void *arg)
{
	(void)arg;
	while (on()) {
		rename("jail/a/b", "jail/b");
		rename("jail/b", "jail/a/b");
	}
	return NULL;
}

static atomic_int escaped;

static void *walk_up(void *arg)
{
	int jail = open("jail", O_RDONLY | O_DIRECTORY);
	struct {
		uint64_t flags, mode, resolve;
	} how = { O_RDONLY, 0, 0x10 /* RESOLVE_IN_ROOT */ };
	(void)arg;
	while (on()) {
		int fd = (int)syscall(437, jail, "a/b/../../../../../secret", &how,
				      sizeof how);
		if (fd >= 0)
			escaped = 1;
	}
	close(jail);
	return NULL;
}

static void dot_dot_stays_inside(void)
{
	tap_tmpdir();
	CHECK(!mkdir("jail", 0755) && !mkdir("jail/a", 0755) && !mkdir("jail/a/b", 0755));
	close(open("secret", O_CREAT | O_WRONLY, 0600));
	TOGETHER(NULL, move_directory, walk_up, walk_up);
	CHECK(!escaped);
}

/* ---- credentials ---- */

static atomic_int wrong_ids;

static void *read_ids(void *arg)
{
	(void)arg;
	while (on()) {
		uid_t r, e, s;
		if (syscall(SYS_getresuid, &r, &e, &s) || r != e || e != s)
			wrong_ids = 1; /* half of a change */
	}
	return NULL;
}

static void *change_ids(void *arg)
{
	(void)arg;
	/* The call itself changes this thread alone. */
	while (on()) {
		uid_t r, e, s;
		syscall(SYS_setresuid, 1000, 1000, 1000);
		if (syscall(SYS_getresuid, &r, &e, &s) || r != 1000 || e != 1000)
			wrong_ids = 2;
		if (syscall(SYS_setresuid, 0, 0, 0) != -1)
			wrong_ids = 3;
	}
	return NULL;
}

static void ids_change_whole(void)
{
	tap_needs_root();
	pid_t pid = fork();
	if (!pid) {
		TOGETHER(NULL, change_ids, read_ids, read_ids);
		CHECK_EQ(wrong_ids, 0);
		CHECK_EQ(getuid(), 0); /* this thread kept its own */
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

/* ---- exec and exit among threads ---- */

static void *spin(void *arg)
{
	for (;;)
		syscall(SYS_getppid);
	return arg;
}

static void *spawn(void *arg)
{
	pthread_t t;
	for (;;)
		if (!pthread_create(&t, NULL, arg ? spin : spawn, arg))
			pthread_detach(t);
		else
			usleep(100);
	return NULL;
}

static void *exec_true(void *arg)
{
	usleep(*(unsigned *)arg);
	execl("/proc/self/exe", "races", "--true", NULL);
	_exit(98);
}

static void exec_among_threads(void)
{
	for (unsigned i = 0; i < 40; i++) {
		pid_t pid = fork();
		if (!pid) {
			pthread_t t;
			unsigned delay = i * 100;
			setrlimit(RLIMIT_NPROC, &(struct rlimit){ 100, 100 });
			for (int k = 0; k < 4; k++)
				pthread_create(&t, NULL, spin, NULL);
			pthread_create(&t, NULL, exec_true, &delay);
			pthread_create(&t, NULL, exec_true, &delay);
			if (i % 2)
				for (;;)
					pause();
			usleep(delay);
			execl("/proc/self/exe", "races", "--true", NULL);
		}
		CHECK_EQ(tap_wait(pid), 0);
	}
}

static void killed_while_it_breeds(void)
{
	for (int i = 0; i < 15; i++) {
		pid_t pid = fork();
		if (!pid) {
			pthread_t t;
			setrlimit(RLIMIT_AS, &(struct rlimit){ 64 << 20, 64 << 20 });
			pthread_create(&t, NULL, spawn, (void *)1);
			pause();
		}
		usleep((unsigned)(5000 + i * 2000));
		CHECK(!kill(pid, SIGKILL));
		CHECK_EQ(tap_wait(pid), SIGKILL);
	}
}

/* ---- /proc of a process that goes ---- */

static void *read_proc(void *arg)
{
	static const char *const files[] = { "maps",	"mem", "status", "cmdline",
					     "environ", "fd",  "exe",	 "cwd",
					     "stat",	"task" };
	char name[64], buf[512];
	while (on())
		for (int i = 0; i < 10; i++) {
			snprintf(name, sizeof name, "/proc/%d/%s", *(volatile int *)arg,
				 files[i]);
			int fd = open(name, O_RDONLY);
			if (fd < 0) {
				(void)!readlink(name, buf, sizeof buf);
				continue;
			}
			(void)!pread(fd, buf, sizeof buf, i == 1 ? 0x400000 : 0);
			syscall(SYS_getdents64, fd, buf, sizeof buf);
			close(fd);
		}
	return NULL;
}

static void *short_lives(void *arg)
{
	while (on()) {
		pid_t pid = fork();
		if (!pid) {
			munmap(good, PAGE);
			_exit(0);
		}
		*(volatile int *)arg = pid;
		waitpid(pid, NULL, 0);
	}
	return NULL;
}

static void proc_of_the_dying(void)
{
	int pid = getpid();
	TOGETHER(&pid, short_lives, read_proc, read_proc, read_proc);
}

static const struct tap_case cases[] = {
	CASE(vectors_that_change),
	CASE(paths_that_change),
	CASE(memory_that_goes),
	CASE(descriptors_that_close),
	CASE(links_are_not_followed_in_a_race),
	CASE(dot_dot_stays_inside),
	CASE(ids_change_whole),
	CASE(exec_among_threads),
	CASE(killed_while_it_breeds),
	CASE(proc_of_the_dying),
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--true"))
		return 0;
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}

/*
 * Jobs that eat what there is, one resource at a time. Each ends in an errno or in the
 * eater's death; after it an ordinary process does its work as before.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#define MIB (1ul << 20)

static long free_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *f = fopen("/proc/meminfo", "r");
	CHECK(f);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	fclose(f);
	CHECK(kib >= 0);
	return kib;
}

/* The twin of all cases: a child that allocates, writes a file and reads it back. */
static void still_works(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		char buf[8192], path[] = "/tmp/still-XXXXXX";
		char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int fd = mkstemp(path);
		if (p == MAP_FAILED || fd < 0)
			_exit(1);
		memset(p, 7, MIB);
		unlink(path);
		_exit(pwrite(fd, p, sizeof buf, 0) != sizeof buf ||
		      pread(fd, buf, sizeof buf, 0) != sizeof buf ||
		      memcmp(buf, p, sizeof buf));
	}
	CHECK_EQ(tap_wait(pid), 0);
}

/* Runs fn in a child; its wait status. Memory must come back afterwards. */
static int eat(void (*fn)(void))
{
	still_works();
	long before = free_kib();
	fflush(stdout);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		fn();
		_exit(0);
	}
	int status = tap_wait(pid);
	for (int i = 0; i < 100 && free_kib() < before - 2048; i++)
		usleep(20000);
	if (tap_on_mayfly()) /* elsewhere others use memory too */
		CHECK(free_kib() >= before - 2048);
	still_works();
	return status;
}

static void touch_all_memory(void)
{
	for (;;) {
		char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(0);
		memset(p, 1, MIB);
	}
}

static void memory_hog_is_killed(void)
{
	tap_needs_mayfly();
	int status = eat(touch_all_memory);
	CHECK(status == SIGKILL || status == 0);
}

static void shared_memory(void)
{
	for (;;) {
		int fd = memfd_create("hog", 0);
		if (fd < 0 || ftruncate(fd, 16 * MIB))
			_exit(0);
		char *p = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			_exit(0);
		for (size_t i = 0; i < 16 * MIB; i += 4096)
			p[i] = 1;
	}
}

static void shared_memory_hog_is_killed(void)
{
	tap_needs_mayfly();
	int status = eat(shared_memory);
	CHECK(WIFSIGNALED(status) || status == 0);
}

static void hogs_in_a_group(void)
{
	tap_needs_mayfly();
	still_works();
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();
		if (!pid)
			touch_all_memory();
		CHECK(pid > 0);
	}
	for (int i = 0; i < 8; i++) {
		int status;
		CHECK(wait(&status) > 0);
		CHECK(status == SIGKILL || status == 0);
	}
	still_works();
}

static void fill_tmpfs(void)
{
	static char block[65536];
	tap_tmpdir();
	int fd = open("big", O_CREAT | O_WRONLY, 0600), err;
	memset(block, 1, sizeof block);
	while (write(fd, block, sizeof block) > 0)
		;
	err = errno;
	unlink("big");
	close(fd);
	_exit(err == ENOSPC || err == ENOMEM ? 0 : 1);
}

static void full_tmpfs_says_so(void)
{
	tap_needs_mayfly();
	CHECK_EQ(eat(fill_tmpfs), 0);
}

static void fill_sparse(void)
{
	tap_tmpdir();
	int fd = open("sparse", O_CREAT | O_RDWR, 0600);
	if (ftruncate(fd, 1l << 40))
		_exit(1);
	for (off_t at = 0; at < 1l << 40; at += 1l << 30)
		if (pwrite(fd, "x", 1, at) != 1)
			_exit(2);
	unlink("sparse");
}

static void sparse_files_cost_what_they_hold(void)
{
	tap_needs_mayfly();
	CHECK_EQ(eat(fill_sparse), 0);
}

static void fork_bomb(void)
{
	setrlimit(RLIMIT_NPROC, &(struct rlimit){ 60, 60 });
	if (setresuid(54321, 54321, 54321))
		_exit(1);
	setpgid(0, 0);
	time_t end = time(NULL) + 2;
	while (time(NULL) < end)
		(void)!fork();
	kill(0, SIGKILL);
}

static void fork_bomb_stays_in_its_limit(void)
{
	tap_needs_root();
	int status = eat(fork_bomb);
	CHECK(status == SIGKILL || status == 0);
}

static void process_limit(void)
{
	int n = 0;
	setrlimit(RLIMIT_NPROC, &(struct rlimit){ 20, 20 });
	if (setresuid(54322, 54322, 54322))
		_exit(1);
	setpgid(0, 0);
	for (; n < 100; n++) {
		pid_t pid = fork();
		if (!pid)
			for (;;)
				pause();
		if (pid < 0)
			break;
	}
	int err = errno;
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	_exit(n == 19 && err == EAGAIN ? 0 : 2);
}

static void processes_beyond_the_limit_are_refused(void)
{
	tap_needs_root();
	CHECK_EQ(eat(process_limit), 0);
}

static void pipes(void)
{
	static char block[65536];
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 20000, 20000 });
	for (;;) {
		int p[2];
		if (pipe2(p, O_NONBLOCK))
			_exit(0);
		if (write(p[1], block, sizeof block) < 0 && errno != EAGAIN)
			_exit(0);
	}
}

static void full_pipes(void)
{
	tap_needs_mayfly();
	int status = eat(pipes);
	CHECK(status == SIGKILL || status == 0);
}

static void descriptors(void)
{
	int ep = epoll_create1(0);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 50000, 50000 });
	for (;;) {
		struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
		int e = eventfd(1, 0), t = timerfd_create(CLOCK_MONOTONIC, 0);
		int p = epoll_create1(0);
		if (p < 0 || e < 0 || t < 0)
			_exit(errno == EMFILE || errno == ENOMEM ? 0 : 1);
		struct itimerspec soon = { { 1, 0 }, { 1, 0 } };
		timerfd_settime(t, 0, &soon, NULL);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev) ||
		    epoll_ctl(p, EPOLL_CTL_ADD, t, &ev) ||
		    epoll_ctl(p, EPOLL_CTL_ADD, ep, &ev))
			_exit(errno == ENOMEM || errno == ENOSPC || errno == EINVAL ? 0
										    : 2);
	}
}

static void descriptors_timers_and_epolls(void)
{
	tap_needs_mayfly();
	int status = eat(descriptors);
	CHECK(status == SIGKILL || status == 0);
}

static void queued_signals(void)
{
	sigset_t set;
	int n = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){ 1000, 1000 });
	while (n < 1000000 &&
	       !sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = n }))
		n++;
	_exit(errno == EAGAIN && n <= 1000 && n > 900 ? 0 : 1);
}

static void signals_queue_up_to_their_limit(void)
{
	CHECK_EQ(eat(queued_signals), 0);
}

static void many_timers(void)
{
	timer_t t;
	int n = 0;
	struct sigevent ev = { .sigev_notify = SIGEV_NONE };
	struct itimerspec soon = { { 0, 1000000 }, { 0, 1000000 } };
	setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){ 2000, 2000 });
	for (; n < 100000 && !timer_create(CLOCK_MONOTONIC, &ev, &t); n++)
		timer_settime(t, 0, &soon, NULL);
	_exit(n < 100000 && errno == EAGAIN ? 0 : 1);
}

static void timers_have_a_limit(void)
{
	CHECK_EQ(eat(many_timers), 0);
}

static void deep_tree(void)
{
	tap_tmpdir();
	int n = 0;
	for (; n < 5000; n++)
		if (mkdir("d", 0700) || chdir("d"))
			break;
	if (n < 5000 && errno != ENOSPC && errno != ENOMEM)
		_exit(1);
	char *cwd = getcwd(NULL, 0);
	if (!cwd && errno != ENAMETOOLONG && errno != ERANGE)
		_exit(2);
	for (; n; n--)
		if (chdir("..") || rmdir("d"))
			_exit(3);
}

static void deep_directories(void)
{
	CHECK_EQ(eat(deep_tree), 0);
}

static void many_files(void)
{
	char name[32];
	int n = 0;
	tap_tmpdir();
	for (; n < 100000; n++) {
		snprintf(name, sizeof name, "file-%d", n);
		int fd = open(name, O_CREAT | O_WRONLY | O_EXCL, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	if (n < 100000 && errno != ENOSPC && errno != ENOMEM)
		_exit(1);
	int seen = 0;
	DIR *d = opendir(".");
	while (readdir(d))
		seen++;
	closedir(d);
	if (seen != n + 2)
		_exit(2);
	for (; n; n--) {
		snprintf(name, sizeof name, "file-%d", n - 1);
		if (unlink(name))
			_exit(3);
	}
}

static void a_hundred_thousand_files(void)
{
	tap_needs_mayfly();
	int status = eat(many_files);
	CHECK(status == 0 || status == SIGKILL);
}

static void many_areas(void)
{
	char *p = mmap(NULL, 1ul << 32, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		_exit(1);
	for (size_t i = 0; i < 1ul << 32; i += 8192)
		if (mprotect(p + i, 4096, PROT_READ))
			_exit(errno == ENOMEM ? 0 : 2);
}

static void areas_run_into_a_limit(void)
{
	tap_needs_mayfly();
	int status = eat(many_areas);
	CHECK(status == 0 || status == SIGKILL);
}

static void page_tables(void)
{
	/* One page touched per 2 MiB: a table each. */
	char *p = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		_exit(0);
	for (size_t i = 0; i < 1ul << 40; i += 2 * MIB)
		(void)*(volatile char *)(p + i);
}

static void page_tables_count_as_memory(void)
{
	tap_needs_mayfly();
	int status = eat(page_tables);
	CHECK(status == SIGKILL || status == 0);
}

static void stack(void)
{
	setrlimit(RLIMIT_STACK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	execl("/proc/self/exe", "exhaustion", "--recurse", NULL);
}

static void endless_recursion(void)
{
	tap_needs_mayfly();
	int status = eat(stack);
	CHECK(WIFSIGNALED(status));
}

static int recurse(volatile char *above)
{
	volatile char frame[4096];
	frame[0] = above[0];
	return above ? recurse(frame) + frame[0] : 0;
}

static void many_locks(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600), n = 0;
	for (; n < 5000; n++) {
		struct flock l = { .l_type = F_WRLCK, .l_start = 2l * n, .l_len = 1 };
		if (fcntl(fd, F_SETLK, &l))
			_exit(errno == ENOLCK || errno == ENOMEM ? 0 : 1);
	}
}

static void thousands_of_locks(void)
{
	tap_needs_mayfly();
	int status = eat(many_locks);
	CHECK(status == 0 || status == SIGKILL);
}

static const struct tap_case cases[] = {
	CASE(memory_hog_is_killed),
	CASE(shared_memory_hog_is_killed),
	CASE(hogs_in_a_group),
	CASE(full_tmpfs_says_so),
	CASE(sparse_files_cost_what_they_hold),
	CASE(fork_bomb_stays_in_its_limit),
	CASE(processes_beyond_the_limit_are_refused),
	CASE(full_pipes),
	CASE(descriptors_timers_and_epolls),
	CASE(signals_queue_up_to_their_limit),
	CASE(timers_have_a_limit),
	CASE(deep_directories),
	CASE(a_hundred_thousand_files),
	CASE(areas_run_into_a_limit),
	CASE(page_tables_count_as_memory),
	CASE(endless_recursion),
	CASE(thousands_of_locks),
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--recurse"))
		return recurse((char *)argv);
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}

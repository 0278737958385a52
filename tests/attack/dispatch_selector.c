/*
 * The selector of PR_SET_SYSCALL_USER_DISPATCH is an address that the program chose and
 * the kernel reads at each call: it leads nowhere else, and no selector makes a refused
 * call pass.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define ON 1
#define PAGE 4096

static int dispatch(uint64_t start, uint64_t size, uint64_t selector)
{
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, ON, start, size, selector);
}

/* How a child ends whose calls go by that byte. */
static int end_with(volatile char *selector)
{
	pid_t pid = fork();

	if (!pid) {
		dispatch(0, 0, (uint64_t)selector);
		for (int i = 0; i < 100; i++)
			getppid();
		_exit(0);
	}
	return tap_wait(pid);
}

static void is_in_user_memory(void)
{
	static const uint64_t places[] = {
		0xffff800000000000,
		0xffffffff80000000,
		0xffffffffff600000,
		-1ul,
		0x8000000000000000,
		/* here, where there are 47 bits of user memory */
		0x0000800000000000,
		0x00007ffffffff000,
	};
	static volatile char allow;

	for (size_t i = 0; i < (tap_on_mayfly() ? 7 : 5); i++) {
		CHECK_ERR(dispatch(0, 0, places[i]), EFAULT);
		CHECK(getppid() > 0);
	}
	/* The last byte there can be is no mapping's: who chose it ends. */
	CHECK_EQ(WTERMSIG(end_with((char *)0x00007fffffffefff)), SIGSEGV);
	CHECK_EQ(end_with(&allow), 0);
}

static void may_lead_nowhere(void)
{
	char path[] = "/tmp/selector-XXXXXX";
	int fd = mkstemp(path);
	char *page = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(fd >= 0 && page != MAP_FAILED && ftruncate(fd, PAGE) == 0);
	CHECK_EQ(end_with(page), 0);
	CHECK_EQ(WTERMSIG(end_with(page + PAGE)), SIGSEGV); /* past the file's end */
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(WTERMSIG(end_with(page)), SIGSEGV);
	CHECK_EQ(munmap(page, 2 * PAGE), 0);
	CHECK_EQ(WTERMSIG(end_with(page)), SIGSEGV);
	unlink(path);
}

static char *moving;

/* Takes the page away and puts it back, zeroed, all the time. */
static void *mover(void *arg)
{
	for (;;) {
		mprotect(moving, PAGE, PROT_NONE);
		mprotect(moving, PAGE, PROT_READ);
		madvise(moving, PAGE, MADV_DONTNEED);
	}
	return arg;
}

static void may_go_away_at_any_time(void)
{
	moving = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(moving != MAP_FAILED);
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();
		if (!pid) {
			pthread_t thread;
			if (pthread_create(&thread, NULL, mover, NULL))
				_exit(1);
			dispatch(0, 0, (uint64_t)moving);
			for (;;)
				getppid();
		}
		int status = tap_wait(pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
}

/* A byte that allows, or the range of calls that pass, is no permission. */
static void allows_nothing(void)
{
	static volatile char allow;

	CHECK_EQ(setgid(65534) | setuid(65534), 0);
	for (int way = 0; way < 2; way++) {
		CHECK_EQ(way ? dispatch(1, -2ul, 0) : dispatch(0, 0, (uint64_t)&allow),
			 0);
		CHECK(getppid() > 0);
		CHECK_ERR(setuid(0), EPERM);
		CHECK_ERR(syscall(SYS_init_module, NULL, 0, ""), errno);
		CHECK(errno == EPERM || errno == ENOSYS);
		CHECK_ERR(syscall(0x40000000 | SYS_getppid), ENOSYS);
		CHECK_ERR(syscall(100000), ENOSYS);
	}
}

TEST_MAIN(CASE(is_in_user_memory), CASE(may_lead_nowhere), CASE(may_go_away_at_any_time),
	  CASE(allows_nothing))

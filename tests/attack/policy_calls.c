/*
 * Ways round the calls that a policy allows: other numbers, other ways in, what signals
 * and restarts bring about, and arguments that are not what they look like or change
 * after the check. Each has the allowed twin beside it.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "common/calls.h"

/* ---- numbers ---- */

static void the_plain_call(void)
{
	CHECK_EQ(confined(calls_getppid), REFUSED << 8);
	CHECK_EQ(freely(calls_getppid), 0);
}

static int calls_unknown(void)
{
	static const uint64_t numbers[] = { 0x40000000u | SYS_getppid,
					    511,
					    512,
					    512 + SYS_getppid,
					    POLICY_SYSCALL + 1,
					    0x7fffffff,
					    0x80000000,
					    0x80000000u | SYS_getppid,
					    0xffffffff };

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (with_number(numbers[i], 0) != -ENOSYS)
			return 1;
	return 0;
}

static void numbers_beyond_the_table_are_no_calls(void)
{
	CHECK_EQ(confined(calls_unknown), 0);
	CHECK_EQ(freely(calls_unknown), 0);
}

static int sets_upper_half(void)
{
	long ret = with_number(0xdeadbeef00000000u | SYS_getppid, 0);

	return ret < 0 ? (int)-ret : 0;
}

static void the_upper_half_of_the_number_does_not_count(void)
{
	CHECK_EQ(confined(sets_upper_half), REFUSED << 8);
	CHECK_EQ(freely(sets_upper_half), 0);
}

/* ---- other ways in ---- */

static int int_0x80(void)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(64) : "memory"); /* getppid */
	return ret > 0 ? 1 : 0;
}

static int sysenter(void)
{
	__asm__ volatile("push %%rcx; push %%rdx; mov %%rsp, %%rbp; sysenter" ::"a"(64)
			 : "memory");
	return 1;
}

static int vsyscall(void)
{
	time_t (*fn)(time_t *) = (time_t(*)(time_t *))0xffffffffff600400;

	return fn(NULL) ? 1 : 0;
}

static void ends_by_signal(int (*door)(void))
{
	int status = confined(door);

	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGILL);
	CHECK_EQ(freely(calls_getppid), 0);
}

static void int_0x80_leads_nowhere(void)
{
	ends_by_signal(int_0x80);
}

static void sysenter_leads_nowhere(void)
{
	ends_by_signal(sysenter);
}

static void the_vsyscall_page_leads_nowhere(void)
{
	ends_by_signal(vsyscall);
}

/* ---- signals ---- */

static volatile int handled;

static void change_number(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	/* to the instruction below, with another number */
	if (handled++)
		_exit(2);
	c->uc_mcontext.gregs[REG_RAX] = SYS_getppid;
	c->uc_mcontext.gregs[REG_RIP] += 2;
}

static int returns_into_a_call(void)
{
	struct sigaction act = { .sa_sigaction = change_number, .sa_flags = SA_SIGINFO };
	long ret;

	sigaction(SIGILL, &act, NULL);
	__asm__ volatile("ud2; syscall" : "=a"(ret) : "a"(0) : "rcx", "r11", "memory");
	return ret < 0 ? (int)-ret : 0;
}

static void a_frame_that_makes_another_call(void)
{
	CHECK_EQ(confined(returns_into_a_call), REFUSED << 8);
	CHECK_EQ(freely(returns_into_a_call), 0);
}

static int is_restarted(void)
{
	struct timespec ts = { 0, 200000000 };
	pid_t me = getpid();

	/* a stop and SIGCONT: poll goes on as restart_syscall, by itself */
	if (!fork()) {
		nanosleep(&ts, NULL);
		kill(me, SIGSTOP);
		nanosleep(&ts, NULL);
		kill(me, SIGCONT);
		_exit(0);
	}
	errno = 0;
	return poll(NULL, 0, 1000) ? errno : 0;
}

static void what_is_restarted_is_asked_about_by_its_number(void)
{
	CHECK_EQ(confined(is_restarted), REFUSED << 8);
	CHECK_EQ(freely(is_restarted), 0);
}

/* ---- arguments ---- */

static int hides_in_upper_half(void)
{
	long ret = with_number(SYS_getpgid, (long)0xdeadbeef00000005);

	return ret == -REFUSED ? REFUSED : 0;
}

static void what_the_kernel_does_not_look_at_hides_nothing(void)
{
	CHECK_EQ(confined(hides_in_upper_half), REFUSED << 8);
	CHECK_EQ(freely(hides_in_upper_half), 0);
}

static int seeks(void)
{
	int fd = memfd_create("x", 0);

	/* its low half is nothing to object to */
	if (lseek(fd, 1, SEEK_SET) != 1)
		return 1;
	return lseek(fd, 1L << 32, SEEK_SET) < 0 ? errno : 0;
}

static void all_64_bits_are_compared(void)
{
	CHECK_EQ(confined(seeks), REFUSED << 8);
	CHECK_EQ(freely(seeks), 0);
}

static volatile bool over;
static volatile struct open_how how;

static void *flips(void *unused)
{
	while (!over) {
		how.flags = O_RDWR | O_APPEND;
		how.flags = O_RDWR;
	}
	return NULL;
}

/* How many of the descriptors have what the rule refuses; *opened: how many there are. */
static int race_of_flags(unsigned *opened)
{
	int appends = 0;

	*opened = 0;
	for (int i = 0; i < 20000; i++) {
		int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/dev/null", &how,
				      sizeof how);
		if (fd < 0)
			continue;
		++*opened;
		appends += !!(fcntl(fd, F_GETFL) & O_APPEND);
		close(fd);
	}
	return appends;
}

static void flags_that_change_after_the_check(void)
{
	struct open_how append = { .flags = O_RDWR | O_APPEND };
	unsigned opened;
	pthread_t t;

	tap_needs_mayfly();
	CHECK(syscall(SYS_openat2, AT_FDCWD, "/dev/null", &append, sizeof append) >= 0);
	POLICY_INSTALL(calls);
	CHECK_ERR(syscall(SYS_openat2, AT_FDCWD, "/dev/null", &append, sizeof append),
		  REFUSED);
	CHECK_EQ(pthread_create(&t, NULL, flips, NULL), 0);
	CHECK_EQ(race_of_flags(&opened), 0);
	CHECK(opened > 0);
	over = true;
	CHECK_EQ(pthread_join(t, NULL), 0);
}

TEST_MAIN(CASE(the_plain_call), CASE(numbers_beyond_the_table_are_no_calls),
	  CASE(the_upper_half_of_the_number_does_not_count), CASE(int_0x80_leads_nowhere),
	  CASE(sysenter_leads_nowhere), CASE(the_vsyscall_page_leads_nowhere),
	  CASE(a_frame_that_makes_another_call),
	  CASE(what_is_restarted_is_asked_about_by_its_number),
	  CASE(what_the_kernel_does_not_look_at_hides_nothing),
	  CASE(all_64_bits_are_compared), CASE(flags_that_change_after_the_check))
